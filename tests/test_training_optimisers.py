"""Muon beside AdamW, and completed labels."""

from __future__ import annotations

import copy
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from torch import nn

from selfieart.errors import SelfieartError
from selfieart.parsing.parsing import Parsing
from selfieart.segments import INDEX, NAMES
from selfieart.training.completed import complete_labels, completed, with_completed
from selfieart.training.labelled import CLOTHES, PERSON, SKIN, Labelled
from selfieart.training.optimisers import MuonAdamW, as_matrix, orthogonalised


class TestMuonAdamW:
    def net(self) -> nn.Sequential:
        torch.manual_seed(0)
        return nn.Sequential(nn.Conv2d(3, 8, 3, bias=False), nn.BatchNorm2d(8), nn.ReLU(), nn.Conv2d(8, 5, 1))

    def stepped(self, net: nn.Module, steps: int = 3, **group: object) -> nn.Module:
        # In bfloat16, as PyTorch's own Muon computes.
        optimiser = MuonAdamW([{"params": list(net.parameters()), **group}], 10.0, (0.9, 0.99), 0.0, torch.bfloat16)
        for one in optimiser.param_groups:
            one["lr"] = 1e-3 * one["pace"]
        x = torch.randn(4, 3, 9, 9, generator=torch.Generator().manual_seed(1))
        for _ in range(steps):
            optimiser.zero_grad()
            net(x).square().mean().backward()
            optimiser.step()
        return net

    def test_kernels_move_as_by_muon_and_the_rest_as_by_adamw(self):
        net, other = self.stepped(self.net()), self.net()
        kernels = [p for p in other.parameters() if p.ndim == 4]
        rest = [p for p in other.parameters() if p.ndim != 4]
        # An independent copy of the matrices, moved by PyTorch's own optimiser.
        matrices = [nn.Parameter(p.detach().flatten(1).clone()) for p in kernels]
        muon = torch.optim.Muon(matrices, lr=1e-2, weight_decay=0.0)
        adamw = torch.optim.AdamW(rest, lr=1e-3, betas=(0.9, 0.99), weight_decay=0.0)
        x = torch.randn(4, 3, 9, 9, generator=torch.Generator().manual_seed(1))
        for _ in range(3):
            other.zero_grad()
            other(x).square().mean().backward()
            for matrix, kernel in zip(matrices, kernels, strict=True):
                matrix.grad = kernel.grad.flatten(1)
            muon.step()
            adamw.step()
            with torch.no_grad():
                for matrix, kernel in zip(matrices, kernels, strict=True):
                    kernel.copy_(matrix.view_as(kernel))
        for mine, theirs in zip(net.parameters(), other.parameters(), strict=True):
            assert torch.allclose(mine, theirs, atol=1e-5)

    def test_a_step_is_nearly_orthogonal(self):
        net, before = self.net(), self.net()
        self.stepped(net, steps=1)
        moved = (net[0].weight - before[0].weight).detach().flatten(1)
        sizes = torch.linalg.svdvals(moved) / 1e-2
        assert float(sizes.min()) > 0.6 and float(sizes.max()) < 1.3

    @pytest.mark.parametrize("shape", [(4, 9), (9, 4), (5, 5)])
    def test_singular_vectors_stay_and_singular_values_become_about_1(self, shape):
        matrix = torch.randn(shape, generator=torch.Generator().manual_seed(2))
        left, _, right = torch.linalg.svd(matrix, full_matrices=False)
        inner = left.T @ orthogonalised(matrix, torch.float32) @ right.T
        assert torch.allclose(inner, torch.diag(inner.diagonal()), atol=1e-5)
        assert bool(((inner.diagonal() > 0.6) & (inner.diagonal() < 1.3)).all())
        assert torch.allclose(orthogonalised(matrix, torch.bfloat16).float(), left @ inner @ right, atol=0.05)

    def test_the_layout_in_memory_does_not_matter(self):
        plain = self.stepped(self.net())
        turned = self.stepped(self.net().to(memory_format=torch.channels_last))
        assert not turned[0].weight.is_contiguous()
        for mine, theirs in zip(plain.parameters(), turned.parameters(), strict=True):
            # Newton and Schulz work in bfloat16.
            assert torch.allclose(mine, theirs, atol=1e-3)
        assert as_matrix(turned[0].weight.detach()).data_ptr() == turned[0].weight.data_ptr()

    def test_tables_are_left_to_adamw(self):
        table = nn.Parameter(torch.ones(3, 4))
        optimiser = MuonAdamW([{"params": [table], "table": True, "pace": 2.0}], 10.0, (0.9, 0.99), 0.0)
        assert [group["pace"] for group in optimiser.param_groups] == [2.0]
        assert optimiser.state_dict().keys() == {"adamw"}

    def test_it_goes_on_from_its_state(self):
        x = torch.randn(4, 3, 9, 9, generator=torch.Generator().manual_seed(1))

        def step(net: nn.Module, optimiser: MuonAdamW) -> None:
            for group in optimiser.param_groups:
                group["lr"] = 1e-3 * group["pace"]
            optimiser.zero_grad()
            net(x).square().mean().backward()
            optimiser.step()

        def fresh(net: nn.Module) -> MuonAdamW:
            return MuonAdamW([{"params": list(net.parameters())}], 10.0, (0.9, 0.99), 0.0)

        net = self.net()
        optimiser = fresh(net)
        step(net, optimiser)
        twin = copy.deepcopy(net)
        resumed = fresh(twin)
        resumed.load_state_dict(copy.deepcopy(optimiser.state_dict()))
        step(net, optimiser)
        step(twin, resumed)
        assert all(torch.equal(a, b) for a, b in zip(net.parameters(), twin.parameters(), strict=True))


class TestCompletedLabels:
    def sample(self) -> tuple[Labelled, np.ndarray]:
        """Four columns: background, person, skin, clothes; hair is likeliest everywhere, skin and hat come next."""
        labels = np.tile(np.array([0, PERSON, SKIN, CLOTHES], np.uint8), (4, 1))
        logits = np.zeros((len(NAMES), 4, 4), np.float32)
        logits[INDEX["hair"]], logits[INDEX["skin"]], logits[INDEX["hat"]] = 20, 10, 8
        logits[INDEX["hair"], 3] = 9.9
        return Labelled(np.zeros((4, 4, 3), np.uint8), labels, aligned=False), logits

    def test_the_likeliest_class_that_the_label_allows(self):
        sample, logits = self.sample()
        hair, skin, hat = INDEX["hair"], INDEX["skin"], INDEX["hat"]
        assert completed(sample, logits).tolist() == [[0, hair, skin, hat]] * 3 + [[0, PERSON, skin, hat]]
        assert completed(sample, logits, sure=1.1).tolist() == sample.labels.tolist()

    def test_files_are_written_once_and_read_back(self, tmp_path: Path):
        for folder in ("images", "masks"):
            (tmp_path / folder).mkdir()
        person = np.zeros((32, 32), np.uint8)
        person[8:] = 255
        cv2.imwrite(str(tmp_path / "images" / "p.png"), np.zeros((32, 32, 3), np.uint8))
        cv2.imwrite(str(tmp_path / "masks" / "p.png"), person)

        class Sees:
            name = "sees"

            def parse(self, picture: torch.Tensor, faces: object = "all") -> Parsing:
                logits = torch.zeros(len(NAMES), 16, 16)
                logits[INDEX["clothes"]] = 30
                return Parsing(logits, torch.zeros(3, 16, 16), (), *picture.shape[1:])

        out = tmp_path / "completed"
        assert complete_labels([tmp_path], out, Sees()) == 1
        assert complete_labels([tmp_path], out, Sees()) == 0
        sample = Labelled(np.zeros((16, 16, 3), np.uint8), np.zeros((16, 16), np.uint8), aligned=False)
        labels = with_completed(sample, tmp_path / "images" / "p.png", out).labels
        assert set(labels[:4].ravel()) == {0} and set(labels[4:].ravel()) == {INDEX["clothes"]}
        assert with_completed(sample, tmp_path / "images" / "q.png", out) is sample
        cv2.imwrite(str(out / "q.png"), np.full((16, 16), 99, np.uint8))
        with pytest.raises(SelfieartError, match="holds no completed labels"):
            with_completed(sample, tmp_path / "images" / "q.png", out)
