"""Painting videos: stages that overlap and end together, runs that go on after a kill, and the command line."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import time
from fractions import Fraction
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import torch

from conftest import is_one_sentence
from selfieart import Look
from selfieart.cli import main
from selfieart.cli.video import seconds_from
from selfieart.errors import Cancelled, SelfieartError
from selfieart.imaging import read_photo
from selfieart.video.frame import Frame, paint_frames
from selfieart.video.pipeline import VideoOptions, paint_video
from selfieart.video.reading import read_frames
from selfieart.video.resume import folder_of, workplace
from selfieart.video.stages import Busy, read_ahead, write_behind
from video_clips import Blender, Keeper, make_clip, picture


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    """23 frames with sound, in a folder of its own."""
    return make_clip(tmp_path / "me.mp4", 23, sound="aac")


@pytest.fixture(autouse=True)
def no_thread_is_left():
    before = set(threading.enumerate())
    yield
    assert set(threading.enumerate()) <= before


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


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
    ("selfieart.video.colors.ToPixels.__call__", RuntimeError("reader")),
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
    rows = torch.arange(12).reshape(3, 4)
    with pytest.raises(KeyError), workplace(out, "key", True) as place:
        place.commit([], {"a": rows, "b": rows.T, "empty": torch.zeros(0)})
        raise KeyError
    with workplace(out, "key", False) as place:
        assert not place.pieces


# --- the command line ----------------------------------------------------------------------------------------------


@pytest.fixture
def quick(monkeypatch):
    """The command without networks: everything is painted by a Blender."""
    made = []

    class Painter(Blender):
        def __init__(self, studio, look, steadiness, parse_every):
            super().__init__()
            made.append((look, steadiness, parse_every))

    monkeypatch.setattr("selfieart.studio.Studio", lambda: None)
    monkeypatch.setattr("selfieart.video.painter.VideoPainter", Painter)
    return made


@pytest.fixture
def run(capsys):
    def call(*arguments: object) -> tuple[int, str, str]:
        with pytest.raises(SystemExit) as stop:
            main(["video", *(str(argument) for argument in arguments)])
        out, err = capsys.readouterr()
        return int(stop.value.code or 0), out, err

    return call


def test_the_command_paints_a_video_beside_the_original(run, quick, clip, tmp_path):
    code, out, err = run(
        clip, "--style", "person=candy", "--preview", tmp_path / "p.png", "--save-look", tmp_path / "look.toml"
    )
    assert (code, err) == (0, "")
    assert "Painted me.mp4 (23 frames of 96x64): person in candy." in out
    assert "frames per second" in out
    assert names(tmp_path) == {"me.mp4", "me-art.mp4", "p.png", "look.toml"}
    assert Look.load(tmp_path / "look.toml").segments["person"].style == "candy"
    ((look, steadiness, every),) = quick
    assert (look.segments["person"].style, steadiness, every) == ("candy", 0.85, "auto")
    sheet = read_photo(tmp_path / "p.png").pixels
    assert sheet.shape[1] > 5 * 96
    # Six frames before above six after: the first ones are alike.
    above, below = sheet[20:60, 20:90].astype(int), sheet[sheet.shape[0] // 2 + 20 :][:40, 20:90].astype(int)
    assert np.abs(above - below).mean() < 25
    assert above.std() > 10


def test_the_command_prints_json(run, quick, clip, tmp_path):
    code, out, err = run(
        clip, "-s", "wave", "-o", tmp_path / "b.webm", "--json", "--start", "0:00.4", "--end", "0.8", "--size", "32",
        "--steadiness", "0.2", "--parse-every", "3", "--crf", "20",
    )  # fmt: skip
    assert (code, err) == (0, "")
    told = json.loads(out)
    assert told["output"] == str(tmp_path / "b.webm")
    assert (told["frames"], told["width"], told["height"], told["duration"]) == (10, 48, 32, 0.4)
    assert {"load", "read", "paint", "encode", "join", "all"} == set(told["seconds"])
    assert told["fps"] > 0
    assert told["notes"] == ["A .webm file does not hold aac sound: encoded anew as libopus."]
    assert quick[0][1:] == (0.2, 3)


@pytest.mark.parametrize(("arguments", "words"), [
    ((), "Nothing to paint"),
    (("-s", "candyy"), "did you mean 'candy'"),
    (("-s", "candy", "-o", "me.mp4"), "is the video itself"),
    (("-s", "candy", "-o", "b.mp3"), "did you mean"),
    (("-s", "candy", "--start", "x"), "write seconds (12.5) or minutes and seconds (1:30)"),
    (("-s", "candy", "--end", "1:75"), "is no time"),
    (("-s", "candy", "--steadiness", "2"), "from 0 to 1"),
    (("-s", "candy", "--parse-every", "0"), "auto or a whole number"),
    (("-s", "candy", "--preview", "b.txt"), "suffix"),
    (("-s", "candy", "--preview", "b.png", "-o", "b.png"), "suffix"),
    (("-s", "candy", "--save-look", "me.mp4"), "is the video itself"),
    (("-s", "candy", "--codec", "gif"), "does not hold gif"),
    (("-s", "candy", "--start", "5"), "has no frames between"),
])  # fmt: skip
def test_mistakes_are_one_sentence_and_exit_code_2(run, quick, clip, tmp_path, monkeypatch, arguments, words):
    monkeypatch.chdir(tmp_path)
    code, out, err = run(clip, *arguments)
    assert (code, out) == (2, "")
    assert words in err
    assert is_one_sentence(err.strip().removeprefix("Error: "))
    assert names(tmp_path) == {"me.mp4"}


def test_a_picture_is_sent_to_the_other_command(run, quick, tmp_path, astronaut_file):
    code, _, err = run(astronaut_file, "-s", "candy", "-o", tmp_path / "b.mp4")
    assert code == 2
    assert "use `selfieart photo`" in err
    assert not quick


def test_ctrl_c_ends_the_command_with_130(run, quick, clip, tmp_path, monkeypatch):
    monkeypatch.setattr(Blender, "paint", lambda self, frame, state: (_ for _ in ()).throw(KeyboardInterrupt()))
    code, _, _ = run(clip, "-s", "candy")
    assert code == 130
    assert names(tmp_path) == {"me.mp4"}


def test_an_interrupted_command_goes_on(run, quick, clip, tmp_path, monkeypatch):
    paint = Blender.paint

    def interrupt(self, frame, state):
        if frame.index == 17:
            raise KeyboardInterrupt
        return paint(self, frame, state)

    monkeypatch.setattr("selfieart.cli.video.VideoOptions", partial(VideoOptions, piece=5))
    with monkeypatch.context() as patch:
        patch.setattr(Blender, "paint", interrupt)
        code, _, err = run(clip, "-s", "candy", "--resume")
        assert code == 130
        assert "give the same command again" in err
    assert names(tmp_path) == {"me.mp4", ".me-art.mp4.selfieart"}
    code, _, err = run(clip, "-s", "wave", "--resume")
    assert code == 2
    assert "leave out --resume" in err
    code, out, _ = run(clip, "-s", "candy", "--resume", "--json")
    assert code == 0
    assert json.loads(out)["resumed"] in (10, 15)
    assert names(tmp_path) == {"me.mp4", "me-art.mp4"}


@pytest.mark.parametrize(("text", "seconds"), [
    ("12.5", Fraction(25, 2)), ("1:30", 90), ("1:02:03.25", Fraction(14893, 4)), ("0", 0), (" 90 ", 90),
])  # fmt: skip
def test_times_as_a_person_writes_them(text, seconds):
    assert seconds_from(text, "--start") == seconds


@pytest.mark.parametrize("text", ["", "x", "1:60", "-1", "1:2:3:4", "1:", "nan", "inf"])
def test_times_that_are_none(text):
    with pytest.raises(SelfieartError, match="--end"):
        seconds_from(text, "--end")


def test_the_real_painter_fits(run, tmp_path):
    """The whole command, with the packaged models, on four small frames."""
    clip = make_clip(tmp_path / "me.mp4", [picture(i, 80, 64) for i in range(4)])
    code, out, err = run(clip, "-s", "background=#ff0000", "--json", "--tau", "binary")
    assert (code, err) == (0, "")
    assert json.loads(out)["frames"] == 4
    shown = [frame.pixels for frame in read_frames(tmp_path / "me-art.mp4")]
    # There is nobody in the picture: all of it is background.
    assert np.abs(shown[2].astype(int) - (255, 0, 0)).mean() < 20


def test_a_frame_says_what_it_is():
    frame = Frame(picture(0), Fraction(1, 25), 1)
    with pytest.raises(AttributeError):
        frame.index = 2  # type: ignore[misc]
