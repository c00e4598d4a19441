"""Put trained weights into the package: copy the file and write its entry in the manifest.

    python tools/package_weights.py NAME WEIGHTS.safetensors ENTRY.json

ENTRY.json holds what a machine cannot know, or only the fields that change: architecture, input, classes, licence,
data, training, metrics. Name, file, sha256, bytes and number of parameters are worked out here.
"""

from __future__ import annotations

import hashlib
import json
import sys
from pathlib import Path
from typing import Any

from safetensors import safe_open

from selfieart.paths import atomic_write

FOLDER = Path(__file__).resolve().parent.parent / "src" / "selfieart" / "weights"
ORDER = ("name", "file", "sha256", "bytes", "parameters", "architecture", "input", "classes", "licence", "data",
         "training", "metrics")  # fmt: skip
NOT_TRAINED = ("running_mean", "running_var", ".center", ".spread", "scale")


def parameters(weights: Path) -> int:
    """Number of trained values in a file."""
    with safe_open(weights, framework="pt") as file:
        tensors = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118 - not a dict
    return sum(v.numel() for k, v in tensors.items() if v.is_floating_point() and not k.endswith(NOT_TRAINED))


def package(name: str, weights: Path, fields: dict[str, Any]) -> dict[str, Any]:
    """Copy the file, and write and return its entry."""
    path = FOLDER / "manifest.json"
    entries: dict[str, dict[str, Any]] = {
        entry["name"]: entry for entry in json.loads(path.read_text("utf-8"))["weights"]
    }
    data = weights.read_bytes()
    entry = entries.get(name, {}) | fields
    entry |= {"name": name, "file": f"{name}.safetensors", "sha256": hashlib.sha256(data).hexdigest()}
    entry |= {"bytes": len(data), "parameters": parameters(weights)}
    entries[name] = {field: entry[field] for field in ORDER}
    with atomic_write(FOLDER / f"{name}.safetensors", overwrite=True) as temporary:
        temporary.write_bytes(data)
    path.write_text(json.dumps({"weights": list(entries.values())}, indent=2, ensure_ascii=False) + "\n", "utf-8")
    return entries[name]


if __name__ == "__main__":
    if len(sys.argv) != 4:
        sys.exit(__doc__)
    written = package(sys.argv[1], Path(sys.argv[2]), json.loads(Path(sys.argv[3]).read_text("utf-8")))
    print(json.dumps(written, indent=2, ensure_ascii=False))
