"""What a user installs holds no torch, SciPy or Matplotlib, one OpenCV, and is small. Run by ``make base``.

    python tools/check_base.py

It runs with the Python of the environment that it looks at, and prints the environment's size.
"""

from __future__ import annotations

import sys
from importlib.metadata import distributions
from importlib.util import find_spec
from pathlib import Path

NEVER = ("torch", "scipy", "matplotlib", "onnx", "openvino")
INSTALLERS = {"pip", "setuptools", "pkg_resources"}
"""In every new environment, and not ours."""

MEGABYTES = 500


def megabytes(folder: Path) -> float:
    """Size of an environment as it lies on the disk, without the installers."""
    files = (path for path in folder.rglob("*") if not path.is_symlink() and not INSTALLERS.intersection(path.parts))
    return sum(path.lstat().st_blocks * 512 for path in files) / 2**20


def main() -> None:
    """Say what is wrong, or how large it is."""
    found = [name for name in NEVER if find_spec(name) is not None]
    opencv = [dist.name for dist in distributions() if dist.name.startswith("opencv")]
    size = megabytes(Path(sys.prefix))
    if found:
        sys.exit(f"The base installs {', '.join(found)}: these belong to extras.")
    if opencv != ["opencv-python-headless"]:
        sys.exit(f"The base needs opencv-python-headless alone, not {', '.join(opencv)}.")
    if size > MEGABYTES:
        sys.exit(f"The base takes {size:.0f} MB, more than {MEGABYTES}: see what grew.")
    print(f"The base takes {size:.0f} MB, pip and setuptools not counted.")


if __name__ == "__main__":
    main()
