"""``selfieart gallery``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from selfieart.cli.console import beside, check_output, plain_console, print_json, progress
from selfieart.cli.looks import look_from
from selfieart.cli.machine import Machine
from selfieart.errors import LookError
from selfieart.look import Look
from selfieart.segments import canonical
from selfieart.styles.resolve import resolve_style


def run(
    picture: Path,
    rows: str,
    columns: str,
    out: Path | None,
    row_segment: str,
    column_segment: str,
    options: dict[str, Any],
    look_file: Path | None,
    machine: Machine,
    overwrite: bool,
    as_json: bool,
) -> None:
    """Paint every pair of styles on one portrait and write the sheet."""
    row_styles, column_styles = _names(rows, "--rows"), _names(columns, "--columns")
    for style in (*row_styles, *column_styles):
        resolve_style(style)
    if canonical(row_segment) == canonical(column_segment):
        raise LookError(f"Rows and columns both dress '{row_segment}': give them different segments.")
    look = look_from([], {}, options, Look.load(look_file) if look_file else Look())
    target = out or beside(picture, "gallery")
    check_output(target, picture, overwrite)
    with progress(quiet=as_json) as report:
        report("load", 0.0)
        from selfieart.imaging import write_photo
        from selfieart.sheets.gallery import gallery

        portrait = machine.studio().open(picture)
        page = gallery(portrait, row_styles, column_styles, row_segment, column_segment, look, report)
        write_photo(target, page, overwrite=overwrite)
    if as_json:
        print_json({"output": str(target), "rows": row_styles, "columns": column_styles})
    else:
        plain_console().print(f"The gallery is {target}", soft_wrap=True)


def _names(text: str, option: str) -> list[str]:
    names = [name.strip() for name in text.split(",") if name.strip()]
    if not names:
        raise LookError(f"{option} is empty: give styles with commas between, for example candy,wave.")
    return names
