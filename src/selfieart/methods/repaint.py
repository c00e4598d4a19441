"""A look painted by a method that optimises, instead of the feed-forward network."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from selfieart.imaging import read_photo
from selfieart.imaging.arrays import FloatArray
from selfieart.imaging.resize import scaled
from selfieart.look import Look
from selfieart.methods.method import Method
from selfieart.methods.scene import Scene, tensor_of
from selfieart.methods.settings import OptimiseOptions, Watch, unwatched
from selfieart.networks.tensors import resize
from selfieart.progress import Progress
from selfieart.render.layers import PaintedLayer
from selfieart.render.portrait import Portrait
from selfieart.render.renderer import Repaint
from selfieart.sizes import scaled_size, size_within
from selfieart.styles.resolve import resolve_style

STYLE_SIDE = 1024
"""Long side in pixels to which style pictures are reduced."""


def repaint_with(
    method: Method[Any], options: OptimiseOptions, portrait: Portrait, look: Look, watch: Watch = unwatched
) -> Repaint:
    """What :meth:`selfieart.render.portrait.Portrait.render` wants, to paint all styles of a look in one optimisation.

    A preset, whose painting is not packaged, is represented by the photo as the network paints it in that style.

    Args:
        method: paints; what its options leave open it finds out from the portrait.
        options: of the method; its ``side`` is the short side at which the picture is painted.
        portrait: whose photo.
        look: what goes where.
        watch: told losses and given previews; may raise Cancelled.
    """
    full = portrait.photo.height, portrait.photo.width

    def repaint(styles: list[str], regions: FloatArray, progress: Progress) -> PaintedLayer:
        size = scaled_size(full, min(1.0, options.side / min(full)))
        scene = Scene(
            content=tensor_of(scaled(portrait.photo.pixels, size)),
            styles={style: style_picture(portrait, style, look) for style in styles},
            masks=grown(resize(tensor_of(regions), size)),
            parsing=portrait.parsing(look.faces),
            parser=portrait.studio.parser,
            tau=look.tau,
            progress=progress,
            watch=watch,
        )
        return PaintedLayer(method.paint(scene, options).numpy(), *full)

    return repaint


def grown(regions: Tensor) -> Tensor:
    """Masks (S, h, w) of what is worn -> masks (S + 1, h, w) for a method, the last being what stays.

    Whatever is half worn is painted all over: the painting is blended with the soft masks afterwards, and blending
    twice would show a seam of the photo.
    """
    total = regions.sum(0).clamp(1e-6, 1)
    painted = (2 * total).clamp_max(1)
    return torch.cat([regions * (painted / total), (1 - painted)[None]]).clamp(0, 1)


def style_picture(portrait: Portrait, style: str, look: Look) -> Tensor:
    """The picture (3, h, w) whose style a method imitates."""
    if resolve_style(style).kind == "picture":
        pixels = read_photo(style).pixels
        height, width = pixels.shape[:2]
        return tensor_of(scaled(pixels, size_within((height, width), STYLE_SIDE)))
    return tensor_of(portrait.layer(style, look).picture)
