"""``selfieart evaluate portrait-aware`` and ``selfieart evaluate methods``."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from selfieart.cli.console import check_output, plain_console, print_json, progress
from selfieart.errors import SelfieartError, unknown

if TYPE_CHECKING:
    from selfieart.evaluation.comparison import Painted
    from selfieart.look import Look
    from selfieart.render.portrait import Portrait
    from selfieart.render.renderer import Repaint


def portrait_aware(
    photos: list[Path],
    styles: list[Path],
    side: int,
    iterations: int | None,
    published: bool,
    sheet: Path | None,
    overwrite: bool,
    as_json: bool,
) -> None:
    """Table 1 of the portrait-aware paper on photos and styles of one's own."""
    _check_sheet(sheet, overwrite)

    from rich.table import Table

    from selfieart.evaluation.comparison import PUBLISHED, foreground_similarity, means
    from selfieart.methods.portrait_aware import PortraitAwareOptions
    from selfieart.networks.packaged import load_encoder
    from selfieart.parsing.registry import load_parser

    options = PortraitAwareOptions.published(None, side=side) if published else PortraitAwareOptions(side=side)
    if iterations is not None:
        options = replace(options, iterations=iterations)
    with progress(quiet=as_json) as report:
        results = foreground_similarity(photos, styles, load_encoder(), load_parser(), options, report)
    _write_sheet(sheet, results, overwrite)
    scores = means(results)
    if as_json:
        cases = [{"photo": one.photo, "style": one.style, "method": one.method, **one.scores} for one in results]
        print_json({"mean": scores, "published": PUBLISHED, "cases": cases})
        return
    table = Table("method", "SSIM", "FSIMc", "GMSD", "background's style distance")
    for method, row in scores.items():
        names = ("ssim", "fsimc", "gmsd")
        table.add_row(method, *(f"{row[name]:.3f} ({PUBLISHED[method][name]:.3f})" for name in names),
                      f"{row['background']:.3f}")  # fmt: skip
    plain_console().print(table)
    plain_console().print("Of the person; in brackets the paper's means over its own photos and styles.")


def methods(
    photos: list[Path],
    styles: list[str],
    names: list[str],
    side: int,
    iterations: int | None,
    sheet: Path,
    overwrite: bool,
) -> None:
    """Every photo in every style by every method, on one sheet."""
    _check_sheet(sheet, overwrite)

    from selfieart.evaluation.comparison import paint_with_methods
    from selfieart.methods.registry import METHODS, load_method, options_from
    from selfieart.methods.repaint import repaint_with
    from selfieart.networks.packaged import load_encoder
    from selfieart.render.studio import Studio
    from selfieart.styles.resolve import resolve_style

    names = names or ["instant", *METHODS]
    for name in names:
        if name not in ("instant", *METHODS):
            raise unknown("method", name, ["instant", *METHODS])
    for style in styles:
        if not resolve_style(style).painted:
            raise SelfieartError(f"'{style}' is not painted: give presets or pictures.")
    encoder = load_encoder()

    def repaint(name: str, portrait: Portrait, look: Look) -> Repaint | None:
        if name == "instant":
            return None
        options = options_from(name, {"side": side, "iterations": iterations})
        return repaint_with(load_method(name, encoder), options, portrait, look)

    with progress(quiet=False) as report:
        results = paint_with_methods(Studio(), photos, styles, names, repaint, side, report)
    _write_sheet(sheet, results, overwrite)
    plain_console().print(f"The sheet is {sheet}", soft_wrap=True)


def _check_sheet(sheet: Path | None, overwrite: bool) -> None:
    """Refuse a sheet that cannot be written before any work."""
    if sheet is not None:
        check_output(sheet, None, overwrite)


def _write_sheet(path: Path | None, results: Sequence[Painted], overwrite: bool) -> None:
    if path is not None:
        from selfieart.evaluation.comparison import comparison_sheet
        from selfieart.imaging import write_photo

        write_photo(path, comparison_sheet(results), overwrite=overwrite)
