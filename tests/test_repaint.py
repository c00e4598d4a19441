"""Looks painted by the methods that optimise, through Studio and command line."""

from __future__ import annotations

import json

import cv2
import numpy as np
import pytest
import torch

from selfieart import Look, SegmentLook
from selfieart.cli import main
from selfieart.methods.registry import METHODS, load_method, options_from
from selfieart.methods.repaint import grown, repaint_with, style_picture
from selfieart.networks.encoder import Encoder


@pytest.fixture(scope="module")
def encoder() -> Encoder:
    torch.manual_seed(0)
    return Encoder().eval().requires_grad_(False)


def test_half_worn_places_are_painted_all_over():
    regions = torch.tensor([[[0.0, 0.25, 0.5, 0.3, 1.0]], [[0.0, 0.0, 0.0, 0.5, 0.0]]])
    masks = grown(regions)
    assert torch.allclose(masks.sum(0), torch.ones(1, 5))
    assert masks[-1, 0].tolist() == pytest.approx([1, 0.5, 0, 0, 0], abs=1e-5)
    assert float(masks[0, 0, 3] / masks[1, 0, 3]) == pytest.approx(0.6)


@pytest.mark.parametrize("name", METHODS)
def test_a_method_paints_what_is_worn_and_nothing_else(studio, astronaut, encoder, name, tmp_path):
    picture = tmp_path / "strokes.png"
    cv2.imwrite(str(picture), np.random.default_rng(0).integers(0, 255, (64, 80, 3), np.uint8))
    portrait = studio.open(astronaut[20:200, 120:300])
    look = Look({"background": SegmentLook(str(picture)), "hair": SegmentLook("candy")}, tau=float("inf"))
    options = options_from(name, {"side": 64, "iterations": 3, "scales": 1})
    art = portrait.render(look, repaint=repaint_with(load_method(name, encoder), options, portrait, look))
    changed = np.abs(art.pixels.astype(int) - portrait.photo.pixels).max(-1) > 0
    masks = portrait.parsing().masks(float("inf"), (180, 180))
    assert changed[(masks[0] + masks[13]) == 1].mean() > 0.8
    assert changed[60:120, 70:110].mean() < 0.3
    again = portrait.render(look, repaint=repaint_with(load_method(name, encoder), options, portrait, look))
    assert np.array_equal(art.pixels, again.pixels)


def test_the_picture_of_a_style(studio, astronaut, tmp_path):
    portrait = studio.open(astronaut[:128, 130:290])
    path = tmp_path / "wide.png"
    pixels = np.random.default_rng(0).integers(0, 255, (30, 2048, 3), np.uint8)
    cv2.imwrite(str(path), pixels)
    assert style_picture(portrait, str(path), Look()).shape == (3, 15, 1024)
    painted = style_picture(portrait, "candy", Look())
    assert torch.equal(painted, torch.from_numpy(portrait.layer("candy").picture))


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (("--style", "hair=candy", "--method", "gatis"), "did you mean 'gatys'?"),
        (("--style", "hair=blur", "--method", "gatys"), "nothing to paint"),
        (("--style", "hair=candy", "--method", "gatys", "--features", "vgg19"), "need a file of weights"),
        (("--style", "hair=candy", "--method", "gatys", "--features", "vgg"), "did you mean 'vgg19'?"),
    ],
)
def test_mistakes_of_the_command_line(tmp_path, capsys, options, says):
    path = tmp_path / "me.png"
    cv2.imwrite(str(path), np.full((64, 64, 3), 90, np.uint8))
    with pytest.raises(SystemExit) as stop:
        main(["photo", str(path), *options])
    assert stop.value.code == 2
    assert says in capsys.readouterr().err
    assert [entry.name for entry in tmp_path.iterdir()] == ["me.png"]


def test_the_command_line_paints_with_the_packaged_features(tmp_path, capsys, astronaut):
    path = tmp_path / "me.png"
    cv2.imwrite(str(path), cv2.cvtColor(astronaut[40:168, 140:268], cv2.COLOR_RGB2BGR))
    target = str(tmp_path / "art.png")
    with pytest.raises(SystemExit) as stop:
        main(["photo", str(path), "--style", "wave", "--method", "gatys", "--iterations", "16", "--json", "-o", target])
    assert stop.value.code == 0
    result = json.loads(capsys.readouterr().out)
    art = cv2.imread(str(tmp_path / "art.png"))
    assert (result["width"], result["height"]) == art.shape[1::-1] == (128, 128)
    assert np.abs(art.astype(int) - cv2.imread(str(path))).mean() > 3
