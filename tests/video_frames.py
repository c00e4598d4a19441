"""Small clips, looks and motions for the tests of video painting."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np

from selfieart import Look, SegmentLook
from selfieart.video.flow import Motion
from selfieart.video.frame import Frame, paint_frames
from selfieart.video.painter import VideoPainter
from selfieart.video.state import VideoState

QUICK = {"stroke": 64}
TWO = {"person": "candy", "background": "wave"}


def look(segments: dict[str, str | SegmentLook], **options: object) -> Look:
    worn = {name: SegmentLook(style) if isinstance(style, str) else style for name, style in segments.items()}
    return Look(worn, **{**QUICK, **options})


def clip(*pictures: np.ndarray) -> list[Frame]:
    return [Frame(np.ascontiguousarray(p), Fraction(i, 30), i) for i, p in enumerate(pictures)]


def played(painter: VideoPainter, frames: list[Frame], state: VideoState | None = None) -> list[np.ndarray]:
    return [frame.pixels for frame, _ in paint_frames(frames, painter, state)]


def constant(flow: tuple[float, float], height: int, width: int) -> np.ndarray:
    return np.full((height, width, 2), flow, np.float32)


def still(height: int, width: int, trust: float = 1.0) -> Motion:
    return Motion(constant((0, 0), height, width), np.full((height, width), trust, np.float32))


def bilinear(field: np.ndarray, x: float, y: float) -> np.ndarray:
    height, width = field.shape[:2]
    x0, y0 = math.floor(x), math.floor(y)

    def at(i: int, j: int) -> np.ndarray:
        return field[min(max(i, 0), height - 1), min(max(j, 0), width - 1)]

    a, b = x - x0, y - y0
    return (1 - b) * ((1 - a) * at(y0, x0) + a * at(y0, x0 + 1)) + b * (
        (1 - a) * at(y0 + 1, x0) + a * at(y0 + 1, x0 + 1)
    )
