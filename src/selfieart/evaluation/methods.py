"""``selfieart evaluate methods``: photos in styles by several methods, side by side on one sheet."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from selfieart.errors import SelfieartError, unknown
from selfieart.evaluation.comparison import Painted, comparison_sheet
from selfieart.evaluation.pictures import read_at
from selfieart.extras import require
from selfieart.imaging.arrays import Pixels, as_pixels
from selfieart.look import Look, SegmentLook
from selfieart.methods.registry import METHODS
from selfieart.progress import Progress, silent
from selfieart.render.studio import Studio
from selfieart.styles.resolve import resolve_style

if TYPE_CHECKING:
    from selfieart.render.portrait import Portrait
    from selfieart.render.renderer import Repaint

INSTANT = "instant"
"""The name of the feed-forward network among the methods."""


@dataclass(frozen=True)
class MethodsEvaluation:
    """What is painted.

    Attributes:
        photos: files to paint.
        styles: presets or picture files; each is given to everything.
        methods: "instant" or ones that optimise; all of them when empty.
        side: short side in pixels to which the photos are reduced first.
        iterations: of the methods that optimise, at the finest size; each method's own number when left out.
    """

    photos: tuple[Path, ...]
    styles: tuple[str, ...]
    methods: tuple[str, ...] = ()
    side: int = 384
    iterations: int | None = None


@dataclass(frozen=True, eq=False)
class MethodsComparison:
    """What the methods made.

    Attributes:
        results: one per photo, style and method, without scores: what is better is for eyes to judge.
    """

    results: tuple[Painted, ...]

    def sheet(self) -> Pixels:
        """All results side by side, (H, W, 3) uint8."""
        return comparison_sheet(self.results)


def evaluate_methods(options: MethodsEvaluation, progress: Progress = silent) -> MethodsComparison:
    """Paint photos in styles by several methods.

    Args:
        options: what is painted.
        progress: told the stage "compare" and the fraction done; may raise Cancelled.

    Raises:
        UnknownName: there is no such method or style; the nearest name is suggested.
        SelfieartError: a style is not painted, a file cannot be read, or a method needs an extra that is missing.
    """
    names = options.methods or (INSTANT, *METHODS)
    for name in names:
        if name not in (INSTANT, *METHODS):
            raise unknown("method", name, [INSTANT, *METHODS])
    if set(names) != {INSTANT}:
        require("methods")
    for style in options.styles:
        if not resolve_style(style).painted:
            raise SelfieartError(f"'{style}' is not painted: give presets or pictures.")
    settings = {"side": options.side, "iterations": options.iterations}
    studio, repaint = Studio(), _repainting(names, settings)
    return MethodsComparison(
        tuple(paint_with_methods(studio, options.photos, options.styles, names, repaint, options.side, progress))
    )


def _repainting(
    names: Sequence[str], settings: Mapping[str, object]
) -> Callable[[str, Portrait, Look], Repaint | None]:
    """Gives each method's painter; all of them compare by one encoder."""
    if set(names) == {INSTANT}:
        return lambda name, portrait, look: None
    from selfieart.methods.registry import features_encoder, load_method, options_from
    from selfieart.methods.repaint import repaint_with

    encoder = features_encoder("compact")

    def repaint(name: str, portrait: Portrait, look: Look) -> Repaint | None:
        if name == INSTANT:
            return None
        return repaint_with(load_method(name, encoder), options_from(name, settings), portrait, look)

    return repaint


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
