"""A method that optimises: slower than the networks, and any picture can be a style. Needs selfieart[methods].

python examples/slower_method.py [FOLDER]
"""

from __future__ import annotations

import sys
import tempfile
from importlib import resources
from pathlib import Path

from selfieart.imaging import read_photo, write_photo
from selfieart.methods import paint_with


def main(folder: Path) -> None:
    """Paint the person like a picture; a few iterations at a small size only show how it is called."""
    folder.mkdir(parents=True, exist_ok=True)
    data = resources.files("selfieart")
    with resources.as_file(data / "data" / "astronaut.jpg") as path:
        photo = read_photo(path).pixels[:384:2, ::2].copy()
    with resources.as_file(data / "styles" / "thumbnails" / "mosaic.jpg") as path:
        style = write_photo(folder / "style.png", read_photo(path).pixels, overwrite=True)

    def shown(stage: str, done: float) -> None:
        print(f"\r{stage} {done:4.0%}", end="", flush=True)

    art = paint_with("gatys", photo, {"person": style}, {"iterations": 20, "side": 96}, progress=shown)
    print("\nWritten:", art.save(folder / "method.png", overwrite=True))


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else tempfile.mkdtemp()))
