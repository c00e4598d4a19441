"""Losses of the methods that optimise against formulas written by hand, optimisers against known minima."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from conftest import wrong
from optimise_cases import (  # noqa: F401 - the fixtures are found by their names
    content_fixture,
    encoder_fixture,
    masks_fixture,
    styles_fixture,
    tiny_encoder,
)
from selfieart.methods.basis import change_of
from selfieart.methods.gatys import Gatys, GatysOptions
from selfieart.methods.inputs import Regions, check_regions, style_at
from selfieart.methods.losses import (
    features_of,
    out_of_range,
    region_style,
    regions_loss,
    style_loss,
    total_variation,
)
from selfieart.methods.minimise import Objective, minimise
from selfieart.methods.portrait_aware import FINE_LAYERS, PortraitAware, PortraitAwareOptions
from selfieart.methods.pyramid import budgets, enlarged, pyramid_sizes, white_noise
from selfieart.methods.run import optimise
from selfieart.methods.settings import OptimiseOptions
from selfieart.networks.encoder import LAYERS, STYLE_LAYERS
from selfieart.networks.gram import gram, guided_gram, mask_at
from selfieart.networks.tensors import resize
from selfieart.networks.vgg import Vgg19


def total(objective: Objective, x: torch.Tensor) -> torch.Tensor:
    return torch.stack(list(objective(x).values())).sum()


# --- losses --------------------------------------------------------------------------------------------------------


def test_gram_gradients_are_those_of_finite_differences():
    generator = torch.Generator().manual_seed(1)
    features = torch.randn(1, 3, 4, 5, generator=generator, dtype=torch.float64, requires_grad=True)
    mask = torch.rand(4, 5, generator=generator, dtype=torch.float64)
    assert torch.autograd.gradcheck(gram, (features,))
    assert torch.autograd.gradcheck(lambda f: guided_gram(f, mask), (features,))
    wanted = gram(torch.randn(1, 3, 6, 6, generator=generator, dtype=torch.float64))
    region = region_style({"relu1_1": wanted}, mask, {"relu1_1": features})
    assert torch.autograd.gradcheck(lambda f: style_loss({"relu1_1": f}, region), (features,))


@pytest.fixture
def exact(content, styles, masks) -> tuple[Vgg19, Regions]:
    """The encoder, and the regions at (36, 48), in double precision."""
    small = check_regions(content, styles, masks).at((36, 48))
    doubled = tuple(style.double() for style in small.styles)
    regions = Regions(small.content.double(), doubled, small.masks.double(), small.rest.double())
    return tiny_encoder().double(), regions


def test_the_gradient_of_whole_objectives_is_that_of_finite_differences(exact):
    encoder, regions = exact
    generator = torch.Generator().manual_seed(3)
    for objective in (
        Gatys(encoder).objective(regions, GatysOptions()),
        PortraitAware(encoder).objective(regions, regions.masks[0], PortraitAwareOptions()),
        PortraitAware(encoder).objective(regions, regions.masks[0], PortraitAwareOptions.published(regions.masks[0])),
    ):
        x = torch.rand(3, 36, 48, generator=generator, dtype=torch.float64) * 1.2 - 0.1
        direction = torch.randn(3, 36, 48, generator=generator, dtype=torch.float64)
        x.requires_grad_()
        (gradient,) = torch.autograd.grad(total(objective, x), x)
        with torch.no_grad():
            ahead, behind = (total(objective, x + step * direction) for step in (1e-6, -1e-6))
        # ReLU and max-pooling have kinks, of which a short step crosses few.
        assert float((gradient * direction).sum()) == pytest.approx(float(ahead - behind) / 2e-6, rel=1e-4)


def test_a_guided_gram_of_ones_is_the_gram(encoder, content):
    features = features_of(encoder, content, ["relu2_1"])["relu2_1"]
    assert torch.allclose(guided_gram(features, torch.ones(features.shape[-2:])), gram(features), rtol=1e-5)


def test_the_losses_of_a_picture(content):
    assert float(total_variation(torch.full((3, 5, 7), 0.3))) == 0
    ramp = (torch.arange(6.0) / 10).expand(3, 5, 6)
    assert float(total_variation(ramp)) == pytest.approx(0.01)
    assert float(out_of_range(content)) == 0
    assert float(out_of_range(torch.tensor([[[1.5, -0.5, 0.5, 1.0]]]))) == pytest.approx((0.25 + 0.25) / 4)


def test_the_loss_of_gatys_is_the_formula_written_by_hand(exact):
    """Plain NumPy from the features on: Gatys et al. 2016, eq. 1 to 5, each error relative."""
    encoder, regions = exact
    one = Regions(regions.content, regions.styles[:1], torch.ones(1, 36, 48).double(), torch.zeros(36, 48).double())
    x = torch.rand(3, 36, 48, generator=torch.Generator().manual_seed(4)).double()
    options = GatysOptions(style_weight=70.0, total_variation=3.0)
    losses = Gatys(encoder).objective(one, options)(x)
    got, wanted = (encoder(picture[None], LAYERS) for picture in (x, one.content))
    painting = encoder(style_at(one.styles[0], (36, 48), 1.0)[None], LAYERS)

    def matrix(features: torch.Tensor) -> np.ndarray:
        flat = features[0].flatten(1).numpy()
        return flat @ flat.T / flat.size

    errors = []
    for layer in ("relu1_1", "relu2_1", "relu3_1", "relu4_1", "relu5_1"):
        a, b = matrix(got[layer]), matrix(painting[layer])
        errors.append(((a - b) ** 2).sum() / (b**2).sum())
    f, fc = got["relu4_2"].numpy(), wanted["relu4_2"].numpy()
    p = x.numpy()
    variation = (np.diff(p, axis=1) ** 2).mean() + (np.diff(p, axis=2) ** 2).mean()
    assert float(losses["style"]) == pytest.approx(70 * np.mean(errors), rel=1e-9)
    assert float(losses["content"]) == pytest.approx(((f - fc) ** 2).sum() / (fc**2).sum(), rel=1e-9)
    assert float(losses["variation"]) == pytest.approx(3 * variation, rel=1e-9)
    assert set(losses) == {"content", "style", "variation", "range"}


def test_the_energies_of_portrait_aware_are_the_formulas_written_by_hand(exact):
    """Eq. 2, 3 and 6 with 1 / (4 N^2), the published layers and weights (5, 2e2, 2e4)."""
    encoder, regions = exact
    one = Regions(regions.content, regions.styles[:1], torch.ones(1, 36, 48).double(), torch.zeros(36, 48).double())
    y = regions.masks[0]
    x = torch.rand(3, 36, 48, generator=torch.Generator().manual_seed(4)).double()
    losses = PortraitAware(encoder).objective(one, y, PortraitAwareOptions.published(y))(x)
    channels = {"relu1_1": 64, "relu2_1": 128, "relu3_1": 256, "relu4_1": 512, "relu4_2": 512, "relu5_1": 512}
    content = {layer: f[0].numpy() for layer, f in encoder(one.content[None], LAYERS).items()}
    scale = {k: math.sqrt(channels[k] * f[0].size / (f**2).sum()) for k, f in content.items()}

    def scaled(picture: torch.Tensor) -> dict[str, np.ndarray]:
        return {k: f[0].numpy() * scale[k] for k, f in encoder(picture[None], LAYERS).items()}

    def matrix(f: np.ndarray) -> np.ndarray:
        flat = f.reshape(len(f), -1)
        return flat @ flat.T / flat.shape[1]

    def energy(a: dict[str, np.ndarray], b: dict[str, np.ndarray], layers: tuple[str, ...]) -> float:
        return sum(((matrix(a[k]) - matrix(b[k])) ** 2).sum() / (4 * channels[k] ** 2) for k in layers)

    got, behind, painting = scaled(x), scaled(x * y), scaled(style_at(one.styles[0], (36, 48), 1.0))
    e_c = ((got["relu4_2"] - content["relu4_2"] * scale["relu4_2"]) ** 2).sum() / (512 * got["relu4_2"][0].size)
    assert float(losses["content"]) == pytest.approx(5 * e_c, rel=1e-9)
    e_s = energy(got, painting, ("relu3_1", "relu4_1", "relu5_1"))
    assert float(losses["style"]) == pytest.approx(2e2 * e_s, rel=1e-9)
    e_b = energy(behind, painting, ("relu1_1", "relu2_1", "relu3_1"))
    assert float(losses["background"]) == pytest.approx(2e4 * e_b, rel=1e-9)
    # Cut out of the features instead: the positions count, and the border is the layer's own.
    weights = {k: mask_at(y, f.shape[-2:]).numpy() for k, f in got.items()}
    e_b = sum(
        ((np.einsum("ahw,bhw,hw->ab", got[k], got[k], m) / m.sum() - matrix(painting[k])) ** 2).sum()
        / (4 * channels[k] ** 2)
        for k, m in weights.items()
        if k in FINE_LAYERS
    )
    losses = PortraitAware(encoder).objective(one, y, PortraitAwareOptions(background=y))(x)
    assert float(losses["background"]) == pytest.approx(2e4 * e_b, rel=1e-9)
    assert float(losses["style"]) == pytest.approx(2e2 * e_s, rel=1e-9)
    for variant, factor in (("gatys", 1), ("gatys+", 20)):
        plain = PortraitAware(encoder).objective(one, y, PortraitAwareOptions(variant=variant))(x)
        whole = energy(got, painting, ("relu1_1", "relu2_1", "relu3_1", "relu4_1", "relu5_1"))
        assert float(plain["style"]) == pytest.approx(factor * 2e2 * whole, rel=1e-9)
        assert "background" not in plain


def test_regions_of_one_style_lose_what_the_whole_would_if_it_were_the_same_everywhere(encoder):
    """A flat picture has the same Gram matrix in every region, and shares sum to 1."""
    flat = torch.full((3, 64, 64), 0.4)
    features = features_of(encoder, flat, STYLE_LAYERS)
    grams = {k: gram(f) for k, f in features_of(encoder, torch.rand(3, 64, 64), STYLE_LAYERS).items()}
    soft = torch.rand(64, 64)
    parts = [region_style(grams, mask, features) for mask in (soft, 1 - soft)]
    whole = region_style(grams, torch.ones(64, 64), features)
    assert float(regions_loss(features, parts)) == pytest.approx(float(style_loss(features, whole)), rel=1e-4)


# --- optimisers ----------------------------------------------------------------------------------------------------


def quadratic(seed: int = 0) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """A (12, 12) positive definite, b (12,), and the minimum of x A x / 2 - b x."""
    generator = torch.Generator().manual_seed(seed)
    factor = torch.randn(12, 12, generator=generator, dtype=torch.float64)
    a, b = factor @ factor.T + torch.eye(12), torch.randn(12, generator=generator, dtype=torch.float64)
    return a, b, torch.linalg.solve(a, b)


@pytest.mark.parametrize("optimiser", ["lbfgs", "scipy"])
def test_both_optimisers_find_the_minimum_of_a_convex_problem(optimiser):
    a, b, minimum = quadratic()
    found = minimise(lambda x: {"a": x @ a @ x / 2, "b": -b @ x}, torch.zeros(12).double(), 100, optimiser)
    assert torch.allclose(found, minimum, atol=1e-5)


@pytest.mark.parametrize("optimiser", ["lbfgs", "scipy"])
def test_the_budget_is_kept_and_the_best_is_returned(optimiser):
    """Rosenbrock's valley, which line searches overshoot."""
    seen: list[tuple[int, float]] = []

    def valley(x: torch.Tensor) -> dict[str, torch.Tensor]:
        return {"valley": (100 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2).sum()}

    start = torch.tensor([-1.2, 1.0, -0.5, 0.8], dtype=torch.float64)
    for budget in (1, 2, 7, 23):
        seen.clear()
        found = minimise(valley, start, budget, optimiser, lambda n, losses, x: seen.append((n, losses["valley"])))
        assert [n for n, _ in seen] == list(range(1, budget + 1))
        assert float(valley(found)["valley"]) == min(value for _, value in seen)


def test_a_loss_that_is_no_number():
    wrong("not a finite number at the start", minimise, lambda x: {"a": (x / 0).sum()}, torch.zeros(3), 5)
    # Later on, what was best until then is kept.
    found = minimise(lambda x: {"a": (x + x.sqrt()).sum()}, torch.full((3,), 0.5), 20)
    assert bool(found.isfinite().all())
    assert float((found + found.sqrt()).sum()) <= float((torch.full((3,), 0.5) + 0.5**0.5).sum())


def test_the_engine_goes_from_coarse_to_fine_and_tells_how_far_it_is(content):
    stages, states = [], []
    sizes = [*pyramid_sizes(48, 64, 48, 1), (64, 80)]
    out = optimise(
        content,
        lambda size: lambda x: {"square": (x - resize(content, size)).square().sum(), "other": 2 * x.square().sum()},
        sizes,
        OptimiseOptions(iterations=40),
        lambda stage, done: stages.append((stage, done)),
        lambda state: states.append((state.scale, state.scales, state.iteration, state.iterations, state.preview())),
    )
    # The minimum of (x - c)^2 + 2 x^2.
    assert torch.allclose(out, resize(content, (64, 80)) / 3, atol=2e-3)
    assert stages[0] == ("style", 0.0)
    assert stages[-1] == ("style", 1.0)
    assert [done for _, done in stages] == sorted(done for _, done in stages)
    assert [state[:4] for state in states][:2] == [(1, 2, 1, 60), (1, 2, 2, 60)]
    assert {state[4].shape for state in states} == {(3, 48, 64), (3, 64, 80)}


def test_coordinates_reach_every_picture_and_favour_common_changes():
    """A linear map with an inverse, in which grey patches cost less than single coloured pixels."""
    size = (8, 12)
    basis = torch.eye(3 * 8 * 12, dtype=torch.float64).view(-1, 3, *size)
    matrix = torch.stack([change_of(u).flatten() for u in basis])
    assert float(torch.linalg.svdvals(matrix).min()) > 0.1
    u, v = torch.rand(2, 3, *size, dtype=torch.float64)
    assert torch.allclose(change_of(2 * u - v), 2 * change_of(u) - change_of(v))
    patch = torch.zeros(3, 16, 16)
    patch[:, 4:8, 4:8] = 1
    pixel = torch.zeros(3, 16, 16)
    pixel[0, 5, 5], pixel[1, 5, 5] = 1, -1
    assert float(change_of(patch).norm() / patch.norm()) > 2 * float(change_of(pixel).norm() / pixel.norm())


def test_the_sizes_of_a_pyramid():
    assert pyramid_sizes(512, 512, 512, 3) == [(128, 128), (256, 256), (512, 512)]
    assert pyramid_sizes(3000, 2000, 512, 2) == [(384, 256), (768, 512)]
    assert pyramid_sizes(200, 300, 512, 3) == [(200, 300)]
    assert pyramid_sizes(32, 900, 512, 3) == [(32, 900)]
    assert budgets(3, 60) == [135, 90, 60]
    assert torch.equal(white_noise((5, 6), 3), white_noise((5, 6), 3))
    assert not torch.equal(white_noise((5, 6), 3), white_noise((5, 6), 4))
    # Pixel centres stay where they are, and nothing gets brighter.
    ramp = torch.linspace(0, 1, 20).expand(3, 10, 20)
    wanted = torch.linspace(-0.25 / 19, 1 + 0.25 / 19, 40)
    assert torch.allclose(enlarged(ramp, (20, 40))[:, :, 4:-4], wanted[4:-4].expand(3, 20, -1), atol=5e-3)
