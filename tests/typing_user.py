"""A user's file: what a type checker must know of the package once it is installed. `make wheel` checks it strictly."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, assert_type

import numpy as np
from numpy.typing import NDArray

from selfieart import Artwork, Look, Portrait, SegmentLook, SelfieartError, Studio, __version__
from selfieart.imaging import Photo, read_photo, write_photo
from selfieart.masks import select, soft_masks
from selfieart.video.frame import Frame, paint_frames
from selfieart.video.io.reading import read_frames
from selfieart.video.painter import VideoPainter


def photo(path: Path) -> None:
    """Files and arrays, looks, what comes out."""
    assert_type(__version__, str)
    assert_type(read_photo(path), Photo)
    portrait = Studio().open(path)
    assert_type(portrait, Portrait)
    look = Look({"hair": SegmentLook("starry-night", strength=0.5)}, tau=3)
    assert_type(look.wearing("lips", "candy"), Look)
    try:
        art = portrait.render(look, progress=lambda stage, done: print(stage.upper(), done + 1))
    except SelfieartError as error:
        assert_type(error, SelfieartError)
        return
    assert_type(art, Artwork)
    assert_type(art.pixels, NDArray[np.uint8])
    assert_type(art.seconds, Mapping[str, float])
    assert_type(art.notes, tuple[str, ...])
    assert_type(art.save("out.png"), Path)
    assert_type(write_photo("out.jpg", art.pixels), Path)


def masks(pixels: NDArray[np.uint8]) -> None:
    """Masks are arrays."""
    parsing = Studio().open(pixels).parsing("largest")
    assert_type(parsing.logits, NDArray[np.float32])
    assert_type(parsing.masks(3.0, (64, 64)), NDArray[np.float32])
    assert_type(parsing.labels(pixels), NDArray[np.uint8])
    assert_type(select(soft_masks(parsing.logits, 3.0), [1, 2]), NDArray[np.float32])


def video(path: str) -> None:
    """Frames in, frames out."""
    painter = VideoPainter(Studio(), Look({"person": SegmentLook("candy")}))
    for frame, _ in paint_frames(read_frames(path), painter):
        assert_type(frame, Frame)
        assert_type(frame.pixels, NDArray[np.uint8])


def wrong(portrait: Portrait) -> Any:
    """What must be refused: an unused `ignore` is an error, so each of these lines must be one."""
    portrait.render("candy")  # type: ignore[arg-type]
    Look({"hair": "candy"})  # type: ignore[dict-item]
    Studio(threads="2")  # type: ignore[arg-type]
    return portrait.rendered  # type: ignore[attr-defined]
