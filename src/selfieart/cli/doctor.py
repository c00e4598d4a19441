"""``selfieart doctor``: what runs where, and whether everything is whole."""

from __future__ import annotations

import platform
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from functools import partial
from importlib.metadata import PackageNotFoundError, version

import numpy as np
from rich.table import Table

from selfieart import __version__
from selfieart.cli.console import plain_console, print_json
from selfieart.cli.machine import Machine
from selfieart.engine import available_threads, set_threads, threads
from selfieart.engine.devices import runtimes_for
from selfieart.engine.processor import processor_features, processor_name
from selfieart.errors import SelfieartError
from selfieart.extras import EXTRAS, has
from selfieart.imaging.arrays import FloatArray

LIBRARIES = ("numpy", "opencv-python-headless", "pillow", "onnxruntime", "av", "openvino", "torch")
_SIDE = 64


@dataclass(frozen=True)
class Model:
    """One model, run once on a small picture.

    Attributes:
        name: of the model.
        where: it ran.
        seconds: to load it and to run it.
        fault: what is wrong with it; empty when nothing is.
    """

    name: str
    where: str
    seconds: float
    fault: str


@dataclass(frozen=True)
class Findings:
    """What was found.

    Attributes:
        selfieart, python, system, processor: versions and names.
        instructions: of the processor, as far as they matter for networks.
        threads, threads_available: how many compute, and how many could.
        runtimes: what networks can run on, the one that is used first.
        libraries: version by name, None where it is missing.
        extras: whether each is installed.
        models: all of them.
    """

    selfieart: str
    python: str
    system: str
    processor: str
    instructions: tuple[str, ...]
    threads: int
    threads_available: int
    runtimes: tuple[str, ...]
    libraries: dict[str, str | None]
    extras: dict[str, bool]
    models: tuple[Model, ...]


def run(machine: Machine, as_json: bool) -> None:
    """Examine the installation, and tell what was found.

    Raises:
        SelfieartError: the device is not there.
        SelfieartError: a model is broken; that is said after everything else.
    """
    found = examine(machine)
    if as_json:
        print_json(asdict(found))
    else:
        _tell(found)
    broken = [model.name for model in found.models if model.fault]
    if broken:
        raise SelfieartError(f"Broken: {', '.join(broken)}; install selfieart again.")


def examine(machine: Machine) -> Findings:
    """What is installed, and whether every model answers on what a command may use.

    Raises:
        SelfieartError: the device is not there.
    """
    if machine.threads is not None:
        set_threads(machine.threads)
    return Findings(
        __version__,
        platform.python_version(),
        f"{platform.system()} {platform.machine()}",
        processor_name(),
        processor_features(),
        threads(),
        available_threads(),
        tuple(runtime.label for runtime in runtimes_for(machine.chosen)),
        {name: _version(name) for name in LIBRARIES},
        {name: has(name) for name in EXTRAS},
        _models(machine),
    )


def _models(machine: Machine) -> tuple[Model, ...]:
    from selfieart.parsing.parser import FaceParser
    from selfieart.parsing.person import SegNetParser
    from selfieart.parsing.registry import parsers
    from selfieart.weights.graphs import graph, graphs

    picture = np.random.default_rng(0).random((3, _SIDE, _SIDE), np.float32)

    def parsed(name: str) -> tuple[FloatArray, str]:
        parser = machine.studio(name).parser
        assert isinstance(parser, FaceParser | SegNetParser)
        return parser.parse(picture).logits, parser.network.runtime.label

    def painted() -> tuple[FloatArray, str]:
        # Several styles at once and videos have graphs of their own, which one style on one picture does not run.
        for name in graphs():
            if name.startswith(("paint-", "record-")):
                graph(name)
        stylizer = machine.studio().stylizer
        out = stylizer.render(picture, stylizer.encode(stylizer.styles()[0])[None])
        return out, stylizer.network.runtime.label

    def encoded() -> tuple[FloatArray, str]:
        stylizer = machine.studio().stylizer
        return stylizer.encode_picture(picture), stylizer.network.runtime.label

    cases: dict[str, Callable[[], tuple[FloatArray, str]]] = {name: partial(parsed, name) for name in parsers()}
    cases |= {"presets": painted, "any style": encoded}
    return tuple(_examined(name, case) for name, case in cases.items())


def _examined(name: str, case: Callable[[], tuple[FloatArray, str]]) -> Model:
    start, where = time.perf_counter(), ""
    try:
        values, where = case()
        fault = "" if bool(np.isfinite(values).all()) else "gives values that are no numbers"
    except Exception as error:
        # Whatever a runtime raises when it cannot load or run a model is what the doctor is asked to find.
        fault = str(error).strip().partition("\n")[0] or type(error).__name__
    return Model(name, where, round(time.perf_counter() - start, 3), fault)


def _tell(found: Findings) -> None:
    table = Table(show_header=False)
    table.add_row("selfieart", f"{found.selfieart}, Python {found.python}, {found.system}")
    table.add_row("processor", f"{found.processor} ({', '.join(found.instructions) or 'unknown instructions'})")
    table.add_row("threads", f"{found.threads} of {found.threads_available}")
    table.add_row("networks run on", found.runtimes[0])
    table.add_row("also installed", ", ".join(found.runtimes[1:]) or "nothing else")
    table.add_row("libraries", ", ".join(f"{name} {what}" for name, what in found.libraries.items() if what))
    for name, there in found.extras.items():
        table.add_row(f"extra {name}", "installed" if there else f"missing: pip install 'selfieart[{name}]'")
    for model in found.models:
        table.add_row(f"model {model.name}", model.fault or f"whole; {model.where}, {model.seconds} s")
    plain_console().print(table)


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None
