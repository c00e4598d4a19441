"""One photo in the studio: its segments, what has been painted of it, and every look that is made from both."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import NDArray

from selfieart.engine import engine_lock
from selfieart.imaging import Photo
from selfieart.imaging.resize import scaled
from selfieart.look import Look
from selfieart.parsing.choice import Faces
from selfieart.parsing.parsing import Parsing
from selfieart.progress import Progress, silent
from selfieart.render.artwork import Artwork
from selfieart.render.cache import Paintings, Parsings
from selfieart.render.layers import PaintedLayer
from selfieart.render.renderer import Renderer, Repaint, Tools
from selfieart.sizes import size_within

PARSING_SIDE = 1536
"""Long side in pixels of the copy of a photo that the parser sees."""


class Portrait:
    """One photo in the studio. Its parsing and its painted layers are kept, so changing a look costs a blend.

    Args:
        studio: whose parser and stylizer are used.
        photo: the picture.
        parsings: its segments; found by the studio's parser when left out.
        paintings: what is painted of it, or of a larger or smaller copy; new ones when left out.
    """

    def __init__(
        self, studio: Tools, photo: Photo, parsings: Parsings | None = None, paintings: Paintings | None = None
    ) -> None:
        self.studio, self.photo = studio, photo

        def parse(faces: Faces) -> Parsing:
            small = scaled(photo.pixels, size_within((photo.height, photo.width), PARSING_SIDE))
            with engine_lock:
                parsing = studio.parser.parse(small, faces)
            return parsing.at_size(photo.height, photo.width)

        self._parsings = parsings or Parsings(parse)
        self._paintings = paintings or Paintings(studio.stylizer, photo, self._parsings)

    def seen(self, photo: Photo, parse: Callable[[Faces], Parsing]) -> Portrait:
        """The same picture at another size or with other segments; what is painted for it serves both.

        Args:
            photo: a larger or smaller copy of the photo, or the photo itself.
            parse: which faces take part -> the segments to use, in the size of that copy.
        """
        return Portrait(self.studio, photo, Parsings(parse), self._paintings)

    def corrected(self, bias: Mapping[str, NDArray[np.float32]]) -> Portrait:
        """The portrait with segments as a person corrected them; photo and painted layers are shared.

        Args:
            bias: see :meth:`selfieart.parsing.parsing.Parsing.corrected`.
        """
        return self.seen(self.photo, lambda faces: self.parsing(faces).corrected(bias))

    @property
    def bytes(self) -> int:
        """Memory held by the photo, its parsings and its painted layers."""
        planes = [plane for plane in (self.photo.pixels, self.photo.alpha) if plane is not None]
        return sum(plane.nbytes for plane in planes) + self._parsings.bytes + self._paintings.bytes

    def parsing(self, faces: Faces = "all") -> Parsing:
        """The segments of the photo.

        Args:
            faces: "all", "largest" or a number; the heads of other faces become background.

        Raises:
            SelfieartError: the photo is too small, or ``faces`` is none of these.
        """
        return self._parsings.of(faces)

    def render(self, look: Look, progress: Progress = silent, repaint: Repaint | None = None) -> Artwork:
        """Turn the photo into art.

        Args:
            look: what goes where.
            progress: called with a stage and the fraction done; may raise Cancelled.
            repaint: paints all styles in one picture instead of the feed-forward network.

        Raises:
            SelfieartError: a style does not exist, or the photo is too small.
            Cancelled: ``progress`` asked to stop.
        """
        return Renderer(self.studio, self.photo, self.parsing, self._paintings).render(look, progress, repaint)

    def layer(self, style: str, look: Look | None = None, fine_faces: bool = True, draft: bool = False) -> PaintedLayer:
        """The whole photo painted in one style; kept for the next look.

        Args:
            style: anything that is painted: see :func:`selfieart.styles.resolve.resolve_style`.
            look: whose stroke, seed and choice of faces count; the default look when left out.
            fine_faces: paint small faces with a finer brush.
            draft: coarse strokes only, for a first look at a large photo; the finished layer if there is one already.

        Raises:
            UnknownName: there is no such preset.
            SelfieartError: the file cannot be used as a style.
        """
        name, code = self.studio.code(style)
        layer = self._paintings.layer(name, code, look or Look(), fine_faces, draft)
        return layer.at_size(self.photo.height, self.photo.width)
