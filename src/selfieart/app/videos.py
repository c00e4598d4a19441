"""Videos: opened for designing a look on their first frame, and painted as a job; and the frames of a camera."""

from __future__ import annotations

import time
from collections.abc import Callable
from fractions import Fraction
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any, Generic

import cv2
import numpy as np
from PIL import Image

from selfieart.app.jobs import Reporter, ResultFile
from selfieart.app.requests import LiveRequest, VideoJobRequest
from selfieart.app.uploads import VIDEO_SECONDS
from selfieart.errors import SelfieartError
from selfieart.imaging.arrays import Pixels
from selfieart.imaging.resize import resize_pixels
from selfieart.look import Look
from selfieart.sizes import scaled_size, size_within
from selfieart.video.choice import STEADINESS
from selfieart.video.frame import Frame, FramePainter, State

if TYPE_CHECKING:
    # The codecs are loaded when a video comes.
    from selfieart.render.studio import Studio
    from selfieart.video.io.source import VideoInfo

PREVIEW_SIDE = 640
LARGEST_FRAME = 2_100_000
"""Pixels of a frame from a camera."""

_SECONDS_BETWEEN_PREVIEWS = 1.5
_PAINTING = 0.97
"""Share of a job that is painting; the rest is putting the file together."""


def read_start(path: Path) -> tuple[VideoInfo, Pixels]:
    """What a video is, and its first frame (H, W, 3).

    Raises:
        SelfieartError: it cannot be read, or is too long.
    """
    from selfieart.video.io.reading import probe, read_first_frame

    info = probe(path)
    if info.seconds is not None and info.seconds > VIDEO_SECONDS:
        raise _too_long()
    return info, read_first_frame(path).pixels


def _too_long() -> SelfieartError:
    return SelfieartError(f"The video is longer than {VIDEO_SECONDS // 60} minutes: cut it first.")


def painter_for(studio: Studio, look: Look, steadiness: float) -> FramePainter[Any]:
    """What paints the frames of a video.

    Raises:
        SelfieartError: the look or the steadiness is out of range.
    """
    from selfieart.video.painter import VideoPainter

    return VideoPainter(studio, look, steadiness=steadiness)


class PreviewingPainter(Generic[State]):
    """A painter that shows a frame now and then, and stops where a video turns out to be too long.

    Args:
        painter: what paints.
        show: called with a JPEG.
        clock: seconds.
    """

    def __init__(self, painter: FramePainter[State], show: Callable[[bytes], None], clock: Callable[[], float]) -> None:
        self.painter, self.show, self.clock = painter, show, clock
        self._shown_at = float("-inf")

    def start(self) -> State:
        """The state before the first frame."""
        return self.painter.start()

    def restore(self, described: Any) -> State:
        """The state that was described."""
        return self.painter.restore(described)

    def paint(self, frame: Frame, state: State) -> tuple[Pixels, State]:
        """The painted frame (H, W, 3) and the next state.

        Raises:
            SelfieartError: the video is too long.
        """
        if frame.time > VIDEO_SECONDS:
            raise _too_long()
        pixels, state = self.painter.paint(frame, state)
        if self.clock() - self._shown_at >= _SECONDS_BETWEEN_PREVIEWS:
            self.show(jpeg(pixels, PREVIEW_SIDE))
            self._shown_at = self.clock()
        return pixels, state


def make_video(
    studio: Studio, source: Path, made: ResultFile, request: VideoJobRequest, report: Reporter
) -> ResultFile:
    """Paint a whole video; in the worker's thread.

    Args:
        studio: where.
        source: the video.
        made: the private file to write.
        request: how.
        report: told how far it is.

    Raises:
        SelfieartError: it cannot be read or painted.
        Cancelled: the job was cancelled.
    """
    from selfieart.video.pipeline import VideoOptions, paint_video

    painter = painter_for(studio, request.look, request.steadiness)
    previewing = PreviewingPainter(painter, report.preview, time.monotonic)

    def progress(stage: str, done: float) -> None:
        report.progress(stage, _PAINTING * done if stage == "paint" else _PAINTING + (1 - _PAINTING) * done)

    paint_video(source, made.path, previewing, VideoOptions(side=request.side), progress)
    return made


class LivePainter:
    """Paints the frames of a camera in the order in which they come.

    Args:
        studio: where.
        request: how.
    """

    def __init__(self, studio: Studio, request: LiveRequest) -> None:
        self._width = request.width
        self._painter = painter_for(studio, request.look, STEADINESS)
        self._state = self._painter.start()
        self._index = 0

    def paint(self, encoded: bytes) -> bytes:
        """A painted JPEG of a JPEG or WebP frame.

        Raises:
            SelfieartError: the frame is none of these, or too large.
        """
        pixels = read_frame(encoded, self._width)
        frame = Frame(pixels, Fraction(self._index, 10), self._index)
        painted, self._state = self._painter.paint(frame, self._state)
        self._index += 1
        return jpeg(painted, self._width, quality=85)


def read_frame(encoded: bytes, width: int) -> Pixels:
    """A JPEG or WebP frame as (h, w, 3), reduced to a width.

    Raises:
        SelfieartError: it is none of these, damaged or too large.
    """
    try:
        with Image.open(BytesIO(encoded), formats=("JPEG", "WEBP")) as image:
            if image.width * image.height > LARGEST_FRAME:
                raise SelfieartError("The frame from the camera is too large: send at most 1920x1080 pixels.")
            pixels = np.array(image.convert("RGB"))
    except SelfieartError:
        raise
    except Exception as error:
        # Decoders answer damaged bytes with nearly every exception there is.
        raise SelfieartError("A frame from the camera cannot be read: send JPEG or WebP pictures.") from error
    if pixels.shape[1] > width:
        return resize_pixels(pixels, scaled_size(pixels.shape[:2], width / pixels.shape[1]))
    return pixels


def jpeg(pixels: Pixels, side: int, quality: int = 82) -> bytes:
    """A picture (H, W, 3) as a JPEG whose long side has at most ``side`` pixels."""
    pixels = resize_pixels(pixels, size_within(pixels.shape[:2], side))
    _, encoded = cv2.imencode(".jpg", np.ascontiguousarray(pixels[..., ::-1]), [cv2.IMWRITE_JPEG_QUALITY, quality])
    return encoded.tobytes()
