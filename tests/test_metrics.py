"""SSIM, GMSD, FSIM and FSIMc against scikit-image and against their formulas written again, slowly, in NumPy."""

from __future__ import annotations

import math

import cv2
import numpy as np
import pytest
from scipy.signal import convolve2d
from skimage import data
from skimage.metrics import structural_similarity

from conftest import is_one_sentence
from selfieart.errors import SelfieartError
from selfieart.metrics.phase import phase_congruency
from selfieart.metrics.similarity import fsim, fsimc, gmsd, ssim

MEASURES = (ssim, gmsd, fsim, fsimc)
LUMINANCE = np.array([0.299, 0.587, 0.114])


def resized(picture: np.ndarray, height: int, width: int) -> np.ndarray:
    return cv2.resize(picture, (width, height), interpolation=cv2.INTER_AREA)


def noisy(picture: np.ndarray, sigma: float) -> np.ndarray:
    noise = np.random.default_rng(3).normal(0, sigma, picture.shape)
    return (picture + noise).round().clip(0, 255).astype(np.uint8)


def blurred(picture: np.ndarray, sigma: float) -> np.ndarray:
    return cv2.GaussianBlur(picture, (0, 0), sigma)


def compressed(picture: np.ndarray) -> np.ndarray:
    return cv2.imdecode(cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, 8])[1], cv2.IMREAD_COLOR)


# Odd and even sizes, and sides that FSIM reduces by 1, 2 and 3.
PICTURES = {
    "astronaut": lambda: resized(data.astronaut(), 131, 148),
    "cat": lambda: resized(data.chelsea(), 150, 117),
    "coffee": lambda: resized(data.coffee(), 384, 401),
    "rocket": lambda: resized(data.rocket(), 640, 642),
}
DISTORTIONS = {
    "noise": lambda p: noisy(p, 20),
    "blur": lambda p: blurred(p, 2),
    "jpeg": compressed,
    "negative": lambda p: 255 - p,
    "other colours": lambda p: np.ascontiguousarray(p[..., ::-1]),
}
PAIRS = [(name, distortion) for name in PICTURES for distortion in DISTORTIONS]
QUICK_PAIRS = [(name, distortion) for name in ("astronaut", "cat") for distortion in DISTORTIONS]


def scaled(picture: np.ndarray) -> np.ndarray:
    values = picture / 255
    return values if values.ndim == 2 else values.transpose(2, 0, 1)


def pair_of(name: str, distortion: str) -> tuple[np.ndarray, np.ndarray]:
    picture = PICTURES[name]()
    return picture, DISTORTIONS[distortion](picture)


def some_mask(height: int, width: int) -> np.ndarray:
    """Soft, off the centre, and 0 in a third of the picture."""
    rows, columns = np.mgrid[0:height, 0:width]
    return np.clip(1.5 - np.hypot(rows / height - 0.4, columns / width - 0.6) * 3, 0, 1)


def same_convolution(plane: np.ndarray, kernel: np.ndarray) -> np.ndarray:
    """Centred as MATLAB's conv2(plane, kernel, 'same'), which even kernels make differ from SciPy's."""
    full = convolve2d(plane, kernel)
    top, left = (math.ceil((side - 1) / 2) for side in kernel.shape)
    return full[top : top + plane.shape[0], left : left + plane.shape[1]]


def reduced(plane: np.ndarray, factor: int) -> np.ndarray:
    return same_convolution(plane, np.full((factor, factor), factor**-2))[::factor, ::factor]


def gradient(plane: np.ndarray, kernel: list[list[float]], divisor: float) -> np.ndarray:
    across = np.array(kernel) / divisor
    return np.hypot(same_convolution(plane, across), same_convolution(plane, across.T))


def similarity(a: np.ndarray, b: np.ndarray, constant: float) -> np.ndarray:
    return (2 * a * b + constant) / (a**2 + b**2 + constant)


# --- SSIM ----------------------------------------------------------------------------------------------------------


def reference_ssim(x: np.ndarray, y: np.ndarray, **options: object) -> tuple[float, np.ndarray]:
    return structural_similarity(
        x, y, data_range=255, gaussian_weights=True, sigma=1.5, use_sample_covariance=False, full=True, **options
    )


@pytest.mark.parametrize(("name", "distortion"), PAIRS)
def test_ssim_is_that_of_scikit_image(name, distortion):
    x, y = pair_of(name, distortion)
    expected, values = reference_ssim(x @ LUMINANCE, y @ LUMINANCE)
    assert float(ssim(scaled(x), scaled(y))) == pytest.approx(expected, abs=1e-12)
    mask = some_mask(*x.shape[:2])
    expected = np.average(values[5:-5, 5:-5], weights=mask[5:-5, 5:-5])
    assert float(ssim(scaled(x), scaled(y), mask)) == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize(("name", "distortion"), QUICK_PAIRS)
def test_ssim_of_channels_is_that_of_scikit_image(name, distortion):
    x, y = pair_of(name, distortion)
    expected, _ = reference_ssim(x.astype(float), y.astype(float), channel_axis=2)
    assert float(ssim(scaled(x), scaled(y), per_channel=True)) == pytest.approx(expected, abs=1e-12)


def test_ssim_is_the_published_value():
    """imdiff of Image Processing On Line gave this for scikit-image's camera man and noise; it treats borders apart."""
    camera = data.camera()
    noise = 20 * np.random.RandomState(5).randn(*camera.shape)
    other = np.clip(camera + noise, 0, 255).astype(np.uint8)
    assert float(ssim(scaled(camera), scaled(other))) == pytest.approx(0.357959091663361, abs=1e-5)


# --- GMSD ----------------------------------------------------------------------------------------------------------


def reference_gmsd(x: np.ndarray, y: np.ndarray, mask: np.ndarray | None = None) -> float:
    prewitt = [[1.0, 0.0, -1.0]] * 3
    gradients = [gradient(reduced(p @ LUMINANCE, 2), prewitt, 3) for p in (x.astype(float), y.astype(float))]
    values = similarity(*gradients, 170)
    if mask is None:
        return float(values.std())
    weights = np.empty_like(values)
    for row, column in np.ndindex(values.shape):
        weights[row, column] = mask[2 * row : 2 * row + 2, 2 * column : 2 * column + 2].mean()
    mean = np.average(values, weights=weights)
    return math.sqrt(np.average((values - mean) ** 2, weights=weights))


@pytest.mark.parametrize(("name", "distortion"), [*QUICK_PAIRS, ("coffee", "noise")])
def test_gmsd_is_its_formula(name, distortion):
    x, y = pair_of(name, distortion)
    mask = some_mask(*x.shape[:2])
    assert float(gmsd(scaled(x), scaled(y))) == pytest.approx(reference_gmsd(x, y), abs=1e-12)
    masked = float(gmsd(scaled(x), scaled(y), mask))
    assert masked == pytest.approx(reference_gmsd(x, y, mask), abs=1e-12)


def test_gmsd_of_two_drawn_gradients():
    """Ramps of 10 and 20 levels per reduced pixel, borders masked out: half the places similar by s, half by 1."""
    steps = np.repeat(np.arange(12.0), 2)
    x = np.tile(10 * steps, (40, 1))
    y = x.copy()
    y[:20] *= 2
    mask = np.zeros((40, 24))
    mask[4:16, 4:20] = mask[24:36, 4:20] = 1
    s = (2 * 20 * 40 + 170) / (20**2 + 40**2 + 170)
    assert float(gmsd(scaled(x), scaled(y.clip(0, 255)), mask)) > 0
    mask[:, 10:] = 0
    assert float(gmsd(scaled(x), scaled(y), mask)) == pytest.approx((1 - s) / 2, abs=1e-12)


# --- FSIM ----------------------------------------------------------------------------------------------------------


def centred_frequencies(size: int) -> np.ndarray:
    if size % 2:
        return np.arange(-(size // 2), size // 2 + 1) / (size - 1)
    return np.arange(-size // 2, size // 2) / size


def reference_congruency(plane: np.ndarray) -> np.ndarray:
    """Kovesi's phase congruency, filter by filter, with the zero frequency in the middle of the spectrum."""
    x, y = np.meshgrid(centred_frequencies(plane.shape[1]), centred_frequencies(plane.shape[0]))
    f = np.hypot(x, y)
    f[plane.shape[0] // 2, plane.shape[1] // 2] = 1e-300
    low_pass = 1 / (1 + (f / 0.45) ** 30)
    spectrum = np.fft.fftshift(np.fft.fft2(plane))
    energies, amplitudes = np.zeros(plane.shape), np.zeros(plane.shape)
    for orientation in range(4):
        direction = orientation * math.pi / 4
        # The angle between (x, -y) and the filter's direction.
        along = x * math.cos(direction) - y * math.sin(direction)
        distance = np.arccos(np.clip(along / f, -1, 1))
        spread = np.exp(-(distance**2) / (2 * (math.pi / 4 / 1.2) ** 2))
        even, odd, impulse = [], [], []
        for scale in range(4):
            wavelength = 6 * 2**scale
            radial = np.exp(-(np.log(f * wavelength) ** 2) / (2 * math.log(0.55) ** 2)) * low_pass
            response = np.fft.ifft2(np.fft.ifftshift(spectrum * radial * spread))
            even.append(response.real)
            odd.append(response.imag)
            impulse.append(np.fft.ifft2(np.fft.ifftshift(radial * spread)).real * math.sqrt(plane.size))
            if scale == 0:
                power_of_finest = ((radial * spread) ** 2).sum()
        sum_even, sum_odd = sum(even), sum(odd)
        length = np.sqrt(sum_even**2 + sum_odd**2) + 1e-4
        cosine, sine = sum_even / length, sum_odd / length
        energy = sum(e * cosine + o * sine - abs(e * sine - o * cosine) for e, o in zip(even, odd, strict=True))
        noise = np.median(even[0] ** 2 + odd[0] ** 2) / -math.log(0.5) / power_of_finest
        squares = sum((a**2).sum() for a in impulse)
        products = sum((impulse[i] * impulse[j]).sum() for i in range(4) for j in range(i + 1, 4))
        tau = math.sqrt((2 * noise * squares + 4 * noise * products) / 2)
        threshold = (tau * math.sqrt(math.pi / 2) + 2 * math.sqrt((2 - math.pi / 2) * tau**2)) / 1.7
        energies += np.maximum(energy - threshold, 0)
        amplitudes += sum(np.hypot(e, o) for e, o in zip(even, odd, strict=True))
    return energies / amplitudes


def reference_fsim(x: np.ndarray, y: np.ndarray, mask: np.ndarray) -> tuple[float, float]:
    """FSIM and FSIMc."""
    factor = max(1, math.floor(min(x.shape[:2]) / 256 + 0.5))
    yiq = np.array([[0.299, 0.587, 0.114], [0.596, -0.274, -0.322], [0.211, -0.523, 0.312]])
    planes = [[reduced(plane, factor) for plane in np.moveaxis(p.astype(float) @ yiq.T, 2, 0)] for p in (x, y)]
    congruency = [reference_congruency(luminance) for luminance, _, _ in planes]
    scharr = [[3.0, 0.0, -3.0], [10.0, 0.0, -10.0], [3.0, 0.0, -3.0]]
    values = similarity(*congruency, 0.85) * similarity(*(gradient(p[0], scharr, 16) for p in planes), 160)
    colour = similarity(planes[0][1], planes[1][1], 200) * similarity(planes[0][2], planes[1][2], 200)
    weights = np.maximum(*congruency) * reduced(mask, factor) / reduced(np.ones_like(mask), factor)
    chromatic = values * (colour.astype(complex) ** 0.03).real
    return float(np.average(values, weights=weights)), float(np.average(chromatic, weights=weights))


@pytest.mark.parametrize(("name", "distortion"), [*QUICK_PAIRS, ("coffee", "noise"), ("rocket", "jpeg")])
def test_fsim_and_fsimc_are_their_formulas(name, distortion):
    x, y = pair_of(name, distortion)
    a, b = scaled(x), scaled(y)
    for mask in (None, some_mask(*x.shape[:2])):
        expected = reference_fsim(x, y, np.ones(x.shape[:2]) if mask is None else mask)
        assert float(fsim(a, b, mask)) == pytest.approx(expected[0], abs=1e-9)
        assert float(fsimc(a, b, mask)) == pytest.approx(expected[1], abs=1e-9)


def test_phase_congruency_marks_the_edge_whatever_its_contrast():
    step = np.zeros((96, 96))
    step[:, 48:] = 1
    soft, strong = phase_congruency(30 + 20 * step), phase_congruency(200 * step)
    for values in (soft, strong):
        assert 0 <= float(values.min()) <= float(values.max()) <= 1
        # The picture goes round at its sides, which makes a second edge there.
        assert set(np.argsort(values[48])[-4:].tolist()) == {0, 47, 48, 95}
    np.testing.assert_allclose(soft, strong, atol=2e-3)


def test_phase_congruency_of_nothing_is_0():
    assert not phase_congruency(np.full((60, 61), 77.7)).any()


def test_grey_pictures_have_no_colour():
    x, y = (cv2.cvtColor(p, cv2.COLOR_RGB2GRAY) for p in pair_of("cat", "jpeg"))
    grey = float(fsim(scaled(x), scaled(y)))
    assert float(fsimc(scaled(x), scaled(y))) == grey
    three = [np.stack([scaled(p)] * 3) for p in (x, y)]
    for measure in MEASURES:
        assert float(measure(*three)) == pytest.approx(float(measure(scaled(x), scaled(y))), abs=1e-9)


# --- all four ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("measure", MEASURES)
def test_equal_pictures(measure):
    best = 0 if measure is gmsd else 1
    for name in ("astronaut", "cat"):
        x = scaled(PICTURES[name]())
        for mask in (None, some_mask(*x.shape[1:])):
            assert float(measure(x, x.copy(), mask)) == pytest.approx(best, abs=1e-12)
    flat = np.full((3, 60, 70), 0.4, np.float32)
    assert float(measure(flat, flat)) == pytest.approx(best, abs=1e-12)


@pytest.mark.parametrize("measure", MEASURES)
@pytest.mark.parametrize("distort", [noisy, blurred])
def test_worse_pictures_measure_worse(measure, distort):
    picture = PICTURES["astronaut"]()
    values = [float(measure(scaled(picture), scaled(distort(picture, s)))) for s in (1, 2, 4, 8)]
    assert values == sorted(values, reverse=measure is not gmsd)
    assert len(set(values)) == 4


@pytest.mark.parametrize("measure", MEASURES)
def test_what_the_order_and_the_mask_change(measure):
    x, y = (scaled(p) for p in pair_of("cat", "jpeg"))
    value = float(measure(x, y))
    assert float(measure(y, x)) == pytest.approx(value, abs=1e-12)
    assert float(measure(x, y, np.ones(x.shape[1:]))) == value
    assert float(measure(x, y, np.full(x.shape[1:], 0.25))) == pytest.approx(value, abs=1e-12)
    assert float(measure(x.astype(np.float32), y.astype(np.float32))) == pytest.approx(value, abs=1e-5)


def test_what_lies_outside_of_the_mask_does_not_count():
    x = scaled(PICTURES["astronaut"]())
    y = x.copy()
    y[:, :, 80:] = 1 - y[:, :, 80:]
    mask = np.zeros(x.shape[1:])
    mask[:, :70] = 1
    assert float(ssim(x, y, mask)) == pytest.approx(1, abs=1e-12)
    assert float(gmsd(x, y, mask)) == pytest.approx(0, abs=1e-12)
    assert float(fsimc(x, y, mask)) > 0.97 > float(fsimc(x, y))


@pytest.mark.parametrize("measure", MEASURES)
def test_small_changes_of_a_picture_change_it_little(measure):
    """The slope along any direction is one number, whatever the step; equal pictures are no exception."""
    rng = np.random.default_rng(0)
    x = rng.random((3, 50, 49)) * 0.8 + 0.1
    y, direction = x + 0.1 * rng.random(x.shape), rng.standard_normal(x.shape)
    slopes = [(measure(x, y + s * direction) - measure(x, y - s * direction)) / (2 * s) for s in (1e-6, 1e-7)]
    assert slopes[0] != 0
    assert slopes[0] == pytest.approx(slopes[1], rel=1e-4)
    for picture in (x, np.full_like(x, 0.5)):
        best, near = measure(picture, picture), measure(picture, picture + 1e-6 * direction)
        assert math.isfinite(near)
        assert near == pytest.approx(best, abs=0.01)


GOOD = np.random.default_rng(2).random((3, 64, 64), np.float32)


@pytest.mark.parametrize("measure", MEASURES)
@pytest.mark.parametrize(
    ("x", "y", "mask", "words"),
    [
        (GOOD[:2], GOOD[:2], None, r"compares pictures shaped \(3, height, width\)"),
        (GOOD[None], GOOD[None], None, r"not \(1, 3, 64, 64\)"),
        ((GOOD * 255).astype(np.uint8), (GOOD * 255).astype(np.uint8), None, "convert uint8 first"),
        (GOOD, GOOD[:, :60], None, "of one size, not 64x64x3 and 64x60x3"),
        (GOOD, GOOD[0], None, "of one size"),
        (GOOD[:, :5], GOOD[:, :5], None, "pictures of at least .* pixels, not 64x5"),
        (GOOD * 255, GOOD, None, r"compares values in \[0, 1\]"),
        (GOOD, np.where(GOOD > 0.01, GOOD, np.nan), None, "outside or not numbers"),
        (GOOD, GOOD, GOOD, "The mask must have the size of the pictures, 64x64, not 64x64x3"),
        (GOOD, GOOD, GOOD[0, 1:], "not 64x63"),
        (GOOD, GOOD, GOOD[0] * np.inf, r"The mask must have values in \[0, 1\]"),
        (GOOD, GOOD, GOOD[0] * 0, "The mask is empty"),
    ],
)
def test_what_cannot_be_compared_is_refused_in_a_sentence(measure, x, y, mask, words):
    with pytest.raises(SelfieartError, match=words) as error:
        measure(x, y, mask)
    assert is_one_sentence(str(error.value))


def test_the_smallest_pictures():
    for measure, side in zip(MEASURES, (11, 6, 48, 48), strict=True):
        assert math.isfinite(float(measure(GOOD[:, :side, :side], GOOD[:, :side, :side][:, ::-1])))
        with pytest.raises(SelfieartError, match=f"at least {side}x{side} pixels, not {side}x{side - 1}"):
            measure(GOOD[:, : side - 1, :side], GOOD[:, : side - 1, :side])
    border = np.zeros((64, 64))
    border[:5] = 1
    with pytest.raises(SelfieartError, match="The mask reaches only the outer 5 pixels") as error:
        ssim(GOOD, GOOD, border)
    assert is_one_sentence(str(error.value))
