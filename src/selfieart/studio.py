"""The Studio: opens a photo, parses it once, paints it once per style, and composes any look from those layers."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from selfieart.compose import Part, compose, part_masks
from selfieart.imaging import Photo, read_photo, write_photo
from selfieart.imaging.resize import resize
from selfieart.layers import BlurLayer, ColorLayer, GreyLayer, Layer, PaintedLayer
from selfieart.look import PNG_KEY, Look
from selfieart.painter import paint, scaled, shares_of
from selfieart.parsing.choice import Faces
from selfieart.parsing.parser import Parser
from selfieart.parsing.parsing import Parsing
from selfieart.parsing.registry import load_parser
from selfieart.segments import GROUPS, assign
from selfieart.styles import ResolvedStyle, resolve_style
from selfieart.transfer.feed_forward import PresetStylizer
from selfieart.transfer.presets import load_presets
from selfieart.transfer.stylizer import Progress, StylizeOptions, silent

_PARSING_SIDE = 1536
_CACHE_BYTES = 512_000_000

_engine = threading.RLock()
"""One inference at a time: it owns all cores."""


@dataclass(frozen=True)
class Artwork:
    """A finished picture.

    Attributes:
        pixels: (H, W, 3) uint8 sRGB.
        photo: what it was made from.
        look: how.
        seconds: time of each stage that ran.
        notes: sentences that a person should read, such as that no face was found.
    """

    pixels: NDArray[np.uint8]
    photo: Photo
    look: Look
    seconds: dict[str, float]
    notes: tuple[str, ...] = ()

    def save(self, path: str | Path, overwrite: bool = False) -> Path:
        """Write it, in the format that the suffix names; a PNG also holds the look.

        Raises:
            ImageError: the file exists and ``overwrite`` is False, or it cannot be written.
        """
        return write_photo(path, self.pixels, like=self.photo, text={PNG_KEY: self.look.to_toml()}, overwrite=overwrite)


class Studio:
    """Makes art from photos.

    Args:
        parser: name of the face parser.
        threads: cores to use; all of them when left out.

    Raises:
        UnknownName: there is no such parser.
    """

    def __init__(self, parser: str = "bisenet", threads: int | None = None) -> None:
        if threads is not None:
            torch.set_num_threads(threads)
        self.parser: Parser = load_parser(parser)
        self.stylizer: PresetStylizer = load_presets()

    def open(self, source: str | Path | Photo | NDArray[Any]) -> Portrait:
        """A portrait to work on.

        Args:
            source: a picture file, a photo, or a uint8 array (H, W), (H, W, 3) or (H, W, 4).

        Raises:
            ImageError: it cannot be read.
        """
        if isinstance(source, str | Path):
            return Portrait(self, read_photo(source))
        return Portrait(self, source if isinstance(source, Photo) else Photo.from_array(source))


@dataclass
class _Stopwatch:
    seconds: dict[str, float] = field(default_factory=dict)

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        start = time.perf_counter()
        yield
        self.seconds[name] = self.seconds.get(name, 0.0) + time.perf_counter() - start


class Portrait:
    """One photo in the studio. Its parsing and its painted layers are kept, so changing a look costs a blend."""

    def __init__(self, studio: Studio, photo: Photo) -> None:
        self.studio, self.photo = studio, photo
        self._parsings: dict[Faces, Parsing] = {}
        self._painted: OrderedDict[tuple[Any, ...], PaintedLayer] = OrderedDict()

    def parsing(self, faces: Faces = "all") -> Parsing:
        """The segments of the photo.

        Args:
            faces: "all", "largest" or a number; the heads of other faces become background.

        Raises:
            SelfieartError: the photo is too small, or ``faces`` is none of these.
        """
        if faces not in self._parsings:
            small = self._reduced(_PARSING_SIDE)
            with _engine:
                parsing = self.studio.parser.parse(small, faces)
            self._parsings[faces] = parsing.at_size(self.photo.height, self.photo.width)
        return self._parsings[faces]

    def render(self, look: Look, progress: Progress = silent) -> Artwork:
        """Turn the photo into art.

        Args:
            look: what goes where.
            progress: called with a stage and the fraction done; may raise Cancelled.

        Raises:
            SelfieartError: a style does not exist, or the photo is too small.
            Cancelled: ``progress`` asked to stop.
        """
        watch, notes = _Stopwatch(), []
        styles = {name: resolve_style(worn.style) for name, worn in look.segments.items()}
        # In one order whatever the look's, because sums of floats depend on theirs.
        classes = {name: kept for name, kept in sorted(assign(list(look.segments)).items()) if kept}
        if not classes:
            return Artwork(self.photo.pixels.copy(), self.photo, look, watch.seconds)
        progress("parse", 0.0)
        with watch.stage("parse"):
            parsing = self.parsing(look.faces)
        progress("parse", 1.0)
        if not parsing.faces and any(kept <= GROUPS["head"] for kept in classes.values()):
            notes.append("No face was found in the picture, so styles for parts of a face show little or nothing.")
        present = set(np.unique(parsing.logits.argmax(0).numpy()).tolist())
        notes += [
            f"No '{name}' was found in the picture." for name, kept in classes.items() if kept.isdisjoint(present)
        ]
        bare = [self._part(look, name, kept, None) for name, kept in classes.items()]
        with watch.stage("masks"):
            masks = part_masks(self.photo.pixels, parsing, bare, look.tau)
        with watch.stage("style"):
            layers = self._layers(look, classes, styles, masks, progress)
        parts = [self._part(look, name, kept, layers[name]) for name, kept in classes.items()]
        with watch.stage("compose"):
            pixels = compose(self.photo.pixels, parts, masks, progress)
        return Artwork(pixels, self.photo, look, watch.seconds, tuple(notes))

    def _part(self, look: Look, name: str, classes: frozenset[int], layer: Layer | None) -> Part:
        worn = look.segments[name]
        pixels = worn.feather / 100 * min(self.photo.size)
        return Part(classes, layer, worn.strength, worn.keep_color, pixels)

    def _layers(
        self,
        look: Look,
        classes: dict[str, frozenset[int]],
        styles: dict[str, ResolvedStyle],
        masks: Tensor,
        progress: Progress,
    ) -> dict[str, Layer | None]:
        height, width = self.photo.height, self.photo.width
        layers: dict[str, Layer | None] = {}
        painted = {name: styles[name].name for name in classes if styles[name].kind == "preset"}
        if look.blend == "features" and len(set(painted.values())) > 1:
            # Segments that wear the same style are one region of it.
            worn = sorted(set(painted.values()))
            regions = torch.zeros(len(worn), height, width)
            for mask, name in zip(masks, classes, strict=False):
                if name in painted:
                    regions[worn.index(painted[name])] += mask
            layers |= dict.fromkeys(painted, self._paint(worn, regions, look, True))
        else:
            # A style that any part of a head wears is painted with fine faces for all its segments: once, not twice.
            fine = {preset for name, preset in painted.items() if classes[name] & GROUPS["head"]}
            for done, (name, preset) in enumerate(painted.items()):
                progress("style", done / len(painted))
                layers[name] = self.layer(preset, look, preset in fine)
        for place, name in enumerate(classes):
            style = styles[name]
            if style.kind == "blur":
                small = self._reduced(1024)
                mask = resize(masks[place][None], (small.shape[-2], small.shape[-1]))[0]
                layers[name] = BlurLayer(small, mask, height, width)
            elif style.kind == "grey":
                layers[name] = GreyLayer()
            elif style.kind == "color":
                layers[name] = ColorLayer(style.color)
            elif style.kind == "original":
                layers[name] = None
        progress("style", 1.0)
        return layers

    def layer(self, style: str, look: Look | None = None, fine_faces: bool = True) -> PaintedLayer:
        """The whole photo painted in one style; kept for the next look.

        Args:
            style: name of a preset.
            look: whose stroke, seed and choice of faces count; the default look when left out.
            fine_faces: paint small faces with a finer brush.

        Raises:
            UnknownName: there is no such preset.
        """
        look = look or Look()
        key = (style, look.stroke_side(), look.seed, look.faces, fine_faces)
        if key not in self._painted:
            self._painted[key] = self._paint([style], None, look, fine_faces)
            while len(self._painted) > 1 and sum(kept.bytes for kept in self._painted.values()) > _CACHE_BYTES:
                self._painted.popitem(last=False)
        self._painted.move_to_end(key)
        return self._painted[key]

    def _paint(self, styles: list[str], masks: Tensor | None, look: Look, fine_faces: bool) -> PaintedLayer:
        """Paint the photo; several styles in one pass, their modulations mixed by masks (S, H, W)."""
        stylizer, faces = self.studio.stylizer, self.parsing(look.faces).faces if fine_faces else ()
        codes = torch.stack([stylizer.encode(style) for style in styles])
        shares = None if masks is None else shares_of(masks)
        with _engine:
            return paint(
                stylizer, self.photo.pixels, codes, look.stroke_side(), faces, shares, StylizeOptions(look.seed)
            )

    def _reduced(self, long_side: int) -> Tensor:
        """The photo (3, h, w), no longer than a number of pixels."""
        scale = min(1.0, long_side / max(self.photo.size))
        return scaled(
            self.photo.pixels, (max(1, round(self.photo.height * scale)), max(1, round(self.photo.width * scale)))
        )
