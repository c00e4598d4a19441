"""Encoding frames into pieces: which codec goes into which file, and how."""

from __future__ import annotations

import os
from contextlib import suppress
from dataclasses import dataclass
from difflib import get_close_matches
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from av.video.reformatter import ColorRange
from numpy.typing import NDArray

from selfieart.errors import SelfieartError, printable, unknown
from selfieart.video.io.colors import ColorTags, ToFrame

# SVT-AV1 prints on standard error unless told not to, and has no option for it.
os.environ.setdefault("SVT_LOG", "1")


@dataclass(frozen=True)
class Codec:
    """A way to encode pictures.

    Attributes:
        encoder: FFmpeg's name.
        layout: pixel format.
        options: of the encoder. Presets cost about a tenth of painting; one thread, so that the result is always the
            same and painting keeps the cores; no B-frames, so that packets lie in the order of their times, whatever
            these are (8 % more bytes).
        crf: usual quality and the worst; None for a codec without losses.
        tag: what Apple's players want to see in MP4 and MOV.
    """

    encoder: str
    layout: str = "yuv420p"
    options: tuple[tuple[str, str], ...] = ()
    crf: tuple[int, int] | None = None
    tag: str | None = None


CODECS = {
    # Macroblock trees read memory that was never written (with AVX-512), so that no two runs would be the same.
    "h264": Codec(
        "libx264", options=(("preset", "veryfast"), ("bf", "0"), ("mbtree", "0"), ("rc-lookahead", "0")), crf=(18, 51)
    ),
    "h265": Codec(
        "libx265",
        options=(
            ("preset", "ultrafast"),
            ("x265-params", "bframes=0:cutree=0:log-level=none:pools=none:frame-threads=1"),
        ),
        crf=(20, 51),
        tag="hvc1",
    ),
    "vp9": Codec(
        "libvpx-vp9",
        options=(("deadline", "realtime"), ("cpu-used", "6"), ("lag-in-frames", "0"), ("b", "0")),
        crf=(26, 63),
    ),
    "av1": Codec("libsvtav1", options=(("preset", "9"), ("svtav1-params", "lp=1")), crf=(28, 63)),
    "ffv1": Codec("ffv1", "bgr0"),
    "gif": Codec("gif", "pal8"),
}
"""By the names that a person uses."""

CONTAINERS = {
    ".mp4": ("h264", "h265", "vp9", "av1"),
    ".mov": ("h264", "h265"),
    ".mkv": ("h264", "h265", "vp9", "av1", "ffv1"),
    ".webm": ("vp9", "av1"),
    ".gif": ("gif",),
}
"""Suffix of a file -> codecs that it may hold, the usual one first."""


def video_format(path: Path) -> str:
    """The suffix of a video file, in lower case.

    Raises:
        SelfieartError: videos are not written into files with this suffix.
    """
    suffix = path.suffix.lower()
    if suffix in CONTAINERS:
        return suffix
    near = get_close_matches(suffix, CONTAINERS, n=1)
    what = f"has the unknown suffix '{printable(path.suffix)}'" if suffix else "has no suffix"
    hint = f" (did you mean '{near[0]}'?)" if near else ""
    raise SelfieartError(f"'{path}' {what}{hint}: use one of {', '.join(CONTAINERS)}.")


def choose_codec(suffix: str, name: str | None, crf: int | None) -> tuple[Codec, int | None]:
    """The codec and its crf for a file.

    Args:
        suffix: of the file.
        name: what a person asked for; None for the usual one.
        crf: quality that a person asked for; None for the usual one.

    Raises:
        UnknownName: there is no such codec.
        SelfieartError: the file cannot hold the codec, or the quality is out of range.
    """
    allowed = CONTAINERS[suffix]
    key = allowed[0] if name is None else {"hevc": "h265", "avc": "h264"}.get(name.lower(), name.lower())
    if key not in CODECS:
        raise unknown("codec", name or "", CODECS)
    if key not in allowed:
        homes = " or ".join(home for home, codecs in CONTAINERS.items() if key in codecs)
        raise SelfieartError(
            f"A {suffix} file does not hold {key}: write a {homes} file, or use {' or '.join(allowed)}."
        )
    codec = CODECS[key]
    if codec.crf is None:
        if crf is not None:
            raise SelfieartError(f"The codec {key} has no quality to choose: leave out the crf.")
        return codec, None
    usual, worst = codec.crf
    if crf is not None and not 0 <= crf <= worst:
        raise SelfieartError(
            f"The crf of {key} is a whole number from 0 (best) to {worst}, not {crf}: {usual} is usual."
        )
    return codec, usual if crf is None else crf


@dataclass(frozen=True)
class Encoding:
    """All that an encoder must know.

    Attributes:
        codec: how.
        crf: quality; None for a codec that has none.
        width, height: of the pictures, which may be odd.
        rate: frames per second on average.
        time_base: unit of time in seconds.
        tags: of the colours.
    """

    codec: Codec
    crf: int | None
    width: int
    height: int
    rate: Fraction
    time_base: Fraction
    tags: ColorTags

    def ticks(self, time: Fraction) -> int:
        """A time in seconds as a number of units."""
        return round(time / self.time_base)


class PieceWriter:
    """Encodes some frames into a file of its own. Only the packets count there: the times are kept apart, exactly.

    Args:
        path: the file; NUT, which holds any codec.
        encoding: how. GIF is kept without loss, since its colours are chosen when all frames are known.

    Attributes:
        times: of the frames so far, in units of the encoding's time base.
    """

    def __init__(self, path: Path, encoding: Encoding) -> None:
        codec = CODECS["ffv1"] if encoding.codec.encoder == "gif" else encoding.codec
        self._encoding, self.times = encoding, list[int]()
        self._convert = ToFrame(codec.layout, encoding.tags)
        self._container = av.open(str(path), "w", format="nut", container_options={"fflags": "+bitexact"})
        options = dict(codec.options) | ({} if encoding.crf is None else {"crf": str(encoding.crf)})
        stream = self._container.add_stream(codec.encoder, rate=encoding.rate, options=options)
        assert isinstance(stream, av.VideoStream)
        self._stream = stream
        context = self._stream.codec_context
        padded = encoding.width % 2, encoding.height % 2
        self._stream.width, self._stream.height = encoding.width, encoding.height
        self._stream.pix_fmt = codec.layout
        if codec.layout == "yuv420p":
            self._stream.width, self._stream.height = encoding.width + padded[0], encoding.height + padded[1]
            context.colorspace, context.color_range = encoding.tags.matrix, int(ColorRange.MPEG)
            context.color_primaries, context.color_trc = encoding.tags.primaries, encoding.tags.transfer
        context.time_base, context.thread_count = encoding.time_base, 1

    def add(self, pixels: NDArray[np.uint8], ticks: int) -> None:
        """Encode a picture (H, W, 3) that is shown from a time on, in units of the time base."""
        frame = self._convert(pixels)
        frame.pts, frame.time_base = ticks, self._encoding.time_base
        self.times.append(ticks)
        self._container.mux(self._stream.encode(frame))

    def finish(self) -> None:
        """Write what the encoder still holds, and close the file."""
        self._container.mux(self._stream.encode(None))
        self._container.close()

    def abandon(self) -> None:
        """Close the file as it is; encoders want to be told that there is no more."""
        with suppress(av.FFmpegError):
            self._stream.encode(None)
        with suppress(av.FFmpegError):
            self._container.close()
