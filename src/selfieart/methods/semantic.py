"""Semantic style transfer with soft masks: CNNMRF whose patches know what they show.

Zhao, Rosin and Lai, "Automatic Semantic Style Transfer using Deep Convolutional Neural Networks and Soft Masks", 2017,
on Li and Wand's CNNMRF (CVPR 2016). Every 3x3 patch of the picture's features is made like the style patch nearest to
it, and soft masks p of both pictures, weighted by gamma, are channels of the features that are matched:

    m = (x, gamma p)                                                                                            (1)
    E = alpha_1 E_s + alpha_2 E_c                                                                               (2)
    E_s = sum_i || P_i(F(x)) - P_NN(i)(F(x_s)) ||^2 + gamma sum_ik || P_i(m_ck) - P_NN(i)(m_sk) ||^2            (3)
    NN(i) = the style patch of highest normalised cross-correlation with patch i of m                           (4)
    E_c = || F(x) - F(x_c) ||^2                                                                                 (5)

E_s is of relu3_1 and relu4_1, E_c of relu4_2. Units: any encoder's features are scaled by one factor per layer, so that
those of content and styles have a mean square of one over VGG-19's N channels. Then gamma = 20 weighs masks about as
much as features, at relu3_1 (N = 256) somewhat more and at relu4_1 (N = 512) somewhat less, and 15 to 35 is the useful
range as published. Both energies are divided by how many numbers are compared (3 by 9 N P, 5 by N D), so that weights
do not depend on the size. The published alpha_1 = 1e-4 and alpha_2 = 20 belong to Li and Wand's program, whose content
loss is such a mean and whose style loss is half the sum over positions of the squared distance to the mean of the
patches that lie there: in means that is alpha_1 N D / (2 alpha_2) to 1, for a picture of 384 pixels 3 at relu4_1 and 6
at relu3_1.

Matches are found again after every few evaluations and fixed between, so that L-BFGS minimises one function at a time;
the second term of eq. 3 depends on the matches alone, and is told but moves nothing.

Two things differ from the paper unless :meth:`SemanticOptions.published` is asked for. Its two layers leave colours and
single strokes open: the picture kept much of the content's orange and was covered with a grid. So relu1_1 and relu2_1
are wanted to be as in the middle of the patch that relu3_1 matched there. And the start is the content, because from
white noise so few evaluations leave noise, at less style, because faces of half-length portraits lost their eyes.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from selfieart.errors import SelfieartError
from selfieart.methods.guidance import Guidance
from selfieart.methods.inputs import DETAIL_LAYER, Regions, check_importance, importance_at, style_at
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
from selfieart.methods.patches import Matches, Votes, centre_votes, match, mrf_loss, votes
from selfieart.methods.scene import Scene
from selfieart.methods.semantic_masks import guidance_for
from selfieart.methods.semantic_options import SemanticOptions, read_options
from selfieart.methods.settings import Watch, unwatched
from selfieart.methods.variants import variants
from selfieart.networks.encoder import CONTENT_LAYER, STEPS
from selfieart.networks.gram import mask_at
from selfieart.networks.tensors import resize
from selfieart.progress import Progress, silent
from selfieart.sizes import Size

PATCH_LAYERS = ("relu3_1", "relu4_1")

FINE_LAYERS = ("relu1_1", "relu2_1")
MATCHED = "relu3_1"
"""The layer whose matches the fine layers use."""


@dataclass(frozen=True, eq=False)
class _Layer:
    """One layer at one size; its features have a mean square of one.

    Attributes:
        scale: factor of the encoder's features.
        sources: features (N, u, v) of the style pictures and their copies.
    """

    scale: float
    sources: list[Tensor]


@dataclass(frozen=True, eq=False)
class _PatchLayer(_Layer):
    """A layer whose patches are matched.

    Attributes:
        gamma: weight of the masks.
        masks: gamma p of the content, (K, h, w).
        augmented: the sources with gamma p below, (N + K, u, v).
        allowed: for each of them where its patches may be used, (h - 2, w - 2) booleans.
        weights: (h - 2, w - 2) in [0, 1], how much each patch is painted.
    """

    gamma: float
    masks: Tensor
    augmented: list[Tensor]
    allowed: list[Tensor]
    weights: Tensor


Loss = Callable[[Mapping[str, Tensor]], Tensor]
"""Of the encoder's features (1, N, h, w) by layer."""


class Semantic(Method[SemanticOptions]):
    """Patches of styles, found by what they look like and by what they show; see the module.

    In its own region a style's patches compete with those of no other. Where regions overlap, every style whose mask is
    at least half of the greatest there takes part.

    Args:
        encoder: whose features are compared.
    """

    name = "semantic"
    summary = "Patches of the painting that look alike and show the same, hair like hair and sky like sky."
    options = SemanticOptions

    @classmethod
    def options_from(cls, settings: Mapping[str, object]) -> SemanticOptions:
        """Options from settings by name; see :func:`selfieart.methods.semantic_options.read_options`."""
        return read_options(settings, f"setting of {cls.name}")

    def prepare(self, scene: Scene, options: SemanticOptions) -> SemanticOptions:
        """Find out where the photo shows faces, and what in it is like what in the style pictures."""
        if options.importance is None:
            options = replace(options, importance=scene.importance())
        if options.guidance is None:
            found = guidance_for(
                options.guided_by,
                scene.content,
                scene.parsing,
                scene.styles,
                scene.parser,
                self.encoder,
                options.seed,
            )
            options = replace(options, guidance=found)
        return options

    def stylize_regions(
        self,
        content: Tensor,
        styles: Sequence[Tensor],
        masks: Tensor | None = None,
        options: SemanticOptions | None = None,
        progress: Progress = silent,
        watch: Watch = unwatched,
    ) -> Tensor:
        """Paint a picture with patches of others; without masks all styles compete everywhere."""
        if masks is None and len(styles) > 1 and isinstance(content, Tensor) and content.dim() == 3:
            masks = torch.full((len(styles) + 1, *content.shape[-2:]), 1 / len(styles))
            masks[-1] = 0
        return super().stylize_regions(content, styles, masks, options, progress, watch)

    def objective_at(self, regions: Regions, options: SemanticOptions) -> Callable[[Size], Objective]:
        """What is minimised at each size; asked for the same size again, it finds the matches again."""
        guidance = _check_guidance(options, regions)
        check_importance(options.importance, regions.size)
        made: dict[Size, Callable[[], Objective]] = {}

        def objective_at(size: Size) -> Objective:
            if size not in made:
                made.clear()
                made[size] = self.objectives(regions.at(size), guidance, options)
            return made[size]()

        return objective_at

    def renewed(self, options: SemanticOptions) -> int | None:
        """Matches are found again after so many evaluations."""
        return options.rematch

    def objectives(
        self, regions: Regions, guidance: Guidance | None, options: SemanticOptions
    ) -> Callable[[], Objective]:
        """What is minimised at the regions' size: a factory, because each round has matches of its own.

        Args:
            regions: at the size.
            guidance: of the regions' styles, in their order.
            options: settings.

        Returns:
            A function that gives objectives; each finds its matches for the first picture that it is given.
        """
        layers = (*PATCH_LAYERS, CONTENT_LAYER, *(FINE_LAYERS if options.fine_weight else ()))
        with torch.no_grad():
            seen = features_of(self.encoder, regions.content, layers, options.precision)
            copies = self._copies(regions, guidance, options, layers)
            scales = {name: _common_scale(name, seen, [copy.features for copy in copies]) for name in layers}
            patch, fine = _sources(regions, guidance, options, seen, copies, scales)
        contents = (CONTENT_LAYER,) if options.importance is None else (CONTENT_LAYER, DETAIL_LAYER)
        wanted = {name: seen[name] * scales[name] for name in contents}
        importance = importance_at(options.importance, regions.size, wanted)

        def content_of(features: Mapping[str, Tensor]) -> Tensor:
            errors = [
                content_energy(features[name] * scales[name], wanted[name], VGG_CHANNELS[name], importance.get(name))
                for name in contents
            ]
            return errors[0] + options.detail * sum(errors[1:], torch.zeros(()))

        def renewed() -> Objective:
            losses: dict[str, Loss] = {}

            def objective(x: Tensor) -> dict[str, Tensor]:
                picture = regions.composite(x)
                features = features_of(self.encoder, picture, layers, options.precision)
                if not losses:
                    losses.update(_matched(features, patch, fine))
                return {
                    "content": options.content_weight * content_of(features),
                    "style": options.style_weight * losses["style"](features),
                    "masks": options.style_weight * losses["masks"](features),
                    "fine": options.style_weight * options.fine_weight * losses["fine"](features),
                    "variation": options.total_variation * total_variation(picture),
                    "range": RANGE_WEIGHT * out_of_range(picture),
                }

            return objective

        return renewed

    def _copies(
        self, regions: Regions, guidance: Guidance | None, options: SemanticOptions, layers: Sequence[str]
    ) -> list[_Copy]:
        """Features and masks of all style pictures and their turned and resized copies."""
        copies = []
        for owner, style in enumerate(regions.styles):
            picture = style_at(style, regions.size, options.style_scale)
            soft = None if guidance is None else resize(guidance.styles[owner].float(), _size(picture))
            for copy, masks in variants(picture, soft, options.rotations, options.sizes):
                copies.append(_Copy(owner, features_of(self.encoder, copy, layers, options.precision), masks))
        return copies


@dataclass(frozen=True, eq=False)
class _Copy:
    """A style picture, or a copy of one: whose, its features by layer as the encoder gives them, and its masks."""

    owner: int
    features: Mapping[str, Tensor]
    masks: Tensor | None


def _common_scale(name: str, content: Mapping[str, Tensor], styles: Sequence[Mapping[str, Tensor]]) -> float:
    """The factor that gives a layer's features a mean square of one, over the content and the styles' mean.

    Not over the content alone: those of a dark or flat photo are so faint that any style's would be immense beside.
    """
    squares = [1 / unit_scale(features[name], name) ** 2 for features in styles]
    return 1 / math.sqrt((1 / unit_scale(content[name], name) ** 2 + sum(squares) / len(squares)) / 2)


def _sources(
    regions: Regions,
    guidance: Guidance | None,
    options: SemanticOptions,
    content: Mapping[str, Tensor],
    copies: Sequence[_Copy],
    scales: Mapping[str, float],
) -> tuple[dict[str, _PatchLayer], dict[str, _Layer]]:
    """The layers whose patches are matched, and the finer ones."""
    sources = {name: [copy.features[name][0] * scales[name] for copy in copies] for name in content}
    patch = {}
    for name in PATCH_LAYERS:
        size = _size(content[name])
        shares = torch.stack([_at_patches(mask, size) for mask in regions.masks])
        usable = (shares > 0) & (shares >= shares.amax(0) / 2)
        patch[name] = _PatchLayer(
            scales[name],
            sources[name],
            options.gamma,
            _masks_at(None if guidance is None else guidance.content, size, options.gamma),
            [
                torch.cat([seen, _masks_at(copy.masks, _size(seen), options.gamma)])
                for seen, copy in zip(sources[name], copies, strict=True)
            ],
            [usable[copy.owner] for copy in copies],
            _at_patches(1 - regions.rest, size),
        )
    return patch, {name: _Layer(scales[name], sources[name]) for name in FINE_LAYERS if name in content}


@torch.no_grad()
def _matched(
    features: Mapping[str, Tensor], patch: Mapping[str, _PatchLayer], fine: Mapping[str, _Layer]
) -> dict[str, Loss]:
    """What is lost with the matches of a picture's features: both terms of eq. 3, and the fine layers' mean error."""
    style: list[Loss] = []
    extra: list[Loss] = []
    astray = []
    for name, layer in patch.items():
        matches = match(torch.cat([features[name][0] * layer.scale, layer.masks]), layer.augmented, layer.allowed)
        wanted = votes(matches, layer.sources, layer.weights)
        style.append(_mean_error(name, layer.scale, wanted))
        astray.append(_masks_astray(name, matches, layer, wanted))
        if name == MATCHED:
            for finer, below in fine.items():
                step, size = STEPS[name] // STEPS[finer], _size(features[finer])
                middle = centre_votes(matches, below.sources, layer.weights, step, size)
                extra.append(_mean_error(finer, below.scale, middle))
    constant = torch.stack(astray).sum()
    return {
        "style": lambda f: torch.stack([loss(f) for loss in style]).sum(),
        "masks": lambda f: constant,
        "fine": lambda f: torch.stack([loss(f) for loss in extra]).sum() if extra else torch.zeros_like(constant),
    }


def _mean_error(name: str, scale: float, wanted: Votes) -> Loss:
    """The first term of eq. 3 of a layer, divided by how many numbers are compared."""
    count = VGG_CHANNELS[name] * float(wanted.weight.sum().clamp_min(1e-6))
    return lambda features: mrf_loss(features[name][0] * scale, wanted) / count


def _masks_astray(name: str, matches: Matches, layer: _PatchLayer, wanted: Votes) -> Tensor:
    """The second term of eq. 3 of a layer, divided likewise."""
    if not len(layer.masks):
        return layer.weights.new_zeros(())
    channels = len(layer.sources[0])
    soft = votes(matches, [augmented[channels:] for augmented in layer.augmented], layer.weights)
    # These hold gamma p, whose squares are gamma times those of eq. 3.
    count = VGG_CHANNELS[name] * float(wanted.weight.sum().clamp_min(1e-6))
    return mrf_loss(layer.masks, soft) / layer.gamma / count


def _masks_at(masks: Tensor | None, size: Size, gamma: float) -> Tensor:
    """gamma p at a layer's size, (K, h, w); no channel where nothing is to be guided."""
    if masks is None or gamma == 0:
        return torch.zeros(0, *size)
    return gamma * resize(masks.float(), size, "linear").clamp(0, 1)


def _at_patches(mask: Tensor, size: Size) -> Tensor:
    """A mask (H, W) at the centres of a layer's patches: (h - 2, w - 2)."""
    return mask_at(mask, size)[1:-1, 1:-1]


def _size(picture: Tensor) -> Size:
    return picture.shape[-2], picture.shape[-1]


def _check_guidance(options: SemanticOptions, regions: Regions) -> Guidance | None:
    """The guidance of the regions' styles, as much of it as is used."""
    if options.guidance is None:
        return None
    if len(options.guidance.styles) != regions.given:
        raise SelfieartError(
            f"The guidance has soft masks of {len(options.guidance.styles)} style pictures, but {regions.given} were "
            "given: give masks of each."
        )
    return options.guidance.strongest(options.masks).of(regions.places)
