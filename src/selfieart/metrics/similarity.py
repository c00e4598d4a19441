"""How much of a picture survives in another one: SSIM, FSIM, FSIMc and GMSD.

All compare two pictures of one size, (3, H, W) sRGB or (H, W) grey, floating point in [0, 1], and may be restricted to
a mask (H, W) in [0, 1], by which the map behind the measure is then weighted. They are symmetric, compute in float64,
and give a differentiable tensor without dimensions. Luminance is 0.299 R + 0.587 G + 0.114 B.

All raise SelfieartError for pictures of other shapes, sizes or types, values that are not in [0, 1], pictures too small
for the measure, and a mask of another size or without any weight.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from selfieart.errors import SelfieartError
from selfieart.metrics.phase import LONGEST_WAVELENGTH, phase_congruency

_WINDOW, _SIGMA = 11, 1.5
_STRIP = 128
_PREWITT = (1 / 3, 1 / 3, 1 / 3)
_SCHARR = (3 / 16, 10 / 16, 3 / 16)
_YIQ = ((0.299, 0.587, 0.114), (0.596, -0.274, -0.322), (0.211, -0.523, 0.312))


def ssim(x: Tensor, y: Tensor, mask: Tensor | None = None, per_channel: bool = False) -> Tensor:
    """Structural similarity (Wang, Bovik, Sheikh and Simoncelli, IEEE TIP 2004): 1 for equal pictures.

    A Gaussian window of 11x11 pixels with sigma 1.5, K1 = 0.01, K2 = 0.03, at the size of the pictures, and only where
    the window lies inside them, as in the authors' code.

    Args:
        x, y: (3, H, W) or (H, W) in [0, 1], at least 11x11.
        mask: (H, W) in [0, 1], the weight of each pixel's window.
        per_channel: the mean of the measures of R, G and B, instead of the measure of the luminance.

    Returns:
        () in [-1, 1].
    """
    mask = _checked("SSIM", _WINDOW, x, y, mask)
    margin = _WINDOW // 2
    weight = mask[margin:-margin, margin:-margin]
    if not weight.sum() > 0:
        raise SelfieartError(f"The mask reaches only the outer {margin} pixels, where SSIM has no values: enlarge it.")
    if per_channel and x.dim() == 3:
        pairs = [(a.double(), b.double()) for a, b in zip(x, y, strict=True)]
    else:
        pairs = [(_luminance(x), _luminance(y))]
    return torch.stack([_mean_ssim(a, b, weight) for a, b in pairs]).mean()


def gmsd(x: Tensor, y: Tensor, mask: Tensor | None = None) -> Tensor:
    """Gradient magnitude similarity deviation (Xue, Zhang, Mou and Bovik, IEEE TIP 2014): 0 for equal pictures.

    The luminance is averaged over 2x2 pixels and halved, its gradients are Prewitt's, and the deviation is that of
    (2 g_x g_y + c) / (g_x^2 + g_y^2 + c) with c = 170 on the scale of 0..255, which is 170 / 255^2 = 0.0026 on that of
    the pictures. Borders are padded with zeros, as in the authors' code.

    Args:
        x, y: (3, H, W) or (H, W) in [0, 1], at least 6x6.
        mask: (H, W) in [0, 1], the weight of each pixel.

    Returns:
        () >= 0.
    """
    mask = _checked("GMSD", 6, x, y, mask)
    reduced = [_reduced(255 * _luminance(picture), 2) for picture in (x, y)]
    similarity = _similarity([_gradient(plane, _PREWITT) for plane in reduced], 170)
    weight = _reduced_mask(mask, 2)
    deviation = (similarity - _mean(similarity, weight)) * weight.sqrt()
    # Unlike the root of a mean square, a norm has a gradient where pictures are equal.
    norm: Tensor = torch.linalg.vector_norm(deviation)
    return norm / weight.sum().sqrt()


def fsim(x: Tensor, y: Tensor, mask: Tensor | None = None) -> Tensor:
    """Feature similarity of the luminance (Zhang, Zhang, Mou and Zhang, IEEE TIP 2011, eq. 9): 1 for equal pictures.

    The similarities of phase congruency (T1 = 0.85) and of Scharr's gradients (T2 = 160 on the scale of 0..255),
    multiplied, and averaged with the greater phase congruency as the weight; where neither picture has any, a plain
    mean. The pictures are first reduced by max(1, round(min(H, W) / 256)), and borders are padded with zeros, as in the
    authors' code.

    Args:
        x, y: (3, H, W) or (H, W) in [0, 1], at least 48x48, the longest wavelength of the filters.
        mask: (H, W) in [0, 1], the weight of each pixel.

    Returns:
        () in [0, 1].
    """
    return _feature_similarity("FSIM", x, y, mask, colour=False)


def fsimc(x: Tensor, y: Tensor, mask: Tensor | None = None) -> Tensor:
    """Feature similarity with colour (the same paper, eq. 14 to 18): 1 for equal pictures.

    As :func:`fsim`, each pixel's similarity multiplied by (S_I S_Q)^0.03, the similarities of the I and Q of YIQ
    (T3 = T4 = 200); of a negative product the real part of the power. Grey pictures have no colour: then it is FSIM.
    Arguments and range are those of :func:`fsim`.
    """
    return _feature_similarity("FSIMc", x, y, mask, colour=True)


def _feature_similarity(measure: str, x: Tensor, y: Tensor, mask: Tensor | None, colour: bool) -> Tensor:
    mask = _checked(measure, LONGEST_WAVELENGTH, x, y, mask)
    # Halves are rounded up, as the authors' round does: Python's would reduce 640 pixels by 2 and not by 3.
    factor = max(1, math.floor(min(mask.shape) / 256 + 0.5))
    luminance = [_reduced(255 * _luminance(picture), factor) for picture in (x, y)]
    congruency = [phase_congruency(plane) for plane in luminance]
    similarity = _similarity(congruency, 0.85) * _similarity([_gradient(p, _SCHARR) for p in luminance], 160)
    if colour and x.dim() == 3:
        product = torch.ones_like(similarity)
        for weights in _YIQ[1:]:
            product = product * _similarity([_reduced(255 * _weighted(p, weights), factor) for p in (x, y)], 200)
        power = product.abs() ** 0.03
        similarity = similarity * torch.where(product < 0, power * math.cos(0.03 * math.pi), power)
    whole = _reduced_mask(mask, factor)
    weight = torch.maximum(*congruency) * whole
    return _mean(similarity, weight if bool(weight.sum() > 0) else whole)


def _checked(measure: str, smallest: int, x: Tensor, y: Tensor, mask: Tensor | None) -> Tensor:
    """Refuse what cannot be compared; the mask as float64 (H, W), all ones if there is none."""
    for picture in (x, y):
        if picture.dim() not in (2, 3) or (picture.dim() == 3 and picture.shape[0] != 3):
            raise SelfieartError(
                f"{measure} compares pictures shaped (3, height, width) or (height, width), not {tuple(picture.shape)}."
            )
        if not picture.is_floating_point():
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
        return torch.ones(height, width, dtype=torch.float64)
    if mask.shape != (height, width):
        shape = "x".join(str(side) for side in reversed(mask.shape))
        raise SelfieartError(f"The mask must have the size of the pictures, {width}x{height}, not {shape}: resize it.")
    mask = mask.double()
    if not _in_range(mask):
        raise SelfieartError("The mask must have values in [0, 1], but some are outside or not numbers: scale it.")
    if not mask.sum() > 0:
        raise SelfieartError("The mask is empty: give one with at least one pixel above 0.")
    return mask


def _in_range(x: Tensor) -> bool:
    # A little more is left to rounding; NaN fails both comparisons.
    return bool(x.min() >= -1e-3) and bool(x.max() <= 1 + 1e-3)


def _weighted(picture: Tensor, weights: tuple[float, ...]) -> Tensor:
    return _sum([channel.double() for channel in picture], weights)


def _luminance(picture: Tensor) -> Tensor:
    return picture.double() if picture.dim() == 2 else _weighted(picture, _YIQ[0])


def _mean(plane: Tensor, weight: Tensor) -> Tensor:
    return (plane * weight).sum() / weight.sum()


def _similarity(pair: Sequence[Tensor], constant: float) -> Tensor:
    a, b = pair
    return (2 * a * b + constant) / (a**2 + b**2 + constant)


def _mean_ssim(x: Tensor, y: Tensor, weight: Tensor) -> Tensor:
    """Mean of :func:`_ssim_map`, a strip of rows at a time: planes that stay in the cache are several times faster."""
    total = torch.zeros((), dtype=torch.float64)
    for top in range(0, weight.shape[0], _STRIP):
        rows = slice(top, top + _STRIP + _WINDOW - 1)
        total = total + (_ssim_map(x[rows], y[rows]) * weight[top : top + _STRIP]).sum()
    return total / weight.sum()


def _ssim_map(x: Tensor, y: Tensor) -> Tensor:
    """SSIM of two planes (H, W) at every place of the window: (H - 10, W - 10)."""
    c1, c2 = 0.01**2, 0.03**2
    mean_x, mean_y = _windowed(x), _windowed(y)
    spread = _windowed(x**2 + y**2) - mean_x**2 - mean_y**2
    covariance = _windowed(x * y) - mean_x * mean_y
    luminance = (2 * mean_x * mean_y + c1) / (mean_x**2 + mean_y**2 + c1)
    return luminance * (2 * covariance + c2) / (spread + c2)


def _windowed(plane: Tensor) -> Tensor:
    """Means of a plane (H, W) under the Gaussian window, where it fits: (H - 10, W - 10)."""
    place = torch.arange(_WINDOW, dtype=torch.float64) - _WINDOW // 2
    window = (-(place**2) / (2 * _SIGMA**2)).exp()
    weights = (window / window.sum()).tolist()
    height, width = (side - _WINDOW + 1 for side in plane.shape)
    # Sums of shifted planes need a fraction of the memory of torch's convolution in float64.
    rows = _sum([plane[at : at + height] for at in range(_WINDOW)], weights)
    return _sum([rows[:, at : at + width] for at in range(_WINDOW)], weights)


def _sum(terms: Sequence[Tensor], weights: Sequence[float]) -> Tensor:
    total = terms[0] * weights[0]
    for term, weight in zip(terms[1:], weights[1:], strict=True):
        total = torch.add(total, term, alpha=weight)
    return total


def _gradient(plane: Tensor, smoothing: tuple[float, float, float]) -> Tensor:
    """Gradient magnitude of a plane (H, W): central differences, smoothed across, with zeros beyond the borders."""
    side, centre, _ = smoothing
    padded = F.pad(plane, (1, 1, 1, 1))
    across, down = padded[:, 2:] - padded[:, :-2], padded[2:] - padded[:-2]
    across = side * (across[:-2] + across[2:]) + centre * across[1:-1]
    down = side * (down[:, :-2] + down[:, 2:]) + centre * down[:, 1:-1]
    # A norm has a gradient where the plane is flat; the root of the squares has none.
    magnitude: Tensor = torch.linalg.vector_norm(torch.stack([across, down]), dim=0)
    return magnitude


def _reduced(plane: Tensor, factor: int) -> Tensor:
    """Every factor-th pixel of the means over factor x factor pixels, zeros beyond the borders: (H, W) to (h, w)."""
    if factor == 1:
        return plane
    before = (factor - 1) // 2
    # A negative padding crops what no window reaches.
    below, right = (-(-side // factor) * factor - side - before for side in plane.shape)
    return F.avg_pool2d(F.pad(plane, (before, right, before, below))[None], factor)[0]


def _reduced_mask(mask: Tensor, factor: int) -> Tensor:
    """The mean mask of the pixels that each reduced one is made of, not counting those beyond the borders."""
    return _reduced(mask, factor) / _reduced(torch.ones_like(mask), factor)
