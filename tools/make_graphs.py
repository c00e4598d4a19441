"""Make the graphs of the package from the torch definitions: ONNX without weights, and their listing.

    python tools/make_graphs.py [NAME ...]

Writes src/selfieart/weights/graphs/NAME.onnx for every export of selfieart.networks.export, and graphs.json. The same
definitions and versions of torch and onnx give the same bytes, so a difference in git is a difference in the network.
"""

from __future__ import annotations

import hashlib
import json
import sys
import warnings
from io import BytesIO
from pathlib import Path
from typing import Any

import onnx
import torch
from onnx import helper
from onnx.numpy_helper import from_array, to_array
from onnx.reference import ReferenceEvaluator

from selfieart.networks.export import EXPORTS, Export

FOLDER = Path(__file__).resolve().parent.parent / "src" / "selfieart" / "weights" / "graphs"
OPSET = 17
_SIDE = 64
_SIZES = {"height": _SIDE, "width": _SIDE, "styles": 2}


def example(dimensions: tuple[int | str, ...]) -> torch.Tensor:
    """An input of the right shape."""

    def size(dimension: int | str) -> int:
        if isinstance(dimension, int):
            return dimension
        if dimension in _SIZES:
            return _SIZES[dimension]
        return _SIDE // int("".join(c for c in dimension if c.isdigit()))

    return torch.rand([size(dimension) for dimension in dimensions])


def folded(graph: onnx.GraphProto) -> None:
    """Work out, in place, what depends on constants alone, such as the borders of paddings, and drop what is unused."""
    known: dict[str, onnx.TensorProto] = {}
    nodes: list[onnx.NodeProto] = []
    for node in graph.node:
        if node.op_type == "Constant":
            (known[node.output[0]],) = (attribute.t for attribute in node.attribute)
        elif node.input and all(not name or name in known for name in node.input):
            given = {name: to_array(known[name]) for name in node.input if name}
            found = ReferenceEvaluator(node, opsets={"": OPSET}).run(None, given)
            known |= {name: from_array(value) for name, value in zip(node.output, found, strict=True)}
        else:
            nodes.append(node)
    wanted = {output.name for output in graph.output}
    kept: list[onnx.NodeProto] = []
    for node in reversed(nodes):
        if wanted.intersection(node.output):
            wanted.update(node.input)
            kept.append(node)
    constants = [helper.make_node("Constant", [], [name], value=known[name]) for name in known if name in wanted]
    del graph.node[:]
    graph.node.extend([*constants, *reversed(kept)])


def exported(export: Export) -> tuple[bytes, dict[str, list[int]]]:
    """The graph without weights, and the shape of each weight by name."""
    torch.manual_seed(0)
    module = export.module().eval()
    for tensor in module.state_dict().values():
        if tensor.is_floating_point():
            # Weights that are equal, such as the zeros of two new normalisations, would be exported as one.
            tensor.uniform_(0.5, 1.5)
    shapes = {name: list(value.shape) for name, value in module.state_dict().items()}
    dynamic = {
        name: {place: size for place, size in enumerate(sizes) if isinstance(size, str)}
        for name, sizes in export.inputs.items()
    }
    buffer = BytesIO()
    with warnings.catch_warnings(), torch.no_grad():
        warnings.simplefilter("ignore")
        torch.onnx.export(
            module,
            tuple(example(sizes) for sizes in export.inputs.values()),
            buffer,  # type: ignore[arg-type]
            input_names=list(export.inputs),
            output_names=list(export.outputs),
            dynamic_axes=dynamic,
            opset_version=OPSET,
            do_constant_folding=False,
            # Neither folded nor fused here: the weights keep the names and values of the definition.
            training=torch.onnx.TrainingMode.PRESERVE,
            dynamo=False,
        )
    model = onnx.load_from_string(buffer.getvalue())
    onnx.checker.check_model(model)
    folded(model.graph)
    kept = [tensor for tensor in model.graph.initializer if tensor.name not in shapes]
    used = {name: shapes[name] for name in (tensor.name for tensor in model.graph.initializer) if name in shapes}
    if any(len(tensor.SerializeToString()) > 256 for tensor in kept):
        raise SystemExit(f"A weight lost its name: {[tensor.name for tensor in kept]}")
    del model.graph.initializer[:]
    model.graph.initializer.extend(kept)
    # Traces of this machine and shapes of the example say nothing about the network.
    del model.graph.value_info[:]
    for node in model.graph.node:
        node.doc_string = ""
    for output in model.graph.output:
        for dimension in output.type.tensor_type.shape.dim:
            dimension.Clear()
    model.doc_string = ""
    return model.SerializeToString(deterministic=True), dict(sorted(used.items()))


def main(names: list[str]) -> None:
    """Write the graphs of these names, or all."""
    FOLDER.mkdir(exist_ok=True)
    path = FOLDER / "graphs.json"
    listing: dict[str, Any] = json.loads(path.read_text("utf-8")) if path.exists() else {}
    for name in names or EXPORTS:
        data, weights = exported(EXPORTS[name])
        (FOLDER / f"{name}.onnx").write_bytes(data)
        listing[name] = {
            "sha256": hashlib.sha256(data).hexdigest(),
            "inputs": list(EXPORTS[name].inputs),
            "outputs": list(EXPORTS[name].outputs),
            "weights": weights,
        }
        print(f"{name}: {len(data):,} bytes, {len(weights)} weights")
    ordered = {name: listing[name] for name in EXPORTS}
    path.write_text(json.dumps(ordered, indent=1) + "\n", "utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
