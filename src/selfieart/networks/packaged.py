"""The packaged weights in their torch definitions: what training and the optimising methods stand on."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from selfieart.imaging.arrays import FloatArray
from selfieart.networks.blocks import FaceNetwork
from selfieart.networks.encoder import Encoder
from selfieart.networks.faces import face_network
from selfieart.networks.style_net import StyleNet, channels_last
from selfieart.weights import load_weights


def as_tensors(weights: Mapping[str, FloatArray], prefix: str = "") -> dict[str, Tensor]:
    """Weights whose names begin with a prefix, without it, as tensors."""
    chosen = {name.removeprefix(prefix): value for name, value in weights.items() if name.startswith(prefix)}
    return {name: torch.from_numpy(value) for name, value in chosen.items()}


def load_encoder() -> Encoder:
    """The packaged perceptual encoder, frozen; a new one at each call."""
    encoder = Encoder()
    encoder.load_state_dict(as_tensors(load_weights("encoder")))
    return channels_last(encoder.requires_grad_(False).eval())


def load_style_net() -> StyleNet:
    """The packaged style network, frozen; a new one at each call."""
    net = StyleNet()
    net.load_state_dict(as_tensors(load_weights("presets"), "net."))
    return channels_last(net.requires_grad_(False).eval())


def load_face_network(name: str) -> FaceNetwork:
    """A packaged face parser's network, frozen, its normalisations folded in; a new one at each call.

    Raises:
        UnknownName: there is no such network.
    """
    net = face_network(name)
    net.load_state_dict(as_tensors(load_weights(name)))
    return channels_last(net.fused().requires_grad_(False))
