"""``selfieart styles``, ``selfieart segments`` and ``selfieart models``."""

from __future__ import annotations

import dataclasses
from pathlib import Path

from rich.table import Table

from selfieart.cli.console import check_output, plain_console, print_json
from selfieart.look import PLAIN_STYLES
from selfieart.segments import GROUPS, NAMES
from selfieart.styles.presets import presets
from selfieart.weights import manifest


def styles(sheet_file: Path | None, overwrite: bool, as_json: bool) -> None:
    """List the presets and the plain styles; write the sheet of thumbnails if asked."""
    if sheet_file is not None:
        check_output(sheet_file, None, overwrite)
        from selfieart.imaging import write_photo
        from selfieart.sheets.gallery import swatch
        from selfieart.sheets.sheet import sheet

        cells = [(swatch(name), name) for name in presets()]
        write_photo(sheet_file, sheet(cells, 7, 224, 224, "selfieart: preset styles"), overwrite=overwrite)
    if as_json:
        rows = [{"name": p.name, "title": p.title, "artist": p.artist, "year": p.year} for p in presets().values()]
        print_json({"presets": rows, "plain": [*PLAIN_STYLES, "#rrggbb"], "sheet": sheet_file and str(sheet_file)})
        return
    console = plain_console()
    table = Table("style", "picture", "artist", "year")
    for p in presets().values():
        table.add_row(p.name, p.title, p.artist, p.year or "")
    console.print(table)
    console.print(f"Also: {', '.join(PLAIN_STYLES)}, any colour as #rrggbb, and any picture by the name of its file.")
    console.print("Presets and pictures can be mixed: candy:0.6+wave:0.4.")
    if sheet_file is not None:
        console.print(f"The sheet is {sheet_file}", soft_wrap=True)


def segments(as_json: bool) -> None:
    """List the segments and groups."""
    groups = {name: [NAMES[index] for index in sorted(members)] for name, members in GROUPS.items()}
    if as_json:
        print_json({"segments": list(NAMES), "groups": groups})
        return
    console = plain_console()
    table = Table("name", "what it covers")
    for name in NAMES:
        table.add_row(name, "")
    for name, covered in groups.items():
        table.add_row(
            name,
            ", ".join(covered) if len(covered) < 17 else {19: "all of them"}.get(len(covered), "all but background"),
        )
    console.print(table)
    console.print("Left and right are the person's own. Where names overlap, the more specific one wins.")


def models(as_json: bool) -> None:
    """List the packaged weights."""
    if as_json:
        print_json([dataclasses.asdict(entry) for entry in manifest().values()])
        return
    console = plain_console()
    for entry in manifest().values():
        table = Table(title=entry.name, title_justify="left", show_header=False)
        rows = {
            "file": f"{entry.file}, {entry.bytes / 1e6:.1f} MB, {entry.parameters:,} parameters",
            "network": entry.architecture,
            "licence": entry.licence,
            "data": "\n".join(entry.data),
            "training": entry.training,
            "measured": "\n".join(f"{key}: {value}" for key, value in entry.metrics.items()),
            "sha256": entry.sha256,
        }
        for key, value in rows.items():
            table.add_row(key, value)
        console.print(table)
