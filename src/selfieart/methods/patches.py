"""Patches of features: which patch of a style is nearest, and how far the picture is from the patches chosen for it.

Two identities keep this cheap. The inner product of two 3x3 patches is the sum of nine inner products of single
positions, and those nine lie on a diagonal of the table of all of them; so the table is computed once and summed along
its diagonals, first across and then down, instead of multiplying patches of nine times the length. And while matches
are fixed, the squared distances of all patches to theirs are, position by position, the squared distance to the mean of
the patches that cover it, plus a number that does not depend on the picture; so no patch is ever cut out.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

PATCH = 3
"""Side of a patch in positions of a layer, as in CNNMRF; stride 1."""

CHUNK = 2**19
"""Inner products held at once, as floats: 2 MB, which stays in a core's cache. About eight such blocks are in use."""

FEWEST_ROWS = 6
"""Rows of style patches compared at once, at least; more than :data:`CHUNK` numbers where both rows are long."""

_LEAST = 1e-12


def patch_norms(features: Tensor) -> Tensor:
    """Norm of every patch of features (C, h, w): (h - 2, w - 2)."""
    squares = features.square().sum(0, keepdim=True)[None]
    return (F.avg_pool2d(squares, PATCH, 1)[0, 0] * PATCH**2).clamp_min(0).sqrt()


def nearest_patches(content: Tensor, style: Tensor, chunk: int = CHUNK) -> tuple[Tensor, Tensor]:
    """The style patch of highest normalised cross-correlation for every content patch (eq. 4 of the paper).

    Equation 4 is printed with argmin; of correlations the greatest is nearest. Of equal ones that first in reading
    order wins. Memory: for each of eight blocks ``max(chunk, 8 w v)`` floats, w and v the widths of both.

    Args:
        content: (C, h, w), at least 3x3.
        style: (C, u, v), at least 3x3.
        chunk: how many inner products are held at once.

    Returns:
        Correlations (h - 2, w - 2) in [-1, 1], and the places of the style patches among (u - 2) x (v - 2) in reading
        order, (h - 2, w - 2).
    """
    channels, height, width = content.shape
    rows, columns = style.shape[-2:]
    edge = PATCH - 1
    positions = content.permute(1, 2, 0).contiguous()
    inverse = 1 / patch_norms(style).clamp_min(_LEAST)
    best = content.new_full((height - edge, width - edge), -torch.inf)
    place = torch.zeros(height - edge, width - edge, dtype=torch.long)
    step = max(FEWEST_ROWS, chunk // (width * columns) - edge)
    for top in range(0, rows - edge, step):
        bottom = min(top + step, rows - edge)
        table = style[:, top : bottom + edge].reshape(channels, -1)
        weight = inverse[top:bottom]
        across: list[Tensor] = []
        for y in range(height):
            products = (positions[y] @ table).view(width, -1, columns)
            sums = products[:-2, :, :-2] + products[1:-1, :, 1:-1]
            across.append(sums.add_(products[2:, :, 2:]))
            if y < edge:
                continue
            first, second, third = across
            scores = (first[:, :-2] + second[:, 1:-1]).add_(third[:, 2:]).mul_(weight)
            found, index = scores.flatten(1).max(1)
            better = found > best[y - edge]
            best[y - edge] = torch.where(better, found, best[y - edge])
            place[y - edge] = torch.where(better, index + top * (columns - edge), place[y - edge])
            across.pop(0)
    return best / patch_norms(content).clamp_min(_LEAST), place


@dataclass(frozen=True, eq=False)
class Matches:
    """For every content patch the style patch chosen for it; all are (h - 2, w - 2).

    Attributes:
        source: which of the style pictures, -1 where none may be used.
        row, column: upper left position of the patch in that picture's features.
    """

    source: Tensor
    row: Tensor
    column: Tensor


def match(
    content: Tensor, sources: Sequence[Tensor], allowed: Sequence[Tensor] | None = None, chunk: int = CHUNK
) -> Matches:
    """Let the patches of several style pictures compete for every content patch.

    Args:
        content: (C, h, w), features and soft masks together.
        sources: (C, u, v) of each style picture, of any sizes of at least 3x3.
        allowed: for each of them where it may be used, (h - 2, w - 2) booleans; everywhere when left out.
        chunk: see :func:`nearest_patches`.

    Returns:
        The matches; of equal patches that of the first picture wins.
    """
    shape = (content.shape[-2] - PATCH + 1, content.shape[-1] - PATCH + 1)
    best = content.new_full(shape, -torch.inf)
    source = torch.full(shape, -1)
    row, column = torch.zeros(shape, dtype=torch.long), torch.zeros(shape, dtype=torch.long)
    for index, style in enumerate(sources):
        here = torch.ones(shape, dtype=torch.bool) if allowed is None else allowed[index]
        if not bool(here.any()):
            continue
        # Patches far from a style's region are not even looked at.
        y, x = (_extent(here.any(dim)) for dim in (1, 0))
        cut = content[:, y.start : y.stop + PATCH - 1, x.start : x.stop + PATCH - 1]
        score, place = nearest_patches(cut, style, chunk)
        better = (score > best[y, x]) & here[y, x]
        columns = style.shape[-1] - PATCH + 1
        best[y, x] = torch.where(better, score, best[y, x])
        source[y, x] = torch.where(better, index, source[y, x])
        row[y, x] = torch.where(better, place // columns, row[y, x])
        column[y, x] = torch.where(better, place % columns, column[y, x])
    return Matches(source, row, column)


def _extent(there: Tensor) -> slice:
    places = there.nonzero()[:, 0]
    return slice(int(places[0]), int(places[-1]) + 1)


@dataclass(frozen=True, eq=False)
class Votes:
    """What the matched patches want at every position.

    Attributes:
        mean: (C, h, w), the mean of the patches that cover a position.
        weight: (h, w), the sum of their weights: 9 inside where every patch weighs 1, 0 where no patch lies.
        spread: how far they are from their mean: the least that :func:`mrf_loss` can be.
    """

    mean: Tensor
    weight: Tensor
    spread: Tensor


def votes(matches: Matches, sources: Sequence[Tensor], weights: Tensor | None = None) -> Votes:
    """Lay the matched patches over each other.

    Args:
        matches: of a content of (h, w) positions.
        sources: features (C, u, v) of the style pictures, of the sizes that were matched.
        weights: (h - 2, w - 2) in [0, 1], how much each patch counts; 1 when left out. What matches nothing never
            counts.
    """
    size = (matches.source.shape[0] + PATCH - 1, matches.source.shape[1] + PATCH - 1)
    return _laid(matches, sources, weights, 1, size, range(PATCH))


def centre_votes(
    matches: Matches, sources: Sequence[Tensor], weights: Tensor | None, step: int, size: tuple[int, int]
) -> Votes:
    """The middles of the matched patches side by side, in a finer layer than the one that was matched.

    There nothing is averaged, so nothing is blurred; seams are what the patches of the matched layer, which overlap,
    are there to prevent.

    Args:
        matches: of a coarser layer.
        sources: features (C, u, v) of the style pictures at the finer layer.
        weights: see :func:`votes`.
        step: positions of the finer layer per position of the coarser.
        size: (H, W) of the finer layer.

    Returns:
        Votes (C, H, W); their weight is 0 at the border, where no patch has its middle.
    """
    return _laid(matches, sources, weights, step, size, range(step, 2 * step))


def _laid(
    matches: Matches, sources: Sequence[Tensor], weights: Tensor | None, step: int, size: tuple[int, int], part: range
) -> Votes:
    """Votes of those rows and columns of each patch that are in a part of it."""
    rows, columns = matches.source.shape
    table = torch.cat([style.flatten(1) for style in sources], 1).T.contiguous()
    chosen = matches.source.clamp_min(0)
    widths = torch.tensor([style.shape[-1] for style in sources])[chosen]
    starts = torch.tensor([0, *(style[0].numel() for style in sources)]).cumsum(0)[chosen]
    first = starts + step * (matches.row * widths + matches.column)
    counts = (matches.source >= 0).to(table.dtype) * (1 if weights is None else weights)
    spans = [
        ((slice(y, y + step * rows, step), slice(x, x + step * columns, step)), first + y * widths + x)
        for y in part
        for x in part
    ]
    mean, total = table.new_zeros(*size, table.shape[1]), table.new_zeros(*size)
    for window, places in spans:
        mean[window] += counts[..., None] * table[places]
        total[window] += counts
    mean /= total.clamp_min(_LEAST)[..., None]
    spread = [(counts * (table[places] - mean[window]).square().sum(-1)).sum() for window, places in spans]
    return Votes(mean.permute(2, 0, 1).contiguous(), total, torch.stack(spread).sum())


def mrf_loss(features: Tensor, wanted: Votes) -> Tensor:
    """sum_i w_i || P_i(F) - P_NN(i) ||^2 over all patches, the first term of eq. 3, for fixed matches.

    At a position with votes t_1 ... t_n of weights w_1 ... w_n, sum w_j |F - t_j|^2 is W |F - mean|^2 plus the votes'
    own spread, W being the sum of the weights; summed over positions that is the sum over patches.

    Args:
        features: F, (C, h, w).
        wanted: of the same size.
    """
    return (wanted.weight * (features - wanted.mean).square()).sum() + wanted.spread
