"""What the tests of the methods that optimise work on: a tiny encoder, a portrait, two styles and three masks."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from optimise_pictures import portrait, stripes_and_spots
from selfieart.networks.vgg import Vgg19


def tiny_encoder() -> Vgg19:
    torch.manual_seed(5)
    net = Vgg19((4, 6, 8, 8, 8))
    for module in net.features.values():
        nn.init.kaiming_normal_(module.weight, nonlinearity="relu")
    return net.requires_grad_(False).eval()


@pytest.fixture(scope="module", name="encoder")
def encoder_fixture() -> Vgg19:
    return tiny_encoder()


@pytest.fixture(scope="module", name="content")
def content_fixture(astronaut) -> torch.Tensor:
    """A portrait (3, 48, 64)."""
    return portrait(astronaut, 260, (48, 64))


@pytest.fixture(scope="module", name="styles")
def styles_fixture() -> list[torch.Tensor]:
    """Stripes (3, 40, 60) and spots (3, 70, 50) in different colours."""
    return stripes_and_spots()


@pytest.fixture(scope="module", name="masks")
def masks_fixture() -> torch.Tensor:
    """Left, middle, rest (3, 48, 64) with soft borders; the last 16 columns are rest alone."""
    place = torch.arange(64.0).expand(48, 64)
    left = ((24 - place) / 8 + 0.5).clamp(0, 1)
    rest = ((place - 40) / 8 + 0.5).clamp(0, 1)
    return torch.stack([left, 1 - left - rest, rest])
