"""``selfieart evaluate portrait-aware``: Table 1 of "Portrait-Aware Artistic Style Transfer" on photos of one's own."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from selfieart.errors import SelfieartError
from selfieart.evaluation.comparison import Painted, comparison_sheet, means
from selfieart.evaluation.pictures import read_at
from selfieart.imaging.arrays import FloatArray, Pixels, as_pixels
from selfieart.look import Look
from selfieart.methods.portrait_aware import PortraitAware, PortraitAwareOptions, Variant
from selfieart.metrics.similarity import fsimc, gmsd, ssim
from selfieart.networks.encoder import STYLE_LAYERS, PerceptualEncoder
from selfieart.networks.gram import gram, guided_gram, mask_at, relative_error
from selfieart.networks.packaged import load_encoder
from selfieart.parsing.parser import Parser
from selfieart.parsing.registry import load_parser
from selfieart.progress import Progress, silent
from selfieart.segments import INDEX

VARIANTS: tuple[Variant, ...] = ("gatys", "gatys+", "portrait-aware")
"""The rows of the portrait-aware paper's Table 1."""

PUBLISHED = {
    "gatys": {"ssim": 0.878, "fsimc": 0.930, "gmsd": 0.196},
    "gatys+": {"ssim": 0.908, "fsimc": 0.952, "gmsd": 0.157},
    "portrait-aware": {"ssim": 0.932, "fsimc": 0.966, "gmsd": 0.123},
}
"""That table; its photos and styles were never published."""

LEAST_PERSON = 0.01
"""Share of a photo that a person must cover for a foreground to be measured."""


@dataclass(frozen=True)
class PortraitAwareEvaluation:
    """What is painted and measured.

    Attributes:
        photos: files to paint.
        styles: files of paintings.
        side: short side in pixels.
        iterations: of the methods, at the finest size; the method's own number when left out.
        published: the paper's settings: white noise, one size, 1000 iterations.
    """

    photos: tuple[Path, ...]
    styles: tuple[Path, ...]
    side: int = 384
    iterations: int | None = None
    published: bool = False


@dataclass(frozen=True, eq=False)
class PortraitAwareScores:
    """How much of the person each variant left.

    Attributes:
        cases: one result per photo, style and variant, with scores "ssim", "fsimc", "gmsd" and "background".
    """

    cases: tuple[Painted, ...]

    @property
    def means(self) -> dict[str, dict[str, float]]:
        """Variant -> the means of its scores."""
        return means(self.cases)

    def sheet(self) -> Pixels:
        """All results side by side, (H, W, 3) uint8."""
        return comparison_sheet(self.cases)

    def to_json(self) -> dict[str, Any]:
        """{"mean": by variant, "published": the paper's, "cases": [...]}."""
        cases = [{"photo": one.photo, "style": one.style, "method": one.method, **one.scores} for one in self.cases]
        return {"mean": self.means, "published": PUBLISHED, "cases": cases}


def evaluate_portrait_aware(options: PortraitAwareEvaluation, progress: Progress = silent) -> PortraitAwareScores:
    """How much of a person survives portrait-aware transfer, Gatys and Gatys+.

    Args:
        options: what is painted and measured.
        progress: told the stage "compare" and the fraction done; may raise Cancelled.

    Raises:
        SelfieartError: a file cannot be read, or a photo shows no person.
    """
    side = options.side
    chosen = PortraitAwareOptions.published(None, side=side) if options.published else PortraitAwareOptions(side=side)
    if options.iterations is not None:
        chosen = replace(chosen, iterations=options.iterations)
    cases = foreground_similarity(options.photos, options.styles, load_encoder(), load_parser(), chosen, progress)
    return PortraitAwareScores(tuple(cases))


def foreground_similarity(
    photos: Sequence[Path],
    styles: Sequence[Path],
    encoder: PerceptualEncoder,
    parser: Parser,
    options: PortraitAwareOptions | None = None,
    progress: Progress = silent,
) -> list[Painted]:
    """Every photo in every style by all three variants, and how much of the person survives.

    The variants have equal settings otherwise. SSIM, FSIMc and GMSD compare the result with the photo where the person
    is; "background" is how far the background's style is from the painting's: staying near the photo is no merit where
    nothing was painted.

    Args:
        photos, styles: picture files.
        encoder: whose features are compared.
        parser: finds the background.
        options: settings of all three; their ``side`` is the short side at which everything is painted and measured.
        progress: told the stage "compare" and the fraction done; may raise Cancelled.

    Returns:
        One result per photo, style and variant, with scores "ssim", "fsimc", "gmsd" and "background".

    Raises:
        SelfieartError: a file cannot be read, or a photo shows no person.
        Cancelled: ``progress`` asked to stop.
    """
    options = options or PortraitAwareOptions()
    method = PortraitAware(encoder)
    cases = len(photos) * len(styles) * len(VARIANTS)
    out: list[Painted] = []
    for photo in photos:
        content = read_at(photo, options.side)
        size = content.shape[-2], content.shape[-1]
        background = parser.parse(content).masks(Look().tau, size)[INDEX["background"]]
        person = 1 - background
        if person.mean() < LEAST_PERSON:
            raise SelfieartError(f"{photo} shows no person that the parser can find: leave it out.")
        where = torch.from_numpy(background)
        for style in styles:
            painting = read_at(style, options.side)
            with torch.inference_mode():
                wanted = encoder(torch.from_numpy(painting)[None], STYLE_LAYERS)
            for variant in VARIANTS:
                chosen = replace(options, variant=variant, background=where)

                def report(stage: str, done: float, before: int = len(out)) -> None:
                    progress("compare", (before + done) / cases)

                painted = method.stylize_regions(
                    torch.from_numpy(content), [torch.from_numpy(painting)], None, chosen, report
                )
                picture: FloatArray = painted.numpy()
                scores = {name: measure(content, picture, person) for name, measure in _SIMILARITIES.items()}
                with torch.inference_mode():
                    seen = encoder(painted[None], STYLE_LAYERS)
                    scores["background"] = style_distance_where(where, seen, wanted)
                shown = as_pixels(content), as_pixels(painting), as_pixels(picture)
                out.append(Painted(variant, photo.stem, style.stem, *shown, scores))
    return out


_SIMILARITIES: dict[str, Callable[[FloatArray, FloatArray, FloatArray], float]] = {
    "ssim": ssim,
    "fsimc": fsimc,
    "gmsd": gmsd,
}


def style_distance_where(mask: Tensor, features: Mapping[str, Tensor], wanted: Mapping[str, Tensor]) -> float:
    """Mean over the style layers of ||G - G_s||^2 / ||G_s||^2 with guided Gram matrices of a region.

    Args:
        mask: (H, W) in [0, 1], the region.
        features: layer -> features (1, N, h, w) of the picture.
        wanted: layer -> features of the whole style.
    """
    errors = []
    for layer in STYLE_LAYERS:
        here = mask_at(mask, (features[layer].shape[-2], features[layer].shape[-1]))
        errors.append(float(relative_error(guided_gram(features[layer], here), gram(wanted[layer]))))
    return sum(errors) / len(errors)
