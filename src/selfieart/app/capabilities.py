"""What this build can do: the page shows nothing else."""

from __future__ import annotations

from functools import cache
from importlib import import_module, resources
from importlib.metadata import version
from typing import Any

from selfieart.app.uploads import PHOTO_BYTES, PHOTO_PIXELS, STYLE_BYTES, VIDEO_BYTES, VIDEO_SECONDS
from selfieart.extras import has
from selfieart.look import STROKES
from selfieart.methods.registry import METHODS
from selfieart.segments import GROUPS, NAMES, SEGMENTS
from selfieart.styles.presets import presets
from selfieart.weights import manifest


@cache
def has_video() -> bool:
    """Whether videos can be read, painted and written."""
    try:
        for module in ("painter", "pipeline", "io.reading"):
            import_module(f"selfieart.video.{module}")
    except ImportError:
        return False
    return True


@cache
def has_any_style() -> bool:
    """Whether any picture can be a style: the weights of the encoder and of the predictor are there."""
    from safetensors import safe_open

    entries = manifest()
    if "encoder" not in entries or "presets" not in entries:
        return False
    with (
        resources.as_file(resources.files("selfieart.weights").joinpath(entries["presets"].file)) as path,
        safe_open(path, framework="pt") as file,
    ):
        return any(key.startswith("predictor.") for key in file.keys())  # noqa: SIM118 - not a dict


@cache
def methods() -> tuple[str, ...]:
    """Names of the methods that optimise: better and slower, as jobs."""
    if "encoder" not in manifest():
        return ()
    return tuple(METHODS) if has("methods") else ()


def offers() -> dict[str, Any]:
    """The answer of /api/info."""
    return {
        "version": version("selfieart"),
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
        "segments": [{"name": segment.name, "color": list(segment.color)} for segment in SEGMENTS],
        "groups": {name: [NAMES[index] for index in sorted(kept)] for name, kept in GROUPS.items()},
        "strokes": dict(STROKES),
        "methods": list(methods()),
        "video": has_video(),
        "any_style": has_any_style(),
        "limits": {
            "photo_bytes": PHOTO_BYTES,
            "photo_pixels": PHOTO_PIXELS,
            "style_bytes": STYLE_BYTES,
            "video_bytes": VIDEO_BYTES,
            "video_seconds": VIDEO_SECONDS,
        },
    }
