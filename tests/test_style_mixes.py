"""Mixes of styles: how they are written, and that their codes are the weighted sums."""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from conftest import is_one_sentence, wrong
from selfieart import Look, SegmentLook
from selfieart.app.messages import known_style, pictures_in, restyled
from selfieart.cli.looks import look_from
from selfieart.errors import LookError, SelfieartError, UnknownName
from selfieart.imaging import write_photo
from selfieart.sheets.gallery import swatch
from selfieart.style_names import MOST_PARTS, mix_parts, spelled
from selfieart.styles.codes import StyleCodes
from selfieart.styles.presets import presets
from selfieart.styles.resolve import ResolvedStyle, resolve_style

SIZE = 8


class Encoder:
    """Codes that say where they come from: presets by their place, files by their content."""

    def __init__(self) -> None:
        self.read: list[Path] = []

    def preset(self, name: str) -> np.ndarray:
        return np.random.default_rng(list(presets()).index(name)).normal(size=SIZE).astype(np.float32)

    def file(self, path: Path) -> np.ndarray:
        self.read.append(path)
        digest = hashlib.sha256(path.read_bytes()).digest()
        return np.frombuffer(digest[:SIZE], np.uint8).astype(np.float32) / np.float32(255)


@pytest.fixture
def encoder():
    return Encoder()


@pytest.fixture
def codes(encoder):
    return StyleCodes(encoder.preset, encoder.file, encoder.file)


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """Where the program runs."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def preset(name: str) -> ResolvedStyle:
    return ResolvedStyle("preset", name)


# --- how they are written ------------------------------------------------------------------------------------------


def test_a_mix_is_its_parts_by_name_with_weights_that_sum_to_one():
    mix = resolve_style("wave:2 + Candy:3")
    assert mix == ResolvedStyle("mix", "candy:0.6+wave:0.4", parts=((preset("candy"), 0.6), (preset("wave"), 0.4)))
    assert mix.painted
    assert mix.pure == mix.parts
    assert preset("candy").pure == ((preset("candy"), 1.0),)


@pytest.mark.parametrize(
    "style",
    ["candy:0.6+wave:0.4", "wave:0.4+candy:0.6", "candy:3+wave:2", "candy:.6 + wave:.4", "Candy:60+Wave:40",
     "candy:1+wave:2+candy:2", "candy:6.+wave:4"],
)  # fmt: skip
def test_all_ways_to_write_a_mix_are_one_mix(style):
    assert resolve_style(style) == resolve_style("candy:0.6+wave:0.4")


@pytest.mark.parametrize("style", ["candy:1", "candy:0.001", "candy+candy", "candy:1+candy:5", " Candy : 2 "])
def test_a_mix_of_one_style_is_that_style(style):
    assert resolve_style(style) == preset("candy")


def test_without_weights_all_count_the_same():
    mix = resolve_style("wave+udnie+candy")
    assert [part.name for part, _ in mix.parts] == ["candy", "udnie", "wave"]
    assert [weight for _, weight in mix.parts] == pytest.approx([1 / 3] * 3, abs=1e-6)


@given(st.dictionaries(st.sampled_from(sorted(presets())), st.floats(0.001, 1000), min_size=1, max_size=MOST_PARTS))
def test_the_name_of_a_mix_is_that_mix(weights):
    mix = resolve_style("+".join(f"{name}:{weight:.6f}" for name, weight in weights.items()))
    again = resolve_style(mix.name)
    assert again == mix
    assert again.painted
    for part, weight in mix.pure:
        assert weight == pytest.approx(weights[part.name] / sum(weights.values()), abs=2e-6)
    assert sum(weight for _, weight in mix.pure) == pytest.approx(1)


@pytest.mark.parametrize(
    ("style", "message", "kind"),
    [
        ("candy+", "has an empty part", LookError),
        ("+candy", "has an empty part", LookError),
        ("candy++wave", "has an empty part", LookError),
        ("candy:", "weight of 'candy' must be a number greater than 0, not ''", LookError),
        (":0.5", "weight of '' must be", LookError),
        ("candy:much+wave:1", "greater than 0, not 'much'", LookError),
        ("candy:0+wave:1", "greater than 0, not '0'", LookError),
        ("candy:-1+wave:2", "greater than 0, not '-1'", LookError),
        ("candy:nan+wave:2", "greater than 0, not 'nan'", LookError),
        ("candy:1e3+wave:2", "greater than 0, not '1e3'", LookError),
        ("candy:٣+wave:2", "greater than 0", LookError),
        (f"candy:{'9' * 400}+wave:1", "greater than 0", LookError),
        ("candy:0.6+wave", "only some styles have a weight", LookError),
        ("candy+grey", "'grey' cannot be mixed", LookError),
        ("original:0.5+candy:0.5", "'original' cannot be mixed", LookError),
        ("candy+#ff0000", "'#ff0000' cannot be mixed", LookError),
        ("candy+#ff", "is no colour", LookError),
        ("candy+wvae", "did you mean 'wave'", UnknownName),
        ("cnady:0.5", "did you mean 'candy'", UnknownName),
        ("candy+missing.jpg", "file missing.jpg does not exist", SelfieartError),
        ("me+you.jpg", r"file me\+you.jpg does not exist", SelfieartError),
        ("C:\\x.jpg:0.5+candy:0.5", r"file C:\\x.jpg does not exist", SelfieartError),
        ("+".join(["candy"] * (MOST_PARTS + 1)), f"give at most {MOST_PARTS}", LookError),
        ("+" * 100_000, f"give at most {MOST_PARTS}", LookError),
    ],
)
def test_what_is_no_mix_is_refused_with_one_sentence(style, message, kind):
    wrong(message, resolve_style, style, error=kind)


@given(st.text(max_size=40) | st.text("candywave:+.0123456789 #", max_size=40))
def test_any_text_is_a_style_or_an_error_that_says_why(style):
    try:
        assert resolve_style(resolve_style(style).name) is not None
    except SelfieartError as error:
        assert "\n" not in str(error)


# --- files ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name", ["a+b.jpg", "candy:0.5.jpg", "C:\\x.jpg", "candy+wave.png", "a:1+b:2.webp", "+.jpg", "#f00.jpg"]
)
def test_a_file_that_exists_wins_over_the_grammar(folder, name):
    (folder / name).write_bytes(b"")
    assert resolve_style(name) == ResolvedStyle("picture", name)
    mix = resolve_style(f"candy:1+{name}:3")
    assert dict(mix.parts) == {preset("candy"): 0.25, ResolvedStyle("picture", name): 0.75}
    assert resolve_style(f"{name}+candy").parts == resolve_style(f"candy+{name}").parts
    assert resolve_style(mix.name) == mix


def test_a_file_with_the_name_of_a_part_and_its_weight(folder):
    for name in ("x.jpg", "a", "a/x.jpg:1"):
        (folder / "a").mkdir(exist_ok=True) if name == "a" else (folder / name).write_bytes(b"")
    assert resolve_style("a/x.jpg:1") == ResolvedStyle("picture", "a/x.jpg:1")
    assert resolve_style("x.jpg:1") == ResolvedStyle("picture", "x.jpg")


def test_a_look_finds_the_pictures_of_its_mixes_beside_it(folder):
    (folder / "looks" / "art").mkdir(parents=True)
    (folder / "looks" / "art" / "a+b.jpg").write_bytes(b"")
    worn = {"hair": SegmentLook("candy:0.6+art/a+b.jpg:0.4"), "lips": SegmentLook("candy:.5+away.jpg:.5")}
    worn |= {"skin": SegmentLook("candy:much")}
    Look(worn).save(folder / "looks" / "sea.toml")
    loaded = Look.load("looks/sea.toml")
    assert {name: segment.style for name, segment in loaded.segments.items()} == {
        "hair": f"candy:0.6+{Path('looks/art/a+b.jpg')}:0.4", "lips": "candy:.5+away.jpg:.5", "skin": "candy:much"
    }  # fmt: skip
    assert resolve_style(loaded.segments["hair"].style).parts[1][0].name == str(Path("looks/art/a+b.jpg"))


# --- codes ---------------------------------------------------------------------------------------------------------


def test_the_code_of_a_mix_is_the_weighted_sum(codes, encoder):
    key, code = codes.code("candy:0.6+wave:0.4")
    assert key == "candy:0.6+wave:0.4"
    assert code.dtype == np.float32
    expected = 0.6 * encoder.preset("candy").astype(np.float64) + 0.4 * encoder.preset("wave")
    assert np.abs(code - expected).max() < 1e-6


def test_a_mix_of_one_style_has_its_code(codes):
    for style in ("candy:1", "candy+candy"):
        key, code = codes.code(style)
        assert (key, code.tolist()) == ("candy", codes.code("candy")[1].tolist())


def test_order_and_scale_of_a_mix_do_not_matter(codes):
    first = codes.code("candy:0.6+wave:0.3+udnie:0.1")
    for style in ("udnie:1+wave:3+candy:6", "wave:0.3+udnie:0.1+candy:0.6"):
        key, code = codes.code(style)
        assert key == first[0]
        assert np.array_equal(code, first[1])


def test_files_are_named_by_their_content_and_read_once(codes, encoder, folder):
    for name, content in (("a.jpg", b"one"), ("b.jpg", b"one"), ("c.jpg", b"two"), ("d.safetensors", b"one")):
        (folder / name).write_bytes(content)
    key, code = codes.code("a.jpg")
    assert key == f"sha256:{hashlib.sha256(b'one').hexdigest()}"
    assert codes.code("b.jpg") == (key, code)
    assert codes.code(resolve_style("a.jpg"))[1] is code
    assert encoder.read == [Path("a.jpg")]
    assert codes.code("c.jpg")[0] != key
    codes.code("d.safetensors")
    assert len(encoder.read) == 3
    mixed, half = codes.code("c.jpg+a.jpg")
    assert mixed == codes.code("b.jpg:0.5+c.jpg:0.5")[0]
    assert np.allclose(half, (code + codes.code("c.jpg")[1]) / 2)
    # Two names of one picture are that picture.
    assert codes.code("a.jpg+b.jpg") == (key, code)
    assert len(encoder.read) == 3


def test_a_file_that_changes_is_read_again(codes, encoder, folder):
    (folder / "a.jpg").write_bytes(b"one")
    before = codes.code("a.jpg")[0]
    (folder / "a.jpg").write_bytes(b"two")
    os.utime("a.jpg", ns=(1, 1))
    assert codes.code("a.jpg")[0] != before
    assert len(encoder.read) == 2


def test_what_has_no_code(codes, folder):
    (folder / "a.jpg").write_bytes(b"one")
    gone = resolve_style("a.jpg")
    (folder / "a.jpg").unlink()
    wrong("a.jpg cannot be read", codes.code, gone)
    for style in ("grey", "#f00", "original"):
        wrong("is not painted", codes.code, style)
    wrong("did you mean 'candy'", codes.code, "cnady", error=UnknownName)


def test_the_studio_paints_mixes(studio, folder, texture):
    write_photo(folder / "bark.png", texture)
    candy, wave, bark = (studio.code(style)[1] for style in ("candy", "wave", "bark.png"))
    key, code = studio.code("candy:0.5+bark.png:0.3+wave:0.2")
    assert key.startswith("candy:0.5+sha256:")
    assert np.abs(np.asarray(code - (0.5 * candy + 0.3 * bark + 0.2 * wave))).max() < 1e-5


def test_a_picture_painted_in_a_mix_lies_between(studio, person):
    portrait = studio.open(person)

    def painted(style: str) -> np.ndarray:
        return portrait.render(Look({"everything": SegmentLook(style)}, stroke=96)).pixels.astype(int)

    candy, mixed, wave = painted("candy"), painted("candy:0.5+wave:0.5"), painted("wave")
    apart = np.abs(candy - wave).mean()
    assert apart > 5
    assert np.abs(candy - mixed).mean() < apart
    assert np.abs(wave - mixed).mean() < apart
    assert np.array_equal(painted("candy:1"), candy)
    assert np.array_equal(painted("wave:2+candy:2"), mixed)


# --- wherever a style is named -------------------------------------------------------------------------------------


def test_the_command_line_takes_mixes():
    look = look_from(["hair=candy:0.6+wave:0.4", "udnie+wave"], {}, {}, Look())
    assert {name: worn.style for name, worn in look.segments.items()} == {
        "hair": "candy:0.6+wave:0.4", "everything": "udnie+wave"
    }  # fmt: skip
    assert Look.from_toml(look.to_toml()) == Look.from_json(json.dumps({"segments": {
        "hair": "candy:0.6+wave:0.4", "everything": {"style": "udnie+wave"}}})) == look  # fmt: skip


def test_the_swatch_of_a_mix_shows_its_parts():
    mixed, candy, wave = swatch("candy:0.75+wave:0.25"), swatch("candy"), swatch("wave")
    assert mixed.shape == (256, 256, 3)
    assert mixed.dtype == np.uint8
    assert abs(mixed[:, :180].mean() - candy[:, : int(candy.shape[1] * 0.7)].mean()) < 3
    assert abs(mixed[:, 192:].mean() - wave[:, wave.shape[1] * 3 // 4 :].mean()) < 3


def test_the_app_knows_the_parts_of_mixes(folder):
    path = str(folder / "x1.jpg")
    Path(path).write_bytes(b"")
    on_disk = {"style:12345": path}.__getitem__
    assert known_style("Starry Night", on_disk) == "starry-night"
    assert known_style("wave:2+Candy:3", on_disk) == "candy:0.6+wave:0.4"
    assert resolve_style(known_style("style:12345:1+candy:3", on_disk)).parts == (
        (ResolvedStyle("picture", path), 0.25), (preset("candy"), 0.75)
    )  # fmt: skip
    with pytest.raises(SelfieartError) as error:
        known_style(f"candy+{path}", on_disk)
    assert is_one_sentence(str(error.value))


def test_pictures_in_mixes_are_called_otherwise(folder):
    def key(style: str) -> str:
        # As the app does it: presets by their names, pictures by the names of their files.
        if spelled(style) in presets():
            return style
        known = {"kelp.jpg": "style:1", "a+b.jpg": "style:2"}
        if Path(style).name not in known:
            raise UnknownName("No.")
        return known[Path(style).name]

    def other(style: str) -> str | None:
        worn = restyled(Look({"hair": SegmentLook(style)}), key).segments
        return worn["hair"].style if worn else None

    assert other("candy:0.6+art/kelp.jpg:0.4") == "candy:0.6+style:1:0.4"
    assert other("candy+art/kelp.jpg") == "candy+style:1"
    assert other("a+b.jpg") == "style:2"
    assert other("Candy:1+a+b.jpg:2") == "candy:1+style:2:2"
    assert other("candy+away.jpg") is None
    assert pictures_in("candy:0.5+art/away.jpg:0.5") == ["away.jpg"]
    assert pictures_in("art/away.jpg") == ["away.jpg"]
    private = str(folder / "x+y" / "p.jpg")
    worn = Look({"hair": SegmentLook(f"{private}:0.5+candy:0.5")})
    named = restyled(worn, lambda name: "kelp.jpg" if name == private else name)
    assert named.segments["hair"].style == "kelp.jpg:0.5+candy:0.5"


def test_parts_as_they_are_written():
    assert mix_parts(" Starry Night ") == (("Starry Night", None),)
    assert mix_parts("style:12345") == (("style:12345", None),)
    assert mix_parts("style:12345:2+candy:1") == (("style:12345", 2.0), ("candy", 1.0))
    assert mix_parts("a+b:2", lambda name: name == "a+b") == (("a+b", 2.0),)
