"""``selfieart evaluate video``."""

from __future__ import annotations

from fractions import Fraction
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from selfieart.cli.console import plain_console, print_json
from selfieart.cli.photo import look_from
from selfieart.errors import LookError, SelfieartError
from selfieart.look import Look
from selfieart.styles.resolve import resolve_style

if TYPE_CHECKING:
    from selfieart.evaluation.video import Judge

_COLUMNS = {
    "e_warp": "E_warp",
    "excess": "above the input",
    "mask_miou": "masks, mIoU",
    "high_pass": "detail",
    "style_distance": "style distance",
    "frames_per_second": "frames/s",
}
_RATIOS = {
    "excess_ratio": "E_warp above the input's",
    "high_pass_ratio": "detail (a stand-in for the style's strength that needs no teacher)",
    "style_distance_ratio": "style distance",
}
_DIGITS = {"e_warp": 5, "excess": 5, "frames_per_second": 2}


def run(
    clips: list[Path],
    style: list[str],
    look_file: Path | None,
    steadiness: float,
    parse_every: str,
    start: float,
    frames: int,
    side: int | None,
    teacher: Path | None,
    paintings: Path | None,
    as_json: bool,
) -> None:
    """Measure how steady painted clips are, beside painting them frame by frame."""
    look = look_from(style, {}, {}, Look.load(look_file) if look_file else Look())
    if not look.segments:
        raise LookError(
            "Nothing to paint: give --style SEGMENT=STYLE (or --look FILE), for example --style hair=candy."
        )
    if (teacher is None) != (paintings is None):
        raise SelfieartError("A teacher measures the distance from paintings: give both --teacher and --paintings.")
    judge = None if teacher is None or paintings is None else _judge(look, teacher, paintings)

    from selfieart.evaluation.video import evaluate_clip
    from selfieart.render.studio import Studio
    from selfieart.video.io.reading import read_frames
    from selfieart.video.painter import VideoPainter

    studio, rows = Studio(), {}
    for clip in clips:
        painters = {
            "frame by frame": VideoPainter(studio, look, 0, 1),
            "steady": VideoPainter(studio, look, steadiness, _parse_every(parse_every)),
        }
        read = read_frames(clip, Fraction(start).limit_denominator(1000) if start else None, None, side)
        with plain_console(stderr=True).status(f"Measuring {clip.name}"):
            rows[str(clip)] = evaluate_clip(islice(read, frames), painters, judge)
    if as_json:
        print_json({"look": look.to_toml(), "steadiness": steadiness, "clips": rows})
        return
    for title, found in rows.items():
        _show(title, found)


def _parse_every(text: str) -> Any:
    return int(text) if text.strip().isdecimal() else text.strip().lower()


def _judge(look: Look, teacher: Path, paintings: Path) -> Judge:
    """The mean distance of a frame's style from the paintings of the look, as the teacher sees it."""
    resolved = [resolve_style(worn.style) for worn in look.segments.values()]
    files = {style.name: paintings / f"{style.name}.jpg" for style in resolved if style.kind == "preset"}
    files |= {style.name: Path(style.name) for style in resolved if style.kind == "picture"}
    if not files:
        raise SelfieartError("The look wears no painting, so there is no style to measure: leave out --teacher.")
    for path in (teacher, *files.values()):
        if not path.is_file():
            raise SelfieartError(f"{path} does not exist: give a file.")

    import torch

    from selfieart.imaging import read_photo
    from selfieart.metrics.distances import style_distance
    from selfieart.networks.tensors import as_tensor
    from selfieart.training.teacher import EXPANSIONS, load_teacher
    from selfieart.video.flow import Pixels, reduced

    network = load_teacher(teacher)
    layers = [f"vgg{name}" for name in EXPANSIONS]

    def features(pixels: Pixels) -> dict[str, torch.Tensor]:
        with torch.inference_mode():
            return network(as_tensor(reduced(pixels, 384))[None], expand=True)  # type: ignore[no-any-return]

    wanted = [features(read_photo(path).pixels) for path in files.values()]

    def judge(pixels: Pixels) -> float:
        seen = features(pixels)
        return sum(style_distance(seen, style, layers) for style in wanted) / len(wanted)

    return judge


def _show(title: str, rows: dict[str, dict[str, float]]) -> None:
    from rich.table import Table

    console = plain_console()
    columns = {key: name for key, name in _COLUMNS.items() if any(key in row for row in rows.values())}
    table = Table("", *columns.values(), title=title, title_justify="left")
    for name, row in rows.items():
        table.add_row(name, *(f"{row[key]:.{_DIGITS.get(key, 4)}f}" if key in row else "" for key in columns))
    console.print(table)
    steady = rows["steady"]
    for key, what in _RATIOS.items():
        if key in steady:
            console.print(f"Steady over frame by frame, {what}: {steady[key]:.2f}", soft_wrap=True)
