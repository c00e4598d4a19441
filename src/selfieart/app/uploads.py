"""Bodies of requests: streamed into private files, and cut off where they grow too large or are of a wrong kind."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import anyio
from starlette.requests import Request

from selfieart.app.errors import RequestError, busy, invalid, too_large
from selfieart.app.store import PrivateFolder
from selfieart.errors import printable

PHOTO_BYTES = 64_000_000
PHOTO_PIXELS = 100_000_000
STYLE_BYTES = 32_000_000
VIDEO_BYTES = 2_000_000_000
VIDEO_SECONDS = 600
JSON_BYTES = 16_000_000
MOST_UPLOADS = 6

_BLOCK = 1 << 20
_LONGEST_NAME = 80


@dataclass(frozen=True)
class UploadKind:
    """What a body may be.

    Attributes:
        what: how a sentence calls it.
        limit: bytes.
        formats: as a person names them.
    """

    what: str
    limit: int
    formats: str

    def suffix(self, head: bytes) -> str | None:
        """The ending of the file's name that its first bytes ask for; None for a format that is not taken."""
        return _video_suffix(head) if self.what == "video" else _picture_suffix(head)


PHOTO = UploadKind("photo", PHOTO_BYTES, "JPEG, PNG, WebP, TIFF or BMP picture")
STYLE = UploadKind("style picture", STYLE_BYTES, "JPEG, PNG, WebP, TIFF or BMP picture")
VIDEO = UploadKind("video", VIDEO_BYTES, "MP4, MOV, MKV, WebM, AVI or GIF video")


def _picture_suffix(head: bytes) -> str | None:
    starts = {
        b"\xff\xd8\xff": ".jpg", b"\x89PNG\r\n\x1a\n": ".png", b"BM": ".bmp",
        b"II*\0": ".tif", b"MM\0*": ".tif", b"II+\0": ".tif", b"MM\0+": ".tif",
    }  # fmt: skip
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return ".webp"
    return next((suffix for start, suffix in starts.items() if head.startswith(start)), None)


def _video_suffix(head: bytes) -> str | None:
    # Only containers that hold their pictures themselves: a playlist names other files.
    if head[4:8] in (b"ftyp", b"moov", b"mdat", b"wide", b"free", b"skip"):
        return ".mp4"
    if head.startswith(b"\x1a\x45\xdf\xa3"):
        return ".mkv"
    if head[:6] in (b"GIF87a", b"GIF89a"):
        return ".gif"
    return ".avi" if head[:4] == b"RIFF" and head[8:12] == b"AVI " else None


async def receive_file(request: Request, kind: UploadKind, folder: PrivateFolder) -> Path:
    """The body as a private file.

    Raises:
        RequestError: it is larger than its kind may be (413), of another format (415), or empty (400), or too many
            files are coming at once (429).
        ClientDisconnect: the page went away; nothing is left.
    """
    _check_length(request, kind.what, kind.limit)
    if folder.uploads >= MOST_UPLOADS:
        raise busy()
    folder.uploads += 1
    try:
        return await _received(request, kind, folder)
    finally:
        folder.uploads -= 1


async def _received(request: Request, kind: UploadKind, folder: PrivateFolder) -> Path:
    block, size, stream = bytearray(), 0, request.stream()
    path: Path | None = None
    try:
        async for chunk in stream:
            block += chunk
            size += len(chunk)
            if size > kind.limit:
                raise too_large(kind.what, kind.limit)
            if path is None and len(block) >= 16:
                path = folder.new_file(_suffix(kind, bytes(block[:16])))
            if path is not None and len(block) >= _BLOCK:
                await anyio.to_thread.run_sync(_append, path, bytes(block))
                block.clear()
        if not size:
            raise RequestError(400, f"The {kind.what} is empty, 0 bytes: choose another file.")
        path = path or folder.new_file(_suffix(kind, bytes(block[:16])))
        await anyio.to_thread.run_sync(_append, path, bytes(block))
    except BaseException as error:
        if path is not None:
            path.unlink(missing_ok=True)
        if isinstance(error, RequestError) and size <= kind.limit:
            await _drain(stream, kind.limit - size)
        raise
    return path


async def _drain(stream: AsyncIterator[bytes], most: int) -> None:
    """Read what is still coming, and forget it: a browser hears no answer while it is sending."""
    async for chunk in stream:
        most -= len(chunk)
        if most < 0:
            return


def _suffix(kind: UploadKind, head: bytes) -> str:
    suffix = kind.suffix(head)
    if suffix is None:
        raise RequestError(415, f"This is no {kind.formats}: export it as one of these and try again.")
    return suffix


def _append(path: Path, block: bytes) -> None:
    with path.open("ab") as file:
        file.write(block)


def _check_length(request: Request, what: str, limit: int) -> None:
    length = request.headers.get("content-length", "0")
    if not length.isdecimal() or int(length) > limit:
        raise too_large(what, limit)


async def receive_json(request: Request, limit: int = JSON_BYTES) -> Any:
    """The body as JSON.

    Raises:
        RequestError: it is too large (413) or no JSON (422).
    """
    _check_length(request, "request", limit)
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > limit:
            raise too_large("request", limit)
    # Megabytes of corrections take a while.
    return await anyio.to_thread.run_sync(read_json, bytes(body))


def read_json(text: str | bytes) -> Any:
    """JSON without the numbers that are none and without keys given twice.

    Raises:
        RequestError: it is no such JSON (422).
    """

    def refuse(constant: str) -> None:
        raise ValueError(f"{constant} is no number")

    def unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        table = dict(pairs)
        if len(table) < len(pairs):
            raise ValueError("a key is given twice")
        return table

    try:
        return json.loads(text, parse_constant=refuse, object_pairs_hook=unique)
    except (ValueError, RecursionError) as error:
        raise invalid(f"The request is no valid JSON: {printable(str(error), 200).rstrip('.')}.") from error


def name_of(request: Request, fallback: str) -> str:
    """How the person calls the file: shown, and the beginning of the names of downloads. Never a path."""
    name = unquote(request.headers.get("x-name", "")).replace("\\", "/").rpartition("/")[2]
    name = "".join(c for c in name if c.isprintable() and c not in '<>:"|?*').strip(" .")
    return name[-_LONGEST_NAME:] or fallback
