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
from selfieart.engine import available_threads, runtimes, threads
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
        seconds: to load it and to run it.
        fault: what is wrong with it; empty when nothing is.
    """

    name: str
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


def run(as_json: bool) -> None:
    """Examine the installation, and tell what was found.

    Raises:
        SelfieartError: a model is broken; that is said after everything else.
    """
    found = examine()
    if as_json:
        print_json(asdict(found))
    else:
        _tell(found)
    broken = [model.name for model in found.models if model.fault]
    if broken:
        raise SelfieartError(f"Broken: {', '.join(broken)}; install selfieart again.")


def examine() -> Findings:
    """What is installed, and whether every model answers."""
    return Findings(
        __version__,
        platform.python_version(),
        f"{platform.system()} {platform.machine()}",
        processor_name(),
        processor_features(),
        threads(),
        available_threads(),
        tuple(runtime.label for runtime in runtimes()),
        {name: _version(name) for name in LIBRARIES},
        {name: has(name) for name in EXTRAS},
        _models(),
    )


def _models() -> tuple[Model, ...]:
    from selfieart.parsing.registry import load_parser, parsers
    from selfieart.render.loading import load_presets

    picture = np.random.default_rng(0).random((3, _SIDE, _SIDE), np.float32)

    def parsed(name: str) -> FloatArray:
        return load_parser(name).parse(picture).logits

    def painted() -> FloatArray:
        stylizer = load_presets()
        return stylizer.render(picture, stylizer.encode(stylizer.styles()[0])[None])

    cases: dict[str, Callable[[], FloatArray]] = {name: partial(parsed, name) for name in parsers()}
    cases |= {"presets": painted, "any style": lambda: load_presets().encode_picture(picture)}
    return tuple(_examined(name, case) for name, case in cases.items())


def _examined(name: str, case: Callable[[], FloatArray]) -> Model:
    start = time.perf_counter()
    try:
        fault = "" if bool(np.isfinite(case()).all()) else "gives values that are no numbers"
    except Exception as error:
        # Whatever a runtime raises when it cannot load or run a model is what the doctor is asked to find.
        fault = str(error).strip().partition("\n")[0] or type(error).__name__
    return Model(name, round(time.perf_counter() - start, 3), fault)


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
        table.add_row(f"model {model.name}", model.fault or f"whole; loaded and ran in {model.seconds} s")
    plain_console().print(table)


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None
