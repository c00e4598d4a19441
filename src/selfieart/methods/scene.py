"""What a method is asked to paint, and what it may look at to prepare itself.

Pictures and parsings are numpy arrays where they come from; here they become tensors.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from selfieart.engine import engine_lock
from selfieart.imaging.arrays import FloatArray
from selfieart.importance import importance
from selfieart.methods.settings import Watch, unwatched
from selfieart.parsing.parser import Parser
from selfieart.parsing.parsing import Parsing
from selfieart.progress import Progress, silent
from selfieart.segments import INDEX

FACE_IMPORTANCE = {"face": 3.0, "features": 6.0, "rest": 0.7}
"""Without, the small faces of half-length portraits dissolve; more leaves large ones with fewer strokes."""


def tensor_of(values: FloatArray) -> Tensor:
    """An array as a tensor that shares its memory."""
    return torch.from_numpy(values)


def parsed(parser: Parser, picture: Tensor) -> Parsing:
    """The segments of a picture (3, h, w) in [0, 1]."""
    with engine_lock:
        return parser.parse(picture.numpy())


@dataclass(frozen=True, eq=False)
class Scene:
    """A picture, the styles of its regions, and what is to be seen in it.

    Attributes:
        content: (3, H, W) in [0, 1], at the size at which it is painted.
        styles: name -> picture (3, h, w) in [0, 1], in the order of the masks.
        masks: (S + 1, H, W) in [0, 1], summing to 1, where each style goes and, last, what stays as it is; None for one
            style everywhere.
        parsing: the segments of the content, at any size.
        parser: finds the segments of style pictures.
        tau: softness of the content's segments.
        progress: told the stage "style" and the fraction done; may raise Cancelled.
        watch: told losses and given a preview after every evaluation; may raise Cancelled.
    """

    content: Tensor
    styles: Mapping[str, Tensor]
    masks: Tensor | None
    parsing: Parsing
    parser: Parser
    tau: float = 3.0
    progress: Progress = silent
    watch: Watch = unwatched

    def background(self) -> Tensor:
        """(H, W) in [0, 1]: where nobody is."""
        return tensor_of(self._segments())[INDEX["background"]]

    def importance(self) -> Tensor | None:
        """(H, W), how much the content counts at each place: more on faces; None where none is to be seen."""
        return tensor_of(importance(self._segments(), **FACE_IMPORTANCE)) if self.parsing.faces else None

    def _segments(self) -> FloatArray:
        """Soft masks (19, H, W)."""
        return self.parsing.masks(self.tau, (self.content.shape[-2], self.content.shape[-1]))
