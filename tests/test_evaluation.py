"""Evaluations from Python: what is offered by name, typed options and results, what each refuses."""

from __future__ import annotations

import json
import sys
from dataclasses import fields, is_dataclass
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from safetensors.torch import save_file

import selfieart.evaluation
from blocked_imports import run_without
from conftest import is_one_sentence, wrong
from selfieart.cli import main
from selfieart.errors import SelfieartError, UnknownName
from selfieart.evaluation import (
    EncoderEvaluation,
    InstantEvaluation,
    MethodsEvaluation,
    ParsingEvaluation,
    PresetsEvaluation,
    SimilarityEvaluation,
    SimilarityScores,
    VideoEvaluation,
    evaluate_encoder,
    evaluate_instant,
    evaluate_methods,
    evaluate_parsing,
    evaluate_presets,
    evaluate_similarity,
    evaluate_video,
)
from selfieart.evaluation.judge import Distances, StyleScores
from selfieart.evaluation.pictures import paintings_in, read_at
from selfieart.evaluation.video import style_judge
from selfieart.imaging import write_photo
from selfieart.look import Look, SegmentLook
from selfieart.networks.encoder import Encoder
from selfieart.styles.presets import presets
from selfieart.training.teacher import Teacher
from selfieart.weights import manifest

COMMANDS = ("parsing", "presets", "instant", "encoder", "similarity", "video", "portrait_aware", "methods")


def run(*arguments: object) -> int:
    with pytest.raises(SystemExit) as stop:
        main(["evaluate", *map(str, arguments)])
    return int(stop.value.code or 0)


@pytest.fixture
def photo(tmp_path: Path, astronaut: np.ndarray) -> Path:
    return write_photo(tmp_path / "me.png", astronaut[20:200, 120:300])


@pytest.fixture(scope="module")
def teacher(tmp_path_factory: pytest.TempPathFactory) -> Path:
    torch.manual_seed(3)
    path = tmp_path_factory.mktemp("teacher") / "vgg.safetensors"
    save_file(Teacher().state_dict(), path)
    return path


@pytest.fixture
def paintings(tmp_path: Path) -> Path:
    folder = tmp_path / "paintings"
    folder.mkdir()
    rng = np.random.default_rng(0)
    for name in "abcde":
        strokes = cv2.GaussianBlur(rng.integers(0, 255, (96, 110, 3), np.uint8), (0, 0), 1.5)
        cv2.imwrite(str(folder / f"{name}.jpg"), strokes)
    return folder


@pytest.fixture
def labelled(tmp_path: Path, astronaut: np.ndarray) -> tuple[Path, Path]:
    """Folders of one picture and of its labels, the person in the middle."""
    images, labels = tmp_path / "images", tmp_path / "labels"
    images.mkdir()
    labels.mkdir()
    write_photo(images / "a.png", astronaut[:256, 96:352])
    person = np.zeros((256, 256), np.uint8)
    person[20:, 60:200] = 255
    cv2.imwrite(str(labels / "a.png"), person)
    return images, labels


# --- what is offered -----------------------------------------------------------------------------------------------


def test_every_command_has_a_function_and_typed_options():
    offered = set(selfieart.evaluation.__all__)
    assert {f"evaluate_{command}" for command in COMMANDS} <= offered
    for name in offered:
        thing = getattr(selfieart.evaluation, name)
        assert thing.__name__ == name
        assert len(thing.__doc__.strip()) > 20
        if not name.startswith("evaluate_"):
            assert is_dataclass(thing)
            assert thing.__dataclass_params__.frozen
        if name.endswith("Evaluation"):
            assert f"| {name} |" in selfieart.evaluation.__doc__
            documented = thing.__doc__.partition("Attributes:")[2]
            assert all(field.name in documented for field in fields(thing)), name
        if name.endswith("Scores"):
            assert callable(thing.to_json)
    with pytest.raises(AttributeError, match="no attribute 'evaluate_colour'"):
        _ = selfieart.evaluation.evaluate_colour


def test_what_needs_torch_says_so_by_name(monkeypatch):
    monkeypatch.setitem(sys.modules, "torch", None)
    with pytest.raises(SelfieartError, match=r"pip install 'selfieart\[methods\]'") as error:
        _ = selfieart.evaluation.evaluate_presets
    assert is_one_sentence(str(error.value))
    assert selfieart.evaluation.evaluate_similarity is evaluate_similarity


# --- similarity ----------------------------------------------------------------------------------------------------


def test_similarity(photo, tmp_path):
    other = write_photo(tmp_path / "other.png", cv2.GaussianBlur(cv2.imread(str(photo))[..., ::-1], (0, 0), 2))
    scores = evaluate_similarity(SimilarityEvaluation(photo, other))
    assert isinstance(scores, SimilarityScores)
    assert 0 < scores.ssim < 1 and 0 < scores.fsimc < 1 and scores.gmsd > 0
    assert scores.to_json() == {
        "content": str(photo), "result": str(other), "mask": None,
        "ssim": scores.ssim, "fsimc": scores.fsimc, "gmsd": scores.gmsd,
    }  # fmt: skip
    same = evaluate_similarity(SimilarityEvaluation(photo, photo, photo))
    assert (same.ssim, same.fsimc, same.gmsd) == (pytest.approx(1), pytest.approx(1), pytest.approx(0))


# --- parsing -------------------------------------------------------------------------------------------------------


def test_parsing_as_the_product_does_it_and_in_one_pass(labelled):
    whole = evaluate_parsing(ParsingEvaluation(*labelled, kind="person"))
    assert whole.pictures == 1 and whole.iou is None
    assert 0.4 < whole.person_iou < 1
    once = evaluate_parsing(ParsingEvaluation(*labelled, kind="person", side=128))
    assert 0.3 < once.person_iou < 1
    assert once.person_iou != whole.person_iou
    painted = evaluate_parsing(ParsingEvaluation(*labelled, kind="person", painted=True))
    assert painted.person_iou != whole.person_iou


@pytest.mark.parametrize("parser", ["bisenet", "segnet"])
def test_weights_of_a_file_are_read_as_those_of_the_package(labelled, parser):
    file = Path(selfieart.__file__).parent / "weights" / manifest()[parser].file
    for side in (None, 128):
        packaged, ours = (
            evaluate_parsing(ParsingEvaluation(*labelled, kind="person", parser=parser, weights=weights, side=side))
            for weights in (None, file)
        )
        assert ours.person_iou == pytest.approx(packaged.person_iou, abs=2e-3)
        assert ours.allowed == pytest.approx(packaged.allowed, abs=2e-3)


def test_what_parsing_refuses(labelled, teacher):
    wrong("Unknown kind of labels 'clases': did you mean 'classes'", evaluate_parsing,
          ParsingEvaluation(*labelled, kind="clases"), error=UnknownName)  # fmt: skip
    wrong("Unknown parser 'unit'", evaluate_parsing, ParsingEvaluation(*labelled, kind="person", parser="unit"))
    for side in (None, 128):
        with pytest.raises(SelfieartError, match="do not fit this network"):
            evaluate_parsing(ParsingEvaluation(*labelled, kind="person", weights=teacher, side=side))
    wrong("holds no pictures to judge by", evaluate_parsing, ParsingEvaluation(*labelled, held_out=True))


def test_parsing_from_the_command_line(labelled, capsys):
    assert run("parsing", *labelled, "--kind", "person", "--json") == 0
    said = json.loads(capsys.readouterr().out)
    assert list(said) == ["pictures", "person_iou", "allowed"]
    assert run("parsing", *labelled, "--kind", "person") == 0
    assert f"person_iou: {said['person_iou']:.4f}" in capsys.readouterr().out
    assert run("parsing", *labelled, "--kind", "clases") == 2
    assert "did you mean 'classes'?" in capsys.readouterr().err


def test_parsing_shows_a_table_where_all_classes_are_known(labelled, capsys):
    cv2.imwrite(str(labelled[1] / "a.png"), np.full((256, 256), 1, np.uint8))
    assert run("parsing", *labelled) == 0
    shown = capsys.readouterr().out
    assert "│ absent │ absent │" in shown
    assert "mean" in shown and "pixel_accuracy" in shown


# --- styles --------------------------------------------------------------------------------------------------------


def test_presets_from_the_command_line(photo, paintings, teacher, capsys, monkeypatch):
    monkeypatch.setattr("selfieart.evaluation.presets.presets", lambda: {"candy": None, "wave": None})
    for letter, name in zip("ab", ("candy", "wave"), strict=True):
        (paintings / f"{letter}.jpg").rename(paintings / f"{name}.jpg")
    command = ("presets", paintings, "--photo", photo, "--teacher", teacher, "--side", 96)
    assert run(*command, "--json") == 0
    said = json.loads(capsys.readouterr().out)
    assert list(said) == ["candy", "wave", "mean"]
    assert said["mean"]["style"] == pytest.approx((said["candy"]["style"] + said["wave"]["style"]) / 2)
    assert all(set(row) == {"style", "content"} and min(row.values()) > 0 for row in said.values())
    assert run(*command, "--gatys", 2, "--json") == 0
    both = json.loads(capsys.readouterr().out)
    assert list(both) == ["feed-forward", "gatys"]
    assert all(both["feed-forward"][name] == pytest.approx(row, rel=1e-5) for name, row in said.items())
    assert run(*command, "--gatys", 2) == 0
    shown = capsys.readouterr().out
    assert "gatys: style" in shown and f"{said['wave']['content']:.4f}" in shown


def test_instant_from_the_command_line(photo, paintings, teacher, capsys):
    command = ("instant", paintings, "--photo", photo, "--teacher", teacher, "--side", 96, "--count", 3)
    assert run(*command, "--json") == 0
    assert list(json.loads(capsys.readouterr().out)) == ["a", "c", "e", "mean"]
    assert run(*command) == 0
    assert "feed-forward: style" in capsys.readouterr().out


def test_an_encoder_beside_the_teacher(photo, paintings, teacher, tmp_path, capsys):
    sheet = tmp_path / "sheet.png"
    command = ("encoder", paintings, "--photo", photo, "--teacher", teacher, "--side", 64, "--count", 2,
               "--iterations", 2)  # fmt: skip
    assert run(*command, "--sheet", sheet, "--json") == 0
    said = json.loads(capsys.readouterr().out)
    assert list(said) == ["encoder", "teacher", "ratio"]
    assert said["ratio"] == pytest.approx(said["encoder"]["mean"]["style"] / said["teacher"]["mean"]["style"])
    assert cv2.imread(str(sheet)).shape[0] > 4 * 256
    weights = tmp_path / "encoder.safetensors"
    torch.manual_seed(1)
    save_file(Encoder().state_dict(), weights)
    assert run(*command, "--weights", weights) == 0
    assert "ratio of the style distances: " in capsys.readouterr().out


def test_what_styles_refuse(photo, paintings, teacher, tmp_path):
    missing = tmp_path / "none.safetensors"
    for evaluate, kind in (
        (evaluate_presets, PresetsEvaluation), (evaluate_instant, InstantEvaluation),
        (evaluate_encoder, EncoderEvaluation),
    ):  # fmt: skip
        wrong(r"none\.safetensors does not exist: give a file", evaluate, kind(paintings, (photo,), missing))
        wrong(r"none\.jpg does not exist", evaluate, kind(paintings, (tmp_path / "none.jpg",), teacher))
    wrong("give at least one", evaluate_instant, InstantEvaluation(paintings, (), teacher))
    wrong("no held-out pictures", evaluate_instant, InstantEvaluation(paintings, (photo,), teacher, held_out=True))
    wrong("do not fit", evaluate_encoder, EncoderEvaluation(paintings, (photo,), teacher, weights=teacher))
    first = next(iter(presets()))
    wrong(rf"{first}\.jpg does not exist", evaluate_presets, PresetsEvaluation(paintings, (photo,), teacher))


def test_scores_of_styles_as_json():
    one, two = {"a": Distances(0.5, 0.25)}, {"a": Distances(1.0, 2.0)}
    assert StyleScores(one).to_json() == {"a": {"style": 0.5, "content": 0.25}}
    assert StyleScores(one, two).to_json()["gatys"] == {"a": {"style": 1.0, "content": 2.0}}


def test_pictures_that_are_judged(photo, paintings):
    assert list(paintings_in(paintings, frozenset("bd"), None)) == ["b", "d"]
    assert list(paintings_in(paintings, None, 2)) == ["a", "e"]
    assert read_at(photo, 90).shape == (3, 90, 90)
    assert read_at(photo, 400).shape == (3, 180, 180)
    enlarged = read_at(photo, 360, enlarge=True)
    assert enlarged.shape == (3, 360, 360)
    assert enlarged.dtype == np.float32
    assert 0 <= enlarged.min() < enlarged.max() <= 1


# --- videos and methods --------------------------------------------------------------------------------------------


def test_what_videos_and_methods_refuse(photo, tmp_path, teacher):
    look = Look({"everything": SegmentLook("candy")})
    wrong("give both --teacher and --paintings", evaluate_video, VideoEvaluation((photo,), look, teacher=teacher))
    plain = Look({"everything": SegmentLook("grey")})
    options = VideoEvaluation((photo,), plain, teacher=teacher, paintings=tmp_path)
    wrong("wears no painting", evaluate_video, options)
    wrong("did you mean 'gatys'", evaluate_methods, MethodsEvaluation((photo,), ("candy",), ("gatis",)))
    wrong("is not painted", evaluate_methods, MethodsEvaluation((photo,), ("blur",), ("instant",)))


def test_the_style_of_a_video_is_judged_by_the_teacher(paintings, teacher):
    (paintings / "a.jpg").rename(paintings / "candy.jpg")
    look = Look({"person": SegmentLook("candy"), "background": SegmentLook(str(paintings / "b.jpg"))})
    judge = style_judge(look, teacher, paintings)
    strokes = cv2.imread(str(paintings / "candy.jpg"))[..., ::-1]
    assert 0 < judge(strokes) < judge(np.full((96, 110, 3), 128, np.uint8))


def test_what_works_without_any_extra(labelled, photo, tmp_path):
    sheet = tmp_path / "sheet.png"
    for arguments in (
        ("parsing", *labelled, "--kind", "person"),
        ("methods", "--photo", photo, "--style", "candy", "--method", "instant", "--side", 64, "--sheet", sheet),
    ):
        done = run_without(("torch", "scipy", "matplotlib"), ("evaluate", *arguments))
        assert (done.returncode, done.stderr) == (0, "")
        assert "person_iou" in done.stdout or str(sheet) in done.stdout
