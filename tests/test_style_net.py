"""StyleNet, the definition: against plain instance normalisation; noise, statistics, receptive field."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from selfieart import style_grid
from selfieart.networks.style_net import (
    OWN_REGION,
    ConditionalNorm,
    Statistics,
    StyleNet,
    _Pass,
    channels_last,
    noise_map,
    style_moments,
)
from selfieart.style_grid import RECEPTIVE_FIELD


def random_net(**sizes: int) -> tuple[StyleNet, Tensor]:
    """A small network with random weights, and two codes."""
    torch.manual_seed(3)
    net = StyleNet(**{"half": 4, "quarter": 6, "eighth": 8, "blocks": 2, **sizes}).eval()
    codes = torch.randn(2, net.code_size, generator=torch.Generator().manual_seed(4)) * 0.5 + 0.7
    return net, codes


def plain_norm(x: Tensor, code: Tensor, mask: Tensor | None, noise: Tensor) -> Tensor:
    """sum_s m_s ((x - mean_s) / std_s * scale_s + shift_s + gain_s * noise), in double precision.

    mean_s lies at OWN_REGION between the means of the whole picture and of the style's region; so does the variance.
    """
    x, code = x.double(), code.double()
    share = torch.ones(1, *x.shape[-2:]) if mask is None else F.adaptive_avg_pool2d(mask, x.shape[-2:])
    out = torch.zeros_like(x)
    for m, numbers in zip(share.double(), code, strict=True):
        scale, shift, gain = numbers.view(3, -1, 1, 1)
        own_mean = (m * x).sum((2, 3), keepdim=True) / m.sum()
        own_var = (m * (x - own_mean) ** 2).sum((2, 3), keepdim=True) / m.sum()
        mean = torch.lerp(x.mean((2, 3), keepdim=True), own_mean, OWN_REGION)
        var = torch.lerp(x.var((2, 3), correction=0, keepdim=True), own_var, OWN_REGION)
        out += m * ((x - mean) / (var + 1e-5).sqrt() * scale + shift + gain * noise)
    return out.float()


def plain_forward(net: StyleNet, image: Tensor, codes: Tensor, masks: Tensor | None = None, seed: int = 0) -> Tensor:
    """The network written down once more with nothing but torch.nn.functional."""
    place = {"layer": 0, "offset": 0}

    def norm(x: Tensor) -> Tensor:
        size = 3 * x.shape[1]
        code = codes[:, place["offset"] : place["offset"] + size]
        noise = noise_map(place["layer"], seed, 0, 0, *x.shape[-2:])
        place["layer"], place["offset"] = place["layer"] + 1, place["offset"] + size
        return plain_norm(x, code, masks, noise)

    def conv(layer: torch.nn.Conv2d, x: Tensor, stride: int = 1) -> Tensor:
        return F.conv2d(F.pad(x, (1, 1, 1, 1), mode="reflect"), layer.weight, layer.bias, stride)

    def doubled(x: Tensor) -> Tensor:
        return x.repeat_interleave(2, -1).repeat_interleave(2, -2)

    x = F.relu(norm(conv(net.stem, F.pixel_unshuffle(image - 0.45, 2))))
    x = F.relu(norm(conv(net.down4, x, 2)))
    x = F.relu(norm(conv(net.down8, x, 2)))
    for block in net.blocks:
        x = x + norm(conv(block.conv2, F.relu(norm(conv(block.conv1, x)))))
    x = F.relu(norm(conv(net.up4, doubled(x))))
    x = F.relu(norm(conv(net.up2, doubled(x))))
    assert place["offset"] == codes.shape[1]
    return F.pixel_shuffle(conv(net.head, x), 2) + 0.45


@pytest.fixture
def image() -> Tensor:
    return torch.rand(1, 3, 48, 64, generator=torch.Generator().manual_seed(5))


@pytest.fixture
def masks() -> Tensor:
    share = torch.rand(1, 48, 64, generator=torch.Generator().manual_seed(6))
    return torch.cat([share, 1 - share])


@torch.no_grad()
def test_style_net_with_one_code(image):
    net, codes = random_net()
    expected = plain_forward(net, image, codes[:1], seed=7)
    assert torch.allclose(net(image, codes[None, :1], seed=7), expected, atol=1e-4)
    assert torch.allclose(channels_last(net)(image, codes[None, :1], seed=7), expected, atol=1e-4)


@torch.no_grad()
def test_style_net_with_two_codes_and_masks(image, masks):
    net, codes = random_net()
    assert torch.allclose(net(image, codes[None], masks[None]), plain_forward(net, image, codes, masks), atol=1e-4)


@torch.no_grad()
def test_a_batch_is_its_pictures_one_by_one(image, masks):
    net, codes = random_net()
    images = torch.cat([image, 1 - image])
    batch = net(images, torch.stack([codes, codes.flip(0)]), torch.stack([masks, masks]))
    for index, own in enumerate((codes, codes.flip(0))):
        assert torch.allclose(batch[index], net(images[index : index + 1], own[None], masks[None])[0], atol=1e-4)


def run_norm(x: Tensor, codes: Tensor, masks: Tensor | None = None) -> Tensor:
    levels = {} if masks is None else {(x.shape[-2], x.shape[-1]): masks}
    return ConditionalNorm(x.shape[1], 8)(x, _Pass(codes, levels, (0, 0), None, Statistics(), None, 0))


def test_conditional_norm_is_instance_norm_scaled_and_shifted():
    x = torch.randn(2, 5, 12, 9, generator=torch.Generator().manual_seed(1)) * 3 + 2
    scale, shift = torch.randn(2, 2, 5, generator=torch.Generator().manual_seed(2))
    codes = torch.cat([scale, shift, torch.zeros(2, 5)], 1)[:, None]
    expected = F.instance_norm(x) * scale[..., None, None] + shift[..., None, None]
    assert torch.allclose(run_norm(x, codes), expected, atol=1e-5)


def test_conditional_norm_with_masks():
    x = torch.randn(1, 5, 12, 9, generator=torch.Generator().manual_seed(1))
    codes = torch.randn(1, 2, 15, generator=torch.Generator().manual_seed(2))
    ones, share = torch.ones(1, 12, 9), torch.rand(1, 12, 9, generator=torch.Generator().manual_seed(3))
    alone = run_norm(x, codes[:, :1])
    assert torch.allclose(run_norm(x, codes, torch.cat([ones, 0 * ones])[None]), alone, atol=1e-6)
    masks = torch.cat([share, 1 - share])
    mixed = run_norm(x, codes, masks[None])
    noise = noise_map(0, 0, 0, 0, 12, 9)
    assert torch.allclose(mixed, plain_norm(x, codes[0], masks, noise), atol=1e-5)
    even = torch.full((2, 12, 9), 0.5)
    other = run_norm(x, codes[:, 1:])
    assert torch.allclose(run_norm(x, codes, even[None]), (alone + other) / 2, atol=1e-5)


def test_style_moments():
    x = torch.randn(2, 4, 30, 20, generator=torch.Generator().manual_seed(1)) * 5 + 100
    var, mean = torch.var_mean(x.double(), (2, 3), correction=0)
    for layout in (torch.contiguous_format, torch.channels_last):
        ours = style_moments(x.contiguous(memory_format=layout), None)
        np.testing.assert_allclose(ours[0][:, 0], mean, rtol=1e-6)
        np.testing.assert_allclose(ours[1][:, 0], var, rtol=1e-4)


def test_style_moments_of_a_region_that_is_empty_are_finite():
    x = torch.randn(1, 4, 6, 6, generator=torch.Generator().manual_seed(1))
    masks = torch.stack([torch.ones(6, 6), torch.zeros(6, 6)])[None]
    assert all(bool(v.isfinite().all()) for v in style_moments(x, masks))


# --- noise, statistics, tiles --------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", [0, 1, -5])
def test_noise_depends_on_the_place_alone(seed):
    whole = noise_map(2, seed, 0, 0, 600, 300)
    for top, left, height, width in ((0, 0, 5, 5), (17, 250, 300, 40), (599, 299, 1, 1), (256, 0, 256, 256)):
        assert torch.equal(noise_map(2, seed, top, left, height, width), whole[top : top + height, left : left + width])


def test_noise_is_normal_and_of_its_layer_and_seed():
    maps = [noise_map(layer, seed, 0, 0, 256, 256) for layer in (0, 1) for seed in (0, 1)]
    for index, noise in enumerate(maps):
        assert abs(float(noise.mean())) < 0.02
        assert float(noise.std()) == pytest.approx(1, abs=0.02)
        assert float((noise.abs() < 1).float().mean()) == pytest.approx(math.erf(1 / math.sqrt(2)), abs=0.01)
        for other in maps[:index]:
            assert abs(float((noise * other).mean())) < 0.02


@torch.no_grad()
def test_statistics_given_back_repeat_the_picture(image):
    net, codes = random_net()
    recorded, used = Statistics(), Statistics()
    out = net(image, codes[None, :1], recorded=recorded)
    assert len(recorded.moments) == len(net.norms)
    assert torch.equal(net(image, codes[None, :1], statistics=recorded, recorded=used), out)
    assert all(torch.equal(a, b) for a, b in zip(used.moments[0], recorded.moments[0], strict=True))
    assert not torch.allclose(
        net(image * 0.5, codes[None, :1], statistics=recorded), net(image * 0.5, codes[None, :1]), atol=1e-2
    )


def test_the_receptive_field():
    """With positive weights every path is open, so gradients show exactly which pixels an output pixel depends on."""
    net, _ = random_net(blocks=6, half=2, quarter=2, eighth=2)
    for parameter in net.parameters():
        parameter.data.abs_()
    code = torch.ones(1, 1, net.code_size)
    reach = 0
    for place in range(512, 520):
        image = torch.rand(1, 3, 16, 1024, dtype=torch.float64, requires_grad=True)
        given = Statistics([(torch.zeros(1, 1, 2), torch.ones(1, 1, 2))] * len(net.norms))
        net.double()(image, code.double(), statistics=given)[..., place].sum().backward()
        touched = image.grad.abs().sum((0, 1, 2)).nonzero().flatten()
        reach = max(reach, place - int(touched[0]), int(touched[-1]) - place)
    assert 96 < reach <= RECEPTIVE_FIELD


@torch.no_grad()
def test_nothing_beyond_the_receptive_field_counts():
    net, codes = random_net(blocks=6)
    image = torch.rand(1, 3, 24, 512, generator=torch.Generator().manual_seed(1))
    recorded = Statistics()
    out = net(image, codes[None, :1], recorded=recorded)
    changed = image.clone()
    changed[..., :200] = 1 - changed[..., :200]
    other = net(changed, codes[None, :1], statistics=recorded)
    assert torch.allclose(other[..., 200 + RECEPTIVE_FIELD :], out[..., 200 + RECEPTIVE_FIELD :], atol=1e-5)
    assert float((other - out)[..., 200:230].abs().mean()) > 1e-3


@pytest.mark.parametrize("seed", [0, 5, 2**32 + 7, 7919 + 104729 * 2**40])
def test_noise_is_what_torch_draws(seed):
    drawn = torch.randn(256, 256, generator=torch.Generator().manual_seed(seed)).flatten().numpy()
    np.testing.assert_allclose(style_grid.normal_noise(seed, 256 * 256), drawn, atol=2e-6)
