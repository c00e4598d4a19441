"""The published networks that selfieart is compared with, written from their papers, with random weights.

Only time and memory are measured with them, and neither depends on what the weights are. Where a paper leaves a choice,
the cheaper one is taken, so that a comparison errs in the reference's favour.

BiSeNet: Yu et al., "BiSeNet: Bilateral Segmentation Network for Real-time Semantic Segmentation", ECCV 2018.
MSG-Net: Zhang and Dana, "Multi-style Generative Network for Real-time Transfer", 2017.
"""

from __future__ import annotations

from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn


def parameters(net: nn.Module) -> int:
    """How many parameters a network has."""
    return sum(p.numel() for p in net.parameters())


def randomised(net: nn.Module, seed: int = 0) -> nn.Module:
    """Fill all convolutions so that activations keep their size from layer to layer: no denormals, no overflow."""
    torch.manual_seed(seed)
    for module in net.modules():
        if isinstance(module, nn.Conv2d):
            nn.init.kaiming_normal_(module.weight)
    return net.eval()


# --- BiSeNet with ResNet-18 ----------------------------------------------------------------------------------------


def conv_bn_relu(inputs: int, outputs: int, kernel: int = 3, stride: int = 1) -> nn.Sequential:
    convolution = nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2, bias=False)
    return nn.Sequential(convolution, nn.BatchNorm2d(outputs), nn.ReLU(inplace=True))


class BasicBlock(nn.Module):
    """The block of ResNet-18: two 3x3 convolutions and a shortcut."""

    def __init__(self, inputs: int, outputs: int, stride: int = 1) -> None:
        super().__init__()
        self.first = conv_bn_relu(inputs, outputs, 3, stride)
        self.second = conv_bn_relu(outputs, outputs)[:2]
        changes = stride != 1 or inputs != outputs
        self.shortcut = conv_bn_relu(inputs, outputs, 1, stride)[:2] if changes else nn.Identity()

    def forward(self, x: Tensor) -> Tensor:
        return F.relu(self.second(self.first(x)) + self.shortcut(x))


class ResNet18(nn.Module):
    """The trunk of ResNet-18: (B, 3, H, W) -> features at 1/8 (128 channels), 1/16 (256) and 1/32 (512)."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Sequential(conv_bn_relu(3, 64, 7, 2), nn.MaxPool2d(3, 2, 1))
        self.stage4 = nn.Sequential(BasicBlock(64, 64), BasicBlock(64, 64))
        self.stage8 = nn.Sequential(BasicBlock(64, 128, 2), BasicBlock(128, 128))
        self.stage16 = nn.Sequential(BasicBlock(128, 256, 2), BasicBlock(256, 256))
        self.stage32 = nn.Sequential(BasicBlock(256, 512, 2), BasicBlock(512, 512))

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        f8 = self.stage8(self.stage4(self.stem(x)))
        f16 = self.stage16(f8)
        return f8, f16, self.stage32(f16)


class AttentionRefinement(nn.Module):
    """A 3x3 convolution whose channels are weighted by their global context."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.conv = conv_bn_relu(inputs, outputs)
        squeeze = nn.Conv2d(outputs, outputs, 1, bias=False)
        self.attention = nn.Sequential(nn.AdaptiveAvgPool2d(1), squeeze, nn.BatchNorm2d(outputs), nn.Sigmoid())

    def forward(self, x: Tensor) -> Tensor:
        x = self.conv(x)
        return x * self.attention(x)


class FeatureFusion(nn.Module):
    """Spatial and context features joined, then weighted by their global context, with a shortcut."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.conv = conv_bn_relu(inputs, outputs, 1)
        squeeze, excite = (
            nn.Conv2d(outputs, outputs // 4, 1, bias=False),
            nn.Conv2d(outputs // 4, outputs, 1, bias=False),
        )
        self.attention = nn.Sequential(nn.AdaptiveAvgPool2d(1), squeeze, nn.ReLU(inplace=True), excite, nn.Sigmoid())

    def forward(self, spatial: Tensor, context: Tensor) -> Tensor:
        x = self.conv(torch.cat([spatial, context], 1))
        return x + x * self.attention(x)


class BiSeNet(nn.Module):
    """BiSeNet for face parsing, without the auxiliary heads, which only training needs.

    Args:
        classes: of the segmentation; CelebAMask-HQ has 19.
        spatial: where details come from: the trunk's own 1/8 features, as face parsers do it, or the three convolutions
            of the paper, which cost more.
    """

    def __init__(self, classes: int = 19, spatial: Literal["trunk", "convolutions"] = "trunk") -> None:
        super().__init__()
        self.trunk = ResNet18()
        self.spatial = None
        if spatial == "convolutions":
            strided = (conv_bn_relu(3, 64, 7, 2), conv_bn_relu(64, 64, 3, 2), conv_bn_relu(64, 64, 3, 2))
            self.spatial = nn.Sequential(*strided, conv_bn_relu(64, 128, 1))
        self.context = nn.Sequential(nn.AdaptiveAvgPool2d(1), conv_bn_relu(512, 128, 1))
        self.refine16, self.refine32 = AttentionRefinement(256, 128), AttentionRefinement(512, 128)
        self.head16, self.head32 = conv_bn_relu(128, 128), conv_bn_relu(128, 128)
        self.fuse = FeatureFusion(256, 256)
        self.classify = nn.Sequential(conv_bn_relu(256, 256), nn.Conv2d(256, classes, 1, bias=False))

    def forward(self, image: Tensor) -> Tensor:
        """(B, 3, H, W), normalised, sides multiples of 32 -> logits (B, classes, H, W)."""
        f8, f16, f32 = self.trunk(image)
        x = self.refine32(f32) + self.context(f32)
        x = self.head32(F.interpolate(x, size=f16.shape[-2:], mode="nearest"))
        x = self.head16(F.interpolate(self.refine16(f16) + x, size=f8.shape[-2:], mode="nearest"))
        detail = f8 if self.spatial is None else self.spatial(image)
        logits = self.classify(self.fuse(detail, x))
        return F.interpolate(logits, size=image.shape[-2:], mode="bilinear", align_corners=True)


# --- MSG-Net -------------------------------------------------------------------------------------------------------

EXPANSION = 4


def reflected_conv(inputs: int, outputs: int, kernel: int, stride: int = 1) -> nn.Sequential:
    """A convolution with reflection padding."""
    padding = [nn.ReflectionPad2d(kernel // 2)] if kernel > 1 else []
    return nn.Sequential(*padding, nn.Conv2d(inputs, outputs, kernel, stride))


def upsampled_conv(inputs: int, outputs: int, kernel: int, factor: int) -> nn.Sequential:
    """Nearest-neighbour upsampling, then a convolution with reflection padding."""
    return nn.Sequential(nn.Upsample(scale_factor=factor, mode="nearest"), reflected_conv(inputs, outputs, kernel))


def activated(channels: int, *layers: nn.Module) -> nn.Sequential:
    """Instance normalisation and ReLU before the layers (pre-activation)."""
    return nn.Sequential(nn.InstanceNorm2d(channels), nn.ReLU(inplace=True), *layers)


class Bottleneck(nn.Module):
    """1x1, 3x3, 1x1 convolutions, pre-activated, with a shortcut: inputs -> 4 * inner channels at 1/stride."""

    def __init__(self, inputs: int, inner: int, stride: int = 1) -> None:
        super().__init__()
        outputs = inner * EXPANSION
        changes = stride != 1 or inputs != outputs
        self.shortcut = nn.Conv2d(inputs, outputs, 1, stride) if changes else nn.Identity()
        self.branch = nn.Sequential(
            activated(inputs, nn.Conv2d(inputs, inner, 1)),
            activated(inner, reflected_conv(inner, inner, 3, stride)),
            activated(inner, nn.Conv2d(inner, outputs, 1)),
        )

    def forward(self, x: Tensor) -> Tensor:
        return self.shortcut(x) + self.branch(x)


class UpBottleneck(nn.Module):
    """The bottleneck that enlarges: both its shortcut and its 3x3 convolution upsample first."""

    def __init__(self, inputs: int, inner: int, factor: int = 2) -> None:
        super().__init__()
        outputs = inner * EXPANSION
        self.shortcut = upsampled_conv(inputs, outputs, 1, factor)
        self.branch = nn.Sequential(
            activated(inputs, nn.Conv2d(inputs, inner, 1)),
            activated(inner, upsampled_conv(inner, inner, 3, factor)),
            activated(inner, nn.Conv2d(inner, outputs, 1)),
        )

    def forward(self, x: Tensor) -> Tensor:
        return self.shortcut(x) + self.branch(x)


def gram(features: Tensor) -> Tensor:
    """(B, C, H, W) -> (B, C, C), scaled by the number of features."""
    flat = features.flatten(2)
    return flat @ flat.transpose(1, 2) / flat[0].numel()


class CoMatch(nn.Module):
    """The CoMatch (Inspiration) layer: content features turned so that their Gram matrix can match the style's."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.empty(1, channels, channels).uniform_(0, 0.02))

    def forward(self, content: Tensor, style: Tensor) -> Tensor:
        """(B, C, H, W) and the style's Gram matrix (B, C, C) -> (B, C, H, W)."""
        turned = torch.bmm(self.weight.expand_as(style), style)
        return torch.bmm(turned.transpose(1, 2), content.flatten(2)).view_as(content)


class MSGNet(nn.Module):
    """The generator of MSG-Net with its style branch.

    Args:
        width: "ngf", the inner channels of its residual part; 128 in the released model.
        blocks: bottlenecks of the residual part.
    """

    def __init__(self, width: int = 128, blocks: int = 6) -> None:
        super().__init__()
        wide = width * EXPANSION
        stem = [reflected_conv(3, 64, 7), nn.InstanceNorm2d(64), nn.ReLU(inplace=True)]
        self.encode = nn.Sequential(*stem, Bottleneck(64, 32, 2), Bottleneck(32 * EXPANSION, width, 2))
        self.match = CoMatch(wide)
        residual = [Bottleneck(wide, width) for _ in range(blocks)]
        up = [UpBottleneck(wide, 32), UpBottleneck(32 * EXPANSION, 16)]
        self.decode = nn.Sequential(*residual, *up, activated(16 * EXPANSION, reflected_conv(64, 3, 7)))

    def style(self, picture: Tensor) -> Tensor:
        """The style branch: (B, 3, H, W) -> Gram matrix (B, C, C), worked out once per style."""
        return gram(self.encode(picture))

    def forward(self, content: Tensor, style: Tensor) -> Tensor:
        """(B, 3, H, W), sides multiples of 4, and a Gram matrix (B, C, C) -> (B, 3, H, W)."""
        return self.decode(self.match(self.encode(content), style))
