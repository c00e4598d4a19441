"""Who is let in, and what every answer says to the browser.

A page on another site must not reach this server: neither by a name that points here (DNS rebinding: the Host is
checked), nor by sending requests from its own origin (the Origin is checked), nor by embedding what is served here.
"""

from __future__ import annotations

import hmac
import ipaddress
import logging
import secrets
from collections.abc import MutableMapping
from typing import Any

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import ClientDisconnect, HTTPConnection
from starlette.responses import RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from selfieart.app.responses import json_response

log = logging.getLogger(__name__)

COOKIE = "selfieart"
UNEXPECTED = "Something went wrong in the app: try it again; the terminal says more."

SECURITY_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; connect-src 'self'; "
        "media-src 'self' blob:; worker-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(self), microphone=(), geolocation=()",
}


class Guard:
    """ASGI middleware round everything.

    Args:
        app: what is guarded.
        address: what the server listens on.
        port: its port.
        token: what a visitor must know, when it can be reached from other computers; None on this computer only.
    """

    def __init__(self, app: ASGIApp, address: str, port: int, token: str | None = None) -> None:
        self.app, self.port, self.token = app, port, token
        self.wildcard = _is_wildcard(address)
        names = {"127.0.0.1", "localhost", "::1"} | (set() if self.wildcard else {address})
        self.hosts = {host_of(name, port) for name in names}
        # The cookie is not the token: the address with the token may lie in a history, the cookie may not.
        self._session = secrets.token_urlsafe(24)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request through, or answer it."""
        if scope["type"] == "lifespan":
            await self.app(scope, receive, send)
            return
        refusal = self._refusal(scope)
        if refusal is not None:
            if scope["type"] == "websocket":
                # Closing before accepting is answered with 403.
                await receive()
                await send({"type": "websocket.close", "code": 1008})
            else:
                await refusal(scope, receive, _with_headers(send))
            return
        if scope["type"] == "websocket":
            await self.app(scope, receive, send)
            return
        await self._answer(scope, receive, _with_headers(send))

    def _refusal(self, scope: Scope) -> Response | None:
        headers = Headers(scope=scope)
        hosts = headers.getlist("host")
        if len(hosts) != 1 or not self._is_ours(hosts[0], scope):
            return _forbidden("This server answers only at its own address: open the address that it printed.")
        asks = scope["type"] == "websocket" or scope["method"] not in ("GET", "HEAD")
        if asks and headers.getlist("origin") != [f"http://{hosts[0].lower()}"]:
            return _forbidden("This request comes from another site: only the app's own page is served.")
        # Browsers do not agree on what they say of a WebSocket here; its origin has been checked.
        is_api = scope["type"] == "http" and scope["path"].startswith("/api/")
        if is_api and headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none"):
            return _forbidden("This request comes from another site: only the app's own page is served.")
        return self._without_token(HTTPConnection(scope)) if self.token is not None else None

    def _is_ours(self, host: str, scope: Scope) -> bool:
        if host.lower() in self.hosts:
            return True
        # Listening on all addresses, the right one is that at which the request arrived: never a name.
        server: Any = scope.get("server")
        return bool(self.wildcard and server and host.lower() == host_of(server[0], self.port))

    def _without_token(self, asked: HTTPConnection) -> Response | None:
        """None for a visitor who is known; the cookie for one who brings the token."""
        assert self.token is not None
        if _same(asked.cookies.get(COOKIE, ""), self._session):
            return None
        is_first = asked.scope["type"] == "http" and asked.scope["path"] == "/"
        if is_first and _same(asked.query_params.get("token", ""), self.token):
            welcome = RedirectResponse("/", 303)
            welcome.set_cookie(COOKIE, self._session, httponly=True, samesite="strict", path="/")
            return welcome
        return _forbidden("This app needs the address with the token that it printed when it started.")

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        started = finished = False

        async def watched(message: Message) -> None:
            nonlocal started, finished
            started = started or message["type"] == "http.response.start"
            finished = message["type"] == "http.response.body" and not message.get("more_body", False)
            await send(message)

        try:
            await self.app(scope, receive, watched)
        except ClientDisconnect:
            pass
        except Exception:
            log.exception("A request failed unexpectedly")
            if not started:
                await json_response({"error": UNEXPECTED}, 500)(scope, receive, send)
            elif not finished:
                # Half an answer cannot be taken back: the connection is cut, so that nobody takes it for a whole one.
                raise


def host_of(address: str, port: int) -> str:
    """The Host header that a browser sends for an address."""
    name = f"[{address}]" if ":" in address else address
    return (name if port == 80 else f"{name}:{port}").lower()


def _is_wildcard(address: str) -> bool:
    try:
        return ipaddress.ip_address(address).is_unspecified
    except ValueError:
        return False


def _forbidden(sentence: str) -> Response:
    return json_response({"error": sentence}, 403)


def _same(given: str, wanted: str) -> bool:
    return hmac.compare_digest(given.encode(), wanted.encode())


def _with_headers(send: Send) -> Send:
    async def sending(message: MutableMapping[str, Any]) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            for name, value in SECURITY_HEADERS.items():
                headers[name] = value
            if "cache-control" not in headers:
                headers["Cache-Control"] = "no-store"
        await send(message)

    return sending
