"""The catalogue of preset styles: names, the paintings behind them, and thumbnails."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from importlib import resources
from importlib.resources.abc import Traversable

from selfieart.errors import unknown


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
