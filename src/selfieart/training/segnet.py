"""Train SegNet on who is a person: binary cross-entropy and Adam, at 256 px, as Styfie did, with deep supervision."""

from __future__ import annotations

import random
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor, nn

from selfieart.metrics.segmentation import SegmentationScores
from selfieart.networks.precision import fast_autocast
from selfieart.networks.segnet import SegNet
from selfieart.networks.tensors import as_tensor
from selfieart.training.labelled import IGNORED, Labelled, augment, pictures_in, read_labelled, split
from selfieart.training.loop import Schedule, fit, load_start
from selfieart.training.parser import normalised

SCHEDULE = Schedule(4000, learning_rate=1e-3, muon=0.01, weight_decay=0.02, clip=5.0)
"""What is usual; the model cards say how the packaged weights were learned."""


@dataclass(frozen=True)
class SegNetTraining:
    """Settings beside the schedule.

    Attributes:
        size: side of the crops in pixels, a multiple of 32.
        batch: crops in a batch.
        read_side: short side at which pictures are kept in memory.
        squeezed: share of the crops from pictures squeezed to a square, which is how Styfie looks at them and how the
            held-out pictures are judged; the others keep their shape, as in the product.
        auxiliary: weight of the loss of each deep layer.
    """

    size: int = 256
    batch: int = 8
    read_side: int = 320
    squeezed: float = 0.5
    auxiliary: float = 0.4


class SegNetTask:
    """Learning person from background.

    Args:
        folders: data folders with images/ and masks/.
        options: settings.
        device: where to train.
        start: weights to start from.
        seed: of the first weights.
    """

    parts = ("total", "main", "auxiliary")
    measures = ("cross_entropy", "mean_iou", "person_iou")

    def __init__(
        self,
        folders: list[Path],
        options: SegNetTraining,
        device: torch.device,
        start: Path | None = None,
        seed: int = 0,
    ) -> None:
        torch.manual_seed(seed)
        self.options, self.device = options, device
        self.model = SegNet()
        if start is not None:
            load_start(self.model, start)
        self.model = self.model.to(device).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.samples: list[Labelled] = []
        self.held_out: list[Labelled] = []
        for folder in folders:
            learned, held_out = split(pictures_in(folder))
            self.samples += [read_labelled(path, options.read_side) for path in learned]
            self.held_out += [read_labelled(path, options.read_side) for path in held_out]

    def groups(self) -> list[dict[str, Any]]:
        """All parameters, at one pace."""
        return [{"params": list(self.model.parameters())}]

    def make_batch(self, rng: random.Random) -> tuple[Tensor, Tensor]:
        """Crops (B, 3, s, s) in [0, 1] and label ids (B, s, s)."""
        made = []
        for _ in range(self.options.batch):
            sample, scales = rng.choice(self.samples), (0.7, 1.8)
            if rng.random() < self.options.squeezed:
                sample, scales = squeezed(sample, self.options.read_side), (0.8, 1.4)
            made.append(augment(sample, self.options.size, scales, rng))
        images = torch.from_numpy(np.stack([image for image, _ in made])).permute(0, 3, 1, 2)
        return images, torch.from_numpy(np.stack([labels for _, labels in made]))

    def losses(self, batch: tuple[Tensor, Tensor], step: int, generator: torch.Generator) -> dict[str, Tensor]:
        """Binary cross-entropy over the pixels whose label is known."""
        images, labels = batch[0].to(self.device), batch[1].to(self.device)
        with fast_autocast(self.device):
            main, *deep = (logits.float()[:, 0] for logits in self.model.heads(normalised(images)))
        own = person_entropy(main, labels)
        extra = torch.zeros((), device=self.device)
        for logits in deep:
            step_of = labels.shape[-1] // logits.shape[-1]
            extra = extra + person_entropy(logits, labels[:, step_of // 2 :: step_of, step_of // 2 :: step_of])
        return {"total": own + self.options.auxiliary * extra, "main": own, "auxiliary": extra}

    def logits(self, model: nn.Module, pixels: NDArray[np.uint8]) -> Tensor:
        """Logits of "person" (256, 256) of a picture, squeezed to a square as Styfie does."""
        square = np.asarray(cv2.resize(pixels, (256, 256), interpolation=cv2.INTER_AREA), np.uint8)
        with torch.inference_mode():
            seen: Tensor = model(normalised(as_tensor(square)[None].to(self.device))).float()[0, 0]
        return seen.cpu()

    def measure(self, model: nn.Module) -> dict[str, float]:
        """Cross-entropy, mean IoU of person and background, IoU of person, on the held-out pictures at 256 x 256."""
        scores, entropy = SegmentationScores(2), []
        for sample in self.held_out:
            labels = cv2.resize(sample.labels, (256, 256), interpolation=cv2.INTER_NEAREST)
            truth = (np.asarray(labels) > 0).astype(np.uint8)
            logits = self.logits(model, sample.pixels)
            scores.add(truth, (logits > 0).to(torch.uint8).numpy())
            entropy.append(F.binary_cross_entropy_with_logits(logits, torch.from_numpy(truth).float()).item())
        if not entropy:
            return {}
        return {
            "cross_entropy": float(np.mean(entropy)),
            "mean_iou": float(scores.mean_iou),
            "person_iou": float(scores.iou[1]),
        }

    def sheet(self, model: nn.Module) -> NDArray[np.uint8] | None:
        """Held-out pictures above the person that the model cuts out of them."""
        columns = []
        for sample in self.held_out[:: max(1, len(self.held_out) // 8)][:8]:
            square = np.asarray(cv2.resize(sample.pixels, (256, 256), interpolation=cv2.INTER_AREA), np.uint8)
            matte = self.logits(model, sample.pixels).sigmoid().numpy()[..., None]
            columns.append(np.concatenate([square, (square * matte + 255 * (1 - matte)).astype(np.uint8)]))
        return np.concatenate(columns, axis=1) if columns else None


def squeezed(sample: Labelled, side: int) -> Labelled:
    """A sample squeezed to a square of some pixels."""
    pixels = cv2.resize(sample.pixels, (side, side), interpolation=cv2.INTER_AREA)
    labels = cv2.resize(sample.labels, (side, side), interpolation=cv2.INTER_NEAREST)
    return Labelled(np.asarray(pixels, np.uint8), np.asarray(labels, np.uint8), sample.aligned)


def person_entropy(logits: Tensor, labels: Tensor) -> Tensor:
    """Mean binary cross-entropy of "person" over the pixels whose label is known: logits and label ids (B, h, w)."""
    known = labels != IGNORED
    return F.binary_cross_entropy_with_logits(logits[known], (labels[known] > 0).float())


def train_segnet(
    folders: list[Path],
    out: Path,
    options: SegNetTraining | None = None,
    schedule: Schedule | None = None,
    device: torch.device | None = None,
    start: Path | None = None,
) -> dict[str, Any]:
    """Train SegNet and write its weights; see :func:`selfieart.training.loop.fit`.

    Args:
        folders: data folders.
        out: file to write.
        options, schedule: settings.
        device: where to train; the CPU when left out.
        start: weights to start from.
    """
    options = options or SegNetTraining()
    schedule = schedule or SCHEDULE
    task = SegNetTask(folders, options, device or torch.device("cpu"), start, schedule.seed)
    counts = {"pictures": len(task.samples), "held_out": len(task.held_out)}
    return fit(task, schedule, out, {**asdict(options), **counts, "start": start and start.name})
