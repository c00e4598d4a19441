"""Frames in, painted frames out, steady over time, with the loop in your hands: frames of a file, or of anything else.

python examples/video_frames.py [FOLDER] [VIDEO]
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterable, Iterator
from fractions import Fraction
from importlib import resources
from itertools import islice
from pathlib import Path

import numpy as np

from selfieart import Look, SegmentLook, Studio
from selfieart.imaging import read_photo, write_photo
from selfieart.video import Frame, VideoPainter, paint_frames, read_frames


def passing_camera(count: int = 6) -> Iterator[Frame]:
    """Frames that need no file: a camera passes over the packaged portrait."""
    with resources.as_file(resources.files("selfieart") / "data" / "astronaut.jpg") as path:
        pixels = read_photo(path).pixels[:384:2, ::2]
    for index in range(count):
        yield Frame(np.ascontiguousarray(pixels[:, 2 * index : 2 * index + 240]), Fraction(index, 25), index)


def main(folder: Path, video: str | None = None) -> None:
    """Write each painted frame as a picture."""
    folder.mkdir(parents=True, exist_ok=True)
    frames: Iterable[Frame] = passing_camera() if video is None else islice(read_frames(video, side=256), 50)
    painter = VideoPainter(Studio(), Look({"person": SegmentLook("candy")}, stroke=192), steadiness=0.85)
    for frame, _ in paint_frames(frames, painter):
        print("Written:", write_photo(folder / f"frame-{frame.index:04}.jpg", frame.pixels, overwrite=True))
    print(", ".join(f"{stage} {seconds:.2f} s" for stage, seconds in painter.seconds.items()))


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else tempfile.mkdtemp()), *sys.argv[2:3])
