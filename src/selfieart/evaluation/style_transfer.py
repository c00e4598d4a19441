"""How near styles come to their paintings, and how near they stay to the photo, as the teacher sees it."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from selfieart.imaging import read_photo
from selfieart.methods.gatys import Gatys, GatysOptions
from selfieart.metrics.distances import content_distance, style_distance
from selfieart.networks.encoder import PerceptualEncoder
from selfieart.networks.tensors import as_pixels, as_tensor
from selfieart.progress import Progress, silent
from selfieart.render.feed_forward import PresetStylizer
from selfieart.render.painter import scaled
from selfieart.sheets.sheet import fitted, sheet
from selfieart.training.teacher import Teacher, TeacherEncoder, load_teacher

Paint = Callable[[str, Tensor, Tensor], Tensor]
"""Paints (name of the style, content (3, H, W), painting (3, h, w)) -> (3, H, W)."""

Scores = dict[str, dict[str, float]]


def _at(path: Path, side: int) -> Tensor:
    pixels = read_photo(path).pixels
    scale = side / min(pixels.shape[:2])
    return scaled(pixels, (round(pixels.shape[0] * scale), round(pixels.shape[1] * scale)))


class Judge:
    """Distances as the teacher sees them: plain Gram matrices of VGG-19-sized features, plain relu4_2.

    Args:
        teacher: weights of :class:`selfieart.training.teacher.Teacher`.
        photos: whose content is painted.
        side: short side in pixels of photos and paintings.
    """

    def __init__(self, teacher: Path, photos: list[Path], side: int = 384) -> None:
        self.teacher: Teacher = load_teacher(teacher)
        self.encoder, self.side = TeacherEncoder(self.teacher), side
        self.photos = [_at(path, side) for path in photos]

    def scores(self, styles: dict[str, Path], paint: Paint, progress: Progress = silent) -> Scores:
        """Mean style and content distance of every style over the photos.

        Args:
            styles: name -> its painting.
            paint: paints (name, content, painting) -> (3, H, W).
            progress: told how far it is.

        Returns:
            Name -> {"style": ..., "content": ...}, and their means under "mean".
        """
        out: Scores = {}
        with torch.inference_mode():
            wanted = [self.encoder(content[None], ["relu4_2"]) for content in self.photos]
        for done, (name, path) in enumerate(styles.items()):
            painting = _at(path, self.side)
            pictures = []
            for number, content in enumerate(self.photos):
                progress("evaluate", (done + number / len(self.photos)) / len(styles))
                pictures.append(paint(name, content, painting))
            with torch.inference_mode():
                style = self.encoder(painting[None])
                seen = [self.encoder(picture[None]) for picture in pictures]
                out[name] = {
                    "style": sum(style_distance(p, style) for p in seen) / len(seen),
                    "content": sum(content_distance(p, w) for p, w in zip(seen, wanted, strict=True)) / len(seen),
                }
        out["mean"] = {key: sum(row[key] for row in out.values()) / len(out) for key in ("style", "content")}
        progress("evaluate", 1.0)
        return out


def painted_by(stylizer: PresetStylizer, styles: dict[str, Path]) -> Paint:
    """Painting with presets by name, and with any other picture by its predicted code.

    Codes are predicted from the files, as for a user: a painting reduced to the side at which it is judged has lost the
    strokes that its code is to describe.

    Args:
        stylizer: the feed-forward network.
        styles: name -> its picture.
    """

    @cache
    def code(name: str) -> Tensor:
        return stylizer.encode_picture(as_tensor(read_photo(styles[name]).pixels))

    def paint(name: str, content: Tensor, painting: Tensor) -> Tensor:
        if name in stylizer.codes:
            return stylizer.stylize(content, name)
        return stylizer.render(content, code(name)[None])

    return paint


def optimised_by(encoder: PerceptualEncoder, iterations: int, side: int) -> Paint:
    """Painting by Gatys' method: a number of evaluations at the finest of three sizes."""
    options = GatysOptions(side=side, iterations=iterations)
    method = Gatys(encoder)
    return lambda name, content, painting: method.stylize_regions(content, [painting], options=options)


def compare_encoders(
    judge: Judge, encoder: PerceptualEncoder, styles: dict[str, Path], iterations: int, progress: Progress = silent
) -> tuple[dict[str, Scores], NDArray[np.uint8]]:
    """Gatys' method with an encoder and with the teacher itself, on the same photos and paintings.

    Returns:
        {"encoder": scores, "teacher": scores}, and a sheet: per painting a row of the encoder's results above a row
        of the teacher's.
    """
    out: dict[str, Scores] = {}
    pictures: dict[str, list[tuple[NDArray[np.uint8], str]]] = {}
    for place, (name, used) in enumerate((("encoder", encoder), ("teacher", judge.encoder))):
        paint, cells = optimised_by(used, iterations, judge.side), pictures.setdefault(name, [])

        def kept(
            style: str, content: Tensor, painting: Tensor,
            paint: Paint = paint,
            cells: list[tuple[NDArray[np.uint8], str]] = cells, name: str = name,
        ) -> Tensor:  # fmt: skip
            picture = paint(style, content, painting)
            cells.append((fitted(as_pixels(picture), 256, 256), f"{name}: {style}"))
            return picture

        out[name] = judge.scores(styles, kept, lambda stage, done, place=place: progress(stage, (place + done) / 2))  # type: ignore[misc]
    count, rows = len(judge.photos), []
    for row in range(len(styles)):
        for name in ("encoder", "teacher"):
            rows += pictures[name][row * count : (row + 1) * count]
    return out, sheet(rows, count, 256, 256)


def paintings_in(folder: Path, names: frozenset[str] | None, count: int | None) -> dict[str, Path]:
    """Pictures of a folder by stem, evenly chosen if there are more than wanted.

    Args:
        folder: where they are.
        names: stems to keep; all when left out.
        count: how many at most.
    """
    from selfieart.training.pictures import list_images

    found = [path for path in list_images([folder]) if names is None or path.stem in names]
    if count is not None and len(found) > count:
        found = [found[round(i * (len(found) - 1) / max(1, count - 1))] for i in range(count)]
    return {path.stem: path for path in found}
