"""The trainer: one loop for every task, resumable to the bit."""

from __future__ import annotations

import csv
import json
import random
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import nn

from conftest import is_one_sentence
from selfieart.cli import main
from selfieart.errors import SelfieartError
from selfieart.networks.encoder import CHANNELS, LAYERS, Encoder
from selfieart.networks.faces import face_network
from selfieart.parsing.registry import FACE_NETWORKS
from selfieart.training import loop
from selfieart.training.curves import read_columns
from selfieart.training.encoder import EncoderTask, EncoderTraining, train_encoder
from selfieart.training.labelled import PERSON, Labelled
from selfieart.training.loop import Schedule, choose_device, fit
from selfieart.training.parser import ParserTask, ParserTraining, normalised, train_parser
from selfieart.training.presets import PresetTraining, train_presets
from selfieart.training.segnet import SegNetTraining, squeezed, train_segnet
from selfieart.training.teacher import Teacher, load_teacher

BRIEF = Schedule(3, log_every=1, save_every=1, sheet_every=2, warm_up=1)


class Line:
    """Learning y = 2 x + 1 from noisy points; Adam has to remember its moments to go on rightly."""

    parts = ("total", "slope")
    measures = ("error",)

    def __init__(self) -> None:
        torch.manual_seed(0)
        self.model = nn.Sequential(nn.Linear(1, 1), nn.BatchNorm1d(1), nn.Linear(1, 1))
        self.killed_at = -1

    def groups(self):
        return [{"params": list(self.model.parameters())}]

    def make_batch(self, rng: random.Random):
        x = torch.tensor([[rng.gauss(0, 1)] for _ in range(8)])
        return x, 2 * x + 1 + 0.1 * rng.gauss(0, 1)

    def losses(self, batch, step, generator):
        if step == self.killed_at:
            raise KeyboardInterrupt
        x, y = batch
        error = (self.model(x + 0.01 * torch.randn(x.shape, generator=generator)) - y).square().mean()
        return {"total": error, "slope": error.detach() * 2}

    def measure(self, model):
        x = torch.linspace(-1, 1, 9)[:, None]
        with torch.no_grad():
            return {"error": float((model(x) - 2 * x - 1).abs().mean())}

    def sheet(self, model):
        return np.full((4, 6, 3), 7, np.uint8)


class TestLoop:
    schedule = Schedule(
        60, learning_rate=0.05, log_every=5, save_every=10, sheet_every=20, weight_decay=0.01, workers=2
    )

    def test_it_learns_and_leaves_everything_behind(self, tmp_path):
        out = tmp_path / "line.safetensors"
        summary = fit(
            Line(), replace(self.schedule, steps=160, learning_rate=0.03, ema=0.95, sheet_every=40), out, {"note": 1}
        )
        assert summary["final"]["error"] < 0.15
        assert json.loads(out.with_suffix(".json").read_text())["settings"] == {"note": 1}
        assert cv2.imread(str(tmp_path / "line-sheet.png")).tolist() == [[[7, 7, 7]] * 6] * 4
        assert cv2.imread(str(out.with_suffix(".png"))).std() > 10
        assert not [*tmp_path.glob("*.tmp*"), *tmp_path.glob(".selfieart-*")]
        columns = read_columns(out.with_suffix(".csv"))
        assert columns["step"] == [float(step) for step in range(5, 161, 5)]
        assert columns["error at"] == [float(step) for step in range(40, 161, 40)]
        assert columns["total"][-1] < 0.2 * columns["total"][0]
        assert columns["slope"] == pytest.approx([2 * value for value in columns["total"]], rel=1e-3)

    @pytest.mark.parametrize(("killed_at", "muon"), [(13, 0.0), (20, 0.0), (57, 0.0), (33, 0.02)])
    def test_a_killed_run_goes_on_to_the_same_weights(self, tmp_path, killed_at, muon):
        whole, broken = tmp_path / "whole.safetensors", tmp_path / "broken.safetensors"
        schedule = replace(self.schedule, muon=muon)
        fit(Line(), schedule, whole)
        task = Line()
        task.killed_at = killed_at
        with pytest.raises(KeyboardInterrupt):
            fit(task, schedule, broken)
        fit(Line(), schedule, broken)
        a, b = load_file(whole), load_file(broken)
        assert a.keys() == b.keys()
        assert all(torch.equal(a[key], b[key]) for key in a)
        first, second = (
            [row[:-1] for row in csv.reader(path.with_suffix(".csv").read_text().splitlines())]
            for path in (whole, broken)
        )
        assert first == second

    def test_a_finished_run_is_not_run_again(self, tmp_path):
        out = tmp_path / "line.safetensors"
        first = fit(Line(), self.schedule, out)
        task = Line()
        task.killed_at = 0
        again = fit(task, self.schedule, out)
        assert again["final"] == first["final"]

    def test_learning_rate(self):
        schedule = Schedule(100, learning_rate=2.0, warm_up=10, lowest=0.1)
        assert schedule.rate(0) == pytest.approx(0.2)
        assert schedule.rate(50) == pytest.approx(1.0)
        assert schedule.rate(99) == pytest.approx(0.2)

    def test_the_average_follows_as_an_exponential_mean(self):
        mine, theirs = nn.Linear(2, 2), nn.Linear(2, 2)
        wanted = 0.9 * mine.weight.detach() + 0.1 * theirs.weight.detach()
        loop._follow(mine, theirs, 0.9)
        assert torch.allclose(mine.weight, wanted)

    def test_devices(self):
        assert choose_device("cpu").type == "cpu"
        with pytest.raises(SelfieartError, match="auto, cpu or cuda"):
            choose_device("tpu")


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folders of coarse random pictures, labelled ones, and a teacher of random weights."""
    root, rng = tmp_path_factory.mktemp("data"), np.random.default_rng(0)

    def picture(path: Path, side: int = 96) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        coarse = rng.integers(0, 256, (12, 12, 3), np.uint8)
        cv2.imwrite(str(path), cv2.resize(coarse, (side, side)))

    for name in "ab":
        picture(root / "styles" / f"{name}.png")
    for name in "cd":
        picture(root / "paintings" / f"{name}.png")
    for index in range(12):
        picture(root / "photos" / f"{index:02}.png")
        picture(root / "faces" / "images" / f"f{index:02}.png")
        picture(root / "people" / "images" / f"p{index:02}.png")
        labels = cv2.resize(rng.integers(0, 19, (6, 6), np.uint8), (96, 96), interpolation=cv2.INTER_NEAREST)
        for folder, name, values in (("faces", "f", labels), ("people", "p", (labels > 8) * np.uint8(255))):
            (root / folder / "masks").mkdir(exist_ok=True)
            cv2.imwrite(str(root / folder / "masks" / f"{name}{index:02}.png"), values)
    torch.manual_seed(1)
    save_file(Teacher().state_dict(), root / "teacher.safetensors")
    torch.manual_seed(2)
    save_file(Encoder().state_dict(), root / "encoder.safetensors")
    return root


def finite(path: Path) -> dict[str, torch.Tensor]:
    tensors = load_file(path)
    assert all(bool(value.float().isfinite().all()) for value in tensors.values())
    return tensors


def killed_at_save(monkeypatch, number: int, run) -> None:
    """Run, and be killed before a state is saved for the given time."""
    save, calls = loop.save_state, []

    def killed(state, path):
        calls.append(path)
        if len(calls) == number:
            raise KeyboardInterrupt
        save(state, path)

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(loop, "save_state", killed)
        run()


TINY = PresetTraining(size=64, batch=3, style_size=64, largest_content=80, warm_up=1)


@pytest.mark.parametrize("any_style", [0, 1])
def test_styles_go_on_where_they_were_killed(data, tmp_path, monkeypatch, any_style):
    def run(out: Path) -> dict[str, torch.Tensor]:
        train_presets(
            sorted((data / "styles").iterdir()), [data / "photos"], data / "teacher.safetensors", out,
            replace(TINY, any_style=any_style), BRIEF, pictures=[data / "paintings"],
            encoder=data / "encoder.safetensors",
        )  # fmt: skip
        return finite(out)

    whole = run(tmp_path / "whole.safetensors")
    killed_at_save(monkeypatch, 3, lambda: run(tmp_path / "broken.safetensors"))
    resumed = run(tmp_path / "broken.safetensors")
    assert whole.keys() == resumed.keys()
    different = {key: float((whole[key] - resumed[key]).abs().max()) for key in whole}
    assert not any(different.values()), different
    assert whole["codes"].shape[0] == 2
    assert ("predictor.mean" in whole) == bool(any_style)


def test_presets_can_learn_any_style_later(data, tmp_path):
    styles, teacher = sorted((data / "styles").iterdir()), data / "teacher.safetensors"
    train_presets(styles, [data / "photos"], teacher, tmp_path / "a.safetensors", TINY, replace(BRIEF, steps=1))
    train_presets(
        styles, [data / "photos"], teacher, tmp_path / "b.safetensors", replace(TINY, any_style=1),
        replace(BRIEF, steps=1, learning_rate=0.0), start=tmp_path / "a.safetensors", pictures=[data / "paintings"],
        encoder=data / "encoder.safetensors",
    )  # fmt: skip
    a, b = finite(tmp_path / "a.safetensors"), finite(tmp_path / "b.safetensors")
    assert all(torch.equal(a[key], b[key]) for key in a)
    assert torch.allclose(b["predictor.mean"].float(), a["codes"].float().mean(0), atol=2e-3)


def test_prediction_alone_leaves_the_presets_as_they_are(data, tmp_path):
    styles, teacher = sorted((data / "styles").iterdir()), data / "teacher.safetensors"
    both = {"pictures": [data / "paintings"], "encoder": data / "encoder.safetensors"}
    first, second = tmp_path / "a.safetensors", tmp_path / "b.safetensors"
    brief = replace(BRIEF, steps=1)
    train_presets(styles, [data / "photos"], teacher, first, replace(TINY, any_style=1), brief, **both)
    alone = replace(TINY, batch=2, any_style=2, prediction_only=True)
    train_presets(styles, [data / "photos"], teacher, second, alone, brief, start=first, **both)
    a, b = finite(first), finite(second)
    changed = {key.split(".")[0] for key in a if not torch.equal(a[key], b[key])}
    assert changed == {"predictor"}


@pytest.mark.parametrize("network", FACE_NETWORKS)
def test_the_parser_learns_from_full_and_partial_labels(data, tmp_path, network):
    out = tmp_path / "parser.safetensors"
    options = ParserTraining(size=64, batch=2, painted=0.0, read_side=96, network=network)
    summary = train_parser([data / "faces", data / "people"], out, options, BRIEF)
    assert summary["settings"]["pictures"] == {"faces": 11, "others": 11, "empty": 0, "held_out": 2}
    assert 0 <= summary["final"]["mean_iou"] <= 1 and 0 <= summary["final"]["person_iou"] <= 1
    assert finite(out).keys() == face_network(network).state_dict().keys()


def test_pictures_without_people_are_background(data):
    options = ParserTraining(size=64, read_side=48, batch=4, empty=1.0)
    task = ParserTask([data / "faces"], options, torch.device("cpu"), empty=data / "photos")
    assert len(task.empty) == 12 and all(sample.pixels.shape == (48, 48, 3) for sample in task.empty)
    _, labels = task.make_batch(random.Random(0))
    assert set(labels.unique().tolist()) <= {0, 255}
    assert (labels == 0).float().mean() > 0.5


def test_the_parser_begins_with_the_teachers_features(data):
    """Away from the borders each stage sees what the teacher sees, but for one factor that makes its size 1."""
    options = ParserTraining(read_side=96, vgg_pace=0.1)
    task = ParserTask([data / "faces"], options, torch.device("cpu"), teacher=data / "teacher.safetensors")
    slow, fast = task.groups()[1], task.groups()[0]
    assert (slow["pace"], fast["pace"]) == (0.1, 1.0)
    net, count = task.model, len(task.model.pretrained())
    assert [p.shape for p in slow["params"]] == [p.shape for layer in net.pretrained() for p in layer.parameters()]
    assert len(slow["params"]) == 2 * count and len(fast["params"]) == len(list(net.parameters())) - 2 * count
    image = torch.stack([torch.from_numpy(sample.pixels) for sample in task.faces]).permute(0, 3, 1, 2) / 255
    with torch.no_grad():
        wanted, x = load_teacher(data / "teacher.safetensors")(image), normalised(image)
        for stage, last in ((net.down1, "1_2"), (net.down2, "2_2"), (net.down4, "3_4"), (net.down8, "4_4")):
            x = stage(x)
            inner = (..., *[slice(x.shape[-1] // 4, -(x.shape[-1] // 4))] * 2)
            if last != "4_4":
                mine, theirs = x[inner].flatten(), wanted[f"relu{last}"][inner].flatten()
                assert torch.allclose(mine, theirs * ((mine @ theirs) / (theirs @ theirs)), atol=1e-4)
            assert float(x.square().mean().sqrt()) == pytest.approx(1, rel=0.1)
            x = torch.nn.functional.max_pool2d(x, 2)


def test_squeezed_pictures_keep_their_labels():
    """A 2:1 picture, its left half a person: so is the left half of the square."""
    labels = np.zeros((8, 16), np.uint8)
    labels[:, :8] = PERSON
    pixels = np.repeat(labels[..., None] * 10, 3, 2)
    seen = squeezed(Labelled(pixels, labels, False), 8)
    assert (seen.labels == np.repeat([[PERSON] * 4 + [0] * 4], 8, 0)).all()
    assert (seen.pixels == seen.labels[..., None] * 10).all()


def test_segnet_learns(data, tmp_path):
    summary = train_segnet([data / "people"], tmp_path / "s.safetensors", SegNetTraining(64, 2, 96), BRIEF)
    assert summary["settings"]["held_out"] == 1
    assert {"cross_entropy", "mean_iou", "person_iou"} <= summary["final"].keys()
    finite(tmp_path / "s.safetensors")


class TestEncoder:
    def test_it_learns(self, data, tmp_path):
        out = tmp_path / "encoder.safetensors"
        options = EncoderTraining(size=64, batch=3, largest=80, painted=2, basis_pictures=4)
        train_encoder([data / "photos"], data / "teacher.safetensors", out, options, BRIEF)
        assert finite(out).keys() == Encoder().state_dict().keys()

    def test_it_goes_on_where_it_was_killed(self, data, tmp_path, monkeypatch):
        options = EncoderTraining(size=64, batch=3, largest=80, painted=0, basis_pictures=4, forced=0.0)

        def run(out: Path) -> dict[str, torch.Tensor]:
            schedule = replace(BRIEF, muon=0.02)
            train_encoder([data / "photos"], data / "teacher.safetensors", out, options, schedule)
            return finite(out)

        whole = run(tmp_path / "whole.safetensors")
        killed_at_save(monkeypatch, 3, lambda: run(tmp_path / "broken.safetensors"))
        resumed = run(tmp_path / "broken.safetensors")
        assert all(torch.equal(whole[key], resumed[key]) for key in whole)

    def test_a_block_learns_alone_and_from_what_optimisation_makes(self, data, tmp_path):
        first, out = tmp_path / "first.safetensors", tmp_path / "second.safetensors"
        options = EncoderTraining(size=64, batch=3, largest=80, painted=0, basis_pictures=4)
        train_encoder([data / "photos"], data / "teacher.safetensors", first, options, BRIEF)
        options = replace(options, forced=0.0, only=("relu5_1",), optimised=1)
        train_encoder([data / "photos"], data / "teacher.safetensors", out, options, BRIEF, start=first)
        before, after = finite(first), finite(out)
        moved = {key.split(".")[1] for key in before if not torch.equal(before[key], after[key])}
        assert moved == {"relu5_1"}

    def test_the_basis_is_orthonormal_and_keeps_products(self, data):
        options = EncoderTraining(painted=0, basis_pictures=6)
        task = EncoderTask([data / "photos"], data / "teacher.safetensors", options, torch.device("cpu"))
        for layer in LAYERS:
            basis = task.basis[layer].double()
            eye = torch.eye(CHANNELS[layer], dtype=torch.float64)
            assert torch.allclose(basis.T @ basis, eye, atol=1e-5)
        images = torch.rand(1, 3, 64, 64, generator=torch.Generator().manual_seed(3))
        wanted, full = task.wanted(images), task.teacher(images, expand=True)
        # A random teacher's features have a few strong directions, so nearly all power is kept.
        for layer in ("relu1_1", "relu2_1"):
            kept = wanted[layer].square().sum() / full[f"vgg{layer[4:]}"].square().sum()
            assert 0.9 < float(kept) <= 1.0001


def test_training_refuses_what_it_cannot_use(data, tmp_path, capsys):
    teacher = ["--teacher", str(data / "teacher.safetensors")]
    out = ["--out", str(tmp_path / "o.safetensors")]
    (tmp_path / "empty").mkdir()
    wrong = str(data / "encoder.safetensors")
    cases = [
        (["train", "encoder", str(tmp_path / "empty"), *out, *teacher], "is not a folder with JPEG or PNG"),
        (["train", "encoder", str(data / "photos"), *out, *teacher, "--only", "relu51"], "did you mean 'relu5_1'"),
        (["train", "encoder", str(data / "photos"), *out, *teacher, "--optimised", "2"], "--start"),
        (["train", "parser", str(data / "photos"), *out], "images"),
        (["train", "parser", str(data / "faces"), *out, "--network", "unit"], "did you mean 'unet'"),
        (["train", "parser", str(data / "faces"), *out, *teacher, "--network", "bisenet"], "leave --teacher out"),
        (["train", "parser", str(data / "faces"), *out, "--start", wrong], "do not fit this network"),
        (["train", "parser", str(data / "faces"), *out, "--completed", str(tmp_path / "empty")], "completed labels"),
        (["train", "labels", str(data / "photos"), "--out", str(tmp_path / "c")], "images"),
        (["train", "segnet", str(data / "people"), *out, "--device", "tpu"], "auto, cpu or cuda"),
        (
            [
                "train",
                "instant",
                str(data / "styles"),
                *out,
                *teacher,
                "--pictures",
                str(data / "paintings"),
                "--content",
                str(data / "photos"),
                "--encoder",
                wrong,
                "--prediction-only",
            ],
            "--start",
        ),
        (["train", "encoder", str(data / "photos"), *out, "--teacher", "none.safetensors"], "does not exist"),
        (["train", "style", str(tmp_path / "none.jpg")], "does not exist"),
        (["train", "style", str(data / "styles" / "a.png"), "--out", str(tmp_path / "x.png")], "safetensors"),
    ]
    for arguments, words in cases:
        with pytest.raises(SystemExit) as stop:
            main(arguments)
        message = capsys.readouterr().err
        assert stop.value.code == 2
        assert words in message
        assert is_one_sentence(message.removeprefix("Error: ").strip()), message
