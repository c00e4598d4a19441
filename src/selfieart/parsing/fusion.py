"""Logits of the whole frame and of the crops of its faces become one."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np

from selfieart.imaging.arrays import FloatArray
from selfieart.parsing.faces import Face

MARGIN = 0.18
"""Width of the ramp at the border of a crop, as a fraction of its side: no seam, and the crop still decides the face.
IoU at 0.02, 0.09, 0.18 and 0.36: .692, .692, .693, .698, of the person .965, .966, .966, .966."""


def fused(frame: FloatArray, faces: list[tuple[Face, FloatArray]]) -> FloatArray:
    """Frame logits (19, h, w) with the logits of every crop blended in; no seam, because the weights fall to 0.

    Where crops overlap they share the pixel; the frame keeps what no crop covers.
    """
    if not faces:
        return frame
    height, width = frame.shape[-2:]
    total = np.zeros((height, width), np.float32)
    mixed = np.zeros_like(frame)
    for face, logits in faces:
        rows, columns = extent(face, height, width)
        size = (columns.stop - columns.start, rows.stop - rows.start)
        if min(size) < 1:
            continue
        shifted = replace(face, x=face.x - columns.start, y=face.y - rows.start)
        matrix = shifted.matrix(logits.shape[-1])
        weight = placed(window(logits.shape[-1]), matrix, size, cv2.BORDER_CONSTANT)
        total[rows, columns] += weight
        for k, plane in enumerate(logits):
            mixed[k, rows, columns] += weight * placed(plane, matrix, size, cv2.BORDER_REPLICATE)
    out = frame.copy()
    touched = np.nonzero(total.any(1))[0], np.nonzero(total.any(0))[0]
    if len(touched[0]):
        box = np.s_[..., touched[0][0] : touched[0][-1] + 1, touched[1][0] : touched[1][-1] + 1]
        share = np.minimum(total[box], 1)
        out[box] = frame[box] * (1 - share) + mixed[box] * (share / np.maximum(total[box], 1e-6))
    return out


def window(n: int) -> FloatArray:
    """(n, n) weights, 1 inside, falling smoothly to 0 at the border of a crop."""
    distance = np.minimum(np.arange(n) + 0.5, n - np.arange(n) - 0.5) / n
    ramp = 0.5 - 0.5 * np.cos(np.pi * np.clip(distance / MARGIN, 0, 1))
    return np.outer(ramp, ramp).astype(np.float32)


def extent(face: Face, height: int, width: int) -> tuple[slice, slice]:
    """Rows and columns of the picture that the tilted crop of a face can touch."""
    # Half the diagonal of the square, rounded up.
    half = face.side * 0.7072 + 1
    rows = slice(max(0, int(face.y - half)), max(0, min(height, int(face.y + half) + 1)))
    return rows, slice(max(0, int(face.x - half)), max(0, min(width, int(face.x + half) + 1)))


def placed(plane: FloatArray, matrix: FloatArray, size: tuple[int, int], border: int) -> FloatArray:
    """A crop's plane (n, n) put back where the crop was cut: the inverse of the crop's matrix."""
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    return cv2.warpAffine(plane, matrix, size, flags=flags, borderMode=border)  # type: ignore[return-value]
