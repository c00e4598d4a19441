"""Phase congruency: how far the frequencies at a place agree in phase, which marks lines and edges of any contrast.

Kovesi, "Image features from phase congruency" (Videre 1999), with the settings of FSIM (Zhang, Zhang, Mou and Zhang,
"FSIM: a feature similarity index for image quality assessment", IEEE TIP 2011, section IV-A).
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

Plane = NDArray[np.float64]

SCALES, ORIENTATIONS = 4, 4
SHORTEST_WAVELENGTH, WAVELENGTH_RATIO = 6, 2
LONGEST_WAVELENGTH = SHORTEST_WAVELENGTH * WAVELENGTH_RATIO ** (SCALES - 1)
_SIGMA_ON_FREQUENCY = 0.55
_ANGLE_ON_SIGMA = 1.2
_NOISE_DEVIATIONS = 2.0
_NOISE_CORRECTION = 1.7
"""By which Kovesi found the noise of this measure to be overestimated."""
_CUTOFF, _ORDER = 0.45, 15


def phase_congruency(plane: NDArray[np.floating[Any]]) -> Plane:
    """Phase congruency, eq. 4 of FSIM: PC = sum_o max(E_o - T_o, 0) / sum_o sum_n A_no.

    A_no is the amplitude of the response of the log-Gabor filter of scale n and orientation o, E_o the local energy
    (what the responses of all scales have in the direction of their sum, less what they have across it), and T_o the
    energy that noise alone would reach: its mean and two standard deviations under Kovesi's Rayleigh model.

    Args:
        plane: (H, W) luminance, 0..255; the measure is computed in float64.

    Returns:
        (H, W) float64 in [0, 1]; 0 where the plane is flat.
    """
    radial, angular = log_gabor(*plane.shape)
    # NumPy transforms float32 in single precision, which the published values do not forgive.
    spectrum = np.fft.fft2(plane.astype(np.float64, copy=False))
    energies, amplitudes = np.zeros(plane.shape), np.zeros(plane.shape)
    for spread in angular:
        filters = radial * spread
        responses = np.fft.ifft2(spectrum * filters)
        total = responses.sum(0)
        # 1e-4 of 255 levels keeps the direction of a flat place from being one of rounding errors.
        total /= np.abs(total) + 1e-4
        aligned = responses * np.conj(total)
        energy = (aligned.real - np.abs(aligned.imag)).sum(0)
        energies += np.maximum(energy - _noise_energy(filters, responses[0]), 0)
        amplitudes += np.abs(responses).sum(0)
    return energies / np.maximum(amplitudes, 1e-8)


def log_gabor(height: int, width: int) -> tuple[Plane, Plane]:
    """The parts of the log-Gabor filters, with the zero frequency first, as the FFT has it.

    Returns:
        Radial parts (scales, H, W), exp(-ln(f / f_n)^2 / (2 ln(0.55)^2)) under a Butterworth low-pass that keeps the
        corners of the spectrum out, and angular parts (orientations, H, W), exp(-(a - a_o)^2 / (2 (pi/4 / 1.2)^2)):
        the filter of scale n and orientation o is their product, and passes only one side of the spectrum.
    """
    y, x = np.meshgrid(_frequencies(height), _frequencies(width), indexing="ij")
    radius, angle = np.hypot(x, y), np.arctan2(-y, x)
    low_pass = 1 / (1 + (radius / _CUTOFF) ** (2 * _ORDER))
    wavelengths = [SHORTEST_WAVELENGTH * WAVELENGTH_RATIO**scale for scale in range(SCALES)]
    # At frequency 0 the logarithm is -inf, and the Gaussian of it 0, as it must be.
    with np.errstate(divide="ignore"):
        octaves = np.stack([np.log(radius * wavelength) for wavelength in wavelengths])
    radial = np.exp(-(octaves**2) / (2 * math.log(_SIGMA_ON_FREQUENCY) ** 2)) * low_pass
    turned = angle - np.arange(ORIENTATIONS)[:, None, None] * (math.pi / ORIENTATIONS)
    sigma = math.pi / ORIENTATIONS / _ANGLE_ON_SIGMA
    angular = np.exp(-(np.arctan2(np.sin(turned), np.cos(turned)) ** 2) / (2 * sigma**2))
    return radial, angular


def _frequencies(size: int) -> Plane:
    """Cycles per pixel along a side, zero first; odd sizes are stretched to reach 1/2 as in Kovesi's own grid."""
    return np.asarray(np.fft.fftfreq(size), np.float64) * (size / (size - size % 2))


def _noise_energy(filters: Plane, finest: NDArray[np.complex128]) -> float:
    """The energy that noise would reach at these filters (scales, H, W), by the response (H, W) of the finest one.

    Most of the finest scale is noise: its squared amplitude is exponentially distributed, with a mean of median / ln 2.
    White noise of that power has at the sum of all filters an amplitude with the Rayleigh parameter below.
    """
    median = float(np.median(finest.real**2 + finest.imag**2))
    power = median / math.log(2) / float(np.square(filters[0]).sum())
    combined = filters.sum(0)
    mirrored = np.roll(combined[::-1, ::-1], (1, 1), (0, 1))
    rayleigh = math.sqrt(max(power * float(np.square((combined + mirrored) / 2).sum()), 1e-20))
    mean, deviation = math.sqrt(math.pi / 2), math.sqrt(2 - math.pi / 2)
    return rayleigh * ((mean + _NOISE_DEVIATIONS * deviation) / _NOISE_CORRECTION)
