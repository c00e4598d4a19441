"""Resizing, guided filtering and colour against their definitions."""

from __future__ import annotations

import itertools

import cv2
import numpy as np
import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

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

TORCH_NAME = {"linear": "bilinear", "cubic": "bicubic"}


def random_planes(channels: int, height: int, width: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).random((channels, height, width), np.float32)


def interpolated(x: np.ndarray, height: int, width: int, how: str) -> np.ndarray:
    planes = torch.from_numpy(np.ascontiguousarray(x))[None]
    return F.interpolate(planes, size=(height, width), mode=TORCH_NAME[how], align_corners=False)[0].numpy()


# --- resizing ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("how", ["linear", "cubic"])
@pytest.mark.parametrize("size", [(37, 41), (90, 20), (9, 200), (5, 6), (1, 1), (10, 200)])
def test_resize_rows_of_everything_is_torch_interpolate(size, how):
    x = random_planes(3, 10, 13)
    np.testing.assert_allclose(resize_rows(x, *size, 0, size[0], how), interpolated(x, *size, how), atol=1e-5)


@settings(max_examples=60)
@given(
    st.tuples(st.integers(1, 9), st.integers(1, 9)),
    st.tuples(st.integers(1, 40), st.integers(1, 40)),
    st.sampled_from(["linear", "cubic"]),
    st.data(),
)
def test_any_strip_of_resized_rows(small, large, how, data):
    x = random_planes(2, *small)
    top = data.draw(st.integers(0, large[0] - 1))
    bottom = data.draw(st.integers(top + 1, large[0]))
    strip = resize_rows(x, *large, top, bottom, how)
    np.testing.assert_allclose(strip, interpolated(x, *large, how)[:, top:bottom], atol=2e-5)


def test_resize_rows_at_its_own_size_only_cuts():
    x = random_planes(2, 7, 9)
    assert np.array_equal(resize_rows(x, 7, 9, 2, 5), x[:, 2:5])


def test_area_resize_by_whole_factors_is_block_means():
    x = random_planes(3, 12, 20)
    expected = x.astype(np.float64).reshape(3, 4, 3, 5, 4).mean((2, 4))
    np.testing.assert_allclose(resize(x, (4, 5)), expected, atol=1e-6)


def overlaps(size: int, reduced: int) -> np.ndarray:
    """(reduced, size): which share of each new pixel is covered by each old one."""
    scale = size / reduced
    new, old = np.arange(reduced)[:, None], np.arange(size)
    covered = np.minimum((new + 1) * scale, old + 1) - np.maximum(new * scale, old)
    return covered.clip(0) / scale


@settings(max_examples=40)
@given(st.tuples(st.integers(2, 30), st.integers(2, 30)), st.data())
def test_area_resize_is_the_exact_average(size, data):
    small = tuple(data.draw(st.integers(1, side)) for side in size)
    x = random_planes(2, *size)
    rows, columns = overlaps(size[0], small[0]), overlaps(size[1], small[1])
    np.testing.assert_allclose(resize(x, small), rows @ x.astype(np.float64) @ columns.T, atol=2e-5)


@pytest.mark.parametrize("how", ["linear", "cubic"])
def test_enlarging_is_torch_interpolate(how):
    x = random_planes(3, 9, 11)
    np.testing.assert_allclose(resize(x, (31, 40), how), interpolated(x, 31, 40, how), atol=1e-5)


def test_resize_to_the_same_size_is_the_picture_itself():
    x = random_planes(1, 5, 6)
    assert resize(x, (5, 6)) is x


@pytest.mark.parametrize("size", [(3, 4), (5, 6), (10, 12), (3, 12), (40, 2)])
def test_a_constant_stays_constant(size):
    assert np.allclose(resize(np.full((1, 5, 6), 0.3, np.float32), size), 0.3, atol=1e-6)


# --- the guided filter ---------------------------------------------------------------------------------------------


def guided_filter(guide: np.ndarray, signal: np.ndarray, radius: int, eps: float) -> np.ndarray:
    """He, Sun and Tang, eq. 4 to 8: in every window the (a, b) that minimise sum_i (a.I_i + b - p_i)^2 + eps |a|^2.

    Found by least squares on the pixels of each window, then averaged over all windows that hold a pixel. Rows and
    columns nearer than 2 * radius to the border are nan.
    """
    height, width = signal.shape
    side = 2 * radius + 1
    fits = np.full((4, height, width), np.nan)
    for y in range(radius, height - radius):
        for x in range(radius, width - radius):
            window = np.s_[y - radius : y + radius + 1, x - radius : x + radius + 1]
            colours, values = guide[:, *window].reshape(3, -1).T, signal[window].ravel()
            # Ridge as extra rows; b is not penalised. The sum is over pixels, eps over each of them.
            ridge = np.hstack([np.sqrt(eps) * side * np.eye(3), np.zeros((3, 1))])
            matrix = np.vstack([np.hstack([colours, np.ones((side * side, 1))]), ridge])
            fits[:, y, x] = np.linalg.lstsq(matrix, np.append(values, np.zeros(3)), rcond=None)[0]
    out = np.full((height, width), np.nan)
    for y in range(2 * radius, height - 2 * radius):
        for x in range(2 * radius, width - 2 * radius):
            a1, a2, a3, b = fits[:, y - radius : y + radius + 1, x - radius : x + radius + 1].mean((1, 2))
            out[y, x] = np.dot((a1, a2, a3), guide[:, y, x]) + b
    return out


def applied(coefficients: np.ndarray, guide: np.ndarray) -> np.ndarray:
    return (coefficients[:, :3] * guide).sum(1) + coefficients[:, 3]


@pytest.mark.parametrize(("radius", "eps"), [(1, 1e-2), (2, 1e-3), (3, 2e-3), (2, 1.0)])
def test_guided_filter_against_least_squares(radius, eps):
    guide, signal = random_planes(3, 17, 19), random_planes(2, 17, 19, seed=1) * 8 - 4
    out = applied(guided_coefficients(guide, signal, radius, eps), guide)
    inner = np.s_[2 * radius : -2 * radius, 2 * radius : -2 * radius]
    for k in range(2):
        expected = guided_filter(guide.astype(np.float64), signal[k].astype(np.float64), radius, eps)
        np.testing.assert_allclose(out[k][inner], expected[inner], atol=2e-3)


def test_a_constant_guide_gives_box_means():
    signal = random_planes(1, 15, 15)
    flat = np.full((3, 15, 15), 0.4, np.float32)
    coefficients = guided_coefficients(flat, signal, 2, 1e-3)
    assert float(np.abs(coefficients[:, :3]).max()) < 1e-3
    twice = F.avg_pool2d(F.avg_pool2d(torch.from_numpy(signal), 5, 1), 5, 1)
    out = applied(coefficients, flat)
    np.testing.assert_allclose(out[:, 4:-4, 4:-4], twice, atol=1e-4)


def test_a_signal_that_follows_the_guide_is_reproduced():
    guide = random_planes(3, 30, 24)
    signal = (guide * np.array([2, -1, 0.5], np.float32)[:, None, None]).sum(0, keepdims=True) + 3
    coefficients = guided_coefficients(guide, signal, 3, 1e-7)
    np.testing.assert_allclose(applied(coefficients, guide), signal, atol=1e-3)
    expected = np.broadcast_to(np.array([2, -1, 0.5, 3])[:, None, None], coefficients.shape)
    np.testing.assert_allclose(coefficients, expected, atol=1e-2)


def test_a_constant_signal_stays():
    coefficients = guided_coefficients(random_planes(3, 20, 20), np.full((1, 20, 20), -5, np.float32), 2, 1e-3)
    assert np.allclose(applied(coefficients, random_planes(3, 20, 20)), -5, atol=1e-3)


def test_guided_upsampling_moves_an_edge_onto_the_pictures():
    """A step in the photo at column 45; the coarse signal steps at 40 and is soft; the result steps with the photo."""
    picture = np.zeros((3, 80, 80), np.float32)
    picture[:, :, 45:] = 0.8
    guide = resize(picture, (20, 20))
    signal = np.tile(((np.arange(20, dtype=np.float32) * 4 + 2 - 40) / 6).clip(-1, 1), (1, 20, 1))
    out = GuidedUpsampler(guide, signal, 3, 1e-3).rows(picture, 0, 80, 80)[0, 40]
    plain = interpolated(signal, 80, 80, "linear")[0, 40]
    assert float(out[45] - out[44]) > 1 > 5 * float(np.diff(plain).max())
    assert int(np.abs(np.diff(out)).argmax()) == 44


@pytest.mark.parametrize("size", [(50, 33), (20, 24), (173, 40)])
@pytest.mark.parametrize("strip", [1, 7, 64])
def test_strips_of_guided_upsampling_are_one_piece(size, strip):
    picture, signal = random_planes(3, *size), random_planes(4, 20, 24, seed=3)
    upsampler = GuidedUpsampler(resize(picture, (20, 24)), signal)
    whole = upsampler.rows(picture, 0, size[0], size[0])
    edges = [*range(0, size[0], strip), size[0]]
    parts = [upsampler.rows(picture[:, a:b], a, b, size[0]) for a, b in itertools.pairwise(edges)]
    np.testing.assert_allclose(np.concatenate(parts, 1), whole, atol=1e-5)
    coefficients = interpolated(upsampler.coefficients.reshape(16, 20, 24), *size, "linear").reshape(4, 4, *size)
    np.testing.assert_allclose(whole, applied(coefficients, picture), atol=1e-4)


# --- colour --------------------------------------------------------------------------------------------------------

colors = arrays(np.float32, (3, 2, 2), elements=st.floats(0, 1, width=32))


def plain(*color: float) -> np.ndarray:
    return np.array(color, np.float32)[:, None, None]


@pytest.mark.parametrize(
    ("srgb", "oklab"),
    [
        ((0, 0, 0), (0, 0, 0)),
        ((1, 1, 1), (1, 0, 0)),
        ((1, 0, 0), (0.62796, 0.22486, 0.12585)),
        ((0, 1, 0), (0.86644, -0.23389, 0.17950)),
        ((0, 0, 1), (0.45201, -0.03246, -0.31153)),
        ((0.5, 0.5, 0.5), (0.59818, 0, 0)),
    ],
)
def test_oklab_as_published(srgb, oklab):
    np.testing.assert_allclose(oklab_from_srgb(plain(*srgb)).ravel(), oklab, atol=1e-4)


def test_the_srgb_curve_as_published():
    encoded = np.array([0.0, 0.02, 0.04045, 0.5, 1.0], np.float32)
    linear = np.array([0.0, 0.00154799, 0.00313080, 0.21404114, 1.0], np.float32)
    np.testing.assert_allclose(linear_from_srgb(encoded), linear, atol=1e-6)
    np.testing.assert_allclose(srgb_from_linear(linear), encoded, atol=1e-5)


@given(colors)
def test_oklab_there_and_back(color):
    np.testing.assert_allclose(srgb_from_linear(linear_from_srgb(color)), color, atol=1e-5)
    np.testing.assert_allclose(srgb_from_oklab(oklab_from_srgb(color)), color, atol=2e-3)


@given(colors)
def test_grey_has_equal_channels_and_the_same_lightness(color):
    out = grey(color)
    assert float(np.ptp(out, 0).max()) < 1e-3
    np.testing.assert_allclose(oklab_from_srgb(out)[0], oklab_from_srgb(color)[0], atol=2e-3)


def test_grey_stays_grey_and_every_byte_its_own():
    ramp = np.tile(np.arange(256, dtype=np.float32) / 255, (3, 1, 1))
    assert np.array_equal(as_pixels(grey(ramp)), as_pixels(ramp))


def test_keeping_no_color_is_the_layer_itself(picture):
    layer = 1 - picture
    assert keep_color(picture, layer, 0) is layer


@given(colors, colors, st.floats(0.05, 1))
def test_keep_color_mixes_the_colors_and_keeps_the_layers_lightness(content, layer, amount):
    # From the middle of the gamut, so that nothing is clipped.
    content, layer = (x * np.float32(0.2) + np.float32(0.4) for x in (content, layer))
    out, photo, painted = (oklab_from_srgb(x) for x in (keep_color(content, layer, amount), content, layer))
    np.testing.assert_allclose(out[0], painted[0], atol=1e-3)
    np.testing.assert_allclose(out[1:], (1 - amount) * painted[1:] + amount * photo[1:], atol=1e-3)


def test_keeping_all_color_keeps_the_hue():
    hue = np.linspace(0, 2 * np.pi, 24, endpoint=False)
    content = srgb_from_oklab(np.stack([hue * 0 + 0.6, np.cos(hue) / 20, np.sin(hue) / 20]).astype(np.float32)[:, None])
    out = oklab_from_srgb(keep_color(content, np.roll(content, 5, -1) * np.float32(0.8), 1.0))
    turned = np.angle(np.exp(1j * (np.arctan2(out[2, 0], out[1, 0]) - hue)))
    assert np.abs(turned).max() < 0.02


def test_keep_color_stays_in_range():
    content, layer = np.broadcast_to(plain(1, 0, 0), (3, 4, 4)), random_planes(3, 4, 4)
    out = keep_color(content, layer, 1.0)
    assert float(out.min()) >= 0
    assert float(out.max()) <= 1


# --- bytes and floats ----------------------------------------------------------------------------------------------


def test_every_byte_survives():
    pixels = np.arange(256, dtype=np.uint8).repeat(3).reshape(16, 16, 3)
    picture = as_picture(pixels)
    assert picture.dtype == np.float32
    assert picture.flags.c_contiguous
    assert np.array_equal(picture[1].ravel(), np.arange(256, dtype=np.float32) / np.float32(255))
    assert np.array_equal(as_pixels(picture), pixels)
    assert np.array_equal(as_pixels(as_picture(pixels[::-1, ::2])), pixels[::-1, ::2])


def test_bytes_are_rounded_and_clipped():
    picture = np.tile(np.array([-0.5, 0.4 / 255, 0.6 / 255, 1.7], np.float32), (3, 1, 1))
    assert as_pixels(picture)[0, :, 0].tolist() == [0, 0, 1, 255]


def test_bytes_of_any_view_of_a_picture():
    picture = random_planes(3, 30, 41) * np.float32(1.2) - np.float32(0.1)
    expected = np.rint(picture * np.float32(255)).clip(0, 255).astype(np.uint8).transpose(1, 2, 0)
    assert np.array_equal(as_pixels(picture), expected)
    assert np.array_equal(as_pixels(picture[:, 2::3, ::-2]), expected[2::3, ::-2])
    assert np.array_equal(as_pixels(picture[::-1, ::-1, :1]), expected[::-1, :1, ::-1])
    assert np.array_equal(
        as_pixels(np.broadcast_to(picture[:, :1, :1], (3, 4, 5))), np.tile(expected[:1, :1], (4, 5, 1))
    )


def test_area_resize_agrees_with_opencv_on_a_photo(astronaut):
    expected = cv2.resize(astronaut.astype(np.float32) / 255, (100, 77), interpolation=cv2.INTER_AREA)
    np.testing.assert_allclose(resize(as_picture(astronaut), (77, 100)).transpose(1, 2, 0), expected, atol=1e-5)
