"""What commands may use of the machine: which device, and how many threads."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

from selfieart.machine import Device, check_device, check_threads
from selfieart.parsing.choice import DEFAULT_PARSER

if TYPE_CHECKING:
    from selfieart.render.studio import Studio


@dataclass(frozen=True)
class Machine:
    """What a command may use; wrong values are refused before any work.

    Attributes:
        device: auto, cpu or gpu.
        threads: how many compute; None for all that the process may use.

    Raises:
        UnknownName: there is no such device.
        SelfieartError: the number of threads is not from 1 to 256.
    """

    device: str = "auto"
    threads: int | None = None

    def __post_init__(self) -> None:
        check_device(self.device)
        check_threads(self.threads)

    @property
    def chosen(self) -> Device:
        """The device, which was checked when this was made."""
        return cast(Device, self.device)

    def studio(self, parser: str = DEFAULT_PARSER) -> Studio:
        """A studio on this machine; its models are loaded when they are needed.

        Raises:
            UnknownName: there is no such parser.
            SelfieartError: the device is not there.
        """
        from selfieart.render.studio import Studio

        return Studio(parser, self.threads, self.chosen)
