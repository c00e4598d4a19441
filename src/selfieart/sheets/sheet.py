"""Labelled sheets of pictures: segment overlays with a legend, style sheets, galleries."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from selfieart.imaging.arrays import Pixels
from selfieart.imaging.resize import resize_pixels
from selfieart.segments import SEGMENTS

PAPER = (250, 249, 246)
INK = (38, 38, 42)
_GAP = 10


@cache
def _font(size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    return ImageFont.load_default(size)


def fitted(pixels: Pixels, width: int, height: int) -> Pixels:
    """Resize (H, W, 3) to fill width x height, cutting what sticks out: equally sideways, less above than below."""
    scale = max(width / pixels.shape[1], height / pixels.shape[0])
    size = (max(height, round(pixels.shape[0] * scale)), max(width, round(pixels.shape[1] * scale)))
    left, top = (size[1] - width) // 2, (size[0] - height) // 4
    return resize_pixels(pixels, size)[top : top + height, left : left + width]


def sheet(cells: Sequence[tuple[Pixels | None, str]], columns: int, width: int, height: int, title: str = "") -> Pixels:
    """Pictures in rows and columns, each with a label below.

    Args:
        cells: (picture (H, W, 3) uint8 or None for an empty place, label), row by row.
        columns: how many side by side.
        width, height: of every picture on the sheet, in pixels.
        title: printed above everything.

    Returns:
        (H, W, 3) uint8.
    """
    text = max(12, width // 15)
    line = round(text * 1.9) if any(label for _, label in cells) else 0
    top = round(text * 2.6) if title else _GAP
    rows = -(-len(cells) // columns)
    page = Image.new("RGB", (columns * (width + _GAP) + _GAP, top + rows * (height + line + _GAP)), PAPER)
    draw = ImageDraw.Draw(page)
    if title:
        draw.text((_GAP, top / 2), title, INK, _font(round(text * 1.3)), anchor="lm")
    for index, (picture, label) in enumerate(cells):
        x = _GAP + index % columns * (width + _GAP)
        y = top + index // columns * (height + line + _GAP)
        if picture is not None:
            page.paste(Image.fromarray(fitted(picture, width, height)), (x, y))
        middle = y + height + line / 2 if picture is not None else y + height / 2
        draw.text((x + width / 2, middle), _shortened(draw, label, text, width), INK, _font(text), anchor="mm")
    return np.asarray(page)


def _shortened(draw: ImageDraw.ImageDraw, label: str, size: int, width: int) -> str:
    while len(label) > 4 and draw.textlength(label, _font(size)) > width:
        label = label[:-2].rstrip(" .…") + "…"
    return label


def overlay(pixels: Pixels, labels: NDArray[np.uint8], opacity: float = 0.55) -> Pixels:
    """The picture tinted by segment, with a thin light line where segments meet.

    Args:
        pixels: (H, W, 3) uint8.
        labels: (H, W) uint8, indices of :data:`SEGMENTS`.
        opacity: of the tint, in [0, 1].

    Returns:
        (H, W, 3) uint8.
    """
    colors = np.array([segment.color for segment in SEGMENTS], np.uint8)
    tinted = cv2.addWeighted(pixels, 1 - opacity, colors[labels], opacity, 0)
    thick = max(1, round(min(labels.shape) / 700))
    edge = cv2.morphologyEx(labels, cv2.MORPH_GRADIENT, np.ones((thick + 1, thick + 1), np.uint8)) > 0
    tinted[edge] = (tinted[edge] * 0.4 + 255 * 0.6).astype(np.uint8)
    return tinted  # type: ignore[return-value]


def with_legend(pixels: Pixels, labels: NDArray[np.uint8]) -> Pixels:
    """A segment overlay with a column that names the segments present and how much of the picture each one is."""
    counts = np.bincount(labels.ravel(), minlength=len(SEGMENTS))
    present = [i for i in np.argsort(-counts) if counts[i] > 0]
    height = pixels.shape[0]
    text = max(9, min(28, height // 34, height // (len(present) + 2) * 2 // 3))
    line = max(text + 3, min(round(text * 1.9), (height - _GAP) // max(1, len(present))))
    width = round(text * 13)
    page = Image.new("RGB", (pixels.shape[1] + width, max(height, line * len(present) + _GAP)), PAPER)
    page.paste(Image.fromarray(overlay(pixels, labels)), (0, 0))
    draw = ImageDraw.Draw(page)
    for row, index in enumerate(present):
        x, y = pixels.shape[1] + text, _GAP / 2 + row * line + line / 2
        draw.rounded_rectangle((x, y - text / 2, x + text, y + text / 2), text / 4, SEGMENTS[index].color)
        draw.text((x + text * 1.6, y), SEGMENTS[index].name, INK, _font(text), anchor="lm")
        share = 100 * counts[index] / labels.size
        draw.text((x + text * 11.2, y), f"{share:.1f}%" if share >= 0.1 else "<0.1%", INK, _font(text), anchor="rm")
    return np.asarray(page)


def grid(
    corner: Pixels, rows: Sequence[tuple[Pixels, str]], columns: Sequence[tuple[Pixels, str]], cells: Sequence[Pixels]
) -> Pixels:
    """Figure 5 of SelfieArt: every pair of two lists of styles on one portrait.

    Args:
        corner: shown at the top left, the portrait itself.
        rows, columns: (thumbnail, name) of the styles.
        cells: one picture per pair, row by row, all of one size.

    Returns:
        (H, W, 3) uint8.
    """
    width = min(384, cells[0].shape[1])
    height = round(width * cells[0].shape[0] / cells[0].shape[1])
    out: list[tuple[Pixels | None, str]] = [(corner, "photo"), *columns]
    for index, head in enumerate(rows):
        here = cells[index * len(columns) : (index + 1) * len(columns)]
        out += [head, *((cell, f"{head[1]}, {name}") for cell, (_, name) in zip(here, columns, strict=True))]
    return sheet(out, len(columns) + 1, width, height)
