"""What several methods make of the same photos and paintings, side by side."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from selfieart.imaging.arrays import Pixels
from selfieart.sheets.sheet import sheet


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
    scores: Mapping[str, float]


def comparison_sheet(results: Sequence[Painted], cell: int = 224) -> Pixels:
    """One row per photo and style: the photo, the painting, and every method's result.

    Args:
        results: in any order.
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
