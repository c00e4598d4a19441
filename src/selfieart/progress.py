"""How far work is: what everything that takes time tells, and how it is stopped."""

from __future__ import annotations

from collections.abc import Callable

Progress = Callable[[str, float], None]
"""Called with a stage's name and the fraction done; it may raise :class:`selfieart.errors.Cancelled` to stop."""


def silent(stage: str, done: float) -> None:
    """A progress callback that shows nothing."""
