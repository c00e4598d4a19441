"""Paint a whole photo in one style or several: strokes of one size, with a finer brush on small faces.

The picture is painted at a working resolution, so that strokes keep their size relative to the picture. Where the photo
is much larger, a second pass adds finer strokes between the coarse ones; where a face is small, its surroundings are
painted again, enlarged, and laid over with a soft border. A painter does the same.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from selfieart.imaging.arrays import FloatArray, Pixels
from selfieart.imaging.resize import resize, scaled
from selfieart.parsing.faces import Face
from selfieart.render.feed_forward import PresetStylizer
from selfieart.render.layers import PaintedLayer, Patch
from selfieart.sizes import scaled_size
from selfieart.stylizer import StylizeOptions

LARGEST_SUPERSAMPLING = 2.0
"""No part of a photo is enlarged by more than this before it is painted."""

FINE_FACE_SIDE = 300
"""Side in pixels at which the crop round a face should be painted for its features to stay readable."""

_WORTH_REFINING = 1.25
_ROUND_A_FACE = 1.35
_LARGEST_DETAIL = 2.0


def paint(
    stylizer: PresetStylizer,
    pixels: Pixels,
    codes: FloatArray,
    stroke_side: int,
    faces: Sequence[Face] = (),
    masks: FloatArray | None = None,
    options: StylizeOptions | None = None,
    draft: bool = False,
) -> PaintedLayer:
    """Paint a photo.

    Args:
        stylizer: the feed-forward method.
        pixels: (H, W, 3) uint8, the photo.
        codes: (S, D), style codes.
        stroke_side: short side in pixels at which the picture is painted.
        faces: in pixels of the photo; small ones get a finer brush.
        masks: (S, H, W), the share of each style, summing to 1 over S; needed when S > 1.
        options: seed of the strokes.
        draft: leave out the finer strokes, of a large photo and of small faces: several times faster.

    Returns:
        The painted layer.

    Raises:
        SelfieartError: the photo is too small.
    """
    height, width = pixels.shape[:2]
    scale = min(LARGEST_SUPERSAMPLING, stroke_side / min(height, width))

    def at(scale: float, box: tuple[int, int, int, int] = (0, 0, height, width)) -> FloatArray:
        top, left, bottom, right = box
        size = scaled_size((bottom - top, right - left), scale)
        share = None if masks is None else resize(masks[:, top:bottom, left:right], size)
        return stylizer.render(scaled(pixels[top:bottom, left:right], size), codes, share, options)

    picture = at(scale)
    if 1 / scale > _WORTH_REFINING and not draft:
        finer = at(min(1.0, scale * _LARGEST_DETAIL))
        picture = with_detail(picture, finer)
    if picture.shape[-1] > width:
        picture = resize(picture, (height, width))
    patches = []
    for face in () if draft else faces:
        fine = min(LARGEST_SUPERSAMPLING, FINE_FACE_SIDE / face.side)
        if fine > _WORTH_REFINING * scale:
            box = _square(face, height, width)
            patch = at(fine, box)
            patches.append(Patch(_not_larger(patch, box), *box))
    return PaintedLayer(picture, height, width, tuple(patches))


def with_detail(coarse: FloatArray, fine: FloatArray) -> FloatArray:
    """Coarse strokes with the fine strokes of another painting between them: low band of one, high band of the other.

    Args:
        coarse: (3, h, w) in [0, 1].
        fine: (3, H, W) in [0, 1], the same picture painted larger.

    Returns:
        (3, H, W) in [0, 1].
    """
    size = (fine.shape[-2], fine.shape[-1])
    low = resize(resize(fine, (coarse.shape[-2], coarse.shape[-1])), size, "cubic")
    out = resize(coarse, size, "cubic") + fine
    out -= low
    return np.clip(out, 0, 1, out=out)


def _square(face: Face, height: int, width: int) -> tuple[int, int, int, int]:
    """Top, left, bottom, right of the region round a face that is painted again."""
    half = face.side * _ROUND_A_FACE / 2
    top, left = max(0, int(face.y - half)), max(0, int(face.x - half))
    return top, left, min(height, int(face.y + half)), min(width, int(face.x + half))


def _not_larger(picture: FloatArray, box: tuple[int, int, int, int]) -> FloatArray:
    size = (box[2] - box[0], box[3] - box[1])
    return resize(picture, size) if picture.shape[-1] > size[1] else picture


def shares_of(masks: FloatArray) -> FloatArray:
    """Masks (S, H, W) of what is worn -> shares that sum to 1 everywhere.

    Where nothing is worn the painting is not seen, but the network still wants weights.
    """
    shares = masks + np.float32(1e-3)
    shares /= shares.sum(0)
    return shares
