"""What videos share with torch: the definition of the network that paints, and states that older versions wrote."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from safetensors.numpy import load
from safetensors.torch import save

from selfieart.imaging.arrays import as_picture
from selfieart.networks.packaged import load_style_net
from selfieart.networks.style_net import Statistics
from selfieart.video.painter import VideoPainter
from video_frames import TWO, look, played


@pytest.mark.parametrize("styles", [["candy"], ["candy", "wave", "udnie"]])
@pytest.mark.parametrize("given", [False, True])
def test_the_network_of_frames_is_the_style_net(stylizer, astronaut, styles, given):
    picture = as_picture(astronaut[60:164, 160:280])
    codes = np.stack([stylizer.encode(style) for style in styles])
    masks = np.random.default_rng(1).dirichlet(np.ones(len(styles)), (104, 120)).astype(np.float32)
    masks = np.ascontiguousarray(masks.transpose(2, 0, 1))
    own = Statistics()
    with torch.inference_mode():
        arguments = [torch.from_numpy(array)[None] for array in (picture, codes, masks)]
        plain = load_style_net()(*arguments, recorded=own, origin=(8, 16), seed=3)[0].numpy()
    moments = np.stack([np.concatenate([moment[i][0].numpy() for moment in own.moments], -1) for i in (0, 1)])
    assert moments.shape == (2, len(styles), sum(stylizer.network.channels))
    options = {"origin": (8, 16), "seed": 3, "statistics": moments if given else None}
    out = stylizer.network.paint(picture, codes, masks, **options)
    fast = stylizer.network.in_precision("fast").paint(picture, codes, masks, **options)
    assert np.abs(out - plain).max() < 1e-4
    assert np.abs(fast - plain).mean() < 3 / 255
    recorded = stylizer.network.record(picture, codes, masks, origin=(8, 16), seed=3)
    assert np.allclose(recorded, moments, atol=1e-3)


def test_a_state_that_torch_wrote_goes_on_bit_for_bit(studio, moving):
    painter = VideoPainter(studio, look(TWO))
    whole = played(painter, moving)
    state = painter.start()
    for frame in moving[:3]:
        _, state = painter.paint(frame, state)
    written = save({name: torch.from_numpy(array.copy()) for name, array in state.tensors().items()})
    rest = played(painter, moving[3:], painter.restore(load(written)))
    assert all(np.array_equal(a, b) for a, b in zip(rest, whole[3:], strict=True))
