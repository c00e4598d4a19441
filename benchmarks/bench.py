"""How fast selfieart is and how much memory it takes, beside the published networks on the same machine.

    python benchmarks/bench.py [--quick] [--json FILE]

Product and reference take turns within every round, and ratios are taken within a round, so that a machine that slows
down for a while slows both. A round during which other programs took much of the processor is measured again.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib import resources
from pathlib import Path
from typing import Any, TypeVar

import cv2
import torch
from rich.console import Console
from rich.table import Table

from reference import Reference, tensor
from selfieart import Look, SegmentLook, Studio
from selfieart.imaging import read_photo
from selfieart.render.painter import paint

HERE = Path(__file__).parent
TARGETS = {"help": 0.3, "demo": 10.0}
"""Seconds of wall time that the command line may take."""

TWO = {"hair": SegmentLook("starry-night"), "background": SegmentLook("wave")}
FOUR = {**TWO, "clothes": SegmentLook("la-muse"), "face": SegmentLook("candy")}
DISTURBED = 0.1
"""Share of the processor taken by other programs above which a measurement is repeated."""

LIMIT = 120.0
"""Seconds after which the speed comparison stops waiting for a calm machine."""

T = TypeVar("T")

_TWO_STYLES = ("--style", "hair=starry-night", "--style", "background=wave")


# --- measuring -----------------------------------------------------------------------------------------------------


@dataclass
class Meter:
    """What other programs took of the processor while a block ran, as a share of all cores; 0 where unknown."""

    others: float = 0.0


@contextmanager
def metered() -> Iterator[Meter]:
    """Meter a block."""
    meter = Meter()
    start, busy, own = time.perf_counter(), _busy_seconds(), _own_seconds()
    yield meter
    available = (time.perf_counter() - start) * (os.cpu_count() or 1)
    meter.others = max(0.0, (_busy_seconds() - busy) - (_own_seconds() - own)) / max(available, 1e-3)


def _busy_seconds() -> float:
    """Processor time that all programs together have used."""
    try:
        user, nice, system, _, _, irq, softirq, steal = map(int, Path("/proc/stat").read_text().split()[1:9])
    except (OSError, ValueError):
        return 0.0
    return (user + nice + system + irq + softirq + steal) / os.sysconf("SC_CLK_TCK")


def _own_seconds() -> float:
    return sum(os.times()[:4])


def calm(measure: Callable[[], T], wanted: int, limit: float) -> list[tuple[T, float]]:
    """Repeat a measurement until it was calm ``wanted`` times.

    Args:
        measure: what to repeat.
        wanted: how many calm results.
        limit: seconds after which a machine that does not become calm is taken as it is.

    Returns:
        The calm results, or the calmest three where fewer were calm, each with the share that others took.
    """
    results: list[tuple[T, float]] = []
    start = time.perf_counter()
    while sum(others <= DISTURBED for _, others in results) < wanted:
        if len(results) >= min(wanted, 3) and time.perf_counter() - start > limit:
            break
        with metered() as meter:
            result = measure()
        results.append((result, meter.others))
    enough = max(min(wanted, 3), sum(others <= DISTURBED for _, others in results))
    return sorted(results, key=lambda pair: pair[1])[:enough]


@dataclass
class Timed:
    """One case of the speed comparison: its times in every round, and those of the stages inside it."""

    run: Callable[[], Any]
    seconds: list[float] = field(default_factory=list)
    stages: list[dict[str, float]] = field(default_factory=list)

    @property
    def median(self) -> float:
        return statistics.median(self.seconds)

    def median_stages(self) -> dict[str, float]:
        """Median of every stage."""
        return {name: statistics.median(s[name] for s in self.stages) for name in (self.stages or [{}])[0]}


def spread(product: Timed, reference: Timed) -> dict[str, float]:
    """How many times faster the product is: median, least and greatest ratio within one round."""
    ratios = [r / p for p, r in zip(product.seconds, reference.seconds, strict=True)]
    return {"median": statistics.median(ratios), "least": min(ratios), "greatest": max(ratios)}


def speed_cases(studio: Studio, reference: Reference, photo: str) -> dict[str, Timed]:
    """Everything that is timed at 512x512 with warm models, in the order in which it takes turns."""
    pixels = read_photo(photo).pixels
    picture = tensor(pixels)
    faces = studio.open(photo).parsing().faces
    codes = studio.stylizer.encode("wave")[None]

    def render(look: Look) -> Callable[[], dict[str, float]]:
        # A fresh portrait each time, so that nothing is kept from the time before.
        return lambda: studio.open(photo).render(look).seconds

    runs: dict[str, Callable[[], Any]] = {
        "two": render(Look(TWO)),
        "two, reference": lambda: reference.render(photo),
        "two, features": render(Look(TWO, blend="features")),
        "four": render(Look(FOUR)),
        "four, features": render(Look(FOUR, blend="features")),
        "parser": lambda: studio.parser.parse(picture),
        "parser, reference": lambda: reference.parse(picture),
        "style": lambda: paint(studio.stylizer, pixels, codes, 512),
        "style, reference": lambda: reference.paint(picture),
        "style and face": lambda: paint(studio.stylizer, pixels, codes, 512, faces),
        "style picture, reference": lambda: reference.style(picture),
    }
    return {name: Timed(run) for name, run in runs.items()}


def measure_speed(cases: dict[str, Timed], rounds: int) -> float:
    """Fill in the times of all cases; returns the share of the processor that others took meanwhile."""

    def one_round() -> dict[str, tuple[float, Any]]:
        times = {}
        for name, case in cases.items():
            start = time.perf_counter()
            result = case.run()
            times[name] = (time.perf_counter() - start, result)
            if not isinstance(result, dict):  # only stages are kept, not pictures
                times[name] = (times[name][0], None)
        return times

    one_round()  # warm up
    measured = calm(one_round, rounds, LIMIT)
    for times, _ in measured:
        for name, (seconds, stages) in times.items():
            cases[name].seconds.append(seconds)
            if stages is not None:
                cases[name].stages.append(stages)
    return max(others for _, others in measured)


def launch(*command: str) -> dict[str, Any]:
    """Run a command in a fresh process: its wall time, peak memory and output."""
    done = subprocess.run([sys.executable, HERE / "launch.py", *command], capture_output=True, text=True, check=True)
    result = json.loads(done.stdout)
    if result["code"]:
        raise SystemExit(f"{' '.join(command)} failed with exit code {result['code']}:\n{done.stderr}")
    return result


def program(repeats: int, *command: str) -> dict[str, float]:
    """Wall time and peak memory of a whole program, medians over fresh processes, and its stages if it tells them."""
    measured = calm(lambda: launch(*command), repeats, LIMIT / 6)
    results = [result for result, _ in measured]
    summary = {key: statistics.median(r[key] for r in results) for key in ("seconds", "peak_bytes")}
    summary["others"] = max(others for _, others in measured)
    if results[0]["output"].startswith("{"):
        summary["stages"] = json.loads(results[0]["output"])["seconds"]
    return summary


def measure_programs(folder: Path, photo: str, quick: bool) -> dict[str, dict[str, float]]:
    """Whole processes, as a person starts them."""
    selfieart = (sys.executable, "-m", "selfieart")
    wide = str(folder / "wide.jpg")
    # 24 megapixels at 3:2: the upper two thirds of the square portrait, which hold the face, enlarged.
    portrait = cv2.imread(photo)[:341]
    cv2.imwrite(wide, cv2.resize(portrait, (6000, 4000), interpolation=cv2.INTER_CUBIC), [cv2.IMWRITE_JPEG_QUALITY, 92])

    def paint_photo(source: str, target: str) -> tuple[str, ...]:
        out = str(folder / target)
        return (*selfieart, "photo", source, *_TWO_STYLES, "-o", out, "--overwrite", "--json")

    loaded = "import torch; from selfieart import Studio; Studio()"
    some = 1 if quick else 3
    return {
        "help": program(3 if quick else 5, *selfieart, "--help"),
        "demo": program(some, *selfieart, "demo", "-o", str(folder / "demo.png"), "--overwrite", "--json"),
        "models loaded": program(1, sys.executable, "-c", loaded),
        "512": program(some, *paint_photo(photo, "small.png")),
        "512, reference": program(1, sys.executable, str(HERE / "reference.py"), photo),
        "24 MP": program(1, *paint_photo(wide, "wide-art.jpg")),
    }


def machine() -> dict[str, Any]:
    """Facts about this machine that the numbers depend on."""
    model = platform.processor() or platform.machine()
    info = Path("/proc/cpuinfo")
    if info.exists():
        names = [line.split(":")[1].strip() for line in info.read_text().splitlines() if line.startswith("model name")]
        model = names[0] if names else model
    return {
        "processor": model,
        "instructions": torch.backends.cpu.get_cpu_capability(),
        "cores": os.cpu_count(),
        "threads": torch.get_num_threads(),
        "memory_bytes": os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"),
        "torch": torch.__version__,
        "python": platform.python_version(),
        "system": platform.system(),
    }


# --- telling -------------------------------------------------------------------------------------------------------


def _stages(stages: dict[str, float]) -> str:
    return ", ".join(f"{name} {value:.2f}" for name, value in stages.items())


def _megabytes(count: float) -> str:
    return f"{count / 1e6:.0f} MB"


def speed_table(cases: dict[str, Timed]) -> Table:
    """The table of the warm times."""
    table = Table(title="512x512 portrait, models warm", title_justify="left", title_style="bold")
    for name, justify in (("", "left"), ("selfieart", "right"), ("reference", "right"), ("times faster", "right")):
        table.add_column(name, justify=justify)
    table.add_column("seconds of the stages")

    def row(name: str, product: str | None, reference: str | None = None, end: bool = False) -> None:
        p, r = cases.get(product or ""), cases.get(reference or "")
        ratio = ""
        if p and r:
            found = spread(p, r)
            ratio = f"{found['median']:.1f} ({found['least']:.1f} to {found['greatest']:.1f})"
        cells = [f"{case.median:.3f} s" if case else "" for case in (p, r)]
        table.add_row(name, *cells, ratio, _stages(p.median_stages()) if p else "", end_section=end)

    row("two styles", "two", "two, reference")
    row("two styles, blend=features", "two, features", "two, reference")
    row("four styles", "four")
    row("four styles, blend=features", "four, features", end=True)
    row("parser alone", "parser", "parser, reference")
    row("one style alone", "style", "style, reference")
    row("one style, small face painted finer", "style and face", "style, reference")
    row("Gram matrix of a style picture", None, "style picture, reference")
    return table


def program_table(programs: dict[str, dict[str, Any]]) -> Table:
    """The table of whole processes."""
    table = Table(title="Whole programs, from start to exit", title_justify="left", title_style="bold")
    for name, justify in (("", "left"), ("time", "right"), ("target", "right"), ("peak memory", "right")):
        table.add_column(name, justify=justify)
    table.add_column("seconds of the stages")
    rows = {
        "help": "selfieart --help",
        "demo": "selfieart demo",
        "models loaded": "only import torch and load the models",
        "512": "selfieart photo, 512x512, two styles",
        "512, reference": "the reference, 512x512, two styles",
        "24 MP": "selfieart photo, 6000x4000, two styles",
    }
    for key, name in rows.items():
        found, target = programs[key], ""
        if key in TARGETS:
            met = found["seconds"] <= TARGETS[key]
            target = f"[{'green' if met else 'red'}]{TARGETS[key]:g} s {'met' if met else 'missed'}[/]"
        peak = _megabytes(found["peak_bytes"])
        table.add_row(name, f"{found['seconds']:.2f} s", target, peak, _stages(found.get("stages", {})))
    return table


def main() -> None:
    """Measure everything, print it, and write it as JSON if asked."""
    arguments = argparse.ArgumentParser(description="Speed and memory, against the published networks.")
    arguments.add_argument("--quick", action="store_true", help="fewer repetitions")
    arguments.add_argument("--json", type=Path, metavar="FILE", help="also write the numbers to a file")
    given = arguments.parse_args()
    console = Console(highlight=False, width=None if sys.stdout.isatty() else 140)
    with resources.as_file(resources.files("selfieart").joinpath("data", "astronaut.jpg")) as path:
        photo = str(path)
        with tempfile.TemporaryDirectory() as folder, console.status("Measuring whole programs"):
            programs = measure_programs(Path(folder), photo, given.quick)
        rounds = 3 if given.quick else 7
        with console.status("Measuring with warm models"):
            reference = Reference()
            cases = speed_cases(Studio(), reference, photo)
            others = measure_speed(cases, rounds)

    facts = machine()
    console.print(
        f"{facts['processor']}, {facts['instructions']}: {facts['cores']} cores, {facts['threads']} threads, "
        f"{facts['memory_bytes'] / 2**30:.0f} GiB; torch {facts['torch']}, Python {facts['python']}, {facts['system']}"
    )
    busy = max(found["others"] for found in programs.values())
    if max(others, busy) > DISTURBED:
        console.print(
            f"[yellow]The machine was not calm (others took up to {max(others, busy):.0%}): measure again.[/]"
        )
    console.print(speed_table(cases), program_table(programs))
    sizes = ", ".join(f"{name} {count / 1e6:.2f} M parameters" for name, count in reference.parameters.items())
    layouts = ", ".join(f"{name} {str(layout).split('.')[-1]}" for name, layout in reference.layouts.items())
    console.print(
        f"The reference: BiSeNet with ResNet-18 once, MSG-Net (128) once per style, pixels composited with tau = 3; "
        f"{sizes}, random weights; Gram matrices of styles given; the faster memory layout of each ({layouts}).\n"
        f"Medians of {len(cases['two'].seconds)} rounds in which both take turns; "
        "ratios within a round, with the least and greatest. "
        f"Other programs took up to {others:.0%} of the processor in the rounds."
    )
    if given.json:
        against = {
            "two": "two",
            "two, features": "two",
            "parser": "parser",
            "style": "style",
            "style and face": "style",
        }
        speed = {
            name: {"median": case.median, "all": case.seconds, "stages": case.median_stages()}
            for name, case in cases.items()
        }
        ratios = {name: spread(cases[name], cases[f"{other}, reference"]) for name, other in against.items()}
        numbers = {
            "machine": facts,
            "others": others,
            "rounds": len(cases["two"].seconds),
            "targets": TARGETS,
            "reference_parameters": reference.parameters,
            "seconds": speed,
            "times_faster": ratios,
            "programs": programs,
        }
        given.json.write_text(json.dumps(numbers, indent=2) + "\n", "utf-8")


if __name__ == "__main__":
    main()
