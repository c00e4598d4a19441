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

REACH = 0.4
"""From the square of a face, in its sides, up to where features may be. 0.1 to 0.8 give the same IoU: of those pictures
none had features beside its face."""

TAKEN = 20
"""How far below the likeliest class features are put where no face is. In faces they are 14 above the others in 95 % of
their pixels, 18 at most; even with tau 0.3 exp(-6) of them is seen. 10 to 40 give the same IoU."""

SMALLEST_ISLAND = 0.04
"""Least area of "person" that may stand alone, as a fraction of the largest one. In faces and portraits all 37 islands
were below 0.005, and 0 to 0.16 give the same IoU; beside small faces in photos it takes 118 of 142 islands."""

BELOW_BACKGROUND = 2.0
"""How far an island is put below the background in logits: of it exp(-2 tau) is seen, a quarter of a per cent with tau
3, and edges stay soft with a small tau."""

HEAD_OF_FRAME = 1.35
"""Side of the square that holds a head with all its hair, in sides of its face's crop. Of heads 12, 6, 4, 2 % are left
at 1.0, 1.2, 1.35, 1.6 (hair on the shoulders), and of the clothes 15, 30, 44, 69 % are lost."""

NOTHING_ELSE = -12.0
"""Logits of all other classes where a head was taken away, background's being 0. The likeliest of them is 7 below real
background in half of its pixels, 10 in the surest 5 %: what was taken away is no less sure."""

MASK_SIDE = 128
"""Side in pixels at which the mask of a head is drawn before it is placed. It is smooth: 64 and 256 change the class of
0.01 % of the pixels, 32 of up to 0.07 %."""


def features_in_faces(logits: FloatArray, faces: list[Face]) -> FloatArray:
    """Logits in which eyes, brows, nose, mouth and lips are only where a face was found: grass has no lips.

    What is taken from them grows smoothly with the distance: with a small tau every step in the logits is seen.

    Args:
        logits: (19, h, w), changed in place.
        faces: found in the picture.
    """
    outside = np.ones(logits.shape[1:], np.float32)
    for face in faces:
        sides = zip(extent(face, *logits.shape[1:3]), logits.shape[1:3], strict=True)
        down, across = (np.maximum(np.maximum(s.start - np.arange(n), np.arange(n) - s.stop + 1), 0) for s, n in sides)
        distance = np.hypot(down[:, None], across[None]) / (REACH * face.side)
        outside = np.minimum(outside, 0.5 - 0.5 * np.cos(np.pi * np.minimum(distance, 1)))
    kept = np.delete(logits, _OWN_TO_FACES, axis=0).max(0) - TAKEN
    for k in _OWN_TO_FACES:
        logits[k] -= np.maximum(logits[k] - kept, 0) * outside
    return logits


def without_islands(logits: FloatArray) -> FloatArray:
    """Logits in which small areas of "person" that touch no larger one count as background.

    Args:
        logits: (19, h, w), changed in place.
    """
    background = logits[INDEX["background"]]
    best = logits.max(0)
    count, labels, stats, _ = cv2.connectedComponentsWithStats((best > background).astype(np.uint8), connectivity=8)
    if count < 3:
        return logits
    areas = stats[:, cv2.CC_STAT_AREA]
    small = np.flatnonzero(areas[1:] < SMALLEST_ISLAND * areas[1:].max()) + 1
    island = np.isin(labels, small)
    background[island] = best[island] + BELOW_BACKGROUND
    return logits


def without_heads(logits: FloatArray, faces: list[Face]) -> FloatArray:
    """Logits (19, h, w) in which the heads of the given faces count as background."""
    if not faces:
        return logits
    height, width = logits.shape[-2:]
    covered = np.zeros((height, width), np.float32)
    for face in faces:
        matrix = replace(face, side=face.side * HEAD_OF_FRAME).matrix(MASK_SIDE)
        covered = np.maximum(covered, placed(window(MASK_SIDE), matrix, (width, height), cv2.BORDER_CONSTANT))
    plain = logits - logits.max(0)
    background = np.full_like(plain, NOTHING_ELSE)
    background[INDEX["background"]] = 0.0
    kept: FloatArray = plain * (1 - covered) + background * covered
    return kept
