"""The parsers by name. Nothing is loaded before it is asked for."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

from selfieart.errors import unknown
from selfieart.parsing.parser import FaceParser, InputContract, Parser


def _bisenet() -> Parser:
    import torch

    from selfieart.parsing.bisenet import BiSeNet
    from selfieart.weights import load_weights, manifest

    net = BiSeNet()
    net.load_state_dict(load_weights("parser"))
    fused = net.fused().to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    contract = manifest()["parser"].input
    return FaceParser(
        fused,
        InputContract(tuple(contract["mean"]), tuple(contract["std"]), contract["multiple"]),
        "bisenet",
    )


def _segnet() -> Parser:
    import torch

    from selfieart.parsing.segnet import SegNet, SegNetParser
    from selfieart.weights import load_weights, manifest

    net = SegNet()
    net.load_state_dict(load_weights("segnet"))
    fused = net.fused().to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    contract = manifest()["segnet"].input
    return SegNetParser(fused, InputContract(tuple(contract["mean"]), tuple(contract["std"]), contract["multiple"]))


_FACTORIES: dict[str, Callable[[], Parser]] = {"bisenet": _bisenet, "segnet": _segnet}


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
def load_parser(name: str = "bisenet") -> Parser:
    """A parser with its packaged weights, loaded once per process.

    Raises:
        UnknownName: there is no such parser.
    """
    check_parser(name)
    return _FACTORIES[name]()
