"""Requests about videos and jobs."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from selfieart.app.capabilities import has_video, methods
from selfieart.app.errors import Refused, invalid, not_found
from selfieart.app.jobs import Job, Reporter, ResultFile, Work
from selfieart.app.messages import corrections_from_json, look_from_json, table_of
from selfieart.app.routes.photos import open_photo, photo_json
from selfieart.app.state import VideoFile, Workshop, refuse_unless
from selfieart.app.store import new_id
from selfieart.app.uploads import VIDEO, name_of, receive_file, receive_json
from selfieart.app.videos import look_into, paint_clip
from selfieart.errors import LookError, unknown
from selfieart.look import Look
from selfieart.styles.resolve import resolve_style

if TYPE_CHECKING:
    pass

MOST_ITERATIONS = 2000
_NO_VIDEO = "This build paints no videos: install selfieart with PyAV."


def _shop(request: Request) -> Workshop:
    shop: Workshop = request.app.state.workshop
    return shop


async def add_video(request: Request) -> Response:
    """POST /api/videos: a video file -> the video, and its first frame as a photo."""
    shop = _shop(request)
    refuse_unless(has_video(), _NO_VIDEO)
    path = await receive_file(request, VIDEO, shop.folder)
    name = name_of(request, f"video{path.suffix}")
    key, photo_key, still = new_id(), new_id(), shop.folder.new_file(".png")

    def look() -> dict[str, Any]:
        from selfieart.imaging import write_photo

        info, first = look_into(path)
        write_photo(still, first)
        photo = open_photo(shop, photo_key, still, f"{Path(name).stem}.png")
        shop.videos.put(key, VideoFile(path, name, photo_key))
        return {
            "id": key,
            "name": name,
            "width": info.width,
            "height": info.height,
            "rate": f"{info.rate.numerator}/{info.rate.denominator}",
            "frames": info.frames,
            "seconds": None if info.seconds is None else float(info.seconds),
            "has_sound": info.has_sound,
            "photo": photo_json(photo_key, photo),
        }

    try:
        return JSONResponse(await shop.do(request, lambda step: look()), 201)
    except BaseException:
        shop.videos.remove(key)
        shop.photos.remove(photo_key)
        for file in (path, still):
            file.unlink(missing_ok=True)
        raise


async def add_job(request: Request) -> Response:
    """POST /api/jobs: a look painted by a slow method, or over a video."""
    table = await receive_json(request)
    kind = table.get("kind") if isinstance(table, dict) else None
    if kind == "method":
        return JSONResponse(_method_job(_shop(request), table).json(), 202)
    if kind == "video":
        return JSONResponse(_video_job(_shop(request), table).json(), 202)
    raise invalid('\'kind\' of the job must be "method" or "video".')


def _method_job(shop: Workshop, value: Any) -> Job:
    table = table_of(
        value,
        "job",
        {"kind": str, "photo": str, "look": dict, "method": str},
        {"corrections": dict, "iterations": int},
    )
    refuse_unless(bool(methods()), "This build has no methods that optimise.")
    method, key = table["method"], table["photo"]
    if method not in methods():
        raise unknown("method", method, methods())
    iterations: int | None = table.get("iterations")
    if iterations is not None and not 1 <= iterations <= MOST_ITERATIONS:
        raise invalid(f"'iterations' must be from 1 to {MOST_ITERATIONS}.")
    kept = shop.photos.get(key)
    look = _paintable(look_from_json(table["look"], shop.style_path))
    bias = corrections_from_json(table.get("corrections", {}), kept.logits)
    named = shop.named(look)

    def work(report: Reporter) -> ResultFile:
        from selfieart.methods.registry import load_method, options_from

        options, loaded = options_from(method, {"iterations": iterations, "seed": look.seed}), load_method(method)
        # After what the methods need was found to be there.
        from selfieart.app.method_jobs import paint_by_method

        name = f"{Path(kept.name).stem}-{method}.png"
        out = shop.folder.new_file(".png")
        return paint_by_method(loaded, options, shop.open(key), look, named, bias, out, name, report)

    return _add(shop, "method", f"{kept.name} by {method}", work, look, photo=key)


def _video_job(shop: Workshop, value: Any) -> Job:
    table = table_of(
        value, "job", {"kind": str, "video": str, "look": dict}, {"steadiness": float, "size": int, "corrections": dict}
    )
    refuse_unless(has_video(), _NO_VIDEO)
    key, steadiness, side = table["video"], table.get("steadiness", 0.85), table.get("size")
    if not 0 <= steadiness <= 1:
        raise Refused(400, "'steadiness' must be from 0 to 1.")
    if side is not None and not 16 <= side <= 4320:
        raise Refused(400, "'size' must be from 16 to 4320 pixels.")
    kept = shop.videos.get(key)
    look = _paintable(look_from_json(table["look"], shop.style_path))
    out, name = shop.folder.new_file(".mp4"), f"{Path(kept.name).stem}-art.mp4"

    def work(report: Reporter) -> ResultFile:
        return paint_clip(shop.atelier.studio, kept.path, out, name, look, steadiness, side, report)

    return _add(shop, "video", kept.name, work, look, video=key)


def _paintable(look: Look) -> Look:
    if not look.segments:
        raise LookError("The look is empty: give a segment a style first.")
    return look


def _add(
    shop: Workshop, kind: str, title: str, work: Work, look: Look, photo: str | None = None, video: str | None = None
) -> Job:
    """Queue a job whose files stay until it is over."""
    paths = {part.name for worn in look.segments.values() for part, _ in resolve_style(worn.style).pure}
    styles = [key for key, kept in shop.styles.items() if str(kept.path) in paths]
    with ExitStack() as held:
        held.enter_context(shop.styles.pinned(styles))
        held.enter_context(shop.photos.pinned([photo] if photo else []))
        held.enter_context(shop.videos.pinned([video] if video else []))
        job = shop.board.add(kind, title, work)
        assert job.ticket is not None
        letting_go = held.pop_all()
        job.ticket.future.add_done_callback(lambda future: letting_go.close())
    return job


async def all_jobs(request: Request) -> Response:
    """GET /api/jobs."""
    return JSONResponse([job.json() for job in _shop(request).board.all()])


async def events(request: Request) -> Response:
    """GET /api/jobs/events: server-sent events."""
    return StreamingResponse(_shop(request).board.events(), media_type="text/event-stream")


async def end_job(request: Request) -> Response:
    """DELETE /api/jobs/ID: cancel it, or forget it when it is over."""
    board, key = _shop(request).board, request.path_params["id"]
    if board.get(key).is_over:
        board.forget(key)
        return Response(status_code=204)
    return JSONResponse(board.cancel(key).json())


async def result(request: Request) -> Response:
    """GET /api/jobs/ID/result: the file."""
    board, key = _shop(request).board, request.path_params["id"]
    board.get(key)
    made = board.results.get(key)
    return FileResponse(made.path, filename=made.name)


async def preview(request: Request) -> Response:
    """GET /api/jobs/ID/preview: a JPEG of how it looks so far."""
    picture = _shop(request).board.get(request.path_params["id"]).preview
    if picture is None:
        raise not_found("preview")
    return Response(picture, media_type="image/jpeg")


ROUTES = [
    Route("/api/videos", add_video, methods=["POST"]),
    Route("/api/jobs", all_jobs),
    Route("/api/jobs", add_job, methods=["POST"]),
    Route("/api/jobs/events", events),
    Route("/api/jobs/{id}", end_job, methods=["DELETE"]),
    Route("/api/jobs/{id}/result", result),
    Route("/api/jobs/{id}/preview", preview),
]
