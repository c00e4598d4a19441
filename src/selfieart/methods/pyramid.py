"""Coarse to fine: the sizes at which a picture is painted, and what is carried from one to the next."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from selfieart.networks.encoder import SMALLEST_SIDE
from selfieart.sizes import Size

SMALLEST_SCALE = 128
"""A pyramid has no coarser sizes than this short side, unless the picture itself is smaller."""

MORE_WHEN_COARSER = 1.5


def pyramid_sizes(height: int, width: int, side: int, scales: int) -> list[Size]:
    """Sizes from coarse to fine, each about half of the next, with the picture's aspect ratio.

    Args:
        height, width: of the picture.
        side: short side of the finest size; no more than the picture's own.
        scales: how many sizes; fewer where the coarsest would be too small.
    """
    short = min(height, width)
    finest = min(side, short)
    sizes: list[Size] = []
    for scale in range(scales):
        target = finest / 2**scale
        if scale and target < SMALLEST_SCALE:
            break
        factor = target / short
        sizes.append((max(SMALLEST_SIDE, round(height * factor)), max(SMALLEST_SIDE, round(width * factor))))
    return sizes[::-1]


def budgets(scales: int, finest: int) -> list[int]:
    """Evaluations at each size from coarse to fine: the coarse are cheap and settle the large shapes."""
    return [round(finest * MORE_WHEN_COARSER ** (scales - 1 - scale)) for scale in range(scales)]


def enlarged(picture: Tensor, size: Size) -> Tensor:
    """A picture (3, h, w) at a greater size, bicubic."""
    if (picture.shape[-2], picture.shape[-1]) == size:
        return picture
    return F.interpolate(picture[None], size=size, mode="bicubic", align_corners=False)[0]


def white_noise(size: Size, seed: int) -> Tensor:
    """Uniform noise (3, h, w) in [0, 1], the same for the same seed."""
    return torch.rand(3, *size, generator=torch.Generator().manual_seed(seed % 2**63))
