"""The stylizer with the packaged weights, or with other weights of the same presets."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from pathlib import Path

from selfieart.engine import Device, Network
from selfieart.errors import WeightsError
from selfieart.imaging.arrays import FloatArray
from selfieart.render.feed_forward import PresetStylizer
from selfieart.render.style_network import StyleNetwork
from selfieart.styles.any_style import AnyStyle
from selfieart.weights import as_float32, load_weights, manifest


@cache
def load_presets(device: Device = "auto") -> PresetStylizer:
    """The stylizer with the packaged weights, loaded once per process and device.

    Raises:
        UnknownName: there is no such device.
        SelfieartError: the device is not there.
    """
    return _stylizer(lambda: load_weights("presets"), device)


def load_presets_from(path: Path, device: Device = "auto") -> PresetStylizer:
    """The stylizer with other weights of the same 21 presets.

    Raises:
        WeightsError: the file cannot be read, or holds something else.
    """
    from safetensors.numpy import load_file

    try:
        stylizer = _stylizer(lambda: as_float32(load_file(path)), device)
        stylizer.network.check()
        return stylizer
    except Exception as error:
        raise WeightsError(f"{path} holds no weights of the presets: give what 'selfieart train' wrote.") from error


def _stylizer(weights: Callable[[], dict[str, FloatArray]], device: Device) -> PresetStylizer:
    def with_encoder() -> dict[str, FloatArray]:
        return {f"encoder.{name}": value for name, value in load_weights("encoder").items()} | weights()

    given = weights()
    codes = dict(zip(manifest()["presets"].classes, given["codes"].copy(), strict=True))
    predicts = any(name.startswith("predictor.") for name in given)
    any_style = AnyStyle(Network("any-style", with_encoder, device)).code if predicts else None
    return PresetStylizer(StyleNetwork(weights, device), codes, any_style=any_style)
