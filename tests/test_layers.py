"""Layers: pictures the size of the photo, worked out by rows."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from selfieart.imaging.color import grey
from selfieart.render.layers import BlurLayer, ColorLayer, GreyLayer, PaintedLayer, Patch


def test_layers_by_rows_are_the_whole():
    content = np.random.default_rng(0).random((3, 70, 50), np.float32)
    patch = Patch(np.random.default_rng(1).random((3, 20, 24), np.float32), 10, 8, 45, 50)
    layers = [
        PaintedLayer(content[:, ::3, ::3], 70, 50, (patch,)),
        PaintedLayer(content, 70, 50),
        BlurLayer(content, np.ones((70, 50), np.float32), 70, 50),
        GreyLayer(),
        ColorLayer((1, 2, 3)),
    ]
    for layer in layers:
        whole = layer.rows(content, 0, 70)
        assert whole.shape == (3, 70, 50)
        assert whole.dtype == np.float32
        parts = [layer.rows(content[:, a:b], a, b) for a, b in itertools.pairwise((0, 1, 12, 44, 46, 70))]
        assert np.allclose(np.concatenate(parts, 1), whole, atol=1e-6)
    assert np.array_equal(GreyLayer().rows(content, 0, 70), grey(content))


def test_a_patch_fades_out_at_its_borders_but_not_at_the_photos():
    under, over = np.zeros((3, 40, 40), np.float32), np.ones((3, 30, 30), np.float32)
    out = PaintedLayer(under, 40, 40, (Patch(over, 0, 5, 30, 35),)).rows(under, 0, 40)[0]
    assert float(out[0, 20]) == pytest.approx(1)
    assert float(np.abs(out[31:]).max()) == 0
    assert float(np.abs(out[:, :5]).max()) == 0
    assert float(np.abs(np.diff(out[15])).max()) < 0.35
