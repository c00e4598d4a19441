"""Paint one frame at its working resolution: only the region that is worn, all styles in one pass."""

from __future__ import annotations

import math

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from selfieart.imaging.arrays import as_tensor
from selfieart.networks.style_net import MULTIPLE, Statistics, StyleNet
from selfieart.render.painter import LARGEST_SUPERSAMPLING
from selfieart.video.composition import Box
from selfieart.video.flow import FloatArray, Pixels
from selfieart.video.frame_net import FrameNet

MARGIN = 64
"""Pixels painted along round a region. Strokes look at most 128 pixels far, but hardly beyond half of that."""

_BORDER = 16
_WORTH_CUTTING = 0.85


def working_size(height: int, width: int, stroke_side: int) -> tuple[int, int]:
    """(h, w) at which a frame is painted, so that strokes have their size."""
    scale = min(LARGEST_SUPERSAMPLING, stroke_side / min(height, width))
    return max(1, round(height * scale)), max(1, round(width * scale))


class FrameStylizer:
    """Paints frames of one clip with one set of styles.

    Args:
        net: the network that paints.
        codes: (S, D), one or several style codes.
        seed: of the strokes.
        alone: each style has the statistics of the whole frame painted in it alone, as if one picture were painted per
            style; else those of all styles in one pass.
    """

    def __init__(self, net: StyleNet, codes: Tensor, seed: int, alone: bool) -> None:
        self.net, self.codes, self.seed = FrameNet(net), codes, seed
        self.alone = alone or len(codes) == 1

    def __len__(self) -> int:
        return len(self.codes)

    def record(self, frame: Pixels, shares: Tensor | None, style: int | None = None) -> Tensor:
        """Statistics of a frame at its working resolution.

        Args:
            frame: (h, w, 3).
            shares: (S, h, w), summing to 1; needed unless styles are alone.
            style: only of this style.

        Returns:
            (2, S, N) float32, or (2, 1, N) for one style: mean and variance of all normalised channels.
        """
        picture, masks = self._bordered(frame, shares)
        if not self.alone:
            return self._used(picture, self.codes, masks)
        chosen = self.codes if style is None else self.codes[style : style + 1]
        return torch.cat([self._used(picture, code[None], None) for code in chosen], 1)

    def _used(self, picture: Tensor, codes: Tensor, masks: Tensor | None) -> Tensor:
        recorded = Statistics()
        self.net(picture, codes, masks, recorded=recorded, seed=self.seed)
        return packed(recorded)

    def paint(self, frame: Pixels, shares: Tensor | None, moments: Tensor, region: Box) -> FloatArray:
        """Paint a region of a frame.

        Args:
            frame: (h, w, 3) at its working resolution.
            shares: (S, h, w), summing to 1; needed for several styles.
            moments: (2, S, N) from :meth:`record`.
            region: what must be painted.

        Returns:
            (h, w, 4): colours in [0, 1], and 1 inside the region.
        """
        picture, masks = self._bordered(frame, shares)
        top, left, bottom, right = self._cut(region, picture.shape[-2], picture.shape[-1])
        picture = picture[:, top:bottom, left:right]
        if masks is not None:
            masks = masks[:, top:bottom, left:right]
        statistics = unpacked(moments, self.net.channels)
        painted = self.net(picture, self.codes, masks, statistics=statistics, origin=(top, left), seed=self.seed)
        out = np.zeros((*frame.shape[:2], 4), np.float32)
        inner = np.s_[region[0] : region[2], region[1] : region[3]]
        down, across = _BORDER - top, _BORDER - left
        place = np.s_[:, region[0] + down : region[2] + down, region[1] + across : region[3] + across]
        out[inner][..., :3] = painted[place].clamp_(0, 1).permute(1, 2, 0).numpy()
        out[inner][..., 3] = 1
        return out

    def _bordered(self, frame: Pixels, shares: Tensor | None) -> tuple[Tensor, Tensor | None]:
        """Picture and shares with the mirrored border that photos are painted with, filled up to multiples of 8."""
        height, width = frame.shape[:2]
        bottom, right = _BORDER + -height % MULTIPLE, _BORDER + -width % MULTIPLE
        # Mirroring reaches at most one pixel less than the picture has; tiny pictures repeat their edge instead.
        mode = "reflect" if min(height, width) > max(bottom, right) else "replicate"
        padding = (_BORDER, right, _BORDER, bottom)
        picture = F.pad(as_tensor(frame)[None], padding, mode=mode)[0]
        if shares is None or len(self.codes) == 1:
            return picture, None
        return picture, F.pad(shares[None], padding, mode=mode)[0]

    def _cut(self, region: Box, height: int, width: int) -> Box:
        """What is painted of a bordered frame: the region and its margin, on the network's grid."""
        top, left = (max(0, (edge + _BORDER - MARGIN) // MULTIPLE * MULTIPLE) for edge in region[:2])
        bottom, right = (
            min(size, math.ceil((edge + _BORDER + MARGIN) / MULTIPLE) * MULTIPLE)
            for edge, size in zip(region[2:], (height, width), strict=True)
        )
        if (bottom - top) * (right - left) > _WORTH_CUTTING * height * width:
            return 0, 0, height, width
        return top, left, bottom, right


def packed(statistics: Statistics) -> Tensor:
    """(2, S, N): means and variances of all normalised channels, in order of execution."""
    return torch.stack([torch.cat([moment[i][0] for moment in statistics.moments], -1) for i in (0, 1)])


def unpacked(moments: Tensor, channels: list[int]) -> Statistics:
    """The inverse of :func:`packed`."""
    return Statistics([(part[0][None], part[1][None]) for part in torch.split(moments, channels, -1)])
