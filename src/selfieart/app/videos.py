"""Videos: opened for designing a look on their first frame, and painted as a job; and the frames of a camera."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from selfieart.app.jobs import Reporter, ResultFile
from selfieart.app.uploads import VIDEO_SECONDS
from selfieart.errors import SelfieartError
from selfieart.look import Look

if TYPE_CHECKING:
    from torch import Tensor

    from selfieart.render.studio import Studio
    from selfieart.video.frame import Frame, FramePainter
    from selfieart.video.io.source import VideoInfo

Octets = NDArray[np.uint8]

PREVIEW_SIDE = 640
_SECONDS_BETWEEN_PREVIEWS = 1.5
_PAINTING = 0.97
"""Share of a job that is painting; the rest is putting the file together."""


def look_into(path: Path) -> tuple[VideoInfo, Octets]:
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
    """What paints the frames of a clip.

    Raises:
        SelfieartError: the look or the steadiness is out of range.
    """
    from selfieart.video.painter import VideoPainter

    return VideoPainter(studio, look, steadiness=steadiness)


class Shown:
    """A painter that shows a frame now and then, and stops where a clip turns out to be too long.

    Args:
        painter: what paints.
        show: called with a JPEG.
        clock: seconds.
    """

    def __init__(self, painter: FramePainter[Any], show: Callable[[bytes], None], clock: Callable[[], float]) -> None:
        self.painter, self.show, self.clock = painter, show, clock
        self._shown_at = float("-inf")

    def start(self) -> Any:
        """The state before the first frame."""
        return self.painter.start()

    def restore(self, tensors: dict[str, Tensor]) -> Any:
        """The state that was described."""
        return self.painter.restore(tensors)

    def paint(self, frame: Frame, state: Any) -> tuple[Octets, Any]:
        """The painted frame (H, W, 3) and the next state.

        Raises:
            SelfieartError: the clip is too long.
        """
        if frame.time > VIDEO_SECONDS:
            raise _too_long()
        pixels, state = self.painter.paint(frame, state)
        if self.clock() - self._shown_at >= _SECONDS_BETWEEN_PREVIEWS:
            self.show(jpeg(pixels, PREVIEW_SIDE))
            self._shown_at = self.clock()
        return pixels, state


def paint_clip(
    studio: Studio,
    source: Path,
    out: Path,
    name: str,
    look: Look,
    steadiness: float,
    side: int | None,
    report: Reporter,
) -> ResultFile:
    """Paint a whole video; in the engine's thread.

    Args:
        studio: where.
        source: the video.
        out: the private file to write.
        name: of the download.
        look, steadiness: how.
        side: longest that the short side may be, in pixels; None keeps the size.
        report: told how far it is.

    Raises:
        SelfieartError: it cannot be read or painted.
        Cancelled: the job was cancelled.
    """
    import time

    from selfieart.video.pipeline import VideoOptions, paint_video

    painter = Shown(painter_for(studio, look, steadiness), report.preview, time.monotonic)

    def progress(stage: str, done: float) -> None:
        report.progress(stage, _PAINTING * done if stage == "paint" else _PAINTING + (1 - _PAINTING) * done)

    paint_video(source, out, painter, VideoOptions(side=side), progress)
    return ResultFile(out, name)


class LivePainter:
    """Paints the frames of a camera in the order in which they come.

    Args:
        studio: where.
        look: how.
        width: to which frames are reduced.
    """

    def __init__(self, studio: Studio, look: Look, width: int) -> None:
        self.width = width
        self._painter = painter_for(studio, look, 0.85)
        self._state = self._painter.start()
        self._index = 0

    def paint(self, encoded: bytes) -> bytes:
        """A painted JPEG of a JPEG or WebP frame.

        Raises:
            SelfieartError: the frame is none of these, or too large.
        """
        from selfieart.video.frame import Frame

        pixels = read_frame(encoded, self.width)
        frame = Frame(pixels, Fraction(self._index, 10), self._index)
        painted, self._state = self._painter.paint(frame, self._state)
        self._index += 1
        return jpeg(painted, self.width, quality=85)


LARGEST_FRAME = 2_100_000
"""Pixels of a frame from a camera."""


def read_frame(encoded: bytes, width: int) -> Octets:
    """A JPEG or WebP frame as (h, w, 3), reduced to a width.

    Raises:
        SelfieartError: it is none of these, damaged or too large.
    """
    import cv2
    from PIL import Image

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
        size = (width, max(1, round(pixels.shape[0] * width / pixels.shape[1])))
        pixels = cv2.resize(pixels, size, interpolation=cv2.INTER_AREA)
    return pixels


def jpeg(pixels: Octets, side: int, quality: int = 82) -> bytes:
    """A picture (H, W, 3) as a JPEG whose long side has at most ``side`` pixels."""
    import cv2

    scale = side / max(pixels.shape[:2])
    if scale < 1:
        size = (max(1, round(pixels.shape[1] * scale)), max(1, round(pixels.shape[0] * scale)))
        pixels = cv2.resize(pixels, size, interpolation=cv2.INTER_AREA)  # type: ignore[assignment]
    _, encoded = cv2.imencode(".jpg", np.ascontiguousarray(pixels[..., ::-1]), [cv2.IMWRITE_JPEG_QUALITY, quality])
    return encoded.tobytes()
