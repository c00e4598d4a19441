"""One look for all photos of a folder; what cannot be read is named and the rest goes on.

python examples/folder_of_photos.py [FOLDER]
"""

from __future__ import annotations

import sys
import tempfile
from importlib import resources
from pathlib import Path

from selfieart import Look, SegmentLook, SelfieartError, Studio
from selfieart.imaging import read_photo, write_photo


def some_photos(folder: Path) -> Path:
    """Three files to work on: a portrait, its left part, and something that is no photo."""
    folder.mkdir(parents=True, exist_ok=True)
    with resources.as_file(resources.files("selfieart") / "data" / "astronaut.jpg") as path:
        pixels = read_photo(path).pixels
    write_photo(folder / "astronaut.jpg", pixels[::2, ::2], overwrite=True)
    write_photo(folder / "left.jpg", pixels[::2, :384:2], overwrite=True)
    (folder / "notes.jpg").write_text("no photo")
    return folder


def main(folder: Path) -> None:
    """Paint every photo of a folder into another one."""
    look = Look({"person": SegmentLook("udnie"), "background": SegmentLook("blur")}, stroke=192)
    # One studio for all: the networks are loaded once.
    studio = Studio()
    painted = folder / "painted"
    painted.mkdir(parents=True, exist_ok=True)
    for path in sorted(some_photos(folder / "photos").glob("*.jpg")):
        try:
            art = studio.open(path).render(look)
        except SelfieartError as error:
            print("Left out:", error)
            continue
        for note in art.notes:
            print(f"{path.name}: {note}")
        print("Written:", art.save(painted / f"{path.stem}.png", overwrite=True))


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else tempfile.mkdtemp()))
