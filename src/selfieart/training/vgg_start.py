"""Beginning a parser with the convolutions of VGG-19."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from selfieart.networks.unet import UNet
from selfieart.training.teacher import CONVOLUTIONS, Teacher

Color = tuple[float, float, float]


def begin_with_vgg(net: UNet, teacher: Teacher, images: list[Tensor], mean: Color, std: Color) -> None:
    """Give the way down of a U-Net the convolutions of the compact VGG-19, so scaled that features have a size of 1.

    A ReLU passes positive factors on, so the scaled network computes the same. The teacher has mirrored borders and the
    U-Net zeros: away from borders their features are equal but for these factors.

    Args:
        net: whose way down is overwritten.
        teacher: the compact VGG-19.
        images: pictures (B, 3, H, W) in [0, 1] on which the size of features is measured.
        mean, std: of red, green and blue, with which the net's input is normalised.
    """
    names = [convolution[0] for convolution in CONVOLUTIONS if convolution]
    power = dict.fromkeys(names, 0.0)
    with torch.no_grad():
        for image in images:
            seen = teacher(image)
            for name in names:
                power[name] += float(seen[f"relu{name}"].square().mean())
        sizes = {name: max(value / len(images), 1e-12) ** 0.5 for name, value in power.items()}
        before = 1.0
        for name, mine in zip(names, net.pretrained(), strict=True):
            theirs: nn.Conv2d = getattr(teacher, f"conv{name}")
            weight, bias = theirs.weight, theirs.bias
            assert mine.bias is not None and bias is not None
            if name == "1_1":
                mix, shift = teacher.normalise.weight[:, :, 0, 0], teacher.normalise.bias
                assert shift is not None
                bias = bias + torch.einsum("oikl,i->o", weight, mix @ torch.tensor(mean) + shift)
                weight = torch.einsum("oikl,ij->ojkl", weight, mix * torch.tensor(std))
            mine.weight.copy_(weight * (before / sizes[name]))
            mine.bias.copy_(bias / sizes[name])
            before = sizes[name]
