"""Any picture as a style at once: its style code predicted from the perceptual encoder's statistics."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor, nn

from selfieart.features.encoder import CHANNELS, STYLE_LAYERS

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

    A code is a mean plus, for each normalisation of its own, a mixture of a few directions; they start as the principal
    directions of the presets' codes. Mixtures that all normalisations share would need as many values and reach
    far fewer codes: with 80 of them a Van Gogh came to a style distance of .21, with a code of its own to .15.

    Args:
        parts: length of each normalisation's part of a code, in order; they sum to D.
        hidden: width of the hidden layer.
        rank: number of directions of each part.
    """

    def __init__(self, parts: Sequence[int], hidden: int = 256, rank: int = 64) -> None:
        super().__init__()
        self.parts, self.rank = list(parts), rank
        self.register_buffer("center", torch.zeros(STATISTICS))
        self.register_buffer("spread", torch.ones(STATISTICS))
        self.hidden = nn.Linear(STATISTICS, hidden)
        self.mix = nn.Linear(hidden, len(self.parts) * rank)
        self.directions = nn.Parameter(0.02 * torch.randn(rank, sum(self.parts)))
        self.mean = nn.Parameter(torch.zeros(sum(self.parts)))

    def forward(self, statistics: Tensor) -> Tensor:
        """(B, 736) -> (B, D)."""
        # A picture unlike any painting must not push the code out of the range that was learned.
        x = ((statistics - self.center) / self.spread).clamp(-4, 4)  # type: ignore[operator]
        mixtures = torch.split(self.mix(torch.relu(self.hidden(x))), self.rank, dim=1)
        directions = torch.split(self.directions, self.parts, dim=1)
        code: Tensor = self.mean + torch.cat([m @ d for m, d in zip(mixtures, directions, strict=True)], 1)
        return code

    def begin_with(self, codes: Tensor, statistics: Tensor) -> None:
        """Set mean, first directions and normalisation from presets' codes (S, D) and pictures' statistics (P, 736)."""
        with torch.no_grad():
            self.center.copy_(statistics.mean(0))  # type: ignore[operator]
            self.spread.copy_(statistics.std(0).clamp_min(1e-3))  # type: ignore[operator]
            self.mean.copy_(codes.mean(0))
            apart = torch.split(codes - codes.mean(0), self.parts, dim=1)
            for part, mine in zip(apart, torch.split(self.directions, self.parts, dim=1), strict=True):
                _, sizes, directions = torch.linalg.svd(part, full_matrices=False)
                count = min(len(codes) - 1, len(sizes), self.rank)
                mine[:count] = directions[:count] * (sizes[:count, None] / len(codes) ** 0.5)
