"""Colour in a perceptual space: OKLab (Ottosson 2020), where lightness and hue change independently."""

from __future__ import annotations

import torch
from torch import Tensor

_TO_LMS = torch.tensor(
    [
        [0.4122214708, 0.5363325363, 0.0514459929],
        [0.2119034982, 0.6806995451, 0.1073969566],
        [0.0883024619, 0.2817188376, 0.6299787005],
    ]
)
_TO_LAB = torch.tensor(
    [
        [0.2104542553, 0.7936177850, -0.0040720468],
        [1.9779984951, -2.4285922050, 0.4505937099],
        [0.0259040371, 0.7827717662, -0.8086757660],
    ]
)
_FROM_LAB = torch.linalg.inv(_TO_LAB.double()).float()
_FROM_LMS = torch.linalg.inv(_TO_LMS.double()).float()


def _matrix(m: Tensor, x: Tensor) -> Tensor:
    return torch.einsum("ij,jhw->ihw", m, x)


def linear_from_srgb(x: Tensor) -> Tensor:
    """Undo the sRGB transfer curve: any shape, [0, 1] to [0, 1]."""
    return torch.where(x <= 0.04045, x / 12.92, ((x.clamp_min(0) + 0.055) / 1.055) ** 2.4)


def srgb_from_linear(x: Tensor) -> Tensor:
    """Apply the sRGB transfer curve: any shape, [0, 1] to [0, 1]."""
    return torch.where(x <= 0.0031308, x * 12.92, 1.055 * x.clamp_min(1e-8) ** (1 / 2.4) - 0.055)


def oklab_from_srgb(x: Tensor) -> Tensor:
    """(3, H, W) sRGB in [0, 1] -> (3, H, W) OKLab: L in [0, 1], a and b about -0.4..0.4."""
    lms = _matrix(_TO_LMS, linear_from_srgb(x)).clamp_min(0)
    return _matrix(_TO_LAB, lms ** (1 / 3))


def srgb_from_oklab(lab: Tensor) -> Tensor:
    """(3, H, W) OKLab -> (3, H, W) sRGB, clamped to [0, 1]."""
    return srgb_from_linear(_matrix(_FROM_LMS, _matrix(_FROM_LAB, lab) ** 3).clamp(0, 1)).clamp(0, 1)


def keep_color(content: Tensor, layer: Tensor, amount: float) -> Tensor:
    """The layer's lightness with the content's colours, by an amount.

    Args:
        content: (3, H, W) sRGB in [0, 1], whose colours are kept.
        layer: (3, H, W) sRGB in [0, 1], the stylised picture.
        amount: 0 returns the layer itself, 1 all of the content's hue and chroma.

    Returns:
        (3, H, W) sRGB in [0, 1].
    """
    if amount == 0:
        return layer
    styled, original = oklab_from_srgb(layer), oklab_from_srgb(content)
    return srgb_from_oklab(torch.cat([styled[:1], torch.lerp(styled[1:], original[1:], amount)]))


def grey(content: Tensor) -> Tensor:
    """The grey picture of equal perceived lightness: (3, H, W) sRGB in [0, 1] to the same."""
    lab = oklab_from_srgb(content)
    return srgb_from_oklab(torch.cat([lab[:1], torch.zeros_like(lab[1:])]))
