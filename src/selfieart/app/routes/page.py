"""The page and its bundle, from inside the package."""

from __future__ import annotations

import re
from importlib import resources
from importlib.resources.abc import Traversable

import anyio
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from selfieart.app.errors import Refused, not_found
from selfieart.styles.presets import presets

_TYPES = {
    "html": "text/html; charset=utf-8",
    "js": "text/javascript; charset=utf-8",
    "css": "text/css; charset=utf-8",
    "json": "application/json",
    "txt": "text/plain; charset=utf-8",
    "webmanifest": "application/manifest+json",
    "svg": "image/svg+xml",
    "png": "image/png",
    "jpg": "image/jpeg",
    "webp": "image/webp",
    "ico": "image/x-icon",
    "woff2": "font/woff2",
}
_NAME = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9_.-]*")
_NOT_BUILT = (
    "<!doctype html><title>selfieart</title><p>The page is not built: run 'npm ci' and 'npm run build' in web/."
)


def static_file(*names: str) -> Traversable:
    """A file of the bundle.

    Raises:
        Refused: there is none of this name (404).
    """
    place = resources.files("selfieart.app").joinpath("static")
    for name in names:
        if not _NAME.fullmatch(name) or name.rpartition(".")[2] not in (*_TYPES, "assets"):
            raise Refused(404, "There is nothing at this address.")
        place = place.joinpath(name)
    if not place.is_file():
        raise Refused(404, "There is nothing at this address.")
    return place


async def _served(place: Traversable, cache: str) -> Response:
    body = await anyio.to_thread.run_sync(place.read_bytes)
    kind = _TYPES[place.name.rpartition(".")[2]]
    return Response(body, media_type=kind, headers={"Cache-Control": cache})


async def index(request: Request) -> Response:
    """GET /."""
    page = resources.files("selfieart.app").joinpath("static", "index.html")
    if not page.is_file():
        return Response(_NOT_BUILT, media_type=_TYPES["html"])
    return await _served(page, "no-store")


async def asset(request: Request) -> Response:
    """GET /assets/NAME: the name holds a hash of the content."""
    return await _served(static_file("assets", request.path_params["name"]), "public, max-age=31536000, immutable")


async def root_file(request: Request) -> Response:
    """GET /NAME: the icon and its kin."""
    return await _served(static_file(request.path_params["name"]), "no-cache")


async def preset_thumbnail(request: Request) -> Response:
    """GET /api/presets/NAME.jpg."""
    name = request.path_params["name"]
    if name not in presets():
        raise not_found("preset")
    return await _served(presets()[name].thumbnail, "private, max-age=3600")


ROUTES = [
    Route("/", index),
    Route("/assets/{name}", asset),
    Route("/api/presets/{name}.jpg", preset_thumbnail),
]
LAST_ROUTES = [Route("/{name}", root_file)]
