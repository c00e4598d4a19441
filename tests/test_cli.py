"""The command line: what it writes, what it says, and that nothing but one sentence comes of a mistake."""

from __future__ import annotations

import json
import os
import struct
import subprocess
import sys
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import selfieart
from conftest import is_one_sentence
from selfieart import Look, SegmentLook
from selfieart.cli import main
from selfieart.errors import Cancelled
from selfieart.imaging import read_photo, write_photo
from selfieart.segments import GROUPS, NAMES
from selfieart.styles.presets import presets
from selfieart.weights import manifest


@pytest.fixture
def run(capsys):
    """Run a command in this process: (exit code, standard output, standard error)."""

    def call(*arguments: object) -> tuple[int, str, str]:
        with pytest.raises(SystemExit) as stop:
            main([str(argument) for argument in arguments])
        out, err = capsys.readouterr()
        return int(stop.value.code or 0), out, err

    return call


@pytest.fixture
def done(run):
    """Run a command that must succeed without a word on standard error, and give its output."""

    def call(*arguments: object) -> str:
        code, out, err = run(*arguments)
        assert (code, err) == (0, "")
        return out

    return call


@pytest.fixture
def me(tmp_path: Path, astronaut_file: Path) -> Path:
    """A photo in a folder of its own."""
    path = tmp_path / "me.png"
    path.write_bytes(astronaut_file.read_bytes())
    return path


QUICK = ("--style", "background=candy", "--style", "hair=#0000ff", "--stroke", "64")


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def spawned(*arguments: object, folder: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, *map(str, arguments)]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


# --- as a program of its own ---------------------------------------------------------------------------------------


def test_help_comes_without_torch(tmp_path):
    for arguments in (["--help"], ["photo", "-h"], ["train", "presets", "--help"], ["--version"]):
        script = (
            f"import sys\nfrom selfieart.cli import main\ntry:\n    main({arguments})\nexcept SystemExit:\n    pass\n"
        )
        script += "print('loaded:', *[name for name in ('torch', 'cv2') if name in sys.modules])"
        assert spawned("-c", script, folder=tmp_path).stdout.splitlines()[-1].strip() == "loaded:"


def test_help_names_every_command(tmp_path):
    shown = spawned("-m", "selfieart", "--help", folder=tmp_path)
    assert shown.returncode == 0
    for command in ("photo", "parse", "styles", "segments", "models", "gallery", "demo", "train", "evaluate", "video"):
        assert command in shown.stdout


def test_a_mistake_is_one_sentence_and_exit_code_2(tmp_path):
    (tmp_path / "notes.jpg").write_text("not a picture\n" * 9)
    failed = spawned("-m", "selfieart", "photo", "notes.jpg", "--style", "hair=candy", folder=tmp_path)
    assert (failed.returncode, failed.stdout) == (2, "")
    assert failed.stderr.startswith("Error: ")
    assert failed.stderr.count("\n") == 1
    assert list(contents(tmp_path)) == ["notes.jpg"]


@pytest.mark.slow
def test_the_demo(tmp_path):
    finished = spawned("-m", "selfieart", "demo", "--json", folder=tmp_path)
    assert (finished.returncode, finished.stderr) == (0, "")
    result = json.loads(finished.stdout)
    assert list(contents(tmp_path)) == [result["output"]] == ["selfieart-demo.png"]
    assert result["notes"] == []
    assert read_photo(tmp_path / "selfieart-demo.png").size == (result["width"], result["height"])


def test_version(done):
    assert done("--version") == f"selfieart {selfieart.__version__}\n"


def test_the_shell_completes_commands_and_options(tmp_path):
    def completed(words: str, shell: str) -> set[str]:
        asked = {"_SELFIEART_COMPLETE": f"complete_{shell}", "COMP_WORDS": words, "COMP_CWORD": str(words.count(" "))}
        script = "import sys\nfrom selfieart.cli import main\nsys.argv = ['selfieart']\nmain()"
        command = [sys.executable, "-c", script]
        found = subprocess.run(
            command, cwd=tmp_path, env=os.environ | asked, capture_output=True, text=True, check=False
        )
        assert (found.returncode, found.stderr) == (0, "")
        return set(found.stdout.split())

    assert completed("selfieart p", "bash") == {"parse", "photo"}
    assert completed("selfieart evaluate me", "bash") == {"methods"}
    assert {"--style", "--strength", "--stroke"} <= completed("selfieart photo --st", "bash")


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_can_be_shown(tmp_path, shell):
    script = "import sys\nfrom selfieart.cli import main\nsys.argv = ['selfieart']\nmain()"
    asked = os.environ | {"_SELFIEART_COMPLETE": f"source_{shell}"}
    shown = subprocess.run(
        [sys.executable, "-c", script], cwd=tmp_path, env=asked, capture_output=True, text=True, check=False
    )
    assert (shown.returncode, shown.stderr) == (0, "")
    assert "_SELFIEART_COMPLETE" in shown.stdout


# --- photo ---------------------------------------------------------------------------------------------------------


def test_photo_writes_beside_the_photo_and_a_png_makes_itself_again(done, me):
    photo = me.read_bytes()
    said = done("photo", me, *QUICK, "--strength", "0.8", "--strength", "background=1", "--tau", "binary")
    first = read_photo(me.with_name("me-art.png"))
    assert str(me.with_name("me-art.png")) in said
    expected = {"background": SegmentLook("candy"), "hair": SegmentLook("#0000ff", strength=0.8)}
    assert Look.load(me.with_name("me-art.png")) == Look(expected, tau=float("inf"), stroke=64)
    done("photo", me, "--look", me.with_name("me-art.png"), "-o", me.with_name("again.webp"))
    assert np.array_equal(read_photo(me.with_name("again.webp")).pixels, first.pixels)
    done("photo", me, "--look", me.with_name("me-art.png"), "--tau", "3", "-o", me.with_name("softer.png"))
    assert not np.array_equal(read_photo(me.with_name("softer.png")).pixels, first.pixels)
    assert me.read_bytes() == photo
    assert set(contents(me.parent)) == {"me.png", "me-art.png", "again.webp", "softer.png"}


def test_options_become_the_look(done, me):
    toml, out = me.with_name("look.toml"), me.with_name("out.png")
    options = {"--tau": 5, "--stroke": 80, "--blend": "features", "--faces": "largest", "--seed": 3}
    styles = ["--style", "Cloth=wave", "-s", "lips=grey", "--keep-color", "0.25", "--feather", "cloth=1.5"]
    values = [str(part) for option in options.items() for part in option]
    result = json.loads(done("photo", me, *styles, *values, "--save-look", toml, "-o", out, "--json"))
    worn = {"clothes": SegmentLook("wave", keep_color=0.25, feather=1.5), "lips": SegmentLook("grey", keep_color=0.25)}
    expected = Look(worn, tau=5, stroke=80, blend="features", faces="largest", seed=3)
    assert Look.load(toml) == Look.load(out) == Look.from_toml(result["look"]) == expected
    assert (result["output"], result["width"], result["height"]) == (str(out), 200, 190)
    assert {"load", "read", "parse", "style", "compose", "write"} <= set(result["seconds"])


def test_a_bare_style_is_for_everything(done, me):
    done("photo", me, "--style", "#010203", "-o", me.with_name("out.bmp"))
    pixels = read_photo(me.with_name("out.bmp")).pixels
    assert np.array_equal(pixels, np.broadcast_to((1, 2, 3), pixels.shape))


def test_overwrite(run, done, me):
    out = me.with_name("out.png")
    done("photo", me, "--style", "#000", "-o", out)
    old = out.read_bytes()
    code, _, err = run("photo", me, "--style", "#fff", "-o", out)
    assert (code, out.read_bytes()) == (2, old)
    assert "already exists" in err
    done("photo", me, "--style", "#fff", "-o", out, "--overwrite")
    assert read_photo(out).pixels.min() == 255


def test_notes_go_to_standard_error(run, tmp_path):
    blank = write_photo(tmp_path / "blank.png", np.full((40, 50, 3), 128, np.uint8))
    code, out, err = run("photo", blank, "--style", "lips=#f00")
    assert code == 0
    assert err.startswith("Note: No face was found")
    assert "Note" not in out


@pytest.mark.parametrize("name", ["a [bold] day.png", "x["])
def test_names_with_brackets_are_names(done, me, name):
    folder = me.parent / name
    (folder / "b]").mkdir(parents=True)
    photo = folder / "b]" / "me [red].png"
    me.rename(photo)
    out = photo.with_name("[i]out.png")
    for arguments in (["photo", photo, "--style", "#fff", "-o", out], ["parse", photo, "-o", out, "--overwrite"]):
        assert str(out) in done(*arguments)


# --- parse ---------------------------------------------------------------------------------------------------------


def test_parse(done, me, studio):
    labels, overlay = me.with_name("labels.png"), me.with_name("overlay.png")
    result = json.loads(done("parse", me, "--labels", labels, "-o", overlay, "--json"))
    portrait = studio.open(me)
    expected = portrait.parsing().labels(portrait.photo.pixels)
    with Image.open(labels) as image:
        assert image.mode == "L"
        assert np.array_equal(np.asarray(image), expected)
    counts = {row["segment"]: row["pixels"] for row in result["segments"]}
    assert counts == {NAMES[k]: int((expected == k).sum()) for k in np.unique(expected)}
    assert sum(row["share"] for row in result["segments"]) == pytest.approx(1)
    (face,) = portrait.parsing().faces
    assert result["faces"][0]["x"] == pytest.approx(face.x, abs=0.1)
    assert result["faces"][0]["angle"] == pytest.approx(face.angle, abs=0.1)
    assert (result["width"], result["height"]) == (200, 190)
    drawn = read_photo(overlay).pixels
    assert drawn.shape[0] >= 190
    assert drawn.shape[1] > 200
    # The left part is the photo, tinted: it still resembles it.
    assert np.corrcoef(drawn[:190, :200].ravel(), portrait.photo.pixels.ravel())[0, 1] > 0.5


def test_parse_as_a_table(done, me):
    said = done("parse", me)
    assert "hair" in said
    assert "1 face found." in said
    assert list(contents(me.parent)) == ["me.png"]


# --- lists and sheets ----------------------------------------------------------------------------------------------


def test_styles(done, tmp_path):
    sheet = tmp_path / "sheet.png"
    result = json.loads(done("styles", "--sheet", sheet, "--json"))
    assert [row["name"] for row in result["presets"]] == list(presets())
    assert all(row["title"] and row["artist"] for row in result["presets"])
    assert result["plain"] == ["original", "blur", "grey", "#rrggbb"]
    pixels = read_photo(sheet).pixels
    # 7 x 3 thumbnails of 224 pixels on light paper.
    assert pixels.shape[1] > 7 * 224
    assert pixels.shape[0] > 3 * 224
    cells = [pixels[100 + row * 280 :, 10 + column * 234 :][:100, :200] for row in range(3) for column in range(7)]
    assert min(cell.std() for cell in cells) > 15
    assert len({cell.mean().round(3) for cell in cells}) == 21
    said = done("styles")
    assert "starry-night" in said


def test_segments(done):
    result = json.loads(done("segments", "--json"))
    assert result["segments"] == list(NAMES)
    assert {name: set(covered) for name, covered in result["groups"].items()} == {
        name: {NAMES[index] for index in members} for name, members in GROUPS.items()
    }
    assert "left-eye" in done("segments")


def test_models(done):
    result = {row["name"]: row for row in json.loads(done("models", "--json"))}
    assert set(result) == set(manifest())
    for name, row in result.items():
        assert row["sha256"] == manifest()[name].sha256
        assert row["licence"]
    assert manifest()["bisenet"].sha256[:20] in done("models")


def test_gallery(done, me, studio):
    out = me.with_name("page.png")
    arguments = ["--rows", "#ff0000, original", "--columns", "#00ff00,#0000ff,grey", "--tau", "inf"]
    result = json.loads(done("gallery", me, *arguments, "-o", out, "--json"))
    assert result == {"output": str(out), "rows": ["#ff0000", "original"], "columns": ["#00ff00", "#0000ff", "grey"]}
    page = read_photo(out).pixels
    assert page.shape[1] > 4 * 200
    assert page.shape[0] > 3 * 190
    portrait = studio.open(me)
    look = {"person": SegmentLook("#ff0000"), "background": SegmentLook("#0000ff")}
    expected = portrait.render(Look(look, tau=float("inf"))).pixels
    # One of the cells shows exactly the pair in the first row and second column.
    steps = [(y, x) for y in range(page.shape[0] - 189) for x in (2 * 210 + 10,)]
    assert any(np.array_equal(page[y : y + 190, x : x + 200], expected) for y, x in steps)


# --- mistakes ------------------------------------------------------------------------------------------------------


def png_header(width: int, height: int) -> bytes:
    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"\0")) + chunk(b"IEND", b"")


@pytest.fixture
def folder(me: Path) -> Path:
    """A folder with a photo and with everything that is not quite one."""
    here = me.parent
    Image.open(me).save(here / "whole.jpg")
    (here / "cut.jpg").write_bytes((here / "whole.jpg").read_bytes()[:-3000])
    (here / "text.jpg").write_text("not a picture")
    (here / "empty.png").touch()
    (here / "huge.png").write_bytes(png_header(30000, 30000))
    write_photo(here / "dot.png", np.zeros((1, 1, 3), np.uint8))
    write_photo(here / "old.png", np.zeros((9, 9, 3), np.uint8))
    (here / "bad.toml").write_text("tua = 3")
    (here / "folder").mkdir()
    return here


HAIR = ("--style", "hair=#f00")
PHOTO = ("photo", "me.png", *HAIR)
MISTAKES = [
    *((("photo", name, *HAIR), says) for name, says in [
        ("missing.jpg", "does not exist"), ("mee.png", "did you mean"), ("text.jpg", "is not a JPEG, PNG"),
        ("cut.jpg", "is damaged, cut off"), ("empty.png", "is empty"), ("huge.png", "30000 x 30000"),
        ("dot.png", "1x1 pixels, too small"), ("folder", "is a folder"),
    ]),
    *(((command, "missing.jpg", *more), "does not exist") for command, *more in [
        ("parse",), ("gallery", "--rows", "#fff", "--columns", "#000"),
    ]),
    *((("photo", "me.png", "--style", style), says) for style, says in [
        ("hair=cnady", "did you mean 'candy'?"), ("hair=qqqqqq", "selfieart styles"), ("hiar=candy", "'hair'?"),
        ("hair=", "is incomplete"), ("=candy", "is incomplete"), ("", "is incomplete"), ("hair=#12", "is no colour"),
        ("painting.jpg", "does not exist"), ("hair=a/b/c.tif", "does not exist"),
    ]),
    *(((*PHOTO, *options), says) for *options, says in [
        ("--tau", "0", "tau must be"), ("--tau", "-1", "tau must be"), ("--tau", "nan", "tau must be"),
        ("--tau", "soft", "tau must be"), ("--stroke", "huge", "stroke"), ("--stroke", "10", "64 to 4096"),
        ("--blend", "pixls", "did you mean 'pixels'?"), ("--faces", "0", "faces must be"),
        ("--faces", "few", "faces must be"), ("--strength", "2", "strength must be"),
        ("--strength", "hair=much", "must be a number"), ("--keep-color", "nan", "keep_color must be"),
        ("--feather", "lips=1", "--style lips=STYLE"), ("--feather", "21", "feather must be"),
        ("--look", "missing.toml", "cannot be read"),
        ("--look", "bad.toml", "did you mean 'tau'?"), ("--look", "me.png", "holds no look"),
        ("--look", "folder", "cannot be read"), ("-o", "out.gif", "'.gif'"), ("-o", "out", "no suffix"),
        ("-o", "old.png", "already exists"), ("-o", "me.png", "is the photo itself"),
        ("-o", "folder/../me.png", "is the photo itself"), ("-o", "none/out.png", "does not exist"),
        ("-o", "folder", "no suffix"), ("--save-look", "none/a.toml", "does not exist"),
        ("--save-look", "bad.toml", "already exists"), ("--overwrite", "-o", "me.png", "is the photo itself"),
        ("--overwrite", "--save-look", "me.png", "photo itself"),
        ("--overwrite", "-o", "a.png", "--save-look", "a.png", "different names"),
    ]),
    (("photo", "me.png"), "Nothing to paint"),
    *((("parse", "me.png", *options), says) for *options, says in [
        ("--faces", "none", "faces must be"), ("--labels", "a.jpg", "must be a PNG"),
        ("--labels", "a.png", "-o", "a.png", "different names"), ("--labels", "old.png", "already exists"),
        ("--labels", "me.png", "--overwrite", "is the photo itself"), ("-o", "none/a.png", "does not exist"),
    ]),
    *((("gallery", "me.png", *options), says) for *options, says in [
        ("--rows", " , ", "--columns", "candy", "--rows is empty"),
        ("--rows", "candy", "--columns", "wabe", "did you mean 'wave'?"),
        ("--rows", "candy", "--columns", "wave", "--column-segment", "people", "different segments"),
        ("--rows", "candy", "--columns", "wave", "--row-segment", "hiar", "'hair'?"),
        ("--rows", "candy", "--columns", "wave", "-o", "me.png", "is the photo itself"),
    ]),
    (("styles", "--sheet", "old.png"), "already exists"),
    (("styles", "--sheet", "none/a.png"), "does not exist"),
    (("demo", "-o", "old.png"), "already exists"),
]  # fmt: skip


@pytest.mark.parametrize(("arguments", "says"), MISTAKES, ids=lambda part: " ".join(part) if len(part[0]) > 1 else None)
def test_a_mistake_leaves_everything_as_it_was(run, folder, monkeypatch, arguments, says):
    monkeypatch.chdir(folder)
    before = contents(folder)
    code, out, err = run(*arguments)
    assert (code, out) == (2, "")
    assert err.startswith("Error: ")
    assert err.endswith("\n")
    assert is_one_sentence(err[:-1])
    assert says in err
    assert contents(folder) == before


@pytest.mark.parametrize(
    "arguments",
    [
        ["photo"],
        ["photo", "me.png", "--seed", "x"],
        ["photo", "me.png", "--stlye", "candy"],
        ["paint"],
        ["gallery", "me.png"],
    ],
)
def test_a_wrong_call_says_how_to_call(run, folder, monkeypatch, arguments):
    monkeypatch.chdir(folder)
    before = contents(folder)
    code, out, err = run(*arguments)
    assert (code, out) == (2, "")
    assert "Usage: " in err
    assert "Traceback" not in err
    assert contents(folder) == before


@pytest.mark.parametrize(("error", "expected"), [(Cancelled, 130), (KeyboardInterrupt, 130)])
def test_an_interruption_is_exit_code_130(run, me, monkeypatch, error, expected):
    def interrupted(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr("selfieart.render.studio.Portrait.render", interrupted)
    code, _, err = run("photo", me, *HAIR)
    assert code == expected
    assert "Traceback" not in err
    assert list(contents(me.parent)) == ["me.png"]


def test_a_parser_by_name(tmp_path, run, astronaut):
    path, labels = tmp_path / "me.png", tmp_path / "labels.png"
    write_photo(path, np.ascontiguousarray(astronaut[:320, 60:380]))
    code, out, _ = run("parse", str(path), "--labels", str(labels), "--parser", "segnet", "--json")
    assert code == 0
    assert {row["segment"] for row in json.loads(out)["segments"]} == {"background", "skin"}
    for command in (["parse"], ["photo", "--style", "candy"]):
        code, _, error = run(command[0], str(path), *command[1:], "--parser", "segnett")
        assert code == 2
        assert "did you mean 'segnet'" in error
