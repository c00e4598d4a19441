"""What the tests of painting whole videos share: a clip, a copy of one, how long it lasts, and what is left behind."""

from __future__ import annotations

import threading
from fractions import Fraction
from pathlib import Path

import av
import pytest

from selfieart.video.pipeline import VideoOptions, paint_video
from video_clips import Keeper, make_clip


@pytest.fixture(name="clip")
def clip_fixture(tmp_path: Path) -> Path:
    """23 frames with sound, in a folder of its own."""
    return make_clip(tmp_path / "me.mp4", 23, sound="aac")


@pytest.fixture(autouse=True)
def no_thread_is_left():
    before = set(threading.enumerate())
    yield
    left = set(threading.enumerate()) - before
    # The pool that works on pixels is shared by all and stays.
    assert not [thread for thread in left if not thread.name.startswith("selfieart-pixels")], left


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def kept(source: Path, target: Path, **options: object):
    """Write a video again without painting anything."""
    return paint_video(source, target, Keeper(), VideoOptions(**options))


def duration(path: Path, kind: str = "video") -> Fraction:
    with av.open(str(path)) as container:
        (stream,) = getattr(container.streams, kind)
        return stream.duration * stream.time_base
