"""The published program, as its paper tells it: BiSeNet parses, MSG-Net paints once per style, pixels are composited.

The networks have random weights; see :mod:`topologies`. Run as a script it paints one photo, so that the memory of a
fresh process can be measured: ``python benchmarks/reference.py photo.jpg``.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from selfieart.imaging import read_photo
from topologies import BiSeNet, MSGNet, parameters, randomised

TAU = 3.0
HAIR, BACKGROUND = (13,), (0,)
_MEAN = torch.tensor([0.485, 0.456, 0.406])[:, None, None]
_STD = torch.tensor([0.229, 0.224, 0.225])[:, None, None]

Pixels = NDArray[np.uint8]


class Reference:
    """The two networks and what happens between them.

    Args:
        fastest: try both memory layouts and keep the faster one for each network, in the reference's favour.
    """

    def __init__(self, fastest: bool = True) -> None:
        self.parser, self.painter = randomised(BiSeNet()), randomised(MSGNet())
        example = torch.rand(1, 3, 512, 512)
        with torch.inference_mode():
            self.gram = self.painter.style(example)
            self.layouts = {
                "BiSeNet": _layout(self.parser, example, fastest),
                "MSG-Net": _layout(self.painter, example, fastest, self.gram),
            }

    @property
    def parameters(self) -> dict[str, int]:
        """Parameters of each network."""
        return {"BiSeNet": parameters(self.parser), "MSG-Net": parameters(self.painter)}

    def parse(self, picture: Tensor) -> Tensor:
        """(3, H, W) in [0, 1], sides multiples of 32 -> logits (19, H, W)."""
        with torch.inference_mode():
            return self.parser(_laid_out((picture - _MEAN) / _STD, self.layouts["BiSeNet"]))[0]

    def style(self, picture: Tensor) -> Tensor:
        """The style branch: a style picture (3, H, W) -> its Gram matrix; once per style, not once per photo."""
        with torch.inference_mode():
            return self.painter.style(_laid_out(picture * 255, self.layouts["MSG-Net"]))

    def paint(self, picture: Tensor) -> Tensor:
        """(3, H, W) in [0, 1] -> (3, H, W) in [0, 1], with a style whose Gram matrix is known."""
        with torch.inference_mode():
            painted = self.painter(_laid_out(picture * 255, self.layouts["MSG-Net"]), self.gram)
            return painted[0].div(255).clamp(0, 1)

    def render(self, path: str, segments: Sequence[Sequence[int]] = (HAIR, BACKGROUND)) -> Pixels:
        """Read a photo and give each set of segments a style of its own: equations 5, 6 and 9."""
        picture = tensor(read_photo(path).pixels)
        masks = (TAU * self.parse(picture)).softmax(0)
        out = picture
        for classes in segments:
            mask = masks[list(classes)].sum(0)
            out = mask * self.paint(picture) + (1 - mask) * out
        return (out.permute(1, 2, 0) * 255).round().to(torch.uint8).numpy()


def tensor(pixels: Pixels) -> Tensor:
    """uint8 (H, W, 3) -> float32 (3, H, W) in [0, 1]."""
    return torch.from_numpy(pixels).permute(2, 0, 1).float() / 255


def _laid_out(picture: Tensor, layout: torch.memory_format) -> Tensor:
    return picture[None].contiguous(memory_format=layout)


def _layout(net: nn.Module, example: Tensor, fastest: bool, *rest: Any) -> torch.memory_format:
    """The memory layout in which a network runs faster here; the network is left in it."""

    def seconds(layout: torch.memory_format) -> float:
        net.to(memory_format=layout)
        laid_out = example.contiguous(memory_format=layout)
        times = []
        for _ in range(3):
            start = time.perf_counter()
            net(laid_out, *rest)
            times.append(time.perf_counter() - start)
        return min(times)

    layouts = (torch.contiguous_format, torch.channels_last)
    best = min(layouts, key=seconds) if fastest else layouts[0]
    net.to(memory_format=best)
    return best


if __name__ == "__main__":
    Reference(fastest=False).render(sys.argv[1])
