"""Colour in a perceptual space: OKLab (Ottosson 2020), where lightness and hue change independently."""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np
from numpy.typing import NDArray

from selfieart.imaging.arrays import FloatArray, at_least, at_most
from selfieart.imaging.strips import in_parallel

_TO_LMS = np.array(
    [
        [0.4122214708, 0.5363325363, 0.0514459929],
        [0.2119034982, 0.6806995451, 0.1073969566],
        [0.0883024619, 0.2817188376, 0.6299787005],
    ]
)
_TO_LAB = np.array(
    [
        [0.2104542553, 0.7936177850, -0.0040720468],
        [1.9779984951, -2.4285922050, 0.4505937099],
        [0.0259040371, 0.7827717662, -0.8086757660],
    ]
)
_FROM_LAB = np.linalg.inv(_TO_LAB)
_FROM_LMS = np.linalg.inv(_TO_LMS)

_BLOCK = 8192
"""Numbers per channel that are worked on at once: all steps stay in a core's own cache."""

_STRAIGHT_BELOW, _STRAIGHT_TO = 0.04045, 0.0031308
"""Where the sRGB curve's straight part ends, before and after it is undone."""

_LEAST = 1e-30
"""Stands for 0 where a logarithm is taken; its cube root is no colour that could be seen."""

Step = Callable[[FloatArray, FloatArray], None]
"""Changes a block (C, n) in place; the second one is room for it to work in."""


def _power(x: FloatArray, room: FloatArray, exponent: float) -> None:
    """x ** exponent for x > 0, in place. By way of logarithms: 5 times faster than powers, right to 4e-6 of itself."""
    cv2.log(x, room)
    np.multiply(room, np.float32(exponent), out=room)
    cv2.exp(room, x)


def _to_linear(x: FloatArray, room: FloatArray) -> None:
    # One curve without a question: below its straight part's end the power stays what it is there, and the factor,
    # which is 1 above, falls in proportion.
    straight = at_most(x, _STRAIGHT_BELOW)
    at_least(x, _STRAIGHT_BELOW, x)
    np.add(x, np.float32(0.055), out=x)
    _power(x, room, 2.4)
    np.multiply(straight, np.float32(1.055**-2.4 / _STRAIGHT_BELOW), out=straight)
    np.multiply(x, straight, out=x)


def _to_srgb(x: FloatArray, room: FloatArray) -> None:
    straight = at_most(x, _STRAIGHT_TO)
    at_least(x, _STRAIGHT_TO, x)
    _power(x, room, 1 / 2.4)
    np.multiply(x, np.float32(1.055 / _STRAIGHT_TO), out=x)
    np.subtract(x, np.float32(0.055 / _STRAIGHT_TO), out=x)
    np.multiply(x, straight, out=x)


def _matrix(m: NDArray[np.float64], x: FloatArray, room: FloatArray) -> FloatArray:
    return np.matmul(m.astype(np.float32), x, out=room)


def _to_roots(x: FloatArray, room: FloatArray) -> None:
    """sRGB (3, n) -> cube roots of the cones' answers, in place."""
    _to_linear(x, room)
    _matrix(_TO_LMS, x, room)
    at_least(room, _LEAST, x)
    _power(x, room, 1 / 3)


def _from_roots(x: FloatArray, room: FloatArray) -> None:
    """Cube roots of the cones' answers (3, n) -> sRGB in [0, 1], in place."""
    np.multiply(x, x, out=room)
    np.multiply(room, x, out=room)
    _matrix(_FROM_LMS, room, x)
    at_most(at_least(x, 0, x), 1, x)
    _to_srgb(x, room)
    at_most(x, 1, x)


def _blocks(
    work: Callable[..., None], out: FloatArray, *sources: FloatArray, channels: int | None = None
) -> FloatArray:
    """Fill an array block by block: ``work`` turns copies of the sources' blocks into the first of them, in place.

    Args:
        work: called with blocks (C, n), one per source, and as much room for each.
        out: C-contiguous, of the sources' shape.
        sources: float32, all of one shape.
        channels: their first axis; all are one where it does not matter.
    """
    flat = out.reshape(channels or 1, -1)
    flats = [np.asarray(source, np.float32).reshape(flat.shape) for source in sources]
    count = flat.shape[1]

    def fill(first: int, last: int) -> None:
        # Whole vectors only: what a library does with the rest of a row must not depend on where a block ends.
        parts = -(-(last - first) // _BLOCK)
        step = -(-(last - first) // (64 * parts)) * 64
        blocks = np.full((2 * len(flats), flat.shape[0], step), 0.5, np.float32)
        for start in range(first, last, step):
            size = min(step, last - start)
            for block, source in zip(blocks, flats, strict=False):
                block[:, :size] = source[:, start : start + size]
            work(*blocks)
            flat[:, start : start + size] = blocks[0, :, :size]

    span = _BLOCK * 8
    in_parallel(fill, ((first, min(first + span, count)) for first in range(0, count, span)))
    return out


def linear_from_srgb(x: FloatArray) -> FloatArray:
    """Undo the sRGB transfer curve: any shape, [0, 1] to [0, 1]."""
    return _blocks(_to_linear, np.empty(x.shape, np.float32), x)


def srgb_from_linear(x: FloatArray) -> FloatArray:
    """Apply the sRGB transfer curve: any shape, [0, 1] to [0, 1]."""
    return _blocks(_to_srgb, np.empty(x.shape, np.float32), x)


def oklab_from_srgb(x: FloatArray) -> FloatArray:
    """(3, H, W) sRGB in [0, 1] -> (3, H, W) OKLab: L in [0, 1], a and b about -0.4..0.4."""

    def convert(block: FloatArray, room: FloatArray) -> None:
        _to_roots(block, room)
        block[...] = _matrix(_TO_LAB, block, room)

    return _blocks(convert, np.empty(x.shape, np.float32), x, channels=3)


def srgb_from_oklab(lab: FloatArray) -> FloatArray:
    """(3, H, W) OKLab -> (3, H, W) sRGB, clamped to [0, 1]."""

    def convert(block: FloatArray, room: FloatArray) -> None:
        block[...] = _matrix(_FROM_LAB, block, room)
        _from_roots(block, room)

    return _blocks(convert, np.empty(lab.shape, np.float32), lab, channels=3)


def keep_color(content: FloatArray, layer: FloatArray, amount: float) -> FloatArray:
    """The layer's lightness with the content's colours, by an amount.

    Args:
        content: (3, H, W) sRGB in [0, 1], whose colours are kept.
        layer: (3, H, W) sRGB in [0, 1], the stylised picture.
        amount: 0 returns the layer itself, 1 all of the content's hue and chroma.

    Returns:
        (3, H, W) sRGB in [0, 1].
    """
    if amount == 0:
        return layer
    # OKLab is linear in the roots: to mix lightness of one and colours of both is one matrix for each.
    of_layer = _FROM_LAB @ np.diag([1, 1 - amount, 1 - amount]) @ _TO_LAB
    of_content = _FROM_LAB @ np.diag([0, amount, amount]) @ _TO_LAB

    def mix(styled: FloatArray, original: FloatArray, room: FloatArray, more: FloatArray) -> None:
        _to_roots(styled, room)
        _to_roots(original, more)
        _matrix(of_layer, styled, room)
        np.add(room, _matrix(of_content, original, more), out=styled)
        _from_roots(styled, room)

    return _blocks(mix, np.empty(layer.shape, np.float32), layer, content, channels=3)


def grey(content: FloatArray) -> FloatArray:
    """The grey picture of equal perceived lightness: (3, H, W) sRGB in [0, 1] to the same."""
    lightness_only = _FROM_LAB @ np.diag([1, 0, 0]) @ _TO_LAB

    def convert(block: FloatArray, room: FloatArray) -> None:
        _to_roots(block, room)
        block[...] = _matrix(lightness_only, block, room)
        _from_roots(block, room)

    return _blocks(convert, np.empty(content.shape, np.float32), content, channels=3)
