"""What the methods are given: checked, and brought to the sizes at which they work."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from selfieart.errors import SelfieartError
from selfieart.networks.encoder import SMALLEST_SIDE
from selfieart.networks.gram import mask_at
from selfieart.networks.tensors import resize
from selfieart.sizes import Size

DETAIL_LAYER = "relu3_1"
"""Where an importance is given its content counts beside that of relu4_2, which sees 8 pixels at a time and loses the
eyes of a small face."""

LONGEST_STYLE = 16
"""A style picture may be this many times as long as it is wide."""


@dataclass(frozen=True, eq=False)
class Regions:
    """A picture and the styles of its regions.

    Attributes:
        content: (3, H, W) in [0, 1].
        styles: pictures (3, h, w) in [0, 1].
        masks: (S, H, W) in [0, 1], where each style goes.
        rest: (H, W) in [0, 1], where the content stays; masks and rest sum to 1.
        places: for each style its place in the list that was given; empty where nobody asks.
        given: how many styles that list had.
    """

    content: Tensor
    styles: tuple[Tensor, ...]
    masks: Tensor
    rest: Tensor
    places: tuple[int, ...] = ()
    given: int = 0

    @property
    def size(self) -> Size:
        """(H, W)."""
        return self.content.shape[-2], self.content.shape[-1]

    def at(self, size: Size) -> Regions:
        """The same at another size; the styles as they are."""
        masks, rest = resize(self.masks, size), resize(self.rest[None], size)[0]
        return replace(self, content=resize(self.content, size), masks=masks, rest=rest)

    def composite(self, picture: Tensor) -> Tensor:
        """The picture (3, H, W) with the content where it stays: bit for bit where the rest is 1."""
        return self.content + (1 - self.rest) * (picture - self.content)


def check_regions(content: Tensor, styles: Sequence[Tensor], masks: Tensor | None) -> Regions:
    """What a method is asked to do, checked.

    Regions are put in an order of their own, so that the picture does not depend on the one in which they were given,
    not even in rounding; regions without a pixel are left out.

    Args:
        content: (3, H, W) in [0, 1], or (1, H, W) grey.
        styles: pictures (3, h, w) or (1, h, w) in [0, 1], of any size.
        masks: (S + 1, H, W) in [0, 1], summing to 1, the last one being what stays as it is; None for one style
            everywhere.

    Raises:
        SelfieartError: something is not a picture in [0, 1] without transparency, the content is smaller than 32
            pixels, a style is longer than 16 times its width, or the masks do not fit.
    """
    content = check_picture(content, "content")
    height, width = content.shape[-2:]
    if min(height, width) < SMALLEST_SIDE:
        raise SelfieartError(
            f"The picture is {width}x{height} pixels, too small to paint by optimisation: give one of at least "
            f"{SMALLEST_SIDE}x{SMALLEST_SIDE} pixels."
        )
    if not styles:
        raise SelfieartError("There is no style picture: give at least one.")
    pictures = [check_picture(style, "style") for style in styles]
    for style in pictures:
        long, short = max(style.shape[-2:]), min(style.shape[-2:])
        if long > LONGEST_STYLE * short:
            raise SelfieartError(
                f"A style picture is {style.shape[-1]}x{style.shape[-2]} pixels, too narrow to show a style: cut out a "
                "part of it."
            )
    if masks is None:
        masks = torch.zeros(len(pictures) + 1, height, width)
        masks[0] = 1
    masks = _check_masks(masks, len(pictures), height, width)
    kept = sorted((i for i in range(len(pictures)) if masks[i].max() > 0), key=lambda i: _digest(pictures[i], masks[i]))
    styles_kept = tuple(pictures[i] for i in kept)
    return Regions(content, styles_kept, masks[kept], masks[-1], tuple(kept), len(pictures))


def check_picture(picture: Tensor, what: str) -> Tensor:
    """A picture as (3, H, W) float32 of its own memory.

    Args:
        picture: (3, H, W) or (1, H, W) in [0, 1].
        what: how the sentence calls it: "content", "style".

    Raises:
        SelfieartError: it is something else.
    """
    if not isinstance(picture, Tensor) or picture.dim() != 3 or picture.shape[0] not in (1, 3) or not picture.numel():
        shape = tuple(picture.shape) if isinstance(picture, Tensor) else type(picture).__name__
        raise SelfieartError(
            f"The {what} must be a tensor (3, height, width) or, grey, (1, height, width), not {shape}: take "
            "transparency off first."
        )
    if not picture.is_floating_point():
        raise SelfieartError(f"The {what} must hold floats from 0 to 1, not {picture.dtype}: divide by 255.")
    if not bool(picture.isfinite().all()):
        raise SelfieartError(f"The {what} holds values that are no finite numbers: replace them first.")
    if float(picture.min()) < -1e-4 or float(picture.max()) > 1 + 1e-4:
        raise SelfieartError(
            f"The {what} must hold values from 0 to 1, not from {float(picture.min()):.4g} to "
            f"{float(picture.max()):.4g}: scale it first."
        )
    return picture.detach().float().clamp(0, 1).expand(3, -1, -1).clone()


def _check_masks(masks: Tensor, styles: int, height: int, width: int) -> Tensor:
    if not isinstance(masks, Tensor) or tuple(masks.shape) != (styles + 1, height, width):
        shape = tuple(masks.shape) if isinstance(masks, Tensor) else type(masks).__name__
        raise SelfieartError(
            f"The masks must be shaped {(styles + 1, height, width)}, one for each style and one for what stays as it "
            f"is, not {shape}."
        )
    masks = masks.detach().float().clone()
    if (
        not bool(masks.isfinite().all())
        or float(masks.min()) < -1e-3
        or not bool(((masks.sum(0) - 1).abs() < 1e-2).all())
    ):
        raise SelfieartError(
            "The masks must lie between 0 and 1 and sum to 1 at every pixel: divide them by their sum."
        )
    return masks.clamp(0, 1)


def _digest(style: Tensor, mask: Tensor) -> bytes:
    return hashlib.sha256(style.numpy().tobytes() + mask.contiguous().numpy().tobytes()).digest()


def style_at(style: Tensor, size: Size, style_scale: float) -> Tensor:
    """A style picture (3, h, w) brought to a content's size, with its own aspect ratio.

    Its area becomes that of the content times the square of ``style_scale``, so strokes come out as large as they are
    in the painting beside its frame. Small pictures are enlarged too, and none gets a side of fewer than 32 pixels,
    however narrow it is: the encoder sees no less.
    """
    height, width = style.shape[-2:]
    factor = style_scale * math.sqrt(size[0] * size[1] / (height * width))
    factor = max(factor, SMALLEST_SIDE / min(height, width))
    return resize(style, (round(height * factor), round(width * factor)), "cubic").clamp(0, 1)


def check_importance(importance: Tensor | None, size: Size) -> None:
    """Refuse what cannot say how much the content of a picture counts at each place.

    Args:
        importance: (H, W), numbers of at least 0; None is 1 everywhere.
        size: of the picture.

    Raises:
        SelfieartError: it has another shape or other values.
    """
    if importance is None:
        return
    if tuple(importance.shape) != size or not bool(importance.isfinite().all()) or float(importance.min()) < 0:
        raise SelfieartError(
            f"The importance must hold finite numbers of at least 0 and be shaped {size} like the picture, not "
            f"{tuple(importance.shape)}: resize it first."
        )


def importance_at(importance: Tensor | None, size: Size, features: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The importance (h, w) at the layers of features of a picture of some size; none where it is 1 everywhere."""
    if importance is None:
        return {}
    here = resize(importance[None], size)[0]
    return {layer: mask_at(here, (f.shape[-2], f.shape[-1])) for layer, f in features.items()}
