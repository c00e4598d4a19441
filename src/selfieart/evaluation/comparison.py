"""Methods side by side: what they make of the same photos and paintings, and how much of the person survives."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from selfieart.errors import SelfieartError
from selfieart.imaging import read_photo
from selfieart.look import Look, SegmentLook
from selfieart.methods.portrait_aware import PortraitAware, PortraitAwareOptions, Variant
from selfieart.metrics.similarity import fsimc, gmsd, ssim
from selfieart.networks.encoder import STYLE_LAYERS, PerceptualEncoder
from selfieart.networks.gram import gram, guided_gram, mask_at, relative_error
from selfieart.networks.tensors import as_pixels, as_tensor
from selfieart.parsing.parser import Parser
from selfieart.progress import Progress, silent
from selfieart.render.painter import scaled
from selfieart.segments import INDEX
from selfieart.sheets.sheet import sheet

if TYPE_CHECKING:
    from selfieart.render.studio import Portrait, Repaint, Studio

Pixels = NDArray[np.uint8]

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


@dataclass(frozen=True, eq=False)
class Painted:
    """One result and what it was made from.

    Attributes:
        method: which method, or variant of one.
        photo, style: file names without the suffix.
        content: (H, W, 3) uint8.
        painting: (h, w, 3) uint8.
        pixels: (H, W, 3) uint8, the result.
        scores: measures by name, where any were taken.
    """

    method: str
    photo: str
    style: str
    content: Pixels
    painting: Pixels
    pixels: Pixels
    scores: dict[str, float]


def foreground_similarity(
    photos: Sequence[Path],
    styles: Sequence[Path],
    encoder: PerceptualEncoder,
    parser: Parser,
    options: PortraitAwareOptions | None = None,
    progress: Progress = silent,
) -> list[Painted]:
    """Table 1 of "Portrait-Aware Artistic Style Transfer": how much of the person survives three variants.

    Every variant paints every photo in every style, with equal settings otherwise. SSIM, FSIMc and GMSD compare the
    result with the photo where the person is; "background" is how far the background's style is from the painting's:
    staying near the photo is no merit where nothing was painted.

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
        if float(person.mean()) < LEAST_PERSON:
            raise SelfieartError(f"{photo} shows no person that the parser can find: leave it out.")
        for style in styles:
            painting = read_at(style, options.side)
            with torch.inference_mode():
                wanted = encoder(painting[None], STYLE_LAYERS)
            for variant in VARIANTS:
                chosen = replace(options, variant=variant, background=background)

                def report(stage: str, done: float, before: int = len(out)) -> None:
                    progress("compare", (before + done) / cases)

                picture = method.stylize_regions(content, [painting], None, chosen, report)
                scores = {name: float(of(content, picture, person)) for name, of in _SIMILARITIES.items()}
                with torch.inference_mode():
                    seen = encoder(picture[None], STYLE_LAYERS)
                    scores["background"] = _style_distance_where(background, seen, wanted)
                shown = (as_pixels(content), as_pixels(painting), as_pixels(picture))
                out.append(Painted(variant, photo.stem, style.stem, *shown, scores))
    return out


_SIMILARITIES: dict[str, Callable[[Tensor, Tensor, Tensor], Tensor]] = {"ssim": ssim, "fsimc": fsimc, "gmsd": gmsd}


def _style_distance_where(mask: Tensor, features: Mapping[str, Tensor], wanted: Mapping[str, Tensor]) -> float:
    """Mean over the style layers of ||G - G_s||^2 / ||G_s||^2 with guided Gram matrices of a region (H, W)."""
    errors = []
    for layer in STYLE_LAYERS:
        here = mask_at(mask, (features[layer].shape[-2], features[layer].shape[-1]))
        errors.append(float(relative_error(guided_gram(features[layer], here), gram(wanted[layer]))))
    return sum(errors) / len(errors)


def paint_with_methods(
    studio: Studio,
    photos: Sequence[Path],
    styles: Sequence[str],
    methods: Sequence[str],
    repaint: Callable[[str, Portrait, Look], Repaint | None],
    side: int = 384,
    progress: Progress = silent,
) -> list[Painted]:
    """Every photo in every style by every method, as ``selfieart photo --style STYLE --method METHOD`` paints it.

    Args:
        studio: paints.
        photos: picture files.
        styles: presets or picture files; each is given to everything.
        methods: names.
        repaint: gives a method's painter of a portrait in a look; None for the feed-forward network.
        side: short side to which the photos are reduced first.
        progress: told the stage "compare" and the fraction done; may raise Cancelled.

    Returns:
        One result per photo, style and method, without scores.
    """
    cases = len(photos) * len(styles) * len(methods)
    out: list[Painted] = []
    for photo in photos:
        content = as_pixels(read_at(photo, side))
        portrait = studio.open(content)
        for style in styles:
            look = Look({"everything": SegmentLook(style)}, stroke=side)
            name = Path(style).stem
            painting = as_pixels(read_at(Path(style), side)) if Path(style).is_file() else None
            for method in methods:

                def report(stage: str, done: float, before: int = len(out)) -> None:
                    progress("compare", (before + done) / cases)

                art = portrait.render(look, report, repaint(method, portrait, look))
                shown = painting if painting is not None else art.pixels
                out.append(Painted(method, photo.stem, name, content, shown, art.pixels, {}))
    return out


def comparison_sheet(results: Sequence[Painted], cell: int = 224) -> Pixels:
    """One row per photo and style: the photo, the painting, and every method's result.

    Args:
        results: as the functions above return them.
        cell: side in pixels of each picture on the sheet.

    Returns:
        (H, W, 3) uint8.
    """
    rows: dict[tuple[str, str], list[Painted]] = {}
    for one in results:
        rows.setdefault((one.photo, one.style), []).append(one)
    cells: list[tuple[Pixels | None, str]] = []
    for (photo, style), row in rows.items():
        cells += [(row[0].content, photo), (row[0].painting, style), *((one.pixels, one.method) for one in row)]
    return sheet(cells, 2 + max(len(row) for row in rows.values()), cell, cell)


def means(results: Sequence[Painted]) -> dict[str, dict[str, float]]:
    """Mean of every score by method."""
    out: dict[str, dict[str, float]] = {}
    for method in dict.fromkeys(one.method for one in results):
        own = [one.scores for one in results if one.method == method]
        out[method] = {name: sum(scores[name] for scores in own) / len(own) for name in own[0]}
    return out


def read_at(path: Path, side: int) -> Tensor:
    """A picture file as (3, H, W) in [0, 1] with a short side of at most ``side`` pixels."""
    pixels = read_photo(path).pixels
    scale = min(1.0, side / min(pixels.shape[:2]))
    if scale == 1.0:
        return as_tensor(pixels)
    return scaled(pixels, (round(pixels.shape[0] * scale), round(pixels.shape[1] * scale)))
