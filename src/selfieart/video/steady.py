"""What keeps a painted video steady: everything that goes from one frame to the next is blended here.

Three things flicker when frames are painted one by one: the borders of the segments, the normalisation statistics of
the stylizer, and the strokes themselves. Each is mixed with what the frames before had there, as far as the motion is
trusted: where forward and backward flow agree (Ruder, Dosovitskiy and Brox, "Artistic Style Transfer for Videos", GCPR
2016) and the colours do.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce

import cv2
import numpy as np

from selfieart.imaging.arrays import FloatArray
from selfieart.imaging.strips import in_parallel
from selfieart.masks import soft_masks
from selfieart.segments import INDEX
from selfieart.video.flow import Motion, at_size, warp

FAINTEST = 1 / 512
"""Masks below this change no byte."""

LARGEST_HOLE = 0.01
"""Holes in the person up to this fraction of the person's area are closed."""

_LIKELIEST = 16.0
_SHARPEST = 1e30
_ROWS = 16
"""Rows that are worked on at once: the planes of all classes stay in a core's own cache."""

_MOST_FEEDBACK = 0.9
_MOST_CRISPENING = 1.5
_LOGIT_FEEDBACK = 0.7


def without_holes(logits: FloatArray, largest: float = LARGEST_HOLE) -> FloatArray:
    """Logits in which small areas of background inside a person count as what is likeliest there after background.

    Args:
        logits: (19, h, w).
        largest: area up to which a hole is closed, as a fraction of the person's area.
    """
    place = INDEX["background"]
    others = reduce(np.maximum, (plane for index, plane in enumerate(logits) if index != place))
    background = logits[place] >= others
    count, labels, stats, _ = cv2.connectedComponentsWithStats(background.astype(np.uint8), connectivity=4)
    height, width = background.shape
    left, top, wide, high, area = stats[:, :5].T
    inside = (left > 0) & (top > 0) & (left + wide < width) & (top + high < height)
    small = inside & (area <= largest * (~background).sum())
    small[0] = False
    if count < 2 or not small.any():
        return logits
    hole = small[labels]
    out = logits.copy()
    out[place][hole] = others[hole] - 2
    return out


def group_logits(logits: FloatArray, groups: Sequence[frozenset[int]], tau: float) -> FloatArray:
    """Logits of groups of classes, whose soft masks of eq. 9 are the sums of eq. 5 over each group's classes.

    L_g = log(sum over k in g of m_k) / tau, so that softmax(tau L) gives the masks of the groups; for binary masks the
    largest logit of each group. The floor keeps what was impossible in one frame from staying so for many.

    Args:
        logits: (19, h, w).
        groups: classes of each group; together they are all classes.
        tau: softness; inf for binary masks.

    Returns:
        (G, h, w), at most 0; of a group without classes the floor.
    """
    out = np.full((len(groups), *logits.shape[1:]), _floor(tau), np.float32)
    places = [(plane, sorted(group)) for plane, group in zip(out, groups, strict=True) if group]
    sharpness = np.float32(min(tau, _SHARPEST))

    def fill(top: int, bottom: int) -> None:
        rows = np.s_[top:bottom]
        values = logits[:, rows] - logits[:, rows].max(0)
        if np.isinf(tau):
            for plane, group in places:
                np.maximum(plane[rows], values[group].max(0), out=plane[rows])
            return
        # Where a group's share is 0 in floats its logarithm is -inf, which the floor takes up.
        with np.errstate(divide="ignore", over="ignore"):
            values *= sharpness
            np.exp(values, out=values)
            total = values.sum(0)
            for plane, group in places:
                np.maximum(plane[rows], np.log(values[group].sum(0) / total) / sharpness, out=plane[rows])

    height = logits.shape[-2]
    in_parallel(fill, ((top, min(top + _ROWS, height)) for top in range(0, height, _ROWS)))
    return out


def without_faint_islands(logits: FloatArray, tau: float) -> FloatArray:
    """Logits of groups in which a group is not there at all where it is nowhere the likeliest.

    A mask of a few percent on a chair far away is no soft border of a person but a blotch, and one that flickers.

    Args:
        logits: (G, h, w), see :func:`group_logits`.
        tau: softness.
    """
    masks = soft_masks(logits, tau)
    out = logits.copy()

    def clean(place: int, _: int) -> None:
        seen, likely = masks[place] > FAINTEST, masks[place] > 0.5
        count, labels = cv2.connectedComponents(seen.astype(np.uint8), connectivity=8)
        kept = np.zeros(count, bool)
        kept[labels[likely]] = True
        if not kept[1:].all():
            out[place][seen & ~kept[labels]] = _floor(tau)

    in_parallel(clean, ((place, place + 1) for place in range(len(logits))))
    return out


def _floor(tau: float) -> float:
    """The least logit of a group."""
    return -_LIKELIEST / min(tau, 1.0)


def warped_planes(planes: FloatArray, motion: Motion) -> FloatArray:
    """Planes (K, h, w) of the frame before, brought to this frame."""
    back = at_size(motion.back, planes.shape[-2], planes.shape[-1])
    return np.stack([warp(plane, back) for plane in planes])


def steadied_logits(fresh: FloatArray, previous: FloatArray, motion: Motion, steadiness: float) -> FloatArray:
    """Logits filtered over time along the motion.

    Args:
        fresh: (G, h, w), of this frame.
        previous: (G, h, w), what this function gave for the frame before.
        motion: from that frame to this one.
        steadiness: in [0, 1].
    """
    out = warped_planes(previous, motion)
    out -= fresh
    out *= _share(motion, fresh.shape[-2], fresh.shape[-1], _LOGIT_FEEDBACK * steadiness)
    out += fresh
    return out


def steadied_painting(fresh: FloatArray, previous: FloatArray, motion: Motion, steadiness: float) -> FloatArray:
    """A painting mixed with that of the frame before, brought here along the motion.

    Warped with a cubic kernel, because a linear one would blur the strokes a little in every frame.

    Args:
        fresh: (h, w, 4), colours in [0, 1] and whether the pixel was painted, 0 or 1.
        previous: (h, w, 4), what this function gave for the frame before.
        motion: from that frame to this one.
        steadiness: in [0, 1].

    Returns:
        (h, w, 4), painted where ``fresh`` is.
    """
    height, width = fresh.shape[:2]
    warped = warp(previous, at_size(motion.back, height, width), cv2.INTER_CUBIC)
    share = _share(motion, height, width, min(steadiness, _MOST_FEEDBACK))
    share[warped[..., 3] < 0.999] = 0
    change = cv2.multiply(cv2.subtract(warped, fresh), cv2.merge([share] * 4))
    out: FloatArray = np.clip(cv2.add(fresh, change), 0, 1)
    out[..., 3] = fresh[..., 3]
    return out


def crispened(picture: FloatArray, fresh: FloatArray, sigma: float = 1.0) -> FloatArray:
    """A mixed painting with the fine detail that mixing averages away: the energy of the fresh painting's.

    The feedback itself is left as it is, so nothing is amplified from frame to frame.

    Args:
        picture: (h, w, C) in [0, 1].
        fresh: (h, w, C) in [0, 1], the same painted from this frame alone.
        sigma: detail is what a Gaussian of this standard deviation takes away.

    Returns:
        (h, w, C) in [0, 1]; with equal pictures the picture itself.
    """
    smooth = cv2.GaussianBlur(picture, (0, 0), sigma)
    wanted = cv2.norm(fresh, cv2.GaussianBlur(fresh, (0, 0), sigma))
    gain = min(_MOST_CRISPENING, wanted / max(cv2.norm(picture, smooth), 1e-6))
    if gain <= 1:
        return picture
    return np.clip(cv2.addWeighted(picture, gain, smooth, 1 - gain, 0), 0, 1)


def _share(motion: Motion, height: int, width: int, most: float) -> FloatArray:
    """(height, width): how much of the frame before is kept at each pixel."""
    return cv2.resize(motion.trust, (width, height), interpolation=cv2.INTER_LINEAR) * np.float32(most)
