"""Who is a person and what is background: SegNet on the whole frame, as Styfie uses it."""

from __future__ import annotations

import numpy as np

from selfieart.engine import Network
from selfieart.imaging.arrays import FloatArray
from selfieart.imaging.resize import resize
from selfieart.parsing.choice import Faces, check_faces
from selfieart.parsing.parser import InputContract, check_size
from selfieart.parsing.parsing import Parsing
from selfieart.segments import INDEX, NAMES
from selfieart.sizes import size_within


class SegNetParser:
    """Person or background on the whole frame; it knows no parts of a face.

    The person is given as "skin", so every group that holds skin (person, everything ...) is the whole person.

    Args:
        network: image (1, 3, H, W) -> logit of "person" (1, 1, H, W).
        contract: its input contract.
        side: short side in pixels at which the frame is seen; the long side is at most twice that.
        canvas_side: long side of the logits, in pixels, unless the picture is smaller.
    """

    name = "segnet"

    def __init__(self, network: Network, contract: InputContract, side: int = 256, canvas_side: int = 768) -> None:
        self.network, self.contract, self.side, self.canvas_side = network, contract, side, canvas_side

    def parse(self, picture: FloatArray, faces: Faces = "all") -> Parsing:
        """Parse a picture (3, H, W) in [0, 1], each side at least 8 pixels; ``faces`` of the result is empty.

        Raises:
            SelfieartError: the picture is too small, or ``faces`` is not "all", "largest" or a positive number.
        """
        check_faces(faces)
        height, width = check_size(picture)
        canvas = resize(picture, size_within((height, width), self.canvas_side))
        scale = min(self.side / min(height, width), 2 * self.side / max(height, width))
        m = self.contract.multiple
        size = (max(m, round(height * scale / m) * m), max(m, round(width * scale / m) * m))
        (person,) = self.network(image=self.contract.normalised(resize(canvas, size)))[0]
        person = resize(person, (canvas.shape[-2], canvas.shape[-1]))[0]
        logits = np.full((len(NAMES), *person.shape), -40.0, np.float32)
        logits[INDEX["background"]], logits[INDEX["skin"]] = -person / 2, person / 2
        return Parsing(logits, canvas, (), height, width)
