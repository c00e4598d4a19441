"""The graphs of the networks: ONNX without weights, and how weights are put into them in memory.

A graph names its weights as the torch definition does and holds none. A file of weights is read once, and its tensors
are written behind the graph as the format allows: two serialised messages in a row are one message, whose lists hold
the members of both (https://protobuf.dev/programming-guides/encoding/#last-one-wins).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from selfieart.errors import WeightsError, unknown

_FLOAT, _LENGTH = 1, 2
_MODEL_GRAPH, _GRAPH_INITIALIZER = 7, 5
_TENSOR_DIMS, _TENSOR_TYPE, _TENSOR_NAME, _TENSOR_DATA = 1, 2, 8, 9
"""Numbers of fields in onnx.proto."""


@dataclass(frozen=True)
class Graph:
    """A network's graph.

    Attributes:
        name: of the graph.
        data: ONNX, without weights.
        inputs, outputs: names.
        weights: shape of every weight by name.
    """

    name: str
    data: bytes
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    weights: Mapping[str, tuple[int, ...]]


@cache
def _listing() -> dict[str, dict[str, object]]:
    try:
        text = resources.files(__package__).joinpath("graphs", "graphs.json").read_text("utf-8")
        listing: dict[str, dict[str, object]] = json.loads(text)
    except (OSError, ValueError) as error:
        raise WeightsError("The list of graphs is missing or damaged: install selfieart again.") from error
    return listing


def graphs() -> tuple[str, ...]:
    """Names of all graphs.

    Raises:
        WeightsError: their list is missing or damaged.
    """
    return tuple(_listing())


@cache
def graph(name: str) -> Graph:
    """A graph of the package.

    Raises:
        UnknownName: there is no such graph.
        WeightsError: its file is missing or is not the one that was listed, or the list is missing or damaged.
    """
    if name not in _listing():
        raise unknown("graph", name, _listing())
    listed = _listing()[name]
    try:
        data = resources.files(__package__).joinpath("graphs", f"{name}.onnx").read_bytes()
    except OSError as error:
        raise WeightsError(f"The graph {name} is missing from the package: install selfieart again.") from error
    if hashlib.sha256(data).hexdigest() != listed["sha256"]:
        raise WeightsError(f"The graph {name} differs from the listed sha256: install selfieart again.")
    weights = {key: tuple(shape) for key, shape in listed["weights"].items()}  # type: ignore[attr-defined]
    return Graph(name, data, tuple(listed["inputs"]), tuple(listed["outputs"]), MappingProxyType(weights))  # type: ignore[arg-type]


def with_weights(graph: Graph, weights: Mapping[str, NDArray[np.float32]]) -> bytes:
    """A complete ONNX model.

    Args:
        graph: without weights.
        weights: float32 by name; those that the graph does not use are left out.

    Raises:
        WeightsError: a weight is missing or has another shape.
    """
    for name, shape in graph.weights.items():
        if name not in weights or tuple(weights[name].shape) != shape:
            raise WeightsError(f"The weights do not fit the network {graph.name}: '{name}' is missing or misshapen.")
    parts: list[bytes | memoryview] = []
    for name in graph.weights:
        values = np.ascontiguousarray(weights[name], "<f4")
        head = _tensor_head(name, values)
        parts += [_head(_GRAPH_INITIALIZER, len(head) + values.nbytes), head, memoryview(values).cast("B")]  # type: ignore[arg-type]
    length = sum(len(part) for part in parts)
    # Joined once: the weights are the largest thing in memory while a network loads.
    return b"".join((graph.data, _head(_MODEL_GRAPH, length), *parts))


def _tensor_head(name: str, values: NDArray[np.float32]) -> bytes:
    """A TensorProto up to its data."""
    encoded = name.encode()
    dims = b"".join(_varint(_TENSOR_DIMS << 3) + _varint(side) for side in values.shape)
    kind = _varint(_TENSOR_TYPE << 3) + _varint(_FLOAT)
    return dims + kind + _head(_TENSOR_NAME, len(encoded)) + encoded + _head(_TENSOR_DATA, values.nbytes)


def _head(field: int, length: int) -> bytes:
    return _varint(field << 3 | _LENGTH) + _varint(length)


def _varint(value: int) -> bytes:
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)
