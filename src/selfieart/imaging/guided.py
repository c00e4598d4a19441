"""Guided upsampling: bring a coarse signal to a picture's resolution with its edges on the picture's edges.

The guided filter of He, Sun and Tang (TPAMI 2013) in its fast form: within each window the signal is modelled as an
affine function of the guide's colours, q = a . I + b; the coefficients are found at low resolution and applied at full
resolution.
"""

from __future__ import annotations

import cv2
import numpy as np

from selfieart.imaging.arrays import FloatArray
from selfieart.imaging.resize import Rows
from selfieart.imaging.strips import in_parallel


def _box(x: FloatArray, radius: int) -> FloatArray:
    side = 2 * radius + 1
    return cv2.blur(x, (side, side), borderType=cv2.BORDER_REFLECT)  # type: ignore[return-value]


def guided_coefficients(guide: FloatArray, signal: FloatArray, radius: int, eps: float) -> FloatArray:
    """Affine coefficients of the colour guided filter, averaged over the windows that cover each pixel.

    Args:
        guide: (3, h, w) in [0, 1].
        signal: (K, h, w).
        radius: window radius in pixels, >= 1.
        eps: regularisation, a variance of the guide below which its structure is ignored.

    Returns:
        (K, 4, h, w): a for the three colours, then b.
    """
    colours = [np.ascontiguousarray(c, np.float32) for c in guide]
    means = [_box(c, radius) for c in colours]
    covariance: dict[tuple[int, int], FloatArray] = {}

    def covary(i: int, j: int) -> None:
        between = _box(colours[i] * colours[j], radius)
        between -= means[i] * means[j]
        if i == j:
            between += np.float32(eps)
        covariance[i, j] = between

    in_parallel(covary, [(i, j) for i in range(3) for j in range(i, 3)])
    height, width = colours[0].shape
    inverse = {(i, j): np.empty((height, width), np.float32) for i in range(3) for j in range(i, 3)}

    def invert(top: int, bottom: int) -> None:
        rr, rg, rb, gg, gb, bb = (covariance[i, j][top:bottom] for i in range(3) for j in range(i, 3))
        adjugate = {
            (0, 0): gg * bb - gb**2,
            (0, 1): rb * gb - rg * bb,
            (0, 2): rg * gb - rb * gg,
            (1, 1): rr * bb - rb**2,
            (1, 2): rb * rg - rr * gb,
            (2, 2): rr * gg - rg**2,
        }
        determinant = rr * adjugate[0, 0] + rg * adjugate[0, 1] + rb * adjugate[0, 2]
        for place, part in adjugate.items():
            np.divide(part, determinant, out=inverse[place][top:bottom])

    in_parallel(invert, ((top, min(top + _BLOCK, height)) for top in range(0, height, _BLOCK)))
    inverse |= {(j, i): part for (i, j), part in inverse.items()}
    out = np.empty((signal.shape[0], 4, height, width), np.float32)

    def fit(k: int, _: int) -> None:
        plane = np.ascontiguousarray(signal[k], np.float32)
        product = np.empty_like(plane)
        mean = _box(plane, radius)
        cross = [_box(np.multiply(colour, plane, out=product), radius) for colour in colours]
        for between, colour_mean in zip(cross, means, strict=True):
            between -= np.multiply(colour_mean, mean, out=product)
        offset, a = mean, np.empty_like(plane)
        for i in range(3):
            np.multiply(inverse[i, 0], cross[0], out=a)
            a += np.multiply(inverse[i, 1], cross[1], out=product)
            a += np.multiply(inverse[i, 2], cross[2], out=product)
            offset -= np.multiply(a, means[i], out=product)
            out[k, i] = _box(a, radius)
        out[k, 3] = _box(offset, radius)

    # One plane at a time stays in a core's cache.
    in_parallel(fit, ((k, k + 1) for k in range(len(signal))))
    return out


class GuidedUpsampler:
    """Apply guided coefficients at any resolution, a strip of rows at a time.

    Args:
        guide: (3, h, w) in [0, 1], the picture at the signal's resolution.
        signal: (K, h, w).
        radius: window radius in pixels of the signal.
        eps: see :func:`guided_coefficients`.
    """

    def __init__(self, guide: FloatArray, signal: FloatArray, radius: int = 4, eps: float = 1e-3) -> None:
        self.coefficients = guided_coefficients(guide, signal, radius, eps)

    def rows(self, picture: FloatArray, top: int, bottom: int, height: int) -> FloatArray:
        """Rows of the upsampled signal.

        Args:
            picture: (3, bottom - top, W) in [0, 1], those rows of the full-resolution picture.
            top, bottom: which rows.
            height: of the whole picture.

        Returns:
            (K, bottom - top, W).
        """
        width = picture.shape[-1]
        planes = self.coefficients.reshape(-1, *self.coefficients.shape[-2:])
        out = np.empty((self.coefficients.shape[0], bottom - top, width), np.float32)

        def fill(first: int, last: int) -> None:
            source = Rows(planes, height, width, first, last)
            mixed = np.empty((len(out), 4, width), np.float32)
            product = np.empty((len(out), width), np.float32)
            for row in range(first, last):
                source.into(mixed.reshape(-1, width), row)
                total = out[:, row - top]
                np.copyto(total, mixed[:, 3])
                for i in range(3):
                    np.multiply(mixed[:, i], picture[i, row - top], out=product)
                    np.add(total, product, out=total)

        in_parallel(fill, ((first, min(first + _BLOCK, bottom)) for first in range(top, bottom, _BLOCK)))
        return out


_BLOCK = 32
