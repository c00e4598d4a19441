"""Pictures to train on: listing folders, random crops."""

from __future__ import annotations

import random
from pathlib import Path

import cv2
import numpy as np

from selfieart.errors import SelfieartError
from selfieart.imaging import read_photo
from selfieart.imaging.arrays import Pixels

SUFFIXES = {".jpg", ".jpeg", ".png"}


def list_images(folders: list[Path]) -> list[Path]:
    """All pictures in some folders and below, sorted; label maps (folders masks and parts) are none.

    Raises:
        SelfieartError: a folder holds none.
    """
    found: list[Path] = []
    for folder in folders:
        inside = [
            path
            for path in folder.rglob("*")
            if path.suffix.lower() in SUFFIXES and path.parent.name not in ("masks", "parts")
        ]
        if not inside:
            raise SelfieartError(f"{folder} is not a folder with JPEG or PNG pictures: give one that is.")
        found += inside
    return sorted(found)


def read_rgb(path: Path) -> Pixels:
    """A picture as uint8 (H, W, 3)."""
    return read_photo(path).pixels


def resize_short_side(pixels: Pixels, short_side: int) -> Pixels:
    """Resize (H, W, 3) so that its short side has a number of pixels."""
    scale = short_side / min(pixels.shape[:2])
    size = (max(short_side, round(pixels.shape[1] * scale)), max(short_side, round(pixels.shape[0] * scale)))
    method = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    return np.asarray(cv2.resize(pixels, size, interpolation=method), np.uint8)


def random_crop(pixels: Pixels, size: int, short_sides: tuple[int, int], rng: random.Random) -> Pixels:
    """A square crop of a picture whose short side is drawn from a range (log-uniform), mirrored half of the time."""
    low, high = max(size, short_sides[0]), max(size, short_sides[1])
    pixels = resize_short_side(pixels, round(low * (high / low) ** rng.random()))
    top, left = rng.randint(0, pixels.shape[0] - size), rng.randint(0, pixels.shape[1] - size)
    pixels = pixels[top : top + size, left : left + size]
    return np.ascontiguousarray(pixels[:, ::-1] if rng.random() < 0.5 else pixels)


def numpy_rng(rng: random.Random) -> np.random.Generator:
    """NumPy's source of chance, drawn from Python's."""
    return np.random.default_rng(rng.getrandbits(64))
