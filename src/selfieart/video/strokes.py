"""Paint one frame at its working resolution: only the region that is worn, all styles in one pass."""

from __future__ import annotations

import math

import cv2
import numpy as np

from selfieart.imaging.arrays import FloatArray, Pixels, as_picture
from selfieart.render.painter import LARGEST_SUPERSAMPLING
from selfieart.render.style_network import StyleNetwork
from selfieart.sizes import Size, scaled_size
from selfieart.style_grid import MULTIPLE
from selfieart.video.composition import Box

MARGIN = 64
"""Pixels painted along round a region. Strokes look at most 128 pixels far, but hardly beyond half of that."""

_BORDER = 16
_WORTH_CUTTING = 0.85


def working_size(size: Size, stroke_side: int) -> Size:
    """(h, w) at which a frame of a size (height, width) is painted, so that strokes have their size."""
    return scaled_size(size, min(LARGEST_SUPERSAMPLING, stroke_side / min(size)))


class FrameStylizer:
    """Paints frames of one clip with one set of styles.

    Args:
        network: what paints.
        codes: (S, D), one or several style codes.
        seed: of the strokes.
        alone: each style has the statistics of the whole frame painted in it alone, as if one picture were painted per
            style; else those of all styles in one pass.
    """

    def __init__(self, network: StyleNetwork, codes: FloatArray, seed: int, alone: bool) -> None:
        self.network, self.codes, self.seed = network.in_precision("fast"), codes, seed
        self.alone = alone or len(codes) == 1

    def __len__(self) -> int:
        return len(self.codes)

    def record(self, frame: Pixels, shares: FloatArray | None, style: int | None = None) -> FloatArray:
        """Statistics of a frame at its working resolution.

        Args:
            frame: (h, w, 3).
            shares: (S, h, w), summing to 1; needed unless styles are alone.
            style: only of this style.

        Returns:
            (2, S, N), or (2, 1, N) for one style: mean and variance of all normalised channels.
        """
        bordered, masks = self._bordered(frame, shares)
        picture = as_picture(bordered)
        if not self.alone:
            return self.network.record(picture, self.codes, masks, seed=self.seed)
        chosen = self.codes if style is None else self.codes[style : style + 1]
        return np.concatenate([self.network.record(picture, code[None], seed=self.seed) for code in chosen], 1)

    def paint(self, frame: Pixels, shares: FloatArray | None, moments: FloatArray, region: Box) -> FloatArray:
        """Paint a region of a frame.

        Args:
            frame: (h, w, 3) at its working resolution.
            shares: (S, h, w), summing to 1; needed for several styles.
            moments: (2, S, N) from :meth:`record`.
            region: what must be painted.

        Returns:
            (h, w, 4): colours in [0, 1], and 1 inside the region.
        """
        bordered, masks = self._bordered(frame, shares)
        top, left, bottom, right = self._cut(region, *bordered.shape[:2])
        picture = as_picture(bordered[top:bottom, left:right])
        if masks is not None:
            masks = np.ascontiguousarray(masks[:, top:bottom, left:right])
        painted = self.network.paint(picture, self.codes, masks, origin=(top, left), statistics=moments, seed=self.seed)
        out = np.zeros((*frame.shape[:2], 4), np.float32)
        inner = out[region[0] : region[2], region[1] : region[3]]
        first, before = region[0] + _BORDER - top, region[1] + _BORDER - left
        place = np.s_[first : first + inner.shape[0], before : before + inner.shape[1]]
        for channel, plane in enumerate(painted):
            np.clip(plane[place], 0, 1, out=inner[..., channel])
        inner[..., 3] = 1
        return out

    def _bordered(self, frame: Pixels, shares: FloatArray | None) -> tuple[Pixels, FloatArray | None]:
        """Frame and shares with the mirrored border that photos are painted with, filled up to multiples of 8."""
        height, width = frame.shape[:2]
        bottom, right = _BORDER + -height % MULTIPLE, _BORDER + -width % MULTIPLE
        # Mirroring reaches at most one pixel less than the picture has; tiny pictures repeat their edge instead.
        how = cv2.BORDER_REFLECT_101 if min(height, width) > max(bottom, right) else cv2.BORDER_REPLICATE
        picture = cv2.copyMakeBorder(frame, _BORDER, bottom, _BORDER, right, how)
        if shares is None or len(self.codes) == 1:
            return picture, None  # type: ignore[return-value]
        planes = [cv2.copyMakeBorder(plane, _BORDER, bottom, _BORDER, right, how) for plane in shares]
        return picture, np.stack(planes)  # type: ignore[return-value]

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
