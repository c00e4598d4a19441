"""A look at random: presets that go together, on the segments that are there."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

from selfieart.look import Look, SegmentLook
from selfieart.segments import INDEX, NAMES

if TYPE_CHECKING:
    from selfieart.parsing.parsing import Parsing

TOGETHER: tuple[tuple[str, str, str, str], ...] = (
    ("starry-night", "candy", "la-muse", "rain-princess"),
    ("wave", "la-muse", "udnie", "starry-night"),
    ("feathers", "the-scream", "mosaic", "rain-princess"),
    ("udnie", "candy", "feathers", "composition-vii"),
    ("rain-princess", "frida-kahlo", "candy", "wave"),
    ("mosaic", "la-muse", "composition-vii", "shipwreck"),
    ("composition-vii", "woman-with-hat-matisse", "robert-delaunay-1906-portrait", "udnie"),
    ("starry-night", "robert-delaunay-1906-portrait", "the-scream", "wave"),
    ("escher-sphere", "pencil", "escher-sphere", "mosaic"),
    ("candy", "frida-kahlo", "mosaic", "feathers"),
    ("la-muse", "picasso-selfport1907", "seated-nude", "the-scream"),
    ("shipwreck", "seated-nude", "wave", "starry-night"),
)
"""For hair, face, clothes and background: a lively one beside calmer ones, warm beside cold."""

_PLACES = ("hair", "face", "clothes", "background")
_SEEN = 0.004
"""Least share of the picture at which a segment is worth a style of its own."""


def random_look(parsing: Parsing, dice: random.Random | None = None) -> Look:
    """A look at random.

    Args:
        parsing: of the photo: what is not there gets no style.
        dice: what decides; nobody can foretell them when left out.

    Returns:
        Three or four styles where there is a face, with the face's colours half kept so that it stays a person.
    """
    dice = dice or random.SystemRandom()
    labels = parsing.logits.argmax(0)
    shares = {name: float((labels == INDEX[name]).mean()) for name in NAMES}
    styles = dict(zip(_PLACES, dice.choice(TOGETHER), strict=True))
    segments = {}
    if shares["hair"] > _SEEN:
        segments["hair"] = SegmentLook(styles["hair"])
    if shares["skin"] > _SEEN:
        segments["face"] = SegmentLook(styles["face"], strength=dice.choice((0.6, 0.7, 0.8)), keep_color=0.5)
        segments["neck"] = segments["face"]
    if shares["clothes"] > _SEEN:
        segments["clothes"] = SegmentLook(styles["clothes"])
    if shares["background"] > _SEEN or not segments:
        quiet = segments and dice.random() < 0.2
        segments["background"] = SegmentLook(dice.choice(("blur", "grey")) if quiet else styles["background"])
    return Look(segments, seed=dice.randrange(1000))
