"""Between the edge (uint8 arrays) and the inside (float32 tensors)."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor


def as_tensor(pixels: NDArray[np.uint8]) -> Tensor:
    """uint8 (H, W, 3) -> float32 (3, H, W) in [0, 1]."""
    return torch.from_numpy(np.ascontiguousarray(pixels)).permute(2, 0, 1).float() / 255


def as_pixels(picture: Tensor) -> NDArray[np.uint8]:
    """float32 (3, H, W) in [0, 1] -> uint8 (H, W, 3), rounded."""
    return (picture.permute(1, 2, 0) * 255).round().clamp(0, 255).to(torch.uint8).numpy()
