"""Masks and layers of one video frame, fast: what photos get from ``render``, in bytes and in one region.

Masks come from the logits of the groups that a look distinguishes, not from all classes; colours are blended in bytes,
rounded once per layer.
"""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from selfieart.imaging.arrays import FloatArray, Pixels, as_picture, as_pixels
from selfieart.imaging.color import grey, keep_color
from selfieart.imaging.guided import guided_coefficients
from selfieart.imaging.resize import resize_pixels, scaled
from selfieart.imaging.strips import in_parallel
from selfieart.masks import feather, soft_masks
from selfieart.parsing.parsing import EDGE_EPS, EDGE_RADIUS
from selfieart.render.layers import BlurLayer
from selfieart.render.plan import Worn
from selfieart.video.steady import FAINTEST

Box = tuple[int, int, int, int]
"""Top, left, bottom, right in pixels."""


def region_of(masks: FloatArray, height: int, width: int, margin: int) -> Box | None:
    """The box, in a picture of height x width, outside which masks (S, h, w) are not seen; None if they are nowhere.

    Args:
        masks: of what is worn, at any resolution.
        height, width: of the picture.
        margin: pixels of the picture added on every side.
    """
    seen: NDArray[np.bool_] = np.any(masks > FAINTEST, axis=0)
    rows, columns = np.flatnonzero(seen.any(1)), np.flatnonzero(seen.any(0))
    if not len(rows):
        return None
    tall, wide = height / seen.shape[0], width / seen.shape[1]
    top, bottom = int(rows[0]) * tall - margin, (int(rows[-1]) + 1) * tall + margin
    left, right = int(columns[0]) * wide - margin, (int(columns[-1]) + 1) * wide + margin
    return max(0, int(top)), max(0, int(left)), min(height, int(bottom + 1)), min(width, int(right + 1))


def frame_masks(
    pixels: Pixels, guide: FloatArray, logits: FloatArray, tau: float, box: Box, sigmas: Sequence[float]
) -> FloatArray:
    """Masks of groups in a region of a frame, with edges snapped to the frame's.

    Softmax does not change when one logit is taken off all, and the guided filter is linear, so only the differences
    to the last group are enlarged.

    Args:
        pixels: (H, W, 3), the frame.
        guide: (3, h, w) in [0, 1], the frame at the logits' resolution.
        logits: (G, h, w), see :func:`selfieart.video.steady.group_logits`.
        tau: softness; inf gives binary masks.
        box: the region.
        sigmas: softening of the border of each group, standard deviation in pixels.

    Returns:
        (G, bottom - top, right - left), summing to 1.
    """
    height, width = pixels.shape[:2]
    top, left, bottom, right = box
    coefficients = guided_coefficients(guide, logits[:-1] - logits[-1:], EDGE_RADIUS, EDGE_EPS)
    colors = cv2.split(np.ascontiguousarray(pixels[top:bottom, left:right]))
    out = np.zeros((len(logits), bottom - top, right - left), np.float32)

    def enlarge(group: int, _: int) -> None:
        # One plane of the whole frame at a time: memory that is new costs more than what is done in it.
        full = np.empty((height, width), np.float32)
        part = full[top:bottom, left:right]
        for plane, color in zip(coefficients[group], (*colors, None), strict=True):
            cv2.resize(plane, (width, height), full, interpolation=cv2.INTER_LINEAR)
            if color is not None:
                cv2.multiply(part, color, part, 1 / 255, cv2.CV_32F)
            out[group] += part

    in_parallel(enlarge, ((group, group + 1) for group in range(len(logits) - 1)))
    return feather(soft_masks(out, tau), sigmas)


def blended(content: Pixels, layers: Sequence[tuple[Pixels, FloatArray]]) -> Pixels:
    """Eq. 6 in bytes: o = sum_s w_s g_s + (1 - sum_s w_s) c.

    Args:
        content: (H, W, 3).
        layers: pictures g_s (H, W, 3) and their weights w_s (H, W), which sum to at most 1 over s.

    Returns:
        (H, W, 3); where all weights are 0 it is the content bit for bit.
    """
    out, covered = content, np.ones(content.shape[:2], np.float32)
    for _, weight in layers:
        covered -= weight
    np.maximum(covered, 0, out=covered)
    for picture, weight in layers:
        out = cv2.blendLinear(out, picture, covered, weight)  # type: ignore[assignment]
        covered += weight
    return out


def composed(pixels: Pixels, worn: Sequence[Worn], masks: FloatArray, box: Box, painting: FloatArray | None) -> Pixels:
    """Put what is worn over a frame.

    Args:
        pixels: (H, W, 3), the frame.
        worn: what the groups wear.
        masks: (G, bottom - top, right - left), of these groups and perhaps of one that wears nothing.
        box: the region of the frame outside which nothing is seen.
        painting: (h, w, 4) at its working resolution, of everything that is painted.

    Returns:
        (H, W, 3); where nothing is worn it is the frame bit for bit.
    """
    top, left, bottom, right = box
    layers: dict[tuple[str, float], tuple[Pixels, FloatArray]] = {}
    for place, part in enumerate(worn):
        if not part.changes:
            continue
        name = "painting" if part.painted else part.style.name
        # All that is painted, grey or of one colour is one layer; what is out of focus depends on the segment.
        key = (f"{name} {place}" if part.style.kind == "blur" else name, part.keep_color)
        weight = masks[place] * np.float32(part.strength)
        if key in layers:
            picture, before = layers[key]
            layers[key] = picture, before + weight
        else:
            layers[key] = _layer(part, pixels, masks[place], box, painting), weight
    out = pixels.copy()
    content = np.ascontiguousarray(pixels[top:bottom, left:right])
    out[top:bottom, left:right] = blended(content, list(layers.values()))
    return out


def _layer(part: Worn, pixels: Pixels, mask: FloatArray, box: Box, painting: FloatArray | None) -> Pixels:
    """What a segment wears, in a region of the frame: (bottom - top, right - left, 3)."""
    height, width = pixels.shape[:2]
    top, left, bottom, right = box
    here = np.s_[top:bottom, left:right]
    if part.painted:
        assert painting is not None
        colors = np.ascontiguousarray(painting[..., :3])
        if part.keep_color:
            content = scaled(pixels, colors.shape[:2])
            kept = keep_color(content, np.ascontiguousarray(colors.transpose(2, 0, 1)), part.keep_color)
            colors = np.ascontiguousarray(kept.transpose(1, 2, 0))
        return resize_pixels(cv2.convertScaleAbs(colors, alpha=255), (height, width))[here]  # type: ignore[arg-type]
    if part.style.kind == "color" and not part.keep_color:
        return np.full((bottom - top, right - left, 3), part.style.color, np.uint8)
    content = as_picture(pixels[here])
    if part.style.kind == "blur":
        whole = np.zeros((height, width), np.float32)
        whole[top:bottom, left:right] = mask
        layer = BlurLayer.of(pixels, whole).rows(content, top, bottom)[..., left:right]
    elif part.style.kind == "grey":
        layer = grey(content)
    else:
        layer = np.empty_like(content)
        layer[:] = np.array(part.style.color, np.float32)[:, None, None] / 255
    return as_pixels(keep_color(content, layer, part.keep_color))
