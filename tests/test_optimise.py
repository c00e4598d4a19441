"""Style transfer by optimisation: what each method promises of regions, starts and sizes, and what is refused."""

from __future__ import annotations

import math
from dataclasses import fields

import numpy as np
import pytest
import torch
from torch import nn

from conftest import wrong
from optimise_cases import (  # noqa: F401 - the fixtures are found by their names
    content_fixture,
    encoder_fixture,
    masks_fixture,
    styles_fixture,
)
from selfieart.errors import Cancelled, UnknownName
from selfieart.imaging.color import oklab_from_srgb
from selfieart.methods.gatys import Gatys, GatysOptions
from selfieart.methods.inputs import style_at
from selfieart.methods.portrait_aware import PortraitAware, PortraitAwareOptions
from selfieart.methods.registry import METHODS, features_encoder, load_method, options_from
from selfieart.methods.styfie import Styfie, StyfieOptions
from selfieart.networks.encoder import STEPS
from selfieart.networks.tensors import resize

QUICK = {"side": 48, "scales": 1, "iterations": 4}


# --- regions -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("method", METHODS)
def test_what_every_method_promises(method, encoder, content, styles, masks):
    """The rest stays bit for bit, the same seed gives the same pixels, order does not matter, losses fall."""
    settings = {**QUICK, "start": "noise", "seed": 3}
    if method == "portrait-aware":
        settings["background"] = masks[0]
    options, totals = options_from(method, settings), []
    stylizer = load_method(method, encoder)
    out = stylizer.stylize_regions(
        content, styles, masks, options, watch=lambda state: totals.append(sum(state.losses.values()))
    )
    assert out.shape == content.shape
    assert 0 <= float(out.min()) < float(out.max()) <= 1
    rest = masks[-1] == 1
    assert rest.any()
    assert torch.equal(out[:, rest], content[:, rest])
    assert float((out - content)[:, :, :24].abs().mean()) > 0.02
    assert min(totals) < totals[0]
    again = stylizer.stylize_regions(content, styles, masks, options)
    assert torch.equal(out, again)
    turned = stylizer.stylize_regions(content, styles[::-1], masks[[1, 0, 2]], options)
    assert torch.equal(out, turned)
    other = stylizer.stylize_regions(content, styles, masks, options_from(method, {**settings, "seed": 4}))
    assert not torch.equal(out, other)


class Colors:
    """An encoder whose features are the colours themselves."""

    def channels(self, layer: str) -> int:
        return 3

    def __call__(self, image: torch.Tensor, layers) -> dict[str, torch.Tensor]:
        return {layer: nn.functional.avg_pool2d(image, STEPS[layer]) for layer in layers}


def test_each_region_gets_its_own_style(content):
    """A red and a blue painting, each on its half of a grey picture; swapped masks swap the colours."""
    texture = torch.rand(40, 40, generator=torch.Generator().manual_seed(7)) * 0.4
    red = torch.stack([texture + 0.6, texture, texture])
    halves = torch.zeros(3, 48, 64)
    halves[0, :, :32], halves[1, :, 32:] = 1, 1
    grey = content.mean(0, keepdim=True) * 0.5 + 0.2
    options = GatysOptions(side=48, scales=1, iterations=30, style_weight=3000.0)
    for masks, sign in ((halves, 1), (halves[[1, 0, 2]], -1)):
        out = Gatys(Colors()).stylize_regions(grey, [red, red.flip(0)], masks, options)
        redness = (out[0] - out[2]).mean(0) * sign
        assert float(redness[:28].mean()) > 0.1
        assert float(redness[36:].mean()) < -0.1


def test_what_has_no_region_costs_nothing(encoder, content, styles):
    empty = torch.zeros(3, 48, 64)
    empty[2] = 1
    assert torch.equal(Gatys(encoder).stylize_regions(content, styles, empty), content)
    one = torch.zeros(3, 48, 64)
    one[0] = 1
    options = GatysOptions(**QUICK)
    alone = Gatys(encoder).stylize_regions(content, styles[:1], None, options)
    assert torch.equal(Gatys(encoder).stylize_regions(content, styles, one, options), alone)


def test_starts_colours_and_sizes(encoder, content, styles):
    gatys = Gatys(encoder)
    given = gatys.stylize_regions(content, styles[:1], None, GatysOptions(**QUICK, start=styles[1][:, :48]))
    assert not torch.equal(given, gatys.stylize_regions(content, styles[:1], None, GatysOptions(**QUICK)))
    kept = gatys.stylize_regions(content, styles[:1], None, GatysOptions(**QUICK, keep_color=1.0))
    a, b = (torch.from_numpy(oklab_from_srgb(x.numpy())) for x in (kept, content))
    assert float((a[1:] - b[1:]).abs().median()) < 0.005
    large = resize(content, (96, 128))
    out = gatys.stylize_regions(large, styles[:1], None, GatysOptions(**QUICK))
    assert out.shape == large.shape
    with torch.inference_mode():
        assert torch.equal(gatys.stylize_regions(large, styles[:1], None, GatysOptions(**QUICK)), out)


def test_bfloat16_comes_near(encoder, content, styles):
    fast = Gatys(encoder).stylize_regions(content, styles[:1], None, GatysOptions(**QUICK, precision="bfloat16"))
    slow = Gatys(encoder).stylize_regions(content, styles[:1], None, GatysOptions(**QUICK))
    assert 0 < float((fast - slow).abs().mean()) < 0.05


def test_style_pictures_keep_their_shape():
    assert style_at(torch.rand(3, 100, 200), (64, 64), 1.0).shape == (3, 45, 91)
    assert style_at(torch.rand(3, 100, 100), (64, 64), 0.75).shape == (3, 48, 48)
    # What is small or narrow is enlarged until the encoder can see it.
    assert style_at(torch.rand(3, 1, 1), (64, 64), 1.0).shape == (3, 64, 64)
    assert style_at(torch.rand(3, 10, 160), (64, 64), 0.5).shape == (3, 32, 512)


def test_cancelling(encoder, content, styles):
    calls = []

    def stop(stage: str, done: float) -> None:
        calls.append(done)
        if done > 0.4:
            raise Cancelled("Stopped.")

    for optimiser in ("lbfgs", "scipy"):
        calls.clear()
        with pytest.raises(Cancelled):
            Gatys(encoder).stylize_regions(
                content, styles, None if len(styles) == 1 else torch.ones(3, 48, 64) / 3,
                GatysOptions(**QUICK, optimiser=optimiser), stop,
            )  # fmt: skip
        assert len(calls) == 3


def test_one_run_of_styfie_gives_three_results(encoder, content, styles):
    place = torch.arange(64.0).expand(48, 64)
    mask = ((32 - place) / 6 + 0.5).clamp(0, 1)
    runs = []
    result = Styfie(encoder).stylize(
        content, styles[0], styles[1], mask, StyfieOptions(**QUICK), watch=lambda state: runs.append(state.iteration)
    )
    assert runs == [1, 2, 3, 4]
    assert StyfieOptions().optimiser == "scipy"
    person, behind = mask == 1, mask == 0
    assert torch.equal(result.foreground[:, behind], content[:, behind])
    assert torch.equal(result.background[:, person], content[:, person])
    assert torch.allclose(result.foreground[:, person], result.both[:, person], atol=1e-6)
    assert torch.allclose(result.background[:, behind], result.both[:, behind], atol=1e-6)
    # Both changes together are the change of both: the three fit each other at the border too.
    changes = (result.foreground - content) + (result.background - content)
    assert torch.allclose(changes, result.both - content, atol=1e-5)


def test_portrait_aware_paints_the_background_more(encoder, content, styles):
    """The published settings change texture behind the person, not before."""
    background = torch.zeros(48, 64)
    background[:, 32:] = 1
    options = PortraitAwareOptions(side=48, scales=1, iterations=30, background=background)
    out = PortraitAware(encoder).stylize_regions(content, styles[:1], None, options)
    change = (out - content).abs().mean(0)
    assert float(change[:, 36:].mean()) > 1.2 * float(change[:, :28].mean())


# --- refusals ------------------------------------------------------------------------------------------------------


def test_what_cannot_be_painted_is_refused_in_one_sentence(encoder, content, styles):
    def run(content=content, styles=styles[:1], masks=None, **settings):
        return Gatys(encoder).stylize_regions(content, styles, masks, GatysOptions(**{**QUICK, **settings}))

    bad = content.clone()
    bad[0, 3, 4] = math.nan
    wrong("content holds values that are no finite", run, bad)
    wrong("style holds values that are no finite", run, styles=[torch.full((3, 20, 20), math.inf)])
    wrong("start holds values that are no finite", run, start=bad)
    wrong(r"not \(4, 48, 64\): take transparency off", run, torch.cat([content, content[:1]]))
    wrong("from 0 to 1, not from", run, content * 255)
    wrong("hold floats from 0 to 1, not torch.uint8", run, (content * 255).byte())
    wrong("1x1 pixels, too small", run, torch.rand(3, 1, 1))
    wrong("no style picture", run, styles=[])
    wrong("too narrow to show a style", run, styles=[torch.rand(3, 2, 900)])
    wrong("must be a tensor", run, styles=[np.zeros((3, 20, 20))])
    wrong(r"masks must be shaped \(2, 48, 64\)", run, masks=torch.ones(1, 48, 64))
    wrong("sum to 1 at every pixel", run, masks=torch.ones(2, 48, 64))
    wrong("sum to 1 at every pixel", run, masks=torch.full((2, 48, 64), math.nan))
    wrong("needs to know the background", PortraitAware(encoder).stylize_regions, content, styles[:1])
    wrong(r"shaped \(48, 64\) like the picture", PortraitAware(encoder).stylize_regions, content, styles[:1], None,
          PortraitAwareOptions(background=torch.ones(3, 4)))  # fmt: skip
    wrong("foreground's mask must be", Styfie(encoder).stylize, content, *styles, torch.ones(5, 5))
    assert run(content[:1]).shape == (3, 48, 64)  # grey is a picture


def test_options_are_checked():
    wrong("iterations must be a whole number from 1 to 100000, not 0", GatysOptions, iterations=0)
    wrong("side must be a whole number", GatysOptions, side=8.5)
    wrong("keep_color must be a number from 0 to 1", GatysOptions, keep_color=2)
    wrong("style_weight must be a number", GatysOptions, style_weight=math.nan)
    wrong("background_weight must be a number", PortraitAwareOptions, background_weight=-1)
    wrong("did you mean 'lbfgs'", GatysOptions, optimiser="lbgfs", error=UnknownName)
    wrong("did you mean 'noise'", GatysOptions, start="nois", error=UnknownName)
    wrong(r"did you mean 'gatys\+'", PortraitAwareOptions, variant="gatis+", error=UnknownName)


def test_the_catalogue(encoder):
    for method in METHODS:
        assert load_method(method, encoder).name == method
        assert {"side", "seed"} <= {field.name for field in fields(options_from(method, {}))}
    assert load_method("Portrait_Aware", encoder).name == "portrait-aware"
    wrong("did you mean 'gatys'", load_method, "gattys", error=UnknownName)
    wrong("did you mean 'iterations'", options_from, "gatys", {"iteration": 3}, error=UnknownName)
    wrong("Unknown features 'vgg'", features_encoder, "vgg", error=UnknownName)
    wrong("need a file of weights", features_encoder, "vgg19")
    wrong("need a file of weights", features_encoder, "compact", "x.pth")
