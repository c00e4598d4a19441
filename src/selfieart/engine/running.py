"""What a loaded network is to those who run it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float32]
"""What networks take and give, and all that is computed with: pictures (3, H, W) in [0, 1], masks (S, H, W), logits."""

Precision = Literal["exact", "fast"]
"""float32 everywhere, or what the processor multiplies fastest: bfloat16 where the runtime can and it is native."""

Run = Callable[[Sequence[str], Mapping[str, NDArray[Any]]], list[FloatArray]]
"""Names of the outputs wanted, inputs by name -> those outputs."""
