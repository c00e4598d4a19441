"""What a loaded network is to those who run it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float32]

Precision = Literal["exact", "fast"]
"""float32 everywhere, or what the processor multiplies fastest: bfloat16 where the runtime can and it is native."""

Run = Callable[[Sequence[str], Mapping[str, NDArray[Any]]], list[FloatArray]]
"""Names of the outputs wanted, inputs by name -> those outputs."""
