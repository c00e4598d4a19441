"""Resizing of pictures: area averaging down, bicubic or bilinear up."""

from __future__ import annotations

from typing import Literal

import cv2
import numpy as np

from selfieart.imaging.arrays import FloatArray, Pixels, as_picture

Interpolation = Literal["linear", "cubic"]

_GROWING = {"linear": cv2.INTER_LINEAR, "cubic": cv2.INTER_CUBIC}


def resize(x: FloatArray, size: tuple[int, int], up: Interpolation = "linear") -> FloatArray:
    """Resize (C, H, W) to (C, h, w): exact area averages when it shrinks, so nothing aliases.

    Args:
        x: (C, H, W) float32.
        size: (h, w).
        up: interpolation used when it grows; cubic may overshoot the range of x.

    Returns:
        (C, h, w); x itself when the size is already right.
    """
    height, width = x.shape[-2:]
    if (height, width) == tuple(size):
        return x
    shrinks = size[0] <= height and size[1] <= width
    out = np.empty((x.shape[0], *size), np.float32)
    for plane, resized in zip(x, out, strict=True):
        how = cv2.INTER_AREA if shrinks else _GROWING[up]
        cv2.resize(np.ascontiguousarray(plane, np.float32), size[::-1], resized, interpolation=how)
    return out


def resize_pixels(pixels: Pixels, size: tuple[int, int]) -> Pixels:
    """A picture (H, W, 3) in bytes at another size (h, w): area averages when it shrinks, cubic when it grows.

    Returns:
        (h, w, 3); the picture itself when the size is already right.
    """
    if pixels.shape[:2] == size:
        return pixels
    shrinks = size[0] <= pixels.shape[0] and size[1] <= pixels.shape[1]
    how = cv2.INTER_AREA if shrinks else cv2.INTER_CUBIC
    return cv2.resize(pixels, size[::-1], interpolation=how)  # type: ignore[return-value]


def scaled(pixels: Pixels, size: tuple[int, int]) -> FloatArray:
    """A picture (H, W, 3) in bytes, resized as :func:`resize_pixels` does: (3, h, w) in [0, 1]."""
    return as_picture(resize_pixels(pixels, size))


def resize_rows(
    x: FloatArray, height: int, width: int, top: int, bottom: int, how: Interpolation = "linear"
) -> FloatArray:
    """Rows top..bottom of x resized to (height, width), without ever holding the other rows.

    The same values as ``torch.nn.functional.interpolate`` of all of it (pixel centres aligned, borders replicated).
    No low-pass filter: meant for growing.

    Args:
        x: (C, h, w) float32.
        height, width: size of the whole result.
        top, bottom: which rows of the result.
        how: bilinear or bicubic (Keys' kernel, a = -0.75; may overshoot the range of x).

    Returns:
        (C, bottom - top, width); a view of x when the size is already right.
    """
    if x.shape[-2:] == (height, width):
        return x[..., top:bottom, :]
    out = np.empty((x.shape[0], bottom - top, width), np.float32)
    for first in range(top, bottom, _BLOCK):
        mixed = Rows(x, height, width, first, min(first + _BLOCK, bottom), how)
        for row in range(first, mixed.bottom):
            mixed.into(out[:, row - top], row)
    return out


_BLOCK = 64
_BORDER = 2


class Rows:
    """Rows of a picture that grows, one after the other: those of the source, widened once, are mixed for each.

    Args:
        x: (C, h, w) float32.
        height, width: size of the whole result.
        top, bottom: which rows of the result can be asked for.
        how: see :func:`resize_rows`.
    """

    def __init__(
        self, x: FloatArray, height: int, width: int, top: int, bottom: int, how: Interpolation = "linear"
    ) -> None:
        h, self.top, self.bottom = x.shape[-2], top, bottom
        place = (np.arange(top, bottom) + 0.5) * (h / height) - 0.5
        if how == "linear":
            place = np.maximum(place, 0)
        base = np.floor(place).astype(int)
        reach = 1 if how == "cubic" else 0
        taps = np.arange(-reach, reach + 2)
        rows = np.clip(base[:, None] + taps, 0, h - 1)
        low = int(rows.min())
        self._rows = (rows - low).tolist()
        self._weights = _weights((place - base).astype(np.float32), how).tolist()
        source = x[:, low : int(rows.max()) + 1]
        self._wide = _widened(source, width, how)

    def into(self, out: FloatArray, row: int) -> None:
        """Write one row of the result (C, width)."""
        (a, b, *far), (of_a, of_b, *of_far) = self._rows[row - self.top], self._weights[row - self.top]
        cv2.addWeighted(self._wide[:, a], of_a, self._wide[:, b], of_b, 0, out)
        for other, weight in zip(far, of_far, strict=True):
            cv2.scaleAdd(self._wide[:, other], weight, out, out)


def _widened(x: FloatArray, width: int, how: Interpolation) -> FloatArray:
    """(C, n, w) -> (C, n, width)."""
    if x.shape[-1] == width:
        return np.ascontiguousarray(x, np.float32)
    # The planes below each other are one picture: rows that keep their height take nothing from their neighbours. Only
    # the outermost rows can differ in the last bit, depending on how many there are, so they are not those wanted.
    below = np.empty((x.shape[0] * x.shape[1] + 2 * _BORDER, x.shape[2]), np.float32)
    below[_BORDER:-_BORDER] = x.reshape(-1, x.shape[2])
    below[:_BORDER], below[-_BORDER:] = below[_BORDER], below[-_BORDER - 1]
    wide = cv2.resize(below, (width, len(below)), interpolation=_GROWING[how])
    return wide[_BORDER:-_BORDER].reshape(*x.shape[:2], width)  # type: ignore[return-value]


def _weights(t: FloatArray, how: Interpolation, a: float = -0.75) -> FloatArray:
    """Weights (n, taps) for positions t in [0, 1) between two taps: of those two, or of Keys' kernel at -1, 0, 1, 2."""

    def near(d: FloatArray) -> FloatArray:
        return ((a + 2) * d - (a + 3)) * d * d + 1

    def far(d: FloatArray) -> FloatArray:
        return a * (((d - 5) * d + 8) * d - 4)

    return np.stack([1 - t, t] if how == "linear" else [far(t + 1), near(t), near(1 - t), far(2 - t)], 1)
