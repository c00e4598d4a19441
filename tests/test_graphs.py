"""Graphs and engine: every graph computes what its torch definition computes, and holds no weights itself."""

from __future__ import annotations

import json
from importlib import import_module, resources
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from conftest import is_one_sentence
from selfieart.engine import Network
from selfieart.errors import UnknownName, WeightsError
from selfieart.imaging.arrays import FloatArray
from selfieart.networks.export import EXPORTS
from selfieart.networks.packaged import as_tensors, load_style_net
from selfieart.networks.style_net import Statistics, StyleNet
from selfieart.parsing.registry import FACE_NETWORKS
from selfieart.render.style_network import StyleNetwork
from selfieart.weights import load_weights
from selfieart.weights.graphs import graph, graphs, with_weights

FOLDER = resources.files("selfieart.weights") / "graphs"
SIZES = [(64, 64), (96, 160), (224, 128)]
T = torch.from_numpy


def weights_of(name: str) -> dict[str, FloatArray]:
    """The packaged weights that a graph runs with."""
    if name == "any-style":
        encoder = {f"encoder.{key}": value for key, value in load_weights("encoder").items()}
        return encoder | load_weights("presets")
    return load_weights(name if name in ("unet", "bisenet", "segnet") else "presets")


def pictures(count: int, *size: int) -> FloatArray:
    return np.random.default_rng(size[0]).random((count, *size), np.float32)


@pytest.fixture(scope="module")
def net() -> StyleNet:
    return load_style_net()


@pytest.fixture(scope="module")
def network() -> StyleNetwork:
    return StyleNetwork(lambda: load_weights("presets"), "cpu")


# --- what the files hold -------------------------------------------------------------------------------------------


def test_every_export_has_its_graph_and_no_graph_is_left_over():
    assert set(graphs()) == set(EXPORTS)
    assert {entry.name for entry in FOLDER.iterdir()} == {"graphs.json", *(f"{name}.onnx" for name in EXPORTS)}


@pytest.mark.parametrize("name", EXPORTS)
def test_a_graph_holds_no_weights_and_names_those_of_the_definition(name):
    onnx = pytest.importorskip("onnx")
    model = onnx.load_from_string(graph(name).data)
    assert len(graph(name).data) < 200_000
    assert not model.graph.initializer
    shapes = {key: tuple(value.shape) for key, value in EXPORTS[name].module().state_dict().items()}
    assert graph(name).weights.items() <= shapes.items()
    used = {given for node in model.graph.node for given in node.input}
    assert set(graph(name).weights) <= used
    assert tuple(put.name for put in model.graph.input) == graph(name).inputs == tuple(EXPORTS[name].inputs)
    assert tuple(put.name for put in model.graph.output) == graph(name).outputs == EXPORTS[name].outputs


@pytest.mark.parametrize("name", EXPORTS)
def test_weights_are_put_in_as_the_format_says(name):
    onnx = pytest.importorskip("onnx")
    weights = weights_of(name)
    model = onnx.load_from_string(with_weights(graph(name), weights))
    onnx.checker.check_model(model)
    found = {tensor.name: onnx.numpy_helper.to_array(tensor) for tensor in model.graph.initializer}
    assert set(found) == set(graph(name).weights)
    assert all(np.array_equal(value, weights[key]) for key, value in found.items())


def test_the_tool_makes_these_graphs_again():
    pytest.importorskip("onnx")
    from make_graphs import exported

    listing = json.loads((FOLDER / "graphs.json").read_text("utf-8"))
    for name in ("unet", "paint-given-several"):
        data, weights = exported(EXPORTS[name])
        assert data == graph(name).data, "run 'make graphs'"
        assert weights == listing[name]["weights"]


# --- what they compute ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("name", [*FACE_NETWORKS, "segnet"])
@torch.no_grad()
def test_parsers(name, size):
    module = EXPORTS[name].module().eval()
    module.load_state_dict(as_tensors(load_weights(name)))
    picture = pictures(1, 3, *size) * 2 - 1
    (found,) = Network(name, lambda: load_weights(name), "cpu")(image=picture)
    np.testing.assert_allclose(found, module(T(picture)), rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("size", [(32, 32), (100, 171), (224, 128)])
@torch.no_grad()
def test_any_style(size):
    module = EXPORTS["any-style"].module().eval()
    module.load_state_dict({k: v for k, v in as_tensors(weights_of("any-style")).items() if k in module.state_dict()})
    picture = pictures(1, 3, *size)
    (found,) = Network("any-style", lambda: weights_of("any-style"), "cpu")(image=picture)
    np.testing.assert_allclose(found, module(T(picture)), rtol=1e-4, atol=1e-4)


def masks_of(styles: int, size: tuple[int, int]) -> FloatArray:
    masks = pictures(styles, *size) + np.float32(0.01)
    return masks / masks.sum(0)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("styles", [1, 2, 3, 5])
@torch.no_grad()
def test_painting_by_own_and_by_given_statistics(net, network, styles, size):
    codes, picture = load_weights("presets")["codes"][:styles], pictures(3, *size)
    masks = masks_of(styles, size) if styles > 1 else None
    shares, recorded = None if masks is None else T(masks)[None], Statistics()
    wanted = net(T(picture)[None], T(codes)[None], shares, recorded=recorded, origin=(8, 264), seed=3)[0]
    found = network.paint(picture, codes, masks, origin=(8, 264), seed=3)
    np.testing.assert_allclose(found, wanted, rtol=0, atol=1e-4)

    statistics = network.record(picture, codes, masks, origin=(8, 264), seed=3)
    means, variances = (torch.cat([moment[kind][0] for moment in recorded.moments], 1) for kind in (0, 1))
    assert statistics.shape == (2, styles, sum(network.channels))
    np.testing.assert_allclose(statistics[0], means, rtol=1e-4, atol=1e-4)
    np.testing.assert_allclose(statistics[1], variances, rtol=1e-4, atol=1e-4)

    other = 1 - picture
    wanted = net(T(other)[None], T(codes)[None], shares, statistics=recorded, seed=3)[0]
    found = network.paint(other, codes, masks, statistics=statistics, seed=3)
    np.testing.assert_allclose(found, wanted, rtol=0, atol=1e-4)


def test_the_layers_are_those_of_the_definition(net, network):
    assert network.layers == tuple((norm.step, norm.channels) for norm in net.norms)
    assert network.code_size == net.code_size


# --- what is refused -----------------------------------------------------------------------------------------------


def test_weights_that_do_not_fit():
    weights = load_weights("unet")
    with pytest.raises(WeightsError, match=r"'classify\.bias' is missing or misshapen"):
        Network("unet", lambda: {name: value for name, value in weights.items() if name != "classify.bias"}).load()
    with pytest.raises(WeightsError, match=r"'classify\.bias' is missing or misshapen"):
        Network("unet", lambda: weights | {"classify.bias": np.zeros(3, np.float32)}).load()
    with pytest.raises(UnknownName, match="did you mean 'unet'"):
        Network("unett", lambda: weights)


@pytest.mark.parametrize("text", [None, "{", "\ud800"])
@pytest.mark.parametrize(("name", "reader"), [("graphs", "_listing"), ("manifest", "manifest")])
def test_lists_that_are_missing_or_damaged(monkeypatch, tmp_path, name, reader, text):
    (tmp_path / "graphs").mkdir()
    if text is not None:
        for file in ("graphs/graphs.json", "manifest.json"):
            (tmp_path / file).write_bytes(text.encode("utf-8", "surrogatepass"))
    module = import_module(f"selfieart.weights.{name}")
    monkeypatch.setattr(module, "resources", SimpleNamespace(files=lambda package: tmp_path))
    with pytest.raises(WeightsError, match="missing or damaged: install selfieart again") as error:
        getattr(module, reader).__wrapped__()
    assert is_one_sentence(str(error.value))
