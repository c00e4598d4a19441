"""Make the pictures about semantic style transfer: the effect of gamma and of the number of masks.

    python docs/make_semantic_pictures.py painting.jpg [--side 256] [--out FOLDER]

Figures 23 and 22 of Zhao, Rosin and Lai. The photo is the packaged public-domain portrait; no painting is packaged, so
give a portrait painting, of which the parser sees the face. Those in the docs are made from Vincent van Gogh's
self-portrait of 1889 (Musée d'Orsay).
"""

from __future__ import annotations

import argparse
from dataclasses import replace
from importlib import resources
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from selfieart.errors import SelfieartError
from selfieart.imaging import read_photo, write_photo
from selfieart.imaging.arrays import Pixels
from selfieart.methods.guidance import Guidance
from selfieart.methods.scene import parsed
from selfieart.methods.semantic import Semantic
from selfieart.methods.semantic_masks import from_parsings
from selfieart.methods.semantic_options import SemanticOptions
from selfieart.networks.packaged import load_encoder
from selfieart.networks.tensors import as_pixels, as_tensor, resize
from selfieart.parsing.registry import load_parser
from selfieart.sheets.sheet import sheet

HALF_LENGTH = np.s_[0:400, 40:440]
CELL = 272
GAMMAS = (0, 10, 20, 40, 80)
COUNTS = (0, 1, 2, 3, 5, 7)
COLORS = ((70, 78, 92), (34, 150, 84), (236, 188, 150), (139, 92, 246), (38, 120, 214), (222, 143, 108), (220, 38, 72))
"""Of background, clothes, skin, hair, eyes, nose and mouth on the sheets."""


def colored(guidance: Guidance, masks: Tensor) -> NDArray[np.uint8]:
    """Soft masks (K, h, w) as one picture (h, w, 3)."""
    mixed = sum(np.multiply.outer(mask.numpy(), color) for mask, color in zip(masks, COLORS, strict=True))
    return np.asarray(mixed).clip(0, 255).astype(np.uint8)


def main() -> None:
    """Paint and write both sheets."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("painting", type=Path)
    parser.add_argument("--side", type=int, default=256, help="short side in pixels at which pictures are painted")
    parser.add_argument("--out", type=Path, default=Path(__file__).parent / "images")
    arguments = parser.parse_args()
    with resources.as_file(resources.files("selfieart").joinpath("data", "astronaut.jpg")) as path:
        photo = as_tensor(read_photo(path).pixels[HALF_LENGTH])
    painting = as_tensor(read_photo(arguments.painting).pixels)
    factor = 512 / min(painting.shape[-2:])
    painting = resize(painting, (round(painting.shape[-2] * factor), round(painting.shape[-1] * factor))).clamp(0, 1)
    seen, like = (parsed(load_parser(), picture) for picture in (photo, painting))
    if not like.faces:
        raise SelfieartError(f"The parser sees no face in {arguments.painting.name}: give another portrait.")
    guidance = from_parsings(seen, [like])
    method = Semantic(load_encoder())
    usual = SemanticOptions(side=arguments.side, guidance=guidance, masks=len(guidance.names))

    def painted(options: SemanticOptions) -> Pixels:
        return as_pixels(method.stylize_regions(photo, [painting], None, options))

    def write(name: str, cells: list[tuple[Pixels | None, str]]) -> None:
        path = arguments.out / f"semantic-{name}.jpg"
        write_photo(path, sheet(cells, 4, CELL, CELL), overwrite=True, quality=86)
        print(f"{path.name}: {path.stat().st_size // 1024} KB")

    top: list[tuple[Pixels | None, str]] = [
        (as_pixels(photo), "photo"),
        (as_pixels(painting), "painting"),
        (colored(guidance, guidance.content), "its masks"),
        (colored(guidance, guidance.styles[0]), "the painting's"),
    ]
    with_gamma = {gamma: painted(replace(usual, gamma=float(gamma))) for gamma in GAMMAS}
    write("gamma", [*top[:2], *((picture, f"gamma = {gamma}") for gamma, picture in with_gamma.items()), top[2]])
    with_masks = {0: with_gamma[0], len(guidance.names): with_gamma[20]}
    for count in COUNTS:
        if count not in with_masks:
            with_masks[count] = painted(replace(usual, masks=count))
    labels = {0: "no masks", 1: "1 mask"}
    write("masks", [*top[2:], *((with_masks[n], labels.get(n, f"{n} masks")) for n in COUNTS)])
    for count in COUNTS[1:]:
        print(count, ", ".join(guidance.strongest(count).names))


if __name__ == "__main__":
    main()
