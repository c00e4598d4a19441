"""A video without a file: the packaged portrait, panned and zoomed by a hand that trembles."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from importlib import resources

import cv2
import numpy as np

from selfieart.imaging import read_photo
from selfieart.video.frame import Frame

SIZE = (720, 1280)


def panned() -> Iterator[Frame]:
    """Its frames, without end."""
    with resources.as_file(resources.files("selfieart").joinpath("data", "astronaut.jpg")) as path:
        portrait = read_photo(path).pixels
    rng, index = np.random.default_rng(0), 0
    while True:
        x, y = 6 * np.sin(index / 9) + rng.normal(0, 0.3), 3 * np.cos(index / 7) + rng.normal(0, 0.3)
        scale = 2.45 + 0.05 * np.sin(index / 20)
        matrix = np.array([[scale, 0, 10 - scale * (x + 5)], [0, scale, -scale * (y + 3)]])
        pixels = cv2.warpAffine(portrait, matrix, SIZE[::-1], flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REFLECT)
        yield Frame(pixels, Fraction(index, 30), index)
        index += 1
