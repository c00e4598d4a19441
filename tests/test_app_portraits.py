"""What the app needs of the library: portraits seen at another size, corrected, and painted by other methods."""

from __future__ import annotations

import gc
import weakref

import numpy as np
import pytest

from conftest import DrawnParser, is_one_sentence
from selfieart import Look, Portrait
from selfieart.errors import SelfieartError, UnknownName
from selfieart.imaging import Photo
from selfieart.imaging.resize import resize
from selfieart.parsing.parsing import Parsing
from selfieart.render.layers import PaintedLayer, Patch
from selfieart.segments import INDEX, NAMES


@pytest.fixture
def parsing(drawn_labels):
    picture = np.random.default_rng(3).random((3, 60, 90), np.float32)
    return DrawnParser(drawn_labels).parse(picture)


def test_a_correction_is_added_to_one_class(parsing):
    bias = np.zeros((30, 45), np.float32)
    bias[:10] = 2.5
    corrected = parsing.corrected({"hair": bias, "left-eye": -bias})
    change = corrected.logits - parsing.logits
    wanted = resize(bias[None], (60, 90))[0]
    assert np.allclose(change[INDEX["hair"]], wanted, atol=1e-5)
    assert np.allclose(change[INDEX["left-eye"]], -wanted, atol=1e-5)
    others = [INDEX[name] for name in NAMES if name not in ("hair", "left-eye")]
    assert not change[others].any()
    assert (change[INDEX["hair"], :18] == 2.5).all()
    assert np.array_equal(parsing.corrected({}).logits, parsing.logits)


def test_corrections_that_make_no_sense_are_refused(parsing):
    plain = np.zeros((60, 90), np.float32)
    with pytest.raises(UnknownName, match="did you mean 'hair'"):
        parsing.corrected({"hari": plain})
    for bias in ({"face": plain}, {"hair": plain + np.nan}, {"hair": plain[0]}, {"hair": plain[:0]}):
        with pytest.raises(SelfieartError) as error:
            parsing.corrected(bias)
        assert is_one_sentence(str(error.value))


def test_a_painting_over_a_smaller_copy_is_the_reduced_painting():
    shades = np.outer(np.linspace(1, 0.2, 120), np.linspace(0, 1, 200)).astype(np.float32)[None].repeat(3, 0)
    patch = Patch(np.ones((3, 80, 80), np.float32), 20, 40, 100, 120)
    for layer in (PaintedLayer(shades, 120, 200, (patch,)), PaintedLayer(shades, 240, 400)):
        full = layer.rows(np.zeros((3, 1, 1), np.float32), 0, layer.height)
        small = layer.at_size(30, 50)
        assert (small.height, small.width) == (30, 50)
        assert small.bytes <= 3 * 4 * (30 * 50 + 20 * 20)
        wanted = resize(full, (30, 50))
        got = small.rows(np.zeros((3, 1, 1), np.float32), 0, 30)
        # The soft border of a patch is drawn at the smaller size instead of reduced.
        assert np.abs(got - wanted).max() < 0.05
        assert np.abs(got - wanted).mean() < 0.004
        assert layer.at_size(layer.height, layer.width) is layer


@pytest.fixture
def drawn(studio, drawn_labels, monkeypatch):
    """A portrait whose segments are known."""
    monkeypatch.setattr(studio, "parser", DrawnParser(drawn_labels))
    pixels = np.random.default_rng(5).integers(0, 256, (60, 90, 3), dtype=np.uint8)
    return studio.open(pixels)


def test_a_corrected_portrait_shares_what_is_painted(drawn):
    look = Look(tau=float("inf"), stroke=64).wearing("hat", "candy")
    plain = drawn.render(look)
    assert np.array_equal(plain.pixels, drawn.photo.pixels)
    bias = np.zeros((60, 90), np.float32)
    bias[10:30, 10:30] = 99
    corrected = drawn.corrected({"hat": bias})
    art = corrected.render(look).pixels
    painted = (drawn.layer("candy", look).rows(None, 0, 60).transpose(1, 2, 0) * 255).round()
    assert np.abs(art[14:26, 14:26] - painted[14:26, 14:26]).max() <= 1
    assert np.array_equal(art[40:], drawn.photo.pixels[40:])
    assert drawn._paintings.bytes == drawn.layer("candy", look).bytes
    assert corrected._paintings is drawn._paintings
    assert drawn.studio.parser.calls == 1
    assert corrected.corrected({"hat": -bias}).parsing().logits.tolist() == drawn.parsing().logits.tolist()


def test_a_smaller_view_shows_the_same_painting(drawn):
    small = Photo.from_array(drawn.photo.pixels[::2, ::2])
    view = drawn.seen(small, lambda faces: drawn.parsing(faces).at_size(30, 45))
    look = Look(stroke=64).wearing("everything", "wave")
    art = view.render(look).pixels
    full = drawn.render(look).pixels
    assert art.shape == (30, 45, 3)
    reduced = resize(full.transpose(2, 0, 1).astype(np.float32), (30, 45)).transpose(1, 2, 0)
    assert np.abs(art - reduced).mean() < 2
    assert drawn._paintings.bytes == drawn.layer("wave", look).bytes


def test_a_draft_is_the_painting_without_its_finer_strokes(studio):
    shades = np.add.outer(np.arange(200), np.arange(300)).astype(np.uint8)
    portrait = studio.open(np.dstack([shades, shades[::-1], shades]))
    look = Look(stroke=64)
    draft = portrait.layer("wave", look, draft=True)
    assert draft.picture.shape == (3, 64, 96)
    assert not portrait._paintings.bytes
    finished = portrait.layer("wave", look)
    assert finished.picture.shape == (3, 128, 192)
    coarse = resize(finished.picture, (64, 96))
    assert np.abs(coarse - draft.picture).mean() < 0.02
    assert portrait.layer("wave", look, draft=True) is finished


def test_memory_is_what_is_held(drawn):
    assert drawn.bytes == 60 * 90 * 3
    parsing: Parsing = drawn.parsing()
    before = 60 * 90 * 3 + 4 * (parsing.logits.size + parsing.guide.size)
    assert drawn.bytes == before
    layer = drawn.layer("candy", Look(stroke=64))
    assert drawn.bytes == before + layer.bytes
    alpha = np.zeros((60, 90, 4), np.uint8)
    assert Portrait(drawn.studio, Photo.from_array(alpha)).bytes == 60 * 90 * 4


def test_a_portrait_goes_when_nobody_has_it_any_more(drawn):
    """Without waiting for a garbage collection: portraits are large and Python does not know."""
    gc.disable()
    try:
        portrait = drawn.studio.open(drawn.photo)
        view = portrait.corrected({})
        for seen in (portrait, view):
            seen.render(Look(stroke=64).wearing("hair", "candy"))
        there = [weakref.ref(portrait), weakref.ref(view)]
        del portrait, view, seen
        assert [ref() for ref in there] == [None, None]
    finally:
        gc.enable()


def test_another_method_paints_all_styles_in_one_picture(drawn):
    told, asked = [], []

    def repaint(styles, regions, progress):
        asked.append((styles, regions))
        progress("style", 0.5)
        return PaintedLayer(np.ones((3, 60, 90), np.float32) * np.float32([1, 0, 0])[:, None, None], 60, 90)

    look = Look(tau=float("inf")).wearing("hair", "candy").wearing("skin", "wave", strength=0.5)
    look = look.wearing("clothes", "candy").wearing("background", "#0000ff")
    art = drawn.render(look, lambda stage, done: told.append((stage, done)), repaint).pixels
    ((styles, regions),) = asked
    assert styles == ["candy", "wave"]
    logits = drawn.parsing()
    labels = logits.labels(drawn.photo.pixels)
    for place, names in enumerate((("hair", "clothes"), ("skin",))):
        assert np.array_equal(regions[place], np.isin(labels, [INDEX[name] for name in names]))
    for name in ("hair", "clothes"):
        assert (art[labels == INDEX[name]] == (255, 0, 0)).all()
    assert (art[labels == INDEX["background"]] == (0, 0, 255)).all()
    skin = (drawn.photo.pixels[labels == INDEX["skin"]] + np.array([255.0, 0, 0])) / 2
    assert np.abs(art[labels == INDEX["skin"]] - skin).max() <= 0.5
    assert ("style", 0.5) in told
    assert not drawn._paintings.bytes
