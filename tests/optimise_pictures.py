"""Small pictures that the tests of the slow methods share."""

from __future__ import annotations

import numpy as np
import torch

from selfieart.networks.tensors import resize


def portrait(astronaut: np.ndarray, bottom: int, size: tuple[int, int]) -> torch.Tensor:
    """The astronaut's head and shoulders (3, *size), cut from rows 20 to ``bottom``."""
    pixels = astronaut[20:bottom, 60:380].copy()
    return resize(torch.from_numpy(pixels).permute(2, 0, 1).float() / 255, size)


def stripes_and_spots() -> list[torch.Tensor]:
    """Stripes (3, 40, 60) and spots (3, 70, 50) in different colours."""
    rows, columns = torch.meshgrid(torch.arange(70.0), torch.arange(60.0), indexing="ij")
    stripes = torch.stack([(columns / 3).sin(), (columns / 5).cos(), (rows / 20).sin()]) * 0.4 + 0.5
    spots = torch.stack([(rows / 4).sin() * (columns / 4).sin(), (rows / 9).cos(), (columns / 30).cos()]) * 0.4 + 0.5
    return [stripes[:, :40], spots[:, :, :50]]


def waves() -> torch.Tensor:
    """Waves (3, 72, 56)."""
    rows, columns = torch.meshgrid(torch.arange(72.0), torch.arange(56.0), indexing="ij")
    planes = [(columns / 3 + (rows / 9).sin()).sin(), (rows / 5).cos(), ((rows + columns) / 11).sin()]
    return torch.stack(planes) * 0.4 + 0.5


def halves(height: int, width: int) -> torch.Tensor:
    """Two masks (2, height, width): the left and the right half."""
    left = (torch.arange(width) < width // 2).float().expand(height, width)
    return torch.stack([left, 1 - left])
