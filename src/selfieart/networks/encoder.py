"""The perceptual encoder: a compact network with the layer names of VGG-19 (Simonyan and Zisserman, ICLR 2015).

Each layer it offers is read from a narrow trunk, by a small network per position, so that it equals VGG-19's features
of that name in the basis of their leading principal directions. The basis is orthonormal, so inner products, and with
them Gram matrices, content distances and correlations of patches, are nearly those of the full features, at a fraction
of the cost.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol

import torch
from torch import Tensor, nn

from selfieart.errors import unknown

STYLE_LAYERS = ("relu1_1", "relu2_1", "relu3_1", "relu4_1", "relu5_1")
CONTENT_LAYER = "relu4_2"
LAYERS = ("relu1_1", "relu2_1", "relu3_1", "relu4_1", "relu4_2", "relu5_1")
STEPS = {"relu1_1": 1, "relu2_1": 2, "relu3_1": 4, "relu4_1": 8, "relu4_2": 8, "relu5_1": 16}
"""Pixels per position of each layer."""

CHANNELS = {"relu1_1": 16, "relu2_1": 32, "relu3_1": 64, "relu4_1": 128, "relu4_2": 128, "relu5_1": 128}
"""Directions that are kept: at least 98.7 % of the power of VGG-19's features lies in them, on photos and paintings."""

HIDDEN = {"relu1_1": 48, "relu2_1": 96, "relu3_1": 192, "relu4_1": 256, "relu4_2": 0, "relu5_1": 256}
"""Width of the hidden layer of each read-out; without one (0) it is linear."""

SMALLEST_SIDE = 32
"""Least side of a picture in pixels: mirrored borders need two positions at relu5_1."""


class PerceptualEncoder(Protocol):
    """Anything with named layers."""

    def channels(self, layer: str) -> int:
        """Channels N of a layer."""
        ...

    def __call__(self, image: Tensor, layers: Iterable[str]) -> dict[str, Tensor]:
        """Features (B, N, H / step, W / step) of pictures (B, 3, H, W) in [0, 1], by layer."""
        ...


def check_layers(layers: Iterable[str]) -> list[str]:
    """Layers in the order of the network.

    Raises:
        UnknownName: there is no such layer.
    """
    wanted = set(layers)
    for layer in wanted:
        if layer not in LAYERS:
            raise unknown("layer", layer, LAYERS)
    return [layer for layer in LAYERS if layer in wanted]


class Encoder(nn.Module):
    """RGB (B, 3, H, W) in [0, 1] -> features by layer.

    One block of 3x3 convolutions with mirrored borders and ReLU leads from each offered layer to the next, with 2x2
    max-pooling where VGG has it; VGG-19 has one convolution more before relu4_1.
    """

    def __init__(self) -> None:
        super().__init__()
        self.blocks = nn.ModuleDict({layer: _block(*plan) for layer, plan in _PLANS.items()})
        self.reads = nn.ModuleDict({k: _read_out(_PLANS[k][-1], HIDDEN[k], CHANNELS[k]) for k in LAYERS})
        # Layers of VGG differ in size by an order of magnitude; learning wants outputs of about 1.
        self.register_buffer("scale", torch.ones(len(LAYERS)))

    def channels(self, layer: str) -> int:
        """Channels of a layer.

        Raises:
            UnknownName: there is no such layer.
        """
        return CHANNELS[check_layers([layer])[0]]

    def forward(self, image: Tensor, layers: Iterable[str] = LAYERS) -> dict[str, Tensor]:
        """Features of some layers; the network runs no further than the last of them.

        Args:
            image: (B, 3, H, W) in [0, 1], sides of at least 32 pixels.
            layers: names.

        Returns:
            (B, N, H // step, W // step) by layer.

        Raises:
            UnknownName: there is no such layer.
        """
        wanted = check_layers(layers)
        features: dict[str, Tensor] = {}
        x = image * 2 - 1
        for layer in LAYERS[: LAYERS.index(wanted[-1]) + 1] if wanted else ():
            x = self.blocks[layer](x)
            if layer in wanted:
                features[layer] = self.read(layer, x)
        return features

    def read(self, layer: str, inner: Tensor) -> Tensor:
        """Features of a layer from what its block gives (B, C, h, w)."""
        seen: Tensor = self.reads[layer](inner)
        return seen * self.scale[LAYERS.index(layer)].to(seen)  # type: ignore[index]


_PLANS: dict[str, tuple[int | str, ...]] = {
    "relu1_1": (3, 16),
    "relu2_1": (16, 24, "pool", 32),
    "relu3_1": (32, 48, "pool", 64),
    "relu4_1": (64, 96, 96, "pool", 128),
    "relu4_2": (128, 128),
    "relu5_1": (128, 144, 144, "pool", 128),
}
"""Channels of the convolutions of each block, from its input on."""


def _block(inputs: int | str, *plan: int | str) -> nn.Sequential:
    layers: list[nn.Module] = []
    channels = int(inputs)
    for step in plan:
        if isinstance(step, str):
            layers.append(nn.MaxPool2d(2))
            continue
        convolution = nn.Conv2d(channels, step, 3, padding=1, padding_mode="reflect")
        nn.init.kaiming_normal_(convolution.weight, nonlinearity="relu")
        layers += [convolution, nn.ReLU(inplace=True)]
        channels = step
    return nn.Sequential(*layers)


def _read_out(inputs: int | str, hidden: int, outputs: int) -> nn.Module:
    inputs = int(inputs)
    if not hidden:
        return nn.Conv2d(inputs, outputs, 1, bias=False)
    first = nn.Conv2d(inputs, hidden, 1)
    nn.init.kaiming_normal_(first.weight, nonlinearity="relu")
    return nn.Sequential(first, nn.ReLU(inplace=True), nn.Conv2d(hidden, outputs, 1))
