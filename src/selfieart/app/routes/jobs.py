"""Requests about jobs."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path

from starlette.requests import Request
from starlette.responses import FileResponse, Response, StreamingResponse
from starlette.routing import Route

from selfieart.app.capabilities import methods
from selfieart.app.errors import not_found
from selfieart.app.jobs import Job, Kind, Reporter, ResultFile, Work
from selfieart.app.requests import MethodJobRequest, VideoJobRequest, job_request
from selfieart.app.responses import json_response
from selfieart.app.state import AppState, state_of
from selfieart.app.uploads import receive_json
from selfieart.app.videos import make_video
from selfieart.look import Look
from selfieart.styles.resolve import resolve_style


async def add_job(request: Request) -> Response:
    """POST /api/jobs: a look painted by a slow method, or over a video."""
    state = state_of(request)
    asked = job_request(
        await receive_json(request), state.style_path, lambda photo: state.photos.get(photo).logits_size, methods
    )
    job = _method_job(state, asked) if isinstance(asked, MethodJobRequest) else _video_job(state, asked)
    return json_response(job.json(), 202)


def _method_job(state: AppState, asked: MethodJobRequest) -> Job:
    photo = state.photos.get(asked.photo)
    shared = state.shared_look(asked.look)
    made = ResultFile(state.folder.new_file(".png"), f"{Path(photo.name).stem}-{asked.method}.png")

    def work(report: Reporter) -> ResultFile:
        from selfieart.app.method_jobs import paint_by_method

        return paint_by_method(state.open(asked.photo), asked, shared, made, report)

    return _add(state, "method", f"{photo.name} by {asked.method}", work, asked.look, photo=asked.photo)


def _video_job(state: AppState, asked: VideoJobRequest) -> Job:
    video = state.videos.get(asked.video)
    made = ResultFile(state.folder.new_file(".mp4"), f"{Path(video.name).stem}-art.mp4")

    def work(report: Reporter) -> ResultFile:
        return make_video(state.portraits.studio, video.path, made, asked, report)

    return _add(state, "video", video.name, work, asked.look, video=asked.video)


def _add(
    state: AppState, kind: Kind, title: str, work: Work, look: Look, photo: str | None = None, video: str | None = None
) -> Job:
    """Queue a job whose files stay until it is over."""
    paths = {part.name for segment in look.segments.values() for part, _ in resolve_style(segment.style).pure}
    styles = [key for key, file in state.styles.items() if str(file.path) in paths]
    with ExitStack() as held:
        held.enter_context(state.styles.pinned(styles))
        held.enter_context(state.photos.pinned([photo] if photo else []))
        held.enter_context(state.videos.pinned([video] if video else []))
        job = state.jobs.add(kind, title, work)
        assert job.task is not None
        letting_go = held.pop_all()
        job.task.future.add_done_callback(lambda future: letting_go.close())
    return job


async def all_jobs(request: Request) -> Response:
    """GET /api/jobs."""
    return json_response([job.json() for job in state_of(request).jobs.all()])


async def events(request: Request) -> Response:
    """GET /api/jobs/events: server-sent events."""
    return StreamingResponse(state_of(request).jobs.events(), media_type="text/event-stream")


async def end_job(request: Request) -> Response:
    """DELETE /api/jobs/ID: cancel it, or forget it when it is over."""
    jobs, key = state_of(request).jobs, request.path_params["id"]
    if jobs.get(key).is_over:
        jobs.forget(key)
        return Response(status_code=204)
    return json_response(jobs.cancel(key).json())


async def result(request: Request) -> Response:
    """GET /api/jobs/ID/result: the file."""
    jobs, key = state_of(request).jobs, request.path_params["id"]
    jobs.get(key)
    made = jobs.results.get(key)
    return FileResponse(made.path, filename=made.name)


async def preview(request: Request) -> Response:
    """GET /api/jobs/ID/preview: a JPEG of how it looks so far."""
    picture = state_of(request).jobs.get(request.path_params["id"]).preview
    if picture is None:
        raise not_found("preview")
    return Response(picture, media_type="image/jpeg")


ROUTES = [
    Route("/jobs", all_jobs),
    Route("/jobs", add_job, methods=["POST"]),
    Route("/jobs/events", events),
    Route("/jobs/{id}", end_job, methods=["DELETE"]),
    Route("/jobs/{id}/result", result),
    Route("/jobs/{id}/preview", preview),
]
