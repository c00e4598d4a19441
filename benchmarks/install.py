"""From nothing to a first artwork: ``make demo`` in fresh copies, this version and the one before in turns.

Every wheel is on the disk before: what is measured is making the environment, installing and painting, not the network.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from before import Unavailable, unpack
from check_base import megabytes
from measuring import calm, ratios
from sides import BASE, BEFORE

LIMIT = 600.0


def measure_install(commit: str, folder: Path, rounds: int) -> dict[str, Any]:
    """Seconds of ``make demo`` from nothing and the size of what it installed, by side, and "ratio" of the seconds.

    This version is the commit that is checked out: what is not committed is not measured.

    Args:
        commit: the one before.
        folder: an empty one.
        rounds: of both.

    Raises:
        Unavailable: a version cannot be had, or its wheels cannot be loaded.
    """
    copies = {BEFORE: unpack(commit, folder / "before"), BASE: unpack("HEAD", folder / "now")}
    wheels = folder / "wheels"
    for copy in copies.values():
        _load_wheels(copy, wheels)
    offline = os.environ | {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(wheels), "PIP_NO_CACHE_DIR": "1"}
    for name in ("PYTHONPATH", "PIP_EXTRA_INDEX_URL", "MAKEFLAGS"):
        offline.pop(name, None)
    turn = 0

    def one_round() -> dict[str, float]:
        nonlocal turn
        turn += 1
        ordered = list(copies) if turn % 2 else list(reversed(copies))
        return {key: _seconds(copies[key], offline) for key in ordered}

    measured = calm(one_round, rounds, LIMIT)
    seconds = {key: [times[key] for times, _ in measured] for key in copies}
    return {
        "seconds": seconds,
        "megabytes": {key: megabytes(copy / ".venv") for key, copy in copies.items()},
        "ratio": ratios(seconds[BASE], seconds[BEFORE]),
        "others": max(others for _, others in measured),
    }


def _load_wheels(copy: Path, wheels: Path) -> None:
    """Everything that installing a copy needs, to build it too."""
    pip = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "-d", str(wheels)]
    for wanted in (["-c", "constraints.txt", "."], ["setuptools>=77", "wheel"]):
        done = subprocess.run([*pip, *wanted], cwd=copy, capture_output=True, text=True)
        if done.returncode:
            why = (done.stderr.strip().splitlines() or ["it said nothing"])[-1]
            raise Unavailable(f"'make demo' from nothing is not measured: pip loads no wheels ({why}).")


def _seconds(copy: Path, environment: dict[str, str]) -> float:
    """One ``make demo`` without an environment and without what an earlier one built."""
    leavings: list[Callable[[], Any]] = [lambda: shutil.rmtree(copy / ".venv", ignore_errors=True)]
    leavings += [lambda path=path: shutil.rmtree(path) for path in copy.rglob("__pycache__")]
    for remove in leavings:
        remove()
    start = time.perf_counter()
    done = subprocess.run(
        ["make", "demo", f"PYTHON={sys.executable}"], cwd=copy, env=environment, capture_output=True, text=True
    )
    if done.returncode:
        raise Unavailable(f"'make demo' from nothing failed: {done.stderr.strip()[-300:]}")
    return time.perf_counter() - start
