"""``selfieart video``."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterator
from contextlib import contextmanager
from fractions import Fraction
from pathlib import Path
from typing import Any, Literal

from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, Task, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.text import Text

from selfieart.cli.console import plain_console, print_json, print_notes, timing
from selfieart.cli.looks import described, painting_look
from selfieart.cli.machine import Machine
from selfieart.errors import LookError, SelfieartError
from selfieart.look import Look
from selfieart.parsing.registry import check_parser
from selfieart.progress import Progress as ProgressCallback
from selfieart.progress import silent
from selfieart.styles.resolve import resolve_style
from selfieart.video.io.reading import Clip
from selfieart.video.io.writing import CONTAINERS
from selfieart.video.pipeline import VideoOptions, VideoReport, check_video_target, paint_video


def run(
    clip: Path,
    out: Path | None,
    style: list[str],
    knobs: dict[str, list[str]],
    look_options: dict[str, Any],
    look_file: Path | None,
    video_options: dict[str, Any],
    steadiness: float,
    parse_every: str,
    parser: str,
    machine: Machine,
    preview: Path | None,
    save_look: Path | None,
    overwrite: bool,
    resume: bool,
    as_json: bool,
) -> None:
    """Paint one video as the options say, and report."""
    look = painting_look(style, knobs, look_options, look_file, "person=candy")
    if not 0 <= steadiness <= 1:
        raise LookError(f"--steadiness must be a number from 0 to 1, not {steadiness:g}.")
    every = _parse_every(parse_every)
    check_parser(parser)
    target = out or _beside(clip)
    options = VideoOptions(
        start=None if video_options["start"] is None else seconds_from(video_options["start"], "--start"),
        end=None if video_options["end"] is None else seconds_from(video_options["end"], "--end"),
        side=video_options["size"],
        codec=video_options["codec"],
        crf=video_options["crf"],
        overwrite=overwrite,
        resume=resume,
        identity=_identity(look, steadiness, every, parser),
    )
    check_video_target(clip, target, options)
    _check_others({"--preview": preview, "--save-look": save_look}, clip, target, overwrite)
    # Before the models are loaded, so that a wrong file is refused at once.
    frames = Clip(clip, options.start, options.end).frames
    begin = time.perf_counter()
    with _progress(frames, quiet=as_json) as progress:
        progress("load", 0.0)
        from selfieart.video.painter import VideoPainter

        painter = VideoPainter(machine.studio(parser), look, steadiness=steadiness, parse_every=every)
        loaded = time.perf_counter() - begin
        try:
            report = paint_video(clip, target, painter, options, progress)
        except KeyboardInterrupt:
            if resume and not as_json:
                print_notes(["finished pieces are kept: give the same command again to go on."])
            raise
    if save_look:
        look.save(save_look, overwrite)
    if preview:
        _write_preview(preview, clip, report, options)
    _tell(clip, look, report, loaded, preview, as_json)


def seconds_from(text: str, option: str) -> Fraction:
    """A time as a person writes it: 12.5, 1:30 or 1:02:03.

    Raises:
        SelfieartError: it is none.
    """
    try:
        parts = [Fraction(part) for part in text.strip().split(":")]
    except (ValueError, ZeroDivisionError):
        parts = []
    if not 1 <= len(parts) <= 3 or any(part < 0 for part in parts) or any(part >= 60 for part in parts[1:]):
        raise SelfieartError(f"{option} {text} is no time: write seconds (12.5) or minutes and seconds (1:30).")
    return sum((part * 60**place for place, part in enumerate(reversed(parts))), Fraction(0))


def _beside(clip: Path) -> Path:
    suffix = clip.suffix.lower()
    return clip.with_name(f"{clip.stem}-art{suffix if suffix in CONTAINERS else '.mp4'}")


def _parse_every(text: str) -> int | Literal["auto"]:
    if text.strip().lower() == "auto":
        return "auto"
    if not text.strip().isdecimal() or int(text) < 1:
        raise SelfieartError(f"--parse-every must be auto or a whole number from 1, not '{text}'.")
    return int(text)


def _identity(look: Look, steadiness: float, every: int | str, parser: str) -> str:
    """All that decides how a frame is painted: the pieces of another painter must not be joined to these."""
    from selfieart.weights import manifest

    weights = "".join(entry.sha256 for entry in manifest().values())
    styles = [style for worn in look.segments.values() for style, _ in resolve_style(worn.style).pure]
    files = [Path(style.name) for style in styles if style.kind in ("picture", "code")]
    pictures = "".join(hashlib.sha256(path.read_bytes()).hexdigest() for path in files)
    return f"{look.to_toml()}\n{steadiness!r} {every} {parser} {weights} {pictures}"


def _check_others(files: dict[str, Path | None], clip: Path, target: Path, overwrite: bool) -> None:
    """Refuse other files to write that cannot be written, or that are one of the videos or each other."""
    from selfieart.imaging import picture_format
    from selfieart.paths import check_target

    taken = {clip.resolve(): "the video itself", target.resolve(): "the output video"}
    for option, path in files.items():
        if path is None:
            continue
        if path.resolve() in taken:
            raise SelfieartError(f"{option} {path} is {taken[path.resolve()]}: give them different names.")
        taken[path.resolve()] = "also written by another option"
        if option == "--preview":
            picture_format(path)
        check_target(path, overwrite)


def _write_preview(preview: Path, clip: Path, report: VideoReport, options: VideoOptions) -> None:
    from selfieart.imaging import write_photo
    from selfieart.video.preview import contact_sheet

    write_photo(preview, contact_sheet(clip, report.output, options.start, options.end), overwrite=options.overwrite)


def _tell(clip: Path, look: Look, report: VideoReport, loaded: float, preview: Path | None, as_json: bool) -> None:
    seconds = {"load": loaded, **report.seconds}
    if as_json:
        print_json(
            {
                "output": str(report.output),
                "preview": str(preview) if preview else None,
                "frames": report.frames,
                "resumed": report.resumed,
                "width": report.width,
                "height": report.height,
                "duration": float(report.duration),
                "fps": round(report.fps, 3),
                "look": look.to_toml(),
                "seconds": {stage: round(value, 4) for stage, value in seconds.items()},
                "notes": list(report.notes),
            }
        )
        return
    console = plain_console()
    print_notes(report.notes)
    size = f"{report.width}x{report.height}"
    console.print(f"Painted {clip.name} ({report.frames} frames of {size}): {described(look)}.", soft_wrap=True)
    if report.resumed:
        console.print(f"{report.resumed} frames were finished before.", soft_wrap=True)
    console.print(f"{timing(seconds)}; {report.fps:.2f} frames per second.", soft_wrap=True)
    console.print(f"The video is {report.output}", soft_wrap=True)
    if preview:
        console.print(f"The preview is {preview}", soft_wrap=True)


class _Speed(TextColumn):
    """Frames per second."""

    def __init__(self) -> None:
        super().__init__("")

    def render(self, task: Task) -> Text:
        """The speed of a task that counts frames."""
        return Text(f"{task.speed:.1f} fps" if task.speed and task.total and task.total > 1 else "")


@contextmanager
def _progress(frames: int | None, quiet: bool) -> Iterator[ProgressCallback]:
    """Frames done, frames per second and time left, on standard error; nothing where nobody looks at it."""
    console = Console(stderr=True)
    if quiet or not console.is_terminal:
        yield silent
        return
    columns = (
        SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), _Speed(), TimeElapsedColumn(),
        TextColumn("left"), TimeRemainingColumn(),
    )  # fmt: skip
    with Progress(*columns, console=console, transient=True, speed_estimate_period=60) as bar:
        names = {"load": "Loading models", "paint": "Painting", "join": "Putting together"}
        totals = {"load": None, "paint": frames, "join": 1}
        tasks: dict[str, Any] = {}

        def report(stage: str, done: float) -> None:
            if stage not in tasks:
                for task in tasks.values():
                    bar.update(task, visible=False)
                # What an earlier run finished must not count as speed.
                before = round(done * (totals[stage] or 1))
                tasks[stage] = bar.add_task(names[stage], total=totals[stage], completed=before)
            bar.update(tasks[stage], completed=done * (totals[stage] or 1))

        yield report
