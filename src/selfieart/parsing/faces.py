"""Find the faces in a parsed picture, without another detector, and cut them out upright."""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from selfieart.imaging.arrays import FloatArray
from selfieart.masks import soft_masks
from selfieart.segments import GROUPS, INDEX

FRAME_OF_FACE = 2.2
"""Side of the square crop round a face, in units of the square root of the face's area: about a fifth wider than
CelebAMask-HQ frames its faces, so that hair and neck are seen."""

_FACE = sorted(GROUPS["face"] - GROUPS["ears"])
_UPPER = [INDEX[n] for n in ("left-eye", "right-eye", "left-brow", "right-brow", "glasses")]
_LOWER = [INDEX[n] for n in ("mouth", "upper-lip", "lower-lip")]
_HALVES = (_UPPER, [*_LOWER, INDEX["nose"]])
_FEATURES = sorted({*_UPPER, *_LOWER, INDEX["nose"]})


@dataclass(frozen=True)
class Face:
    """A face and the upright square crop that frames it, in pixels of the photo.

    Attributes:
        x, y: centre of the crop.
        side: side of the crop.
        angle: tilt of the head in degrees, counter-clockwise positive, in (-180, 180].
        area: area of the face's own pixels.
    """

    x: float
    y: float
    side: float
    angle: float
    area: float

    def matrix(self, size: int) -> FloatArray:
        """Affine 2x3 matrix from the photo's pixel coordinates to an upright crop of size x size."""
        scale = size / self.side
        cos, sin = math.cos(math.radians(self.angle)) * scale, math.sin(math.radians(self.angle)) * scale
        # Pixel centres lie at +0.5, so that resizing and warping agree.
        x, y, c = self.x - 0.5, self.y - 0.5, size / 2 - 0.5
        return np.array([[cos, -sin, c - cos * x + sin * y], [sin, cos, c - sin * x - cos * y]], np.float32)

    def scaled(self, factor: float) -> Face:
        """The same face in a picture resized by a factor."""
        return Face(self.x * factor, self.y * factor, self.side * factor, self.angle, self.area * factor * factor)


def find_faces(probabilities: FloatArray, smallest: float = 3e-4, sure: float | None = None) -> list[Face]:
    """Faces in a parsed picture, largest first.

    A face is a connected area of facial classes that contains some facial features; an area with several noses is
    divided among them, so cheek to cheek remains two faces.

    Args:
        probabilities: (19, h, w), summing to 1 over the classes.
        smallest: least area of a face as a fraction of the picture.
        sure: only areas whose pixels' likeliest classes have a greater mean probability than this, and in which
            something of both halves of a face was seen: eyes, brows or glasses, and nose or mouth.

    Returns:
        Faces in pixels of ``probabilities``.
    """
    face = probabilities[_FACE].sum(0)
    features = probabilities[_FEATURES].sum(0)
    count, labels = cv2.connectedComponents((face > 0.5).astype(np.uint8), connectivity=4)
    found = []
    for label in range(1, count):
        component = labels == label
        if component.sum() < max(12.0, smallest * component.size):
            continue
        for part in _split_at_noses(component, probabilities[INDEX["nose"]]):
            if features[part].sum() < 0.02 * part.sum():
                continue
            if sure is not None and not _is_certain(part, probabilities, sure):
                continue
            found.append(_measure(part, probabilities))
    return sorted(found, key=lambda f: -f.area)


def _is_certain(part: NDArray[np.bool_], probabilities: FloatArray, sure: float) -> bool:
    area = part.sum()
    halves = all(probabilities[half][:, part].sum() > 0.006 * area for half in _HALVES)
    return bool(halves and probabilities.max(0)[part].mean() > sure)


def _split_at_noses(component: NDArray[np.bool_], nose: FloatArray) -> list[NDArray[np.bool_]]:
    area = component.sum()
    count, _, stats, centres = cv2.connectedComponentsWithStats(((nose > 0.5) & component).astype(np.uint8))
    noses = [i for i in range(1, count) if stats[i, cv2.CC_STAT_AREA] >= max(3, 0.015 * area)]
    apart = 0.45 * math.sqrt(area / max(1, len(noses)))
    kept: list[int] = []
    for i in sorted(noses, key=lambda i: -int(stats[i, cv2.CC_STAT_AREA])):
        if all(math.dist(centres[i], centres[j]) > apart for j in kept):
            kept.append(i)
    if len(kept) < 2:
        return [component]
    ys, xs = np.nonzero(component)
    distance = np.stack([(xs - centres[i][0]) ** 2 + (ys - centres[i][1]) ** 2 for i in kept])
    nearest = distance.argmin(0)
    parts = []
    for index in range(len(kept)):
        part = np.zeros_like(component)
        part[ys[nearest == index], xs[nearest == index]] = True
        parts.append(part)
    return parts


def _centroid(weights: FloatArray) -> tuple[float, float, float]:
    total = float(weights.sum())
    ys, xs = np.indices(weights.shape, np.float32)
    return float((weights * xs).sum()) / max(total, 1e-6), float((weights * ys).sum()) / max(total, 1e-6), total


def _measure(part: NDArray[np.bool_], probabilities: FloatArray) -> Face:
    ys, xs = np.nonzero(part)
    area = float(len(xs))
    margin = int(math.sqrt(area) * 0.15) + 1
    rows = slice(max(0, ys.min() - margin), ys.max() + margin + 1)
    columns = slice(max(0, xs.min() - margin), xs.max() + margin + 1)
    near = cv2.dilate(part[rows, columns].astype(np.uint8), np.ones((3, 3), np.uint8), iterations=margin)
    window = probabilities[:, rows, columns] * near.astype(np.float32)
    upper_x, upper_y, upper = _centroid(window[_UPPER].sum(0))
    lower_x, lower_y, lower = _centroid(window[_LOWER].sum(0))
    angle = 0.0
    enough = 0.004 * area
    if upper > enough and lower > enough:
        # The line from mouth to eyes points up the face; it is longer, so steadier, than the line between the eyes.
        angle = math.degrees(math.atan2(upper_x - lower_x, lower_y - upper_y))
    x, y = float(xs.mean()) + 0.5, float(ys.mean()) + 0.5
    side = FRAME_OF_FACE * math.sqrt(area)
    return Face(x, y, side, -angle, area)


def apart(a: Face, b: Face) -> bool:
    """Whether two faces can both be there: cheek to cheek they can, but a small one not inside a large one's head."""
    distance = math.hypot(a.x - b.x, a.y - b.y)
    if min(a.area, b.area) < 0.35 * max(a.area, b.area):
        return distance > 0.42 * max(a.side, b.side)
    return distance > 0.15 * (a.side + b.side)


def measured_on_crop(face: Face, logits: FloatArray, sure: float, farthest: float = 0.3) -> Face | None:
    """The face measured again on its own crop; None when the closer look finds no face near the middle.

    Args:
        face: that gave the crop.
        logits: (19, n, n) of the crop.
        sure: see :class:`FaceParser`.
        farthest: from the middle, in units of n.
    """
    n = logits.shape[-1]
    inverse = cv2.invertAffineTransform(face.matrix(n))
    near = []
    for seen in find_faces(soft_masks(logits, 1.0), smallest=0.02, sure=sure):
        if np.hypot(seen.x - n / 2, seen.y - n / 2) < farthest * n:
            x, y = inverse @ np.array([seen.x - 0.5, seen.y - 0.5, 1.0])
            scale = face.side / n
            angle = (face.angle + seen.angle + 180) % 360 - 180
            near.append(Face(float(x) + 0.5, float(y) + 0.5, seen.side * scale, angle, seen.area * scale**2))
    return near[0] if near else None
