"""Compose a photo and its layers, a strip of rows at a time: equation 6 for any number of styles."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from selfieart.imaging.arrays import as_pixels, as_tensor
from selfieart.imaging.color import keep_color
from selfieart.imaging.guided import GuidedUpsampler
from selfieart.masks import composite, feather, select, soft_masks
from selfieart.parsing.parsing import EDGE_EPS, EDGE_RADIUS, Parsing, strips_of
from selfieart.progress import Progress, silent
from selfieart.render.layers import Layer

LARGEST_EXACT = 3_000_000
"""Pixels up to which every class's logits are evaluated at full resolution."""


@dataclass(frozen=True)
class Part:
    """Some segments of the picture and what they wear.

    Attributes:
        classes: indices of the segments (the set U of eq. 5); the sets of all parts are disjoint.
        layer: what they wear; None leaves the photo as it is.
        strength: in [0, 1], how much of the layer is seen.
        keep_color: in [0, 1], how much of the photo's colour is kept.
        feather: standard deviation in pixels by which the borders are softened.
    """

    classes: frozenset[int]
    layer: Layer | None
    strength: float = 1.0
    keep_color: float = 0.0
    feather: float = 0.0


def part_masks(pixels: NDArray[np.uint8], parsing: Parsing, parts: Sequence[Part], tau: float) -> Tensor:
    """The mask of every part, and of what no part covers, at full resolution.

    Args:
        pixels: (H, W, 3) uint8, the photo.
        parsing: of the photo.
        parts: with disjoint sets of classes.
        tau: softness of eq. 9; inf gives binary masks.

    Returns:
        (S + 1, H, W) float32, summing to 1; the last one is what no part covers.
    """
    height, width = pixels.shape[:2]
    scale = math.sqrt(LARGEST_EXACT / (height * width))
    if scale >= 1:
        masks = _exact_masks(pixels, parsing, parts, tau)
    else:
        size = (round(width * scale), round(height * scale))
        small: NDArray[np.uint8] = cv2.resize(pixels, size, interpolation=cv2.INTER_AREA)  # type: ignore[assignment]
        masks = _exact_masks(small, parsing.at_size(*size[::-1]), parts, tau)
        masks = _enlarged_masks(pixels, small, masks, binary=math.isinf(tau))
    return feather(masks, [*(part.feather for part in parts), 0.0])


def _exact_masks(pixels: NDArray[np.uint8], parsing: Parsing, parts: Sequence[Part], tau: float) -> Tensor:
    """Eq. 5 and 9 from the logits of all classes at the picture's resolution: (S + 1, H, W)."""
    height, width = pixels.shape[:2]
    masks = torch.zeros(len(parts) + 1, height, width)
    for top, bottom in strips_of(height, width, parsing.logits.shape[0]):
        soft = soft_masks(parsing.logits_rows(as_tensor(pixels[top:bottom]), top, bottom), tau)
        for index, part in enumerate(parts):
            masks[index, top:bottom] = select(soft, sorted(part.classes))
        masks[-1, top:bottom] = (1 - masks[:-1, top:bottom].sum(0)).clamp_min(0)
    return masks


def _enlarged_masks(pixels: NDArray[np.uint8], small: NDArray[np.uint8], masks: Tensor, binary: bool) -> Tensor:
    """Masks (S + 1, h, w) of a reduced picture, brought to the full one with its edges: (S + 1, H, W).

    The logarithms of a few masks are enlarged instead of the logits of all classes, which for two styles on a
    24-megapixel photo is 6 times less work; their softmax is a partition of unity again.
    """
    height, width = pixels.shape[:2]
    upsampler = GuidedUpsampler(as_tensor(small), masks.clamp_min(1e-6).log(), EDGE_RADIUS, EDGE_EPS)
    out = torch.empty(masks.shape[0], height, width)
    for top, bottom in strips_of(height, width, masks.shape[0]):
        logs = upsampler.rows(as_tensor(pixels[top:bottom]), top, bottom, height)
        out[:, top:bottom] = soft_masks(logs, math.inf if binary else 1.0)
    return out


def compose(
    pixels: NDArray[np.uint8],
    parts: Sequence[Part],
    masks: Tensor,
    progress: Progress = silent,
) -> NDArray[np.uint8]:
    """Put the layers of all parts over the photo.

    Args:
        pixels: (H, W, 3) uint8, the photo.
        parts: what is worn.
        masks: (S + 1, H, W) from :func:`part_masks`.
        progress: told how far it is.

    Returns:
        (H, W, 3) uint8; where nothing is worn it is the photo bit for bit.
    """
    worn = [(i, part) for i, part in enumerate(parts) if part.layer is not None and part.strength > 0 and part.classes]
    out = pixels.copy()
    if not worn:
        return out
    height, width = pixels.shape[:2]
    for top, bottom in strips_of(height, width, 3 * (len(worn) + 2)):
        content = as_tensor(pixels[top:bottom])
        layers, weights = [], []
        for index, part in worn:
            assert part.layer is not None
            weight = masks[index, top:bottom] * part.strength
            if not bool((weight > 1e-4).any()):
                continue
            layers.append(keep_color(content, part.layer.rows(content, top, bottom), part.keep_color))
            weights.append(weight)
        out[top:bottom] = as_pixels(composite(content, layers, weights))
        progress("compose", bottom / height)
    return out
