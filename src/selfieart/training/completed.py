"""Completing partial labels with what the packaged parser sees where a label leaves a choice.

A person's mask says where a person is, not where hair ends and clothes begin. The whole parser (frame, then every face
from near) sees that well on a clear photo, and better than one pass of its network over a small picture; so its answer
among the classes that the label allows becomes the label, where it is sure. The network then learns from its own
closer look (self-training), also on painted and tilted copies, where that look would fail.
"""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from selfieart.errors import SelfieartError
from selfieart.imaging.arrays import as_picture
from selfieart.imaging.resize import resize
from selfieart.parsing.parser import Parser
from selfieart.paths import atomic_write
from selfieart.progress import Progress, silent
from selfieart.segments import NAMES
from selfieart.training.labelled import ACCESSORIES, IGNORED, Labelled, allowed_classes, pictures_in, read_labelled

SURE = 0.8


def completed(sample: Labelled, logits: NDArray[np.float32], sure: float = SURE) -> NDArray[np.uint8]:
    """Label ids (H, W) in which a partial label became a class, where one class is sure among those it allows.

    Args:
        sample: picture and partial labels.
        logits: (19, H, W) of the picture.
        sure: least probability among the allowed classes; below, the partial label stays.
    """
    labels = sample.labels.copy()
    for label in range(len(NAMES), ACCESSORIES + 1):
        here = sample.labels == label
        if not here.any():
            continue
        choices = np.flatnonzero(allowed_classes()[label])
        seen = logits[np.ix_(choices)][:, here]
        seen = np.exp(seen - seen.max(0))
        likeliest = (seen / seen.sum(0)).max(0) >= sure
        labels[here] = np.where(likeliest, choices[seen.argmax(0)], label).astype(np.uint8)
    return labels


def complete_labels(
    folders: list[Path], out: Path, parser: Parser, sure: float = SURE, progress: Progress = silent
) -> int:
    """Write ``OUT/STEM.png`` (label ids) for every picture with partial labels; files that exist are kept.

    Args:
        folders: data folders with images/, masks/ and perhaps parts/.
        out: folder to write to.
        parser: whose answer completes the labels.
        sure: see :func:`completed`.
        progress: told how far it is.

    Returns:
        How many files were written.

    Raises:
        SelfieartError: a folder holds no pictures, or labels are missing or wrong.
    """
    out.mkdir(parents=True, exist_ok=True)
    pictures, written = [path for folder in folders for path in pictures_in(folder)], 0
    for number, path in enumerate(pictures):
        progress("complete", number / len(pictures))
        target = out / f"{path.stem}.png"
        if target.exists():
            continue
        sample = read_labelled(path, 10**6)
        if sample.aligned:
            continue
        parsing = parser.parse(as_picture(sample.pixels))
        logits = resize(parsing.logits, (parsing.height, parsing.width))
        labels = completed(sample, logits, sure)
        with atomic_write(target) as temporary:
            if not cv2.imwrite(str(temporary), labels):
                raise SelfieartError(f"{target} cannot be written: is the disk full?")
        written += 1
    progress("complete", 1.0)
    return written


def with_completed(sample: Labelled, path: Path, folder: Path) -> Labelled:
    """A sample with the completed labels of its picture, if there are any.

    Raises:
        SelfieartError: they do not belong to this picture, or cannot be read.
    """
    file = folder / f"{path.stem}.png"
    if sample.aligned or not file.exists():
        return sample
    labels = cv2.imread(str(file), cv2.IMREAD_UNCHANGED)
    if labels is None or labels.ndim != 2 or (labels.max() > ACCESSORIES and labels.max() != IGNORED):
        raise SelfieartError(f"{file} holds no completed labels: make them with `selfieart train labels`.")
    size = sample.labels.shape[1::-1]
    if labels.shape[1::-1] != size:
        labels = cv2.resize(labels, size, interpolation=cv2.INTER_NEAREST)
    return Labelled(sample.pixels, np.asarray(labels, np.uint8), aligned=False)
