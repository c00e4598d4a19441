"""OpenVINO: faster than ONNX Runtime on many processors, and the one that knows their bfloat16."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from types import ModuleType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from selfieart.engine.running import Precision, Run
from selfieart.errors import DeviceError


def openvino_module() -> ModuleType:
    """OpenVINO, which would tell its makers over the network that it was imported, and now does not."""
    # What is None here cannot be imported; OpenVINO then takes the stub that it has for this case.
    sys.modules.setdefault("openvino_telemetry", None)  # type: ignore[arg-type]
    import openvino

    return openvino  # type: ignore[no-any-return]


def load(model: bytes, provider: str, threads: int, precision: Precision) -> Run:
    """A model with its weights, ready to run.

    Args:
        model: ONNX.
        provider: OpenVINO's name of the device.
        threads: of the processor.
        precision: "fast" takes bfloat16 where the processor multiplies it natively.

    Raises:
        DeviceError: the graphics card cannot be used.
    """
    core = openvino_module().Core()
    settings: dict[str, Any] = {"PERFORMANCE_HINT": "LATENCY"}
    if provider == "CPU":
        settings["INFERENCE_NUM_THREADS"] = threads
        # What it has compiled for a size is kept; usually for 5000 of them, which after a hundred pictures of as many
        # sizes was 50 MB more, at the same speed.
        settings["CPU_RUNTIME_CACHE_CAPACITY"] = "20"
        if precision == "exact" or "BF16" not in core.get_property("CPU", "OPTIMIZATION_CAPABILITIES"):
            settings["INFERENCE_PRECISION_HINT"] = "f32"
        else:
            settings["INFERENCE_PRECISION_HINT"] = "bf16"
    try:
        compiled = core.compile_model(core.read_model(model), provider, settings)
    except RuntimeError as error:
        if provider == "CPU":
            raise
        raise DeviceError(
            f"OpenVINO cannot use the graphics card {provider}: check its driver, or choose --device cpu."
        ) from error
    request = compiled.create_infer_request()

    def run(outputs: Sequence[str], inputs: Mapping[str, NDArray[Any]]) -> list[NDArray[np.float32]]:
        found = request.infer(dict(inputs), share_inputs=True)
        # The request's own memory is written again by the next run.
        return [np.array(found[name], np.float32) for name in outputs]

    return run
