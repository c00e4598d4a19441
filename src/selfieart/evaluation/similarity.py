"""``selfieart evaluate similarity``: how much of a photo survives in what was made of it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from selfieart.imaging import read_photo
from selfieart.imaging.arrays import as_picture
from selfieart.metrics.similarity import fsimc, gmsd, ssim


@dataclass(frozen=True)
class SimilarityEvaluation:
    """What is compared.

    Attributes:
        content: the photo.
        result: what was made of it, at the same size.
        mask: a grey picture of that size: white counts, black does not; everything counts without one.
    """

    content: Path
    result: Path
    mask: Path | None = None


@dataclass(frozen=True)
class SimilarityScores:
    """How alike two pictures are.

    Attributes:
        options: what was compared.
        ssim: in [-1, 1], 1 for equal pictures.
        fsimc: in [0, 1], 1 for equal pictures.
        gmsd: at least 0, 0 for equal pictures.
    """

    options: SimilarityEvaluation
    ssim: float
    fsimc: float
    gmsd: float

    def to_json(self) -> dict[str, Any]:
        """The files and the measures by name."""
        mask = self.options.mask
        files = {"content": str(self.options.content), "result": str(self.options.result)}
        measures = {"ssim": self.ssim, "fsimc": self.fsimc, "gmsd": self.gmsd}
        return {**files, "mask": None if mask is None else str(mask), **measures}


def evaluate_similarity(options: SimilarityEvaluation) -> SimilarityScores:
    """SSIM, FSIMc and GMSD of a photo and a result.

    Raises:
        ImageError: a file cannot be read.
        SelfieartError: the pictures or the mask differ in size, are too small, or the mask is empty.
    """
    x, y = (as_picture(read_photo(path).pixels) for path in (options.content, options.result))
    mask = None if options.mask is None else as_picture(read_photo(options.mask).pixels).mean(0)
    return SimilarityScores(options, ssim(x, y, mask), fsimc(x, y, mask), gmsd(x, y, mask))
