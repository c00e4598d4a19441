"""What the commands share: progress, results as text or JSON, files to write."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from selfieart.errors import ImageError
from selfieart.progress import Progress as ProgressCallback
from selfieart.progress import silent

STAGES = {
    "load": "Loading models",
    "parse": "Parsing",
    "style": "Painting",
    "compose": "Composing",
    "gallery": "Painting",
    "compare": "Painting",
    "complete": "Completing labels",
}


def plain_console(stderr: bool = False) -> Console:
    """A console that prints text as it is: file names with brackets are names, not markup."""
    return Console(stderr=stderr, highlight=False, markup=False)


def print_json(value: Any) -> None:
    """Print a value as JSON on standard output."""
    sys.stdout.write(json.dumps(value, indent=2, default=str) + "\n")


def print_notes(notes: Iterable[str]) -> None:
    """Print what a person should know about a result, on standard error."""
    for note in notes:
        plain_console(stderr=True).print(f"Note: {note}", style="yellow", soft_wrap=True)


@contextmanager
def progress(quiet: bool) -> Iterator[ProgressCallback]:
    """A progress bar on standard error; none where nobody looks at it."""
    console = Console(stderr=True)
    if quiet or not console.is_terminal:
        yield silent
        return
    columns = (SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True) as bar:
        tasks = {"load": bar.add_task(STAGES["load"], total=None)}

        def report(stage: str, done: float) -> None:
            bar.update(tasks["load"], visible=False)
            if stage not in tasks:
                tasks[stage] = bar.add_task(STAGES.get(stage, stage), total=1.0)
            bar.update(tasks[stage], completed=done)

        yield report


def beside(picture: Path, ending: str) -> Path:
    """The default output beside a photo: me.jpg -> me-ENDING.png."""
    return picture.with_name(f"{picture.stem}-{ending}.png")


def check_output(target: Path, source: Path | None, overwrite: bool) -> None:
    """Refuse an output that cannot be written, before any work is done.

    Raises:
        ImageError: it exists and may not be replaced, it is the photo itself, or it cannot be written.
    """
    from selfieart.imaging import picture_format
    from selfieart.paths import check_target

    picture_format(target)
    if source is not None and target.resolve() == source.resolve():
        raise ImageError(f"The output {target} is the photo itself: choose another name, so the photo is not lost.")
    check_target(target, overwrite)


def timing(seconds: dict[str, float]) -> str:
    """Stages and their times as one line."""
    return ", ".join(f"{stage} {value:.2f} s" for stage, value in seconds.items())
