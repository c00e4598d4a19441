"""What a person may ask of the machine: on which device networks run, and how many threads compute.

Apart from the engine, which brings numpy: the command line refuses what is neither before anything is loaded.
"""

from __future__ import annotations

from typing import Literal, get_args

from selfieart.errors import SelfieartError, unknown

Device = Literal["auto", "cpu", "gpu"]
"""The fastest of what is there, the processor, or a graphics card."""

DEVICES: tuple[str, ...] = get_args(Device)
"""All of them by name."""

MOST_THREADS = 256


def check_device(device: str) -> None:
    """Refuse what is no device.

    Raises:
        UnknownName: it is not auto, cpu or gpu.
    """
    if device not in DEVICES:
        raise unknown("device", str(device), DEVICES)


def check_threads(count: int | None) -> None:
    """Refuse what is no number of threads; None stands for all that the process may use.

    Raises:
        SelfieartError: the number is not from 1 to 256.
    """
    if count is not None and (isinstance(count, bool) or not isinstance(count, int) or not 1 <= count <= MOST_THREADS):
        raise SelfieartError(f"threads must be a number from 1 to {MOST_THREADS}, not {count!r}.")
