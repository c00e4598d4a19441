"""Colours of videos: matrices, ranges, high dynamic range, depths and transparency."""

from __future__ import annotations

from fractions import Fraction

import av
import numpy as np
import pytest

from selfieart.video.io.colors import usual_matrix
from selfieart.video.io.hdr import PEAK, SDR_WHITE, knee
from selfieart.video.io.reading import read_first_frame, read_frames
from video_clips import make_clip, planar, yuv_of
from video_runs import kept

LOSSLESS = {"qp": "0", "preset": "ultrafast"}
PATCHES = [(200, 60, 30), (20, 160, 240), (128, 128, 128), (250, 250, 250), (5, 90, 12)]


@pytest.mark.parametrize("full", [False, True], ids=["limited", "full"])
@pytest.mark.parametrize("matrix", [1, 5, 6, 7])
def test_matrix_and_range_are_read_from_the_tags(tmp_path, matrix, full):
    tags = (matrix, 2 if full else 1, 1, 1)
    frames = [planar(yuv_of(rgb, matrix, full), "yuv444p") for rgb in PATCHES]
    clip = make_clip(tmp_path / "a.mp4", frames, layout="yuv444p", options=LOSSLESS, tags=tags)
    for rgb, frame in zip(PATCHES, read_frames(clip), strict=True):
        assert np.abs(frame.pixels.astype(int) - rgb).max() <= 2, rgb


@pytest.mark.parametrize("matrix", [1, 6])
def test_what_is_written_has_the_tags_of_the_original_and_the_numbers_they_ask_for(tmp_path, matrix):
    tags = (matrix, 1, matrix, matrix)
    frames = [planar(yuv_of(rgb, matrix), "yuv420p") for rgb in PATCHES]
    clip = make_clip(tmp_path / "a.mp4", frames, options=LOSSLESS, tags=tags)
    kept(clip, tmp_path / "b.mp4", crf=0)
    with av.open(str(tmp_path / "b.mp4")) as container:
        for rgb, frame in zip(PATCHES, container.decode(video=0), strict=True):
            assert (frame.colorspace, frame.color_range, frame.color_primaries, frame.color_trc) == tags
            codes = [np.frombuffer(plane, np.uint8)[5] for plane in frame.planes]
            assert np.abs(codes - yuv_of(rgb, matrix)).max() <= 1.5, rgb


def test_full_range_is_written_as_limited_and_looks_the_same(tmp_path):
    frames = [planar(yuv_of(rgb, 6, True), "yuv420p") for rgb in PATCHES]
    clip = make_clip(tmp_path / "a.mp4", frames, options=LOSSLESS, tags=(6, 2, 6, 6))
    kept(clip, tmp_path / "b.mp4", crf=0)
    for rgb, frame in zip(PATCHES, read_frames(tmp_path / "b.mp4"), strict=True):
        assert np.abs(frame.pixels.astype(int) - rgb).max() <= 3, rgb


def test_a_video_without_tags_counts_as_players_have_it(tmp_path):
    assert [usual_matrix(*size) for size in ((640, 480), (720, 576), (1280, 720), (1920, 1080))] == [6, 6, 1, 1]
    clip = make_clip(tmp_path / "a.mp4", [planar(yuv_of((200, 60, 30), 6), "yuv420p")], options=LOSSLESS)
    assert np.abs(read_first_frame(clip).pixels.astype(int) - (200, 60, 30)).max() <= 2


def pq(nits: float) -> float:
    power = (nits / 10000) ** 0.1593017578125
    return ((0.8359375 + 18.8515625 * power) / (1 + 18.6875 * power)) ** 78.84375


def deep_grey(code: float) -> av.VideoFrame:
    return planar((64 + 876 * code, 512, 512), "yuv420p10le")


@pytest.mark.parametrize("nits", [1, 10, 50, 120])
def test_hdr_below_the_knee_keeps_its_light(tmp_path, nits):
    clip = make_clip(
        tmp_path / "a.mkv", [deep_grey(pq(nits))], codec="ffv1", layout="yuv420p10le", options={}, tags=(9, 1, 9, 16),
        time_base=Fraction(1, 1000),
    )  # fmt: skip
    assert np.abs(read_first_frame(clip).pixels - 255 * (nits / SDR_WHITE) ** (1 / 2.4)).max() <= 2
    report = kept(clip, tmp_path / "b.mp4")
    assert report.notes == ("The video has more brightness or colours than an ordinary screen: converted to BT.709.",)
    with av.open(str(tmp_path / "b.mp4")) as container:
        frame = next(container.decode(video=0))
    assert (frame.colorspace, frame.color_primaries, frame.color_trc) == (1, 1, 1)


def test_hlg_white_is_white_and_agrees_with_pq(tmp_path):
    codes = [(0.75, 18, SDR_WHITE), (0.5, 18, 50.3)]
    for code, transfer, nits in codes:
        pictures = [deep_grey(code), deep_grey(pq(nits))]
        shades = []
        for frame, trc in zip(pictures, (transfer, 16), strict=True):
            clip = make_clip(
                tmp_path / f"{trc}.mkv", [frame], codec="ffv1", layout="yuv420p10le", options={}, tags=(9, 1, 9, trc),
                time_base=Fraction(1, 1000),
            )  # fmt: skip
            shades.append(int(read_first_frame(clip).pixels[5, 5, 1]))
        assert abs(shades[0] - shades[1]) <= 2


def test_highlights_are_compressed_without_a_step():
    light = np.linspace(0, PEAK / SDR_WHITE, 5000, dtype=np.float32)
    shown = knee(light)
    assert np.array_equal(shown[light <= 0.7], light[light <= 0.7])
    assert (np.diff(shown) > 0).all()
    assert shown[-1] == pytest.approx(1, abs=1e-6)
    slopes = np.diff(shown) / np.diff(light)
    assert np.abs(np.diff(slopes)).max() < 0.01


def test_ten_bits_become_eight(tmp_path):
    codes = [(4 * value) for value in yuv_of((200, 60, 30), 1)]
    clip = make_clip(
        tmp_path / "a.mkv", [planar(codes, "yuv420p10le")], codec="ffv1", layout="yuv420p10le", options={},
        tags=(1, 1, 1, 1), time_base=Fraction(1, 1000),
    )  # fmt: skip
    assert np.abs(read_first_frame(clip).pixels.astype(int) - (200, 60, 30)).max() <= 2


def test_transparency_is_laid_over_white(tmp_path):
    pixels = np.full((48, 64, 4), (200, 60, 30, 255), np.uint8)
    pixels[:24, :, 3] = 51
    frame = av.VideoFrame.from_ndarray(pixels, format="rgba").reformat(format="bgra")
    clip = make_clip(tmp_path / "a.mkv", [frame], codec="ffv1", layout="bgra", options={}, time_base=Fraction(1, 1000))
    shown = read_first_frame(clip).pixels
    assert shown[40, 5].tolist() == [200, 60, 30]
    assert shown[5, 5].tolist() == [244, 216, 210]
    assert kept(clip, tmp_path / "b.mp4").notes == ("Transparent parts were laid over white.",)
