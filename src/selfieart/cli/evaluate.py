"""``selfieart evaluate``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from selfieart.parsing.choice import DEFAULT_PARSER

if TYPE_CHECKING:
    from rich.console import Console

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
    from selfieart.cli.console import plain_console, print_json, progress
    from selfieart.errors import unknown
    from selfieart.evaluation.parsing import (
        OnePass,
        Whole,
        evaluate_parsing,
        held_out_names,
        network,
        pairs_in,
        read_pairs,
    )  # fmt: skip
    from selfieart.training.parser import PaintedCopies

    kinds = ("classes", "person", "parts")
    if kind not in kinds:
        raise unknown("kind of labels", kind, kinds)
    samples = read_pairs(pairs_in(images, labels, held_out_names() if held_out else None), kind)
    chosen, net = network(parser, weights)
    if painted:
        copies = PaintedCopies(samples, 0)
        samples = [copies[place] for place in range(len(samples))]
    with progress(quiet=as_json) as report:
        scores = evaluate_parsing(Whole(chosen) if side is None else OnePass(net, side), samples, report)
    if as_json:
        print_json(scores)
        return
    _print_scores(plain_console(), scores)


def _print_scores(console: Console, scores: dict[str, Any]) -> None:
    from rich.table import Table

    if "iou" in scores:
        table = Table("segment", "IoU", "F1")
        for name, value in scores["iou"].items():
            f1 = scores["f1"][name]
            table.add_row(name, *("absent" if v is None else f"{v:.3f}" for v in (value, f1)))
        table.add_row("mean", f"{scores['mean_iou']:.3f}", f"{scores['mean_f1']:.3f}")
        console.print(table)
    for name in ("pixel_accuracy", "person_iou", "allowed"):
        if name in scores:
            console.print(f"{name}: {scores[name]:.4f}")


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
    from selfieart.styles.presets import presets as catalogue

    _judge_styles(
        {name: paintings / f"{name}.jpg" for name in catalogue()}, photo, teacher, weights, gatys, side, as_json
    )


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
    from selfieart.evaluation.style_transfer import paintings_in
    from selfieart.training.labelled import held_out_names

    styles = paintings_in(pictures, held_out_names() if held_out else None, count)
    _judge_styles(styles, photo, teacher, weights, gatys, side, as_json)


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
    from selfieart.cli.console import plain_console, print_json, progress
    from selfieart.errors import SelfieartError
    from selfieart.evaluation.style_transfer import Judge, compare_encoders, paintings_in
    from selfieart.imaging import write_photo
    from selfieart.networks.encoder import Encoder
    from selfieart.networks.packaged import load_encoder
    from selfieart.training.loop import load_start

    for path in (teacher, *photo, *([weights] if weights else [])):
        if not path.is_file():
            raise SelfieartError(f"{path} does not exist: give a file.")
    judged = load_encoder() if weights is None else Encoder().requires_grad_(False).eval()
    if weights is not None:
        load_start(judged, weights)
    styles = paintings_in(paintings, None, count)
    with progress(quiet=as_json) as report:
        scores, picture = compare_encoders(Judge(teacher, photo, side), judged, styles, iterations, report)
    if sheet:
        write_photo(sheet, picture, overwrite=True)
    means = {name: rows["mean"] for name, rows in scores.items()}
    ratio = means["encoder"]["style"] / means["teacher"]["style"]
    if as_json:
        print_json({**scores, "ratio": ratio})
        return
    console = plain_console()
    for name, mean in means.items():
        console.print(f"{name}: style distance {mean['style']:.4f}, content distance {mean['content']:.4f}")
    console.print(f"ratio of the style distances: {ratio:.2f}")


def _judge_styles(
    styles: dict[str, Path],
    photo: list[Path],
    teacher: Path,
    weights: Path | None,
    gatys: int,
    side: int,
    as_json: bool,
) -> None:
    from rich.table import Table

    from selfieart.cli.console import plain_console, print_json, progress
    from selfieart.errors import SelfieartError
    from selfieart.evaluation.style_transfer import Judge, optimised_by, painted_by
    from selfieart.styles.presets import load_presets, load_presets_from

    for path in (teacher, *photo, *styles.values(), *([weights] if weights else [])):
        if not path.is_file():
            raise SelfieartError(f"{path} does not exist: give a file.")
    judge = Judge(teacher, photo, side)
    stylizer = load_presets() if weights is None else load_presets_from(weights)
    with progress(quiet=as_json) as report:
        results = {"feed-forward": judge.scores(styles, painted_by(stylizer, styles), report)}
        if gatys:
            results["gatys"] = judge.scores(styles, optimised_by(judge.encoder, gatys, side), report)
    if as_json:
        print_json(results if gatys else results["feed-forward"])
        return
    table = Table("style", *(f"{method}: {kind}" for method in results for kind in ("style", "content")))
    for name in results["feed-forward"]:
        cells = [f"{rows[name][kind]:.4f}" for rows in results.values() for kind in ("style", "content")]
        table.add_row(name, *cells)
    plain_console().print(table)


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
    from rich.table import Table

    from selfieart.cli.console import plain_console, print_json
    from selfieart.imaging import read_photo
    from selfieart.metrics.similarity import fsimc, gmsd, ssim
    from selfieart.networks.tensors import as_tensor

    x, y = (as_tensor(read_photo(path).pixels) for path in (content, result))
    weight = None if mask is None else as_tensor(read_photo(mask).pixels).mean(0)
    values = {"ssim": ssim(x, y, weight), "fsimc": fsimc(x, y, weight), "gmsd": gmsd(x, y, weight)}
    scores = {name: float(value) for name, value in values.items()}
    if as_json:
        print_json({"content": content, "result": result, "mask": mask, **scores})
        return
    table = Table("measure", "value", "of equal pictures")
    for name, label, best in (("ssim", "SSIM", "1"), ("fsimc", "FSIMc", "1"), ("gmsd", "GMSD", "0")):
        table.add_row(label, f"{scores[name]:.4f}", best)
    plain_console().print(table)


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
    steadiness: Annotated[float, typer.Option("--steadiness", help="0 to 1: how steady the steady mode is.")] = 0.85,
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
    from selfieart.cli.evaluate_video import run

    run(clips, style or [], look, steadiness, parse_every, start, frames, side, teacher, paintings, as_json)


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
    from selfieart.cli.evaluate_methods import portrait_aware as run

    run(photo, style, side, iterations, published, sheet, overwrite, as_json)


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
    from selfieart.cli.evaluate_methods import methods as run

    run(photo, style, method or [], side, iterations, sheet, overwrite)
