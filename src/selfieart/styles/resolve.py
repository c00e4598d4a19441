"""What a style's name in a look means: a preset, a picture, a fitted style, a mix, a plain effect, or a flat colour."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal, cast

from selfieart.errors import LookError, SelfieartError, UnknownName, printable, unknown
from selfieart.paths import is_file
from selfieart.style_names import (
    PLAIN_STYLES,
    is_file_style,
    is_mix,
    mix_parts,
    mix_text,
    parse_color,
    shares,
    spelled,
)
from selfieart.styles.presets import presets

Kind = Literal["preset", "picture", "code", "mix", "color", "original", "blur", "grey"]
"""What a style is; the last ones are those of PLAIN_STYLES."""


@dataclass(frozen=True)
class ResolvedStyle:
    """A style that exists.

    Attributes:
        kind: "preset", "picture" (any picture file), "code" (a file of ``selfieart train style``), "mix" (of these
            three), "color", or one of the plain effects.
        name: of the preset, path of the file, or as it was written; that of a mix is the same for all ways to write it.
        color: sRGB in 0..255 when the kind is "color".
        parts: of a mix, sorted by name: at least two styles with their weights, which sum to 1; else empty.
    """

    kind: Kind
    name: str
    color: tuple[int, int, int] = (0, 0, 0)
    parts: tuple[tuple[ResolvedStyle, float], ...] = ()

    @property
    def painted(self) -> bool:
        """Whether the network paints it."""
        return self.kind in ("preset", "picture", "code", "mix")

    @property
    def pure(self) -> tuple[tuple[ResolvedStyle, float], ...]:
        """The styles that it is made of and their weights: the parts of a mix, else itself."""
        return self.parts or ((self, 1.0),)


def resolve_style(style: str) -> ResolvedStyle:
    """Find out what a style's name means.

    Args:
        style: a preset, a picture, a file of ``selfieart train style``, "original", "blur", "grey", "#rrggbb", or a mix
            of what is painted: "candy+wave", "candy:0.6+me.jpg:0.4". A file that exists wins, whatever its name.

    Raises:
        UnknownName: there is no such style; the nearest name is suggested.
        SelfieartError: it is a file that does not exist.
        LookError: it begins like a colour but is none, or is not written as a mix is.
    """
    if _is_style_file(style):
        return _file(style)
    parts = mix_parts(style, _is_style_file)
    if not is_mix(parts):
        return _one(style)
    styles: dict[str, ResolvedStyle] = {}
    weights: dict[str, float] = {}
    for name, weight in parts:
        part = _part(name, style)
        styles[part.name] = part
        weights[part.name] = weights.get(part.name, 0.0) + (1.0 if weight is None else weight)
    kept = shares(weights)
    if len(kept) == 1:
        return styles[next(iter(kept))]
    mixed = tuple((styles[name], weight) for name, weight in kept.items())
    return ResolvedStyle("mix", mix_text(kept.items()), parts=mixed)


def _part(name: str, style: str) -> ResolvedStyle:
    try:
        part = _file(name) if _is_style_file(name) else _one(name)
    except UnknownName:
        if not is_file_style(style):
            raise
        # More likely the name of a file with a plus in it than a mix.
        raise _missing(style) from None
    if not part.painted:
        raise LookError(f"'{printable(name)}' cannot be mixed: mix presets and pictures, like candy:0.6+wave:0.4.")
    return part


def _one(style: str) -> ResolvedStyle:
    color = parse_color(style)
    if color is not None:
        return ResolvedStyle("color", style, color)
    name = spelled(style)
    if name in PLAIN_STYLES:
        return ResolvedStyle(cast(Kind, name), name)
    if name in presets():
        return ResolvedStyle("preset", name)
    if is_file_style(style):
        raise _missing(style)
    raise unknown("style", style, [*presets(), *PLAIN_STYLES], "'selfieart styles' lists them all.")


def _file(style: str) -> ResolvedStyle:
    return ResolvedStyle("code" if Path(style).suffix.lower() == ".safetensors" else "picture", style)


def _is_style_file(style: str) -> bool:
    return is_file_style(style) and is_file(style)


def _missing(style: str) -> SelfieartError:
    return SelfieartError(f"The style file {printable(style, 200)} does not exist: give a picture or a preset.")
