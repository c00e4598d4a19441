"""Small videos for tests, drawn and encoded on the spot, and painters that need no network."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av
import numpy as np

from selfieart.video.frame import Frame

RATE = 25
LUMA = {1: (0.2126, 0.0722), 5: (0.299, 0.114), 6: (0.299, 0.114), 7: (0.212, 0.087)}
"""Kr and Kb of the matrices of ITU-T H.273."""


def picture(index: int, width: int = 96, height: int = 64) -> np.ndarray:
    """A smooth picture whose brightness tells its index, with a moving square."""
    rows, columns = np.mgrid[0:height, 0:width]
    planes = [rows * 60 / height + 4 * index, columns * 60 / width + 40, np.full((height, width), 90)]
    pixels = np.stack(planes, 2).clip(0, 255).astype(np.uint8)
    left = 3 * index % max(1, width - 16)
    pixels[height // 3 : height // 3 + 12, left : left + 12] = (200, 180, 40)
    return pixels


def yuv_of(rgb: Sequence[float], matrix: int, full: bool = False) -> np.ndarray:
    """Y'CbCr codes (8 bit) of an R'G'B' colour in 0..255, by the formulas of ITU-T H.273."""
    kr, kb = LUMA[matrix]
    red, green, blue = (value / 255 for value in rgb)
    luma = kr * red + (1 - kr - kb) * green + kb * blue
    chroma = np.array([(blue - luma) / (2 - 2 * kb), (red - luma) / (2 - 2 * kr)])
    return np.array([255 * luma, *(128 + 255 * chroma)] if full else [16 + 219 * luma, *(128 + 224 * chroma)])


def planar(codes: Sequence[float], layout: str, width: int = 64, height: int = 48) -> av.VideoFrame:
    """A frame of one colour, its planes set directly."""
    frame = av.VideoFrame(width, height, layout)
    for plane, code in zip(frame.planes, codes, strict=True):
        depth = np.uint8 if plane.line_size < 2 * plane.width else np.uint16
        plane.update(np.full(plane.buffer_size // np.dtype(depth).itemsize, round(code), depth).tobytes())
    return frame


def make_clip(
    path: Path,
    frames: int | Sequence[np.ndarray | av.VideoFrame] = 12,
    *,
    times: Sequence[int] | None = None,
    time_base: Fraction = Fraction(1, 12800),
    last: int | None = None,
    codec: str = "libx264",
    layout: str = "yuv420p",
    options: dict[str, str] | None = None,
    tags: tuple[int, int, int, int] | None = None,
    turn: tuple[int, bool, bool] | None = None,
    aspect: Fraction | None = None,
    sound: str | None = None,
    metadata: dict[str, str] | None = None,
) -> Path:
    """Write a video.

    Args:
        path: the file.
        frames: how many drawn pictures, or the pictures.
        times: of the frames in units of time_base; 25 per second when left out.
        last: how long the last frame is shown, in units of time_base.
        tags: (matrix, range, primaries, transfer).
        turn: (anticlockwise degrees, mirrored, flipped) of the display matrix.
        aspect: shape of the samples.
        sound: codec of a tone, if there is to be one.
    """
    pictures = [picture(i) for i in range(frames)] if isinstance(frames, int) else list(frames)
    step = round(1 / time_base / RATE)
    ticks = [i * step for i in range(len(pictures))] if times is None else list(times)
    ends = [*ticks[1:], ticks[-1] + (step if last is None else last)]
    lasts = {tick: end - tick for tick, end in zip(ticks, ends, strict=True)}

    def lasting(packet: av.Packet) -> av.Packet:
        # Encoders give all packets the duration of the average rate.
        packet.duration = lasts[packet.pts]
        return packet

    scale = {"video_track_timescale": str(time_base.denominator)} if path.suffix in (".mp4", ".mov") else {}
    with av.open(str(path), "w", container_options=scale) as container:
        container.metadata.update(metadata or {})
        stream = container.add_stream(codec, rate=RATE, options=options or {"crf": "12", "preset": "ultrafast"})
        height, width = (
            pictures[0].shape[:2] if isinstance(pictures[0], np.ndarray) else (pictures[0].height, pictures[0].width)
        )
        stream.width, stream.height, stream.pix_fmt = width, height, layout
        context = stream.codec_context
        context.time_base, context.thread_count = time_base, 1
        if tags:
            context.colorspace, context.color_range, context.color_primaries, context.color_trc = tags
        if turn:
            stream.set_display_rotation(*turn)
        if aspect:
            context.sample_aspect_ratio = aspect
        tone = container.add_stream(sound, rate=48000 if "opus" in sound else 44100) if sound else None
        if tone:
            tone.layout = "mono"
        for drawn, tick, end in zip(pictures, ticks, ends, strict=True):
            frame = av.VideoFrame.from_ndarray(drawn) if isinstance(drawn, np.ndarray) else drawn
            if isinstance(drawn, np.ndarray):
                frame = frame.reformat(format=layout)
            if tags:
                frame.colorspace, frame.color_range, frame.color_primaries, frame.color_trc = tags
            frame.pts, frame.time_base, frame.duration = tick, time_base, end - tick
            for packet in stream.encode(frame):
                container.mux(lasting(packet))
        container.mux([lasting(packet) for packet in stream.encode(None)])
        if tone:
            _add_tone(container, tone, float(ends[-1] * time_base))
    return path


def _add_tone(container: av.container.OutputContainer, stream: av.AudioStream, seconds: float) -> None:
    rate = stream.rate
    wave = 0.3 * np.sin(2 * np.pi * 440 * np.arange(round(rate * seconds)) / rate)
    for start in range(0, len(wave), 1024):
        part = wave[None, start : start + 1024].astype(np.float32)
        frame = av.AudioFrame.from_ndarray(part, format="fltp", layout="mono")
        frame.sample_rate, frame.pts, frame.time_base = rate, start, Fraction(1, rate)
        container.mux(stream.encode(frame))
    container.mux(stream.encode(None))


def sound_packets(path: Path) -> list[bytes]:
    """The packets of the first sound track."""
    with av.open(str(path)) as container:
        return [bytes(packet) for packet in container.demux(audio=0) if packet.size]


@dataclass(frozen=True)
class Count:
    """A state: how many frames were painted, and the last of them."""

    painted: int
    before: np.ndarray

    def tensors(self) -> dict[str, np.ndarray]:
        return {"painted": np.array(self.painted), "before": self.before}


class Blender:
    """Mixes each frame with the one before, so that a wrong state shows. Fails where it is told to."""

    def __init__(self, fails_at: int | None = None, error: BaseException | None = None) -> None:
        self.fails_at, self.error, self.seen = fails_at, error, list[int]()

    def start(self) -> Count:
        return Count(0, np.zeros(0, np.uint8))

    def paint(self, frame: Frame, state: Count) -> tuple[np.ndarray, Count]:
        if frame.index == self.fails_at and self.error:
            raise self.error
        assert state.painted == frame.index
        self.seen.append(frame.index)
        before = state.before if state.painted else frame.pixels
        return (frame.pixels // 2 + before // 2), Count(state.painted + 1, frame.pixels.copy())

    def restore(self, tensors: dict[str, np.ndarray]) -> Count:
        return Count(int(tensors["painted"]), tensors["before"])


class Keeper(Blender):
    """Leaves every frame as it is."""

    def paint(self, frame: Frame, state: Count) -> tuple[np.ndarray, Count]:
        if frame.index == self.fails_at and self.error:
            raise self.error
        self.seen.append(frame.index)
        return frame.pixels, Count(state.painted + 1, state.before)
