"""What every style transfer method offers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, runtime_checkable

from selfieart.progress import Progress, silent

if TYPE_CHECKING:
    from torch import Tensor


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
        self, content: Tensor, style: str, options: StylizeOptions | None = None, progress: Progress = silent
    ) -> Tensor:
        """Stylise a picture: (3, H, W) in [0, 1] to (3, H, W) in [0, 1], deterministic for a seed.

        Raises:
            UnknownName: there is no such style.
            Cancelled: ``progress`` asked to stop.
        """
        ...


@runtime_checkable
class FeedForwardStylizer(Protocol):
    """A method with style codes, which can paint several styles in one pass."""

    def encode(self, style: str) -> Tensor:
        """The code (D,) of a style."""
        ...

    def render(
        self, content: Tensor, codes: Tensor, masks: Tensor | None = None, options: StylizeOptions | None = None
    ) -> Tensor:
        """Paint (3, H, W) with the styles (S, D), each where its mask (S, H, W) says."""
        ...
