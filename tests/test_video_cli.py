"""The command that paints videos: what it writes, what it says, and how it goes on after Ctrl-C."""

from __future__ import annotations

import json
from fractions import Fraction
from functools import partial

import numpy as np
import pytest

from conftest import is_one_sentence
from selfieart import Look
from selfieart.cli import main
from selfieart.cli.video import seconds_from
from selfieart.errors import SelfieartError
from selfieart.imaging import read_photo, write_photo
from selfieart.video.io.reading import read_frames
from selfieart.video.pipeline import VideoOptions
from video_clips import Blender, make_clip, picture
from video_runs import clip_fixture, names, no_thread_is_left  # noqa: F401 - fixtures are found by their names


@pytest.fixture
def quick(monkeypatch):
    """The command without networks: everything is painted by a Blender."""
    made = []

    class Painter(Blender):
        def __init__(self, studio, look, steadiness, parse_every):
            super().__init__()
            made.append((look, steadiness, parse_every))

    monkeypatch.setattr("selfieart.render.studio.Studio", lambda *_: None)
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
    (("-s", "candy", "--parser", "unit"), "did you mean 'unet'"),
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


def test_pieces_painted_with_another_picture_in_a_mix_are_not_joined(run, quick, clip, tmp_path, monkeypatch):
    def interrupt(self, frame, state):
        raise KeyboardInterrupt

    painting = tmp_path / "painting.png"
    write_photo(painting, np.zeros((32, 32, 3), np.uint8))
    mix = f"candy:0.6+{painting}:0.4"
    with monkeypatch.context() as patch:
        patch.setattr(Blender, "paint", interrupt)
        run(clip, "-s", mix, "--resume")
    write_photo(painting, np.full((32, 32, 3), 200, np.uint8), overwrite=True)
    code, _, err = run(clip, "-s", mix, "--resume")
    assert code == 2
    assert "leave out --resume" in err


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
