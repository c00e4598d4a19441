"""What this installation can do: the page shows nothing else."""

from __future__ import annotations

from functools import cache

from selfieart import __version__
from selfieart.app.responses import Capabilities
from selfieart.app.uploads import PHOTO_BYTES, PHOTO_PIXELS, STYLE_BYTES, VIDEO_BYTES, VIDEO_SECONDS
from selfieart.extras import has
from selfieart.look_schema import STROKES
from selfieart.methods.registry import METHODS
from selfieart.segments import GROUPS, NAMES, SEGMENTS
from selfieart.styles.presets import presets


@cache
def methods() -> tuple[str, ...]:
    """Names of the methods that optimise: better and slower, as jobs. They need the extra "methods"."""
    return tuple(METHODS) if has("methods") else ()


def capabilities() -> Capabilities:
    """The answer of /api/info."""
    return {
        "version": __version__,
        "presets": [
            {
                "name": p.name,
                "title": p.title,
                "artist": p.artist,
                "year": p.year,
                "thumbnail": f"/api/presets/{p.name}.jpg",
            }
            for p in presets().values()
        ],
        "segments": [{"name": segment.name, "color": segment.color} for segment in SEGMENTS],
        "groups": {name: [NAMES[index] for index in sorted(members)] for name, members in GROUPS.items()},
        "strokes": dict(STROKES),
        "methods": methods(),
        "limits": {
            "photo_bytes": PHOTO_BYTES,
            "photo_pixels": PHOTO_PIXELS,
            "style_bytes": STYLE_BYTES,
            "video_bytes": VIDEO_BYTES,
            "video_seconds": VIDEO_SECONDS,
        },
    }
