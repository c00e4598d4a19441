"""The plan of a look: which classes wear what, in one order. Photos, videos and the page read a look through it."""

from __future__ import annotations

from dataclasses import dataclass

from selfieart.look import Look
from selfieart.segments import assign
from selfieart.sizes import Size
from selfieart.styles.resolve import ResolvedStyle, resolve_style


@dataclass(frozen=True)
class Worn:
    """What some classes wear.

    Attributes:
        name: of the segment or group, as the look has it.
        classes: indices of the segments that wear it; never empty, and disjoint from those of the rest of the plan.
        style: what is worn.
        strength: in [0, 1], how much of the style is seen.
        keep_color: in [0, 1], how much of the picture's colour is kept.
        feather: standard deviation of the border's softening in percent of the picture's short side.
    """

    name: str
    classes: frozenset[int]
    style: ResolvedStyle
    strength: float
    keep_color: float
    feather: float

    @property
    def changes(self) -> bool:
        """Whether anything of it is seen."""
        return self.style.kind != "original" and self.strength > 0

    @property
    def painted(self) -> bool:
        """Whether the network paints it."""
        return self.style.painted and self.strength > 0

    def feather_pixels(self, size: Size) -> float:
        """Standard deviation in pixels by which its border is softened in a picture of a size (height, width)."""
        return self.feather / 100 * min(size)


def plan(look: Look) -> tuple[Worn, ...]:
    """What a look means: every class belongs to the most specific name, and every style exists.

    Args:
        look: what goes where.

    Returns:
        What is worn, sorted by name, so that sums of floats over it do not depend on the order of the look. Names of
        which other names took every class are left out; of a look without segments nothing is left.

    Raises:
        UnknownName: a style does not exist, even one that would not be seen; the nearest name is suggested.
        SelfieartError: a style is a file that does not exist.
        LookError: a style begins like a colour but is none.
    """
    styles = {name: resolve_style(worn.style) for name, worn in sorted(look.segments.items())}
    kept = assign(list(look.segments))
    return tuple(
        Worn(name, kept[name], style, worn.strength, worn.keep_color, worn.feather)
        for name, style in styles.items()
        for worn in (look.segments[name],)
        if kept[name]
    )
