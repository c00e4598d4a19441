"""VGG-19 itself (Simonyan and Zisserman, ICLR 2015), for those who have torchvision's published weights as a file.

The package holds no such weights and downloads none. With the file, every method that takes a perceptual encoder can
use the full network: slower than the packaged encoder, and the one that the papers used.
"""

from __future__ import annotations

import pickle
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from selfieart.errors import WeightsError, printable
from selfieart.networks.encoder import check_layers

WIDTHS = (64, 128, 256, 512, 512)
"""Channels of the five stages."""

DEPTHS = (2, 2, 4, 4, 1)
"""Convolutions of the five stages, as far as relu5_1; the published file has three more in the last."""

_MEAN = (0.485, 0.456, 0.406)
_STD = (0.229, 0.224, 0.225)
_FILE = "vgg19-dcbb9e9d.pth"


class Vgg19(nn.Module):
    """RGB (B, 3, H, W) in [0, 1] -> features by layer; a :class:`selfieart.networks.encoder.PerceptualEncoder`.

    Module names are torchvision's: "features.0" is the first convolution, "features.28" the last one that is used.
    Convolutions are 3x3 with borders of zeros, each followed by ReLU; 2x2 max-pooling between the stages. Pictures are
    normalised by ImageNet's mean and standard deviation.

    Args:
        widths: channels of the five stages; others than VGG's are for tests.
    """

    mean: Tensor
    std: Tensor

    def __init__(self, widths: tuple[int, ...] = WIDTHS) -> None:
        super().__init__()
        self.widths = widths
        self.register_buffer("mean", torch.tensor(_MEAN)[:, None, None], persistent=False)
        self.register_buffer("std", torch.tensor(_STD)[:, None, None], persistent=False)
        layers: dict[str, nn.Module] = {}
        self.places: dict[str, str] = {}
        place, inputs = 0, 3
        for stage, (width, depth) in enumerate(zip(widths, DEPTHS, strict=True), start=1):
            for index in range(1, depth + 1):
                layers[str(place)] = nn.Conv2d(inputs, width, 3, padding=1)
                self.places[f"relu{stage}_{index}"] = str(place)
                place, inputs = place + 2, width
            place += 1
        self.features = nn.ModuleDict(layers)

    def channels(self, layer: str) -> int:
        """Channels of a layer.

        Raises:
            UnknownName: there is no such layer.
        """
        return self.widths[int(check_layers([layer])[0][4]) - 1]

    def forward(self, image: Tensor, layers: Iterable[str]) -> dict[str, Tensor]:
        """Features of some layers; the network runs no further than the last of them.

        Args:
            image: (B, 3, H, W) in [0, 1], sides of at least 16 pixels.
            layers: names.

        Returns:
            (B, N, H // step, W // step) by layer.

        Raises:
            UnknownName: there is no such layer.
        """
        wanted = check_layers(layers)
        found: dict[str, Tensor] = {}
        x = (image - self.mean) / self.std
        for layer, place in self.places.items():
            if layer.endswith("_1") and layer != "relu1_1":
                x = F.max_pool2d(x, 2)
            x = F.relu(self.features[place](x))
            if layer in wanted:
                found[layer] = x
            if len(found) == len(wanted):
                break
        return found


def load_vgg19(path: str | Path, widths: tuple[int, ...] = WIDTHS) -> Vgg19:
    """VGG-19 with the weights of a file, frozen.

    Args:
        path: torchvision's published checkpoint, vgg19-dcbb9e9d.pth, or a safetensors file with the same keys. Keys of
            layers that are not used may be missing. Only tensors are read: a file cannot run code.
        widths: channels of the five stages that the file has.

    Raises:
        WeightsError: the file cannot be read, or holds something else.
    """
    path = Path(path)
    net = Vgg19(widths)
    given, wanted = _read(path), net.state_dict()
    missing = [key for key in wanted if key not in given]
    if missing:
        raise WeightsError(
            f"{printable(str(path))} is not VGG-19 in torchvision's layout, '{missing[0]}' is missing: give the file "
            f"{_FILE}."
        )
    for key, tensor in wanted.items():
        found = given[key]
        if not isinstance(found, Tensor) or found.shape != tensor.shape or not found.is_floating_point():
            shape = tuple(found.shape) if isinstance(found, Tensor) else type(found).__name__
            raise WeightsError(
                f"{printable(str(path))} is another network than VGG-19, '{key}' is {shape} and not "
                f"{tuple(tensor.shape)}: give the file {_FILE}."
            )
        if not bool(found.isfinite().all()):
            raise WeightsError(f"{printable(str(path))} is damaged, '{key}' is not finite: get the file {_FILE} again.")
    net.load_state_dict({key: given[key].float() for key in wanted})
    return net.requires_grad_(False).eval().to(memory_format=torch.channels_last)  # type: ignore[call-overload,no-any-return]


def _read(path: Path) -> dict[str, Any]:
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    name = printable(str(path))
    if not path.is_file():
        raise WeightsError(f"There is no file {name}: give torchvision's {_FILE}.")
    try:
        if path.suffix.lower() == ".safetensors":
            return dict(load_file(path))
        given = torch.load(path, map_location="cpu", weights_only=True)
    except (SafetensorError, pickle.UnpicklingError, RuntimeError, OSError, EOFError, ValueError, KeyError) as error:
        raise WeightsError(
            f"{name} is not a file of weights that can be read safely: give torchvision's {_FILE}."
        ) from error
    if not isinstance(given, dict):
        raise WeightsError(f"{name} holds no table of weights: give torchvision's {_FILE}.")
    return given
