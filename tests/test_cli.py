"""The command line: what it writes, what it says, and that nothing but one sentence comes of a mistake."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

import selfieart
from cli_runs import QUICK, contents, spawned
from selfieart import Look, SegmentLook
from selfieart.imaging import read_photo, write_photo
from selfieart.segments import GROUPS, NAMES
from selfieart.styles.presets import presets
from selfieart.weights import manifest

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


@pytest.mark.parametrize("encoding", ["ascii", "utf-8"])
def test_names_that_the_output_has_no_letters_for_do_not_end_a_command(tmp_path, monkeypatch, encoding):
    monkeypatch.setenv("PYTHONIOENCODING", encoding)
    script = (
        "import sys\nfrom selfieart.cli import main\nfrom selfieart.cli.console import plain_console\n"
        "sys.modules['selfieart.cli.main'].app = lambda _: plain_console().print('m\\xfc\\udcfe.jpg')\nmain()"
    )
    finished = spawned("-c", script, folder=tmp_path)
    assert (finished.returncode, finished.stderr) == (0, "")
    assert finished.stdout == {"ascii": "m\\xfc\\udcfe.jpg\n", "utf-8": "m\xfc\\udcfe.jpg\n"}[encoding]


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
