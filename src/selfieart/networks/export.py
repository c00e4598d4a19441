"""The networks as they are exported: modules of plain tensors, each the function that a graph computes.

The same layers as the definitions, with the normalisations of the style network written for an engine that runs one
picture at a time in (1, C, H, W) layout.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from selfieart.networks.bisenet import BiSeNet
from selfieart.networks.code_predictor import CodePredictor, style_statistics
from selfieart.networks.encoder import STYLE_LAYERS, Encoder
from selfieart.networks.segnet import SegNet
from selfieart.networks.style_net import EPS, OWN_REGION, ConditionalNorm, StyleNet
from selfieart.networks.unet import UNet

LEVELS = (2, 4, 8)
"""Pixels per position of the levels at which the style network normalises."""


_TAPS = torch.tensor([[[1.0, 0, 0], [0, 1, 1]], [[1, 1, 0], [0, 0, 1]]])
"""The two taps of either row (or column) that a repeated position has become, from the three taps of the kernel."""


def enlarged_by_phases(conv: nn.Conv2d, x: Tensor) -> Tensor:
    """The function of :func:`selfieart.networks.style_net.enlarged` with 4 of 9 multiplications.

    Of a picture whose positions are repeated 2x2 a 3x3 kernel sees 2x2 different positions: one 2x2 kernel for each of
    the four places in a repeated position. Mirroring the border of the enlarged picture repeats the outermost position
    of the small one.
    """
    outputs, inputs = conv.weight.shape[:2]
    rows = (_TAPS.reshape(1, 1, 4, 3) @ conv.weight).reshape(outputs, inputs, 2, 2, 3)
    kernels = rows @ _TAPS.reshape(4, 3).T  # (O, I, row phase, tap, column phase and tap)
    kernels = kernels.reshape(outputs, inputs, 2, 2, 2, 2).permute(2, 4, 0, 1, 3, 5).reshape(-1, inputs, 2, 2)
    phases = torch.split(F.conv2d(F.pad(x, (1, 1, 1, 1), mode="replicate"), kernels), outputs, dim=1)
    height, width = x.shape[-2:]
    placed = [phases[2 * a + b][:, :, a : a + height, b : b + width] for a in (0, 1) for b in (0, 1)]
    return F.pixel_shuffle(torch.stack(placed, 2).flatten(1, 2), 2)


class _Net(StyleNet):
    """The style network as it is exported."""

    enlarged = staticmethod(enlarged_by_phases)


class _Noise:
    """The noise maps of a pass, by level, in order of execution."""

    def __init__(self, *levels: Tensor) -> None:
        self._left = {step: iter(torch.split(level, 1, dim=1)) for step, level in zip(LEVELS, levels, strict=True)}

    def next(self, step: int) -> Tensor:
        """(1, 1, h, w), the map of the next normalisation at a level."""
        found: Tensor = next(self._left[step])
        return found


class _OneStyle:
    """One style, by the picture's own statistics."""

    def __init__(self, code: Tensor, noise: _Noise) -> None:
        self.code, self.noise, self.offset = code, noise, 0

    def normalised(self, norm: ConditionalNorm, x: Tensor) -> Tensor:
        c = norm.channels
        scale, shift, gain = torch.split(self.code[self.offset : self.offset + 3 * c], c)
        self.offset += 3 * c
        y = F.instance_norm(x, None, None, scale, shift, True, 0.0, EPS)
        return y + _spread(gain[:, None], self.noise.next(norm.step))


class _SeveralStyles:
    """Several styles mixed by masks, by the picture's own statistics; with one style and no masks it records too."""

    def __init__(self, codes: Tensor, masks: dict[int, Tensor] | None, noise: _Noise) -> None:
        self.codes, self.masks, self.noise, self.offset = codes, masks, noise, 0
        self.means: list[Tensor] = []
        self.variances: list[Tensor] = []

    def normalised(self, norm: ConditionalNorm, x: Tensor) -> Tensor:
        c = norm.channels
        scale, shift, gain = torch.split(self.codes[:, self.offset : self.offset + 3 * c], c, dim=1)
        self.offset += 3 * c
        mean, var = self._moments(x, norm.step)
        self.means.append(mean)
        self.variances.append(var)
        scale = scale * torch.rsqrt(var + EPS)
        shift = shift - mean * scale
        mask = None if self.masks is None else self.masks[norm.step]
        return _affine(x, scale.T, shift.T, gain.T, mask, self.noise.next(norm.step))

    def _moments(self, x: Tensor, step: int) -> tuple[Tensor, Tensor]:
        """Mean and variance, each (S, C): see :func:`selfieart.networks.style_net.style_moments`."""
        flat = x[0].flatten(1)
        mean = flat.mean(1, keepdim=True)
        apart = flat - mean
        var = apart.square().mean(1)[None]
        if self.masks is None:
            return mean.T, var
        shares = self.masks[step][0].flatten(1)
        shares = (shares / shares.sum(1, keepdim=True).clamp_min(1e-6)).T
        offset = (apart @ shares).T
        own = ((apart.square() @ shares).T - offset.square()).clamp_min(0)
        return mean.T + OWN_REGION * offset, (1 - OWN_REGION) * var + OWN_REGION * own


class _Given:
    """Scales and shifts that were worked out before, from given statistics."""

    def __init__(
        self, scales: Tensor, shifts: Tensor, gains: Tensor, masks: dict[int, Tensor] | None, noise: _Noise
    ) -> None:
        self.scales, self.shifts, self.gains, self.masks, self.noise = scales, shifts, gains, masks, noise
        self.offset = 0

    def normalised(self, norm: ConditionalNorm, x: Tensor) -> Tensor:
        here = slice(self.offset, self.offset + norm.channels)
        self.offset += norm.channels
        mask = None if self.masks is None else self.masks[norm.step]
        noise = self.noise.next(norm.step)
        return _affine(x, self.scales[here], self.shifts[here], self.gains[here], mask, noise)


def _spread(weights: Tensor, maps: Tensor) -> Tensor:
    """(C, N) weights of maps (1, N, h, w) -> (1, C, h, w). A matrix product: broadcasting is several times slower."""
    flat: Tensor = weights @ maps[0].flatten(1)
    return flat.reshape(1, -1, maps.shape[2], maps.shape[3])


def _affine(x: Tensor, scale: Tensor, shift: Tensor, gain: Tensor, mask: Tensor | None, noise: Tensor) -> Tensor:
    """x times scale plus shift plus gain times noise, each (C, S) mixed by the mask (1, S, h, w)."""
    alone = mask is None
    where = torch.ones_like(noise) if mask is None else mask
    moved = _spread(torch.cat([shift, gain], 1), torch.cat([where, where * noise], 1))
    return torch.addcmul(moved, x, scale[None, :, :, None] if alone else _spread(scale, where))


def _levels(masks: Tensor) -> dict[int, Tensor]:
    half = F.avg_pool2d(masks, 2)
    quarter = F.avg_pool2d(half, 2)
    return dict(zip(LEVELS, (half, quarter, F.avg_pool2d(quarter, 2)), strict=True))


class PaintOne(nn.Module):
    """One style by the picture's own statistics."""

    def __init__(self) -> None:
        super().__init__()
        self.net = _Net()

    def forward(self, image: Tensor, code: Tensor, noise2: Tensor, noise4: Tensor, noise8: Tensor) -> Tensor:
        """(1, 3, H, W), (D,) and noise (1, n, H/step, W/step) -> (1, 3, H, W), not clamped."""
        return self.net.flow(image, _OneStyle(code, _Noise(noise2, noise4, noise8)))


class PaintSeveral(nn.Module):
    """Several styles mixed by masks, by the picture's own statistics."""

    def __init__(self) -> None:
        super().__init__()
        self.net = _Net()

    def forward(
        self, image: Tensor, codes: Tensor, masks: Tensor, noise2: Tensor, noise4: Tensor, noise8: Tensor
    ) -> Tensor:
        """(1, 3, H, W), (S, D), (1, S, H, W) and noise -> (1, 3, H, W), not clamped."""
        return self.net.flow(image, _SeveralStyles(codes, _levels(masks), _Noise(noise2, noise4, noise8)))


class RecordOne(nn.Module):
    """The statistics by which :class:`PaintOne` normalises."""

    def __init__(self) -> None:
        super().__init__()
        self.net = _Net()

    def forward(self, image: Tensor, codes: Tensor, noise2: Tensor, noise4: Tensor, noise8: Tensor) -> Tensor:
        """(1, 3, H, W), (1, D) and noise -> mean and variance (2, 1, N) of all normalised channels."""
        run = _SeveralStyles(codes, None, _Noise(noise2, noise4, noise8))
        self.net.flow(image, run)
        return torch.stack([torch.cat(run.means, 1), torch.cat(run.variances, 1)])


class RecordSeveral(nn.Module):
    """The statistics by which :class:`PaintSeveral` normalises."""

    def __init__(self) -> None:
        super().__init__()
        self.net = _Net()

    def forward(
        self, image: Tensor, codes: Tensor, masks: Tensor, noise2: Tensor, noise4: Tensor, noise8: Tensor
    ) -> Tensor:
        """(1, 3, H, W), (S, D), (1, S, H, W) and noise -> (2, S, N)."""
        run = _SeveralStyles(codes, _levels(masks), _Noise(noise2, noise4, noise8))
        self.net.flow(image, run)
        return torch.stack([torch.cat(run.means, 1), torch.cat(run.variances, 1)])


class PaintGivenOne(nn.Module):
    """One style by given statistics."""

    def __init__(self) -> None:
        super().__init__()
        self.net = _Net()

    def forward(
        self,
        image: Tensor,
        scales: Tensor,
        shifts: Tensor,
        gains: Tensor,
        noise2: Tensor,
        noise4: Tensor,
        noise8: Tensor,
    ) -> Tensor:
        """(1, 3, H, W), three times (N, 1) and noise -> (1, 3, H, W), not clamped."""
        return self.net.flow(image, _Given(scales, shifts, gains, None, _Noise(noise2, noise4, noise8)))


class PaintGivenSeveral(nn.Module):
    """Several styles mixed by masks, by given statistics."""

    def __init__(self) -> None:
        super().__init__()
        self.net = _Net()

    def forward(
        self,
        image: Tensor,
        scales: Tensor,
        shifts: Tensor,
        gains: Tensor,
        masks: Tensor,
        noise2: Tensor,
        noise4: Tensor,
        noise8: Tensor,
    ) -> Tensor:
        """(1, 3, H, W), three times (N, S), (1, S, H, W) and noise -> (1, 3, H, W), not clamped."""
        return self.net.flow(image, _Given(scales, shifts, gains, _levels(masks), _Noise(noise2, noise4, noise8)))


class AnyStyleCode(nn.Module):
    """The code of any style picture: the encoder's statistics, and what the predictor makes of them."""

    def __init__(self) -> None:
        super().__init__()
        self.encoder = Encoder()
        self.predictor = CodePredictor(StyleNet().code_size)

    def forward(self, image: Tensor) -> Tensor:
        """(1, 3, H, W) in [0, 1], sides of at least 32 pixels -> (D,)."""
        code: Tensor = self.predictor(style_statistics(self.encoder(image, STYLE_LAYERS)))[0]
        return code


@dataclass(frozen=True)
class Export:
    """A graph to be made.

    Attributes:
        module: makes the untrained module.
        inputs: name -> names of the dimensions, numbers for fixed ones.
        outputs: names.
        prefix: of the module's names of weights that the files of weights do not have.
    """

    module: Callable[[], nn.Module]
    inputs: dict[str, tuple[int | str, ...]]
    outputs: tuple[str, ...]


_PICTURE: tuple[int | str, ...] = (1, 3, "height", "width")
_MASKS: tuple[int | str, ...] = (1, "styles", "height", "width")
_NORMS = StyleNet().norms
_CODE = StyleNet().code_size
_NOISE: dict[str, tuple[int | str, ...]] = {
    f"noise{step}": (1, sum(norm.step == step for norm in _NORMS), f"height{step}", f"width{step}") for step in LEVELS
}
_ONE: dict[str, tuple[int | str, ...]] = {f"{part}s": (_CODE // 3, 1) for part in ("scale", "shift", "gain")}
_EACH: dict[str, tuple[int | str, ...]] = dict.fromkeys(_ONE, (_CODE // 3, "styles"))
_CODES: tuple[int | str, ...] = ("styles", _CODE)

EXPORTS: dict[str, Export] = {
    "unet": Export(UNet, {"image": _PICTURE}, ("logits",)),
    "bisenet": Export(BiSeNet, {"image": _PICTURE}, ("logits",)),
    "segnet": Export(SegNet, {"image": _PICTURE}, ("logits",)),
    "any-style": Export(AnyStyleCode, {"image": _PICTURE}, ("code",)),
    "paint-one": Export(PaintOne, {"image": _PICTURE, "code": (_CODE,), **_NOISE}, ("picture",)),
    "paint-several": Export(
        PaintSeveral, {"image": _PICTURE, "codes": _CODES, "masks": _MASKS, **_NOISE}, ("picture",)
    ),
    "record-one": Export(RecordOne, {"image": _PICTURE, "codes": (1, _CODE), **_NOISE}, ("statistics",)),
    "record-several": Export(
        RecordSeveral, {"image": _PICTURE, "codes": _CODES, "masks": _MASKS, **_NOISE}, ("statistics",)
    ),
    "paint-given-one": Export(PaintGivenOne, {"image": _PICTURE, **_ONE, **_NOISE}, ("picture",)),
    "paint-given-several": Export(
        PaintGivenSeveral, {"image": _PICTURE, **_EACH, "masks": _MASKS, **_NOISE}, ("picture",)
    ),
}
"""Every graph of the package by name."""
