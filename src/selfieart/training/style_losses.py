"""What a feed-forward style network is judged by while it learns.

What matters, in order (each was measured):

1. Content is compared on instance-normalised features: structure is kept, colour and contrast are left to the style.
2. Style is the relative error of channel means plus that of the centred covariances, on VGG-19-sized features. The
   plain Gram error is dominated by the means and ignores texture.
3. The same style error on each quarter of the picture: otherwise a whole palette gathers in one flat dark area.
4. Content counts more on faces, and most on eyes, nose and mouth: walls take bold strokes while faces stay readable.
5. Light and dark stay where they are, seen from afar: strokes may not turn into clouds that hide the subject.
6. A slightly moved and noisy copy of the content gives the same painting, moved: video does not flicker.
7. No normalisation may see a single high peak: peaks show as coloured blots in dark, flat places.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from selfieart.networks.packaged import load_face_network
from selfieart.networks.tensors import importance, soft_masks
from selfieart.weights import manifest

Moments = dict[str, tuple[Tensor, Tensor]]
"""Per layer: channel means (B, C) and centred covariances (B, C, C)."""


@dataclass(frozen=True)
class StyleWeights:
    """Weights of the terms; those of the layers are relative within their term."""

    style: float = 2.0
    local: float = 0.2
    light: float = 0.35
    variation: float = 0.3
    stability: float = 10.0
    peaks: float = 1.0
    face: float = 2.0
    features: float = 4.0
    rest: float = 0.7


def moments(features: Tensor) -> tuple[Tensor, Tensor]:
    """(B, C, H, W) -> channel means (B, C) and centred covariance (B, C, C); products in the features' precision."""
    flat = features.flatten(2)
    mean = flat.mean(2, keepdim=True, dtype=torch.float32)
    flat = flat - mean.to(flat)
    return mean[..., 0], (flat @ flat.transpose(1, 2)).float() / flat.shape[2]


def pooled_moments(mean: Tensor, cov: Tensor) -> tuple[Tensor, Tensor]:
    """Moments (4B, C), (4B, C, C) of quarters -> moments (B, C), (B, C, C) of the whole (law of total covariance)."""
    mean, cov = mean.view(4, -1, *mean.shape[1:]), cov.view(4, -1, *cov.shape[1:])
    whole = mean.mean(0)
    apart = mean - whole
    return whole, cov.mean(0) + torch.einsum("qbi,qbj->bij", apart, apart) / 4


def quarters(features: Tensor) -> Tensor:
    """(B, C, H, W) -> (4B, C, H/2, W/2), the four quarters of each picture."""
    top, bottom = features.chunk(2, 2)
    return torch.cat([*top.chunk(2, 3), *bottom.chunk(2, 3)])


def statistics_error(mean: Tensor, cov: Tensor, wanted_mean: Tensor, wanted_cov: Tensor) -> tuple[Tensor, Tensor]:
    """Relative squared errors (B,) of means (B, C) and covariances (B, C, C)."""
    mean_error = (mean - wanted_mean).square().sum(1) / wanted_mean.square().sum(1)
    return mean_error, (cov - wanted_cov).square().sum((1, 2)) / wanted_cov.square().sum((1, 2))


def tempered(error: Tensor) -> Tensor:
    """Relative errors, those above 1 as 1 + their logarithm.

    A painting that is nearly flat has a small covariance; errors relative to it reach the hundreds, and one such
    painting in a batch would decide the direction of the step.
    """
    return torch.where(error < 1, error, 1 + error.clamp_min(1).log())


def style_errors(
    features: Mapping[str, Tensor], wanted: Moments, layers: Mapping[str, float]
) -> tuple[Tensor, Tensor, Tensor]:
    """Errors of means, of covariances, and of both on each quarter, weighted over the layers.

    Args:
        features: (B, C, H, W) by layer.
        wanted: moments of the style of each picture of the batch.
        layers: weight of each layer.
    """
    total = sum(layers.values())
    mean_loss = cov_loss = local_loss = torch.zeros((), device=next(iter(features.values())).device)
    for layer, weight in layers.items():
        wanted_mean, wanted_cov = wanted[layer]
        mean, cov = moments(quarters(features[layer]))
        local = statistics_error(mean, cov, wanted_mean.repeat(4, 1), wanted_cov.repeat(4, 1, 1))
        whole = statistics_error(*pooled_moments(mean, cov), wanted_mean, wanted_cov)
        mean_loss = mean_loss + weight / total * tempered(whole[0]).mean()
        cov_loss = cov_loss + weight / total * tempered(whole[1]).mean()
        local_loss = local_loss + weight / total * (local[0].clamp_max(4).mean() + local[1].clamp_max(4).mean())
    return mean_loss, cov_loss, local_loss


def instance_norm(features: Tensor) -> Tensor:
    """Features (B, C, H, W) with mean 0 and variance 1 per channel; silent channels stay small."""
    var, mean = torch.var_mean(features, dim=(2, 3), keepdim=True)
    return (features - mean) * torch.rsqrt(var + 1e-4 * var.mean())


def content_error(got: Tensor, wanted: Tensor, importance: Tensor) -> Tensor:
    """Mean squared difference of instance-normalised features (B, C, h, w), weighted by place (B, 1, H, W)."""
    weight = F.adaptive_avg_pool2d(importance, (got.shape[-2], got.shape[-1]))
    return ((instance_norm(got) - instance_norm(wanted)).square() * weight).mean()


def light_error(result: Tensor, content: Tensor, cell: int = 16) -> Tensor:
    """Mean squared difference of normalised luminance, averaged over cells of some pixels: light seen from afar."""
    luminance = torch.tensor([0.299, 0.587, 0.114], device=result.device)[:, None, None]
    got, wanted = (F.avg_pool2d((x * luminance).sum(1, keepdim=True), cell) for x in (result, content))
    return (instance_norm(got) - instance_norm(wanted)).square().mean()


def total_variation(image: Tensor) -> Tensor:
    """Mean squared difference of neighbouring pixels."""
    return image.diff(dim=3).square().mean() + image.diff(dim=2).square().mean()


def out_of_range(image: Tensor) -> Tensor:
    """Mean squared distance of (B, 3, H, W) from [0, 1]."""
    return (F.relu(image - 1).square() + F.relu(-image).square()).mean()


HIGHEST_PEAK = 5.0
"""In standard deviations; what a normalisation sees above it costs something."""


@contextmanager
def watched_peaks(norms: Iterable[nn.Module]) -> Iterator[list[Tensor]]:
    """Collect, while normalisations run, how far their inputs (B, C, H, W) rise above :data:`HIGHEST_PEAK`.

    A network can steer the statistics of a whole picture by one high peak in a dark, flat place, where it shows as a
    coloured blot with a weave (as in StyleGAN: Karras et al., CVPR 2020, section 2). Blots of 14 standard deviations
    were found in the last residual blocks.

    Args:
        norms: instance normalisations.

    Yields:
        A list to which each of them adds the mean squared excess.
    """
    seen: list[Tensor] = []

    def look(module: nn.Module, arguments: tuple[Any, ...]) -> None:
        x = arguments[0].float()
        apart = x - x.mean((2, 3), keepdim=True)
        height = apart.abs() * torch.rsqrt(apart.square().mean((2, 3), keepdim=True) + 1e-5)
        seen.append(F.relu(height - HIGHEST_PEAK).square().mean())

    handles = [norm.register_forward_pre_hook(look) for norm in norms]
    try:
        yield seen
    finally:
        for handle in handles:
            handle.remove()


class Motion:
    """A small random motion of a batch: shift, tilt and zoom of a few pixels.

    Args:
        count: pictures in the batch.
        size: side in pixels.
        generator: source of chance.
        pixels: standard deviation of the shift.
    """

    def __init__(self, count: int, size: int, generator: torch.Generator, pixels: float = 3.0) -> None:
        shift = torch.randn(count, 2, generator=generator) * pixels * 2 / size
        tilt = torch.randn(count, generator=generator) * 0.01
        zoom = 1 + torch.randn(count, generator=generator) * 0.01
        theta = torch.zeros(count, 2, 3)
        theta[:, 0, 0] = theta[:, 1, 1] = zoom * tilt.cos()
        theta[:, 1, 0] = zoom * tilt.sin()
        theta[:, 0, 1] = -theta[:, 1, 0]
        theta[:, :, 2] = shift
        self.grid = F.affine_grid(theta, [count, 3, size, size], align_corners=False)

    def moved(self, images: Tensor) -> Tensor:
        """The batch (B, 3, s, s), moved."""
        grid = self.grid.to(images.device)
        return F.grid_sample(images, grid, mode="bilinear", padding_mode="reflection", align_corners=False)

    @property
    def inside(self) -> Tensor:
        """(B, 1, s, s): 1 where the moved picture shows what was inside, away from its border."""
        return (self.grid.abs() < 0.97).all(-1)[:, None].float()


def stability_error(moved_result: Tensor, result_of_moved: Tensor, inside: Tensor) -> Tensor:
    """Mean squared difference between the moved painting and the painting of the moved picture."""
    return ((moved_result - result_of_moved).square() * inside).sum() / (3 * inside.sum()).clamp_min(1)


class Importance:
    """How much the content counts at each place: more on faces, most on their features.

    Args:
        weights: gives the three weights.
        device: where to compute.
    """

    def __init__(self, weights: StyleWeights, device: torch.device) -> None:
        stated = manifest()["bisenet"].input
        self.mean, self.std = (torch.tensor(stated[k], device=device)[:, None, None] for k in ("mean", "std"))
        self.net: nn.Module = load_face_network("bisenet").to(device)
        self.values = {"face": weights.face, "features": weights.features, "rest": weights.rest}

    def __call__(self, content: Tensor) -> Tensor:
        """(B, 3, H, W) in [0, 1] -> (B, 1, H/4, W/4)."""
        with torch.no_grad():
            masks = soft_masks(self.net((content - self.mean) / self.std).float())
        return F.avg_pool2d(importance(masks, **self.values)[:, None], 3, 1, 1)
