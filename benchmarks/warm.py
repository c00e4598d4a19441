"""Warm models: the cases of all sides, in turns."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from measuring import calm, ratios
from sides import BEFORE, Side, Worker

LIMIT, QUICK_LIMIT = 120.0, 15.0
"""Seconds after which a group of cases stops waiting for a calm machine."""

GROUPS = {
    "portrait": (
        "two",
        "two, features",
        "four",
        "four, features",
        "parser",
        "style",
        "style and face",
        "style picture",
    ),
    "painting": ("plain 512", "plain 1024", "with detail 1024"),
    "24 MP": ("24 MP",),
    "video": ("video, two", "video, one"),
}
"""Cases that are measured in the same rounds."""

PLAIN = ("two", "parser", "style", "24 MP", "plain 512", "plain 1024", "video, two", "video, one")
"""Cases that the program before is measured in too; the others are variants of these."""


@dataclass
class Timed:
    """A case of a side: its seconds in every round, and those of the stages inside it."""

    seconds: list[float] = field(default_factory=list)
    stages: list[dict[str, float]] = field(default_factory=list)

    @property
    def median(self) -> float:
        return statistics.median(self.seconds)

    def median_stages(self) -> dict[str, float]:
        """Median of every stage."""
        names = (self.stages or [{}])[0]
        return {name: statistics.median(stages.get(name, 0.0) for stages in self.stages) for name in names}


@dataclass
class Warm:
    """What was measured.

    Attributes:
        times: by case, then by side.
        facts: of every side's process: "runtime", "threads", "libraries" and more.
        others: share of the processor that other programs took, by group of cases.
        frames: of the video per turn.
    """

    times: dict[str, dict[str, Timed]] = field(default_factory=dict)
    facts: dict[str, dict[str, Any]] = field(default_factory=dict)
    others: dict[str, float] = field(default_factory=dict)
    frames: int = 1

    def of(self, case: str, side: str) -> Timed | None:
        """The times of a side in a case, None if it was not measured."""
        return self.times.get(case, {}).get(side)

    def ratio(self, case: str, side: str, over: str) -> dict[str, float] | None:
        """Seconds of a side over those of another one within a round; None where one is missing."""
        return self.ratio_to(case, side, case, over)

    def ratio_to(self, case: str, side: str, other: str, over: str) -> dict[str, float] | None:
        """The same, where the other one's case has another name; both must be of one group."""
        first, second = self.of(case, side), self.of(other, over)
        return ratios(first.seconds, second.seconds) if first and second else None


def measure_warm(sides: Sequence[Side], photo: str, wide: str, quick: bool, tell: Callable[[str], None]) -> Warm:
    """Start a process for every side, and let them take turns in all cases.

    Args:
        sides: all of them.
        photo, wide: pictures of 512 pixels and of 24 megapixels.
        quick: fewer rounds.
        tell: told what is measured now.
    """
    frames = 5 if quick else 12
    limit = QUICK_LIMIT if quick else LIMIT
    rounds = {"portrait": 3, "painting": 3, "24 MP": 1, "video": 2} if quick else {"24 MP": 3, "video": 5}
    workers: list[Worker] = []
    found = Warm(frames=frames)
    try:
        for side in sides:
            workers.append(Worker(side, photo, wide, frames))
            found.facts[side.key] = workers[-1].facts
        for group, cases in GROUPS.items():
            tell(f"warm: {group}")
            found.others[group] = _measure_group(found, workers, cases, rounds.get(group, 7), limit)
    finally:
        for worker in workers:
            worker.close()
    return found


def _measure_group(found: Warm, workers: Sequence[Worker], cases: Sequence[str], rounds: int, limit: float) -> float:
    """Fill in the times of some cases; the share of the processor that others took meanwhile."""
    turns = [(case, worker) for case in cases for worker in workers if _takes_part(case, worker)]
    turn = 0

    def one_round() -> dict[tuple[str, str], dict[str, Any]]:
        nonlocal turn
        turn += 1
        # Who comes first changes, as the one before leaves caches and memory in some state.
        ordered: Iterable[tuple[str, Worker]] = turns if turn % 2 else reversed(turns)
        return {(case, worker.side.key): worker.run(case) for case, worker in ordered}

    one_round()  # warm up
    measured = calm(one_round, rounds, limit, [worker.pid for worker in workers])
    for answers, _ in measured:
        for (case, side), answer in answers.items():
            timed = found.times.setdefault(case, {}).setdefault(side, Timed())
            timed.seconds.append(answer["seconds"])
            timed.stages.append(answer["stages"])
    return max(others for _, others in measured)


def _takes_part(case: str, worker: Worker) -> bool:
    if case not in worker.cases:
        return False
    return worker.side.key != BEFORE or case in PLAIN
