"""Reading and writing videos: times, orientation, sizes, GIFs, damage, and what is refused."""

from __future__ import annotations

import subprocess
import sys
import wave
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import av
import numpy as np
import pytest

from conftest import is_one_sentence
from selfieart.errors import SelfieartError
from selfieart.imaging import write_photo
from selfieart.video.io.reading import probe, read_first_frame, read_frames
from selfieart.video.pipeline import VideoOptions, paint_video
from video_clips import Keeper, make_clip, picture, sound_packets
from video_runs import duration, kept


def times(path: Path) -> list[Fraction]:
    return [frame.time for frame in read_frames(path)]


# --- times ---------------------------------------------------------------------------------------------------------

UNEVEN = [0, 512, 1700, 1901, 6000, 6250, 9001, 12800, 12900]


@pytest.mark.parametrize("suffix", [".mp4", ".mov"])
@pytest.mark.parametrize("codec", [None, "h265"])
def test_uneven_times_are_kept_exactly(tmp_path, suffix, codec):
    clip = make_clip(tmp_path / "a.mp4", len(UNEVEN), times=UNEVEN, last=777)
    assert times(clip) == [Fraction(tick, 12800) for tick in UNEVEN]
    report = kept(clip, tmp_path / f"b{suffix}", codec=codec, piece=4)
    assert times(tmp_path / f"b{suffix}") == times(clip)
    assert report.duration == duration(tmp_path / f"b{suffix}") == Fraction(12900 + 777, 12800)


@pytest.mark.parametrize("suffix", [".mkv", ".webm"])
def test_matroska_rounds_times_to_milliseconds(tmp_path, suffix):
    clip = make_clip(tmp_path / "a.mp4", len(UNEVEN), times=UNEVEN)
    kept(clip, tmp_path / f"b{suffix}")
    assert all(
        abs(a - b) <= Fraction(1, 2000) for a, b in zip(times(clip), times(tmp_path / f"b{suffix}"), strict=True)
    )


def test_odd_rates_stay_fractions(tmp_path):
    clip = make_clip(tmp_path / "a.mp4", 6, times=[i * 1001 for i in range(6)], time_base=Fraction(1, 30000), last=1001)
    assert probe(clip).rate == Fraction(30000, 1001)
    kept(clip, tmp_path / "b.mp4")
    assert times(tmp_path / "b.mp4") == [Fraction(i * 1001, 30000) for i in range(6)]
    assert probe(tmp_path / "b.mp4").rate == Fraction(30000, 1001)


def test_times_count_from_where_a_transport_stream_begins(tmp_path):
    ticks = [126000 + 3600 * i for i in range(10)]
    clip = make_clip(tmp_path / "a.ts", 10, times=ticks, time_base=Fraction(1, 90000))
    with av.open(str(clip)) as container:
        assert container.start_time > 1_000_000
    kept(clip, tmp_path / "b.mp4")
    assert times(tmp_path / "b.mp4") == times(clip)
    assert times(clip)[0] == 0
    assert [b - a for a, b in pairwise(times(clip))] == [Fraction(1, 25)] * 9


@pytest.mark.parametrize("sound", [None, "aac"])
def test_a_part_begins_at_zero_with_its_own_frames_and_sound(tmp_path, sound):
    clip = make_clip(tmp_path / "a.mp4", 50, sound=sound)
    report = kept(clip, tmp_path / "b.mp4", start=Fraction("0.41"), end=Fraction("1.2"), crf=4)
    # The first frame at or after 0.41 s is that of 0.44 s.
    assert report.frames == 19
    assert report.duration == Fraction("0.76")
    assert times(tmp_path / "b.mp4") == [Fraction(i, 25) for i in range(19)]
    first = read_first_frame(tmp_path / "b.mp4").pixels.astype(int)
    assert np.abs(first - read_first_frame(clip, Fraction("0.44")).pixels).mean() < 2
    assert np.abs(first - read_first_frame(clip, Fraction("0.48")).pixels).mean() > 2.5
    if sound:
        whole, part = sound_packets(clip), sound_packets(tmp_path / "b.mp4")
        assert any(whole[i : i + len(part)] == part for i in range(len(whole)))
        assert abs(duration(tmp_path / "b.mp4", "audio") - Fraction("0.76")) < Fraction(1024, 44100)


def test_seeking_finds_the_same_frames_as_counting(tmp_path):
    clip = make_clip(tmp_path / "a.mp4", 40, options={"crf": "12", "g": "7", "bf": "2"})
    everything = list(read_frames(clip))
    for number in (0, 5, 6, 7, 8, 20, 39):
        found = read_first_frame(clip, everything[number].time)
        assert np.array_equal(found.pixels, everything[number].pixels)


@pytest.mark.parametrize(("name", "codec"), [("a.mpg", "mpeg2video"), ("a.ts", "libx264"), ("a.h264", "libx264"),
                                             ("a.avi", "mpeg4"), ("a.y4m", "rawvideo")])  # fmt: skip
def test_files_that_can_hardly_be_searched_give_the_same_frames(tmp_path, name, codec):
    clip = make_clip(tmp_path / name, 25, codec=codec, options={}, time_base=Fraction(1, 25))
    everything = list(read_frames(clip))
    start = everything[12].time
    found = list(read_frames(clip, start))
    assert len(everything) == 25
    assert len(found) == 13
    assert all(np.array_equal(a.pixels, b.pixels) for a, b in zip(everything[12:], found, strict=True))


# --- shape ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("degrees", [0, 90, 180, 270])
@pytest.mark.parametrize("mirrored", [False, True])
def test_turned_videos_come_out_upright(tmp_path, degrees, mirrored):
    pixels = np.full((64, 96, 3), 30, np.uint8)
    pixels[:32, :48] = (220, 40, 40)
    pixels[:32, 48:] = (40, 220, 40)
    clip = make_clip(tmp_path / "a.mp4", [pixels] * 3, turn=(degrees, mirrored, False))
    expected = np.rot90(pixels, degrees // 90)
    expected = expected[:, ::-1] if mirrored else expected
    shown = read_first_frame(clip)
    assert np.abs(shown.pixels.astype(int) - expected).mean() < 4
    info = probe(clip)
    assert (info.height, info.width) == expected.shape[:2]
    kept(clip, tmp_path / "b.mp4")
    assert np.abs(read_first_frame(tmp_path / "b.mp4").pixels.astype(int) - expected).mean() < 5
    assert probe(tmp_path / "b.mp4").rotation == 0


@pytest.mark.parametrize("size", [(97, 65), (96, 65), (97, 64), (17, 33)])
def test_odd_sizes_gain_a_row_or_column_that_repeats_its_neighbour(tmp_path, size):
    rows, columns = np.mgrid[0 : size[1], 0 : size[0]]
    pixels = np.stack([rows, columns + 20, rows + columns], 2).astype(np.uint8)
    clip = make_clip(tmp_path / "a.mkv", [pixels] * 2, codec="ffv1", layout="bgr0", options={})
    assert np.array_equal(read_first_frame(clip).pixels, pixels)
    kept(clip, tmp_path / "b.mp4", crf=1)
    shown = read_first_frame(tmp_path / "b.mp4").pixels.astype(int)
    assert shown.shape == (size[1] + size[1] % 2, size[0] + size[0] % 2, 3)
    assert np.abs(shown[: size[1], : size[0]] - pixels).mean() < 3
    if size[1] % 2:
        assert np.abs(shown[-1, : size[0]] - pixels[-1]).mean() < 6
    if size[0] % 2:
        assert np.abs(shown[: size[1], -1] - pixels[:, -1]).mean() < 6


def test_rgb_codecs_keep_odd_sizes_and_every_value(tmp_path):
    clip = make_clip(
        tmp_path / "a.mkv", [picture(i, 97, 65) for i in range(5)], codec="ffv1", layout="bgr0", options={}
    )
    kept(clip, tmp_path / "b.mkv", codec="ffv1", piece=2)
    for index, frame in enumerate(read_frames(tmp_path / "b.mkv")):
        assert np.array_equal(frame.pixels, picture(index, 97, 65))


def test_samples_that_are_not_square_become_square(tmp_path):
    clip = make_clip(tmp_path / "a.mp4", 3, aspect=Fraction(4, 3))
    assert (probe(clip).width, probe(clip).height) == (128, 64)
    assert read_first_frame(clip).pixels.shape == (64, 128, 3)


@pytest.mark.parametrize(("side", "shape"), [(32, (32, 48)), (64, (64, 96)), (500, (64, 96))])
def test_the_size_is_the_short_side_and_nothing_is_enlarged(tmp_path, side, shape):
    clip = make_clip(tmp_path / "a.mp4", 2)
    report = kept(clip, tmp_path / "b.mp4", side=side)
    assert (report.height, report.width) == shape
    assert read_first_frame(tmp_path / "b.mp4").pixels.shape[:2] == shape


# --- gif -----------------------------------------------------------------------------------------------------------


def test_a_gif_has_the_colours_and_times_of_the_video(tmp_path):
    clip = make_clip(
        tmp_path / "a.mkv", [picture(i, 97, 65) for i in range(10)], codec="ffv1", layout="bgr0", options={}
    )
    report = kept(clip, tmp_path / "b.gif", piece=4)
    frames = list(read_frames(tmp_path / "b.gif"))
    assert [frame.time for frame in frames] == [Fraction(4 * i, 100) for i in range(10)]
    for frame in frames:
        assert np.abs(frame.pixels.astype(int) - picture(frame.index, 97, 65)).mean() < 4
    assert report.duration == probe(tmp_path / "b.gif").seconds == Fraction(4, 10)
    assert not report.notes


def test_a_gif_shows_fifty_frames_a_second_at_most_and_no_sound(tmp_path):
    ticks = [i * 100 for i in range(40)]
    clip = make_clip(tmp_path / "a.mp4", 40, times=ticks, time_base=Fraction(1, 10000), last=100, sound="aac")
    report = kept(clip, tmp_path / "b.gif")
    assert report.notes == ("A GIF shows 50 frames per second at most: 20 were left out.", "A GIF holds no sound.")
    assert times(tmp_path / "b.gif") == [Fraction(2 * i, 100) for i in range(20)]


# --- damage --------------------------------------------------------------------------------------------------------


def damage(path: Path, kind: str, first: int, last: int) -> None:
    """Overwrite some packets of a stream with noise."""
    with av.open(str(path)) as container:
        packets = [packet for packet in container.demux(**{kind: 0}) if packet.size][first:last]
        places = [(packet.pos, packet.size) for packet in packets]
    data = bytearray(path.read_bytes())
    for start, size in places:
        data[start + 5 : start + size] = np.random.default_rng(start).bytes(size - 5)
    path.write_bytes(bytes(data))


def test_a_clip_goes_on_after_damage_in_the_middle(tmp_path):
    options = {"crf": "12", "g": "10", "preset": "ultrafast"}
    clip = make_clip(tmp_path / "a.mp4", 50, options=options)
    whole = list(read_frames(clip))
    damage(clip, "video", 22, 26)
    report = kept(clip, tmp_path / "b.mp4")
    assert any("damaged" in note for note in report.notes)
    assert all(is_one_sentence(note) for note in report.notes)
    shown = {frame.time: frame.pixels for frame in read_frames(tmp_path / "b.mp4")}
    assert report.duration == 2
    assert len(shown) >= 45
    for frame in (*whole[:20], *whole[30:]):
        assert np.abs(shown[frame.time].astype(int) - frame.pixels).mean() < 4


@pytest.mark.parametrize("suffix", [".mkv", ".ts"])
def test_a_clip_that_was_cut_off_is_painted_as_far_as_it_goes(tmp_path, suffix):
    clip = make_clip(tmp_path / f"a{suffix}", 40)
    data = clip.read_bytes()
    clip.write_bytes(data[: len(data) * 6 // 10])
    report = kept(clip, tmp_path / "b.mp4")
    assert 10 < report.frames < 40
    assert len(times(tmp_path / "b.mp4")) == report.frames


def test_damaged_sound_does_not_stop_the_pictures(tmp_path):
    clip = make_clip(tmp_path / "a.mp4", 30, sound="aac")
    damage(clip, "audio", 5, 12)
    assert kept(clip, tmp_path / "b.mp4").frames == 30
    assert kept(clip, tmp_path / "b.webm").frames == 30


# --- refusals ------------------------------------------------------------------------------------------------------


def refused(call, *arguments: object, **options: object) -> str:
    with pytest.raises(SelfieartError) as error:
        call(*arguments, **options)
    message = str(error.value)
    assert is_one_sentence(message), message
    return message


def test_what_is_no_video_is_refused_in_one_sentence(tmp_path):
    picture_file = write_photo(tmp_path / "a.png", picture(0))
    jpeg = write_photo(tmp_path / "b.jpg", picture(0))
    (tmp_path / "notes.txt").write_text("hello " * 500, "utf-8")
    (tmp_path / "empty.mp4").touch()
    (tmp_path / "noise.mp4").write_bytes(np.random.default_rng(0).bytes(20000))
    good = make_clip(tmp_path / "holiday.mp4", 5)
    (tmp_path / "half.mp4").write_bytes(good.read_bytes()[:-900])
    sound = tmp_path / "tone.wav"
    with wave.open(str(sound), "wb") as file:
        file.setparams((1, 2, 8000, 0, "NONE", ""))
        file.writeframes(b"\0" * 8000)
    for path, words in (
        (picture_file, "is no video but a picture: use `selfieart photo`"),
        (jpeg, "is no video but a picture"),
        (tmp_path / "notes.txt", "no video"),
        (tmp_path / "empty.mp4", "is empty, 0 bytes"),
        (tmp_path / "noise.mp4", "no video that can be read"),
        (tmp_path / "half.mp4", "is damaged, cut off"),
        (sound, "holds only sound"),
        (tmp_path, "is a folder"),
        (tmp_path / "holidey.mp4", "did you mean"),
        (tmp_path / "nowhere" / "x.mp4", "does not exist"),
    ):
        for call in (probe, read_first_frame, lambda p: kept(p, tmp_path / "out.mp4")):
            assert words in refused(call, path)
    assert not (tmp_path / "out.mp4").exists()


def test_frames_that_a_codec_cannot_hold(tmp_path):
    clip = make_clip(tmp_path / "a.mkv", [picture(0, 3, 5)], codec="ffv1", layout="bgr0", options={})
    assert "Frames of 3 x 5 pixels cannot be encoded" in refused(kept, clip, tmp_path / "b.mp4", codec="h265")
    assert not (tmp_path / "b.mp4").exists()
    assert kept(clip, tmp_path / "b.mp4").frames == 1


def test_a_playlist_reaches_for_nothing(tmp_path):
    (tmp_path / "list.m3u8").write_text(
        "#EXTM3U\n#EXT-X-TARGETDURATION:9\n#EXTINF:9,\nhttp://127.0.0.1:9/a.ts\n#EXT-X-ENDLIST\n", "utf-8"
    )
    refused(probe, tmp_path / "list.m3u8")


@pytest.mark.parametrize(("target", "options", "words"), [
    ("a.mp4", {"overwrite": True}, "is the video itself"),
    ("old.mp4", {}, "already exists"),
    ("b.mp5", {}, "did you mean '.mp4'"),
    ("b", {}, "has no suffix"),
    ("no/b.mp4", {}, "create that folder first"),
    ("b.webm", {"codec": "h264"}, "does not hold h264"),
    ("b.mp4", {"codec": "vp99"}, "did you mean 'vp9'"),
    ("b.mp4", {"crf": 52}, "from 0 (best) to 51"),
    ("b.gif", {"crf": 3}, "no quality to choose"),
    ("b.mp4", {"side": 3}, "at least 16 pixels"),
    ("b.mp4", {"start": Fraction(9)}, "it lasts 0.20 seconds"),
    ("b.mp4", {"start": Fraction(2), "end": Fraction(1)}, "must come after the start"),
])  # fmt: skip
def test_outputs_that_make_no_sense_are_refused_before_any_work(tmp_path, target, options, words):
    clip = make_clip(tmp_path / "a.mp4", 5)
    (tmp_path / "old.mp4").write_bytes(b"mine")
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    painter = Keeper()
    assert words in refused(paint_video, clip, tmp_path / target, painter, VideoOptions(**options))
    assert not painter.seen
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before


def test_nothing_heavy_is_imported_before_it_is_asked_for():
    program = "import sys, selfieart.video; print({'av', 'cv2', 'onnxruntime'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"
