"""``selfieart evaluate instant``: style and content distance of pictures whose codes are predicted."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from selfieart.evaluation.judge import StyleScores, judge_styles
from selfieart.evaluation.pictures import paintings_in
from selfieart.progress import Progress, silent
from selfieart.training.labelled import held_out_names


@dataclass(frozen=True)
class InstantEvaluation:
    """What is painted and judged.

    Attributes:
        pictures: folder of style pictures that are no presets.
        photos: files to paint.
        teacher: weights of the compact VGG-19 that judges (safetensors).
        weights: other weights of the styles than the packaged ones (safetensors).
        count: how many of the pictures, evenly chosen.
        held_out: only pictures on the list that no training of ours has seen.
        gatys: iterations of Gatys' method, which is then judged too; 0 leaves it out.
        side: short side in pixels.
    """

    pictures: Path
    photos: tuple[Path, ...]
    teacher: Path
    weights: Path | None = None
    count: int = 20
    held_out: bool = False
    gatys: int = 0
    side: int = 384


def evaluate_instant(options: InstantEvaluation, progress: Progress = silent) -> StyleScores:
    """Style and content distance of pictures whose codes are predicted.

    Args:
        options: what is painted and judged.
        progress: told the stage "evaluate" and how far it is; may raise Cancelled.

    Raises:
        SelfieartError: a file or folder does not exist, or a picture is too small to show a style.
        WeightsError: the weights are no weights of the styles.
    """
    styles = paintings_in(options.pictures, held_out_names() if options.held_out else None, options.count)
    return judge_styles(styles, options.photos, options.teacher, options.weights, options.gatys, options.side, progress)
