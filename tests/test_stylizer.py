"""Feed-forward styles: one contract for all methods, what the presets promise, and tiles that are one piece."""

from __future__ import annotations

import numpy as np
import pytest

from conftest import is_one_sentence
from selfieart.errors import Cancelled, SelfieartError, UnknownName
from selfieart.imaging.arrays import FloatArray, as_picture
from selfieart.render.feed_forward import PresetStylizer
from selfieart.render.loading import load_presets
from selfieart.render.style_network import StyleNetwork
from selfieart.style_grid import RECEPTIVE_FIELD
from selfieart.styles.presets import presets
from selfieart.stylizer import FeedForwardStylizer, StylizeOptions, Stylizer
from selfieart.weights import load_weights, manifest

METHODS = {"presets": load_presets}

# --- what every method keeps to ------------------------------------------------------------------------------------


@pytest.fixture(scope="module", params=METHODS)
def method(request: pytest.FixtureRequest) -> Stylizer:
    return METHODS[request.param]()


@pytest.fixture(scope="module")
def photo(astronaut: np.ndarray) -> FloatArray:
    """The astronaut's face, (3, 120, 136)."""
    return as_picture(astronaut[60:180, 150:286])


class TestStylizerContract:
    def test_a_seed_gives_one_picture_and_another_seed_another(self, method, photo):
        style, before = method.styles()[0], photo.copy()
        first = method.stylize(photo, style, StylizeOptions(seed=4))
        assert np.array_equal(method.stylize(photo, style, StylizeOptions(seed=4)), first)
        other = method.stylize(photo, style, StylizeOptions(seed=5))
        assert 1e-4 < float(np.abs(other - first).mean()) < 0.2
        assert np.array_equal(method.stylize(photo, style), method.stylize(photo, style, StylizeOptions(seed=0)))
        assert np.array_equal(photo, before)

    @pytest.mark.parametrize("seed", [-1, 2**31, 2**63 - 1, -(10**30)])
    def test_any_whole_number_is_a_seed(self, method, photo, seed):
        out = method.stylize(photo[:, :16, :16], method.styles()[0], StylizeOptions(seed))
        assert bool(np.isfinite(out).all())

    @pytest.mark.parametrize("size", [(16, 16), (17, 64), (61, 33), (40, 23)])
    def test_any_size_and_only_colors(self, method, photo, size):
        for picture in (
            photo[:, : size[0], : size[1]],
            np.zeros((3, *size), np.float32),
            np.ones((3, *size), np.float32),
        ):
            out = method.stylize(picture, method.styles()[-1])
            assert out.shape == picture.shape
            assert out.dtype == np.float32
            assert bool(((out >= 0) & (out <= 1)).all())

    def test_styles_differ_from_each_other_and_keep_the_photo_recognisable(self, method, photo):
        painted = {style: method.stylize(photo[:, :80, :80], style) for style in method.styles()}
        light = photo[:, :80, :80].mean(0).flatten()
        for style, picture in painted.items():
            others = [float(np.abs(picture - other).mean()) for name, other in painted.items() if name != style]
            assert min(others) > 0.01, style
            correlation = float(np.corrcoef([light, picture.mean(0).flatten()])[0, 1])
            assert correlation > 0.25, style

    def test_unknown_styles(self, method, photo):
        name = method.styles()[0]
        with pytest.raises(UnknownName, match=f"did you mean '{name}'") as error:
            method.stylize(photo, name[:-1] + "qy")
        assert is_one_sentence(str(error.value))
        with pytest.raises(UnknownName) as error:
            method.stylize(photo, "qqqqqqq")
        assert is_one_sentence(str(error.value))

    @pytest.mark.parametrize("size", [(15, 40), (40, 15), (1, 1)])
    def test_a_picture_too_small_is_refused(self, method, size):
        with pytest.raises(SelfieartError, match=f"{size[1]}x{size[0]} pixels, too small to stylise") as error:
            method.stylize(np.zeros((3, *size), np.float32), method.styles()[0])
        assert is_one_sentence(str(error.value))

    def test_progress_is_told_and_may_cancel(self, method, photo):
        told = []
        method.stylize(photo[:, :32, :32], method.styles()[0], progress=lambda *step: told.append(step))
        assert told[-1] == ("style", 1.0)
        assert [done for _, done in told] == sorted(done for _, done in told)

        def stop(stage: str, done: float) -> None:
            raise Cancelled

        with pytest.raises(Cancelled):
            method.stylize(photo, method.styles()[0], progress=stop)


class TestPresets:
    def test_the_catalogue_is_that_of_the_weights(self, stylizer):
        assert stylizer.styles() == tuple(presets()) == manifest()["presets"].classes
        assert len(presets()) == 21
        assert load_presets() is stylizer
        assert isinstance(stylizer, FeedForwardStylizer)

    def test_codes_are_those_of_the_network(self, stylizer):
        codes = np.stack([stylizer.encode(style) for style in stylizer.styles()])
        assert codes.shape == (21, stylizer.network.code_size)
        assert bool(np.isfinite(codes).all())
        weights = load_weights("presets")
        assert np.array_equal(weights["codes"], codes)
        parameters = sum(v.size for k, v in weights.items() if not k.endswith((".center", ".spread")))
        assert parameters == manifest()["presets"].parameters

    def test_several_styles_want_masks(self, stylizer, photo):
        codes = np.stack([stylizer.encode("candy"), stylizer.encode("wave")])
        with pytest.raises(SelfieartError, match="need one mask each"):
            stylizer.render(photo, codes)

    def test_masks_say_which_style_paints_where(self, stylizer, photo):
        codes = np.stack([stylizer.encode("candy"), stylizer.encode("wave")])
        candy, wave = (stylizer.render(photo, code[None]) for code in codes)
        ones = np.ones((1, 120, 136), np.float32)
        both = stylizer.render(photo, codes, np.concatenate([ones, 0 * ones]))
        assert np.allclose(both, candy, rtol=0, atol=2e-4)
        half = np.zeros((2, 120, 136), np.float32)
        half[0, :, :68], half[1, :, 68:] = 1, 1
        split = stylizer.render(photo, codes, half)
        near = [
            float(np.abs((split - style)[..., part]).mean())
            for part in (slice(0, 40), slice(96, 136))
            for style in (candy, wave)
        ]
        assert near[0] < 0.7 * near[1]
        assert near[3] < 0.7 * near[2]

    def test_identical_codes_everywhere_alike_are_one_code(self, stylizer, photo):
        code = stylizer.encode("la-muse")
        share = np.full((1, 120, 136), 0.3, np.float32)
        mixed = stylizer.render(photo, np.stack([code, code]), np.concatenate([share, 1 - share]))
        assert np.allclose(mixed, stylizer.render(photo, code[None]), rtol=0, atol=1e-3)


# --- tiles ---------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def random_network() -> tuple[StyleNetwork, FloatArray]:
    """The network with random weights, and two codes."""
    rng = np.random.default_rng(3)
    weights = {}
    for name, value in load_weights("presets").items():
        if name.startswith("net."):
            spread = 1 / np.sqrt(max(1, value[0].size))
            weights[name] = rng.uniform(-spread, spread, value.shape).astype(np.float32)
    network = StyleNetwork(lambda: weights)
    return network, (rng.standard_normal((2, network.code_size)) * 0.5 + 0.7).astype(np.float32)


@pytest.mark.parametrize("several", [False, True])
def test_tiles_with_given_statistics_are_one_piece(several, random_network):
    network, codes = random_network
    rng, count = np.random.default_rng(1), 2 if several else 1
    picture, share = rng.random((3, 360, 408), np.float32), rng.random((1, 360, 408), np.float32)
    masks = np.concatenate([share, 1 - share]) if several else None
    # Tiles of 72 pixels beside the border that they share.
    stylizer = PresetStylizer(network, {}, tile_area=(2 * RECEPTIVE_FIELD + 72) ** 2)
    statistics = network.record(picture, codes[:count], masks, seed=3)
    whole = network.paint(picture, codes[:count], masks, seed=3)
    tiled = stylizer._tiled(picture, codes[:count], masks, 3, statistics)
    np.testing.assert_allclose(tiled, whole, rtol=0, atol=1e-4)


def test_tiles_share_the_statistics_of_the_reduced_picture(astronaut, random_network):
    network, codes = random_network
    picture = as_picture(astronaut[:360, 60:440])
    whole = PresetStylizer(network, {"a": codes[0]}).stylize(picture, "a")
    tiled = PresetStylizer(network, {"a": codes[0]}, tile_area=110_000).stylize(picture, "a")
    assert float(whole.std()) > 0.1
    assert float(np.abs(tiled - whole).mean()) < 0.01
