"""The program as it was at another commit, beside which this one is measured."""

from __future__ import annotations

import io
import subprocess
import sys
import tarfile
from pathlib import Path

from sides import BEFORE, ROOT, Side

COMMIT = "805b31f"
"""The last commit on which what a user installs holds torch."""


class Unavailable(Exception):  # noqa: N818 - it is no error: the rest is measured
    """One sentence that says why something is not measured."""


def unpack(commit: str, folder: Path, *paths: str) -> Path:
    """Files of a commit of this repository.

    Args:
        commit: any name that git knows.
        folder: where they are put.
        paths: which; all when left out.

    Raises:
        Unavailable: there is no git, no repository or no such commit.
    """
    command = ["git", "-C", str(ROOT), "archive", "--format=tar", commit, *paths]
    try:
        done = subprocess.run(command, capture_output=True, check=True)
    except FileNotFoundError:
        raise Unavailable("Nothing is compared with before: git is not installed.") from None
    except subprocess.CalledProcessError as error:
        said = error.stderr.decode("utf-8", "replace").strip().splitlines()
        why = said[-1] if said else "it said nothing"
        raise Unavailable(f"Nothing is compared with before: git does not give commit {commit} ({why}).") from None
    folder.mkdir(parents=True, exist_ok=True)
    with tarfile.open(fileobj=io.BytesIO(done.stdout)) as archive:
        archive.extractall(folder, filter="data")
    return folder


def before_side(commit: str, folder: Path, threads: int) -> Side:
    """The program of a commit, run by the development environment, which has what it needs.

    Raises:
        Unavailable: the commit cannot be had, or its program does not start here.
    """
    source = unpack(commit, folder, "src") / "src"
    side = Side(BEFORE, f"before ({commit})", sys.executable, source, threads)
    tried = subprocess.run(side.command("--help"), env=side.environment(), capture_output=True, text=True)
    if tried.returncode:
        last = (tried.stderr.strip().splitlines() or ["it said nothing"])[-1]
        raise Unavailable(f"Nothing is compared with before: the program of {commit} does not start here ({last}).")
    return side
