"""The one description of a look's options, from which TOML, JSON, the command line and the page's types are made.

Reading has two steps. The first finds out whether a table has the form of a look: known keys, values of the right kind,
words in their one spelling. The second, :class:`selfieart.look.Look` itself, refuses what is out of range or does not
exist.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from selfieart.errors import LookError, SelfieartError, printable, unknown

STROKES = {"small": 896, "medium": 512, "large": 320}
"""Short side in pixels at which styles are painted, by name."""

LARGEST_WHOLE = 2**32 - 1
"""Whole numbers go this far on both sides of 0: JSON carries them exactly, and so does every generator of noise."""


@dataclass(frozen=True)
class Option:
    """One option of a look or of a segment.

    Attributes:
        name: its key.
        about: what it says, for who reads the types.
        default: its value where it is left out; None where it must be given.
        must: what its value must be, as the middle of a sentence.
        words: texts that are values.
        meanings: texts that stand for a number.
        number: which numbers are values: "" none, "real" all, "whole" those without a fraction.
        lowest, highest: the range of the numbers; ``above`` leaves out the lowest itself.
        text: whether any text is a value.
        usual: what to write instead, as the end of a sentence.
        range: what a number out of range must be, where it is worded apart.
        listing: how to see all words, where an unknown word is answered with the nearest one.
    """

    name: str
    about: str
    default: Any
    must: str
    words: tuple[str, ...] = ()
    meanings: Mapping[str, float] = field(default_factory=dict)
    number: Literal["", "real", "whole"] = ""
    lowest: float = -LARGEST_WHOLE
    highest: float = LARGEST_WHOLE
    above: bool = False
    text: bool = False
    usual: str = ""
    range: str = ""
    listing: str | None = None

    def refused(self, value: Any, must: str = "") -> SelfieartError:
        """The error for a value that is none."""
        if self.listing is not None and (isinstance(value, str) or not self.number):
            return unknown(self.name, str(value), self.words, self.listing)
        return LookError(f"{must or self.must}, not {_shown(value)}{self.usual and ': ' + self.usual}.")

    def of_kind(self, value: Any) -> Any:
        """The value, if it is of a right kind, in range or not.

        Raises:
            SelfieartError: it is not.
        """
        if isinstance(value, str):
            good = self.text or bool(self.words)
        elif isinstance(value, bool):
            good = False
        elif self.number == "whole":
            good = isinstance(value, int) and abs(value) <= LARGEST_WHOLE
        else:
            # A whole number of hundreds of digits is no number that can be computed with.
            good = bool(self.number) and (isinstance(value, float) or (isinstance(value, int) and abs(value) < 1e300))
        if not good:
            raise self.refused(value)
        return value

    def checked(self, value: Any) -> Any:
        """The value, if it is one.

        Raises:
            UnknownName: it is a word that does not exist; the nearest one is suggested.
            LookError: it has the wrong kind or is out of range.
        """
        self.of_kind(value)
        if isinstance(value, str):
            if (not self.text and value not in self.words) or not value:
                raise self.refused(value)
        elif not self.lowest <= value <= self.highest or (self.above and value == self.lowest):
            raise self.refused(value, self.range)
        return value

    def read(self, value: Any) -> Any:
        """A value as TOML or JSON has it: of a right kind, words in their one spelling.

        Raises:
            SelfieartError: it has the wrong kind, or is null.
        """
        if value is None and self.default is not None:
            raise LookError(f"{self.name} is null: leave it out for its usual value.")
        if isinstance(value, str) and not self.text:
            word = value.strip().lower()
            if word in self.meanings:
                return self.meanings[word]
            value = word if word in self.words else value
        if self.number == "whole" and isinstance(value, float) and value.is_integer():
            # JSON knows one kind of numbers: 512.0 is 512 there.
            value = int(value)
        return self.of_kind(value)

    def from_text(self, text: str) -> Any:
        """A value as a person writes it on a command line or in an address.

        Raises:
            SelfieartError: it has the wrong kind.
        """
        plain = text.strip()
        if self.number == "whole" and plain.removeprefix("-").isdecimal() and plain.isascii():
            return self.of_kind(int(plain[:400]))
        if self.number == "real" and plain.lower() not in self.meanings:
            try:
                return float(plain)
            except ValueError as error:
                words = "".join(f", {word}" for word in list(self.meanings)[:-1])
                last = f" or {list(self.meanings)[-1]}" if self.meanings else ""
                raise LookError(f"{self.name} must be a number{words}{last}, not '{printable(text)}'.") from error
        return self.read(text)


def _shown(value: Any) -> str:
    try:
        return printable(repr(value), 40)
    except ValueError:
        # Python does not write whole numbers of thousands of digits.
        return "a number of so many digits"


def _share(name: str, about: str, default: float, highest: float) -> Option:
    must = f"{name} must be a number from 0 to {highest:g}"
    return Option(name, about, default, must, number="real", lowest=0.0, highest=highest)


LOOK_OPTIONS: dict[str, Option] = {
    option.name: option
    for option in (
        Option(
            "tau",
            "Softness of the masks; infinity means binary.",
            3.0,
            "tau must be a number greater than 0",
            meanings={"inf": math.inf, "binary": math.inf},
            number="real",
            lowest=0.0,
            highest=math.inf,
            above=True,
            usual="3 is usual, inf is binary",
        ),
        Option(
            "blend",
            "Composite one picture per style, or paint all styles in one pass.",
            "pixels",
            "blend must be a name",
            words=("pixels", "features"),
            listing="",
        ),
        Option(
            "stroke",
            "Size of the strokes: a name, or the short side in pixels at which styles are painted.",
            "medium",
            "stroke must be a name or a number of pixels",
            words=tuple(STROKES),
            number="whole",
            lowest=64,
            highest=4096,
            range="stroke must be 64 to 4096 pixels",
            listing="give small, medium, large or a number of pixels.",
        ),
        Option(
            "faces",
            "Which faces take part: all, the largest, or how many of the largest.",
            "all",
            "faces must be 'all', 'largest' or a number from 1",
            words=("all", "largest"),
            number="whole",
            lowest=1,
        ),
        Option(
            "seed",
            "Another seed gives other strokes.",
            0,
            f"seed must be a whole number from {-LARGEST_WHOLE} to {LARGEST_WHOLE}",
            number="whole",
        ),
    )
}
"""Options of a look, apart from its segments, in the order of :class:`selfieart.look.Look`."""

SEGMENT_OPTIONS: dict[str, Option] = {
    option.name: option
    for option in (
        Option(
            "style",
            "A preset, a picture, a mix such as candy:0.6+wave:0.4, original, blur, grey, or a colour as #rrggbb.",
            None,
            "A style must be a name or a colour in quotes",
            text=True,
        ),
        _share("strength", "0 to 1: how much of the style is seen.", 1.0, 1.0),
        _share("keep_color", "0 to 1: how much of the photo's colour is kept.", 0.0, 1.0),
        _share(
            "feather",
            "Standard deviation of the softened border in percent of the picture's short side, 0 to 20.",
            0.0,
            20.0,
        ),
    )
}
"""Options of a segment, in the order of :class:`selfieart.look.SegmentLook`."""


def look_table(data: Any) -> dict[str, Any]:
    """The arguments of a look, from a table of TOML or JSON.

    Args:
        data: what the file or message holds.

    Returns:
        Option -> value of a right kind; "segments" is always there: segment as it is written -> its options.

    Raises:
        UnknownName: a key does not exist; the nearest one is suggested.
        LookError: a value has the wrong kind, or a segment no style.
    """
    if not isinstance(data, dict):
        raise LookError('A look must be a table of options: write tau = 3, or [segments.hair] and style = "candy".')
    _check_keys("option of a look", data, ["segments", *LOOK_OPTIONS])
    table = {key: LOOK_OPTIONS[key].read(value) for key, value in data.items() if key != "segments"}
    raw = data.get("segments", {})
    if not isinstance(raw, dict):
        raise LookError("'segments' must be tables: write [segments.hair] and below it style = \"candy\".")
    table["segments"] = {name: _segment_table(printable(name), values) for name, values in raw.items()}
    return table


def _segment_table(name: str, values: Any) -> dict[str, Any]:
    values = {"style": values} if isinstance(values, str) else values
    if not isinstance(values, dict) or "style" not in values:
        raise LookError(f"Segment '{name}' needs a style: write style = \"candy\" below [segments.{name}].")
    _check_keys(f"option of segment {name}:", values, SEGMENT_OPTIONS)
    return {key: SEGMENT_OPTIONS[key].read(value) for key, value in values.items()}


def _check_keys(kind: str, table: Mapping[str, Any], known: Iterable[str]) -> None:
    for key in table:
        if key not in known:
            raise unknown(kind, key, known)
