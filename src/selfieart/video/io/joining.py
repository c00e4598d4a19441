"""Putting a finished video together: painted pieces, and sound, subtitles and metadata of the original."""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

import av
from av.audio.stream import AudioStream
from av.container import InputContainer, OutputContainer
from av.packet import Packet
from av.stream import Stream
from av.video.stream import VideoStream

from selfieart.paths import StrPath
from selfieart.video.io.source import open_container
from selfieart.video.io.writing import Encoding

_SOUND = {".mp4": "aac", ".mov": "aac", ".mkv": "aac", ".webm": "libopus"}
_PRIVATE = ("location", "gps", "geo", "iso6709")
_OF_THE_FILE = ("major_brand", "minor_version", "compatible_brands", "encoder", "duration")
_FINEST = 10_000

if TYPE_CHECKING:
    Timed = tuple[Fraction, Packet[Any]]


@dataclass(frozen=True)
class Piece:
    """Some encoded frames.

    Attributes:
        path: a NUT file with one packet per frame, in the order of their times.
        times: of these frames, in units of the encoding's time base.
    """

    path: Path
    times: tuple[int, ...]


@dataclass(frozen=True)
class Companions:
    """Where sound, subtitles and metadata come from.

    Attributes:
        path: the original video.
        zero: time in it that is 0 in the result, in seconds.
        from_zero: keep nothing that ends before 0.
        finish: keep nothing that starts after this many seconds in the result; None keeps everything.
    """

    path: StrPath
    zero: Fraction
    from_zero: bool = False
    finish: Fraction | None = None


def join(
    pieces: Sequence[Piece],
    finish: Fraction,
    target: Path,
    suffix: str,
    encoding: Encoding,
    companions: Companions,
    progress: Callable[[float], None],
) -> list[str]:
    """Write the whole video without encoding any picture again.

    Sound is copied packet by packet where the file can hold it, and else encoded anew.

    Args:
        pieces: in their order.
        finish: when the last frame ends, in seconds.
        target: the file to write.
        suffix: which kind of file it is.
        encoding: that of the pieces.
        companions: the original.
        progress: called with the fraction done.

    Returns:
        Sentences about what could not be kept.
    """
    try:
        return _join(pieces, finish, target, suffix, encoding, companions, progress, copying=True)
    except (av.ArgumentError, av.InvalidDataError, av.PatchWelcomeError, ValueError):
        # What the file cannot hold after all shows only when its header is written.
        return _join(pieces, finish, target, suffix, encoding, companions, progress, copying=False)


def _join(
    pieces: Sequence[Piece],
    finish: Fraction,
    target: Path,
    suffix: str,
    encoding: Encoding,
    companions: Companions,
    progress: Callable[[float], None],
    copying: bool,
) -> list[str]:
    notes: list[str] = []
    with ExitStack() as stack:
        source = stack.enter_context(open_container(companions.path))
        result = stack.enter_context(av.open(str(target), "w", container_options=_options(suffix, encoding)))
        first = stack.enter_context(av.open(str(pieces[0].path)))
        pictures = result.add_stream_from_template(first.streams.video[0], opaque=True)
        pictures.time_base = encoding.time_base
        context = pictures.codec_context
        context.framerate = encoding.rate
        context.color_primaries, context.color_trc = encoding.tags.primaries, encoding.tags.transfer
        if encoding.codec.tag and suffix in (".mp4", ".mov"):
            context.codec_tag = encoding.codec.tag
        routes = _routes(source, result, suffix, companions, copying, notes)
        _copy_metadata(source, result, companions)
        result.start_encoding()
        painted = _painted(pieces, encoding, finish, pictures)
        for when, packet in heapq.merge(painted, _others(source, routes), key=lambda timed: timed[0]):
            result.mux(packet)
            if packet.stream is pictures:
                progress(min(1.0, float(when / finish)) if finish else 1.0)
    return notes


def _options(suffix: str, encoding: Encoding) -> dict[str, str]:
    # Without the names of libraries and random numbers, the same frames always give the same file.
    options = {"fflags": "+bitexact"}
    if suffix in (".mp4", ".mov"):
        scale = encoding.time_base.denominator
        while scale < _FINEST:
            scale *= 2
        options |= {"movflags": "+faststart", "video_track_timescale": str(scale)}
    return options


def _painted(pieces: Sequence[Piece], encoding: Encoding, finish: Fraction, stream: VideoStream) -> Iterator[Timed]:
    for index, piece in enumerate(pieces):
        after = pieces[index + 1].times[0] if index + 1 < len(pieces) else encoding.ticks(finish)
        with av.open(str(piece.path)) as container:
            packets = (packet for packet in container.demux(video=0) if packet.size)
            for packet, now, following in zip(packets, piece.times, (*piece.times[1:], after), strict=True):
                packet.stream, packet.time_base = stream, encoding.time_base
                packet.pts = packet.dts = now
                packet.duration = max(1, following - now)
                yield now * encoding.time_base, packet


# --- sound and subtitles -------------------------------------------------------------------------------------------


class _Copy:
    """Passes packets on as they are.

    Args:
        source: stream of the original.
        stream: of the result.
        companions: which part is kept.
        suffix: kind of file of the result.
    """

    def __init__(self, source: Stream, stream: Stream, companions: Companions, suffix: str) -> None:
        self.stream, self._kind, self._companions = stream, source.type, companions
        self._base = source.time_base or Fraction(1, av.time_base)
        self._shift = round(companions.zero / self._base)
        self._apple = suffix in (".mp4", ".mov")
        self._last: int | None = None

    def __call__(self, packet: Packet[Any] | None) -> Iterator[Timed]:
        if packet is None or packet.dts is None or not packet.size:
            return
        dts = packet.dts - self._shift
        pts = dts if packet.pts is None else packet.pts - self._shift
        lasts, finish = packet.duration or 0, self._companions.finish
        if finish is not None and pts * self._base >= finish:
            return
        if self._kind == "subtitle":
            if pts + lasts <= 0 and pts < 0:
                return
            # A line that is being shown where the part begins is shown for the rest of its time.
            lasts, pts, dts = min(lasts, pts + lasts), max(0, pts), max(0, dts)
            packet.duration = lasts
        elif self._is_before(pts, lasts):
            return
        # Damaged files repeat themselves, which no player likes.
        if self._last is not None and dts <= self._last and self._kind == "audio":
            return
        self._last = dts
        packet.pts, packet.dts, packet.stream = pts, dts, self.stream
        yield dts * self._base, packet

    def _is_before(self, start: int, lasts: int) -> bool:
        """Whether a packet of sound lies before the first picture.

        MP4 and MOV say which part is not to be heard, so what prepares the decoder may stay. Elsewhere sound before 0
        would move the pictures; where no part was cut out, a small move is better than a gap.
        """
        if self._companions.from_zero:
            return start + lasts <= 0 if self._apple else start < 0
        return not self._apple and start < 0 and 2 * start + lasts <= 0


class _Encode:
    """Decodes sound and encodes it anew."""

    def __init__(self, source: AudioStream, stream: AudioStream, companions: Companions) -> None:
        self._source, self.stream, self._companions = source, stream, companions

    def __call__(self, packet: Packet[Any] | None) -> Iterator[Timed]:
        try:
            frames = self._source.decode(packet)
        except av.FFmpegError:
            frames = []
        for frame in frames:
            if frame.pts is None or frame.time_base is None:
                continue
            frame.pts -= round(self._companions.zero / frame.time_base)
            start, finish = frame.pts * frame.time_base, self._companions.finish
            if start >= 0 and (finish is None or start < finish):
                yield from self._timed(self.stream.encode(frame))
        if packet is None:
            yield from self._timed(self.stream.encode(None))

    def _timed(self, packets: list[Packet[Any]]) -> Iterator[Timed]:
        for packet in packets:
            yield (packet.dts or 0) * packet.time_base, packet


Route = _Copy | _Encode


def _routes(
    source: InputContainer,
    result: OutputContainer,
    suffix: str,
    companions: Companions,
    copying: bool,
    notes: list[str],
) -> dict[int, Route]:
    """How each stream of the original gets into the result, by its index."""
    routes: dict[int, Route] = {}
    if suffix == ".gif":
        return routes
    for sound in source.streams.audio:
        name = sound.codec_context.name if sound.codec_context else "unknown"
        route: Route | None = None
        if copying:
            with suppress(ValueError, av.FFmpegError):
                route = _Copy(sound, result.add_stream_from_template(sound), companions, suffix)
        if route is None and sound.codec_context:
            route = _Encode(sound, _new_sound(sound, result, _SOUND[suffix]), companions)
            notes.append(f"A {suffix} file does not hold {name} sound: encoded anew as {_SOUND[suffix]}.")
        if route is None:
            notes.append("Sound in an unknown format was left out.")
            continue
        _copy_stream_metadata(sound, route.stream)
        routes[sound.index] = route
    for subtitles in source.streams.subtitles:
        try:
            if not copying:
                raise ValueError
            kept = result.add_stream_from_template(subtitles)
        except (ValueError, av.FFmpegError):
            notes.append(f"Subtitles that a {suffix} file does not hold were left out.")
            continue
        _copy_stream_metadata(subtitles, kept)
        routes[subtitles.index] = _Copy(subtitles, kept, companions, suffix)
    if suffix == ".mkv":
        # The fonts of subtitles.
        for attachment in source.streams.attachments:
            with suppress(ValueError, av.FFmpegError):
                result.add_stream_from_template(attachment)
    return routes


def _new_sound(sound: AudioStream, result: OutputContainer, encoder: str) -> AudioStream:
    rate = 48000 if encoder == "libopus" or sound.rate not in (44100, 48000, 32000, 22050, 16000) else sound.rate
    stream = result.add_stream(encoder, rate=rate)
    assert isinstance(stream, AudioStream)
    stream.layout = "mono" if sound.channels == 1 else "stereo"
    stream.bit_rate = 96_000 * (1 if sound.channels == 1 else 2)
    return stream


def _others(source: InputContainer, routes: dict[int, Route]) -> Iterator[Timed]:
    if not routes:
        return
    packets = source.demux([source.streams[index] for index in routes])
    while True:
        try:
            packet = next(packets, None)
        except av.FFmpegError:
            packet = None
        if packet is None:
            break
        if packet.size:
            yield from routes[packet.stream_index](packet)
    for route in routes.values():
        yield from route(None)


# --- metadata ------------------------------------------------------------------------------------------------------


def _copy_stream_metadata(source: Stream, stream: Stream) -> None:
    stream.metadata.update({key: source.metadata[key] for key in ("language", "title") if key in source.metadata})
    stream.disposition = source.disposition


def _copy_metadata(source: InputContainer, result: OutputContainer, companions: Companions) -> None:
    """Title, date and the like, and chapters; the place where the video was taken is left out."""
    result.metadata.update(
        {
            key: value
            for key, value in source.metadata.items()
            if key.lower() not in _OF_THE_FILE and not any(word in key.lower() for word in _PRIVATE)
        }
    )
    chapters = []
    for chapter in source.chapters():
        base = chapter["time_base"] or Fraction(1, av.time_base)
        shift = round(companions.zero / base)
        start, end = max(0, chapter["start"] - shift), chapter["end"] - shift
        if companions.finish is not None:
            end = min(end, int(companions.finish / base))
        if start < end:
            chapters.append({**chapter, "start": start, "end": end})
    result.set_chapters(chapters)  # type: ignore[arg-type]
