"""An array in, an array out: nothing is read from files or written to them, unless you say so.

python examples/array_in_and_out.py [FOLDER]
"""

from __future__ import annotations

import sys
import tempfile
from importlib import resources
from pathlib import Path

import numpy as np
from PIL import Image

from selfieart import Look, SegmentLook, Studio


def main(folder: Path) -> None:
    """Paint an array (H, W, 3) of 8-bit sRGB, from wherever it comes: a camera, another library."""
    folder.mkdir(parents=True, exist_ok=True)
    with (resources.files("selfieart") / "data" / "astronaut.jpg").open("rb") as file:
        pixels = np.asarray(Image.open(file).convert("RGB").resize((256, 256)))

    look = Look({"hair": SegmentLook("starry-night"), "background": SegmentLook("wave", strength=0.8)}, stroke=256)
    art = Studio().open(pixels).render(look)
    print(f"{art.pixels.shape} {art.pixels.dtype}, {np.mean(art.pixels != pixels):.0%} of the values changed")
    print("Written:", art.save(folder / "array.png", overwrite=True))


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else tempfile.mkdtemp()))
