"""How much of a picture survives in another one: SSIM, FSIM, FSIMc and GMSD.

All compare two pictures of one size, (3, H, W) sRGB or (H, W) grey, floating point in [0, 1], and may be restricted to
a mask (H, W) in [0, 1], by which the map behind the measure is then weighted. They are symmetric and compute in
float64, whatever the pictures are. Luminance is 0.299 R + 0.587 G + 0.114 B.

All raise SelfieartError for pictures of other shapes, sizes or types, values that are not in [0, 1], pictures too small
for the measure, and a mask of another size or without any weight.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from selfieart.engine import pool
from selfieart.errors import SelfieartError
from selfieart.metrics.phase import LONGEST_WAVELENGTH, Plane, phase_congruency

Picture = NDArray[np.floating[Any]]
"""(3, H, W) sRGB or (H, W) grey in [0, 1], float32 or float64."""

_WINDOW, _SIGMA = 11, 1.5
_STRIP = 128
_PREWITT = (1 / 3, 1 / 3, 1 / 3)
_SCHARR = (3 / 16, 10 / 16, 3 / 16)
_YIQ = ((0.299, 0.587, 0.114), (0.596, -0.274, -0.322), (0.211, -0.523, 0.312))


def ssim(x: Picture, y: Picture, mask: Picture | None = None, per_channel: bool = False) -> float:
    """Structural similarity (Wang, Bovik, Sheikh and Simoncelli, IEEE TIP 2004): 1 for equal pictures.

    A Gaussian window of 11x11 pixels with sigma 1.5, K1 = 0.01, K2 = 0.03, at the size of the pictures, and only where
    the window lies inside them, as in the authors' code.

    Args:
        x, y: (3, H, W) or (H, W) in [0, 1], at least 11x11.
        mask: (H, W) in [0, 1], the weight of each pixel's window.
        per_channel: the mean of the measures of R, G and B, instead of the measure of the luminance.

    Returns:
        A number in [-1, 1].
    """
    mask = _checked("SSIM", _WINDOW, x, y, mask)
    margin = _WINDOW // 2
    weight = mask[margin:-margin, margin:-margin]
    if not weight.sum() > 0:
        raise SelfieartError(f"The mask reaches only the outer {margin} pixels, where SSIM has no values: enlarge it.")
    pairs = list(zip(x, y, strict=True)) if per_channel and x.ndim == 3 else [(x, y)]
    return sum(_mean_ssim(a, b, weight) for a, b in pairs) / len(pairs)


def gmsd(x: Picture, y: Picture, mask: Picture | None = None) -> float:
    """Gradient magnitude similarity deviation (Xue, Zhang, Mou and Bovik, IEEE TIP 2014): 0 for equal pictures.

    The luminance is averaged over 2x2 pixels and halved, its gradients are Prewitt's, and the deviation is that of
    (2 g_x g_y + c) / (g_x^2 + g_y^2 + c) with c = 170 on the scale of 0..255, which is 170 / 255^2 = 0.0026 on that of
    the pictures. Borders are padded with zeros, as in the authors' code.

    Args:
        x, y: (3, H, W) or (H, W) in [0, 1], at least 6x6.
        mask: (H, W) in [0, 1], the weight of each pixel.

    Returns:
        A number >= 0.
    """
    mask = _checked("GMSD", 6, x, y, mask)
    reduced = [_reduced(picture, _YIQ[0], 2) for picture in (x, y)]
    similarity = _similarity([_gradient(plane, _PREWITT) for plane in reduced], 170)
    weight = _reduced_mask(mask, 2)
    deviation = np.square(similarity - _mean(similarity, weight))
    return math.sqrt(_mean(deviation, weight))


def fsim(x: Picture, y: Picture, mask: Picture | None = None) -> float:
    """Feature similarity of the luminance (Zhang, Zhang, Mou and Zhang, IEEE TIP 2011, eq. 9): 1 for equal pictures.

    The similarities of phase congruency (T1 = 0.85) and of Scharr's gradients (T2 = 160 on the scale of 0..255),
    multiplied, and averaged with the greater phase congruency as the weight; where neither picture has any, a plain
    mean. The pictures are first reduced by max(1, round(min(H, W) / 256)), and borders are padded with zeros, as in the
    authors' code.

    Args:
        x, y: (3, H, W) or (H, W) in [0, 1], at least 48x48, the longest wavelength of the filters.
        mask: (H, W) in [0, 1], the weight of each pixel.

    Returns:
        A number in [0, 1].
    """
    return _feature_similarity("FSIM", x, y, mask, colour=False)


def fsimc(x: Picture, y: Picture, mask: Picture | None = None) -> float:
    """Feature similarity with colour (the same paper, eq. 14 to 18): 1 for equal pictures.

    As :func:`fsim`, each pixel's similarity multiplied by (S_I S_Q)^0.03, the similarities of the I and Q of YIQ
    (T3 = T4 = 200); of a negative product the real part of the power. Grey pictures have no colour: then it is FSIM.
    Arguments and range are those of :func:`fsim`.
    """
    return _feature_similarity("FSIMc", x, y, mask, colour=True)


def _feature_similarity(measure: str, x: Picture, y: Picture, mask: Picture | None, colour: bool) -> float:
    mask = _checked(measure, LONGEST_WAVELENGTH, x, y, mask)
    # Halves are rounded up, as the authors' round does: Python's would reduce 640 pixels by 2 and not by 3.
    factor = max(1, math.floor(min(mask.shape) / 256 + 0.5))
    luminance = [_reduced(picture, _YIQ[0], factor) for picture in (x, y)]
    congruency = list(pool().map(phase_congruency, luminance))
    similarity = _similarity(congruency, 0.85) * _similarity([_gradient(p, _SCHARR) for p in luminance], 160)
    if colour and x.ndim == 3:
        product = np.ones_like(similarity)
        for weights in _YIQ[1:]:
            product *= _similarity([_reduced(picture, weights, factor) for picture in (x, y)], 200)
        power = np.abs(product) ** 0.03
        similarity *= np.where(product < 0, power * math.cos(0.03 * math.pi), power)
    whole = _reduced_mask(mask, factor)
    weight = np.maximum(*congruency) * whole
    return _mean(similarity, weight if weight.sum() > 0 else whole)


def _checked(measure: str, smallest: int, x: Picture, y: Picture, mask: Picture | None) -> Plane:
    """Refuse what cannot be compared; the mask as float64 (H, W), all ones if there is none."""
    for picture in (x, y):
        if picture.ndim not in (2, 3) or (picture.ndim == 3 and picture.shape[0] != 3):
            raise SelfieartError(
                f"{measure} compares pictures shaped (3, height, width) or (height, width), not {picture.shape}."
            )
        if not np.issubdtype(picture.dtype, np.floating):
            raise SelfieartError(f"{measure} compares floating-point values in [0, 1]: convert {picture.dtype} first.")
    height, width = x.shape[-2:]
    if x.shape != y.shape:
        theirs = "x".join(str(side) for side in reversed(y.shape))
        ours = "x".join(str(side) for side in reversed(x.shape))
        raise SelfieartError(f"{measure} compares pictures of one size, not {ours} and {theirs}: resize one of them.")
    if min(height, width) < smallest:
        raise SelfieartError(
            f"{measure} needs pictures of at least {smallest}x{smallest} pixels, not {width}x{height}: use larger ones."
        )
    if not all(_in_range(picture) for picture in (x, y)):
        raise SelfieartError(f"{measure} compares values in [0, 1], but some are outside or not numbers: scale them.")
    if mask is None:
        # One number in memory, however large the pictures are.
        return np.broadcast_to(np.float64(1), (height, width))
    if mask.shape != (height, width):
        shape = "x".join(str(side) for side in reversed(mask.shape))
        raise SelfieartError(f"The mask must have the size of the pictures, {width}x{height}, not {shape}: resize it.")
    checked = mask.astype(np.float64)
    if not _in_range(checked):
        raise SelfieartError("The mask must have values in [0, 1], but some are outside or not numbers: scale it.")
    if not checked.sum() > 0:
        raise SelfieartError("The mask is empty: give one with at least one pixel above 0.")
    return checked


def _in_range(x: Picture) -> bool:
    # A little more is left to rounding; NaN fails both comparisons.
    return bool(x.min() >= -1e-3) and bool(x.max() <= 1 + 1e-3)


def _weighted(picture: Picture, weights: Sequence[float]) -> Plane:
    """Weighted sum of the channels of (3, H, W) as float64; a grey picture (H, W) as it is."""
    if picture.ndim == 2:
        return picture.astype(np.float64)
    total: Plane = np.multiply(picture[0], weights[0], dtype=np.float64)
    for channel, weight in zip(picture[1:], weights[1:], strict=True):
        total += np.multiply(channel, weight, dtype=np.float64)
    return total


def _mean(plane: Plane, weight: Plane) -> float:
    return float((plane * weight).sum()) / float(weight.sum())


def _similarity(pair: Sequence[Plane], constant: float) -> Plane:
    a, b = pair
    similarity: Plane = (2 * a * b + constant) / (a**2 + b**2 + constant)
    return similarity


def _mean_ssim(x: Picture, y: Picture, weight: Plane) -> float:
    """Mean of :func:`_ssim_map`, a strip of rows at a time: planes that stay in the cache are several times faster."""

    def weighted(top: int) -> float:
        rows = slice(top, top + _STRIP + _WINDOW - 1)
        a, b = (_weighted(picture[..., rows, :], _YIQ[0]) for picture in (x, y))
        return float((_ssim_map(a, b) * weight[top : top + _STRIP]).sum())

    return sum(pool().map(weighted, range(0, weight.shape[0], _STRIP))) / float(weight.sum())


def _ssim_map(x: Plane, y: Plane) -> Plane:
    """SSIM of two planes (H, W) at every place of the window: (H - 10, W - 10)."""
    c1, c2 = 0.01**2, 0.03**2
    mean_x, mean_y = _windowed(x), _windowed(y)
    squares, product = mean_x**2 + mean_y**2, mean_x * mean_y
    spread = _windowed(x**2 + y**2) - squares
    covariance = _windowed(x * y) - product
    ssim: Plane = (2 * product + c1) / (squares + c1) * (2 * covariance + c2) / (spread + c2)
    return ssim


def _window() -> Plane:
    place = np.arange(_WINDOW) - _WINDOW // 2
    window = np.exp(-(place**2) / (2 * _SIGMA**2))
    return np.asarray(window / window.sum(), np.float64)


_WEIGHTS = _window()


def _windowed(plane: Plane) -> Plane:
    """Means of a plane (H, W) under the Gaussian window, where it fits: (H - 10, W - 10)."""
    margin = _WINDOW // 2
    means: Plane = cv2.sepFilter2D(plane, cv2.CV_64F, _WEIGHTS, _WEIGHTS)  # type: ignore[assignment]
    return means[margin:-margin, margin:-margin]


def _gradient(plane: Plane, smoothing: tuple[float, float, float]) -> Plane:
    """Gradient magnitude of a plane (H, W): central differences, smoothed across, with zeros beyond the borders."""
    difference, across = np.array([-1.0, 0.0, 1.0]), np.array(smoothing)
    slopes = [
        cv2.sepFilter2D(plane, cv2.CV_64F, *kernels, borderType=cv2.BORDER_CONSTANT)
        for kernels in ((difference, across), (across, difference))
    ]
    magnitude: Plane = cv2.magnitude(*slopes)  # type: ignore[assignment]
    return magnitude


def _reduced(picture: Picture, weights: Sequence[float], factor: int) -> Plane:
    """A weighted sum of the channels on the scale of 0..255, reduced: (3, H, W) or (H, W) to (h, w)."""
    return _averaged(255 * _weighted(picture, weights), factor)


def _averaged(plane: Plane, factor: int) -> Plane:
    """Every factor-th pixel of the means over factor x factor pixels, zeros beyond the borders: (H, W) to (h, w)."""
    if factor == 1:
        return plane
    before = (factor - 1) // 2
    height, width = (-(-side // factor) for side in plane.shape)
    below, right = (n * factor - side - before for n, side in zip((height, width), plane.shape, strict=True))
    # What no window reaches is cut off, which negative numbers of rows mean.
    reached = np.ascontiguousarray(plane[: min(0, below) or None, : min(0, right) or None])
    padded = cv2.copyMakeBorder(reached, before, max(0, below), before, max(0, right), cv2.BORDER_CONSTANT)
    means: Plane = cv2.resize(padded, (width, height), interpolation=cv2.INTER_AREA)  # type: ignore[assignment]
    return means


def _reduced_mask(mask: Plane, factor: int) -> Plane:
    """The mean mask of the pixels that each reduced one is made of, not counting those beyond the borders."""
    return _averaged(mask, factor) / _averaged(np.ones_like(mask), factor)
