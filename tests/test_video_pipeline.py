"""Painting videos: stages that overlap and end together, and runs that go on after a kill."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from conftest import is_one_sentence
from selfieart.errors import Cancelled, SelfieartError
from selfieart.video.frame import Frame, paint_frames
from selfieart.video.io.reading import read_frames
from selfieart.video.io.resume import folder_of, workplace
from selfieart.video.io.stages import Busy, read_ahead, write_behind
from selfieart.video.pipeline import VideoOptions, paint_video
from video_clips import Blender, Keeper, make_clip, picture
from video_runs import clip_fixture, names, no_thread_is_left  # noqa: F401 - fixtures are found by their names

# --- the loop ------------------------------------------------------------------------------------------------------


def test_frames_go_in_and_come_out_with_the_state(clip):
    frames = list(read_frames(clip))
    painted = list(paint_frames(frames, Blender()))
    assert [frame.index for frame, _ in painted] == list(range(23))
    assert [frame.time for frame, _ in painted] == [frame.time for frame in frames]
    for before, now, (shown, state) in zip(frames, frames[1:], painted[1:], strict=False):
        assert np.array_equal(shown.pixels, now.pixels // 2 + before.pixels // 2)
        assert state.painted == now.index + 1


def test_painting_goes_on_from_a_state(clip):
    frames = list(read_frames(clip))
    whole = [frame.pixels for frame, _ in paint_frames(frames, Blender())]
    first = list(paint_frames(frames[:9], Blender()))
    rest = paint_frames(frames[9:], Blender(), first[-1][1])
    assert all(np.array_equal(a, b.pixels) for a, (b, _) in zip(whole[9:], rest, strict=True))


def test_painting_is_lazy_and_leaves_the_file_when_the_consumer_does(clip):
    painter = Keeper()
    painted = paint_frames(read_frames(clip), painter)
    next(painted)
    next(painted)
    painted.close()
    assert painter.seen == [0, 1]
    clip.rename(clip.with_name("other.mp4"))


def test_the_painted_video_holds_what_the_painter_made(clip, tmp_path):
    shares = []
    report = paint_video(
        clip, tmp_path / "b.mkv", Blender(), VideoOptions(codec="ffv1", piece=5), lambda *told: shares.append(told)
    )
    expected = [frame.pixels for frame, _ in paint_frames(read_frames(clip), Blender())]
    for frame, pixels in zip(read_frames(tmp_path / "b.mkv"), expected, strict=True):
        assert np.array_equal(frame.pixels, pixels)
    assert (report.frames, report.resumed, report.width, report.height) == (23, 0, 96, 64)
    assert report.duration == Fraction(23, 25)
    assert set(report.seconds) == {"read", "paint", "encode", "join", "all"}
    assert [share for stage, share in shares if stage == "paint"] == [i / 23 for i in range(24)]
    assert shares[-1][0] == "join"
    assert names(tmp_path) == {"me.mp4", "b.mkv"}


def test_the_number_of_pieces_does_not_change_what_is_seen(clip, tmp_path):
    for name, piece in (("one", 1000), ("many", 4)):
        paint_video(clip, tmp_path / f"{name}.mkv", Blender(), VideoOptions(codec="ffv1", piece=piece))
    for a, b in zip(read_frames(tmp_path / "one.mkv"), read_frames(tmp_path / "many.mkv"), strict=True):
        assert (a.time, a.index) == (b.time, b.index)
        assert np.array_equal(a.pixels, b.pixels)


def test_a_frame_says_what_it_is():
    frame = Frame(picture(0), Fraction(1, 25), 1)
    with pytest.raises(AttributeError):
        frame.index = 2  # type: ignore[misc]


# --- everything ends together --------------------------------------------------------------------------------------


@pytest.mark.parametrize("error", [RuntimeError("no"), KeyboardInterrupt(), Cancelled("stop"), MemoryError()])
@pytest.mark.parametrize("at", [0, 7, 22])
def test_an_error_of_the_painter_leaves_nothing(clip, tmp_path, error, at):
    with pytest.raises(type(error)):
        paint_video(clip, tmp_path / "b.mp4", Blender(at, error), VideoOptions(piece=4))
    assert names(tmp_path) == {"me.mp4"}


@pytest.mark.parametrize(("stage", "share"), [("paint", 0.0), ("paint", 0.4), ("join", 0.5)])
def test_progress_may_cancel_and_an_older_output_stays(clip, tmp_path, stage, share):
    def stop(now: str, done: float) -> None:
        if now == stage and done >= share:
            raise Cancelled("enough")

    (tmp_path / "b.mp4").write_bytes(b"older")
    with pytest.raises(Cancelled):
        paint_video(clip, tmp_path / "b.mp4", Keeper(), VideoOptions(overwrite=True, piece=4), stop)
    assert names(tmp_path) == {"me.mp4", "b.mp4"}
    assert (tmp_path / "b.mp4").read_bytes() == b"older"


@pytest.mark.parametrize(("broken", "error"), [
    ("selfieart.video.pipeline.PieceWriter.add", OSError(28, "No space left on device")),
    ("selfieart.video.pipeline.PieceWriter.finish", OSError(28, "No space left on device")),
    ("selfieart.video.io.colors.ToPixels.__call__", RuntimeError("reader")),
])  # fmt: skip
def test_an_error_of_another_stage_ends_all(clip, tmp_path, monkeypatch, broken, error):
    def fail(*_: object) -> None:
        raise error

    monkeypatch.setattr(broken, fail)
    kind = SelfieartError if isinstance(error, OSError) else RuntimeError
    with pytest.raises(kind) as caught:
        paint_video(clip, tmp_path / "b.mp4", Keeper(), VideoOptions(piece=4))
    if kind is SelfieartError:
        assert "no space left on device" in str(caught.value)
        assert is_one_sentence(str(caught.value))
    assert names(tmp_path) == {"me.mp4"}


def test_a_painter_that_changes_the_size_is_a_mistake_of_the_program(clip, tmp_path):
    class Wrong(Keeper):
        def paint(self, frame, state):
            return frame.pixels[1:], state

    with pytest.raises(ValueError, match="made uint8"):
        paint_video(clip, tmp_path / "b.mp4", Wrong())


def test_reading_stays_close_ahead_of_painting(clip, tmp_path):
    ahead = []

    def counted():
        for number in range(100):
            ahead.append(number)
            yield number

    with read_ahead(counted(), 3, Busy()) as items:
        for number in items:
            time.sleep(0.001)
            # Three wait, one is on its way, one was just made.
            assert ahead[-1] <= number + 5
            if number == 40:
                break
    assert ahead[-1] < 50


def test_stages_count_only_the_time_that_they_work():
    def quick():
        yield from range(5)

    reading, writing = Busy(), Busy()
    with write_behind(lambda _: None, 2, writing) as put, read_ahead(quick(), 2, reading) as items:
        for item in items:
            time.sleep(0.1)
            put(item)
    assert 0 < reading.seconds < 0.3
    assert 0 < writing.seconds < 0.3


def test_stages_overlap():
    second_is_read, first_is_written = threading.Event(), threading.Event()

    def source():
        yield 0
        second_is_read.set()
        yield 1

    with (
        write_behind(lambda _: first_is_written.set(), 2, Busy()) as put,
        read_ahead(source(), 2, Busy()) as items,
    ):
        put(next(items))
        # Neither was asked for: both happen beside whatever happens here.
        assert second_is_read.wait(20)
        assert first_is_written.wait(20)
        assert next(items) == 1


def test_what_was_put_is_written_before_the_end():
    written = []
    with write_behind(written.append, 2, Busy()) as put:
        for number in range(20):
            put(number)
    assert written == list(range(20))


# --- going on ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("suffix", [".mp4", ".mkv", ".gif", ".webm"])
@pytest.mark.parametrize("at", [0, 3, 10, 22])
def test_a_run_that_goes_on_equals_one_that_was_not_interrupted(clip, tmp_path, suffix, at):
    options = VideoOptions(piece=5, resume=True, identity="look")
    paint_video(clip, tmp_path / f"whole{suffix}", Blender(), VideoOptions(piece=5, identity="look"))
    with pytest.raises(KeyboardInterrupt):
        paint_video(clip, tmp_path / f"b{suffix}", Blender(at, KeyboardInterrupt()), options)
    assert not (tmp_path / f"b{suffix}").exists()
    painter = Blender()
    report = paint_video(clip, tmp_path / f"b{suffix}", painter, options)
    # What waited for the encoder when the run was interrupted is lost, and no finished piece is painted again.
    assert report.resumed in ([at // 5 * 5] if at < 5 else [at // 5 * 5 - 5, at // 5 * 5])
    assert painter.seen == list(range(report.resumed, 23))
    assert (report.frames, report.duration) == (23, Fraction(23, 25))
    assert (tmp_path / f"b{suffix}").read_bytes() == (tmp_path / f"whole{suffix}").read_bytes()
    assert not folder_of(tmp_path / f"b{suffix}").exists()


KILLED = """
import os, sys
sys.path.insert(0, {tests!r})
from video_clips import Blender
from selfieart.video.pipeline import VideoOptions, paint_video

class Dying(Blender):
    def paint(self, frame, state):
        if frame.index == 17:
            import time
            time.sleep(0.5)
            os.kill(os.getpid(), 9)
        return super().paint(frame, state)

paint_video({clip!r}, {out!r}, Dying(), VideoOptions(piece=5))
"""


def test_a_process_that_was_killed_leaves_pieces_to_go_on_from(clip, tmp_path):
    out = tmp_path / "b.mp4"
    script = KILLED.format(tests=str(Path(__file__).parent), clip=str(clip), out=str(out))
    done = subprocess.run([sys.executable, "-c", script], check=False, capture_output=True)
    assert done.returncode == -9, done.stderr
    assert not out.exists()
    report = paint_video(clip, out, Blender(), VideoOptions(piece=5, resume=True))
    assert report.resumed == 15
    paint_video(clip, tmp_path / "whole.mp4", Blender(), VideoOptions(piece=5))
    assert out.read_bytes() == (tmp_path / "whole.mp4").read_bytes()
    assert names(tmp_path) == {"me.mp4", "b.mp4", "whole.mp4"}


def interrupted(clip: Path, out: Path, **options: object) -> None:
    with pytest.raises(KeyboardInterrupt):
        paint_video(clip, out, Blender(18, KeyboardInterrupt()), VideoOptions(piece=5, resume=True, **options))


def test_only_the_same_run_goes_on(clip, tmp_path):
    out = tmp_path / "b.mp4"
    interrupted(clip, out, identity="candy")
    kept = names(folder_of(out))
    for changed in (
        {"identity": "wave"},
        {"identity": "candy", "crf": 20},
        {"identity": "candy", "end": Fraction(1, 2)},
    ):
        with pytest.raises(SelfieartError, match="give the same ones, or leave out --resume") as error:
            paint_video(clip, out, Blender(), VideoOptions(piece=5, resume=True, **changed))
        assert is_one_sentence(str(error.value))
        assert names(folder_of(out)) == kept
    clip.write_bytes(make_clip(tmp_path / "other.mp4", 23).read_bytes())
    with pytest.raises(SelfieartError, match="another video"):
        paint_video(clip, out, Blender(), VideoOptions(piece=5, resume=True, identity="candy"))
    # Without resume it starts over.
    assert paint_video(clip, out, Blender(), VideoOptions(piece=5, identity="wave")).resumed == 0
    assert not folder_of(out).exists()


@pytest.mark.parametrize("hurt", ["000001.nut", "000000.json", "state.safetensors"])
def test_damaged_pieces_are_painted_again(clip, tmp_path, hurt):
    out = tmp_path / "b.mp4"
    interrupted(clip, out)
    path = folder_of(out) / hurt
    path.write_bytes(path.read_bytes()[:20])
    report = paint_video(clip, out, Blender(), VideoOptions(piece=5, resume=True))
    assert (report.resumed, report.frames) == (0, 23)
    assert report.notes == ("The pieces of the earlier run were damaged, so it was started over.",)


def test_everything_painted_but_not_joined(clip, tmp_path):
    def stop(stage: str, done: float) -> None:
        if stage == "join":
            raise Cancelled("no")

    out, options = tmp_path / "b.mp4", VideoOptions(piece=5, resume=True)
    with pytest.raises(Cancelled):
        paint_video(clip, out, Blender(), options, stop)
    painter = Blender()
    report = paint_video(clip, out, painter, options)
    assert (report.resumed, report.frames, painter.seen) == (23, 23, [])
    paint_video(clip, tmp_path / "whole.mp4", Blender(), VideoOptions(piece=5))
    assert out.read_bytes() == (tmp_path / "whole.mp4").read_bytes()


def test_two_runs_never_write_the_same_output(clip, tmp_path):
    out = tmp_path / "b.mp4"
    with workplace(out, "key", False) as place:
        path = place.next_path()
        path.write_bytes(b"half")
        with pytest.raises(SelfieartError, match="Another run is writing") as error:
            paint_video(clip, out, Blender())
        assert is_one_sentence(str(error.value))
        assert path.exists()
    assert paint_video(clip, out, Blender()).frames == 23


def test_states_that_share_memory_are_kept(tmp_path):
    out = tmp_path / "b.mp4"
    rows = np.arange(12).reshape(3, 4)
    with pytest.raises(KeyError), workplace(out, "key", True) as place:
        place.commit([], {"a": rows, "b": rows.T, "empty": np.zeros(0, np.float32)})
        state = place.state()
        assert np.array_equal(state["a"], rows)
        assert np.array_equal(state["b"], rows.T)
        assert state["empty"].shape == (0,)
        raise KeyError
    with workplace(out, "key", False) as place:
        assert not place.pieces
