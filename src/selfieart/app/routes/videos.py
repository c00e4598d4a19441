"""Requests about videos."""

from __future__ import annotations

from pathlib import Path

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from selfieart.app.responses import VideoJson, json_response
from selfieart.app.routes.photos import photo_json
from selfieart.app.state import VideoFile, state_of
from selfieart.app.store import new_id
from selfieart.app.uploads import VIDEO, name_of, receive_file
from selfieart.app.videos import read_start
from selfieart.imaging import write_photo


async def add_video(request: Request) -> Response:
    """POST /api/videos: a video file -> the video, and its first frame as a photo."""
    state = state_of(request)
    path = await receive_file(request, VIDEO, state.folder)
    name = name_of(request, f"video{path.suffix}")
    key, photo_key, still = new_id(), new_id(), state.folder.new_file(".png")

    def read() -> VideoJson:
        info, first = read_start(path)
        write_photo(still, first)
        photo = state.add_photo(photo_key, still, f"{Path(name).stem}.png")
        state.videos.put(key, VideoFile(path, name, photo_key))
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
        return json_response(await state.run_for(request, lambda step: read()), 201)
    except BaseException:
        for file in (path, still):
            file.unlink(missing_ok=True)
        state.videos.remove(key)
        state.photos.remove(photo_key)
        raise


ROUTES = [Route("/videos", add_video, methods=["POST"])]
