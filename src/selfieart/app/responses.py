"""What the server answers with: JSON of a stated form, and arrays as they are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypedDict

import numpy as np
from numpy.typing import NDArray
from starlette.responses import JSONResponse, Response

LookJson = Mapping[str, object]
"""What :func:`selfieart.app.messages.look_json` makes of a look."""


class PresetJson(TypedDict):
    """A preset style."""

    name: str
    title: str
    artist: str
    year: str | None
    thumbnail: str


class SegmentJson(TypedDict):
    """A class of the face parser; its colour is sRGB in 0..255."""

    name: str
    color: tuple[int, int, int]


class LimitsJson(TypedDict):
    """What uploads may be."""

    photo_bytes: int
    photo_pixels: int
    style_bytes: int
    video_bytes: int
    video_seconds: int


class Capabilities(TypedDict):
    """What this installation can do."""

    version: str
    presets: list[PresetJson]
    segments: list[SegmentJson]
    groups: dict[str, list[str]]
    strokes: dict[str, int]
    methods: Sequence[str]
    limits: LimitsJson


class FaceJson(TypedDict):
    """A face: its centre, the side of its square and its tilt, in pixels of the photo and degrees."""

    x: float
    y: float
    side: float
    angle: float


class PhotoJson(TypedDict):
    """An uploaded photo; preview is (width, height), logits (classes, height, width)."""

    id: str
    name: str
    width: int
    height: int
    preview: tuple[int, int]
    logits: tuple[int, int, int]
    faces: list[FaceJson]
    notes: Sequence[str]
    look: LookJson | None


class StyleJson(TypedDict):
    """An uploaded style picture."""

    id: str
    name: str
    thumbnail: str


class VideoJson(TypedDict):
    """An uploaded video, and its first frame as a photo."""

    id: str
    name: str
    width: int
    height: int
    rate: str
    frames: int | None
    seconds: float | None
    has_sound: bool
    photo: PhotoJson


class ResultJson(TypedDict):
    """The file that a job made."""

    url: str
    name: str
    bytes: int


class JobJson(TypedDict):
    """A job as it stands."""

    id: str
    kind: str
    title: str
    state: str
    stage: str
    progress: float
    eta_s: float | None
    error: str | None
    result: ResultJson | None
    preview: str | None
    created: float


class GoneJson(TypedDict):
    """A job that was forgotten."""

    id: str


class ErrorJson(TypedDict):
    """Why there is no other answer: one sentence."""

    error: str


Body = Capabilities | PhotoJson | StyleJson | VideoJson | JobJson | Sequence[JobJson] | ErrorJson | LookJson


def json_response(body: Body, status: int = 200, headers: Mapping[str, str] | None = None) -> JSONResponse:
    """One of these as the answer to a request."""
    return JSONResponse(body, status, headers)


def array_response(array: NDArray[Any]) -> Response:
    """An array as raw bytes, little endian, with its shape in a header."""
    shape = ",".join(str(side) for side in array.shape)
    # A view, not a copy: pictures are large.
    body = np.ascontiguousarray(array).view(np.uint8).reshape(-1).data
    return Response(body, media_type="application/octet-stream", headers={"X-Shape": shape})
