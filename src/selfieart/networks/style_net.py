"""StyleNet: the feed-forward network behind the preset styles.

Conditional instance normalisation (Dumoulin et al., "A Learned Representation for Artistic Style", ICLR 2017): one
trunk for every style, and per style one *code*, the scales, shifts and noise gains of all its normalisations. Codes
are plain vectors, so they interpolate, and soft masks can mix several of them at each position in a single pass.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol, TypeVar

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from selfieart import style_grid

INPUT_MEAN = 0.45
EPS = 1e-5
"""Added to a variance before its root is taken."""


def conv(inputs: int, outputs: int, stride: int = 1, bias: bool = False) -> nn.Conv2d:
    """A 3x3 convolution with mirrored borders."""
    return nn.Conv2d(inputs, outputs, 3, stride, 1, padding_mode="reflect", bias=bias)


def noise_map(layer: int, seed: int, top: int, left: int, height: int, width: int) -> Tensor:
    """:func:`selfieart.style_grid.noise_map` as a tensor (height, width)."""
    return torch.from_numpy(style_grid.noise_map(layer, seed, top, left, height, width))


@dataclass
class Statistics:
    """Mean and variance, each (B, S, C) float32, of every normalisation in order of execution.

    Recorded on one picture and given back for another, they make tiles of a large picture (or frames of a video)
    share one normalisation.
    """

    moments: list[tuple[Tensor, Tensor]] = field(default_factory=list)


class Normalising(Protocol):
    """How one pass through the network normalises: what training, recording and the exported graphs do differently."""

    def normalised(self, norm: ConditionalNorm, x: Tensor) -> Tensor:
        """The next normalisation in order of execution: (B, C, H, W) -> (B, C, H, W)."""
        ...


@dataclass
class _Pass:
    """What the normalisations of one forward pass need beside their input."""

    codes: Tensor
    masks: dict[tuple[int, int], Tensor]
    origin: tuple[int, int]
    given: Statistics | None
    recorded: Statistics
    noise: list[Tensor] | None
    seed: int
    layer: int = 0
    offset: int = 0

    def noise_for(self, x: Tensor, step: int) -> Tensor:
        if self.noise is not None:
            return self.noise[self.layer]
        top, left = self.origin[0] // step, self.origin[1] // step
        return noise_map(self.layer, self.seed, top, left, x.shape[-2], x.shape[-1]).to(x)

    def normalised(self, norm: ConditionalNorm, x: Tensor) -> Tensor:
        c = norm.channels
        mask = self.masks[(x.shape[-2], x.shape[-1])] if self.masks else None
        mean, var = self.given.moments[self.layer] if self.given else style_moments(x.float(), mask)
        self.recorded.moments.append((mean, var))
        scale, shift, gain = self.codes[..., self.offset : self.offset + 3 * c].chunk(3, dim=-1)
        scale = scale * torch.rsqrt(var + EPS)
        shift = shift - mean * scale
        if mask is None:
            scale, shift, gain = (v[:, 0, :, None, None] for v in (scale, shift, gain))
        else:
            scale, shift, gain = (torch.einsum("bshw,bsc->bchw", mask, v) for v in (scale, shift, gain))
        shift = shift + gain * self.noise_for(x, norm.step)
        self.layer, self.offset = self.layer + 1, self.offset + 3 * c
        return torch.addcmul(shift.to(x), x, scale.to(x))


OWN_REGION = 0.2
"""How much of a style's statistics are those of its own region, where several styles share a picture.

With the whole picture's alone (0) colours leak between regions; with much of the region's own, a flat wall is torn to
the whole range of its style. Mean difference in 8-bit levels from painting each style on the whole picture, three looks
on two framings of one portrait: 18.9 at 0, 16.3 at 0.15, 17.5 at 0.25, 21.8 at 0.5.
"""


def style_moments(x: Tensor, masks: Tensor | None) -> tuple[Tensor, Tensor]:
    """Mean and variance, each (B, S, C), by which each style normalises features (B, C, H, W) in float32.

    Computed in two passes over the channels-last rows: measured 5 times faster than ``torch.var_mean`` over the last
    two dimensions of a channels-last tensor, and as exact.

    Args:
        x: (B, C, H, W).
        masks: (B, S, H, W), summing to 1 over S; None for one style everywhere.
    """
    flat = x.permute(0, 2, 3, 1).flatten(1, 2)
    mean = flat.mean(1, keepdim=True)
    apart = flat - mean
    var = apart.square().mean(1, keepdim=True)
    if masks is None:
        return mean, var
    shares = masks.flatten(2)
    shares = shares / shares.sum(2, keepdim=True).clamp_min(1e-6)
    offset = shares @ apart
    own_var = (shares @ apart.square() - offset.square()).clamp_min(0)
    return mean + OWN_REGION * offset, torch.lerp(var, own_var, OWN_REGION)


class ConditionalNorm(nn.Module):
    """Instance normalisation whose scale, shift and noise gain come from style codes. It has no parameters."""

    def __init__(self, channels: int, step: int) -> None:
        super().__init__()
        self.channels, self.step = channels, step

    def forward(self, x: Tensor, run: Normalising) -> Tensor:
        """(B, C, H, W) -> (B, C, H, W)."""
        return run.normalised(self, x)


def enlarged(conv: nn.Conv2d, x: Tensor) -> Tensor:
    """Repeat every position 2x2, and convolve: (B, I, h, w) -> (B, O, 2 h, 2 w)."""
    wide: Tensor = conv(F.interpolate(x, scale_factor=2, mode="nearest"))
    return wide


class ResidualBlock(nn.Module):
    """conv, norm, relu, conv, norm, added to the input."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.conv1, self.norm1 = conv(channels, channels), ConditionalNorm(channels, 8)
        self.conv2, self.norm2 = conv(channels, channels), ConditionalNorm(channels, 8)

    def forward(self, x: Tensor, run: Normalising) -> Tensor:
        """(B, C, H, W) -> (B, C, H, W)."""
        y = F.relu(self.norm1(self.conv1(x), run))
        return torch.add(x, self.norm2(self.conv2(y), run))


Net = TypeVar("Net", bound=nn.Module)


def channels_last(net: Net) -> Net:
    """The network with its convolutions in the memory layout that is fastest on a CPU, in place."""
    return net.to(memory_format=torch.channels_last)  # type: ignore[call-overload,no-any-return]


class StyleNet(nn.Module):
    """Feed-forward style transfer at 1/2, 1/4 and 1/8 of the input's resolution.

    A pixel-unshuffle stem, strided convolutions down, residual blocks, resize-convolutions up, a pixel-shuffle head.

    Args:
        half, quarter, eighth: channels at these fractions of the resolution.
        blocks: residual blocks at 1/8.
    """

    def __init__(self, half: int = 32, quarter: int = 64, eighth: int = 128, blocks: int = 6) -> None:
        super().__init__()
        self.stem, self.stem_norm = conv(12, half), ConditionalNorm(half, 2)
        self.down4, self.down4_norm = conv(half, quarter, 2), ConditionalNorm(quarter, 4)
        self.down8, self.down8_norm = conv(quarter, eighth, 2), ConditionalNorm(eighth, 8)
        self.blocks = nn.ModuleList([ResidualBlock(eighth) for _ in range(blocks)])
        self.up4, self.up4_norm = conv(eighth, quarter), ConditionalNorm(quarter, 4)
        self.up2, self.up2_norm = conv(quarter, half), ConditionalNorm(half, 2)
        self.head = conv(half, 12, bias=True)

    @property
    def norms(self) -> list[ConditionalNorm]:
        """All normalisations in order of execution."""
        return [module for module in self.modules() if isinstance(module, ConditionalNorm)]

    @property
    def code_size(self) -> int:
        """Length D of a style code: scale, shift and noise gain of every normalised channel."""
        return 3 * sum(norm.channels for norm in self.norms)

    def forward(
        self,
        image: Tensor,
        codes: Tensor,
        masks: Tensor | None = None,
        *,
        origin: tuple[int, int] = (0, 0),
        statistics: Statistics | None = None,
        recorded: Statistics | None = None,
        noise: list[Tensor] | None = None,
        seed: int = 0,
    ) -> Tensor:
        """Stylise.

        Args:
            image: (B, 3, H, W) in [0, 1], H and W multiples of 8 and at least 16.
            codes: (B, S, D), one style code per style.
            masks: (B, S, H, W), the weight of each style at each pixel, summing to 1; needed when S > 1.
            origin: row and column of the image's first pixel in the whole picture (multiples of 8).
            statistics: normalise with these instead of the image's own.
            recorded: filled with the statistics that were used.
            noise: one map per normalisation, replacing the seeded ones (training draws fresh noise).
            seed: of the noise.

        Returns:
            (B, 3, H, W), not clamped.
        """
        levels: dict[tuple[int, int], Tensor] = {}
        if masks is not None and codes.shape[1] > 1:
            for step in (2, 4, 8):
                level = F.avg_pool2d(masks, step)
                levels[(level.shape[-2], level.shape[-1])] = level
        recorded = recorded if recorded is not None else Statistics()
        return self.flow(image, _Pass(codes, levels, origin, statistics, recorded, noise, seed))

    enlarged = staticmethod(enlarged)
    """How a convolution is applied to a picture that is enlarged before it; exports have a faster way."""

    def flow(self, image: Tensor, run: Normalising) -> Tensor:
        """The layers in order: (B, 3, H, W) in [0, 1] -> (B, 3, H, W), not clamped, normalised as the pass says."""
        x = F.relu(self.stem_norm(self.stem(F.pixel_unshuffle(image - INPUT_MEAN, 2)), run))
        x = F.relu(self.down4_norm(self.down4(x), run))
        x = F.relu(self.down8_norm(self.down8(x), run))
        for block in self.blocks:
            x = block(x, run)
        x = F.relu(self.up4_norm(self.enlarged(self.up4, x), run))
        x = F.relu(self.up2_norm(self.enlarged(self.up2, x), run))
        return F.pixel_shuffle(self.head(x), 2) + INPUT_MEAN
