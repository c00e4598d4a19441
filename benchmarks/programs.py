"""Whole processes, as a person starts them: wall time and peak memory."""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from measuring import calm, ratios
from sides import BEFORE, HERE, PUBLISHED, ROOT, Side

LIMIT, QUICK_LIMIT = 60.0, 5.0
"""Seconds after which one case stops waiting for a calm machine."""

_TWO_STYLES = ("--style", "hair=starry-night", "--style", "background=wave")

Found = dict[str, dict[str, dict[str, Any]]]
"""By case, then by side: "seconds" and "peak_bytes" of every round, their medians, "stages", "ratio" to before."""


def launch(command: Sequence[str], environment: dict[str, str]) -> dict[str, Any]:
    """Run a command in a fresh process: its wall time, peak memory and output."""
    # The small process in between has the Python of this one, whatever runs the command.
    done = subprocess.run(
        [sys.executable, HERE / "launch.py", *command], capture_output=True, text=True, env=environment
    )
    result: dict[str, Any] = json.loads(done.stdout) if done.returncode == 0 else {"code": done.returncode}
    if result["code"]:
        raise SystemExit(f"{' '.join(command)} failed with exit code {result['code']}:\n{done.stderr}")
    return result


def measure_programs(
    sides: Sequence[Side], folder: Path, photo: str, wide: str, quick: bool, tell: Callable[[str], None]
) -> tuple[Found, float]:
    """All cases, the sides in turns; ``tell`` is told what is measured now.

    Returns:
        What was found, and the greatest share of the processor that others took in a round.
    """

    def painting(source: str, target: str) -> tuple[str, ...]:
        return ("photo", source, *_TWO_STYLES, "-o", str(folder / target), "--overwrite", "--json")

    cases: dict[str, tuple[tuple[str, ...], int]] = {
        "help": (("--help",), 3 if quick else 7),
        "demo": (("demo", "-o", str(folder / "demo.png"), "--overwrite", "--json"), 1 if quick else 5),
        "512": (painting(photo, "small.png"), 2 if quick else 7),
        "24 MP": (painting(wide, "wide-art.jpg"), 1 if quick else 3),
    }
    found: Found = {}
    worst = 0.0
    for case, (arguments, rounds) in cases.items():
        tell(f"programs: {case}")
        commands = {side.key: (side.command(*arguments), side.environment()) for side in sides}
        found[case], others = _measure(commands, rounds, QUICK_LIMIT if quick else LIMIT)
        worst = max(worst, others)
    return found, worst


def measure_published(photo: str, environment: dict[str, str]) -> dict[str, Any]:
    """The published topologies, painting one photo as a process."""
    command = (sys.executable, str(HERE / "reference.py"), photo)
    found, _ = _measure({PUBLISHED: (command, environment | {"PYTHONPATH": str(ROOT / "src")})}, 1, 0.0)
    return found[PUBLISHED]


def _measure(
    commands: dict[str, tuple[tuple[str, ...], dict[str, str]]], rounds: int, limit: float
) -> tuple[dict[str, dict[str, Any]], float]:
    turn = 0

    def one_round() -> dict[str, dict[str, Any]]:
        nonlocal turn
        turn += 1
        ordered = list(commands) if turn % 2 else list(reversed(commands))
        return {key: launch(*commands[key]) for key in ordered}

    if BEFORE in commands:
        one_round()  # compiles what was just unpacked, and reads files into the system's cache
    measured = calm(one_round, rounds, limit)
    found: dict[str, dict[str, Any]] = {}
    for key in commands:
        results = [result[key] for result, _ in measured]
        entry: dict[str, Any] = {"all": {name: [r[name] for r in results] for name in ("seconds", "peak_bytes")}}
        entry |= {name: statistics.median(values) for name, values in entry["all"].items()}
        if results[0]["output"].startswith("{"):
            told = [json.loads(result["output"])["seconds"] for result in results]
            entry["stages"] = {name: statistics.median(one[name] for one in told) for name in told[0]}
        found[key] = entry
    for key, entry in found.items():
        if BEFORE in found and key != BEFORE:
            before = found[BEFORE]["all"]
            entry["ratio"] = {name: ratios(values, before[name]) for name, values in entry["all"].items()}
    return found, max(others for _, others in measured)
