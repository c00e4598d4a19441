"""Scores of segments and distances of style and content against counting and formulas, and similarity as a command."""

from __future__ import annotations

import json
import math
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from blocked_imports import run_without
from conftest import is_one_sentence
from selfieart.cli import main
from selfieart.errors import SelfieartError, UnknownName
from selfieart.imaging import write_photo
from selfieart.imaging.arrays import as_picture
from selfieart.metrics.distances import STYLE_LAYERS, content_distance, gram, style_distance
from selfieart.metrics.segmentation import SegmentationScores, confusion_matrix, f1, iou, mean_iou, pixel_accuracy
from selfieart.metrics.similarity import fsimc, gmsd, ssim

# --- segments ------------------------------------------------------------------------------------------------------

some_labels = arrays(np.uint8, (5, 7), elements=st.sampled_from([0, 1, 2, 3, 255]))
some_predictions = arrays(np.int64, (5, 7), elements=st.integers(0, 3))


def counted(labels: np.ndarray, predicted: np.ndarray, k: int) -> tuple[int, int, int]:
    """True positives, false positives and false negatives of a class, pixel by pixel."""
    hits = extra = missed = 0
    for truth, found in zip(labels.ravel().tolist(), predicted.ravel().tolist(), strict=True):
        if truth == 255:
            continue
        hits += truth == k and found == k
        extra += truth != k and found == k
        missed += truth == k and found != k
    return hits, extra, missed


@given(some_labels, some_predictions)
def test_scores_of_segments_are_what_counting_gives(labels, predicted):
    confusion = confusion_matrix(labels, predicted, 4)
    assert confusion.sum() == (labels != 255).sum()
    expected_iou, expected_f1 = [], []
    for k in range(4):
        hits, extra, missed = counted(labels, predicted, k)
        present = hits + extra + missed > 0
        assert confusion[k, k] == hits
        assert confusion[:, k].sum() == hits + extra
        assert confusion[k].sum() == hits + missed
        expected_iou.append(hits / (hits + extra + missed) if present else math.nan)
        expected_f1.append(2 * hits / (2 * hits + extra + missed) if present else math.nan)
    np.testing.assert_allclose(iou(confusion), expected_iou)
    np.testing.assert_allclose(f1(confusion), expected_f1)
    if confusion.any():
        known = labels != 255
        assert mean_iou(confusion) == pytest.approx(np.mean([v for v in expected_iou if not math.isnan(v)]))
        assert pixel_accuracy(confusion) == pytest.approx((labels[known] == predicted[known]).mean())


@given(some_labels, some_predictions, some_labels, some_predictions)
def test_scores_add_up_over_pictures(labels, predicted, other_labels, other_predicted):
    apart, together = SegmentationScores(4), SegmentationScores(4)
    apart.add(labels, predicted)
    apart.add(other_labels, other_predicted)
    together.add(np.stack([labels, other_labels]), np.stack([predicted, other_predicted]))
    assert np.array_equal(apart.confusion, together.confusion)


def test_scores_of_segments_as_a_dictionary():
    scores = SegmentationScores(4, ignore=9)
    scores.add([[0, 0, 0, 1], [1, 1, 9, 9]], torch.tensor([[0, 0, 1, 1], [1, 0, 3, 0]]))
    assert scores.as_dict(["a", "b", "c", "d"]) == {
        "mean_iou": pytest.approx(0.5),
        "mean_f1": pytest.approx(2 / 3),
        "pixel_accuracy": pytest.approx(4 / 6),
        "pixels": 6,
        "iou": {"a": pytest.approx(0.5), "b": pytest.approx(0.5)},
        "f1": {"a": pytest.approx(2 / 3), "b": pytest.approx(2 / 3)},
    }
    assert scores.mean_iou == pytest.approx(0.5)
    assert np.isnan(scores.iou[2:]).all()


@pytest.mark.parametrize(
    ("labels", "predicted", "words"),
    [
        ([[0, 1]], [[0], [1]], r"Labels \(1, 2\) and predictions \(2, 1\) must have one shape"),
        ([0, 3], [0, 1], "There is a label 3, but classes go from 0 to 2"),
        ([0, 1], [-1, 1], "There is a predicted class -1"),
        ([0, 1], [0, 255], "There is a predicted class 255"),
        ([0.0, 1.0], [0, 1], "whole numbers, not float64"),
    ],
)
def test_class_maps_that_do_not_fit_are_refused(labels, predicted, words):
    scores = SegmentationScores(3)
    with pytest.raises(SelfieartError, match=words) as error:
        scores.add(labels, predicted)
    assert is_one_sentence(str(error.value))
    assert not scores.confusion.any()


def test_scores_of_nothing_are_refused():
    scores = SegmentationScores(2)
    scores.add([255, 255], [0, 1])
    for ask in (lambda: scores.mean_iou, lambda: scores.pixel_accuracy, lambda: scores.as_dict(["a", "b"])):
        with pytest.raises(SelfieartError, match="No pixels were counted") as error:
            ask()
        assert is_one_sentence(str(error.value))
    with pytest.raises(SelfieartError, match="2 classes, but 1 names"):
        scores.as_dict(["a"])
    with pytest.raises(SelfieartError, match="at least one class"):
        SegmentationScores(0)


# --- style and content ---------------------------------------------------------------------------------------------


def features_of(seed: int, size: tuple[int, int] = (6, 5)) -> dict[str, torch.Tensor]:
    generator = torch.Generator().manual_seed(seed)
    return {layer: torch.rand(1, 4, *size, generator=generator) for layer in (*STYLE_LAYERS, "relu4_2")}


def reference_gram(features: torch.Tensor) -> np.ndarray:
    f = features[0].double().numpy().reshape(4, -1)
    return np.array([[sum(f[i] * f[j]) / f.size for j in range(4)] for i in range(4)])


def test_distances_are_their_formulas():
    x, s = features_of(0), features_of(1, (3, 8))
    np.testing.assert_allclose(gram(x["relu1_1"]), reference_gram(x["relu1_1"]), rtol=1e-5)
    each = {}
    for layer in STYLE_LAYERS:
        a, b = reference_gram(x[layer]), reference_gram(s[layer])
        each[layer] = ((a - b) ** 2).sum() / (b**2).sum()
    assert style_distance(x, s) == pytest.approx(np.mean(list(each.values())), rel=1e-4)
    assert style_distance(x, s, ["relu3_1"]) == pytest.approx(each["relu3_1"], rel=1e-4)
    c = features_of(2)
    a, b = x["relu4_2"].double().numpy(), c["relu4_2"].double().numpy()
    assert content_distance(x, c) == pytest.approx(((a - b) ** 2).sum() / (b**2).sum(), rel=1e-6)


def test_distances_to_oneself_to_nothing_and_to_the_double():
    x = features_of(0)
    nothing = {layer: torch.zeros_like(value) for layer, value in x.items()}
    double = {layer: 2 * value for layer, value in x.items()}
    for distance, to_double in ((style_distance, (4 - 1) ** 2), (content_distance, 1)):
        assert distance(x, x) == 0
        assert distance(nothing, x) == pytest.approx(1)
        assert distance(double, x) == pytest.approx(to_double, rel=1e-5)
        with pytest.raises(SelfieartError, match="are all 0 or no numbers") as error:
            distance(x, nothing)
        assert is_one_sentence(str(error.value))
        with pytest.raises(SelfieartError, match="no numbers"):
            distance({layer: value * torch.nan for layer, value in x.items()}, x)


@pytest.mark.parametrize(
    ("ask", "words"),
    [
        (lambda x: style_distance(x, x, ["relu5_2"]), "Unknown layer 'relu5_2': did you mean 'relu5_1'"),
        (lambda x: content_distance({}, x), "Unknown layer 'relu4_2': compute its features too."),
        (lambda x: style_distance(x, x, []), "at least one layer"),
        (lambda x: content_distance(x, features_of(0, (5, 5))), "must have one shape"),
        (lambda x: gram(torch.rand(2, 3, 4, 4)), "Features must be those of one picture"),
    ],
)
def test_features_that_do_not_fit_are_refused(ask, words):
    with pytest.raises(SelfieartError, match=words) as error:
        ask(features_of(0))
    assert is_one_sentence(str(error.value))
    assert isinstance(error.value, UnknownName) == ("Unknown" in words)


# --- the command line ----------------------------------------------------------------------------------------------


@pytest.fixture
def pictures(astronaut: np.ndarray) -> dict[str, np.ndarray]:
    content = cv2.resize(astronaut, (90, 80), interpolation=cv2.INTER_AREA)
    ramp = np.linspace(0, 255, 90).round().astype(np.uint8)
    return {
        "content": content,
        "result": cv2.GaussianBlur(content, (0, 0), 2),
        "mask": np.tile(ramp[:, None], (80, 1, 3)),
        "small": content[:60, :60],
    }


@pytest.fixture
def files(tmp_path: Path, pictures: dict[str, np.ndarray]) -> dict[str, Path]:
    return {name: write_photo(tmp_path / f"{name}.png", picture) for name, picture in pictures.items()}


def run(*arguments: object) -> int:
    with pytest.raises(SystemExit) as stop:
        main(["evaluate", "similarity", *map(str, arguments)])
    return int(stop.value.code or 0)


def test_the_command(files, pictures, capsys):
    x, y = as_picture(pictures["content"]), as_picture(pictures["result"])
    mask = pictures["mask"][..., 0] / 255
    for weights, options in ((None, ()), (mask, ("--mask", files["mask"]))):
        assert run(files["content"], files["result"], *options, "--json") == 0
        said = json.loads(capsys.readouterr().out)
        for measure in (ssim, fsimc, gmsd):
            assert said[measure.__name__] == pytest.approx(measure(x, y, weights), abs=1e-6)
        assert said["mask"] == (str(files["mask"]) if options else None)
    assert run(files["content"], files["result"]) == 0
    shown = capsys.readouterr().out
    for name, measure in (("SSIM", ssim), ("FSIMc", fsimc), ("GMSD", gmsd)):
        assert f"│ {name:<7} │ {measure(x, y):.4f}" in shown


def test_what_the_command_refuses(files, capsys):
    content = files["content"]
    for arguments, words in (
        ((content, files["small"]), "of one size"),
        ((content, files["result"], "--mask", files["small"]), "The mask must have the size of the pictures"),
        ((content, content.with_name("none.png")), "none.png"),
    ):
        assert run(*arguments, "--json") == 2
        out, err = capsys.readouterr()
        assert out == ""
        assert words in err
        assert is_one_sentence(err.removeprefix("Error: ").rstrip("\n"))


def test_the_command_needs_neither_torch_nor_scipy_nor_matplotlib(files, pictures):
    for options in ((), ("--mask", files["mask"])):
        arguments = ("evaluate", "similarity", files["content"], files["result"], *options)
        said = run_without(("torch", "scipy", "matplotlib"), (*arguments, "--json"))
        assert (said.returncode, said.stderr) == (0, "")
        scores = json.loads(said.stdout)
        mask = pictures["mask"][..., 0] / 255 if options else None
        expected = ssim(as_picture(pictures["content"]), as_picture(pictures["result"]), mask)
        assert scores["ssim"] == pytest.approx(expected, abs=1e-6)
        shown = run_without(("torch", "scipy", "matplotlib"), arguments)
        assert (shown.returncode, shown.stderr) == (0, "")
        assert f"│ SSIM    │ {scores['ssim']:.4f}" in shown.stdout
