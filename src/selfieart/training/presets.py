"""Train StyleNet with one code per painting (the presets) and, if asked, the prediction of codes for any painting.

Both share one trunk. A batch holds contents painted in presets, whose codes are learned one by one, and contents
painted in other pictures, whose codes come from the perceptual encoder's statistics. A new network first learns to
reproduce its input; without that, style wins and faces dissolve.
"""

from __future__ import annotations

import math
import random
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor, nn

from selfieart.errors import SelfieartError
from selfieart.networks.code_predictor import CodePredictor
from selfieart.networks.encoder import Encoder
from selfieart.networks.packaged import load_encoder
from selfieart.networks.precision import fast_autocast
from selfieart.networks.style_net import StyleNet, channels_last
from selfieart.training.labelled import held_out_names
from selfieart.training.loop import Schedule, fit, load_start
from selfieart.training.pictures import list_images, random_crop, read_rgb, resize_short_side
from selfieart.training.style_losses import (
    Importance,
    Motion,
    StyleWeights,
    content_error,
    light_error,
    out_of_range,
    stability_error,
    style_errors,
    total_variation,
    watched_peaks,
)  # fmt: skip
from selfieart.training.style_pictures import STYLE_LAYERS, StylePictures
from selfieart.training.teacher import load_teacher

CONTENT_LAYERS = {"relu3_1": 0.12, "relu4_2": 0.3}


SCHEDULE = Schedule(6000, clip=2.0)
"""What is usual; the model cards say how the packaged weights were learned."""

PREDICTION_SCHEDULE = Schedule(4000, learning_rate=2e-4, clip=2.0)
"""What is usual where only the prediction of codes is learned."""


@dataclass(frozen=True)
class PresetTraining:
    """Settings of one run beside the schedule.

    Attributes:
        size: side of the content crops in pixels.
        batch: crops in a batch.
        any_style: how many of them are painted in a picture whose code is predicted.
        style_size: short side of the style pictures in pixels.
        largest_content: greatest short side from which a crop is cut.
        weights: of the terms of the loss.
        net_pace, code_pace, predictor_pace: learning rates of the trunk, of the presets' codes (a code learns only when
            its turn comes) and of the prediction of codes, in that of the schedule.
        prediction_only: leave trunk and presets as they are, so that the presets keep painting what they paint.
        warm_up: steps of learning to reproduce the input, where there is no start.
    """

    size: int = 256
    batch: int = 4
    any_style: int = 0
    style_size: int = 512
    largest_content: int = 512
    weights: StyleWeights = field(default_factory=StyleWeights)
    net_pace: float = 1.0
    code_pace: float = 3.0
    predictor_pace: float = 1.5
    prediction_only: bool = False
    warm_up: int = 150


class StyleModel(nn.Module):
    """StyleNet, one learned code per preset, and perhaps the prediction of codes: what the weight file holds.

    Args:
        presets: number of presets.
        any_style: whether codes can be predicted.
    """

    def __init__(self, presets: int, any_style: bool) -> None:
        super().__init__()
        self.net = StyleNet()
        code = torch.cat([torch.cat([torch.ones(n.channels), torch.zeros(2 * n.channels)]) for n in self.net.norms])
        self.codes = nn.Parameter(code.repeat(presets, 1))
        self.predictor = CodePredictor(self.net.code_size) if any_style else None

    def forward(self, image: Tensor, codes: Tensor, noise: list[Tensor]) -> Tensor:
        """(B, 3, H, W) and codes (B, D) -> (B, 3, H, W)."""
        return self.net(image, codes[:, None], noise=noise)  # type: ignore[no-any-return]


def content_crop(path: Path, options: PresetTraining, rng: random.Random) -> NDArray[np.uint8]:
    """A random crop at a random scale, mirrored half of the time, sometimes darkened or with a flat patch."""
    size = options.size
    pixels = random_crop(read_rgb(path), size, (size, options.largest_content), rng)
    if rng.random() < 0.35:
        gain, gamma = rng.uniform(0.15, 1.3), math.exp(rng.uniform(-0.5, 0.9))
        pixels = (np.clip((pixels / 255.0) ** gamma * gain, 0, 1) * 255).astype(np.uint8)
    if rng.random() < 0.25:
        pixels = pixels.copy()
        height, width = rng.randint(size // 4, size * 3 // 4), rng.randint(size // 4, size * 3 // 4)
        top, left = rng.randint(0, size - height), rng.randint(0, size - width)
        lightest = rng.choice((0, 12, 40, 255, 255))
        pixels[top : top + height, left : left + width] = [rng.randint(0, lightest) for _ in range(3)]
    return np.ascontiguousarray(pixels)


def fresh_noise(net: StyleNet, batch: int, size: int, generator: torch.Generator, device: torch.device) -> list[Tensor]:
    """Standard normal noise (batch, 1, h, w) for every normalisation."""
    sides = [size // norm.step for norm in net.norms]
    return [torch.randn(batch, 1, side, side, generator=generator).to(device) for side in sides]


@dataclass(frozen=True)
class StyleBatch:
    """Contents (B, 3, s, s) in [0, 1], presets by index, and other pictures by path: one style per content."""

    content: Tensor
    presets: list[int]
    pictures: list[Path]


class StyleTask:
    """Learning to paint.

    Args:
        styles: the presets' pictures, in the order of their codes.
        pictures: folders of other style pictures; none when only presets are learned.
        contents: folders of photos.
        teacher: weights of the teacher.
        options: settings.
        device: where to train.
        start: weights to start from.
        encoder: weights of the perceptual encoder; the packaged ones when left out.
        seed: of the first weights.

    Raises:
        SelfieartError: only the prediction is to be learned, but for no given weights; or files cannot be used.
    """

    parts = ("total", "content", "mean", "covariance", "local", "variation", "light", "stability", "peaks")
    measures = ("presets", "any_style", "stable")

    def __init__(
        self,
        styles: list[Path],
        pictures: list[Path],
        contents: list[Path],
        teacher: Path,
        options: PresetTraining,
        device: torch.device,
        start: Path | None = None,
        encoder: Path | None = None,
        seed: int = 0,
    ) -> None:
        if options.prediction_only and (start is None or not options.any_style):
            raise SelfieartError("Prediction alone is learned for given weights: name them with --start.")
        names = held_out_names()
        self.options, self.device, self.styles, self.started = options, device, styles, start is not None
        found = list_images(pictures) if options.any_style else []
        self.pictures = [path for path in found if path.stem not in names]
        self.unseen = [path for path in found if path.stem in names][:6]
        found = list_images(contents)
        self.contents = [path for path in found if path.stem not in names]
        held_out = [path for path in found if path.stem in names]
        self.held_out = held_out[:: max(1, len(held_out) // 4)][:4]
        self.teacher = channels_last(load_teacher(teacher)).to(device)
        judge = None
        if options.any_style:
            judge = load_encoder() if encoder is None else Encoder().requires_grad_(False).eval()
            if encoder is not None:
                load_start(judge, encoder)
            judge = channels_last(judge).to(device)
        self.known = StylePictures(self.teacher, judge, options.style_size, device)
        self.importance = Importance(options.weights, device)
        # Here and not earlier: what is loaded before it draws from the same source only the first time.
        torch.manual_seed(seed)
        self.model = self._model(start).to(device)
        if options.prediction_only:
            self.model.net.requires_grad_(False)
            self.model.codes.requires_grad_(False)

    def _model(self, start: Path | None) -> StyleModel:
        """The model to learn, on the CPU; a start without prediction of codes is completed."""
        model = StyleModel(len(self.styles), bool(self.options.any_style))
        if start is not None:
            plain = StyleModel(len(self.styles), False)
            try:
                load_start(model, start)
            except SelfieartError:
                load_start(plain, start)
                model.net, model.codes = plain.net, plain.codes
                if model.predictor is not None:
                    sample = random.Random("statistics").sample(self.pictures, min(48, len(self.pictures)))
                    statistics = self.known.statistics([*self.styles, *sample])
                    model.predictor.begin_with(plain.codes.detach(), statistics.cpu())
        return channels_last(model)

    def groups(self) -> list[dict[str, Any]]:
        """Trunk, codes at their own pace, and the prediction of codes; or the last alone."""
        groups: list[dict[str, Any]] = []
        if not self.options.prediction_only:
            groups.append({"params": list(self.model.net.parameters()), "pace": self.options.net_pace})
            groups.append({"params": [self.model.codes], "pace": self.options.code_pace, "table": True})
        if self.model.predictor is not None:
            groups.append({"params": list(self.model.predictor.parameters()), "pace": self.options.predictor_pace})
        return groups

    def make_batch(self, rng: random.Random) -> StyleBatch:
        """Contents and their styles."""
        options = self.options
        crops = [content_crop(rng.choice(self.contents), options, rng) for _ in range(options.batch)]
        content = torch.from_numpy(np.stack(crops)).permute(0, 3, 1, 2).float() / 255
        presets = [rng.randrange(len(self.styles)) for _ in range(options.batch - options.any_style)]
        # One picture in six is a preset's: its predicted code should paint like its learned one.
        drawn = [rng.choice(self.styles if rng.random() < 0.16 else self.pictures) for _ in range(options.any_style)]
        return StyleBatch(content, presets, drawn)

    def codes(self, model: StyleModel, presets: list[int], pictures: list[Path]) -> Tensor:
        """Codes (B, D): learned ones first, then predicted ones."""
        codes = [model.codes[presets]] if presets else []
        if pictures:
            assert model.predictor is not None
            codes.append(model.predictor(self.known.statistics(pictures)))
        return torch.cat(codes)

    def losses(self, batch: StyleBatch, step: int, generator: torch.Generator) -> dict[str, Tensor]:
        """All terms of the loss by name."""
        options, weights = self.options, self.options.weights
        content = batch.content.to(self.device).contiguous(memory_format=torch.channels_last)
        size = content.shape[-1]
        noise = fresh_noise(self.model.net, len(content), size, generator, self.device)
        codes = self.codes(self.model, batch.presets, batch.pictures)
        if not self.started and step < options.warm_up:
            with fast_autocast(self.device):
                result = self.model(content, codes, noise).float()
            return {"total": 20 * F.mse_loss(result, content) + F.l1_loss(result, content)}
        motion = Motion(len(content), size, generator)
        grain = torch.randn(content.shape, generator=generator).to(self.device)
        with fast_autocast(self.device):
            # The first three see the photo's own edges, which may be high.
            with watched_peaks(self.model.net.norms[3:]) as peaks:
                result = self.model(content, codes, noise).float()
            # One of the batch is painted again, moved and noisy: a quarter of the cost, the same gradient on average.
            chosen = [step % len(content)]
            moved = motion.moved(content)[chosen] + 0.02 * grain[chosen]
            again = self.model(moved, codes[chosen], [n[chosen] for n in noise]).float()
            with torch.no_grad():
                wanted = self.teacher(content, last="4_2")
            got = self.teacher(result, expand=True)
        importance = self.importance(content)
        content_loss = torch.zeros((), device=self.device)
        for layer, weight in CONTENT_LAYERS.items():
            content_loss = content_loss + weight * content_error(got[layer].float(), wanted[layer].float(), importance)
        targets = self.known.moments([*(self.styles[index] for index in batch.presets), *batch.pictures])
        mean, covariance, local = style_errors(got, targets, STYLE_LAYERS)
        stability = stability_error(motion.moved(result)[chosen], again, motion.inside[chosen].to(self.device))
        light, variation = light_error(result, content), total_variation(result)
        total = content_loss + weights.style * (2 * mean + covariance + weights.local * local)
        total = total + weights.light * light + weights.variation * variation + 5 * out_of_range(result)
        peak = torch.stack(peaks).sum()
        total = total + weights.stability * stability + weights.peaks * peak
        parts = {"total": total, "content": content_loss, "mean": mean, "covariance": covariance, "local": local}
        return parts | {"variation": variation, "light": light, "stability": stability, "peaks": peak}

    def measure(self, model: nn.Module) -> dict[str, float]:
        """Style errors of presets and of unseen pictures, and stability, on held-out contents."""
        assert isinstance(model, StyleModel)
        if not self.held_out:
            return {}
        contents = self._contents(384)
        every = max(1, len(self.styles) // 5)
        cases: dict[str, list[tuple[int | None, Path]]] = {
            "presets": [(index, self.styles[index]) for index in range(0, len(self.styles), every)],
            "any_style": [(None, path) for path in self.unseen],
        }
        out, shaken = {}, []
        for name, styles in cases.items():
            errors = []
            for index, path in styles:
                targets = self.known.moments([path])
                for number, content in enumerate(contents[:2]):
                    noise, motion = self._chance(model, number)
                    with torch.no_grad():
                        code = self.codes(model, [] if index is None else [index], [path] if index is None else [])
                        painted = model(content, code, noise)
                        again = model(motion.moved(content), code, noise)
                        mean, covariance, _ = style_errors(self.teacher(painted, expand=True), targets, STYLE_LAYERS)
                    errors.append((2 * mean + covariance).item())
                    inside = motion.inside.to(self.device)
                    shaken.append(stability_error(motion.moved(painted), again, inside).sqrt().item())
            if errors:
                out[name] = float(np.mean(errors))
        return out | {"stable": float(np.mean(shaken))}

    def _contents(self, side: int) -> list[Tensor]:
        crops = [resize_short_side(read_rgb(path), side)[:side, :side] for path in self.held_out]
        return [torch.from_numpy(c).permute(2, 0, 1)[None].float().to(self.device) / 255 for c in crops]

    def _chance(self, model: StyleModel, number: int) -> tuple[list[Tensor], Motion]:
        generator = torch.Generator().manual_seed(number)
        return fresh_noise(model.net, 1, 384, generator, self.device), Motion(1, 384, generator)

    def sheet(self, model: nn.Module) -> NDArray[np.uint8] | None:
        """Held-out contents in seven presets and, below, in pictures never learned from, those pictures beside."""
        assert isinstance(model, StyleModel)
        contents = self._contents(384)[:3]
        if not contents:
            return None
        every = max(1, len(self.styles) // 7)
        cases: list[tuple[int | None, Path]] = [(None, path) for path in self.unseen]
        cases = [*((i, path) for i, path in enumerate(self.styles) if i % every == 0)][:7] + cases
        rows = []
        for index, path in cases:
            picture = cv2.resize(resize_short_side(read_rgb(path), 384)[:384, :384], (256, 256))
            row = [np.asarray(picture, np.uint8)]
            for number, content in enumerate(contents):
                with torch.no_grad():
                    code = self.codes(model, [] if index is None else [index], [path] if index is None else [])
                    painted = model(content, code, self._chance(model, number)[0])[0].clamp(0, 1)
                shown = (painted.permute(1, 2, 0) * 255).byte().cpu().numpy()
                row.append(np.asarray(cv2.resize(shown, (256, 256), interpolation=cv2.INTER_AREA), np.uint8))
            rows.append(np.concatenate(row, axis=1))
        half = (len(rows) + 1) // 2
        rows += [np.zeros_like(rows[0])] * (2 * half - len(rows))
        return np.concatenate([np.concatenate(rows[:half]), np.concatenate(rows[half:])], axis=1)


def train_presets(
    styles: list[Path],
    contents: list[Path],
    teacher: Path,
    out: Path,
    options: PresetTraining | None = None,
    schedule: Schedule | None = None,
    device: torch.device | None = None,
    start: Path | None = None,
    pictures: list[Path] | None = None,
    encoder: Path | None = None,
) -> dict[str, Any]:
    """Train the styles and write their weights; see :func:`selfieart.training.loop.fit`.

    Args:
        styles: the presets' pictures, in the order of their codes.
        contents: folders of photos.
        teacher: weights of the teacher.
        out: file to write.
        options, schedule: settings.
        device: where to train; the CPU when left out.
        start: weights to start from (then the learning to reproduce the input is left out).
        pictures: folders of pictures for the prediction of codes (``options.any_style`` > 0).
        encoder: weights of the perceptual encoder; the packaged ones when left out.
    """
    options, schedule = options or PresetTraining(), schedule or SCHEDULE
    where = device or torch.device("cpu")
    task = StyleTask(styles, pictures or [], contents, teacher, options, where, start, encoder, schedule.seed)
    counts = {"contents": len(task.contents), "pictures": len(task.pictures), "presets": len(styles)}
    return fit(task, schedule, out, {**asdict(options), **counts, "start": start and start.name})
