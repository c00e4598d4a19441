"""A network that is ready to run: a graph and its weights on a runtime."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Self

from numpy.typing import NDArray

from selfieart.engine.devices import Runtime, runtimes_for
from selfieart.engine.running import FloatArray, Precision, Run
from selfieart.engine.threads import engine_lock, threads
from selfieart.errors import DeviceError
from selfieart.machine import Device
from selfieart.weights.graphs import graph, with_weights


class Network:
    """A graph of the package with weights, run with numpy arrays.

    It is loaded when it first runs, and again if the number of threads has changed.

    Args:
        name: of the graph: see :func:`selfieart.weights.graphs.graph`.
        weights: gives the weights by the names of the torch definition, whenever the network is loaded; those that the
            graph does not use are left out. They are not kept: a runtime has its own copy.
        device: where it runs.
        precision: "fast" allows bfloat16, for frames of videos.

    Raises:
        UnknownName: there is no such graph or device.
        SelfieartError: the device is not there.
    """

    def __init__(
        self,
        name: str,
        weights: Callable[[], Mapping[str, FloatArray]],
        device: Device = "auto",
        precision: Precision = "exact",
    ) -> None:
        self.name, self.weights, self.precision = name, weights, precision
        self._runtimes = runtimes_for(device)
        self.outputs = graph(name).outputs
        self._loaded: tuple[int, Run] | None = None

    def __call__(self, outputs: Sequence[str] | None = None, /, **inputs: NDArray[Any]) -> tuple[FloatArray, ...]:
        """Run it; nothing else runs meanwhile.

        Args:
            outputs: names of those wanted; all when left out. What only the others need is not computed.
            inputs: by name, float32.

        Returns:
            The outputs in the order asked for.

        Raises:
            WeightsError: a weight of the graph is missing or has another shape.
        """
        with engine_lock:
            return tuple(self.load()(outputs or self.outputs, inputs))

    def load(self) -> Run:
        """Load it now, unless it is loaded, instead of when it first runs.

        Raises:
            WeightsError: a weight of the graph is missing or has another shape.
            DeviceError: the graphics card that was asked for cannot compute.
        """
        with engine_lock:
            if self._loaded is None or self._loaded[0] != threads():
                self._loaded = threads(), self._load()
            return self._loaded[1]

    def in_precision(self, precision: Precision) -> Self:
        """The same network with other arithmetic; itself when it has it already or the runtime knows one kind only."""
        if precision == self.precision or self.runtime.name == "onnxruntime":
            return self
        twin = copy.copy(self)
        twin.precision, twin._loaded = precision, None
        return twin

    @property
    def runtime(self) -> Runtime:
        """Where it runs; before it is loaded, where it is going to."""
        return self._runtimes[0]

    def _load(self) -> Run:
        model = with_weights(graph(self.name), self.weights())
        while True:
            if self.runtime.name == "openvino":
                from selfieart.engine.openvino import load
            else:
                from selfieart.engine.onnx_runtime import load
            try:
                return load(model, self.runtime.provider, threads(), self.precision)
            except DeviceError:
                # A card that is there and cannot compute, such as one without its driver; "auto" has the processor.
                if len(self._runtimes) == 1:
                    raise
                self._runtimes = self._runtimes[1:]
