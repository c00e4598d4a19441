"""Parameterised soft masks and compositing: equations 5 to 9 of SelfieArt.

All masks of one picture form a partition of unity, so the composite never depends on the order of the styles.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from selfieart.errors import SelfieartError
from selfieart.imaging.arrays import FloatArray, at_least
from selfieart.imaging.strips import in_parallel, strips_of

_BLOCK = 65_536
"""Floats that are worked on at once: they stay in a core's own cache, and keep it busy for longer than a call takes."""

_SPAN = 65_536
"""Pixels that one thread takes at a time."""


def soft_masks(logits: FloatArray, tau: float = 3.0) -> FloatArray:
    """Soft masks m_k = exp(tau z_k) / sum_i exp(tau z_i), eq. 9.

    tau = 1 is the plain softmax (eq. 8); tau = inf gives the binary masks of eq. 7.

    Args:
        logits: (..., K, H, W).
        tau: softness, > 0; greater is sharper.

    Returns:
        (..., K, H, W) in [0, 1], summing to 1 over K.

    Raises:
        SelfieartError: tau is not a positive number.
    """
    if not tau > 0:
        raise SelfieartError(f"tau must be greater than 0, not {tau}: small is soft, large is sharp, 3 is usual.")
    if math.isinf(tau):
        return binary_masks(logits)
    tau = min(tau, 1e30)
    # Below this a share is nothing, and numbers that are nearly nothing slow down what is done with them.
    least = max(-80 / tau, -1e38)

    def soften(z: FloatArray, out: FloatArray) -> None:
        # The largest logit is taken off first: a very large tau must not overflow.
        np.subtract(z, z.max(0), out=z)
        at_least(z, least, z)
        np.multiply(z, np.float32(tau), out=z)
        cv2.exp(z, out)
        np.divide(out, out.sum(0), out=out)

    return _pixel_by_pixel(soften, logits)


def binary_masks(logits: FloatArray) -> FloatArray:
    """Binary arg-max masks, eq. 7: (..., K, H, W) of 0 and 1; of equal logits the first class wins."""

    def harden(z: FloatArray, out: FloatArray) -> None:
        best = likeliest(z)
        for k, plane in enumerate(out):
            np.equal(best, k, out=plane)

    return _pixel_by_pixel(harden, logits)


def likeliest(logits: FloatArray) -> NDArray[np.uint8]:
    """The class with the greatest logit: (K, ...) of at most 256 classes to uint8 (...); of equal ones the first."""
    greatest, best = logits[0].copy(), np.zeros(logits.shape[1:], np.uint8)
    above, candidate = np.empty(best.shape, np.bool_), np.empty_like(best)
    # Running maxima of few bytes: NumPy's argmax over the first axis takes 20 times as long.
    for k in range(1, len(logits)):
        np.greater(logits[k], greatest, out=above)
        np.maximum(logits[k], greatest, out=greatest)
        np.multiply(above.view(np.uint8), np.uint8(k), out=candidate)
        np.maximum(best, candidate, out=best)
    return best


def _pixel_by_pixel(work: Callable[[FloatArray, FloatArray], None], logits: FloatArray) -> FloatArray:
    """Masks from logits (..., K, H, W): ``work`` gets blocks (K, n), logits that it may change and masks to fill."""
    out = np.empty(logits.shape, np.float32)
    count, pixels = logits.shape[-3], logits.shape[-2] * logits.shape[-1]
    for source, masks in zip(
        np.asarray(logits, np.float32).reshape(-1, count, pixels), out.reshape(-1, count, pixels), strict=True
    ):

        def fill(first: int, last: int, source: FloatArray = source, masks: FloatArray = masks) -> None:
            # Whole vectors only: what a library does with the rest of a row must not depend on where a block ends.
            step = -(-min(max(1, _BLOCK // count), last - first) // 64) * 64
            z, made = np.zeros((2, count, step), np.float32)
            for start in range(first, last, step):
                size = min(step, last - start)
                z[:, :size] = source[:, start : start + size]
                work(z, made)
                masks[:, start : start + size] = made[:, :size]

        in_parallel(fill, ((first, min(first + _SPAN, pixels)) for first in range(0, pixels, _SPAN)))
    return out


def select(masks: FloatArray, classes: Sequence[int]) -> FloatArray:
    """Mask of a selection U of classes, m = sum over k in U of m_k (eq. 5): (..., K, H, W) -> (..., H, W)."""
    out = np.zeros((*masks.shape[:-3], *masks.shape[-2:]), np.float32)
    for k in classes:
        out += masks[..., k, :, :]
    np.minimum(out, np.float32(1), out=out)
    return out


def feather(masks: FloatArray, sigmas: Sequence[float]) -> FloatArray:
    """Soften the borders of each mask by its own Gaussian and restore the partition of unity.

    Args:
        masks: (S, H, W), summing to 1 over S.
        sigmas: standard deviation in pixels for each mask; 0 leaves a mask's own border as it is.

    Returns:
        (S, H, W), summing to 1 over S. With all sigmas 0 the masks themselves.
    """
    if not any(sigma > 0 for sigma in sigmas):
        return masks
    out = np.empty(masks.shape, np.float32)
    for plane, mask, sigma in zip(out, masks, sigmas, strict=True):
        if sigma > 0:
            _blur(mask, sigma, plane)
        else:
            plane[...] = mask

    def share(top: int, bottom: int) -> None:
        rows = out[:, top:bottom]
        total = rows.sum(0)
        rows /= at_least(total, 1e-6, total)

    in_parallel(share, strips_of(masks.shape[-2], masks.shape[-1], len(masks)))
    return out


def gaussian_blur(plane: FloatArray, sigma: float) -> FloatArray:
    """Gaussian blur of (H, W) or (C, H, W) with replicated borders; sigma in pixels."""
    out = np.empty(plane.shape, np.float32)
    for source, blurred in zip(plane.reshape(-1, *plane.shape[-2:]), out.reshape(-1, *plane.shape[-2:]), strict=True):
        _blur(source, sigma, blurred)
    return out


def _blur(plane: FloatArray, sigma: float, out: FloatArray) -> None:
    """Gaussian blur of one plane, on all threads: strips of rows, with as many more round them as the kernel sees."""
    source = np.ascontiguousarray(plane, np.float32)
    height, reach = len(source), math.ceil(4 * sigma) + 2
    rows = max(64, 8 * reach)

    def work(first: int, last: int) -> None:
        top, bottom = max(0, first - reach), min(height, last + reach)
        part = cv2.GaussianBlur(source[top:bottom], (0, 0), sigma, borderType=cv2.BORDER_REPLICATE)
        out[first:last] = part[first - top : last - top]

    in_parallel(work, ((first, min(first + rows, height)) for first in range(0, height, rows)))


def composite(content: FloatArray, layers: Sequence[FloatArray], weights: Sequence[FloatArray]) -> FloatArray:
    """Eq. 6 for any number of styles: o = c + sum_s w_s (g_s - c) = sum_s w_s g_s + (1 - sum_s w_s) c.

    Args:
        content: (3, H, W).
        layers: stylised pictures g_s, each (3, H, W).
        weights: w_s = strength_s * M_s, each (H, W) in [0, 1], summing to at most 1 over s.

    Returns:
        (3, H, W). Where all weights are 0 it is the content bit for bit.
    """
    out = content.copy()
    change = np.empty(content.shape, np.float32)
    for layer, weight in zip(layers, weights, strict=True):
        np.subtract(layer, content, out=change)
        change *= weight
        out += change
    return out
