"""Portrait-aware artistic style transfer: coarse strokes on the whole picture, fine ones on the background alone.

E = alpha E_c + beta E_s + gamma E_s' + total variation, with (alpha, beta, gamma) = (5, 2e2, 2e4):

    E_c   = 1 / (N D) sum (F(x) - F(c))^2                             relu4_2
    E_s   = sum over l of 1 / (4 N^2) sum (G(x) - G(s))^2             relu3_1, relu4_1, relu5_1
    E_s'  = the same of x' = x * y, y the background's mask           relu1_1, relu2_1, relu3_1

with G = F F^T / D. The paper's weights belong to the VGG-19 whose filters Gatys et al. scaled to a mean activation of
one. Any encoder is brought to that scale here by one factor per layer, which makes the mean square of the content's
features one, so that the weights mean the same with every encoder. N is VGG-19's number of channels also where an
encoder gives the features in a smaller orthonormal basis, in which the sums over all N channels are what they were.

Two things differ from the paper unless :meth:`PortraitAwareOptions.published` is asked for. Features are cut out with
the mask instead of the picture, and D counts the background's positions: a picture cut out on black has an edge of its
own, which was painted as a bright line round the person, and a Gram matrix thinned by black can only match the style's
with glaring contrast. And the start is the content: from white noise 50 evaluations give the person no face yet.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal, get_args

import torch
from torch import Tensor

from selfieart.errors import SelfieartError, unknown
from selfieart.methods.inputs import Regions, style_at
from selfieart.methods.losses import (
    RANGE_WEIGHT,
    VGG_CHANNELS,
    content_energy,
    features_of,
    out_of_range,
    total_variation,
    unit_scale,
)
from selfieart.methods.method import Method
from selfieart.methods.minimise import Objective
from selfieart.methods.scene import Scene
from selfieart.methods.settings import OptimiseOptions, check_number
from selfieart.networks.encoder import CONTENT_LAYER, STYLE_LAYERS
from selfieart.networks.gram import mask_at
from selfieart.networks.tensors import resize
from selfieart.sizes import Size

COARSE_LAYERS = ("relu3_1", "relu4_1", "relu5_1")
FINE_LAYERS = ("relu1_1", "relu2_1", "relu3_1")
Variant = Literal["portrait-aware", "gatys", "gatys+"]
Cut = Literal["features", "picture"]


@dataclass(frozen=True, eq=False)
class PortraitAwareOptions(OptimiseOptions):
    """Settings of the portrait-aware method.

    Attributes:
        content_weight, style_weight, background_weight: alpha, beta and gamma.
        variant: "portrait-aware", or one of the paper's baselines in the same units: "gatys" is alpha E_c + beta E_s
            with E_s of the whole picture on relu1_1 to relu5_1, "gatys+" the same with 20 beta.
        cut: where x' is cut out of x: "picture" as published, "features" as said above.
        background: (H, W) in [0, 1], the mask y of the content's size; only the baselines do without.
    """

    content_weight: float = 5.0
    style_weight: float = 2e2
    background_weight: float = 2e4
    variant: Variant = "portrait-aware"
    cut: Cut = "features"
    background: Tensor | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        for name in ("content_weight", "style_weight", "background_weight"):
            check_number(name, getattr(self, name), 0.0, 1e9)
        for name, kind in (("variant", Variant), ("cut", Cut)):
            if getattr(self, name) not in get_args(kind):
                raise unknown(name, str(getattr(self, name)), get_args(kind))

    @classmethod
    def published(cls, background: Tensor | None, **settings: Any) -> PortraitAwareOptions:
        """The paper's settings: white noise, one size, 1000 iterations, the picture cut out on black.

        Args:
            background: see above; None where it is set later.
            settings: others than the paper's.
        """
        paper: dict[str, Any] = {"start": "noise", "scales": 1, "iterations": 1000, "cut": "picture"}
        return cls(background=background, **{**paper, **settings})


def gram_matrix(features: Tensor, mask: Tensor | None = None, positions: float | None = None) -> Tensor:
    """G = F F^T / D of features (1, n, h, w): (1, n, n).

    Args:
        features: (1, n, h, w).
        mask: (h, w) in [0, 1], the weight of each position; 1 when left out.
        positions: D; the sum of the mask when left out.
    """
    mask = features.new_ones(features.shape[-2:]) if mask is None else mask
    area = float(mask.sum()) if positions is None else positions
    flat = (features * mask.sqrt()).flatten(2)
    return flat @ flat.transpose(1, 2) / max(area, 1e-6)


def style_energy(got: Tensor, wanted: Tensor, channels: int) -> Tensor:
    """E_s^l = 1 / (4 N^2) sum (G - G_s)^2 of Gram matrices (1, n, n), eq. 3; N as given."""
    return (got - wanted).square().sum() / (4 * channels**2)


class PortraitAware(Method[PortraitAwareOptions]):
    """Coarse strokes on the whole picture, fine ones on the background; see the module.

    The paper has one style everywhere. With several, each region has energies of its own, weighted by its share.

    Args:
        encoder: whose features are compared.
    """

    name = "portrait-aware"
    summary = "Coarse strokes on the whole picture and fine ones on the background alone, so that the person survives."
    options = PortraitAwareOptions

    def prepare(self, scene: Scene, options: PortraitAwareOptions) -> PortraitAwareOptions:
        """Find out where the background is. Faces get no importance: the method keeps the person by itself."""
        return options if options.background is not None else replace(options, background=scene.background())

    def objective_at(self, regions: Regions, options: PortraitAwareOptions) -> Callable[[Size], Objective]:
        """What is minimised at each size; ``background`` is needed."""
        background = _check_background(options, regions)
        return lambda size: self.objective(regions.at(size), resize(background[None], size)[0], options)

    def objective(self, regions: Regions, background: Tensor, options: PortraitAwareOptions) -> Objective:
        """What is minimised at the regions' size; background is y, (H, W)."""
        plain = options.variant != "portrait-aware"
        beta = options.style_weight * (20 if options.variant == "gatys+" else 1)
        whole, fine = (STYLE_LAYERS, ()) if plain else (COARSE_LAYERS, FINE_LAYERS)
        seen_layers = {CONTENT_LAYER, *whole, *fine}
        with torch.no_grad():
            content = features_of(self.encoder, regions.content, seen_layers, options.precision)
            scales = {layer: unit_scale(f, layer) for layer, f in content.items()}
            wanted = content[CONTENT_LAYER] * scales[CONTENT_LAYER]
            grams: list[dict[str, Tensor]] = []
            for style in regions.styles:
                picture = style_at(style, regions.size, options.style_scale)
                features = features_of(self.encoder, picture, {*whole, *fine}, options.precision)
                grams.append({layer: gram_matrix(f * scales[layer]) for layer, f in features.items()})
        everywhere = _at_layers(regions.masks, content)
        behind = _at_layers(regions.masks * background, content) if options.cut == "features" else everywhere
        shares = [float(mask.mean()) for mask in regions.masks]

        def energy(features: Mapping[str, Tensor], layers: Sequence[str], masks: list[dict[str, Tensor]]) -> Tensor:
            scaled = {layer: features[layer] * scales[layer] for layer in layers}
            terms = [
                share * style_energy(gram_matrix(scaled[layer], mask[layer]), gram[layer], VGG_CHANNELS[layer])
                for share, mask, gram in zip(shares, masks, grams, strict=True)
                for layer in layers
            ]
            return torch.stack(terms).sum()

        def objective(x: Tensor) -> dict[str, Tensor]:
            picture = regions.composite(x)
            layers = {CONTENT_LAYER, *whole} if options.cut == "picture" else seen_layers
            features = features_of(self.encoder, picture, layers, options.precision)
            got = features[CONTENT_LAYER] * scales[CONTENT_LAYER]
            losses = {
                "content": options.content_weight * content_energy(got, wanted, VGG_CHANNELS[CONTENT_LAYER]),
                "style": beta * energy(features, whole, everywhere),
                "variation": options.total_variation * total_variation(picture),
                "range": RANGE_WEIGHT * out_of_range(picture),
            }
            if fine:
                if options.cut == "picture":
                    features = features_of(self.encoder, picture * background, fine, options.precision)
                losses["background"] = options.background_weight * energy(features, fine, behind)
            return losses

        return objective


def _at_layers(masks: Tensor, features: Mapping[str, Tensor]) -> list[dict[str, Tensor]]:
    """Masks (S, H, W) at the sizes of layers."""
    return [{layer: mask_at(mask, (f.shape[-2], f.shape[-1])) for layer, f in features.items()} for mask in masks]


def _check_background(options: PortraitAwareOptions, regions: Regions) -> Tensor:
    """y as (H, W) in [0, 1]; ones where it is not needed."""
    mask = options.background
    if mask is None:
        if options.variant == "portrait-aware":
            raise SelfieartError("The portrait-aware method needs to know the background: give its mask.")
        return torch.ones(regions.size)
    if tuple(mask.shape) != regions.size or not bool(mask.isfinite().all()):
        raise SelfieartError(
            f"The background's mask must hold finite numbers and be shaped {regions.size} like the picture, not "
            f"{tuple(mask.shape)}: resize it first."
        )
    return mask.detach().float().clamp(0, 1).clone()
