"""selfieart turns a selfie or portrait into art, part by part.

from selfieart import Look, SegmentLook, Studio

art = Studio().open("me.jpg").render(Look({"hair": SegmentLook("starry-night")}))
art.save("out.png")
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from selfieart.errors import SelfieartError
from selfieart.look import Look, SegmentLook

if TYPE_CHECKING:
    from selfieart.render.studio import Artwork, Portrait, Studio

__version__ = "0.2.0"
"""The one place that says it: the package's metadata, the command line and the docs take it from here."""

__all__ = ["Artwork", "Look", "Portrait", "SegmentLook", "SelfieartError", "Studio"]

_FROM_STUDIO = ("Artwork", "Portrait", "Studio")


def __getattr__(name: str) -> Any:
    # The studio brings OpenCV and the engine with it: the command line's help must not wait for them.
    if name in _FROM_STUDIO:
        import selfieart.render.studio

        return getattr(selfieart.render.studio, name)
    raise AttributeError(f"module 'selfieart' has no attribute '{name}'")
