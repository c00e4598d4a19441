"""The engine: minimise a loss of a picture from coarse to fine, tell how far it is, stop when asked to.

It knows nothing of styles. A method says what is lost at each size, and its options what to start from.

The picture is carried from one size to the next, the memory of L-BFGS is not. That memory is pairs of a step and the
change of gradient along it, a model of the coarse loss's curvature; at the next size another loss is minimised, whose
features see other things, and enlarged pairs would not be pairs of it. A new memory takes some ten evaluations. Adam,
whose moments can be enlarged (Katherine Crowson's style-transfer-pytorch does), is not offered: after 60 evaluations
from the same start its loss was four times that of L-BFGS.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial

import torch
from torch import Tensor

from selfieart.methods.basis import change_of
from selfieart.methods.inputs import Regions, check_picture
from selfieart.methods.minimise import Objective, Report, minimise
from selfieart.methods.pyramid import budgets, enlarged, pyramid_sizes, white_noise
from selfieart.methods.settings import OptimiseOptions, OptimiseProgress, Watch, unwatched
from selfieart.networks.tensors import keep_color, resize
from selfieart.progress import Progress, silent
from selfieart.sizes import Size


def paint_regions(
    regions: Regions,
    objective_at: Callable[[Size], Objective],
    options: OptimiseOptions,
    progress: Progress = silent,
    watch: Watch = unwatched,
    renewed: int | None = None,
) -> Tensor:
    """Paint regions, from the start that the options name to the finished picture.

    Args:
        regions: what is painted.
        objective_at: what is minimised at each size.
        options: settings.
        progress, watch: callbacks.
        renewed: evaluations after which a size's objective is made anew; see :func:`optimise`.

    Returns:
        (3, H, W) in [0, 1] at the content's own size.
    """
    if not regions.styles:
        progress("style", 1.0)
        return regions.content
    sizes = pyramid_sizes(*regions.size, options.side, options.scales)

    def shown(x: Tensor) -> Tensor:
        return regions.at((x.shape[-2], x.shape[-1])).composite(x)

    x = optimise(_start(regions, sizes[0], options), objective_at, sizes, options, progress, watch, shown, renewed)
    x = enlarged(x, regions.size).clamp(0, 1)
    return regions.composite(keep_color(regions.content, x, options.keep_color)).clamp(0, 1)


def _start(regions: Regions, size: Size, options: OptimiseOptions) -> Tensor:
    small = regions.at(size)
    if isinstance(options.start, Tensor):
        return resize(check_picture(options.start, "start"), size)
    return small.composite(white_noise(size, options.seed)) if options.start == "noise" else small.content


def optimise(
    start: Tensor,
    objective_at: Callable[[Size], Objective],
    sizes: Sequence[Size],
    options: OptimiseOptions,
    progress: Progress = silent,
    watch: Watch = unwatched,
    shown: Callable[[Tensor], Tensor] = lambda x: x,
    renewed: int | None = None,
) -> Tensor:
    """Minimise from coarse to fine.

    Args:
        start: (3, h, w), at the coarsest size.
        objective_at: gives what is minimised at a size; called once per size, or round, and may work out targets.
        sizes: from coarse to fine.
        options: iterations and optimiser.
        progress: told the stage "style" and the fraction of the work done; may raise Cancelled.
        watch: told losses after every evaluation; may raise Cancelled.
        shown: makes of the optimised picture at any size what a preview shows.
        renewed: after about so many evaluations a size's objective is made anew and minimised from where the picture
            then is, for objectives whose targets depend on the picture; never when left out.

    Returns:
        (3, H, W) at the finest size, not clamped.

    Raises:
        SelfieartError: the loss is not a finite number at the start.
        Cancelled: ``progress`` or ``watch`` asked to stop.
    """
    each = budgets(len(sizes), options.iterations)
    work = [budget * height * width for budget, (height, width) in zip(each, sizes, strict=True)]

    def report(scale: int, before: int, spent: int, losses: Mapping[str, float], now: Tensor) -> None:
        spent += before
        watch(OptimiseProgress(scale + 1, len(sizes), spent, each[scale], losses, lambda: shown(now).clamp(0, 1)))
        progress("style", (sum(work[:scale]) + work[scale] * spent / each[scale]) / sum(work))

    x = start
    progress("style", 0.0)
    # Whoever calls from inside inference mode still gets gradients.
    with torch.inference_mode(False):
        for scale, (size, budget) in enumerate(zip(sizes, each, strict=True)):
            x = enlarged(x.clone(), size)
            spent = 0
            for part in _rounds(budget, renewed):
                x = _descend(objective_at(size), x, part, options, partial(report, scale, spent))
                spent += part
    progress("style", 1.0)
    return x


def _rounds(budget: int, renewed: int | None) -> list[int]:
    """A budget in equal rounds of about as many evaluations as asked for: one of a single evaluation moves nothing."""
    rounds = 1 if renewed is None else max(1, round(budget / renewed))
    return [budget * (i + 1) // rounds - budget * i // rounds for i in range(rounds)]


def _descend(objective: Objective, start: Tensor, budget: int, options: OptimiseOptions, report: Report) -> Tensor:
    """Minimise at one size, in the coordinates of :mod:`selfieart.methods.basis`."""
    found = minimise(
        lambda u: objective(start + change_of(u)),
        torch.zeros_like(start),
        budget,
        options.optimiser,
        lambda spent, losses, u: report(spent, losses, start + change_of(u)),
    )
    return start + change_of(found)
