"""Between the edge (uint8 pixels) and the inside (float32 pictures)."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from selfieart.engine.running import FloatArray

__all__ = ["FloatArray", "Pixels", "as_picture", "as_pixels", "at_least", "at_most"]

Pixels = NDArray[np.uint8]
"""(H, W, 3) sRGB."""


def as_picture(pixels: Pixels) -> FloatArray:
    """uint8 (H, W, 3) -> float32 (3, H, W) in [0, 1]."""
    planes = pixels.transpose(2, 0, 1)
    out = np.empty(planes.shape, np.float32)
    out[...] = planes
    out /= np.float32(255)
    return out


def as_pixels(picture: FloatArray) -> Pixels:
    """float32 (3, H, W) in [0, 1] -> uint8 (H, W, 3), rounded."""
    # Rounds and clips while it converts, in one pass.
    planes = [cv2.addWeighted(plane, 255, plane, 0, 0, dtype=cv2.CV_8U) for plane in map(_plain, picture)]
    return cv2.merge(planes)  # type: ignore[return-value]


def _plain(plane: FloatArray) -> FloatArray:
    """A plane that OpenCV can read: itself unless its pixels lie apart."""
    return plane if plane.strides[-1] == plane.itemsize and plane.strides[0] > 0 else np.ascontiguousarray(plane)


# NumPy compares with a number 3 times slower than OpenCV does.


def at_least(x: FloatArray, least: float, out: FloatArray | None = None) -> FloatArray:
    """The greater of each number and ``least``: (..., n) to the same, in ``out`` (C-contiguous) if it is given."""
    out = np.empty(x.shape, np.float32) if out is None else out
    cv2.max(_rows(x), least, _rows(out))  # type: ignore[call-overload]
    return out


def at_most(x: FloatArray, most: float, out: FloatArray | None = None) -> FloatArray:
    """The smaller of each number and ``most``: (..., n) to the same, in ``out`` (C-contiguous) if it is given."""
    out = np.empty(x.shape, np.float32) if out is None else out
    cv2.threshold(_rows(x), most, 0, cv2.THRESH_TRUNC, _rows(out))
    return out


def _rows(x: FloatArray) -> FloatArray:
    """(..., n) as OpenCV wants it, (rows, n)."""
    return x if x.ndim == 2 else x.reshape(-1, x.shape[-1])
