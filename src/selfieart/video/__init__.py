"""Videos: reading, painting steadily, writing, and going on after an interruption.

A file in, a file out, as ``selfieart video`` does it:

    from selfieart import Look, SegmentLook, Studio
    from selfieart.video import VideoPainter, paint_video

    painter = VideoPainter(Studio(), Look({"person": SegmentLook("candy")}), steadiness=0.85)
    report = paint_video("me.mp4", "out.mp4", painter)

With the loop in your hands, :func:`paint_frames` takes frames of a file (:func:`read_frames`) or of anything else.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from selfieart.video.frame import Frame, FramePainter, paint_frames
    from selfieart.video.io.reading import Clip, probe, read_first_frame, read_frames
    from selfieart.video.io.source import VideoInfo
    from selfieart.video.painter import VideoPainter
    from selfieart.video.pipeline import VideoOptions, VideoReport, paint_video
    from selfieart.video.preview import contact_sheet

__all__ = [
    "Clip",
    "Frame",
    "FramePainter",
    "VideoInfo",
    "VideoOptions",
    "VideoPainter",
    "VideoReport",
    "contact_sheet",
    "paint_frames",
    "paint_video",
    "probe",
    "read_first_frame",
    "read_frames",
]

_HOMES = {
    "frame": ("Frame", "FramePainter", "paint_frames"),
    "io.reading": ("Clip", "probe", "read_first_frame", "read_frames"),
    "io.source": ("VideoInfo",),
    "painter": ("VideoPainter",),
    "pipeline": ("VideoOptions", "VideoReport", "paint_video"),
    "preview": ("contact_sheet",),
}


def __getattr__(name: str) -> Any:
    # Nothing heavy is imported before it is asked for.
    for home, names in _HOMES.items():
        if name in names:
            return getattr(import_module(f"selfieart.video.{home}"), name)
    raise AttributeError(f"module 'selfieart.video' has no attribute '{name}'")
