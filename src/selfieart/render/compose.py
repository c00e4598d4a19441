"""Compose a photo and its layers, a strip of rows at a time: equation 6 for any number of styles."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from selfieart.imaging.arrays import FloatArray, Pixels, as_picture, as_pixels
from selfieart.imaging.color import keep_color
from selfieart.imaging.guided import GuidedUpsampler
from selfieart.imaging.resize import resize_pixels
from selfieart.imaging.strips import in_parallel, strips_of
from selfieart.masks import composite, feather, select, soft_masks
from selfieart.parsing.parsing import EDGE_EPS, EDGE_RADIUS, Parsing
from selfieart.progress import Progress, silent
from selfieart.render.layers import Layer
from selfieart.sizes import scaled_size

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


def part_masks(pixels: Pixels, parsing: Parsing, parts: Sequence[Part], tau: float) -> FloatArray:
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
        size = scaled_size((height, width), scale)
        small = resize_pixels(pixels, size)
        masks = _exact_masks(small, parsing.at_size(*size), parts, tau)
        masks = _enlarged_masks(pixels, small, masks, binary=math.isinf(tau))
    return feather(masks, [*(part.feather for part in parts), 0.0])


def _exact_masks(pixels: Pixels, parsing: Parsing, parts: Sequence[Part], tau: float) -> FloatArray:
    """Eq. 5 and 9 from the logits of all classes at the picture's resolution: (S + 1, H, W)."""
    height, width = pixels.shape[:2]
    masks = np.empty((len(parts) + 1, height, width), np.float32)

    def work(top: int, bottom: int) -> None:
        soft = soft_masks(parsing.logits_rows(as_picture(pixels[top:bottom]), top, bottom), tau)
        rest = masks[-1, top:bottom]
        rest[...] = 1
        for index, part in enumerate(parts):
            masks[index, top:bottom] = select(soft, sorted(part.classes))
            rest -= masks[index, top:bottom]
        np.maximum(rest, np.float32(0), out=rest)

    parsing.prepare()
    in_parallel(work, strips_of(height, width, parsing.logits.shape[0]))
    return masks


def _enlarged_masks(pixels: Pixels, small: Pixels, masks: FloatArray, binary: bool) -> FloatArray:
    """Masks (S + 1, h, w) of a reduced picture, brought to the full one with its edges: (S + 1, H, W).

    The logarithms of a few masks are enlarged instead of the logits of all classes, which for two styles on a
    24-megapixel photo is 6 times less work; their softmax is a partition of unity again.
    """
    height, width = pixels.shape[:2]
    logs = np.maximum(masks, np.float32(1e-6))
    upsampler = GuidedUpsampler(as_picture(small), np.log(logs, out=logs), EDGE_RADIUS, EDGE_EPS)
    out = np.empty((len(masks), height, width), np.float32)

    def work(top: int, bottom: int) -> None:
        logs = upsampler.rows(as_picture(pixels[top:bottom]), top, bottom, height)
        out[:, top:bottom] = soft_masks(logs, math.inf if binary else 1.0)

    in_parallel(work, strips_of(height, width, len(masks)))
    return out


def compose(
    pixels: Pixels,
    parts: Sequence[Part],
    masks: FloatArray,
    progress: Progress = silent,
) -> Pixels:
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

    def work(top: int, bottom: int) -> None:
        content = as_picture(pixels[top:bottom])
        layers, weights = [], []
        for index, part in worn:
            assert part.layer is not None
            weight = masks[index, top:bottom] * np.float32(part.strength)
            if float(weight.max()) <= 1e-4:
                continue
            layers.append(keep_color(content, part.layer.rows(content, top, bottom), part.keep_color))
            weights.append(weight)
        out[top:bottom] = as_pixels(composite(content, layers, weights))

    strips = strips_of(height, width, 3 * (len(worn) + 2))
    in_parallel(work, strips, lambda _, bottom: progress("compose", bottom / height))
    return out
