"""What the tests of the command line share beside the fixtures of conftest.py."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

QUICK = ("--style", "background=candy", "--style", "hair=#0000ff", "--stroke", "64")


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def spawned(*arguments: object, folder: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, *map(str, arguments)]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
