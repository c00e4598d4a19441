"""Gram matrices: what a style is, for Gatys and his heirs."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor


def gram(features: Tensor) -> Tensor:
    """Gram matrix F F^T / (N D) of features (B, N, h, w), D = h w positions: (B, N, N) (Gatys et al. 2016, eq. 3)."""
    flat = features.flatten(2)
    return flat @ flat.transpose(1, 2) / (flat.shape[1] * flat.shape[2])


def guided_gram(features: Tensor, mask: Tensor) -> Tensor:
    """Gram matrix of a soft region (Gatys et al., CVPR 2017): features weighted by the root of the mask.

    Args:
        features: (B, N, h, w).
        mask: (h, w) or (B, 1, h, w) in [0, 1], at the layer's size.

    Returns:
        (B, N, N), divided by N and by the mask's sum, so that a region's size does not matter.
    """
    weight = mask.expand(features.shape[0], 1, *features.shape[-2:]) if mask.dim() == 2 else mask
    flat = (features * weight.clamp_min(0).sqrt()).flatten(2)
    area = weight.flatten(1).sum(1).clamp_min(1e-6)[:, None, None]
    return flat @ flat.transpose(1, 2) / (flat.shape[1] * area)


def mask_at(mask: Tensor, size: tuple[int, int]) -> Tensor:
    """A mask (H, W) at a layer's size (h, w): the mean over each position's pixels."""
    return F.adaptive_avg_pool2d(mask[None, None], size)[0, 0]


def relative_error(got: Tensor, wanted: Tensor) -> Tensor:
    """||got - wanted||^2 / ||wanted||^2 over all but the first dimension: (B,)."""
    difference = (got - wanted).square().flatten(1).sum(1)
    return difference / wanted.square().flatten(1).sum(1).clamp_min(torch.finfo(wanted.dtype).tiny * 1e8)
