"""Turned and resized copies of a style picture, so that patches fit shapes that lie otherwise in the content."""

from __future__ import annotations

import math
from collections.abc import Iterator

import cv2
import torch
from torch import Tensor

from selfieart.errors import SelfieartError
from selfieart.networks.encoder import SMALLEST_SIDE
from selfieart.networks.tensors import resize
from selfieart.sizes import scaled_size

MOST = 8


def check_variants(rotations: tuple[float, ...], sizes: tuple[float, ...]) -> None:
    """Refuse copies that cannot be made.

    Raises:
        SelfieartError: an angle or a factor is no number or out of range, or there are too many.
    """
    for name, values, low, high in (("rotations", rotations, -45.0, 45.0), ("sizes", sizes, 0.5, 2.0)):
        numbers = isinstance(values, tuple) and all(
            isinstance(v, int | float) and not isinstance(v, bool) and low <= v <= high for v in values
        )
        if not numbers or len(values) > MOST:
            raise SelfieartError(f"{name} must be a tuple of up to {MOST} numbers from {low:g} to {high:g}.")


def variants(
    picture: Tensor, masks: Tensor | None, rotations: tuple[float, ...], sizes: tuple[float, ...]
) -> Iterator[tuple[Tensor, Tensor | None]]:
    """A picture and its copies, each with its masks.

    Args:
        picture: (3, h, w) in [0, 1].
        masks: (K, h, w), or None.
        rotations: degrees; a turned copy is cut to the largest upright part of it that is all picture.
        sizes: factors; a copy too small for the encoder is left out.
    """
    yield picture, masks
    height, width = picture.shape[-2:]
    both = picture if masks is None else torch.cat([picture, masks])
    copies = [_turned(both, angle) for angle in rotations if angle % 360]
    copies += [resize(both, scaled_size((height, width), s), "linear") for s in sizes if s != 1]
    for copy in copies:
        if min(copy.shape[-2:]) >= SMALLEST_SIDE:
            yield copy[:3].clamp(0, 1), None if masks is None else copy[3:]


def _turned(planes: Tensor, angle: float) -> Tensor:
    """Planes (C, h, w) turned counter-clockwise by degrees and cut to (C, a, b) without a corner from outside."""
    height, width = planes.shape[-2:]
    a, b = _upright_part(height, width, math.radians(abs(angle)))
    matrix = cv2.getRotationMatrix2D(((width - 1) / 2, (height - 1) / 2), angle, 1.0)
    matrix[0, 2] += (b - width) / 2
    matrix[1, 2] += (a - height) / 2
    turned = [cv2.warpAffine(p.contiguous().numpy(), matrix, (b, a), borderMode=cv2.BORDER_REFLECT) for p in planes]
    return torch.stack([torch.from_numpy(p) for p in turned])


def _upright_part(height: int, width: int, angle: float) -> tuple[int, int]:
    """Height and width of the largest upright rectangle in a rectangle turned by an angle from 0 to pi / 4."""
    sin, cos = math.sin(angle), math.cos(angle)
    short, long = min(height, width), max(height, width)
    if short <= 2 * sin * cos * long:
        # Two of its corners touch the long sides, the others touch nothing.
        along, over = short / (2 * sin), short / (2 * cos)
        sides = (over, along) if width >= height else (along, over)
    else:
        double = cos * cos - sin * sin
        sides = ((height * cos - width * sin) / double, (width * cos - height * sin) / double)
    return max(1, math.floor(sides[0])), max(1, math.floor(sides[1]))
