"""A look painted by a method that optimises, instead of the feed-forward network."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from selfieart.imaging import read_photo
from selfieart.importance import importance
from selfieart.look import Look
from selfieart.methods.gatys import GatysOptions
from selfieart.methods.portrait_aware import PortraitAwareOptions
from selfieart.methods.semantic import Semantic
from selfieart.methods.semantic_masks import GuidanceChoice, guidance_for
from selfieart.methods.semantic_options import SemanticOptions
from selfieart.methods.settings import Watch, unwatched
from selfieart.networks.tensors import resize
from selfieart.progress import Progress
from selfieart.render.layers import PaintedLayer
from selfieart.render.painter import scaled
from selfieart.render.studio import Portrait, Repaint
from selfieart.segments import INDEX
from selfieart.styles.resolve import resolve_style

if TYPE_CHECKING:
    from selfieart.methods.registry import RegionStylizer

FACE_IMPORTANCE = {"face": 3.0, "features": 6.0, "rest": 0.7}
"""Without, the small faces of half-length portraits dissolve; more leaves large ones with fewer strokes."""

STYLE_SIDE = 1024
"""Long side in pixels to which style pictures are reduced."""


def repaint_with(
    load: Callable[[], RegionStylizer],
    options: Any,
    portrait: Portrait,
    look: Look,
    watch: Watch = unwatched,
    guidance: GuidanceChoice | None = None,
) -> Repaint:
    """What :meth:`selfieart.render.studio.Portrait.render` wants, to paint all styles of a look in one optimisation.

    A preset, whose painting is not packaged, is represented by the photo as the network paints it in that style.

    Where the photo shows faces, their content counts more (but not in the portrait-aware method, which keeps the
    person by itself), so that they stay readable.

    Args:
        load: gives the method, when it is wanted.
        options: of the method; its ``side`` is the short side at which the picture is painted. The portrait-aware
            method's background is the portrait's where none is given, and so are the semantic method's soft masks.
        portrait: whose photo.
        look: what goes where.
        watch: told losses and given previews; may raise Cancelled.
        guidance: where the semantic method's soft masks come from; found out when left out.
    """
    height, width = portrait.photo.height, portrait.photo.width

    def repaint(styles: list[str], regions: Tensor, progress: Progress) -> PaintedLayer:
        scale = min(1.0, options.side / min(height, width))
        size = (max(1, round(height * scale)), max(1, round(width * scale)))
        content = scaled(portrait.photo.pixels, size)
        pictures = [style_picture(portrait, style, look) for style in styles]
        chosen = options
        if isinstance(options, PortraitAwareOptions) and options.background is None:
            soft = portrait.parsing(look.faces).masks(look.tau, size)
            chosen = replace(options, background=soft[INDEX["background"]])
        if isinstance(options, GatysOptions | SemanticOptions) and options.importance is None:
            parsing = portrait.parsing(look.faces)
            if parsing.faces:
                chosen = replace(chosen, importance=importance(parsing.masks(look.tau, size), **FACE_IMPORTANCE))
        method = load()
        if isinstance(method, Semantic) and isinstance(options, SemanticOptions) and options.guidance is None:
            named = dict(zip(styles, pictures, strict=True))
            found = guidance_for(
                guidance or GuidanceChoice(),
                content,
                portrait.parsing(look.faces),
                named,
                portrait.studio.parser,
                method.encoder,
                look.seed,
            )
            chosen = replace(chosen, guidance=found)
        painted = method.stylize_regions(content, pictures, grown(resize(regions, size)), chosen, progress, watch)
        return PaintedLayer(painted, height, width)

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
        scale = min(1.0, STYLE_SIDE / max(pixels.shape[:2]))
        return scaled(pixels, (max(1, round(pixels.shape[0] * scale)), max(1, round(pixels.shape[1] * scale))))
    return portrait.layer(style, look).picture
