"""Pictures that are being optimised with the network that learns: where its mistakes matter most.

Optimisation moves a picture until the network is content with it, and so finds what the network judges wrongly: with
an encoder that explained 97 % of the Gram matrices of photos and paintings, Gatys' pictures stayed six times as far
from their styles as the teacher could bring them. Here a few pictures are moved on by a few steps of Gatys' method at
every step of training, and the encoder learns what the teacher sees in them.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor

from selfieart.features.encoder import CONTENT_LAYER, STYLE_LAYERS
from selfieart.features.gram import gram, relative_error

Features = Callable[[Tensor], Mapping[str, Tensor]]


class OptimisedPictures:
    """A few pictures on their way from a photo to a painting, each with its own style weight and length of life.

    Args:
        count: how many.
        size: their side in pixels.
        moves: steps of Adam at every visit.
        seed: of style weights and lives.
    """

    def __init__(self, count: int, size: int, moves: int, seed: int) -> None:
        self.count, self.moves, self.seed = count, moves, seed
        self.pictures = torch.zeros(count, 3, size, size)
        self.contents, self.styles = torch.zeros_like(self.pictures), torch.zeros_like(self.pictures)
        self.momentum, self.power = torch.zeros_like(self.pictures), torch.zeros_like(self.pictures)
        self.age, self.life = torch.zeros(count, dtype=torch.long), torch.zeros(count, dtype=torch.long)
        self.weight = torch.zeros(count)

    def state(self) -> dict[str, Any]:
        """Everything that changes, to go on from later."""
        return {name: value for name, value in vars(self).items() if isinstance(value, Tensor)}

    def load_state(self, state: dict[str, Any]) -> None:
        """Go on from a state."""
        for name, value in state.items():
            getattr(self, name).copy_(value)

    def visit(self, step: int, content: Tensor, style: Tensor, features: Features) -> tuple[Tensor, Tensor]:
        """Move one of the pictures on.

        Args:
            step: of training; it says whose turn it is.
            content, style: crops (3, s, s) in [0, 1] with which the picture begins anew if its life is over.
            features: of pictures (B, 3, s, s), as the network that learns sees them.

        Returns:
            The picture half-way and at the end of the visit (2, 3, s, s), about in [0, 1], and its style (3, s, s).
        """
        k = step % self.count
        if self.age[k] >= self.life[k]:
            self._begin(k, step, content, style)
        with torch.no_grad():
            wanted = features(self.contents[k][None])[CONTENT_LAYER]
            seen = features(self.styles[k][None])
            grams = {layer: gram(seen[layer]) for layer in STYLE_LAYERS}
        snapshots = []
        for move in range(self.moves):
            x = self.pictures[k][None].clone().requires_grad_()
            now = features(x)
            errors = torch.stack([relative_error(gram(now[layer]), grams[layer])[0] for layer in STYLE_LAYERS])
            outside = (x - x.clamp(0, 1)).square().mean()
            smooth = x.diff(dim=-1).square().mean() + x.diff(dim=-2).square().mean()
            loss = self.weight[k] * errors.mean() + relative_error(now[CONTENT_LAYER], wanted)[0]
            (gradient,) = torch.autograd.grad(loss + smooth + 3000 * outside, x)
            self._move(k, gradient[0])
            if move in (self.moves // 2 - 1, self.moves - 1):
                snapshots.append(self.pictures[k].clone())
        return torch.stack(snapshots), self.styles[k]

    def _begin(self, k: int, step: int, content: Tensor, style: Tensor) -> None:
        chance = random.Random(f"{self.seed}/optimised/{step}")
        self.contents[k], self.styles[k], self.pictures[k] = content, style, content
        self.momentum[k], self.power[k], self.age[k] = 0, 0, 0
        self.weight[k] = math.exp(chance.uniform(math.log(100), math.log(1500)))
        self.life[k] = self.moves * chance.randint(8, 50)

    def _move(self, k: int, gradient: Tensor) -> None:
        """One step of Adam, shorter towards the end of the picture's life."""
        self.age[k] += 1
        age, left = int(self.age[k]), 1 - int(self.age[k]) / int(self.life[k])
        self.momentum[k].lerp_(gradient, 0.1)
        self.power[k].lerp_(gradient.square(), 0.01)
        mean, power = self.momentum[k] / (1 - 0.9**age), self.power[k] / (1 - 0.99**age)
        self.pictures[k] -= (0.002 + 0.028 * left) * mean / (power.sqrt() + 1e-12)
