"""Photo -> :class:`Parsing`: the whole frame, then every face again on an upright crop, fused."""

from __future__ import annotations

import copy
import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Protocol, Self

import cv2
import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from selfieart.errors import SelfieartError
from selfieart.imaging.resize import resize
from selfieart.parsing.choice import Faces, check_faces
from selfieart.parsing.faces import Face, FloatArray, find_faces
from selfieart.parsing.parsing import Parsing
from selfieart.segments import GROUPS, INDEX, MIRRORED

SMALLEST_SIDE = 8

MOST_FROM_NEAR = 6
"""Of the faces too small for the whole frame so many are looked at: leaves and stones look like many."""

_OWN_TO_FACES = sorted(GROUPS["eyes"] | GROUPS["brows"] | GROUPS["lips"] | {INDEX["nose"], INDEX["mouth"]})


class Parser(Protocol):
    """Anything that finds the 19 segments of :data:`selfieart.segments.SEGMENTS`."""

    name: str

    def parse(self, picture: Tensor, faces: Faces = "all") -> Parsing:
        """Parse a picture (3, H, W) in [0, 1]."""
        ...


@dataclass(frozen=True)
class InputContract:
    """How a network wants its input: the manifest states it, and nobody else normalises."""

    mean: tuple[float, float, float]
    std: tuple[float, float, float]
    multiple: int


class FaceParser:
    """A segmentation network used twice: on the whole frame, then on an upright crop of every face found.

    Args:
        net: (B, 3, H, W) -> logits (B, 19, H/n, W/n).
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
        net: nn.Module,
        contract: InputContract,
        name: str,
        frame_side: int = 320,
        crop_side: int = 448,
        canvas_side: int = 768,
        both_ways: bool = True,
        sure: float = 0.78,
    ) -> None:
        self.sure = sure
        self.net, self.contract, self.name, self.both_ways = net, contract, name, both_ways
        self.frame_side, self.crop_side, self.canvas_side = frame_side, crop_side, canvas_side
        self._mean = torch.tensor(contract.mean)[:, None, None]
        self._std = torch.tensor(contract.std)[:, None, None]
        self._dtype = torch.float32

    def in_dtype(self, dtype: torch.dtype) -> Self:
        """The same parser with its network's arithmetic in another precision; itself when it has it already."""
        if dtype == self._dtype:
            return self
        twin = copy.copy(self)
        twin.net, twin._dtype = copy.deepcopy(self.net).to(dtype), dtype
        return twin

    def parse(self, picture: Tensor, faces: Faces = "all") -> Parsing:
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

    def parse_following(self, picture: Tensor, tracks: Sequence[Face], faces: Faces = "all") -> Parsing:
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

    def _parse(self, picture: Tensor, tracks: Sequence[Face], faces: Faces, thorough: bool) -> Parsing:
        limit = check_faces(faces)
        height, width = check_size(picture)
        scale = min(1.0, self.canvas_side / max(height, width))
        canvas = resize(picture, (max(1, round(height * scale)), max(1, round(width * scale))))
        frame = self._frame_logits(canvas)
        known = [track.scaled(canvas.shape[-1] / width) for track in tracks]
        found = self._refined_faces(canvas, frame, followed(find_faces(_probabilities(frame)), known))
        if thorough and not found:
            found = self._refined_faces(canvas, frame, self._faces_from_near(canvas))
        if thorough and self.both_ways:
            half = np.float32(0.5)
            found = [(f, half * (logits + self._crop_logits(canvas, f, mirrored=True))) for f, logits in found]
        fused = _features_in_faces(_fused(frame, found), [face for face, _ in found])
        logits = torch.from_numpy(_without_islands(fused))
        if limit is not None:
            logits = _without(logits, [face for face, _ in found[limit:]])
        kept = [face for face, _ in found[:limit]]
        return Parsing(logits, canvas, tuple(f.scaled(width / canvas.shape[-1]) for f in kept), height, width)

    def _logits(self, picture: Tensor) -> Tensor:
        """Logits (19, H/n, W/n) of a picture whose sides are multiples of the contract's."""
        with torch.inference_mode():
            x = ((picture - self._mean) / self._std)[None].to(self._dtype, memory_format=torch.channels_last)
            logits: Tensor = self.net(x)[0]
            return logits.float().contiguous()

    def _frame_logits(self, canvas: Tensor) -> FloatArray:
        """Logits (19, h, w) of the whole frame at the canvas' size."""
        height, width = canvas.shape[-2:]
        scale = min(self.frame_side / min(height, width), 2 * self.frame_side / max(height, width))
        small = resize(canvas, (max(1, round(height * scale)), max(1, round(width * scale))))
        m = self.contract.multiple
        right, bottom = -small.shape[-1] % m, -small.shape[-2] % m
        padded = F.pad(small[None], (0, right, 0, bottom), mode="replicate")[0]
        logits = self._logits(padded)
        logits = F.interpolate(logits[None], size=padded.shape[-2:], mode="bilinear", align_corners=False)[0]
        return resize(logits[:, : small.shape[-2], : small.shape[-1]], (height, width)).numpy()

    def _faces_from_near(self, canvas: Tensor) -> list[Face]:
        """Faces too small for the whole frame, looked for in nine overlapping parts of half its size; largest first."""
        height, width = canvas.shape[-2:]
        high, wide = -(-height // 2), -(-width // 2)
        seen: list[Face] = []
        for top in (0, (height - high) // 2, height - high):
            for left in (0, (width - wide) // 2, width - wide):
                part = self._frame_logits(canvas[:, top : top + high, left : left + wide])
                for face in find_faces(_probabilities(part), smallest=0.002):
                    seen.append(replace(face, x=face.x + left, y=face.y + top))
        kept: list[Face] = []
        for face in sorted(seen, key=lambda face: -face.area):
            if all(_apart(face, other) for other in kept):
                kept.append(face)
        return kept[:MOST_FROM_NEAR]

    def _refined_faces(self, canvas: Tensor, frame: FloatArray, faces: list[Face]) -> list[tuple[Face, FloatArray]]:
        """Each face with the logits (19, n, n) of its upright crop, measured again on that crop."""
        refined: list[tuple[Face, FloatArray]] = []
        for face in faces:
            logits = self._crop_logits(canvas, face)
            better = _measured_on_crop(face, logits, self.sure)
            if better is None:
                # Clothes that look like skin draw the frame's measure down to the chest: once more round the head.
                better = _measured_on_crop(face, logits, self.sure, farthest=0.6)
                if better is None:
                    continue
                face, logits = better, self._crop_logits(canvas, better)
                better = _measured_on_crop(face, logits, self.sure)
                if better is None:
                    continue
            if abs(better.angle - face.angle) > 10 or not 0.8 < better.side / face.side < 1.25:
                logits, face = self._crop_logits(canvas, better), better
            if all(_apart(face, other) for other, _ in refined):
                refined.append((face, logits))
        return refined

    def _crop_logits(self, canvas: Tensor, face: Face, mirrored: bool = False) -> FloatArray:
        """Logits (19, n, n) of the upright crop of a face; if asked, those that its mirror image gives."""
        side = self.crop_side
        pixels = canvas.permute(1, 2, 0).contiguous().numpy()
        # Warping down by more than 2 would alias, so the canvas is first reduced to about the crop's scale.
        factor = min(1.0, 1.5 * side / face.side)
        if factor < 0.75:
            small = cv2.resize(pixels, None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA)
            pixels, face = small, face.scaled(small.shape[1] / pixels.shape[1])
        crop = cv2.warpAffine(
            pixels, face.matrix(side), (side, side), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
        )
        x = torch.from_numpy(crop).permute(2, 0, 1)
        if not mirrored:
            return self._logits(x).numpy()
        return self._logits(x.flip(-1))[list(MIRRORED)].flip(-1).numpy()


def check_size(picture: Tensor) -> tuple[int, int]:
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


def followed(seen: Sequence[Face], tracks: Sequence[Face], weight: float = 0.5) -> list[Face]:
    """Faces seen in a frame, each moved towards the track it continues; tracks that nothing continues stay.

    Whether a face is still there is found out on its crop.

    Args:
        seen: largest first.
        tracks: faces of the frames before.
        weight: how much of the track is kept.

    Returns:
        Faces, largest first.
    """
    left, out = list(tracks), []
    for face in seen:
        near = [
            t for t in left
            if math.hypot(t.x - face.x, t.y - face.y) < 0.25 * face.side and 0.7 < t.side / face.side < 1.4
        ]  # fmt: skip
        if not near:
            out.append(face)
            continue
        track = min(near, key=lambda t: math.hypot(t.x - face.x, t.y - face.y))
        left.remove(track)
        turn = (track.angle - face.angle + 180) % 360 - 180
        pairs = ((face.x, track.x), (face.y, track.y), (face.side, track.side), (face.area, track.area))
        x, y, side, area = (new + weight * (old - new) for new, old in pairs)
        out.append(Face(x, y, side, (face.angle + weight * turn + 180) % 360 - 180, area))
    return sorted([*out, *left], key=lambda f: -f.area)


def _probabilities(logits: FloatArray) -> FloatArray:
    return torch.from_numpy(logits).softmax(0).numpy()


def _apart(a: Face, b: Face) -> bool:
    """Whether two faces can both be there: cheek to cheek they can, but a small one not inside a large one's head."""
    distance = math.hypot(a.x - b.x, a.y - b.y)
    if min(a.area, b.area) < 0.35 * max(a.area, b.area):
        return distance > 0.42 * max(a.side, b.side)
    return distance > 0.15 * (a.side + b.side)


def _measured_on_crop(face: Face, logits: FloatArray, sure: float, farthest: float = 0.3) -> Face | None:
    """The face measured again on its own crop; None when the closer look finds no face near the middle.

    Args:
        face: that gave the crop.
        logits: (19, n, n) of the crop.
        sure: see :class:`FaceParser`.
        farthest: from the middle, in units of n.
    """
    n = logits.shape[-1]
    inverse = cv2.invertAffineTransform(face.matrix(n))
    near = []
    for seen in find_faces(_probabilities(logits), smallest=0.02, sure=sure):
        if np.hypot(seen.x - n / 2, seen.y - n / 2) < farthest * n:
            x, y = inverse @ np.array([seen.x - 0.5, seen.y - 0.5, 1.0])
            scale = face.side / n
            angle = (face.angle + seen.angle + 180) % 360 - 180
            near.append(Face(float(x) + 0.5, float(y) + 0.5, seen.side * scale, angle, seen.area * scale**2))
    return near[0] if near else None


def _window(n: int, margin: float = 0.18) -> FloatArray:
    """(n, n) weights, 1 inside, falling smoothly to 0 at the border of a crop."""
    distance = np.minimum(np.arange(n) + 0.5, n - np.arange(n) - 0.5) / n
    ramp = 0.5 - 0.5 * np.cos(np.pi * np.clip(distance / margin, 0, 1))
    return np.outer(ramp, ramp).astype(np.float32)


def _fused(frame: FloatArray, faces: list[tuple[Face, FloatArray]]) -> FloatArray:
    """Frame logits (19, h, w) with the logits of every crop blended in; no seam, because the weights fall to 0.

    Where crops overlap they share the pixel; the frame keeps what no crop covers.
    """
    if not faces:
        return frame
    height, width = frame.shape[-2:]
    total = np.zeros((height, width), np.float32)
    mixed = np.zeros_like(frame)
    for face, logits in faces:
        rows, columns = _extent(face, height, width)
        size = (columns.stop - columns.start, rows.stop - rows.start)
        if min(size) < 1:
            continue
        shifted = replace(face, x=face.x - columns.start, y=face.y - rows.start)
        matrix = shifted.matrix(logits.shape[-1])
        weight = _placed(_window(logits.shape[-1]), matrix, size, cv2.BORDER_CONSTANT)
        total[rows, columns] += weight
        for k, plane in enumerate(logits):
            mixed[k, rows, columns] += weight * _placed(plane, matrix, size, cv2.BORDER_REPLICATE)
    out = frame.copy()
    touched = np.nonzero(total.any(1))[0], np.nonzero(total.any(0))[0]
    if len(touched[0]):
        box = np.s_[..., touched[0][0] : touched[0][-1] + 1, touched[1][0] : touched[1][-1] + 1]
        share = np.minimum(total[box], 1)
        out[box] = frame[box] * (1 - share) + mixed[box] * (share / np.maximum(total[box], 1e-6))
    return out


def _extent(face: Face, height: int, width: int) -> tuple[slice, slice]:
    """Rows and columns of the picture that the tilted crop of a face can touch."""
    half = face.side * 0.7072 + 1
    rows = slice(max(0, int(face.y - half)), max(0, min(height, int(face.y + half) + 1)))
    return rows, slice(max(0, int(face.x - half)), max(0, min(width, int(face.x + half) + 1)))


def _placed(plane: FloatArray, matrix: FloatArray, size: tuple[int, int], border: int) -> FloatArray:
    """A crop's plane (n, n) put back where the crop was cut: the inverse of the crop's matrix."""
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    return cv2.warpAffine(plane, matrix, size, flags=flags, borderMode=border)  # type: ignore[return-value]


def _features_in_faces(logits: FloatArray, faces: list[Face], reach: float = 0.4) -> FloatArray:
    """Logits in which eyes, brows, nose, mouth and lips are only where a face was found: grass has no lips.

    What is taken from them grows smoothly with the distance: with a small tau every step in the logits is seen.

    Args:
        logits: (19, h, w), changed in place.
        faces: found in the picture.
        reach: from the square of a face, in its sides, up to where features may be.
    """
    outside = np.ones(logits.shape[1:], np.float32)
    for face in faces:
        sides = zip(_extent(face, *logits.shape[1:3]), logits.shape[1:3], strict=True)
        down, across = (np.maximum(np.maximum(s.start - np.arange(n), np.arange(n) - s.stop + 1), 0) for s, n in sides)
        distance = np.hypot(down[:, None], across[None]) / (reach * face.side)
        outside = np.minimum(outside, 0.5 - 0.5 * np.cos(np.pi * np.minimum(distance, 1)))
    kept = np.delete(logits, _OWN_TO_FACES, axis=0).max(0) - 20
    for k in _OWN_TO_FACES:
        logits[k] -= np.maximum(logits[k] - kept, 0) * outside
    return logits


def _without_islands(logits: FloatArray, smallest: float = 0.04) -> FloatArray:
    """Logits in which small areas of "person" that touch no larger one count as background.

    Args:
        logits: (19, h, w), changed in place.
        smallest: least area that may stand alone, as a fraction of the largest area.
    """
    background = logits[INDEX["background"]]
    best = logits.max(0)
    count, labels, stats, _ = cv2.connectedComponentsWithStats((best > background).astype(np.uint8), connectivity=8)
    if count < 3:
        return logits
    areas = stats[:, cv2.CC_STAT_AREA]
    small = np.flatnonzero(areas[1:] < smallest * areas[1:].max()) + 1
    island = np.isin(labels, small)
    background[island] = best[island] + 2.0
    return logits


def _without(logits: Tensor, faces: list[Face]) -> Tensor:
    """Logits in which the heads of the given faces count as background."""
    if not faces:
        return logits
    height, width = logits.shape[-2:]
    covered = np.zeros((height, width), np.float32)
    for face in faces:
        matrix = replace(face, side=face.side * 1.35).matrix(128)
        covered = np.maximum(covered, _placed(_window(128), matrix, (width, height), cv2.BORDER_CONSTANT))
    plain = logits - logits.amax(0)
    background = torch.full_like(plain, -12.0)
    background[INDEX["background"]] = 0.0
    share = torch.from_numpy(covered)
    return plain * (1 - share) + background * share
