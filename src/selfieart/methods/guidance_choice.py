"""Where the soft masks that guide a method come from, as a person chooses it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, get_args

from selfieart.errors import SelfieartError, printable, unknown
from selfieart.methods.guidance import MOST_MASKS
from selfieart.methods.settings import check_number

Source = Literal["auto", "parser", "clusters", "none"]


@dataclass(frozen=True)
class GuidanceChoice:
    """Where the soft masks come from.

    Attributes:
        source: "parser": segments of portraits; "clusters": parts that the pictures have in common; "auto": the parser
            where the photo and a style picture show a face, else clusters; "none": no masks.
        content_map: a PNG in which each colour is a region of the photo; it and ``style_maps`` replace the source.
        style_maps: the same of style pictures, by the style's name in the look; "" is the only one.
        parts: how many clusters; two are a thing and what is around it, which pictures of anything have. More rarely
            mean the same in both.
    """

    source: Source = "auto"
    content_map: Path | None = None
    style_maps: Mapping[str, Path] = field(default_factory=dict)
    parts: int = 2

    def __post_init__(self) -> None:
        if self.source not in get_args(Source):
            raise unknown("guidance", str(self.source), get_args(Source))
        if (self.content_map is None) != (not self.style_maps):
            raise SelfieartError("Maps come in pairs: give one of the photo and one of each style picture.")
        check_number("parts", self.parts, 1, MOST_MASKS, whole=True)


def guidance_choice(
    source: str | None, content_map: Path | None, style_maps: Sequence[str] | None, parts: int | None = None
) -> GuidanceChoice:
    """The choice that a command line makes.

    Args:
        source: see :class:`GuidanceChoice`; "auto" when left out.
        content_map: a PNG.
        style_maps: PNGs, as PICTURE=PNG where there are several.
        parts: how many clusters; as usual when left out.

    Raises:
        SelfieartError: the source does not exist, both it and maps are given, a picture has two maps, or a map is
            missing.
    """
    maps: dict[str, Path] = {}
    for item in style_maps or ():
        name, _, file = item.rpartition("=")
        if name in maps:
            raise SelfieartError(f"--style-map {printable(item)} is the second map of its picture: give it one.")
        maps[name] = Path(file)
    if source is not None and (content_map or maps):
        raise SelfieartError("Maps of your own guide instead of --guidance: leave one of the two out.")
    usual = GuidanceChoice()
    return GuidanceChoice(source or usual.source, content_map, maps, parts or usual.parts)  # type: ignore[arg-type]
