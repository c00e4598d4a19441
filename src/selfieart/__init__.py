"""selfieart turns a selfie or portrait into art, part by part.

from selfieart import Look, SegmentLook, Studio

art = Studio().open("me.jpg").render(Look({"hair": SegmentLook("starry-night")}))
art.save("out.png")
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from selfieart.errors import SelfieartError
from selfieart.lazy import lazily
from selfieart.look import Look, SegmentLook

if TYPE_CHECKING:
    from selfieart.render.artwork import Artwork
    from selfieart.render.portrait import Portrait
    from selfieart.render.studio import Studio

__version__ = "0.2.0"
"""The one place that says it: the package's metadata, the command line and the docs take it from here."""

__all__ = ["Artwork", "Look", "Portrait", "SegmentLook", "SelfieartError", "Studio"]

# These bring OpenCV and the engine with them: the command line's help must not wait for them.
__getattr__ = lazily(
    __name__, {"render.artwork": ("Artwork",), "render.portrait": ("Portrait",), "render.studio": ("Studio",)}
)
