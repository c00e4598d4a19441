"""Co-segmentation: soft clusters of deep features that mean the same thing in several pictures."""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from selfieart.errors import SelfieartError

CLUSTER_LAYER = "relu5_1"
"""It sees things more than textures: relu4_1 told rough water from smooth, not water from boat."""

TEMPERATURE = 0.1
"""Of the soft assignment, in squared distances of unit vectors, which go from 0 to 4."""

ROUNDS = 50
STARTS = 8


def shared_clusters(
    pictures: Sequence[Tensor], count: int, seed: int = 0, temperature: float = TEMPERATURE
) -> list[Tensor]:
    """Soft clusters shared by the features of several pictures.

    What a photo's and a painting's features differ in most is that one is a photo, so each picture's channels are first
    brought to mean 0 and deviation 1 over that picture; what remains tells its parts apart. Places take no part. Every
    picture weighs the same, whatever its size.

    Args:
        pictures: features (N, h, w) of each, of any sizes.
        count: how many clusters.
        seed: of the starts of k-means; the same seed gives the same clusters.
        temperature: t of the assignment p_k ~ exp(-|f - c_k|^2 / t); small is sharp.

    Returns:
        (count, h, w) for each picture, summing to 1 over the clusters, which are the same in all and in order of size.

    Raises:
        SelfieartError: there are fewer positions than clusters, or no picture.
    """
    if not pictures or count < 1 or sum(p[0].numel() for p in pictures) < count:
        raise SelfieartError(f"The pictures are too small to be divided into {count} parts: ask for fewer.")
    flats = [_standard(picture) for picture in pictures]
    points = torch.cat(flats)
    weights = torch.cat([flat.new_full((len(flat),), 1 / len(flat)) for flat in flats])
    generator = torch.Generator().manual_seed(seed % 2**63)
    runs = [_k_means(points, weights, count, generator) for _ in range(STARTS)]
    centres = min(runs, key=lambda run: run[1])[0]
    soft = [(-_distances(flat, centres) / temperature).softmax(1) for flat in flats]
    order = torch.stack([s.mean(0) for s in soft]).mean(0).sort(descending=True, stable=True).indices
    return [
        s[:, order].T.reshape(count, *picture.shape[-2:]).contiguous()
        for s, picture in zip(soft, pictures, strict=True)
    ]


def _standard(features: Tensor) -> Tensor:
    """Features (N, h, w) as unit vectors (h w, N) of what a position has more or less of than its picture."""
    flat = features.flatten(1).T
    deviation = flat.std(0, correction=0)
    return F.normalize((flat - flat.mean(0)) / (deviation + 1e-3 * deviation.max() + 1e-12), dim=1)


def _distances(points: Tensor, centres: Tensor) -> Tensor:
    """Squared distances (P, K)."""
    squares = points.square().sum(1, keepdim=True) + centres.square().sum(1)
    return (squares - 2 * points @ centres.T).clamp_min(0)


def _k_means(points: Tensor, weights: Tensor, count: int, generator: torch.Generator) -> tuple[Tensor, float]:
    """Centres (K, N) by Lloyd's method from k-means++ (Arthur and Vassilvitskii 2007), and their error."""
    centres = points[torch.multinomial(weights, 1, generator=generator)]
    while len(centres) < count:
        chances = weights * _distances(points, centres).amin(1)
        chances = chances if float(chances.sum()) > 0 else weights
        centres = torch.cat([centres, points[torch.multinomial(chances, 1, generator=generator)]])
    nearest = torch.full((len(points),), -1)
    for _ in range(ROUNDS):
        before, nearest = nearest, _distances(points, centres).argmin(1)
        if torch.equal(before, nearest):
            break
        mine = F.one_hot(nearest, count).to(points) * weights[:, None]
        total = mine.sum(0)
        # A centre that nobody is nearest to stays where it is.
        centres = torch.where(total[:, None] > 0, mine.T @ points / total.clamp_min(1e-12)[:, None], centres)
    return centres, float((weights * _distances(points, centres).amin(1)).sum())
