"""Any picture as a style, at once: the perceptual encoder reads it, the predictor writes its code."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
from safetensors import SafetensorError, safe_open

from selfieart.engine import Network
from selfieart.errors import SelfieartError, printable
from selfieart.imaging.arrays import FloatArray
from selfieart.imaging.resize import resize
from selfieart.sizes import scaled_size

STYLE_SIDE = 512
"""Short side in pixels at which a style picture is read: its strokes are then those of medium size."""

LARGEST_ENLARGEMENT = 1.5
_LONGEST, _LEAST = 1536, 32
SMALLEST_STYLE = 16
CODE_SUFFIX = ".safetensors"


def read_size(height: int, width: int) -> tuple[int, int]:
    """Size (h, w) at which a style picture is read: its own shape, the short side 512 pixels, enlarged little."""
    scale = min(LARGEST_ENLARGEMENT, STYLE_SIDE / min(height, width), _LONGEST / max(height, width))
    return scaled_size((height, width), scale)


def at_reading_size(picture: FloatArray) -> FloatArray:
    """A style picture (3, H, W) at the size at which it is read; slivers are filled up by mirroring.

    Raises:
        SelfieartError: a side has fewer than 16 pixels, or there are values that are no numbers.
    """
    height, width = picture.shape[-2:]
    if min(height, width) < SMALLEST_STYLE:
        raise SelfieartError(
            f"The style picture is {width}x{height} pixels, too small to show a style: give one of at least "
            f"{SMALLEST_STYLE}x{SMALLEST_STYLE} pixels."
        )
    if not bool(np.isfinite(picture).all()):
        raise SelfieartError("The style picture holds values that are no numbers: give a picture in [0, 1].")
    small = resize(picture, read_size(height, width))
    while min(small.shape[-2:]) < _LEAST:
        bottom, right = (min(side - 1, max(0, _LEAST - side)) for side in small.shape[-2:])
        around = ((0, 0), (0, bottom), (0, right))
        mirrors = min(small.shape[-2:]) > 1
        small = np.pad(small, around, mode="reflect") if mirrors else np.pad(small, around, mode="edge")
    return small


class AnyStyle:
    """Predicts style codes.

    Args:
        network: image (1, 3, H, W) -> code (D,), the encoder and the predictor in one graph.
    """

    def __init__(self, network: Network) -> None:
        self.network = network

    def code(self, picture: FloatArray) -> FloatArray:
        """The style code (D,) of a picture (3, H, W) in [0, 1].

        Raises:
            SelfieartError: the picture is too small.
        """
        return self.network(image=at_reading_size(picture)[None])[0]


def read_code(path: Path, size: int, weights: str) -> FloatArray:
    """A style code that ``selfieart train style`` fitted.

    Args:
        path: safetensors file.
        size: length D that the network wants.
        weights: sha256 of the network's weights.

    Raises:
        SelfieartError: it is no such file, or was fitted to other weights.
    """
    shown = printable(str(path), 200)
    try:
        with safe_open(path, framework="numpy") as file:
            note = json.loads((file.metadata() or {}).get("selfieart", "{}"))
            code: FloatArray = file.get_tensor("code").astype(np.float32)
    except (OSError, SafetensorError, ValueError) as error:
        raise SelfieartError(f"{shown} is no style: give a file that 'selfieart train style' wrote.") from error
    if note.get("weights") != weights or code.shape != (size,):
        raise SelfieartError(
            f"The style {shown} was fitted to another version of the network: run 'selfieart train style' again."
        )
    return code
