"""Faces from frame to frame of a video: crops that move smoothly, and faces that are looked for where they were."""

from __future__ import annotations

import math
from collections.abc import Sequence

from selfieart.parsing.faces import Face

SAME_PLACE = 0.25
"""How far a face may move from frame to frame and be the same, in sides of its crop. In four clips of 30 frames it
moved 0.005 at most, 0.019 in five frames; two faces cheek to cheek are 0.35 apart."""

LIKE_SIDE = (0.7, 1.4)
"""By what the side of its crop may change from frame to frame. In four clips of 30 frames it was within 0.995 and
1.005, in five frames within 0.988 and 1.015."""

KEPT = 0.5
"""How much of the track is kept. In four clips crops tremble by 0.057, 0.041, 0.028, 0.015 % of their side at 0, 0.25,
0.5, 0.75, and lag behind by 0, 0.04, 0.11, 0.28 % of it."""


def followed(seen: Sequence[Face], tracks: Sequence[Face]) -> list[Face]:
    """Faces seen in a frame, each moved towards the track it continues; tracks that nothing continues stay.

    Whether a face is still there is found out on its crop.

    Args:
        seen: largest first.
        tracks: faces of the frames before.

    Returns:
        Faces, largest first.
    """
    left, out = list(tracks), []
    for face in seen:
        near = [t for t in left if _continues(face, t)]
        if not near:
            out.append(face)
            continue
        track = min(near, key=lambda t: math.hypot(t.x - face.x, t.y - face.y))
        left.remove(track)
        turn = (track.angle - face.angle + 180) % 360 - 180
        pairs = ((face.x, track.x), (face.y, track.y), (face.side, track.side), (face.area, track.area))
        x, y, side, area = (new + KEPT * (old - new) for new, old in pairs)
        out.append(Face(x, y, side, (face.angle + KEPT * turn + 180) % 360 - 180, area))
    return sorted([*out, *left], key=lambda f: -f.area)


def _continues(face: Face, track: Face) -> bool:
    distance = math.hypot(track.x - face.x, track.y - face.y)
    return distance < SAME_PLACE * face.side and LIKE_SIDE[0] < track.side / face.side < LIKE_SIDE[1]
