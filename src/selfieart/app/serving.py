"""Starts the app: finds a port, opens the browser, serves until it is stopped, and cleans up whatever happens."""

from __future__ import annotations

import errno
import ipaddress
import secrets
import signal
import socket
import threading
import webbrowser
from collections.abc import Callable
from contextlib import suppress
from types import FrameType
from typing import TYPE_CHECKING

import uvicorn
from starlette.types import ASGIApp

from selfieart.app.server import create_app, load_studio
from selfieart.app.state import AppState
from selfieart.errors import SelfieartError

if TYPE_CHECKING:
    from selfieart.render.studio import Studio

PORT = 7860
_TRIED = 50


def listen(address: str, port: int, is_exact: bool) -> socket.socket:
    """A listening socket at a port, or at the next free one.

    Args:
        address: to listen on.
        port: wanted; 0 is any.
        is_exact: whether no other port will do.

    Raises:
        SelfieartError: the address is not one of this computer's, or no port is free.
    """
    try:
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        for tried in range(port, min(65536, port + 1 if is_exact or not port else port + _TRIED)):
            # With the protocol named, asyncio sends small answers at once (TCP_NODELAY).
            sock = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                sock.bind((address, tried))
                sock.listen(128)
            except OSError as error:
                sock.close()
                if isinstance(error, socket.gaierror) or error.errno != errno.EADDRINUSE:
                    raise
                continue
            return sock
    except (OSError, OverflowError) as error:
        raise SelfieartError(
            f"The app cannot listen at {address} port {port} ({getattr(error, 'strerror', None) or error}): choose "
            "another --host or --port."
        ) from error
    raise SelfieartError(f"Port {port} is taken: choose another --port, or leave it out.")


def is_local(address: str) -> bool:
    """Whether only this computer can reach an address."""
    try:
        return ipaddress.ip_address(address).is_loopback
    except ValueError:
        return address == "localhost"


def reachable(address: str) -> str:
    """The address at which others reach this computer, where it listens on all of them; else the address itself."""
    try:
        if not ipaddress.ip_address(address).is_unspecified:
            return address
        is_six = ":" in address
        with socket.socket(socket.AF_INET6 if is_six else socket.AF_INET, socket.SOCK_DGRAM) as sock:
            # Nothing is sent: the system only says from which address it would, to one that is kept for documentation.
            sock.connect(("2001:db8::1" if is_six else "192.0.2.1", 9))
            return str(sock.getsockname()[0])
    except OSError:
        return "::1" if ":" in address else "127.0.0.1"
    except ValueError:
        return address


class Server(uvicorn.Server):
    """A quiet server that ends the streams of events before it waits for all connections to end."""

    def __init__(self, app: ASGIApp, state: AppState) -> None:
        config = uvicorn.Config(
            app,
            log_config=None,
            # What goes wrong is logged by the guard, once.
            log_level="critical",
            access_log=False,
            lifespan="on",
            server_header=False,
            date_header=False,
            proxy_headers=False,
            ws="websockets-sansio",
            ws_max_size=4_000_000,
            ws_max_queue=4,
            timeout_graceful_shutdown=2,
            timeout_keep_alive=30,
            limit_concurrency=200,
        )
        super().__init__(config)
        self.state = state

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """End everything that is open."""
        self.state.jobs.close()
        await super().shutdown(sockets)


def serve(
    address: str,
    port: int | None,
    opens_browser: bool,
    announce: Callable[[str], None],
    token: str | None = None,
    studio: Callable[[], Studio] = load_studio,
) -> None:
    """Serve the app until it is interrupted.

    Args:
        address: to listen on; one that other computers reach makes a token necessary.
        port: None is the usual one, or the next that is free.
        opens_browser: show the page when the server is ready.
        announce: called with the address of the page.
        token: instead of a random one.
        studio: makes the studio, in the worker's thread.

    Raises:
        SelfieartError: it cannot listen there.
    """
    needed = None if is_local(address) else token or secrets.token_urlsafe(24)
    sock = listen(address, PORT if port is None else port, is_exact=port is not None)
    bound = sock.getsockname()[1]
    app, state = create_app(address, bound, needed, studio, warm=True)
    server = Server(app, state)
    reached = reachable(address)
    shown = f"[{reached}]" if ":" in reached else reached
    url = f"http://{shown}:{bound}/" + (f"?token={needed}" if needed else "")
    # Without this, being told to end would end the process before the uploads are deleted.
    with suppress(ValueError):
        signal.signal(signal.SIGTERM, _end)
    try:
        announce(url)
        if opens_browser:
            threading.Timer(0.3, webbrowser.open, (url,)).start()
        server.run(sockets=[sock])
    except KeyboardInterrupt:
        pass
    finally:
        state.close()
        sock.close()


def _end(number: int, frame: FrameType | None) -> None:
    raise SystemExit(128 + number)
