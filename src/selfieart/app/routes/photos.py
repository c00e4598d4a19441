"""Requests about photos and style pictures."""

from __future__ import annotations

from importlib import resources
from pathlib import Path
from typing import Any

from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, Response
from starlette.routing import Route

from selfieart.app.capabilities import has_any_style
from selfieart.app.errors import Refused, invalid
from selfieart.app.messages import (
    corrections_from_json,
    known_style,
    look_from_json,
    look_json,
    octets,
    table_of,
)
from selfieart.app.random_look import random_look
from selfieart.app.state import PhotoFile, StyleFile, Workshop, refuse_unless
from selfieart.app.store import new_id
from selfieart.app.uploads import PHOTO, STYLE, name_of, receive_file, receive_json
from selfieart.errors import unknown
from selfieart.look import PNG_KEY
from selfieart.parsing.choice import Faces
from selfieart.segments import members
from selfieart.style_names import STYLE_PREFIX

THUMBNAIL_SIDE = 224
_FORMATS = {"png": "image/png", "jpeg": "image/jpeg"}


def _shop(request: Request) -> Workshop:
    shop: Workshop = request.app.state.workshop
    return shop


# --- photos ----------------------------------------------------------------------------------------------------------


async def add_photo(request: Request) -> Response:
    """POST /api/photos: an image file -> the photo, parsed."""
    shop = _shop(request)
    path = await receive_file(request, PHOTO, shop.folder)
    return JSONResponse(await _opened(request, path, name_of(request, f"photo{path.suffix}")), 201)


async def add_sample(request: Request) -> Response:
    """POST /api/photos/sample: the packaged portrait."""
    path = _shop(request).folder.new_file(".jpg")
    path.write_bytes(resources.files("selfieart").joinpath("data", "astronaut.jpg").read_bytes())
    return JSONResponse(await _opened(request, path, "astronaut.jpg"), 201)


async def _opened(request: Request, path: Path, name: str) -> dict[str, Any]:
    shop, key = _shop(request), new_id()
    try:
        kept = await shop.do(request, lambda step: open_photo(shop, key, path, name))
    except BaseException:
        shop.photos.remove(key)
        path.unlink(missing_ok=True)
        raise
    return photo_json(key, kept)


def open_photo(shop: Workshop, key: str, path: Path, name: str) -> PhotoFile:
    """Read and parse a file, and keep it; in the engine's thread.

    Raises:
        ImageError: it cannot be read.
    """
    kept = PhotoFile(path, name)
    shop.photos.put(key, kept)
    opened = shop.open(key)
    kept.facts = opened.facts()
    kept.look, notes = shop.look_found(opened.portrait.photo.text.get(PNG_KEY))
    kept.facts["notes"] += notes
    return kept


def photo_json(key: str, kept: PhotoFile) -> dict[str, Any]:
    """What the page gets."""
    return {"id": key, **kept.facts, "look": kept.look, "name": kept.name}


async def photo(request: Request) -> Response:
    """GET, DELETE /api/photos/ID."""
    shop, key = _shop(request), request.path_params["id"]
    kept = shop.photos.get(key)
    if request.method == "DELETE":
        shop.photos.remove(key)
        return Response(status_code=204)
    return JSONResponse(photo_json(key, kept))


async def preview(request: Request) -> Response:
    """GET /api/photos/ID/preview: RGB octets."""
    shop, key = _shop(request), _known(request)
    _query(request)
    return octets(await shop.do(request, lambda step: shop.open(key).preview.pixels))


async def logits(request: Request) -> Response:
    """GET /api/photos/ID/logits: half floats."""
    shop, key = _shop(request), _known(request)
    faces = _faces(_query(request, "faces"))
    return octets(await shop.do(request, lambda step: shop.open(key).logits(faces)))


async def guide(request: Request) -> Response:
    """GET /api/photos/ID/guide: the photo at the resolution of the logits, RGB octets."""
    shop, key = _shop(request), _known(request)
    _query(request)
    return octets(await shop.do(request, lambda step: shop.open(key).guide()))


async def layer(request: Request) -> Response:
    """GET /api/photos/ID/layers: RGB octets of a style over the whole photo."""
    shop, key = _shop(request), _known(request)
    query = _query(request, "style", "stroke", "seed", "faces", "fine", "draft", "segments", "tau")
    if "style" not in query:
        raise invalid("'style' is missing in the address.")
    stroke = query.get("stroke", "medium")
    look = look_from_json(
        {
            "stroke": int(stroke) if stroke.isdecimal() else stroke,
            "seed": _number("seed", query.get("seed", "0")),
            "faces": _faces(query),
            "tau": _tau(query.get("tau", "3")),
        },
        shop.style_path,
    )
    style = query["style"]
    if style == "grey":
        return octets(await shop.do(request, lambda step: shop.open(key).grey()))
    if style == "blur":
        names = [name for name in query.get("segments", "").split(",") if name]
        if not names:
            raise invalid("'segments' is missing in the address: it names what is blurred, with commas between.")
        classes = frozenset[int]().union(*(members(name) for name in names))
        return octets(await shop.do(request, lambda step: shop.open(key).blurred(classes, look.faces, look.tau)))
    for switch in ("fine", "draft"):
        if query.get(switch, "0") not in ("0", "1"):
            raise invalid(f"'{switch}' in the address must be 0 or 1.")
    if style == "original" or style.startswith("#"):
        raise Refused(400, f"'{style}' has no layer: the page makes it itself.")
    name = known_style(style, shop.style_path)
    fine, draft = query.get("fine", "1") == "1", query.get("draft", "0") == "1"
    return octets(await shop.do(request, lambda step: shop.open(key).painted(name, look, fine, draft)))


async def composite(request: Request) -> Response:
    """POST /api/photos/ID/composite: a look -> RGB octets at the page's size."""
    shop, key = _shop(request), _known(request)
    _query(request)
    table = table_of(await receive_json(request), "request", {"look": dict}, {"corrections": dict})
    look = look_from_json(table["look"], shop.style_path)
    bias = corrections_from_json(table.get("corrections", {}), shop.photos.get(key).logits)
    return octets(await shop.do(request, lambda step: shop.open(key).composite(look, bias, step)))


async def export(request: Request) -> Response:
    """POST /api/photos/ID/export: a look -> the finished file at full size."""
    shop, key = _shop(request), _known(request)
    _query(request)
    kept = shop.photos.get(key)
    table = table_of(
        await receive_json(request), "request", {"look": dict}, {"corrections": dict, "format": str, "quality": int}
    )
    look = look_from_json(table["look"], shop.style_path)
    bias = corrections_from_json(table.get("corrections", {}), kept.logits)
    wanted, quality = table.get("format", "png"), table.get("quality", 95)
    if wanted not in _FORMATS:
        raise invalid(str(unknown("format", wanted, _FORMATS)))
    if not 1 <= quality <= 100:
        raise invalid(f"'quality' must be from 1 to 100, not {quality}.")
    suffix = ".png" if wanted == "png" else ".jpg"
    path = shop.folder.new_file(suffix)

    def make(step: Any) -> bytes:
        try:
            shop.open(key).finished(look, shop.named(look), bias, path, quality, step)
            return path.read_bytes()
        finally:
            path.unlink(missing_ok=True)

    body = await shop.do(request, make)
    name = f"{Path(kept.name).stem}-art{suffix}"
    return Response(body, media_type=_FORMATS[wanted], headers={"Content-Disposition": attachment(name)})


def attachment(name: str) -> str:
    """Content-Disposition of a download (RFC 6266)."""
    from urllib.parse import quote

    plain = "".join(c if c.isascii() and (c.isalnum() or c in "-_. ()") else "_" for c in name)
    return f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(name, safe='')}"


async def surprise(request: Request) -> Response:
    """GET /api/looks/random?photo=ID: a look that suits the photo."""
    shop = _shop(request)
    key = _query(request, "photo").get("photo", "")
    shop.photos.get(key)
    found = await shop.do(request, lambda step: random_look(shop.open(key).parsing()))
    return JSONResponse(look_json(found))


# --- style pictures --------------------------------------------------------------------------------------------------


async def add_style(request: Request) -> Response:
    """POST /api/styles: an image file -> a style."""
    from selfieart.app.portraits import check_style

    shop = _shop(request)
    refuse_unless(has_any_style(), "This build paints in its presets only: choose one of them.")
    path = await receive_file(request, STYLE, shop.folder)
    key, thumbnail = new_id(), shop.folder.new_file(".jpg")
    name = Path(name_of(request, f"style{path.suffix}")).stem + path.suffix

    def make(step: Any) -> None:
        check_style(shop.atelier.studio, path)
        _write_thumbnail(path, thumbnail)
        shop.styles.put(key, StyleFile(path, name, thumbnail))

    try:
        await shop.do(request, make)
    except BaseException:
        shop.styles.remove(key)
        path.unlink(missing_ok=True)
        raise
    return JSONResponse({"id": f"{STYLE_PREFIX}{key}", "name": name, "thumbnail": f"/api/styles/{key}.jpg"}, 201)


def _write_thumbnail(path: Path, thumbnail: Path) -> None:
    from selfieart.imaging import read_photo, write_photo
    from selfieart.imaging.arrays import as_pixels
    from selfieart.render.painter import scaled

    pixels = read_photo(path).pixels
    side = min(pixels.shape[:2])
    top, left = (pixels.shape[0] - side) // 2, (pixels.shape[1] - side) // 2
    middle = pixels[top : top + side, left : left + side]
    write_photo(thumbnail, as_pixels(scaled(middle, (THUMBNAIL_SIDE, THUMBNAIL_SIDE))), quality=88)


async def style_thumbnail(request: Request) -> Response:
    """GET /api/styles/ID.jpg."""
    return FileResponse(_shop(request).styles.get(request.path_params["id"]).thumbnail, media_type="image/jpeg")


# --- reading addresses -----------------------------------------------------------------------------------------------


def _known(request: Request) -> str:
    key: str = request.path_params["id"]
    _shop(request).photos.get(key)
    return key


def _query(request: Request, *known: str) -> dict[str, str]:
    given = request.query_params.multi_items()
    for name, _ in given:
        if name not in known:
            raise invalid(str(unknown("key of the address", name, known, "it takes none.")))
    if len({name for name, _ in given}) < len(given):
        raise invalid("A key of the address is given twice.")
    return dict(given)


def _faces(query: dict[str, str]) -> Faces:
    from selfieart.parsing.choice import check_faces

    text = query.get("faces", "all")
    faces: Any = int(text) if text.isascii() and text.isdecimal() and len(text) < 6 else text
    check_faces(faces)
    return faces  # type: ignore[no-any-return]


def _number(name: str, text: str) -> int:
    if not text.removeprefix("-").isdecimal() or not text.isascii() or len(text) > 20:
        raise invalid(f"'{name}' in the address must be a whole number.")
    return int(text)


def _tau(text: str) -> float | str:
    try:
        return "inf" if text == "inf" else float(text)
    except ValueError as error:
        raise invalid("'tau' in the address must be a number or inf.") from error


ROUTES = [
    Route("/api/photos", add_photo, methods=["POST"]),
    Route("/api/photos/sample", add_sample, methods=["POST"]),
    Route("/api/photos/{id}", photo, methods=["GET", "DELETE"]),
    Route("/api/photos/{id}/preview", preview),
    Route("/api/photos/{id}/logits", logits),
    Route("/api/photos/{id}/guide", guide),
    Route("/api/photos/{id}/layers", layer),
    Route("/api/photos/{id}/composite", composite, methods=["POST"]),
    Route("/api/photos/{id}/export", export, methods=["POST"]),
    Route("/api/styles", add_style, methods=["POST"]),
    Route("/api/styles/{id}.jpg", style_thumbnail),
    Route("/api/looks/random", surprise),
]
