"""How much the photo's content counts at each place: most on eyes, nose and mouth, more on faces than elsewhere."""

from __future__ import annotations

import numpy as np

from selfieart.imaging.arrays import FloatArray
from selfieart.segments import GROUPS, INDEX, NAMES

FEATURES = frozenset({INDEX["nose"], INDEX["mouth"]}) | GROUPS["eyes"] | GROUPS["brows"] | GROUPS["lips"]
"""The segments by which a face is known."""


def importance(masks: FloatArray, face: float, features: float, rest: float) -> FloatArray:
    """The importance of each place, a mixture of three values by soft masks.

    Args:
        masks: (..., 19, H, W), summing to 1 over the segments.
        face: on the face beside its features.
        features: on eyes, brows, nose, mouth and lips.
        rest: everywhere else.

    Returns:
        (..., H, W), from the least to the greatest of the three values.
    """
    out: FloatArray = np.einsum("...khw,k->...hw", masks, segment_importance(face, features, rest))
    return out


def segment_importance(face: float, features: float, rest: float) -> FloatArray:
    """(19,): the importance of each segment; see :func:`importance`."""
    values = np.full(len(NAMES), rest, np.float32)
    values[sorted(GROUPS["face"])] = face
    values[sorted(FEATURES)] = features
    return values
