"""Animated GIF: one palette for the whole clip, so colours do not flicker."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from fractions import Fraction
from pathlib import Path

import av
from av import VideoFrame
from av.filter import Graph
from av.filter.context import FilterContext

from selfieart.video.io.joining import Piece
from selfieart.video.io.writing import Encoding

TICK = Fraction(1, 100)
"""Unit of time of a GIF, in seconds."""

_SHORTEST = 2
"""Browsers show frames that are meant for less than two ticks much longer."""


def write_gif(
    pieces: Sequence[Piece], finish: Fraction, target: Path, encoding: Encoding, progress: Callable[[float], None]
) -> list[str]:
    """Write the frames of pieces as a GIF that repeats.

    Args:
        pieces: in their order.
        finish: when the last frame ends, in seconds.
        target: the file to write.
        encoding: that of the pieces.
        progress: called with the fraction done.

    Returns:
        Sentences about what was left out.
    """
    palette = _palette(pieces, encoding)
    graph = Graph()
    source = _buffer(graph, encoding, "bgr0", encoding.width, encoding.height)
    colors = _buffer(graph, encoding, palette.format.name, palette.width, palette.height)
    paint = graph.add("paletteuse", "dither=bayer:bayer_scale=4:diff_mode=rectangle")
    sink = graph.add("buffersink")
    source.link_to(paint, 0, 0)
    colors.link_to(paint, 0, 1)
    paint.link_to(sink)
    graph.configure()
    palette.pts, palette.time_base = 0, TICK
    colors.push(palette)
    colors.push(None)
    dropped = 0
    with av.open(str(target), "w", format="gif", container_options={"fflags": "+bitexact"}) as container:
        stream = container.add_stream("gif", rate=encoding.rate)
        assert isinstance(stream, av.VideoStream)
        stream.width, stream.height, stream.pix_fmt = encoding.width, encoding.height, "pal8"
        stream.codec_context.time_base = TICK

        def write() -> None:
            for frame in _pulled(sink):
                container.mux(stream.encode(frame))

        last, held = -_SHORTEST, None
        for frame, time in _frames(pieces, encoding):
            ticks = round(time / TICK)
            if ticks - last < _SHORTEST:
                dropped += 1
                continue
            frame.pts, frame.time_base, last = ticks, TICK, ticks
            if held:
                held.duration = ticks - (held.pts or 0)
                source.push(held)
                write()
            held = frame
            progress(float(time / finish) if finish else 1.0)
        if held:
            held.duration = max(_SHORTEST, round(finish / TICK) - last)
            source.push(held)
        source.push(None)
        write()
        container.mux(stream.encode(None))
    return [f"A GIF shows 50 frames per second at most: {dropped} were left out."] if dropped else []


def _palette(pieces: Sequence[Piece], encoding: Encoding) -> VideoFrame:
    graph = Graph()
    source = _buffer(graph, encoding, "bgr0", encoding.width, encoding.height)
    histogram, sink = graph.add("palettegen", "stats_mode=full:reserve_transparent=0"), graph.add("buffersink")
    source.link_to(histogram)
    histogram.link_to(sink)
    graph.configure()
    for frame, time in _frames(pieces, encoding):
        frame.pts, frame.time_base = round(time / TICK), TICK
        source.push(frame)
    source.push(None)
    (palette,) = _pulled(sink)
    return palette


def _buffer(graph: Graph, encoding: Encoding, layout: str, width: int, height: int) -> FilterContext:
    return graph.add_buffer(width=width, height=height, format=av.VideoFormat(layout), time_base=TICK)


def _pulled(sink: FilterContext) -> Iterator[VideoFrame]:
    while True:
        try:
            frame = sink.pull()
        except (av.BlockingIOError, av.EOFError):
            return
        assert isinstance(frame, VideoFrame)
        yield frame


def _frames(pieces: Sequence[Piece], encoding: Encoding) -> Iterator[tuple[VideoFrame, Fraction]]:
    for piece in pieces:
        with av.open(str(piece.path)) as container:
            for frame, ticks in zip(container.decode(video=0), piece.times, strict=True):
                yield frame, ticks * encoding.time_base
