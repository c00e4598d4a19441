"""How well a parser reads pictures whose segments are known."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from selfieart.errors import SelfieartError
from selfieart.metrics.segmentation import SegmentationScores
from selfieart.networks.tensors import as_tensor
from selfieart.parsing.parser import FaceParser, Parser
from selfieart.parsing.registry import face_network, face_parser, load_parser
from selfieart.parsing.segnet import SegNet, SegNetParser
from selfieart.progress import Progress, silent
from selfieart.segments import NAMES
from selfieart.training.labelled import PERSON, SUFFIXES, Labelled, allowed_classes, held_out_names, read_pair
from selfieart.training.loop import load_start
from selfieart.training.parser import predict


@dataclass(frozen=True)
class Pair:
    """A picture and the file of its labels."""

    picture: Path
    labels: Path


def pairs_in(images: Path, labels: Path, names: frozenset[str] | None = None) -> list[Pair]:
    """Pictures of a folder with the label file of the same name in another.

    Args:
        images, labels: folders.
        names: stems to keep; all when left out.

    Raises:
        SelfieartError: a folder does not exist, labels are missing, or nothing is left.
    """
    for folder in (images, labels):
        if not folder.is_dir():
            raise SelfieartError(f"{folder} is not a folder: give one with pictures and one with their labels.")
    found = sorted(p for p in images.iterdir() if p.suffix.lower() in SUFFIXES)
    kept = [Pair(p, labels / f"{p.stem}.png") for p in found if names is None or p.stem in names]
    for pair in kept:
        if not pair.labels.is_file():
            raise SelfieartError(f"{pair.picture} has no labels: {pair.labels} does not exist.")
    if not kept:
        raise SelfieartError(f"{images} holds no pictures to judge by: give a folder with JPEG or PNG pictures.")
    return kept


class Whole:
    """What the product does: frame and faces, edges snapped to the picture."""

    def __init__(self, parser: Parser) -> None:
        self.parser = parser

    def __call__(self, pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Labels (H, W) of a picture (H, W, 3)."""
        return self.parser.parse(as_tensor(pixels)).labels(pixels)


class OnePass:
    """The bare network on the whole picture, its short side at some pixels."""

    def __init__(self, net: nn.Module, side: int) -> None:
        self.net, self.side = net, side

    def __call__(self, pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Labels (H, W) of a picture (H, W, 3)."""
        return predict(self.net, pixels, self.side, torch.device("cpu"))


def evaluate_parsing(read: Whole | OnePass, samples: list[Labelled], progress: Progress = silent) -> dict[str, Any]:
    """Scores over labelled pictures.

    Pictures with all 19 classes give IoU and F1 per class; those that know only person and background, or only skin,
    hair and clothes, give the IoU of "person"; where the label allows several classes, any of them is right.

    Args:
        read: what is judged.
        samples: pictures and labels.
        progress: told how far it is.

    Returns:
        "pictures", and as far as the labels allow it "mean_iou", "mean_f1", "pixel_accuracy", "iou" and "f1" by class,
        "person_iou", "allowed" (fraction of the pixels of partly labelled pictures whose class the label allows).
    """
    classes, person = SegmentationScores(len(NAMES)), SegmentationScores(2)
    allowed = allowed_classes()
    right = known = 0
    for done, sample in enumerate(samples):
        progress("evaluate", done / len(samples))
        seen = read(sample.pixels)
        if sample.aligned:
            classes.add(sample.labels, seen)
            continue
        sure = sample.labels < PERSON + 4
        right += int(allowed[np.where(sure, sample.labels, 0), seen][sure].sum())
        known += int(sure.sum())
        person.add((sample.labels > 0).astype(np.uint8), (seen > 0).astype(np.uint8))
    progress("evaluate", 1.0)
    out: dict[str, Any] = {"pictures": len(samples)}
    if classes.confusion.sum():
        out |= {"mean_iou": float(classes.mean_iou), "mean_f1": float(classes.mean_f1)}
        out["pixel_accuracy"] = float(classes.pixel_accuracy)
        out["iou"] = {name: _number(value) for name, value in zip(NAMES, classes.iou, strict=True)}
        out["f1"] = {name: _number(value) for name, value in zip(NAMES, classes.f1, strict=True)}
    if known:
        out |= {"person_iou": float(person.iou[1]), "allowed": right / known}
    return out


def _number(value: float) -> float | None:
    """A score; None for a class that occurs in neither labels nor predictions."""
    return None if np.isnan(value) else round(float(value), 4)


def read_pairs(pairs: list[Pair], kind: str) -> list[Labelled]:
    """Pictures at their own size with their labels.

    Args:
        pairs: files.
        kind: "classes" (ids 0 to 18), "person" (0 and anything else), or "parts" (0 background, 1 skin, 2 hair,
            3 clothes, 4 accessories).

    Raises:
        SelfieartError: the labels hold other ids.
    """
    return [read_pair(pair.picture, pair.labels, kind) for pair in pairs]


def network(name: str, weights: Path | None = None) -> tuple[Parser, nn.Module]:
    """A parser and its bare network, with other weights than the packaged ones if a file is given.

    Raises:
        UnknownName: there is no such parser.
        SelfieartError: the weights do not fit.
    """
    parser = load_parser(name)
    assert isinstance(parser, FaceParser | SegNetParser)
    if weights is None:
        return parser, parser.net
    if isinstance(parser, SegNetParser):
        segnet = SegNet()
        load_start(segnet, weights)
        return SegNetParser(segnet.fused(), parser.contract), segnet
    net = face_network(name)
    load_start(net, weights)
    other = face_parser(name, net)
    return other, other.net


__all__ = ["OnePass", "Pair", "Whole", "evaluate_parsing", "held_out_names", "network", "pairs_in", "read_pairs"]
