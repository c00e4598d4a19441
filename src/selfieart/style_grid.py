"""The grid on which the style network works: sizes, how far it sees, and seeded noise at each place.

Its torch definition and the engine that runs its graph agree on these. Where a picture is flat, a convolution has
nothing to hang a stroke on; noise gives it something.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from selfieart.imaging.arrays import FloatArray

MULTIPLE = 8
"""Height and width given to the network must be multiples of this."""

RECEPTIVE_FIELD = 128
"""No output pixel depends on input further away than this many pixels, once the statistics are given."""

PERIOD = 256
"""Rows and columns after which a map repeats."""


def normal_noise(seed: int, count: int) -> FloatArray:
    """Standard normal numbers (count,), those that ``torch.randn`` draws with a generator of this seed.

    The packaged styles were trained with that noise. Mersenne Twister (Matsumoto and Nishimura 1998), 24 bits of each
    draw, Box and Muller's transform within groups of 16: the first 8 are u1, the others u2.

    Args:
        seed: its low 32 bits count.
        count: a multiple of 16.
    """
    drawn = np.frombuffer(np.random.RandomState(seed & 0xFFFFFFFF).bytes(4 * count), "<u4")
    uniform = ((drawn & 0xFFFFFF) * np.float32(2**-24)).astype(np.float32).reshape(-1, 2, 8)
    radius = np.sqrt(np.float32(-2) * np.log(np.float32(1) - uniform[:, 0]))
    angle = np.float32(2 * np.pi) * uniform[:, 1]
    return np.stack([radius * np.cos(angle), radius * np.sin(angle)], 1).reshape(-1)


@lru_cache(maxsize=64)
def _tile(layer: int, seed: int) -> FloatArray:
    tile = normal_noise((7919 + layer + 104729 * seed) % 2**63, PERIOD * PERIOD).reshape(PERIOD, PERIOD)
    tile.flags.writeable = False
    return tile


def noise_map(layer: int, seed: int, top: int, left: int, height: int, width: int) -> FloatArray:
    """Standard normal noise (height, width) belonging to a layer, a pure function of seed and absolute position.

    Because it depends on position alone, tiles of one picture see exactly the noise that the whole picture would have
    seen.

    Args:
        layer: number of the normalisation.
        seed: of the strokes.
        top, left: place of the first value in the whole picture, in steps of the layer.
        height, width: size of the map.
    """
    rows, columns = np.arange(top, top + height) % PERIOD, np.arange(left, left + width) % PERIOD
    return _tile(layer, seed)[rows[:, None], columns]
