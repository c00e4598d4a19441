"""The catalogue of preset styles: names, the paintings behind them, and thumbnails."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import TYPE_CHECKING

from selfieart.engine import Device, Network
from selfieart.errors import WeightsError, unknown
from selfieart.imaging.arrays import FloatArray
from selfieart.weights import as_float32, load_weights, manifest

if TYPE_CHECKING:
    from selfieart.render.feed_forward import PresetStylizer


@dataclass(frozen=True)
class Preset:
    """A preset style.

    Attributes:
        name: how a person writes it.
        title, artist, year: the picture whose style it is; the year is None where it is not recorded.
    """

    name: str
    title: str
    artist: str
    year: str | None

    @property
    def thumbnail(self) -> Traversable:
        """A JPEG of the packaged portrait painted in this style by our own network; never the painting itself."""
        return resources.files(__package__).joinpath("thumbnails", f"{self.name}.jpg")


@cache
def presets() -> dict[str, Preset]:
    """All presets by name, in the order of their codes."""
    text = resources.files(__package__).joinpath("paintings.json").read_text("utf-8")
    return {name: Preset(name, *painting) for name, painting in json.loads(text).items()}


def preset(name: str) -> Preset:
    """One preset.

    Raises:
        UnknownName: there is no such preset; the nearest name is suggested.
    """
    if name not in presets():
        raise unknown("style", name, presets(), "'selfieart styles' lists them all.")
    return presets()[name]


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
    from selfieart.render.feed_forward import PresetStylizer
    from selfieart.render.style_network import StyleNetwork
    from selfieart.styles.any_style import AnyStyle

    def with_encoder() -> dict[str, FloatArray]:
        return {f"encoder.{name}": value for name, value in load_weights("encoder").items()} | weights()

    given = weights()
    codes = dict(zip(manifest()["presets"].classes, given["codes"].copy(), strict=True))
    predicts = any(name.startswith("predictor.") for name in given)
    any_style = AnyStyle(Network("any-style", with_encoder, device)).code if predicts else None
    return PresetStylizer(StyleNetwork(weights, device), codes, any_style=any_style)
