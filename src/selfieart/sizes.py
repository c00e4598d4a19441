"""Sizes of pictures: one way to round, everywhere."""

from __future__ import annotations

Size = tuple[int, int]
"""(height, width) in pixels."""


def scaled_size(size: Size, scale: float) -> Size:
    """A size (height, width) times a factor, rounded; no side falls below one pixel."""
    height, width = size
    return max(1, round(height * scale)), max(1, round(width * scale))


def size_within(size: Size, longest: float) -> Size:
    """A size (height, width) reduced, if need be, so that no side is longer than ``longest``."""
    return scaled_size(size, min(1.0, longest / max(size)))
