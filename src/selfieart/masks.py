"""Parameterised soft masks and compositing: equations 5 to 9 of SelfieArt.

All masks of one picture form a partition of unity, so the composite never depends on the order of the styles.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from selfieart.errors import SelfieartError


def soft_masks(logits: Tensor, tau: float = 3.0) -> Tensor:
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
    # The largest logit is taken off first: a very large tau must not overflow.
    return (min(tau, 1e30) * (logits - logits.amax(-3, keepdim=True))).softmax(-3)


def binary_masks(logits: Tensor) -> Tensor:
    """Binary arg-max masks, eq. 7: (..., K, H, W) of 0 and 1; of equal logits the first class wins."""
    return F.one_hot(logits.argmax(-3), logits.shape[-3]).movedim(-1, -3).to(logits.dtype)


def select(masks: Tensor, classes: Sequence[int]) -> Tensor:
    """Mask of a selection U of classes, m = sum over k in U of m_k (eq. 5): (..., K, H, W) -> (..., H, W)."""
    if not len(classes):
        return torch.zeros_like(masks[..., 0, :, :])
    return masks[..., list(classes), :, :].sum(-3).clamp(0, 1)


def feather(masks: Tensor, sigmas: Sequence[float]) -> Tensor:
    """Soften the borders of each mask by its own Gaussian and restore the partition of unity.

    Args:
        masks: (S, H, W), summing to 1 over S.
        sigmas: standard deviation in pixels for each mask; 0 leaves a mask's own border as it is.

    Returns:
        (S, H, W), summing to 1 over S. With all sigmas 0 the masks themselves.
    """
    if not any(sigma > 0 for sigma in sigmas):
        return masks
    blurred = torch.stack([gaussian_blur(m, s) if s > 0 else m for m, s in zip(masks, sigmas, strict=True)])
    return blurred / blurred.sum(0, keepdim=True).clamp_min(1e-6)


def gaussian_blur(plane: Tensor, sigma: float) -> Tensor:
    """Gaussian blur of (H, W) or (C, H, W) with replicated borders; sigma in pixels."""
    import cv2

    if plane.dim() == 3:
        return torch.stack([gaussian_blur(channel, sigma) for channel in plane])
    blurred = cv2.GaussianBlur(plane.contiguous().numpy(), (0, 0), sigma, borderType=cv2.BORDER_REPLICATE)
    return torch.from_numpy(blurred)


def composite(content: Tensor, layers: Sequence[Tensor], weights: Sequence[Tensor]) -> Tensor:
    """Eq. 6 for any number of styles: o = c + sum_s w_s (g_s - c) = sum_s w_s g_s + (1 - sum_s w_s) c.

    Args:
        content: (3, H, W).
        layers: stylised pictures g_s, each (3, H, W).
        weights: w_s = strength_s * M_s, each (H, W) in [0, 1], summing to at most 1 over s.

    Returns:
        (3, H, W). Where all weights are 0 it is the content bit for bit.
    """
    out = content.clone()
    for layer, weight in zip(layers, weights, strict=True):
        out += weight * (layer - content)
    return out
