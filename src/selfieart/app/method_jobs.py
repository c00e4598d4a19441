"""A look painted by a method that optimises: better, slower, as a job."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from selfieart.app.jobs import Reporter, ResultFile
from selfieart.app.portraits import Bias, OpenPortrait
from selfieart.app.videos import jpeg
from selfieart.errors import SelfieartError
from selfieart.imaging import write_photo
from selfieart.look import PNG_KEY, Look
from selfieart.methods.repaint import repaint_with
from selfieart.networks.tensors import as_pixels
from selfieart.styles.resolve import resolve_style

if TYPE_CHECKING:
    from selfieart.methods.method import Method
    from selfieart.methods.settings import OptimiseOptions, OptimiseProgress

_PREVIEW_SIDE = 640
_SECONDS_BETWEEN_PREVIEWS = 2.0


def paint_by_method(
    method: Method[Any],
    options: OptimiseOptions,
    opened: OpenPortrait,
    look: Look,
    named: Look,
    bias: Bias,
    out: Path,
    name: str,
    report: Reporter,
) -> ResultFile:
    """Paint all styles of a look that are paintings in one optimisation, and compose the rest as ever.

    A preset, whose painting is not packaged, is represented by the photo painted in it at once.

    Args:
        method: paints.
        options: of the method.
        opened: the portrait.
        look: what goes where.
        named: the same look with the names that its styles have elsewhere, for the file.
        bias: corrections of the segments.
        out: the private PNG to write.
        name: of the download.
        report: told how far it is.

    Raises:
        SelfieartError: the look paints nothing, or the method cannot use the picture.
        Cancelled: the job was cancelled.
    """
    if not any(resolve_style(worn.style).painted for worn in look.segments.values()):
        raise SelfieartError("The look paints nothing: give a segment a preset or a picture first.")
    report.progress("preparing", 0.0)
    portrait = opened.portrait.corrected(bias)

    def progress(stage: str, done: float) -> None:
        # Parsing and composing take no time beside the painting.
        report.progress("painting" if stage == "style" else stage, done if stage == "style" else 0.0)

    previews = _Previews(report.preview)
    art = portrait.render(look, progress, repaint_with(method, options, portrait, look, previews))
    write_photo(out, art.pixels, like=art.photo, text={PNG_KEY: named.to_toml()})
    return ResultFile(out, name)


class _Previews:
    """Shows the picture that is being painted, now and then."""

    def __init__(self, show: Callable[[bytes], None]) -> None:
        self.show, self.shown_at = show, time.monotonic()

    def __call__(self, state: OptimiseProgress) -> None:
        if time.monotonic() - self.shown_at >= _SECONDS_BETWEEN_PREVIEWS:
            self.show(jpeg(as_pixels(state.preview().detach()), _PREVIEW_SIDE))
            self.shown_at = time.monotonic()
