"""``selfieart evaluate presets``: style and content distance of every preset, as the teacher sees it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from selfieart.evaluation.judge import StyleScores, judge_styles
from selfieart.progress import Progress, silent
from selfieart.styles.presets import presets


@dataclass(frozen=True)
class PresetsEvaluation:
    """What is painted and judged.

    Attributes:
        paintings: folder with the pictures of the presets, NAME.jpg each.
        photos: files to paint.
        teacher: weights of the compact VGG-19 that judges (safetensors).
        weights: other weights of the styles than the packaged ones (safetensors).
        gatys: iterations of Gatys' method, which is then judged too; 0 leaves it out.
        side: short side in pixels.
    """

    paintings: Path
    photos: tuple[Path, ...]
    teacher: Path
    weights: Path | None = None
    gatys: int = 0
    side: int = 384


def evaluate_presets(options: PresetsEvaluation, progress: Progress = silent) -> StyleScores:
    """Style and content distance of every preset.

    Args:
        options: what is painted and judged.
        progress: told the stage "evaluate" and how far it is; may raise Cancelled.

    Raises:
        SelfieartError: a file does not exist.
        WeightsError: the weights are no weights of the styles.
    """
    styles = {name: options.paintings / f"{name}.jpg" for name in presets()}
    return judge_styles(styles, options.photos, options.teacher, options.weights, options.gatys, options.side, progress)
