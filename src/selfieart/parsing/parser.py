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
from selfieart.parsing.faces import FARTHEST, SMALLEST_IN_FRAME, Face, apart, find_faces, measured_on_crop
from selfieart.parsing.fusion import fused
from selfieart.parsing.parsing import Parsing
from selfieart.parsing.tracking import followed
from selfieart.segments import MIRRORED
from selfieart.sizes import scaled_size, size_within

SMALLEST_SIDE = 8
"""Pictures with a shorter side are refused. Of 8 pictures of a face 32 pixels wide all showed it, at 24 pixels 4, at 16
none: nobody is lost."""

FRAME_SIDE = 320
"""Short side in pixels at which the whole frame is seen; it decides person and clothes, crops the face. IoU of the
person at 224, 320 and 448: .966, .966, .963; of the segments .626, .626, .627; 448 has twice the pixels of 320."""

LONGEST_FRAME = 2
"""Long side of the frame as it is seen, in its short sides at FRAME_SIDE: it bounds the time that panoramas take. No
picture measured was longer than 2:1, so none was seen smaller for it."""

CROP_SIDE = 448
"""Side in pixels of a face's crop. Mean IoU of eyes, brows, nose and lips at 320, 448 and 576: .733, .750, .746; 576
has 1.65 times the pixels of 448."""

CANVAS_SIDE = 768
"""Long side of the logits in pixels: memory and time grow with its square. Faces of 384 pixels read on canvases of 384,
256 and 192 had .752, .743 and .729 as the mean IoU of eyes, brows, nose and lips."""

SMALLEST_FROM_NEAR = 0.002
"""Least area of a face seen from near, as a fraction of a quarter of the picture. 0.001 to 0.004 find the same small
faces, 0.016 misses 3; in photos without people 0.001 passes 72 areas, 0.002 53, 0.004 42."""

MOST_FROM_NEAR = 6
"""Of the faces too small for the whole frame so many are looked at: leaves and stones look like many. 3 to 12 find the
same small faces, 1 misses one; of 38 photos without people 3 showed more than 6 such areas, one of them 14."""

FARTHEST_ON_CHEST = 0.6
"""The same as FARTHEST where clothes look like skin and draw the middle of the face down to the chest. A crop is 1
wide, so 0.6 is all of it but the corners. Rare: no face of 163, nor in 50 photos of clothes, needed this second
look."""

TURNED = 10
"""A face that looks more than so many degrees turned on its crop is cut out again, upright. Of 163 6 were, by up to 33;
half were within 1, 95 % within 8. IoU is the same from 5 to never."""

SAME_SIDE = (0.8, 1.25)
"""A face whose crop should be smaller or larger than this is cut out again. Of 163 5 were; 90 % were within 0.97 and
1.02. IoU is the same from 0.9 to 1.1 up to never."""

REDUCED_TO = 1.5
"""Crop sides to which a large face is reduced before it is cut out: more than 1, as a tilted crop takes it between
pixels."""

REDUCED_FROM = 0.75
"""Only where that reduces the picture by more than this: with REDUCED_TO it begins at 2 pixels to one of the crop, up
to which linear warping does not alias. On a canvas of 768 that is a crop of 896 and more, which only a face that fills
the picture has; the pictures measured were too small for it, so both rest on geometry."""


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
            crop, is one; those of the packaged networks, and how they were found, are in the registry.
    """

    def __init__(
        self,
        network: Network,
        contract: InputContract,
        name: str,
        frame_side: int = FRAME_SIDE,
        crop_side: int = CROP_SIDE,
        canvas_side: int = CANVAS_SIDE,
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
        seen = find_faces(soft_masks(frame, 1.0), SMALLEST_IN_FRAME)
        found = self._refined_faces(canvas, frame, followed(seen, known))
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
        scale = min(self.frame_side / min(height, width), LONGEST_FRAME * self.frame_side / max(height, width))
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
                for face in find_faces(soft_masks(part, 1.0), SMALLEST_FROM_NEAR):
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
            better = measured_on_crop(face, logits, self.sure, FARTHEST)
            if better is None:
                # Clothes that look like skin draw the frame's measure down to the chest: once more round the head.
                better = measured_on_crop(face, logits, self.sure, FARTHEST_ON_CHEST)
                if better is None:
                    continue
                face, logits = better, self._crop_logits(canvas, better)
                better = measured_on_crop(face, logits, self.sure, FARTHEST)
                if better is None:
                    continue
            fits = SAME_SIDE[0] < better.side / face.side < SAME_SIDE[1]
            if abs(better.angle - face.angle) > TURNED or not fits:
                logits, face = self._crop_logits(canvas, better), better
            if all(apart(face, other) for other, _ in refined):
                refined.append((face, logits))
        return refined

    def _crop_logits(self, canvas: FloatArray, face: Face, mirrored: bool = False) -> FloatArray:
        """Logits (19, n, n) of the upright crop of a face; if asked, those that its mirror image gives."""
        side = self.crop_side
        pixels = np.ascontiguousarray(canvas.transpose(1, 2, 0))
        # Warping down by more than 2 would alias, so the canvas is first reduced to about the crop's scale.
        factor = min(1.0, REDUCED_TO * side / face.side)
        if factor < REDUCED_FROM:
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
