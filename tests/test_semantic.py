"""Semantic style transfer with soft masks: matching against brute force, losses against eq. 1 to 5."""

from __future__ import annotations

import math

import pytest
import torch
import torch.nn.functional as F

from optimise_pictures import halves, portrait, waves
from selfieart.methods.guidance import Guidance
from selfieart.methods.inputs import check_regions, style_at
from selfieart.methods.patches import centre_votes, match, mrf_loss, nearest_patches, patch_norms, votes
from selfieart.methods.run import optimise
from selfieart.methods.semantic import Semantic
from selfieart.methods.semantic_options import SemanticOptions
from selfieart.methods.settings import OptimiseOptions
from selfieart.methods.variants import variants
from selfieart.networks.encoder import STEPS, Encoder
from selfieart.networks.packaged import load_encoder
from selfieart.networks.tensors import resize

COLORFUL = {"iterations": 20, "rematch": 10, "content_weight": 0.01, "fine_weight": 5.0}
QUICK = {"side": 48, "scales": 1, "iterations": 6, "rematch": 3}


def random(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def cut(features: torch.Tensor) -> torch.Tensor:
    """All 3x3 patches of (C, h, w), cut out: (P, 9 C)."""
    return F.unfold(features[None], 3)[0].T


@pytest.fixture(scope="module")
def encoder() -> Encoder:
    return load_encoder()


@pytest.fixture(scope="module")
def content(astronaut) -> torch.Tensor:
    """A portrait (3, 64, 80)."""
    return portrait(astronaut, 276, (64, 80))


@pytest.fixture(scope="module")
def painting() -> torch.Tensor:
    """Waves (3, 72, 56)."""
    return waves()


# --- patches -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("size", "others"), [((9, 12), (11, 8)), ((3, 3), (7, 5)), ((6, 20), (3, 3))])
def test_the_nearest_patch_is_that_of_highest_normalised_cross_correlation(size, others):
    """Eq. 4 by brute force: every patch cut out, every pair compared."""
    content, style = random(5, *size), random(5, *others, seed=1)
    score, place = nearest_patches(content, style)
    ours, theirs = F.normalize(cut(content), dim=1), F.normalize(cut(style), dim=1)
    best, wanted = (ours @ theirs.T).max(1)
    assert torch.equal(place.flatten(), wanted)
    assert torch.allclose(score.flatten(), best, atol=1e-5)
    assert torch.allclose(patch_norms(content).flatten(), cut(content).norm(dim=1), rtol=1e-5)


def test_chunks_change_nothing():
    content, style = random(4, 10, 14), random(4, 30, 13, seed=1)
    whole = nearest_patches(content, style, 10**9)
    for chunk in (1, 14 * 13 * 9, 14 * 13 * 12):
        score, place = nearest_patches(content, style, chunk)
        assert torch.equal(place, whole[1])
        assert torch.allclose(score, whole[0], atol=1e-6)


def test_of_equal_patches_the_first_wins():
    flat = torch.ones(3, 5, 6)
    for chunk in (1, 10**9):
        assert not nearest_patches(flat, torch.ones(3, 20, 9), chunk)[1].any()
    matches = match(flat, [flat.flip(1), flat])
    assert not matches.source.any()


def test_patches_are_chosen_where_they_are_allowed():
    content = random(4, 8, 9)
    sources = [random(4, 6, 7, seed=1), random(4, 9, 5, seed=2)]
    left = torch.zeros(6, 7, dtype=torch.bool)
    left[1:, :3] = True
    both = match(content, sources)
    scores = torch.stack([nearest_patches(content, source)[0] for source in sources])
    assert torch.equal(both.source, scores.argmax(0))
    parted = match(content, sources, [left, ~left])
    assert torch.equal(parted.source == 0, left)
    row, column = (nearest_patches(content, sources[1])[1] // n for n in (3, 1))
    assert torch.equal(parted.row[~left], row[~left])
    assert torch.equal(parted.column[~left], (column % 3)[~left])
    nowhere = match(content, sources, [left, torch.zeros_like(left)])
    assert bool((nowhere.source[~left] == -1).all())


def test_the_loss_of_fixed_matches_is_the_sum_over_patches():
    """The first term of eq. 3 by brute force, with weights, and its gradient against that of the sum."""
    features = random(5, 9, 11).double().requires_grad_()
    sources = [random(5, 7, 8, seed=1).double(), random(5, 6, 9, seed=2).double()]
    weights = torch.rand(7, 9, generator=torch.Generator().manual_seed(4)).double()
    matches = match(features.detach(), sources)
    patches = [
        cut(source).view(s.shape[-2] - 2, s.shape[-1] - 2, -1) for source, s in zip(sources, sources, strict=True)
    ]
    chosen = torch.stack([
        patches[int(s)][int(r), int(c)]
        for s, r, c in zip(matches.source.flatten(), matches.row.flatten(), matches.column.flatten(), strict=True)
    ])  # fmt: skip
    wanted = (weights.flatten()[:, None] * (cut(features) - chosen).square()).sum()
    loss = mrf_loss(features, votes(matches, sources, weights))
    assert float(loss.detach()) == pytest.approx(float(wanted.detach()), rel=1e-9)
    ours, theirs = (torch.autograd.grad(value, features)[0] for value in (loss, wanted))
    assert torch.allclose(ours, theirs, atol=1e-9)


def test_middles_of_patches_lie_side_by_side():
    """Each picture knows its places, so what is laid down says where it was taken from."""
    coarse, style = random(3, 6, 7), random(3, 5, 8, seed=1)
    matches = match(coarse, [style])
    rows, columns = torch.meshgrid(torch.arange(10.0), torch.arange(16.0), indexing="ij")
    laid = centre_votes(matches, [torch.stack([rows, columns])], None, 2, (13, 14))
    assert laid.mean.shape == (2, 13, 14)
    inside = torch.zeros(13, 14)
    inside[2:10, 2:12] = 1
    assert torch.equal(laid.weight, inside)
    assert float(laid.spread) == 0
    for y, x in ((2, 2), (5, 8), (9, 11)):
        i, j = y // 2 - 1, x // 2 - 1
        assert laid.mean[:, y, x].tolist() == [
            2 * (int(matches.row[i, j]) + 1) + y % 2,
            2 * (int(matches.column[i, j]) + 1) + x % 2,
        ]


# --- the method ----------------------------------------------------------------------------------------------------


@pytest.fixture
def guidance() -> Guidance:
    """Left and right of the content are top and bottom of the painting."""
    below = (torch.arange(72) >= 36).float()[:, None].expand(72, 56)
    return Guidance(("a", "b"), halves(64, 80), (torch.stack([1 - below, below]),))


def paint(encoder, content, styles, masks=None, **settings) -> torch.Tensor:
    return Semantic(encoder).stylize_regions(content, styles, masks, SemanticOptions(**{**QUICK, **settings}))


def test_without_gamma_masks_change_nothing(encoder, content, painting, guidance):
    plain = paint(encoder, content, [painting])
    assert torch.equal(paint(encoder, content, [painting], guidance=guidance, gamma=0.0), plain)
    assert not torch.equal(paint(encoder, content, [painting], guidance=guidance, gamma=40.0), plain)


def test_with_a_huge_gamma_every_patch_matches_one_of_its_own_kind():
    features, style = random(6, 16, 20).abs(), random(6, 18, 14, seed=1).abs()
    ours = halves(16, 20)
    theirs = (torch.arange(18) >= 9).float()[:, None].expand(18, 14)
    theirs = torch.stack([1 - theirs, theirs])

    def agreement(gamma: float) -> float:
        matches = match(torch.cat([features, gamma * ours]), [torch.cat([style, gamma * theirs])])
        found = theirs[0][matches.row + 1, matches.column + 1]
        pure = torch.ones(14, 18, dtype=torch.bool)
        pure[:, 8:10] = False
        return float((found == ours[0, 1:-1, 1:-1])[pure].float().mean())

    assert agreement(1e4) == 1
    assert agreement(0.0) < 0.7
    assert agreement(0.0) < agreement(0.7) <= 1


def test_nothing_is_lost_where_nothing_differs(encoder, content):
    options = SemanticOptions(**QUICK, total_variation=0.0)
    masks = Guidance(("a", "b"), halves(64, 80), (halves(64, 80),))
    objective = Semantic(encoder).objectives(check_regions(content, [content], None), masks, options)()
    x = content.clone().requires_grad_()
    losses = objective(x)
    (gradient,) = torch.autograd.grad(torch.stack(list(losses.values())).sum(), x)
    assert {name: float(value.detach()) for name, value in losses.items()} == pytest.approx(
        dict.fromkeys(losses, 0), abs=1e-6
    )
    assert float(gradient.abs().max()) < 1e-6


def test_the_losses_are_the_formulas_written_by_hand(encoder, content, painting, guidance):
    """Eq. 1 to 5 from the features on, patch by patch, in units of the content's features."""
    options = SemanticOptions(**QUICK, style_weight=3.0, content_weight=5.0, fine_weight=0.5, total_variation=0.0)
    regions = check_regions(content, [painting], None)
    x = torch.rand(3, 64, 80, generator=torch.Generator().manual_seed(4))
    losses = Semantic(encoder).objectives(regions, guidance, options)()(x)
    style = style_at(painting, (64, 80), 1.0)
    channels = {"relu1_1": 64, "relu2_1": 128, "relu3_1": 256, "relu4_1": 512, "relu4_2": 512}
    both = encoder(content[None], channels), encoder(style[None], channels)
    scale = {
        k: (2 * n / sum(seen[k].square().sum() / seen[k][0, 0].numel() for seen in both)).sqrt()
        for k, n in channels.items()
    }
    got, ours, theirs = (
        {k: f[0] * scale[k] for k, f in encoder(p[None], channels).items()} for p in (x, content, style)
    )
    e_c = (got["relu4_2"] - ours["relu4_2"]).square().sum() / (512 * got["relu4_2"][0].numel())
    assert float(losses["content"]) == pytest.approx(5 * float(e_c), rel=1e-4)
    e_s = e_m = 0.0
    for k in ("relu3_1", "relu4_1"):
        size, other = got[k].shape[-2:], theirs[k].shape[-2:]
        p, q = resize(guidance.content, size), resize(resize(guidance.styles[0], style.shape[-2:]), other)
        a, b = cut(torch.cat([got[k], 20 * p])), cut(torch.cat([theirs[k], 20 * q]))
        nearest = (F.normalize(a, dim=1) @ F.normalize(b, dim=1).T).argmax(1)
        count = 9 * channels[k] * len(a)
        e_s += float((cut(got[k]) - cut(theirs[k])[nearest]).square().sum()) / count
        e_m += 20 * float((cut(p) - cut(q)[nearest]).square().sum()) / count
        if k == "relu3_1":
            errors = []
            for finer in ("relu1_1", "relu2_1"):
                step = STEPS[k] // STEPS[finer]
                for i, j in enumerate(nearest.tolist()):
                    here, there = divmod(i, size[1] - 2), divmod(j, other[1] - 2)
                    (y, x0), (v, u) = (((r + 1) * step, (c + 1) * step) for r, c in (here, there))
                    block = got[finer][:, y : y + step, x0 : x0 + step]
                    wanted = theirs[finer][:, v : v + step, u : u + step]
                    errors.append(float((block - wanted).square().sum()) / (channels[finer] * step**2 * len(nearest)))
    assert float(losses["style"]) == pytest.approx(3 * e_s, rel=1e-3)
    assert float(losses["masks"]) == pytest.approx(3 * e_m, rel=1e-3)
    assert float(losses["fine"]) == pytest.approx(3 * 0.5 * sum(errors), rel=1e-3)


def test_masks_direct_the_choice_among_several_styles(encoder):
    """A red and a green painting, and masks that say which half is like which; swapped masks swap the colours."""
    noise = torch.rand(64, 80, generator=torch.Generator().manual_seed(7)) * 0.4
    red = torch.stack([noise + 0.6, noise, noise])
    green = red[[1, 0, 2]]
    grey = (noise + 0.3).expand(3, -1, -1)
    full, empty = torch.ones(1, 64, 80), torch.zeros(1, 64, 80)
    kinds = (torch.cat([full, empty]), torch.cat([empty, full]))
    for masks, sign in ((halves(64, 80), 1), (halves(64, 80).flip(0), -1)):
        guidance = Guidance(("a", "b"), masks, kinds)
        out = paint(encoder, grey, [red, green], guidance=guidance, gamma=500.0, **COLORFUL)
        redness = (out[0] - out[1]).mean(0) * sign
        assert float(redness[:32].mean()) > 0.05
        assert float(redness[48:].mean()) < -0.05


def test_regions_keep_styles_apart_and_the_rest_as_it_is(encoder, content, painting):
    masks = torch.zeros(3, 64, 80)
    masks[0, :, :32], masks[1, :, 32:60], masks[2, :, 60:] = 1, 1, 1
    red, blue = (painting * torch.tensor(c)[:, None, None] for c in ([1.0, 0.2, 0.2], [0.2, 0.2, 1.0]))
    out = paint(encoder, content, [red, blue], masks, **COLORFUL)
    assert torch.equal(out[:, :, 60:], content[:, :, 60:])
    redness = (out[0] - out[2]).mean(0)
    assert float(redness[:28].mean()) > 0.1
    assert float(redness[36:56].mean()) < -0.1
    assert torch.equal(out, paint(encoder, content, [blue, red], masks[[1, 0, 2]], **COLORFUL))


def test_guidance_follows_its_styles_whatever_their_order(encoder, content, painting):
    styles = [painting, painting.flip(0), painting.flip(1)]
    kinds = [torch.rand(4, 9, 7, generator=torch.Generator().manual_seed(k)) for k in range(3)]
    ours = torch.rand(4, 8, 10, generator=torch.Generator().manual_seed(9))
    masks = torch.cat([torch.full((3, 64, 80), 1 / 3), torch.zeros(1, 64, 80)])
    names = ("a", "b", "c", "d")
    out = paint(encoder, content, styles, masks, guidance=Guidance(names, ours, tuple(kinds)))
    order = [2, 0, 1]
    turned = Guidance(names, ours, tuple(kinds[i] for i in order))
    assert torch.equal(out, paint(encoder, content, [styles[i] for i in order], masks, guidance=turned))
    # Without regions all of them compete everywhere.
    assert torch.equal(out, paint(encoder, content, styles, guidance=Guidance(names, ours, tuple(kinds))))


def test_copies_of_the_style_are_turned_and_resized(encoder, content, painting):
    masks = torch.stack([painting[0], 1 - painting[0]])
    copies = list(variants(painting, masks, (20.0, -45.0), (0.75, 1.0, 1.5)))
    assert [tuple(p.shape[-2:]) for p, _ in copies[:1]] == [(72, 56)]
    assert [p.shape[-2] for p, _ in copies[3:]] == [54, 108]
    for picture, soft in copies:
        # What is cut out is all picture, and the masks turn with it.
        assert torch.allclose(soft[0], picture[0], atol=1e-5)
        assert torch.allclose(soft.sum(0), torch.ones_like(soft[0]), atol=1e-5)
    ramp = torch.linspace(0, 1, 64).expand(3, 64, 64)
    (_, (turned, _)) = variants(ramp, None, (30.0,), ())
    # Counter-clockwise: what was brightest on the right is now brightest on the upper right.
    slope = [float(turned[0].diff(dim=d).mean()) * 63 for d in (1, 0)]
    assert slope == pytest.approx([math.cos(math.radians(30)), -math.sin(math.radians(30))], abs=0.02)
    assert not torch.equal(
        paint(encoder, content, [painting], rotations=(15.0,), sizes=(0.8,)), paint(encoder, content, [painting])
    )


def test_the_published_settings(encoder, content, painting, guidance):
    options = SemanticOptions.published(guidance, **QUICK)
    assert (options.gamma, options.start, options.fine_weight, options.masks) == (20, "noise", 0, 5)
    names: set[str] = set()
    out = Semantic(encoder).stylize_regions(
        content, [painting], None, options, watch=lambda state: names.update(state.losses)
    )
    assert out.shape == content.shape
    assert {"content", "style", "masks"} <= names


def test_the_engine_renews_what_is_minimised():
    """Each round's target is where the last one ended plus one: five rounds of an exact minimiser climb by five."""
    states, made = [], []

    def objective_at(size):
        made.append(size)
        target: list[torch.Tensor] = []

        def objective(x: torch.Tensor) -> dict[str, torch.Tensor]:
            if not target:
                target.append(x.detach() + 1)
            return {"square": (x - target[0]).square().sum()}

        return objective

    start = torch.zeros(3, 32, 32)
    options = OptimiseOptions(iterations=100)
    out = optimise(
        start, objective_at, [(32, 32)], options, renewed=20,
        watch=lambda state: states.append((state.iteration, state.iterations)),
    )  # fmt: skip
    assert len(made) == 5
    assert float((out - 5).abs().max()) < 0.05
    assert states == [(n, 100) for n in range(1, 101)]


# --- masks ---------------------------------------------------------------------------------------------------------
