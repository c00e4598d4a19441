"""Named soft masks of the content and of the style pictures, that say what may be painted like what."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from selfieart.errors import SelfieartError
from selfieart.methods.settings import check_number

MOST_MASKS = 64


@dataclass(frozen=True, eq=False)
class Guidance:
    """Soft masks p_k of the content and of every style picture; the same k means the same thing in all of them.

    Attributes:
        names: K names, such as "hair".
        content: (K, h, w) in [0, 1], of any size; it is stretched over the content.
        styles: for every style picture (K, u, v) in [0, 1], of any sizes.
    """

    names: tuple[str, ...]
    content: Tensor
    styles: tuple[Tensor, ...]

    def __post_init__(self) -> None:
        kinds = len(self.names)
        if not 1 <= kinds <= MOST_MASKS:
            raise SelfieartError(f"Guidance needs from 1 to {MOST_MASKS} soft masks, not {kinds}.")
        for masks, what in ((self.content, "content"), *((style, "style picture") for style in self.styles)):
            if not isinstance(masks, Tensor) or masks.dim() != 3 or masks.shape[0] != kinds or not masks.numel():
                shape = tuple(masks.shape) if isinstance(masks, Tensor) else type(masks).__name__
                raise SelfieartError(
                    f"The soft masks of the {what} must be shaped ({kinds}, height, width), one for each name, not "
                    f"{shape}."
                )
            if not bool(masks.isfinite().all()) or float(masks.min()) < -1e-3 or float(masks.max()) > 1 + 1e-3:
                raise SelfieartError(f"The soft masks of the {what} must hold numbers from 0 to 1: scale them first.")

    def strongest(self, count: int) -> Guidance:
        """The masks of greatest mean probability over the content and all style pictures together, greatest first.

        The paper takes five: each more costs memory and time, and most classes are hardly in the pictures.
        What belongs to none of them is a kind of its own, that of zero masks.

        Args:
            count: how many are kept, at least 1.

        Raises:
            SelfieartError: the count is no such number.
        """
        check_number("masks", count, 1, MOST_MASKS, whole=True)
        means = torch.stack([masks.flatten(1).mean(1) for masks in (self.content, *self.styles)]).mean(0)
        # Stable, so that of equal masks the first is kept.
        kept = means.sort(descending=True, stable=True).indices[:count]
        names = tuple(self.names[int(k)] for k in kept)
        return Guidance(names, self.content[kept], tuple(style[kept] for style in self.styles))

    def of(self, places: Sequence[int]) -> Guidance:
        """The guidance of some of the style pictures, in that order."""
        return replace(self, styles=tuple(self.styles[place] for place in places))
