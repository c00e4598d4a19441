"""The files that evaluations read: checked before any work, reduced to the side at which they are judged."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from selfieart.errors import SelfieartError
from selfieart.imaging import read_photo
from selfieart.imaging.arrays import FloatArray
from selfieart.imaging.resize import scaled
from selfieart.sizes import scaled_size


def check_files(paths: Iterable[Path | None]) -> None:
    """Refuse what is no file, before any work is done; None is left out.

    Raises:
        SelfieartError: one does not exist.
    """
    for path in paths:
        if path is not None and not path.is_file():
            raise SelfieartError(f"{path} does not exist: give a file.")


def read_at(path: Path, side: int, enlarge: bool = False) -> FloatArray:
    """A picture file as (3, H, W) float32 in [0, 1] with a short side of ``side`` pixels.

    Args:
        path: the file.
        side: short side in pixels.
        enlarge: enlarge what is smaller; otherwise it keeps its size.

    Raises:
        ImageError: the file cannot be read.
    """
    pixels = read_photo(path).pixels
    size = pixels.shape[0], pixels.shape[1]
    scale = side / min(size)
    return scaled(pixels, scaled_size(size, scale if enlarge else min(1.0, scale)))


def paintings_in(folder: Path, names: frozenset[str] | None, count: int | None) -> dict[str, Path]:
    """Pictures of a folder by stem, evenly chosen if there are more than wanted.

    Args:
        folder: where they are.
        names: stems to keep; all when left out.
        count: how many at most.

    Raises:
        SelfieartError: the folder does not exist, or holds no pictures of those names.
    """
    from selfieart.training.pictures import list_images

    found = [path for path in list_images([folder]) if names is None or path.stem in names]
    if not found:
        raise SelfieartError(f"{folder} holds no held-out pictures to judge by: judge on all of them, or give others.")
    if count is not None and len(found) > count:
        found = [found[round(i * (len(found) - 1) / max(1, count - 1))] for i in range(count)]
    return {path.stem: path for path in found}
