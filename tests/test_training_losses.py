"""The terms that training minimises, and the labels it reads, against plain formulas."""

from __future__ import annotations

import random
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import nn

from selfieart.errors import SelfieartError
from selfieart.evaluation.parsing import pairs_in, read_pairs, score_reader
from selfieart.segments import GROUPS, INDEX, NAMES
from selfieart.training.labelled import (
    ACCESSORIES,
    CLOTHES,
    IGNORED,
    PERSON,
    SKIN,
    Labelled,
    allowed_classes,
    augment,
    held_out_names,
    lend,
    mirrored_ids,
    read_labelled,
    split,
)  # fmt: skip
from selfieart.training.parser import PaintedCopies, dice_loss, partial_label_loss
from selfieart.training.style_losses import (
    HIGHEST_PEAK,
    Motion,
    light_error,
    moments,
    out_of_range,
    pooled_moments,
    quarters,
    stability_error,
    statistics_error,
    tempered,
    total_variation,
    watched_peaks,
)  # fmt: skip


def noise(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.rand(*shape, generator=torch.Generator().manual_seed(seed))


def test_moments_of_quarters_pool_to_those_of_the_whole():
    x = torch.randn(3, 5, 8, 12, generator=torch.Generator().manual_seed(0)) + 2
    mean, cov = pooled_moments(*moments(quarters(x)))
    flat = x.flatten(2).double()
    for index in range(3):
        np.testing.assert_allclose(mean[index], flat[index].mean(1), atol=1e-5)
        np.testing.assert_allclose(cov[index], torch.cov(flat[index], correction=0), atol=1e-5)


def test_statistics_error_is_relative():
    mean, cov = noise(2, 4), noise(2, 4, 4, seed=1)
    assert torch.equal(torch.stack(statistics_error(mean, cov, mean, cov)), torch.zeros(2, 2))
    doubled = statistics_error(3 * mean, 3 * cov, mean, cov)
    assert torch.allclose(torch.stack(doubled), torch.full((2, 2), 4.0))


def test_great_errors_are_tempered_and_small_ones_are_not():
    errors = torch.tensor([0.0, 0.5, 1.0, 7.389056, 1000.0], requires_grad=True)
    assert tempered(errors).tolist() == pytest.approx([0, 0.5, 1, 3, 1 + np.log(1000)], rel=1e-5)
    tempered(errors).sum().backward()
    assert errors.grad is not None
    assert errors.grad.tolist() == pytest.approx([1, 1, 1, 1 / 7.389056, 1e-3], rel=1e-5)


def test_light_seen_from_afar_ignores_contrast_and_texture():
    x = noise(2, 3, 64, 64)
    texture = torch.tensor([0.1, -0.1]).repeat(32)
    assert float(light_error(x * 0.5 + 0.2 + texture, x)) < 1e-3
    assert float(light_error(1 - x, x)) > 1


def test_variation_and_range():
    ramp = torch.arange(8.0)[None, None, None].expand(1, 3, 4, 8) / 10
    assert float(total_variation(ramp)) == pytest.approx(0.01)
    assert float(out_of_range(torch.tensor([-0.5, 0.0, 1.0, 1.5]))) == pytest.approx(0.125)


class TestPeaks:
    def test_a_peak_costs_what_it_rises_above_the_limit(self):
        norm = nn.Identity()
        x = torch.zeros(1, 2, 30, 30)
        x[0, 0, 3, 4] = 7.0
        # One of n values differs from the others: it lies sqrt(n - 1) standard deviations from the mean.
        excess = 899**0.5 - HIGHEST_PEAK
        with watched_peaks([norm]) as seen:
            norm(x)
            norm(10 * x + 3)
        assert [float(value) for value in seen] == pytest.approx([excess**2 / 1800] * 2, rel=1e-3)

    def test_what_is_not_high_costs_nothing_and_nobody_is_watched_later(self):
        norm = nn.Identity()
        x = torch.rand(2, 3, 16, 16, generator=torch.Generator().manual_seed(0))
        with watched_peaks([norm]) as seen:
            norm(x)
        norm(x)
        assert [float(value) for value in seen] == [0.0]


class TestMotion:
    def test_a_shift_by_whole_pixels(self):
        motion = Motion(1, 32, torch.Generator().manual_seed(0), pixels=0)
        theta = torch.tensor([[[1.0, 0, 2 * 3 / 32], [0, 1.0, -2 * 2 / 32]]])
        motion.grid = F.affine_grid(theta, [1, 3, 32, 32], align_corners=False)
        x = noise(1, 3, 32, 32)
        moved = motion.moved(x)
        assert torch.allclose(moved[..., 2:, :-3], x[..., :-2, 3:], atol=1e-5)
        assert float(motion.inside[..., 0, :].max()) == 0
        assert float(motion.inside[..., 8:24, 8:24].min()) == 1

    def test_stability_is_a_mean_over_what_is_inside(self):
        a, b = noise(1, 3, 4, 4), noise(1, 3, 4, 4, seed=1)
        inside = torch.zeros(1, 1, 4, 4)
        inside[..., :2, :] = 1
        wanted = (a - b)[..., :2, :].square().mean()
        assert float(stability_error(a, b, inside)) == pytest.approx(float(wanted), rel=1e-5)
        assert float(stability_error(a, a, inside)) == 0


class TestLabels:
    def test_what_a_label_allows(self):
        allowed = allowed_classes()
        assert np.array_equal(allowed[: len(NAMES)], np.eye(len(NAMES)))
        assert set(np.flatnonzero(allowed[PERSON])) == set(GROUPS["person"])
        assert allowed[SKIN, INDEX["nose"]] == 1 and allowed[SKIN, INDEX["hair"]] == 0
        assert {NAMES[i] for i in np.flatnonzero(allowed[CLOTHES])} == {"hat", "clothes"}
        assert allowed[ACCESSORIES, INDEX["glasses"]] == 1

    def test_mirroring_swaps_left_and_right_and_nothing_else(self):
        ids = mirrored_ids()
        assert np.array_equal(ids[ids], np.arange(256))
        assert ids[INDEX["left-eye"]] == INDEX["right-eye"]
        assert (ids != np.arange(256)).sum() == 6

    def test_partial_label_loss_is_the_summed_likelihood(self):
        logits = torch.randn(2, 19, 3, 3, generator=torch.Generator().manual_seed(0)).double()
        labels = torch.randint(0, 19, (2, 3, 3), generator=torch.Generator().manual_seed(1))
        weights = torch.ones(23, dtype=torch.float64)
        allowed = torch.from_numpy(allowed_classes()).double()
        ours = partial_label_loss(logits.softmax(1), labels, allowed, weights)
        assert float(ours) == pytest.approx(float(F.cross_entropy(logits, labels)), rel=1e-9)
        person = torch.full_like(labels, PERSON)
        wanted = -(1 - logits.softmax(1)[:, 0]).log().mean()
        assert float(partial_label_loss(logits.softmax(1), person, allowed, weights)) == pytest.approx(float(wanted))
        half = labels.clone()
        half[0] = IGNORED
        wanted = F.cross_entropy(logits[1:], labels[1:])
        assert float(partial_label_loss(logits.softmax(1), half, allowed, weights)) == pytest.approx(float(wanted))

    def test_dice_is_zero_for_the_truth_and_looks_at_present_classes_only(self):
        labels = torch.randint(0, 3, (1, 40, 40), generator=torch.Generator().manual_seed(0))
        truth = F.one_hot(labels, 19).permute(0, 3, 1, 2).float()
        assert float(dice_loss(truth, labels)) == pytest.approx(0, abs=1e-6)
        wrong = F.one_hot((labels + 1) % 3, 19).permute(0, 3, 1, 2).float()
        assert float(dice_loss(wrong, labels)) > 0.99
        assert float(dice_loss(truth, torch.full_like(labels, PERSON))) == 0

    def test_a_mark_moves_with_its_label(self):
        pixels, labels = np.zeros((80, 80, 3), np.uint8), np.zeros((80, 80), np.uint8)
        pixels[30:50, 20:40], labels[30:50, 20:40] = 255, INDEX["left-eye"]
        eyes = {INDEX["left-eye"], INDEX["right-eye"]}
        for seed in range(20):
            image, moved = augment(Labelled(pixels, labels, True), 96, (0.8, 1.2), random.Random(seed))
            assert set(np.unique(moved)) <= {0, IGNORED, *eyes}
            inside, outside = image[np.isin(moved, list(eyes))], image[moved == 0]
            if len(inside) > 50 and len(outside) > 50:
                assert inside.mean() > outside.mean()

    def test_lending_takes_only_what_is_worn(self):
        face = Labelled(np.full((20, 20, 3), 50, np.uint8), np.full((20, 20), 1, np.uint8), True)
        labels = np.full((20, 20), INDEX["hair"], np.uint8)
        labels[5:15, 5:15] = INDEX["glasses"]
        worn = lend(face, Labelled(np.full((20, 20, 3), 200, np.uint8), labels, True))
        assert worn.labels[10, 10] == INDEX["glasses"] and worn.labels[0, 0] == 1
        assert worn.pixels[10, 10, 0] == 200 and worn.pixels[0, 0, 0] == 50

    def test_a_painted_copy_depends_on_its_place_only_and_keeps_its_labels(self, astronaut):
        crops = [astronaut[top : top + 64, 160:240] for top in (0, 64)]
        samples = [Labelled(crop, np.full((64, 80), place, np.uint8), True) for place, crop in enumerate(crops)]
        copies, others = PaintedCopies(samples, 3), PaintedCopies(samples[::-1], 3)
        second, first = copies[1], copies[0]
        assert copies[1] is second
        assert (PaintedCopies(samples, 3)[0].pixels == first.pixels).all()
        assert [copy.labels[0, 0] for copy in (first, second)] == [0, 1]
        for copy, crop in ((first, crops[0]), (second, crops[1])):
            assert copy.pixels.shape == crop.shape
            assert np.abs(copy.pixels.astype(int) - crop).mean() > 5
        # The style belongs to the place, not to the picture.
        assert (others[1].pixels != first.pixels).any()

    def test_held_out_names_are_never_learned_from(self):
        names = sorted(held_out_names())
        assert len(names) == 240
        listed = [Path(f"{names[0]}.jpg"), *(Path(f"x{i}.jpg") for i in range(30))]
        assert split(listed) == (listed[1:], listed[:1])
        plain = [Path(f"{i:02}.jpg") for i in range(30)]
        assert split(plain) == (plain[:-3], plain[-3:])


@pytest.fixture
def labelled(tmp_path: Path) -> Path:
    for folder in ("images", "masks", "parts"):
        (tmp_path / folder).mkdir()
    ids = np.kron(np.arange(16, dtype=np.uint8).reshape(4, 4), np.ones((8, 8), np.uint8))
    for name, kind, values in (("a", "masks", ids), ("b", "masks", (ids > 7) * np.uint8(255)), ("c", "parts", ids % 5)):
        cv2.imwrite(str(tmp_path / "images" / f"{name}.png"), np.repeat(ids[..., None] * 9, 3, 2))
        cv2.imwrite(str(tmp_path / kind / f"{name}.png"), values)
    return tmp_path


class TestReading:
    def test_kinds_of_labels(self, labelled):
        a, b, c = (read_labelled(labelled / "images" / f"{name}.png", 384) for name in "abc")
        assert a.aligned and a.labels.max() == 15
        assert not b.aligned and set(np.unique(b.labels)) == {0, PERSON}
        assert set(np.unique(c.labels)) == {0, SKIN, INDEX["hair"], CLOTHES, ACCESSORIES}
        assert read_labelled(labelled / "images" / "a.png", 16).labels.shape == (16, 16)

    def test_scores_of_the_truth_and_of_a_mistake(self, labelled):
        pairs = pairs_in(labelled / "images", labelled / "masks", frozenset("a"))
        samples = read_pairs(pairs, "classes")
        truth = samples[0].labels
        right = score_reader(lambda pixels: truth, samples)
        assert right.mean_iou == right.mean_f1 == right.pixel_accuracy == 1
        assert right.iou["neck"] is None
        swapped = np.where(truth == 3, 4, truth)
        wrong = score_reader(lambda pixels: swapped, samples)
        assert wrong.iou[NAMES[3]] == 0 and wrong.iou[NAMES[4]] == 0.5
        assert wrong.mean_iou == pytest.approx((14 + 0.5) / 16)
        people = read_pairs(pairs_in(labelled / "images", labelled / "masks", frozenset("b")), "person")
        half = (people[0].labels > 0).astype(np.uint8) * INDEX["hair"]
        half[-8:] = 0
        scores = score_reader(lambda pixels: half, people)
        assert scores.person_iou == 0.5 and scores.allowed == 0.75
        assert scores.to_json() == {"pictures": 1, "person_iou": 0.5, "allowed": 0.75}

    def test_refusals(self, labelled):
        with pytest.raises(SelfieartError, match="has no labels"):
            pairs_in(labelled / "images", labelled / "masks")
        with pytest.raises(SelfieartError, match="not a folder"):
            pairs_in(labelled / "none", labelled / "masks")
        with pytest.raises(SelfieartError, match="ids above 4"):
            read_pairs(pairs_in(labelled / "images", labelled / "masks", frozenset("a")), "parts")
