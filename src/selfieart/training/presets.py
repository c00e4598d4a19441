"""Train StyleNet and one code per painting: the preset styles.

What matters, in order (each was measured):

1. A new network first learns to reproduce its input; without that, style wins and faces dissolve.
2. Content is compared on instance-normalised features: structure is kept, colour and contrast are left to the style.
3. Style is the relative error of channel means plus that of the centred covariances, on VGG-19-sized features. The
   plain Gram error is dominated by the means and ignores texture.
4. The same style error on each quarter of the picture: otherwise a whole palette gathers in one flat dark area.
5. Content counts more on faces, and most on eyes, nose and mouth: walls take bold strokes while faces stay readable.
6. Light and dark stay where they are, seen from afar: strokes may not turn into clouds that hide the subject.
7. Fresh noise in every normalisation: flat walls get strokes instead of one pattern repeated in every 8-pixel cell.
"""

from __future__ import annotations

import csv
import math
import random
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from queue import Queue
from threading import Thread

import cv2
import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from selfieart.imaging import read_photo
from selfieart.masks import soft_masks
from selfieart.parsing.parser import FaceParser
from selfieart.parsing.registry import load_parser
from selfieart.segments import GROUPS, INDEX, NAMES
from selfieart.training.teacher import Teacher, load_teacher
from selfieart.transfer.style_net import StyleNet, channels_last

STYLE_LAYERS = ("relu1_1", "vgg2_1", "vgg3_1", "vgg4_1", "vgg5_1")
STYLE_WEIGHTS = {"relu1_1": 0.7, "vgg2_1": 1.0, "vgg3_1": 1.2, "vgg4_1": 1.2, "vgg5_1": 0.6}
CONTENT_WEIGHTS = {"relu3_1": 0.12, "relu4_2": 0.3}
PARTS = ("total", "content", "mean", "covariance", "local", "variation", "light")
"""Terms of the loss, in the order of the CSV's columns."""

SUFFIXES = {".jpg", ".jpeg", ".png"}


@dataclass(frozen=True)
class PresetTraining:
    """Settings of one run. The manifest says with which steps and learning rate the packaged weights were made."""

    steps: int = 6000
    crop: int = 256
    batch: int = 4
    style_size: int = 512
    largest_content: int = 512
    style_weight: float = 2.0
    local_weight: float = 0.2
    light_weight: float = 0.35
    face_weight: float = 2.0
    feature_weight: float = 4.0
    rest_weight: float = 0.7
    variation_weight: float = 0.3
    learning_rate: float = 2e-3
    code_pace: float = 3.0
    warm_up: int = 150
    ema: float = 0.998
    seed: int = 0
    save_every: int = 200


class PresetStyles(nn.Module):
    """StyleNet with one learned code per style; what the weight file of the presets holds."""

    def __init__(self, styles: int) -> None:
        super().__init__()
        self.net = StyleNet()
        code = torch.cat([torch.cat([torch.ones(n.channels), torch.zeros(2 * n.channels)]) for n in self.net.norms])
        self.codes = nn.Parameter(code.repeat(styles, 1))

    def forward(self, image: Tensor, style: Tensor, noise: list[Tensor]) -> Tensor:
        """(B, 3, H, W) and style indices (B,) -> (B, 3, H, W)."""
        return self.net(image, self.codes[style][:, None], noise=noise)  # type: ignore[no-any-return]


def list_images(folders: list[Path]) -> list[Path]:
    """All pictures in some folders and below, sorted."""
    return sorted(p for folder in folders for p in folder.rglob("*") if p.suffix.lower() in SUFFIXES)


def read_rgb(path: Path) -> NDArray[np.uint8]:
    """A picture as uint8 (H, W, 3)."""
    return read_photo(path).pixels


def resize_short_side(pixels: NDArray[np.uint8], short_side: int) -> NDArray[np.uint8]:
    """Resize (H, W, 3) so that its short side has a number of pixels."""
    scale = short_side / min(pixels.shape[:2])
    size = (max(short_side, round(pixels.shape[1] * scale)), max(short_side, round(pixels.shape[0] * scale)))
    return cv2.resize(pixels, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC)  # type: ignore[return-value]


def content_crop(path: Path, options: PresetTraining, rng: random.Random) -> NDArray[np.uint8]:
    """A random crop at a random scale, mirrored half of the time, sometimes darkened or with a flat patch."""
    size = options.crop
    short = round(size * (options.largest_content / size) ** rng.random())
    pixels = resize_short_side(read_rgb(path), short)
    top, left = rng.randint(0, pixels.shape[0] - size), rng.randint(0, pixels.shape[1] - size)
    pixels = pixels[top : top + size, left : left + size]
    if rng.random() < 0.5:
        pixels = pixels[:, ::-1]
    if rng.random() < 0.35:
        gain, gamma = rng.uniform(0.15, 1.3), math.exp(rng.uniform(-0.5, 0.9))
        pixels = (np.clip((pixels / 255.0) ** gamma * gain, 0, 1) * 255).astype(np.uint8)
    if rng.random() < 0.25:
        pixels = pixels.copy()
        height, width = rng.randint(size // 4, size * 3 // 4), rng.randint(size // 4, size * 3 // 4)
        top, left = rng.randint(0, size - height), rng.randint(0, size - width)
        lightest = rng.choice((0, 12, 40, 255, 255))
        pixels[top : top + height, left : left + width] = [rng.randint(0, lightest) for _ in range(3)]
    return np.ascontiguousarray(pixels)


def batches(contents: list[Path], styles: int, options: PresetTraining, first: int) -> Iterator[tuple[Tensor, Tensor]]:
    """Content (B, 3, H, W) in [0, 1] and style indices (B,) made ahead in a thread; step n depends on the seed only."""
    ready: Queue[tuple[Tensor, Tensor]] = Queue(4)

    def work() -> None:
        for step in range(first, options.steps):
            rng = random.Random(f"{options.seed}/{step}")
            crops = [content_crop(rng.choice(contents), options, rng) for _ in range(options.batch)]
            style = torch.tensor([rng.randrange(styles) for _ in range(options.batch)])
            ready.put((torch.from_numpy(np.stack(crops)).permute(0, 3, 1, 2).float() / 255, style))

    Thread(target=work, daemon=True).start()
    for _ in range(first, options.steps):
        yield ready.get()


def fresh_noise(net: StyleNet, batch: int, size: int, generator: torch.Generator) -> list[Tensor]:
    """Standard normal noise (batch, 1, h, w) for every normalisation."""
    sides = [size // norm.step for norm in net.norms]
    return [torch.randn(batch, 1, side, side, generator=generator) for side in sides]


def moments(features: Tensor) -> tuple[Tensor, Tensor]:
    """(B, C, H, W) -> channel means (B, C) and centred covariance (B, C, C); products in the features' precision."""
    flat = features.flatten(2)
    mean = flat.mean(2, keepdim=True, dtype=torch.float32)
    flat = flat - mean.to(flat)
    return mean[..., 0], (flat @ flat.transpose(1, 2)).float() / flat.shape[2]


def pooled_moments(mean: Tensor, cov: Tensor) -> tuple[Tensor, Tensor]:
    """Moments (4B, C), (4B, C, C) of quarters -> moments (B, C), (B, C, C) of the whole (law of total covariance)."""
    mean, cov = mean.view(4, -1, *mean.shape[1:]), cov.view(4, -1, *cov.shape[1:])
    whole = mean.mean(0)
    apart = mean - whole
    return whole, cov.mean(0) + torch.einsum("qbi,qbj->bij", apart, apart) / 4


def quarters(features: Tensor) -> Tensor:
    """(B, C, H, W) -> (4B, C, H/2, W/2), the four quarters of each picture."""
    top, bottom = features.chunk(2, 2)
    return torch.cat([*top.chunk(2, 3), *bottom.chunk(2, 3)])


def statistics_error(mean: Tensor, cov: Tensor, wanted_mean: Tensor, wanted_cov: Tensor) -> tuple[Tensor, Tensor]:
    """Relative squared errors (B,) of means (B, C) and covariances (B, C, C)."""
    mean_error = (mean - wanted_mean).square().sum(1) / wanted_mean.square().sum(1)
    return mean_error, (cov - wanted_cov).square().sum((1, 2)) / wanted_cov.square().sum((1, 2))


def instance_norm(features: Tensor) -> Tensor:
    """Features (B, C, H, W) with mean 0 and variance 1 per channel; silent channels stay small."""
    var, mean = torch.var_mean(features, dim=(2, 3), keepdim=True)
    return (features - mean) * torch.rsqrt(var + 1e-4 * var.mean())


def content_error(got: Tensor, wanted: Tensor, importance: Tensor) -> Tensor:
    """Mean squared difference of instance-normalised features (B, C, h, w), weighted by place (B, 1, H, W)."""
    weight = F.adaptive_avg_pool2d(importance, (got.shape[-2], got.shape[-1]))
    return ((instance_norm(got) - instance_norm(wanted)).square() * weight).mean()


def light_error(result: Tensor, content: Tensor, cell: int = 16) -> Tensor:
    """Mean squared difference of normalised luminance, averaged over cells of some pixels: light seen from afar."""
    luminance = torch.tensor([0.299, 0.587, 0.114])[:, None, None]
    got, wanted = (F.avg_pool2d((x * luminance).sum(1, keepdim=True), cell) for x in (result, content))
    return (instance_norm(got) - instance_norm(wanted)).square().mean()


class Importance:
    """How much the content counts at each place: more on faces, most on their features.

    Args:
        options: gives the three weights.
    """

    def __init__(self, options: PresetTraining) -> None:
        parser = load_parser("bisenet")
        assert isinstance(parser, FaceParser)
        self.parser = parser
        weights = torch.full((len(NAMES),), options.rest_weight)
        weights[sorted(GROUPS["face"])] = options.face_weight
        weights[[INDEX[n] for n in ("nose", "mouth")]] = options.feature_weight
        weights[sorted(GROUPS["eyes"] | GROUPS["brows"] | GROUPS["lips"])] = options.feature_weight
        self.weights = weights

    def __call__(self, content: Tensor) -> Tensor:
        """(B, 3, H, W) in [0, 1] -> (B, 1, H/4, W/4)."""
        contract = self.parser.contract
        mean, std = (torch.tensor(v)[:, None, None] for v in (contract.mean, contract.std))
        with torch.no_grad():
            masks = soft_masks(self.parser.net((content - mean) / std).float())
        return F.avg_pool2d(torch.einsum("bkhw,k->bhw", masks, self.weights)[:, None], 3, 1, 1)


class StyleTargets:
    """Channel means and covariances of every style painting, per layer."""

    def __init__(self, teacher: Teacher, paintings: list[Path], short_side: int) -> None:
        self.means: dict[str, Tensor] = {}
        self.covs: dict[str, Tensor] = {}
        collected: dict[str, list[tuple[Tensor, Tensor]]] = {layer: [] for layer in STYLE_LAYERS}
        for path in paintings:
            pixels = (
                torch.from_numpy(resize_short_side(read_rgb(path), short_side)).permute(2, 0, 1)[None].float() / 255
            )
            with torch.no_grad():
                features = teacher(pixels, expand=True)
            for layer in STYLE_LAYERS:
                collected[layer].append(moments(features[layer]))
        for layer, values in collected.items():
            self.means[layer] = torch.cat([mean for mean, _ in values])
            self.covs[layer] = torch.cat([cov for _, cov in values])


def losses(
    result: Tensor,
    content: Tensor,
    style: Tensor,
    importance: Tensor,
    teacher: Teacher,
    targets: StyleTargets,
    options: PresetTraining,
) -> dict[str, Tensor]:
    """All terms of the loss by name; "total" is what is minimised."""
    with torch.autocast(result.device.type, dtype=torch.bfloat16):
        with torch.no_grad():
            wanted = teacher(content, last="4_2")
        got = teacher(result, expand=True)
    content_loss = sum(
        weight * content_error(got[k].float(), wanted[k].float(), importance) for k, weight in CONTENT_WEIGHTS.items()
    )
    mean_loss = cov_loss = local_loss = torch.zeros(())
    for layer in STYLE_LAYERS:
        wanted_mean, wanted_cov = targets.means[layer][style], targets.covs[layer][style]
        weight = STYLE_WEIGHTS[layer] / sum(STYLE_WEIGHTS.values())
        mean, cov = moments(quarters(got[layer]))
        local = statistics_error(mean, cov, wanted_mean.repeat(4, 1), wanted_cov.repeat(4, 1, 1))
        whole = statistics_error(*pooled_moments(mean, cov), wanted_mean, wanted_cov)
        mean_loss = mean_loss + weight * whole[0].mean()
        cov_loss = cov_loss + weight * whole[1].mean()
        local_loss = local_loss + weight * (local[0].clamp_max(4).mean() + local[1].clamp_max(4).mean())
    variation = result.diff(dim=3).square().mean() + result.diff(dim=2).square().mean()
    out_of_range = (F.relu(result - 1).square() + F.relu(-result).square()).mean()
    total = content_loss + options.style_weight * (2 * mean_loss + cov_loss + options.local_weight * local_loss)
    light = light_error(result, content)
    total = total + options.light_weight * light + options.variation_weight * variation + 5 * out_of_range
    parts = {"total": total, "content": content_loss, "mean": mean_loss, "covariance": cov_loss, "local": local_loss}
    return parts | {"variation": variation, "light": light}  # type: ignore[return-value]


def learning_rate(step: int, options: PresetTraining) -> float:
    """Linear warm-up, then a cosine to 2 %."""
    progress = step / options.steps
    return options.learning_rate * min(1.0, (step + 1) / 50) * max(0.02, 0.5 * (1 + math.cos(math.pi * progress)))


def train_presets(
    styles: list[Path],
    contents: list[Path],
    teacher: Path,
    out: Path,
    options: PresetTraining | None = None,
    start: Path | None = None,
) -> None:
    """Train and write ``out`` (safetensors, float16, the EMA weights). A killed run goes on from ``out`` + ``.state``.

    Args:
        styles: paintings, in the order of their codes.
        contents: folders of photos.
        teacher: weights of :class:`Teacher`.
        out: file to write; losses go to the CSV beside it.
        options: settings of the run.
        start: weights to start from (then the learning to reproduce the input is left out).
    """
    options = options or PresetTraining()
    cv2.setNumThreads(1)
    judge = load_teacher(teacher)
    targets = StyleTargets(judge, styles, options.style_size)
    importance = Importance(options)
    photos = list_images(contents)
    torch.manual_seed(options.seed)
    model = channels_last(PresetStyles(len(styles)))
    if start is not None:
        model.load_state_dict({k: v.float() for k, v in load_file(start).items()})
    average = {k: v.clone() for k, v in model.state_dict().items()}
    # A code is seen only when its style is drawn, so it may move faster than the trunk.
    groups = [
        {"params": list(model.net.parameters()), "pace": 1.0},
        {"params": [model.codes], "pace": options.code_pace},
    ]
    optimiser = torch.optim.Adam(groups, betas=(0.9, 0.99))
    state, step = out.with_suffix(".state"), 0
    if state.exists():
        saved = torch.load(state, weights_only=True)
        model.load_state_dict(saved["model"])
        optimiser.load_state_dict(saved["optimiser"])
        average, step = saved["average"], saved["step"]
    clock, sums = time.time(), dict[str, float]()
    for content, style in batches(photos, len(styles), options, step):
        for group in optimiser.param_groups:
            group["lr"] = learning_rate(step, options) * group["pace"]
        generator = torch.Generator().manual_seed(options.seed * 1_000_003 + step)
        content = content.contiguous(memory_format=torch.channels_last)
        with torch.autocast(content.device.type, dtype=torch.bfloat16):
            result = model(content, style, fresh_noise(model.net, len(content), options.crop, generator)).float()
        if start is None and step < options.warm_up:
            parts = {"total": 20 * F.mse_loss(result, content) + F.l1_loss(result, content)}
        else:
            parts = losses(result, content, style, importance(content), judge, targets, options)
        optimiser.zero_grad()
        parts["total"].backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(model.parameters(), 2.0)
        optimiser.step()
        step += 1
        decay = min(options.ema, step / (step + 20))
        for key, value in model.state_dict().items():
            average[key].lerp_(value, 1 - decay)
        for key, loss in parts.items():
            sums[key] = sums.get(key, 0.0) + loss.item() / 50
        if step % 50 == 0:
            row = [step, *(f"{sums.get(part, math.nan):.4f}" for part in PARTS), f"{(time.time() - clock) / 50:.2f}"]
            append_row(out.with_suffix(".csv"), ["step", *PARTS, "seconds"], row)
            print(*row, flush=True)
            clock, sums = time.time(), {}
        if step % options.save_every == 0 or step == options.steps:
            write_half(average, out)
            now = {"model": model.state_dict(), "optimiser": optimiser.state_dict(), "average": average, "step": step}
            torch.save(now, state.with_suffix(".part"))
            state.with_suffix(".part").replace(state)


def append_row(path: Path, header: list[str], row: list[object]) -> None:
    """Add a row to a CSV file, which begins with the header."""
    new = not path.exists()
    with path.open("a", newline="") as file:
        csv.writer(file).writerows([header, row] if new else [row])


def write_half(tensors: dict[str, Tensor], out: Path) -> None:
    """Write float16 safetensors; the old file stays whole until the new one is."""
    temporary = out.with_suffix(".tmp")
    save_file({k: v.half().contiguous() for k, v in tensors.items()}, temporary)
    temporary.replace(out)
