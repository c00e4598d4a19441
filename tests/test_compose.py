"""Composing large photos: in strips, on several threads, always the same bits; and what a painter does with sizes."""

from __future__ import annotations

import math
from threading import get_ident

import cv2
import numpy as np
import pytest

from selfieart.engine import set_threads
from selfieart.errors import Cancelled
from selfieart.imaging.arrays import as_picture, as_pixels
from selfieart.imaging.color import keep_color
from selfieart.imaging.resize import scaled
from selfieart.masks import composite, select, soft_masks
from selfieart.parsing.faces import Face
from selfieart.parsing.parsing import Parsing
from selfieart.render import compose as compose_module
from selfieart.render.compose import Part, compose, part_masks
from selfieart.render.layers import BlurLayer, ColorLayer, GreyLayer, PaintedLayer, Patch
from selfieart.render.painter import paint, shares_of, with_detail
from selfieart.segments import GROUPS, INDEX

SIZE = (211, 301)


@pytest.fixture(autouse=True)
def _as_many_threads_as_there_are():
    yield
    set_threads(None)


def random(*shape: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).random(shape, np.float32)


@pytest.fixture
def photo() -> np.ndarray:
    return cv2.resize(as_pixels(random(3, 20, 30)), SIZE[::-1], interpolation=cv2.INTER_CUBIC)


@pytest.fixture
def parsing(photo) -> Parsing:
    logits = cv2.GaussianBlur(random(40, 56, 19, seed=1) * 60, (0, 0), 3).transpose(2, 0, 1)
    return Parsing(np.ascontiguousarray(logits), scaled(photo, (40, 56)), (), *SIZE)


@pytest.fixture
def parts(photo) -> list[Part]:
    patch = Patch(random(3, 50, 60, seed=3), 20, 30, 90, 120)
    small = scaled(photo, (80, 114))
    return [
        Part(GROUPS["face"], PaintedLayer(random(3, 64, 91, seed=2), *SIZE, (patch,)), 0.9, 0.6),
        Part(frozenset({INDEX["hair"]}), BlurLayer(small, np.ones((80, 114), np.float32), *SIZE), 0.7),
        Part(frozenset({INDEX["clothes"]}), ColorLayer((200, 30, 60)), keep_color=0.3, feather=3.0),
        Part(frozenset({INDEX["hat"]}), GreyLayer()),
        Part(frozenset({INDEX["neck"]}), None),
    ]


def in_strips_of(rows: int):
    return lambda height, *_: ((top, min(top + rows, height)) for top in range(0, height, rows))


@pytest.mark.parametrize("tau", [0.3, math.inf])
@pytest.mark.parametrize("most", [3_000_000, 20_000])
def test_strips_on_the_pool_are_the_bits_of_one_piece(photo, parsing, parts, tau, most, monkeypatch):
    monkeypatch.setattr(compose_module, "LARGEST_EXACT", most)
    set_threads(1)
    monkeypatch.setattr(compose_module, "strips_of", in_strips_of(1000))
    masks = part_masks(photo, parsing, parts, tau)
    out = compose(photo, parts, masks)
    assert masks.dtype == np.float32
    assert masks.shape == (len(parts) + 1, *SIZE)
    for threads, rows in ((1, 17), (3, 17), (2, 64), (4, 1)):
        set_threads(threads)
        monkeypatch.setattr(compose_module, "strips_of", in_strips_of(rows))
        again = part_masks(photo, parsing, parts, tau)
        assert np.array_equal(again, masks)
        assert np.array_equal(compose(photo, parts, again), out)


def test_labels_do_not_depend_on_the_threads(photo, parsing):
    found = []
    for threads in (1, 3):
        set_threads(threads)
        found.append(parsing.at_size(*SIZE).labels(photo))
    assert np.array_equal(*found)
    assert np.array_equal(found[0], parsing.logits_rows(as_picture(photo), 0, SIZE[0]).argmax(0))


def test_a_composed_photo_is_eq6(photo, parsing, parts):
    soft = soft_masks(parsing.logits_rows(as_picture(photo), 0, SIZE[0]), 0.5)
    parts = parts[:2]
    masks = part_masks(photo, parsing, parts, 0.5)
    content = as_picture(photo)
    layers, weights = [], []
    for mask, part in zip(masks, parts, strict=False):
        np.testing.assert_allclose(mask, select(soft, sorted(part.classes)), atol=1e-6)
        layers.append(keep_color(content, part.layer.rows(content, 0, SIZE[0]), part.keep_color))
        weights.append(mask * np.float32(part.strength))
    np.testing.assert_allclose(masks.sum(0), 1, atol=1e-5)
    assert np.array_equal(compose(photo, parts, masks), as_pixels(composite(content, layers, weights)))


@pytest.mark.parametrize("threads", [1, 3])
def test_progress_is_told_in_order_and_can_stop(photo, parts, threads, monkeypatch):
    set_threads(threads)
    monkeypatch.setattr(compose_module, "strips_of", in_strips_of(10))
    masks = random(len(parts) + 1, *SIZE, seed=5) / (len(parts) + 1)
    told = []
    compose(photo, parts, masks, lambda stage, done: told.append((stage, done, get_ident())))
    assert [stage for stage, _, _ in told] == ["compose"] * 22
    assert {thread for _, _, thread in told} == {get_ident()}
    assert [done for _, done, _ in told] == sorted(done for _, done, _ in told)
    assert told[-1][1] == 1

    seen = []

    def stop(stage, done):
        seen.append(done)
        if len(seen) == 3:
            raise Cancelled("Stopped.")

    with pytest.raises(Cancelled):
        compose(photo, parts, masks, stop)
    assert len(seen) == 3


# --- layers --------------------------------------------------------------------------------------------------------


def test_layers_are_made_of_float32_and_leave_what_they_are_made_of_alone(photo, parts):
    content = as_picture(photo)
    painted = parts[0].layer
    before = [content.copy(), painted.picture.copy(), painted.patches[0].picture.copy()]
    same = PaintedLayer(content, *SIZE, painted.patches)
    for layer in (*(part.layer for part in parts[:4]), painted.at_size(100, 143), same):
        high = getattr(layer, "height", SIZE[0])
        rows = layer.rows(content[:, :high, : getattr(layer, "width", SIZE[1])], 0, high)
        assert rows.dtype == np.float32
        assert float(rows.min()) >= 0
        assert float(rows.max()) <= 1
    after = [content, painted.picture, painted.patches[0].picture]
    assert all(np.array_equal(a, b) for a, b in zip(before, after, strict=True))
    assert painted.bytes == 4 * 3 * (64 * 91 + 50 * 60)


# --- the painter ---------------------------------------------------------------------------------------------------


class Copyist:
    """A stylizer that gives back the picture, and remembers what it was asked for."""

    def __init__(self) -> None:
        self.asked = []

    def render(self, content, codes, masks=None, options=None):
        self.asked.append((content.shape, None if masks is None else masks.shape, codes.shape))
        return content


def test_a_photo_is_painted_at_the_size_of_the_strokes_and_small_faces_larger():
    photo = as_pixels(random(3, 400, 600))
    stylizer = Copyist()
    shares = shares_of(random(2, 400, 600))
    layer = paint(stylizer, photo, random(2, 16), 100, [Face(300, 200, 100, 0, 4000)], shares)
    # Coarse, twice as fine, and the face at three times its size or what a photo may be enlarged by.
    assert [size for size, _, _ in stylizer.asked] == [(3, 100, 150), (3, 200, 300), (3, 270, 270)]
    assert all(size[1:] == share[1:] for size, share, _ in stylizer.asked)
    assert layer.picture.shape == (3, 200, 300)
    assert layer.picture.dtype == np.float32
    (patch,) = layer.patches
    assert (patch.top, patch.left, patch.bottom, patch.right) == (132, 232, 267, 367)
    assert patch.picture.shape == (3, 135, 135)
    draft = paint(Copyist(), photo, random(1, 16), 100, [Face(300, 200, 100, 0, 4000)], draft=True)
    assert draft.picture.shape == (3, 100, 150)
    assert draft.patches == ()


def test_a_small_photo_is_painted_larger_and_reduced_again():
    photo = as_pixels(random(3, 60, 90))
    stylizer = Copyist()
    assert paint(stylizer, photo, random(1, 16), 512).picture.shape == (3, 60, 90)
    assert [size for size, _, _ in stylizer.asked] == [(3, 120, 180)]


def test_scaled_pixels_are_a_picture():
    photo = as_pixels(random(3, 40, 60))
    assert np.array_equal(scaled(photo, (40, 60)), as_picture(photo))
    for size, how in (((20, 30), cv2.INTER_AREA), ((80, 70), cv2.INTER_CUBIC), ((20, 70), cv2.INTER_CUBIC)):
        out = scaled(photo, size)
        assert out.dtype == np.float32
        assert np.array_equal(out, as_picture(cv2.resize(photo, size[::-1], interpolation=how)))


def test_detail_is_the_high_band_of_the_finer_painting():
    coarse, fine = random(3, 20, 30), random(3, 40, 60, seed=1)
    kept = coarse.copy(), fine.copy()
    out = with_detail(coarse, fine)
    assert out.shape == fine.shape
    assert out.dtype == np.float32
    assert np.array_equal(coarse, kept[0])
    assert np.array_equal(fine, kept[1])
    flat = np.full((3, 40, 60), 0.25, np.float32)
    np.testing.assert_allclose(with_detail(np.full((3, 20, 30), 0.5, np.float32), flat), 0.5, atol=1e-6)


def test_shares_sum_to_one_everywhere():
    masks = random(3, 10, 12) * (random(10, 12) > 0.5)
    shares = shares_of(masks)
    assert shares.dtype == np.float32
    np.testing.assert_allclose(shares.sum(0), 1, atol=1e-6)
    np.testing.assert_allclose(shares, (masks + 1e-3) / (masks + 1e-3).sum(0), atol=1e-6)
