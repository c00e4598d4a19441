"""Open portraits as the page sees them: small copies, octets of layers and logits, and finished files.

Everything here runs in the engine's thread.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from selfieart.errors import SelfieartError

if TYPE_CHECKING:
    from selfieart.imaging import Photo
    from selfieart.look import Look
    from selfieart.parsing.choice import Faces
    from selfieart.parsing.parsing import Parsing
    from selfieart.progress import Progress
    from selfieart.render.studio import Portrait, Studio

PREVIEW_SIDE = 1280
LOGITS_SIDE = 512
OPEN_BYTES = 400_000_000
"""Memory of the portraits that are open. Others are opened again from their files."""

LOWEST_LOGIT = -80.0
"""Below the likeliest class by this much nothing is seen; half floats hold it with room."""

Octets = NDArray[np.uint8]
Bias = Mapping[str, NDArray[np.float32]]


def within(width: int, height: int, side: int) -> tuple[int, int]:
    """(width, height) reduced so that the long side has at most ``side`` pixels."""
    scale = min(1.0, side / max(width, height))
    return max(1, round(width * scale)), max(1, round(height * scale))


@dataclass
class OpenPortrait:
    """A portrait and its small copy.

    Attributes:
        portrait: at full size.
        preview: the photo at the page's size, upright sRGB.
    """

    portrait: Portrait
    preview: Photo

    def __post_init__(self) -> None:
        self._wire: dict[Faces, Parsing] = {}

    @property
    def bytes(self) -> int:
        """Memory held."""
        wire = sum(p.logits.numel() * 4 + p.guide.numel() * 4 for p in self._wire.values())
        small = 0 if self.preview is self.portrait.photo else self.preview.pixels.nbytes
        return self.portrait.bytes + small + wire

    def parsing(self, faces: Faces = "all") -> Parsing:
        """The segments exactly as the page has them: logits rounded to half floats, the guide to bytes."""
        from selfieart.imaging.resize import resize
        from selfieart.render.painter import scaled

        if faces not in self._wire:
            full = self.portrait.parsing(faces)
            width, height = within(*self.preview.size, LOGITS_SIDE)
            logits = resize(full.logits, (height, width))
            logits = (logits - logits.amax(0)).clamp_min(LOWEST_LOGIT).half().float()
            guide = scaled(self.preview.pixels, (height, width))
            self._wire[faces] = replace(
                full.at_size(self.preview.height, self.preview.width), logits=logits, guide=guide
            )
        return self._wire[faces]

    def view(self, bias: Bias) -> Portrait:
        """The portrait at the page's size, with corrections."""
        return self.portrait.seen(self.preview, lambda faces: self.parsing(faces).corrected(bias))

    def logits(self, faces: Faces) -> NDArray[np.float16]:
        """(19, h, w) little endian."""
        return self.parsing(faces).logits.numpy().astype("<f2")

    def guide(self) -> Octets:
        """(h, w, 3): the photo at the resolution of the logits."""
        from selfieart.imaging.arrays import as_pixels

        return as_pixels(self.parsing().guide)

    def painted(self, style: str, look: Look, fine: bool, draft: bool = False) -> Octets:
        """A painted layer at the page's size (h, w, 3); a draft has coarse strokes only."""
        from selfieart.imaging.arrays import as_pixels, as_tensor

        size = (self.preview.height, self.preview.width)
        layer = self.portrait.layer(style, look, fine, draft).at_size(*size)
        return as_pixels(layer.rows(as_tensor(self.preview.pixels[:1]), 0, size[0]))

    def grey(self) -> Octets:
        """The photo without its colours."""
        from selfieart.imaging.arrays import as_pixels, as_tensor
        from selfieart.imaging.color import grey

        return as_pixels(grey(as_tensor(self.preview.pixels)))

    def blurred(self, classes: frozenset[int], faces: Faces, tau: float) -> Octets:
        """The photo out of focus, (h, w, 3), taking light from some classes only."""
        from selfieart.imaging.arrays import as_pixels, as_tensor
        from selfieart.imaging.resize import resize
        from selfieart.render.compose import Part, part_masks
        from selfieart.render.layers import BlurLayer
        from selfieart.render.painter import scaled

        pixels = self.preview.pixels
        height, width = pixels.shape[:2]
        mask = part_masks(pixels, replace(self.parsing(faces)), [Part(classes, None)], tau)[:1]
        w, h = within(width, height, 1024)
        layer = BlurLayer(scaled(pixels, (h, w)), resize(mask, (h, w))[0], height, width)
        return as_pixels(layer.rows(as_tensor(pixels[:1]), 0, height))

    def composite(self, look: Look, bias: Bias, progress: Progress) -> Octets:
        """The picture at the page's size, (h, w, 3)."""
        return self.view(bias).render(look, progress).pixels

    def facts(self) -> dict[str, Any]:
        """What the page is told about it."""
        parsing, (width, height) = self.parsing(), self.preview.size
        notes = [] if parsing.faces else ["No face was found in the picture: background and body can still be painted."]
        faces = self.portrait.parsing().faces
        return {
            "width": self.portrait.photo.width,
            "height": self.portrait.photo.height,
            "preview": [width, height],
            "logits": list(parsing.logits.shape),
            "faces": [{"x": f.x, "y": f.y, "side": f.side, "angle": f.angle} for f in faces],
            "notes": notes,
        }

    def finished(self, look: Look, named: Look, bias: Bias, path: Path, quality: int, progress: Progress) -> None:
        """Write the artwork at full size; a PNG holds the look, with the names that its styles have elsewhere."""
        from selfieart.imaging import write_photo
        from selfieart.look import PNG_KEY

        art = self.portrait.corrected(bias).render(look, progress)
        write_photo(path, art.pixels, like=art.photo, text={PNG_KEY: named.to_toml()}, quality=quality)


class Atelier:
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
        from selfieart.imaging import read_photo
        from selfieart.imaging.arrays import as_pixels
        from selfieart.imaging.photo import Photo
        from selfieart.render.painter import scaled

        with self._lock:
            opened = self._open.pop(key, None)
        if opened is None:
            photo = read_photo(path, max_pixels=max_pixels)
            width, height = within(*photo.size, PREVIEW_SIDE)
            small = photo if (width, height) == photo.size else Photo(as_pixels(scaled(photo.pixels, (height, width))))
            opened = OpenPortrait(self.studio.open(photo), small)
        with self._lock:
            self._open[key] = opened
            while len(self._open) > 1 and sum(portrait.bytes for portrait in self._open.values()) > self.limit:
                self._open.popitem(last=False)
        return opened

    def close(self, key: str) -> None:
        """Forget an open portrait; its file is not touched."""
        with self._lock:
            self._open.pop(key, None)


def check_style(studio: Studio, path: Path) -> None:
    """Refuse a picture that cannot be a style.

    Raises:
        SelfieartError: this build paints presets only, or the picture cannot be read or is too small.
    """
    if studio.stylizer.any_style is None:
        raise SelfieartError("This build paints presets only: choose one of them.")
    studio.code(str(path))
