"""How steadiness is measured, and that painting steadily is steady."""

from __future__ import annotations

import json
import math

import av
import cv2
import numpy as np
import pytest

from conftest import is_one_sentence
from selfieart.cli import main
from selfieart.errors import SelfieartError
from selfieart.evaluation.video import Steadiness, evaluate_clip, high_pass_energy, warping_error
from selfieart.video.painter import VideoPainter
from video_frames import TWO, bilinear, clip, constant, look


def test_steadiness_steadies(studio, astronaut):
    """A still scene seen by a noisy camera: the noise of the strokes falls, their strength does not."""
    rng = np.random.default_rng(0)
    base = cv2.resize(astronaut[:384, :480], (120, 96), interpolation=cv2.INTER_AREA).astype(float)
    frames = clip(*[(base + rng.normal(0, 2, base.shape)).clip(0, 255).astype(np.uint8) for _ in range(6)])
    painters = {
        "frame by frame": VideoPainter(studio, look(TWO), 0, 1),
        "steady": VideoPainter(studio, look(TWO)),
    }
    rows = evaluate_clip(frames, painters)
    assert rows["steady"]["e_warp"] < 0.4 * rows["frame by frame"]["e_warp"]
    assert 0.95 < rows["steady"]["high_pass_ratio"] < 1.05
    assert rows["steady"]["mask_miou"] >= rows["frame by frame"]["mask_miou"]


def test_the_warping_error_of_a_shifted_clip(texture):
    height, width = texture.shape[:2]
    shifted = np.roll(texture, (1, 3), (0, 1))
    seen = np.zeros((height, width), bool)
    seen[5:-5, 5:-5] = True
    flow = constant((3, 1), height, width)
    assert warping_error(texture, shifted, flow, seen) == 0
    assert warping_error(texture, texture, constant((0, 0), height, width), seen) == 0
    darker = np.clip(shifted, 51, 255) - 51
    bright = np.clip(texture, 51, 255)
    assert warping_error(bright, darker, flow, seen) == pytest.approx(3 * 0.2**2, rel=1e-5)
    assert math.isnan(warping_error(texture, shifted, flow, ~seen & seen))


def test_the_warping_error_by_the_formula():
    rng = np.random.default_rng(2)
    before, after = rng.integers(0, 256, (2, 12, 15, 3), np.uint8)
    flow = (rng.integers(-4, 5, (12, 15, 2)) / 4).astype(np.float32)
    seen = rng.random((12, 15)) > 0.4
    total = 0.0
    for y, x in zip(*np.nonzero(seen), strict=True):
        there = bilinear(after.astype(float), x + flow[y, x, 0], y + flow[y, x, 1])
        total += (((there - before[y, x]) / 255) ** 2).sum()
    assert warping_error(before, after, flow, seen) == pytest.approx(total / seen.sum(), rel=1e-5)


def test_the_stability_of_masks():
    pixels = np.zeros((40, 60, 3), np.uint8)
    flow, seen = constant((4, 0), 40, 60), np.ones((40, 60), bool)
    seen[:, -5:] = False
    labels = np.zeros((20, 30), np.uint8)
    labels[5:15, 10:20] = 7
    steady, other = Steadiness(), Steadiness()
    for scores, second in ((steady, np.roll(labels, 2, 1)), (other, labels)):
        scores.add(pixels, labels)
        scores.add(pixels, second, (flow, seen))
    assert steady.as_dict()["mask_miou"] == 1
    # Without moving along, 8 of 10 columns agree: 80 of 120, and of the background 27 * 20 - 120 of 27 * 20 - 80.
    assert other.as_dict()["mask_miou"] == pytest.approx((80 / 120 + (540 - 120) / (540 - 80)) / 2, abs=0.02)


def test_high_pass_energy_tells_blur():
    rng = np.random.default_rng(0)
    noise = rng.integers(0, 256, (64, 64, 3), np.uint8)
    assert high_pass_energy(np.full((64, 64, 3), 90, np.uint8)) == 0
    assert high_pass_energy(cv2.GaussianBlur(noise, (0, 0), 2)) < 0.3 * high_pass_energy(noise)


def test_a_clip_without_frames(studio):
    with pytest.raises(SelfieartError, match="no frames"):
        evaluate_clip([], {})


def test_a_clip_of_one_frame(studio, person):
    rows = evaluate_clip(clip(person), {"frame by frame": VideoPainter(studio, look(TWO), 0, 1)})
    assert rows["input"]["e_warp"] == 0
    assert rows["frame by frame"]["excess"] == 0


def test_evaluate_counts_the_style_distance(studio, moving):
    painters = {"frame by frame": VideoPainter(studio, look(TWO), 0, 1), "steady": VideoPainter(studio, look(TWO))}
    rows = evaluate_clip(moving[:2], painters, judge=lambda pixels: 2.0)
    assert rows["steady"]["style_distance_ratio"] == 1
    assert "style_distance" not in rows["input"]


@pytest.fixture
def clip_file(tmp_path, person):
    """Four frames as a video."""
    path = tmp_path / "me.mp4"
    with av.open(str(path), "w") as out:
        stream = out.add_stream("libx264", rate=10)
        stream.width, stream.height, stream.pix_fmt = 120, 96, "yuv420p"
        for i in range(4):
            pixels = np.ascontiguousarray(np.roll(person, i, 1))
            out.mux(stream.encode(av.VideoFrame.from_ndarray(pixels, "rgb24")))
        out.mux(stream.encode(None))
    return path


def test_evaluate_from_the_command_line(clip_file, tmp_path, capsys):
    file = tmp_path / "look.toml"
    look(TWO).save(file)
    command = ["evaluate", "video", str(clip_file), "--look", str(file), "--frames", "3"]
    with pytest.raises(SystemExit) as done:
        main([*command, "--json"])
    assert not done.value.code
    (rows,) = json.loads(capsys.readouterr().out)["clips"].values()
    assert set(rows) == {"input", "frame by frame", "steady"}
    assert rows["steady"]["excess"] == pytest.approx(rows["steady"]["e_warp"] - rows["input"]["e_warp"])
    with pytest.raises(SystemExit) as done:
        main(command)
    assert not done.value.code
    assert "frame by frame" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ([], "Nothing to paint"),
        (["--style", "candy", "--teacher", "t.safetensors"], "give both --teacher and --paintings"),
        (["--style", "grey", "--teacher", "t", "--paintings", "p"], "wears no painting"),
        (["--style", "candy", "--teacher", "t", "--paintings", "p"], "t does not exist"),
        (["--style", "candy", "--steadiness", "2"], "steadiness must be"),
        (["--style", "candy", "--parse-every", "x"], "parse_every must be"),
    ],
)
def test_evaluate_refuses(clip_file, options, message, capsys):
    with pytest.raises(SystemExit) as done:
        main(["evaluate", "video", str(clip_file), *options])
    assert done.value.code == 2
    error = capsys.readouterr().err
    assert message in error
    assert is_one_sentence(error.strip())
