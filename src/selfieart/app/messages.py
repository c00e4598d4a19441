"""What travels between page and server: looks and corrections as strict JSON, pictures as octets."""

from __future__ import annotations

import base64
import binascii
import math
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from starlette.responses import Response

from selfieart.app.errors import invalid
from selfieart.errors import SelfieartError, unknown
from selfieart.look import Look
from selfieart.look_schema import look_table
from selfieart.segments import NAMES
from selfieart.style_names import (
    PLAIN_STYLES,
    STYLE_PREFIX,
    is_file_style,
    is_mix,
    mix_parts,
    parse_color,
    renamed,
    spelled,
)
from selfieart.styles.presets import presets
from selfieart.styles.resolve import resolve_style

BIAS_UNIT = 1 / 8
"""Corrections count in these steps of a logit."""

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
        Refused: unknown keys or wrong kinds of values (422).
        SelfieartError: a value is out of range, or a segment or style does not exist.
    """
    try:
        table = look_table(value)
    except SelfieartError as error:
        raise invalid(str(error)) from error
    for worn in table["segments"].values():
        worn["style"] = known_style(worn["style"], style_of)
    return Look.from_data(table)


def known_style(style: str, style_of: StyleOf) -> str:
    """The style that a name on the wire means: never the path of a file that the page chose.

    Raises:
        SelfieartError: there is no such style.
    """

    def known(name: str) -> str:
        if name.startswith(STYLE_PREFIX):
            return style_of(name)
        if parse_color(name) is not None:
            return name
        if spelled(name) not in presets() and spelled(name) not in PLAIN_STYLES:
            raise unknown("style", name, [*presets(), *PLAIN_STYLES])
        return spelled(name)

    parts = mix_parts(style)
    # A mix has one name on the server, so that it is painted once however the page writes it.
    return resolve_style(renamed(style, known)).name if is_mix(parts) else known(style)


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
    """A look whose styles are called otherwise, also in mixes; segments whose style has no other name are left out.

    Args:
        look: any look.
        style_of: one name -> the other, or the same where it has no other; raises SelfieartError where there is none.
    """

    def is_other(name: str) -> bool:
        try:
            return style_of(name) != name
        except SelfieartError:
            return False

    def is_name(name: str) -> bool:
        # The name of a file may look like a mix, unless that mix begins with a style.
        first = name.partition("+")[0].strip()
        known = [one for one in (first, first.rpartition(":")[0].strip()) if one != name]
        return is_other(name) and not any(spelled(one) in presets() or is_other(one) for one in known)

    def named(name: str) -> str:
        return style_of(name if is_file_style(name) or parse_color(name) else spelled(name))

    worn = {}
    for segment, entry in look.segments.items():
        with suppress(SelfieartError):
            worn[segment] = replace(entry, style=renamed(entry.style, named, is_name))
    return replace(look, segments=worn)


def pictures_in(style: str) -> list[str]:
    """Names, without folders, of the picture files in a style; what is no mix counts as one."""
    try:
        parts = mix_parts(style)
    except SelfieartError:
        parts = ((style, None),)
    return [Path(name).name for name, _ in parts if not is_mix(parts) or is_file_style(name)]


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
