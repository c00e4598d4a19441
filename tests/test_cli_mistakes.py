"""The command line when it is asked for what cannot be done: one sentence, and everything stays as it was."""

from __future__ import annotations

import json
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from cli_runs import contents
from conftest import is_one_sentence
from selfieart.errors import Cancelled
from selfieart.imaging import write_photo

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

    monkeypatch.setattr("selfieart.render.portrait.Portrait.render", interrupted)
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
