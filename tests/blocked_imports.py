"""Runs the program in a process of its own in which some packages cannot be imported, as if they were not installed."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

_PROGRAM = """
import runpy, sys
from importlib.abc import MetaPathFinder

class Blocker(MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {names!r}:
            raise ModuleNotFoundError(f"No module named '{{name}}'", name=name)

sys.meta_path.insert(0, Blocker())
sys.argv = ["selfieart", *{arguments!r}]
runpy.run_module("selfieart", run_name="__main__", alter_sys=True)
"""


def run_without(
    names: Sequence[str], arguments: Sequence[object], folder: Path | None = None
) -> subprocess.CompletedProcess[str]:
    """``python -m selfieart ARGUMENTS`` in a folder, where importing any of the packages, or a part of one, raises."""
    program = _PROGRAM.format(names=tuple(names), arguments=[str(argument) for argument in arguments])
    return subprocess.run([sys.executable, "-c", program], cwd=folder, capture_output=True, text=True, check=False)
