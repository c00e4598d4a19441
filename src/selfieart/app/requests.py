"""What pages ask for: read once from JSON or from an address, strictly, and typed from there on.

What does not have the agreed form is refused with one sentence and 422; a value that is out of range, or a name that
does not exist, with 400 or 404.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from starlette.requests import Request

from selfieart.app.errors import RequestError, invalid
from selfieart.app.messages import StyleOf, corrections_from_json, known_style, look_from_json, table_of
from selfieart.app.portraits import Corrections
from selfieart.errors import LookError, unknown
from selfieart.look import Look
from selfieart.parsing.choice import Faces, check_faces
from selfieart.segments import members
from selfieart.sizes import Size
from selfieart.video.choice import STEADINESS

MOST_ITERATIONS = 2000
WIDEST_FRAME, NARROWEST_FRAME = 640, 64

PictureFormat = Literal["png", "jpeg"]


@dataclass(frozen=True)
class CompositeRequest:
    """A look over a photo, at the page's size.

    Attributes:
        look: what goes where.
        corrections: of the segments.
    """

    look: Look
    corrections: Corrections


@dataclass(frozen=True)
class ExportRequest:
    """A look over a photo, as a file at full size.

    Attributes:
        look: what goes where.
        corrections: of the segments.
        format: of the file.
        quality: of a JPEG, 1 to 100.
    """

    look: Look
    corrections: Corrections
    format: PictureFormat
    quality: int


@dataclass(frozen=True)
class LayerRequest:
    """A style over a whole photo.

    Attributes:
        style: "grey", "blur", a preset, or the path of a private file.
        look: whose stroke, seed, faces and tau count.
        classes: what is blurred.
        fine_faces: paint small faces with a finer brush.
        draft: coarse strokes only.
    """

    style: str
    look: Look
    classes: frozenset[int]
    fine_faces: bool
    draft: bool


@dataclass(frozen=True)
class MethodJobRequest:
    """A look painted by a method that optimises.

    Attributes:
        photo: its id.
        look: what goes where.
        corrections: of the segments.
        method: its name.
        iterations: evaluations of its loss; the method's own number when None.
    """

    photo: str
    look: Look
    corrections: Corrections
    method: str
    iterations: int | None


@dataclass(frozen=True)
class VideoJobRequest:
    """A look painted over a video.

    Attributes:
        video: its id.
        look: what goes where.
        steadiness: in [0, 1].
        side: longest that the short side may be, in pixels; None keeps the size.
    """

    video: str
    look: Look
    steadiness: float
    side: int | None


@dataclass(frozen=True)
class LiveRequest:
    """A look over the frames of a camera.

    Attributes:
        look: what goes where.
        width: to which frames are reduced.
    """

    look: Look
    width: int


# --- JSON ------------------------------------------------------------------------------------------------------------


def composite_request(value: Any, style_of: StyleOf, size: Size) -> CompositeRequest:
    """Read a request for a composite.

    Args:
        value: parsed JSON.
        style_of: the style that an id of an uploaded picture means.
        size: (h, w) of the photo's logits on the page.

    Raises:
        RequestError: it does not have the agreed form (422), or a style is not there (404).
        SelfieartError: a value is out of range, or a name does not exist.
    """
    table = table_of(value, "request", {"look": dict}, {"corrections": dict})
    look = look_from_json(table["look"], style_of)
    return CompositeRequest(look, corrections_from_json(table.get("corrections", {}), size))


def export_request(value: Any, style_of: StyleOf, size: Size) -> ExportRequest:
    """Read a request for an export; arguments and errors as :func:`composite_request`."""
    table = table_of(value, "request", {"look": dict}, {"corrections": dict, "format": str, "quality": int})
    look = look_from_json(table["look"], style_of)
    corrections = corrections_from_json(table.get("corrections", {}), size)
    wanted, quality = table.get("format", "png"), table.get("quality", 95)
    if wanted not in ("png", "jpeg"):
        raise invalid(str(unknown("format", wanted, ("png", "jpeg"))))
    if not 1 <= quality <= 100:
        raise invalid(f"'quality' must be from 1 to 100, not {quality}.")
    return ExportRequest(look, corrections, wanted, quality)


def job_request(
    value: Any, style_of: StyleOf, size_of: Callable[[str], Size], methods: Callable[[], tuple[str, ...]]
) -> MethodJobRequest | VideoJobRequest:
    """Read a request for a job.

    Args:
        value: parsed JSON.
        style_of: the style that an id of an uploaded picture means.
        size_of: the id of a photo -> (h, w) of its logits on the page; raises RequestError if there is none (404).
        methods: names of those that are offered.

    Raises:
        RequestError: it does not have the agreed form (422), or something is not there (404).
        SelfieartError: a value is out of range, or a name does not exist.
    """
    kind = value.get("kind") if isinstance(value, dict) else None
    if kind == "method":
        return _method_job_request(value, style_of, size_of, methods())
    if kind == "video":
        return _video_job_request(value, style_of)
    raise invalid('\'kind\' of the job must be "method" or "video".')


def _method_job_request(
    value: Any, style_of: StyleOf, size_of: Callable[[str], Size], methods: tuple[str, ...]
) -> MethodJobRequest:
    required: dict[str, type] = {"kind": str, "photo": str, "look": dict, "method": str}
    table = table_of(value, "job", required, {"corrections": dict, "iterations": int})
    method, iterations = table["method"], table.get("iterations")
    if not methods:
        raise RequestError(400, "The methods that optimise are not installed: pip install 'selfieart[methods]'.")
    if method not in methods:
        raise unknown("method", method, methods)
    if iterations is not None and not 1 <= iterations <= MOST_ITERATIONS:
        raise invalid(f"'iterations' must be from 1 to {MOST_ITERATIONS}.")
    size = size_of(table["photo"])
    look = _not_empty(look_from_json(table["look"], style_of))
    corrections = corrections_from_json(table.get("corrections", {}), size)
    return MethodJobRequest(table["photo"], look, corrections, method, iterations)


def _video_job_request(value: Any, style_of: StyleOf) -> VideoJobRequest:
    table = table_of(value, "job", {"kind": str, "video": str, "look": dict}, {"steadiness": float, "size": int})
    steadiness, side = table.get("steadiness", STEADINESS), table.get("size")
    if not 0 <= steadiness <= 1:
        raise RequestError(400, "'steadiness' must be from 0 to 1.")
    if side is not None and not 16 <= side <= 4320:
        raise RequestError(400, "'size' must be from 16 to 4320 pixels.")
    return VideoJobRequest(table["video"], _not_empty(look_from_json(table["look"], style_of)), steadiness, side)


def _not_empty(look: Look) -> Look:
    if not look.segments:
        raise LookError("The look is empty: give a segment a style first.")
    return look


def live_request(value: Any, style_of: StyleOf) -> LiveRequest:
    """Read what the page with the camera wants; arguments and errors as :func:`composite_request`."""
    table = table_of(value, "message", {"look": dict}, {"width": int})
    width = min(WIDEST_FRAME, max(NARROWEST_FRAME, table.get("width", WIDEST_FRAME)))
    return LiveRequest(look_from_json(table["look"], style_of), width)


# --- addresses -------------------------------------------------------------------------------------------------------


def query_of(request: Request, *known: str) -> dict[str, str]:
    """What an address asks for after its question mark.

    Raises:
        RequestError: a key is none of those that are known, or is given twice (422).
    """
    given = request.query_params.multi_items()
    for name, _ in given:
        if name not in known:
            raise invalid(str(unknown("key of the address", name, known, "it takes none.")))
    if len({name for name, _ in given}) < len(given):
        raise invalid("A key of the address is given twice.")
    return dict(given)


def layer_request(request: Request, style_of: StyleOf) -> LayerRequest:
    """Read the address of a layer.

    Raises:
        RequestError: it does not have the agreed form (422), asks for what has no layer (400), or for a style that is
            not there (404).
        SelfieartError: a value is out of range, or a name does not exist.
    """
    query = query_of(request, "style", "stroke", "seed", "faces", "fine", "draft", "segments", "tau")
    if "style" not in query:
        raise invalid("'style' is missing in the address.")
    look = look_from_json(
        {
            "stroke": _number_or_name(query.get("stroke", "medium")),
            "seed": _whole_number("seed", query.get("seed", "0")),
            "faces": faces_from(query),
            "tau": _tau(query.get("tau", "3")),
        },
        style_of,
    )
    fine_faces, draft = _switch(query, "fine", "1"), _switch(query, "draft", "0")
    style, classes = known_style(query["style"], style_of), frozenset[int]()
    if style == "blur":
        names = [name for name in query.get("segments", "").split(",") if name]
        if not names:
            raise invalid("'segments' is missing in the address: it names what is blurred, with commas between.")
        classes = classes.union(*(members(name) for name in names))
    elif style == "original" or style.startswith("#"):
        raise RequestError(400, f"'{style}' has no layer: the page makes it itself.")
    return LayerRequest(style, look, classes, fine_faces, draft)


def faces_from(query: dict[str, str]) -> Faces:
    """Which faces an address means; all when it does not say.

    Raises:
        SelfieartError: it says something else.
    """
    faces: Any = _number_or_name(query.get("faces", "all"))
    check_faces(faces)
    return faces  # type: ignore[no-any-return]


def _number_or_name(text: str) -> int | str:
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 6 else text


def _switch(query: dict[str, str], name: str, usual: str) -> bool:
    value = query.get(name, usual)
    if value not in ("0", "1"):
        raise invalid(f"'{name}' in the address must be 0 or 1.")
    return value == "1"


def _whole_number(name: str, text: str) -> int:
    if not text.removeprefix("-").isdecimal() or not text.isascii() or len(text) > 20:
        raise invalid(f"'{name}' in the address must be a whole number.")
    return int(text)


def _tau(text: str) -> float | str:
    try:
        return "inf" if text == "inf" else float(text)
    except ValueError as error:
        raise invalid("'tau' in the address must be a number or inf.") from error
