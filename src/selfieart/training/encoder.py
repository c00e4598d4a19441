"""Distil the perceptual encoder from the teacher, on photos, paintings and noise.

The teacher predicts VGG-19's features (64 to 512 channels). Their uncentred principal directions over the training
pictures are an orthonormal basis; the encoder learns the features in that basis. Gram matrices are matched too, because
they are what the encoder is for: a small error that is the same everywhere in a picture hardly shows in the features
and much in their second moments.
"""

from __future__ import annotations

import copy
import random
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor, nn

from selfieart.errors import SelfieartError
from selfieart.imaging import arrays
from selfieart.imaging.arrays import Pixels, as_picture
from selfieart.methods.gatys import Gatys, GatysOptions
from selfieart.networks.encoder import CHANNELS, LAYERS, Encoder, check_layers
from selfieart.networks.gram import gram, relative_error
from selfieart.networks.precision import fast_autocast
from selfieart.networks.tensors import as_pixels, as_tensor
from selfieart.render.loading import load_presets
from selfieart.training.labelled import held_out_names
from selfieart.training.loop import Schedule, fit, load_start
from selfieart.training.pictures import list_images, numpy_rng, random_crop, read_rgb, resize_short_side
from selfieart.training.teacher import Teacher, load_teacher

HELD_OUT = 24
LAYER_WEIGHTS = {"relu1_1": 0.5, "relu2_1": 0.8, "relu3_1": 1.0, "relu4_1": 1.2, "relu4_2": 1.2, "relu5_1": 1.0}


SCHEDULE = Schedule(3500, learning_rate=2e-3, muon=0.015, clip=2.0)
"""What is usual; the model cards say how the packaged weights were learned."""


@dataclass(frozen=True)
class EncoderTraining:
    """Settings of the encoder's training beside the schedule.

    Attributes:
        size: side of the crops in pixels.
        batch: crops in a batch.
        largest: greatest short side from which a crop is cut.
        gram: weight of the Gram error.
        forced: fraction of the steps in which every block gets the teacher's features as input (block-wise
            distillation, Wang et al. 2018): without it the deep blocks learn several times more slowly.
        painted: how many pictures are also learned from as our preset styles paint them.
        optimised: how many are also learned from as Gatys' method paints them with the weights at the start.
            Optimisation goes where the encoder errs in its favour; there it then learns what the teacher sees.
        basis_pictures: how many pictures the basis is computed from.
        only: layers whose block and read-out learn; all when empty. A block that was made anew learns alone first.
    """

    size: int = 192
    batch: int = 8
    largest: int = 512
    gram: float = 1.0
    forced: float = 0.4
    painted: int = 400
    optimised: int = 0
    basis_pictures: int = 96
    only: tuple[str, ...] = ()


def teacher_features(teacher: Teacher, images: Tensor) -> dict[str, Tensor]:
    """VGG-19's features as the teacher predicts them; relu4_2 is the teacher's own."""
    seen = teacher(images, expand=True)
    return {layer: seen[layer if layer == "relu4_2" else f"vgg{layer[4:]}"] for layer in LAYERS}


class EncoderTask:
    """Learning the teacher's features.

    Args:
        folders: photos and paintings.
        teacher: weights of :class:`Teacher`.
        options: settings.
        device: where to train.
        start: weights to start from.
        seed: of the first weights.
        steps: of the run, of which a fraction is forced.

    Raises:
        UnknownName: a layer that is to learn does not exist.
        SelfieartError: pictures are to be optimised without weights to start from.
    """

    parts = (
        "total",
        "handed",
        *(f"features {layer[4:]}" for layer in LAYERS),
        *(f"gram {layer[4:]}" for layer in LAYERS),
    )
    measures = ("features", "gram")

    def __init__(
        self,
        folders: list[Path],
        teacher: Path,
        options: EncoderTraining,
        device: torch.device,
        start: Path | None = None,
        seed: int = 0,
        steps: int = 1,
    ) -> None:
        learning = check_layers(options.only) or LAYERS
        if options.optimised and start is None:
            raise SelfieartError("Pictures are optimised with the weights of --start: give them, or no --optimised.")
        self.options, self.device, self.steps = options, device, steps
        self.teacher = load_teacher(teacher).to(device).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        names, found = held_out_names(), list_images(folders)
        self.pictures = [path for path in found if path.stem not in names]
        self.held_out = [path for path in found if path.stem in names][:: max(1, len(names) // HELD_OUT)]
        torch.manual_seed(seed)
        self.model = Encoder()
        self.painted = self._painted(seed)
        self.optimised: list[Pixels] = []
        self.basis, self.power = self._basis()
        per_channel = torch.stack([(self.power[layer] / CHANNELS[layer]).sqrt() for layer in LAYERS])
        self.model.scale.copy_(per_channel)  # type: ignore[operator]
        if start is not None:
            load_start(self.model, start)
            self.optimised = self._optimised(seed)
        for layer in set(LAYERS) - set(learning):
            self.model.blocks[layer].requires_grad_(False)
            self.model.reads[layer].requires_grad_(False)
        self.model = self.model.to(device).to(memory_format=torch.channels_last)  # type: ignore[call-overload]

    def _painted(self, seed: int) -> list[Pixels]:
        """Some pictures in preset styles: between a photo and a painting, where optimisation spends its time."""
        stylizer, rng = load_presets(), random.Random(f"{seed}/painted")
        copies = []
        for _ in range(self.options.painted if self.pictures else 0):
            content = as_picture(random_crop(read_rgb(rng.choice(self.pictures)), 256, (256, 384), rng))
            painted = stylizer.stylize(content, rng.choice(stylizer.styles()))
            copies.append(arrays.as_pixels(content + np.float32(rng.uniform(0.2, 1.0)) * (painted - content)))
        return copies

    def _optimised(self, seed: int) -> list[Pixels]:
        """Pictures on which the encoder as it is agrees with a painting more than the teacher may."""
        encoder = copy.deepcopy(self.model).requires_grad_(False).eval()
        method, rng, results = Gatys(encoder), random.Random(f"{seed}/optimised"), []
        for _ in range(self.options.optimised if self.pictures else 0):
            content, style = (
                as_tensor(random_crop(read_rgb(rng.choice(self.pictures)), 224, (224, 384), rng)) for _ in range(2)
            )
            options = GatysOptions(side=224, iterations=rng.randint(10, 45), seed=rng.randrange(2**31))
            results.append(as_pixels(method.stylize_regions(content, [style], options=options)))
        return results

    def _basis(self) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
        """Leading principal directions (N, n) of every layer, and the mean power of its features in them."""
        rng = random.Random("basis")
        chosen = rng.sample(self.pictures, min(self.options.basis_pictures, len(self.pictures)))
        moments: dict[str, Tensor] = {}
        inner: dict[str, float] = {}
        for path in chosen:
            crop = random_crop(read_rgb(path), 256, (256, 384), rng)
            image = torch.from_numpy(crop).permute(2, 0, 1)[None].float().to(self.device) / 255
            with torch.no_grad():
                for layer, features in self.teacher(image).items():
                    inner[layer] = inner.get(layer, 0.0) + features.square().mean().item() / len(chosen)
                for layer, features in teacher_features(self.teacher, image).items():
                    flat = features[0].flatten(1).double()
                    moments[layer] = moments.get(layer, torch.zeros(())) + flat @ flat.T / flat.shape[1]
        self.size_of = {layer: value**0.5 for layer, value in inner.items()}
        basis, power = {}, {}
        for layer, moment in moments.items():
            _, vectors = torch.linalg.eigh(moment.cpu() / len(chosen))
            directions = vectors[:, -CHANNELS[layer] :].flip(1)
            # An eigenvector's sign is arbitrary; this makes it the same everywhere.
            directions = directions * torch.sign(directions.sum(0) + 1e-12)
            basis[layer] = directions.float().to(self.device)
            power[layer] = (directions * (moment.cpu() / len(chosen) @ directions)).sum().float().to(self.device)
        return basis, power

    def wanted(self, images: Tensor) -> dict[str, Tensor]:
        """The teacher's features (B, n, h, w) in the basis."""
        with torch.no_grad():
            self.inner = self.teacher(images, expand=True)
            seen = {layer: self.inner[layer if layer == "relu4_2" else f"vgg{layer[4:]}"] for layer in LAYERS}
            return {k: F.conv2d(v, self.basis[k].T[..., None, None].to(v)) for k, v in seen.items()}

    def groups(self) -> list[dict[str, Any]]:
        """The parameters that learn, at one pace."""
        return [{"params": [p for p in self.model.parameters() if p.requires_grad]}]

    def make_batch(self, rng: random.Random) -> Tensor:
        """Crops (B, 3, s, s) in [0, 1]: pictures, some of them noisy or recoloured, and pure noise."""
        size, crops = self.options.size, []
        for _ in range(self.options.batch):
            kind = rng.random()
            if self.optimised and kind < 0.25:
                pixels = rng.choice(self.optimised)
            elif self.painted and kind < (0.4 if self.optimised else 0.25):
                pixels = rng.choice(self.painted)
            else:
                pixels = read_rgb(rng.choice(self.pictures))
            crop = random_crop(pixels, size, (size, self.options.largest), rng)
            crops.append(disturbed(crop, rng))
        return torch.from_numpy(np.stack(crops)).permute(0, 3, 1, 2)

    def losses(self, batch: Tensor, step: int, generator: torch.Generator) -> dict[str, Tensor]:
        """Relative errors of features and Gram matrices, layer by layer, and of what each block hands on.

        While ``options.forced`` lasts, every block is given the teacher's features as input and so learns at once,
        instead of waiting for those before it; then they learn together, each from the one before it.
        """
        forced = step < self.options.forced * self.steps
        images = batch.to(self.device).contiguous(memory_format=torch.channels_last)
        handed, got = torch.zeros((), device=self.device), {}
        with fast_autocast(self.device):
            wanted = self.wanted(images)
            x = images * 2 - 1
            for layer in LAYERS:
                x = self.model.blocks[layer](x)
                got[layer] = self.model.read(layer, x)
                aim = self.inner[layer] / self.size_of[layer]
                own = aim.square().mean((1, 2, 3), dtype=torch.float32)
                handed = handed + ((x - aim).square().mean((1, 2, 3), dtype=torch.float32) / (own + 0.1)).mean()
                x = aim if forced else x
        out = {"total": (1.0 if forced else 0.3) * handed, "handed": handed}
        for layer in LAYERS:
            mine, theirs = got[layer], wanted[layer]
            # Relative to each picture's own power: pure noise has a hundred times that of a face.
            own = theirs.square().sum((1, 2, 3), dtype=torch.float32) / theirs[0, 0].numel()
            apart = (mine - theirs).square().sum((1, 2, 3), dtype=torch.float32) / theirs[0, 0].numel()
            error = (apart / (own + 0.1 * self.power[layer])).mean()
            second = relative_error(gram(mine).float(), gram(theirs).float()).clamp_max(4).mean()
            out[f"features {layer[4:]}"], out[f"gram {layer[4:]}"] = error, second
            out["total"] = out["total"] + LAYER_WEIGHTS[layer] * (error + self.options.gram * second)
        return out

    def measure(self, model: nn.Module) -> dict[str, float]:
        """Mean relative errors of features and Gram matrices over held-out pictures at 256 px."""
        features, second = [], []
        with torch.inference_mode():
            for path in self.held_out:
                pixels = resize_short_side(read_rgb(path), 256)[:256, :256]
                image = torch.from_numpy(pixels).permute(2, 0, 1)[None].float().to(self.device) / 255
                wanted, got = self.wanted(image), model(image)
                features.append([relative_error(got[k], wanted[k]).item() for k in LAYERS])
                second.append([relative_error(gram(got[k]), gram(wanted[k])).item() for k in LAYERS])
        return {"features": float(np.mean(features)), "gram": float(np.mean(second))} if features else {}

    def sheet(self, model: nn.Module) -> NDArray[np.uint8] | None:
        """Energy of every layer, the teacher's above the encoder's, for two held-out pictures."""
        rows: list[Pixels] = []
        for path in self.held_out[:2]:
            pixels = resize_short_side(read_rgb(path), 256)[:256, :256]
            image = torch.from_numpy(pixels).permute(2, 0, 1)[None].float().to(self.device) / 255
            with torch.inference_mode():
                pair = (self.wanted(image), model(image))
            for seen in pair:
                energies: list[Tensor] = [seen[layer][0].float().square().sum(0).sqrt() for layer in LAYERS]
                grey = [(e / (e.max() + 1e-6) * 255).byte().cpu().numpy() for e in energies]
                shown = [np.asarray(cv2.resize(g, (256, 256)), np.uint8) for g in grey]
                rows.append(np.concatenate([pixels, *(np.repeat(m[..., None], 3, 2) for m in shown)], axis=1))
        return np.concatenate(rows) if rows else None


def disturbed(crop: Pixels, rng: random.Random) -> NDArray[np.float32]:
    """A crop in [0, 1] as optimisation sees pictures on its way: mostly clean, at times noisy, pale, or noise alone."""
    x: NDArray[np.float32] = crop.astype(np.float32) / np.float32(255)
    chance = numpy_rng(rng)
    kind = rng.random()
    if kind < 0.12:
        x = (x - 0.5) * rng.uniform(0.2, 1.6) + 0.5 + chance.uniform(-0.2, 0.2, 3).astype(np.float32)
    if 0.08 < kind < 0.25:
        noise = chance.standard_normal(x.shape, np.float32)
        if rng.random() < 0.5:
            noise = np.asarray(cv2.GaussianBlur(noise, (0, 0), rng.uniform(0.5, 3)), np.float32) * 3
        x = x + noise * np.float32(rng.uniform(0.02, 0.3))
    elif kind > 0.96:
        x = 0.5 + chance.standard_normal(x.shape, np.float32) * np.float32(rng.uniform(0.05, 0.4))
    return np.clip(x, -0.1, 1.1).astype(np.float32)


def train_encoder(
    folders: list[Path],
    teacher: Path,
    out: Path,
    options: EncoderTraining | None = None,
    schedule: Schedule | None = None,
    device: torch.device | None = None,
    start: Path | None = None,
) -> dict[str, Any]:
    """Distil the encoder and write its weights; see :func:`selfieart.training.loop.fit`.

    Args:
        folders: photos and paintings.
        teacher: weights of the teacher.
        out: file to write.
        options, schedule: settings.
        device: where to train; the CPU when left out.
        start: weights to start from.
    """
    options = options or EncoderTraining()
    schedule = schedule or SCHEDULE
    task = EncoderTask(folders, teacher, options, device or torch.device("cpu"), start, schedule.seed, schedule.steps)
    counts = {"pictures": len(task.pictures), "held_out": len(task.held_out)}
    return fit(task, schedule, out, {**asdict(options), **counts, "start": start and start.name})
