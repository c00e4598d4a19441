"""Where networks can run: the processor or a graphics card, with what is installed."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Literal

from selfieart.errors import SelfieartError
from selfieart.extras import has
from selfieart.machine import Device, check_device

_GPU_PROVIDERS = {
    "CUDAExecutionProvider": "CUDA",
    "MIGraphXExecutionProvider": "MIGraphX",
    "ROCMExecutionProvider": "ROCm",
    "DmlExecutionProvider": "DirectML",
    "CoreMLExecutionProvider": "CoreML",
}
"""Providers of ONNX Runtime that compute on a graphics card, fastest first."""


@dataclass(frozen=True)
class Runtime:
    """One way to run networks.

    Attributes:
        name: "onnxruntime" or "openvino".
        device: "cpu" or "gpu".
        provider: what the runtime calls the device.
        version: of the runtime.
    """

    name: Literal["onnxruntime", "openvino"]
    device: Literal["cpu", "gpu"]
    provider: str
    version: str

    @property
    def label(self) -> str:
        """How it is shown to a person."""
        named = {"onnxruntime": "ONNX Runtime", "openvino": "OpenVINO"}[self.name]
        return f"{named} {self.version} on the {'processor' if self.device == 'cpu' else self.provider}"


@cache
def runtimes() -> tuple[Runtime, ...]:
    """All ways to run networks that are installed, the preferred one first."""
    import onnxruntime

    found: list[Runtime] = []
    version = onnxruntime.__version__
    installed = onnxruntime.get_available_providers()
    found += [Runtime("onnxruntime", "gpu", name, version) for name in _GPU_PROVIDERS if name in installed]
    if has("openvino"):
        from selfieart.engine.openvino import openvino_module

        openvino = openvino_module()
        openvino_version = openvino.get_version().split("-")[0]
        devices = openvino.Core().available_devices
        found += [Runtime("openvino", "gpu", name, openvino_version) for name in devices if name.startswith("GPU")]
        found.append(Runtime("openvino", "cpu", "CPU", openvino_version))
    found.append(Runtime("onnxruntime", "cpu", "CPUExecutionProvider", version))
    return tuple(found)


def runtimes_for(device: Device = "auto") -> tuple[Runtime, ...]:
    """What is installed for a device, the preferred one first; at least one.

    Raises:
        UnknownName: there is no such device.
        SelfieartError: a graphics card was asked for and nothing installed can use one.
    """
    check_device(device)
    found = tuple(runtime for runtime in runtimes() if device in ("auto", runtime.device))
    if not found:
        raise SelfieartError(
            "No graphics card can be used: install onnxruntime-gpu (NVIDIA), onnxruntime-directml (Windows) or "
            "selfieart[openvino] (Intel), or choose --device cpu."
        )
    return found
