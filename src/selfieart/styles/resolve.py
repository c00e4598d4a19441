"""What a style's name in a look means: a preset, a picture, a fitted style, a plain effect, or a flat colour."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from selfieart.errors import SelfieartError, printable, unknown
from selfieart.look import PLAIN_STYLES, is_file_style, parse_color
from selfieart.styles.presets import presets


@dataclass(frozen=True)
class ResolvedStyle:
    """A style that exists.

    Attributes:
        kind: "preset", "picture" (any picture file), "code" (a file of ``selfieart train style``), "color", or one of
            the plain effects.
        name: of the preset, path of the file, or as it was written.
        color: sRGB in 0..255 when the kind is "color".
    """

    kind: Literal["preset", "picture", "code", "color", "original", "blur", "grey"]
    name: str
    color: tuple[int, int, int] = (0, 0, 0)

    @property
    def painted(self) -> bool:
        """Whether the network paints it."""
        return self.kind in ("preset", "picture", "code")


def resolve_style(style: str) -> ResolvedStyle:
    """Find out what a style's name means.

    Raises:
        UnknownName: there is no such style; the nearest name is suggested.
        SelfieartError: it is a file that does not exist.
        LookError: it begins like a colour but is none.
    """
    color = parse_color(style)
    if color is not None:
        return ResolvedStyle("color", style, color)
    name = style.strip().lower().replace("_", "-").replace(" ", "-")
    name = {"gray": "grey", "none": "original"}.get(name, name)
    if name == "original":
        return ResolvedStyle("original", name)
    if name == "blur":
        return ResolvedStyle("blur", name)
    if name == "grey":
        return ResolvedStyle("grey", name)
    if name in presets():
        return ResolvedStyle("preset", name)
    if is_file_style(style):
        path = Path(style)
        if not path.is_file():
            raise SelfieartError(f"The style file {printable(style, 200)} does not exist: give a picture or a preset.")
        return ResolvedStyle("code" if path.suffix.lower() == ".safetensors" else "picture", style)
    raise unknown("style", style, [*presets(), *PLAIN_STYLES], "'selfieart styles' lists them all.")
