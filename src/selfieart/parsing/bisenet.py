"""A narrow BiSeNet (Yu et al., ECCV 2018), the network behind the face parser.

Context path: four residual stages with attention refinement and global context. Spatial path: taken from the 1/4 and
1/8 stages, because at this width a path of its own would cost more than the whole context path. Feature fusion as
published.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from selfieart.parsing.blocks import conv_bn, fuse_batch_norms

MULTIPLE = 32
"""Height and width given to the network must be multiples of this."""


def resize(x: Tensor, like: Tensor) -> Tensor:
    """Resize features bilinearly to the size of others."""
    return F.interpolate(x, size=like.shape[-2:], mode="bilinear", align_corners=False)


class BasicBlock(nn.Module):
    """Two 3x3 convolutions and a shortcut (ResNet, He et al. 2016)."""

    def __init__(self, inputs: int, outputs: int, stride: int) -> None:
        super().__init__()
        self.conv1 = conv_bn(inputs, outputs, stride=stride)
        self.conv2 = conv_bn(outputs, outputs, relu=False)
        same = stride == 1 and inputs == outputs
        self.skip = None if same else conv_bn(inputs, outputs, 1, stride, relu=False)

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, H, W) -> (B, outputs, H/stride, W/stride)."""
        return F.relu(self.conv2(self.conv1(x)) + (x if self.skip is None else self.skip(x)))


class AttentionRefinement(nn.Module):
    """A convolution whose channels are weighted by their global context (ARM of BiSeNet)."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.conv = conv_bn(inputs, outputs)
        self.attention = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Conv2d(outputs, outputs, 1), nn.Sigmoid())

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, H, W) -> (B, outputs, H, W)."""
        x = self.conv(x)
        return torch.mul(x, self.attention(x))


class BiSeNet(nn.Module):
    """Logits of K classes at 1/4 of the input's resolution.

    Args:
        classes: K.
        widths: channels of the stages at 1/4, 1/8, 1/16 and 1/32.
        features: channels of the two paths where they meet.
    """

    def __init__(
        self, classes: int = 19, widths: tuple[int, int, int, int] = (32, 64, 128, 256), features: int = 64
    ) -> None:
        super().__init__()
        w, d = widths, features
        self.stem = conv_bn(3, w[0], 7, 2)
        self.stage4 = nn.Sequential(BasicBlock(w[0], w[0], 2), BasicBlock(w[0], w[0], 1))
        self.stage8 = nn.Sequential(BasicBlock(w[0], w[1], 2), BasicBlock(w[1], w[1], 1))
        self.stage16 = nn.Sequential(BasicBlock(w[1], w[2], 2), BasicBlock(w[2], w[2], 1))
        self.stage32 = nn.Sequential(BasicBlock(w[2], w[3], 2), BasicBlock(w[3], w[3], 1))
        self.global_context = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Conv2d(w[3], d, 1), nn.ReLU(inplace=True))
        self.refine16, self.refine32 = AttentionRefinement(w[2], d), AttentionRefinement(w[3], d)
        self.smooth32, self.smooth16 = conv_bn(d, d), conv_bn(d, d)
        self.fuse = conv_bn(d + w[1], 2 * d, 1)
        squeeze, excite = nn.Conv2d(2 * d, d // 2, 1), nn.Conv2d(d // 2, 2 * d, 1)
        self.fuse_attention = nn.Sequential(
            nn.AdaptiveAvgPool2d(1), squeeze, nn.ReLU(inplace=True), excite, nn.Sigmoid()
        )
        self.reduce = conv_bn(2 * d, d)
        self.detail = conv_bn(w[0], d // 2, 1)
        self.merge = conv_bn(d + d // 2, d)
        self.classify = nn.Conv2d(d, classes, 1)
        self.aux8, self.aux16 = nn.Conv2d(d, classes, 1), nn.Conv2d(d, classes, 1)

    def forward(self, image: Tensor) -> Tensor:
        """(B, 3, H, W), normalised RGB, H and W multiples of 32 -> logits (B, K, H/4, W/4)."""
        return self.heads(image)[0]

    def heads(self, image: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Logits at 1/4, and the auxiliary ones at 1/8 and 1/16 that training supervises too."""
        f4 = self.stage4(self.stem(image))
        f8 = self.stage8(f4)
        f16 = self.stage16(f8)
        f32 = self.stage32(f16)
        context16 = self.smooth32(resize(self.refine32(f32) + self.global_context(f32), f16))
        context = self.smooth16(resize(self.refine16(f16) + context16, f8))
        fused = self.fuse(torch.cat([f8, context], 1))
        fused = self.reduce(fused + fused * self.fuse_attention(fused))
        logits = self.classify(self.merge(torch.cat([resize(fused, f4), self.detail(f4)], 1)))
        return logits, self.aux8(context), self.aux16(context16)

    def fused(self) -> BiSeNet:
        """Fold every batch normalisation into its convolution, in place, for inference. Returns self."""
        fuse_batch_norms(self.eval())
        return self
