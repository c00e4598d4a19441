"""Open portraits as the page sees them: small copies, arrays of layers and logits, and finished files.

Everything here runs in the worker's thread.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from selfieart.imaging import Photo, read_photo, write_photo
from selfieart.imaging.arrays import FloatArray, Pixels, as_picture, as_pixels
from selfieart.imaging.color import grey
from selfieart.imaging.resize import resize, scaled
from selfieart.look import PNG_KEY, Look
from selfieart.parsing.choice import Faces
from selfieart.parsing.faces import Face
from selfieart.parsing.parsing import Parsing
from selfieart.progress import Progress
from selfieart.sizes import size_within

if TYPE_CHECKING:
    # The models' code is loaded when the models are: the page is there before.
    from selfieart.render.portrait import Portrait
    from selfieart.render.studio import Studio

PREVIEW_SIDE = 1280
LOGITS_SIDE = 512
OPEN_BYTES = 400_000_000
"""Memory of the portraits that are open. Others are opened again from their files."""

LOWEST_LOGIT = np.float32(-80.0)
"""Below the likeliest class by this much nothing is seen; half floats hold it with room."""

Corrections = Mapping[str, FloatArray]
"""What a person painted onto segments: segment -> (h, w), to be added to its logits."""


@dataclass(frozen=True)
class PhotoFacts:
    """What the page is told about a photo.

    Attributes:
        width, height: of the photo in pixels.
        preview: (width, height) of its small copy.
        logits: (classes, height, width).
        faces: in pixels of the photo.
        notes: sentences for the person.
    """

    width: int
    height: int
    preview: tuple[int, int]
    logits: tuple[int, int, int]
    faces: tuple[Face, ...]
    notes: tuple[str, ...]


class OpenPortrait:
    """A portrait and its small copy.

    Args:
        portrait: at full size.
        preview: the photo at the page's size, upright sRGB.
    """

    def __init__(self, portrait: Portrait, preview: Photo) -> None:
        self.portrait, self.preview = portrait, preview
        self._parsings: dict[Faces, Parsing] = {}

    @property
    def bytes(self) -> int:
        """Memory held."""
        parsings = sum(p.logits.nbytes + p.guide.nbytes for p in self._parsings.values())
        small = 0 if self.preview is self.portrait.photo else self.preview.pixels.nbytes
        return self.portrait.bytes + small + parsings

    @property
    def _size(self) -> tuple[int, int]:
        return self.preview.height, self.preview.width

    def parsing(self, faces: Faces = "all") -> Parsing:
        """The segments exactly as the page has them: logits rounded to half floats, the guide to bytes."""

        if faces not in self._parsings:
            full = self.portrait.parsing(faces)
            size = size_within(self._size, LOGITS_SIDE)
            logits = resize(full.logits, size)
            logits = logits - logits.max(0)
            np.maximum(logits, LOWEST_LOGIT, out=logits)
            self._parsings[faces] = replace(
                full.at_size(*self._size),
                logits=logits.astype(np.float16).astype(np.float32),
                guide=scaled(self.preview.pixels, size),
            )
        return self._parsings[faces]

    def view(self, corrections: Corrections) -> Portrait:
        """The portrait at the page's size, with corrections."""
        return self.portrait.seen(self.preview, lambda faces: self.parsing(faces).corrected(corrections))

    def logits(self, faces: Faces) -> NDArray[np.float16]:
        """(19, h, w) little endian."""
        return self.parsing(faces).logits.astype("<f2")

    def guide(self) -> Pixels:
        """(h, w, 3): the photo at the resolution of the logits."""
        return as_pixels(self.parsing().guide)

    def painted(self, style: str, look: Look, fine_faces: bool, draft: bool = False) -> Pixels:
        """A painted layer at the page's size (h, w, 3); a draft has coarse strokes only."""
        layer = self.portrait.layer(style, look, fine_faces, draft).at_size(*self._size)
        return as_pixels(layer.rows(as_picture(self.preview.pixels[:1]), 0, self.preview.height))

    def grey(self) -> Pixels:
        """The photo without its colours."""
        return as_pixels(grey(as_picture(self.preview.pixels)))

    def blurred(self, classes: frozenset[int], faces: Faces, tau: float) -> Pixels:
        """The photo out of focus, (h, w, 3), taking light from some classes only."""
        from selfieart.render.compose import Part, part_masks
        from selfieart.render.layers import BlurLayer

        pixels = self.preview.pixels
        mask = part_masks(pixels, self.parsing(faces), [Part(classes, None)], tau)[0]
        layer = BlurLayer.of(pixels, mask)
        return as_pixels(layer.rows(as_picture(pixels[:1]), 0, self.preview.height))

    def composite(self, look: Look, corrections: Corrections, progress: Progress) -> Pixels:
        """The picture at the page's size, (h, w, 3)."""
        return self.view(corrections).render(look, progress).pixels

    def facts(self) -> PhotoFacts:
        """What the page is told about it."""
        parsing, photo = self.parsing(), self.portrait.photo
        classes, height, width = parsing.logits.shape
        notes = (
            () if parsing.faces else ("No face was found in the picture: background and body can still be painted.",)
        )
        return PhotoFacts(
            photo.width, photo.height, self.preview.size, (classes, height, width), self.portrait.parsing().faces, notes
        )

    def export(
        self, look: Look, shared: Look, corrections: Corrections, path: Path, quality: int, progress: Progress
    ) -> None:
        """Write the artwork at full size.

        Args:
            look: what goes where.
            shared: the same look with the names that its styles have elsewhere; a PNG holds it.
            corrections: of the segments.
            path: of the file, in the format that its suffix names.
            quality: of a JPEG.
            progress: may raise Cancelled.
        """
        art = self.portrait.corrected(corrections).render(look, progress)
        write_photo(path, art.pixels, like=art.photo, text={PNG_KEY: shared.to_toml()}, quality=quality)


class OpenPortraits:
    """The studio and the portraits that are open in it.

    Args:
        studio: makes the studio when it is first needed.
        limit: bytes of memory of the open portraits; the one in use may exceed it.
    """

    def __init__(self, studio: Callable[[], Studio], limit: int = OPEN_BYTES) -> None:
        self._make, self.limit = studio, limit
        self._studio: Studio | None = None
        self._open: OrderedDict[str, OpenPortrait] = OrderedDict()
        # Whoever throws a photo away does it from another thread.
        self._lock = threading.Lock()

    @property
    def studio(self) -> Studio:
        """The models, loaded once."""
        if self._studio is None:
            self._studio = self._make()
        return self._studio

    def open(self, key: str, path: Path, max_pixels: int) -> OpenPortrait:
        """The portrait behind a file, from memory if it is there.

        Raises:
            ImageError: the file is no picture that can be read.
        """

        with self._lock:
            opened = self._open.pop(key, None)
        if opened is None:
            photo = read_photo(path, max_pixels=max_pixels)
            full = photo.height, photo.width
            size = size_within(full, PREVIEW_SIDE)
            preview = photo if size == full else Photo(as_pixels(scaled(photo.pixels, size)))
            opened = OpenPortrait(self.studio.open(photo), preview)
        with self._lock:
            self._open[key] = opened
            while len(self._open) > 1 and sum(portrait.bytes for portrait in self._open.values()) > self.limit:
                self._open.popitem(last=False)
        return opened

    def close(self, key: str) -> None:
        """Forget an open portrait; its file is not touched."""
        with self._lock:
            self._open.pop(key, None)
