"""Minimise a loss of a picture with L-BFGS, torch's or SciPy's, within a budget of evaluations.

The budget counts evaluations, not steps, because an evaluation costs the same whoever asks for it. The best picture
seen is what is returned, so that neither a line search cut short nor a step that overshoots can make things worse.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import torch
from torch import Tensor

from selfieart.errors import SelfieartError
from selfieart.methods.settings import Optimiser

Objective = Callable[[Tensor], dict[str, Tensor]]
"""A picture (3, H, W) to weighted losses by name; what is minimised is their sum."""

Report = Callable[[int, dict[str, float], Tensor], None]
"""Told the evaluations so far, the losses and the picture they are of."""

HISTORY = 20
"""Pairs of steps and gradient changes that L-BFGS remembers."""


class _SpentError(Exception):
    """The budget is used up, or the loss is no number any more."""


class _Search:
    """Evaluates, counts, and remembers the best."""

    def __init__(self, objective: Objective, start: Tensor, budget: int, report: Report) -> None:
        self.objective, self.budget, self.report = objective, budget, report
        self.x = start.detach().clone().requires_grad_()
        self.best, self.least = start.detach().clone(), math.inf
        self.spent = 0

    def evaluate(self) -> Tensor:
        """The loss at x; its gradient goes to x.grad."""
        if self.spent >= self.budget:
            raise _SpentError
        with torch.enable_grad():
            losses = self.objective(self.x)
            loss = torch.stack(list(losses.values())).sum()
            (gradient,) = torch.autograd.grad(loss, self.x)
        self.x.grad = gradient.contiguous()
        self.spent += 1
        value = float(loss.detach())
        if not math.isfinite(value):
            if self.spent == 1:
                raise SelfieartError("The loss is not a finite number at the start: check the encoder's weights.")
            raise _SpentError
        if value < self.least:
            self.least = value
            self.best.copy_(self.x.detach())
        self.report(self.spent, {name: float(part.detach()) for name, part in losses.items()}, self.x.detach())
        return loss.detach()


def minimise(
    objective: Objective,
    start: Tensor,
    budget: int,
    optimiser: Optimiser = "lbfgs",
    report: Report = lambda spent, losses, x: None,
) -> Tensor:
    """Minimise a loss.

    Args:
        objective: what is minimised.
        start: (3, H, W), or any other shape that the objective takes.
        budget: how many evaluations it may cost.
        optimiser: "lbfgs" is torch's L-BFGS, "scipy" is SciPy's L-BFGS-B.
        report: called after every evaluation; an exception that it raises goes through.

    Returns:
        The best picture seen, shaped as the start.

    Raises:
        SelfieartError: the loss at the start is not a finite number.
    """
    search = _Search(objective, start, budget, report)
    with suppress(_SpentError):
        (_scipy if optimiser == "scipy" else _torch)(search)
    return search.best


def _torch(search: _Search) -> None:
    solver = torch.optim.LBFGS(
        [search.x],
        max_iter=search.budget,
        max_eval=2 * search.budget,
        history_size=HISTORY,
        tolerance_grad=0,
        tolerance_change=0,
        line_search_fn="strong_wolfe",
    )
    solver.step(search.evaluate)  # type: ignore[no-untyped-call]


def _scipy(search: _Search) -> None:
    from scipy.optimize import minimize  # type: ignore[import-untyped]

    shape = search.x.shape

    def evaluate(vector: Any) -> tuple[float, Any]:
        with torch.no_grad():
            search.x.copy_(torch.from_numpy(vector).view(shape))
        loss = search.evaluate()
        assert search.x.grad is not None
        return float(loss), search.x.grad.flatten().double().numpy()

    options = {"maxcor": HISTORY, "maxiter": search.budget, "maxfun": 2 * search.budget, "ftol": 0.0, "gtol": 0.0}
    minimize(evaluate, search.x.detach().flatten().double().numpy(), jac=True, method="L-BFGS-B", options=options)
