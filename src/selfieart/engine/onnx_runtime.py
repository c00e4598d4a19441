"""ONNX Runtime: the runtime that every installation has."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from selfieart.engine.running import Precision, Run
from selfieart.errors import DeviceError


def load(model: bytes, provider: str, threads: int, precision: Precision) -> Run:
    """A model with its weights, ready to run.

    Args:
        model: ONNX.
        provider: where it runs; what the provider cannot do runs on the processor.
        threads: of the processor.
        precision: the processor's kernels know float32 only, so "fast" changes nothing.

    Raises:
        DeviceError: the provider cannot be used, which the runtime itself would only log.
    """
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads, options.inter_op_num_threads = threads, 1
    # Sizes differ from picture to picture: a plan of the memory kept for each of them would grow without end.
    options.enable_mem_pattern = False
    options.enable_cpu_mem_arena = False
    # Threads that wait by spinning take the processor from whoever has work: another program, the browser, or each
    # other. With more threads than processors a photo took 40 times as long, on a busy machine 1.5 times.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.log_severity_level = 3
    providers = [provider] if provider == "CPUExecutionProvider" else [provider, "CPUExecutionProvider"]
    session = onnxruntime.InferenceSession(model, options, providers=providers)
    if provider not in session.get_providers():
        raise DeviceError(
            f"ONNX Runtime cannot use the graphics card by {provider}: check its driver, or choose --device cpu."
        )
    run_options = onnxruntime.RunOptions()
    run_options.only_execute_path_to_fetches = True

    def run(outputs: Sequence[str], inputs: Mapping[str, NDArray[Any]]) -> list[NDArray[np.float32]]:
        found: list[NDArray[np.float32]] = session.run(list(outputs), dict(inputs), run_options)
        return found

    return run
