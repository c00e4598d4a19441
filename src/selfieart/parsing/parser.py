"""Photo -> :class:`Parsing`: the whole frame, then every face again on an upright crop, fused."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Protocol, Self

import cv2
import numpy as np

from selfieart.engine import Network, Precision
from selfieart.errors import SelfieartError
from selfieart.imaging.arrays import FloatArray
from selfieart.imaging.resize import resize
from selfieart.masks import soft_masks
from selfieart.parsing.choice import Faces, check_faces
from selfieart.parsing.cleanup import features_in_faces, without_heads, without_islands
from selfieart.parsing.faces import Face, apart, find_faces, measured_on_crop
from selfieart.parsing.fusion import fused
from selfieart.parsing.parsing import Parsing
from selfieart.parsing.tracking import followed
from selfieart.segments import MIRRORED
from selfieart.sizes import scaled_size, size_within

SMALLEST_SIDE = 8

MOST_FROM_NEAR = 6
"""Of the faces too small for the whole frame so many are looked at: leaves and stones look like many."""


class Parser(Protocol):
    """Anything that finds the 19 segments of :data:`selfieart.segments.SEGMENTS`."""

    name: str

    def parse(self, picture: FloatArray, faces: Faces = "all") -> Parsing:
        """Parse a picture (3, H, W) in [0, 1]."""
        ...


@dataclass(frozen=True)
class InputContract:
    """How a network wants its input: the manifest states it, and nobody else normalises."""

    mean: tuple[float, float, float]
    std: tuple[float, float, float]
    multiple: int

    def normalised(self, picture: FloatArray) -> FloatArray:
        """(3, H, W) in [0, 1] -> (1, 3, H, W) as the network wants it."""
        mean, std = (np.array(values, np.float32)[:, None, None] for values in (self.mean, self.std))
        return ((picture - mean) / std)[None]


class FaceParser:
    """A segmentation network used twice: on the whole frame, then on an upright crop of every face found.

    Args:
        network: image (1, 3, H, W) -> logits (1, 19, H/n, W/n).
        contract: the network's input contract.
        name: name in the registry.
        frame_side: short side of the whole frame, in pixels; its long side is at most twice that.
        crop_side: side of a face's crop, in pixels.
        canvas_side: long side of the fused logits, in pixels, unless the picture is smaller.
        both_ways: look at each face of a photo in the mirror too.
        sure: mean probability of the likeliest class above which something that looks like a face, seen on its own
            crop, is one.
    """

    def __init__(
        self,
        network: Network,
        contract: InputContract,
        name: str,
        frame_side: int = 320,
        crop_side: int = 448,
        canvas_side: int = 768,
        both_ways: bool = True,
        sure: float = 0.78,
    ) -> None:
        self.sure = sure
        self.network, self.contract, self.name, self.both_ways = network, contract, name, both_ways
        self.frame_side, self.crop_side, self.canvas_side = frame_side, crop_side, canvas_side

    def in_precision(self, precision: Precision) -> Self:
        """The same parser with its network's arithmetic in another precision; itself when it has it already."""
        if precision == self.network.precision:
            return self
        twin = copy.copy(self)
        twin.network = self.network.in_precision(precision)
        return twin

    def parse(self, picture: FloatArray, faces: Faces = "all") -> Parsing:
        """Parse a picture.

        Args:
            picture: (3, H, W) in [0, 1], each side at least 8 pixels.
            faces: which faces keep their segments; the others become background.

        Returns:
            The parsing; without any face in the picture ``faces`` is empty and body and background are still there.

        Raises:
            SelfieartError: the picture is too small, or ``faces`` is not "all", "largest" or a positive number.
        """
        return self._parse(picture, (), faces, thorough=True)

    def parse_following(self, picture: FloatArray, tracks: Sequence[Face], faces: Faces = "all") -> Parsing:
        """Parse the next frame of a video: crops move smoothly, and a face seen before is looked for where it was.

        Args:
            picture: (3, H, W) in [0, 1], each side at least 8 pixels.
            tracks: faces of the frames before, in pixels of the picture. Faces too small for the frame are not
                looked for from near, nor faces looked at in the mirror, as :meth:`parse` does: in videos time is short.
            faces: which faces keep their segments; the others become background.

        Raises:
            SelfieartError: the picture is too small, or ``faces`` is not "all", "largest" or a positive number.
        """
        return self._parse(picture, tracks, faces, thorough=False)

    def _parse(self, picture: FloatArray, tracks: Sequence[Face], faces: Faces, thorough: bool) -> Parsing:
        limit = check_faces(faces)
        height, width = check_size(picture)
        canvas = resize(picture, size_within((height, width), self.canvas_side))
        frame = self._frame_logits(canvas)
        known = [track.scaled(canvas.shape[-1] / width) for track in tracks]
        found = self._refined_faces(canvas, frame, followed(find_faces(soft_masks(frame, 1.0)), known))
        if thorough and not found:
            found = self._refined_faces(canvas, frame, self._faces_from_near(canvas))
        if thorough and self.both_ways:
            half = np.float32(0.5)
            found = [(f, half * (logits + self._crop_logits(canvas, f, mirrored=True))) for f, logits in found]
        logits = without_islands(features_in_faces(fused(frame, found), [face for face, _ in found]))
        if limit is not None:
            logits = without_heads(logits, [face for face, _ in found[limit:]])
        kept = [face for face, _ in found[:limit]]
        return Parsing(logits, canvas, tuple(f.scaled(width / canvas.shape[-1]) for f in kept), height, width)

    def _logits(self, picture: FloatArray) -> FloatArray:
        """Logits (19, H/n, W/n) of a picture whose sides are multiples of the contract's."""
        return self.network(image=self.contract.normalised(picture))[0][0]  # type: ignore[no-any-return]

    def _frame_logits(self, canvas: FloatArray) -> FloatArray:
        """Logits (19, h, w) of the whole frame at the canvas' size."""
        height, width = canvas.shape[-2:]
        scale = min(self.frame_side / min(height, width), 2 * self.frame_side / max(height, width))
        small = resize(canvas, scaled_size((height, width), scale))
        m = self.contract.multiple
        padded = np.pad(small, ((0, 0), (0, -small.shape[-2] % m), (0, -small.shape[-1] % m)), mode="edge")
        logits = resize(self._logits(padded), (padded.shape[-2], padded.shape[-1]))
        return resize(logits[:, : small.shape[-2], : small.shape[-1]], (height, width))

    def _faces_from_near(self, canvas: FloatArray) -> list[Face]:
        """Faces too small for the whole frame, looked for in nine overlapping parts of half its size; largest first."""
        height, width = canvas.shape[-2:]
        high, wide = -(-height // 2), -(-width // 2)
        seen: list[Face] = []
        for top in (0, (height - high) // 2, height - high):
            for left in (0, (width - wide) // 2, width - wide):
                part = self._frame_logits(canvas[:, top : top + high, left : left + wide])
                for face in find_faces(soft_masks(part, 1.0), smallest=0.002):
                    seen.append(replace(face, x=face.x + left, y=face.y + top))
        kept: list[Face] = []
        for face in sorted(seen, key=lambda face: -face.area):
            if all(apart(face, other) for other in kept):
                kept.append(face)
        return kept[:MOST_FROM_NEAR]

    def _refined_faces(self, canvas: FloatArray, frame: FloatArray, faces: list[Face]) -> list[tuple[Face, FloatArray]]:
        """Each face with the logits (19, n, n) of its upright crop, measured again on that crop."""
        refined: list[tuple[Face, FloatArray]] = []
        for face in faces:
            logits = self._crop_logits(canvas, face)
            better = measured_on_crop(face, logits, self.sure)
            if better is None:
                # Clothes that look like skin draw the frame's measure down to the chest: once more round the head.
                better = measured_on_crop(face, logits, self.sure, farthest=0.6)
                if better is None:
                    continue
                face, logits = better, self._crop_logits(canvas, better)
                better = measured_on_crop(face, logits, self.sure)
                if better is None:
                    continue
            if abs(better.angle - face.angle) > 10 or not 0.8 < better.side / face.side < 1.25:
                logits, face = self._crop_logits(canvas, better), better
            if all(apart(face, other) for other, _ in refined):
                refined.append((face, logits))
        return refined

    def _crop_logits(self, canvas: FloatArray, face: Face, mirrored: bool = False) -> FloatArray:
        """Logits (19, n, n) of the upright crop of a face; if asked, those that its mirror image gives."""
        side = self.crop_side
        pixels = np.ascontiguousarray(canvas.transpose(1, 2, 0))
        # Warping down by more than 2 would alias, so the canvas is first reduced to about the crop's scale.
        factor = min(1.0, 1.5 * side / face.side)
        if factor < 0.75:
            small = cv2.resize(pixels, None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA)
            pixels, face = small, face.scaled(small.shape[1] / pixels.shape[1])  # type: ignore[assignment]
        crop = cv2.warpAffine(
            pixels, face.matrix(side), (side, side), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
        )
        picture = crop.transpose(2, 0, 1)
        if not mirrored:
            return self._logits(picture)  # type: ignore[arg-type]
        return self._logits(picture[..., ::-1])[list(MIRRORED), :, ::-1]  # type: ignore[arg-type]


def check_size(picture: FloatArray) -> tuple[int, int]:
    """Height and width of a picture (3, H, W).

    Raises:
        SelfieartError: a side has fewer than 8 pixels.
    """
    height, width = picture.shape[-2:]
    if min(height, width) < SMALLEST_SIDE:
        raise SelfieartError(
            f"The picture is {width}x{height} pixels, too small to parse: give one of at least "
            f"{SMALLEST_SIDE}x{SMALLEST_SIDE} pixels."
        )
    return height, width
