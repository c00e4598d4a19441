"""One description of looks: TOML, JSON, the command line and the page read and refuse the same things."""

from __future__ import annotations

import copy
import json
import math
import pickle
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import tomli_w
from hypothesis import given

from conftest import is_one_sentence
from make_types import named_look
from selfieart import Look, SegmentLook
from selfieart.app.errors import RequestError
from selfieart.app.messages import look_from_json
from selfieart.cli.looks import look_from
from selfieart.errors import LookError, SelfieartError
from selfieart.look import Segments
from selfieart.look_schema import LARGEST_WHOLE, LOOK_OPTIONS, SEGMENT_OPTIONS
from selfieart.styles.resolve import resolve_style
from test_look import looks, refused

ROOT = Path(__file__).parents[1]
SHARED = json.loads((ROOT / "web" / "test" / "looks.json").read_text("utf-8"))
CASES = [pytest.param(case, id=json.dumps(case["data"])) for case in SHARED["cases"]]
READ = [case for case in CASES if "look" in case.values[0]]
REFUSED = [case for case in CASES if "refused" in case.values[0]]


def exists(style: str) -> bool:
    try:
        return bool(resolve_style(style))
    except SelfieartError:
        return False


def holds_null(data: Any) -> bool:
    return data is None or (isinstance(data, dict) and any(holds_null(value) for value in data.values()))


def command_line(data: dict[str, Any]) -> Look:
    """The same look as options of ``selfieart photo``."""
    segments = {
        name: {"style": worn} if isinstance(worn, str) else worn for name, worn in data.get("segments", {}).items()
    }
    styles = [f"{name}={worn['style']}" for name, worn in segments.items()]
    knobs = {
        knob: [f"{name}={worn[knob]}" for name, worn in segments.items() if knob in worn]
        for knob in ("strength", "keep_color", "feather")
    }
    options = {key: str(value) if key != "seed" else value for key, value in data.items() if key != "segments"}
    return look_from(styles, knobs, options, Look())


# --- the same everywhere -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("case", READ)
def test_toml_json_and_the_app_read_the_same(case, tmp_path):
    data, expected = case["data"], case["look"]
    look = Look.from_toml(tomli_w.dumps(data))
    assert look == Look.from_json(json.dumps(data)) == Look.from_data(data)
    assert named_look(look) == expected
    for name, text in (("a.toml", tomli_w.dumps(data)), ("a.json", f" {json.dumps(data)}")):
        (tmp_path / name).write_text(text, "utf-8")
        assert Look.load(tmp_path / name) == look
    # The app also looks styles up while it reads.
    if all(exists(worn.style) for worn in look.segments.values()):
        assert named_look(look_from_json(data, str)) == expected


@pytest.mark.parametrize("case", [case for case in READ if not isinstance(case.values[0]["data"].get("stroke"), float)])
def test_the_command_line_reads_the_same(case):
    assert command_line(case["data"]) == Look.from_data(case["data"])


@pytest.mark.parametrize("case", REFUSED)
def test_toml_json_and_the_app_refuse_the_same(case):
    data = case["data"]
    said = [str_of(lambda: Look.from_data(data)), str_of(lambda: Look.from_json(json.dumps(data)))]
    if isinstance(data, dict) and not holds_null(data):
        said.append(str_of(lambda: Look.from_toml(tomli_w.dumps(data))))
    said.append(str_of(lambda: look_from_json(data, str)))
    if said[-1].startswith("Unknown style ''"):
        # The app looks styles up while it reads.
        said.pop()
    assert set(said) == {case["refused"]}
    assert is_one_sentence(case["refused"])


def str_of(read) -> str:
    with pytest.raises((SelfieartError, RequestError)) as error:
        read()
    return str(error.value)


@pytest.mark.parametrize("value", [None, {}, []])
@pytest.mark.parametrize("key", ["tau", "blend", "stroke", "faces", "seed", "segments"])
def test_null_is_refused_and_so_is_what_has_no_kind(key, value):
    if (key, value) != ("segments", {}):
        assert is_one_sentence(str_of(lambda: Look.from_json(json.dumps({key: value}))))


@pytest.mark.parametrize(
    ("key", "text", "value"),
    [
        ("tau", " BINARY ", math.inf), ("tau", "inf", math.inf), ("tau", "2.5", 2.5), ("stroke", " 640", 640),
        ("stroke", "Large", "large"), ("faces", "2", 2), ("faces", "All", "all"), ("blend", "Features", "features"),
        ("seed", "-3", -3),
    ],
)  # fmt: skip
def test_values_as_a_person_writes_them(key, text, value):
    assert LOOK_OPTIONS[key].from_text(text) == value


@pytest.mark.parametrize(
    ("key", "text"), [("tau", "soft"), ("tau", ""), ("seed", "x"), ("stroke", "9" * 5000), ("faces", "9" * 99)]
)
def test_texts_that_are_no_value(key, text):
    assert is_one_sentence(str_of(lambda: LOOK_OPTIONS[key].from_text(text)))


def test_knobs_are_numbers():
    assert SEGMENT_OPTIONS["strength"].from_text("0.5") == 0.5
    assert str_of(lambda: SEGMENT_OPTIONS["strength"].from_text("much")) == "strength must be a number, not 'much'."


@pytest.mark.parametrize("text", ["tau = " + "9" * 5000, "seed = " + "9" * 400, "stroke = -" + "9" * 30])
def test_numbers_of_very_many_digits(text):
    assert is_one_sentence(refused(lambda: Look.from_toml(text), LookError))


def test_whole_numbers_end_where_json_and_noise_do():
    assert Look(seed=LARGEST_WHOLE).seed == Look.from_toml(f"seed = {LARGEST_WHOLE}").seed == LARGEST_WHOLE
    for seed in (LARGEST_WHOLE + 1, 10**5000):
        assert "seed must be" in refused(lambda seed=seed: Look(seed=seed), LookError)


@pytest.mark.parametrize("text", ["{", '{"tau": }', '{"a":' * 9999, "[1, 2]", "3"])
def test_what_is_no_json_look(text):
    assert is_one_sentence(refused(lambda: Look.from_json(text), LookError))


# --- looks never change --------------------------------------------------------------------------------------------

WORN = {"hair": SegmentLook("candy"), "face": SegmentLook("wave", strength=0.5), "lips": SegmentLook("blur")}


@given(looks)
def test_equal_looks_have_equal_hashes_and_keys(look):
    turned = Look(dict(reversed(list(look.segments.items()))), look.tau, look.blend, look.stroke, look.faces, look.seed)
    assert look == turned
    assert hash(look) == hash(turned)
    assert look.key == turned.key == Look.from_toml(look.to_toml()).key
    assert {look: 1}[turned] == 1
    again = pickle.loads(pickle.dumps(look))
    assert again == look
    assert hash(again) == hash(look)
    assert copy.deepcopy(look) == copy.copy(look) == look


def test_numbers_that_are_equal_have_one_key():
    assert Look(WORN, tau=3).key == Look(WORN, tau=3.0).key
    assert Look({"hair": SegmentLook("candy", strength=1)}).key == Look({"hair": SegmentLook("candy")}).key
    others = [
        Look(WORN),
        Look(WORN, tau=4),
        Look(WORN, seed=1),
        Look(),
        Look(WORN).wearing("hair", "wave"),
        Look(WORN, stroke=512),
    ]
    assert len({look.key for look in others}) == len({hash(look) for look in others}) == len(others)


def test_the_key_is_the_same_in_every_run():
    assert Look({"hair": SegmentLook("candy")}).key == "b213dfbec7938d13"


def test_segments_never_change():
    given_first = dict(WORN)
    look = Look(given_first)
    given_first["nose"] = SegmentLook("wave")
    assert dict(look.segments) == WORN
    assert list(look.segments) == list(WORN)
    for change in (
        lambda: look.segments.__setitem__("nose", SegmentLook("wave")),
        lambda: look.segments.__delitem__("hair"),
        lambda: setattr(look.segments, "_worn", {}),
        lambda: delattr(look.segments, "_worn"),
        lambda: setattr(look, "tau", 4),
        lambda: setattr(look.segments["hair"], "style", "wave"),
    ):
        with pytest.raises(AttributeError):
            change()
    assert look.segments == Segments(dict(reversed(WORN.items()))) == WORN
    assert repr(look.segments) == repr(WORN)
    assert Segments() == {}


# --- what the page knows -------------------------------------------------------------------------------------------


def test_the_page_has_the_types_of_this_library():
    made = subprocess.run(
        [sys.executable, ROOT / "tools" / "make_types.py", "--check"], capture_output=True, text=True, check=False
    )
    assert made.returncode == 0, f"{made.stdout}{made.stderr}differs: run 'make types' and commit."


def test_every_option_is_a_field():
    from dataclasses import fields

    assert [field.name for field in fields(Look)] == ["segments", *LOOK_OPTIONS]
    assert [field.name for field in fields(SegmentLook)] == list(SEGMENT_OPTIONS)
    for field in fields(Look)[1:]:
        assert LOOK_OPTIONS[field.name].default == field.default
        assert LOOK_OPTIONS[field.name].checked(field.default) == field.default
    for field in fields(SegmentLook)[1:]:
        assert SEGMENT_OPTIONS[field.name].default == field.default
