"""Methods side by side: the measures they are judged by, the sheet, the commands."""

from __future__ import annotations

import json

import cv2
import numpy as np
import pytest
import torch

from selfieart.cli import main
from selfieart.errors import SelfieartError
from selfieart.evaluation.comparison import Painted, comparison_sheet, means
from selfieart.evaluation.methods import paint_with_methods
from selfieart.evaluation.pictures import read_at
from selfieart.evaluation.portrait_aware import VARIANTS, foreground_similarity, style_distance_where
from selfieart.imaging.arrays import as_picture
from selfieart.methods.portrait_aware import PortraitAwareOptions
from selfieart.metrics.distances import style_distance
from selfieart.metrics.similarity import ssim
from selfieart.networks.encoder import STYLE_LAYERS, Encoder


@pytest.fixture(scope="module")
def encoder() -> Encoder:
    torch.manual_seed(0)
    return Encoder().eval().requires_grad_(False)


def run(*arguments: str) -> int:
    with pytest.raises(SystemExit) as stop:
        main(["evaluate", *arguments])
    return int(stop.value.code or 0)


@pytest.fixture
def files(tmp_path, astronaut):
    photo, painting = tmp_path / "me.png", tmp_path / "strokes.png"
    cv2.imwrite(str(photo), cv2.cvtColor(astronaut[20:200, 120:300], cv2.COLOR_RGB2BGR))
    cv2.imwrite(str(painting), np.random.default_rng(0).integers(0, 255, (96, 120, 3), np.uint8))
    return photo, painting


def _result(method: str, photo: str, value: int, **scores: float) -> Painted:
    flat = np.full((40, 40, 3), value, np.uint8)
    return Painted(method, photo, "waves", flat, flat, flat, scores)


def test_style_distance_of_a_whole_picture_is_the_plain_one(encoder):
    torch.manual_seed(1)
    with torch.inference_mode():
        seen, wanted = (encoder(torch.rand(1, 3, 64, 80), STYLE_LAYERS) for _ in range(2))
    found = style_distance_where(torch.ones(64, 80), seen, wanted)
    assert found == pytest.approx(style_distance(seen, wanted), rel=1e-5)
    assert style_distance_where(torch.ones(64, 80), wanted, wanted) == pytest.approx(0, abs=1e-9)


def test_what_lies_outside_the_region_does_not_count(encoder):
    torch.manual_seed(1)
    with torch.inference_mode():
        seen, wanted = (encoder(torch.rand(1, 3, 64, 64), STYLE_LAYERS) for _ in range(2))
    mask = torch.zeros(64, 64)
    mask[:, :32] = 1
    changed = {layer: features.clone() for layer, features in seen.items()}
    for features in changed.values():
        features[..., features.shape[-1] // 2 :] += 1
    assert style_distance_where(mask, changed, wanted) == pytest.approx(style_distance_where(mask, seen, wanted))


def test_means_are_by_method():
    results = [_result("a", "x", 0, ssim=0.2), _result("b", "x", 0, ssim=1.0), _result("a", "y", 0, ssim=0.6)]
    assert means(results) == {"a": {"ssim": pytest.approx(0.4)}, "b": {"ssim": 1.0}}


def test_the_sheet_has_a_row_for_each_photo_and_style():
    results = [_result(method, photo, 60 if photo == "x" else 200) for photo in "xy" for method in ("a", "b", "c")]
    page = comparison_sheet(results, cell=40)
    middle = page[:, page.shape[1] - 30]
    assert (middle == 60).all(-1).sum() == 40
    assert (middle == 200).all(-1).sum() == 40
    assert sum((page == value).all(-1).sum() for value in (60, 200)) == 10 * 40 * 40


def test_all_variants_are_measured_where_the_person_is(files, studio, encoder):
    photo, painting = files
    options = PortraitAwareOptions(side=96, iterations=3, scales=1)
    told: list[float] = []
    results = foreground_similarity(
        [photo], [painting], encoder, studio.parser, options, lambda stage, done: told.append(done)
    )
    assert [one.method for one in results] == list(VARIANTS)
    assert told == sorted(told)
    assert told[-1] == 1.0
    content = read_at(photo, 96)
    person = 1 - studio.parser.parse(content).masks(3.0, (96, 96))[0]
    for one in results:
        assert one.scores["ssim"] == pytest.approx(ssim(content, as_picture(one.pixels), person), abs=5e-3)
        assert one.scores["background"] > 0
    assert len({one.pixels.tobytes() for one in results}) == 3


def test_a_photo_without_a_person_is_refused(tmp_path, files, studio, encoder):
    wall = tmp_path / "wall.png"
    cv2.imwrite(str(wall), np.full((96, 96, 3), 128, np.uint8))
    with pytest.raises(SelfieartError, match=r"wall\.png shows no person"):
        foreground_similarity([wall], [files[1]], encoder, studio.parser, PortraitAwareOptions(side=96, iterations=1))


def test_methods_side_by_side_are_what_the_studio_paints(files, studio):
    results = paint_with_methods(studio, [files[0]], ["candy", "wave"], ["instant"], lambda *_: None, side=120)
    assert [(one.photo, one.style, one.method) for one in results] == [("me", s, "instant") for s in ("candy", "wave")]
    assert not np.array_equal(results[0].pixels, results[1].pixels)
    assert results[0].pixels.shape == results[0].content.shape == (120, 120, 3)


def test_the_table_from_the_command_line(files, tmp_path, capsys):
    photo, painting = map(str, files)
    command = ["portrait-aware", "--photo", photo, "--style", painting, "--side", "96"]
    sheet = tmp_path / "sheet.png"
    assert run(*command, "--iterations", "2", "--sheet", str(sheet), "--json") == 0
    out = json.loads(capsys.readouterr().out)
    assert set(out["mean"]) == set(VARIANTS)
    assert out["mean"]["gatys"]["ssim"] == pytest.approx(out["cases"][0]["ssim"])
    assert cv2.imread(str(sheet)).shape[1] > 5 * 224
    assert run(*command, "--sheet", str(sheet)) == 2
    assert "sheet.png" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("options", "says"),
    [(("--style", "candy", "--method", "gatis"), "did you mean 'gatys'?"), (("--style", "blur"), "is not painted")],
)
def test_mistakes_in_a_sheet_of_methods(files, tmp_path, capsys, options, says):
    assert run("methods", "--photo", str(files[0]), "--sheet", str(tmp_path / "s.png"), *options) == 2
    assert says in capsys.readouterr().err


def test_a_sheet_of_methods_from_the_command_line(files, tmp_path):
    sheet = tmp_path / "s.png"
    command = ["methods", "--photo", str(files[0]), "--style", "candy", "--method", "instant", "--method", "gatys"]
    assert run(*command, "--side", "96", "--iterations", "2", "--sheet", str(sheet)) == 0
    assert cv2.imread(str(sheet)).shape[1] > 4 * 224
