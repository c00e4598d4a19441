"""From a plan to a picture: masks, layers, and the composition of both."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from selfieart.imaging import Photo
from selfieart.imaging.arrays import FloatArray
from selfieart.look import Look
from selfieart.masks import likeliest
from selfieart.parsing.choice import Faces
from selfieart.parsing.parser import Parser
from selfieart.parsing.parsing import Parsing
from selfieart.progress import Progress, Stopwatch, silent
from selfieart.render.artwork import Artwork
from selfieart.render.cache import Paintings, paint_photo
from selfieart.render.compose import Part, compose, part_masks
from selfieart.render.feed_forward import PresetStylizer
from selfieart.render.layers import BlurLayer, ColorLayer, GreyLayer, Layer, PaintedLayer
from selfieart.render.painter import shares_of
from selfieart.render.plan import Worn, plan
from selfieart.segments import GROUPS
from selfieart.styles.resolve import ResolvedStyle

Repaint = Callable[[list[str], FloatArray, Progress], PaintedLayer]
"""Another method's way to paint: names of the styles and where each goes, (S, H, W) -> one picture of all of them."""


class Tools(Protocol):
    """What a portrait is made with; the studio is one."""

    parser: Parser
    stylizer: PresetStylizer

    def code(self, style: str | ResolvedStyle) -> tuple[str, FloatArray]:
        """A key that names the style by its content, and the code (D,)."""
        ...


@dataclass(frozen=True)
class Renderer:
    """Makes looks from one photo.

    Attributes:
        tools: what turns a style into its code, and paints.
        photo: the picture.
        parse: which faces take part -> the segments of the photo.
        paintings: of the photo, or of a larger or smaller copy of it.
    """

    tools: Tools
    photo: Photo
    parse: Callable[[Faces], Parsing]
    paintings: Paintings

    def render(self, look: Look, progress: Progress = silent, repaint: Repaint | None = None) -> Artwork:
        """See :meth:`selfieart.render.portrait.Portrait.render`."""
        watch, worn = Stopwatch(), plan(look)
        if not worn:
            return Artwork(self.photo.pixels.copy(), self.photo, look, dict(watch.seconds))
        progress("parse", 0.0)
        with watch.stage("parse"):
            parsing = self.parse(look.faces)
        progress("parse", 1.0)
        painted = [part for part in worn if part.painted]
        layers: dict[str, Layer | None] = {}
        # Both masks and painting take memory that neither needs when it is done: painting alone comes first.
        alone = repaint is None and (look.blend == "pixels" or len({part.style for part in painted}) < 2)
        if alone:
            with watch.stage("style"):
                layers |= self._painted_alone(painted, look, progress)
        with watch.stage("masks"):
            masks = part_masks(self.photo.pixels, parsing, [self._part(part, None) for part in worn], look.tau)
        with watch.stage("style"):
            if not alone:
                where = masks[[part.painted for part in worn] + [False]]
                layers |= dict.fromkeys(
                    (part.name for part in painted), self._painted_together(painted, where, look, progress, repaint)
                )
            layers |= {p.name: self._effect(p, mask) for p, mask in zip(worn, masks, strict=False) if not p.painted}
            progress("style", 1.0)
        with watch.stage("compose"):
            pixels = compose(self.photo.pixels, [self._part(p, layers[p.name]) for p in worn], masks, progress)
        return Artwork(pixels, self.photo, look, dict(watch.seconds), _notes(worn, parsing))

    def _part(self, worn: Worn, layer: Layer | None) -> Part:
        size = (self.photo.height, self.photo.width)
        return Part(worn.classes, layer, worn.strength, worn.keep_color, worn.feather_pixels(size))

    def _painted_alone(self, painted: Sequence[Worn], look: Look, progress: Progress) -> dict[str, PaintedLayer]:
        """Each part's own painting of the whole photo, by the part's name."""
        coded = {part.name: self.tools.code(part.style) for part in painted}
        # A style that any part of a head wears is painted with fine faces for all its segments: once, not twice.
        fine = {coded[part.name][0] for part in painted if part.classes & GROUPS["head"]}
        layers = {}
        for done, (name, (style, code)) in enumerate(coded.items()):
            progress("style", done / len(coded))
            layer = self.paintings.layer(style, code, look, style in fine)
            layers[name] = layer.at_size(self.photo.height, self.photo.width)
        return layers

    def _painted_together(
        self, painted: Sequence[Worn], masks: FloatArray, look: Look, progress: Progress, repaint: Repaint | None
    ) -> PaintedLayer:
        """One painting in all styles, each where its masks (S, H, W) say."""
        if repaint is not None:
            names = [part.style.name for part in painted]
            return repaint(sorted(set(names)), _regions(sorted(set(names)), names, masks), progress)
        coded = [self.tools.code(part.style) for part in painted]
        codes = dict(sorted(coded, key=lambda pair: pair[0]))
        shares = shares_of(_regions(list(codes), [name for name, _ in coded], masks))
        faces = self.parse(look.faces).faces
        return paint_photo(self.tools.stylizer, self.photo, np.stack(list(codes.values())), look, faces, shares)

    def _effect(self, worn: Worn, mask: FloatArray) -> Layer | None:
        """What is worn and not painted."""
        kind = worn.style.kind
        if kind == "blur":
            return BlurLayer.of(self.photo.pixels, mask)
        if kind == "grey":
            return GreyLayer()
        return ColorLayer(worn.style.color) if kind == "color" else None


def _regions(styles: list[str], names: Sequence[str], masks: FloatArray) -> FloatArray:
    """Where each style goes, (S, H, W): parts that wear the same style are one region of it."""
    regions = np.zeros((len(styles), *masks.shape[1:]), np.float32)
    for name, mask in zip(names, masks, strict=True):
        regions[styles.index(name)] += mask
    return regions


def _notes(worn: Sequence[Worn], parsing: Parsing) -> tuple[str, ...]:
    """What a person should know about the picture."""
    notes = []
    if not parsing.faces and any(part.classes <= GROUPS["head"] for part in worn):
        notes.append("No face was found in the picture, so styles for parts of a face show little or nothing.")
    present = set(np.unique(likeliest(parsing.logits)).tolist())
    notes += [f"No '{part.name}' was found in the picture." for part in worn if part.classes.isdisjoint(present)]
    return tuple(notes)
