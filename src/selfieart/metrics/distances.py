"""Distances of style and content between features of a network such as VGG-19 (Gatys, Ecker and Bethge, CVPR 2016)."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from torch import Tensor

from selfieart.errors import SelfieartError, unknown
from selfieart.networks.encoder import CONTENT_LAYER, STYLE_LAYERS
from selfieart.networks.gram import gram as gram_of_each


def gram(features: Tensor) -> Tensor:
    """Gram matrix F F^T / (N D) of features (1, N, h, w) with D = h w positions (eq. 3, divided by its size): (N, N).

    Raises:
        SelfieartError: the features have another shape.
    """
    if features.dim() != 4 or features.shape[0] != 1 or not features.numel():
        shape = tuple(features.shape)
        raise SelfieartError(f"Features must be those of one picture, shaped (1, channels, h, w), not {shape}.")
    return gram_of_each(features)[0]


def style_distance(
    picture: Mapping[str, Tensor], style: Mapping[str, Tensor], layers: Sequence[str] = STYLE_LAYERS
) -> float:
    """Mean over the layers of ||G(x) - G(s)||^2 / ||G(s)||^2: 0 for equal styles, 1 for a picture without any.

    Args:
        picture: layer -> features (1, N, h, w) of the picture x.
        style: the same of the style s; its size may differ from the picture's.
        layers: which layers are compared, at least one.

    Raises:
        SelfieartError: features of a layer are missing or do not fit, or the style's are all 0.
    """
    if not layers:
        raise SelfieartError("A style distance needs at least one layer: name one.")
    distances = [_relative(gram(_features(picture, x)), gram(_features(style, x)), x) for x in layers]
    return sum(distances) / len(distances)


def content_distance(picture: Mapping[str, Tensor], content: Mapping[str, Tensor], layer: str = CONTENT_LAYER) -> float:
    """||F(x) - F(c)||^2 / ||F(c)||^2: 0 for equal contents, 1 for a picture without any.

    Args:
        picture: layer -> features (1, N, h, w) of the picture x.
        content: the same of the content c, of the same size.
        layer: which layer is compared.

    Raises:
        SelfieartError: features of the layer are missing or do not fit, or the content's are all 0.
    """
    return _relative(_features(picture, layer), _features(content, layer), layer)


def _features(features: Mapping[str, Tensor], layer: str) -> Tensor:
    if layer not in features:
        raise unknown("layer", layer, features, "compute its features too")
    return features[layer]


def _relative(x: Tensor, wanted: Tensor, layer: str) -> float:
    if x.shape != wanted.shape:
        shapes = f"{tuple(x.shape)} and {tuple(wanted.shape)}"
        raise SelfieartError(f"What is compared at {layer} must have one shape, not {shapes}: resize the pictures.")
    x, wanted = x.double(), wanted.double()
    distance = ((x - wanted).square().sum() / wanted.square().sum()).item()
    if not math.isfinite(distance):
        raise SelfieartError(f"The features at {layer} are all 0 or no numbers: check the network and its input.")
    return distance
