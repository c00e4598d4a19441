"""What a person chooses: the parser, and which of the faces in a picture take part.

Nothing heavy here: a look or a command names its choice before anything is loaded.
"""

from __future__ import annotations

from typing import Literal

from selfieart.errors import SelfieartError

DEFAULT_PARSER = "unet"
"""Who finds the segments when nobody is named."""

Faces = Literal["all", "largest"] | int
"""Which faces take part: all, the largest, or the N largest."""


def check_faces(faces: Faces) -> int | None:
    """How many faces take part, None for all.

    Raises:
        SelfieartError: the value is not "all", "largest" or a positive number.
    """
    if faces == "all":
        return None
    if faces == "largest":
        return 1
    if isinstance(faces, int) and not isinstance(faces, bool) and faces > 0:
        return faces
    raise SelfieartError(f"faces must be 'all', 'largest' or a number from 1, not {faces!r}.")
