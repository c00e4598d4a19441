"""``selfieart parse``."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from rich.table import Table

from selfieart.cli.console import check_output, plain_console, print_json, progress
from selfieart.cli.machine import Machine
from selfieart.errors import ImageError
from selfieart.look_schema import LOOK_OPTIONS
from selfieart.segments import SEGMENTS


def run(
    picture: Path,
    out: Path | None,
    labels: Path | None,
    faces: str,
    parser: str,
    machine: Machine,
    overwrite: bool,
    as_json: bool,
) -> None:
    """Parse one photo, write what was asked for, and report the segments and faces found."""
    from selfieart.parsing.registry import check_parser

    check_parser(parser)
    wanted = LOOK_OPTIONS["faces"].checked(LOOK_OPTIONS["faces"].from_text(faces))
    for target in (out, labels):
        if target is not None:
            check_output(target, picture, overwrite)
    if labels is not None and labels.suffix.lower() != ".png":
        raise ImageError(f"The class map must be a PNG, because other formats may change its values: {labels} is none.")
    if out is not None and labels is not None and out.resolve() == labels.resolve():
        raise ImageError(f"The overlay and the class map are both {out}: give them different names.")
    with progress(quiet=as_json) as report:
        report("load", 0.0)
        portrait = machine.studio(parser).open(picture)
        report("parse", 0.0)
        parsing = portrait.parsing(wanted)
        classes = parsing.labels(portrait.photo.pixels)
        report("parse", 1.0)
    if out is not None:
        from selfieart.imaging import write_photo
        from selfieart.sheets.sheet import with_legend

        write_photo(out, with_legend(portrait.photo.pixels, classes), overwrite=overwrite)
    if labels is not None:
        write_labels(labels, classes, overwrite)
    counts = np.bincount(classes.ravel(), minlength=len(SEGMENTS))
    found = [
        {"segment": segment.name, "class": index, "pixels": int(counts[index]), "share": counts[index] / classes.size}
        for index, segment in enumerate(SEGMENTS)
        if counts[index]
    ]
    boxes = [
        {"x": round(f.x, 1), "y": round(f.y, 1), "side": round(f.side, 1), "angle": round(f.angle, 1)}
        for f in parsing.faces
    ]
    if as_json:
        size = {"width": portrait.photo.width, "height": portrait.photo.height}
        outputs = {"overlay": out and str(out), "labels": labels and str(labels)}
        print_json({**size, "faces": boxes, "segments": found, **outputs})
        return
    console = plain_console()
    table = Table("segment", "class", "share")
    for row in sorted(found, key=lambda r: -float(r["share"])):
        share = 100 * float(row["share"])
        table.add_row(str(row["segment"]), str(row["class"]), f"{share:.1f}%" if share >= 0.1 else "<0.1%")
    console.print(table)
    console.print(f"{len(boxes)} face{'' if len(boxes) == 1 else 's'} found.")
    for target in (out, labels):
        if target is not None:
            console.print(f"Wrote {target}", soft_wrap=True)


def write_labels(path: Path, classes: np.ndarray, overwrite: bool) -> None:
    """Write a class map (H, W) uint8 as an 8-bit grey PNG whose values are the classes."""
    from PIL import Image

    from selfieart.paths import atomic_write

    with atomic_write(path, overwrite) as temporary:
        Image.fromarray(classes).save(temporary, format="PNG")
