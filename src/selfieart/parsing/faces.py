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
CelebAMask-HQ frames its faces, so that hair and neck are seen. Mean IoU of eyes, brows, nose and lips at 1.8, 2.2 and
2.6: .746, .750, .739."""

LIKELY = 0.5
"""Probability from which a pixel is a face's, or a nose's: no other class is likelier then. 0.4 to 0.6 find the same
faces in faces, portraits and pairs."""

SMALLEST_IN_FRAME = 3e-4
"""Least area of a face, as a fraction of the whole frame; what is smaller is looked for from near. 0.0001 to 0.003 find
the same small faces; in 40 photos without people 18 areas with features were larger than 0.0001, 14 than 0.0003, 7 than
0.001."""

FEWEST_PIXELS = 12.0
"""Least area of a face in pixels of the canvas, so that features can be told from noise in very small pictures. 6 to 96
find the same small faces: the smallest had 366."""

SMALLEST_ON_CROP = 0.02
"""Least area of a face as a fraction of its crop, most of which is hair and neck. None of 163 had less than 0.1; larger
by far than the specks of skin on hands and in the background (half of them below 0.001)."""

LEAST_FEATURES = 0.02
"""Least share of eyes, brows, nose and lips in a face: without them skin is a hand or a chest. Every face in faces,
portraits and pairs had 0.11 or more; 0.01 to 0.04 find the same small faces."""

LEAST_OF_A_HALF = 0.006
"""Least share of a face's eyes, brows or glasses, and of its nose or mouth, on its crop. None of 163 faces had less
than 0.03; two areas that it was as sure of and that were no face had 0.002."""

LEAST_NOSE = 0.015
"""Least size of a nose, as a fraction of all faces that touch. Single ones had 0.045 and more, those of two cheek to
cheek 0.023; specks of nose 0.001 at most. 0.004 to 0.015 find all 20 pairs, 0.03 misses 6."""

FEWEST_NOSE_PIXELS = 3
"""Least size of a nose in pixels, for very small faces. 1 to 12 find the same faces in faces, portraits and pairs."""

BETWEEN_NOSES = 0.45
"""Least distance between the noses of two faces, in units of the square root of a face's area. Those of two cheek to
cheek were 0.67 and more apart, specks of one nose 0.26 to 0.54: 0.22 to 0.6 find all 20 pairs, 0.7 misses 4."""

ROUND_A_FACE = 0.15
"""How far round a face its features are gathered to measure the tilt, in units of the square root of its area: glasses
and open mouths reach over the edge. 0.07 to 0.3 find the same faces, and IoU is the same within .0003."""

LEAST_FOR_ANGLE = 0.004
"""Least share of features above and below, from which the tilt is measured; with less the head counts as upright. 0.001
to 0.016 give the same IoU."""

MUCH_SMALLER = 0.35
"""A face with less than this share of another's area is a small one beside a large head, see OUTSIDE_A_HEAD. Faces
cheek to cheek had 0.5 and more; 0.7 takes two of 20 pairs for one person."""

OUTSIDE_A_HEAD = 0.42
"""Least distance of a much smaller face from a larger one, in sides of the larger one's crop: at MUCH_SMALLER two round
faces touch at 0.41. In photos without people it left out 22 of 52 small areas beside larger ones; faces were never so
small beside others, and 0.2 to 0.84 find the same."""

CHEEK_TO_CHEEK = 0.15
"""Least distance of two faces of like size, in the sum of the sides of their crops. One face seen twice was at most
0.11 from itself, two cheek to cheek 0.18 and more: 0.07 finds all 20 pairs too, 0.19 misses 4."""

FARTHEST = 0.3
"""How far from the middle of its crop a face may be, in sides of the crop. Of 163 the farthest was at 0.13; its
neighbour cheek to cheek at 0.35. 0.15 to 0.35 find all 20 pairs, 0.6 loses 3 to their neighbours."""

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


def find_faces(probabilities: FloatArray, smallest: float = SMALLEST_IN_FRAME, sure: float | None = None) -> list[Face]:
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
    count, labels = cv2.connectedComponents((face > LIKELY).astype(np.uint8), connectivity=4)
    found = []
    for label in range(1, count):
        component = labels == label
        if component.sum() < max(FEWEST_PIXELS, smallest * component.size):
            continue
        for part in _split_at_noses(component, probabilities[INDEX["nose"]]):
            if features[part].sum() < LEAST_FEATURES * part.sum():
                continue
            if sure is not None and not _is_certain(part, probabilities, sure):
                continue
            found.append(_measure(part, probabilities))
    return sorted(found, key=lambda f: -f.area)


def _is_certain(part: NDArray[np.bool_], probabilities: FloatArray, sure: float) -> bool:
    area = part.sum()
    halves = all(probabilities[half][:, part].sum() > LEAST_OF_A_HALF * area for half in _HALVES)
    return bool(halves and probabilities.max(0)[part].mean() > sure)


def _split_at_noses(component: NDArray[np.bool_], nose: FloatArray) -> list[NDArray[np.bool_]]:
    area = component.sum()
    count, _, stats, centres = cv2.connectedComponentsWithStats(((nose > LIKELY) & component).astype(np.uint8))
    noses = [i for i in range(1, count) if stats[i, cv2.CC_STAT_AREA] >= max(FEWEST_NOSE_PIXELS, LEAST_NOSE * area)]
    apart = BETWEEN_NOSES * math.sqrt(area / max(1, len(noses)))
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
    margin = int(math.sqrt(area) * ROUND_A_FACE) + 1
    rows = slice(max(0, ys.min() - margin), ys.max() + margin + 1)
    columns = slice(max(0, xs.min() - margin), xs.max() + margin + 1)
    near = cv2.dilate(part[rows, columns].astype(np.uint8), np.ones((3, 3), np.uint8), iterations=margin)
    window = probabilities[:, rows, columns] * near.astype(np.float32)
    upper_x, upper_y, upper = _centroid(window[_UPPER].sum(0))
    lower_x, lower_y, lower = _centroid(window[_LOWER].sum(0))
    angle = 0.0
    enough = LEAST_FOR_ANGLE * area
    if upper > enough and lower > enough:
        # The line from mouth to eyes points up the face; it is longer, so steadier, than the line between the eyes.
        angle = math.degrees(math.atan2(upper_x - lower_x, lower_y - upper_y))
    x, y = float(xs.mean()) + 0.5, float(ys.mean()) + 0.5
    side = FRAME_OF_FACE * math.sqrt(area)
    return Face(x, y, side, -angle, area)


def apart(a: Face, b: Face) -> bool:
    """Whether two faces can both be there: cheek to cheek they can, but a small one not inside a large one's head."""
    distance = math.hypot(a.x - b.x, a.y - b.y)
    if min(a.area, b.area) < MUCH_SMALLER * max(a.area, b.area):
        return distance > OUTSIDE_A_HEAD * max(a.side, b.side)
    return distance > CHEEK_TO_CHEEK * (a.side + b.side)


def measured_on_crop(face: Face, logits: FloatArray, sure: float, farthest: float = FARTHEST) -> Face | None:
    """The face measured again on its own crop; None when the closer look finds no face near the middle.

    Args:
        face: that gave the crop.
        logits: (19, n, n) of the crop.
        sure: see :class:`selfieart.parsing.parser.FaceParser`.
        farthest: from the middle, in units of n.
    """
    n = logits.shape[-1]
    inverse = cv2.invertAffineTransform(face.matrix(n))
    near = []
    for seen in find_faces(soft_masks(logits, 1.0), smallest=SMALLEST_ON_CROP, sure=sure):
        if np.hypot(seen.x - n / 2, seen.y - n / 2) < farthest * n:
            x, y = inverse @ np.array([seen.x - 0.5, seen.y - 0.5, 1.0])
            scale = face.side / n
            angle = (face.angle + seen.angle + 180) % 360 - 180
            near.append(Face(float(x) + 0.5, float(y) + 0.5, seen.side * scale, angle, seen.area * scale**2))
    return near[0] if near else None
