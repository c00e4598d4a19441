"""A U-Net (Ronneberger et al., MICCAI 2015) whose way down is a narrow VGG-19, as in TernausNet (Iglovikov 2018).

The convolutions of the way down begin with what VGG-19 has learned from a million pictures, so that a few hundred
labelled faces are enough to teach the rest; the way up reaches 1/2 of the input's resolution, where a brow or a lip is
still several positions high.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from selfieart.networks.blocks import AttentionRefinement, BasicBlock, FaceNetwork, conv_bn, resize_like


def convolutions(inputs: int, *outputs: int) -> nn.Sequential:
    """3x3 convolutions with ReLU and without normalisation, as VGG has them."""
    layers: list[nn.Module] = []
    for channels in outputs:
        layers += [nn.Conv2d(inputs, channels, 3, padding=1), nn.ReLU(inplace=True)]
        inputs = channels
    return nn.Sequential(*layers)


class UNet(FaceNetwork):
    """Logits of K classes at 1/2 of the input's resolution.

    Args:
        classes: K.
        ups: channels of the way up at 1/2, 1/4, 1/8 and 1/16.
        top: channels at 1/32.
    """

    def __init__(self, classes: int = 19, ups: tuple[int, int, int, int] = (32, 64, 96, 128), top: int = 192) -> None:
        super().__init__()
        self.down1 = convolutions(3, 16, 16)
        self.down2 = convolutions(16, 32, 32)
        self.down4 = convolutions(32, 64, 64, 64, 64)
        self.down8 = convolutions(64, 128, 128, 128, 128)
        self.down16 = convolutions(128, 128)
        self.wide16 = BasicBlock(128, 128, 1)
        self.down32 = nn.Sequential(BasicBlock(128, top, 2), BasicBlock(top, top, 1))
        self.global_context = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Conv2d(top, ups[3], 1), nn.ReLU(inplace=True))
        self.refine32 = AttentionRefinement(top, ups[3])
        self.up16 = conv_bn(ups[3] + 128, ups[3])
        self.up8 = conv_bn(ups[3] + 128, ups[2])
        self.up4 = conv_bn(ups[2] + 64, ups[1])
        self.narrow = conv_bn(ups[1], ups[0], 1)
        self.up2 = conv_bn(ups[0] + 32, ups[0])
        self.classify = nn.Conv2d(ups[0], classes, 1)
        self.aux8, self.aux16 = nn.Conv2d(ups[2], classes, 1), nn.Conv2d(ups[3], classes, 1)

    def pretrained(self) -> list[nn.Conv2d]:
        """The convolutions that VGG-19 has too, conv1_1 to conv5_1."""
        stages = (self.down1, self.down2, self.down4, self.down8, self.down16)
        return [layer for stage in stages for layer in stage if isinstance(layer, nn.Conv2d)]

    def heads(self, image: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """(B, 3, H, W), normalised RGB, H and W multiples of 32 -> logits (B, K, H/2, W/2), and auxiliary ones at 1/8
        and 1/16."""
        f2 = self.down2(F.max_pool2d(self.down1(image), 2))
        f4 = self.down4(F.max_pool2d(f2, 2))
        f8 = self.down8(F.max_pool2d(f4, 2))
        f16 = self.wide16(self.down16(F.max_pool2d(f8, 2)))
        f32 = self.down32(f16)
        x16 = self.up16(_beside(self.refine32(f32) + self.global_context(f32), f16))
        x8 = self.up8(_beside(x16, f8))
        x2 = self.up2(_beside(self.narrow(self.up4(_beside(x8, f4))), f2))
        return self.classify(x2), self.aux8(x8), self.aux16(x16)


def _beside(coarse: Tensor, fine: Tensor) -> Tensor:
    """Coarse features enlarged to the size of finer ones, both in one tensor."""
    return torch.cat([resize_like(coarse, fine), fine], 1)
