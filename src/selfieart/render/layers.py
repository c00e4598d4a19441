"""Layers: pictures the size of the photo that are worked out a strip of rows at a time.

A layer knows how to give any rows of itself, so composing a 24-megapixel photo never holds a second one in memory.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from selfieart.imaging.arrays import FloatArray, Pixels, at_least, at_most
from selfieart.imaging.color import grey
from selfieart.imaging.resize import resize, resize_rows, scaled
from selfieart.masks import gaussian_blur
from selfieart.sizes import size_within

BLUR_OF_SHORT_SIDE = 0.02
_BLUR_SIDE, _BLUR_COPY_SIDE = 768, 1024


class Layer(Protocol):
    """Something that can be put over a photo."""

    def rows(self, content: FloatArray, top: int, bottom: int) -> FloatArray:
        """Rows top..bottom of the layer, (3, bottom - top, W) in [0, 1], given those rows of the photo."""
        ...


@dataclass(frozen=True)
class Patch:
    """A region of the photo painted separately.

    Attributes:
        picture: (3, h, w) in [0, 1].
        top, left, bottom, right: where it lies, in pixels of the photo.
    """

    picture: FloatArray
    top: int
    left: int
    bottom: int
    right: int

    def rows(self, top: int, bottom: int) -> FloatArray:
        """Rows top..bottom of the photo, as far as the patch reaches: (3, bottom - top, right - left)."""
        size = (self.bottom - self.top, self.right - self.left)
        return _enlarged(self.picture, *size, top - self.top, bottom - self.top)

    def weights(self, top: int, bottom: int, height: int, width: int) -> FloatArray:
        """(bottom - top, right - left): 1 inside, falling smoothly to 0 at borders that are not the photo's own."""
        rows = _ramp(self.top, self.bottom, height)[top - self.top : bottom - self.top]
        return rows[:, None] * _ramp(self.left, self.right, width)


def _ramp(first: int, last: int, size: int, margin: float = 0.2) -> FloatArray:
    place = np.arange(first, last, dtype=np.float32) + np.float32(0.5)
    span = margin * (last - first)
    before = (place - first) / span if first > 0 else np.ones_like(place)
    after = (last - place) / span if last < size else np.ones_like(place)
    return np.float32(0.5) - np.float32(0.5) * np.cos(np.float32(np.pi) * np.minimum(before, after).clip(0, 1))


def _enlarged(picture: FloatArray, height: int, width: int, top: int, bottom: int) -> FloatArray:
    """Rows of a picture enlarged to a size; when it has that size already a view of it."""
    if picture.shape[-2:] == (height, width):
        return picture[:, top:bottom]
    rows = resize_rows(picture, height, width, top, bottom, "cubic")
    return at_most(at_least(rows, 0, rows), 1, rows)


def _within(picture: FloatArray, height: int, width: int) -> FloatArray:
    """A picture (3, h, w) reduced to at most a size, so that enlarging it later does not alias."""
    return resize(picture, (min(picture.shape[-2], height), min(picture.shape[-1], width)))


class PaintedLayer:
    """A stylised picture at its working resolution, enlarged to the photo's, with patches painted finer.

    Args:
        picture: (3, h, w) in [0, 1].
        height, width: of the photo.
        patches: laid over it with soft borders.
    """

    def __init__(self, picture: FloatArray, height: int, width: int, patches: tuple[Patch, ...] = ()) -> None:
        self.picture, self.height, self.width, self.patches = picture, height, width, patches

    @property
    def bytes(self) -> int:
        """Memory held."""
        return sum(picture.nbytes for picture in (self.picture, *(patch.picture for patch in self.patches)))

    def at_size(self, height: int, width: int) -> PaintedLayer:
        """The same painting over a smaller or larger copy of the photo."""
        if (height, width) == (self.height, self.width):
            return self
        y, x = height / self.height, width / self.width
        patches = []
        for patch in self.patches:
            top, bottom = round(patch.top * y), round(patch.bottom * y)
            left, right = round(patch.left * x), round(patch.right * x)
            if bottom > top and right > left:
                patches.append(Patch(_within(patch.picture, bottom - top, right - left), top, left, bottom, right))
        return PaintedLayer(_within(self.picture, height, width), height, width, tuple(patches))

    def rows(self, content: FloatArray, top: int, bottom: int) -> FloatArray:
        """Rows of the painting, with its patches."""
        out = _enlarged(self.picture, self.height, self.width, top, bottom)
        touched = [patch for patch in self.patches if patch.top < bottom and patch.bottom > top]
        if not touched:
            return out
        out = out.copy()
        for patch in touched:
            first, last = max(top, patch.top), min(bottom, patch.bottom)
            region = out[:, first - top : last - top, patch.left : patch.right]
            change = patch.rows(first, last) - region
            change *= patch.weights(first, last, self.height, self.width)
            region += change
        return out


class GreyLayer:
    """The photo without its colours."""

    def rows(self, content: FloatArray, top: int, bottom: int) -> FloatArray:
        """Those rows in grey."""
        return grey(content)


class ColorLayer:
    """One flat colour.

    Args:
        color: sRGB, each in 0..255.
    """

    def __init__(self, color: tuple[int, int, int]) -> None:
        self.color = np.array(color, np.float32)[:, None, None] / np.float32(255)

    def rows(self, content: FloatArray, top: int, bottom: int) -> FloatArray:
        """Those rows in the colour."""
        return np.broadcast_to(self.color, content.shape)


class BlurLayer:
    """The photo out of focus, taking light only from inside a mask, so that no halo of the rest bleeds in.

    Normalised convolution (Knutsson and Westin 1993): blur(m c) / blur(m).

    Args:
        small: (3, h, w) in [0, 1], the photo at a reduced size.
        mask: (h, w) in [0, 1], the segments that are to be blurred.
        height, width: of the photo.
    """

    def __init__(self, small: FloatArray, mask: FloatArray, height: int, width: int) -> None:
        size = size_within((small.shape[-2], small.shape[-1]), _BLUR_SIDE)
        small, mask = resize(small, size), resize(mask[None], size)
        sigma = max(1.0, BLUR_OF_SHORT_SIDE * min(size))
        # The square keeps the uncertain pixels of the border, where both colours mix, from counting.
        inside = mask * mask + np.float32(1e-4)
        light, share = gaussian_blur(small * inside, sigma), gaussian_blur(inside, sigma)
        self._painted = PaintedLayer((light / share).clip(0, 1), height, width)

    @classmethod
    def of(cls, pixels: Pixels, mask: FloatArray) -> BlurLayer:
        """That of a photo (H, W, 3) and a mask (H, W) of its size."""
        height, width = mask.shape
        size = size_within((height, width), _BLUR_COPY_SIDE)
        return cls(scaled(pixels, size), resize(mask[None], size)[0], height, width)

    def rows(self, content: FloatArray, top: int, bottom: int) -> FloatArray:
        """Those rows out of focus."""
        return self._painted.rows(content, top, bottom)
