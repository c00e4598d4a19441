"""What is compared: the program before, and this one on the runtimes that a person can have installed."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
ROOT = HERE.parent
BEFORE, BASE, OPENVINO = "before", "base", "openvino"
PUBLISHED, LITE = "published", "lite"


@dataclass(frozen=True)
class Side:
    """One of those that take turns.

    Attributes:
        key: for short.
        label: what a table calls it.
        python: that runs it.
        source: folder that its package is imported from.
        threads: that compute.
        hidden: packages that it may not see although its environment has them.
    """

    key: str
    label: str
    python: str
    source: Path
    threads: int
    hidden: tuple[str, ...] = ()

    def environment(self) -> dict[str, str]:
        """Variables of its processes: the same threads for every library that has threads of its own."""
        count = str(self.threads)
        names = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENCV_FOR_THREADS_NUM", "SELFIEART_THREADS")
        return os.environ | dict.fromkeys(names, count) | {"PYTHONPATH": str(self.source)}

    def command(self, *arguments: str) -> tuple[str, ...]:
        """``selfieart`` with arguments, as a process of this side."""
        if not self.hidden:
            return self.python, "-m", "selfieart", *arguments
        hide = f"import sys; sys.modules.update(dict.fromkeys({self.hidden!r})); from selfieart.cli import main; main()"
        return self.python, "-c", hide, *arguments


def base_side(python: str | None, threads: int) -> tuple[Side, str]:
    """The program as a user installs it, and a sentence that says on what Python that is.

    Args:
        python: of the environment; that of ``make base`` when left out, and where that is missing the development
            environment without what no user has.
        threads: that compute.
    """
    found = python or str(ROOT / ".venv-base" / "bin" / "python")
    if python or Path(found).exists():
        openvino = _has(found, "openvino")
        hidden = ("openvino",) if openvino else ()
        told = f"The base is measured in {_shown(found)}" + (", with OpenVINO hidden." if openvino else ".")
        return Side(BASE, "ONNX Runtime", found, ROOT / "src", threads, hidden), told
    told = (
        "There is no .venv-base (make base makes it): the base is measured in the development environment, with torch, "
        "SciPy and OpenVINO hidden."
    )
    hidden = ("openvino", "torch", "scipy", "matplotlib")
    return Side(BASE, "ONNX Runtime", sys.executable, ROOT / "src", threads, hidden), told


def openvino_side(threads: int) -> Side | None:
    """The program on OpenVINO, None where that is not installed beside what runs this."""
    if not _has(sys.executable, "openvino"):
        return None
    return Side(OPENVINO, "OpenVINO", sys.executable, ROOT / "src", threads)


def prefix(python: str) -> Path:
    """The folder of an environment."""
    return Path(_asked(python, "import sys; print(sys.prefix)"))


def _has(python: str, package: str) -> bool:
    return _asked(python, f"import importlib.util as u; print(u.find_spec({package!r}) is not None)") == "True"


def _asked(python: str, code: str) -> str:
    return subprocess.run([python, "-c", code], check=True, text=True, stdout=subprocess.PIPE).stdout.strip()


def _shown(path: str) -> str:
    """A path, short where it lies in the tree."""
    return str(Path(path).relative_to(ROOT)) if Path(path).is_relative_to(ROOT) else path


class Worker:
    """A process of a side that holds its models and runs one case after the other when it is told to.

    Args:
        side: whose process.
        photo, wide: pictures of 512 pixels and of 24 megapixels.
        frames: of a video, per turn.
    """

    def __init__(self, side: Side, photo: str, wide: str, frames: int) -> None:
        given = {"photo": photo, "wide": wide, "frames": frames, "threads": side.threads, "kind": side.key}
        command = [side.python, str(HERE / "worker.py"), json.dumps(given | {"hidden": side.hidden})]
        self.side = side
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=side.environment()
        )
        self.facts: dict[str, Any] = self._answer()

    @property
    def pid(self) -> int:
        """Of the process."""
        return self._process.pid

    @property
    def cases(self) -> list[str]:
        """Names of what it can run."""
        return list(self.facts["cases"])

    def run(self, case: str) -> dict[str, Any]:
        """Run a case once: "seconds", and "stages" if it tells them."""
        assert self._process.stdin
        self._process.stdin.write(case + "\n")
        self._process.stdin.flush()
        return self._answer()

    def close(self) -> None:
        """End the process."""
        assert self._process.stdin
        self._process.stdin.close()
        self._process.wait(60)

    def _answer(self) -> dict[str, Any]:
        assert self._process.stdout
        line = self._process.stdout.readline()
        if not line:
            raise SystemExit(f"The process that measures '{self.side.label}' ended; what it said stands above.")
        answer: dict[str, Any] = json.loads(line)
        return answer
