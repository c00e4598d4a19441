"""The parsers by name. Nothing is loaded before it is asked for."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache

from selfieart.engine import Device, Network
from selfieart.errors import unknown
from selfieart.imaging.arrays import FloatArray
from selfieart.parsing.choice import DEFAULT_PARSER
from selfieart.parsing.parser import FaceParser, InputContract, Parser
from selfieart.weights import load_weights, manifest

FACE_NETWORKS = ("unet", "bisenet")
"""Networks that find the 19 segments."""

_SURE = {"unet": 0.8, "bisenet": 0.78}
"""When something is a face.

The U-Net was sure of faces to 0.93 and more in 75 portraits and to 0.84 and more in 57 painted ones; of other things in
156 photos, none of them learned from, to 0.77 at most; later a Newfoundland dog to 0.84. The BiSeNet: 0.92, 0.73, and
0.77 at most.
"""


def face_parser(name: str, weights: Callable[[], Mapping[str, FloatArray]], device: Device = "auto") -> FaceParser:
    """A face parser with weights of its own, for example those that training wrote.

    Args:
        name: "unet" or "bisenet".
        weights: gives them by the names of the torch definition.
        device: where it runs.

    Raises:
        UnknownName: there is no such network.
    """
    if name not in FACE_NETWORKS:
        raise unknown("network", name, FACE_NETWORKS)
    return FaceParser(Network(name, weights, device), _contract(name), name, sure=_SURE[name])


def _contract(name: str) -> InputContract:
    stated = manifest()[name].input
    return InputContract(tuple(stated["mean"]), tuple(stated["std"]), stated["multiple"])


def _segnet(device: Device) -> Parser:
    from selfieart.parsing.person import SegNetParser

    return SegNetParser(Network("segnet", lambda: load_weights("segnet"), device), _contract("segnet"))


_FACTORIES: dict[str, Callable[[Device], Parser]] = {
    "unet": lambda device: face_parser("unet", lambda: load_weights("unet"), device),
    "bisenet": lambda device: face_parser("bisenet", lambda: load_weights("bisenet"), device),
    "segnet": _segnet,
}


def parsers() -> tuple[str, ...]:
    """Names of all parsers."""
    return tuple(_FACTORIES)


def check_parser(name: str) -> None:
    """Refuse the name of a parser that does not exist; nothing is loaded.

    Raises:
        UnknownName: there is no such parser; the nearest name is suggested.
    """
    if name not in _FACTORIES:
        raise unknown("parser", name, _FACTORIES)


@cache
def load_parser(name: str = DEFAULT_PARSER, device: Device = "auto") -> Parser:
    """A parser with its packaged weights, loaded once per process and device.

    Raises:
        UnknownName: there is no such parser or device.
        SelfieartError: the device is not there.
    """
    check_parser(name)
    return _FACTORIES[name](device)
