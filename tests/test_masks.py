"""Equations 5 to 9 of SelfieArt against the formulas as printed, in float64 NumPy."""

from __future__ import annotations

import itertools
import math

import cv2
import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from conftest import is_one_sentence
from selfieart.engine import set_threads
from selfieart.errors import SelfieartError
from selfieart.masks import binary_masks, composite, feather, gaussian_blur, likeliest, select, soft_masks
from selfieart.networks.tensors import SoftMasks
from selfieart.networks.tensors import soft_masks as torch_soft_masks
from selfieart.segments import GROUPS, assign

ALL = range(19)
some_logits = arrays(np.float32, (5, 3, 4), elements=st.floats(-30, 30, width=32))


def eq9(logits: np.ndarray, tau: float) -> np.ndarray:
    """m_k = exp(tau z_k) / sum_i exp(tau z_i), shifted so that float64 holds the largest exponential."""
    z = logits.astype(np.float64)
    powers = np.exp(tau * (z - z.max(-3, keepdims=True)))
    return powers / powers.sum(-3, keepdims=True)


def entropy(masks: np.ndarray) -> np.ndarray:
    p = masks.astype(np.float64)
    return -(p * np.log(np.maximum(p, 1e-300))).sum(0)


# --- eq. 7, 8, 9 ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("tau", [0.1, 0.5, 1.0, 3.0, 10.0, 100.0])
def test_eq9(logits, tau):
    np.testing.assert_allclose(soft_masks(logits, tau), eq9(logits, tau), atol=1e-6 * max(1, tau))


def test_eq8_is_tau_1(logits):
    z = logits.astype(np.float64)
    np.testing.assert_allclose(soft_masks(logits, 1), np.exp(z) / np.exp(z).sum(0), atol=1e-6)


def test_eq7(logits):
    best = logits.argmax(0)
    expected = (np.arange(19)[:, None, None] == best).astype(np.float32)
    assert np.array_equal(binary_masks(logits), expected)
    assert np.array_equal(soft_masks(logits, math.inf), expected)


def test_of_equal_logits_the_first_class_wins():
    masks = binary_masks(np.array([1, 4, 4, 4], np.float32)[:, None, None])
    assert masks.flatten().tolist() == [0, 1, 0, 0]


def test_batches_of_logits(logits):
    batch = np.stack([logits, logits[::-1]])
    for tau in (2.0, math.inf):
        masks = soft_masks(batch, tau)
        assert np.allclose(masks[0], soft_masks(logits, tau), atol=1e-6)
        assert np.allclose(masks[1], soft_masks(logits[::-1], tau), atol=1e-6)


@given(some_logits, st.floats(1e-3, 1e4))
def test_masks_are_a_partition_of_unity(z, tau):
    masks = soft_masks(z, tau)
    assert float(masks.min()) >= 0
    assert float(masks.max()) <= 1
    np.testing.assert_allclose(masks.sum(0), 1, atol=1e-5)
    np.testing.assert_allclose(masks, eq9(z, tau), atol=2e-5 * max(1.0, tau))


@given(some_logits, st.floats(0.01, 100), st.floats(-50, 50, width=32))
def test_a_constant_added_to_all_logits_changes_nothing(z, tau, constant):
    shifted = soft_masks(z + np.float32(constant), tau)
    np.testing.assert_allclose(shifted, soft_masks(z, tau), atol=1e-4 * max(1.0, tau))


def test_large_tau_is_the_arg_max(logits):
    assert np.allclose(soft_masks(logits, 1e5), binary_masks(logits), atol=1e-6)


@pytest.mark.parametrize("tau", [1e30, 1e37, 1e38, 1e300])
def test_the_largest_tau_gives_masks_still(logits, tau):
    assert np.allclose(soft_masks(logits, tau), binary_masks(logits), atol=1e-6)


def test_small_tau_is_uniform(logits):
    assert np.allclose(soft_masks(logits, 1e-6), np.full_like(logits, 1 / 19), atol=1e-6)


@given(some_logits, st.floats(0.05, 20), st.floats(1.01, 10))
def test_entropy_falls_with_tau(z, tau, factor):
    softer, sharper = entropy(soft_masks(z, tau)), entropy(soft_masks(z, tau * factor))
    assert (sharper <= softer + 1e-5).all()


@pytest.mark.parametrize("tau", [0, 0.0, -1, -math.inf, math.nan])
def test_other_taus_are_refused(logits, tau):
    for make in (lambda: soft_masks(logits, tau), lambda: SoftMasks(tau)(torch.from_numpy(logits))):
        with pytest.raises(SelfieartError, match="tau must be greater than 0") as error:
            make()
        assert is_one_sentence(str(error.value))


@pytest.mark.parametrize("tau", [0.5, 3.0, 1e38, math.inf])
def test_the_module_and_the_torch_function_are_twins(logits, tau):
    module, z = SoftMasks(tau), torch.from_numpy(logits)
    assert torch.equal(module(z), torch_soft_masks(z, tau))
    np.testing.assert_allclose(soft_masks(logits, tau), module(z), atol=1e-6)
    assert module.state_dict()["tau"].item() == np.float32(tau)
    assert not list(module.parameters())
    other = SoftMasks()
    other.load_state_dict(module.state_dict())
    assert torch.equal(other(z), module(z))


def test_gradients_of_soft_masks(logits):
    z = torch.from_numpy(logits[:4, :2, :2]).double().requires_grad_()
    assert torch.autograd.gradcheck(lambda x: SoftMasks(0.7)(x), (z,))


def test_the_likeliest_class(logits):
    assert np.array_equal(likeliest(logits), logits.argmax(0))
    coarse = np.round(logits / 8)
    assert np.array_equal(likeliest(coarse), coarse.argmax(0))
    assert likeliest(coarse).dtype == np.uint8


@pytest.mark.parametrize("tau", [0.3, 3.0, math.inf])
def test_masks_of_a_part_are_a_part_of_the_masks(tau):
    """What one pixel becomes depends on its logits alone, however many there are and whatever the threads."""
    z = (np.random.default_rng(0).standard_normal((5, 130, 1100)) * 6).astype(np.float32)
    whole = soft_masks(z, tau)
    for rows in (slice(0, 1), slice(3, 70), slice(129, 130), slice(64, 130)):
        assert np.array_equal(soft_masks(z[:, rows], tau), whole[:, rows])
        assert np.array_equal(soft_masks(z[:, rows, 7:12], tau), whole[:, rows, 7:12])
    set_threads(3)
    try:
        assert np.array_equal(soft_masks(z, tau), whole)
    finally:
        set_threads(None)


def test_masks_are_made_of_float32(logits, picture):
    masks = soft_masks(logits, 1.0)
    made = [masks, soft_masks(logits, math.inf), binary_masks(logits), select(masks, [1, 2]), select(masks, [])]
    made += [feather(masks[:2], (1.5, 0.0)), gaussian_blur(picture, 2.0), gaussian_blur(picture[0], 2.0)]
    made += [composite(picture, [1 - picture], [picture[0]])]
    assert {array.dtype for array in made} == {np.dtype(np.float32)}


def test_logits_are_left_alone(logits):
    before = logits.copy()
    for tau in (0.5, math.inf):
        soft_masks(logits, tau)
    assert np.array_equal(logits, before)


# --- eq. 5 and 6 ---------------------------------------------------------------------------------------------------


@given(st.lists(st.sampled_from(ALL), unique=True))
def test_eq5(classes):
    masks = soft_masks(np.random.default_rng(0).standard_normal((19, 4, 5)).astype(np.float32), 2.0)
    expected = sum((masks[k].astype(np.float64) for k in classes), np.zeros((4, 5)))
    np.testing.assert_allclose(select(masks, classes), expected, atol=1e-6)


def test_eq6():
    draw = np.random.default_rng(0)
    content, *layers = draw.uniform(0, 1, (4, 3, 6, 7))
    weights = draw.dirichlet(np.ones(4), (6, 7)).transpose(2, 0, 1)[:3]
    expected = sum(w * g for w, g in zip(weights, layers, strict=True)) + (1 - weights.sum(0)) * content
    as_float = [x.astype(np.float32) for x in (content, *layers)]
    out = composite(as_float[0], as_float[1:], list(weights.astype(np.float32)))
    np.testing.assert_allclose(out, expected, atol=1e-6)


def test_composite_at_the_ends_of_the_weights(picture):
    layer, nothing, everything = 1 - picture, np.zeros((40, 56), np.float32), np.ones((40, 56), np.float32)
    assert np.array_equal(composite(picture, [], []), picture)
    assert np.array_equal(composite(picture, [layer, layer], [nothing, nothing]), picture)
    assert np.allclose(composite(picture, [layer], [everything]), layer, atol=1e-7)


def test_composite_leaves_its_inputs_alone(picture):
    before = picture.copy()
    composite(picture, [1 - picture], [np.full((40, 56), 0.5, np.float32)])
    assert np.array_equal(picture, before)


def test_the_order_of_styles_does_not_matter(logits, picture):
    content = picture[:, :12, :14]
    masks = soft_masks(logits, 0.3)
    kept = assign(["face", "hair", "lips", "background", "clothes"])
    layers = {name: np.roll(content, i, 0) * np.float32(0.5 + i / 10) for i, name in enumerate(kept)}
    outs = []
    for names in itertools.permutations(kept):
        weights = [select(masks, sorted(kept[name])) for name in names]
        outs.append(composite(content, [layers[name] for name in names], weights))
    assert all(np.allclose(out, outs[0], atol=1e-6) for out in outs)


def test_masks_of_a_whole_assignment_sum_to_one(logits):
    kept = assign(["everything", "face", "eyes", "hair", "body", "necklace"])
    masks = [select(soft_masks(logits, 1.3), sorted(classes)) for classes in kept.values()]
    assert np.allclose(sum(masks), 1, atol=1e-5)


def test_one_layer_worn_by_every_segment_is_that_layer(logits, picture):
    content, layer = picture[:, :12, :14], picture[:, 20:32, 20:34]
    masks = soft_masks(logits, 0.8)
    weights = [select(masks, [k]) for k in ALL]
    assert np.allclose(composite(content, [layer] * 19, weights), layer, atol=1e-6)


def test_selection_of_groups(logits):
    masks = soft_masks(logits, 1.0)
    assert np.allclose(select(masks, sorted(GROUPS["everything"])), 1, atol=1e-6)
    assert np.array_equal(select(masks, []), np.zeros((12, 14), np.float32))
    assert np.allclose(select(masks, sorted(GROUPS["person"])), 1 - masks[0], atol=1e-6)


# --- feather -------------------------------------------------------------------------------------------------------


def gaussian(plane: np.ndarray, sigma: float) -> np.ndarray:
    """Direct convolution in float64, borders replicated."""
    reach = math.ceil(5 * sigma)
    kernel = np.exp(-0.5 * (np.arange(-reach, reach + 1) / sigma) ** 2)
    kernel /= kernel.sum()
    out = plane.astype(np.float64)
    for axis in (0, 1):
        wide = np.pad(out, [(reach, reach) if a == axis else (0, 0) for a in (0, 1)], mode="edge")
        out = np.apply_along_axis(np.convolve, axis, wide, kernel, "valid")
    return out


@pytest.mark.parametrize("sigma", [0.6, 1.5, 4.0])
def test_gaussian_blur_against_direct_convolution(picture, sigma):
    expected = np.stack([gaussian(plane, sigma) for plane in picture])
    np.testing.assert_allclose(gaussian_blur(picture[0], sigma), expected[0], atol=5e-4)
    np.testing.assert_allclose(gaussian_blur(picture, sigma), expected, atol=5e-4)


def test_gaussian_blur_of_a_single_channel(picture):
    assert np.array_equal(gaussian_blur(picture[:1], 2.0), gaussian_blur(picture[0], 2.0)[None])


def test_feather_against_the_formula(logits):
    masks = soft_masks(logits, 1.0)[:3]
    masks = masks / masks.sum(0)
    sigmas = (2.0, 0.0, 1.0)
    blurred = np.stack([gaussian(m, s) if s else m.astype(np.float64) for m, s in zip(masks, sigmas, strict=True)])
    np.testing.assert_allclose(feather(masks, sigmas), blurred / blurred.sum(0), atol=1e-3)


def test_feather_of_nothing_is_the_masks_themselves(logits):
    masks = soft_masks(logits, 2.0)
    assert feather(masks, [0.0] * 19) is masks


@given(some_logits, st.lists(st.one_of(st.just(0.0), st.floats(0.3, 6)), min_size=5, max_size=5))
def test_feather_keeps_the_partition(z, sigmas):
    masks = feather(soft_masks(z, 3.0), sigmas)
    assert float(masks.min()) >= 0
    np.testing.assert_allclose(masks.sum(0), 1, atol=1e-5)


def test_feather_softens_a_border_evenly():
    masks = np.zeros((2, 20, 40), np.float32)
    masks[0, :, :20], masks[1, :, 20:] = 1, 1
    soft = feather(masks, (3.0, 3.0))
    assert np.allclose(soft[0], soft[1][..., ::-1], atol=1e-6)
    profile = soft[0, 10]
    assert bool((np.diff(profile) <= 1e-6).all())
    # The integral of a Gaussian: at one sigma from the border 84.1 % are left.
    assert float((profile[16] + profile[17]) / 2) == pytest.approx(0.841, abs=0.01)
    assert float(profile[0]) == pytest.approx(1, abs=1e-4)


@pytest.mark.parametrize("sigma", [0.7, 3.0, 11.0, 60.0])
def test_a_blur_in_strips_is_a_blur_in_one_piece(sigma):
    plane = np.random.default_rng(0).random((900, 70), np.float32)
    whole = cv2.GaussianBlur(plane, (0, 0), sigma, borderType=cv2.BORDER_REPLICATE)
    assert np.array_equal(gaussian_blur(plane, sigma), whole)
    assert np.array_equal(gaussian_blur(plane[:, ::2], sigma)[100], gaussian_blur(plane[:, ::2].copy(), sigma)[100])
