"""Make the pictures of the README and the docs, and the thumbnails of the presets, with this version of selfieart.

Run by ``make docs``. Everything is painted by our own models from the packaged public-domain portrait.
"""

from __future__ import annotations

import math
from importlib import resources
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from selfieart import Look, Portrait, SegmentLook, Studio
from selfieart.imaging import write_photo
from selfieart.imaging.arrays import as_picture
from selfieart.masks import select, soft_masks
from selfieart.segments import members
from selfieart.sheets.gallery import gallery, swatch
from selfieart.sheets.sheet import fitted, sheet, with_legend
from selfieart.styles.presets import presets

IMAGES = Path(__file__).parent / "images"
THUMBNAILS = Path(str(resources.files("selfieart"))) / "styles" / "thumbnails"
HEAD = np.s_[10:290, 85:365]

LOOKS = {
    "hair, face, clothes, background": {
        "hair": SegmentLook("starry-night"),
        "face": SegmentLook("candy", strength=0.7, keep_color=0.5),
        "clothes": SegmentLook("la-muse"),
        "background": SegmentLook("rain-princess"),
    },
    "person and background": {
        "person": SegmentLook("the-scream", keep_color=0.3),
        "background": SegmentLook("wave"),
    },
    "all but lips and eyes": {
        "everything": SegmentLook("pencil"),
        "lips": SegmentLook("original"),
        "eyes": SegmentLook("original"),
    },
}


def save(name: str, pixels: NDArray[np.uint8], quality: int = 90) -> None:
    """Write a picture for the docs."""
    path = write_photo(IMAGES / name, pixels, overwrite=True, quality=quality)
    print(f"{path.name}: {path.stat().st_size // 1024} KB")


def thumbnails(portrait: Portrait) -> None:
    """One JPEG per preset: the head of the packaged portrait in that style."""
    THUMBNAILS.mkdir(exist_ok=True)
    for name in presets():
        painted = portrait.render(Look({"everything": SegmentLook(name)})).pixels[HEAD]
        small = cv2.resize(painted, (224, 224), interpolation=cv2.INTER_AREA)
        write_photo(THUMBNAILS / f"{name}.jpg", small, overwrite=True, quality=88)  # type: ignore[arg-type]


def hero(portrait: Portrait) -> None:
    """The photo and three looks."""
    cells: list[tuple[NDArray[np.uint8] | None, str]] = [(portrait.photo.pixels, "photo")]
    cells += [(portrait.render(Look(look)).pixels, label) for label, look in LOOKS.items()]
    save("hero.jpg", sheet(cells, 4, 420, 420))


def tau(portrait: Portrait) -> None:
    """Figures 3 and 7 of SelfieArt: composite and mask for several values of tau."""
    pixels, parsing = portrait.photo.pixels, portrait.parsing()
    plain = members("hair") | members("eyes") | members("brows") | members("lips")
    worn = sorted(members("everything") - plain)
    look = {"everything": SegmentLook("candy")} | {
        name: SegmentLook("original") for name in ("hair", "eyes", "brows", "lips")
    }
    top: list[tuple[NDArray[np.uint8] | None, str]] = []
    bottom: list[tuple[NDArray[np.uint8] | None, str]] = []
    logits = parsing.logits_rows(as_picture(pixels), 0, portrait.photo.height)
    for value in (0.1, 0.3, 0.6, 1.0, 3.0, math.inf):
        label = "binary mask (eq. 7)" if math.isinf(value) else f"tau = {value:g}"
        mask = (select(soft_masks(logits, value), worn) * 255).round().astype(np.uint8)
        top.append((portrait.render(Look(look, tau=value)).pixels[HEAD], label))
        bottom.append((np.repeat(mask[..., None], 3, 2)[HEAD], "mask"))
    save("tau.jpg", sheet([*top, *bottom], len(top), 260, 260))


def main() -> None:
    """Make all pictures."""
    IMAGES.mkdir(exist_ok=True)
    portrait = Studio().open(str(resources.files("selfieart") / "data" / "astronaut.jpg"))
    thumbnails(portrait)
    hero(portrait)
    tau(portrait)
    rows, columns = ["candy", "the-scream", "udnie"], ["starry-night", "wave", "rain-princess", "mosaic"]
    page = gallery(portrait, rows, columns, "person", "background")
    save("gallery.jpg", fitted(page, 1500, round(1500 * page.shape[0] / page.shape[1])), 84)
    save("segments.jpg", with_legend(portrait.photo.pixels, portrait.parsing().labels(portrait.photo.pixels)))
    save("styles.jpg", sheet([(fitted(swatch(name), 224, 224), name) for name in presets()], 7, 224, 224))


if __name__ == "__main__":
    main()
