"""Tensors from pictures and back: what training and the optimising methods need of imaging and masks."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from selfieart.imaging.arrays import as_pixels, as_tensor
from selfieart.imaging.color import keep_color
from selfieart.imaging.resize import resize
from selfieart.masks import soft_masks

__all__ = ["SoftMasks", "as_pixels", "as_tensor", "keep_color", "resize", "soft_masks"]


class SoftMasks(nn.Module):
    """Module twin of :func:`soft_masks` with a buffer for tau, for use inside networks and exported graphs."""

    tau: Tensor

    def __init__(self, tau: float = 3.0) -> None:
        super().__init__()
        self.register_buffer("tau", torch.tensor(float(tau)))

    def forward(self, logits: Tensor) -> Tensor:
        """(..., K, H, W) logits -> (..., K, H, W) masks summing to 1 over K."""
        return soft_masks(logits, float(self.tau))
