"""Which test files need what only extras bring."""

from __future__ import annotations

import re
from pathlib import Path

_OF_EXTRAS = r"torch|scipy|matplotlib|onnx|openvino|selfieart\.(?:networks|methods|training|evaluation)"
_IMPORT = re.compile(rf"^\s*(?:from|import) (?:{_OF_EXTRAS})\b", re.MULTILINE)


def tests_of_extras(folder: Path) -> list[str]:
    """Names of the test files of a folder that import such a module, themselves or through a file beside them."""
    texts = {path.stem: path.read_text("utf-8") for path in folder.glob("*.py") if path.stem != "conftest"}
    needing = {name for name, text in texts.items() if _IMPORT.search(text)}
    while True:
        through = re.compile(rf"^(?:from|import) (?:{'|'.join(needing)})\b", re.MULTILINE)
        more = {name for name, text in texts.items() if name not in needing and through.search(text)}
        if not more:
            return sorted(f"{name}.py" for name in needing)
        needing |= more
