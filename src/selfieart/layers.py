"""Layers: pictures the size of the photo that are worked out a strip of rows at a time.

A layer knows how to give any rows of itself, so composing a 24-megapixel photo never holds a second one in memory.
"""

from __future__ import annotations

from typing import Protocol

import torch
from torch import Tensor

from selfieart.imaging.color import grey
from selfieart.imaging.resize import resize, resize_rows
from selfieart.masks import gaussian_blur

BLUR_OF_SHORT_SIDE = 0.02
_BLUR_SIDE = 768


class Layer(Protocol):
    """Something that can be put over a photo."""

    def rows(self, content: Tensor, top: int, bottom: int) -> Tensor:
        """Rows top..bottom of the layer, given those rows of the photo (3, bottom - top, W): the same shape, in [0, 1]."""
        ...


class PaintedLayer:
    """A stylised picture at its working resolution, enlarged to the photo's.

    Args:
        picture: (3, h, w) in [0, 1].
        height, width: of the photo.
    """

    def __init__(self, picture: Tensor, height: int, width: int) -> None:
        self.picture, self.height, self.width = picture, height, width

    @property
    def bytes(self) -> int:
        """Memory held."""
        return self.picture.numel() * self.picture.element_size()

    def rows(self, content: Tensor, top: int, bottom: int) -> Tensor:
        if self.picture.shape[-2:] == (self.height, self.width):
            return self.picture[:, top:bottom]
        return resize_rows(self.picture, self.height, self.width, top, bottom, "cubic").clamp(0, 1)


class GreyLayer:
    """The photo without its colours."""

    def rows(self, content: Tensor, top: int, bottom: int) -> Tensor:
        return grey(content)


class ColorLayer:
    """One flat colour.

    Args:
        color: sRGB, each in 0..255.
    """

    def __init__(self, color: tuple[int, int, int]) -> None:
        self.color = torch.tensor(color, dtype=torch.float32)[:, None, None] / 255

    def rows(self, content: Tensor, top: int, bottom: int) -> Tensor:
        return self.color.expand_as(content)


class BlurLayer:
    """The photo out of focus, taking light only from inside a mask, so that no halo of the rest bleeds in.

    Normalised convolution (Knutsson and Westin 1993): blur(m c) / blur(m).

    Args:
        small: (3, h, w) in [0, 1], the photo at a reduced size.
        mask: (h, w) in [0, 1], the segments that are to be blurred.
        height, width: of the photo.
    """

    def __init__(self, small: Tensor, mask: Tensor, height: int, width: int) -> None:
        scale = min(1.0, _BLUR_SIDE / max(small.shape[-2:]))
        size = (max(1, round(small.shape[-2] * scale)), max(1, round(small.shape[-1] * scale)))
        small, mask = resize(small, size), resize(mask[None], size)
        sigma = max(1.0, BLUR_OF_SHORT_SIDE * min(size))
        # The square keeps the uncertain pixels of the border, where both colours mix, from counting.
        inside = mask.square() + 1e-4
        light, share = gaussian_blur(small * inside, sigma), gaussian_blur(inside, sigma)
        self._painted = PaintedLayer((light / share).clamp(0, 1), height, width)

    def rows(self, content: Tensor, top: int, bottom: int) -> Tensor:
        return self._painted.rows(content, top, bottom)
