"""Labelled portraits for the parser: what a label allows, reading folders, augmentation.

Data sets disagree on what they label: CelebAMask-HQ knows all 19 classes, clothing photos know skin, hair and clothes,
matting sets know person and background. A label id therefore stands for a *set* of classes that the pixel may have.
"""

from __future__ import annotations

import math
import random
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from selfieart.errors import SelfieartError
from selfieart.imaging import read_photo
from selfieart.imaging.arrays import Pixels
from selfieart.segments import GROUPS, INDEX, MIRRORED, NAMES
from selfieart.training.pictures import SUFFIXES, numpy_rng

PERSON, SKIN, CLOTHES, ACCESSORIES, IGNORED = 19, 20, 21, 22, 255
"""Label ids above those of the classes: any part of a person, any skin, clothes or hat, accessories, unknown."""

_SKIN = ("skin", "nose", "left-eye", "right-eye", "left-brow", "right-brow", "left-ear", "right-ear", "mouth",
         "upper-lip", "lower-lip", "neck")  # fmt: skip
_ACCESSORIES = ("glasses", "hat", "earring", "necklace", "clothes")
WORN = tuple(INDEX[name] for name in ("glasses", "hat", "earring", "necklace"))
"""Rare classes that can be lent from one aligned face to another."""


def allowed_classes() -> NDArray[np.float32]:
    """(23, 19): 1 where a label id allows a class."""
    allowed = np.zeros((ACCESSORIES + 1, len(NAMES)), np.float32)
    allowed[: len(NAMES)] = np.eye(len(NAMES))
    for label, names in ((SKIN, _SKIN), (CLOTHES, ("hat", "clothes")), (ACCESSORIES, _ACCESSORIES)):
        allowed[label, [INDEX[name] for name in names]] = 1
    allowed[PERSON, sorted(GROUPS["person"])] = 1
    return allowed


def mirrored_ids() -> Pixels:
    """(256,): the label id of each id in a mirrored picture."""
    ids = np.arange(256, dtype=np.uint8)
    ids[: len(MIRRORED)] = MIRRORED
    return ids


_MIRRORED = mirrored_ids()


@dataclass(frozen=True)
class Labelled:
    """A picture and its labels.

    Attributes:
        pixels: (H, W, 3) uint8.
        labels: (H, W) uint8, label ids.
        aligned: whether eyes and mouth lie where CelebAMask-HQ puts them, so that parts can be lent.
    """

    pixels: Pixels
    labels: Pixels
    aligned: bool


def held_out_names() -> frozenset[str]:
    """File stems that no training of ours may see: the fixed lists by which the packaged weights are judged."""
    return frozenset(resources.files(__package__).joinpath("held_out.txt").read_text("utf-8").split())


def split(pictures: list[Path]) -> tuple[list[Path], list[Path]]:
    """Pictures to learn from, and held-out ones: those on the fixed list, or else the last tenth of the names.

    The last tenth of a folder without listed names is held out, so that any folder can be judged.
    """
    names = held_out_names()
    held_out = [path for path in pictures if path.stem in names]
    if not held_out:
        held_out = sorted(pictures)[-(len(pictures) // 10) :] if len(pictures) >= 10 else []
    chosen = set(held_out)
    return [path for path in pictures if path not in chosen], held_out


def pictures_in(folder: Path) -> list[Path]:
    """The pictures of a data folder, sorted: FOLDER/images/*.

    Raises:
        SelfieartError: there are none.
    """
    images = folder / "images"
    found = sorted(p for p in images.iterdir() if p.suffix.lower() in SUFFIXES) if images.is_dir() else []
    if not found:
        raise SelfieartError(f"{folder} holds no pictures in a folder 'images': give a folder with images/ and masks/.")
    return found


def read_labelled(picture: Path, short_side: int) -> Labelled:
    """A picture of a data folder with its labels, reduced to a short side.

    The labels are ``masks/STEM.png`` (ids of the 19 classes, or 0 and 255 for background and person), refined by
    ``parts/STEM.png`` where it exists (0 background, 1 skin, 2 hair, 3 clothes, 4 accessories).

    Raises:
        SelfieartError: the labels are missing or hold other ids.
    """
    folder = picture.parent.parent
    mask, parts = (folder / kind / f"{picture.stem}.png" for kind in ("masks", "parts"))
    if parts.exists():
        return read_pair(picture, parts, "parts", short_side)
    if not mask.exists():
        raise SelfieartError(f"{picture} has no labels: {mask} does not exist.")
    kind = "classes" if _values(mask).max() < len(NAMES) else "person"
    return read_pair(picture, mask, kind, short_side)


def read_pair(picture: Path, labels_file: Path, kind: str, short_side: int | None = None) -> Labelled:
    """A picture and its labels, reduced to a short side if one is given.

    Args:
        picture: its file.
        labels_file: 8-bit PNG.
        kind: "classes" (ids 0 to 18), "person" (0 and 255), or "parts" (0 background, 1 skin, 2 hair, 3 clothes,
            4 accessories).
        short_side: greatest short side in pixels.

    Raises:
        SelfieartError: the labels hold other ids.
    """
    labels, pixels = _values(labels_file), read_photo(picture).pixels
    highest = {"classes": len(NAMES) - 1, "person": 255, "parts": 4}[kind]
    if labels.max() > highest:
        raise SelfieartError(f"{labels_file} holds ids above {highest}: labels of the kind '{kind}' have none.")
    if kind == "parts":
        labels = np.array([0, SKIN, INDEX["hair"], CLOTHES, ACCESSORIES], np.uint8)[labels]
    elif kind == "person":
        labels = np.where(labels > 127, PERSON, 0).astype(np.uint8)
    pixels = _reduced(pixels, short_side)
    size = pixels.shape[1::-1]
    if size != labels.shape[1::-1]:
        labels = np.asarray(cv2.resize(labels, size, interpolation=cv2.INTER_NEAREST), np.uint8)
    return Labelled(pixels, labels, kind == "classes")


def without_people(picture: Path, short_side: int) -> Labelled:
    """A picture in which all is background, reduced to a short side."""
    pixels = _reduced(read_photo(picture).pixels, short_side)
    return Labelled(pixels, np.zeros(pixels.shape[:2], np.uint8), aligned=False)


def _reduced(pixels: Pixels, short_side: int | None) -> Pixels:
    scale = 1.0 if short_side is None else min(1.0, short_side / min(pixels.shape[:2]))
    size = (round(pixels.shape[1] * scale), round(pixels.shape[0] * scale))
    if size == pixels.shape[1::-1]:
        return pixels
    return np.asarray(cv2.resize(pixels, size, interpolation=cv2.INTER_AREA), np.uint8)


def _values(path: Path) -> Pixels:
    values = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
    if values is None:
        raise SelfieartError(f"{path} cannot be read: labels are 8-bit grey PNG files.")
    return np.asarray(values if values.ndim == 2 else values[..., 0], np.uint8)


def lend(target: Labelled, donor: Labelled) -> Labelled:
    """The target wearing the donor's glasses, hat, earrings or necklace, at the same place of the aligned frame."""
    if target.pixels.shape != donor.pixels.shape:
        return target
    lent = np.isin(donor.labels, WORN)
    edge = cv2.GaussianBlur(lent.astype(np.float32), (0, 0), 1.0)[..., None]
    pixels = target.pixels * (1 - edge) + donor.pixels * edge
    labels = np.where(lent, donor.labels, target.labels).astype(np.uint8)
    return Labelled(pixels.astype(np.uint8), labels, True)


def augment(
    sample: Labelled, size: int, scales: tuple[float, float], rng: random.Random
) -> tuple[NDArray[np.float32], Pixels]:
    """Move, tilt, scale, mirror, recolour, blur and cover a sample.

    Args:
        sample: picture and labels.
        size: side of the result in pixels.
        scales: least and greatest size of the picture's short side, in sides of the result.
        rng: source of chance.

    Returns:
        (size, size, 3) float32 in [0, 1], and label ids (size, size).
    """
    image, labels = sample.pixels, sample.labels
    chance = numpy_rng(rng)
    if rng.random() < 0.5:
        image, labels = image[:, ::-1], _MIRRORED[labels[:, ::-1]]
    height, width = image.shape[:2]
    scale = size / min(height, width) * math.exp(rng.uniform(*map(math.log, scales)))
    matrix = cv2.getRotationMatrix2D((width / 2, height / 2), rng.gauss(0, 14), scale)
    shift = np.array([size - width, size - height]) / 2 + chance.uniform(-0.2, 0.2, 2) * size
    matrix = np.column_stack([matrix[:, :2], matrix[:, 2] + shift])
    border = rng.choice([cv2.BORDER_REFLECT_101, cv2.BORDER_REPLICATE, cv2.BORDER_CONSTANT])
    fill = tuple(int(v) for v in chance.integers(0, 255, 3))
    if scale < 0.7:
        # Warping alone would alias.
        image = np.asarray(cv2.GaussianBlur(image, (0, 0), 0.4 / scale), np.uint8)
    warped = cv2.warpAffine(np.ascontiguousarray(image), matrix, (size, size), borderMode=border, borderValue=fill)
    outside = 0 if border == cv2.BORDER_CONSTANT else IGNORED
    moved = cv2.warpAffine(
        np.ascontiguousarray(labels), matrix, (size, size), flags=cv2.INTER_NEAREST, borderValue=outside
    )
    return recolored(np.asarray(warped, np.float32) / np.float32(255), rng), np.asarray(moved, np.uint8)


def recolored(x: NDArray[np.float32], rng: random.Random) -> NDArray[np.float32]:
    """Another light, other colours, blur, noise, a box in front; (H, W, 3) in [0, 1]."""
    chance = numpy_rng(rng)
    x = x * rng.uniform(0.6, 1.4)
    grey = x.mean(2, keepdims=True)
    x = grey + (x - grey) * (rng.uniform(0, 1.6) if rng.random() < 0.85 else 0)
    x = (x - x.mean()) * rng.uniform(0.6, 1.4) + x.mean() + chance.uniform(-0.1, 0.1, 3)
    x = x.astype(np.float32)
    if rng.random() < 0.25:
        x = cv2.GaussianBlur(x, (0, 0), rng.uniform(0.3, 1.8))  # type: ignore[assignment]
    if rng.random() < 0.3:
        x = x + chance.standard_normal(x.shape, np.float32) * np.float32(rng.uniform(0, 0.08))
    if rng.random() < 0.15:
        size = min(x.shape[:2])
        top, left = rng.randrange(size), rng.randrange(size)
        x[top : top + rng.randint(10, size // 4), left : left + rng.randint(10, size // 4)] = chance.random(3)
    return np.clip(x, 0, 1).astype(np.float32)
