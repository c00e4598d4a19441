"""``selfieart evaluate``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(help="Measure how good the packaged models are.", no_args_is_help=True)


@app.callback()
def _root() -> None:
    pass


@app.command()
def presets(
    paintings: Annotated[Path, typer.Argument(help="Folder with the pictures of the presets, NAME.jpg each.")],
    photo: Annotated[list[Path], typer.Option("--photo", help="A photo to paint. Repeat it.")],
    teacher: Annotated[
        Path, typer.Option("--teacher", help="Weights of the compact VGG-19 that judges (safetensors).")
    ],
    side: Annotated[int, typer.Option("--side", min=64, help="Short side in pixels.")] = 384,
    as_json: Annotated[bool, typer.Option("--json", help="Print the result as JSON, for scripts.")] = False,
) -> None:
    """Style and content distance of every preset, as the teacher sees it."""
    from rich.table import Table

    from selfieart.cli.console import plain_console, print_json
    from selfieart.errors import SelfieartError
    from selfieart.training.evaluate import evaluate_presets
    from selfieart.transfer.presets import load_presets
    from selfieart.transfer.presets import presets as catalogue

    files = {name: paintings / f"{name}.jpg" for name in catalogue()}
    for path in (teacher, *photo, *files.values()):
        if not path.is_file():
            raise SelfieartError(f"{path} does not exist: give a file.")
    rows = evaluate_presets(load_presets(), files, photo, teacher, side)
    if as_json:
        print_json(rows)
        return
    table = Table("style", "style distance", "content distance")
    for name, row in rows.items():
        table.add_row(name, f"{row['style']:.4f}", f"{row['content']:.4f}")
    plain_console().print(table)
