"""The working folder of a video: finished pieces and the painter's state after them, so that a killed run can go on.

A piece counts from the moment at which the state after it takes the place of the state before: one rename.
"""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import av
import numpy as np
from numpy.typing import NDArray

from selfieart.errors import SelfieartError
from selfieart.video.io.joining import Piece

_KEY, _STATE, _LOCK = "job", "state.safetensors", "lock"


class Workplace:
    """Pieces of a video that is being made.

    Args:
        folder: an existing folder of its own.

    Attributes:
        pieces: the finished ones, in their order.
        restarted: whether pieces of an earlier run were damaged and thrown away.
    """

    def __init__(self, folder: Path) -> None:
        self._folder, self.restarted = folder, False
        self.pieces: list[Piece] = []

    @property
    def frames(self) -> int:
        """How many frames the finished pieces hold."""
        return sum(len(piece.times) for piece in self.pieces)

    @property
    def last(self) -> int | None:
        """Time of the last finished frame, in units of the encoding's time base."""
        return self.pieces[-1].times[-1] if self.pieces else None

    def next_path(self) -> Path:
        """Where the next piece is to be written."""
        return self._folder / f"{len(self.pieces):06d}.nut"

    def commit(self, times: list[int], state: dict[str, NDArray[Any]]) -> None:
        """Count the piece at :meth:`next_path` as finished.

        Args:
            times: of its frames, in units of the encoding's time base.
            state: of the painter after it.
        """
        from safetensors.numpy import save_file

        path = self.next_path()
        path.with_suffix(".json").write_text(json.dumps(times), "utf-8")
        temporary = self._folder / "next.safetensors"
        count = len(self.pieces) + 1
        # What lies otherwise in memory would be written in the order in which it lies.
        plain = {name: np.asarray(array, order="C") for name, array in state.items()}
        save_file(plain, temporary, metadata={"pieces": str(count)})
        temporary.replace(self._folder / _STATE)
        self.pieces.append(Piece(path, tuple(times)))

    def state(self) -> dict[str, NDArray[Any]]:
        """The painter's state after the last finished piece."""
        from safetensors.numpy import load

        return load((self._folder / _STATE).read_bytes())

    def load(self) -> bool:
        """Find the finished pieces of an earlier run. False if they are damaged."""
        from safetensors import safe_open

        path = self._folder / _STATE
        if not path.exists():
            return True
        try:
            with safe_open(path, framework="numpy") as file:
                count = int(file.metadata()["pieces"])
            pieces = []
            for index in range(count):
                piece = self._folder / f"{index:06d}.nut"
                times = tuple(json.loads(piece.with_suffix(".json").read_text("utf-8")))
                with av.open(str(piece)) as container:
                    if sum(1 for packet in container.demux(video=0) if packet.size) != len(times):
                        return False
                pieces.append(Piece(piece, times))
        except Exception:
            # Whatever a lost power supply leaves behind.
            return False
        self.pieces = pieces
        return True


def folder_of(target: Path) -> Path:
    """The working folder of an output file, beside it."""
    target = target.resolve()
    return target.with_name(f".{target.name}.selfieart")


@contextmanager
def workplace(target: Path, key: str, resume: bool) -> Iterator[Workplace]:
    """The working folder of an output file. It is removed at the end, or when anything goes wrong without ``resume``.

    Args:
        target: the output file.
        key: hash of everything that the pieces depend on.
        resume: go on from an earlier run, and keep the finished pieces if this run does not finish.

    Raises:
        SelfieartError: another run works on this output, or with ``resume``, the earlier run was another one.
    """
    folder = folder_of(target)
    try:
        folder.mkdir(exist_ok=True)
        lock = (folder / _LOCK).open("w")
    except OSError as error:
        raise SelfieartError(f"'{folder}' cannot be written ({error.strerror}): choose another folder.") from error
    keep = True
    try:
        with lock:
            if not _lock(lock.fileno()):
                raise SelfieartError(
                    f"Another run is writing '{target}' right now: wait for it, or choose another name."
                )
            place = _opened(folder, target, key, resume)
            keep = resume
            yield place
            keep = False
    finally:
        if not keep:
            shutil.rmtree(folder, ignore_errors=True)


def _opened(folder: Path, target: Path, key: str, resume: bool) -> Workplace:
    place, job = Workplace(folder), folder / _KEY
    if resume and job.exists():
        if job.read_text("utf-8") != key:
            raise SelfieartError(
                f"The unfinished run for '{target}' was made from another video or with other options or another "
                "version: give the same ones, or leave out --resume to start over."
            )
        if place.load():
            return place
        place.restarted = True
    for path in folder.iterdir():
        if path.name != _LOCK:
            with suppress(OSError):
                path.unlink()
    job.write_text(key, "utf-8")
    return place


if sys.platform == "win32":

    def _lock(file: int) -> bool:
        import msvcrt

        try:
            msvcrt.locking(file, msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        return True

else:

    def _lock(file: int) -> bool:
        import fcntl

        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            return False
        return True
