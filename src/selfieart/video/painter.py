"""Paints the frames of a video: the same looks as photos, steady over time, and fast."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from selfieart.errors import SelfieartError
from selfieart.imaging.arrays import FloatArray, Pixels
from selfieart.imaging.resize import resize, resize_pixels
from selfieart.look import Look
from selfieart.masks import soft_masks
from selfieart.progress import Stopwatch
from selfieart.render.feed_forward import SMALLEST_SIDE
from selfieart.render.painter import shares_of
from selfieart.render.plan import plan
from selfieart.render.studio import Studio
from selfieart.segments import GROUPS
from selfieart.sizes import Size
from selfieart.video.choice import STEADINESS
from selfieart.video.composition import Box, composed, frame_masks, region_of
from selfieart.video.flow import FLOW_SIDE, Motion, motion_between, reduced
from selfieart.video.following import FrameParser
from selfieart.video.frame import Frame
from selfieart.video.state import VideoState
from selfieart.video.steady import crispened, steadied_painting
from selfieart.video.strokes import FrameStylizer, working_size

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

    Raises:
        SelfieartError: a style cannot be used, ``steadiness`` is not from 0 to 1, or ``parse_every`` is not "auto" or a
            number from 1.
    """

    def __init__(
        self, studio: Studio, look: Look, steadiness: float = STEADINESS, parse_every: int | Literal["auto"] = "auto"
    ) -> None:
        if not 0 <= steadiness <= 1:
            raise SelfieartError(f"steadiness must be a number from 0 to 1, not {steadiness}: {STEADINESS} is usual.")
        self.look, self.steadiness, self.parse_every = look, float(steadiness), parse_every
        self._watch = Stopwatch()
        self._worn = plan(look)
        bare = GROUPS["everything"].difference(*(worn.classes for worn in self._worn))
        self._groups = [worn.classes for worn in self._worn] + ([bare] if bare else [])
        self._parser = FrameParser(studio.parser, look, self._groups, self.steadiness, parse_every)
        coded = {place: studio.code(worn.style) for place, worn in enumerate(self._worn) if worn.painted}
        codes = dict(sorted(coded.values(), key=lambda pair: pair[0]))
        self._wearing = {place: list(codes).index(key) for place, (key, _) in coded.items()}
        self._stylizer: FrameStylizer | None = None
        if codes:
            stacked = np.stack(list(codes.values()))
            self._stylizer = FrameStylizer(studio.stylizer.network, stacked, look.seed, alone=look.blend == "pixels")

    @property
    def seconds(self) -> Mapping[str, float]:
        """Time that each stage has taken so far."""
        return self._watch.seconds

    def start(self) -> VideoState:
        """The state before the first frame."""
        return VideoState()

    def restore(self, tensors: dict[str, NDArray[Any]]) -> VideoState:
        """The state that :meth:`VideoState.tensors` described; painting goes on as if it had never stopped.

        Raises:
            SelfieartError: the arrays are not those of a state.
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
        return self._paint(pixels, state)

    def _paint(self, pixels: Pixels, state: VideoState) -> tuple[Pixels, VideoState]:
        with self._watch.stage("motion"):
            state, motion, small = self._followed(pixels, state)
        with self._watch.stage("parse"):
            guide, state = self._parser.follow(pixels, state, motion)
        logits = state.logits
        assert logits is not None
        rough = soft_masks(logits, self.look.tau)
        size = pixels.shape[:2]
        box = self._region(rough, size, [worn.changes for worn in self._worn])
        state = replace(state, frame=small, size=np.array(size, np.int64))
        if box is None:
            return pixels.copy(), replace(state, painting=None)
        with self._watch.stage("masks"):
            sigmas = [worn.feather_pixels(size) for worn in self._worn]
            sigmas += [0.0] * (len(self._groups) - len(self._worn))
            masks = frame_masks(pixels, guide, logits, self.look.tau, box, sigmas)
        painting, state = self._painting(pixels, rough, masks, box, state, motion)
        with self._watch.stage("compose"):
            out = composed(pixels, self._worn, masks, box, painting)
        return out, state

    def _followed(self, pixels: Pixels, state: VideoState) -> tuple[VideoState, Motion | None, Pixels]:
        """The state, or a new one after a cut; the motion since the frame before; the reduced frame."""
        small = np.ascontiguousarray(reduced(pixels, FLOW_SIDE))
        if state.frame is None or (self.steadiness == 0 and self.parse_every == 1):
            return self.start(), None, small
        motion = motion_between(state.frame, small)
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
        return replace(state, clock=clock.array()), motion, small

    def _region(self, rough: FloatArray, size: Size, chosen: list[bool]) -> Box | None:
        """The box of the frame outside which the chosen groups are not seen."""
        places = [place for place, wanted in enumerate(chosen) if wanted]
        if not places:
            return None
        # Edges move by a few pixels of the logits when they are snapped, and as far as they are softened.
        soft = max(self._worn[place].feather_pixels(size) for place in places)
        margin = round(4 * max(1.0, size[1] / rough.shape[-1]) + 3 * soft)
        return region_of(rough[places], *size, margin)

    def _painting(
        self, pixels: Pixels, rough: FloatArray, masks: FloatArray, box: Box, state: VideoState, motion: Motion | None
    ) -> tuple[FloatArray | None, VideoState]:
        """The painting of all styles (h, w, 4) at its working resolution, and the state that holds it."""
        height, width = pixels.shape[:2]
        region = self._region(rough, (height, width), [worn.painted for worn in self._worn])
        if self._stylizer is None or region is None:
            return None, replace(state, painting=None)
        h, w = working_size((height, width), self.look.stroke_side())
        with self._watch.stage("statistics"):
            content = resize_pixels(pixels, (h, w))
            shares = self._shares(masks, box, (height, width), (h, w))
            state = self._recorded(content, shares, state)
        with self._watch.stage("style"):
            assert state.moments is not None
            top, left, bottom, right = region
            inner = (top * h // height, left * w // width, -(-bottom * h // height), -(-right * w // width))
            painting = self._stylizer.paint(content, shares, state.moments, inner)
        with self._watch.stage("feedback"):
            kept = shown = painting
            if motion is not None and self.steadiness and state.painting is not None:
                kept = steadied_painting(painting, state.painting, motion, self.steadiness)
                here = np.s_[inner[0] : inner[2], inner[1] : inner[3]]
                shown = kept.copy()
                shown[here] = crispened(np.ascontiguousarray(kept[here]), np.ascontiguousarray(painting[here]))
        return shown, replace(state, painting=kept)

    def _shares(self, masks: FloatArray, box: Box, size: Size, working: Size) -> FloatArray | None:
        """The share of each style at the working resolution, (S, h, w); None when there is only one."""
        assert self._stylizer is not None
        if len(self._stylizer) == 1:
            return None
        top, left, bottom, right = box
        regions = np.zeros((len(self._stylizer), *size), np.float32)
        for place, style in self._wearing.items():
            regions[style, top:bottom, left:right] += masks[place]
        return shares_of(resize(regions, working))

    def _recorded(self, content: Pixels, shares: FloatArray | None, state: VideoState) -> VideoState:
        """The state with the statistics to paint this frame with: recorded now and then, approached smoothly."""
        stylizer, clock = self._stylizer, state.clocked()
        assert stylizer is not None
        if state.moments is None or state.wanted is None or not self.steadiness:
            moments = stylizer.record(content, shares)
            return replace(state, moments=moments, wanted=moments, clock=replace(clock, since_recording=0).array())
        wanted, turns = state.wanted, len(stylizer) if stylizer.alone else 1
        due = turns * clock.changed > _RECORD_AT or turns * clock.since_recording >= _LONGEST_WITHOUT_RECORDING
        if due and clock.changed > 0:
            place = int(clock.turn) % turns
            if stylizer.alone:
                wanted = wanted.copy()
                wanted[:, place : place + 1] = stylizer.record(content, shares, place)
            else:
                wanted = stylizer.record(content, shares)
            clock = replace(clock, since_recording=0, changed=0, turn=(place + 1) % turns)
        step = np.float32(max(0.05, (1 - self.steadiness) ** 1.5))
        moments = state.moments + step * (wanted - state.moments)
        return replace(state, moments=moments, wanted=wanted, clock=clock.array())
