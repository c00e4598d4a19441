"""The style network as the engine runs it: paints with codes, records statistics, and paints with given ones.

The function of :class:`selfieart.networks.style_net.StyleNet`, which a test holds to.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cached_property, lru_cache

import numpy as np

from selfieart.engine import Device, Network, Precision, Runtime
from selfieart.imaging.arrays import FloatArray
from selfieart.style_grid import noise_map
from selfieart.weights.graphs import graph

_EPS = np.float32(1e-5)


class StyleNetwork:
    """One trunk for every style, and per style one code: see :class:`selfieart.networks.style_net.StyleNet`.

    Args:
        weights: gives them by the names of the torch definition, "net." before each.
        device: where it runs.
        precision: "fast" allows bfloat16 where the runtime has it.
    """

    def __init__(
        self, weights: Callable[[], Mapping[str, FloatArray]], device: Device = "auto", precision: Precision = "exact"
    ) -> None:
        self._weights, self.device, self.precision = weights, device, precision
        self._networks: dict[str, Network] = {}

    @cached_property
    def layers(self) -> tuple[tuple[int, int], ...]:
        """(pixels per position, channels) of every normalisation in order of execution."""

        shapes = graph("paint-one").weights

        def channels(name: str) -> int:
            return shapes[f"net.{name}.weight"][0]

        blocks = sorted({int(name.split(".")[2]) for name in shapes if name.startswith("net.blocks.")})
        inner = [(8, channels(f"blocks.{block}.conv{half}")) for block in blocks for half in (1, 2)]
        down = [(2, channels("stem")), (4, channels("down4")), (8, channels("down8"))]
        return (*down, *inner, (4, channels("up4")), (2, channels("up2")))

    @property
    def channels(self) -> tuple[int, ...]:
        """Channels of every normalisation in order of execution."""
        return tuple(channels for _, channels in self.layers)

    @property
    def code_size(self) -> int:
        """Length D of a style code: scale, shift and noise gain of every normalised channel."""
        return 3 * sum(self.channels)

    def in_precision(self, precision: Precision) -> StyleNetwork:
        """The same network with other arithmetic; itself when it has it already."""
        return self if precision == self.precision else StyleNetwork(self._weights, self.device, precision)

    @property
    def runtime(self) -> Runtime:
        """Where it runs."""
        return self._network("paint-one").runtime

    def check(self) -> None:
        """Load the network.

        Raises:
            WeightsError: the weights do not fit it.
        """
        self._network("paint-one").load()

    def paint(
        self,
        picture: FloatArray,
        codes: FloatArray,
        masks: FloatArray | None = None,
        *,
        origin: tuple[int, int] = (0, 0),
        statistics: FloatArray | None = None,
        seed: int = 0,
    ) -> FloatArray:
        """Paint a picture.

        Args:
            picture: (3, H, W) in [0, 1], H and W multiples of 8 and at least 16.
            codes: (S, D), one style code per style.
            masks: (S, H, W), the weight of each style at each pixel, summing to 1; needed when S > 1.
            origin: row and column of the picture's first pixel in the whole picture (multiples of 8).
            statistics: (2, S, N) or (2, 1, N), mean and variance of every normalised channel, as :meth:`record` gives
                them; the picture's own when left out.
            seed: of the noise.

        Returns:
            (3, H, W), not clamped.
        """
        inputs = {"image": picture[None]} | self._noise(picture, origin, seed)
        several = len(codes) > 1
        if several:
            assert masks is not None
            inputs["masks"] = masks[None]
        if statistics is not None:
            name = "paint-given-several" if several else "paint-given-one"
            inputs |= self._affine(codes, statistics)
        elif several:
            name, inputs["codes"] = "paint-several", codes
        else:
            name, inputs["code"] = "paint-one", codes[0]
        return self._network(name)(**inputs)[0][0]  # type: ignore[no-any-return]

    def record(
        self,
        picture: FloatArray,
        codes: FloatArray,
        masks: FloatArray | None = None,
        *,
        origin: tuple[int, int] = (0, 0),
        seed: int = 0,
    ) -> FloatArray:
        """The statistics by which a picture normalises itself: see :meth:`paint` for the arguments.

        Recorded on one picture and given back for another, they make tiles of a large picture (or frames of a video)
        share one normalisation.

        Returns:
            (2, S, N): mean and variance of every normalised channel, N in all.
        """
        inputs = {"image": picture[None], "codes": codes} | self._noise(picture, origin, seed)
        if len(codes) == 1:
            return self._network("record-one")(**inputs)[0]
        assert masks is not None
        return self._network("record-several")(**inputs, masks=masks[None])[0]

    def _network(self, name: str) -> Network:
        if name not in self._networks:
            self._networks[name] = Network(name, self._weights, self.device, self.precision)
        return self._networks[name]

    def _noise(self, picture: FloatArray, origin: tuple[int, int], seed: int) -> dict[str, FloatArray]:
        """The maps of all normalisations (1, n, h, w), by level."""
        return _noise_maps(self.layers, seed, origin, (picture.shape[-2], picture.shape[-1]))

    def _affine(self, codes: FloatArray, statistics: FloatArray) -> dict[str, FloatArray]:
        """Scale, shift and noise gain (N, S) of every channel for given statistics."""
        ends = np.cumsum([3 * channels for channels in self.channels])[:-1]
        parts = [np.split(part, 3, axis=1) for part in np.split(codes, ends, axis=1)]
        scale, shift, gain = (np.concatenate(kind, 1) for kind in zip(*parts, strict=True))
        mean, variance = statistics
        scale = scale / np.sqrt(variance + _EPS)
        affine = {"scales": scale, "shifts": shift - mean * scale, "gains": gain}
        return {name: np.ascontiguousarray(value.T) for name, value in affine.items()}


@lru_cache(maxsize=8)
def _noise_maps(
    layers: tuple[tuple[int, int], ...], seed: int, origin: tuple[int, int], size: tuple[int, int]
) -> dict[str, FloatArray]:
    """See :meth:`StyleNetwork._noise`; kept, because tiles and frames of one size follow each other."""
    maps: dict[int, list[FloatArray]] = {2: [], 4: [], 8: []}
    for layer, (step, _) in enumerate(layers):
        place = (origin[0] // step, origin[1] // step, size[0] // step, size[1] // step)
        maps[step].append(noise_map(layer, seed, *place))
    return {f"noise{step}": np.stack(level)[None] for step, level in maps.items()}
