"""How styles are written: names, colours, files, mixes such as ``candy:0.6+wave:0.4``. Nothing is looked up here."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

from selfieart.errors import LookError, printable

PLAIN_STYLES = ("original", "blur", "grey")
STYLE_SUFFIXES = (".jpg", ".jpeg", ".png", ".webp", ".tif", ".tiff", ".bmp", ".gif", ".safetensors")
"""Endings of files that can be a style: any picture, or what ``selfieart train style`` wrote."""

STYLE_SYNONYMS = {"gray": "grey", "none": "original"}

STYLE_PREFIX = "style:"
"""Beginning of the names that the app gives to pictures; the colon belongs to the name."""

MOST_PARTS = 8
"""Parts of a mix. More cannot be told apart."""

WEIGHT_UNITS = 1_000_000
"""Weights of a mix are whole numbers of this part, so that a mix is the same however it is written."""

Part = tuple[str, float | None]
"""A name, and its weight if one is written."""

_COLOR = re.compile(r"#(?:[0-9a-f]{3}|[0-9a-f]{6})")
_WEIGHT = re.compile(r"[0-9]+(?:\.[0-9]*)?|\.[0-9]+")
_PLUSES = 32


def parse_color(style: str) -> tuple[int, int, int] | None:
    """(r, g, b) in 0..255 of a colour written "#rgb" or "#rrggbb"; None if the style is no colour.

    Raises:
        LookError: it begins like a colour but is none.
    """
    if not style.startswith("#"):
        return None
    text = style.lower()
    if not _COLOR.fullmatch(text):
        raise LookError(f"'{printable(style)}' is no colour: write #rrggbb, for example #ff8800.")
    digits = text[1:] if len(text) == 7 else "".join(d * 2 for d in text[1:])
    return int(digits[:2], 16), int(digits[2:4], 16), int(digits[4:], 16)


def is_file_style(style: str) -> bool:
    """Whether a style's name is the path of a file."""
    return Path(style).suffix.lower() in STYLE_SUFFIXES or "/" in style or "\\" in style


def spelled(style: str) -> str:
    """The one spelling of a name that is neither a file nor a colour: lower case, hyphens, no synonyms."""
    name = style.strip().lower().replace("_", "-").replace(" ", "-")
    return STYLE_SYNONYMS.get(name, name)


def mix_parts(style: str, is_name: Callable[[str], bool] = lambda name: False) -> tuple[Part, ...]:
    """Take a style apart: ``part("+"part)*``, each a name that may be followed by ":" and its weight.

    Args:
        style: as a person writes it.
        is_name: whether a text is the name of a style as it stands, such as that of a file with "+" or ":" in it; this
            wins over the grammar.

    Returns:
        The parts as they are written. A style that is no mix is one part without a weight.

    Raises:
        LookError: a part has no name, a weight is not a number greater than 0, only some parts have one, or there are
            too many.
    """
    if is_name(style):
        return ((style, None),)
    pieces = style.split("+")
    if len(pieces) > _PLUSES:
        raise _too_many(style)
    parts: list[Part] = []
    start = 0
    while start < len(pieces):
        # The longest name first, because names of files may hold a plus.
        for end in range(len(pieces), start, -1):
            whole = "+".join(pieces[start:end]).strip()
            if end > start + 1 and not (is_name(whole) or is_name(whole.rpartition(":")[0].strip())):
                continue
            parts.append(_weighed(whole, style, is_name))
            start = end
            break
    if len(parts) > MOST_PARTS:
        raise _too_many(style)
    if len({weight is None for _, weight in parts}) > 1:
        raise LookError(f"In '{printable(style)}' only some styles have a weight: give all of them one, or none.")
    return tuple(parts)


def is_mix(parts: tuple[Part, ...]) -> bool:
    """Whether the parts of a style are those of a mix: several, or one with a weight."""
    return len(parts) > 1 or parts[0][1] is not None


def mix_text(parts: Iterable[Part]) -> str:
    """A mix as a person writes it."""
    return "+".join(name if weight is None else f"{name}:{weight_text(weight)}" for name, weight in parts)


def weight_text(weight: float) -> str:
    """A weight without more digits than count."""
    return f"{weight:.{len(str(WEIGHT_UNITS)) - 1}f}".rstrip("0").rstrip(".")


def shares(weights: Mapping[str, float]) -> dict[str, float]:
    """Weights of a mix that sum to 1, in whole units; those of less than one are left out.

    Args:
        weights: name -> any number greater than 0.

    Returns:
        Name -> weight, in the order of the names.
    """
    total = sum(weights.values())
    exact = {name: weights[name] / total * WEIGHT_UNITS for name in sorted(weights)}
    units = {name: int(value) for name, value in exact.items()}
    # The greatest remainders are rounded up; equal ones in the order of the names, whatever the last bit says.
    behind = sorted(exact, key=lambda name: -round(exact[name] - units[name], 6))
    for name in behind[: WEIGHT_UNITS - sum(units.values())]:
        units[name] += 1
    return {name: count / WEIGHT_UNITS for name, count in units.items() if count}


def renamed(style: str, name_of: Callable[[str], str], is_name: Callable[[str], bool] = lambda name: False) -> str:
    """A style whose parts are called otherwise; the weights stay as they are written.

    Args:
        style: a name or a mix.
        name_of: one name -> the other.
        is_name: see :func:`mix_parts`.

    Raises:
        SelfieartError: ``name_of`` raises it, or the mix is not written as one.
    """
    parts = mix_parts(style, is_name)
    if not is_mix(parts):
        return name_of(style)
    others = [(name_of(name), weight) for name, weight in parts]
    return style if tuple(others) == parts else mix_text(others)


def _weighed(part: str, style: str, is_name: Callable[[str], bool]) -> Part:
    if not part and "+" in style:
        raise LookError(f"The mix '{printable(style)}' has an empty part: write it like candy:0.6+wave:0.4.")
    name, colon, text = part.rpartition(":")
    name, text = name.strip(), text.strip()
    if not colon or is_name(part) or name == STYLE_PREFIX[:-1]:
        return part, None
    if _WEIGHT.fullmatch(text) and name:
        weight = float(text)
        if 0 < weight < 1e9:
            return name, weight
    elif is_file_style(part):
        return part, None
    raise LookError(
        f"The weight of '{printable(name)}' must be a number greater than 0, not '{printable(text, 20)}': write a mix "
        "like candy:0.6+wave:0.4."
    )


def _too_many(style: str) -> LookError:
    return LookError(f"The mix '{printable(style, 60)}' has too many parts: give at most {MOST_PARTS}.")
