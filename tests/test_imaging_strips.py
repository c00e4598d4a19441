"""Strips of rows on all threads: the same bits whatever the strips and threads, and errors that arrive."""

from __future__ import annotations

import time
from threading import get_ident

import numpy as np
import pytest
import torch

from selfieart.engine import set_threads
from selfieart.errors import Cancelled, SelfieartError
from selfieart.imaging.arrays import as_picture, as_pixels
from selfieart.imaging.color import (
    grey,
    keep_color,
    linear_from_srgb,
    oklab_from_srgb,
    srgb_from_linear,
    srgb_from_oklab,
)
from selfieart.imaging.guided import GuidedUpsampler, guided_coefficients
from selfieart.imaging.resize import resize, resize_rows
from selfieart.imaging.strips import BUDGET, in_parallel, strips_of
from selfieart.networks import tensors

# --- strips and threads --------------------------------------------------------------------------------------------


def random_planes(channels: int, height: int, width: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).random((channels, height, width), np.float32)


@pytest.fixture
def three_threads():
    set_threads(3)
    yield
    set_threads(None)


def test_the_twins_for_tensors_are_the_same(picture):
    tensor = torch.from_numpy(picture)
    pixels = as_pixels(picture)
    assert np.array_equal(tensors.as_pixels(tensor), pixels)
    assert np.array_equal(tensors.as_tensor(pixels), as_picture(pixels))
    for size in ((20, 28), (90, 57)):
        assert np.array_equal(tensors.resize(tensor, size, "cubic"), resize(picture, size, "cubic"))
    assert tensors.resize(tensor, (40, 56)) is tensor
    assert np.array_equal(tensors.keep_color(tensor, 1 - tensor, 0.4), keep_color(picture, 1 - picture, 0.4))


def test_everything_is_float32(picture):
    signal = random_planes(2, 40, 56)
    made = [resize(picture, (20, 28)), resize(picture, (90, 100), "cubic"), resize(picture, (30, 100))]
    made += [resize_rows(picture, 90, 100, 3, 9, how) for how in ("linear", "cubic")]
    made += [convert(picture) for convert in (linear_from_srgb, srgb_from_linear, oklab_from_srgb, srgb_from_oklab)]
    made += [grey(picture), keep_color(picture, 1 - picture, 0.3), guided_coefficients(picture, signal, 2, 1e-3)]
    made += [GuidedUpsampler(picture, signal).rows(picture, 0, 40, 40), as_picture(as_pixels(picture))]
    assert {array.dtype for array in made} == {np.dtype(np.float32)}
    # Wider numbers are not what the inside holds, but they are not misread either.
    wide = picture.astype(np.float64)
    assert np.array_equal(resize(wide, (90, 100), "cubic"), resize(picture, (90, 100), "cubic"))
    assert np.array_equal(resize_rows(wide, 90, 56, 3, 9), resize_rows(picture, 90, 56, 3, 9))
    assert np.array_equal(grey(wide), grey(picture))


@pytest.mark.parametrize("amount", [0.4, 1.0])
def test_colors_of_a_part_are_a_part_of_the_colors(three_threads, amount):
    """What a pixel becomes depends on itself alone: not on what is round it, the strip or the thread."""
    content, layer = random_planes(3, 90, 1500), random_planes(3, 90, 1500, seed=1)
    whole = keep_color(content, layer, amount)
    in_grey = grey(content)
    for rows in (slice(0, 1), slice(5, 60), slice(44, 90)):
        assert np.array_equal(keep_color(content[:, rows], layer[:, rows], amount), whole[:, rows])
        assert np.array_equal(grey(content[:, rows, 7:8]), in_grey[:, rows, 7:8])
    set_threads(1)
    assert np.array_equal(keep_color(content, layer, amount), whole)


@pytest.mark.parametrize("how", ["linear", "cubic"])
@pytest.mark.parametrize("size", [(37, 41), (173, 300), (20, 300), (300, 24)])
def test_resized_rows_are_the_same_bits_in_any_strips(three_threads, how, size):
    x = random_planes(3, 20, 24)
    whole = resize_rows(x, *size, 0, size[0], how)
    for strip in (1, 7, 100):
        parts = [resize_rows(x, *size, a, min(a + strip, size[0]), how) for a in range(0, size[0], strip)]
        assert np.array_equal(np.concatenate(parts, 1), whole)


def test_guided_rows_are_the_same_bits_in_any_strips(three_threads):
    picture, signal = random_planes(3, 173, 60), random_planes(4, 20, 24, seed=3)
    upsampler = GuidedUpsampler(resize(picture, (20, 24)), signal)
    whole = upsampler.rows(picture, 0, 173, 173)
    for strip in (1, 7, 100):
        parts = [upsampler.rows(picture[:, a : a + strip], a, min(a + strip, 173), 173) for a in range(0, 173, strip)]
        assert np.array_equal(np.concatenate(parts, 1), whole)
    set_threads(1)
    assert np.array_equal(GuidedUpsampler(resize(picture, (20, 24)), signal).coefficients, upsampler.coefficients)


def test_strips_fit_their_budget_together(three_threads):
    strips = list(strips_of(4000, 6000, 19))
    assert [row for a, b in strips for row in range(a, b)] == list(range(4000))
    assert max(b - a for a, b in strips) * 6000 * 3 * 19 * 3 <= BUDGET
    set_threads(1)
    assert strips[0][1] == pytest.approx(next(strips_of(4000, 6000, 19))[1] / 3, abs=1)


def test_work_in_parallel_is_finished_in_order(three_threads):
    order, at_once, most = [], set(), 0

    def work(first, last):
        nonlocal most
        at_once.add(first)
        most = max(most, len(at_once))
        time.sleep(0.002 * (first % 3))
        # Work within work stays on its thread instead of waiting for one.
        in_parallel(lambda a, b: order.append((first, a)), [(0, 1), (1, 2)])
        at_once.discard(first)

    told = []
    in_parallel(work, ((i, i + 1) for i in range(12)), lambda first, last: told.append((first, get_ident())))
    assert told == [(i, get_ident()) for i in range(12)]
    assert sorted(order) == [(i, j) for i in range(12) for j in (0, 1)]
    assert most <= 3


@pytest.mark.parametrize("threads", [1, 3])
def test_work_stops_when_it_is_called_off(three_threads, threads):
    set_threads(threads)
    begun, ended = [], []

    def work(first, last):
        begun.append(first)
        time.sleep(0.005)
        ended.append(first)

    def told(first, last):
        if first == 2:
            raise Cancelled("Stopped.")

    with pytest.raises(Cancelled):
        in_parallel(work, ((i, i + 1) for i in range(100)), told)
    assert len(begun) <= 3 + threads
    assert sorted(begun) == sorted(ended)


def test_an_error_in_work_arrives(three_threads):
    def work(first, last):
        if first == 4:
            raise SelfieartError("No.")

    with pytest.raises(SelfieartError, match="No"):
        in_parallel(work, ((i, i + 1) for i in range(100)))
    done = []
    in_parallel(lambda first, last: done.append(first), [(0, 1), (1, 2)])
    assert sorted(done) == [0, 1]
