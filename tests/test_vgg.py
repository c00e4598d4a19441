"""A VGG-19 of the user's own: read from files, equal to torchvision's, and optimised against."""

from __future__ import annotations

import math

import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from conftest import wrong
from optimise_pictures import portrait, stripes_and_spots
from selfieart.errors import WeightsError
from selfieart.methods.gatys import Gatys, GatysOptions
from selfieart.methods.losses import VGG_CHANNELS
from selfieart.methods.portrait_aware import COARSE_LAYERS, FINE_LAYERS
from selfieart.networks.encoder import CONTENT_LAYER, LAYERS, STEPS
from selfieart.networks.vgg import Vgg19, load_vgg19

QUICK = {"side": 48, "scales": 1, "iterations": 4}


@pytest.fixture(scope="module")
def content(astronaut) -> torch.Tensor:
    """A portrait (3, 48, 64)."""
    return portrait(astronaut, 260, (48, 64))


@pytest.fixture(scope="module")
def styles() -> list[torch.Tensor]:
    """Stripes (3, 40, 60) and spots (3, 70, 50) in different colours."""
    return stripes_and_spots()


NARROW = (2, 3, 4, 5, 6)


def torchvision_state(widths: tuple[int, ...]) -> dict[str, torch.Tensor]:
    """Random weights under the keys of torchvision's vgg19, the unused ones too."""
    torch.manual_seed(2)
    plan = [w for w, n in zip(widths, (2, 2, 4, 4, 4), strict=True) for w in (*[w] * n, 0)]
    state, place, inputs = {}, 0, 3
    for width in plan:
        if width:
            state[f"features.{place}.weight"] = torch.randn(width, inputs, 3, 3) * (2 / 9 / inputs) ** 0.5
            state[f"features.{place}.bias"] = torch.randn(width) * 0.1
            inputs = width
        place += 2 if width else 1
    return {**state, "classifier.0.weight": torch.zeros(4, 4), "classifier.0.bias": torch.zeros(4)}


def torchvision_network(state: dict[str, torch.Tensor]) -> nn.Sequential:
    """The features of torchvision's vgg19 as its documentation lists them, 37 modules in a row."""
    modules: list[nn.Module] = []
    for stage in (2, 2, 4, 4, 4):
        for _ in range(stage):
            weight = state[f"features.{len(modules)}.weight"]
            modules += [nn.Conv2d(weight.shape[1], weight.shape[0], 3, padding=1), nn.ReLU()]
        modules.append(nn.MaxPool2d(2))
    network = nn.Sequential(*modules)
    network.load_state_dict({k.removeprefix("features."): v for k, v in state.items() if k.startswith("features.")})
    return network


@pytest.mark.parametrize("ending", [".pth", ".safetensors"])
def test_vgg19_is_torchvisions(tmp_path, ending, picture):
    state = torchvision_state(NARROW)
    assert {"features.28.weight", "features.34.bias"} <= set(state)
    path = tmp_path / f"vgg{ending}"
    save_file(state, path) if ending == ".safetensors" else torch.save(state, path)
    net = load_vgg19(path, NARROW)
    assert not any(parameter.requires_grad for parameter in net.parameters())
    picture = torch.from_numpy(picture)
    mean, std = torch.tensor([0.485, 0.456, 0.406]), torch.tensor([0.229, 0.224, 0.225])
    x = ((picture - mean[:, None, None]) / std[:, None, None])[None]
    found = net(picture[None], LAYERS)
    ends = {"relu1_1": 1, "relu2_1": 6, "relu3_1": 11, "relu4_1": 20, "relu4_2": 22, "relu5_1": 29}
    with torch.no_grad():
        for place, module in enumerate(torchvision_network(state)):
            x = module(x)
            for layer, end in ends.items():
                if place == end:
                    assert torch.allclose(found[layer], x, atol=1e-5), layer
                    assert net.channels(layer) == x.shape[1]
                    assert x.shape[-1] == picture.shape[-1] // STEPS[layer]
    assert list(net(picture[None], ["relu2_1"])) == ["relu2_1"]


def test_the_full_vgg19_has_the_published_shapes():
    with torch.device("meta"):
        net = Vgg19()
    state = net.state_dict()
    assert len(state) == 26
    assert state["features.0.weight"].shape == (64, 3, 3, 3)
    assert state["features.28.weight"].shape == (512, 512, 3, 3)
    assert sum(tensor.numel() for tensor in state.values()) == 12_944_960
    assert {layer: net.channels(layer) for layer in LAYERS} == VGG_CHANNELS
    assert {*COARSE_LAYERS, *FINE_LAYERS, CONTENT_LAYER} <= set(VGG_CHANNELS)


def test_files_that_are_not_vgg19(tmp_path):
    state = torchvision_state(NARROW)
    path = tmp_path / "x.pth"

    def refused(message: str, given: object) -> None:
        torch.save(given, path)
        wrong(message, load_vgg19, path, NARROW, error=WeightsError)

    wrong("There is no file", load_vgg19, tmp_path / "none.pth", error=WeightsError)
    refused("'features.5.weight' is missing", {k: v for k, v in state.items() if not k.startswith("features.5.")})
    refused(r"'features.0.weight' is \(9, 3, 3, 3\)", {**state, "features.0.weight": torch.zeros(9, 3, 3, 3)})
    refused("'features.0.bias' is int", {**state, "features.0.bias": 3})
    refused("'features.0.bias' is not finite", {**state, "features.0.bias": torch.full((2,), math.nan)})
    refused("holds no table", [1, 2])
    refused("read safely", {"features.0.weight": nn.Conv2d(3, 2, 3)})  # an object, whose pickle could run code
    for name in ("x.pth", "x.safetensors"):
        (tmp_path / name).write_bytes(b"not weights at all")
        wrong("read safely", load_vgg19, tmp_path / name, error=WeightsError)


def test_vgg19_can_be_optimised_against(content, styles):
    torch.manual_seed(1)
    out = Gatys(Vgg19(NARROW)).stylize_regions(content, styles[:1], None, GatysOptions(**QUICK))
    assert float((out - content).abs().mean()) > 0.003
