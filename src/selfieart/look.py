"""A look: what goes where. Reads and writes TOML, JSON, and the copy inside a PNG."""

from __future__ import annotations

import hashlib
import json
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any, Literal

from selfieart.errors import LookError, SelfieartError, printable
from selfieart.look_schema import LOOK_OPTIONS, SEGMENT_OPTIONS, STROKES, look_table
from selfieart.parsing.choice import Faces
from selfieart.paths import is_file
from selfieart.segments import canonical
from selfieart.style_names import PLAIN_STYLES, STYLE_SUFFIXES, is_file_style, parse_color, renamed

__all__ = [
    "PLAIN_STYLES",
    "PNG_KEY",
    "STROKES",
    "STYLE_SUFFIXES",
    "Blend",
    "Look",
    "SegmentLook",
    "Segments",
    "is_file_style",
    "parse_color",
    "tau_from_text",
]

PNG_KEY = "selfieart:look"
"""Name of the PNG text chunk that holds the look as TOML."""

Blend = Literal["pixels", "features"]


@dataclass(frozen=True)
class SegmentLook:
    """What one segment or group wears.

    Attributes:
        style: name of a preset, path of a picture or of a fitted style, a mix of these as "candy:0.6+wave:0.4",
            "original", "blur", "grey", or a colour as "#rrggbb".
        strength: in [0, 1], how much of the style is seen.
        keep_color: in [0, 1], how much of the photo's colour is kept.
        feather: softening of the border, standard deviation in percent of the picture's short side, 0 to 20.
    """

    style: str
    strength: float = 1.0
    keep_color: float = 0.0
    feather: float = 0.0

    def __post_init__(self) -> None:
        for name, option in SEGMENT_OPTIONS.items():
            option.checked(getattr(self, name))


class Segments(Mapping[str, SegmentLook]):
    """What each segment or group wears: a mapping that never changes and can be hashed."""

    __slots__ = ("_worn",)
    _worn: dict[str, SegmentLook]

    def __init__(self, worn: Mapping[str, SegmentLook] | None = None) -> None:
        object.__setattr__(self, "_worn", dict(worn or {}))

    def __getitem__(self, name: str) -> SegmentLook:
        return self._worn[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._worn)

    def __len__(self) -> int:
        return len(self._worn)

    def __hash__(self) -> int:
        # Equal whatever the order, as mappings are.
        return hash(frozenset(self._worn.items()))

    def __setattr__(self, name: str, value: Any) -> None:
        raise AttributeError("The segments of a look never change: Look.wearing makes another look.")

    def __delattr__(self, name: str) -> None:
        raise AttributeError("The segments of a look never change: Look.wearing makes another look.")

    def __reduce__(self) -> tuple[type[Segments], tuple[dict[str, SegmentLook]]]:
        return Segments, (dict(self._worn),)

    def __repr__(self) -> str:
        return repr(self._worn)


@dataclass(frozen=True)
class Look:
    """How a picture is to be turned into art. Looks never change; equal looks have equal hashes.

    Attributes:
        segments: segment or group -> what it wears; the most specific name wins, order never matters.
        tau: softness of the masks (eq. 9), > 0; inf means binary masks.
        blend: "pixels" composites one painted picture per style (eq. 6); "features" paints all styles in one pass.
        stroke: "small", "medium", "large", or the short side in pixels at which styles are painted.
        faces: "all", "largest", or how many of the largest faces take part.
        seed: of everything random, from -(2^32 - 1) to 2^32 - 1.
    """

    segments: Mapping[str, SegmentLook] = field(default_factory=Segments)
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
        object.__setattr__(self, "segments", Segments(given))
        for name, option in LOOK_OPTIONS.items():
            option.checked(getattr(self, name))

    @property
    def key(self) -> str:
        """A short name of what the look says, the same in every run: equal looks have equal keys."""
        table: dict[str, Any] = {name: _same(getattr(self, name)) for name in LOOK_OPTIONS}
        table["segments"] = {
            name: {key: _same(getattr(worn, key)) for key in SEGMENT_OPTIONS} for name, worn in self.segments.items()
        }
        return hashlib.sha256(json.dumps(table, sort_keys=True).encode()).hexdigest()[:16]

    def stroke_side(self) -> int:
        """The short side in pixels at which styles are painted."""
        return STROKES[self.stroke] if isinstance(self.stroke, str) else self.stroke

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
        except (ValueError, RecursionError) as error:
            raise LookError(f"The look is not valid TOML: {printable(str(error), 200)}.") from error
        return cls.from_data(table)

    @classmethod
    def from_json(cls, text: str) -> Look:
        """Read a look that is written as JSON.

        Raises:
            LookError: it is not JSON, or a value has the wrong kind or range.
            UnknownName: a key, segment or option does not exist; the nearest one is suggested.
        """
        try:
            data = json.loads(text)
        except (ValueError, RecursionError) as error:
            raise LookError(f"The look is not valid JSON: {printable(str(error), 200)}.") from error
        return cls.from_data(data)

    @classmethod
    def from_data(cls, data: Any) -> Look:
        """Read a look from a table of TOML or JSON.

        Raises:
            LookError: a value has the wrong kind or range.
            UnknownName: a key, segment or option does not exist; the nearest one is suggested.
        """
        table = look_table(data)
        segments = {name: SegmentLook(**values) for name, values in table.pop("segments").items()}
        return cls(segments, **table)

    def _beside(self, folder: Path) -> Look:
        """The look with the style files that lie in a folder named from where the program runs."""

        def there(name: str) -> bool:
            return is_file_style(name) and is_file(folder / name)

        def found(name: str) -> str:
            return str(folder / name) if there(name) else name

        worn = {}
        for name, segment in self.segments.items():
            try:
                worn[name] = replace(segment, style=renamed(segment.style, found, there))
            except LookError:
                # What is no style is told when it is painted.
                worn[name] = segment
        return replace(self, segments=worn)

    @classmethod
    def load(cls, path: str | Path) -> Look:
        """Read a look from a TOML or JSON file, or from a PNG that selfieart wrote.

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
            # TOML never begins with a brace.
            read = cls.from_json if text.lstrip().startswith("{") else cls.from_toml
            return read(text)._beside(path.parent)
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


def tau_from_text(text: str) -> float:
    """tau as a person writes it: a number, "inf" or "binary".

    Raises:
        LookError: it is none of these.
    """
    tau: float = LOOK_OPTIONS["tau"].from_text(text)
    return tau


def _same(value: Any) -> Any:
    """One spelling of equal values."""
    return float(value) if isinstance(value, int | float) else value
