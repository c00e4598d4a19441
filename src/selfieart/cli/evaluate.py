"""``selfieart evaluate``: arguments in, tables or JSON out; the work is that of :mod:`selfieart.evaluation`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from selfieart.parsing.choice import DEFAULT_PARSER
from selfieart.video.choice import STEADINESS

if TYPE_CHECKING:
    from selfieart.evaluation import StyleScores

app = typer.Typer(help="Measure how good the packaged models and their results are.", no_args_is_help=True)


@app.callback()
def _root() -> None:
    pass


@app.command()
def parsing(
    images: Annotated[Path, typer.Argument(help="Folder of pictures.", metavar="IMAGES")],
    labels: Annotated[Path, typer.Argument(help="Folder of their labels, NAME.png each.", metavar="LABELS")],
    kind: Annotated[
        str, typer.Option("--kind", help="What the labels hold: classes (0-18), person (0, 255) or parts (0-4).")
    ] = "classes",
    parser: Annotated[str, typer.Option("--parser", help="Which parser.")] = DEFAULT_PARSER,
    weights: Annotated[
        Path | None, typer.Option("--weights", help="Other weights of that parser (safetensors).")
    ] = None,
    side: Annotated[
        int | None, typer.Option("--side", min=64, help="One bare pass at this short side, not frame and faces.")
    ] = None,
    painted: Annotated[bool, typer.Option("--painted", help="Judge on copies painted in the preset styles.")] = False,
    held_out: Annotated[
        bool, typer.Option("--held-out", help="Only pictures on the list that no training of ours has seen.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the result as JSON, for scripts.")] = False,
) -> None:
    """How well a parser reads labelled pictures: IoU and F1 per segment."""
    from selfieart.cli.console import print_json, progress
    from selfieart.evaluation import ParsingEvaluation, evaluate_parsing

    options = ParsingEvaluation(images, labels, kind, parser, weights, side, painted, held_out)
    with progress(quiet=as_json) as report:
        scores = evaluate_parsing(options, report)
    if as_json:
        print_json(scores.to_json())
        return
    from selfieart.cli.evaluate_tables import show_parsing

    show_parsing(scores)


Photos = Annotated[list[Path], typer.Option("--photo", help="A photo to paint. Repeat it.")]
Teacher = Annotated[Path, typer.Option("--teacher", help="Weights of the compact VGG-19 that judges (safetensors).")]
Side = Annotated[int, typer.Option("--side", min=64, help="Short side in pixels.")]
Json = Annotated[bool, typer.Option("--json", help="Print the result as JSON, for scripts.")]


@app.command()
def presets(
    paintings: Annotated[Path, typer.Argument(help="Folder with the pictures of the presets, NAME.jpg each.")],
    photo: Photos,
    teacher: Teacher,
    weights: Annotated[
        Path | None, typer.Option("--weights", help="Other weights of the styles (safetensors).")
    ] = None,
    gatys: Annotated[int, typer.Option("--gatys", help="Also judge Gatys' method with so many iterations.")] = 0,
    side: Side = 384,
    as_json: Json = False,
) -> None:
    """Style and content distance of every preset, as the teacher sees it."""
    from selfieart.cli.console import progress
    from selfieart.evaluation import PresetsEvaluation, evaluate_presets

    options = PresetsEvaluation(paintings, tuple(photo), teacher, weights, gatys, side)
    with progress(quiet=as_json) as report:
        scores = evaluate_presets(options, report)
    _print_styles(scores, as_json)


@app.command()
def instant(
    pictures: Annotated[Path, typer.Argument(help="Folder of style pictures that are no presets.")],
    photo: Photos,
    teacher: Teacher,
    weights: Annotated[
        Path | None, typer.Option("--weights", help="Other weights of the styles (safetensors).")
    ] = None,
    count: Annotated[int, typer.Option("--count", min=1, help="How many pictures, evenly chosen.")] = 20,
    held_out: Annotated[
        bool, typer.Option("--held-out", help="Only pictures on the list that no training of ours has seen.")
    ] = False,
    gatys: Annotated[int, typer.Option("--gatys", help="Also judge Gatys' method with so many iterations.")] = 0,
    side: Side = 384,
    as_json: Json = False,
) -> None:
    """Style and content distance of pictures whose codes are predicted, as the teacher sees it."""
    from selfieart.cli.console import progress
    from selfieart.evaluation import InstantEvaluation, evaluate_instant

    options = InstantEvaluation(pictures, tuple(photo), teacher, weights, count, held_out, gatys, side)
    with progress(quiet=as_json) as report:
        scores = evaluate_instant(options, report)
    _print_styles(scores, as_json)


@app.command()
def encoder(
    paintings: Annotated[Path, typer.Argument(help="Folder of paintings.")],
    photo: Photos,
    teacher: Teacher,
    weights: Annotated[Path | None, typer.Option("--weights", help="Other weights of the encoder.")] = None,
    count: Annotated[int, typer.Option("--count", min=1, help="How many paintings, evenly chosen.")] = 4,
    iterations: Annotated[int, typer.Option("--iterations", min=1, help="Of Gatys' method, at the finest size.")] = 60,
    side: Side = 384,
    sheet: Annotated[Path | None, typer.Option("--sheet", help="Write all results side by side (PNG).")] = None,
    as_json: Json = False,
) -> None:
    """Gatys' method with the perceptual encoder beside the same with the teacher, both judged by the teacher."""
    from selfieart.cli.console import print_json, progress
    from selfieart.evaluation import EncoderEvaluation, evaluate_encoder

    options = EncoderEvaluation(paintings, tuple(photo), teacher, weights, count, iterations, side)
    with progress(quiet=as_json) as report:
        scores = evaluate_encoder(options, report)
    if sheet:
        from selfieart.imaging import write_photo

        write_photo(sheet, scores.sheet, overwrite=True)
    if as_json:
        print_json(scores.to_json())
        return
    from selfieart.cli.evaluate_tables import show_encoder

    show_encoder(scores)


@app.command()
def similarity(
    content: Annotated[Path, typer.Argument(help="The photo.", metavar="CONTENT")],
    result: Annotated[Path, typer.Argument(help="What was made of it, at the same size.", metavar="RESULT")],
    mask: Annotated[
        Path | None, typer.Option("--mask", help="A grey picture of that size: white counts, black does not.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the result as JSON, for scripts.")] = False,
) -> None:
    """How much of a photo survives in a result: SSIM, FSIMc and GMSD."""
    from selfieart.cli.console import print_json
    from selfieart.evaluation import SimilarityEvaluation, evaluate_similarity

    scores = evaluate_similarity(SimilarityEvaluation(content, result, mask))
    if as_json:
        print_json(scores.to_json())
        return
    from selfieart.cli.evaluate_tables import show_similarity

    show_similarity(scores)


@app.command()
def video(
    clips: Annotated[list[Path], typer.Argument(help="Videos to paint and measure.", metavar="CLIP...")],
    style: Annotated[
        list[str] | None,
        typer.Option("--style", "-s", help="SEGMENT=STYLE, or STYLE for everything. Repeat it."),
    ] = None,
    look: Annotated[
        Path | None, typer.Option("--look", help="A look: a TOML file, or a PNG made by selfieart.")
    ] = None,
    steadiness: Annotated[
        float, typer.Option("--steadiness", help="0 to 1: how steady the steady mode is.")
    ] = STEADINESS,
    parse_every: Annotated[str, typer.Option("--parse-every", help="auto, or a number of frames.")] = "auto",
    start: Annotated[float, typer.Option("--start", min=0, help="Seconds of each clip that are left out.")] = 0.0,
    frames: Annotated[int, typer.Option("--frames", min=1, help="Frames of each clip that are measured.")] = 100,
    side: Annotated[int | None, typer.Option("--size", min=64, help="Reduce frames to this short side.")] = None,
    teacher: Annotated[
        Path | None,
        typer.Option("--teacher", help="Weights of the compact VGG-19 that judges the style (safetensors)."),
    ] = None,
    paintings: Annotated[
        Path | None, typer.Option("--paintings", help="Folder with the pictures of the presets, NAME.jpg each.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the result as JSON, for scripts.")] = False,
) -> None:
    """How steady painted videos are: warping error, stable masks, and how much of the style is left."""
    from selfieart.cli.console import plain_console, print_json
    from selfieart.cli.looks import painting_look
    from selfieart.evaluation import VideoEvaluation, evaluate_video

    painted = painting_look(style or [], {}, {}, look)
    every: Any = int(parse_every) if parse_every.strip().isdecimal() else parse_every.strip().lower()
    options = VideoEvaluation(tuple(clips), painted, steadiness, every, start, frames, side, teacher, paintings)
    with plain_console(stderr=True).status("Measuring") as status:
        scores = evaluate_video(options, lambda stage, done: status.update(stage))
    if as_json:
        print_json(scores.to_json())
        return
    from selfieart.cli.evaluate_tables import show_video

    show_video(scores)


Sheet = Annotated[Path, typer.Option("--sheet", help="Write all results side by side (PNG).")]
Overwrite = Annotated[bool, typer.Option("--overwrite", help="Replace the sheet if it exists.")]
Iterations = Annotated[
    int | None, typer.Option("--iterations", min=1, help="Of the methods that optimise, at the finest size.")
]


@app.command("portrait-aware")
def portrait_aware(
    photo: Photos,
    style: Annotated[list[Path], typer.Option("--style", help="A painting. Repeat it.")],
    side: Side = 384,
    iterations: Iterations = None,
    published: Annotated[
        bool, typer.Option("--published", help="The paper's settings: white noise, one size, 1000 iterations.")
    ] = False,
    sheet: Annotated[Path | None, typer.Option("--sheet", help="Write all results side by side (PNG).")] = None,
    overwrite: Overwrite = False,
    as_json: Json = False,
) -> None:
    """How much of a person survives portrait-aware transfer, Gatys and Gatys+: the paper's Table 1."""
    from selfieart.cli.console import print_json, progress

    _check_sheet(sheet, overwrite)
    from selfieart.evaluation import PortraitAwareEvaluation, evaluate_portrait_aware

    options = PortraitAwareEvaluation(tuple(photo), tuple(style), side, iterations, published)
    with progress(quiet=as_json) as report:
        scores = evaluate_portrait_aware(options, report)
    if sheet is not None:
        from selfieart.imaging import write_photo

        write_photo(sheet, scores.sheet(), overwrite=overwrite)
    if as_json:
        print_json(scores.to_json())
        return
    from selfieart.cli.evaluate_tables import show_portrait_aware

    show_portrait_aware(scores)


@app.command()
def methods(
    photo: Photos,
    style: Annotated[list[str], typer.Option("--style", help="A preset or a picture. Repeat it.")],
    sheet: Sheet,
    method: Annotated[
        list[str] | None, typer.Option("--method", help="instant or one that optimises; all when left out. Repeat it.")
    ] = None,
    side: Side = 384,
    iterations: Iterations = None,
    overwrite: Overwrite = False,
) -> None:
    """Paint photos in styles by several methods, side by side on one sheet."""
    from selfieart.cli.console import plain_console, progress

    _check_sheet(sheet, overwrite)
    from selfieart.evaluation import MethodsEvaluation, evaluate_methods
    from selfieart.imaging import write_photo

    options = MethodsEvaluation(tuple(photo), tuple(style), tuple(method or ()), side, iterations)
    with progress(quiet=False) as report:
        comparison = evaluate_methods(options, report)
    write_photo(sheet, comparison.sheet(), overwrite=overwrite)
    plain_console().print(f"The sheet is {sheet}", soft_wrap=True)


def _print_styles(scores: StyleScores, as_json: bool) -> None:
    if as_json:
        from selfieart.cli.console import print_json

        print_json(scores.to_json())
        return
    from selfieart.cli.evaluate_tables import show_styles

    show_styles(scores)


def _check_sheet(sheet: Path | None, overwrite: bool) -> None:
    """Refuse a sheet that cannot be written before any work."""
    from selfieart.cli.console import check_output

    if sheet is not None:
        check_output(sheet, None, overwrite)
