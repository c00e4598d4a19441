"""Requests about photos."""

from __future__ import annotations

from importlib import resources
from pathlib import Path
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from selfieart.app.messages import look_json
from selfieart.app.random_look import random_look
from selfieart.app.requests import composite_request, export_request, faces_from, layer_request, query_of
from selfieart.app.responses import PhotoJson, array_response, json_response
from selfieart.app.state import PhotoFile, state_of
from selfieart.app.store import new_id
from selfieart.app.uploads import PHOTO, name_of, receive_file, receive_json
from selfieart.progress import Progress

_FORMATS = {"png": ("image/png", ".png"), "jpeg": ("image/jpeg", ".jpg")}


async def add_photo(request: Request) -> Response:
    """POST /api/photos: an image file -> the photo, parsed."""
    path = await receive_file(request, PHOTO, state_of(request).folder)
    return await _added(request, path, name_of(request, f"photo{path.suffix}"))


async def add_sample(request: Request) -> Response:
    """POST /api/photos/sample: the packaged portrait."""
    path = state_of(request).folder.new_file(".jpg")
    path.write_bytes(resources.files("selfieart").joinpath("data", "astronaut.jpg").read_bytes())
    return await _added(request, path, "astronaut.jpg")


async def _added(request: Request, path: Path, name: str) -> JSONResponse:
    state, key = state_of(request), new_id()
    try:
        file = await state.run_for(request, lambda step: state.add_photo(key, path, name))
    except BaseException:
        path.unlink(missing_ok=True)
        state.photos.remove(key)
        raise
    return json_response(photo_json(key, file), 201)


def photo_json(key: str, file: PhotoFile) -> PhotoJson:
    """What the page is told about a photo."""
    facts = file.facts
    return {
        "id": key,
        "name": file.name,
        "width": facts.width,
        "height": facts.height,
        "preview": facts.preview,
        "logits": facts.logits,
        "faces": [
            {"x": float(f.x), "y": float(f.y), "side": float(f.side), "angle": float(f.angle)} for f in facts.faces
        ],
        "notes": facts.notes,
        "look": None if file.look is None else look_json(file.look),
    }


async def get_photo(request: Request) -> Response:
    """GET /api/photos/ID."""
    key, file = _photo(request)
    return json_response(photo_json(key, file))


async def delete_photo(request: Request) -> Response:
    """DELETE /api/photos/ID."""
    key, _ = _photo(request)
    state_of(request).photos.remove(key)
    return Response(status_code=204)


async def preview(request: Request) -> Response:
    """GET /api/photos/ID/preview: RGB bytes."""
    state, (key, _) = state_of(request), _photo(request)
    query_of(request)
    return array_response(await state.run_for(request, lambda step: state.open(key).preview.pixels))


async def logits(request: Request) -> Response:
    """GET /api/photos/ID/logits: half floats."""
    state, (key, _) = state_of(request), _photo(request)
    faces = faces_from(query_of(request, "faces"))
    return array_response(await state.run_for(request, lambda step: state.open(key).logits(faces)))


async def guide(request: Request) -> Response:
    """GET /api/photos/ID/guide: the photo at the resolution of the logits, RGB bytes."""
    state, (key, _) = state_of(request), _photo(request)
    query_of(request)
    return array_response(await state.run_for(request, lambda step: state.open(key).guide()))


async def layer(request: Request) -> Response:
    """GET /api/photos/ID/layers: RGB bytes of a style over the whole photo."""
    state, (key, _) = state_of(request), _photo(request)
    asked = layer_request(request, state.style_path)
    look = asked.look
    if asked.style == "grey":
        return array_response(await state.run_for(request, lambda step: state.open(key).grey()))
    if asked.style == "blur":
        return array_response(
            await state.run_for(request, lambda step: state.open(key).blurred(asked.classes, look.faces, look.tau))
        )
    return array_response(
        await state.run_for(
            request, lambda step: state.open(key).painted(asked.style, look, asked.fine_faces, asked.draft)
        )
    )


async def composite(request: Request) -> Response:
    """POST /api/photos/ID/composite: a look -> RGB bytes at the page's size."""
    state, (key, file) = state_of(request), _photo(request)
    query_of(request)
    asked = composite_request(await receive_json(request), state.style_path, file.logits_size)
    return array_response(
        await state.run_for(request, lambda step: state.open(key).composite(asked.look, asked.corrections, step))
    )


async def export(request: Request) -> Response:
    """POST /api/photos/ID/export: a look -> the finished file at full size."""
    state, (key, file) = state_of(request), _photo(request)
    query_of(request)
    asked = export_request(await receive_json(request), state.style_path, file.logits_size)
    kind, suffix = _FORMATS[asked.format]
    path = state.folder.new_file(suffix)

    def make(step: Progress) -> bytes:
        try:
            shared = state.shared_look(asked.look)
            state.open(key).export(asked.look, shared, asked.corrections, path, asked.quality, step)
            return path.read_bytes()
        finally:
            path.unlink(missing_ok=True)

    body = await state.run_for(request, make)
    name = f"{Path(file.name).stem}-art{suffix}"
    return Response(body, media_type=kind, headers={"Content-Disposition": attachment(name)})


def attachment(name: str) -> str:
    """Content-Disposition of a download (RFC 6266)."""
    plain = "".join(c if c.isascii() and (c.isalnum() or c in "-_. ()") else "_" for c in name)
    return f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(name, safe='')}"


async def look_at_random(request: Request) -> Response:
    """GET /api/looks/random?photo=ID: a look that suits the photo."""
    state, key = state_of(request), query_of(request, "photo").get("photo", "")
    state.photos.get(key)
    found = await state.run_for(request, lambda step: random_look(state.open(key).parsing()))
    return json_response(look_json(found))


def _photo(request: Request) -> tuple[str, PhotoFile]:
    key: str = request.path_params["id"]
    return key, state_of(request).photos.get(key)


ROUTES = [
    Route("/photos", add_photo, methods=["POST"]),
    Route("/photos/sample", add_sample, methods=["POST"]),
    Route("/photos/{id}", get_photo),
    Route("/photos/{id}", delete_photo, methods=["DELETE"]),
    Route("/photos/{id}/preview", preview),
    Route("/photos/{id}/logits", logits),
    Route("/photos/{id}/guide", guide),
    Route("/photos/{id}/layers", layer),
    Route("/photos/{id}/composite", composite, methods=["POST"]),
    Route("/photos/{id}/export", export, methods=["POST"]),
    Route("/looks/random", look_at_random),
]
