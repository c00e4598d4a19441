"""Feed-forward styles: the presets, and any picture, in one pass of :class:`StyleNetwork`."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping

import numpy as np

from selfieart.errors import SelfieartError, unknown
from selfieart.imaging.arrays import FloatArray
from selfieart.imaging.resize import resize
from selfieart.progress import Progress, silent
from selfieart.render.style_network import StyleNetwork
from selfieart.style_grid import MULTIPLE, RECEPTIVE_FIELD
from selfieart.stylizer import StylizeOptions

SMALLEST_SIDE = 16
BORDER = 16
"""Pixels of mirrored border painted along and cut off, so that the edge of the picture looks like its middle."""


class PresetStylizer:
    """Paint with learned style codes.

    Args:
        network: what paints.
        codes: style name -> code (D,).
        tile_area: pictures of more pixels than this are painted in tiles, with the normalisation statistics of the
            picture reduced to this area shared by all tiles, so that no seam shows.
        any_style: the code (D,) of any picture (3, H, W); without it only the presets can be painted with.
    """

    name = "presets"

    def __init__(
        self,
        network: StyleNetwork,
        codes: Mapping[str, FloatArray],
        tile_area: int = 2_000_000,
        any_style: Callable[[FloatArray], FloatArray] | None = None,
    ) -> None:
        self.network = network
        self.codes = codes
        self.tile_area = tile_area
        self.any_style = any_style

    def styles(self) -> tuple[str, ...]:
        """Names of the presets."""
        return tuple(self.codes)

    def encode(self, style: str) -> FloatArray:
        """The code (D,) of a preset.

        Raises:
            UnknownName: there is no such preset.
        """
        if style not in self.codes:
            raise unknown("style", style, self.codes, "'selfieart styles' lists them all.")
        return self.codes[style]

    def encode_picture(self, picture: FloatArray) -> FloatArray:
        """The code (D,) of any style picture (3, H, W) in [0, 1].

        Raises:
            SelfieartError: the picture is too small, or these weights hold presets only.
        """
        if self.any_style is None:
            raise SelfieartError(
                "At once, these weights paint presets only: for a picture of your own use --method gatys, or run "
                "'selfieart train style' on it first."
            )
        return self.any_style(picture)

    def stylize(
        self, content: FloatArray, style: str, options: StylizeOptions | None = None, progress: Progress = silent
    ) -> FloatArray:
        """Paint a picture (3, H, W) in [0, 1] in one style, at the picture's own resolution."""
        progress("style", 0.0)
        out = self.render(content, self.encode(style)[None], options=options)
        progress("style", 1.0)
        return out

    def render(
        self,
        content: FloatArray,
        codes: FloatArray,
        masks: FloatArray | None = None,
        options: StylizeOptions | None = None,
    ) -> FloatArray:
        """Paint with one or several styles in one pass.

        Args:
            content: (3, H, W) in [0, 1].
            codes: (S, D).
            masks: (S, H, W), the share of each style at each pixel, summing to 1 over S; needed when S > 1.
            options: seed of the strokes.

        Returns:
            (3, H, W) in [0, 1].

        Raises:
            SelfieartError: the picture has a side of fewer than 16 pixels, or several codes came without masks.
        """
        height, width = content.shape[-2:]
        if min(height, width) < SMALLEST_SIDE:
            raise SelfieartError(
                f"The picture is {width}x{height} pixels, too small to stylise: give one of at least "
                f"{SMALLEST_SIDE}x{SMALLEST_SIDE} pixels."
            )
        if len(codes) > 1 and masks is None:
            raise SelfieartError("Several styles in one pass need one mask each: give masks of shape (S, H, W).")
        picture = bordered(content)
        shares = None if masks is None or len(codes) == 1 else bordered(masks)
        seed = (options or StylizeOptions()).seed
        if picture.shape[-2] * picture.shape[-1] <= self.tile_area:
            out = self.network.paint(picture, codes, shares, seed=seed)
        else:
            out = self._tiled(picture, codes, shares, seed, self.statistics(content, codes, masks, seed))
        return out[:, BORDER : BORDER + height, BORDER : BORDER + width].clip(0, 1)

    def statistics(
        self, content: FloatArray, codes: FloatArray, masks: FloatArray | None = None, seed: int = 0
    ) -> FloatArray:
        """Normalisation statistics (2, S, N) of a picture, reduced to the area of a tile if it is larger."""
        height, width = content.shape[-2:]
        scale = min(1.0, math.sqrt(self.tile_area / (height * width)))
        size = (max(SMALLEST_SIDE, int(height * scale)), max(SMALLEST_SIDE, int(width * scale)))
        shares = None if masks is None or len(codes) == 1 else bordered(resize(masks, size))
        return self.network.record(bordered(resize(content, size)), codes, shares, seed=seed)

    def _tiled(
        self, picture: FloatArray, codes: FloatArray, masks: FloatArray | None, seed: int, statistics: FloatArray
    ) -> FloatArray:
        """Paint in tiles that overlap by the receptive field, so that the result is that of one piece."""
        height, width = picture.shape[-2:]
        inner = max(MULTIPLE, (int(math.sqrt(self.tile_area)) - 2 * RECEPTIVE_FIELD) // MULTIPLE * MULTIPLE)
        out = np.empty_like(picture)
        for top in range(0, height, inner):
            for left in range(0, width, inner):
                y0, x0 = max(0, top - RECEPTIVE_FIELD), max(0, left - RECEPTIVE_FIELD)
                y1, x1 = min(height, top + inner + RECEPTIVE_FIELD), min(width, left + inner + RECEPTIVE_FIELD)
                part = None if masks is None else masks[:, y0:y1, x0:x1]
                tile = self.network.paint(
                    picture[:, y0:y1, x0:x1], codes, part, origin=(y0, x0), statistics=statistics, seed=seed
                )
                bottom, right = min(height, top + inner), min(width, left + inner)
                out[:, top:bottom, left:right] = tile[:, top - y0 : bottom - y0, left - x0 : right - x0]
        return out


def bordered(x: FloatArray) -> FloatArray:
    """Mirror a border round (C, H, W) and fill up to multiples of 8 on the right and below."""
    height, width = x.shape[-2:]
    right, bottom = BORDER + -width % MULTIPLE, BORDER + -height % MULTIPLE
    # Mirroring reaches at most one pixel less than the picture has; tiny pictures repeat their edge instead.
    mirrors = min(height, width) > max(right, bottom)
    around = ((0, 0), (BORDER, bottom), (BORDER, right))
    return np.pad(x, around, mode="reflect") if mirrors else np.pad(x, around, mode="edge")
