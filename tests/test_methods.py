"""The methods behind one registry: none knows another, a fifth is one class and one line, and the way from Python."""

from __future__ import annotations

import ast
import doctest
import subprocess
import sys
from dataclasses import dataclass, fields
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

import selfieart.methods
from conftest import is_one_sentence, wrong
from selfieart import Look, SegmentLook
from selfieart.cli import main
from selfieart.errors import SelfieartError, UnknownName
from selfieart.methods import painting
from selfieart.methods.losses import total_variation
from selfieart.methods.method import Method
from selfieart.methods.registry import METHODS, load_method, method_class, options_from
from selfieart.methods.repaint import repaint_with
from selfieart.methods.scene import Scene
from selfieart.methods.settings import OptimiseOptions, check_number
from selfieart.networks.encoder import Encoder

FOLDER = Path(selfieart.methods.__file__).parent


@pytest.fixture(scope="module")
def encoder() -> Encoder:
    torch.manual_seed(0)
    return Encoder().eval().requires_grad_(False)


@pytest.fixture(scope="module")
def photo(astronaut) -> np.ndarray:
    """A portrait (96, 104, 3)."""
    return cv2.resize(astronaut[20:212, 120:328], (104, 96), interpolation=cv2.INTER_AREA)


@pytest.fixture(scope="module")
def strokes() -> np.ndarray:
    """A painting (64, 80, 3)."""
    return np.random.default_rng(0).integers(0, 255, (64, 80, 3), np.uint8)


# --- none knows another --------------------------------------------------------------------------------------------


def imports_of(path: Path) -> set[str]:
    """Modules of the methods' package that a module imports, leaving out what only a type checker sees."""
    tree = ast.parse(path.read_text("utf-8"))
    hidden = {
        id(inner)
        for node in ast.walk(tree)
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test)
        for inner in ast.walk(node)
    }
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and id(node) not in hidden:
            names = [f"{node.module}.{alias.name}" for alias in node.names]
            found |= {name.split(".")[2] for name in names if name.startswith("selfieart.methods.")}
    return found & {path.stem for path in FOLDER.glob("*.py")}


OWN = {place.partition(":")[0].rpartition(".")[2] for place in METHODS.values()}


def owner_of(module: str) -> str | None:
    """The method that a module belongs to: "semantic_options" is the semantic method's."""
    return next((own for own in OWN if module == own or module.startswith(f"{own}_")), None)


@pytest.mark.parametrize("path", sorted(FOLDER.glob("*.py")), ids=lambda path: path.stem)
def test_no_module_knows_a_method_that_is_not_its_own(path):
    known = {owner_of(module) for module in imports_of(path)} - {None}
    assert known <= {owner_of(path.stem)}


def test_the_search_for_imports_finds_some():
    assert owner_of("semantic_masks") == owner_of("semantic") == "semantic"
    assert owner_of("run") is owner_of("repaint") is None
    assert {"semantic_options", "losses", "method"} <= imports_of(FOLDER / "semantic.py")


def test_naming_the_methods_imports_none():
    code = (
        "import sys, selfieart.methods as m; assert m.METHODS and m.load_method; "
        "assert not {'torch', 'scipy'} & set(sys.modules); assert 'selfieart.methods.gatys' not in sys.modules; "
        "m.Gatys; assert 'selfieart.methods.semantic' not in sys.modules; assert 'scipy' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


# --- a fifth -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class TowardsOptions(OptimiseOptions):
    """Settings of the method below."""

    pull: float = 5.0
    behind: torch.Tensor | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        check_number("pull", self.pull, 0.0, 100.0)


class Towards(Method[TowardsOptions]):
    """Every region becomes as its style's mean colour, but only where nobody is."""

    name = "towards"
    summary = "The mean colours of the styles."
    options = TowardsOptions

    def prepare(self, scene: Scene, options: TowardsOptions) -> TowardsOptions:
        return options_from("towards", {"pull": options.pull, "side": options.side, "behind": scene.background()})

    def objective_at(self, regions, options):
        def at(size):
            here = regions.at(size)
            colors = [style.mean((1, 2))[:, None, None] for style in here.styles]

            def objective(x):
                off = [m * (x - c).square() for m, c in zip(here.masks, colors, strict=True)]
                return {"color": options.pull * sum(off).mean(), "variation": total_variation(x)}

            return objective

        return at


@pytest.fixture
def fifth(monkeypatch):
    monkeypatch.setitem(METHODS, "towards", f"{__name__}:Towards")


def test_a_fifth_method_is_one_class_and_one_line(fifth, photo, strokes, encoder, studio, tmp_path, capsys):
    red = np.zeros((40, 40, 3), np.uint8) + np.array([220, 20, 20], np.uint8)
    settings = {"side": 48, "pull": "40", "iterations": 8}
    method = selfieart.methods.load_method("Towards", encoder)
    out = selfieart.methods.paint_pixels(method, photo, red, options=settings)
    assert out.shape == photo.shape
    assert np.abs(out.astype(int) - red[0, 0]).mean() < 0.3 * np.abs(photo.astype(int) - red[0, 0]).mean()
    assert selfieart.methods.Towards is Towards
    assert selfieart.methods.TowardsOptions is TowardsOptions
    wrong("did you mean 'pull'", options_from, "towards", {"pul": 3}, error=UnknownName)
    # The command line knows it too.
    me, art, painted = tmp_path / "me.png", tmp_path / "red.png", tmp_path / "out.png"
    cv2.imwrite(str(me), photo[..., ::-1])
    cv2.imwrite(str(art), red[..., ::-1])
    with pytest.raises(SystemExit) as stop:
        main(["photo", str(me), "--style", f"background={art}", "--method", "towards", "-o", str(painted)])
    assert stop.value.code == 0
    assert np.abs(cv2.imread(str(painted)).astype(int) - photo[..., ::-1]).max() > 50


@pytest.mark.parametrize("name", METHODS)
def test_every_method_says_what_it_is(name):
    kind = method_class(name)
    assert kind.name == name
    assert is_one_sentence(kind.summary)
    assert kind.options.__name__ == f"{kind.__name__}Options"
    assert issubclass(kind, Method)
    assert kind.__doc__


# --- settings by name ----------------------------------------------------------------------------------------------


def test_settings_may_be_text_or_left_out():
    read = options_from(
        "semantic", {"gamma": "30", "iterations": "7", "rotations": "-7.5, 7.5", "sizes": [0.9], "side": None}
    )
    assert (read.gamma, read.iterations, read.rotations, read.sizes) == (30.0, 7, (-7.5, 7.5), (0.9,))
    assert read.side == method_class("semantic").options().side
    assert options_from("gatys", {"start": "noise", "optimiser": "scipy"}).start == "noise"
    assert options_from("styfie", {}).optimiser == "scipy"
    chosen = options_from("semantic", {"guidance": "clusters", "masks": "3"})
    assert (chosen.guidance, chosen.guided_by.source, chosen.guided_by.parts, chosen.masks) == (None, "clusters", 3, 3)


@pytest.mark.parametrize(
    ("name", "settings", "says"),
    [
        ("gatys", {"iterations": "many"}, "iterations must be a whole number from 1 to 100000, not 'many'"),
        ("gatys", {"iterations": "7.5"}, "iterations must be a whole number"),
        ("gatys", {"iterations": True}, "iterations must be a whole number"),
        ("gatys", {"style_weight": "nan"}, "style_weight must be a number"),
        ("gatys", {"style_weight": []}, "style_weight must be a number"),
        ("gatys", {"start": "nois"}, "did you mean 'noise'"),
        ("gatys", {"start": 3}, "start '3'"),
        ("gatys", {"importance": "face"}, "importance cannot be given as str: set it from Python"),
        ("portrait-aware", {"background": [1, 2]}, "background cannot be given as list"),
        ("portrait-aware", {"bakground": 1}, "did you mean 'background'"),
        ("semantic", {"rotations": "left"}, "rotations must be a tuple"),
        ("semantic", {"guidance": "parsr"}, "did you mean 'parser'"),
        ("semantic", {"content_map": "me.png"}, "Maps come in pairs"),
        ("gatis", {}, "did you mean 'gatys'"),
    ],
)
def test_settings_that_are_wrong_are_refused_in_one_sentence(name, settings, says):
    with pytest.raises(SelfieartError) as error:
        options_from(name, settings)
    assert says in str(error.value)
    assert is_one_sentence(str(error.value))


# --- from Python ---------------------------------------------------------------------------------------------------


def test_everything_is_exported_by_name():
    for name in METHODS:
        kind = method_class(name)
        assert getattr(selfieart.methods, kind.__name__) is kind
        assert getattr(selfieart.methods, kind.options.__name__) is kind.options
        assert {kind.__name__, kind.options.__name__} <= set(selfieart.methods.__all__)
    with pytest.raises(AttributeError, match="no attribute 'Gattys'"):
        _ = selfieart.methods.Gattys


@pytest.mark.parametrize("function", [painting.paint_with, painting.paint_pixels], ids=lambda f: f.__name__)
def test_the_examples_in_the_documentation_run(function, photo, strokes, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    cv2.imwrite("painting.png", strokes)
    names = {"photo": photo, "painting": strokes}
    (example,) = doctest.DocTestFinder().find(function, globs=names)
    assert len(example.examples) > 2
    assert doctest.DocTestRunner().run(example).failed == 0


def test_the_guide_runs(astronaut, strokes, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    small = cv2.resize(astronaut[20:212, 120:328], (70, 64), interpolation=cv2.INTER_AREA)
    cv2.imwrite("me.jpg", small[..., ::-1])
    cv2.imwrite("painting.jpg", strokes)
    guide = (Path(__file__).parents[1] / "docs" / "methods.md").read_text("utf-8")
    blocks = guide.split("```python\n")[1:]
    names: dict[str, object] = {"__name__": __name__}
    for block in blocks:
        exec(compile(block.partition("```")[0], "methods.md", "exec", dont_inherit=True), names)
    assert Path("out.png").is_file()
    assert names["pixels"].shape == small.shape
    assert names["out"].shape == names["three"].both.shape == (3, 64, 80)
    tint = names["Tint"](load_method("gatys").encoder)
    out = painting.paint_pixels(tint, small, strokes, options={"side": 48, "iterations": 3})
    assert out.shape == small.shape
    for name in METHODS:
        assert f"| `{name}` |" in guide


def test_a_photo_in_styles_is_what_the_studio_paints(photo, strokes, studio, encoder, tmp_path):
    path = tmp_path / "strokes.png"
    cv2.imwrite(str(path), strokes)
    method, settings = load_method("gatys", encoder), {"iterations": 2, "scales": 1}
    art = painting.paint_with(method, photo, {"background": path, "hair": "candy"}, settings, studio=studio)
    look = Look({"background": SegmentLook(str(path)), "hair": SegmentLook("candy")})
    options = options_from("gatys", {**settings, "side": look.stroke_side()})
    portrait = studio.open(photo)
    wanted = portrait.render(look, repaint=repaint_with(method, options, portrait, look))
    assert np.array_equal(art.pixels, wanted.pixels)
    assert art.look == look
    everywhere = painting.paint_with(method, photo, str(path), options, studio=studio)
    assert everywhere.look == Look({"everything": SegmentLook(str(path))})


@pytest.mark.parametrize("name", METHODS)
def test_arrays_are_painted_by_every_method(name, photo, strokes, encoder, tmp_path):
    settings = {"side": 48, "scales": 1, "iterations": 2}
    method, path = load_method(name, encoder), tmp_path / "strokes.png"
    cv2.imwrite(str(path), strokes[..., ::-1])
    masks = np.zeros((3, 96, 104), np.float32)
    masks[0, :, :30], masks[1, :, 30:60], masks[2, :, 60:] = 1, 1, 1
    seen = []
    out = painting.paint_pixels(method, photo, [strokes, path], masks, settings, watch=lambda state: seen.append(state))
    assert (out.shape, out.dtype) == (photo.shape, np.uint8)
    assert np.array_equal(out[:, 60:], photo[:, 60:])
    assert np.abs(out[:, :60].astype(int) - photo[:, :60]).mean() > 0.5
    assert seen
    wrong("are not options of", painting.paint_pixels, method, photo, strokes, None, OptimiseOptions())


def test_what_a_method_finds_out_by_itself_can_be_given(photo, encoder, studio):
    given = torch.ones(96, 104)
    content = torch.from_numpy(photo).permute(2, 0, 1) / 255
    scene = Scene(content, {"a": content}, None, studio.open(photo).parsing(), studio.parser)
    aware = load_method("portrait-aware", encoder)
    assert aware.prepare(scene, options_from("portrait-aware", {"background": given})).background is given
    assert tuple(aware.prepare(scene, options_from("portrait-aware", {})).background.shape) == (96, 104)
    gatys = load_method("gatys", encoder)
    assert gatys.prepare(scene, options_from("gatys", {"importance": given})).importance is given
    semantic = load_method("semantic", encoder)
    prepared = semantic.prepare(scene, options_from("semantic", {"importance": given, "guidance": "none"}))
    assert prepared.importance is given
    assert prepared.guidance is None
    assert {field.name for field in fields(prepared)} >= {"guidance", "guided_by"}


# --- without what the methods need ---------------------------------------------------------------------------------


def test_without_torch_a_sentence_says_how_to_get_it(monkeypatch, tmp_path, capsys):
    monkeypatch.setitem(sys.modules, "torch", None)
    path = tmp_path / "me.png"
    cv2.imwrite(str(path), np.full((64, 64, 3), 90, np.uint8))
    with pytest.raises(SystemExit) as stop:
        main(["photo", str(path), "--style", "hair=candy", "--method", "gatys"])
    assert stop.value.code == 2
    assert "selfieart[methods]" in capsys.readouterr().err
    for call in (lambda: load_method("gatys"), lambda: options_from("gatys", {}), lambda: selfieart.methods.Gatys):
        with pytest.raises(SelfieartError, match=r"selfieart\[methods\]"):
            call()
    # Names are known all the same.
    wrong("did you mean 'gatys'", load_method, "gattys", error=UnknownName)
