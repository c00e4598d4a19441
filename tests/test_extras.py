"""What is installed beside the program: how it is asked for, and the sentence where it is missing."""

from __future__ import annotations

import sys

import pytest

from blocked_imports import run_without
from conftest import is_one_sentence
from selfieart.errors import SelfieartError, UnknownName
from selfieart.extras import EXTRAS, has, require


@pytest.fixture
def without(monkeypatch):
    """Hides packages from the import system."""
    return lambda *names: [monkeypatch.setitem(sys.modules, name, None) for name in names]


def test_what_is_installed_is_enough():
    pytest.importorskip("torch")
    assert has("methods")
    require("methods")
    require("train")


@pytest.mark.parametrize(
    ("extra", "hidden", "says"),
    [
        ("methods", ["torch"], "This needs torch, which is not installed: run pip install 'selfieart[methods]'."),
        ("train", ["scipy", "torch"], "This needs torch and scipy, which are not installed: run pip install "
         "'selfieart[train]'."),
        ("train", ["torch", "scipy", "matplotlib"], "This needs torch, scipy and matplotlib, which are not installed: "
         "run pip install 'selfieart[train]'."),
        ("openvino", ["openvino"], "This needs openvino, which is not installed: run pip install "
         "'selfieart[openvino]'."),
    ],
)  # fmt: skip
def test_what_is_missing_is_named_with_the_command(without, extra, hidden, says):
    if not all(has(name) for name in EXTRAS):
        pytest.skip("more is missing here than what is hidden")
    without(*hidden)
    assert not has(extra)
    with pytest.raises(SelfieartError) as error:
        require(extra)
    assert str(error.value) == says
    assert is_one_sentence(says)


def test_an_extra_that_does_not_exist():
    for ask in (has, require):
        with pytest.raises(UnknownName, match="Unknown extra 'method': did you mean 'methods'"):
            ask("method")
    assert set(EXTRAS["methods"]) < set(EXTRAS["train"])


def test_an_import_hook_that_refuses_hides_a_package_too(monkeypatch):
    class Refusing:
        @staticmethod
        def find_spec(name, path=None, target=None):
            if name == "torch":
                raise ModuleNotFoundError(name)

    monkeypatch.delitem(sys.modules, "torch", raising=False)
    monkeypatch.setattr(sys, "meta_path", [Refusing, *sys.meta_path])
    assert not has("methods")


NEEDY = [
    (("train", "encoder", ".", "--out", "o", "--teacher", "t"), "train"),
    (("train", "presets", ".", "--out", "o", "--content", ".", "--teacher", "t"), "train"),
    (("train", "instant", ".", "--out", "o", "--pictures", ".", "--content", ".", "--teacher", "t"), "train"),
    (("train", "parser", ".", "--out", "o"), "train"),
    (("train", "segnet", ".", "--out", "o"), "train"),
    (("train", "style", "a.jpg"), "train"),
    (("evaluate", "parsing", ".", ".", "--side", "256"), "methods"),
    (("evaluate", "parsing", ".", ".", "--painted"), "methods"),
    (("evaluate", "presets", ".", "--photo", "a.jpg", "--teacher", "t"), "methods"),
    (("evaluate", "instant", ".", "--photo", "a.jpg", "--teacher", "t"), "methods"),
    (("evaluate", "encoder", ".", "--photo", "a.jpg", "--teacher", "t"), "methods"),
    (("evaluate", "video", "a.mp4", "--style", "candy", "--teacher", "t", "--paintings", "."), "methods"),
    (("evaluate", "portrait-aware", "--photo", "a.jpg", "--style", "b.jpg"), "methods"),
    (("evaluate", "methods", "--photo", "a.jpg", "--style", "candy", "--sheet", "s.png"), "methods"),
]


@pytest.mark.parametrize(("arguments", "extra"), NEEDY)
def test_commands_that_need_an_extra_say_so_first(tmp_path, arguments, extra):
    refused = run_without(EXTRAS["train"], arguments, tmp_path)
    assert (refused.returncode, refused.stdout) == (2, "")
    assert refused.stderr.endswith(f"which are not installed: run pip install 'selfieart[{extra}]'.\n")
    assert is_one_sentence(refused.stderr.removeprefix("Error: ").rstrip("\n"))
    assert list(tmp_path.iterdir()) == []
