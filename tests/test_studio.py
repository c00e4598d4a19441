"""From photo to artwork: what a look does to every pixel, against eq. 6 worked out separately."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest

from conftest import DrawnParser, is_one_sentence
from selfieart import Look, Portrait, SegmentLook, Studio
from selfieart.errors import Cancelled, SelfieartError, UnknownName
from selfieart.imaging import Photo, read_photo
from selfieart.imaging.arrays import as_picture, as_pixels
from selfieart.imaging.color import keep_color, oklab_from_srgb
from selfieart.masks import gaussian_blur
from selfieart.render import compose as compose_module
from selfieart.render.layers import BlurLayer
from selfieart.segments import GROUPS, INDEX, NAMES

RED, GREEN, BLUE = np.eye(3, dtype=np.uint8) * 255

# Painting at 64 pixels is quick, and how fine the strokes are does not matter here.
QUICK = {"stroke": 64}


def look(segments: dict[str, str | SegmentLook], **options: object) -> Look:
    worn = {name: SegmentLook(style) if isinstance(style, str) else style for name, style in segments.items()}
    return Look(worn, **{**QUICK, **options})


@pytest.fixture
def drawn_pixels(drawn_labels: np.ndarray) -> np.ndarray:
    """A picture in which every segment has one colour of its own."""
    colors = np.array([(20 + 11 * k, 250 - 12 * k, 90 + 80 * (k % 3)) for k in range(19)], np.uint8)
    return colors[drawn_labels]


@pytest.fixture
def drawn(drawn_labels: np.ndarray, drawn_pixels: np.ndarray) -> Portrait:
    """A portrait whose segments are known."""
    studio = Studio()
    studio.parser = DrawnParser(drawn_labels)
    return studio.open(drawn_pixels)


@pytest.fixture(scope="module")
def small(studio: Studio, astronaut: np.ndarray) -> Portrait:
    """The astronaut's head and shoulders, parsed by the packaged parser."""
    return studio.open(astronaut[:240, 90:354])


def segment(labels: np.ndarray, *names: str) -> np.ndarray:
    return np.isin(labels, [INDEX[name] for name in names])


# --- looks that change nothing -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "segments",
    [
        {},
        {"everything": "original"},
        {"everything": SegmentLook("candy", strength=0)},
        {"hair": SegmentLook("#ff0000", strength=0), "background": "original"},
        {"hair": SegmentLook("blur", strength=0, feather=5)},
    ],
)
@pytest.mark.parametrize("tau", [0.5, math.inf])
def test_nothing_worn_is_the_photo_bit_for_bit(drawn, segments, tau):
    before = drawn.photo.pixels.copy()
    art = drawn.render(look(segments, tau=tau))
    assert np.array_equal(art.pixels, before)
    assert art.pixels is not drawn.photo.pixels
    assert np.array_equal(drawn.photo.pixels, before)


# --- what plain styles do ------------------------------------------------------------------------------------------


def test_segments_are_filled_with_flat_colors(drawn, drawn_labels):
    out = drawn.render(look({"hair": "#f00", "face": "#0000FF", "clothes": "original"}, tau=math.inf)).pixels
    expected = drawn.photo.pixels.copy()
    expected[segment(drawn_labels, "hair")] = RED
    expected[segment(drawn_labels, "skin")] = BLUE
    assert np.array_equal(out, expected)


def test_everything_in_one_color(drawn):
    for tau in (0.1, 3.0, math.inf):
        out = drawn.render(look({"everything": "#ff8801"}, tau=tau)).pixels
        assert np.array_equal(out, np.broadcast_to((255, 136, 1), out.shape))


def test_the_more_specific_segment_wins(drawn, drawn_labels):
    out = drawn.render(look({"person": "#00ff00", "hair": "original", "head": "#0000ff"}, tau=math.inf)).pixels
    expected = drawn.photo.pixels.copy()
    expected[segment(drawn_labels, "clothes")] = GREEN
    expected[segment(drawn_labels, "skin")] = BLUE
    assert np.array_equal(out, expected)


@pytest.mark.parametrize("strength", [0.25, 0.5, 0.9])
def test_strength(drawn, drawn_labels, strength):
    out = drawn.render(look({"clothes": SegmentLook("#102030", strength=strength)}, tau=math.inf)).pixels
    where = segment(drawn_labels, "clothes")
    expected = (1 - strength) * drawn.photo.pixels + strength * np.array((16, 32, 48))
    assert np.abs(out[where] - expected[where]).max() <= 0.501
    assert np.array_equal(out[~where], drawn.photo.pixels[~where])


def test_eq6_with_soft_masks(drawn):
    """Masks by the printed formula from the upsampled logits, colours mixed in float64."""
    tau, parsing, photo = 0.2, drawn.parsing(), drawn.photo.pixels
    z = tau * parsing.logits_rows(as_picture(photo), 0, photo.shape[0]).astype(np.float64)
    masks = np.exp(z) / np.exp(z).sum(0)
    expected = photo.astype(np.float64)
    for name, color, strength in (("hair", RED, 1.0), ("face", GREEN, 0.5), ("background", BLUE, 0.8)):
        weight = masks[sorted(GROUPS.get(name) or {INDEX[name]})].sum(0)[..., None] * strength
        expected += weight * (color.astype(np.float64) - photo)
    segments = {
        "hair": "#f00",
        "face": SegmentLook("#0f0", strength=0.5),
        "background": SegmentLook("#00f", strength=0.8),
    }
    assert np.abs(drawn.render(look(segments, tau=tau)).pixels - expected).max() <= 0.51


def test_grey(drawn, drawn_labels):
    out = drawn.render(look({"background": "grey"}, tau=math.inf)).pixels
    where = segment(drawn_labels, "background")
    assert np.ptp(out[where], axis=-1).max() == 0
    assert np.array_equal(out[~where], drawn.photo.pixels[~where])
    lightness = [oklab_from_srgb(as_picture(pixels))[0][where] for pixels in (out, drawn.photo.pixels)]
    assert np.abs(lightness[0] - lightness[1]).max() < 0.01


def test_keep_color(drawn):
    photo = as_picture(drawn.photo.pixels)
    out = drawn.render(look({"everything": SegmentLook("#808080", keep_color=0.7)})).pixels
    expected = as_pixels(keep_color(photo, np.full_like(photo, 128 / 255), 0.7))
    assert np.abs(out.astype(int) - expected).max() <= 1


def test_feather_softens_the_border_and_nothing_else(drawn, drawn_labels):
    sharp = drawn.render(look({"clothes": "#fff"}, tau=math.inf)).pixels.astype(int)
    soft = drawn.render(look({"clothes": SegmentLook("#fff", feather=5)}, tau=math.inf)).pixels.astype(int)
    changed = np.abs(soft - sharp).max(-1) > 2
    where = segment(drawn_labels, "clothes").astype(np.float32)
    # 5 percent of the short side are 3 pixels; the weights are the mask blurred by that much.
    share = gaussian_blur(where, 3.0)
    share = share / (share + 1 - where)
    expected = drawn.photo.pixels + share[..., None] * (255.0 - drawn.photo.pixels)
    assert np.abs(soft - expected).max() <= 1
    assert changed.any()
    assert not changed[:25].any()


# --- blur ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [(60, 90), (90, 60), (64, 64)])
def test_a_blurred_background_has_no_halo(size):
    labels = np.zeros(size, np.uint8)
    labels[5:40, -25:-5] = INDEX["clothes"]
    pixels = np.where(labels[..., None], RED, BLUE)
    pixels[:, :12:4] = GREEN
    studio = Studio()
    studio.parser = DrawnParser(labels)
    out = studio.open(pixels).render(look({"background": "blur"}, tau=math.inf)).pixels
    assert np.array_equal(out[labels > 0], pixels[labels > 0])
    assert out[labels == 0][:, 0].max() <= 2
    # The stripes on the left have run into each other, and far from them it is as blue as before.
    assert out[:, 0:8, 1].astype(int).std() < 0.5 * pixels[:, 0:8, 1].astype(int).std()
    assert np.abs(out[:, 25:30].astype(int) - BLUE).max() <= 2


def test_blur_is_a_normalised_convolution():
    draw = np.random.default_rng(0)
    small, mask = draw.random((3, 100, 140), np.float32), (draw.random((100, 140)) > 0.4).astype(np.float32)
    light = np.stack([gaussian_blur(plane * (mask**2 + 1e-4), 2.0) for plane in small])
    expected = light / gaussian_blur(mask**2 + 1e-4, 2.0)
    assert np.allclose(BlurLayer(small, mask, 100, 140).rows(small, 0, 100), expected, atol=1e-4)


# --- painted styles ------------------------------------------------------------------------------------------------


def test_everything_in_one_style_is_the_layer(small):
    layer = small.layer("candy", Look(**QUICK)).rows(as_picture(small.photo.pixels), 0, 240)
    for tau in (0.3, 30.0):
        out = small.render(look({"everything": "candy"}, tau=tau)).pixels.astype(int)
        different = np.abs(out - as_pixels(layer))
        assert different.max() <= 1
        assert (different > 0).mean() < 1e-3


def test_a_style_keeps_to_its_segment(small):
    labels = small.parsing().labels(small.photo.pixels)
    out = small.render(look({"hair": "candy"}, tau=math.inf)).pixels
    changed = (out != small.photo.pixels).any(-1)
    assert not changed[labels != INDEX["hair"]].any()
    assert changed[labels == INDEX["hair"]].mean() > 0.9


SEGMENTS = {"background": "candy", "face": "#ffcc00", "eyes": "original", "hair": "blur", "clothes": "wave"}


@pytest.mark.parametrize(("blend", "tau"), [("pixels", 0.3), ("pixels", 3.0), ("features", 1.0)])
def test_the_order_of_segments_does_not_matter(small, blend, tau):
    first = small.render(look(SEGMENTS, tau=tau, blend=blend)).pixels
    for order in (list(SEGMENTS)[::-1], sorted(SEGMENTS)):
        again = small.render(look({name: SEGMENTS[name] for name in order}, tau=tau, blend=blend)).pixels
        assert np.array_equal(again, first)


def test_the_order_of_plain_segments_does_not_matter(drawn):
    """On enough pixels that sums in another order would be rounded to another byte somewhere."""
    noise = drawn.studio.open(np.random.default_rng(0).integers(0, 256, (300, 400, 3), dtype=np.uint8))
    for feather in (0, 1):
        segments = {
            name: SegmentLook(f"#{k:x}0{15 - k:x}7{k:x}0", feather=feather) for k, name in enumerate(NAMES[:15])
        }
        first = noise.render(look(segments, tau=0.05)).pixels
        for names in (NAMES[14::-1], np.random.default_rng(1).permutation(NAMES[:15])):
            assert np.array_equal(noise.render(look({name: segments[name] for name in names}, tau=0.05)).pixels, first)


def test_both_blends_give_nearly_the_same_picture(small):
    worn = {"person": "candy", "background": "wave"}
    out = [small.render(look(worn, blend=blend, stroke=128)).pixels.astype(float) for blend in ("pixels", "features")]
    photo = small.photo.pixels
    assert np.abs(out[0] - out[1]).mean() < 0.85 * np.abs(out[0] - photo).mean()
    alike, changed = (np.corrcoef(out[0].ravel(), other.ravel())[0, 1] for other in (out[1], photo))
    assert alike > max(0.85, changed + 0.01)


def test_a_look_rendered_again_costs_a_blend(studio, astronaut, monkeypatch):
    small = studio.open(astronaut[:200, 100:340])
    first = small.render(look({"hair": "candy"}, tau=2))
    third = small.render(look({"hair": "candy", "clothes": "#fff"}, tau=7))
    calls = []
    monkeypatch.setattr(type(studio.stylizer), "render", lambda *_, **__: calls.append("paint"))
    monkeypatch.setattr(type(studio.parser), "parse", lambda *_, **__: calls.append("parse"))
    assert np.array_equal(small.render(look({"hair": "candy"}, tau=2)).pixels, first.pixels)
    assert np.array_equal(small.render(look({"hair": "candy", "clothes": "#fff"}, tau=7)).pixels, third.pixels)
    assert not calls


def test_seed_and_stroke_change_the_painting(small):
    keys = ({}, {"seed": 1}, {"stroke": 100})
    out = [small.render(look({"background": "mosaic"}, **key)).pixels.astype(int) for key in keys]
    assert all(np.abs(a - b).mean() > 0.1 for a, b in itertools.combinations(out, 2))


# --- strips --------------------------------------------------------------------------------------------------------


def test_strips_do_not_show(drawn, monkeypatch):
    worn = look({"hair": SegmentLook("grey", feather=3), "background": "blur", "face": "#123456"}, tau=0.7)
    whole = drawn.render(worn).pixels
    monkeypatch.setattr(
        compose_module, "strips_of", lambda height, *_: ((a, min(a + 7, height)) for a in range(0, height, 7))
    )
    assert np.abs(drawn.render(worn).pixels.astype(int) - whole).max() <= 1


# --- photos in, artworks out ---------------------------------------------------------------------------------------


def test_a_path_a_photo_and_an_array_are_the_same_portrait(drawn, astronaut_file):
    photo = read_photo(astronaut_file)
    worn = look({"everything": "grey"})
    outs = [
        drawn.studio.open(source).render(worn).pixels
        for source in (astronaut_file, str(astronaut_file), photo, photo.pixels)
    ]
    assert all(np.array_equal(out, outs[0]) for out in outs)


def test_alpha_is_kept(studio, tmp_path, drawn_pixels):
    alpha = np.arange(60 * 90, dtype=np.uint16).reshape(60, 90).astype(np.uint8)
    art = studio.open(np.dstack([drawn_pixels, alpha])).render(look({"everything": "#0f0"}))
    saved = read_photo(art.save(tmp_path / "a.png"))
    assert np.array_equal(saved.alpha, alpha)
    assert np.array_equal(saved.pixels, art.pixels)


def test_a_png_holds_the_look_that_makes_it_again(drawn, tmp_path):
    art = drawn.render(look({"hair": "candy", "background": SegmentLook("blur", feather=1)}, tau=math.inf, seed=9))
    again = Look.load(art.save(tmp_path / "a.png"))
    assert again == art.look
    assert np.array_equal(Portrait(drawn.studio, drawn.photo).render(again).pixels, art.pixels)


@pytest.mark.parametrize("size", [(8, 8), (8, 200), (151, 9)])
def test_tiny_and_narrow_photos(studio, size):
    pixels = np.random.default_rng(0).integers(0, 256, (*size, 3), dtype=np.uint8)
    worn = look({"background": "blur", "person": SegmentLook("candy", feather=20), "eyes": "grey"}, stroke="large")
    assert studio.open(pixels).render(worn).pixels.shape == pixels.shape


def test_a_photo_too_small_is_refused(studio):
    with pytest.raises(SelfieartError, match="too small to parse") as error:
        studio.open(np.zeros((7, 30, 3), np.uint8)).render(look({"hair": "blur"}))
    assert is_one_sentence(str(error.value))


def test_notes_say_what_was_not_found(studio, drawn):
    blank = studio.open(np.full((60, 80), 128, np.uint8))
    notes = blank.render(look({"lips": "#f00", "background": "#00f"})).notes
    assert "No face was found" in notes[0]
    assert any("'lips' was found" in note for note in notes)
    assert not any("background" in note for note in notes)
    assert blank.render(look({"background": "#00f"})).notes == ()
    assert "No 'hat' was found in the picture." in drawn.render(look({"hat": "#f00", "hair": "#0f0"})).notes


def test_names_that_do_not_exist(drawn):
    with pytest.raises(UnknownName, match="did you mean 'candy'"):
        drawn.render(look({"hair": "cnady"}))
    with pytest.raises(UnknownName, match="did you mean 'wave'"):
        drawn.layer("wabe")
    with pytest.raises(UnknownName, match="Unknown parser 'nobody'"):
        Studio("nobody")
    with pytest.raises(SelfieartError, match="faces must be"):
        Studio().open(Photo.from_array(np.zeros((20, 20), np.uint8))).parsing("nobody")


def test_progress_and_cancelling(drawn):
    told = []
    drawn.render(look({"hair": "candy", "clothes": "wave"}), lambda *step: told.append(step))
    stages = [stage for stage, _ in itertools.groupby(told, key=lambda step: step[0])]
    assert stages == ["parse", "style", "compose"]
    for stage in stages:
        done = [value for name, value in told if name == stage]
        assert done == sorted(done)
        assert done[-1] == 1

    def stop_at(wanted: str) -> None:
        def report(stage: str, done: float) -> None:
            if stage == wanted:
                raise Cancelled

        with pytest.raises(Cancelled):
            drawn.render(look({"hair": "candy", "clothes": "wave"}), report)

    for stage in stages:
        stop_at(stage)


def test_a_binary_mask_of_a_large_photo_is_binary(studio, astronaut):
    large = np.repeat(np.repeat(astronaut, 4, 0), 4, 1)
    out = studio.open(large).render(look({"hair": "#f00"}, tau=math.inf)).pixels
    red, kept = (out == (255, 0, 0)).all(-1), (out == large).all(-1)
    assert (red | kept).all()
    assert 0.02 < red.mean() < 0.06


@pytest.mark.parametrize("tau", [0.05, 3.0])
def test_what_is_found_does_not_depend_on_tau(small, tau):
    notes = small.render(look({"hair": "#f00", "glasses": "#0f0"}, tau=tau)).notes
    assert notes == ("No 'glasses' was found in the picture.",)


def test_a_style_worn_by_head_and_clothes_is_painted_once(studio, astronaut, monkeypatch):
    painted = []
    render = studio.stylizer.render
    monkeypatch.setattr(studio.stylizer, "render", lambda *a, **k: painted.append(a[0].shape) or render(*a, **k))
    studio.open(astronaut).render(look({"hair": "candy", "clothes": "candy"}, stroke=128))
    studio_once = len(painted)
    painted.clear()
    studio.open(astronaut).render(look({"hair": "candy"}, stroke=128))
    assert studio_once == len(painted)
