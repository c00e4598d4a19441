"""The segments of a portrait: the 19 CelebAMask-HQ classes, their groups and display colours.

Left and right are the person's own, as CelebAMask-HQ labels them: the left eye of someone who faces the camera is seen
on the right of the picture.
"""

from __future__ import annotations

from dataclasses import dataclass

from selfieart.errors import unknown


@dataclass(frozen=True)
class Segment:
    """One class of the face parser.

    Attributes:
        name: how a person writes it.
        color: display colour in overlays and legends, sRGB 0..255.
    """

    name: str
    color: tuple[int, int, int]


SEGMENTS: tuple[Segment, ...] = (
    Segment("background", (70, 78, 92)),
    Segment("skin", (236, 188, 150)),
    Segment("nose", (222, 143, 108)),
    Segment("glasses", (52, 199, 222)),
    Segment("left-eye", (38, 120, 214)),
    Segment("right-eye", (96, 165, 250)),
    Segment("left-brow", (120, 80, 40)),
    Segment("right-brow", (160, 112, 60)),
    Segment("left-ear", (244, 114, 182)),
    Segment("right-ear", (249, 168, 212)),
    Segment("mouth", (127, 29, 29)),
    Segment("upper-lip", (220, 38, 72)),
    Segment("lower-lip", (244, 82, 112)),
    Segment("hair", (139, 92, 246)),
    Segment("hat", (250, 204, 21)),
    Segment("earring", (163, 230, 53)),
    Segment("necklace", (20, 184, 166)),
    Segment("neck", (203, 150, 116)),
    Segment("clothes", (34, 150, 84)),
)
"""In the order of the parser's logits."""

NAMES: tuple[str, ...] = tuple(segment.name for segment in SEGMENTS)
INDEX: dict[str, int] = {name: index for index, name in enumerate(NAMES)}

PAIRS: tuple[tuple[int, int], ...] = (
    (INDEX["left-eye"], INDEX["right-eye"]),
    (INDEX["left-brow"], INDEX["right-brow"]),
    (INDEX["left-ear"], INDEX["right-ear"]),
)
"""Classes that change places when the picture is mirrored."""

_OTHER = {a: b for pair in PAIRS for a, b in (pair, pair[::-1])}
MIRRORED: tuple[int, ...] = tuple(_OTHER.get(index, index) for index in range(len(SEGMENTS)))
"""The class that each class becomes in a mirrored picture."""


def _indices(*names: str) -> frozenset[int]:
    return frozenset(INDEX[name] for name in names)


_FACE = (
    "skin", "nose", "glasses", "left-eye", "right-eye", "left-brow", "right-brow",
    "left-ear", "right-ear", "mouth", "upper-lip", "lower-lip",
)  # fmt: skip

GROUPS: dict[str, frozenset[int]] = {
    "everything": frozenset(range(len(SEGMENTS))),
    "person": frozenset(range(1, len(SEGMENTS))),
    "head": _indices(*_FACE, "hair", "hat", "earring"),
    "face": _indices(*_FACE),
    "body": _indices("neck", "necklace", "clothes"),
    "eyes": _indices("left-eye", "right-eye"),
    "brows": _indices("left-brow", "right-brow"),
    "ears": _indices("left-ear", "right-ear"),
    "lips": _indices("upper-lip", "lower-lip"),
    "accessories": _indices("glasses", "hat", "earring", "necklace"),
}
"""Names for several segments at once."""

ALIASES = {"cloth": "clothes", "eyebrows": "brows", "all": "everything", "people": "person", "bg": "background"}


def canonical(name: str) -> str:
    """The one spelling of a segment's or group's name: lower case, hyphens, no aliases.

    Raises:
        UnknownName: there is no such segment or group; the nearest name is suggested.
    """
    key = name.strip().lower().replace("_", "-").replace(" ", "-")
    key = ALIASES.get(key, key)
    if key not in INDEX and key not in GROUPS:
        raise unknown("segment", name, [*NAMES, *GROUPS, *ALIASES])
    return key


def members(name: str) -> frozenset[int]:
    """Class indices of a segment or group (the set U of eq. 5).

    Raises:
        UnknownName: there is no such segment or group.
    """
    key = canonical(name)
    return GROUPS[key] if key in GROUPS else frozenset({INDEX[key]})


def assign(names: list[str]) -> dict[str, frozenset[int]]:
    """Give every class to the most specific of the names that contain it.

    ``face`` and ``lips`` together mean the lips for ``lips`` and the rest of the face for ``face``, whichever was named
    first. Between names of equal size the one that comes first in the alphabet wins, so order never matters.

    Args:
        names: segments and groups, each at most once.

    Returns:
        For each name the classes that it keeps; the sets are disjoint and may be empty.
    """
    sets = {name: members(name) for name in names}
    owner: dict[int, str] = {}
    for name in sorted(sets, key=lambda n: (len(sets[n]), n), reverse=True):
        owner |= dict.fromkeys(sets[name], name)
    return {name: frozenset(k for k, o in owner.items() if o == name) for name in names}
