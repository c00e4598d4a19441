"""Optimisers of training: AdamW for everything, or Muon for the kernels and AdamW for what is left.

Muon (Jordan et al. 2024; Liu et al. 2025, arXiv:2502.16982) makes each step of a matrix orthogonal, so that directions
with small gradients are learned as fast as those with large ones. Features after a ReLU all point the same way, which
is where it gains: distilling one block of VGG-19 in 400 steps it left .027 of the features unexplained, AdamW .12.

PyTorch has Muon too, but always orthogonalises in bfloat16, which a processor without it emulates: with AVX2 alone a
step of SegNet then takes twice as long.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

import torch
from torch import Tensor, nn

from selfieart.networks.precision import fast_dtype

_QUINTIC = (3.4445, -4.7750, 2.0315)
"""Coefficients of Newton and Schulz's iteration with the greatest slope at 0 (Jordan et al. 2024)."""


class Optimiser(Protocol):
    """What the loop needs."""

    @property
    def param_groups(self) -> Sequence[dict[str, Any]]:
        """Groups, each with "lr" and "pace"."""
        ...

    def step(self) -> object:
        """Move the parameters along their gradients."""
        ...

    def zero_grad(self) -> None:
        """Forget the gradients."""
        ...

    def state_dict(self) -> dict[str, Any]:
        """All that is needed to go on."""
        ...

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on from a state."""
        ...


def as_matrix(kernel: Tensor) -> Tensor:
    """A kernel (out, in, h, w) or matrix (out, in) as a matrix (out, all the rest); no copy if its layout allows.

    The order of the columns depends on the layout in memory; orthogonal steps do not depend on that order.
    """
    if kernel.ndim == 4 and not kernel.is_contiguous():
        kernel = kernel.permute(0, 2, 3, 1)
    return kernel.reshape(len(kernel), -1)


def orthogonalised(matrix: Tensor, dtype: torch.dtype, iterations: int = 5) -> Tensor:
    """A matrix (m, n) with nearly the same singular vectors whose singular values are all about 1 (0.7 to 1.2).

    Args:
        matrix: any but 0.
        dtype: what is computed in.
        iterations: of Newton and Schulz.
    """
    a, b, c = _QUINTIC
    tall = matrix.shape[0] > matrix.shape[1]
    x = (matrix.T if tall else matrix).to(dtype)
    x = x / x.norm().clamp_min(1e-7)
    for _ in range(iterations):
        gram = x @ x.T
        x = torch.addmm(x, torch.addmm(gram, gram, gram, beta=b, alpha=c), x, beta=a)
    return x.T if tall else x


class Muon(torch.optim.Optimizer):
    """Momentum of Nesterov's kind, made orthogonal: each step changes every direction of a matrix alike.

    Args:
        groups: parameter groups whose parameters are matrices.
        weight_decay: decoupled.
        momentum: of the average of the gradients.
        dtype: of the orthogonalisation; what is fast on the matrices' device when left out.
    """

    def __init__(
        self,
        groups: Sequence[dict[str, Any]],
        weight_decay: float = 0.0,
        momentum: float = 0.95,
        dtype: torch.dtype | None = None,
    ) -> None:
        super().__init__(groups, {"lr": 1e-3, "weight_decay": weight_decay, "momentum": momentum})
        self.dtype = dtype

    @torch.no_grad()
    def step(self, closure: None = None) -> None:  # type: ignore[override]
        """Move the matrices along their gradients."""
        for group in self.param_groups:
            for matrix in group["params"]:
                if matrix.grad is None:
                    continue
                state = self.state[matrix]
                if not state:
                    state["momentum_buffer"] = torch.zeros_like(matrix)
                average = state["momentum_buffer"].lerp_(matrix.grad, 1 - group["momentum"])
                ahead = matrix.grad.lerp(average, group["momentum"])
                step = orthogonalised(ahead, self.dtype or fast_dtype(matrix.device))
                matrix.mul_(1 - group["lr"] * group["weight_decay"])
                # So that tall matrices change their outputs as much as others do.
                tallness = max(1.0, matrix.shape[0] / matrix.shape[1]) ** 0.5
                matrix.add_(step, alpha=-group["lr"] * tallness)


class MuonAdamW:
    """Muon for the kernels and matrices of layers, AdamW for biases, norms and tables.

    Args:
        groups: parameter groups; "pace" multiplies a group's learning rate, and a group with ``"table": True`` holds
            no layer's kernel, whatever its shape.
        rate: Muon's learning rate in AdamW's.
        betas: of AdamW.
        weight_decay: decoupled, of both.
        dtype: of Muon's orthogonalisation; what is fast on the device when left out.
    """

    def __init__(
        self,
        groups: Sequence[dict[str, Any]],
        rate: float,
        betas: tuple[float, float],
        weight_decay: float,
        dtype: torch.dtype | None = None,
    ) -> None:
        self._pairs: list[tuple[nn.Parameter, Tensor]] = []
        kernels, others = [], []
        for group in groups:
            kept = {key: value for key, value in group.items() if key not in ("params", "table")}
            pace, matrices, rest = group.get("pace", 1.0), [], []
            for parameter in group["params"]:
                if parameter.ndim in (2, 4) and not group.get("table"):
                    matrix = as_matrix(parameter.detach())
                    if matrix.data_ptr() != parameter.data_ptr():
                        raise ValueError("A kernel must lie in memory in one of PyTorch's two dense layouts.")
                    self._pairs.append((parameter, matrix))
                    matrices.append(matrix)
                else:
                    rest.append(parameter)
            if matrices:
                kernels.append(kept | {"params": matrices, "pace": pace * rate})
            if rest:
                others.append(kept | {"params": rest, "pace": pace})
        self._muon = Muon(kernels, weight_decay=weight_decay, dtype=dtype) if kernels else None
        self._adamw = torch.optim.AdamW(others, betas=betas, weight_decay=weight_decay) if others else None

    @property
    def _both(self) -> dict[str, torch.optim.Optimizer]:
        both = {"muon": self._muon, "adamw": self._adamw}
        return {name: one for name, one in both.items() if one is not None}

    @property
    def param_groups(self) -> list[dict[str, Any]]:
        """Groups of both, each with "lr" and "pace"."""
        return [group for one in self._both.values() for group in one.param_groups]

    def step(self) -> None:
        """Move the parameters along their gradients."""
        for parameter, matrix in self._pairs:
            grad = parameter.grad
            # The gradient may lie in memory in another way than its kernel.
            matrix.grad = None if grad is None else as_matrix(torch.empty_like(parameter).copy_(grad))
        for one in self._both.values():
            one.step()

    def zero_grad(self) -> None:
        """Forget the gradients."""
        for parameter, matrix in self._pairs:
            parameter.grad = matrix.grad = None
        if self._adamw is not None:
            self._adamw.zero_grad()

    def state_dict(self) -> dict[str, Any]:
        """All that is needed to go on."""
        return {name: one.state_dict() for name, one in self._both.items()}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on from a state.

        Raises:
            KeyError: it is another optimiser's.
        """
        for name, one in self._both.items():
            one.load_state_dict(state[name])
