"""Strips of rows: how pictures too large to hold twice are worked through, on all threads and in little memory.

What one pixel becomes never depends on the strip that it lies in, so neither the budget nor the number of threads is
seen in a result.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, wait
from typing import Any

from selfieart.engine import pool, threads

BUDGET = 12_000_000
"""Floats that all strips in work at once may hold."""

_inside = threading.local()
"""``busy`` is set on threads that work for :func:`in_parallel`."""


def strips_of(height: int, width: int, planes: int, budget: int = BUDGET) -> Iterator[tuple[int, int]]:
    """Strips of rows (top, bottom) such that 3 * planes floats per pixel stay within a budget of floats.

    Args:
        height, width: of the picture.
        planes: floats per pixel that are wanted; three times as many count, for what is between.
        budget: for all strips in work at once, of which each thread has one.
    """
    rows = max(1, budget // (3 * planes * width * threads()))
    for top in range(0, height, rows):
        yield top, min(top + rows, height)


def in_parallel(
    work: Callable[[int, int], object],
    ranges: Iterable[tuple[int, int]],
    finished: Callable[[int, int], object] | None = None,
) -> None:
    """Work on ranges (first, last) on the threads of the pool; as many at once as there are threads.

    Called from such work it does its own on the thread it is on, so that no thread waits for another one.

    Args:
        work: called with each range, on any thread.
        ranges: taken one at a time.
        finished: called with each range in their order, on the calling thread. When it raises, no more work begins,
            and none is still going on when the error arrives.
    """
    at_once = 1 if getattr(_inside, "busy", False) else threads()
    if at_once == 1:
        for first, last in ranges:
            work(first, last)
            if finished is not None:
                finished(first, last)
        return

    def task(first: int, last: int) -> None:
        _inside.busy = True
        try:
            work(first, last)
        finally:
            _inside.busy = False

    waiting: deque[tuple[tuple[int, int], Future[Any]]] = deque()

    def settle() -> None:
        done, future = waiting.popleft()
        future.result()
        if finished is not None:
            finished(*done)

    try:
        for span in ranges:
            if len(waiting) >= at_once:
                settle()
            waiting.append((span, pool().submit(task, *span)))
        while waiting:
            settle()
    finally:
        for _, future in waiting:
            future.cancel()
        wait([future for _, future in waiting])
