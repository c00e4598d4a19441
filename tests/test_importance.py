"""How much the content counts at each place, and what the slow methods make of it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from selfieart import Look, SegmentLook
from selfieart.errors import SelfieartError
from selfieart.importance import importance
from selfieart.methods.gatys import Gatys, GatysOptions
from selfieart.methods.losses import content_loss
from selfieart.methods.registry import options_from
from selfieart.methods.repaint import repaint_with
from selfieart.methods.scene import FACE_IMPORTANCE
from selfieart.methods.semantic import Semantic
from selfieart.methods.semantic_options import SemanticOptions
from selfieart.networks.encoder import Encoder
from selfieart.segments import INDEX, NAMES

VALUES = {"face": 2.0, "features": 5.0, "rest": 0.5}


@pytest.fixture(scope="module")
def encoder() -> Encoder:
    torch.manual_seed(0)
    return Encoder().eval().requires_grad_(False)


def noise(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.rand(*shape, generator=torch.Generator().manual_seed(seed))


@pytest.mark.parametrize(
    ("segment", "value"),
    [("background", 0.5), ("hair", 0.5), ("skin", 2.0), ("nose", 5.0), ("left-eye", 5.0), ("upper-lip", 5.0)],
)
def test_a_segment_has_its_value(segment, value):
    masks = np.zeros((len(NAMES), 2, 3), np.float32)
    masks[INDEX[segment]] = 1
    found = importance(masks, **VALUES)
    assert found.dtype == np.float32
    assert np.array_equal(found, np.full((2, 3), value))


def test_soft_masks_mix_the_values():
    masks = np.zeros((1, len(NAMES), 1, 1), np.float32)
    masks[0, INDEX["skin"]], masks[0, INDEX["nose"]], masks[0, INDEX["hair"]] = 0.5, 0.3, 0.2
    assert importance(masks, **VALUES).item() == pytest.approx(0.5 * 2 + 0.3 * 5 + 0.2 * 0.5)


def test_an_importance_of_one_is_the_plain_content_loss():
    got, wanted = noise(1, 8, 5, 6), noise(1, 8, 5, 6, seed=1)
    assert float(content_loss(got, wanted, torch.ones(5, 6))) == pytest.approx(float(content_loss(got, wanted)))
    half = torch.zeros(5, 6)
    half[:, :3] = 1
    expected = (got - wanted)[..., :3].square().sum() / wanted.square().sum()
    assert float(content_loss(got, wanted, half)) == pytest.approx(float(expected))


def test_an_importance_of_one_without_detail_paints_the_same(encoder):
    content, style = noise(3, 64, 64), noise(3, 64, 64, seed=1)
    plain = GatysOptions(side=64, iterations=3, scales=1)
    equal = replace(plain, importance=torch.ones(64, 64), detail=0.0)
    pictures = [Gatys(encoder).stylize_regions(content, [style], None, options) for options in (plain, equal)]
    assert torch.allclose(*pictures, atol=1e-4)


@pytest.mark.parametrize(("method", "options"), [(Gatys, GatysOptions), (Semantic, SemanticOptions)])
def test_content_stays_where_it_matters(encoder, method, options):
    content, style = noise(3, 64, 64), noise(3, 64, 64, seed=1) ** 3
    matters = torch.full((64, 64), 0.1)
    matters[:, :32] = 1000.0
    settings = options(side=64, iterations=12, scales=1, importance=matters, total_variation=0.0)
    change = (method(encoder).stylize_regions(content, [style], None, settings) - content).square().mean((0, 1))
    assert float(change[40:].mean()) > 3 * float(change[:24].mean())


@pytest.mark.parametrize("wrong", [torch.ones(8, 8), torch.full((64, 64), torch.nan), torch.full((64, 64), -1.0)])
@pytest.mark.parametrize(("method", "options"), [(Gatys, GatysOptions), (Semantic, SemanticOptions)])
def test_what_cannot_be_an_importance_is_refused(encoder, wrong, method, options):
    settings = options(side=64, iterations=1, importance=wrong)
    with pytest.raises(SelfieartError, match="importance must hold finite numbers"):
        method(encoder).stylize_regions(noise(3, 64, 64), [noise(3, 64, 64)], None, settings)


@pytest.mark.parametrize(("where", "seen"), [((0, 200, 130, 330), True), ((300, 500, 0, 100), False)])
def test_faces_of_a_photo_are_important(studio, astronaut, encoder, where, seen):
    top, bottom, left, right = where
    portrait = studio.open(astronaut[top:bottom, left:right])
    given: list[GatysOptions] = []

    class Seeing(Gatys):
        def stylize_regions(self, content, styles, masks=None, options=None, progress=None, watch=None):
            given.append(options)
            return content

    look = Look({"everything": SegmentLook("candy")})
    options = options_from("gatys", {"side": 64})
    portrait.render(look, repaint=repaint_with(Seeing(encoder), options, portrait, look))
    matters = given[0].importance
    assert (matters is not None) == seen
    if matters is not None:
        assert float(matters.max()) == pytest.approx(FACE_IMPORTANCE["features"], rel=0.1)
        assert float(matters[0, 0]) == pytest.approx(FACE_IMPORTANCE["rest"], rel=0.05)
        assert np.isclose(matters.shape[-2] / matters.shape[-1], 1, atol=0.02)
