"""Between pictures and tensors: what training and the optimising methods need of imaging and masks, on tensors.

Everything that users run works on numpy arrays (:mod:`selfieart.imaging`, :mod:`selfieart.masks`). These are the twins
for code that needs gradients or a GPU; they call the numpy functions where neither matters.
"""

from __future__ import annotations

import math
from typing import Literal

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor, nn

from selfieart.errors import SelfieartError
from selfieart.imaging import arrays, color
from selfieart.imaging import resize as resizing
from selfieart.importance import segment_importance


def as_tensor(pixels: NDArray[np.uint8]) -> Tensor:
    """uint8 (H, W, 3) -> float32 (3, H, W) in [0, 1]."""
    return torch.from_numpy(np.ascontiguousarray(pixels)).permute(2, 0, 1).float() / 255


def as_pixels(picture: Tensor) -> NDArray[np.uint8]:
    """float32 (3, H, W) in [0, 1] -> uint8 (H, W, 3), rounded."""
    return arrays.as_pixels(picture.detach().cpu().numpy())


def resize(x: Tensor, size: tuple[int, int], up: Literal["linear", "cubic"] = "linear") -> Tensor:
    """:func:`selfieart.imaging.resize.resize` of a tensor (C, H, W) on the CPU; x itself when the size is right."""
    if tuple(x.shape[-2:]) == tuple(size):
        return x
    return torch.from_numpy(resizing.resize(x.detach().numpy(), size, up)).to(x.dtype)


def keep_color(content: Tensor, layer: Tensor, amount: float) -> Tensor:
    """:func:`selfieart.imaging.color.keep_color` of tensors (3, H, W) on the CPU."""
    if amount == 0:
        return layer
    return torch.from_numpy(color.keep_color(content.detach().numpy(), layer.detach().numpy(), amount))


def soft_masks(logits: Tensor, tau: float = 3.0) -> Tensor:
    """Soft masks of eq. 9, differentiable: twin of :func:`selfieart.masks.soft_masks`.

    Args:
        logits: (..., K, H, W).
        tau: softness, > 0; inf gives binary masks.

    Returns:
        (..., K, H, W) in [0, 1], summing to 1 over K.

    Raises:
        SelfieartError: tau is not a positive number.
    """
    if not tau > 0:
        raise SelfieartError(f"tau must be greater than 0, not {tau}: small is soft, large is sharp, 3 is usual.")
    if math.isinf(tau):
        return F.one_hot(logits.argmax(-3), logits.shape[-3]).movedim(-1, -3).to(logits.dtype)
    # The largest logit is taken off first: a very large tau must not overflow.
    return (min(tau, 1e30) * (logits - logits.amax(-3, keepdim=True))).softmax(-3)


class SoftMasks(nn.Module):
    """Module twin of :func:`soft_masks` with a buffer for tau, for use inside networks."""

    tau: Tensor

    def __init__(self, tau: float = 3.0) -> None:
        super().__init__()
        self.register_buffer("tau", torch.tensor(float(tau)))

    def forward(self, logits: Tensor) -> Tensor:
        """(..., K, H, W) logits -> (..., K, H, W) masks summing to 1 over K."""
        return soft_masks(logits, float(self.tau))


def importance(masks: Tensor, face: float, features: float, rest: float) -> Tensor:
    """:func:`selfieart.importance.importance` on tensors (..., 19, H, W), on any device."""
    values = torch.from_numpy(segment_importance(face, features, rest)).to(masks)
    return torch.einsum("...khw,k->...hw", masks, values)
