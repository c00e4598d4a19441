"""Neural style transfer by Gatys, Ecker and Bethge (CVPR 2016), with several styles at once.

Regions have guided Gram matrices (Gatys et al., "Controlling Perceptual Factors in Neural Style Transfer", CVPR 2017):
all of them are optimised together in one picture, so that strokes meet at a border instead of being cut there.
"""

from __future__ import annotations

from dataclasses import dataclass

from selfieart.methods.gram_method import GramMethod, GramOptions


@dataclass(frozen=True, eq=False)
class GatysOptions(GramOptions):
    """Settings of Gatys' method: see :class:`selfieart.methods.gram_method.GramOptions`."""


class Gatys(GramMethod[GatysOptions]):
    """Content, guided Gram matrices and total variation, minimised with L-BFGS.

    Args:
        encoder: whose features are compared.
    """

    name = "gatys"
    summary = "The photo's content with the painting's Gram matrices, by Gatys, Ecker and Bethge (2016)."
    options = GatysOptions
