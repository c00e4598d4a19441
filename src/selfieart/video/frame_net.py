"""StyleNet for the frames of a video: the function of :class:`StyleNet`, several times faster with given statistics.

Given statistics turn every normalisation into a scale and a shift per style, so nothing waits for a mean over the whole
picture. Each step is the published one written differently: enlarging by repetition and convolving is one transposed
convolution, the scales and shifts of all styles are mixed by matrix products, and on processors that have it the
arithmetic is bfloat16.
"""

from __future__ import annotations

from typing import cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from selfieart.networks.precision import fast_dtype
from selfieart.networks.style_net import ResidualBlock, Statistics, StyleNet, noise_map, style_moments

_INPUT_MEAN = 0.45
_EPS = 1e-5
_REPEATED = torch.tensor([[0.0, 0, 1], [0, 1, 1], [1, 1, 0], [1, 0, 0]])
"""The 4 taps of a transposed convolution of stride 2, from the 3 taps that follow an enlargement by repetition."""


def enlarging_weight(weight: Tensor) -> Tensor:
    """Weights (I, O, 4, 4) of the transposed convolution that equals repeating pixels 2x2 and convolving.

    Args:
        weight: (O, I, 3, 3) of the convolution.
    """
    return torch.einsum("ak,bl,oikl->ioab", _REPEATED, _REPEATED, weight.float())


class FrameNet:
    """The forward pass of a StyleNet with given statistics.

    Args:
        net: the network; its weights are copied.
        dtype: of the arithmetic; the faster one on this processor when left out.
    """

    def __init__(self, net: StyleNet, dtype: torch.dtype | None = None) -> None:
        self.dtype = dtype or fast_dtype()
        self.channels = [norm.channels for norm in net.norms]
        self.steps = [norm.step for norm in net.norms]
        blocks = [cast(ResidualBlock, block) for block in net.blocks]
        self.stem, self.down4, self.down8 = map(self._plain, (net.stem, net.down4, net.down8))
        self.blocks = [(self._plain(block.conv1), self._plain(block.conv2)) for block in blocks]
        self.up4, self.up2 = (self._laid_out(enlarging_weight(conv.weight.detach())) for conv in (net.up4, net.up2))
        self.head = self._plain(net.head)
        self.head_bias = None if net.head.bias is None else net.head.bias.detach().to(self.dtype)

    def _plain(self, conv: nn.Conv2d) -> Tensor:
        return self._laid_out(conv.weight.detach())

    def _laid_out(self, weight: Tensor) -> Tensor:
        return weight.to(self.dtype).contiguous(memory_format=torch.channels_last)

    def __call__(
        self,
        image: Tensor,
        codes: Tensor,
        masks: Tensor | None = None,
        *,
        statistics: Statistics | None = None,
        recorded: Statistics | None = None,
        origin: tuple[int, int] = (0, 0),
        seed: int = 0,
    ) -> Tensor:
        """Stylise one picture.

        Args:
            image: (3, H, W) in [0, 1], H and W multiples of 8 and at least 16.
            codes: (S, D), one style code per style.
            masks: (S, H, W), the weight of each style at each pixel, summing to 1; needed when S > 1.
            statistics: mean and variance of every normalisation, (1, S, C) or (1, 1, C) each; the picture's own when
                left out.
            recorded: filled with the statistics that were used.
            origin: row and column of the image's first pixel in the whole picture (multiples of 8).
            seed: of the noise.

        Returns:
            (3, H, W) float32, not clamped.
        """
        run = _Frame(self, image, codes, masks, statistics, origin, seed)
        if recorded is not None:
            recorded.moments = run.used.moments
        x = F.pixel_unshuffle((image - _INPUT_MEAN).to(self.dtype)[None], 2)
        x = x.contiguous(memory_format=torch.channels_last)
        x = run.normalised(F.conv2d(_mirrored(x), self.stem, run.off_center())).relu_()
        for weight in (self.down4, self.down8):
            x = run.normalised(F.conv2d(_mirrored(x), weight, run.off_center(), 2)).relu_()
        for first, second in self.blocks:
            y = run.normalised(F.conv2d(_mirrored(x), first, run.off_center())).relu_()
            x = run.normalised(F.conv2d(_mirrored(y), second, run.off_center())).add_(x)
        for weight in (self.up4, self.up2):
            # Mirroring the border of the enlarged picture repeats the outermost pixel of the small one.
            wide = F.pad(x, (1, 1, 1, 1), mode="replicate")
            x = run.normalised(F.conv_transpose2d(wide, weight, run.off_center(), 2, 3)).relu_()
        x = F.conv2d(_mirrored(x), self.head, self.head_bias)
        return F.pixel_shuffle(x.float(), 2)[0] + _INPUT_MEAN


def _mirrored(x: Tensor) -> Tensor:
    return F.pad(x, (1, 1, 1, 1), mode="reflect")


class _Frame:
    """The normalisations of one pass, in order of execution."""

    def __init__(
        self,
        net: FrameNet,
        image: Tensor,
        codes: Tensor,
        masks: Tensor | None,
        statistics: Statistics | None,
        origin: tuple[int, int],
        seed: int,
    ) -> None:
        self.net, self.codes, self.given, self.origin, self.seed = net, codes, statistics, origin, seed
        self.used = Statistics()
        height, width = image.shape[-2:]
        masks = torch.ones(1, height, width) if masks is None or len(codes) == 1 else masks
        self.sizes = {step: (height // step, width // step) for step in (2, 4, 8)}
        self.shares = {
            step: F.avg_pool2d(masks[None], step)[0].flatten(1).T.contiguous() for step in (2, 4, 8)
        }  # (h w, S)
        self.layer = self.offset = 0

    def off_center(self) -> Tensor | None:
        """(C,): minus the known mean of the next layer. Taken off by the convolution, before anything is rounded."""
        return None if self.given is None else (-self._center(self.given)).to(self.net.dtype)

    def _center(self, statistics: Statistics) -> Tensor:
        return statistics.moments[self.layer][0][0].mean(0)

    def normalised(self, x: Tensor) -> Tensor:
        """(1, C, h, w) whose known mean was taken off -> the same, normalised for every style, mixed by the masks."""
        c, step = self.net.channels[self.layer], self.net.steps[self.layer]
        height, width = self.sizes[step]
        shares = self.shares[step]
        if self.given is None:
            masks = shares.T.reshape(1, -1, height, width) if len(self.codes) > 1 else None
            self.used.moments.append(style_moments(x.float(), masks))
        else:
            self.used.moments.append(self.given.moments[self.layer])
        mean, var = (moment[0] for moment in self.used.moments[self.layer])
        scale, shift, gain = self.codes[:, self.offset : self.offset + 3 * c].chunk(3, dim=-1)
        scale = scale * torch.rsqrt(var + _EPS)
        shift = shift - (mean if self.given is None else mean - self._center(self.given)) * scale
        noise = noise_map(self.layer, self.seed, self.origin[0] // step, self.origin[1] // step, height, width)
        mixing = torch.cat([shares, shares * noise.flatten()[:, None]], 1).to(self.net.dtype)
        # In channels-last layout the picture is a matrix of pixels and channels.
        flat = x.permute(0, 2, 3, 1).reshape(-1, c)
        out = mixing @ torch.cat([shift, gain]).to(self.net.dtype)
        mixed_scale = shares.to(self.net.dtype) @ scale.to(self.net.dtype)
        torch.addcmul(out, flat, mixed_scale, out=out)
        self.layer, self.offset = self.layer + 1, self.offset + 3 * c
        return out.view(1, height, width, c).permute(0, 3, 1, 2)
