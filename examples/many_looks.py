"""Many looks of one portrait: it is parsed once and painted once per style, and then a look costs a blend.

python examples/many_looks.py [FOLDER]
"""

from __future__ import annotations

import sys
import tempfile
import time
from dataclasses import replace
from importlib import resources
from pathlib import Path

from selfieart import Look, SegmentLook, Studio


def main(folder: Path) -> None:
    """Write one picture per tau, and one with other lips."""
    folder.mkdir(parents=True, exist_ok=True)
    look = Look({"person": SegmentLook("candy"), "background": SegmentLook("wave")}, stroke=192)
    with resources.as_file(resources.files("selfieart") / "data" / "astronaut.jpg") as path:
        portrait = Studio().open(path)
    looks = {f"tau-{tau}": replace(look, tau=tau) for tau in (1, 3, 10)}
    looks["lips"] = look.wearing("lips", "original")
    for name, wanted in looks.items():
        start = time.perf_counter()
        art = portrait.render(wanted)
        print(f"{name}: {time.perf_counter() - start:.2f} s")
        print("Written:", art.save(folder / f"{name}.jpg", overwrite=True))


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else tempfile.mkdtemp()))
