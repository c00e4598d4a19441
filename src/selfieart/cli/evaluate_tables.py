"""What ``selfieart evaluate`` shows a person: tables and sentences."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.table import Table

from selfieart.cli.console import plain_console

if TYPE_CHECKING:
    from selfieart.evaluation import (
        EncoderScores,
        ParsingScores,
        PortraitAwareScores,
        SimilarityScores,
        StyleScores,
        VideoScores,
    )

_COLUMNS = {
    "e_warp": "E_warp",
    "excess": "above the input",
    "mask_miou": "masks, mIoU",
    "high_pass": "detail",
    "style_distance": "style distance",
    "frames_per_second": "frames/s",
}
_RATIOS = {
    "excess_ratio": "E_warp above the input's",
    "high_pass_ratio": "detail (a stand-in for the style's strength that needs no teacher)",
    "style_distance_ratio": "style distance",
}
_DIGITS = {"e_warp": 5, "excess": 5, "frames_per_second": 2}


def show_parsing(scores: ParsingScores) -> None:
    """IoU and F1 by segment, and what partial labels allow."""
    console = plain_console()
    if scores.iou is not None and scores.f1 is not None:
        table = Table("segment", "IoU", "F1")
        for name, value in scores.iou.items():
            table.add_row(name, *("absent" if v is None else f"{v:.3f}" for v in (value, scores.f1[name])))
        table.add_row("mean", f"{scores.mean_iou:.3f}", f"{scores.mean_f1:.3f}")
        console.print(table)
    for name in ("pixel_accuracy", "person_iou", "allowed"):
        value = getattr(scores, name)
        if value is not None:
            console.print(f"{name}: {value:.4f}")


def show_styles(scores: StyleScores) -> None:
    """Distances by style, a pair of columns for each method."""
    by_method = scores.by_method()
    table = Table("style", *(f"{method}: {kind}" for method in by_method for kind in ("style", "content")))
    for name in scores.feed_forward:
        cells = [f"{value:.4f}" for rows in by_method.values() for value in (rows[name].style, rows[name].content)]
        table.add_row(name, *cells)
    plain_console().print(table)


def show_encoder(scores: EncoderScores) -> None:
    """Mean distances by whose features were compared."""
    console = plain_console()
    for name, mean in scores.means.items():
        console.print(f"{name}: style distance {mean.style:.4f}, content distance {mean.content:.4f}")
    console.print(f"ratio of the style distances: {scores.ratio:.2f}")


def show_similarity(scores: SimilarityScores) -> None:
    """The three measures."""
    table = Table("measure", "value", "of equal pictures")
    for label, value, best in (("SSIM", scores.ssim, "1"), ("FSIMc", scores.fsimc, "1"), ("GMSD", scores.gmsd, "0")):
        table.add_row(label, f"{value:.4f}", best)
    plain_console().print(table)


def show_video(scores: VideoScores) -> None:
    """A table for each clip, and the steady way over the frame-by-frame one."""
    console = plain_console()
    for title, rows in scores.clips.items():
        columns = {key: name for key, name in _COLUMNS.items() if any(key in row for row in rows.values())}
        table = Table("", *columns.values(), title=title, title_justify="left")
        for name, row in rows.items():
            table.add_row(name, *(f"{row[key]:.{_DIGITS.get(key, 4)}f}" if key in row else "" for key in columns))
        console.print(table)
        steady = rows["steady"]
        for key, what in _RATIOS.items():
            if key in steady:
                console.print(f"Steady over frame by frame, {what}: {steady[key]:.2f}", soft_wrap=True)


def show_portrait_aware(scores: PortraitAwareScores) -> None:
    """The measures of the person by variant, the paper's in brackets."""
    published = scores.to_json()["published"]
    table = Table("method", "SSIM", "FSIMc", "GMSD", "background's style distance")
    for method, row in scores.means.items():
        cells = [f"{row[name]:.3f} ({published[method][name]:.3f})" for name in ("ssim", "fsimc", "gmsd")]
        table.add_row(method, *cells, f"{row['background']:.3f}")
    console = plain_console()
    console.print(table)
    console.print("Of the person; in brackets the paper's means over its own photos and styles.")
