"""The segments of a portrait as numpy arrays, to do with them whatever you like: here, the hair turns grey.

python examples/masks_as_arrays.py [FOLDER]
"""

from __future__ import annotations

import sys
import tempfile
from importlib import resources
from pathlib import Path

import numpy as np

from selfieart import Studio
from selfieart.imaging import read_photo, write_photo
from selfieart.masks import select
from selfieart.segments import NAMES, SEGMENTS, members


def main(folder: Path) -> None:
    """Write a picture of the classes, and the photo with grey hair."""
    folder.mkdir(parents=True, exist_ok=True)
    with resources.as_file(resources.files("selfieart") / "data" / "astronaut.jpg") as path:
        photo = read_photo(path)
    parsing = Studio().open(photo).parsing()

    # One class per pixel, with edges snapped to the picture's.
    labels = parsing.labels(photo.pixels)
    found = {NAMES[number]: int(count) for number, count in enumerate(np.bincount(labels.ravel())) if count}
    print("Pixels of each class:", found)
    colors = np.array([segment.color for segment in SEGMENTS], np.uint8)
    print("Written:", write_photo(folder / "labels.png", colors[labels], overwrite=True))

    # Soft masks: one per class, their sum is 1 at every pixel.
    masks = parsing.masks(tau=3.0, size=(photo.height, photo.width))
    hair = select(masks, sorted(members("hair")))[:, :, None]
    grey = photo.pixels.mean(axis=2, keepdims=True, dtype=np.float32)
    blended = np.rint(hair * grey + (1 - hair) * photo.pixels).astype(np.uint8)
    print("Written:", write_photo(folder / "grey-hair.png", blended, overwrite=True))


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else tempfile.mkdtemp()))
