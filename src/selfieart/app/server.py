"""The ASGI application: routes, errors, and the life of what they share."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import anyio
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp

from selfieart.app.capabilities import offers
from selfieart.app.errors import status_of, without_paths
from selfieart.app.guards import UNEXPECTED, Guard
from selfieart.app.routes import jobs, page, photos
from selfieart.app.routes.live import ROUTES as LIVE_ROUTES
from selfieart.app.state import Workshop
from selfieart.errors import Cancelled, SelfieartError

if TYPE_CHECKING:
    from selfieart.render.studio import Studio


def _load_studio() -> Studio:
    from selfieart.render.studio import Studio

    return Studio()


def create_app(
    address: str = "127.0.0.1",
    port: int = 7860,
    token: str | None = None,
    studio: Callable[[], Studio] = _load_studio,
    warm: bool = False,
) -> tuple[ASGIApp, Workshop]:
    """The app as an ASGI application, and what it holds.

    Args:
        address: what the server listens on.
        port: its port; requests for any other are refused.
        token: needed by visitors when the app can be reached from other computers.
        studio: makes the studio, in the engine's thread.
        warm: load the models at once, so that the first photo does not wait for them.
    """
    workshop = Workshop(studio)

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        if warm:
            workshop.engine.submit(lambda step: warm_up(workshop))
        try:
            yield
        finally:
            await anyio.to_thread.run_sync(workshop.close)

    app = Starlette(
        routes=[
            *page.ROUTES,
            Route("/api/info", info),
            *photos.ROUTES,
            *jobs.ROUTES,
            *LIVE_ROUTES,
            *page.LAST_ROUTES,
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
    app.state.workshop = workshop
    return Guard(app, address, port, token), workshop


async def info(request: Request) -> Response:
    """GET /api/info."""
    # Finding out what can be imported reads files.
    return JSONResponse(await anyio.to_thread.run_sync(offers))


def warm_up(workshop: Workshop) -> None:
    """Load the models and run them once on a small picture; in the engine's thread."""
    import numpy as np

    from selfieart.look import Look

    workshop.atelier.studio.open(np.full((96, 96, 3), 128, np.uint8)).render(Look().wearing("everything", "candy"))


def _refused(request: Request, error: Exception) -> Response:
    known = status_of(error)
    if known is None:
        raise error
    status, sentence = known
    workshop: Workshop = request.app.state.workshop
    return JSONResponse({"error": without_paths(sentence, workshop.folder.path)}, status)


def _http_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    sentence = {404: "There is nothing at this address.", 405: "This address does not take such a request."}
    return JSONResponse(
        {"error": sentence.get(error.status_code, f"{error.detail}.")}, error.status_code, headers=error.headers
    )


def _unexpected(request: Request, error: Exception) -> Response:
    return JSONResponse({"error": UNEXPECTED}, 500)


def _nobody_waits(request: Request, error: Exception) -> Response:
    return Response(status_code=499)
