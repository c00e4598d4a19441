"""Any picture as a style: the encoder's statistics, the predicted code, and codes fitted to one picture."""

from __future__ import annotations

import json
from dataclasses import replace

import cv2
import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from conftest import is_one_sentence
from selfieart import Look, SegmentLook, Studio
from selfieart.cli import main
from selfieart.errors import Cancelled, SelfieartError
from selfieart.evaluation.judge import painted_by
from selfieart.imaging.arrays import FloatArray, as_picture
from selfieart.networks.code_predictor import STATISTICS, CodePredictor, style_statistics
from selfieart.networks.encoder import CHANNELS, LAYERS, STEPS, STYLE_LAYERS, Encoder
from selfieart.networks.gram import gram, guided_gram, mask_at, relative_error
from selfieart.networks.packaged import load_encoder
from selfieart.networks.tensors import as_tensor
from selfieart.render.feed_forward import PresetStylizer
from selfieart.styles.any_style import at_reading_size, read_code, read_size
from selfieart.training.one_style import fit_style
from selfieart.weights import manifest


@pytest.fixture(scope="module")
def encoder() -> Encoder:
    return load_encoder()


@pytest.fixture
def predicts(stylizer: PresetStylizer) -> None:
    if stylizer.any_style is None:
        pytest.skip("the packaged weights of the styles predict no codes")


@pytest.fixture(scope="module")
def painting() -> np.ndarray:
    """Slanted red and yellow strokes on blue, (96, 128, 3)."""
    ys, xs = np.mgrid[:96, :128]
    wave = np.sin((xs + 2 * ys) / 5) + 0.5 * np.sin((2 * xs - ys) / 3)
    strokes = np.stack([120 + 90 * wave, 60 + 60 * (wave > 0.3), 140 - 80 * wave], -1)
    return np.clip(strokes, 0, 255).astype(np.uint8)


class TestEncoder:
    def test_layers_have_their_sizes_and_the_network_stops_at_the_last_one(self, encoder):
        picture = torch.rand(2, 3, 48, 80, generator=torch.Generator().manual_seed(0))
        seen = encoder(picture)
        assert tuple(seen) == LAYERS
        for layer, features in seen.items():
            assert features.shape == (2, CHANNELS[layer], 48 // STEPS[layer], 80 // STEPS[layer])
            assert torch.equal(encoder(picture, [layer])[layer], features)
        assert list(encoder(picture, ["relu2_1"])) == ["relu2_1"]

    def test_unknown_layers(self, encoder):
        with pytest.raises(SelfieartError, match="did you mean 'relu3_1'"):
            encoder(torch.zeros(1, 3, 16, 16), ["relu3_11"])

    def test_it_sees_texture_more_than_place(self, encoder, painting):
        """A shifted painting has nearly the same Gram matrices, a flat field of the same colours has not."""
        x = as_tensor(painting)[None]
        shifted, flat = x.roll((8, 8), (2, 3)), x.mean((2, 3), keepdim=True).expand_as(x)
        wanted, near, far = ({k: gram(v) for k, v in encoder(p, STYLE_LAYERS).items()} for p in (x, shifted, flat))
        for layer in STYLE_LAYERS[1:4]:
            assert float(relative_error(near[layer], wanted[layer])) < 0.1
            assert float(relative_error(far[layer], wanted[layer])) > 0.4


class TestGram:
    def test_against_the_formula(self):
        features = torch.randn(2, 3, 4, 5, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
        for index in range(2):
            flat = features[index].reshape(3, 20)
            assert torch.allclose(gram(features)[index], flat @ flat.T / 60)

    def test_a_mask_of_ones_changes_nothing_and_a_binary_one_cuts_out(self):
        features = torch.randn(1, 3, 4, 6, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
        assert torch.allclose(guided_gram(features, torch.ones(4, 6, dtype=torch.float64)), gram(features))
        mask = torch.zeros(4, 6, dtype=torch.float64)
        mask[:, :3] = 1
        assert torch.allclose(guided_gram(features, mask), gram(features[..., :3]))

    def test_masks_shrink_to_their_mean(self):
        mask = torch.rand(8, 12, generator=torch.Generator().manual_seed(0))
        assert torch.allclose(mask_at(mask, (4, 6)), mask.reshape(4, 2, 6, 2).mean((1, 3)))


class TestPrediction:
    def test_statistics_are_means_and_deviations(self, encoder, painting):
        seen = encoder(as_tensor(painting)[None], STYLE_LAYERS)
        vector = style_statistics(seen)[0]
        assert vector.shape == (STATISTICS,)
        first = seen["relu1_1"][0].flatten(1).double()
        n = CHANNELS["relu1_1"]
        assert torch.allclose(vector[:n].double(), first.mean(1), atol=1e-4)
        assert torch.allclose(vector[n : 2 * n].double(), first.std(1, correction=0), atol=1e-4)

    def test_it_begins_with_the_presets(self):
        torch.manual_seed(0)
        predictor, codes, statistics = CodePredictor(50, rank=8), torch.randn(6, 50), torch.rand(9, STATISTICS)
        predictor.begin_with(codes, statistics)
        assert torch.allclose(predictor.mean, codes.mean(0), atol=1e-6)
        rest = codes - codes.mean(0)
        basis = torch.linalg.qr(predictor.directions[:5].T).Q
        assert torch.allclose(rest @ basis @ basis.T, rest, atol=1e-4)
        # Statistics far outside of what was seen are held.
        assert torch.equal(predictor(statistics * 1e6), predictor(statistics * 1e7))

    def test_a_code_depends_on_the_picture_only(self, predicts, stylizer, painting):
        code = stylizer.encode_picture(as_picture(painting))
        assert code.shape == (stylizer.network.code_size,)
        assert np.array_equal(stylizer.encode_picture(as_picture(painting)), code)
        grey = np.repeat(painting.mean(2, keepdims=True), 3, 2).astype(np.uint8)
        assert float(np.abs(stylizer.encode_picture(as_picture(grey)) - code).mean()) > 1e-3

    @pytest.mark.parametrize(("size", "read"), [((512, 700), (512, 700)), ((1000, 2000), (512, 1024)),
                                                ((100, 120), (150, 180)), ((200, 6000), (51, 1536))])  # fmt: skip
    def test_pictures_are_read_in_their_own_shape(self, size, read):
        assert read_size(*size) == read

    @pytest.mark.parametrize("size", [(16, 16), (16, 4000), (300, 17), (600, 700)])
    def test_any_shape_can_be_a_style(self, predicts, stylizer, size):
        picture = np.random.default_rng(1).random((3, *size), np.float32)
        assert min(at_reading_size(picture).shape[-2:]) >= 32 or max(size) > 1536
        assert np.isfinite(stylizer.encode_picture(picture)).all()

    def test_it_is_judged_by_the_picture_as_it_is_in_its_file(self, tmp_path, painting):
        """And not by the smaller one that its result is compared with; each picture is read once."""
        file, read = tmp_path / "painting.png", []
        cv2.imwrite(str(file), painting[..., ::-1])

        class Reads:
            codes: dict[str, FloatArray] = {}  # noqa: RUF012 - no preset

            def encode_picture(self, picture: FloatArray) -> FloatArray:
                read.append(picture)
                return np.zeros(3, np.float32)

            def render(self, content: FloatArray, codes: FloatArray) -> FloatArray:
                return content + codes.sum()

        paint = painted_by(Reads(), {"mine": file})
        content = np.random.default_rng(0).random((3, 8, 8), np.float32)
        for _ in range(2):
            assert np.array_equal(paint("mine", content, np.zeros((3, 4, 4), np.float32)), content)
        assert len(read) == 1 and np.array_equal(read[0], as_picture(painting))

    def test_what_is_no_style(self, predicts, stylizer):
        for picture, says in ((np.zeros((3, 15, 99), np.float32), "too small to show a style"),
                              (np.full((3, 40, 40), np.nan, np.float32), "no numbers")):  # fmt: skip
            with pytest.raises(SelfieartError, match=says) as error:
                stylizer.encode_picture(picture)
            assert is_one_sentence(str(error.value))

    def test_weights_without_prediction_say_so(self, stylizer):
        with pytest.raises(SelfieartError, match="presets only"):
            PresetStylizer(stylizer.network, stylizer.codes).encode_picture(np.zeros((3, 64, 64), np.float32))

    def test_colors_come_from_the_picture(self, predicts, stylizer, astronaut):
        """A photo painted after a red picture is redder than after a blue one."""
        content = as_picture(astronaut[:128, 130:290])
        strokes = np.random.default_rng(2).random((3, 20, 20), np.float32).repeat(8, 1).repeat(8, 2)
        means = []
        for tint in ((0.9, 0.25, 0.2), (0.15, 0.3, 0.95)):
            picture = strokes * np.float32(0.4) + np.array(tint, np.float32)[:, None, None] * np.float32(0.6)
            painted = stylizer.render(content, stylizer.encode_picture(picture)[None])
            means.append(float((painted[0] - painted[2]).mean()))
        assert means[0] > means[1] + 0.1


class TestStudio:
    def test_a_picture_beside_a_preset(self, predicts, studio, astronaut, painting, tmp_path):
        path = tmp_path / "strokes.png"
        cv2.imwrite(str(path), cv2.cvtColor(painting, cv2.COLOR_RGB2BGR))
        portrait = studio.open(astronaut[:200, 100:320])
        look = Look({"background": SegmentLook(str(path)), "hair": SegmentLook("candy")})
        first = portrait.render(look).pixels
        assert np.array_equal(portrait.render(look).pixels, first)
        copy = tmp_path / "another-name.png"
        copy.write_bytes(path.read_bytes())
        assert studio.code(str(copy))[0] == studio.code(str(path))[0]
        for blend in ("pixels", "features"):
            art = portrait.render(replace(look, blend=blend)).pixels
            assert np.abs(art.astype(int) - portrait.photo.pixels).mean() > 5
        # What changes in the file changes in the picture.
        cv2.imwrite(str(path), 255 - painting)
        assert studio.code(str(path))[0] != studio.code(str(copy))[0]
        assert not np.array_equal(portrait.render(look).pixels, first)

    def test_what_is_not_painted_has_no_code(self, studio):
        with pytest.raises(SelfieartError, match="is not painted"):
            studio.code("blur")


class TestFitting:
    @pytest.mark.slow
    def test_a_fitted_style_comes_nearer_than_the_predicted_one(self, painting, tmp_path, astronaut):
        source, out = tmp_path / "strokes.png", tmp_path / "strokes.safetensors"
        cv2.imwrite(str(source), cv2.cvtColor(painting, cv2.COLOR_RGB2BGR))
        fitted = fit_style(source, out, steps=8)
        assert fitted.after < 0.99 * fitted.before
        assert torch.equal(load_file(out)["code"], fitted.code)
        studio = Studio()
        key, code = studio.code(str(out))
        assert np.array_equal(code, fitted.code.numpy())
        assert key.startswith("sha256:")
        art = studio.open(astronaut[:160, 130:290]).render(Look({"everything": SegmentLook(str(out))}))
        assert np.abs(art.pixels.astype(int) - art.photo.pixels).mean() > 5

    def test_cancelling_leaves_no_file(self, painting, tmp_path):
        source, out = tmp_path / "strokes.png", tmp_path / "strokes.safetensors"
        cv2.imwrite(str(source), painting)

        def stop(stage: str, done: float) -> None:
            raise Cancelled

        with pytest.raises(Cancelled):
            fit_style(source, out, steps=2, progress=stop)
        assert [path.name for path in tmp_path.iterdir()] == ["strokes.png"]

    def test_what_is_no_fitted_style(self, tmp_path, stylizer, capsys):
        size, weights = stylizer.network.code_size, manifest()["presets"].sha256
        code = torch.zeros(size)
        note = {"weights": weights}
        cases = {
            "text": lambda path: path.write_text("hello"),
            "other": lambda path: save_file({"weight": code}, path),
            "old": lambda path: save_file({"code": code}, path, metadata={"selfieart": json.dumps({"weights": "x"})}),
            "short": lambda path: save_file({"code": code[:9]}, path, metadata={"selfieart": json.dumps(note)}),
        }
        for name, write in cases.items():
            path = tmp_path / f"{name}.safetensors"
            write(path)
            with pytest.raises(SelfieartError) as error:
                read_code(path, size, weights)
            assert is_one_sentence(str(error.value))
            assert ("another version" in str(error.value)) == (name in ("old", "short"))
        picture = tmp_path / "me.png"
        cv2.imwrite(str(picture), np.zeros((32, 32, 3), np.uint8))
        with pytest.raises(SystemExit) as stop:
            main(["photo", str(picture), "--style", f"hair={tmp_path / 'old.safetensors'}"])
        assert stop.value.code == 2
        assert "selfieart train style" in capsys.readouterr().err
