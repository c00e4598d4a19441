"""SegNet (Badrinarayanan et al., PAMI 2017): person or background, as Styfie uses it.

An encoder of 13 convolutions like VGG-16's, and a decoder that un-pools with the positions that the encoder's
max-pooling chose. Narrower than the published one, so that the weights stay small.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from selfieart.networks.blocks import conv_bn, fuse_batch_norms

DEPTHS = (2, 2, 3, 3, 3)


def unpooled(x: Tensor, positions: Tensor) -> Tensor:
    """Values (B, C, h, w) put back to the positions that 2x2 max-pooling took them from: (B, C, 2 h, 2 w).

    ``F.max_unpool2d`` as a scatter, which a graph can hold.
    """
    b, c, h, w = x.shape
    wide = torch.zeros(b, c, 4 * h * w, dtype=x.dtype, device=x.device)
    return wide.scatter(2, positions.flatten(2), x.flatten(2)).reshape(b, c, 2 * h, 2 * w)


class SegNet(nn.Module):
    """Logit of "person" at the input's resolution.

    Args:
        widths: channels of the five stages.
    """

    def __init__(self, widths: tuple[int, ...] = (16, 32, 64, 96, 96)) -> None:
        super().__init__()
        encoder, decoder = [], []
        inputs = 3
        for width, depth in zip(widths, DEPTHS, strict=True):
            layers = []
            for _ in range(depth):
                layers.append(conv_bn(inputs, width))
                inputs = width
            encoder.append(nn.Sequential(*layers))
        for stage in range(len(widths) - 1, -1, -1):
            outputs = widths[stage - 1] if stage else widths[0]
            layers = [conv_bn(widths[stage], widths[stage]) for _ in range(DEPTHS[stage] - 1)]
            decoder.append(nn.Sequential(*layers, conv_bn(widths[stage], outputs)))
        self.encoder, self.decoder = nn.ModuleList(encoder), nn.ModuleList(decoder)
        self.classify = nn.Conv2d(widths[0], 1, 3, padding=1)
        # What the deep layers know is asked of them directly while they learn (Lee et al., "Deeply-Supervised Nets",
        # 2015): from the last layer alone thirteen convolutions and as many more learn several times more slowly.
        self.auxiliary = nn.ModuleList(nn.Conv2d(widths[max(0, i - 1)], 1, 1) for i in (5, 4, 3, 2))

    def forward(self, image: Tensor) -> Tensor:
        """(B, 3, H, W), normalised RGB, H and W multiples of 32 -> logits (B, 1, H, W)."""
        return self.heads(image, auxiliary=False)[0]

    def heads(self, image: Tensor, auxiliary: bool = True) -> list[Tensor]:
        """Logits (B, 1, H, W), and for training those of the deep layers at 1/32, 1/16, 1/8 and 1/4 of the size."""
        chosen, x = [], image
        for stage in self.encoder:
            x, positions = F.max_pool2d(stage(x), 2, return_indices=True)
            chosen.append(positions)
        deep = [x]
        for stage, positions in zip(self.decoder, reversed(chosen), strict=True):
            x = stage(unpooled(x, positions))
            deep.append(x)
        extra = [head(y) for head, y in zip(self.auxiliary, deep, strict=False)] if auxiliary else []
        return [self.classify(x), *extra]

    def fused(self) -> SegNet:
        """Fold every batch normalisation into its convolution, in place, for inference. Returns self."""
        fuse_batch_norms(self.eval())
        return self
