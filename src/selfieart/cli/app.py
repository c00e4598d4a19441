"""``selfieart app``."""

from __future__ import annotations

from selfieart.cli.console import plain_console
from selfieart.cli.machine import Machine
from selfieart.errors import SelfieartError


def run(port: int | None, host: str, opens_browser: bool, machine: Machine) -> None:
    """Serve the app until it is interrupted."""
    if port is not None and not 0 <= port <= 65535:
        raise SelfieartError(f"--port must be a number from 1 to 65535, not {port}.")
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
