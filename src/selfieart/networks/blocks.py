"""What the parsing networks are made of."""

from __future__ import annotations

from typing import Self

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_eval


def conv_bn(inputs: int, outputs: int, kernel: int = 3, stride: int = 1, relu: bool = True) -> nn.Sequential:
    """Convolution, batch normalisation and, unless told otherwise, ReLU."""
    layers = [nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2, bias=False), nn.BatchNorm2d(outputs)]
    return nn.Sequential(*layers, *([nn.ReLU(inplace=True)] if relu else []))


def resize_like(x: Tensor, like: Tensor) -> Tensor:
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


def fuse_batch_norms(net: nn.Module) -> None:
    """Fold every batch normalisation that follows a convolution into it, in place, for inference."""
    for module in net.modules():
        if isinstance(module, nn.Sequential):
            for place in range(len(module) - 1):
                convolution, norm = module[place], module[place + 1]
                if isinstance(convolution, nn.Conv2d) and isinstance(norm, nn.BatchNorm2d):
                    module[place], module[place + 1] = fuse_conv_bn_eval(convolution, norm), nn.Identity()


class FaceNetwork(nn.Module):
    """A network that finds segments at several resolutions at once."""

    def heads(self, image: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """(B, 3, H, W), normalised RGB, H and W multiples of 32 -> the logits, and the auxiliary ones at 1/8 and 1/16
        that training supervises too."""
        raise NotImplementedError

    def forward(self, image: Tensor) -> Tensor:
        """(B, 3, H, W), normalised RGB, H and W multiples of 32 -> logits (B, K, H/n, W/n)."""
        return self.heads(image)[0]

    def pretrained(self) -> list[nn.Conv2d]:
        """Convolutions that begin with what another network has learned; they learn more slowly than the others."""
        return []

    def fused(self) -> Self:
        """Fold every batch normalisation into its convolution, in place, for inference. Returns self."""
        fuse_batch_norms(self.eval())
        return self
