"""How many threads may compute, and the pool that works on pixels.

One inference at a time owns them all: :data:`engine_lock` is held while a network runs.
"""

from __future__ import annotations

import math
import os
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from selfieart.machine import check_threads

engine_lock = threading.RLock()
"""Held by whoever runs a network or works on the pixels of a whole picture."""


def available_threads(cgroup: Path = Path("/sys/fs/cgroup")) -> int:
    """Processors that this process may use: those it is bound to, and no more than its container is given time for.

    Args:
        cgroup: where the limits of the container are mounted.
    """
    bound = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    quota = _container_quota(cgroup)
    return max(1, bound if quota is None else min(bound, math.ceil(quota)))


def _container_quota(cgroup: Path) -> float | None:
    """Processors' worth of time that the container may use, None without a limit (cgroup v2, then v1)."""
    try:
        granted, period = (cgroup / "cpu.max").read_text("ascii").split()[:2]
    except (OSError, ValueError):
        try:
            granted = (cgroup / "cpu" / "cpu.cfs_quota_us").read_text("ascii").strip()
            period = (cgroup / "cpu" / "cpu.cfs_period_us").read_text("ascii").strip()
        except (OSError, ValueError):
            return None
    try:
        share = float(granted) / float(period)
    except (ValueError, ZeroDivisionError):
        return None
    return share if share > 0 else None


class _Threads:
    """The setting and its pool; one for the process, because the processor is one."""

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._count: int | None = None
        self._pool: ThreadPoolExecutor | None = None

    def count(self) -> int:
        if self._count is None:
            self._count = available_threads()
        return self._count

    def set(self, count: int | None) -> None:
        with self._guard:
            # Whoever holds the pool of before may still give it work; its threads end when nobody holds it.
            self._count, self._pool = count, None

    def pool(self) -> ThreadPoolExecutor:
        with self._guard:
            if self._pool is None:
                self._pool = ThreadPoolExecutor(self.count(), thread_name_prefix="selfieart-pixels")
            return self._pool


_threads = _Threads()


def threads() -> int:
    """How many threads compute at once: what :func:`set_threads` said, else all that the process may use."""
    return _threads.count()


def set_threads(count: int | None) -> None:
    """Compute with so many threads from now on; None for all that the process may use.

    Raises:
        SelfieartError: the number is not from 1 to 256.
    """
    check_threads(count)
    _threads.set(count)
    import cv2

    cv2.setNumThreads(threads())


def pool() -> ThreadPoolExecutor:
    """Threads for work on pixels, shared by all; a task of the pool must not wait for another one."""
    return _threads.pool()
