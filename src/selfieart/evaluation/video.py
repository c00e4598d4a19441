"""``selfieart evaluate video``: how steady painted videos are, and how much of the style is left.

Lai et al., "Learning Blind Video Temporal Consistency" (ECCV 2018). Flow and occlusion are those of the input video. A
blurred or weak style improves every number about steadiness, so none of them may be read without the style's strength.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from itertools import islice
from pathlib import Path
from typing import Any, Literal

import cv2
import numpy as np
from numpy.typing import NDArray

from selfieart.errors import SelfieartError
from selfieart.evaluation.pictures import check_files
from selfieart.extras import require
from selfieart.imaging.arrays import FloatArray, Pixels
from selfieart.look import Look
from selfieart.metrics.segmentation import SegmentationScores
from selfieart.progress import Progress, silent
from selfieart.render.studio import Studio
from selfieart.styles.resolve import resolve_style
from selfieart.video.choice import STEADINESS
from selfieart.video.flow import at_size, flow_between, occluded, warp
from selfieart.video.frame import Frame
from selfieart.video.io.reading import read_frames
from selfieart.video.painter import VideoPainter
from selfieart.video.state import VideoState

FRAME_BY_FRAME, STEADY = "frame by frame", "steady"
"""The two ways of painting that are compared: every frame for itself, and as ``selfieart video`` does it."""

JUDGED_SIDE = 384
"""Short side in pixels to which frames are reduced before their style is judged."""

ClipScores = dict[str, dict[str, float]]
"""Way of painting, or "input" -> its measures; see :func:`evaluate_clip`."""

Visible = NDArray[np.bool_]
Judge = Callable[[Pixels], float]
"""A painted frame -> the distance of its style from the paintings'."""


@dataclass(frozen=True)
class VideoEvaluation:
    """What is painted and measured.

    Attributes:
        clips: video files.
        look: what wears which style.
        steadiness: 0 to 1, how steady the steady way is.
        parse_every: "auto", or every how many frames segments are looked for.
        start: seconds of each clip that are left out.
        frames: how many frames of each clip are measured.
        side: reduce frames to this short side.
        teacher: weights of the compact VGG-19 that judges the style (safetensors); needs ``paintings``.
        paintings: folder with the pictures of the presets, NAME.jpg each.
    """

    clips: tuple[Path, ...]
    look: Look
    steadiness: float = STEADINESS
    parse_every: int | Literal["auto"] = "auto"
    start: float = 0.0
    frames: int = 100
    side: int | None = None
    teacher: Path | None = None
    paintings: Path | None = None


@dataclass(frozen=True)
class VideoScores:
    """The measures of every clip.

    Attributes:
        options: what was painted and measured.
        clips: file -> measures by way of painting.
    """

    options: VideoEvaluation
    clips: dict[str, ClipScores]

    def to_json(self) -> dict[str, Any]:
        """{"look": as TOML, "steadiness": ..., "clips": {file: {way: {measure: value}}}}."""
        return {"look": self.options.look.to_toml(), "steadiness": self.options.steadiness, "clips": self.clips}


def evaluate_video(options: VideoEvaluation, progress: Progress = silent) -> VideoScores:
    """How steady painted clips are, beside painting them frame by frame.

    Args:
        options: what is painted and measured.
        progress: told "Measuring NAME" and the fraction of all frames that is done; may raise Cancelled.

    Raises:
        SelfieartError: the options contradict each other, a file cannot be read, a clip has no frames, or an extra is
            missing that the teacher needs.
    """
    if (options.teacher is None) != (options.paintings is None):
        raise SelfieartError("A teacher measures the distance from paintings: give both --teacher and --paintings.")
    judge = None
    if options.teacher is not None and options.paintings is not None:
        judge = style_judge(options.look, options.teacher, options.paintings)
    studio, rows = Studio(), {}
    for place, clip in enumerate(options.clips):
        painters = {
            FRAME_BY_FRAME: VideoPainter(studio, options.look, 0, 1),
            STEADY: VideoPainter(studio, options.look, options.steadiness, options.parse_every),
        }
        start = Fraction(options.start).limit_denominator(1000) if options.start else None
        frames = islice(read_frames(clip, start, None, options.side), options.frames)

        def report(count: int, clip: Path = clip, place: int = place) -> None:
            progress(f"Measuring {clip.name}", (place + count / options.frames) / len(options.clips))

        report(0)
        rows[str(clip)] = evaluate_clip(frames, painters, judge, report)
    return VideoScores(options, rows)


def style_judge(look: Look, teacher: Path, paintings: Path) -> Judge:
    """The mean distance of a frame's style from the paintings of a look, as the teacher sees it.

    Args:
        look: whose presets and pictures are compared with.
        teacher: weights of the compact VGG-19 that judges.
        paintings: folder with the pictures of the presets, NAME.jpg each.

    Raises:
        SelfieartError: the look wears no painting, a file does not exist, or torch is not installed.
    """
    require("methods")
    resolved = [resolve_style(worn.style) for worn in look.segments.values()]
    files = {style.name: paintings / f"{style.name}.jpg" for style in resolved if style.kind == "preset"}
    files |= {style.name: Path(style.name) for style in resolved if style.kind == "picture"}
    if not files:
        raise SelfieartError("The look wears no painting, so there is no style to measure: leave out --teacher.")
    check_files([teacher, *files.values()])

    import torch

    from selfieart.imaging import read_photo
    from selfieart.metrics.distances import style_distance
    from selfieart.networks.tensors import as_tensor
    from selfieart.training.teacher import EXPANSIONS, load_teacher
    from selfieart.video.flow import reduced

    network = load_teacher(teacher)
    layers = [f"vgg{name}" for name in EXPANSIONS]

    def features(pixels: Pixels) -> dict[str, torch.Tensor]:
        with torch.inference_mode():
            return network(as_tensor(reduced(pixels, JUDGED_SIDE))[None], expand=True)  # type: ignore[no-any-return]

    wanted = [features(read_photo(path).pixels) for path in files.values()]

    def judge(pixels: Pixels) -> float:
        seen = features(pixels)
        return sum(style_distance(seen, style, layers) for style in wanted) / len(wanted)

    return judge


def warping_error(previous: Pixels, current: Pixels, forward: FloatArray, visible: Visible) -> float:
    """E_warp of two frames: sum_p M ||warp(V_t) - V_(t-1)||^2 / sum_p M, squares summed over the three colours.

    Args:
        previous, current: V_(t-1) and V_t, (H, W, 3) uint8; they count in [0, 1].
        forward: (H, W, 2), flow of the input video from t - 1 to t.
        visible: (H, W), M: what is seen in both frames.

    Returns:
        At least 0; nan where nothing is seen in both.
    """
    if not visible.any():
        return math.nan
    warped = warp(current.astype(np.float32), forward)
    apart = np.square((warped - previous) / 255).sum(-1)
    return float(apart[visible].mean())


def visible_in_both(previous: Pixels, current: Pixels) -> tuple[FloatArray, Visible]:
    """Flow (H, W, 2) from one frame of the input to the next, and where it is not occluded, (H, W)."""
    forward = flow_between(previous, current, thorough=True)
    return forward, ~occluded(forward, flow_between(current, previous, thorough=True))


def high_pass_energy(pixels: Pixels, sigma: float = 2.0) -> float:
    """Mean |Y - G_sigma * Y| of the luma Y in [0, 1]: a stand-in for the strength of a style that needs no network.

    It tells whether strokes were blurred away, not whether they are the painting's.
    """
    luma = cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY).astype(np.float32) / 255
    return float(np.abs(luma - cv2.GaussianBlur(luma, (0, 0), sigma)).mean())


@dataclass
class Steadiness:
    """Collects the measures of one video, frame after frame.

    Attributes:
        errors: E_warp of every pair of frames.
        energies: high-pass energy of every frame.
        distances: style distance of every judged frame.
    """

    errors: list[float] = field(default_factory=list)
    energies: list[float] = field(default_factory=list)
    distances: list[float] = field(default_factory=list)
    _masks: SegmentationScores | None = None
    _before: tuple[Pixels, NDArray[np.uint8] | None] | None = None

    def add(
        self,
        pixels: Pixels,
        labels: NDArray[np.uint8] | None = None,
        seen: tuple[FloatArray, Visible] | None = None,
        judge: Judge | None = None,
    ) -> None:
        """Add a frame.

        Args:
            pixels: (H, W, 3).
            labels: (h, w), the likeliest group at each pixel, at any resolution.
            seen: flow from the frame before and what is visible in both, from :func:`visible_in_both`; None for the
                first frame.
            judge: measures the style.
        """
        self.energies.append(high_pass_energy(pixels))
        if judge is not None:
            self.distances.append(judge(pixels))
        if seen is not None and self._before is not None:
            forward, visible = seen
            before, labels_before = self._before
            self.errors.append(warping_error(before, pixels, forward, visible))
            if labels is not None and labels_before is not None:
                self._compare(labels_before, labels, forward, visible)
        self._before = pixels, labels

    def _compare(self, before: NDArray[np.uint8], now: NDArray[np.uint8], forward: FloatArray, seen: Visible) -> None:
        height, width = before.shape
        moved = warp(now, at_size(forward, height, width), cv2.INTER_NEAREST)
        shown = cv2.resize(seen.astype(np.uint8), (width, height), interpolation=cv2.INTER_NEAREST) > 0
        if self._masks is None:
            self._masks = SegmentationScores(256)
        self._masks.add(before[shown], moved[shown])

    def as_dict(self) -> dict[str, float]:
        """Mean of every measure that there is: e_warp, mask_miou, high_pass, style_distance."""
        errors = [error for error in self.errors if math.isfinite(error)]
        out = {"e_warp": float(np.mean(errors)) if errors else 0.0}
        if self._masks is not None:
            out["mask_miou"] = self._masks.mean_iou
        out["high_pass"] = float(np.mean(self.energies))
        if self.distances:
            out["style_distance"] = float(np.mean(self.distances))
        return out


def evaluate_clip(
    frames: Iterable[Frame],
    painters: Mapping[str, VideoPainter],
    judge: Judge | None = None,
    progress: Callable[[int], None] = lambda _: None,
) -> ClipScores:
    """Measure several ways of painting one clip, frame by frame, so that memory does not grow.

    Args:
        frames: of the clip.
        painters: by name; one called "frame by frame" is what the others are compared to.
        judge: measures the style of every tenth frame.
        progress: told the number of every frame that is done; may raise Cancelled.

    Returns:
        "input" and every painter's name -> the measures of :meth:`Steadiness.as_dict`; for painters also "excess", the
        warping error above the input's, "frames_per_second", and beside "frame by frame" the ratios "excess_ratio",
        "high_pass_ratio" and "style_distance_ratio" to it.

    Raises:
        SelfieartError: the clip has no frames.
    """
    floor = Steadiness()
    scores = {name: Steadiness() for name in painters}
    states: dict[str, VideoState] = {name: painter.start() for name, painter in painters.items()}
    seconds = dict.fromkeys(painters, 0.0)
    before: Pixels | None = None
    count = 0
    for frame in frames:
        seen = None if before is None or before.shape != frame.pixels.shape else visible_in_both(before, frame.pixels)
        floor.add(frame.pixels, seen=seen)
        for name, painter in painters.items():
            start = time.perf_counter()
            pixels, states[name] = painter.paint(frame, states[name])
            seconds[name] += time.perf_counter() - start
            scores[name].add(pixels, likeliest(states[name]), seen, judge if count % 10 == 0 else None)
        before, count = frame.pixels, count + 1
        progress(count)
    if not count:
        raise SelfieartError("The clip has no frames: give another one.")
    out = {"input": floor.as_dict()}
    for name, score in scores.items():
        out[name] = score.as_dict()
        out[name]["excess"] = out[name]["e_warp"] - out["input"]["e_warp"]
        out[name]["frames_per_second"] = count / max(seconds[name], 1e-9)
    _compare_to(out, FRAME_BY_FRAME)
    return out


def likeliest(state: VideoState) -> NDArray[np.uint8] | None:
    """The likeliest group of segments at each pixel of the last frame (h, w), at the resolution of parsing."""
    if state.logits is None:
        return None
    # The softness of the masks does not change which of them is the greatest.
    return np.asarray(np.argmax(state.logits, 0), np.uint8)


def _compare_to(rows: ClipScores, name: str) -> None:
    if name not in rows:
        return
    reference = dict(rows[name])
    for other, row in rows.items():
        if other in ("input", name):
            continue
        for key in ("excess", "high_pass", "style_distance"):
            # Where painting calms the input's noise there is no excess to compare with.
            if reference.get(key, 0) > 0:
                row[f"{key}_ratio"] = row[key] / reference[key]
