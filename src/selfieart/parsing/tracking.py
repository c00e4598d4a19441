"""Faces from frame to frame of a video: crops that move smoothly, and faces that are looked for where they were."""

from __future__ import annotations

import math
from collections.abc import Sequence

from selfieart.parsing.faces import Face


def followed(seen: Sequence[Face], tracks: Sequence[Face], weight: float = 0.5) -> list[Face]:
    """Faces seen in a frame, each moved towards the track it continues; tracks that nothing continues stay.

    Whether a face is still there is found out on its crop.

    Args:
        seen: largest first.
        tracks: faces of the frames before.
        weight: how much of the track is kept.

    Returns:
        Faces, largest first.
    """
    left, out = list(tracks), []
    for face in seen:
        near = [
            t for t in left
            if math.hypot(t.x - face.x, t.y - face.y) < 0.25 * face.side and 0.7 < t.side / face.side < 1.4
        ]  # fmt: skip
        if not near:
            out.append(face)
            continue
        track = min(near, key=lambda t: math.hypot(t.x - face.x, t.y - face.y))
        left.remove(track)
        turn = (track.angle - face.angle + 180) % 360 - 180
        pairs = ((face.x, track.x), (face.y, track.y), (face.side, track.side), (face.area, track.area))
        x, y, side, area = (new + weight * (old - new) for new, old in pairs)
        out.append(Face(x, y, side, (face.angle + weight * turn + 180) % 360 - 180, area))
    return sorted([*out, *left], key=lambda f: -f.area)
