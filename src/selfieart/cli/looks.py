"""Looks on the command line: what a file says, and what the options say on top of it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from selfieart.errors import LookError
from selfieart.look import Look, SegmentLook
from selfieart.look_schema import LOOK_OPTIONS, SEGMENT_OPTIONS
from selfieart.render.plan import plan
from selfieart.segments import canonical


def painting_look(
    style: list[str],
    knobs: dict[str, list[str]],
    options: dict[str, Any],
    look_file: Path | None,
    example: str = "hair=candy",
) -> Look:
    """The look that a command is to paint.

    Args:
        style: SEGMENT=STYLE, or STYLE for everything.
        knobs: strength and so on: values for all, or as SEGMENT=VALUE.
        options: of the look; None is what was not given.
        look_file: a look to begin with.
        example: what a person could have written.

    Raises:
        LookError: the file holds no look, nothing is worn, or a value has the wrong kind or range.
        SelfieartError: a name does not exist, or a style is a file that does not exist.
    """
    look = look_from(style, knobs, options, Look.load(look_file) if look_file else Look())
    if not look.segments:
        raise LookError(
            f"Nothing to paint: give --style SEGMENT=STYLE (or --look FILE), for example --style {example}."
        )
    # What does not exist is told before anything is loaded.
    plan(look)
    return look


def look_from(style: list[str], knobs: dict[str, list[str]], options: dict[str, Any], look: Look) -> Look:
    """The look that the options describe, on top of a given one.

    Raises:
        SelfieartError: a name does not exist, or a value has the wrong kind or range.
    """
    worn = dict(look.segments)
    for item in style:
        segment, _, name = item.rpartition("=")
        if not name or (not segment and item.startswith("=")):
            raise LookError(f"--style {item} is incomplete: write SEGMENT=STYLE, for example hair=candy.")
        key = canonical(segment or "everything")
        worn[key] = replace(worn[key], style=name) if key in worn else SegmentLook(name)
    for knob, values in knobs.items():
        flag = "--" + knob.replace("_", "-")
        # Values for all come first, whatever the order on the command line, so that a segment's own value stays.
        for value in sorted(values, key=lambda v: "=" in v):
            segment, _, text = value.rpartition("=")
            keys = [canonical(segment)] if segment else list(worn)
            for key in keys:
                if key not in worn:
                    raise LookError(f"{flag} {value} names a segment without a style: add --style {key}=STYLE.")
                changed: dict[str, Any] = {knob: SEGMENT_OPTIONS[knob].from_text(text)}
                worn[key] = replace(worn[key], **changed)
    given: dict[str, Any] = {
        key: LOOK_OPTIONS[key].from_text(value) if isinstance(value, str) else value
        for key, value in options.items()
        if value is not None
    }
    return replace(look, segments=worn, **given)


def described(look: Look) -> str:
    """What goes where, as a part of a sentence."""
    return ", ".join(f"{segment} in {worn.style}" for segment, worn in look.segments.items())
