"""High dynamic range and wide gamut video in the range and colours of an ordinary screen (BT.709)."""

from __future__ import annotations

from functools import cache

import cv2
import numpy as np
from av.video.reformatter import ColorPrimaries, ColorTrc
from numpy.typing import NDArray

SDR_WHITE = 203.0
"""Luminance in cd/m2 of diffuse white in an HDR picture (ITU-R BT.2408)."""

PEAK = 1000.0
"""Luminance in cd/m2 of the brightest highlight that is still told from white."""

_KNEE = 0.7
_GAMMA = 2.4
_FINE = 4096

_PRIMARIES = {
    int(ColorPrimaries.BT2020): ((1.6605, -0.5876, -0.0728), (-0.1246, 1.1329, -0.0083), (-0.0182, -0.1006, 1.1187)),
    int(ColorPrimaries.SMPTE432): ((1.2249, -0.2247, 0.0), (-0.0420, 1.0419, 0.0), (-0.0197, -0.0786, 1.0979)),
}
"""Linear RGB to linear RGB of BT.709, both with a white of D65 (ITU-R BT.2087; SMPTE EG 432-1)."""


def is_hdr(transfer: int) -> bool:
    """Whether a transfer characteristic is PQ or HLG."""
    return transfer in (ColorTrc.SMPTE2084, ColorTrc.ARIB_STD_B67)


def is_beyond_bt709(transfer: int, primaries: int) -> bool:
    """Whether the tags of a frame say that BT.709 cannot hold its colours as they are."""
    return is_hdr(transfer) or primaries in _PRIMARIES


def to_bt709(samples: NDArray[np.uint16], transfer: int, primaries: int) -> NDArray[np.uint8]:
    """Convert colours to BT.709, highlights compressed smoothly.

    PQ is absolute (ITU-R BT.2100, table 4). HLG is shown as on a screen of 1000 cd/m2, whose system gamma is 1.2
    (table 5). Below the knee at 0.7 of white tones stay; above, a hyperbola with the same slope there leads to
    PEAK. The brightest channel decides, so hues stay. Display gamma 2.4 (ITU-R BT.1886) on both sides.

    Args:
        samples: (H, W, 3) full-range R'G'B' as encoded.
        transfer, primaries: tags of the frame (ITU-T H.273).

    Returns:
        (H, W, 3).
    """
    light = np.take(_linear(transfer), samples)
    if transfer == ColorTrc.ARIB_STD_B67:
        luma = light @ np.array((0.2627, 0.6780, 0.0593), np.float32)
        light *= (PEAK / SDR_WHITE) * np.power(luma, 0.2)[:, :, None]
    if primaries in _PRIMARIES:
        light = np.asarray(cv2.transform(light, np.array(_PRIMARIES[primaries], np.float32)), np.float32)
        np.maximum(light, 0, out=light)
    if is_hdr(transfer):
        brightest = light.max(axis=2)
        light *= (knee(brightest) / np.maximum(brightest, 1e-6))[:, :, None]
    # Square roots spread the dark tones over the table.
    index = np.sqrt(np.minimum(light, 1)) * (_FINE - 1) + 0.5
    return np.take(_display_codes(), index.astype(np.uint16))


def knee(light: NDArray[np.float32]) -> NDArray[np.float32]:
    """Compress linear light (1 is white, PEAK / SDR_WHITE the brightest) into [0, 1]."""
    slope = (1 - _KNEE) / (PEAK / SDR_WHITE - _KNEE)
    bend = slope / (1 - slope)
    above = np.clip((light - _KNEE) / (PEAK / SDR_WHITE - _KNEE), 0, 1)
    return np.where(light > _KNEE, _KNEE + (1 - _KNEE) * (1 + bend) * above / (bend + above), light)


@cache
def _linear(transfer: int) -> NDArray[np.float32]:
    """Light of all 16-bit codes: 1 is white; for HLG the light of the scene, in [0, 1]."""
    code = np.arange(65536) / 65535
    if transfer == ColorTrc.SMPTE2084:
        root = code ** (1 / 78.84375)
        light = (np.maximum(root - 0.8359375, 0) / (18.8515625 - 18.6875 * root)) ** (1 / 0.1593017578125)
        light *= 10000 / SDR_WHITE
    elif transfer == ColorTrc.ARIB_STD_B67:
        light = np.where(code <= 0.5, code**2 / 3, (np.exp((code - 0.55991073) / 0.17883277) + 0.28466892) / 12)
    else:
        light = code**_GAMMA
    return light.astype(np.float32)


@cache
def _display_codes() -> NDArray[np.uint8]:
    root = np.arange(_FINE) / (_FINE - 1)
    return np.rint(255 * root ** (2 / _GAMMA)).astype(np.uint8)
