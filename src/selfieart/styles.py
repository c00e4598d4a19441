"""What a style's name in a look means: a preset, a plain effect, or a flat colour."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from selfieart.errors import SelfieartError, unknown
from selfieart.look import PLAIN_STYLES, parse_color
from selfieart.transfer.presets import presets

PICTURE_SUFFIXES = (".jpg", ".jpeg", ".png", ".webp", ".tif", ".tiff", ".bmp", ".gif")


@dataclass(frozen=True)
class ResolvedStyle:
    """A style that exists.

    Attributes:
        kind: "preset", "color", or one of the plain effects.
        name: of the preset, or as it was written.
        color: sRGB in 0..255 when the kind is "color".
    """

    kind: Literal["preset", "color", "original", "blur", "grey"]
    name: str
    color: tuple[int, int, int] = (0, 0, 0)


def resolve_style(style: str) -> ResolvedStyle:
    """Find out what a style's name means.

    Raises:
        UnknownName: there is no such style; the nearest name is suggested.
        SelfieartError: it is a picture file; presets are what this version paints with.
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
    if Path(style).suffix.lower() in PICTURE_SUFFIXES or "/" in style or "\\" in style:
        raise SelfieartError(
            f"'{style}' is a picture, and styles from your own pictures are not in this version yet: "
            "choose a preset from 'selfieart styles'."
        )
    raise unknown("style", style, [*presets(), *PLAIN_STYLES], "'selfieart styles' lists them all.")
