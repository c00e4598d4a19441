"""How much the photo's content counts at each place: most on eyes, nose and mouth, more on faces than elsewhere."""

from __future__ import annotations

import torch
from torch import Tensor

from selfieart.segments import GROUPS, INDEX, NAMES

FEATURES = frozenset({INDEX["nose"], INDEX["mouth"]}) | GROUPS["eyes"] | GROUPS["brows"] | GROUPS["lips"]
"""The segments by which a face is known."""


def importance(masks: Tensor, face: float, features: float, rest: float) -> Tensor:
    """The importance of each place, a mixture of three values by soft masks.

    Args:
        masks: (..., 19, H, W), summing to 1 over the segments.
        face: on the face beside its features.
        features: on eyes, brows, nose, mouth and lips.
        rest: everywhere else.

    Returns:
        (..., H, W), from the least to the greatest of the three values.
    """
    values = torch.full((len(NAMES),), rest, device=masks.device, dtype=masks.dtype)
    values[sorted(GROUPS["face"])] = face
    values[sorted(FEATURES)] = features
    return torch.einsum("...khw,k->...hw", masks, values)
