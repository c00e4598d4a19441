"""Paints the frames of a video: the same looks as photos, steady over time, and fast."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Literal

import numpy as np
import torch
from torch import Tensor

from selfieart.errors import SelfieartError
from selfieart.imaging.resize import resize
from selfieart.look import Look
from selfieart.masks import soft_masks
from selfieart.networks.precision import fast_dtype
from selfieart.parsing.parser import FaceParser, Parser
from selfieart.render.feed_forward import SMALLEST_SIDE
from selfieart.render.painter import scaled, shares_of
from selfieart.render.studio import Studio
from selfieart.segments import GROUPS, assign
from selfieart.styles.resolve import resolve_style
from selfieart.video.composition import Box, Worn, composed, frame_masks, region_of, resized
from selfieart.video.flow import FLOW_SIDE, FloatArray, Motion, Pixels, motion_between, reduced
from selfieart.video.frame import Frame
from selfieart.video.state import Clock, VideoState
from selfieart.video.steady import (
    crispened,
    group_logits,
    steadied_logits,
    steadied_painting,
    warped_planes,
    without_faint_islands,
    without_holes,
)
from selfieart.video.strokes import FrameStylizer, working_size

PARSING_SIDE = 640
"""Long side in pixels at which frames are parsed."""

LONGEST_WITHOUT_PARSING = 6
_PARSE_AT = 2.0
"""Motion since the last parsing, in percent of the short side, at which a frame is parsed again."""

_RECORD_AT = 1.5
_LONGEST_WITHOUT_RECORDING = 60


class VideoPainter:
    """Paints the frames of one clip in their order. It holds no state between frames: that is passed in and out.

    All styles of a look are painted in one pass of the network. With ``blend="pixels"`` each has the normalisation
    statistics of the whole frame painted in it alone, so that away from borders the painting is the one that a pass per
    style would give; with ``blend="features"`` they share those of the one pass.

    Args:
        studio: whose parser and stylizer are used.
        look: what goes where.
        steadiness: in [0, 1]: 0 paints every frame by itself; near 1 strokes stick to what moves, and change slowly.
        parse_every: parse every n-th frame and carry the segments along the motion between them, or "auto": when
            enough has moved.

    Attributes:
        seconds: time that each stage has taken so far.

    Raises:
        SelfieartError: a style cannot be used, ``steadiness`` is not from 0 to 1, or ``parse_every`` is not "auto" or a
            number from 1.
    """

    def __init__(
        self, studio: Studio, look: Look, steadiness: float = 0.85, parse_every: int | Literal["auto"] = "auto"
    ) -> None:
        if not 0 <= steadiness <= 1:
            raise SelfieartError(f"steadiness must be a number from 0 to 1, not {steadiness}: 0.85 is usual.")
        whole = isinstance(parse_every, int) and not isinstance(parse_every, bool) and parse_every >= 1
        if parse_every != "auto" and not whole:
            raise SelfieartError(f"parse_every must be 'auto' or a number from 1, not {parse_every!r}.")
        self.look = look
        parser = studio.parser
        self._parser: Parser = parser.in_dtype(fast_dtype()) if isinstance(parser, FaceParser) else parser
        self.steadiness, self.parse_every = float(steadiness), parse_every
        self.seconds: dict[str, float] = {}
        # In one order whatever the look's, because sums of floats depend on theirs.
        kept = {name: classes for name, classes in sorted(assign(list(look.segments)).items()) if classes}
        self._worn = [
            Worn(kept[name], resolve_style(worn.style), worn.strength, worn.keep_color, worn.feather)
            for name, worn in sorted(look.segments.items())
            if name in kept
        ]
        bare = GROUPS["everything"].difference(*kept.values())
        self._groups = [worn.classes for worn in self._worn] + ([bare] if bare else [])
        coded = {place: studio.code(worn.style) for place, worn in enumerate(self._worn) if worn.painted}
        codes = dict(sorted(coded.values(), key=lambda pair: pair[0]))
        self._wearing = {place: list(codes).index(key) for place, (key, _) in coded.items()}
        self._stylizer: FrameStylizer | None = None
        if codes:
            stacked = torch.stack(list(codes.values()))
            self._stylizer = FrameStylizer(studio.stylizer.net, stacked, look.seed, alone=look.blend == "pixels")

    def start(self) -> VideoState:
        """The state before the first frame."""
        return VideoState()

    def restore(self, tensors: dict[str, Tensor]) -> VideoState:
        """The state that :meth:`VideoState.tensors` described; painting goes on as if it had never stopped.

        Raises:
            SelfieartError: the tensors are not those of a state.
        """
        return VideoState.from_tensors(tensors)

    def paint(self, frame: Frame, state: VideoState) -> tuple[Pixels, VideoState]:
        """Paint a frame.

        Args:
            frame: the next frame of the clip.
            state: what the frame before returned; it is not changed.

        Returns:
            (pixels (H, W, 3) uint8 of the frame's size, the state for the next frame). Where nothing is worn the pixels
            are the frame's bit for bit.

        Raises:
            SelfieartError: the frame has a side of fewer than 16 pixels.
        """
        pixels = frame.pixels
        height, width = pixels.shape[:2]
        if min(height, width) < SMALLEST_SIDE:
            raise SelfieartError(
                f"The frames are {width}x{height} pixels, too small to paint: give a video of at least "
                f"{SMALLEST_SIDE}x{SMALLEST_SIDE} pixels."
            )
        if not any(worn.changes for worn in self._worn):
            return pixels.copy(), state
        if state.size is not None and state.size.tolist() != [height, width]:
            state = self.start()
        with torch.inference_mode():
            return self._paint(pixels, state)

    def _paint(self, pixels: Pixels, state: VideoState) -> tuple[Pixels, VideoState]:
        with self._stage("motion"):
            state, motion, small = self._followed(pixels, state)
        with self._stage("parse"):
            guide, state = self._parsed(pixels, state, motion)
        logits = state.logits
        assert logits is not None
        rough = soft_masks(logits, self.look.tau)
        box = self._region(rough, pixels, [worn.changes for worn in self._worn])
        state = replace(state, frame=torch.from_numpy(small), size=torch.tensor(pixels.shape[:2]))
        if box is None:
            return pixels.copy(), replace(state, painting=None)
        with self._stage("masks"):
            sigmas = [worn.feather / 100 * min(pixels.shape[:2]) for worn in self._worn]
            sigmas += [0.0] * (len(self._groups) - len(self._worn))
            masks = frame_masks(pixels, guide, logits, self.look.tau, box, sigmas)
        painting, state = self._painting(pixels, rough, masks, box, state, motion)
        with self._stage("compose"):
            out = composed(pixels, self._worn, masks, box, painting)
        return out, state

    # --- what is where ---------------------------------------------------------------------------------------------

    def _followed(self, pixels: Pixels, state: VideoState) -> tuple[VideoState, Motion | None, Pixels]:
        """The state, or a new one after a cut; the motion since the frame before; the reduced frame."""
        small = np.ascontiguousarray(reduced(pixels, FLOW_SIDE))
        if state.frame is None or (self.steadiness == 0 and self.parse_every == 1):
            return self.start(), None, small
        motion = motion_between(state.frame.numpy(), small)
        if motion.is_cut:
            return self.start(), None, small
        clock = state.clocked()
        clock = replace(
            clock,
            since_parsing=clock.since_parsing + 1,
            moved=clock.moved + motion.speed + 10 * motion.unseen,
            since_recording=clock.since_recording + 1,
            changed=clock.changed + motion.unseen + motion.speed / 10,
        )
        return replace(state, clock=clock.tensor()), motion, small

    def _parsed(self, pixels: Pixels, state: VideoState, motion: Motion | None) -> tuple[Tensor, VideoState]:
        """The frame at the resolution of parsing, (3, h, w), and the state with the logits of this frame."""
        height, width = pixels.shape[:2]
        scale = min(1.0, PARSING_SIDE / max(height, width))
        guide = scaled(pixels, (max(1, round(height * scale)), max(1, round(width * scale))))
        clock = state.clocked()
        if motion is not None and state.logits is not None and not self._must_parse(clock):
            return guide, replace(state, logits=warped_planes(state.logits, motion))
        if isinstance(self._parser, FaceParser):
            tracks = state.faces() if self.steadiness else []
            parsing = self._parser.parse_following(guide, tracks, self.look.faces)
        else:
            parsing = self._parser.parse(guide, self.look.faces)
        tau = self.look.tau
        logits = without_faint_islands(group_logits(without_holes(parsing.logits), self._groups, tau), tau)
        if motion is not None and state.logits is not None and self.steadiness:
            logits = steadied_logits(logits, state.logits, motion, self.steadiness)
        clock = replace(clock, since_parsing=0, moved=0)
        return guide, replace(state, logits=logits, clock=clock.tensor()).following(parsing.faces)

    def _must_parse(self, clock: Clock) -> bool:
        if self.parse_every == "auto":
            if clock.moved == 0:
                # A second look at the same would move the crops of faces by fractions of a pixel, and segments too.
                return False
            return clock.since_parsing >= LONGEST_WITHOUT_PARSING or clock.moved > _PARSE_AT
        return clock.since_parsing >= self.parse_every

    def _region(self, rough: Tensor, pixels: Pixels, chosen: list[bool]) -> Box | None:
        """The box of the frame outside which the chosen groups are not seen."""
        places = [place for place, wanted in enumerate(chosen) if wanted]
        if not places:
            return None
        height, width = pixels.shape[:2]
        # Edges move by a few pixels of the logits when they are snapped, and as far as they are softened.
        soft = max(self._worn[place].feather for place in places) / 100 * min(height, width)
        margin = round(4 * max(1.0, width / rough.shape[-1]) + 3 * soft)
        return region_of(rough[places], height, width, margin)

    # --- painting --------------------------------------------------------------------------------------------------

    def _painting(
        self, pixels: Pixels, rough: Tensor, masks: Tensor, box: Box, state: VideoState, motion: Motion | None
    ) -> tuple[FloatArray | None, VideoState]:
        """The painting of all styles (h, w, 4) at its working resolution, and the state that holds it."""
        region = self._region(rough, pixels, [worn.painted for worn in self._worn])
        if self._stylizer is None or region is None:
            return None, replace(state, painting=None)
        height, width = pixels.shape[:2]
        h, w = working_size(height, width, self.look.stroke_side())
        with self._stage("statistics"):
            content = resized(pixels, h, w)
            shares = self._shares(masks, box, pixels, h, w)
            state = self._recorded(content, shares, state)
        with self._stage("style"):
            assert state.moments is not None
            top, left, bottom, right = region
            inner = (top * h // height, left * w // width, -(-bottom * h // height), -(-right * w // width))
            painting = self._stylizer.paint(content, shares, state.moments, inner)
        with self._stage("feedback"):
            kept = shown = painting
            if motion is not None and self.steadiness and state.painting is not None:
                kept = steadied_painting(painting, state.painting.numpy(), motion, self.steadiness)
                here = np.s_[inner[0] : inner[2], inner[1] : inner[3]]
                shown = kept.copy()
                shown[here] = crispened(np.ascontiguousarray(kept[here]), np.ascontiguousarray(painting[here]))
        return shown, replace(state, painting=torch.from_numpy(kept))

    def _shares(self, masks: Tensor, box: Box, pixels: Pixels, h: int, w: int) -> Tensor | None:
        """The share of each style at the working resolution, (S, h, w); None when there is only one."""
        assert self._stylizer is not None
        if len(self._stylizer) == 1:
            return None
        top, left, bottom, right = box
        regions = torch.zeros(len(self._stylizer), *pixels.shape[:2])
        for place, style in self._wearing.items():
            regions[style, top:bottom, left:right] += masks[place]
        return shares_of(resize(regions, (h, w)))

    def _recorded(self, content: Pixels, shares: Tensor | None, state: VideoState) -> VideoState:
        """The state with the statistics to paint this frame with: recorded now and then, approached smoothly."""
        stylizer, clock = self._stylizer, state.clocked()
        assert stylizer is not None
        if state.moments is None or state.wanted is None or not self.steadiness:
            moments = stylizer.record(content, shares)
            return replace(state, moments=moments, wanted=moments, clock=replace(clock, since_recording=0).tensor())
        wanted, turns = state.wanted, len(stylizer) if stylizer.alone else 1
        due = turns * clock.changed > _RECORD_AT or turns * clock.since_recording >= _LONGEST_WITHOUT_RECORDING
        if due and clock.changed > 0:
            place = int(clock.turn) % turns
            wanted = wanted.clone()
            if stylizer.alone:
                wanted[:, place : place + 1] = stylizer.record(content, shares, place)
            else:
                wanted = stylizer.record(content, shares)
            clock = replace(clock, since_recording=0, changed=0, turn=(place + 1) % turns)
        step = max(0.05, (1 - self.steadiness) ** 1.5)
        return replace(state, moments=torch.lerp(state.moments, wanted, step), wanted=wanted, clock=clock.tensor())

    @contextmanager
    def _stage(self, name: str) -> Iterator[None]:
        start = time.perf_counter()
        yield
        self.seconds[name] = self.seconds.get(name, 0.0) + time.perf_counter() - start
