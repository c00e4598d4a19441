"""How well segments are found: intersection over union, F1 and pixel accuracy from a confusion matrix."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from selfieart.errors import SelfieartError

Confusion = NDArray[np.int64]
"""(K, K): pixels of the true class (row) that were given the predicted class (column)."""

IGNORED = 255
"""The label that usually stands for pixels that nobody labelled."""


def confusion_matrix(labels: ArrayLike, predicted: ArrayLike, classes: int, ignore: int | None = IGNORED) -> Confusion:
    """Count the pixels of every pair of true and predicted class.

    Args:
        labels: the true classes, integers 0..classes - 1 or ``ignore``, any shape.
        predicted: classes 0..classes - 1, the same shape.
        classes: K, how many there are.
        ignore: a label whose pixels are left out, whatever was predicted there; None if there is none.

    Returns:
        (K, K) int64.

    Raises:
        SelfieartError: the arrays have other types, shapes or values.
    """
    truth, found = _integers(labels), _integers(predicted)
    if truth.shape != found.shape:
        raise SelfieartError(f"Labels {truth.shape} and predictions {found.shape} must have one shape: resize one.")
    if ignore is not None:
        kept = truth != ignore
        truth, found = truth[kept], found[kept]
    for name, values in (("label", truth), ("predicted class", found)):
        if values.size and (values.min() < 0 or values.max() >= classes):
            wrong = values.min() if values.min() < 0 else values.max()
            raise SelfieartError(f"There is a {name} {wrong}, but classes go from 0 to {classes - 1}: check the maps.")
    pairs = truth.astype(np.int64) * classes + found.astype(np.int64)
    return np.bincount(pairs.ravel(), minlength=classes**2).reshape(classes, classes)


def iou(confusion: Confusion) -> NDArray[np.float64]:
    """Intersection over union of each class, TP / (TP + FP + FN): (K,), NaN for classes in neither map."""
    hits = np.diag(confusion)
    return _ratio(hits, confusion.sum(0) + confusion.sum(1) - hits)


def f1(confusion: Confusion) -> NDArray[np.float64]:
    """F1, also called Dice, of each class, 2 TP / (2 TP + FP + FN): (K,), NaN for classes in neither map."""
    return _ratio(2 * np.diag(confusion), confusion.sum(0) + confusion.sum(1))


def mean_iou(confusion: Confusion) -> float:
    """Mean of :func:`iou` over the classes that are in the labels or were predicted.

    Raises:
        SelfieartError: no pixels were counted.
    """
    return _mean(iou(confusion))


def mean_f1(confusion: Confusion) -> float:
    """Mean of :func:`f1` over the classes that are in the labels or were predicted.

    Raises:
        SelfieartError: no pixels were counted.
    """
    return _mean(f1(confusion))


def pixel_accuracy(confusion: Confusion) -> float:
    """Share of the pixels whose class was found, in [0, 1].

    Raises:
        SelfieartError: no pixels were counted.
    """
    return _mean(_ratio(np.trace(confusion)[None], confusion.sum()[None]))


class SegmentationScores:
    """Scores over any number of pictures, as if they were one: every pixel counts the same.

    Args:
        classes: K, how many there are, >= 1.
        ignore: a label whose pixels are left out; None if there is none.

    Attributes:
        confusion: (K, K), what was counted so far.

    Raises:
        SelfieartError: there are no classes.
    """

    def __init__(self, classes: int, ignore: int | None = IGNORED) -> None:
        if classes < 1:
            raise SelfieartError(f"There must be at least one class, not {classes}.")
        self.classes, self.ignore = classes, ignore
        self.confusion: Confusion = np.zeros((classes, classes), np.int64)

    def add(self, labels: ArrayLike, predicted: ArrayLike) -> None:
        """Count one picture; see :func:`confusion_matrix`. What is refused leaves the scores as they were."""
        self.confusion = self.confusion + confusion_matrix(labels, predicted, self.classes, self.ignore)

    @property
    def iou(self) -> NDArray[np.float64]:
        """See :func:`iou`."""
        return iou(self.confusion)

    @property
    def f1(self) -> NDArray[np.float64]:
        """See :func:`f1`."""
        return f1(self.confusion)

    @property
    def mean_iou(self) -> float:
        """See :func:`mean_iou`."""
        return mean_iou(self.confusion)

    @property
    def mean_f1(self) -> float:
        """See :func:`mean_f1`."""
        return mean_f1(self.confusion)

    @property
    def pixel_accuracy(self) -> float:
        """See :func:`pixel_accuracy`."""
        return pixel_accuracy(self.confusion)

    def as_dict(self, names: Sequence[str]) -> dict[str, Any]:
        """The scores, ready for JSON; classes that are in neither labels nor predictions are left out.

        Args:
            names: of the K classes.

        Returns:
            {"mean_iou", "mean_f1", "pixel_accuracy", "pixels", "iou": {name: ...}, "f1": {name: ...}}.

        Raises:
            SelfieartError: no pixels were counted, or there are not K names.
        """
        if len(names) != self.classes:
            raise SelfieartError(f"There are {self.classes} classes, but {len(names)} names: name each class once.")
        return {
            "mean_iou": self.mean_iou,
            "mean_f1": self.mean_f1,
            "pixel_accuracy": self.pixel_accuracy,
            "pixels": int(self.confusion.sum()),
            "iou": _named(names, self.iou),
            "f1": _named(names, self.f1),
        }


def _integers(values: ArrayLike) -> NDArray[Any]:
    array = np.asarray(values)
    if not np.issubdtype(array.dtype, np.integer):
        raise SelfieartError(f"Class maps hold whole numbers, not {array.dtype}: convert them first.")
    return array


def _ratio(part: NDArray[np.int64], whole: NDArray[np.int64]) -> NDArray[np.float64]:
    ratio = np.full(part.shape, np.nan)
    np.divide(part, whole, out=ratio, where=whole > 0)
    return ratio


def _mean(values: NDArray[np.float64]) -> float:
    present = values[~np.isnan(values)]
    if not present.size:
        raise SelfieartError("No pixels were counted: add at least one picture whose labels are not all ignored.")
    return float(present.mean())


def _named(names: Sequence[str], values: NDArray[np.float64]) -> dict[str, float]:
    return {name: float(value) for name, value in zip(names, values, strict=True) if not np.isnan(value)}
