"""How things are measured here: medians of calm rounds, and ratios taken within a round.

Everything that is compared takes turns within every round, so that a machine that slows down for a while slows all. A
round during which other programs took much of the processor is measured again.
"""

from __future__ import annotations

import os
import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

DISTURBED = 0.1
"""Share of the processor taken by other programs above which a measurement is repeated."""

T = TypeVar("T")


@dataclass
class Meter:
    """What other programs took of the processor while a block ran, as a share of all cores; 0 where unknown."""

    others: float = 0.0


@contextmanager
def metered(helpers: Sequence[int] = ()) -> Iterator[Meter]:
    """Meter a block.

    Args:
        helpers: processes that live on after the block and whose work is not that of others.
    """
    meter = Meter()
    start, busy, own = time.perf_counter(), _busy_seconds(), _own_seconds(helpers)
    yield meter
    available = (time.perf_counter() - start) * (os.cpu_count() or 1)
    meter.others = max(0.0, (_busy_seconds() - busy) - (_own_seconds(helpers) - own)) / max(available, 1e-3)


def _busy_seconds() -> float:
    """Processor time that all programs together have used."""
    try:
        user, nice, system, _, _, irq, softirq, steal = map(int, Path("/proc/stat").read_text().split()[1:9])
    except (OSError, ValueError):
        return 0.0
    return (user + nice + system + irq + softirq + steal) / os.sysconf("SC_CLK_TCK")


def _own_seconds(helpers: Sequence[int]) -> float:
    return sum(os.times()[:4]) + sum(map(_seconds_of, helpers))


def _seconds_of(process: int) -> float:
    """Processor time that a living process has used."""
    try:
        fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0.0
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def calm(measure: Callable[[], T], wanted: int, limit: float, helpers: Sequence[int] = ()) -> list[tuple[T, float]]:
    """Repeat a measurement until it was calm ``wanted`` times.

    Args:
        measure: what to repeat.
        wanted: how many calm results.
        limit: seconds after which a machine that does not become calm is taken as it is.
        helpers: see :func:`metered`.

    Returns:
        The calm results, or the calmest three where fewer were calm, each with the share that others took.
    """
    results: list[tuple[T, float]] = []
    start = time.perf_counter()
    while sum(others <= DISTURBED for _, others in results) < wanted:
        if len(results) >= min(wanted, 3) and time.perf_counter() - start > limit:
            break
        with metered(helpers) as meter:
            result = measure()
        results.append((result, meter.others))
    enough = max(min(wanted, 3), sum(others <= DISTURBED for _, others in results))
    return sorted(results, key=lambda pair: pair[1])[:enough]


def ratios(over: Sequence[float], under: Sequence[float]) -> dict[str, float]:
    """``over / under`` of every round: median, least and greatest."""
    found = [a / b for a, b in zip(over, under, strict=True)]
    return {"median": statistics.median(found), "least": min(found), "greatest": max(found)}
