"""What the processor can do, as far as it decides which runtime is fast."""

from __future__ import annotations

import platform
from functools import cache
from pathlib import Path

_TELLING = ("avx2", "avx512f", "avx512_bf16", "amx_tile", "amx_bf16", "asimd", "bf16")
"""Instruction sets that networks run on, by Linux' names, from the least to the most."""


@cache
def processor_features(cpuinfo: Path = Path("/proc/cpuinfo")) -> tuple[str, ...]:
    """Instruction sets that matter for networks; empty where the system does not tell.

    Args:
        cpuinfo: where Linux describes the processor.
    """
    try:
        lines = cpuinfo.read_text("ascii", "replace").splitlines()
    except OSError:
        return ()
    flags = {flag for line in lines if line.lower().startswith(("flags", "features")) for flag in line.split()}
    return tuple(name for name in _TELLING if name in flags)


@cache
def processor_name(cpuinfo: Path = Path("/proc/cpuinfo")) -> str:
    """What the processor is called."""
    try:
        lines = cpuinfo.read_text("ascii", "replace").splitlines()
    except OSError:
        lines = []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or platform.machine()
