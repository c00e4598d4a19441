"""The methods that optimise, by name."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Protocol

from selfieart.errors import SelfieartError, unknown
from selfieart.methods.settings import OptimiseOptions, Watch, unwatched
from selfieart.progress import Progress, silent

if TYPE_CHECKING:
    from torch import Tensor

    from selfieart.networks.encoder import PerceptualEncoder

METHODS = ("gatys", "styfie", "portrait-aware", "semantic")
FEATURES = ("compact", "vgg19")


class RegionStylizer(Protocol):
    """A method that paints several regions in the styles of pictures."""

    name: str

    def stylize_regions(
        self,
        content: Tensor,
        styles: Sequence[Tensor],
        masks: Tensor | None = None,
        options: Any = None,
        progress: Progress = silent,
        watch: Watch = unwatched,
    ) -> Tensor:
        """Paint (3, H, W) with S styles, each where its mask of (S + 1, H, W) says; the last one is what stays."""
        ...


def method_options(name: str, **settings: Any) -> OptimiseOptions:
    """Options of a method with some settings of their own.

    Raises:
        UnknownName: there is no such method or setting; the nearest name is suggested.
        SelfieartError: a value is of the wrong kind or range.
    """
    from dataclasses import fields

    kind = _kinds()[_known(name)][1]
    known = [field.name for field in fields(kind)]
    for setting in settings:
        if setting not in known:
            raise unknown(f"setting of {name}", setting, known)
    return kind(**settings)


def load_method(name: str, encoder: PerceptualEncoder | None = None) -> RegionStylizer:
    """A method ready to paint.

    Args:
        name: "gatys", "styfie", "portrait-aware" or "semantic".
        encoder: whose features it compares; the packaged one when left out.

    Raises:
        UnknownName: there is no such method; the nearest name is suggested.
    """
    kind = _kinds()[_known(name)][0]
    return kind(encoder or features_encoder("compact"))


def features_encoder(features: str, weights: str | Path | None = None) -> PerceptualEncoder:
    """The encoder that a name means.

    Args:
        features: "compact" is the packaged encoder, "vgg19" the full network.
        weights: the file of VGG-19's weights.

    Raises:
        UnknownName: there are no such features.
        SelfieartError: VGG-19 was asked for without its file, or a file came with the packaged encoder.
        WeightsError: the file cannot be used.
    """
    from selfieart.networks.packaged import load_encoder
    from selfieart.networks.vgg import load_vgg19

    if features not in FEATURES:
        raise unknown("features", features, FEATURES)
    if (features == "vgg19") != (weights is not None):
        raise SelfieartError("The features vgg19 need a file of weights, and only they do: give both or neither.")
    return load_encoder() if weights is None else load_vgg19(weights)


def _known(name: str) -> Literal["gatys", "styfie", "portrait-aware", "semantic"]:
    key = name.strip().lower().replace("_", "-").replace(" ", "-")
    if key not in METHODS:
        raise unknown("method", name, METHODS)
    return key  # type: ignore[return-value]


def _kinds() -> dict[str, tuple[Callable[[PerceptualEncoder], RegionStylizer], type[OptimiseOptions]]]:
    # Imported late: the names are wanted where torch is not.
    from selfieart.methods.gatys import Gatys, GatysOptions
    from selfieart.methods.portrait_aware import PortraitAware, PortraitAwareOptions
    from selfieart.methods.semantic import Semantic
    from selfieart.methods.semantic_options import SemanticOptions
    from selfieart.methods.styfie import Styfie, StyfieOptions

    return {
        Gatys.name: (Gatys, GatysOptions),
        Styfie.name: (Styfie, StyfieOptions),
        PortraitAware.name: (PortraitAware, PortraitAwareOptions),
        Semantic.name: (Semantic, SemanticOptions),
    }
