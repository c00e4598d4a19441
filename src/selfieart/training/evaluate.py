"""How near the preset styles come to their paintings, and how near they stay to the photo, as the teacher sees it."""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor

from selfieart.imaging import read_photo
from selfieart.painter import scaled
from selfieart.training.teacher import Teacher, load_teacher
from selfieart.transfer.feed_forward import PresetStylizer

LAYERS = ("vgg1_1", "vgg2_1", "vgg3_1", "vgg4_1", "vgg5_1")


def gram(features: Tensor) -> Tensor:
    """Gram matrix F F^T / (N D) of features (1, N, h, w) with D = h w positions (eq. 4): (N, N)."""
    flat = features[0].flatten(1)
    return flat @ flat.T / flat.numel()


def style_distance(picture: dict[str, Tensor], style: dict[str, Tensor]) -> float:
    """Mean over the layers of ||G(x) - G(s)||^2 / ||G(s)||^2."""
    distances = []
    for layer in LAYERS:
        wanted = gram(style[layer])
        distances.append(((gram(picture[layer]) - wanted).square().sum() / wanted.square().sum()).item())
    return sum(distances) / len(distances)


def content_distance(picture: dict[str, Tensor], content: dict[str, Tensor]) -> float:
    """||F(x) - F(c)||^2 / ||F(c)||^2 on relu4_2."""
    wanted = content["relu4_2"]
    return ((picture["relu4_2"] - wanted).square().sum() / wanted.square().sum()).item()


def _at(path: Path, side: int) -> Tensor:
    pixels = read_photo(path).pixels
    scale = side / min(pixels.shape[:2])
    return scaled(pixels, (round(pixels.shape[0] * scale), round(pixels.shape[1] * scale)))


def evaluate_presets(
    stylizer: PresetStylizer, paintings: dict[str, Path], photos: list[Path], teacher: Path, side: int = 384
) -> dict[str, dict[str, float]]:
    """Mean style and content distance of every preset over some photos.

    Args:
        stylizer: what is judged.
        paintings: preset name -> its painting.
        photos: whose content is painted.
        teacher: weights of :class:`selfieart.training.teacher.Teacher`.
        side: short side in pixels of photos and paintings.

    Returns:
        Preset name -> {"style": ..., "content": ...}, and their means under "mean".
    """
    judge: Teacher = load_teacher(teacher)
    out: dict[str, dict[str, float]] = {}
    with torch.inference_mode():
        contents = [_at(path, side) for path in photos]
        wanted = [judge(content[None], last="4_2") for content in contents]
        for name, painting in paintings.items():
            style = judge(_at(painting, side)[None], expand=True)
            painted = [judge(stylizer.stylize(content, name)[None], expand=True) for content in contents]
            out[name] = {
                "style": sum(style_distance(p, style) for p in painted) / len(photos),
                "content": sum(content_distance(p, w) for p, w in zip(painted, wanted, strict=True)) / len(photos),
            }
    out["mean"] = {key: sum(row[key] for row in out.values()) / len(out) for key in ("style", "content")}
    return out
