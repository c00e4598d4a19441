"""Resizing of float pictures: area averaging down, bicubic or bilinear up."""

from __future__ import annotations

from typing import Literal

import cv2
import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor


def resize(x: Tensor, size: tuple[int, int], up: Literal["linear", "cubic"] = "linear") -> Tensor:
    """Resize (C, H, W) to (C, h, w): exact area averages when it shrinks, so nothing aliases.

    Args:
        x: (C, H, W) float32 on the CPU.
        size: (h, w).
        up: interpolation used when it grows; cubic may overshoot the range of x.

    Returns:
        (C, h, w); x itself when the size is already right.
    """
    height, width = x.shape[-2:]
    if (height, width) == tuple(size):
        return x
    shrinks = size[0] <= height and size[1] <= width
    growing = cv2.INTER_CUBIC if up == "cubic" else cv2.INTER_LINEAR
    how = cv2.INTER_AREA if shrinks else growing
    planes = [cv2.resize(np.ascontiguousarray(c), (size[1], size[0]), interpolation=how) for c in x.numpy()]
    return torch.from_numpy(np.stack(planes))


def resize_rows(
    x: Tensor, height: int, width: int, top: int, bottom: int, how: Literal["linear", "cubic"] = "linear"
) -> Tensor:
    """Rows top..bottom of x resized to (height, width), without ever holding the other rows.

    The same values as ``torch.nn.functional.interpolate`` of all of it (pixel centres aligned, borders replicated).
    No low-pass filter: meant for growing.

    Args:
        x: (C, h, w) float32.
        height, width: size of the whole result.
        top, bottom: which rows of the result.
        how: bilinear or bicubic (Keys' kernel, a = -0.75; may overshoot the range of x).

    Returns:
        (C, bottom - top, width).
    """
    h = x.shape[-2]
    if (h, x.shape[-1]) == (height, width):
        return x[..., top:bottom, :]
    out = torch.empty(x.shape[0], bottom - top, width)
    for first in range(top, bottom, _BLOCK):
        last = min(first + _BLOCK, bottom)
        low, weights = _row_weights(h, height, first, last, how)
        mode = "bicubic" if how == "cubic" else "bilinear"
        source = x[..., low : low + weights.shape[1], :]
        wide = F.interpolate(source[None], size=(source.shape[-2], width), mode=mode, align_corners=False)[0]
        # One matrix product per channel: reads few rows, writes each result once.
        out[:, first - top : last - top] = weights @ wide
    return out


_BLOCK = 32


def _row_weights(h: int, height: int, top: int, bottom: int, how: str) -> tuple[int, Tensor]:
    """First source row needed for rows top..bottom of a picture resized from h to height, and the weights of the rows.

    Returns:
        (low, weights (bottom - top, n)), for the source rows low .. low + n.
    """
    place = (torch.arange(top, bottom, dtype=torch.float64) + 0.5) * (h / height) - 0.5
    if how == "linear":
        place = place.clamp_min(0)
    base = place.floor().long()
    fraction = (place - base).float()
    reach = 1 if how == "cubic" else 0
    taps = _cubic_weights(fraction) if how == "cubic" else [1 - fraction, fraction]
    low, high = max(0, int(base[0]) - reach), min(int(base[-1]) + 2 + reach, h)
    weights = torch.zeros(bottom - top, high - low)
    for tap, weight in enumerate(taps, -reach):
        rows = (base + tap).clamp(0, h - 1) - low
        weights.scatter_add_(1, rows[:, None], weight[:, None])
    return low, weights


def _cubic_weights(t: Tensor, a: float = -0.75) -> list[Tensor]:
    """Keys' cubic convolution weights of the taps at -1, 0, 1, 2 for a position t in [0, 1) between taps 0 and 1."""

    def near(d: Tensor) -> Tensor:
        return ((a + 2) * d - (a + 3)) * d * d + 1

    def far(d: Tensor) -> Tensor:
        return a * (((d - 5) * d + 8) * d - 4)

    return [far(t + 1), near(t), near(1 - t), far(2 - t)]
