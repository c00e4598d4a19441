"""What parsing a picture gives: logits, and everything that can be read from them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from selfieart.errors import SelfieartError
from selfieart.imaging.arrays import FloatArray, Pixels, as_picture
from selfieart.imaging.guided import GuidedUpsampler
from selfieart.imaging.resize import resize, resize_rows
from selfieart.imaging.strips import in_parallel, strips_of
from selfieart.masks import likeliest, soft_masks
from selfieart.parsing.faces import Face
from selfieart.segments import NAMES, members

EDGE_RADIUS = 3
"""Pixels of the logits round each that edges are fitted to. Mean IoU of eyes, brows, nose and lips at 1, 3 and 6: .755,
.754, .737; of the person .966, .967, .968: wide windows suit bodies and lose what is small."""

EDGE_EPS = 2e-3
"""Variance of the picture below which it has no edge to snap to. IoU is the same within .0005 from 5e-4 to 8e-3."""


@dataclass(frozen=True)
class Parsing:
    """Segments of one picture.

    Attributes:
        logits: (K, h, w) float32, at the resolution of parsing.
        guide: (3, h, w) in [0, 1], the picture at that resolution, to which edges are snapped.
        faces: faces found, largest first, in pixels of the full picture.
        height, width: of the full picture.
    """

    logits: FloatArray
    guide: FloatArray
    faces: tuple[Face, ...]
    height: int
    width: int

    @cached_property
    def _upsampler(self) -> GuidedUpsampler:
        return GuidedUpsampler(self.guide, self.logits, EDGE_RADIUS, EDGE_EPS)

    def prepare(self) -> None:
        """Work out now, on all threads, what :meth:`logits_rows` needs; else its first call does."""
        _ = self._upsampler

    def logits_rows(self, picture: FloatArray, top: int, bottom: int) -> FloatArray:
        """Logits of some rows at full resolution, with edges snapped to the picture's.

        Args:
            picture: (3, bottom - top, width) in [0, 1], those rows of the full picture.
            top, bottom: which rows.

        Returns:
            (K, bottom - top, width).
        """
        return self._upsampler.rows(picture, top, bottom, self.height)

    def at_size(self, height: int, width: int) -> Parsing:
        """The same parsing for a larger or smaller copy of the picture."""
        faces = tuple(face.scaled(width / self.width) for face in self.faces)
        return replace(self, faces=faces, height=height, width=width)

    def corrected(self, bias: Mapping[str, FloatArray]) -> Parsing:
        """The parsing as a person corrected it: logits that were painted on are raised or lowered.

        Args:
            bias: segment -> (a, b) of any size, what is added to the logits of that segment.

        Raises:
            UnknownName: there is no such segment.
            SelfieartError: a name is a group's, or a bias is no picture of finite numbers.
        """
        logits = self.logits.copy()
        size = (logits.shape[-2], logits.shape[-1])
        for name, added in bias.items():
            classes = members(name)
            if len(classes) != 1:
                raise SelfieartError(f"A correction needs one segment, and '{name}' is a group: choose from {NAMES}.")
            if added.ndim != 2 or not added.size or not bool(np.isfinite(added).all()):
                raise SelfieartError(f"The correction of '{name}' must be (height, width) of finite numbers.")
            logits[next(iter(classes))] += resize(np.asarray(added, np.float32)[None], size)[0]
        return replace(self, logits=logits)

    def masks(self, tau: float = 3.0, size: tuple[int, int] | None = None) -> FloatArray:
        """Soft masks (eq. 9) at any size, from bilinearly resized logits.

        Args:
            tau: softness; inf gives binary masks.
            size: (H, W); the resolution of parsing when left out.

        Returns:
            (K, H, W), summing to 1 over K.

        Raises:
            SelfieartError: a side of the size is no positive number.
        """
        if size is not None and min(size) < 1:
            raise SelfieartError(f"Masks need a size of at least one pixel a side, not {size[1]}x{size[0]}.")
        height, width = size or (self.logits.shape[-2], self.logits.shape[-1])
        return soft_masks(resize_rows(self.logits, height, width, 0, height), tau)

    def labels(self, pixels: Pixels) -> NDArray[np.uint8]:
        """Most likely class at each pixel of the full picture.

        Args:
            pixels: (H, W, 3) uint8, the picture that was parsed.

        Returns:
            (H, W) uint8, indices of :data:`selfieart.segments.SEGMENTS`.

        Raises:
            SelfieartError: the picture has another size than the one that was parsed.
        """
        if pixels.shape[:2] != (self.height, self.width):
            raise SelfieartError(
                f"The picture is {pixels.shape[1]}x{pixels.shape[0]} but {self.width}x{self.height} was parsed: "
                "give the picture that was parsed."
            )
        out = np.empty(pixels.shape[:2], np.uint8)

        def work(top: int, bottom: int) -> None:
            out[top:bottom] = likeliest(self.logits_rows(as_picture(pixels[top:bottom]), top, bottom))

        self.prepare()
        in_parallel(work, strips_of(self.height, self.width, self.logits.shape[0]))
        return out
