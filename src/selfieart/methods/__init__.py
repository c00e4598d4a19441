"""Style transfer by methods that optimise: slower and better than the feed-forward network.

A photo in styles, as ``selfieart photo --method`` paints it:

    from selfieart.methods import SemanticOptions, paint_with

    art = paint_with("semantic", "me.jpg", {"hair": "painting.jpg"}, SemanticOptions(gamma=30.0))
    art.save("out.png")

Arrays alone, without a look:

    from selfieart.methods import paint_pixels

    pixels = paint_pixels("gatys", photo, painting)

Every method and its options are here by name: ``Gatys`` and ``GatysOptions`` and so on. A method takes the encoder
whose features it compares, and works on tensors: see :class:`selfieart.methods.method.Method`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from selfieart.lazy import lazily
from selfieart.methods.registry import METHODS, features_encoder, load_method, method_class, options_from

if TYPE_CHECKING:
    from selfieart.methods.gatys import Gatys, GatysOptions
    from selfieart.methods.guidance import Guidance
    from selfieart.methods.guidance_choice import GuidanceChoice
    from selfieart.methods.method import Method
    from selfieart.methods.painting import paint_pixels, paint_with
    from selfieart.methods.portrait_aware import PortraitAware, PortraitAwareOptions
    from selfieart.methods.scene import Scene
    from selfieart.methods.semantic import Semantic
    from selfieart.methods.semantic_options import SemanticOptions
    from selfieart.methods.settings import OptimiseOptions, OptimiseProgress
    from selfieart.methods.styfie import Styfie, StyfieOptions

__all__ = [
    "METHODS",
    "Gatys",
    "GatysOptions",
    "Guidance",
    "GuidanceChoice",
    "Method",
    "OptimiseOptions",
    "OptimiseProgress",
    "PortraitAware",
    "PortraitAwareOptions",
    "Scene",
    "Semantic",
    "SemanticOptions",
    "Styfie",
    "StyfieOptions",
    "features_encoder",
    "load_method",
    "options_from",
    "paint_pixels",
    "paint_with",
]

_HOMES = {
    "guidance": ("Guidance",),
    "guidance_choice": ("GuidanceChoice",),
    "method": ("Method",),
    "painting": ("paint_pixels", "paint_with"),
    "scene": ("Scene",),
    "settings": ("OptimiseOptions", "OptimiseProgress"),
}

# Everything here brings torch with it, which takes a second to import, and may not be installed.
_shared = lazily(__name__, _HOMES, dict.fromkeys(_HOMES, "methods"))


def __getattr__(name: str) -> Any:
    # Methods and their options are where the registry says.
    for method, place in METHODS.items():
        kind = place.partition(":")[2]
        if name == kind:
            return method_class(method)
        if name == f"{kind}Options":
            return method_class(method).options
    return _shared(name)
