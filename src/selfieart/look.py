"""A look: what goes where. Reads and writes TOML, and the copy inside a PNG."""

from __future__ import annotations

import math
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any, Literal

from selfieart.errors import LookError, SelfieartError, printable, unknown
from selfieart.parsing.choice import Faces, check_faces
from selfieart.segments import canonical

PNG_KEY = "selfieart:look"
"""Name of the PNG text chunk that holds the look as TOML."""

STROKES = {"small": 896, "medium": 512, "large": 320}
"""Short side in pixels at which styles are painted, by name."""

Blend = Literal["pixels", "features"]

PLAIN_STYLES = ("original", "blur", "grey")
STYLE_SUFFIXES = (".jpg", ".jpeg", ".png", ".webp", ".tif", ".tiff", ".bmp", ".gif", ".safetensors")
"""Endings of files that can be a style: any picture, or what ``selfieart train style`` wrote."""

_COLOR = re.compile(r"#(?:[0-9a-f]{3}|[0-9a-f]{6})")


@dataclass(frozen=True)
class SegmentLook:
    """What one segment or group wears.

    Attributes:
        style: name of a preset, path of a picture or of a fitted style, "original", "blur", "grey", or a colour as
            "#rrggbb".
        strength: in [0, 1], how much of the style is seen.
        keep_color: in [0, 1], how much of the photo's colour is kept.
        feather: softening of the border, standard deviation in percent of the picture's short side, 0 to 20.
    """

    style: str
    strength: float = 1.0
    keep_color: float = 0.0
    feather: float = 0.0

    def __post_init__(self) -> None:
        for name, highest in (("strength", 1.0), ("keep_color", 1.0), ("feather", 20.0)):
            value = getattr(self, name)
            if not isinstance(value, int | float) or isinstance(value, bool) or not 0 <= value <= highest:
                raise LookError(f"{name} must be a number from 0 to {highest:g}, not {value!r}.")
        if not isinstance(self.style, str) or not self.style:
            raise LookError(f"A style must be a name or a colour in quotes, not {self.style!r}.")


@dataclass(frozen=True)
class Look:
    """How a picture is to be turned into art.

    Attributes:
        segments: segment or group -> what it wears; the most specific name wins, order never matters.
        tau: softness of the masks (eq. 9), > 0; inf means binary masks.
        blend: "pixels" composites one painted picture per style (eq. 6); "features" paints all styles in one pass.
        stroke: "small", "medium", "large", or the short side in pixels at which styles are painted.
        faces: "all", "largest", or how many of the largest faces take part.
        seed: of everything random.
    """

    segments: Mapping[str, SegmentLook] = field(default_factory=dict)
    tau: float = 3.0
    blend: Blend = "pixels"
    stroke: str | int = "medium"
    faces: Faces = "all"
    seed: int = 0

    def __post_init__(self) -> None:
        given: dict[str, SegmentLook] = {}
        for name, worn in self.segments.items():
            if not isinstance(worn, SegmentLook):
                raise LookError(f"Segment '{name}' must hold a SegmentLook, not {type(worn).__name__}.")
            if canonical(name) in given:
                raise LookError(f"Segment '{canonical(name)}' is given twice: give it one style.")
            given[canonical(name)] = worn
        object.__setattr__(self, "segments", given)
        if not isinstance(self.tau, int | float) or isinstance(self.tau, bool) or not self.tau > 0:
            raise LookError(f"tau must be a number greater than 0, not {self.tau!r}: 3 is usual, inf is binary.")
        if self.blend not in ("pixels", "features"):
            raise unknown("blend", str(self.blend), ("pixels", "features"))
        if isinstance(self.stroke, bool) or not isinstance(self.stroke, str | int):
            raise LookError(f"stroke must be a name or a number of pixels, not {self.stroke!r}.")
        self.stroke_side()
        try:
            check_faces(self.faces)
        except SelfieartError as error:
            raise LookError(str(error)) from error
        if isinstance(self.seed, bool) or not isinstance(self.seed, int):
            raise LookError(f"seed must be a whole number, not {self.seed!r}.")

    def stroke_side(self) -> int:
        """The short side in pixels at which styles are painted."""
        if isinstance(self.stroke, str):
            if self.stroke not in STROKES:
                raise unknown("stroke", self.stroke, STROKES, "give small, medium, large or a number of pixels.")
            return STROKES[self.stroke]
        if not 64 <= self.stroke <= 4096:
            raise LookError(f"stroke must be 64 to 4096 pixels, not {self.stroke}.")
        return self.stroke

    def wearing(self, segment: str, style: str, **options: float) -> Look:
        """The same look with another style on one segment.

        Args:
            segment: segment or group.
            style: see :class:`SegmentLook`.
            options: strength, keep_color, feather.
        """
        return replace(self, segments={**self.segments, canonical(segment): SegmentLook(style, **options)})

    def to_toml(self) -> str:
        """The look as TOML; values that are the default are left out."""
        import tomli_w

        table: dict[str, Any] = {
            f.name: getattr(self, f.name)
            for f in fields(self)
            if f.name != "segments" and (f.name == "tau" or getattr(self, f.name) != f.default)
        }
        table["segments"] = {
            name: {"style": worn.style}
            | {f.name: getattr(worn, f.name) for f in fields(worn)[1:] if getattr(worn, f.name) != f.default}
            for name, worn in self.segments.items()
        }
        return tomli_w.dumps(table)

    @classmethod
    def from_toml(cls, text: str) -> Look:
        """Read a look.

        Raises:
            LookError: it is not TOML, or a value has the wrong kind or range.
            UnknownName: a key, segment or option does not exist; the nearest one is suggested.
        """
        try:
            table = tomllib.loads(text)
        except (tomllib.TOMLDecodeError, RecursionError) as error:
            raise LookError(f"The look is not valid TOML: {printable(str(error), 200)}.") from error
        _check_keys("option of a look", table, [f.name for f in fields(cls)])
        raw = table.pop("segments", {})
        if not isinstance(raw, dict):
            raise LookError("'segments' must be tables: write [segments.hair] and below it style = \"candy\".")
        segments = {}
        for name, values in raw.items():
            values = {"style": values} if isinstance(values, str) else values
            if not isinstance(values, dict) or "style" not in values:
                raise LookError(f"Segment '{name}' needs a style: write style = \"candy\" below [segments.{name}].")
            _check_keys(f"option of segment {name}:", values, [f.name for f in fields(SegmentLook)])
            segments[name] = SegmentLook(**values)
        return cls(segments=segments, **table)

    def _beside(self, folder: Path) -> Look:
        """The look with the style files that lie in a folder named from where the program runs."""
        worn = {
            name: replace(segment, style=str(folder / segment.style))
            if is_file_style(segment.style) and (folder / segment.style).is_file()
            else segment
            for name, segment in self.segments.items()
        }
        return replace(self, segments=worn)

    @classmethod
    def load(cls, path: str | Path) -> Look:
        """Read a look from a TOML file, or from a PNG that selfieart wrote.

        Style files that it names are looked for beside it first, then where the program runs.

        Raises:
            LookError: the file cannot be read or holds no look.
        """
        path = Path(path)
        if path.suffix.lower() == ".png":
            from selfieart.imaging import read_photo

            text = read_photo(path).text.get(PNG_KEY)
            if text is None:
                raise LookError(f"{path} holds no look: give a PNG that selfieart wrote, or a TOML file.")
        else:
            try:
                text = path.read_text("utf-8")
            except UnicodeDecodeError as error:
                raise LookError(f"The look {path} cannot be read: it is not text.") from error
            except (OSError, ValueError) as error:
                reason = getattr(error, "strerror", None) or "no file can have this name"
                raise LookError(f"The look {printable(str(path), 200)} cannot be read: {reason}.") from error
        try:
            return cls.from_toml(text)._beside(path.parent)
        except SelfieartError as error:
            raise type(error)(f"{path}: {error}") from error

    def save(self, path: str | Path, overwrite: bool = False) -> Path:
        """Write the look as TOML, atomically.

        Raises:
            ImageError: the file exists and ``overwrite`` is False, or it cannot be written.
        """
        from selfieart.paths import atomic_write

        with atomic_write(Path(path), overwrite=overwrite) as temporary:
            temporary.write_text(self.to_toml(), "utf-8")
        return Path(path)


def parse_color(style: str) -> tuple[int, int, int] | None:
    """(r, g, b) in 0..255 of a colour written "#rgb" or "#rrggbb"; None if the style is no colour.

    Raises:
        LookError: it begins like a colour but is none.
    """
    if not style.startswith("#"):
        return None
    text = style.lower()
    if not _COLOR.fullmatch(text):
        raise LookError(f"'{style}' is no colour: write #rrggbb, for example #ff8800.")
    digits = text[1:] if len(text) == 7 else "".join(d * 2 for d in text[1:])
    return int(digits[:2], 16), int(digits[2:4], 16), int(digits[4:], 16)


def _check_keys(kind: str, table: Mapping[str, Any], known: list[str]) -> None:
    for key in table:
        if key not in known:
            raise unknown(kind, key, known)


def tau_from_text(text: str) -> float:
    """tau as a person writes it: a number, "inf" or "binary".

    Raises:
        LookError: it is none of these.
    """
    if text.strip().lower() == "binary":
        return math.inf
    try:
        return float(text)
    except ValueError as error:
        raise LookError(f"tau must be a number, inf or binary, not '{text}'.") from error


def is_file_style(style: str) -> bool:
    """Whether a style's name is the path of a file."""
    return Path(style).suffix.lower() in STYLE_SUFFIXES or "/" in style or "\\" in style
