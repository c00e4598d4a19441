"""The package as a whole: what is public, what ships, and who may import whom."""

from __future__ import annotations

import ast
import hashlib
import json
from dataclasses import fields, replace
from importlib import import_module, metadata, resources
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors import safe_open
from safetensors.torch import save

import selfieart
from conftest import is_one_sentence
from selfieart.errors import SelfieartError, UnknownName, WeightsError
from selfieart.networks.code_predictor import CodePredictor
from selfieart.networks.encoder import LAYERS, Encoder
from selfieart.networks.faces import face_network
from selfieart.networks.packaged import as_tensors
from selfieart.networks.style_net import StyleNet
from selfieart.parsing.registry import FACE_NETWORKS
from selfieart.segments import NAMES
from selfieart.styles.presets import presets
from selfieart.weights import WeightsEntry, load_weights, manifest
from selfieart.weights.cards import model_cards

ROOT = Path(selfieart.__file__).parent
REPOSITORY = Path(__file__).parents[1]
WEIGHTS = ROOT / "weights"
MODULES = {
    ".".join(("selfieart", *path.relative_to(ROOT).with_suffix("").parts)).removesuffix(".__init__"): path
    for path in sorted(ROOT.rglob("*.py"))
}
TREES = {name: ast.parse(path.read_text("utf-8")) for name, path in MODULES.items()}

# --- what is public ------------------------------------------------------------------------------------------------


def test_the_public_names():
    assert selfieart.__all__ == ["Artwork", "Look", "Portrait", "SegmentLook", "SelfieartError", "Studio"]
    for name in selfieart.__all__:
        public = getattr(selfieart, name)
        assert public.__name__ == name
        assert len(public.__doc__.strip()) > 20
    with pytest.raises(AttributeError, match="no attribute 'Stduio'"):
        _ = selfieart.Stduio


def test_the_portrait_and_the_artwork_offer_what_is_documented():
    assert {"open"} <= set(dir(selfieart.Studio))
    assert {"parsing", "render", "layer"} <= set(dir(selfieart.Portrait))
    assert [field.name for field in fields(selfieart.Artwork)] == ["pixels", "photo", "look", "seconds", "notes"]
    assert [field.name for field in fields(selfieart.SegmentLook)] == ["style", "strength", "keep_color", "feather"]
    assert [field.name for field in fields(selfieart.Look)] == ["segments", "tau", "blend", "stroke", "faces", "seed"]


def public_definitions(body: list[ast.stmt], prefix: str) -> list[tuple[str, ast.AST]]:
    found = []
    for node in body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef) and not node.name.startswith("_"):
            found.append((f"{prefix}.{node.name}", node))
            if isinstance(node, ast.ClassDef):
                found += public_definitions(node.body, f"{prefix}.{node.name}")
    return found


@pytest.mark.parametrize("module", MODULES)
def test_everything_public_says_what_it_is(module):
    assert ast.get_docstring(TREES[module]), module
    for name, node in public_definitions(TREES[module].body, module):
        assert ast.get_docstring(node), name


@pytest.mark.parametrize("module", [name for name in MODULES if not name.endswith("__main__")])
def test_every_module_imports_and_keeps_its_promises(module):
    loaded = import_module(module)
    for name in getattr(loaded, "__all__", ()):
        assert hasattr(loaded, name), name


def test_every_error_is_one_that_a_person_can_act_on():
    errors = import_module("selfieart.errors")
    classes = [thing for thing in vars(errors).values() if getattr(thing, "__module__", "") == errors.__name__]
    classes = [thing for thing in classes if isinstance(thing, type)]
    assert len(classes) > 5
    assert all(issubclass(thing, SelfieartError) for thing in classes)


def test_the_distribution():
    assert selfieart.__version__ == "0.2.0"
    # The other place that a person looks at; what is installed was perhaps built before.
    assert metadata.version("selfieart") == selfieart.__version__, "run 'make test': it installs again"
    (script,) = metadata.entry_points(group="console_scripts", name="selfieart")
    assert script.load() is import_module("selfieart.cli").main
    assert (ROOT / "py.typed").is_file()
    assert (ROOT / "data" / "astronaut.jpg").is_file()


NOT_TRAINED = ("running_mean", "running_var", ".center", ".spread", "scale")

# --- weights -------------------------------------------------------------------------------------------------------


def test_every_file_of_weights_is_in_the_manifest_and_in_no_other_format():
    kept = {path.name for path in WEIGHTS.iterdir() if path.is_file()}
    assert {name for name in kept if not name.endswith((".py", ".json"))} == {e.file for e in manifest().values()}
    assert all(entry.file.endswith(".safetensors") for entry in manifest().values())
    others = {".pt", ".pth", ".pkl", ".pickle", ".ckpt", ".bin", ".npz", ".npy", ".h5"}
    # Graphs hold no weights: see test_graphs.py.
    assert {path.parent for path in ROOT.rglob("*.onnx")} == {WEIGHTS / "graphs"}
    assert not [path for path in ROOT.rglob("*") if path.suffix in others]
    assert {path.parent for path in ROOT.rglob("*.safetensors")} == {WEIGHTS}


@pytest.mark.parametrize("name", manifest())
def test_the_manifest_tells_the_truth(name):
    entry, path = manifest()[name], WEIGHTS / manifest()[name].file
    data = path.read_bytes()
    assert hashlib.sha256(data).hexdigest() == entry.sha256
    assert len(data) == entry.bytes
    with safe_open(path, framework="pt") as file:
        tensors = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118 - not a dict
    trained = {key: value for key, value in tensors.items() if not key.endswith(NOT_TRAINED)}
    assert sum(value.numel() for value in trained.values() if value.is_floating_point()) == entry.parameters
    assert all(bool(value.float().isfinite().all()) for value in tensors.values())
    for field in ("architecture", "licence", "training", "metrics", "data"):
        assert getattr(entry, field), field
    assert {"range", "mean", "std", "multiple"} <= set(entry.input)


def test_the_model_cards_are_those_of_the_manifest():
    assert (REPOSITORY / "docs" / "models.md").read_text("utf-8") == model_cards(), "run 'make docs'"
    text = model_cards([replace(manifest()["bisenet"], metrics={"a_b": {"x": [1, None]}}, licence="one | two")])
    assert "| a b | x 1, none |" in text
    assert "| licence | one \\| two |" in text


def test_the_classes_are_those_of_the_code():
    assert all(manifest()[name].classes == NAMES for name in FACE_NETWORKS)
    assert manifest()["presets"].classes == tuple(presets())
    assert manifest()["encoder"].classes == LAYERS


def test_the_weights_fit_their_networks():
    for name in FACE_NETWORKS:
        missing = face_network(name).load_state_dict(as_tensors(load_weights(name)), strict=False)
        assert not missing.unexpected_keys
        assert not missing.missing_keys
    tensors = load_weights("presets")
    assert tensors["codes"].shape == (len(presets()), StyleNet().code_size)
    predictor = {f"predictor.{key}" for key in CodePredictor(StyleNet().code_size).state_dict()}
    painting = {"codes", *(f"net.{key}" for key in StyleNet().state_dict())}
    assert set(tensors) in (painting, painting | predictor)
    assert set(load_weights("encoder")) == set(Encoder().state_dict())


@pytest.fixture
def one_entry(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[WeightsEntry, Path]:
    """A manifest with one entry, "tiny", beside a file that agrees with it."""
    path = tmp_path / "tiny.safetensors"
    path.write_bytes(save({"half": torch.tensor([1.5, -2], dtype=torch.float16), "count": torch.tensor([3])}))
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    entry = replace(manifest()["bisenet"], name="tiny", file=path.name, sha256=digest, bytes=path.stat().st_size)
    module = import_module("selfieart.weights.manifest")
    monkeypatch.setattr(module, "manifest", lambda: {"tiny": entry})
    monkeypatch.setattr(module.resources, "files", lambda _: tmp_path)
    return entry, path


def test_weights_are_loaded_as_float32(one_entry):
    tensors = load_weights("tiny")
    assert tensors["half"].tolist() == [1.5, -2.0]
    assert tensors["half"].dtype == np.float32
    assert tensors["count"].tolist() == [3]
    assert tensors["count"].dtype == np.int64


@pytest.mark.parametrize("place", [0, 8, -1])
def test_one_changed_byte_is_noticed(one_entry, place):
    data = bytearray(one_entry[1].read_bytes())
    data[place] ^= 1
    one_entry[1].write_bytes(data)
    with pytest.raises(WeightsError, match="differ from the manifest's sha256") as error:
        load_weights("tiny")
    assert is_one_sentence(str(error.value))


@pytest.mark.parametrize("change", [lambda data: data[:-1], lambda data: data + b"\0", lambda data: b""])
def test_another_length_is_noticed(one_entry, change):
    one_entry[1].write_bytes(change(one_entry[1].read_bytes()))
    with pytest.raises(WeightsError, match="differ from the manifest"):
        load_weights("tiny")


def test_missing_weights(one_entry):
    one_entry[1].unlink()
    with pytest.raises(WeightsError, match="are missing from the package: install selfieart again") as error:
        load_weights("tiny")
    assert is_one_sentence(str(error.value))
    with pytest.raises(UnknownName, match="did you mean 'tiny'"):
        load_weights("tinny")


def test_every_preset_has_a_thumbnail_and_no_thumbnail_is_left_over():
    thumbnails = resources.files("selfieart.styles") / "thumbnails"
    assert {Path(entry.name).stem for entry in thumbnails.iterdir()} == set(presets())
    listed = json.loads((resources.files("selfieart.styles") / "paintings.json").read_text("utf-8"))
    assert list(listed) == list(presets())


# --- who may import whom -------------------------------------------------------------------------------------------

# From the bottom to the top, as docs/architecture.md has it; modules in one row may use each other. Training uses the
# library as anybody would, and the command line offers it.
ROWS = (
    ("errors",), ("extras", "lazy", "machine", "paths", "progress", "sizes"), ("segments",), ("weights",),
    ("engine",), ("imaging",), ("masks", "importance", "style_grid"), ("stylizer",), ("networks",), ("metrics",),
    ("parsing",), ("look", "look_schema", "style_names"), ("styles",), ("render",), ("sheets",), ("video",),
    ("methods",), ("training",), ("evaluation",), ("app",), ("cli",), ("__main__",),
)  # fmt: skip
RANK = {part: rank for rank, row in enumerate(ROWS) for part in row}


def imported_by(module: str, typing_too: bool = False) -> set[str]:
    """Modules of the package that a module imports anywhere in it; if wanted, also what only a type checker sees."""
    found = set()
    hidden = {
        id(inner)
        for node in ast.walk(TREES[module])
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test)
        for inner in ast.walk(node)
    }
    for node in ast.walk(TREES[module]):
        if id(node) in hidden and not typing_too:
            continue
        if isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{module} has a relative import"
            names = [f"{node.module}.{alias.name}" for alias in node.names]
            found |= {name if name in MODULES else str(node.module) for name in names}
        elif isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
    return {name for name in found if name in MODULES} - {module}


def part_of(module: str) -> str:
    return module.split(".")[1] if "." in module else ""


IMPORTS = {module: imported_by(module) for module in MODULES}


def test_every_module_has_its_row():
    assert {part_of(module) for module in MODULES} - {""} == set(RANK)
    assert "selfieart.segments" in IMPORTS["selfieart.look"]
    assert "selfieart.parsing.parser" in IMPORTS["selfieart.render.studio"]


@pytest.mark.parametrize("module", [name for name in MODULES if part_of(name)])
def test_a_module_imports_only_from_its_own_row_and_those_below(module):
    above = [name for name in IMPORTS[module] if part_of(name) and RANK[part_of(name)] > RANK[part_of(module)]]
    assert not above


@pytest.mark.parametrize(
    ("part", "never"),
    [
        ("imaging", {"parsing", "render", "styles", "networks", "cli", "weights", "masks", "look", "segments"}),
        ("masks", {"parsing", "networks", "render", "cli"}),
        ("parsing", {"methods", "styles", "render", "cli", "look"}),
        ("networks", {"segments", "parsing", "render", "cli"}),
        ("metrics", {"parsing", "look", "styles", "render", "video", "methods", "training", "cli"}),
        ("training", {"cli"}),
    ],
)
def test_what_a_part_never_knows(part, never):
    used = {part_of(name) for module in MODULES if part_of(module) == part for name in IMPORTS[module]}
    assert not used & never


def test_only_the_command_line_knows_itself():
    users = {module for module in MODULES if any(part_of(name) == "cli" for name in IMPORTS[module])}
    assert {part_of(module) for module in users} <= {"cli", "__main__"}


def circle_in(imports: dict[str, set[str]]) -> str:
    """Modules that import each other in a circle, as a text; empty if there is none."""

    def visit(module: str, path: tuple[str, ...]) -> str:
        if module in path:
            return " -> ".join((*path[path.index(module) :], module))
        if module in finished:
            return ""
        for name in sorted(imports[module]):
            # The names of a package come from its __init__, which imports its modules: that is no circle.
            if (not path or name != module.rpartition(".")[0]) and (found := visit(name, (*path, module))):
                return found
        finished.add(module)
        return ""

    finished: set[str] = set()
    return next(filter(None, (visit(module, ()) for module in imports)), "")


def test_no_module_imports_itself_round_a_corner():
    assert circle_in({"a": {"b"}, "b": {"c"}, "c": {"b"}}) == "b -> c -> b"
    assert circle_in(IMPORTS) == ""


def test_no_module_even_names_the_types_of_one_that_needs_it():
    with_types = {module: imported_by(module, typing_too=True) for module in MODULES}
    # The package itself names what it offers, and imports it when it is asked for.
    with_types["selfieart"] = IMPORTS["selfieart"]
    assert circle_in(with_types) == ""
    routes = {module for module in MODULES if module.startswith("selfieart.app.routes.")}
    assert {module for module, names in with_types.items() if names & routes} - routes == {"selfieart.app.server"}


WITH_TORCH = {"networks", "metrics", "methods", "training", "evaluation"}
"""Parts that may import what extras bring; all others run without them, and never import these parts at their top."""


def outside(module: str) -> set[str]:
    """Packages beside this one that a module imports anywhere in it."""
    nodes = list(ast.walk(TREES[module]))
    names = [alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names]
    names += [node.module or "" for node in nodes if isinstance(node, ast.ImportFrom)]
    return {name.partition(".")[0] for name in names}


@pytest.mark.parametrize("module", [name for name in MODULES if part_of(name) not in WITH_TORCH])
def test_what_users_run_imports_nothing_that_an_extra_brings(module):
    heavy = {"torch", "scipy", "matplotlib", "onnx"} | (
        {"openvino"} if module != "selfieart.engine.openvino" else set()
    )
    if module == "selfieart.engine.devices":
        heavy -= {"openvino"}  # to ask what it can run on, where it is installed
    assert not outside(module) & heavy


def test_below_the_networks_nobody_knows_them():
    users = {part_of(module) for module in MODULES for name in IMPORTS[module] if part_of(name) == "networks"}
    assert users <= WITH_TORCH


def test_metrics_of_pictures_need_no_torch():
    assert not {"torch", "scipy"} & (outside("selfieart.metrics.similarity") | outside("selfieart.metrics.phase"))


def test_no_attribute_is_set_from_outside_that_is_private():
    for module, tree in TREES.items():
        for node in ast.walk(tree):
            targets = node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", None)]
            for target in targets:
                if isinstance(target, ast.Attribute) and target.attr.startswith("_"):
                    owner = ast.unparse(target.value)
                    assert owner in ("self", "twin", "cls"), f"{module} sets {owner}.{target.attr}"


def test_no_file_is_long():
    files = [*ROOT.rglob("*.py"), *(p for folder in ("tests", "tools", "benchmarks", "examples", "docs")
                                    for p in (REPOSITORY / folder).glob("*.py"))]  # fmt: skip
    lines = {str(path): len(path.read_text("utf-8").splitlines()) for path in files}
    assert not {path: count for path, count in lines.items() if count > 400}


def test_nothing_reaches_for_the_network():
    forbidden = {"urllib", "http", "requests", "socket", "ftplib", "httpx", "aiohttp"}
    for module, tree in TREES.items():
        # The app's server listens; taking an address apart opens nothing.
        allowed = {"socket"} if module == "selfieart.app.serving" else set()
        for node in ast.walk(tree):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            used = {name.split(".")[0] for name in names if name != "urllib.parse"} & forbidden
            assert used <= allowed, module
