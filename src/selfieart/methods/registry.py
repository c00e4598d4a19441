"""The methods that optimise, by name. None is imported before it is asked for: the names are wanted without torch too.

A further method is a module with a class derived from :class:`selfieart.methods.method.Method`, and a line here.
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from selfieart.errors import SelfieartError, unknown
from selfieart.extras import require

if TYPE_CHECKING:
    from selfieart.methods.method import Method
    from selfieart.methods.settings import OptimiseOptions
    from selfieart.networks.encoder import PerceptualEncoder

METHODS: dict[str, str] = {
    "gatys": "selfieart.methods.gatys:Gatys",
    "styfie": "selfieart.methods.styfie:Styfie",
    "portrait-aware": "selfieart.methods.portrait_aware:PortraitAware",
    "semantic": "selfieart.methods.semantic:Semantic",
}
"""Name of each method -> where its class is, "module:Class"."""

FEATURES = ("compact", "vgg19")


def known_method(name: str) -> str:
    """A method's name as it is written here.

    Raises:
        UnknownName: there is no such method; the nearest name is suggested.
    """
    key = name.strip().lower().replace("_", "-").replace(" ", "-")
    if key not in METHODS:
        raise unknown("method", name, METHODS)
    return key


def method_class(name: str) -> type[Method[Any]]:
    """The class of a method.

    Raises:
        UnknownName: there is no such method; the nearest name is suggested.
        SelfieartError: what the methods need is not installed; the sentence says how to install it.
    """
    module, _, kind = METHODS[known_method(name)].partition(":")
    require("methods")
    found: type[Method[Any]] = getattr(import_module(module), kind)
    return found


def load_method(name: str, encoder: PerceptualEncoder | None = None) -> Method[Any]:
    """A method ready to paint.

    Args:
        name: "gatys", "styfie", "portrait-aware" or "semantic".
        encoder: whose features it compares; the packaged one when left out.

    Raises:
        UnknownName: there is no such method; the nearest name is suggested.
        SelfieartError: what the methods need is not installed; the sentence says how to install it.
    """
    kind = method_class(name)
    return kind(encoder or features_encoder("compact"))


def options_from(name: str, settings: Mapping[str, object]) -> OptimiseOptions:
    """Options of a method from settings by name, as a command line, a page or a program gives them.

    Args:
        name: of the method.
        settings: by name; numbers and lists may be text, and what is None is as usual.

    Raises:
        UnknownName: there is no such method or setting; the nearest name is suggested.
        SelfieartError: a value is of the wrong kind or range, or what the methods need is not installed.
    """
    options: OptimiseOptions = method_class(name).options_from(settings)
    return options


def features_encoder(features: str, weights: str | Path | None = None) -> PerceptualEncoder:
    """The encoder that a name means.

    Args:
        features: "compact" is the packaged encoder, "vgg19" the full network.
        weights: the file of VGG-19's weights.

    Raises:
        UnknownName: there are no such features.
        SelfieartError: VGG-19 was asked for without its file, a file came with the packaged encoder, or what the
            methods need is not installed.
        WeightsError: the file cannot be used.
    """
    if features not in FEATURES:
        raise unknown("features", features, FEATURES)
    if (features == "vgg19") != (weights is not None):
        raise SelfieartError("The features vgg19 need a file of weights, and only they do: give both or neither.")
    require("methods")
    from selfieart.networks.packaged import load_encoder
    from selfieart.networks.vgg import load_vgg19

    return load_encoder() if weights is None else load_vgg19(weights)
