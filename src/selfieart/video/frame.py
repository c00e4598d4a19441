"""A frame of a video, what paints frames, and the loop between them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Frame:
    """One picture of a video.

    Attributes:
        pixels: (H, W, 3) uint8 sRGB, upright, square pixels.
        time: when it is shown, in seconds from the start of the clip.
        index: 0 for the first frame of the clip.
    """

    pixels: NDArray[np.uint8]
    time: Fraction
    index: int


class PainterState(Protocol):
    """What a painter must know about the frames before."""

    def tensors(self) -> dict[str, NDArray[Any]]:
        """Everything, as arrays that a safetensors file can hold."""
        ...


State = TypeVar("State", bound=PainterState)


class FramePainter(Protocol[State]):
    """Paints the frames of one clip in their order. It remembers nothing itself: the state is passed in and out."""

    def start(self) -> State:
        """The state before the first frame."""
        ...

    def paint(self, frame: Frame, state: State) -> tuple[NDArray[np.uint8], State]:
        """Paint a frame.

        Args:
            frame: the next frame of the clip.
            state: what the frame before returned; it is not changed.

        Returns:
            (pixels (H, W, 3) uint8 of the frame's size, the state for the next frame).
        """
        ...

    def restore(self, tensors: dict[str, NDArray[Any]]) -> State:
        """The state that :meth:`PainterState.tensors` described."""
        ...


def paint_frames(
    frames: Iterable[Frame], painter: FramePainter[State], state: State | None = None
) -> Iterator[tuple[Frame, State]]:
    """Paint frames one after another, lazily.

    Args:
        frames: in the order of their times.
        painter: what paints them.
        state: the state to go on from; that of a new clip when left out.

    Yields:
        (the painted frame, the state after it).
    """
    state = painter.start() if state is None else state
    for frame in frames:
        pixels, state = painter.paint(frame, state)
        yield Frame(pixels, frame.time, frame.index), state
