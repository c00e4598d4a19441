"""What every method that optimises can be asked for, and what it tells while it works."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from typing import Any, Literal, TypeVar, get_args

from torch import Tensor

from selfieart.errors import SelfieartError, unknown

Optimiser = Literal["lbfgs", "scipy"]
Precision = Literal["float32", "bfloat16"]
Start = Literal["content", "noise"]


@dataclass(frozen=True, eq=False)
class OptimiseOptions:
    """Settings that all methods share.

    Attributes:
        side: short side in pixels at which the picture is painted; a smaller picture is painted at its own size.
        scales: how many sizes, each half of the next, are painted one after the other, from coarse to fine.
        iterations: evaluations of the loss (one forward and one backward run of the encoder) at the finest size; each
            coarser size, where an evaluation costs a quarter, gets 1.5 times as many as the next.
        optimiser: "lbfgs" is torch's, "scipy" is SciPy's L-BFGS-B.
        start: "content", "noise", or a picture (3, h, w) in [0, 1] such as that of a faster method.
        style_scale: size of the style pictures beside the content's, by the root of the area; less gives finer strokes.
        total_variation: weight of the loss that keeps neighbours alike.
        keep_color: in [0, 1], how much of the content's colour is kept.
        precision: of the encoder's convolutions.
        seed: of everything random; the same seed gives the same picture.
    """

    side: int = 512
    scales: int = 2
    iterations: int = 50
    optimiser: Optimiser = "lbfgs"
    start: Start | Tensor = "content"
    style_scale: float = 1.0
    total_variation: float = 100.0
    keep_color: float = 0.0
    precision: Precision = "float32"
    seed: int = 0

    def __post_init__(self) -> None:
        for name, most in (("side", 8192), ("scales", 8), ("iterations", 100_000)):
            check_number(name, getattr(self, name), 32 if name == "side" else 1, most, whole=True)
        for name, low, high in (("style_scale", 0.05, 20.0), ("total_variation", 0.0, 1e9), ("keep_color", 0.0, 1.0)):
            check_number(name, getattr(self, name), low, high)
        check_number("seed", self.seed, -(2**62), 2**62, whole=True)
        for name, kind in (("optimiser", Optimiser), ("precision", Precision)):
            if getattr(self, name) not in get_args(kind):
                raise unknown(name, str(getattr(self, name)), get_args(kind))
        if not isinstance(self.start, Tensor) and self.start not in get_args(Start):
            raise unknown("start", str(self.start), get_args(Start), "give content, noise or a picture.")


def check_number(name: str, value: Any, least: float, most: float, whole: bool = False) -> None:
    """Refuse a setting that is no number, or out of range; NaN is.

    Raises:
        SelfieartError: naming the setting and its range.
    """
    kind = int if whole else int | float
    if isinstance(value, bool) or not isinstance(value, kind) or not least <= value <= most:
        noun = "whole number" if whole else "number"
        raise SelfieartError(f"{name} must be a {noun} from {least:g} to {most:g}, not {value!r}.")


Options = TypeVar("Options", bound=OptimiseOptions)


def options_of(kind: type[Options], settings: Mapping[str, object], what: str = "setting") -> Options:
    """Options from settings by name, as a command line, a page or a program gives them.

    Args:
        kind: the class of the options.
        settings: by name. Numbers may be text, and several numbers text with commas between or a list; what is None is
            as usual.
        what: how a sentence calls a setting.

    Raises:
        UnknownName: there is no such setting; the nearest name is suggested.
        SelfieartError: a value is of the wrong kind or range.
    """
    known, usual = [field.name for field in fields(kind)], kind()
    read: dict[str, Any] = {}
    for name, value in settings.items():
        if name not in known:
            raise unknown(what, name, known)
        if value is not None:
            read[name] = _read(name, value, getattr(usual, name))
    return kind(**read)


def _read(name: str, value: object, usual: object) -> object:
    """A value of the kind that a setting usually has; what cannot be read is left for the options to refuse."""
    if isinstance(usual, int | float):
        return _number(value, type(usual))
    if isinstance(usual, tuple) and isinstance(value, str | list):
        items = value.split(",") if isinstance(value, str) else value
        return tuple(_number(item, float) for item in items if item != "")
    # Text names a choice; where there is none, only a program can give what is wanted.
    if isinstance(value, str | int | float | list) and not isinstance(usual, str | tuple):
        raise SelfieartError(f"{name} cannot be given as {type(value).__name__}: set it from Python.")
    return value


def _number(value: object, kind: type[int] | type[float]) -> object:
    if not isinstance(value, str):
        return value
    try:
        return kind(value)
    except ValueError:
        return value


@dataclass(frozen=True, eq=False)
class OptimiseProgress:
    """How far an optimisation is.

    Attributes:
        scale: which size is being painted, from 1 for the coarsest.
        scales: how many there are.
        iteration: evaluations of the loss at this size so far.
        iterations: evaluations at this size in all.
        losses: weighted loss values by name; what is minimised is their sum.
        preview: gives the picture as it is now, (3, h, w) in [0, 1]; to be called before the callback returns.
    """

    scale: int
    scales: int
    iteration: int
    iterations: int
    losses: Mapping[str, float]
    preview: Callable[[], Tensor]


Watch = Callable[[OptimiseProgress], None]
"""Called after every evaluation; it may raise :class:`selfieart.errors.Cancelled` to stop."""


def unwatched(state: OptimiseProgress) -> None:
    """A watch that looks at nothing."""
