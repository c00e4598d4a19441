"""``selfieart app``."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from selfieart.cli.console import plain_console
from selfieart.cli.machine import Machine
from selfieart.errors import SelfieartError

if TYPE_CHECKING:
    from selfieart.engine import Device


def run(port: int | None, host: str, opens_browser: bool, machine: Machine) -> None:
    """Serve the app until it is interrupted.

    Raises:
        SelfieartError: it cannot listen there, or the device is not there.
    """
    if port is not None and not 0 <= port <= 65535:
        raise SelfieartError(f"--port must be a number from 1 to 65535, not {port}.")
    if machine.device != "auto":
        from selfieart.engine.devices import runtimes_for

        # The studio is made while the page is already there: too late to say that it cannot be.
        runtimes_for(cast("Device", machine.device))
    from selfieart.app.serving import is_local, serve

    console = plain_console()

    def announce(url: str) -> None:
        console.print(f"selfieart is at {url}", soft_wrap=True)
        if not is_local(host):
            console.print(
                "Whoever has this address can use the app: it is not encrypted, so stay in a trusted network."
            )
        console.print("Ctrl-C stops it. Nothing leaves this computer, and nothing is kept.")

    serve(host, port, opens_browser, announce, studio=machine.studio)
