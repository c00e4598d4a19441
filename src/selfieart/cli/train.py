"""``selfieart train``."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from selfieart.extras import require

if TYPE_CHECKING:
    from selfieart.training.loop import Schedule

app = typer.Typer(help="Train the packaged models anew, or a style of your own.", no_args_is_help=True)

Out = Annotated[
    Path, typer.Option("--out", "-o", help="Weights to write (safetensors); a killed run goes on from them.")
]
Teacher = Annotated[Path, typer.Option("--teacher", help="Weights of the compact VGG-19 that judges (safetensors).")]
Start = Annotated[Path | None, typer.Option("--start", help="Weights to start from.")]
Steps = Annotated[int | None, typer.Option("--steps", min=1, help="Steps in all.")]
Rate = Annotated[float | None, typer.Option("--learning-rate", help="Greatest learning rate.")]
Batch = Annotated[int | None, typer.Option("--batch", min=1, help="Crops in a batch.")]
Size = Annotated[int | None, typer.Option("--size", min=64, help="Side of the crops in pixels.")]
Seed = Annotated[int, typer.Option("--seed", help="Of the order of the data and of all noise.")]
Device = Annotated[str, typer.Option("--device", help="auto, cpu or cuda; auto takes a GPU where there is one.")]
Workers = Annotated[int, typer.Option("--workers", min=1, help="Threads that make batches ahead.")]
Labelled = Annotated[
    list[Path],
    typer.Argument(help="Data folders with images/, masks/ (19 classes, or 0 and 255) and perhaps parts/."),
]


@app.command()
def encoder(
    data: Annotated[list[Path], typer.Argument(help="Folders of photos and paintings.")],
    out: Out,
    teacher: Teacher,
    only: Annotated[
        list[str] | None,
        typer.Option("--only", metavar="LAYER", help="Only this layer's block learns, as relu5_1. Repeat it."),
    ] = None,
    forced: Annotated[
        float | None,
        typer.Option(
            "--forced", min=0.0, max=1.0, help="Share of the steps, the first ones, in which every block learns apart."
        ),
    ] = None,
    optimised: Annotated[
        int | None,
        typer.Option("--optimised", min=0, help="Pictures to learn from that Gatys' method paints with --start."),
    ] = None,
    start: Start = None,
    steps: Steps = None,
    learning_rate: Rate = None,
    batch: Batch = None,
    size: Size = None,
    seed: Seed = 0,
    device: Device = "auto",
    workers: Workers = 1,
) -> None:
    """Distil the perceptual encoder from the teacher. A killed run goes on where it last saved."""
    require("train")
    from selfieart.training.encoder import SCHEDULE, EncoderTraining, train_encoder
    from selfieart.training.loop import choose_device

    _check([teacher, start])
    schedule = _schedule(SCHEDULE, steps, learning_rate, seed, workers)
    more = {"only": tuple(only or ()) or None, "forced": forced, "optimised": optimised}
    options = replace(_given(EncoderTraining(), batch, size), **{k: v for k, v in more.items() if v is not None})
    train_encoder(data, teacher, out, options, schedule, choose_device(device), start)


@app.command()
def presets(
    styles: Annotated[Path, typer.Argument(help="Folder of style pictures; their sorted names order the codes.")],
    out: Out,
    content: Annotated[list[Path], typer.Option("--content", help="Folder of photos. Repeat it.")],
    teacher: Teacher,
    start: Start = None,
    steps: Steps = None,
    learning_rate: Rate = None,
    batch: Batch = None,
    seed: Seed = 0,
    device: Device = "auto",
    workers: Workers = 1,
) -> None:
    """Train the network and codes of the preset styles. A killed run goes on where it last saved."""
    require("train")
    from selfieart.training.loop import choose_device
    from selfieart.training.pictures import list_images
    from selfieart.training.presets import SCHEDULE, PresetTraining, train_presets

    _check([teacher, start])
    schedule = _schedule(SCHEDULE, steps, learning_rate, seed, workers)
    options, where = _given(PresetTraining(), batch, None), choose_device(device)
    train_presets(list_images([styles]), content, teacher, out, options, schedule, where, start)


@app.command()
def instant(
    styles: Annotated[Path, typer.Argument(help="Folder of the presets' pictures; sorted names order the codes.")],
    out: Out,
    pictures: Annotated[list[Path], typer.Option("--pictures", help="Folder of other style pictures. Repeat it.")],
    content: Annotated[list[Path], typer.Option("--content", help="Folder of photos. Repeat it.")],
    teacher: Teacher,
    encoder: Annotated[Path | None, typer.Option("--encoder", help="Weights of the perceptual encoder.")] = None,
    prediction_only: Annotated[
        bool, typer.Option("--prediction-only", help="Leave the network and the presets of --start as they are.")
    ] = False,
    start: Start = None,
    steps: Steps = None,
    learning_rate: Rate = None,
    batch: Batch = None,
    size: Size = None,
    seed: Seed = 0,
    device: Device = "auto",
    workers: Workers = 1,
) -> None:
    """Train presets and the prediction of codes for any picture, in one network. Half of each batch is of either."""
    require("train")
    from selfieart.training.loop import choose_device
    from selfieart.training.pictures import list_images
    from selfieart.training.presets import PREDICTION_SCHEDULE, SCHEDULE, PresetTraining, train_presets

    _check([teacher, start, encoder])
    usual = PREDICTION_SCHEDULE if prediction_only else SCHEDULE
    schedule = _schedule(usual, steps, learning_rate, seed, workers)
    count = batch or 4
    options = PresetTraining(any_style=count if prediction_only else count // 2 or 1, prediction_only=prediction_only)
    options, where = _given(options, batch, size), choose_device(device)
    train_presets(list_images([styles]), content, teacher, out, options, schedule, where, start, pictures, encoder)


@app.command()
def labels(
    data: Labelled,
    out: Annotated[Path, typer.Option("--out", "-o", help="Folder to write to; what it holds already is kept.")],
    sure: Annotated[
        float, typer.Option("--sure", min=0.0, max=1.0, help="Least probability of a class that becomes the label.")
    ] = 0.8,
) -> None:
    """Complete partial labels with what the packaged parser sees; train parser --completed learns from them."""
    from selfieart.cli.console import plain_console, progress
    from selfieart.parsing.registry import load_parser
    from selfieart.training.completed import complete_labels

    _check(data)
    with progress(quiet=False) as report:
        written = complete_labels(data, out, load_parser(), sure, report)
    plain_console().print(f"{written} completed labels are in {out}.", soft_wrap=True)


@app.command()
def parser(
    data: Labelled,
    out: Out,
    completed: Annotated[
        Path | None, typer.Option("--completed", help="Folder that `train labels` wrote: replaces partial labels.")
    ] = None,
    far: Annotated[
        float | None, typer.Option("--far", min=0.0, max=1.0, help="Share of crops with persons from far away.")
    ] = None,
    empty: Annotated[
        Path | None, typer.Option("--empty", help="Folder of pictures without people: all of them background.")
    ] = None,
    network: Annotated[str, typer.Option("--network", help="unet or bisenet.")] = "unet",
    teacher: Annotated[
        Path | None, typer.Option("--teacher", help="Compact VGG-19 (safetensors) whose convolutions unet begins with.")
    ] = None,
    start: Start = None,
    steps: Steps = None,
    learning_rate: Rate = None,
    batch: Batch = None,
    size: Size = None,
    seed: Seed = 0,
    device: Device = "auto",
    workers: Workers = 1,
) -> None:
    """Train the face parser. A killed run goes on where it last saved."""
    require("train")
    from selfieart.training.loop import choose_device
    from selfieart.training.parser import SCHEDULE, ParserTraining, train_parser

    _check([start, completed, teacher, empty])
    schedule = _schedule(SCHEDULE, steps, learning_rate, seed, workers)
    options = replace(_given(ParserTraining(), batch, size), network=network)
    options = options if far is None else replace(options, far=far)
    train_parser(data, out, options, schedule, choose_device(device), start, completed, teacher, empty)


@app.command()
def segnet(
    data: Labelled,
    out: Out,
    start: Start = None,
    steps: Steps = None,
    learning_rate: Rate = None,
    batch: Batch = None,
    size: Size = None,
    seed: Seed = 0,
    device: Device = "auto",
    workers: Workers = 1,
) -> None:
    """Train SegNet, which tells person from background. A killed run goes on where it last saved."""
    require("train")
    from selfieart.training.loop import choose_device
    from selfieart.training.segnet import SCHEDULE, SegNetTraining, train_segnet

    _check([start])
    schedule = _schedule(SCHEDULE, steps, learning_rate, seed, workers)
    train_segnet(data, out, _given(SegNetTraining(), batch, size), schedule, choose_device(device), start)


@app.command()
def style(
    picture: Annotated[Path, typer.Argument(help="The painting whose style it is to be.")],
    out: Annotated[
        Path | None, typer.Option("--out", "-o", help="Style file to write; beside the painting when left out.")
    ] = None,
    content: Annotated[
        list[Path] | None, typer.Option("--content", help="Folder of photos to learn on. Repeat it.")
    ] = None,
    steps: Annotated[int, typer.Option("--steps", min=1, help="More steps come nearer.")] = 150,
    seed: Seed = 0,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace the style file if it exists.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the result as JSON, for scripts.")] = False,
) -> None:
    """Fit a preset of your own to one painting, in minutes; --style takes the file that is written."""
    require("train")
    from selfieart.cli.console import plain_console, print_json, progress
    from selfieart.errors import SelfieartError
    from selfieart.training.one_style import fit_style

    target = out or picture.with_suffix(".safetensors")
    if content:
        _check(content)
    if not picture.is_file():
        raise SelfieartError(f"The painting {picture} does not exist: give a picture file.")
    with progress(quiet=as_json) as report:
        fitted = fit_style(picture, target, content, steps, seed, overwrite, report)
    if as_json:
        print_json({"output": str(target), "error_before": fitted.before, "error_after": fitted.after})
        return
    console = plain_console()
    console.print(f"Style error {fitted.before:.3f} at the start, {fitted.after:.3f} as fitted.", soft_wrap=True)
    console.print(f"The style is {target}: use it as --style SEGMENT={target}", soft_wrap=True)


def _check(paths: list[Path | None] | list[Path]) -> None:
    """Refuse what does not exist before any work is done."""
    from selfieart.errors import SelfieartError

    for path in paths:
        if path is not None and not path.exists():
            raise SelfieartError(f"{path} does not exist: give a file or folder that does.")


def _schedule(base: Schedule, steps: int | None, rate: float | None, seed: int, workers: int) -> Schedule:
    """The schedule with what was asked for; Muon's rate keeps its ratio to that of AdamW."""
    asked = rate or base.learning_rate
    muon = base.muon * asked / base.learning_rate
    return replace(base, steps=steps or base.steps, learning_rate=asked, muon=muon, seed=seed, workers=workers)


def _given(options: Any, batch: int | None, size: int | None) -> Any:
    """Settings with what was asked for."""
    asked = {name: value for name, value in (("batch", batch), ("size", size)) if value is not None}
    return replace(options, **asked)
