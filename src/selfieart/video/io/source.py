"""Opening video files: what is in them, and one clear sentence for what is no video."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av
from av.container import InputContainer
from av.stream import Disposition
from av.video.stream import VideoStream

from selfieart.errors import SelfieartError, printable
from selfieart.paths import StrPath, nearest_file

_PICTURE_FORMATS = ("image2", "ico", "tty")
_PICTURE_BRANDS = ("avif", "heic", "heix", "heim", "heis", "mif1")
_FALLBACK_RATE = Fraction(25)


@dataclass(frozen=True)
class VideoInfo:
    """What a video is.

    Attributes:
        width, height: in pixels, upright, with square pixels.
        rate: frames per second on average.
        frames: how many; estimated from the duration where the file does not say; None when nothing says.
        seconds: duration; None when the file does not say.
        has_sound: whether it has any.
        rotation: anticlockwise turn of the stored frames that makes them upright: 0, 90, 180 or 270.
        codec: of the pictures, as FFmpeg names it.
        container: format of the file, as FFmpeg names it.
    """

    width: int
    height: int
    rate: Fraction
    frames: int | None
    seconds: Fraction | None
    has_sound: bool
    rotation: int
    codec: str
    container: str


@contextmanager
def open_container(path: StrPath) -> Iterator[InputContainer]:
    """Open a file of sound and pictures.

    Raises:
        SelfieartError: it is missing, unreadable, a picture, or of a kind that cannot be read.
    """
    path = Path(path)
    _check_source(path)
    try:
        # An absolute path is never taken for a URL, and a playlist may not reach for the network.
        container = av.open(
            str(path.resolve()), "r", container_options={"protocol_whitelist": "file"}, metadata_errors="replace"
        )
    except (av.FFmpegError, OSError, ValueError) as error:
        if isinstance(error, PermissionError):
            raise SelfieartError(
                f"'{path}' cannot be read for lack of permission: change its permissions or copy it."
            ) from error
        raise SelfieartError(
            f"'{path}' is damaged, cut off or no video that can be read: get a complete copy, or convert it to MP4."
        ) from error
    with container:
        kind = container.format.name
        brand = container.metadata.get("major_brand", "").strip().lower()
        if kind.endswith("_pipe") or kind in _PICTURE_FORMATS or brand in _PICTURE_BRANDS:
            raise SelfieartError(f"'{path}' is no video but a picture: use `selfieart photo`.")
        yield container


def picture_stream(container: InputContainer, path: StrPath) -> VideoStream:
    """The moving pictures of a file.

    Raises:
        SelfieartError: it has none, or in a codec that is unknown.
    """
    streams = [s for s in container.streams.video if not s.disposition & Disposition.attached_pic]
    if not streams:
        what = "only sound" if container.streams.audio else "no moving pictures"
        raise SelfieartError(f"'{path}' holds {what}: give a video.")
    best = container.streams.best("video")
    stream = next((s for s in streams if best is not None and s.index == best.index), streams[0])
    if not stream.codec_context or not stream.codec_context.width:
        raise SelfieartError(f"'{path}' is damaged or its codec is unknown: convert it to MP4 with H.264.")
    # One thread decodes a second of video in a fraction of a second, and damaged frames always come out the same.
    stream.codec_context.thread_count = 1
    return stream


def rate_of(stream: VideoStream) -> Fraction:
    """Frames per second of a stream, on average."""
    for rate in (stream.average_rate, stream.guessed_rate, stream.base_rate):
        if rate and 0 < rate <= 1000:
            return rate
    return _FALLBACK_RATE


def seconds_of(container: InputContainer, stream: VideoStream) -> Fraction | None:
    """Duration of a stream, or else of its file."""
    if stream.duration and stream.time_base:
        return stream.duration * stream.time_base
    return Fraction(container.duration, av.time_base) if container.duration else None


def _check_source(path: Path) -> None:
    try:
        exists, folder, plain = path.exists(), path.is_dir(), path.is_file()
        empty = plain and path.stat().st_size == 0
    except (OSError, ValueError) as error:
        raise SelfieartError(f"'{printable(str(path), 200)}' cannot be read: check the path.") from error
    if not exists:
        raise SelfieartError(f"'{path}' does not exist: {nearest_file(path)}")
    if folder:
        raise SelfieartError(f"'{path}' is a folder: name a video inside it.")
    if not plain:
        raise SelfieartError(f"'{path}' is a device or a pipe: save the video as a file and name that file.")
    if empty:
        raise SelfieartError(f"'{path}' is empty, 0 bytes: copy or download it again.")
