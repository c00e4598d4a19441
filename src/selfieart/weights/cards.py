"""Model cards: the manifest as a page that a person reads."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from selfieart.weights.manifest import WeightsEntry, manifest

HEAD = """# The models in the package

This page is generated from `src/selfieart/weights/manifest.json` by `make docs`; `selfieart models` prints the same.
Every file is checked against its sha256 when it is loaded. All were trained by this project, with `selfieart train`.

**Terms.** The code is MIT. The weights follow the data that they were trained on: where a card says *non-commercial
research*, that data set's terms allow no more, and neither do we.
"""


def model_cards(entries: Iterable[WeightsEntry] | None = None) -> str:
    """All entries of the manifest as Markdown."""
    cards = [_card(entry) for entry in (entries if entries is not None else manifest().values())]
    return "\n".join([HEAD, *cards])


def _card(entry: WeightsEntry) -> str:
    contract = entry.input
    rows = {
        "network": entry.architecture,
        "file": f"`{entry.file}`, {entry.bytes / 1e6:.2f} MB, {entry.parameters:,} parameters, float16",
        "input": f"{contract['color']} in {contract['range']}, mean {contract['mean']}, std {contract['std']}, "
        f"sides a multiple of {contract['multiple']}",
        "outputs": ", ".join(entry.classes),
        "licence": entry.licence,
        "data": "; ".join(entry.data),
        "training": entry.training,
        "sha256": f"`{entry.sha256}`",
    }
    lines = [f"## {entry.name}", "", "| | |", "|---|---|"]
    lines += [f"| {name} | {_cell(text)} |" for name, text in rows.items()]
    lines += ["", "Measured:", "", "| | |", "|---|---|"]
    lines += [f"| {name.replace('_', ' ')} | {_cell(_text(value))} |" for name, value in entry.metrics.items()]
    return "\n".join([*lines, ""])


def _text(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{key.replace('_', ' ')} {_text(inner)}" for key, inner in value.items())
    if isinstance(value, list):
        return ", ".join(_text(inner) for inner in value)
    return "none" if value is None else str(value)


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")
