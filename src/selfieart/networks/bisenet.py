"""A narrow BiSeNet (Yu et al., ECCV 2018), the network behind the face parser.

Context path: four residual stages with attention refinement and global context. Spatial path: taken from the 1/4 and
1/8 stages, because at this width a path of its own would cost more than the whole context path. Feature fusion as
published.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from selfieart.networks.blocks import AttentionRefinement, BasicBlock, FaceNetwork, conv_bn, resize_like


class BiSeNet(FaceNetwork):
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

    def heads(self, image: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """(B, 3, H, W), normalised RGB, H and W multiples of 32 -> logits (B, K, H/4, W/4), and auxiliary ones at 1/8
        and 1/16."""
        f4 = self.stage4(self.stem(image))
        f8 = self.stage8(f4)
        f16 = self.stage16(f8)
        f32 = self.stage32(f16)
        context16 = self.smooth32(resize_like(self.refine32(f32) + self.global_context(f32), f16))
        context = self.smooth16(resize_like(self.refine16(f16) + context16, f8))
        fused = self.fuse(torch.cat([f8, context], 1))
        fused = self.reduce(fused + fused * self.fuse_attention(fused))
        logits = self.classify(self.merge(torch.cat([resize_like(fused, f4), self.detail(f4)], 1)))
        return logits, self.aux8(context), self.aux16(context16)
