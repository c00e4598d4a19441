"""Fit a style code to one picture, the network frozen: a preset of a person's own, in minutes on a CPU.

The start is the predicted code, or the mean of the presets' codes where the weights predict none; the judge is the
packaged encoder, so nothing else is needed.
"""

from __future__ import annotations

import json
import random
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import save_file
from torch import Tensor

from selfieart.errors import SelfieartError
from selfieart.imaging import read_photo
from selfieart.imaging.arrays import Pixels, as_picture
from selfieart.networks.encoder import STYLE_LAYERS
from selfieart.networks.packaged import load_encoder, load_style_net
from selfieart.networks.precision import fast_autocast
from selfieart.paths import atomic_write, check_target
from selfieart.progress import Progress, silent
from selfieart.render.loading import load_presets
from selfieart.styles.any_style import CODE_SUFFIX, at_reading_size
from selfieart.training.pictures import list_images, random_crop, read_rgb
from selfieart.training.style_losses import (
    Importance,
    StyleWeights,
    content_error,
    light_error,
    moments,
    out_of_range,
    style_errors,
    total_variation,
)  # fmt: skip
from selfieart.weights import manifest

LAYER_WEIGHTS = dict(zip(STYLE_LAYERS, (0.7, 1.0, 1.2, 1.2, 0.6), strict=True))
CONTENT_LAYERS = {"relu3_1": 0.12, "relu4_2": 0.3}


@dataclass(frozen=True)
class FittedStyle:
    """What fitting gave.

    Attributes:
        code: (D,).
        before, after: style error (means and covariances, relative) of the code at the start and of the fitted one,
            on the same contents.
    """

    code: Tensor
    before: float
    after: float


def fit_style(
    picture: Path,
    out: Path,
    contents: list[Path] | None = None,
    steps: int = 150,
    seed: int = 0,
    overwrite: bool = False,
    progress: Progress = silent,
) -> FittedStyle:
    """Fit a code to a picture and write it as a style file.

    Args:
        picture: the painting.
        out: file to write, ending in .safetensors.
        contents: folders of photos to paint while learning; the packaged portrait and the picture when left out.
        steps: optimiser steps.
        seed: of crops and noise.
        overwrite: whether ``out`` may be replaced.
        progress: told how far it is; may raise Cancelled.

    Raises:
        SelfieartError: the ending is another one, the file exists, or the picture is too small.
        ImageError: the picture cannot be read.
    """
    if out.suffix.lower() != CODE_SUFFIX:
        raise SelfieartError(
            f"A style is saved as {CODE_SUFFIX}, not as '{out.suffix}': name it {out.stem}{CODE_SUFFIX}."
        )
    check_target(out, overwrite)
    stylizer, net, encoder = load_presets(), load_style_net(), load_encoder()
    rng = random.Random(f"{seed}/style")
    generator = torch.Generator().manual_seed(seed)
    importance = Importance(StyleWeights(), torch.device("cpu"))
    seen = at_reading_size(as_picture(read_photo(picture).pixels))
    painting = torch.from_numpy(seen)
    with torch.no_grad():
        wanted = {k: moments(v) for k, v in encoder(painting[None], STYLE_LAYERS).items()}
    sources = [read_rgb(path) for path in list_images(contents)] if contents else [_portrait(), read_rgb(picture)]
    start = stylizer.encode_picture(seen) if stylizer.any_style else np.mean(list(stylizer.codes.values()), 0)
    code = torch.from_numpy(start).clone().requires_grad_(True)
    optimiser = torch.optim.Adam([code], lr=1e-2, betas=(0.9, 0.99))

    def noise() -> list[Tensor]:
        sides = [256 // norm.step for norm in net.norms]
        return [torch.randn(2, 1, side, side, generator=generator) for side in sides]

    def error(now: Tensor) -> float:
        """On crops and noise that are the same for both codes."""
        fixed, found = random.Random(f"{seed}/judge"), []
        generator.manual_seed(seed + 1)
        for _ in range(4):
            content = _crops(sources, fixed)
            with torch.no_grad():
                result = net(content, now.expand(2, 1, -1), noise=noise())
                mean, covariance, _ = style_errors(encoder(result, STYLE_LAYERS), wanted_for(2), LAYER_WEIGHTS)
            found.append((2 * mean + covariance).item())
        return float(np.mean(found))

    def wanted_for(count: int) -> dict[str, tuple[Tensor, Tensor]]:
        return {k: (m.expand(count, -1), c.expand(count, -1, -1)) for k, (m, c) in wanted.items()}

    before = error(code.detach())
    generator.manual_seed(seed)
    weights = StyleWeights()
    for step in range(steps):
        progress("fit", step / steps)
        for group in optimiser.param_groups:
            group["lr"] = 1e-2 * min(1.0, (step + 1) / 10) * (1 - 0.9 * step / steps)
        content = _crops(sources, rng)
        with fast_autocast(torch.device("cpu")):
            result = net(content, code.expand(2, 1, -1), noise=noise()).float()
            got = encoder(result, {*STYLE_LAYERS, *CONTENT_LAYERS})
            with torch.no_grad():
                seen = encoder(content, CONTENT_LAYERS)
        loss = 5 * out_of_range(result) + weights.light * light_error(result, content)
        loss = loss + weights.variation * total_variation(result)
        where = importance(content)
        for layer, weight in CONTENT_LAYERS.items():
            loss = loss + weight * content_error(got[layer].float(), seen[layer].float(), where)
        mean, covariance, local = style_errors(got, wanted_for(2), LAYER_WEIGHTS)
        loss = loss + weights.style * (2 * mean + covariance + weights.local * local)
        optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimiser.step()
    fitted = code.detach()
    result_after = error(fitted)
    note = {"style": picture.stem, "weights": manifest()["presets"].sha256, "steps": steps}
    with atomic_write(out, overwrite) as temporary:
        save_file({"code": fitted.contiguous()}, temporary, metadata={"selfieart": json.dumps(note)})
    progress("fit", 1.0)
    return FittedStyle(fitted, before, result_after)


def _portrait() -> Pixels:
    with resources.as_file(resources.files("selfieart").joinpath("data", "astronaut.jpg")) as path:
        return read_rgb(path)


def _crops(sources: list[Pixels], rng: random.Random) -> Tensor:
    """Two crops (2, 3, 256, 256) in [0, 1]."""
    crops = [random_crop(rng.choice(sources), 256, (256, 512), rng) for _ in range(2)]
    x = torch.from_numpy(np.stack(crops)).permute(0, 3, 1, 2).float() / 255
    return x.contiguous(memory_format=torch.channels_last)
