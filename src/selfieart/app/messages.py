"""What travels between page and server: looks and corrections as strict JSON, pictures as octets."""

from __future__ import annotations

import base64
import binascii
import math
from collections.abc import Callable, Mapping
from dataclasses import fields
from typing import Any

import numpy as np
from numpy.typing import NDArray
from starlette.responses import Response

from selfieart.app.errors import invalid
from selfieart.errors import SelfieartError, printable, unknown
from selfieart.look import PLAIN_STYLES, Look, SegmentLook, parse_color
from selfieart.segments import NAMES
from selfieart.styles.presets import presets

STYLE_PREFIX = "style:"
"""Beginning of the names of styles that are pictures which a person gave."""

BIAS_UNIT = 1 / 8
"""Corrections count in these steps of a logit."""

LARGEST_TAU = 1e6
LARGEST_SEED = 2**31 - 1

StyleOf = Callable[[str], str]
"""Turns the name of a style on one side into that on the other; raises SelfieartError if there is none."""


def table_of(value: Any, what: str, required: Mapping[str, type], optional: Mapping[str, type]) -> dict[str, Any]:
    """A JSON object with known keys of known types only.

    Args:
        value: parsed JSON.
        what: how a sentence calls the object.
        required, optional: key -> type; float takes whole numbers too, object takes anything.

    Raises:
        Refused: it is anything else (422).
    """
    if not isinstance(value, dict):
        raise invalid(f"The {what} must be a JSON object.")
    known = {**required, **optional}
    for key, given in value.items():
        if key not in known:
            raise invalid(str(unknown(f"key of the {what}", key, known)))
        kind = known[key]
        good = isinstance(given, int | float if kind is float else kind)
        if not good or (isinstance(given, bool) and kind not in (bool, object)):
            raise invalid(f"'{key}' of the {what} must be {_NAMES.get(kind, kind.__name__)}.")
    for key in required:
        if key not in value:
            raise invalid(f"'{key}' of the {what} is missing.")
    return value


_NAMES = {str: "text", int: "a whole number", float: "a number", dict: "an object", bool: "true or false"}


def look_from_json(value: Any, style_of: StyleOf) -> Look:
    """A look as the page sends it.

    Args:
        value: parsed JSON.
        style_of: the style that an id of an uploaded picture means.

    Raises:
        Refused: unknown keys or wrong types (422).
        SelfieartError: a value is out of range, or a segment or style does not exist.
    """
    known: dict[str, type] = {field.name: object for field in fields(Look)}
    table = dict(table_of(value, "look", {}, known | {"segments": dict, "blend": str, "seed": int}))
    tau = table.get("tau", 3.0)
    if tau == "inf":
        table["tau"] = math.inf
    elif isinstance(tau, bool) or not isinstance(tau, int | float) or tau > LARGEST_TAU:
        raise invalid(f"'tau' of the look must be a number up to {LARGEST_TAU:g}, or \"inf\".")
    if abs(table.get("seed", 0)) > LARGEST_SEED:
        raise invalid(f"'seed' of the look must be from {-LARGEST_SEED} to {LARGEST_SEED}.")
    for key in ("stroke", "faces"):
        if isinstance(table.get(key, ""), bool) or not isinstance(table.get(key, ""), str | int):
            raise invalid(f"'{key}' of the look must be a name or a whole number.")
    worn = {}
    numbers: dict[str, type] = {field.name: float for field in fields(SegmentLook)[1:]}
    for segment, raw in table.pop("segments", {}).items():
        entry = table_of(raw, f"segment '{printable(segment)}'", {"style": str}, numbers)
        worn[segment] = SegmentLook(**{**entry, "style": known_style(entry["style"], style_of)})
    return Look(segments=worn, **table)


def known_style(style: str, style_of: StyleOf) -> str:
    """The style that a name on the wire means: never the path of a file that the page chose.

    Raises:
        SelfieartError: there is no such style.
    """
    if style.startswith(STYLE_PREFIX):
        return style_of(style)
    if style not in PLAIN_STYLES and style not in presets() and parse_color(style) is None:
        raise unknown("style", style, [*presets(), *PLAIN_STYLES])
    return style


def look_json(look: Look, style_of: StyleOf = str) -> dict[str, Any]:
    """A look as the page gets it, with all its fields."""
    table: dict[str, Any] = {f.name: getattr(look, f.name) for f in fields(look) if f.name != "segments"}
    table["tau"] = "inf" if math.isinf(look.tau) else look.tau
    table["segments"] = {
        name: {f.name: getattr(worn, f.name) for f in fields(worn)} | {"style": style_of(worn.style)}
        for name, worn in look.segments.items()
    }
    return table


def restyled(look: Look, style_of: StyleOf) -> Look:
    """A look whose styles are called otherwise; segments whose style has no other name are left out."""
    from dataclasses import replace

    worn = {}
    for segment, entry in look.segments.items():
        try:
            worn[segment] = replace(entry, style=style_of(entry.style))
        except SelfieartError:
            continue
    return replace(look, segments=worn)


def corrections_from_json(value: Any, size: tuple[int, int]) -> dict[str, NDArray[np.float32]]:
    """What a person painted onto segments.

    Args:
        value: parsed JSON, segment -> base64 of int8 (h, w) in units of 1/8 logit.
        size: (h, w), that of the photo's logits on the wire.

    Returns:
        Segment -> (h, w), to be added to its logits.

    Raises:
        Refused: it is not of that form (422).
    """
    bias = {}
    for name, text in table_of(value, "corrections", {}, dict.fromkeys(NAMES, str)).items():
        try:
            octets = base64.b64decode(text, validate=True)
        except (binascii.Error, ValueError) as error:
            raise invalid(f"The correction of '{name}' is no base64.") from error
        if len(octets) != size[0] * size[1]:
            raise invalid(f"The correction of '{name}' must have {size[0]} x {size[1]} bytes, not {len(octets)}.")
        bias[name] = np.frombuffer(octets, np.int8).reshape(size).astype(np.float32) * np.float32(BIAS_UNIT)
    return bias


def octets(array: NDArray[Any]) -> Response:
    """An array as raw bytes, little endian, with its shape in a header."""
    shape = ",".join(str(side) for side in array.shape)
    # A view, not a copy: pictures are large.
    body = np.ascontiguousarray(array).view(np.uint8).reshape(-1).data
    return Response(body, media_type="application/octet-stream", headers={"X-Shape": shape})
