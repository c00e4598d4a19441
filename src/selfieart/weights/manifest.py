"""The manifest of packaged weights and the one loader that reads them.

Every file of weights has one entry: what it is, what input it wants, what it was trained on, under which terms, by
which command, and how good it measured. Replacing weights means replacing the file and its entry.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any

import numpy as np
from numpy.typing import NDArray

from selfieart.errors import WeightsError, unknown


@dataclass(frozen=True)
class WeightsEntry:
    """One file of weights.

    Attributes:
        name: how the code asks for it.
        file: file name beside the manifest.
        sha256: of the file, lower-case hex.
        bytes: size of the file.
        architecture: what network these are the weights of, with its paper.
        parameters: number of trained values.
        input: input contract: range, mean, std, multiple.
        classes: names of the outputs (segments or styles).
        licence: terms of use of the weights.
        data: what they were trained on, each with its terms.
        training: the command that trained them.
        metrics: what was measured, on which held-out list.
    """

    name: str
    file: str
    sha256: str
    bytes: int
    architecture: str
    parameters: int
    input: Mapping[str, Any]
    classes: tuple[str, ...]
    licence: str
    data: tuple[str, ...]
    training: str
    metrics: Mapping[str, Any]


@cache
def manifest() -> dict[str, WeightsEntry]:
    """All entries by name.

    Raises:
        WeightsError: the manifest is missing or damaged.
    """
    try:
        listed = json.loads(resources.files(__package__).joinpath("manifest.json").read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise WeightsError("The manifest of the weights is missing or damaged: install selfieart again.") from error
    entries = [
        WeightsEntry(**{**raw, "classes": tuple(raw["classes"]), "data": tuple(raw["data"])})
        for raw in listed["weights"]
    ]
    return {entry.name: entry for entry in entries}


def load_weights(name: str) -> dict[str, NDArray[Any]]:
    """Arrays of a file of weights by name, floating-point ones as float32.

    Raises:
        UnknownName: the manifest has no such entry.
        WeightsError: the file is missing or is not the one that the manifest describes.
    """
    from safetensors.numpy import load

    entries = manifest()
    if name not in entries:
        raise unknown("weights", name, entries)
    entry = entries[name]
    try:
        data = resources.files(__package__).joinpath(entry.file).read_bytes()
    except OSError as error:
        raise WeightsError(
            f"The weights {entry.file} are missing from the package: install selfieart again."
        ) from error
    if hashlib.sha256(data).hexdigest() != entry.sha256:
        raise WeightsError(f"The weights {entry.file} differ from the manifest's sha256: install selfieart again.")
    return as_float32(load(data))


def as_float32(weights: dict[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
    """The same weights with floating-point ones in single precision."""
    return {k: v.astype(np.float32) if np.issubdtype(v.dtype, np.floating) else v for k, v in weights.items()}
