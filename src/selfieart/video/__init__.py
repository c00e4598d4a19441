"""Videos: reading, painting steadily, writing, and going on after an interruption.

A file in, a file out, as ``selfieart video`` does it:

    from selfieart import Look, SegmentLook, Studio
    from selfieart.video import VideoPainter, paint_video

    painter = VideoPainter(Studio(), Look({"person": SegmentLook("candy")}), steadiness=0.85)
    report = paint_video("me.mp4", "out.mp4", painter)

With the loop in your hands, :func:`paint_frames` takes frames of a file (:func:`read_frames`) or of anything else.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from selfieart.lazy import lazily

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

__getattr__ = lazily(
    __name__,
    {
        "frame": ("Frame", "FramePainter", "paint_frames"),
        "io.reading": ("Clip", "probe", "read_first_frame", "read_frames"),
        "io.source": ("VideoInfo",),
        "painter": ("VideoPainter",),
        "pipeline": ("VideoOptions", "VideoReport", "paint_video"),
        "preview": ("contact_sheet",),
    },
)
