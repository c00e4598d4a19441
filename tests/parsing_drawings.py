"""Drawings of heads with a known answer at every pixel: a perfect network reads the class of a pixel off its colour."""

from __future__ import annotations

import itertools
import math

import numpy as np

from selfieart.imaging.arrays import FloatArray, as_picture
from selfieart.parsing.faces import Face
from selfieart.parsing.parser import FaceParser, InputContract
from selfieart.segments import GROUPS, INDEX

HEAD = sorted(GROUPS["head"])
PALETTE = np.array(list(itertools.product((0, 128, 255), repeat=3))[4:23], np.uint8)

# Class, centre and radii of ellipses in units of the head's radius; x to the right of the picture, y down.
FEATURES = (
    ("hair", 0, -0.3, 1.15, 1.2), ("skin", 0, 0, 0.8, 1.0), ("left-eye", 0.33, -0.2, 0.17, 0.1),
    ("right-eye", -0.33, -0.2, 0.17, 0.1), ("left-brow", 0.33, -0.45, 0.2, 0.08),
    ("right-brow", -0.33, -0.45, 0.2, 0.08), ("nose", 0, 0.1, 0.14, 0.22), ("upper-lip", 0, 0.48, 0.3, 0.1),
    ("lower-lip", 0, 0.66, 0.28, 0.1), ("mouth", 0, 0.57, 0.25, 0.07),
)  # fmt: skip


def drawing(height: int, width: int, *heads: tuple[float, float, float, float], features: bool = True) -> np.ndarray:
    """Labels (height, width) of heads (x, y, radius, tilt in degrees, counter-clockwise on the picture)."""
    labels = np.zeros((height, width), np.uint8)
    ys, xs = np.mgrid[0:height, 0:width] + 0.5
    for x, y, radius, _ in heads:
        labels[(abs(xs - x) < 1.6 * radius) & (ys > y + 1.1 * radius)] = INDEX["clothes"]
    for x, y, radius, tilt in heads:
        turn = math.radians(tilt)
        # Of a head tilted counter-clockwise the top goes to the left and its right side up.
        up, right = (-math.sin(turn), -math.cos(turn)), (math.cos(turn), -math.sin(turn))
        u = ((xs - x) * right[0] + (ys - y) * right[1]) / radius
        v = -((xs - x) * up[0] + (ys - y) * up[1]) / radius
        for name, cx, cy, rx, ry in FEATURES if features else FEATURES[:2]:
            labels[((u - cx) / rx) ** 2 + ((v - cy) / ry) ** 2 < 1] = INDEX[name]
    return labels


class PerfectNet:
    """Logits (B, 19, H, W) from the distance of each pixel's colour to those of the palette."""

    precision = "exact"

    def __init__(self, bias_on_crops: float = 0.0) -> None:
        self.bias_on_crops = bias_on_crops

    def __call__(self, image: FloatArray) -> tuple[FloatArray]:
        return (self.logits(image),)

    def logits(self, image: FloatArray) -> FloatArray:
        colors = PALETTE.astype(np.float32) / 255
        # -160 |x - c|^2 / 2, without the term that is the same for all classes.
        logits = 160 * (np.einsum("kc,bchw->bkhw", colors, image) - (np.square(colors).sum(1) / 2)[:, None, None])
        if image.shape[-2:] == (448, 448):
            logits[:, INDEX["earring"]] += self.bias_on_crops
        return logits


def perfect_parser(bias_on_crops: float = 0.0) -> FaceParser:
    # It goes by colours alone, so in a mirror it takes left for right.
    return FaceParser(PerfectNet(bias_on_crops), InputContract((0, 0, 0), (1, 1, 1), 32), "perfect", both_ways=False)


def parse_drawing(labels: np.ndarray, faces: object = "all") -> tuple[np.ndarray, tuple[Face, ...]]:
    pixels = PALETTE[labels]
    parsing = perfect_parser().parse(as_picture(pixels), faces)
    return parsing.labels(pixels), parsing.faces


def overlap(a: np.ndarray, b: np.ndarray) -> float:
    return (a & b).sum() / max(1, (a | b).sum())
