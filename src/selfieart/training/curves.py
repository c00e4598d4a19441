"""Learning curves: the CSV of a run as a picture."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path

from selfieart.errors import SelfieartError
from selfieart.paths import atomic_write


def read_columns(table: Path) -> dict[str, list[float]]:
    """Columns of a run's CSV by name; empty cells are left out (so columns may differ in length)."""
    if not table.exists():
        return {}
    columns: dict[str, list[float]] = {}
    with table.open(newline="") as file:
        for row in csv.DictReader(file):
            for name, cell in row.items():
                columns.setdefault(name, [])
                if cell:
                    columns[name].append(float(cell))
                    if name != "step":
                        columns.setdefault(f"{name} at", []).append(float(row["step"]))
    return columns


def draw_curves(columns: dict[str, list[float]], parts: Sequence[str], measures: Sequence[str], out: Path) -> None:
    """Draw losses (logarithmic) and held-out measures over the steps.

    Args:
        columns: from :func:`read_columns`.
        parts: names of the losses.
        measures: names of the held-out measures.
        out: PNG to write.

    Raises:
        SelfieartError: Matplotlib is not installed.
    """
    try:
        from matplotlib.figure import Figure
    except ImportError as error:
        raise SelfieartError("Training draws its curves with Matplotlib: pip install 'selfieart[train]'.") from error
    shown = [name for name in measures if columns.get(name)]
    figure = Figure(figsize=(6.4 * (1 + bool(shown)), 4.2), layout="constrained")
    panels = figure.subplots(1, 1 + bool(shown), squeeze=False)[0]
    for name in parts:
        if values := columns.get(name):
            panels[0].plot(columns[f"{name} at"], values, label=name, linewidth=1.2)
    if any(value > 0 for name in parts for value in columns.get(name, ())):
        panels[0].set_yscale("log")
    panels[0].set_title("loss")
    for name in shown:
        panels[1].plot(columns[f"{name} at"], columns[name], marker="o", markersize=3, label=name)
    if shown:
        panels[1].set_title("held out")
    for panel in panels:
        panel.set_xlabel("step")
        panel.grid(alpha=0.3)
        if panel.get_legend_handles_labels()[0]:
            panel.legend(fontsize=8)
    with atomic_write(out, overwrite=True) as temporary:
        figure.savefig(temporary, dpi=100)
