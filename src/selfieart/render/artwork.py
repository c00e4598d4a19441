"""A finished picture, and what it was made from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from selfieart.imaging import Photo, write_photo
from selfieart.imaging.arrays import Pixels
from selfieart.look import PNG_KEY, Look


@dataclass(frozen=True)
class Artwork:
    """A finished picture.

    Attributes:
        pixels: (H, W, 3) uint8 sRGB.
        photo: what it was made from.
        look: how.
        seconds: time of each stage that ran.
        notes: sentences that a person should read, such as that no face was found.
    """

    pixels: Pixels
    photo: Photo
    look: Look
    seconds: Mapping[str, float]
    notes: tuple[str, ...] = ()

    def save(self, path: str | Path, overwrite: bool = False) -> Path:
        """Write it, in the format that the suffix names; a PNG also holds the look.

        Raises:
            ImageError: the file exists and ``overwrite`` is False, or it cannot be written.
        """
        return write_photo(path, self.pixels, like=self.photo, text={PNG_KEY: self.look.to_toml()}, overwrite=overwrite)
