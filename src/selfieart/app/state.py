"""Everything that one running app holds."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from starlette.requests import ClientDisconnect, Request

from selfieart.app.errors import Refused
from selfieart.app.jobs import JobBoard
from selfieart.app.messages import look_json, pictures_in, restyled
from selfieart.app.portraits import Atelier, OpenPortrait
from selfieart.app.store import PrivateFolder, Shelf
from selfieart.app.uploads import PHOTO_PIXELS
from selfieart.app.worker import Engine
from selfieart.errors import unknown
from selfieart.look import PLAIN_STYLES, Look, parse_color
from selfieart.progress import Progress
from selfieart.style_names import STYLE_PREFIX
from selfieart.styles.presets import presets

if TYPE_CHECKING:
    from selfieart.app.routes.live import LiveSession
    from selfieart.render.studio import Studio

Result = TypeVar("Result")

PHOTOS_BYTES = 1_000_000_000
STYLES_BYTES = 250_000_000
VIDEOS_BYTES = 4_000_000_000


@dataclass
class PhotoFile:
    """An uploaded photo.

    Attributes:
        path: of the private file.
        name: how the person calls it.
        facts: what the page is told about it.
        look: the look found inside, as JSON, or None.
    """

    path: Path
    name: str
    facts: dict[str, Any] = field(default_factory=dict)
    look: dict[str, Any] | None = None

    @property
    def files(self) -> Iterable[Path]:
        """The photo."""
        return (self.path,)

    @property
    def logits(self) -> tuple[int, int]:
        """(h, w) of the logits that the page has."""
        _, height, width = self.facts["logits"]
        return height, width


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


class Workshop:
    """The engine, the private folder and all that is kept in it.

    Args:
        studio: makes the studio when it is first needed.
    """

    def __init__(self, studio: Callable[[], Studio]) -> None:
        self.folder = PrivateFolder()
        self.engine = Engine()
        self.atelier = Atelier(studio)
        self.board = JobBoard(self.engine, self.folder)
        self.photos: Shelf[PhotoFile] = Shelf("photo", PHOTOS_BYTES, forgotten=self.atelier.close)
        self.styles: Shelf[StyleFile] = Shelf("style picture", STYLES_BYTES)
        self.videos: Shelf[VideoFile] = Shelf("video", VIDEOS_BYTES)
        self.camera: LiveSession | None = None

    def close(self) -> None:
        """Stop working and delete everything that was uploaded or made."""
        self.board.close()
        self.engine.close()
        self.folder.close()

    async def do(self, request: Request, work: Callable[[Progress], Result]) -> Result:
        """Work in the engine's thread for as long as the page waits for it.

        Raises:
            Refused: too much is waiting (429).
            ClientDisconnect: the page does not wait any more; work that had not started never will.
        """
        ticket = self.engine.submit(work)
        waiting = asyncio.wrap_future(ticket.future)
        gone = asyncio.ensure_future(_disconnected(request))
        both: set[asyncio.Future[Any]] = {waiting, gone}
        try:
            await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
            if waiting.done() and not waiting.cancelled():
                return waiting.result()
            raise ClientDisconnect
        finally:
            if not waiting.done():
                ticket.cancel()
                # Whatever comes of it now, somebody has looked.
                waiting.add_done_callback(lambda late: late.cancelled() or late.exception())
            gone.cancel()

    def open(self, key: str) -> OpenPortrait:
        """The portrait of a photo; in the engine's thread.

        Raises:
            Refused: there is no such photo (404).
        """
        return self.atelier.open(key, self.photos.get(key).path, PHOTO_PIXELS)

    # --- names of styles ---------------------------------------------------------------------------------------------

    def style_path(self, style: str) -> str:
        """The file behind "style:ID".

        Raises:
            Refused: there is no such style (404).
        """
        return str(self.styles.get(style.removeprefix(STYLE_PREFIX)).path)

    def style_key(self, style: str) -> str:
        """What the page calls a style of a look: uploaded pictures by their id, found by path or by name.

        Raises:
            UnknownName: the page has no such style.
        """
        if style in PLAIN_STYLES or style in presets() or parse_color(style) is not None:
            return style
        for key, kept in reversed(self.styles.items()):
            if str(kept.path) == style or kept.name == Path(style).name:
                return f"{STYLE_PREFIX}{key}"
        raise unknown("style", Path(style).name, [*presets(), *PLAIN_STYLES])

    def style_name(self, style: str) -> str:
        """What a style of a look is called outside of the app: an uploaded picture by the name of its file."""
        return next((kept.name for _, kept in self.styles.items() if str(kept.path) == style), style)

    def named(self, look: Look) -> Look:
        """A look as it leaves the app, without private paths."""
        return restyled(look, self.style_name)

    def look_found(self, text: str | None) -> tuple[dict[str, Any] | None, list[str]]:
        """The look inside a picture as JSON, and notes about what of it cannot be used here."""
        from selfieart.errors import SelfieartError

        if text is None:
            return None, []
        try:
            look = Look.from_toml(text)
            kept = restyled(look, self.style_key)
        except (SelfieartError, TypeError):
            return None, ["The look inside the picture cannot be read: it was made by another version."]
        missing = [worn.style for name, worn in look.segments.items() if name not in kept.segments]
        lost = sorted({name for style in missing for name in pictures_in(style)})
        notes = [f"The look uses the picture {name}: add it as a style to have all of it." for name in lost]
        return look_json(kept), notes


async def _disconnected(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass


def refuse_unless(offered: bool, sentence: str) -> None:
    """Refuse with 400 what this build does not offer.

    Raises:
        Refused: it does not.
    """
    if not offered:
        raise Refused(400, sentence)
