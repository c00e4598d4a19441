"""The parsers by name. Nothing is loaded before it is asked for."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache, partial
from typing import TYPE_CHECKING

from selfieart.errors import unknown
from selfieart.parsing.choice import DEFAULT_PARSER
from selfieart.parsing.parser import FaceParser, InputContract, Parser

if TYPE_CHECKING:
    from selfieart.networks.blocks import FaceNetwork


def face_network(name: str) -> FaceNetwork:
    """The network of a face parser, untrained: what training begins with.

    Raises:
        UnknownName: there is no such network.
    """
    if name == "unet":
        from selfieart.networks.unet import UNet

        return UNet()
    if name == "bisenet":
        from selfieart.networks.bisenet import BiSeNet

        return BiSeNet()
    raise unknown("network", name, FACE_NETWORKS)


def face_parser(name: str, net: FaceNetwork) -> FaceParser:
    """A face parser of a network that has its weights.

    Args:
        name: "unet" or "bisenet".
        net: what :func:`face_network` makes of that name; its batch normalisations are folded in place.
    """
    import torch

    from selfieart.weights import manifest

    fused = net.fused().to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    stated = manifest()[name].input
    contract = InputContract(tuple(stated["mean"]), tuple(stated["std"]), stated["multiple"])
    return FaceParser(fused, contract, name, sure=_SURE[name])


_SURE = {"unet": 0.8, "bisenet": 0.78}
"""When something is a face.

The U-Net was sure of faces to 0.93 and more in 75 portraits and to 0.84 and more in 57 painted ones; of other things in
156 photos, none of them learned from, to 0.77 at most. The BiSeNet: 0.92, 0.73, and 0.77 at most.
"""


def _packaged(name: str) -> Parser:
    from selfieart.weights import load_weights

    net = face_network(name)
    net.load_state_dict(load_weights(name))
    return face_parser(name, net)


def _segnet() -> Parser:
    import torch

    from selfieart.parsing.segnet import SegNet, SegNetParser
    from selfieart.weights import load_weights, manifest

    net = SegNet()
    net.load_state_dict(load_weights("segnet"))
    fused = net.fused().to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    contract = manifest()["segnet"].input
    return SegNetParser(fused, InputContract(tuple(contract["mean"]), tuple(contract["std"]), contract["multiple"]))


FACE_NETWORKS = ("unet", "bisenet")
"""Networks that find the 19 segments."""

_FACTORIES: dict[str, Callable[[], Parser]] = {
    **{name: partial(_packaged, name) for name in FACE_NETWORKS},
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
def load_parser(name: str = DEFAULT_PARSER) -> Parser:
    """A parser with its packaged weights, loaded once per process.

    Raises:
        UnknownName: there is no such parser.
    """
    check_parser(name)
    return _FACTORIES[name]()
