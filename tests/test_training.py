from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from selfieart.training import presets
from selfieart.training.evaluate import content_distance, gram, style_distance
from selfieart.training.presets import PresetTraining, light_error, moments, pooled_moments, quarters, train_presets
from selfieart.training.teacher import Teacher

TINY = PresetTraining(steps=3, crop=64, batch=2, style_size=64, largest_content=80, warm_up=1, save_every=1)


@pytest.fixture
def data(tmp_path: Path) -> dict[str, Path]:
    rng = np.random.default_rng(0)
    for folder in ("styles", "photos"):
        (tmp_path / folder).mkdir()
        for name in "ab":
            coarse = rng.integers(0, 256, (12, 12, 3), np.uint8)
            cv2.imwrite(str(tmp_path / folder / f"{name}.png"), cv2.resize(coarse, (96, 96)))
    torch.manual_seed(1)
    save_file(Teacher().state_dict(), tmp_path / "teacher.safetensors")
    return {name: tmp_path / name for name in ("styles", "photos", "teacher.safetensors")} | {"root": tmp_path}


def run(data: dict[str, Path], out: Path) -> dict[str, torch.Tensor]:
    styles = sorted(data["styles"].iterdir())
    train_presets(styles, [data["photos"]], data["teacher.safetensors"], out, TINY)
    return load_file(out)


def test_a_killed_run_goes_on_to_the_same_weights(data, monkeypatch):
    whole = run(data, data["root"] / "whole.safetensors")
    write, calls = presets.write_half, []

    def killed(tensors: dict[str, torch.Tensor], out: Path) -> None:
        calls.append(out)
        if len(calls) == 3:
            raise KeyboardInterrupt
        write(tensors, out)

    monkeypatch.setattr(presets, "write_half", killed)
    with pytest.raises(KeyboardInterrupt):
        run(data, data["root"] / "killed.safetensors")
    monkeypatch.setattr(presets, "write_half", write)
    resumed = run(data, data["root"] / "killed.safetensors")
    assert whole.keys() == resumed.keys()
    assert all(torch.equal(whole[key], resumed[key]) for key in whole)
    assert whole["codes"].shape[0] == 2


def test_moments_of_quarters_pool_to_those_of_the_whole():
    x = torch.randn(3, 5, 8, 12, generator=torch.Generator().manual_seed(0)) + 2
    mean, cov = pooled_moments(*moments(quarters(x)))
    flat = x.flatten(2).double()
    for index in range(3):
        np.testing.assert_allclose(mean[index], flat[index].mean(1), atol=1e-5)
        np.testing.assert_allclose(cov[index], torch.cov(flat[index], correction=0), atol=1e-5)


def test_light_seen_from_afar_ignores_contrast_and_texture():
    x = torch.rand(2, 3, 64, 64, generator=torch.Generator().manual_seed(0))
    texture = torch.tensor([0.1, -0.1]).repeat(32)
    assert float(light_error(x * 0.5 + 0.2 + texture, x)) < 1e-3
    assert float(light_error(1 - x, x)) > 1


def test_distances_are_zero_to_oneself_and_one_to_nothing():
    generator = torch.Generator().manual_seed(0)
    layers = ("vgg1_1", "vgg2_1", "vgg3_1", "vgg4_1", "vgg5_1", "relu4_2")
    features = {layer: torch.rand(1, 4, 6, 5, generator=generator) for layer in layers}
    nothing = {layer: torch.zeros_like(value) for layer, value in features.items()}
    assert style_distance(features, features) == content_distance(features, features) == 0
    assert style_distance(nothing, features) == pytest.approx(1)
    assert content_distance(nothing, features) == pytest.approx(1)
    flat = features["vgg1_1"][0].flatten(1).double()
    np.testing.assert_allclose(gram(features["vgg1_1"]), flat @ flat.T / (4 * 30), rtol=1e-5)
