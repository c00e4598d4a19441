"""SegNet (Badrinarayanan et al., PAMI 2017): person or background, as Styfie uses it.

An encoder of 13 convolutions like VGG-16's, and a decoder that un-pools with the positions that the encoder's
max-pooling chose. Narrower than the published one, so that the weights stay small.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from selfieart.imaging.resize import resize
from selfieart.networks.blocks import conv_bn, fuse_batch_norms
from selfieart.parsing.choice import Faces, check_faces
from selfieart.parsing.parser import InputContract, check_size
from selfieart.parsing.parsing import Parsing
from selfieart.segments import INDEX, NAMES

DEPTHS = (2, 2, 3, 3, 3)


class SegNet(nn.Module):
    """Logit of "person" at the input's resolution.

    Args:
        widths: channels of the five stages.
    """

    def __init__(self, widths: tuple[int, ...] = (16, 32, 64, 96, 96)) -> None:
        super().__init__()
        encoder, decoder = [], []
        inputs = 3
        for width, depth in zip(widths, DEPTHS, strict=True):
            layers = []
            for _ in range(depth):
                layers.append(conv_bn(inputs, width))
                inputs = width
            encoder.append(nn.Sequential(*layers))
        for stage in range(len(widths) - 1, -1, -1):
            outputs = widths[stage - 1] if stage else widths[0]
            layers = [conv_bn(widths[stage], widths[stage]) for _ in range(DEPTHS[stage] - 1)]
            decoder.append(nn.Sequential(*layers, conv_bn(widths[stage], outputs)))
        self.encoder, self.decoder = nn.ModuleList(encoder), nn.ModuleList(decoder)
        self.classify = nn.Conv2d(widths[0], 1, 3, padding=1)
        # What the deep layers know is asked of them directly while they learn (Lee et al., "Deeply-Supervised Nets",
        # 2015): from the last layer alone thirteen convolutions and as many more learn several times more slowly.
        self.auxiliary = nn.ModuleList(nn.Conv2d(widths[max(0, i - 1)], 1, 1) for i in (5, 4, 3, 2))

    def forward(self, image: Tensor) -> Tensor:
        """(B, 3, H, W), normalised RGB, H and W multiples of 32 -> logits (B, 1, H, W)."""
        return self.heads(image, auxiliary=False)[0]

    def heads(self, image: Tensor, auxiliary: bool = True) -> list[Tensor]:
        """Logits (B, 1, H, W), and for training those of the deep layers at 1/32, 1/16, 1/8 and 1/4 of the size."""
        chosen, x = [], image
        for stage in self.encoder:
            x, positions = F.max_pool2d(stage(x), 2, return_indices=True)
            chosen.append(positions)
        deep = [x]
        for stage, positions in zip(self.decoder, reversed(chosen), strict=True):
            x = stage(F.max_unpool2d(x, positions, [2, 2]))
            deep.append(x)
        extra = [head(y) for head, y in zip(self.auxiliary, deep, strict=False)] if auxiliary else []
        return [self.classify(x), *extra]

    def fused(self) -> SegNet:
        """Fold every batch normalisation into its convolution, in place, for inference. Returns self."""
        fuse_batch_norms(self.eval())
        return self


class SegNetParser:
    """Person or background on the whole frame; it knows no parts of a face.

    The person is given as "skin", so every group that holds skin (person, everything ...) is the whole person.

    Args:
        net: SegNet.
        contract: its input contract.
        side: short side in pixels at which the frame is seen; the long side is at most twice that.
        canvas_side: long side of the logits, in pixels, unless the picture is smaller.
    """

    name = "segnet"

    def __init__(self, net: SegNet, contract: InputContract, side: int = 256, canvas_side: int = 768) -> None:
        self.net, self.contract, self.side, self.canvas_side = net, contract, side, canvas_side

    def parse(self, picture: Tensor, faces: Faces = "all") -> Parsing:
        """Parse a picture (3, H, W) in [0, 1], each side at least 8 pixels; ``faces`` of the result is empty.

        Raises:
            SelfieartError: the picture is too small, or ``faces`` is not "all", "largest" or a positive number.
        """
        check_faces(faces)
        height, width = check_size(picture)
        scale = min(1.0, self.canvas_side / max(height, width))
        canvas = resize(picture, (max(1, round(height * scale)), max(1, round(width * scale))))
        scale = min(self.side / min(height, width), 2 * self.side / max(height, width))
        m = self.contract.multiple
        size = (max(m, round(height * scale / m) * m), max(m, round(width * scale / m) * m))
        mean, std = (torch.tensor(v)[:, None, None] for v in (self.contract.mean, self.contract.std))
        with torch.inference_mode():
            person = self.net(((resize(canvas, size) - mean) / std)[None]).float()[0]
        person = resize(person, (canvas.shape[-2], canvas.shape[-1]))[0]
        logits = torch.full((len(NAMES), *person.shape), -40.0)
        logits[INDEX["background"]], logits[INDEX["skin"]] = -person / 2, person / 2
        return Parsing(logits, canvas, (), height, width)
