"""Any picture as a style at once: its style code predicted from the perceptual encoder's statistics."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from selfieart.networks.encoder import CHANNELS, STYLE_LAYERS

STATISTICS = 2 * sum(CHANNELS[layer] for layer in STYLE_LAYERS)
"""Length of a picture's vector of statistics."""


def style_statistics(features: Mapping[str, Tensor]) -> Tensor:
    """Mean and standard deviation of every channel of the style layers: features (B, N, h, w) by layer -> (B, 736)."""
    parts = []
    for layer in STYLE_LAYERS:
        flat = features[layer].float().flatten(2)
        parts += [flat.mean(2), flat.std(2, correction=0)]
    return torch.cat(parts, 1)


class CodePredictor(nn.Module):
    """Statistics of a picture (B, 736) -> style code (B, D).

    Codes live near a low-dimensional set: a code is a mean plus a mixture of a few directions, which start as the
    principal directions of the presets' codes.

    Args:
        code_size: D.
        hidden: width of the hidden layer.
        rank: number of directions.
    """

    def __init__(self, code_size: int, hidden: int = 256, rank: int = 80) -> None:
        super().__init__()
        self.register_buffer("center", torch.zeros(STATISTICS))
        self.register_buffer("spread", torch.ones(STATISTICS))
        self.hidden = nn.Linear(STATISTICS, hidden)
        self.mix = nn.Linear(hidden, rank)
        self.directions = nn.Parameter(0.02 * torch.randn(rank, code_size))
        self.mean = nn.Parameter(torch.zeros(code_size))

    def forward(self, statistics: Tensor) -> Tensor:
        """(B, 736) -> (B, D)."""
        # A picture unlike any painting must not push the code out of the range that was learned.
        x = ((statistics - self.center) / self.spread).clamp(-4, 4)  # type: ignore[operator]
        code: Tensor = self.mean + self.mix(torch.relu(self.hidden(x))) @ self.directions
        return code

    def begin_with(self, codes: Tensor, statistics: Tensor) -> None:
        """Set mean, first directions and normalisation from presets' codes (S, D) and pictures' statistics (P, 736)."""
        with torch.no_grad():
            self.center.copy_(statistics.mean(0))  # type: ignore[operator]
            self.spread.copy_(statistics.std(0).clamp_min(1e-3))  # type: ignore[operator]
            self.mean.copy_(codes.mean(0))
            _, sizes, directions = torch.linalg.svd(codes - codes.mean(0), full_matrices=False)
            count = min(len(sizes) - 1, len(self.directions))
            self.directions[:count] = directions[:count] * (sizes[:count, None] / len(codes) ** 0.5)
