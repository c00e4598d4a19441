"""From a video file to a painted video file: read, paint, encode in pieces, put together."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
from numpy.typing import NDArray

from selfieart import __version__
from selfieart.errors import SelfieartError
from selfieart.paths import StrPath, atomic_write, check_target
from selfieart.progress import Progress, silent
from selfieart.video.frame import FramePainter, State
from selfieart.video.io.gif import write_gif
from selfieart.video.io.joining import Companions, join
from selfieart.video.io.reading import Clip
from selfieart.video.io.resume import Workplace, workplace
from selfieart.video.io.stages import Busy, read_ahead, write_behind
from selfieart.video.io.writing import Encoding, PieceWriter, choose_codec, video_format

PIECE = 120
"""Frames of a piece. What a killed run loses, and the distance of key frames."""

_DEPTH = 4
_HEAD = 1 << 20


@dataclass(frozen=True)
class VideoOptions:
    """How a video is read and written.

    Attributes:
        start, end: the part to paint, in seconds; None is the beginning, the end.
        side: longest that the short side may be, in pixels; None keeps the size.
        codec: h264, h265, vp9, av1, ffv1 or gif; None is the usual one of the file.
        crf: quality, 0 is best; None is the usual one of the codec.
        overwrite: whether an existing file may be replaced.
        resume: go on from the finished pieces of an earlier run; keep them if this run is interrupted.
        identity: what the painter is, such as its look and steadiness: a run goes on only with the same.
        piece: frames of a piece.
    """

    start: Fraction | None = None
    end: Fraction | None = None
    side: int | None = None
    codec: str | None = None
    crf: int | None = None
    overwrite: bool = False
    resume: bool = False
    identity: str = ""
    piece: int = PIECE


@dataclass(frozen=True)
class VideoReport:
    """What was done.

    Attributes:
        output: the file written.
        frames: in the whole video.
        resumed: how many of these an earlier run had finished.
        width, height: of the frames.
        duration: of the video, in seconds.
        seconds: how long each stage worked: "read", "paint" and "encode" at the same time, then "join"; "all".
        notes: sentences that a person should read.
    """

    output: Path
    frames: int
    resumed: int
    width: int
    height: int
    duration: Fraction
    seconds: Mapping[str, float]
    notes: tuple[str, ...]

    @property
    def fps(self) -> float:
        """Frames painted per second, everything included."""
        return (self.frames - self.resumed) / self.seconds["all"]


def check_video_target(source: StrPath, out: StrPath, options: VideoOptions | None = None) -> None:
    """Refuse an output that cannot be written, before any work is done.

    Raises:
        SelfieartError: it is the video itself, exists and may not be replaced, cannot be written, has a suffix that
            is no video's, or cannot hold the codec or its quality.
    """
    source, out, options = Path(source), Path(out), options or VideoOptions()
    choose_codec(video_format(out), options.codec, options.crf)
    if out.resolve() == source.resolve() or (out.exists() and source.exists() and out.samefile(source)):
        raise SelfieartError(f"The output '{out}' is the video itself: choose another name, so the video is not lost.")
    check_target(out, options.overwrite)
    if options.side is not None and options.side < 16:
        raise SelfieartError(f"The size must be at least 16 pixels, not {options.side}.")
    if options.end is not None and options.end <= (options.start or 0):
        raise SelfieartError("The end must come after the start: both count in seconds from the beginning.")


def paint_video(
    source: StrPath,
    out: StrPath,
    painter: FramePainter[State],
    options: VideoOptions | None = None,
    progress: Progress = silent,
) -> VideoReport:
    """Paint a video.

    Reading, painting and encoding overlap; painting happens in the calling thread. Nothing but the output is left,
    and that only when all went well; with ``options.resume`` an unfinished run leaves its pieces beside it.

    Args:
        source: the video.
        out: the file to write: .mp4, .mov, .mkv, .webm or .gif.
        painter: what paints the frames.
        options: what part, which size, how to encode.
        progress: told "paint" or "join" and the fraction done, once per frame; may raise Cancelled.

    Raises:
        SelfieartError: the video cannot be read, or the output cannot be written.
        Cancelled: ``progress`` asked to stop.
    """
    begin = time.perf_counter()
    out, options = Path(out), options or VideoOptions()
    check_video_target(source, out, options)
    suffix = video_format(out)
    clip = Clip(source, options.start, options.end, options.side)
    codec, crf = choose_codec(suffix, options.codec, options.crf)
    encoding = Encoding(codec, crf, clip.width, clip.height, clip.info.rate, clip.time_base, clip.tags)
    seconds = {"read": Busy(), "paint": Busy(), "encode": Busy(), "join": Busy()}
    with workplace(out, _key(clip, suffix, options), options.resume) as place:
        resumed = place.frames
        _paint(clip, encoding, painter, place, options.piece, seconds, progress)
        joining = time.perf_counter()
        notes = _put_together(clip, place, encoding, out, suffix, options, lambda done: progress("join", done))
        seconds["join"].seconds = time.perf_counter() - joining
        frames, restarted = place.frames, place.restarted
    if restarted:
        notes.append("The pieces of the earlier run were damaged, so it was started over.")
    spent = {stage: busy.seconds for stage, busy in seconds.items()} | {"all": time.perf_counter() - begin}
    notes = [*clip.notes, *notes]
    return VideoReport(out, frames, resumed, clip.width, clip.height, clip.finish, spent, tuple(notes))


@dataclass(frozen=True)
class _Painted:
    pixels: NDArray[np.uint8]
    time: Fraction
    state: dict[str, NDArray[Any]] | None
    """Given with the last frame of a piece."""


class _Encoder:
    """Encodes painted frames into one piece after the other."""

    def __init__(self, place: Workplace, encoding: Encoding) -> None:
        self._place, self._encoding, self._last = place, encoding, place.last
        self._writer: PieceWriter | None = None

    def add(self, painted: _Painted) -> None:
        if self._writer is None:
            self._writer = PieceWriter(self._place.next_path(), self._encoding)
        ticks = self._encoding.ticks(painted.time)
        self._last = ticks if self._last is None else max(ticks, self._last + 1)
        self._writer.add(painted.pixels, self._last)
        if painted.state is not None:
            self.finish(painted.state)

    def finish(self, state: dict[str, NDArray[Any]]) -> None:
        """Complete the piece that is being written, if there is one."""
        if self._writer:
            writer, self._writer = self._writer, None
            writer.finish()
            self._place.commit(writer.times, state)

    def abandon(self) -> None:
        """Close what is open."""
        if self._writer:
            self._writer.abandon()


def _paint(
    clip: Clip,
    encoding: Encoding,
    painter: FramePainter[State],
    place: Workplace,
    piece: int,
    seconds: dict[str, Busy],
    progress: Progress,
) -> None:
    done = place.frames
    state = painter.restore(place.state()) if done else painter.start()
    encoder = _Encoder(place, encoding)
    try:
        with (
            write_behind(encoder.add, _DEPTH, seconds["encode"]) as put,
            read_ahead(clip.read(skip=done), _DEPTH, seconds["read"]) as frames,
        ):
            progress("paint", _share(done, clip.frames))
            for frame in frames:
                start = time.perf_counter()
                pixels, state = painter.paint(frame, state)
                seconds["paint"].seconds += time.perf_counter() - start
                if pixels.shape != frame.pixels.shape or pixels.dtype != np.uint8:
                    raise ValueError(f"The painter made {pixels.dtype} {pixels.shape} of uint8 {frame.pixels.shape}.")
                complete = (frame.index + 1) % piece == 0
                put(_Painted(pixels, frame.time, state.tensors() if complete else None))
                progress("paint", _share(frame.index + 1, clip.frames))
        encoder.finish(state.tensors())
    except (av.FFmpegError, OSError) as error:
        reason = (getattr(error, "strerror", None) or str(error) or type(error).__name__).rstrip(".").lower()
        if isinstance(error, OSError):
            raise SelfieartError(f"The video cannot be written ({reason}): check the disk.") from error
        size = f"{encoding.width} x {encoding.height}"
        raise SelfieartError(
            f"Frames of {size} pixels cannot be encoded ({reason}): choose another codec or size."
        ) from error
    finally:
        encoder.abandon()


def _put_together(
    clip: Clip,
    place: Workplace,
    encoding: Encoding,
    out: Path,
    suffix: str,
    options: VideoOptions,
    progress: Callable[[float], None],
) -> list[str]:
    with atomic_write(out, options.overwrite) as temporary:
        if suffix == ".gif":
            notes = write_gif(place.pieces, clip.finish, temporary, encoding, progress)
            return [*notes, "A GIF holds no sound."] if clip.info.has_sound else notes
        cut = bool(clip.start) or clip.end is not None
        companions = Companions(clip.path, clip.zero, bool(clip.start), clip.finish if cut else None)
        try:
            return join(place.pieces, clip.finish, temporary, suffix, encoding, companions, progress)
        except (av.FFmpegError, ValueError) as error:
            if isinstance(error, OSError):
                raise
            raise SelfieartError(f"'{out}' cannot be put together as {suffix}: try .mkv or another codec.") from error


def _share(done: int, frames: int | None) -> float:
    return min(1.0, done / frames) if frames else 0.0


def _key(clip: Clip, suffix: str, options: VideoOptions) -> str:
    """Hash of all that decides what the pieces look like."""
    path = Path(clip.path)
    with path.open("rb") as file:
        head = hashlib.sha256(file.read(_HEAD)).hexdigest()
    status = path.stat()
    wanted = {k: str(v) for k, v in asdict(options).items() if k not in ("overwrite", "resume")}
    told = [__version__, av.__version__, head, status.st_size, status.st_mtime_ns, suffix, wanted]
    return hashlib.sha256(json.dumps(told).encode()).hexdigest()
