"""Looks: TOML there and back, what is refused and how, and what a style's name means."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from conftest import is_one_sentence
from selfieart import Look, SegmentLook
from selfieart.errors import ImageError, LookError, SelfieartError, UnknownName
from selfieart.imaging import write_photo
from selfieart.look import PNG_KEY, STROKES, parse_color, tau_from_text
from selfieart.segments import GROUPS, NAMES
from selfieart.styles.presets import preset, presets
from selfieart.styles.resolve import ResolvedStyle, resolve_style

texts = st.text(st.characters(exclude_categories=["Cs"]), min_size=1)
worn = st.builds(
    SegmentLook,
    st.one_of(st.sampled_from(["candy", "blur", "#ff8800"]), texts),
    strength=st.one_of(st.sampled_from([0, 1]), st.floats(0, 1)),
    keep_color=st.floats(0, 1),
    feather=st.one_of(st.integers(0, 20), st.floats(0, 20)),
)
looks = st.builds(
    Look,
    st.dictionaries(st.sampled_from([*NAMES, *GROUPS]), worn, max_size=6),
    tau=st.one_of(st.integers(1, 99), st.floats(0, exclude_min=True), st.just(math.inf)),
    blend=st.sampled_from(["pixels", "features"]),
    stroke=st.one_of(st.sampled_from(list(STROKES)), st.integers(64, 4096)),
    faces=st.one_of(st.sampled_from(["all", "largest"]), st.integers(1, 99)),
    seed=st.integers(-(2**31), 2**31),
)


def refused(make, kind):
    """The message of the error that it must raise."""
    with pytest.raises(SelfieartError) as error:
        make()
    assert type(error.value) is kind
    assert is_one_sentence(str(error.value))
    return str(error.value)


# --- there and back ------------------------------------------------------------------------------------------------


@given(looks)
def test_toml_there_and_back(look):
    again = Look.from_toml(look.to_toml())
    assert again == look
    assert again.to_toml() == look.to_toml()


@settings(max_examples=15)
@given(look=looks)
def test_files_there_and_back(tmp_path_factory, look):
    folder = tmp_path_factory.mktemp("looks")
    assert Look.load(look.save(folder / "a.toml")) == look
    pixels = np.zeros((4, 4, 3), np.uint8)
    if "\0" not in look.to_toml():
        assert Look.load(write_photo(folder / "a.PNG", pixels, text={PNG_KEY: look.to_toml()})) == look


def test_toml_says_what_is_not_the_default():
    look = Look({"hair": SegmentLook("candy", feather=2)}, seed=3)
    assert look.to_toml().split("\n") == [
        "tau = 3.0", "seed = 3", "", "[segments.hair]", 'style = "candy"', "feather = 2", "",
    ]  # fmt: skip


def test_toml_as_a_person_writes_it():
    text = """
        tau = inf
        faces = "largest"
        [segments]
        Hair = "wave"
        [segments."left eye"]
        style = "#f80"
        keep_color = 1
    """
    expected = {"hair": SegmentLook("wave"), "left-eye": SegmentLook("#f80", keep_color=1.0)}
    assert Look.from_toml(text) == Look(expected, tau=math.inf, faces="largest")


def test_the_order_of_segments_does_not_count():
    worn = {"hair": SegmentLook("candy"), "face": SegmentLook("wave"), "lips": SegmentLook("blur")}
    assert Look(worn) == Look(dict(reversed(worn.items())))


def test_wearing_makes_another_look():
    look = Look({"hair": SegmentLook("candy")}, tau=5)
    other = look.wearing("Cloth", "wave", strength=0.5).wearing("hair", "blur")
    assert other == Look({"hair": SegmentLook("blur"), "clothes": SegmentLook("wave", strength=0.5)}, tau=5)
    assert look == Look({"hair": SegmentLook("candy")}, tau=5)


def test_saving_replaces_nothing_unasked(tmp_path):
    path = Look().save(tmp_path / "a.toml")
    message = refused(lambda: Look(seed=1).save(path), ImageError)
    assert "already exists" in message
    assert Look.load(path) == Look()
    Look(seed=1).save(path, overwrite=True)
    assert Look.load(path).seed == 1


# --- what is refused -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("value", [-0.1, 1.01, math.nan, math.inf, True, "1", None])
@pytest.mark.parametrize("name", ["strength", "keep_color"])
def test_shares_are_from_0_to_1(name, value):
    assert f"{name} must be a number from 0 to 1" in refused(lambda: SegmentLook("candy", **{name: value}), LookError)


@pytest.mark.parametrize("value", [-1, 20.5, math.nan, False, "2"])
def test_feather_is_from_0_to_20(value):
    assert "feather must be a number from 0 to 20" in refused(lambda: SegmentLook("candy", feather=value), LookError)


@pytest.mark.parametrize("style", ["", 3, None, ["candy"]])
def test_a_style_is_a_name(style):
    assert "style must be" in refused(lambda: SegmentLook(style), LookError)


@pytest.mark.parametrize(
    ("option", "value", "kind", "says"),
    [
        *(("tau", value, LookError, "tau must be") for value in (0, -1, math.nan, -math.inf, True, "3", None, [3])),
        ("blend", "pixel", UnknownName, "did you mean 'pixels'?"),
        ("blend", 3, UnknownName, "choose one of pixels, features"),
        ("blend", ["pixels"], UnknownName, "pixels"),
        *(("stroke", value, LookError, "64 to 4096") for value in (63, 0, -512, 4097)),
        *(("stroke", value, LookError, "stroke must be") for value in (True, 512.0, None, [512])),
        ("stroke", "mediun", UnknownName, "did you mean 'medium'?"),
        ("stroke", "enormous", UnknownName, "small, medium, large"),
        *(("faces", value, LookError, "faces must be") for value in (0, -1, True, 1.0, "two", "Largest", [1], None)),
        *(("seed", value, LookError, "seed must be") for value in (1.0, True, "1", None)),
    ],
)
def test_bad_options(option, value, kind, says):
    assert says in refused(lambda: Look(**{option: value}), kind)


def test_bad_segments():
    hair = SegmentLook("candy")
    assert "did you mean 'hair'?" in refused(lambda: Look({"hiar": hair}), UnknownName)
    assert "'clothes' is given twice" in refused(lambda: Look({"cloth": hair, "clothes": hair}), LookError)
    assert "must hold a SegmentLook, not str" in refused(lambda: Look({"hair": "candy"}), LookError)


@pytest.mark.parametrize(
    ("text", "kind", "says"),
    [
        ("tau 3", LookError, "not valid TOML"),
        ("tau = 3\ntau = 4", LookError, "not valid TOML"),
        ("x = " + "[" * 9999, LookError, "not valid TOML"),
        ("tua = 3", UnknownName, "did you mean 'tau'?"),
        ("colour = 3", UnknownName, "choose one of segments, tau, blend, stroke, faces, seed."),
        ("[segments.hair]\nstyle = 'candy'\nstrenght = 1", UnknownName, "did you mean 'strength'?"),
        ("[segments.hair]\nstrength = 1", LookError, "needs a style"),
        ("[segments]\nhair = 3", LookError, "needs a style"),
        ("segments = 'candy'", LookError, "must be tables"),
        ("[segments.hair]\nstyle = 3", LookError, "style must be"),
        ("[segments.hair]\nstyle = 'candy'\nfeather = '3'", LookError, "feather must be a number"),
        ("[segments]\nhiar = 'candy'", UnknownName, "did you mean 'hair'?"),
        ('[segments]\n"ha\\nir" = "candy"', UnknownName, "did you mean 'hair'?"),
        ("tau = '3'", LookError, "tau must be a number"),
        ("tau = nan", LookError, "tau must be a number"),
        ("faces = true", LookError, "faces must be"),
        ("stroke = 1979-05-27", LookError, "stroke must be"),
        ("blend = {}", UnknownName, "pixels, features"),
    ],
)
def test_bad_toml(tmp_path, text, kind, says):
    assert says in refused(lambda: Look.from_toml(text), kind)
    path = tmp_path / "bad.toml"
    path.write_text(text, "utf-8")
    message = refused(lambda: Look.load(path), kind)
    assert says in message
    assert str(path) in message


def test_files_that_hold_no_look(tmp_path):
    (tmp_path / "binary.toml").write_bytes(b"\xff\xfe\x00")
    write_photo(tmp_path / "plain.png", np.zeros((4, 4, 3), np.uint8))
    write_photo(tmp_path / "odd.png", np.zeros((4, 4, 3), np.uint8), text={PNG_KEY: "tua = 3"})
    assert "it is not text" in refused(lambda: Look.load(tmp_path / "binary.toml"), LookError)
    assert "holds no look" in refused(lambda: Look.load(tmp_path / "plain.png"), LookError)
    assert "did you mean 'tau'?" in refused(lambda: Look.load(tmp_path / "odd.png"), UnknownName)
    assert "cannot be read" in refused(lambda: Look.load(tmp_path / "missing.toml"), LookError)
    assert "cannot be read" in refused(lambda: Look.load(tmp_path), LookError)
    assert "does not exist" in refused(lambda: Look.load(tmp_path / "missing.png"), ImageError)


@pytest.mark.parametrize("name", ["nul\0.toml", "nul\0.png", "long" * 99 + ".toml"])
def test_names_that_no_file_can_have(tmp_path, name):
    with pytest.raises(SelfieartError, match="cannot be read"):
        Look.load(tmp_path / name)


@given(st.text(max_size=60))
def test_any_text_is_a_look_or_an_error_that_says_why(text):
    try:
        Look.from_toml(text)
    except SelfieartError as error:
        assert "\n" not in str(error)


# --- colours, tau, styles ------------------------------------------------------------------------------------------


@given(st.tuples(*[st.integers(0, 255)] * 3))
def test_colors_of_six_digits(color):
    text = "#{:02x}{:02x}{:02x}".format(*color)
    assert parse_color(text) == parse_color(text.upper()) == color


@given(st.tuples(*[st.integers(0, 15)] * 3))
def test_colors_of_three_digits(color):
    assert parse_color("#{:x}{:X}{:x}".format(*color)) == tuple(17 * value for value in color)


@pytest.mark.parametrize("text", ["#", "#12", "#1234", "#12345", "#1234567", "#ggg", "#ff 800", "#12345٣"])
def test_what_begins_like_a_color_but_is_none(text):
    assert "is no colour: write #rrggbb" in refused(lambda: parse_color(text), LookError)


@pytest.mark.parametrize("text", ["", "candy", "fff", "red", " #fff"])
def test_what_is_no_color(text):
    assert parse_color(text) is None


@pytest.mark.parametrize(
    ("text", "tau"),
    [("3", 3), ("0.5", 0.5), (" 1e2 ", 100), ("inf", math.inf), ("Binary", math.inf), (" binary ", math.inf)],
)
def test_tau_as_text(text, tau):
    assert tau_from_text(text) == tau


@pytest.mark.parametrize("text", ["", "sharp", "3,5", "0x3", "--1"])
def test_tau_that_is_no_number(text):
    assert "tau must be a number, inf or binary" in refused(lambda: tau_from_text(text), LookError)


@pytest.mark.parametrize(
    ("style", "resolved"),
    [
        ("original", ResolvedStyle("original", "original")),
        ("None", ResolvedStyle("original", "original")),
        ("gray", ResolvedStyle("grey", "grey")),
        ("Blur", ResolvedStyle("blur", "blur")),
        ("#00f", ResolvedStyle("color", "#00f", (0, 0, 255))),
        (" Starry Night", ResolvedStyle("preset", "starry-night")),
        ("rain_princess", ResolvedStyle("preset", "rain-princess")),
    ],
)
def test_what_a_style_means(style, resolved):
    assert resolve_style(style) == resolved


def test_every_preset_is_a_style_with_a_picture():
    for name in presets():
        assert resolve_style(name) == ResolvedStyle("preset", name)
        assert preset(name).title
        assert preset(name).artist
        assert preset(name).thumbnail.read_bytes()[:3] == b"\xff\xd8\xff"


@pytest.mark.parametrize("style", ["me.jpg", "a/b.PNG", "C:\\paintings\\x.webp", "./candy", "mine.safetensors"])
def test_a_file_that_does_not_exist_is_no_style(style):
    message = refused(lambda: resolve_style(style), SelfieartError)
    assert f"The style file {style} does not exist" in message


def test_files_are_styles(tmp_path):
    for name, kind in (("kelp.JPG", "picture"), ("mine.safetensors", "code"), ("x.webp", "picture")):
        path = tmp_path / name
        path.write_bytes(b"")
        assert resolve_style(str(path)) == ResolvedStyle(kind, str(path))
        assert resolve_style(str(path)).painted
    assert not resolve_style("blur").painted


def test_a_look_finds_its_pictures_beside_it(tmp_path, monkeypatch):
    folder = tmp_path / "looks"
    (folder / "art").mkdir(parents=True)
    (folder / "art" / "kelp.jpg").write_bytes(b"")
    worn = {"hair": SegmentLook("art/kelp.jpg"), "lips": SegmentLook("elsewhere.jpg"), "skin": SegmentLook("candy")}
    Look(worn).save(folder / "sea.toml")
    monkeypatch.chdir(tmp_path)
    loaded = Look.load("looks/sea.toml")
    assert {name: segment.style for name, segment in loaded.segments.items()} == {
        "hair": str(Path("looks/art/kelp.jpg")), "lips": "elsewhere.jpg", "skin": "candy"
    }  # fmt: skip


@pytest.mark.parametrize("look_up", [resolve_style, preset])
def test_unknown_styles(look_up):
    assert "did you mean 'starry-night'?" in refused(lambda: look_up("stary-nigth"), UnknownName)
    assert "selfieart styles" in refused(lambda: look_up("qqqqqq"), UnknownName)
