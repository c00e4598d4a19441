"""Train the face parser on full and partial labels.

What each part is for:

1. Portraits that only know person and background, and clothing photos that only know skin, hair and clothes, teach
   what selfies look like: their loss is -log of the summed probability of the classes that the label allows.
   Labels completed by the parser's own closer look (:mod:`selfieart.training.completed`) teach more.
2. The Dice loss gives a rare class (necklace, earring) as much say as a common one.
3. Aligned faces lend each other glasses, hats, earrings and necklaces.
4. Copies painted by our own preset styles, with the labels of the photo, teach it to read paintings.
5. Pictures without people teach that bushes are no clothes.
6. A U-Net begins with the convolutions of VGG-19 (:mod:`selfieart.training.vgg_start`): 800 labelled faces go further.
"""

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

from selfieart.errors import SelfieartError
from selfieart.imaging.arrays import as_picture, as_pixels
from selfieart.imaging.color import keep_color
from selfieart.metrics.segmentation import SegmentationScores
from selfieart.networks.blocks import FaceNetwork
from selfieart.networks.faces import face_network
from selfieart.networks.precision import fast_autocast
from selfieart.networks.tensors import as_tensor
from selfieart.networks.unet import UNet
from selfieart.render.loading import load_presets
from selfieart.segments import NAMES, SEGMENTS
from selfieart.training.completed import with_completed
from selfieart.training.labelled import (
    IGNORED,
    PERSON,
    SKIN,
    WORN,
    Labelled,
    allowed_classes,
    augment,
    held_out_names,
    lend,
    pictures_in,
    read_labelled,
    split,
    without_people,
)  # fmt: skip
from selfieart.training.loop import Schedule, fit, load_start
from selfieart.training.pictures import list_images
from selfieart.training.teacher import load_teacher
from selfieart.training.vgg_start import begin_with_vgg

MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
SHOWN = 8

FAR = (0.15, 0.5)
"""Range of scales of a person seen from far away: faces of 30 to 100 pixels in a crop of 320."""


SCHEDULE = Schedule(7000, learning_rate=1e-3, muon=0.01, weight_decay=0.02, clip=5.0)
"""What is usual; the model cards say how the packaged weights were learned."""


@dataclass(frozen=True)
class ParserTraining:
    """Settings of the parser's training beside the schedule.

    Attributes:
        size: side of the crops in pixels.
        batch: crops in a batch.
        faces: share of crops from pictures with all 19 classes.
        painted: share of those that are taken from a painted copy.
        rare: share of those that are drawn from pictures with glasses, a hat, earrings or a necklace.
        lent: share of those that borrow glasses, hat, earrings or necklace.
        empty: share of crops from pictures without people, if there are any.
        far: share of crops that show the person from far away: without, small faces in large pictures are not seen.
        dice: weight of the Dice loss.
        read_side: short side at which pictures are kept in memory.
        network: "unet" or "bisenet".
        vgg_pace: how fast convolutions that VGG-19 began learn, beside the others.
    """

    size: int = 320
    batch: int = 8
    faces: float = 0.6
    painted: float = 0.25
    rare: float = 0.2
    lent: float = 0.3
    empty: float = 0.06
    far: float = 0.2
    dice: float = 0.75
    read_side: int = 384
    network: str = "unet"
    vgg_pace: float = 0.2


class ParserTask:
    """Learning to parse.

    Args:
        folders: data folders with images/, masks/ and perhaps parts/.
        options: settings.
        device: where to train.
        start: weights to start from.
        seed: of the painted copies.
        completed: folder of completed labels, see :mod:`selfieart.training.completed`.
        empty: folder of pictures without people, all of them background: without, bushes are taken for clothes.
        teacher: weights of :class:`selfieart.training.teacher.Teacher`, with whose convolutions a U-Net without other
            weights to start from begins.

    Raises:
        UnknownName: there is no such network.
        SelfieartError: a folder holds no pictures or no completed labels, labels are missing or wrong, or a teacher is
            of no use.
    """

    parts = ("total", "main", "auxiliary", "dice")
    measures = ("mean_iou", "person_iou")

    def __init__(
        self,
        folders: list[Path],
        options: ParserTraining,
        device: torch.device,
        start: Path | None = None,
        seed: int = 0,
        completed: Path | None = None,
        teacher: Path | None = None,
        empty: Path | None = None,
    ) -> None:
        if completed is not None and not any(completed.glob("*.png")):
            raise SelfieartError(f"{completed} holds no completed labels: make them with `selfieart train labels`.")
        if teacher is not None and (start is not None or options.network != "unet"):
            raise SelfieartError("Only a unet begins with a teacher, and without --start: leave --teacher out.")
        torch.manual_seed(seed)
        self.options, self.device = options, device
        model: FaceNetwork = face_network(options.network)
        if start is not None:
            load_start(model, start)
        self.faces: list[Labelled] = []
        self.others: list[Labelled] = []
        self.held_out: list[Labelled] = []
        for folder in folders:
            learned, held_out = split(pictures_in(folder))
            for path in learned:
                sample = read_labelled(path, options.read_side)
                if completed is not None:
                    sample = with_completed(sample, path, completed)
                (self.faces if sample.aligned else self.others).append(sample)
            self.held_out += [read_labelled(path, options.read_side) for path in held_out]
        if teacher is not None and isinstance(model, UNet):
            shown = (self.faces + self.others)[:: max(1, len(self.faces + self.others) // 12)]
            begin_with_vgg(model, load_teacher(teacher), [as_tensor(s.pixels)[None] for s in shown], MEAN, STD)
        self.model: FaceNetwork = model.to(device).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        found = [] if empty is None else [p for p in list_images([empty]) if p.stem not in held_out_names()]
        self.empty = [without_people(path, options.read_side) for path in found]
        self.wearing = [i for i, sample in enumerate(self.faces) if np.isin(sample.labels, WORN).sum() > 40]
        self.painted = PaintedCopies(self.faces, seed)
        self.painted_others = PaintedCopies(self.others, seed + 1)
        # Labels that leave a choice teach little about a painting.
        self.paints_others = completed is not None
        self.weights = class_weights(self.faces or self.others).to(device)
        self.allowed = torch.from_numpy(allowed_classes()).to(device)

    def groups(self) -> list[dict[str, Any]]:
        """All parameters; those that began with VGG-19's learn more slowly."""
        pretrained = [p for layer in self.model.pretrained() for p in layer.parameters()]
        kept = {id(p) for p in pretrained}
        groups = [{"params": [p for p in self.model.parameters() if id(p) not in kept], "pace": 1.0}]
        return [*groups, {"params": pretrained, "pace": self.options.vgg_pace}] if pretrained else groups

    def sample(self, rng: random.Random) -> tuple[Labelled, tuple[float, float]]:
        """One labelled picture and the range of its scale."""
        if self.empty and rng.random() < self.options.empty:
            return rng.choice(self.empty), (0.8, 2.2)
        chosen, scales = self._sample(rng)
        return chosen, FAR if rng.random() < self.options.far else scales

    def _sample(self, rng: random.Random) -> tuple[Labelled, tuple[float, float]]:
        if self.others and (not self.faces or rng.random() > self.options.faces):
            painted = self.paints_others and rng.random() < self.options.painted
            place = rng.randrange(len(self.others))
            return (self.painted_others if painted else self.others)[place], (0.6, 2.2)
        drawn = self.wearing if rng.random() < self.options.rare else None
        place = rng.choice(drawn or range(len(self.faces)))
        painted = rng.random() < self.options.painted
        chosen = (self.painted if painted else self.faces)[place]
        if self.wearing and rng.random() < self.options.lent:
            chosen = lend(chosen, self.faces[rng.choice(self.wearing)])
        return chosen, (0.5, 1.5)

    def make_batch(self, rng: random.Random) -> tuple[Tensor, Tensor]:
        """Crops (B, 3, s, s) in [0, 1] and label ids (B, s, s)."""
        made = []
        for _ in range(self.options.batch):
            chosen, scales = self.sample(rng)
            made.append(augment(chosen, self.options.size, scales, rng))
        images = torch.from_numpy(np.stack([image for image, _ in made])).permute(0, 3, 1, 2)
        return images, torch.from_numpy(np.stack([labels for _, labels in made])).long()

    def losses(self, batch: tuple[Tensor, Tensor], step: int, generator: torch.Generator) -> dict[str, Tensor]:
        """Partial-label likelihood of the main head and the two auxiliary ones, and Dice."""
        images, labels = batch[0].to(self.device), batch[1].to(self.device)
        with fast_autocast(self.device):
            main, *auxiliary = self.model.heads(normalised(images))
        target = labels[:, 1::2, 1::2]
        logits = F.interpolate(main.float(), size=target.shape[-2:], mode="bilinear", align_corners=False)
        probabilities = logits.softmax(1)
        likelihood = partial_label_loss(probabilities, target, self.allowed, self.weights)
        small = labels[:, 4::8, 4::8]
        extra = torch.zeros((), device=self.device)
        for weight, head in zip((0.4, 0.3), auxiliary, strict=True):
            head = F.interpolate(head.float(), size=small.shape[-2:], mode="bilinear", align_corners=False)
            extra = extra + weight * partial_label_loss(head.softmax(1), small, self.allowed, self.weights)
        dice = dice_loss(probabilities, target)
        total = likelihood + extra + self.options.dice * dice
        return {"total": total, "main": likelihood, "auxiliary": extra, "dice": dice}

    def measure(self, model: nn.Module) -> dict[str, float]:
        """Mean IoU over held-out pictures with all classes, and IoU of "person" over the others, at 320 px."""
        return measure_parser(model, self.held_out, self.device)

    def sheet(self, model: nn.Module) -> NDArray[np.uint8] | None:
        """Held-out pictures, what the model sees in them, and their labels."""
        shown = self.held_out[:: max(1, len(self.held_out) // SHOWN)][:SHOWN]
        return overlay_sheet(model, shown, self.device) if shown else None


def normalised(images: Tensor) -> Tensor:
    """RGB (B, 3, H, W) in [0, 1] as the network wants it."""
    mean, std = (torch.tensor(v, device=images.device)[:, None, None] for v in (MEAN, STD))
    return ((images - mean) / std).contiguous(memory_format=torch.channels_last)


def class_weights(samples: list[Labelled]) -> Tensor:
    """(23,): weight of a pixel by its label id; rare classes weigh more, up to 12 times."""
    counts = np.sum([np.bincount(s.labels.ravel(), minlength=256) for s in samples], axis=0)[: len(NAMES)]
    weights = np.clip((counts.sum() / np.maximum(counts, 1)) ** 0.33, 1, 12) / 2
    return torch.tensor([*weights, 1.0, 0.8, 1.0, 2.0], dtype=torch.float32)


def partial_label_loss(probabilities: Tensor, labels: Tensor, allowed: Tensor, weights: Tensor) -> Tensor:
    """Weighted mean of -log p(any class that the label allows).

    Args:
        probabilities: (B, K, h, w).
        labels: (B, h, w), label ids, 255 is left out.
        allowed: (L, K), which classes a label id allows.
        weights: (L,).
    """
    known = labels != IGNORED
    target = torch.where(known, labels, 0)
    seen = (probabilities * allowed[target].permute(0, 3, 1, 2)).sum(1).clamp_min(1e-7)
    weight = weights[target] * known
    return -(seen.log() * weight).sum() / weight.sum().clamp_min(1e-6)


def dice_loss(probabilities: Tensor, labels: Tensor) -> Tensor:
    """1 - mean soft Dice of the classes present, over the pixels whose class is known (B, K, h, w), (B, h, w)."""
    classes = probabilities.shape[1]
    known = (labels < classes).flatten()
    target = labels.flatten()[known]
    seen = probabilities.permute(1, 0, 2, 3).flatten(1)[:, known]
    if target.numel() == 0:
        return probabilities.sum() * 0
    truth = F.one_hot(target, classes).T.to(seen)
    present = truth.sum(1) > 0
    overlap = 2 * (seen * truth).sum(1) + 1
    return (1 - overlap / (seen.sum(1) + truth.sum(1) + 1))[present].mean()


class PaintedCopies:
    """Each picture in one of the preset styles, at least half of it, often with some of its own colours.

    A copy is painted when it is first asked for, always in the same way.

    Args:
        samples: pictures and labels.
        seed: of the choice of styles.
    """

    def __init__(self, samples: list[Labelled], seed: int) -> None:
        self.samples, self.seed = samples, seed
        self._kept: dict[int, Labelled] = {}

    def __getitem__(self, place: int) -> Labelled:
        """The copy of a sample."""
        if place not in self._kept:
            self._kept[place] = self._painted(place)
        return self._kept[place]

    def _painted(self, place: int) -> Labelled:
        stylizer, rng, sample = load_presets(), random.Random(f"{self.seed}/painted/{place}"), self.samples[place]
        content = as_picture(sample.pixels)
        style, strength, color = rng.choice(stylizer.styles()), rng.uniform(0.5, 1.0), rng.choice((0.0, 0.0, 0.6))
        painted = keep_color(content, stylizer.stylize(content, style), color)
        mixed = content + np.float32(strength) * (painted - content)
        return Labelled(as_pixels(mixed), sample.labels, sample.aligned)


def predict(model: nn.Module, pixels: NDArray[np.uint8], side: int, device: torch.device) -> NDArray[np.uint8]:
    """Likeliest class (H, W) of a picture (H, W, 3), seen with a short side of some pixels in one pass."""
    height, width = pixels.shape[:2]
    scale = side / min(height, width)
    size = (round(width * scale / 32) * 32, round(height * scale / 32) * 32)
    method = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    images = as_tensor(np.asarray(cv2.resize(pixels, size, interpolation=method), np.uint8))[None].to(device)
    with torch.inference_mode():
        logits = model(normalised(images)).float()
        logits = F.interpolate(logits, size=(height, width), mode="bilinear", align_corners=False)
    return logits[0].argmax(0).to(torch.uint8).cpu().numpy()


def measure_parser(
    model: nn.Module, samples: list[Labelled], device: torch.device, side: int = 320
) -> dict[str, float]:
    """Mean IoU over the pictures with all classes, mean IoU of person and background over the others."""
    classes, person = SegmentationScores(len(NAMES)), SegmentationScores(2)
    seen = {"classes": 0, "person": 0}
    for sample in samples:
        predicted = predict(model, sample.pixels, side, device)
        if sample.aligned:
            classes.add(sample.labels, predicted)
            seen["classes"] += 1
        elif sample.labels.max() >= PERSON and not np.isin(sample.labels, range(SKIN, IGNORED)).any():
            person.add((sample.labels > 0).astype(np.uint8), (predicted > 0).astype(np.uint8))
            seen["person"] += 1
    out = {}
    if seen["classes"]:
        out["mean_iou"] = float(classes.mean_iou)
    if seen["person"]:
        out["person_iou"] = float(person.iou[1])
    return out


def overlay_sheet(
    model: nn.Module, samples: list[Labelled], device: torch.device, side: int = 256
) -> NDArray[np.uint8]:
    """Three rows: pictures, predicted segments, labels."""
    palette = np.zeros((256, 3), np.uint8)
    palette[: len(NAMES)] = [segment.color for segment in SEGMENTS]
    palette[PERSON:IGNORED] = 200
    columns = []
    for sample in samples:
        seen = palette[predict(model, sample.pixels, 320, device)]
        rows = [sample.pixels, (sample.pixels * 0.45 + seen * 0.55).astype(np.uint8), palette[sample.labels]]
        columns.append(np.concatenate([cv2.resize(row, (side, side), interpolation=cv2.INTER_AREA) for row in rows]))
    return np.concatenate(columns, axis=1)


def train_parser(
    folders: list[Path],
    out: Path,
    options: ParserTraining | None = None,
    schedule: Schedule | None = None,
    device: torch.device | None = None,
    start: Path | None = None,
    completed: Path | None = None,
    teacher: Path | None = None,
    empty: Path | None = None,
) -> dict[str, Any]:
    """Train the parser and write its weights; see :func:`selfieart.training.loop.fit`.

    Args:
        folders: data folders.
        out: file to write.
        options, schedule: settings.
        device: where to train; the CPU when left out.
        start: weights to start from.
        completed: folder of completed labels, see :mod:`selfieart.training.completed`.
        teacher: with whose convolutions a U-Net begins.
        empty: folder of pictures without people.
    """
    options = options or ParserTraining()
    schedule = schedule or SCHEDULE
    task = ParserTask(folders, options, device or torch.device("cpu"), start, schedule.seed, completed, teacher, empty)
    counts = {name: len(getattr(task, name)) for name in ("faces", "others", "empty", "held_out")}
    return fit(task, schedule, out, {**asdict(options), "start": start and start.name, "pictures": counts})
