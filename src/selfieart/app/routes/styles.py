"""Requests about pictures as styles."""

from __future__ import annotations

from pathlib import Path

from starlette.requests import Request
from starlette.responses import FileResponse, Response
from starlette.routing import Route

from selfieart.app.responses import json_response
from selfieart.app.state import StyleFile, state_of
from selfieart.app.store import new_id
from selfieart.app.uploads import STYLE, name_of, receive_file
from selfieart.imaging import read_photo, write_photo
from selfieart.imaging.arrays import as_pixels
from selfieart.imaging.resize import scaled
from selfieart.progress import Progress
from selfieart.style_names import STYLE_PREFIX

THUMBNAIL_SIDE = 224


async def add_style(request: Request) -> Response:
    """POST /api/styles: an image file -> a style."""
    state = state_of(request)
    path = await receive_file(request, STYLE, state.folder)
    key, thumbnail = new_id(), state.folder.new_file(".jpg")
    name = Path(name_of(request, f"style{path.suffix}")).stem + path.suffix

    def make(step: Progress) -> None:
        # What cannot be a style is refused here, not where it is first painted.
        state.portraits.studio.code(str(path))
        write_thumbnail(path, thumbnail)
        state.styles.put(key, StyleFile(path, name, thumbnail))

    try:
        await state.run_for(request, make)
    except BaseException:
        for file in (path, thumbnail):
            file.unlink(missing_ok=True)
        state.styles.remove(key)
        raise
    return json_response({"id": f"{STYLE_PREFIX}{key}", "name": name, "thumbnail": f"/api/styles/{key}.jpg"}, 201)


def write_thumbnail(path: Path, thumbnail: Path) -> None:
    """The middle of a picture as a small square JPEG."""
    pixels = read_photo(path).pixels
    side = min(pixels.shape[:2])
    top, left = (pixels.shape[0] - side) // 2, (pixels.shape[1] - side) // 2
    middle = pixels[top : top + side, left : left + side]
    write_photo(thumbnail, as_pixels(scaled(middle, (THUMBNAIL_SIDE, THUMBNAIL_SIDE))), quality=88)


async def style_thumbnail(request: Request) -> Response:
    """GET /api/styles/ID.jpg."""
    file = state_of(request).styles.get(request.path_params["id"])
    return FileResponse(file.thumbnail, media_type="image/jpeg")


ROUTES = [
    Route("/styles", add_style, methods=["POST"]),
    Route("/styles/{id}.jpg", style_thumbnail),
]
