"""Commands and their options; each command's work lives in its own module, imported when it runs."""

from __future__ import annotations

import sys
from io import TextIOWrapper
from pathlib import Path
from typing import Annotated, Any

import typer

from selfieart import __version__
from selfieart.cli.evaluate import app as evaluate
from selfieart.cli.machine import Machine
from selfieart.cli.train import app as train
from selfieart.errors import Cancelled, SelfieartError
from selfieart.methods.registry import METHODS
from selfieart.parsing.choice import DEFAULT_PARSER
from selfieart.video.choice import STEADINESS

app = typer.Typer(
    name="selfieart",
    help="Turn a selfie or portrait into art, part by part.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)

app.add_typer(train, name="train")
app.add_typer(evaluate, name="evaluate")

Picture = Annotated[Path, typer.Argument(help="The photo: JPEG, PNG, WebP, TIFF or BMP.", metavar="PHOTO")]
Overwrite = Annotated[bool, typer.Option("--overwrite", help="Replace the output file if it exists.")]
Json = Annotated[bool, typer.Option("--json", help="Print the result as JSON, for scripts.")]
FacesOption = Annotated[
    str, typer.Option("--faces", help="Which faces take part: all, largest, or how many of the largest.")
]
Tau = Annotated[
    str | None, typer.Option("--tau", help="Softness of the masks: 1 soft, 3 usual, 10 sharp; inf or binary.")
]
Stroke = Annotated[
    str | None,
    typer.Option(
        "--stroke", help="Size of the strokes: small, medium, large, or the short side in pixels to paint at."
    ),
]
ParserName = Annotated[
    str,
    typer.Option(
        "--parser", help="Who finds the segments: unet; bisenet, faster; or segnet, which knows person and background."
    ),
]
DeviceOption = Annotated[
    str,
    typer.Option(
        "--device", envvar="SELFIEART_DEVICE", help="auto (the fastest that is installed), cpu or gpu: see doctor."
    ),
]
Threads = Annotated[
    int | None,
    typer.Option(
        "--threads", envvar="SELFIEART_THREADS", help="How many compute at once; all there are when left out."
    ),
]
Styles = Annotated[
    list[str] | None,
    typer.Option("--style", "-s", help="SEGMENT=STYLE, or STYLE for everything. Repeat it.", metavar="SEGMENT=STYLE"),
]
Strength = Annotated[list[str] | None, typer.Option("--strength", help="0 to 1, for all or as SEGMENT=0.5. Repeat it.")]
KeepColor = Annotated[
    list[str] | None, typer.Option("--keep-color", help="0 to 1, how much of the picture's colour stays. Repeat it.")
]
Feather = Annotated[
    list[str] | None, typer.Option("--feather", help="Soft borders, in percent of the short side. Repeat it.")
]
Blend = Annotated[
    str | None, typer.Option("--blend", help="pixels (best) or features (all styles in one pass, faster).")
]
FacesOfLook = Annotated[str | None, typer.Option("--faces", help="all, largest, or how many of the largest.")]
Seed = Annotated[int | None, typer.Option("--seed", help="Another seed gives other strokes.")]
SaveLook = Annotated[Path | None, typer.Option("--save-look", help="Also write the look as TOML.")]
LookFile = Annotated[Path | None, typer.Option("--look", help="A look: a TOML file, or a PNG made by selfieart.")]


@app.command()
def photo(
    picture: Picture,
    style: Styles = None,
    out: Annotated[Path | None, typer.Option("--out", "-o", help="Output; beside the photo when left out.")] = None,
    strength: Strength = None,
    keep_color: KeepColor = None,
    feather: Feather = None,
    tau: Tau = None,
    stroke: Stroke = None,
    blend: Blend = None,
    faces: FacesOfLook = None,
    seed: Seed = None,
    look: LookFile = None,
    save_look: SaveLook = None,
    method: Annotated[
        str, typer.Option("--method", help=f"instant (usual), or slower: {', '.join(METHODS)}.")
    ] = "instant",
    features: Annotated[
        str, typer.Option("--features", help="What slower methods compare by: compact, or vgg19 with --weights.")
    ] = "compact",
    weights: Annotated[Path | None, typer.Option("--weights", help="Your file of torchvision's VGG-19.")] = None,
    iterations: Annotated[
        int | None, typer.Option("--iterations", min=1, help="Of slower methods, at the finest size.")
    ] = None,
    guidance: Annotated[
        str | None,
        typer.Option(
            "--guidance",
            help="For semantic, what is painted like what: parser (hair like hair ...), clusters (parts that any two "
            "pictures have in common), none; auto (usual) is parser where both show a face, else clusters.",
        ),
    ] = None,
    content_map: Annotated[
        Path | None,
        typer.Option("--content-map", help="For semantic: a PNG of your own, one flat colour per region of the photo."),
    ] = None,
    style_map: Annotated[
        list[str] | None,
        typer.Option(
            "--style-map",
            help="The same colours on the style's picture. With several, repeat it as PICTURE=PNG.",
            metavar="[PICTURE=]PNG",
        ),
    ] = None,
    gamma: Annotated[
        float | None,
        typer.Option("--gamma", help="For semantic: 0 ignores what parts are, 20 is usual, 80 sees nothing else."),
    ] = None,
    masks: Annotated[
        int | None,
        typer.Option(
            "--masks", help="For semantic: how many kinds of parts guide it; 5 of the parser's or 2 clusters."
        ),
    ] = None,
    parser: ParserName = DEFAULT_PARSER,
    device: DeviceOption = "auto",
    threads: Threads = None,
    overwrite: Overwrite = False,
    as_json: Json = False,
) -> None:
    """Stylise a photo: a style for each segment you name.

    selfieart photo me.jpg --style hair=starry-night --style background=wave -o out.png
    """
    from selfieart.cli.photo import MethodRequest, run

    options = {"tau": tau, "stroke": stroke, "blend": blend, "faces": faces, "seed": seed}
    knobs = {"strength": strength or [], "keep_color": keep_color or [], "feather": feather or []}
    slow = MethodRequest(method, features, weights, iterations, gamma, masks, guidance, content_map, style_map)
    machine = Machine(device, threads)
    run(picture, out, style or [], knobs, options, slow, look, save_look, parser, machine, overwrite, as_json)


@app.command()
def video(
    clip: Annotated[Path, typer.Argument(help="The video: MP4, MOV, WebM, MKV, GIF ...", metavar="VIDEO")],
    style: Styles = None,
    out: Annotated[
        Path | None,
        typer.Option("--out", "-o", help="Output: .mp4, .mov, .mkv, .webm or .gif; beside the video when left out."),
    ] = None,
    strength: Strength = None,
    keep_color: KeepColor = None,
    feather: Feather = None,
    tau: Tau = None,
    stroke: Stroke = None,
    blend: Blend = None,
    faces: FacesOfLook = None,
    seed: Seed = None,
    look: LookFile = None,
    steadiness: Annotated[
        float, typer.Option("--steadiness", help="0 paints every frame for itself, 1 flickers least.")
    ] = STEADINESS,
    parse_every: Annotated[
        str, typer.Option("--parse-every", help="auto, or N: find the segments on every Nth frame.")
    ] = "auto",
    parser: ParserName = DEFAULT_PARSER,
    start: Annotated[str | None, typer.Option("--start", help="Begin there: seconds, or 1:30.")] = None,
    end: Annotated[str | None, typer.Option("--end", help="Stop there: seconds, or 1:30.")] = None,
    size: Annotated[int | None, typer.Option("--size", help="Reduce the short side to this many pixels.")] = None,
    codec: Annotated[str | None, typer.Option("--codec", help="h264 (usual), h265, vp9, av1 or ffv1.")] = None,
    crf: Annotated[int | None, typer.Option("--crf", help="Quality: 0 is best; 18 is usual for h264.")] = None,
    preview: Annotated[
        Path | None, typer.Option("--preview", help="Also write a picture of frames before and after.")
    ] = None,
    save_look: SaveLook = None,
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on where a killed run stopped; keep what is done if this one is.")
    ] = False,
    device: DeviceOption = "auto",
    threads: Threads = None,
    overwrite: Overwrite = False,
    as_json: Json = False,
) -> None:
    """Stylise a video: a style for each segment you name; what wears none stays as it was filmed.

    selfieart video me.mp4 --style person=candy --style background=wave -o out.mp4
    """
    from selfieart.cli.video import run

    options = {"tau": tau, "stroke": stroke, "blend": blend, "faces": faces, "seed": seed}
    knobs = {"strength": strength or [], "keep_color": keep_color or [], "feather": feather or []}
    reading = {"start": start, "end": end, "size": size, "codec": codec, "crf": crf}
    run(
        clip,
        out,
        style or [],
        knobs,
        options,
        look,
        reading,
        steadiness,
        parse_every,
        parser,
        Machine(device, threads),
        preview,
        save_look,
        overwrite,
        resume,
        as_json,
    )


@app.command()
def parse(
    picture: Picture,
    out: Annotated[Path | None, typer.Option("--out", "-o", help="Write a labelled overlay with legend.")] = None,
    labels: Annotated[
        Path | None, typer.Option("--labels", help="Write the 8-bit class map at photo size (PNG).")
    ] = None,
    faces: FacesOption = "all",
    parser: ParserName = DEFAULT_PARSER,
    device: DeviceOption = "auto",
    threads: Threads = None,
    overwrite: Overwrite = False,
    as_json: Json = False,
) -> None:
    """Find the segments of a photo: hair, skin, eyes, lips, clothes, background ..."""
    from selfieart.cli.parse import run

    run(picture, out, labels, faces, parser, Machine(device, threads), overwrite, as_json)


@app.command()
def styles(
    sheet: Annotated[
        Path | None, typer.Option("--sheet", help="Write a sheet with a thumbnail of every style.")
    ] = None,
    overwrite: Overwrite = False,
    as_json: Json = False,
) -> None:
    """List the styles, with the paintings behind them."""
    from selfieart.cli.listing import styles as run

    run(sheet, overwrite, as_json)


@app.command()
def segments(as_json: Json = False) -> None:
    """List the segments and groups that a style can be given to."""
    from selfieart.cli.listing import segments as run

    run(as_json)


@app.command()
def models(as_json: Json = False) -> None:
    """List the packaged models: what they are, their terms, and how good they measured."""
    from selfieart.cli.listing import models as run

    run(as_json)


@app.command()
def doctor(device: DeviceOption = "auto", threads: Threads = None, as_json: Json = False) -> None:
    """Say what runs where: runtimes, devices, threads, extras, and whether every model is whole and answers."""
    from selfieart.cli.doctor import run

    run(Machine(device, threads), as_json)


@app.command()
def gallery(
    picture: Picture,
    rows: Annotated[str, typer.Option("--rows", help="Styles of the rows, with commas between.")],
    columns: Annotated[str, typer.Option("--columns", help="Styles of the columns, with commas between.")],
    out: Annotated[Path | None, typer.Option("--out", "-o", help="Output; beside the photo when left out.")] = None,
    row_segment: Annotated[str, typer.Option("--row-segment", help="What wears the row's style.")] = "person",
    column_segment: Annotated[
        str, typer.Option("--column-segment", help="What wears the column's style.")
    ] = "background",
    tau: Tau = None,
    stroke: Stroke = None,
    look: LookFile = None,
    device: DeviceOption = "auto",
    threads: Threads = None,
    overwrite: Overwrite = False,
    as_json: Json = False,
) -> None:
    """Every pair of two lists of styles on one portrait, on one sheet."""
    from selfieart.cli.gallery import run

    run(
        picture,
        rows,
        columns,
        out,
        row_segment,
        column_segment,
        {"tau": tau, "stroke": stroke},
        look,
        Machine(device, threads),
        overwrite,
        as_json,
    )


@app.command()
def demo(
    out: Annotated[Path, typer.Option("--out", "-o", help="Output.")] = Path("selfieart-demo.png"),
    device: DeviceOption = "auto",
    threads: Threads = None,
    overwrite: Overwrite = False,
    as_json: Json = False,
) -> None:
    """Make a first artwork from the packaged portrait."""
    from selfieart.cli.photo import demo as run

    run(out, Machine(device, threads), overwrite, as_json)


@app.command(name="app")
def serve_app(
    port: Annotated[
        int | None, typer.Option("--port", help="Port; 7860 or the next free one when left out.", show_default=False)
    ] = None,
    host: Annotated[
        str, typer.Option("--host", help="Address to listen on; one that others can reach needs the printed token.")
    ] = "127.0.0.1",
    no_open: Annotated[bool, typer.Option("--no-open", help="Do not open the browser.")] = False,
    device: DeviceOption = "auto",
    threads: Threads = None,
) -> None:
    """Open the app: a page in the browser, served from this computer by this computer."""
    from selfieart.cli.app import run

    run(port, host, not no_open, Machine(device, threads))


def _version(show: bool) -> None:
    if show:
        typer.echo(f"selfieart {__version__}")
        raise typer.Exit


@app.callback()
def _root(
    show_version: Annotated[
        bool, typer.Option("--version", help="Print the version and exit.", callback=_version, is_eager=True)
    ] = False,
) -> None:
    pass


def main(arguments: list[str] | None = None) -> Any:
    """Run the command line.

    Exit codes: 0 done, 2 what was asked for cannot be done (one sentence on stderr), 130 interrupted.
    """
    if isinstance(sys.stdout, TextIOWrapper) and sys.stdout.errors == "strict":
        # A name that the terminal or the file behind a pipe has no letters for must not end the command.
        sys.stdout.reconfigure(errors="backslashreplace")
    try:
        app(arguments)
    except Cancelled:
        sys.exit(130)
    except SelfieartError as error:
        typer.echo(f"Error: {error}", err=True)
        sys.exit(2)
