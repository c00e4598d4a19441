"""What is said about the package elsewhere: the documents, and the scripts that make them."""

from __future__ import annotations

import ast
import re
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

import pytest

import selfieart
from test_package import ROWS

REPOSITORY = Path(__file__).parents[1]
ROOT = Path(selfieart.__file__).parent
SCRIPTS = sorted(
    path for folder in ("docs", "tools", "examples", "benchmarks") for path in (REPOSITORY / folder).glob("*.py")
)
DOCUMENTS = sorted(
    {*REPOSITORY.glob("*.md"), *(REPOSITORY / "docs").rglob("*.md"), *(REPOSITORY / "web").glob("*.md")}
    - {REPOSITORY / "CHANGELOG.md"}
)

PLACES = {
    path.relative_to(REPOSITORY).as_posix() + "/" * path.is_dir()
    for folder in ("src", "docs", "web/src", "web/test", "tests", "tools", "examples", "benchmarks")
    for path in (REPOSITORY / folder).rglob("*")
} | {f"{path.name}{'/' * path.is_dir()}" for path in REPOSITORY.iterdir()}
MADE = {"dist/", "entry.json"}
"""Places that a command or a person makes."""


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: f"{path.parent.name}/{path.name}")
def test_a_script_imports_only_what_there_is(script):
    for node in ast.walk(ast.parse(script.read_text("utf-8"))):
        # The bench's worker also runs in the version before, whose modules had other names.
        if script.name == "worker.py" and getattr(node, "module", "") in (
            "selfieart.painter",
            "selfieart.imaging.arrays",
        ):
            continue
        if isinstance(node, ast.ImportFrom) and (node.module or "").partition(".")[0] == "selfieart":
            module = import_module(str(node.module))
            for alias in node.names:
                assert hasattr(module, alias.name) or find_spec(f"{node.module}.{alias.name}"), alias.name


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.relative_to(REPOSITORY).as_posix())
def test_a_document_names_only_what_there_is(document):
    text = document.read_text("utf-8")
    for name in re.findall(r"`([a-z_][\w./-]*(?:\.(?:py|md|ts|json|toml)|/))`", text):
        assert name in MADE or any(f"/{place}".endswith(f"/{name}") for place in PLACES), name
    for name in re.findall(r"`(selfieart\.[\w.]+)`", text):
        module, _, last = name.rpartition(".")
        assert find_spec(name) if module == "selfieart" else hasattr(import_module(module), last), name


def test_the_architecture_has_the_rows_that_imports_are_held_to():
    table = (REPOSITORY / "docs" / "architecture.md").read_text("utf-8")
    rows = re.findall(r"^\| (`.+?) \|", table, re.MULTILINE)
    parts = tuple(
        tuple(sorted(re.sub(r"(\.py|/)$", "", part) for part in re.findall(r"`([^`]+)`", row))) for row in rows
    )
    assert parts == tuple(tuple(sorted(row)) for row in ROWS if row != ("__main__",))
