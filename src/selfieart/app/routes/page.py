"""The page and its bundle, and the thumbnails of the presets, from inside the package."""

from __future__ import annotations

from importlib import resources
from pathlib import Path, PurePath

from starlette.exceptions import HTTPException
from starlette.responses import FileResponse, HTMLResponse, Response
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

STATIC = Path(str(resources.files("selfieart.app"))) / "static"
THUMBNAILS = Path(str(resources.files("selfieart.styles"))) / "thumbnails"

# Not those that the system knows: on some, scripts are plain text.
_TYPES = {
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".json": "application/json",
    ".txt": "text/plain; charset=utf-8",
    ".webmanifest": "application/manifest+json",
    ".svg": "image/svg+xml",
    ".png": "image/png",
    ".jpg": "image/jpeg",
    ".webp": "image/webp",
    ".ico": "image/x-icon",
    ".woff2": "font/woff2",
}
_NOT_BUILT = (
    "<!doctype html><title>selfieart</title><p>The page is not built: run 'npm ci' and 'npm run build' in web/."
)


class PackagedFiles(StaticFiles):
    """Files of the package, of known kinds only; what the browser has already is not sent again.

    Args:
        folder: where they are.
        cache: how long a browser may keep them.
    """

    def __init__(self, folder: Path, cache: str) -> None:
        super().__init__(directory=folder, check_dir=False)
        self.cache = cache

    async def check_config(self) -> None:
        """Nothing: where the page is not built there is no folder, and whoever opens it is told so."""

    async def get_response(self, path: str, scope: Scope) -> Response:
        """A file, or that it has not changed.

        Raises:
            HTTPException: there is no such file (404), or it is not asked for by GET or HEAD (405).
        """
        parts = PurePath(path).parts
        if PurePath(path).suffix not in _TYPES or any(part.startswith(".") for part in parts):
            raise HTTPException(404)
        response = await super().get_response(path, scope)
        if isinstance(response, FileResponse):
            response.headers["Content-Type"] = _TYPES[PurePath(path).suffix]
        response.headers["Cache-Control"] = self.cache
        return response


class Page(PackagedFiles):
    """The bundle.

    Args:
        folder: where it is built.
    """

    def __init__(self, folder: Path) -> None:
        super().__init__(folder, "no-cache")

    async def get_response(self, path: str, scope: Scope) -> Response:
        """The page at /, and what lies beside it; errors as in :class:`PackagedFiles`."""
        if PurePath(path).parts:
            return await super().get_response(path, scope)
        try:
            return await super().get_response("index.html", scope)
        except HTTPException as error:
            if error.status_code != 404:
                raise
            return HTMLResponse(_NOT_BUILT)


def bundle() -> Page:
    """The page as it was built."""
    return Page(STATIC)


def assets() -> PackagedFiles:
    """What the page loads: the names hold hashes of the content."""
    return PackagedFiles(STATIC / "assets", "public, max-age=31536000, immutable")


def thumbnails() -> PackagedFiles:
    """One JPEG for each preset."""
    return PackagedFiles(THUMBNAILS, "private, max-age=3600")
