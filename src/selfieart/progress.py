"""How far work is: what everything that takes time tells, how it is stopped, and how long it took."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

Progress = Callable[[str, float], None]
"""Called with a stage's name and the fraction done; it may raise :class:`selfieart.errors.Cancelled` to stop."""


def silent(stage: str, done: float) -> None:
    """A progress callback that shows nothing."""


@dataclass
class Stopwatch:
    """How long each stage of some work took.

    Attributes:
        seconds: stage -> time that it has taken so far.
    """

    seconds: dict[str, float] = field(default_factory=dict)

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Count the time of a block as that of a stage; not of one that ends with an error."""
        start = time.perf_counter()
        yield
        self.seconds[name] = self.seconds.get(name, 0.0) + time.perf_counter() - start
