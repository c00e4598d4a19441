"""What the move to a small installation was to reach, and whether it did."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from programs import Found
from sides import BASE, BEFORE, Side
from warm import Warm

HELP_SECONDS, DEMO_SECONDS = 0.25, 10.0
PROCESS, MEMORY, NO_SLOWER, INSTALL = 0.5, 0.6, 1.0, 0.6
"""Shares of what it was before."""

MEGABYTES = 500.0
"""Of the installed base."""


@dataclass(frozen=True)
class Goal:
    """One of them.

    Attributes:
        name: what.
        side: whose.
        most: what it may be.
        unit: of both numbers.
        found: what it is.
    """

    name: str
    side: str
    most: float
    unit: str
    found: float

    @property
    def met(self) -> bool:
        return self.found <= self.most


def goals(
    programs: Found, warm: Warm, sides: list[Side], base_megabytes: float, install: dict[str, Any] | None
) -> list[Goal]:
    """All that could be measured."""
    found = []
    share = "of before"
    for side in sides:
        if side.key == BEFORE:
            continue

        def add(name: str, most: float, unit: str, value: float | None, label: str = side.label) -> None:
            if value is not None:
                found.append(Goal(name, label, most, unit, value))

        add("--help", HELP_SECONDS, "s", programs["help"][side.key]["seconds"])
        add("demo", DEMO_SECONDS, "s", programs["demo"][side.key]["seconds"])
        ratio = programs["512"][side.key].get("ratio", {})
        add("photo, 512 px, two styles: time", PROCESS, share, ratio.get("seconds", {}).get("median"))
        add("photo, 512 px, two styles: peak memory", MEMORY, share, ratio.get("peak_bytes", {}).get("median"))
        for case, name in (
            ("two", "warm, 512 px, two styles"),
            ("24 MP", "warm, 24 MP, two styles"),
            ("video, two", "720p frames, two styles"),
            ("video, one", "720p frames, person only"),
        ):
            within = warm.ratio(case, side.key, BEFORE)
            add(name, NO_SLOWER, share, within["median"] if within else None)
        if side.key == BASE:
            add("installed base", MEGABYTES, "MB", base_megabytes)
            add("make demo from nothing", INSTALL, share, install["ratio"]["median"] if install else None)
    return found
