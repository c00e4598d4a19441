"""Phase congruency: how far the frequencies at a place agree in phase, which marks lines and edges of any contrast.

Kovesi, "Image features from phase congruency" (Videre 1999), with the settings of FSIM (Zhang, Zhang, Mou and Zhang,
"FSIM: a feature similarity index for image quality assessment", IEEE TIP 2011, section IV-A).
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

SCALES, ORIENTATIONS = 4, 4
SHORTEST_WAVELENGTH, WAVELENGTH_RATIO = 6, 2
LONGEST_WAVELENGTH = SHORTEST_WAVELENGTH * WAVELENGTH_RATIO ** (SCALES - 1)
_SIGMA_ON_FREQUENCY = 0.55
_ANGLE_ON_SIGMA = 1.2
_NOISE_DEVIATIONS = 2.0
_NOISE_CORRECTION = 1.7
"""By which Kovesi found the noise of this measure to be overestimated."""
_CUTOFF, _ORDER = 0.45, 15


def phase_congruency(plane: Tensor) -> Tensor:
    """Phase congruency, eq. 4 of FSIM: PC = sum_o max(E_o - T_o, 0) / sum_o sum_n A_no.

    A_no is the amplitude of the response of the log-Gabor filter of scale n and orientation o, E_o the local energy
    (what the responses of all scales have in the direction of their sum, less what they have across it), and T_o the
    energy that noise alone would reach: its mean and two standard deviations under Kovesi's Rayleigh model.

    Args:
        plane: (H, W) float64 luminance, 0..255.

    Returns:
        (H, W) float64 in [0, 1]; 0 where the plane is flat.
    """
    radial, angular = log_gabor(*plane.shape)
    spectrum = torch.fft.fft2(plane)
    energies, amplitudes = [], []
    for spread in angular:
        filters = radial * spread
        responses = torch.fft.ifft2(spectrum * filters)
        total = responses.sum(0)
        # 1e-4 of 255 levels keeps the direction of a flat place from being one of rounding errors.
        aligned = responses * (total / (total.abs() + 1e-4)).conj()
        energy = (aligned.real - aligned.imag.abs()).sum(0)
        energies.append((energy - _noise_energy(filters, responses[0])).clamp_min(0))
        amplitudes.append(responses.abs().sum(0))
    return torch.stack(energies).sum(0) / torch.stack(amplitudes).sum(0).clamp_min(1e-8)


def log_gabor(height: int, width: int) -> tuple[Tensor, Tensor]:
    """The parts of the log-Gabor filters, with the zero frequency first, as the FFT has it.

    Returns:
        Radial parts (scales, H, W), exp(-ln(f / f_n)^2 / (2 ln(0.55)^2)) under a Butterworth low-pass that keeps the
        corners of the spectrum out, and angular parts (orientations, H, W), exp(-(a - a_o)^2 / (2 (pi/4 / 1.2)^2)):
        the filter of scale n and orientation o is their product, and passes only one side of the spectrum.
    """
    y, x = torch.meshgrid(_frequencies(height), _frequencies(width), indexing="ij")
    radius, angle = torch.hypot(x, y), torch.atan2(-y, x)
    low_pass = 1 / (1 + (radius / _CUTOFF) ** (2 * _ORDER))
    wavelengths = [SHORTEST_WAVELENGTH * WAVELENGTH_RATIO**scale for scale in range(SCALES)]
    # At frequency 0 the logarithm is -inf, and the Gaussian of it 0, as it must be.
    octaves = torch.stack([(radius * wavelength).log() for wavelength in wavelengths])
    radial = (-(octaves**2) / (2 * math.log(_SIGMA_ON_FREQUENCY) ** 2)).exp() * low_pass
    turned = angle - torch.arange(ORIENTATIONS, dtype=torch.float64)[:, None, None] * (math.pi / ORIENTATIONS)
    sigma = math.pi / ORIENTATIONS / _ANGLE_ON_SIGMA
    angular = (-(torch.atan2(turned.sin(), turned.cos()) ** 2) / (2 * sigma**2)).exp()
    return radial, angular


def _frequencies(size: int) -> Tensor:
    """Cycles per pixel along a side, zero first; odd sizes are stretched to reach 1/2 as in Kovesi's own grid."""
    frequencies: Tensor = torch.fft.fftfreq(size, dtype=torch.float64)
    return frequencies * (size / (size - size % 2))


def _noise_energy(filters: Tensor, finest: Tensor) -> Tensor:
    """The energy that noise would reach at these filters (scales, H, W), by the response (H, W) of the finest one.

    Most of the finest scale is noise: its squared amplitude is exponentially distributed, with a mean of median / ln 2.
    White noise of that power has at the sum of all filters an amplitude with the Rayleigh parameter below.
    """
    power = _median(finest.real**2 + finest.imag**2) / math.log(2) / filters[0].square().sum()
    combined = filters.sum(0)
    mirrored = combined.flip(0, 1).roll((1, 1), (0, 1))
    rayleigh = (power * ((combined + mirrored) / 2).square().sum()).clamp_min(1e-20).sqrt()
    mean, deviation = math.sqrt(math.pi / 2), math.sqrt(2 - math.pi / 2)
    return rayleigh * ((mean + _NOISE_DEVIATIONS * deviation) / _NOISE_CORRECTION)


def _median(x: Tensor) -> Tensor:
    """The median; of an even number of values the mean of the middle two, unlike torch.median."""
    ordered = x.flatten().sort().values
    return (ordered[(len(ordered) - 1) // 2] + ordered[len(ordered) // 2]) / 2
