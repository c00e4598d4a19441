"""The gallery of SelfieArt's figure 5: every pair of two lists of styles on one portrait."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import replace

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from selfieart.imaging import read_photo
from selfieart.look import Look, SegmentLook
from selfieart.progress import Progress, silent
from selfieart.render.portrait import Portrait
from selfieart.segments import canonical
from selfieart.sheets.sheet import grid
from selfieart.styles.presets import presets
from selfieart.styles.resolve import ResolvedStyle, resolve_style


def swatch(style: str) -> NDArray[np.uint8]:
    """A small picture (H, W, 3) that stands for a style: the preset's thumbnail, those of a mix, or a plain field."""
    return _swatch(resolve_style(style))


def _swatch(resolved: ResolvedStyle) -> NDArray[np.uint8]:
    if resolved.kind == "mix":
        edges = np.round(256 * np.cumsum([0.0, *(weight for _, weight in resolved.parts)])).astype(int)
        stripes = [
            cv2.resize(_swatch(part), (256, 256), interpolation=cv2.INTER_AREA)[:, left:right]
            for (part, _), left, right in zip(resolved.parts, edges, edges[1:], strict=False)
        ]
        return np.concatenate(stripes, axis=1, dtype=np.uint8)
    if resolved.kind == "preset":
        data = presets()[resolved.name].thumbnail.read_bytes()
        return np.asarray(Image.open(io.BytesIO(data), formats=["JPEG"]).convert("RGB"))
    if resolved.kind == "picture":
        pixels = read_photo(resolved.name).pixels
        side = min(pixels.shape[:2])
        top, left = (pixels.shape[0] - side) // 2, (pixels.shape[1] - side) // 2
        square = cv2.resize(pixels[top : top + side, left : left + side], (256, 256), interpolation=cv2.INTER_AREA)
        return np.asarray(square, np.uint8)
    color = resolved.color if resolved.kind == "color" else (225, 223, 218)
    return np.full((256, 256, 3), color, np.uint8)


def gallery(
    portrait: Portrait,
    rows: Sequence[str],
    columns: Sequence[str],
    row_segment: str = "person",
    column_segment: str = "background",
    look: Look | None = None,
    progress: Progress = silent,
) -> NDArray[np.uint8]:
    """One labelled sheet: at each crossing the portrait with the row's and the column's style.

    Args:
        portrait: whose photo.
        rows, columns: names of styles.
        row_segment, column_segment: what wears them.
        look: tau, stroke and everything else.
        progress: called with the fraction of pictures done.

    Returns:
        (H, W, 3) uint8.

    Raises:
        UnknownName: a style or segment does not exist.
    """
    look = look or Look()
    row_segment, column_segment = canonical(row_segment), canonical(column_segment)
    for style in (*rows, *columns):
        resolve_style(style)
    cells = []
    for i, row in enumerate(rows):
        for j, column in enumerate(columns):
            progress("gallery", (i * len(columns) + j) / (len(rows) * len(columns)))
            worn = {**look.segments, row_segment: SegmentLook(row), column_segment: SegmentLook(column)}
            cells.append(portrait.render(replace(look, segments=worn)).pixels)
    progress("gallery", 1.0)
    return grid(
        portrait.photo.pixels,
        [(swatch(style), style) for style in rows],
        [(swatch(style), style) for style in columns],
        cells,
    )
