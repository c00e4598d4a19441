"""A contact sheet of a painted video: frames before and after, one below the other."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from selfieart.errors import SelfieartError
from selfieart.paths import StrPath
from selfieart.sheets.sheet import sheet
from selfieart.video.io.reading import Clip, read_first_frame

_COLUMNS = 6
_SIDE = 240
_ROUNDING = Fraction(1, 100)
"""Seconds by which the times in some files are rounded."""


def contact_sheet(
    source: StrPath, painted: StrPath, start: Fraction | None = None, end: Fraction | None = None
) -> NDArray[np.uint8]:
    """Frames of a video and of what was painted from it, at the same times.

    Args:
        source: the original video.
        painted: the video made from it.
        start, end: the part of the original that was painted, in seconds.

    Returns:
        (H, W, 3) uint8.

    Raises:
        SelfieartError: one of the videos cannot be read.
    """
    clip, result = Clip(source, start, end), Clip(painted)
    count = min(_COLUMNS, result.frames or 1)
    seconds = result.info.seconds or Fraction(0)
    before: list[tuple[NDArray[np.uint8] | None, str]] = []
    after: list[tuple[NDArray[np.uint8] | None, str]] = []
    for number in range(count):
        time = seconds * number / count
        try:
            shown = read_first_frame(painted, max(Fraction(0), time - _ROUNDING), _SIDE).pixels
            original = read_first_frame(source, max(Fraction(0), clip.begins + time - _ROUNDING), _SIDE).pixels
        except SelfieartError:
            # A last frame that stands for long: there is none after it.
            continue
        before.append((original, f"{float(clip.begins + time):.1f} s"))
        after.append((shown, "painted"))
    height, width = before[0][0].shape[:2] if before[0][0] is not None else (_SIDE, _SIDE)
    return sheet([*before, *after], len(before), width, height)
