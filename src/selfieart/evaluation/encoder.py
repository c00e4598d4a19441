"""``selfieart evaluate encoder``: Gatys' method with the perceptual encoder beside the same with the teacher."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from selfieart.evaluation.judge import Judge, Scores, optimised_by, scores_to_json
from selfieart.evaluation.pictures import check_files, paintings_in
from selfieart.imaging.arrays import FloatArray, Pixels, as_pixels
from selfieart.networks.encoder import Encoder, PerceptualEncoder
from selfieart.networks.packaged import load_encoder
from selfieart.progress import Progress, silent
from selfieart.sheets.sheet import fitted, sheet
from selfieart.training.loop import load_start

_CELL = 256


@dataclass(frozen=True)
class EncoderEvaluation:
    """What is painted and judged.

    Attributes:
        paintings: folder of paintings.
        photos: files to paint.
        teacher: weights of the compact VGG-19 that judges (safetensors).
        weights: other weights of the encoder than the packaged ones (safetensors).
        count: how many of the paintings, evenly chosen.
        iterations: of Gatys' method, at the finest size.
        side: short side in pixels.
    """

    paintings: Path
    photos: tuple[Path, ...]
    teacher: Path
    weights: Path | None = None
    count: int = 4
    iterations: int = 60
    side: int = 384


@dataclass(frozen=True, eq=False)
class EncoderScores:
    """Distances of what Gatys' method paints by the features of either.

    Attributes:
        encoder: with the perceptual encoder.
        teacher: with the teacher itself.
        sheet: (H, W, 3) uint8; per painting a row of the encoder's results above a row of the teacher's.
    """

    encoder: Scores
    teacher: Scores
    sheet: Pixels

    @property
    def means(self) -> Scores:
        """The mean distances by whose features were compared."""
        return {"encoder": self.encoder["mean"], "teacher": self.teacher["mean"]}

    @property
    def ratio(self) -> float:
        """The encoder's mean style distance over the teacher's: 1 if it serves as well."""
        return self.encoder["mean"].style / self.teacher["mean"].style

    def to_json(self) -> dict[str, Any]:
        """{"encoder": {style: {"style", "content"}}, "teacher": ..., "ratio": ...}."""
        both = {"encoder": scores_to_json(self.encoder), "teacher": scores_to_json(self.teacher)}
        return {**both, "ratio": self.ratio}


def evaluate_encoder(options: EncoderEvaluation, progress: Progress = silent) -> EncoderScores:
    """Gatys' method with the perceptual encoder beside the same with the teacher, both judged by the teacher.

    Args:
        options: what is painted and judged.
        progress: told the stage "evaluate" and how far it is; may raise Cancelled.

    Raises:
        SelfieartError: a file or folder does not exist, or the weights do not fit the encoder.
    """
    check_files([options.teacher, *options.photos, options.weights])
    judged = load_encoder() if options.weights is None else Encoder().requires_grad_(False).eval()
    if options.weights is not None:
        load_start(judged, options.weights)
    styles = paintings_in(options.paintings, None, options.count)
    judge = Judge(options.teacher, options.photos, options.side)
    return compare_encoders(judge, judged, styles, options.iterations, progress)


def compare_encoders(
    judge: Judge, encoder: PerceptualEncoder, styles: Mapping[str, Path], iterations: int, progress: Progress = silent
) -> EncoderScores:
    """Gatys' method with an encoder and with the teacher itself, on the same photos and paintings."""
    ours, our_cells = _painted_and_judged(judge, encoder, "encoder", styles, iterations, _half(progress, 0))
    theirs, their_cells = _painted_and_judged(judge, judge.encoder, "teacher", styles, iterations, _half(progress, 1))
    count = len(judge.photos)
    cells: list[tuple[Pixels | None, str]] = []
    for row in range(len(styles)):
        for of in (our_cells, their_cells):
            cells += of[row * count : (row + 1) * count]
    return EncoderScores(ours, theirs, sheet(cells, count, _CELL, _CELL))


def _painted_and_judged(
    judge: Judge,
    encoder: PerceptualEncoder,
    name: str,
    styles: Mapping[str, Path],
    iterations: int,
    progress: Progress,
) -> tuple[Scores, list[tuple[Pixels, str]]]:
    paint = optimised_by(encoder, iterations, judge.side)
    cells: list[tuple[Pixels, str]] = []

    def kept(style: str, content: FloatArray, painting: FloatArray) -> FloatArray:
        picture = paint(style, content, painting)
        cells.append((fitted(as_pixels(picture), _CELL, _CELL), f"{name}: {style}"))
        return picture

    return judge.scores(styles, kept, progress), cells


def _half(progress: Progress, place: int) -> Progress:
    return lambda stage, done: progress(stage, (place + done) / 2)
