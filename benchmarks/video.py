"""How fast videos are painted, beside painting every frame as a photo, and beside the published networks.

    python benchmarks/video.py [CLIP] [--frames N] [--rounds N] [--json FILE]

All ways take turns within every round, on the same frames, and ratios are taken within a round, so that a machine that
slows down for a while slows all. Without a clip the packaged portrait is panned, 1280x720. Decoding and encoding are
not measured here.
"""

from __future__ import annotations

import argparse
import json
import resource
import statistics
import sys
import time
from collections.abc import Callable
from itertools import islice
from pathlib import Path

import cv2
import torch
from rich.console import Console
from rich.table import Table

from panned import panned
from reference import Reference, tensor
from selfieart import Look, SegmentLook, Studio
from selfieart.video.frame import Frame
from selfieart.video.painter import VideoPainter

TARGET = 3.6
"""Frames per second of the published program with two styles on a 1280x720 video, on a GPU."""

TWO = Look({"person": SegmentLook("candy"), "background": SegmentLook("wave")})
ONE = Look({"person": SegmentLook("candy")})
LIPS = Look({"lips": SegmentLook("candy"), "eyes": SegmentLook("wave")})


def frames_of(clip: Path | None, count: int) -> list[Frame]:
    """The first frames of a clip, or of the panned portrait."""
    if clip is None:
        return list(islice(panned(), count))
    from selfieart.video.io.reading import read_frames

    return list(islice(read_frames(clip), count))


def painting(painter: VideoPainter) -> Callable[[list[Frame]], None]:
    """Paint frames, going on where the last call stopped."""
    state = painter.start()

    def run(frames: list[Frame]) -> None:
        nonlocal state
        for frame in frames:
            _, state = painter.paint(frame, state)

    return run


def as_photos(studio: Studio, look: Look) -> Callable[[list[Frame]], None]:
    """Every frame as if it were a photo."""

    def run(frames: list[Frame]) -> None:
        for frame in frames:
            studio.open(frame.pixels).render(look)

    return run


def published(reference: Reference) -> Callable[[list[Frame]], None]:
    """The published topologies at the size they work at, short side 512: parsed, two styles, composited in pixels."""

    def run(frames: list[Frame]) -> None:
        for frame in frames:
            height, width = frame.pixels.shape[:2]
            scale = 512 / min(height, width)
            size = tuple(round(side * scale / 32) * 32 for side in (width, height))
            picture = tensor(cv2.resize(frame.pixels, size, interpolation=cv2.INTER_AREA))
            masks = (3.0 * reference.parse(picture)).softmax(0)
            out = picture
            for mask in (masks[0], 1 - masks[0]):
                out = mask * reference.paint(picture) + (1 - mask) * out
            cv2.resize(out.permute(1, 2, 0).numpy(), (width, height), interpolation=cv2.INTER_CUBIC)

    return run


def main() -> None:
    """Measure, print, and write JSON if asked."""
    arguments = argparse.ArgumentParser(description="Speed of videos.")
    arguments.add_argument("clip", type=Path, nargs="?", help="a video; the packaged portrait, panned, when left out")
    arguments.add_argument("--frames", type=int, default=12, help="frames per round (default 12)")
    arguments.add_argument("--rounds", type=int, default=5, help="rounds (default 5)")
    arguments.add_argument("--slow", type=int, default=1, help="frames per round of the slow ways (default 1)")
    arguments.add_argument("--json", type=Path, metavar="FILE", help="also write the numbers to a file")
    given = arguments.parse_args()
    console = Console(highlight=False, width=None if sys.stdout.isatty() else 130)
    studio = Studio()
    frames = frames_of(given.clip, given.frames * given.rounds)
    per_round = min(given.frames, len(frames))
    painters = {
        "two styles": VideoPainter(studio, TWO),
        "two styles, parsed every frame": VideoPainter(studio, TWO, parse_every=1),
        "person only": VideoPainter(studio, ONE),
        "lips and eyes": VideoPainter(studio, LIPS),
    }
    ways: dict[str, tuple[Callable[[list[Frame]], None], int]] = {
        name: (painting(painter), per_round) for name, painter in painters.items()
    }
    ways["two styles, every frame as a photo"] = as_photos(studio, TWO), given.slow
    ways["two styles, published topologies"] = published(Reference()), given.slow
    seconds: dict[str, list[float]] = {name: [] for name in ways}
    with console.status("Warming up"):
        for run, _ in ways.values():
            run(frames[:1])
    for painter in painters.values():
        painter.seconds.clear()
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with console.status("Measuring"):
        for number in range(given.rounds):
            for name, (run, count) in ways.items():
                part = [frames[(number * per_round + i) % len(frames)] for i in range(count)]
                start = time.perf_counter()
                run(part)
                seconds[name].append((time.perf_counter() - start) / count)
    height, width = frames[0].pixels.shape[:2]
    rows = {}
    fastest = seconds["two styles"]
    for name, times in seconds.items():
        ratios = [slow / fast for slow, fast in zip(times, fastest, strict=True)]
        rows[name] = {
            "seconds": statistics.median(times),
            "frames_per_second": 1 / statistics.median(times),
            "times_two_styles": statistics.median(ratios),
            "least": min(ratios),
            "greatest": max(ratios),
        }
        if name in painters:
            total = per_round * given.rounds
            rows[name]["stages"] = {stage: value / total for stage, value in painters[name].seconds.items()}
    table = Table(title=f"{width}x{height}, {torch.get_num_threads()} threads", title_justify="left")
    for title in ("", "ms/frame", "frames/s", "times as long", "ms of the stages"):
        table.add_column(title, justify="left" if title in ("", "ms of the stages") else "right")
    for name, row in rows.items():
        ratio = f"{row['times_two_styles']:.1f} ({row['least']:.1f} to {row['greatest']:.1f})"
        stages = ", ".join(f"{stage} {value * 1e3:.0f}" for stage, value in row.get("stages", {}).items())
        table.add_row(name, f"{row['seconds'] * 1e3:.0f}", f"{row['frames_per_second']:.2f}", ratio, stages)
    console.print(table)
    reached = rows["two styles"]["frames_per_second"]
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
    console.print(f"Published: {TARGET} frames/s with two styles on a GPU; here {reached:.2f} on the CPU.")
    console.print(f"Peak memory grew by {grown:.0f} MB over {given.rounds} rounds.")
    if given.json:
        given.json.write_text(json.dumps(rows, indent=2), "utf-8")


if __name__ == "__main__":
    main()
