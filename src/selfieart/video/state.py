"""What a video painter must know about the frames before, and how it survives in a file."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import astuple, dataclass, fields, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from selfieart.errors import SelfieartError
from selfieart.imaging.arrays import FloatArray, Pixels
from selfieart.parsing.faces import Face


@dataclass(frozen=True)
class VideoState:
    """Everything that goes from one frame to the next; nothing before the first frame.

    Attributes:
        size: (2,) int64, height and width of the frames.
        frame: (h, w, 3) uint8, the last frame, reduced for optical flow.
        logits: (G, a, b), filtered logits of the groups.
        tracks: (F, 5) float64, faces as x, y, side, angle, area in pixels of the logits.
        painting: (u, v, 4), the last painting at its working resolution, and where it was painted.
        moments: (2, S, N), the normalisation statistics in use.
        wanted: (2, S, N), the statistics last recorded, which those in use approach.
        clock: (5,) float64: frames since the last parsing, motion since then, frames since statistics were recorded,
            change since then, whose turn it is.
    """

    size: NDArray[np.int64] | None = None
    frame: Pixels | None = None
    logits: FloatArray | None = None
    tracks: NDArray[np.float64] | None = None
    painting: FloatArray | None = None
    moments: FloatArray | None = None
    wanted: FloatArray | None = None
    clock: NDArray[np.float64] | None = None

    def tensors(self) -> dict[str, NDArray[Any]]:
        """Everything, as arrays that a safetensors file can hold."""
        named = {f.name: getattr(self, f.name) for f in fields(self)}
        return {name: np.asarray(array, order="C") for name, array in named.items() if array is not None}

    @classmethod
    def from_tensors(cls, tensors: dict[str, NDArray[Any]]) -> VideoState:
        """The inverse of :meth:`tensors`.

        Raises:
            SelfieartError: there are arrays that no state has.
        """
        strange = sorted(set(tensors) - {f.name for f in fields(cls)})
        if strange:
            raise SelfieartError(f"The saved state holds '{strange[0]}', which this version does not know: start anew.")
        return cls(**tensors)

    def faces(self) -> list[Face]:
        """The tracks as faces."""
        return [] if self.tracks is None else [Face(*map(float, row)) for row in self.tracks]

    def following(self, faces: Sequence[Face]) -> VideoState:
        """The state with other tracks."""
        rows = [[face.x, face.y, face.side, face.angle, face.area] for face in faces]
        return replace(self, tracks=np.array(rows, np.float64).reshape(-1, 5))

    def clocked(self) -> Clock:
        """The clock."""
        return Clock() if self.clock is None else Clock(*self.clock.tolist())


@dataclass(frozen=True)
class Clock:
    """How long ago things were done, in frames, and how much has changed since.

    Attributes:
        since_parsing, moved: frames since the last parsing, and the motion since then.
        since_recording, changed: frames since statistics were recorded, and the change since then.
        turn: the style whose statistics are recorded next.
    """

    since_parsing: float = 0
    moved: float = 0
    since_recording: float = 0
    changed: float = 0
    turn: float = 0

    def array(self) -> NDArray[np.float64]:
        """(5,) float64."""
        return np.array(astuple(self), np.float64)
