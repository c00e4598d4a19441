"""What every style transfer method offers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from selfieart.imaging.arrays import FloatArray
from selfieart.progress import Progress, silent


@dataclass(frozen=True)
class StylizeOptions:
    """What a caller may ask of a method beside content and style.

    Attributes:
        seed: of everything random; the same seed gives the same picture.
    """

    seed: int = 0


class Stylizer(Protocol):
    """A style transfer method."""

    name: str

    def styles(self) -> tuple[str, ...]:
        """Names of the styles that need no picture."""
        ...

    def stylize(
        self, content: FloatArray, style: str, options: StylizeOptions | None = None, progress: Progress = silent
    ) -> FloatArray:
        """Stylise a picture: (3, H, W) in [0, 1] to (3, H, W) in [0, 1], deterministic for a seed.

        Raises:
            UnknownName: there is no such style.
            Cancelled: ``progress`` asked to stop.
        """
        ...


@runtime_checkable
class FeedForwardStylizer(Protocol):
    """A method with style codes, which can paint several styles in one pass."""

    def encode(self, style: str) -> FloatArray:
        """The code (D,) of a style."""
        ...

    def render(
        self,
        content: FloatArray,
        codes: FloatArray,
        masks: FloatArray | None = None,
        options: StylizeOptions | None = None,
    ) -> FloatArray:
        """Paint (3, H, W) with the styles (S, D), each where its mask (S, H, W) says."""
        ...
