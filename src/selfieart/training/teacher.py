"""The perceptual teacher that training measures with: a compact VGG-19.

The network of Wang et al., "Collaborative Distillation for Ultra-Resolution Universal Style Transfer" (CVPR 2020): a
narrow VGG-19 encoder whose 1x1 ``expand`` heads predict the original VGG-19's relu1_1 ... relu5_1. Its weights are
given by file and are not part of the package.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import torch.nn.functional as F
from safetensors.torch import load_file
from torch import Tensor, nn

from selfieart.networks.encoder import LAYERS, check_layers

CONVOLUTIONS: tuple[tuple[str, int, int] | None, ...] = (
    ("1_1", 3, 16), ("1_2", 16, 16), None,
    ("2_1", 16, 32), ("2_2", 32, 32), None,
    ("3_1", 32, 64), ("3_2", 64, 64), ("3_3", 64, 64), ("3_4", 64, 64), None,
    ("4_1", 64, 128), ("4_2", 128, 128), ("4_3", 128, 128), ("4_4", 128, 128), None,
    ("5_1", 128, 128),
)  # fmt: skip
"""Name, input and output channels of each 3x3 convolution; None is a 2x2 max-pool."""

EXPANSIONS = {"1_1": (16, 64), "2_1": (32, 128), "3_1": (64, 256), "4_1": (128, 512), "5_1": (128, 512)}


class Teacher(nn.Module):
    """RGB (B, 3, H, W) in [0, 1] -> {"relu3_1": (B, 64, H/4, W/4), ..., "vgg3_1": (B, 256, H/4, W/4), ...}."""

    def __init__(self) -> None:
        super().__init__()
        self.normalise = nn.Conv2d(3, 3, 1)
        for convolution in CONVOLUTIONS:
            if convolution:
                name, inputs, outputs = convolution
                setattr(self, f"conv{name}", nn.Conv2d(inputs, outputs, 3, padding=1, padding_mode="reflect"))
        for name, (inputs, outputs) in EXPANSIONS.items():
            setattr(self, f"expand{name}", nn.Conv2d(inputs, outputs, 1))

    def forward(self, x: Tensor, last: str = "5_1", expand: bool = False) -> dict[str, Tensor]:
        """Features by layer name, up to and including ``last``; the expanded ones too if asked."""
        features: dict[str, Tensor] = {}
        x = self.normalise(x)
        for convolution in CONVOLUTIONS:
            if convolution is None:
                x = F.max_pool2d(x, 2)
                continue
            name = convolution[0]
            x = F.relu(getattr(self, f"conv{name}")(x))
            features[f"relu{name}"] = x
            if expand and name in EXPANSIONS:
                features[f"vgg{name}"] = F.relu(getattr(self, f"expand{name}")(x))
            if name == last:
                break
        return features


def load_teacher(path: Path) -> Teacher:
    """The frozen teacher from its safetensors file."""
    teacher = Teacher()
    teacher.load_state_dict(load_file(path))
    return teacher.requires_grad_(False).eval()


class TeacherEncoder:
    """The teacher behind the layer names of a perceptual encoder: VGG-19-sized features, and its own relu4_2.

    Args:
        teacher: the frozen teacher.
    """

    def __init__(self, teacher: Teacher) -> None:
        self.teacher = teacher

    def channels(self, layer: str) -> int:
        """Channels of a layer."""
        return 128 if layer == "relu4_2" else EXPANSIONS[layer[4:]][1]

    def __call__(self, image: Tensor, layers: Iterable[str] = LAYERS) -> dict[str, Tensor]:
        """Features (B, N, h, w) of pictures (B, 3, H, W) in [0, 1], by layer."""
        wanted = check_layers(layers)
        seen = self.teacher(image, last=wanted[-1][4:], expand=True)
        return {layer: seen[layer if layer == "relu4_2" else f"vgg{layer[4:]}"] for layer in wanted}
