"""Between the frames of a codec and pixels: colour matrix and range, orientation, shape of the samples, size."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Any, cast

import numpy as np
from av import VideoFrame
from av.video.reformatter import ColorPrimaries, ColorRange, Colorspace, ColorTrc, Interpolation, VideoReformatter
from numpy.typing import NDArray

from selfieart.video.io.hdr import is_beyond_bt709, to_bt709

_UNSPECIFIED = 2
_FILTER = Interpolation.BICUBIC | Interpolation.ACCURATE_RND | Interpolation.FULL_CHR_H_INT
_MATRICES = (1, 4, 5, 6, 7)
"""BT.709, FCC, BT.470 BG, SMPTE 170M (both BT.601) and SMPTE 240M, as ITU-T H.273 numbers them."""


@dataclass(frozen=True)
class ColorTags:
    """How a video says what its numbers mean, as ITU-T H.273 numbers it. The range is always limited (16 to 235).

    Attributes:
        matrix: of Y'CbCr.
        primaries, transfer: 2 when unspecified.
    """

    matrix: int
    primaries: int
    transfer: int


def usual_matrix(width: int, height: int) -> int:
    """The matrix of a video that names none: BT.709 for high definition, BT.601 below, as players have it."""
    return 1 if width >= 1280 or height > 576 else 6


def tags_like(frame: VideoFrame) -> ColorTags:
    """Tags for a video made from one with such frames: the same, or BT.709 where it had to be converted."""
    if is_beyond_bt709(frame.color_trc, frame.color_primaries):
        return ColorTags(1, int(ColorPrimaries.BT709), int(ColorTrc.BT709))
    known = frame.colorspace in _MATRICES
    matrix = frame.colorspace if known else usual_matrix(frame.width, frame.height)
    return ColorTags(matrix, frame.color_primaries, frame.color_trc)


@dataclass(frozen=True)
class Orientation:
    """How stored rows become an upright picture: transposed first, then mirrored.

    Attributes:
        transposed: rows become columns.
        mirrored: left and right change places.
        flipped: top and bottom change places.
    """

    transposed: bool = False
    mirrored: bool = False
    flipped: bool = False

    @property
    def degrees(self) -> int:
        """The turn alone, anticlockwise: 0, 90, 180 or 270."""
        if self.transposed:
            return 90 if self.flipped else 270
        return 180 if self.mirrored else 0

    def upright(self, pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Turn stored rows (H, W, C) upright."""
        pixels = pixels.swapaxes(0, 1) if self.transposed else pixels
        pixels = pixels[:, ::-1] if self.mirrored else pixels
        return np.ascontiguousarray(pixels[::-1] if self.flipped else pixels)


def orientation(frame: VideoFrame) -> Orientation:
    """What the display matrix of a frame asks for; odd angles count as the nearest quarter turn."""
    data: Any = frame.side_data
    stored = data.get("DISPLAYMATRIX") if data else None
    if stored is None:
        return Orientation()
    # (x, y) is shown at (a x + c y, b x + d y).
    a, b, _, c, d = np.frombuffer(bytes(stored), np.int32)[:5].tolist()
    if abs(b) + abs(c) > abs(a) + abs(d):
        return Orientation(True, c < 0, b < 0)
    return Orientation(False, a < 0, d < 0)


class ToPixels:
    """Turns decoded frames into upright sRGB pictures with square pixels, all of one size.

    Args:
        first: a frame of the video, whose size and orientation decide.
        aspect: width of a sample by its height.
        side: longest that the short side may be, in pixels; None leaves the size.

    Attributes:
        width, height: of the pictures.
        transparent: whether anything transparent was laid over white so far.
    """

    def __init__(self, first: VideoFrame, aspect: Fraction, side: int | None = None) -> None:
        self._reformatter, self._aspect, self._side = VideoReformatter(), aspect, side
        self.width, self.height = self._size(first)
        self.transparent = False

    def _size(self, frame: VideoFrame) -> tuple[int, int]:
        # The side that is too short grows, so no detail is lost.
        width = frame.width * max(Fraction(1), self._aspect)
        height = frame.height * max(Fraction(1), 1 / self._aspect)
        scale = min(Fraction(1), Fraction(self._side) / min(width, height)) if self._side else Fraction(1)
        size = max(1, round(width * scale)), max(1, round(height * scale))
        return size[::-1] if orientation(frame).transposed else size

    def __call__(self, frame: VideoFrame) -> NDArray[np.uint8]:
        """Pixels (H, W, 3) of a frame."""
        turn = orientation(frame)
        beyond = is_beyond_bt709(frame.color_trc, frame.color_primaries)
        translucent = any(component.is_alpha for component in frame.format.components)
        layout = "rgb48le" if beyond else "rgba" if translucent else "rgb24"
        stored = self._reformatter.reformat(
            frame,
            *((self.height, self.width) if turn.transposed else (self.width, self.height)),
            layout,
            src_colorspace=self._matrix(frame),
            interpolation=_FILTER,
            threads=1,
        ).to_ndarray()
        if beyond:
            deep = cast(NDArray[np.uint16], stored)
            return turn.upright(to_bt709(deep, frame.color_trc, frame.color_primaries))
        shown = cast(NDArray[np.uint8], stored)
        return turn.upright(self._over_white(shown) if translucent else shown)

    def _matrix(self, frame: VideoFrame) -> int | None:
        if frame.format.is_rgb or frame.colorspace != _UNSPECIFIED:
            return None
        return Colorspace.ITU709 if usual_matrix(frame.width, frame.height) == 1 else Colorspace.ITU601

    def _over_white(self, pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
        alpha = pixels[:, :, 3:].astype(np.uint16)
        if alpha.min() == 255:
            return pixels[:, :, :3]
        self.transparent = True
        return ((pixels[:, :, :3] * alpha + 255 * (255 - alpha) + 127) // 255).astype(np.uint8)


class ToFrame:
    """Turns sRGB pictures into frames for an encoder.

    Args:
        layout: pixel format: yuv420p, or an RGB format, which takes the pictures as they are.
        tags: of a Y'CbCr format.
    """

    def __init__(self, layout: str, tags: ColorTags) -> None:
        self._reformatter, self._layout, self._tags = VideoReformatter(), layout, tags

    def __call__(self, pixels: NDArray[np.uint8]) -> VideoFrame:
        """The frame of a picture (H, W, 3)."""
        if self._layout != "yuv420p":
            frame = VideoFrame.from_ndarray(pixels)
            return self._reformatter.reformat(frame, format=self._layout, threads=1)
        frame = self._reformatter.reformat(
            VideoFrame.from_ndarray(even(pixels)),
            format=self._layout,
            dst_colorspace=self._tags.matrix,
            dst_color_range=ColorRange.MPEG,
            interpolation=_FILTER,
            threads=1,
        )
        frame.colorspace, frame.color_range = self._tags.matrix, int(ColorRange.MPEG)
        frame.color_primaries, frame.color_trc = self._tags.primaries, self._tags.transfer
        return frame


def even(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Repeat the last row or column of a picture (H, W, 3) with odd sides: 4:2:0 has one chroma sample per 2x2.

    Padding and not cutting, because then nothing of the picture is lost, and what is added looks like its neighbour.
    """
    height, width = pixels.shape[:2]
    return np.pad(pixels, ((0, height % 2), (0, width % 2), (0, 0)), "edge") if height % 2 or width % 2 else pixels
