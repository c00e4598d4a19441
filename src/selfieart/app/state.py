"""Everything that one running app holds."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from starlette.requests import ClientDisconnect, HTTPConnection, Request

from selfieart.app.jobs import JobList
from selfieart.app.messages import pictures_in, restyled
from selfieart.app.portraits import OpenPortrait, OpenPortraits, PhotoFacts
from selfieart.app.store import PrivateFolder, Store
from selfieart.app.uploads import PHOTO_PIXELS
from selfieart.app.worker import Worker
from selfieart.errors import SelfieartError, unknown
from selfieart.look import PNG_KEY, Look
from selfieart.progress import Progress
from selfieart.style_names import PLAIN_STYLES, STYLE_PREFIX, parse_color
from selfieart.styles.presets import presets

if TYPE_CHECKING:
    from selfieart.render.studio import Studio

Result = TypeVar("Result")

PHOTOS_BYTES = 1_000_000_000
STYLES_BYTES = 250_000_000
VIDEOS_BYTES = 4_000_000_000


@dataclass(frozen=True)
class PhotoFile:
    """An uploaded photo.

    Attributes:
        path: of the private file.
        name: how the person calls it.
        facts: what the page is told about it.
        look: the look found inside, its styles called as the page calls them; None if there is none.
    """

    path: Path
    name: str
    facts: PhotoFacts
    look: Look | None = None

    @property
    def files(self) -> Iterable[Path]:
        """The photo."""
        return (self.path,)

    @property
    def logits_size(self) -> tuple[int, int]:
        """(h, w) of the logits that the page has."""
        return self.facts.logits[1:]


@dataclass(frozen=True)
class StyleFile:
    """An uploaded style picture.

    Attributes:
        path: of the private file.
        name: how the person calls it: that of a picture file.
        thumbnail: of the private JPEG.
    """

    path: Path
    name: str
    thumbnail: Path

    @property
    def files(self) -> Iterable[Path]:
        """The picture and its thumbnail."""
        return (self.path, self.thumbnail)


@dataclass(frozen=True)
class VideoFile:
    """An uploaded video.

    Attributes:
        path: of the private file.
        name: how the person calls it.
        photo: id of its first frame as a photo.
    """

    path: Path
    name: str
    photo: str

    @property
    def files(self) -> Iterable[Path]:
        """The video."""
        return (self.path,)


class CameraSession(Protocol):
    """A page whose camera is painted live."""

    async def leave(self, sentence: str) -> None:
        """End it, and say why."""
        ...


class AppState:
    """The worker, the private folder and all that is kept in it.

    Args:
        studio: makes the studio when it is first needed.

    Attributes:
        camera: the one page whose camera is painted.
    """

    def __init__(self, studio: Callable[[], Studio]) -> None:
        self.folder = PrivateFolder()
        self.worker = Worker()
        self.portraits = OpenPortraits(studio)
        self.jobs = JobList(self.worker, self.folder)
        self.photos: Store[PhotoFile] = Store("photo", PHOTOS_BYTES, on_removed=self.portraits.close)
        self.styles: Store[StyleFile] = Store("style picture", STYLES_BYTES)
        self.videos: Store[VideoFile] = Store("video", VIDEOS_BYTES)
        self.camera: CameraSession | None = None

    def close(self) -> None:
        """Stop working and delete everything that was uploaded or made."""
        self.jobs.close()
        self.worker.close()
        self.folder.close()

    async def run_for(self, request: Request, work: Callable[[Progress], Result]) -> Result:
        """Work in the worker's thread for as long as the page waits for it.

        Raises:
            RequestError: too much is waiting (429).
            ClientDisconnect: the page does not wait any more; work that had not started never will.
        """
        task = self.worker.submit(work)
        waiting = asyncio.wrap_future(task.future)
        gone = asyncio.ensure_future(_disconnected(request))
        both: set[asyncio.Future[Any]] = {waiting, gone}
        try:
            await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
            if waiting.done() and not waiting.cancelled():
                return waiting.result()
            raise ClientDisconnect
        finally:
            if not waiting.done():
                task.cancel()
                # Whatever comes of it now, somebody has looked.
                waiting.add_done_callback(lambda late: late.cancelled() or late.exception())
            gone.cancel()

    # --- photos ------------------------------------------------------------------------------------------------------

    def add_photo(self, key: str, path: Path, name: str) -> PhotoFile:
        """Read and parse a file, and keep it; in the worker's thread.

        Raises:
            ImageError: it cannot be read.
            SelfieartError: it is too small.
        """
        try:
            opened = self.portraits.open(key, path, PHOTO_PIXELS)
            facts = opened.facts()
            look, notes = self.look_from_text(opened.portrait.photo.text.get(PNG_KEY))
            photo = PhotoFile(path, name, replace(facts, notes=(*facts.notes, *notes)), look)
            self.photos.put(key, photo)
        except BaseException:
            self.portraits.close(key)
            raise
        return photo

    def open(self, key: str) -> OpenPortrait:
        """The portrait of a photo; in the worker's thread.

        Raises:
            RequestError: there is no such photo (404).
        """
        return self.portraits.open(key, self.photos.get(key).path, PHOTO_PIXELS)

    # --- names of styles ---------------------------------------------------------------------------------------------

    def style_path(self, style: str) -> str:
        """The file behind "style:ID".

        Raises:
            RequestError: there is no such style (404).
        """
        return str(self.styles.get(style.removeprefix(STYLE_PREFIX)).path)

    def style_key(self, style: str) -> str:
        """What the page calls a style of a look: uploaded pictures by their id, found by path or by name.

        Raises:
            UnknownName: the page has no such style.
        """
        if style in PLAIN_STYLES or style in presets() or parse_color(style) is not None:
            return style
        for key, file in reversed(self.styles.items()):
            if str(file.path) == style or file.name == Path(style).name:
                return f"{STYLE_PREFIX}{key}"
        raise unknown("style", Path(style).name, [*presets(), *PLAIN_STYLES])

    def style_name(self, style: str) -> str:
        """What a style of a look is called outside of the app: an uploaded picture by the name of its file."""
        return next((file.name for _, file in self.styles.items() if str(file.path) == style), style)

    def shared_look(self, look: Look) -> Look:
        """A look as it leaves the app, without private paths."""
        return restyled(look, self.style_name)

    def look_from_text(self, text: str | None) -> tuple[Look | None, tuple[str, ...]]:
        """The look inside a picture with the page's names of styles, and notes about what of it cannot be used here."""
        if text is None:
            return None, ()
        try:
            look = Look.from_toml(text)
            usable = restyled(look, self.style_key)
        except (SelfieartError, TypeError):
            return None, ("The look inside the picture cannot be read: it was made by another version.",)
        missing = [segment.style for name, segment in look.segments.items() if name not in usable.segments]
        lost = sorted({name for style in missing for name in pictures_in(style)})
        notes = (f"The look uses the picture {name}: add it as a style to have all of it." for name in lost)
        return usable, tuple(notes)


def state_of(connection: HTTPConnection) -> AppState:
    """What the app holds that serves a request or a socket."""
    state: AppState = connection.app.state.selfieart
    return state


async def _disconnected(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass
