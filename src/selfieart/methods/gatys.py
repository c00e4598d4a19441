"""Neural style transfer by Gatys, Ecker and Bethge (CVPR 2016), with several styles at once.

Regions have guided Gram matrices (Gatys et al., "Controlling Perceptual Factors in Neural Style Transfer", CVPR 2017):
all of them are optimised together in one picture, so that strokes meet at a border instead of being cut there.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from selfieart.methods.inputs import (
    DETAIL_LAYER,
    Regions,
    check_importance,
    check_picture,
    check_regions,
    importance_at,
    style_at,
)
from selfieart.methods.losses import (
    content_loss,
    features_of,
    out_of_range,
    region_style,
    regions_loss,
    total_variation,
)
from selfieart.methods.minimise import Objective
from selfieart.methods.pyramid import Size, enlarged, pyramid_sizes, white_noise
from selfieart.methods.run import optimise
from selfieart.methods.settings import OptimiseOptions, Watch, check_number, unwatched
from selfieart.networks.encoder import CONTENT_LAYER, LAYERS, STYLE_LAYERS, PerceptualEncoder
from selfieart.networks.gram import gram
from selfieart.networks.tensors import keep_color, resize
from selfieart.progress import Progress, silent

RANGE_WEIGHT = 3000.0
"""Of the loss for values outside [0, 1].

What is left outside is clamped at the end. At a weight of 100 that raised the loss from 1.88 to 3.10 in one example, at
1000 from 1.82 to 1.89, and at 5000 not at all.
"""


@dataclass(frozen=True, eq=False)
class GatysOptions(OptimiseOptions):
    """Settings of Gatys' method.

    Attributes:
        style_weight: beta / alpha in units of relative errors: 30 is hardly stylised, 300 usual, 3000 strong.
        importance: (H, W) of the content's size, how much its content counts at each place; None is 1 everywhere, as
            published. relu4_2 sees 8 pixels at a time and loses the eyes of a small face, so that with an importance
            the content of relu3_1 counts as well.
        detail: weight of that content of relu3_1.
    """

    style_weight: float = 300.0
    importance: Tensor | None = None
    detail: float = 0.3

    def __post_init__(self) -> None:
        super().__post_init__()
        check_number("style_weight", self.style_weight, 0.0, 1e9)
        check_number("detail", self.detail, 0.0, 1e9)


class Gatys:
    """L = style_weight * mean over layers ||G - G_s||^2 / ||G_s||^2 + ||F - F_c||^2 / ||F_c||^2 + total variation.

    Args:
        encoder: whose features are compared.
    """

    name = "gatys"

    def __init__(self, encoder: PerceptualEncoder) -> None:
        self.encoder = encoder

    def stylize_regions(
        self,
        content: Tensor,
        styles: Sequence[Tensor],
        masks: Tensor | None = None,
        options: GatysOptions | None = None,
        progress: Progress = silent,
        watch: Watch = unwatched,
    ) -> Tensor:
        """Paint regions of a picture in the styles of other pictures.

        Args:
            content: (3, H, W) in [0, 1].
            styles: S pictures (3, h, w) in [0, 1], of any sizes.
            masks: (S + 1, H, W) in [0, 1], summing to 1, the last one being what stays as it is; None for one style
                everywhere.
            options: settings.
            progress: told the stage "style" and the fraction done; may raise Cancelled.
            watch: told losses and given a preview after every evaluation; may raise Cancelled.

        Returns:
            (3, H, W) in [0, 1]; where the last mask is 1, the content bit for bit.

        Raises:
            SelfieartError: a picture or the masks cannot be used; the sentence says why.
            Cancelled: a callback asked to stop.
        """
        options = options or GatysOptions()
        regions = check_regions(content, styles, masks)
        check_importance(options.importance, regions.size)
        return paint(regions, lambda size: self.objective(regions.at(size), options), options, progress, watch)

    def objective(self, regions: Regions, options: GatysOptions) -> Objective:
        """What is minimised at the regions' size."""
        size = regions.size
        with torch.no_grad():
            seen = features_of(self.encoder, regions.content, (CONTENT_LAYER, *STYLE_LAYERS), options.precision)
            importance = importance_at(options.importance, size, seen)
            layers = (CONTENT_LAYER,) if options.importance is None else (CONTENT_LAYER, DETAIL_LAYER)
            wanted = {layer: seen[layer] for layer in layers}
            targets = []
            for style, mask in zip(regions.styles, regions.masks, strict=True):
                picture = style_at(style, size, options.style_scale)
                features = features_of(self.encoder, picture, STYLE_LAYERS, options.precision)
                targets.append(region_style({k: gram(f) for k, f in features.items()}, mask, seen))

        def objective(x: Tensor) -> dict[str, Tensor]:
            picture = regions.composite(x)
            features = features_of(self.encoder, picture, LAYERS, options.precision)
            errors = [content_loss(features[k], wanted[k], importance.get(k)) for k in wanted]
            return {
                "content": errors[0] + options.detail * sum(errors[1:], torch.zeros(())),
                "style": options.style_weight * regions_loss(features, targets),
                "variation": options.total_variation * total_variation(picture),
                "range": RANGE_WEIGHT * out_of_range(picture),
            }

        return objective


def paint(
    regions: Regions,
    objective_at: Callable[[Size], Objective],
    options: OptimiseOptions,
    progress: Progress = silent,
    watch: Watch = unwatched,
    renewed: int | None = None,
) -> Tensor:
    """Run the engine on regions, from the start that the options name to the finished picture.

    Args:
        regions: what is painted.
        objective_at: what is minimised at each size.
        options: settings.
        progress, watch: callbacks.
        renewed: evaluations after which a size's objective is made anew; see the engine.

    Returns:
        (3, H, W) in [0, 1] at the content's own size.
    """
    if not regions.styles:
        progress("style", 1.0)
        return regions.content
    sizes = pyramid_sizes(*regions.size, options.side, options.scales)

    def shown(x: Tensor) -> Tensor:
        return regions.at((x.shape[-2], x.shape[-1])).composite(x)

    x = optimise(_start(regions, sizes[0], options), objective_at, sizes, options, progress, watch, shown, renewed)
    x = enlarged(x, regions.size).clamp(0, 1)
    return regions.composite(keep_color(regions.content, x, options.keep_color)).clamp(0, 1)


def _start(regions: Regions, size: Size, options: OptimiseOptions) -> Tensor:
    small = regions.at(size)
    if isinstance(options.start, Tensor):
        return resize(check_picture(options.start, "start"), size)
    return small.composite(white_noise(size, options.seed)) if options.start == "noise" else small.content
