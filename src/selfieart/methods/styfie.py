"""Styfie: foreground and background of a portrait in styles of their own, three results from one run.

The style engine minimises content, style and total-variation losses with SciPy's L-BFGS-B; features are compared in
foreground and background separately. Here the separation is a guided Gram matrix of one picture's features: features of
a picture cut out on black, as published, hold the edge of the cut, which then is painted as if it were style.

Both styles are optimised in one picture. The two single results show one region of it over the photo, which is what a
run of their own would end with: where the other region is left as it is, it is the photo.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from selfieart.errors import SelfieartError
from selfieart.methods.gram_method import GramMethod, GramOptions
from selfieart.methods.inputs import check_picture
from selfieart.methods.settings import Optimiser, Watch, unwatched
from selfieart.progress import Progress, silent


@dataclass(frozen=True, eq=False)
class StyfieOptions(GramOptions):
    """Settings of Styfie: those of Gatys' method, with SciPy's L-BFGS-B unless another optimiser is asked for."""

    optimiser: Optimiser = "scipy"


@dataclass(frozen=True)
class StyfieResult:
    """The three results of one run, each (3, H, W) in [0, 1].

    Attributes:
        foreground: the styled foreground before the photo's background.
        background: the photo's foreground before the styled background.
        both: each in its style.
    """

    foreground: Tensor
    background: Tensor
    both: Tensor


class Styfie(GramMethod[StyfieOptions]):
    """Content + style + total variation, minimised with SciPy's L-BFGS-B.

    Args:
        encoder: whose features are compared.
    """

    name = "styfie"
    summary = "Foreground and background in styles of their own, three results from one run of SciPy's L-BFGS-B."
    options = StyfieOptions

    def stylize(
        self,
        content: Tensor,
        foreground_style: Tensor,
        background_style: Tensor,
        foreground: Tensor,
        options: StyfieOptions | None = None,
        progress: Progress = silent,
        watch: Watch = unwatched,
    ) -> StyfieResult:
        """Styled foreground, styled background, and both, from one optimisation.

        Args:
            content: (3, H, W) in [0, 1].
            foreground_style, background_style: pictures (3, h, w) in [0, 1].
            foreground: (H, W) in [0, 1], the portrait's mask.
            options: settings.
            progress, watch: see :meth:`stylize_regions`.

        Raises:
            SelfieartError: a picture or the mask cannot be used.
            Cancelled: a callback asked to stop.
        """
        content = check_picture(content, "content")
        if not isinstance(foreground, Tensor) or foreground.shape != content.shape[-2:]:
            raise SelfieartError(
                f"The foreground's mask must be a tensor of the picture's size {tuple(content.shape[-2:])}: resize it "
                "first."
            )
        mask = foreground.detach().float()
        masks = torch.stack([mask, 1 - mask, torch.zeros_like(mask)])
        both = self.stylize_regions(content, [foreground_style, background_style], masks, options, progress, watch)
        change = both - content
        return StyfieResult((content + mask * change).clamp(0, 1), (content + (1 - mask) * change).clamp(0, 1), both)
