"""What is where in the frames of a clip: parsed now and then, carried along the motion in between."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Literal

from selfieart.errors import SelfieartError
from selfieart.imaging.arrays import FloatArray, Pixels
from selfieart.imaging.resize import scaled
from selfieart.look import Look
from selfieart.parsing.parser import FaceParser, Parser
from selfieart.sizes import size_within
from selfieart.video.flow import Motion
from selfieart.video.state import Clock, VideoState
from selfieart.video.steady import (
    group_logits,
    steadied_logits,
    warped_planes,
    without_faint_islands,
    without_holes,
)

PARSING_SIDE = 640
"""Long side in pixels at which frames are parsed."""

LONGEST_WITHOUT_PARSING = 6
_PARSE_AT = 2.0
"""Motion since the last parsing, in percent of the short side, at which a frame is parsed again."""


class FrameParser:
    """Follows the groups of classes that a look distinguishes through the frames of a clip.

    Args:
        parser: what parses.
        look: whose faces and softness count.
        groups: classes of each group; together they are all classes.
        steadiness: in [0, 1], how much of the frames before is kept.
        parse_every: parse every n-th frame, or "auto": when enough has moved.

    Raises:
        SelfieartError: ``parse_every`` is not "auto" or a number from 1.
    """

    def __init__(
        self,
        parser: Parser,
        look: Look,
        groups: Sequence[frozenset[int]],
        steadiness: float,
        parse_every: int | Literal["auto"],
    ) -> None:
        whole = isinstance(parse_every, int) and not isinstance(parse_every, bool) and parse_every >= 1
        if parse_every != "auto" and not whole:
            raise SelfieartError(f"parse_every must be 'auto' or a number from 1, not {parse_every!r}.")
        self.parser: Parser = parser.in_precision("fast") if isinstance(parser, FaceParser) else parser
        self.look, self.groups = look, groups
        self.steadiness, self.parse_every = steadiness, parse_every

    def follow(self, pixels: Pixels, state: VideoState, motion: Motion | None) -> tuple[FloatArray, VideoState]:
        """Find the groups in the next frame.

        Args:
            pixels: (H, W, 3), the frame.
            state: after the frame before.
            motion: from that frame to this one; None for the first of a shot.

        Returns:
            The frame at the resolution of parsing, (3, h, w) in [0, 1], and the state with the logits (G, h, w) of this
            frame.
        """
        guide = scaled(pixels, size_within(pixels.shape[:2], PARSING_SIDE))
        clock = state.clocked()
        if motion is not None and state.logits is not None and not self._must_parse(clock):
            return guide, replace(state, logits=warped_planes(state.logits, motion))
        if isinstance(self.parser, FaceParser):
            tracks = state.faces() if self.steadiness else []
            parsing = self.parser.parse_following(guide, tracks, self.look.faces)
        else:
            parsing = self.parser.parse(guide, self.look.faces)
        tau = self.look.tau
        logits = without_faint_islands(group_logits(without_holes(parsing.logits), self.groups, tau), tau)
        if motion is not None and state.logits is not None and self.steadiness:
            logits = steadied_logits(logits, state.logits, motion, self.steadiness)
        clock = replace(clock, since_parsing=0, moved=0)
        return guide, replace(state, logits=logits, clock=clock.array()).following(parsing.faces)

    def _must_parse(self, clock: Clock) -> bool:
        if self.parse_every == "auto":
            if clock.moved == 0:
                # A second look at the same would move the crops of faces by fractions of a pixel, and segments too.
                return False
            return clock.since_parsing >= LONGEST_WITHOUT_PARSING or clock.moved > _PARSE_AT
        return clock.since_parsing >= self.parse_every
