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


_FACTORIES: dict[str, Callable[[], Parser]] = {"bisenet": _bisenet}


def parsers() -> tuple[str, ...]:
    """Names of all parsers."""
    return tuple(_FACTORIES)


@cache
def load_parser(name: str = "bisenet") -> Parser:
    """A parser with its packaged weights, loaded once per process.

    Raises:
        UnknownName: there is no such parser.
    """
    if name not in _FACTORIES:
        raise unknown("parser", name, _FACTORIES)
    return _FACTORIES[name]()
