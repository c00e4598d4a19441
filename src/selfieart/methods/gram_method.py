"""The loss of Gatys, Ecker and Bethge (CVPR 2016) with guided Gram matrices: several styles in one picture.

Guided Gram matrices are those of Gatys et al., "Controlling Perceptual Factors in Neural Style Transfer", CVPR 2017.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TypeVar

import torch
from torch import Tensor

from selfieart.methods.inputs import DETAIL_LAYER, Regions, check_importance, importance_at, style_at
from selfieart.methods.losses import (
    RANGE_WEIGHT,
    content_loss,
    features_of,
    out_of_range,
    region_style,
    regions_loss,
    total_variation,
)
from selfieart.methods.method import Method
from selfieart.methods.minimise import Objective
from selfieart.methods.scene import Scene
from selfieart.methods.settings import OptimiseOptions, check_number
from selfieart.networks.encoder import CONTENT_LAYER, LAYERS, STYLE_LAYERS
from selfieart.networks.gram import gram
from selfieart.sizes import Size


@dataclass(frozen=True, eq=False)
class GramOptions(OptimiseOptions):
    """Settings of what compares Gram matrices.

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


Options = TypeVar("Options", bound=GramOptions)


class GramMethod(Method[Options]):
    """L = style_weight * mean over layers ||G - G_s||^2 / ||G_s||^2 + ||F - F_c||^2 / ||F_c||^2 + total variation.

    Where the photo shows faces, their content counts more, so that they stay readable.
    """

    def prepare(self, scene: Scene, options: Options) -> Options:
        """Find out where the photo shows faces."""
        return options if options.importance is not None else replace(options, importance=scene.importance())

    def objective_at(self, regions: Regions, options: Options) -> Callable[[Size], Objective]:
        """What is minimised at each size."""
        check_importance(options.importance, regions.size)
        return lambda size: self.objective(regions.at(size), options)

    def objective(self, regions: Regions, options: Options) -> Objective:
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
