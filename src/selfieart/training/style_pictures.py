"""What training needs to know of style pictures: how the teacher and the perceptual encoder see them."""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor, nn

from selfieart.networks.code_predictor import style_statistics
from selfieart.networks.encoder import Encoder
from selfieart.training.pictures import read_rgb, resize_short_side
from selfieart.training.style_losses import Moments, moments

STYLE_LAYERS = {"relu1_1": 0.7, "vgg2_1": 1.0, "vgg3_1": 1.2, "vgg4_1": 1.2, "vgg5_1": 0.6}
"""Layers of the teacher at which styles are compared, and their weights."""

Packed = tuple[Tensor, float]
"""Values in half precision, relative to the greatest of them."""


def _packed(values: Tensor) -> Packed:
    peak = max(float(values.abs().max()), 1e-30)
    return (values / peak).half(), peak


def _unpacked(packed: Packed) -> Tensor:
    return packed[0].float() * packed[1]


class StylePictures:
    """Moments and encoder statistics of style pictures, worked out when first asked for and kept in half precision."""

    def __init__(self, teacher: nn.Module, encoder: Encoder | None, short_side: int, device: torch.device) -> None:
        self.teacher, self.encoder, self.short_side, self.device = teacher, encoder, short_side, device
        self._kept: dict[Path, tuple[dict[str, tuple[Packed, Packed]], Tensor | None]] = {}

    def __call__(self, path: Path) -> tuple[dict[str, tuple[Packed, Packed]], Tensor | None]:
        """Packed moments (1, ...) per layer, and statistics (1, 736) if there is an encoder."""
        if path not in self._kept:
            pixels = read_rgb(path)
            # Enlarging a small reproduction further would teach blur instead of strokes.
            side = min(self.short_side, round(1.5 * min(pixels.shape[:2])))
            image = torch.from_numpy(resize_short_side(pixels, side)).permute(2, 0, 1)[None].float() / 255
            image = image.to(self.device)
            with torch.no_grad():
                seen = self.teacher(image, expand=True)
                kept = {layer: tuple(_packed(m) for m in moments(seen[layer])) for layer in STYLE_LAYERS}
                statistics = style_statistics(self.encoder(image)) if self.encoder else None
            self._kept[path] = kept, statistics  # type: ignore[assignment]
        return self._kept[path]

    def moments(self, paths: list[Path]) -> Moments:
        """Moments of several pictures, stacked."""
        found = [self(path)[0] for path in paths]
        stacked = {}
        for layer in STYLE_LAYERS:
            means, covs = zip(*(kept[layer] for kept in found), strict=True)
            stacked[layer] = torch.cat([_unpacked(m) for m in means]), torch.cat([_unpacked(c) for c in covs])
        return stacked

    def statistics(self, paths: list[Path]) -> Tensor:
        """Encoder statistics (P, 736) of several pictures."""
        return torch.cat([s for s in (self(path)[1] for path in paths) if s is not None])
