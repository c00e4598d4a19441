"""Reading the frames of a video: in order, upright, each with its time."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import closing
from fractions import Fraction

import av
from av import VideoFrame
from av.container import InputContainer
from av.video.stream import VideoStream

from selfieart.errors import SelfieartError
from selfieart.paths import StrPath
from selfieart.video.frame import Frame
from selfieart.video.io.colors import ToPixels, orientation, tags_like
from selfieart.video.io.hdr import is_beyond_bt709
from selfieart.video.io.source import VideoInfo, open_container, picture_stream, rate_of, seconds_of

LARGEST_FRAME = 8192 * 8192
"""Pixels of the largest frame that is read."""

_LONGEST_LAST = Fraction(10)
"""A last frame that claims to be shown for longer than these seconds is not believed."""


class Clip:
    """A video, or a part of one, as a source of frames. It holds no file open between calls.

    Times count from the first sound or picture of the file, and from the first frame kept if ``start`` is given.

    Args:
        path: the file.
        start: leave out frames before this many seconds.
        end: leave out frames at and after this many seconds.
        side: longest that the short side of the frames may be, in pixels; nothing is enlarged.

    Attributes:
        info: what the whole video is.
        width, height: of the frames.
        tags: colour tags that suit a video made from these frames.
        time_base: unit of time of the file, in seconds; all times are multiples of it.
        zero: the time in the file that counts as 0, in seconds.
        begins: the same, counted from the first sound or picture of the file.
        frames: about how many frames :meth:`read` gives; None when nothing says.
        finish: when the last frame read so far ends, in seconds.

    Raises:
        SelfieartError: it cannot be read, or has no frames there.
    """

    def __init__(
        self, path: StrPath, start: Fraction | None = None, end: Fraction | None = None, side: int | None = None
    ) -> None:
        self.path, self.start, self.end = path, start, end
        self.finish, self._lost, self._damaged, self._cut_off = Fraction(0), 0, 0, False
        with open_container(path) as container:
            stream = picture_stream(container, path)
            self.time_base = stream.time_base or Fraction(1, 90000)
            begins = Fraction(max(0, container.start_time or 0), av.time_base)
            self._origin = round(begins / self.time_base) * self.time_base
            self._rate, self._seconds = rate_of(stream), seconds_of(container, stream)
            self._aspect = stream.sample_aspect_ratio or Fraction(1)
            first = self._first_frame()
            self._converter = ToPixels(first, self._aspect, side)
            self.width, self.height, self.tags = self._converter.width, self._converter.height, tags_like(first)
            self.info = self._describe(container, stream, first)
        self._beyond, self._interlaced = is_beyond_bt709(first.color_trc, first.color_primaries), first.interlaced_frame
        self.frames = self.info.frames
        if self._seconds and (start or end is not None):
            last = self._seconds if end is None else min(self._seconds, end)
            self.frames = max(1, round((last - (start or 0)) * self._rate))

    def _first_frame(self) -> VideoFrame:
        """The first frame kept: it decides about size, colours and time."""
        with closing(self._kept()) as kept:
            frame, time, _ = next(kept, (None, Fraction(0), Fraction(0)))
        if frame is None:
            if self.start or self.end is not None:
                lasts = f"it lasts {float(self._seconds):.2f} seconds" if self._seconds else "it is shorter"
                raise SelfieartError(f"'{self.path}' has no frames between the given start and end: {lasts}.")
            raise SelfieartError(f"'{self.path}' is damaged: none of its frames can be read, so get a complete copy.")
        if frame.width * frame.height > LARGEST_FRAME:
            raise SelfieartError(
                f"'{self.path}' has frames of {frame.width} x {frame.height} pixels, which is too large: "
                "scale it down first."
            )
        if time < 0:
            # Pictures before the beginning of the file would be lost.
            self._origin += time
        self.begins = time if self.start else Fraction(0)
        self.zero = self._origin + self.begins
        return frame

    def _describe(self, container: InputContainer, stream: VideoStream, first: VideoFrame) -> VideoInfo:
        whole = ToPixels(first, self._aspect)
        return VideoInfo(
            width=whole.width,
            height=whole.height,
            rate=self._rate,
            frames=stream.frames or (round(self._seconds * self._rate) if self._seconds else None),
            seconds=self._seconds,
            has_sound=bool(container.streams.audio),
            rotation=orientation(first).degrees,
            codec=stream.codec_context.name,
            container=container.format.name,
        )

    @property
    def notes(self) -> tuple[str, ...]:
        """Sentences about what was changed, concealed or left out so far."""
        notes = []
        if self._beyond:
            notes.append("The video has more brightness or colours than an ordinary screen: converted to BT.709.")
        if self._interlaced:
            notes.append("The video is interlaced: moving edges may look like combs.")
        if self._converter.transparent:
            notes.append("Transparent parts were laid over white.")
        if self._damaged:
            notes.append(f"{_count(self._damaged, 'damaged frame')} had to be guessed in part.")
        if self._lost:
            notes.append(f"{_count(self._lost, 'damaged piece')} of the video could not be read.")
        if self._cut_off:
            notes.append(f"The file is damaged after {float(self.finish):.2f} seconds: what follows is lost.")
        return tuple(notes)

    def read(self, skip: int = 0) -> Generator[Frame]:
        """The frames from the beginning. One call at a time.

        Args:
            skip: leave out this many frames at the beginning; indices and times stay.
        """
        for index, (frame, time, finish) in enumerate(self._kept()):
            self.finish = finish - self.begins
            self._damaged += frame.is_corrupt
            if index >= skip:
                yield Frame(self._converter(frame), time - self.begins, index)

    def _kept(self) -> Generator[tuple[VideoFrame, Fraction, Fraction]]:
        """(frame, when it starts, when it ends) between start and end, in seconds from the origin."""
        self._lost, self._damaged, self._cut_off = 0, 0, False
        held: tuple[VideoFrame, Fraction] | None = None
        with closing(self._timed()) as timed:
            for frame, time in timed:
                if self.start is not None and time < self.start:
                    continue
                if self.end is not None and time >= self.end:
                    break
                if held:
                    yield *held, time
                held = frame, time
        if held:
            frame, time = held
            lasts = (frame.duration or 0) * (frame.time_base or self.time_base)
            finish = time + (lasts if 0 < lasts <= _LONGEST_LAST else 1 / self._rate)
            yield frame, time, finish if self.end is None else min(finish, self.end)

    def _timed(self) -> Generator[tuple[VideoFrame, Fraction]]:
        """Frames with their times; those long before the start are skipped where the file can be searched."""
        if self.start:
            with closing(self._stamped(self.start)) as found:
                first = next(found, None)
                # Some files can only be searched roughly: then nothing proves that no frame was missed.
                if first and first[1] <= self.start:
                    yield first
                    yield from found
                    return
        yield from self._stamped()

    def _stamped(self, near: Fraction | None = None) -> Generator[tuple[VideoFrame, Fraction]]:
        """Frames with times that always grow, whatever the file says; from a key frame near a time on."""
        last: Fraction | None = None
        with closing(self._decoded(near)) as decoded:
            for frame in decoded:
                time = None if frame.pts is None else frame.pts * (frame.time_base or self.time_base) - self._origin
                if time is None and last is None and near is not None:
                    return
                if time is None or (last is not None and time <= last):
                    time = Fraction(0) if last is None else last + 1 / self._rate
                last = time
                yield frame, time

    def _decoded(self, near: Fraction | None) -> Generator[VideoFrame]:
        with open_container(self.path) as container:
            stream = picture_stream(container, self.path)
            if near is not None:
                try:
                    container.seek(int((self._origin + near) * av.time_base))
                except av.FFmpegError:
                    return
            packets = container.demux(stream)
            while True:
                try:
                    packet = next(packets, None)
                except av.FFmpegError:
                    # The end of what can be read; the decoder may still hold frames.
                    self._cut_off, packet = True, None
                try:
                    yield from stream.decode(packet)
                except av.EOFError:
                    return
                except av.FFmpegError:
                    self._lost += 1
                if packet is None:
                    return


def probe(path: StrPath) -> VideoInfo:
    """What a video is; decodes one frame.

    Raises:
        SelfieartError: it cannot be read.
    """
    return Clip(path).info


def read_first_frame(path: StrPath, start: Fraction | None = None, side: int | None = None) -> Frame:
    """The first frame of a video, or the first at or after a time.

    Args:
        path: the file.
        start: in seconds.
        side: longest that its short side may be, in pixels.

    Raises:
        SelfieartError: it cannot be read, or has no frame there.
    """
    with closing(Clip(path, start, None, side).read()) as frames:
        return next(frames)


def read_frames(
    path: StrPath, start: Fraction | None = None, end: Fraction | None = None, side: int | None = None
) -> Generator[Frame]:
    """The frames of a video, decoded one at a time; see :class:`Clip`.

    Raises:
        SelfieartError: it cannot be read, or has no frames there.
    """
    yield from Clip(path, start, end, side).read()


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"
