"""What is wrong in fused logits although each pixel is likely: features without a face, islands, other people."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np

from selfieart.imaging.arrays import FloatArray
from selfieart.parsing.faces import Face
from selfieart.parsing.fusion import extent, placed, window
from selfieart.segments import GROUPS, INDEX

_OWN_TO_FACES = sorted(GROUPS["eyes"] | GROUPS["brows"] | GROUPS["lips"] | {INDEX["nose"], INDEX["mouth"]})

_HEAD_OF_FRAME = 1.35
"""Side of the square that holds a head with all its hair, in sides of its face's crop."""


def features_in_faces(logits: FloatArray, faces: list[Face], reach: float = 0.4) -> FloatArray:
    """Logits in which eyes, brows, nose, mouth and lips are only where a face was found: grass has no lips.

    What is taken from them grows smoothly with the distance: with a small tau every step in the logits is seen.

    Args:
        logits: (19, h, w), changed in place.
        faces: found in the picture.
        reach: from the square of a face, in its sides, up to where features may be.
    """
    outside = np.ones(logits.shape[1:], np.float32)
    for face in faces:
        sides = zip(extent(face, *logits.shape[1:3]), logits.shape[1:3], strict=True)
        down, across = (np.maximum(np.maximum(s.start - np.arange(n), np.arange(n) - s.stop + 1), 0) for s, n in sides)
        distance = np.hypot(down[:, None], across[None]) / (reach * face.side)
        outside = np.minimum(outside, 0.5 - 0.5 * np.cos(np.pi * np.minimum(distance, 1)))
    kept = np.delete(logits, _OWN_TO_FACES, axis=0).max(0) - 20
    for k in _OWN_TO_FACES:
        logits[k] -= np.maximum(logits[k] - kept, 0) * outside
    return logits


def without_islands(logits: FloatArray, smallest: float = 0.04) -> FloatArray:
    """Logits in which small areas of "person" that touch no larger one count as background.

    Args:
        logits: (19, h, w), changed in place.
        smallest: least area that may stand alone, as a fraction of the largest area.
    """
    background = logits[INDEX["background"]]
    best = logits.max(0)
    count, labels, stats, _ = cv2.connectedComponentsWithStats((best > background).astype(np.uint8), connectivity=8)
    if count < 3:
        return logits
    areas = stats[:, cv2.CC_STAT_AREA]
    small = np.flatnonzero(areas[1:] < smallest * areas[1:].max()) + 1
    island = np.isin(labels, small)
    background[island] = best[island] + 2.0
    return logits


def without_heads(logits: FloatArray, faces: list[Face]) -> FloatArray:
    """Logits (19, h, w) in which the heads of the given faces count as background."""
    if not faces:
        return logits
    height, width = logits.shape[-2:]
    covered = np.zeros((height, width), np.float32)
    for face in faces:
        matrix = replace(face, side=face.side * _HEAD_OF_FRAME).matrix(128)
        covered = np.maximum(covered, placed(window(128), matrix, (width, height), cv2.BORDER_CONSTANT))
    plain = logits - logits.max(0)
    background = np.full_like(plain, -12.0)
    background[INDEX["background"]] = 0.0
    kept: FloatArray = plain * (1 - covered) + background * covered
    return kept
