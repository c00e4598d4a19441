"""What programs may use by name: the packages that say what they offer, and import it when it is asked for."""

from __future__ import annotations

import ast
import subprocess
import sys
from importlib import import_module
from inspect import isclass, isfunction
from pathlib import Path

import pytest

import selfieart

ROOT = Path(selfieart.__file__).parent
PACKAGES = [
    "selfieart", "selfieart.engine", "selfieart.evaluation", "selfieart.imaging", "selfieart.methods",
    "selfieart.video", "selfieart.weights",
]  # fmt: skip
MACHINERY = {"annotations", "Any", "TYPE_CHECKING", "lazily", "method_class"}


def tree_of(package: str) -> ast.Module:
    return ast.parse((ROOT.joinpath(*package.split(".")[1:]) / "__init__.py").read_text("utf-8"))


@pytest.mark.parametrize("package", PACKAGES)
def test_a_package_lists_what_it_offers_in_order_and_nothing_else(package):
    imported = {
        alias.asname or alias.name
        for node in ast.walk(tree_of(package))
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }
    offered = import_module(package).__all__
    assert set(offered) == imported - MACHINERY
    kinds = [0 if name.isupper() else 1 if name[0].isupper() else 2 for name in offered]
    assert list(zip(kinds, offered, strict=True)) == sorted(zip(kinds, offered, strict=True))


@pytest.mark.parametrize("package", PACKAGES)
def test_what_a_package_offers_is_there_and_says_what_it_is(package):
    if package in ("selfieart.evaluation", "selfieart.methods"):
        pytest.importorskip("torch")
    loaded = import_module(package)
    for name in loaded.__all__:
        found = getattr(loaded, name)
        if isclass(found) or isfunction(found):
            assert found.__name__ == name
            assert len((found.__doc__ or "").strip()) > 20, name
    with pytest.raises(AttributeError, match=f"'{package}' has no attribute 'Stduio'"):
        _ = loaded.Stduio


@pytest.mark.parametrize("package", ["selfieart", "selfieart.evaluation", "selfieart.methods", "selfieart.video"])
def test_importing_a_package_imports_nothing_heavy(package):
    heavy = "{'torch', 'numpy', 'cv2', 'onnxruntime', 'av'}"
    code = f"import sys, {package}; sys.exit(str({heavy} & set(sys.modules)) if {heavy} & set(sys.modules) else 0)"
    subprocess.run([sys.executable, "-c", code], check=True)
