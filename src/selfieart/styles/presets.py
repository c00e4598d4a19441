"""The catalogue of preset styles: names, the paintings behind them, and thumbnails."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from importlib import resources
from importlib.resources.abc import Traversable
from typing import TYPE_CHECKING

from selfieart.errors import unknown

if TYPE_CHECKING:
    from pathlib import Path

    from torch import Tensor

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
def load_presets() -> PresetStylizer:
    """The stylizer with the packaged weights, loaded once per process."""
    from selfieart.weights import load_weights

    return _stylizer(load_weights("presets"))


def load_presets_from(path: Path) -> PresetStylizer:
    """The stylizer with other weights of the same 21 presets.

    Raises:
        WeightsError: the file cannot be read, or holds something else.
    """
    from safetensors.torch import load_file

    from selfieart.errors import WeightsError

    try:
        return _stylizer({key: value.float() for key, value in load_file(path).items()})
    except Exception as error:
        raise WeightsError(f"{path} holds no weights of the presets: give what 'selfieart train' wrote.") from error


def _stylizer(tensors: dict[str, Tensor]) -> PresetStylizer:
    from selfieart.networks.code_predictor import CodePredictor
    from selfieart.networks.encoder import load_encoder
    from selfieart.networks.style_net import StyleNet
    from selfieart.render.feed_forward import PresetStylizer
    from selfieart.styles.any_style import AnyStyle
    from selfieart.weights import manifest

    codes = dict(zip(manifest()["presets"].classes, tensors["codes"], strict=True))
    parts: dict[str, dict[str, Tensor]] = {"net": {}, "predictor": {}}
    for key, value in tensors.items():
        part, _, rest = key.partition(".")
        if rest:
            parts[part][rest] = value
    net = StyleNet()
    net.load_state_dict(parts["net"])
    predictor = CodePredictor(net.code_size)
    if parts["predictor"]:
        predictor.load_state_dict(parts["predictor"])

    @cache
    def any_style() -> AnyStyle:
        return AnyStyle(load_encoder(), predictor)

    # The encoder is read when a picture first serves as a style: presets do without it.
    return PresetStylizer(
        net, codes, any_style=(lambda picture: any_style().code(picture)) if parts["predictor"] else None
    )
