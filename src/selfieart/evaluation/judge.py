"""How near styles come to their paintings, and how near they stay to the photo, as the teacher sees it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
from typing import Any

import torch

from selfieart.errors import SelfieartError
from selfieart.evaluation.pictures import check_files, read_at
from selfieart.imaging import read_photo
from selfieart.imaging.arrays import FloatArray, as_picture
from selfieart.methods.gatys import Gatys, GatysOptions
from selfieart.metrics.distances import content_distance, style_distance
from selfieart.networks.encoder import PerceptualEncoder
from selfieart.progress import Progress, silent
from selfieart.render.feed_forward import PresetStylizer
from selfieart.render.loading import load_presets, load_presets_from
from selfieart.training.teacher import Teacher, TeacherEncoder, load_teacher

Paint = Callable[[str, FloatArray, FloatArray], FloatArray]
"""Paints (name of the style, content (3, H, W), painting (3, h, w)) -> (3, H, W), all in [0, 1]."""


@dataclass(frozen=True)
class Distances:
    """How far results are from the painting and from the photo, each at least 0.

    Attributes:
        style: mean style distance.
        content: mean content distance.
    """

    style: float
    content: float


Scores = dict[str, Distances]
"""Style -> its distances; their means are under "mean"."""


@dataclass(frozen=True)
class StyleScores:
    """Distances of every style.

    Attributes:
        feed_forward: of what the feed-forward network paints.
        gatys: of what Gatys' method paints, where it was asked for.
    """

    feed_forward: Scores
    gatys: Scores | None = None

    def by_method(self) -> dict[str, Scores]:
        """The scores by the name of the method."""
        return {"feed-forward": self.feed_forward, **({} if self.gatys is None else {"gatys": self.gatys})}

    def to_json(self) -> dict[str, Any]:
        """Style -> {"style", "content"}; one such table for each method where there are two."""
        tables = {method: scores_to_json(scores) for method, scores in self.by_method().items()}
        return tables["feed-forward"] if self.gatys is None else tables


def scores_to_json(scores: Scores) -> dict[str, Any]:
    """Style -> {"style", "content"}."""
    return {name: asdict(distances) for name, distances in scores.items()}


class Judge:
    """Distances as the teacher sees them: plain Gram matrices of VGG-19-sized features, plain relu4_2.

    Args:
        teacher: weights of :class:`selfieart.training.teacher.Teacher`.
        photos: whose content is painted.
        side: short side in pixels of photos and paintings.

    Raises:
        SelfieartError: there are no photos.
    """

    def __init__(self, teacher: Path, photos: Sequence[Path], side: int = 384) -> None:
        if not photos:
            raise SelfieartError("Styles are judged on photos: give at least one.")
        self.teacher: Teacher = load_teacher(teacher)
        self.encoder, self.side = TeacherEncoder(self.teacher), side
        self.photos = [read_at(path, side, enlarge=True) for path in photos]

    def scores(self, styles: Mapping[str, Path], paint: Paint, progress: Progress = silent) -> Scores:
        """Mean style and content distance of every style over the photos.

        Args:
            styles: name -> its painting.
            paint: paints (name, content, painting) -> (3, H, W).
            progress: told the stage "evaluate" and how far it is.

        Returns:
            Name -> distances, and their means under "mean".
        """
        out: Scores = {}
        with torch.inference_mode():
            wanted = [self.encoder(torch.from_numpy(content)[None], ["relu4_2"]) for content in self.photos]
        for done, (name, path) in enumerate(styles.items()):
            painting = read_at(path, self.side, enlarge=True)
            pictures = []
            for number, content in enumerate(self.photos):
                progress("evaluate", (done + number / len(self.photos)) / len(styles))
                pictures.append(paint(name, content, painting))
            with torch.inference_mode():
                style = self.encoder(torch.from_numpy(painting)[None])
                seen = [self.encoder(torch.from_numpy(picture)[None]) for picture in pictures]
                out[name] = Distances(
                    _mean([style_distance(p, style) for p in seen]),
                    _mean([content_distance(p, w) for p, w in zip(seen, wanted, strict=True)]),
                )
        rows = list(out.values())
        out["mean"] = Distances(_mean([row.style for row in rows]), _mean([row.content for row in rows]))
        progress("evaluate", 1.0)
        return out


def judge_styles(
    styles: Mapping[str, Path],
    photos: Sequence[Path],
    teacher: Path,
    weights: Path | None,
    gatys: int,
    side: int,
    progress: Progress = silent,
) -> StyleScores:
    """Distances of styles painted by the feed-forward network, and by Gatys' method beside it if asked for.

    Args:
        styles: name -> its painting; presets are painted by name, others by their predicted codes.
        photos: whose content is painted.
        teacher: weights of the compact VGG-19 that judges.
        weights: other weights of the styles than the packaged ones.
        gatys: iterations of Gatys' method; 0 leaves it out.
        side: short side in pixels at which everything is painted and judged.
        progress: told the stage "evaluate" and how far it is.

    Raises:
        SelfieartError: a file does not exist.
        WeightsError: the weights are no weights of the styles.
    """
    check_files([teacher, *photos, *styles.values(), weights])
    judge = Judge(teacher, photos, side)
    stylizer = load_presets() if weights is None else load_presets_from(weights)
    feed_forward = judge.scores(styles, painted_by(stylizer, styles), progress)
    optimised = judge.scores(styles, optimised_by(judge.encoder, gatys, side), progress) if gatys else None
    return StyleScores(feed_forward, optimised)


def painted_by(stylizer: PresetStylizer, styles: Mapping[str, Path]) -> Paint:
    """Painting with presets by name, and with any other picture by its predicted code.

    Codes are predicted from the files, as for a user: a painting reduced to the side at which it is judged has lost the
    strokes that its code is to describe.

    Args:
        stylizer: the feed-forward network.
        styles: name -> its picture.
    """

    @cache
    def code(name: str) -> FloatArray:
        if name in stylizer.codes:
            return stylizer.encode(name)
        return stylizer.encode_picture(as_picture(read_photo(styles[name]).pixels))

    return lambda name, content, painting: stylizer.render(content, code(name)[None])


def optimised_by(encoder: PerceptualEncoder, iterations: int, side: int) -> Paint:
    """Painting by Gatys' method: a number of evaluations at the finest of three sizes."""
    options = GatysOptions(side=side, iterations=iterations)
    method = Gatys(encoder)

    def paint(name: str, content: FloatArray, painting: FloatArray) -> FloatArray:
        picture = method.stylize_regions(torch.from_numpy(content), [torch.from_numpy(painting)], options=options)
        painted: FloatArray = picture.numpy()
        return painted

    return paint


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)
