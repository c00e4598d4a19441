"""A look painted by a method that optimises: better, slower, as a job. Needs torch: imported when a job runs."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from selfieart.app.jobs import Reporter, ResultFile
from selfieart.app.portraits import OpenPortrait
from selfieart.app.requests import MethodJobRequest
from selfieart.app.videos import jpeg
from selfieart.errors import SelfieartError
from selfieart.imaging import write_photo
from selfieart.imaging.arrays import as_pixels
from selfieart.look import PNG_KEY, Look
from selfieart.methods.registry import load_method, options_from
from selfieart.methods.repaint import repaint_with
from selfieart.styles.resolve import resolve_style

if TYPE_CHECKING:
    from selfieart.methods.settings import OptimiseProgress

_PREVIEW_SIDE = 640
_SECONDS_BETWEEN_PREVIEWS = 2.0


def paint_by_method(
    opened: OpenPortrait, request: MethodJobRequest, shared: Look, made: ResultFile, report: Reporter
) -> ResultFile:
    """Paint all styles of a look that are paintings in one optimisation, and compose the rest as ever.

    A preset, whose painting is not packaged, is represented by the photo painted in it at once.

    Args:
        opened: the portrait.
        request: what goes where, and the method.
        shared: the same look with the names that its styles have elsewhere, for the file.
        made: the private PNG to write.
        report: told how far it is.

    Raises:
        SelfieartError: the look paints nothing, or the method cannot use the picture.
        Cancelled: the job was cancelled.
    """
    look = request.look
    if not any(resolve_style(segment.style).painted for segment in look.segments.values()):
        raise SelfieartError("The look paints nothing: give a segment a preset or a picture first.")
    report.progress("preparing", 0.0)
    portrait = opened.portrait.corrected(request.corrections)
    options = options_from(request.method, {"iterations": request.iterations, "seed": look.seed})
    method = load_method(request.method)

    def progress(stage: str, done: float) -> None:
        # Parsing and composing take no time beside the painting.
        report.progress("painting" if stage == "style" else stage, done if stage == "style" else 0.0)

    repaint = repaint_with(method, options, portrait, look, _Previews(report.preview))
    art = portrait.render(look, progress, repaint)
    write_photo(made.path, art.pixels, like=art.photo, text={PNG_KEY: shared.to_toml()})
    return made


class _Previews:
    """Shows the picture that is being painted, now and then."""

    def __init__(self, show: Callable[[bytes], None]) -> None:
        self.show, self.shown_at = show, time.monotonic()

    def __call__(self, state: OptimiseProgress) -> None:
        if time.monotonic() - self.shown_at >= _SECONDS_BETWEEN_PREVIEWS:
            self.show(jpeg(as_pixels(state.preview().detach().numpy()), _PREVIEW_SIDE))
            self.shown_at = time.monotonic()
