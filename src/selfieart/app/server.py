"""The ASGI application: routes, errors, and the life of what they share."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import anyio
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Mount, Route
from starlette.types import ASGIApp

from selfieart.app.capabilities import capabilities
from selfieart.app.errors import status_of, without_paths
from selfieart.app.guards import UNEXPECTED, Guard
from selfieart.app.responses import json_response
from selfieart.app.routes import jobs, live, page, photos, styles, videos
from selfieart.app.state import AppState, state_of
from selfieart.errors import Cancelled, SelfieartError

if TYPE_CHECKING:
    from selfieart.render.studio import Studio


def load_studio() -> Studio:
    """A studio on the fastest device that is there."""
    from selfieart.render.studio import Studio

    return Studio()


def create_app(
    address: str = "127.0.0.1",
    port: int = 7860,
    token: str | None = None,
    studio: Callable[[], Studio] = load_studio,
    warm: bool = False,
) -> tuple[ASGIApp, AppState]:
    """The app as an ASGI application, and what it holds.

    Args:
        address: what the server listens on.
        port: its port; requests for any other are refused.
        token: needed by visitors when the app can be reached from other computers.
        studio: makes the studio, in the worker's thread.
        warm: load the models at once, so that the first photo does not wait for them.
    """
    state = AppState(studio)

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        if warm:
            state.worker.submit(lambda step: warm_up(state))
        try:
            yield
        finally:
            await anyio.to_thread.run_sync(state.close)

    api = [
        Route("/info", info),
        *photos.ROUTES,
        *styles.ROUTES,
        *videos.ROUTES,
        *jobs.ROUTES,
        *live.ROUTES,
        Mount("/presets", page.thumbnails()),
    ]
    app = Starlette(
        routes=[
            Mount("/api", routes=api),
            Mount("/assets", page.assets()),
            Mount("/", page.bundle()),
        ],
        exception_handlers={
            SelfieartError: _refused,
            OSError: _refused,
            MemoryError: _refused,
            HTTPException: _http_error,
            ClientDisconnect: _nobody_waits,
            Cancelled: _nobody_waits,
            Exception: _unexpected,
        },
        lifespan=lifespan,
    )
    app.state.selfieart = state
    return Guard(app, address, port, token), state


async def info(request: Request) -> Response:
    """GET /api/info."""
    # Finding out what can be imported reads files.
    return json_response(await anyio.to_thread.run_sync(capabilities))


def warm_up(state: AppState) -> None:
    """Load the models and run them once on a small picture; in the worker's thread."""
    import numpy as np

    from selfieart.look import Look

    state.portraits.studio.open(np.full((96, 96, 3), 128, np.uint8)).render(Look().wearing("everything", "candy"))


def _refused(request: Request, error: Exception) -> Response:
    known = status_of(error)
    if known is None:
        raise error
    status, sentence = known
    return json_response({"error": without_paths(sentence, state_of(request).folder.path)}, status)


def _http_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    sentence = {404: "There is nothing at this address.", 405: "This address does not take such a request."}
    return json_response(
        {"error": sentence.get(error.status_code, f"{error.detail}.")}, error.status_code, error.headers
    )


def _unexpected(request: Request, error: Exception) -> Response:
    return json_response({"error": UNEXPECTED}, 500)


def _nobody_waits(request: Request, error: Exception) -> Response:
    return Response(status_code=499)
