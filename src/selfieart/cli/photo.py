"""``selfieart photo`` and ``selfieart demo``."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Any

from selfieart.cli.console import beside, check_output, plain_console, print_json, print_notes, progress, timing
from selfieart.cli.looks import described, painting_look
from selfieart.cli.machine import Machine
from selfieart.errors import LookError, unknown
from selfieart.look import Look, SegmentLook
from selfieart.parsing.choice import DEFAULT_PARSER
from selfieart.styles.resolve import resolve_style

if TYPE_CHECKING:
    from selfieart.render.portrait import Portrait
    from selfieart.render.renderer import Repaint

DEMO = Look(
    {
        "hair": SegmentLook("starry-night"),
        "face": SegmentLook("candy", strength=0.7, keep_color=0.5),
        "clothes": SegmentLook("la-muse"),
        "background": SegmentLook("rain-princess"),
    }
)


@dataclass(frozen=True)
class MethodRequest:
    """A method and what was asked of it on the command line; None is what was not.

    Attributes:
        method: "instant", or the name of a method that optimises.
        features, weights: what such a method compares by, and the file of VGG-19's weights.
        iterations: of such a method, at the finest size.
        gamma, masks, guidance, content_map, style_map: of the semantic method.
    """

    method: str = "instant"
    features: str = "compact"
    weights: Path | None = None
    iterations: int | None = None
    gamma: float | None = None
    masks: int | None = None
    guidance: str | None = None
    content_map: Path | None = None
    style_map: list[str] | None = None

    def semantic_settings(self) -> dict[str, object]:
        """What was asked of the semantic method alone."""
        named = {
            "gamma": self.gamma,
            "masks": self.masks,
            "guidance": self.guidance,
            "content_map": self.content_map,
            "style_map": self.style_map or None,
        }
        return {name: value for name, value in named.items() if value is not None}


def run(
    picture: Path,
    out: Path | None,
    style: list[str],
    knobs: dict[str, list[str]],
    options: dict[str, Any],
    slow: MethodRequest,
    look_file: Path | None,
    save_look: Path | None,
    parser: str,
    machine: Machine,
    overwrite: bool,
    as_json: bool,
) -> None:
    """Stylise one photo as the options say, write it, and report."""
    look = painting_look(style, knobs, options, look_file)
    from selfieart.parsing.registry import check_parser

    check_parser(parser)
    target = out or beside(picture, "art")
    check_output(target, picture, overwrite)
    if save_look:
        from selfieart.paths import check_target

        for other, what in ((picture, "the photo itself"), (target, "the output picture")):
            if save_look.resolve() == other.resolve():
                raise LookError(f"--save-look {save_look} is {what}: give them different names.")
        check_target(save_look, overwrite)
    prepare = _slow_method(slow, look)
    _paint(picture, target, look, overwrite, as_json, machine, prepare, parser)
    if save_look:
        look.save(save_look, overwrite)


def demo(out: Path, machine: Machine, overwrite: bool, as_json: bool) -> None:
    """Paint the packaged portrait and say what was done."""
    check_output(out, None, overwrite)
    with ExitStack() as stack:
        path = stack.enter_context(resources.as_file(resources.files("selfieart").joinpath("data", "astronaut.jpg")))
        _paint(path, out, DEMO, overwrite, as_json, machine)


def _slow_method(slow: MethodRequest, look: Look) -> Callable[[Portrait], Repaint] | None:
    """What makes a portrait's painter of a method that optimises; wrong options are refused before any work.

    None for the instant method.

    Raises:
        SelfieartError: there is no such method, its options are wrong, or the look paints nothing.
    """
    semantic = slow.semantic_settings()
    if slow.method != "semantic" and semantic:
        flag = "--" + next(iter(semantic)).replace("_", "-")
        raise LookError(f"{flag} is for one method only: add --method semantic.")
    if slow.method == "instant":
        return None
    from selfieart.methods.registry import METHODS, features_encoder, load_method, options_from

    if slow.method not in METHODS:
        raise unknown("method", slow.method, ["instant", *METHODS])
    if not any(resolve_style(worn.style).painted for worn in look.segments.values()):
        raise LookError(f"--method {slow.method} has nothing to paint: give a segment a preset or a picture.")
    settings = {"side": look.stroke_side(), "seed": look.seed, "iterations": slow.iterations, **semantic}
    options = options_from(slow.method, settings)
    method = load_method(slow.method, features_encoder(slow.features, slow.weights))
    # After what the methods need was found to be there.
    from selfieart.methods.repaint import repaint_with

    return lambda portrait: repaint_with(method, options, portrait, look)


def _paint(
    picture: Path,
    target: Path,
    look: Look,
    overwrite: bool,
    as_json: bool,
    machine: Machine,
    prepare: Callable[[Portrait], Repaint] | None = None,
    parser: str = DEFAULT_PARSER,
) -> None:
    start = time.perf_counter()
    with progress(quiet=as_json) as report:
        report("load", 0.0)
        studio = machine.studio(parser)
        loaded = time.perf_counter()
        portrait = studio.open(picture)
        opened = time.perf_counter()
        art = portrait.render(look, report, prepare(portrait) if prepare else None)
    rendered = time.perf_counter()
    art.save(target, overwrite)
    end = time.perf_counter()
    seconds = {"load": loaded - start, "read": opened - loaded, **art.seconds, "write": end - rendered}
    if as_json:
        print_json(
            {
                "output": str(target),
                "width": art.photo.width,
                "height": art.photo.height,
                "look": look.to_toml(),
                "seconds": {stage: round(value, 4) for stage, value in seconds.items()},
                "notes": list(art.notes),
            }
        )
        return
    console = plain_console()
    print_notes(art.notes)
    size = f"{art.photo.width}x{art.photo.height}"
    console.print(f"Painted {picture.name} ({size}): {described(look)}.", soft_wrap=True)
    console.print(f"{timing(seconds)}; {end - start:.2f} s in all.", soft_wrap=True)
    console.print(f"The picture is {target}", soft_wrap=True)
