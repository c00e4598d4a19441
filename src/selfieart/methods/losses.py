"""Losses as plain functions of features and pictures; every one is a scalar and differentiable."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from selfieart.methods.settings import Precision
from selfieart.networks.encoder import PerceptualEncoder
from selfieart.networks.gram import guided_gram, mask_at, relative_error

Features = Mapping[str, Tensor]
"""Features (B, N, h, w) by layer."""

VGG_CHANNELS = {"relu1_1": 64, "relu2_1": 128, "relu3_1": 256, "relu4_1": 512, "relu4_2": 512, "relu5_1": 512}
"""N of each layer. An encoder may give features in a smaller orthonormal basis; sums over all N are the same in it."""

RANGE_WEIGHT = 3000.0
"""Of the loss for values outside [0, 1].

What is left outside is clamped at the end. At a weight of 100 that raised the loss from 1.88 to 3.10 in one example, at
1000 from 1.82 to 1.89, and at 5000 not at all.
"""


def features_of(
    encoder: PerceptualEncoder, picture: Tensor, layers: Iterable[str], precision: Precision = "float32"
) -> dict[str, Tensor]:
    """Run the encoder.

    Args:
        encoder: with named layers.
        picture: (3, H, W) in [0, 1], or somewhat outside while it is being optimised.
        layers: names.
        precision: what convolutions are computed in; losses always get the picture's own type.

    Returns:
        (1, N, h, w) by layer.
    """
    batch = picture[None].contiguous(memory_format=torch.channels_last)
    if precision == "float32":
        return encoder(batch, layers)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        features = encoder(batch, layers)
    return {layer: x.to(picture.dtype) for layer, x in features.items()}


def total_variation(picture: Tensor) -> Tensor:
    """Mean squared difference of neighbours, down and across, of (3, H, W) (Mahendran and Vedaldi 2015, beta = 2)."""
    down, across = picture.diff(dim=-2), picture.diff(dim=-1)
    return down.square().mean() + across.square().mean()


def out_of_range(picture: Tensor) -> Tensor:
    """Mean squared distance of (3, H, W) from [0, 1]: what clamping would cut off costs something before."""
    return (picture - picture.clamp(0, 1)).square().mean()


def content_loss(got: Tensor, wanted: Tensor, importance: Tensor | None = None) -> Tensor:
    """||F - F_c||^2 / ||F_c||^2 of features (1, N, h, w): Gatys et al. (CVPR 2016), eq. 1, relative.

    Args:
        got, wanted: F and F_c.
        importance: (h, w), by which the squared difference at each position is multiplied.
    """
    if importance is None:
        return relative_error(got, wanted)[0]
    return ((got - wanted).square() * importance).sum() / wanted.square().sum().clamp_min(1e-12)


def unit_scale(features: Tensor, layer: str) -> float:
    """The factor that gives features (1, n, h, w) of a layer a mean square of one over VGG-19's N channels."""
    return float((VGG_CHANNELS[layer] * features[0, 0].numel() / features.square().sum().clamp_min(1e-12)).sqrt())


def content_energy(got: Tensor, wanted: Tensor, channels: int, importance: Tensor | None = None) -> Tensor:
    """E_c = 1 / (N D) sum (F - F_c)^2 of features (1, n, h, w); N as given, and each position by importance."""
    squares = (got - wanted).square()
    total = squares.sum() if importance is None else (squares * importance).sum()
    return total / (channels * got.shape[-2] * got.shape[-1])


@dataclass(frozen=True, eq=False)
class RegionStyle:
    """The style that a region of the picture shall have.

    Attributes:
        grams: Gram matrices (1, N, N) of the style picture by layer.
        masks: (h, w) in [0, 1] by layer, where the region is.
        share: of the picture's area that the region covers, in [0, 1].
    """

    grams: Features
    masks: Features
    share: float


def region_style(grams: Features, mask: Tensor, features: Features) -> RegionStyle:
    """A style for a region.

    Args:
        grams: of the style picture, by layer.
        mask: (H, W) in [0, 1].
        features: any features of the picture, for their sizes.
    """
    sizes = {layer: (features[layer].shape[-2], features[layer].shape[-1]) for layer in grams}
    return RegionStyle(grams, {layer: mask_at(mask, size) for layer, size in sizes.items()}, float(mask.mean()))


def style_loss(features: Features, region: RegionStyle) -> Tensor:
    """Mean over layers of ||G - G_s||^2 / ||G_s||^2, with the guided Gram matrix of the region.

    A mask of ones gives the plain Gram matrix, and so the loss of Gatys et al. (CVPR 2016, eq. 4) with every layer
    made relative; soft masks give guided Gram matrices (Gatys et al., CVPR 2017).
    """
    errors = [
        relative_error(guided_gram(features[layer], region.masks[layer]), wanted)[0]
        for layer, wanted in region.grams.items()
    ]
    return torch.stack(errors).mean()


def regions_loss(features: Features, regions: Sequence[RegionStyle]) -> Tensor:
    """Style losses of all regions, each weighted by its share of the picture.

    A guided Gram matrix is divided by its region's area, so without the weight a small region would be pulled harder
    per pixel than a large one, and content would count less in it.
    """
    return torch.stack([region.share * style_loss(features, region) for region in regions]).sum()
