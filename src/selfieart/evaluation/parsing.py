"""``selfieart evaluate parsing``: how well a parser reads pictures whose segments are known."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from selfieart.errors import SelfieartError, unknown
from selfieart.extras import require
from selfieart.imaging.arrays import FloatArray, Pixels, as_picture
from selfieart.metrics.segmentation import SegmentationScores
from selfieart.parsing.choice import DEFAULT_PARSER
from selfieart.parsing.parser import FaceParser, Parser
from selfieart.parsing.registry import FACE_NETWORKS, check_parser, face_parser, load_parser
from selfieart.progress import Progress, silent
from selfieart.segments import NAMES
from selfieart.training.labelled import PERSON, Labelled, allowed_classes, held_out_names, read_pair
from selfieart.training.pictures import SUFFIXES

if TYPE_CHECKING:
    from torch import nn

KINDS = ("classes", "person", "parts")
"""What labels may hold: ids 0 to 18; 0 and anything else; or 0 to 4."""

Labels = NDArray[np.uint8]

Reader = Callable[[Pixels], Labels]
"""A picture (H, W, 3) -> the class at each pixel (H, W)."""


@dataclass(frozen=True)
class ParsingEvaluation:
    """What is read, and by which parser.

    Attributes:
        images: folder of pictures.
        labels: folder of their labels, NAME.png each.
        kind: what the labels hold: "classes" (0 to 18), "person" (0 and anything else) or "parts" (0 background, 1
            skin, 2 hair, 3 clothes, 4 accessories).
        parser: its name.
        weights: other weights of that parser than the packaged ones (safetensors).
        side: one bare pass at this short side, instead of frame and faces as the product does it.
        painted: judge on copies painted in the preset styles.
        held_out: only pictures on the list that no training of ours has seen.
    """

    images: Path
    labels: Path
    kind: str = "classes"
    parser: str = DEFAULT_PARSER
    weights: Path | None = None
    side: int | None = None
    painted: bool = False
    held_out: bool = False


@dataclass(frozen=True)
class ParsingScores:
    """Scores over labelled pictures, as far as the labels allow them; None where they do not.

    Attributes:
        pictures: how many there were.
        mean_iou, mean_f1: means over the classes that occur.
        pixel_accuracy: share of the pixels whose class was found.
        iou, f1: by class; None for a class that occurs in neither labels nor predictions.
        person_iou: of person and background, where only those are known.
        allowed: share of the pixels of partly labelled pictures whose class the label allows.
    """

    pictures: int
    mean_iou: float | None = None
    mean_f1: float | None = None
    pixel_accuracy: float | None = None
    iou: dict[str, float | None] | None = None
    f1: dict[str, float | None] | None = None
    person_iou: float | None = None
    allowed: float | None = None

    def to_json(self) -> dict[str, Any]:
        """The scores by name, without those that the labels did not allow."""
        values = {field.name: getattr(self, field.name) for field in fields(self)}
        return {name: value for name, value in values.items() if value is not None}


def evaluate_parsing(options: ParsingEvaluation, progress: Progress = silent) -> ParsingScores:
    """How well a parser reads labelled pictures.

    Args:
        options: what is read, and by which parser.
        progress: told the stage "evaluate" and how far it is; may raise Cancelled.

    Raises:
        UnknownName: there is no such parser or kind of labels.
        SelfieartError: a folder or labels are missing, the labels hold other ids, the weights do not fit, or an extra
            is missing that one bare pass and painted copies need.
    """
    if options.kind not in KINDS:
        raise unknown("kind of labels", options.kind, KINDS)
    if options.side is not None or options.painted:
        require("methods")
    names = held_out_names() if options.held_out else None
    samples = read_pairs(pairs_in(options.images, options.labels, names), options.kind)
    reader = reader_of(options.parser, options.weights, options.side)
    if options.painted:
        from selfieart.training.parser import PaintedCopies

        copies = PaintedCopies(samples, 0)
        samples = [copies[place] for place in range(len(samples))]
    return score_reader(reader, samples, progress)


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

    def __call__(self, pixels: Pixels) -> Labels:
        """Labels (H, W) of a picture (H, W, 3)."""
        return self.parser.parse(as_picture(pixels)).labels(pixels)


class OnePass:
    """The bare network on the whole picture, its short side at some pixels."""

    def __init__(self, net: nn.Module, side: int) -> None:
        self.net, self.side = net, side

    def __call__(self, pixels: Pixels) -> Labels:
        """Labels (H, W) of a picture (H, W, 3)."""
        import torch

        from selfieart.training.parser import predict

        return predict(self.net, pixels, self.side, torch.device("cpu"))


def reader_of(name: str, weights: Path | None = None, side: int | None = None) -> Whole | OnePass:
    """What is judged: a parser as the product uses it, or one pass of its network.

    Args:
        name: of the parser.
        weights: other weights than the packaged ones, as training writes them.
        side: short side in pixels of one bare pass; without it frame and faces.

    Raises:
        UnknownName: there is no such parser.
        SelfieartError: the weights do not fit.
    """
    check_parser(name)
    if side is not None:
        return OnePass(_network(name, weights), side)
    return Whole(load_parser(name) if weights is None else _parser_with(name, weights))


def _parser_with(name: str, path: Path) -> Parser:
    """A parser with the weights of a file, as training writes them."""
    from safetensors.numpy import load_file

    from selfieart.engine import Network
    from selfieart.parsing.person import SegNetParser
    from selfieart.weights import as_float32

    def weights() -> dict[str, FloatArray]:
        return as_float32(load_file(path))

    parser: FaceParser | SegNetParser
    if name in FACE_NETWORKS:
        parser = face_parser(name, weights)
    else:
        packaged = load_parser(name)
        assert isinstance(packaged, SegNetParser)
        parser = SegNetParser(Network(name, weights), packaged.contract)
    try:
        # Otherwise it is read with the first picture.
        parser.network.load()
    except Exception as error:
        first = str(error).strip().partition("\n")[0].rstrip(".") or type(error).__name__
        raise SelfieartError(f"The weights {path} do not fit this network ({first}): give others.") from error
    return parser


def _network(name: str, weights: Path | None) -> nn.Module:
    """The network of a parser as training knows it."""
    from selfieart.networks.faces import face_network
    from selfieart.networks.packaged import as_tensors
    from selfieart.networks.segnet import SegNet
    from selfieart.training.loop import load_start
    from selfieart.weights import load_weights

    net: nn.Module = face_network(name) if name in FACE_NETWORKS else SegNet()
    if weights is None:
        net.load_state_dict(as_tensors(load_weights(name)))
    else:
        load_start(net, weights)
    return net.eval()


def score_reader(read: Reader, samples: list[Labelled], progress: Progress = silent) -> ParsingScores:
    """Scores of a reader over labelled pictures.

    Pictures with all 19 classes give IoU and F1 per class; those that know only person and background, or only skin,
    hair and clothes, give the IoU of "person"; where the label allows several classes, any of them is right.

    Args:
        read: what is judged.
        samples: pictures and labels.
        progress: told the stage "evaluate" and how far it is.
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
    out: dict[str, Any] = {}
    if classes.confusion.sum():
        out |= {"mean_iou": classes.mean_iou, "mean_f1": classes.mean_f1, "pixel_accuracy": classes.pixel_accuracy}
        out |= {"iou": _by_class(classes.iou), "f1": _by_class(classes.f1)}
    if known:
        out |= {"person_iou": float(person.iou[1]), "allowed": right / known}
    return ParsingScores(len(samples), **out)


def _by_class(values: NDArray[np.float64]) -> dict[str, float | None]:
    """Class -> score; None for a class that occurs in neither labels nor predictions."""
    return {
        name: None if np.isnan(value) else round(float(value), 4) for name, value in zip(NAMES, values, strict=True)
    }


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
