"""Settings of semantic style transfer with soft masks (Zhao, Rosin and Lai 2017)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, cast

from torch import Tensor

from selfieart.methods.guidance import MOST_MASKS, Guidance
from selfieart.methods.guidance_choice import GuidanceChoice, guidance_choice
from selfieart.methods.settings import OptimiseOptions, check_number, options_of
from selfieart.methods.variants import check_variants


@dataclass(frozen=True, eq=False)
class SemanticOptions(OptimiseOptions):
    """Settings of semantic style transfer.

    Attributes:
        gamma: how much soft masks count in finding the nearest patch: 0 not at all, 15 to 35 useful, 80 hardly anything
            else does.
        style_weight, content_weight: alpha_1 and alpha_2 for mean errors; see
            :mod:`selfieart.methods.semantic`.
        fine_weight: of the colours and strokes of matched patches, beside the style's.
        guidance: soft masks of the content and of every style picture; without any it is CNNMRF.
        guided_by: where they come from when a scene is prepared and none were given.
        importance: (H, W) of the content's size, how much its content counts at each place; None is 1 everywhere, as
            published. With one the content of relu3_1 counts as well.
        detail: weight of that content of relu3_1.
        masks: how many of them are used: those of greatest mean probability.
        rematch: evaluations between one search for the nearest patches and the next.
        rotations: degrees by which further copies of the style pictures are turned, each from -45 to 45.
        sizes: factors by which further copies of the style pictures are larger or smaller, each from 0.5 to 2.
    """

    scales: int = 3
    total_variation: float = 10.0
    gamma: float = 20.0
    style_weight: float = 1.0
    content_weight: float = 1.0
    fine_weight: float = 0.3
    guidance: Guidance | None = None
    guided_by: GuidanceChoice = field(default_factory=GuidanceChoice)
    importance: Tensor | None = None
    detail: float = 0.3
    masks: int = 5
    rematch: int = 10
    rotations: tuple[float, ...] = ()
    sizes: tuple[float, ...] = ()

    def __post_init__(self) -> None:
        super().__post_init__()
        check_number("gamma", self.gamma, 0.0, 1e4)
        for name in ("style_weight", "content_weight", "fine_weight", "detail"):
            check_number(name, getattr(self, name), 0.0, 1e9)
        check_number("masks", self.masks, 1, MOST_MASKS, whole=True)
        check_number("rematch", self.rematch, 2, 100_000, whole=True)
        check_variants(self.rotations, self.sizes)

    @classmethod
    def published(cls, guidance: Guidance | None, **settings: Any) -> SemanticOptions:
        """The paper's settings: white noise, relu3_1 and relu4_1 alone, copies of the style turned and resized.

        Args:
            guidance: soft masks.
            settings: others than the paper's.
        """
        paper: dict[str, Any] = {
            "start": "noise",
            "fine_weight": 0.0,
            "style_weight": 4.0,
            "rotations": (-7.5, 7.5),
            "sizes": (0.95, 1.05),
            "iterations": 200,
        }
        return cls(guidance=guidance, **{**paper, **settings})


def read_options(settings: Mapping[str, object], what: str) -> SemanticOptions:
    """Options from settings by name; see :func:`selfieart.methods.settings.options_of`.

    Args:
        settings: ``guidance`` may also be the name of a source, and ``content_map`` and ``style_map`` files instead of
            one: see :func:`selfieart.methods.guidance_choice.guidance_choice`. ``masks`` is also how many clusters.
        what: how a sentence calls a setting.

    Raises:
        UnknownName: there is no such setting or source; the nearest name is suggested.
        SelfieartError: a value is of the wrong kind or range, or the maps do not come in pairs.
    """
    rest = dict(settings)
    content_map, style_map = rest.pop("content_map", None), rest.pop("style_map", None) or ()
    source = rest.pop("guidance") if isinstance(rest.get("guidance"), str) else None
    options = options_of(SemanticOptions, rest, what)
    parts = None if rest.get("masks") is None else options.masks
    if source is None and content_map is None and not style_map and parts is None:
        return options
    chosen = guidance_choice(
        None if source is None else str(source),
        None if content_map is None else Path(str(content_map)),
        [
            str(one)
            for one in ([style_map] if isinstance(style_map, str | Path) else cast("Sequence[object]", style_map))
        ],
        parts,
    )
    return replace(options, guided_by=chosen)
