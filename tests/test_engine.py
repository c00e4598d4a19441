"""The engine: threads as they are allowed, devices as they are installed, the same pictures by every runtime."""

from __future__ import annotations

import json
import os
import resource
import sys
from concurrent.futures import ThreadPoolExecutor

import cv2
import numpy as np
import onnxruntime
import pytest

from conftest import is_one_sentence
from selfieart import Studio
from selfieart.cli import main
from selfieart.cli.doctor import examine
from selfieart.cli.machine import Machine
from selfieart.engine import (
    DEVICES,
    Network,
    check_device,
    engine_lock,
    pool,
    release_memory,
    runtimes,
    set_threads,
    threads,
)
from selfieart.engine import devices as devices_module
from selfieart.engine import network as network_module
from selfieart.engine.devices import Runtime, runtimes_for
from selfieart.engine.processor import processor_features, processor_name
from selfieart.engine.threads import available_threads
from selfieart.errors import DeviceError, SelfieartError, UnknownName, WeightsError
from selfieart.imaging.arrays import FloatArray
from selfieart.render.style_network import StyleNetwork
from selfieart.weights import load_weights
from selfieart.weights.graphs import Graph, graph

ON_CPU = [runtime for runtime in runtimes() if runtime.device == "cpu"]


@pytest.fixture
def own_threads():
    """Whatever a test sets, the others compute with what they had."""
    before = threads()
    yield
    set_threads(before)


@pytest.fixture(params=ON_CPU, ids=lambda runtime: runtime.name)
def runtime(request, monkeypatch) -> Runtime:
    """Every runtime that is installed, one after the other."""
    monkeypatch.setattr(network_module, "runtimes_for", lambda device: (request.param,))
    return request.param


# --- threads -------------------------------------------------------------------------------------------------------


def test_threads_are_those_that_the_process_may_use(tmp_path):
    assert available_threads(tmp_path) == len(os.sched_getaffinity(0))


@pytest.mark.parametrize(
    ("quota", "allowed"), [("max 100000", None), ("50000 100000", 1), ("150000 100000", 2), ("nonsense", None),
                           ("100000 0", None), ("-1 100000", None), ("", None)],
)  # fmt: skip
def test_a_container_that_is_given_less_time_computes_with_fewer_threads(tmp_path, quota, allowed):
    (tmp_path / "cpu.max").write_text(quota)
    bound = len(os.sched_getaffinity(0))
    assert available_threads(tmp_path) == (bound if allowed is None else min(bound, allowed))


def test_older_containers_say_it_elsewhere(tmp_path):
    (tmp_path / "cpu").mkdir()
    (tmp_path / "cpu" / "cpu.cfs_quota_us").write_text("90000")
    (tmp_path / "cpu" / "cpu.cfs_period_us").write_text("100000")
    assert available_threads(tmp_path) == 1
    (tmp_path / "cpu" / "cpu.cfs_quota_us").write_text("-1")
    assert available_threads(tmp_path) == len(os.sched_getaffinity(0))


def test_threads_are_set_for_everything_that_computes(own_threads):
    for count in (1, 3):
        set_threads(count)
        assert threads() == count
        assert pool()._max_workers == count
        assert cv2.getNumThreads() == count
    set_threads(None)
    assert threads() == available_threads()


@pytest.mark.parametrize("count", [0, -1, 257, True, 1.5, "two"])
def test_a_number_of_threads_that_makes_no_sense_is_refused(own_threads, count):
    before = threads()
    with pytest.raises(SelfieartError, match="from 1 to 256") as error:
        set_threads(count)
    assert is_one_sentence(str(error.value))
    assert threads() == before


def test_another_number_of_threads_loads_a_network_again_with_it(own_threads, runtime, monkeypatch):
    module = sys.modules.get(f"selfieart.engine.{'openvino' if runtime.name == 'openvino' else 'onnx_runtime'}")
    if module is None:
        Network("segnet", lambda: load_weights("segnet")).load()
        module = sys.modules[f"selfieart.engine.{'openvino' if runtime.name == 'openvino' else 'onnx_runtime'}"]
    asked, load = [], module.load

    def counted(model, provider, count, precision):
        asked.append(count)
        return load(model, provider, count, precision)

    monkeypatch.setattr(module, "load", counted)
    network, picture = Network("segnet", lambda: load_weights("segnet")), np.zeros((1, 3, 64, 64), np.float32)
    results = []
    for count in (1, 1, 2):
        set_threads(count)
        results.append(network(image=picture)[0])
    assert asked == [1, 2]
    np.testing.assert_allclose(results[2], results[0], rtol=1e-4, atol=1e-4)


def test_who_holds_the_pool_of_before_goes_on_with_it(own_threads):
    held = pool()
    set_threads(2 if threads() == 1 else 1)
    assert pool() is not held
    assert held.submit(int, "3").result() == 3


def test_threads_that_wait_leave_the_processor_to_others(monkeypatch):
    sessions, made = [], onnxruntime.InferenceSession

    def kept(*arguments, **options):
        sessions.append(made(*arguments, **options))
        return sessions[-1]

    monkeypatch.setattr(onnxruntime, "InferenceSession", kept)
    monkeypatch.setattr(network_module, "runtimes_for", lambda device: runtimes()[-1:])
    Network("segnet", lambda: load_weights("segnet")).load()
    assert sessions[0].get_session_options().get_session_config_entry("session.intra_op.allow_spinning") == "0"


def test_one_inference_at_a_time():
    network, picture = Network("segnet", lambda: load_weights("segnet")), np.zeros((1, 3, 64, 64), np.float32)
    with ThreadPoolExecutor(1) as other:
        with engine_lock:
            waiting = other.submit(network, image=picture)
            with pytest.raises(TimeoutError):
                waiting.result(0.3)
        assert waiting.result(60)[0].shape == (1, 1, 64, 64)


# --- devices -------------------------------------------------------------------------------------------------------


def with_providers(monkeypatch, *names: str) -> None:
    monkeypatch.setattr(onnxruntime, "get_available_providers", lambda: [*names, "CPUExecutionProvider"])
    devices_module.runtimes.cache_clear()


@pytest.fixture
def fresh_runtimes():
    yield
    devices_module.runtimes.cache_clear()


def test_onnx_runtime_is_always_there():
    assert Runtime("onnxruntime", "cpu", "CPUExecutionProvider", runtimes()[-1].version) == runtimes()[-1]
    assert runtimes_for("cpu")[0].device == "cpu"
    assert DEVICES == ("auto", "cpu", "gpu")


def test_a_graphics_card_that_the_runtime_has_comes_first(monkeypatch, fresh_runtimes):
    with_providers(monkeypatch, "DmlExecutionProvider", "CUDAExecutionProvider")
    assert [runtimes_for(device)[0].provider for device in ("auto", "gpu")] == ["CUDAExecutionProvider"] * 2
    assert runtimes_for("cpu")[0].device == "cpu"
    assert runtimes()[0].label.endswith("on the CUDAExecutionProvider")


def test_without_a_graphics_card_a_sentence_says_what_to_install(monkeypatch, fresh_runtimes):
    with_providers(monkeypatch)
    if any(runtime.device == "gpu" for runtime in runtimes()):
        pytest.skip("OpenVINO sees a graphics card here")
    with pytest.raises(SelfieartError, match="onnxruntime-gpu") as error:
        runtimes_for("gpu")[0]
    assert is_one_sentence(str(error.value))


@pytest.mark.filterwarnings("ignore:Specified provider")
def test_a_card_that_cannot_compute_is_left_for_the_processor_unless_it_was_asked_for(monkeypatch, fresh_runtimes):
    """The runtime would only log it, and compute elsewhere without a word."""
    with_providers(monkeypatch, "CUDAExecutionProvider")
    picture = np.zeros((1, 3, 64, 64), np.float32)
    network = Network("segnet", lambda: load_weights("segnet"), "auto")
    assert network.runtime.provider == "CUDAExecutionProvider"
    assert network(image=picture)[0].shape == (1, 1, 64, 64)
    assert network.runtime.device == "cpu"
    with pytest.raises(DeviceError, match="choose --device cpu") as error:
        Network("segnet", lambda: load_weights("segnet"), "gpu").load()
    assert is_one_sentence(str(error.value))


def test_unknown_devices():
    with pytest.raises(UnknownName, match="did you mean 'cpu'"):
        check_device("cpuu")
    with pytest.raises(UnknownName, match="did you mean 'gpu'"):
        Studio(device="gppu")  # type: ignore[arg-type]


def test_the_doctor_examines_what_a_command_would_use(own_threads, monkeypatch, capsys):
    monkeypatch.setenv("SELFIEART_THREADS", "1")
    said("doctor", "--device", "cpu", "--json")
    assert json.loads(capsys.readouterr().out)["threads"] == 1
    monkeypatch.setenv("SELFIEART_DEVICE", "gppu")
    with pytest.raises(SystemExit) as stop:
        main(["doctor"])
    assert stop.value.code == 2
    assert "did you mean 'gpu'" in capsys.readouterr().err


@pytest.mark.parametrize("arguments", [["--device", "gppu"], ["--threads", "0"], ["--threads", "900"]])
def test_the_command_line_refuses_them_before_any_work(arguments, tmp_path, capsys):
    with pytest.raises(SystemExit) as stop:
        main(["photo", str(tmp_path / "none.jpg"), "--style", "candy", *arguments])
    assert stop.value.code == 2
    said = capsys.readouterr().err
    assert "did you mean 'gpu'" in said or "from 1 to 256" in said


def test_the_app_refuses_a_card_that_is_not_there_before_it_serves(monkeypatch, fresh_runtimes, capsys):
    with_providers(monkeypatch)
    monkeypatch.setattr("selfieart.app.serving.serve", lambda *arguments, **options: pytest.fail("it serves"))
    with pytest.raises(SystemExit) as stop:
        main(["app", "--no-open", "--device", "gpu"])
    assert stop.value.code == 2
    assert "No graphics card can be used" in capsys.readouterr().err


def test_openvino_is_preferred_where_it_is_installed():
    pytest.importorskip("openvino")
    assert runtimes_for("cpu")[0].name == "openvino"


# --- what runtimes compute -----------------------------------------------------------------------------------------


def test_every_runtime_computes_the_same(monkeypatch):
    codes, picture = load_weights("presets")["codes"], np.random.default_rng(0).random((3, 64, 96), np.float32)
    found = []
    for runtime in ON_CPU:
        monkeypatch.setattr(network_module, "runtimes_for", lambda device, chosen=runtime: (chosen,))
        found.append(StyleNetwork(lambda: load_weights("presets"), "cpu").paint(picture, codes[:1], seed=2))
    for other in found[1:]:
        np.testing.assert_allclose(other, found[0], rtol=0, atol=1e-4)


@pytest.mark.parametrize("precision", ["exact", "fast"])
def test_fast_arithmetic_is_near_the_exact_one(runtime, precision):
    codes, picture = load_weights("presets")["codes"], np.random.default_rng(0).random((3, 128, 128), np.float32)
    exact = StyleNetwork(lambda: load_weights("presets"), "cpu")
    network = exact.in_precision(precision)
    assert network.in_precision("exact").precision == "exact"
    statistics = exact.record(picture, codes[:1])
    apart = np.abs(network.paint(picture, codes[:1], statistics=statistics) - exact.paint(picture, codes[:1]))
    assert float(apart.mean()) < (1e-5 if precision == "exact" else 0.02)


def test_inputs_are_not_changed_and_outputs_are_not_shared(runtime):
    network = Network("segnet", lambda: load_weights("segnet"))
    first, second = (np.random.default_rng(seed).random((1, 3, 64, 64), np.float32) for seed in (1, 2))
    kept = first.copy()
    (one,) = network(image=first)
    before = one.copy()
    network(image=second)
    assert np.array_equal(first, kept)
    assert np.array_equal(one, before)


@pytest.mark.slow
def test_pictures_of_many_sizes_do_not_fill_the_memory(runtime):
    """Resident memory after a hundred sizes is that after the first thirty, give or take."""
    network, rng = Network("unet", lambda: load_weights("unet")), np.random.default_rng(0)

    def resident() -> float:
        release_memory()
        with open("/proc/self/statm", encoding="ascii") as file:  # noqa: PTH123 - no file
            return int(file.read().split()[1]) * resource.getpagesize() / 1e6

    def run(count: int) -> None:
        for _ in range(count):
            height, width = (32 * int(side) for side in rng.integers(2, 9, 2))
            network(image=np.zeros((1, 3, height, width), np.float32))

    network(image=np.zeros((1, 3, 288, 288), np.float32))
    run(30)
    before = resident()
    run(70)
    assert resident() < before + 40


# --- the doctor ----------------------------------------------------------------------------------------------------


def said(*arguments: str) -> None:
    with pytest.raises(SystemExit) as stop:
        main(list(arguments))
    assert not stop.value.code


def test_the_doctor_finds_everything_whole(capsys):
    found = examine(Machine())
    assert found.runtimes[0] == runtimes_for("auto")[0].label
    assert not [model for model in found.models if model.fault]
    assert {model.name for model in found.models} == {"unet", "bisenet", "segnet", "presets", "any style"}
    said("doctor", "--json")
    told = json.loads(capsys.readouterr().out)
    assert told["threads"] == threads()
    assert told["runtimes"] == list(found.runtimes)
    said("doctor")
    assert "networks run on" in capsys.readouterr().out


def test_the_doctor_finds_what_is_broken(monkeypatch, capsys):
    def broken(name: str) -> dict[str, FloatArray]:
        raise SelfieartError(f"The weights {name} are gone.")

    monkeypatch.setattr("selfieart.cli.doctor._models", lambda machine: (examined_broken(broken),))
    with pytest.raises(SystemExit) as stop:
        main(["doctor"])
    assert stop.value.code == 2
    out = capsys.readouterr()
    assert "are gone" in out.out
    assert "Broken: unet" in out.err


@pytest.mark.parametrize("name", ["paint-several", "record-one"])
def test_the_doctor_looks_at_graphs_that_one_style_does_not_run(monkeypatch, name):
    def damaged(asked: str) -> Graph:
        if asked == name:
            raise WeightsError(f"The graph {name} is missing.")
        return graph(asked)

    monkeypatch.setattr("selfieart.weights.graphs.graph", damaged)
    assert {model.name: model.fault for model in examine(Machine()).models if model.fault} == {
        "presets": f"The graph {name} is missing."
    }


def examined_broken(case):
    from selfieart.cli.doctor import _examined

    return _examined("unet", lambda: case("unet"))


def test_the_processor_is_described(tmp_path):
    info = tmp_path / "cpuinfo"
    info.write_text("model name\t: Some Processor\nflags\t\t: sse avx2 avx512_bf16 fpu\n")
    assert processor_features(info) == ("avx2", "avx512_bf16")
    assert processor_name(info) == "Some Processor"
    assert processor_features(tmp_path / "nothing") == ()
    assert processor_name(tmp_path / "nothing")
