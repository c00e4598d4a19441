"""``selfieart train``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(help="Train the packaged models anew.", no_args_is_help=True)


@app.callback()
def _root() -> None:
    pass


@app.command()
def presets(
    styles: Annotated[Path, typer.Argument(help="Folder of style pictures; their sorted names order the codes.")],
    out: Annotated[Path, typer.Option("--out", "-o", help="Weights to write (safetensors); a run goes on from them.")],
    content: Annotated[list[Path], typer.Option("--content", help="Folder of photos. Repeat it.")],
    teacher: Annotated[
        Path, typer.Option("--teacher", help="Weights of the compact VGG-19 that judges (safetensors).")
    ],
    start: Annotated[Path | None, typer.Option("--start", help="Weights to start from.")] = None,
    steps: Annotated[int, typer.Option("--steps", min=1, help="Steps in all.")] = 6000,
    seed: Annotated[int, typer.Option("--seed", help="Of the order of the data and of all noise.")] = 0,
) -> None:
    """Train the network and codes of the preset styles. A killed run goes on where it last saved."""
    from selfieart.errors import SelfieartError
    from selfieart.training.presets import PresetTraining, list_images, train_presets

    for folder in (styles, *content):
        if not folder.is_dir() or not list_images([folder]):
            raise SelfieartError(f"{folder} is not a folder with JPEG or PNG pictures: give one that is.")
    for weights in (teacher, *([start] if start else [])):
        if not weights.is_file():
            raise SelfieartError(f"The weights {weights} do not exist: give a safetensors file.")
    train_presets(list_images([styles]), content, teacher, out, PresetTraining(steps=steps, seed=seed), start)
