"""What has been worked out of one photo, kept for the next look: its segments, and what was painted of it."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Sequence

from selfieart.engine import engine_lock, release_memory
from selfieart.imaging import Photo
from selfieart.imaging.arrays import FloatArray
from selfieart.look import Look
from selfieart.parsing.choice import Faces
from selfieart.parsing.faces import Face
from selfieart.parsing.parsing import Parsing
from selfieart.render.feed_forward import PresetStylizer
from selfieart.render.layers import PaintedLayer
from selfieart.render.painter import paint
from selfieart.stylizer import StylizeOptions

LARGEST_CACHE = 512_000_000
"""Bytes of painted layers that are kept for one photo."""


class Parsings:
    """The segments of one photo for every choice of faces, each worked out once.

    Args:
        parse: which faces take part -> the segments.
    """

    def __init__(self, parse: Callable[[Faces], Parsing]) -> None:
        self._parse = parse
        self._kept: dict[Faces, Parsing] = {}

    def of(self, faces: Faces) -> Parsing:
        """The segments with those faces.

        Raises:
            SelfieartError: the photo is too small, or ``faces`` is no choice of faces.
        """
        if faces not in self._kept:
            self._kept[faces] = self._parse(faces)
            release_memory()
        return self._kept[faces]

    @property
    def bytes(self) -> int:
        """Memory held."""
        return sum(parsing.logits.nbytes + parsing.guide.nbytes for parsing in self._kept.values())


class Paintings:
    """Paints a photo in one style after the other, and keeps each painting until memory is needed for newer ones.

    Args:
        stylizer: what paints.
        photo: what is painted.
        parsings: of that photo: small faces are painted with a finer brush.
        largest: bytes that are kept at most; the newest painting is kept whatever its size.
    """

    def __init__(
        self, stylizer: PresetStylizer, photo: Photo, parsings: Parsings, largest: int = LARGEST_CACHE
    ) -> None:
        self._stylizer, self._photo, self._parsings, self._largest = stylizer, photo, parsings, largest
        self._kept: OrderedDict[tuple[str, int, int, Faces, bool], PaintedLayer] = OrderedDict()

    @property
    def bytes(self) -> int:
        """Memory held by what is kept."""
        return sum(layer.bytes for layer in self._kept.values())

    def layer(self, style: str, code: FloatArray, look: Look, fine_faces: bool, draft: bool = False) -> PaintedLayer:
        """The photo painted in one style; kept, unless it is a draft.

        Args:
            style: a name for what the code paints, the same for the same code.
            code: (D,).
            look: whose stroke, seed and choice of faces count.
            fine_faces: paint small faces with a finer brush.
            draft: coarse strokes only, unless the finished painting is there.
        """
        key = (style, look.stroke_side(), look.seed, look.faces, fine_faces)
        if key not in self._kept:
            if draft:
                return paint_photo(self._stylizer, self._photo, code[None], look, draft=True)
            faces = self._parsings.of(look.faces).faces if fine_faces else ()
            self._kept[key] = paint_photo(self._stylizer, self._photo, code[None], look, faces)
            while len(self._kept) > 1 and self.bytes > self._largest:
                self._kept.popitem(last=False)
        self._kept.move_to_end(key)
        return self._kept[key]


def paint_photo(
    stylizer: PresetStylizer,
    photo: Photo,
    codes: FloatArray,
    look: Look,
    faces: Sequence[Face] = (),
    shares: FloatArray | None = None,
    draft: bool = False,
) -> PaintedLayer:
    """Paint a photo with the stroke and the seed of a look; nothing else computes meanwhile."""
    options = StylizeOptions(look.seed)
    with engine_lock:
        layer = paint(stylizer, photo.pixels, codes, look.stroke_side(), faces, shares, options, draft)
    release_memory()
    return layer
