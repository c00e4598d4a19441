"""The Studio: opens a photo, parses it once, paints it once per style, and composes any look from those layers."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from selfieart.imaging import Photo, read_photo, write_photo
from selfieart.imaging.arrays import as_tensor
from selfieart.imaging.resize import resize
from selfieart.look import PNG_KEY, Look
from selfieart.parsing.choice import DEFAULT_PARSER, Faces
from selfieart.parsing.parser import Parser
from selfieart.parsing.parsing import Parsing
from selfieart.parsing.registry import load_parser
from selfieart.progress import Progress, silent
from selfieart.render.compose import Part, compose, part_masks
from selfieart.render.feed_forward import PresetStylizer
from selfieart.render.layers import BlurLayer, ColorLayer, GreyLayer, Layer, PaintedLayer
from selfieart.render.painter import paint, scaled, shares_of
from selfieart.segments import GROUPS, assign
from selfieart.styles.any_style import read_code
from selfieart.styles.codes import StyleCodes
from selfieart.styles.presets import load_presets
from selfieart.styles.resolve import ResolvedStyle, resolve_style
from selfieart.stylizer import StylizeOptions
from selfieart.weights import manifest

_PARSING_SIDE = 1536
_CACHE_BYTES = 512_000_000

_engine = threading.RLock()
"""One inference at a time: it owns all cores."""


Repaint = Callable[[list[str], Tensor, Progress], PaintedLayer]
"""Another method's way to paint: names of the styles and where each goes, (S, H, W) -> one picture of all of them."""


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

    def __init__(self, parser: str = DEFAULT_PARSER, threads: int | None = None) -> None:
        if threads is not None:
            torch.set_num_threads(threads)
        self.parser: Parser = load_parser(parser)
        self.stylizer: PresetStylizer = load_presets()
        self._codes = StyleCodes(
            lambda name: self.stylizer.encode(name).numpy(),
            lambda path: self._encoded(path).numpy(),
            lambda path: read_code(path, self.stylizer.net.code_size, manifest()["presets"].sha256).numpy(),
        )

    def code(self, style: str | ResolvedStyle) -> tuple[str, Tensor]:
        """The code of a style that is painted.

        Args:
            style: a preset, a picture file, a file that ``selfieart train style`` wrote, or a mix of these.

        Returns:
            A key that names the style by its content, and the code (D,).

        Raises:
            UnknownName: there is no such preset.
            SelfieartError: the file cannot be used, or the style is a plain effect.
        """
        key, code = self._codes.code(style)
        return key, torch.from_numpy(code)

    def _encoded(self, path: Path) -> Tensor:
        with _engine:
            return self.stylizer.encode_picture(as_tensor(read_photo(path).pixels))

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
        # None is the portrait itself: a reference to itself would keep its memory until the next garbage collection.
        self._parse: Callable[[Faces], Parsing] | None = None
        self._origin: Portrait | None = None

    def seen(self, photo: Photo, parse: Callable[[Faces], Parsing]) -> Portrait:
        """The same picture at another size or with other segments; what is painted for it serves both.

        Args:
            photo: a larger or smaller copy of the photo, or the photo itself.
            parse: which faces take part -> the segments to use, in the size of that copy.
        """
        view = Portrait(self.studio, photo)
        view._parse, view._origin = parse, self._origin or self
        return view

    def corrected(self, bias: Mapping[str, NDArray[np.float32]]) -> Portrait:
        """The portrait with segments as a person corrected them; photo and painted layers are shared.

        Args:
            bias: see :meth:`selfieart.parsing.parsing.Parsing.corrected`.
        """
        return self.seen(self.photo, lambda faces: self.parsing(faces).corrected(bias))

    @property
    def bytes(self) -> int:
        """Memory held by the photo, its parsings and its painted layers."""
        planes = [plane for plane in (self.photo.pixels, self.photo.alpha) if plane is not None]
        tensors = [tensor for parsing in self._parsings.values() for tensor in (parsing.logits, parsing.guide)]
        held = sum(plane.nbytes for plane in planes) + sum(t.numel() * t.element_size() for t in tensors)
        return held + sum(layer.bytes for layer in self._painted.values())

    def parsing(self, faces: Faces = "all") -> Parsing:
        """The segments of the photo.

        Args:
            faces: "all", "largest" or a number; the heads of other faces become background.

        Raises:
            SelfieartError: the photo is too small, or ``faces`` is none of these.
        """
        if faces not in self._parsings:
            self._parsings[faces] = (self._parse or self._parsed)(faces)
        return self._parsings[faces]

    def _parsed(self, faces: Faces) -> Parsing:
        small = self._reduced(_PARSING_SIDE)
        with _engine:
            parsing = self.studio.parser.parse(small, faces)
        return parsing.at_size(self.photo.height, self.photo.width)

    def render(self, look: Look, progress: Progress = silent, repaint: Repaint | None = None) -> Artwork:
        """Turn the photo into art.

        Args:
            look: what goes where.
            progress: called with a stage and the fraction done; may raise Cancelled.
            repaint: paints all styles in one picture instead of the feed-forward network.

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
            layers = self._layers(look, classes, styles, masks, progress, repaint)
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
        repaint: Repaint | None,
    ) -> dict[str, Layer | None]:
        height, width = self.photo.height, self.photo.width
        layers: dict[str, Layer | None] = {}
        painted, codes = {}, {}
        for name in classes:
            if styles[name].painted and repaint is not None:
                painted[name] = styles[name].name
            elif styles[name].painted:
                painted[name], code = self.studio.code(styles[name])
                codes[painted[name]] = code
        if painted and repaint is not None:
            worn = sorted(set(painted.values()))
            layers |= dict.fromkeys(painted, repaint(worn, _regions(worn, painted, classes, masks), progress))
        elif look.blend == "features" and len(set(painted.values())) > 1:
            # Segments that wear the same style are one region of it.
            worn = sorted(set(painted.values()))
            regions = _regions(worn, painted, classes, masks)
            shared = self._paint(torch.stack([codes[style] for style in worn]), regions, look, True)
            layers |= dict.fromkeys(painted, shared)
        else:
            # A style that any part of a head wears is painted with fine faces for all its segments: once, not twice.
            fine = {style for name, style in painted.items() if classes[name] & GROUPS["head"]}
            for done, (name, style) in enumerate(painted.items()):
                progress("style", done / len(painted))
                layers[name] = self._layer(style, codes[style], look, style in fine)
        for place, name in enumerate(classes):
            resolved = styles[name]
            if resolved.kind == "blur":
                small = self._reduced(1024)
                mask = resize(masks[place][None], (small.shape[-2], small.shape[-1]))[0]
                layers[name] = BlurLayer(small, mask, height, width)
            elif resolved.kind == "grey":
                layers[name] = GreyLayer()
            elif resolved.kind == "color":
                layers[name] = ColorLayer(resolved.color)
            elif resolved.kind == "original":
                layers[name] = None
        progress("style", 1.0)
        return layers

    def layer(self, style: str, look: Look | None = None, fine_faces: bool = True, draft: bool = False) -> PaintedLayer:
        """The whole photo painted in one style; kept for the next look.

        Args:
            style: a preset, a picture file, or a fitted style.
            look: whose stroke, seed and choice of faces count; the default look when left out.
            fine_faces: paint small faces with a finer brush.
            draft: coarse strokes only, for a first look at a large photo; the finished layer if there is one already.

        Raises:
            UnknownName: there is no such preset.
            SelfieartError: the file cannot be used as a style.
        """
        name, code = self.studio.code(style)
        look = look or Look()
        finished = (name, look.stroke_side(), look.seed, look.faces, fine_faces)
        if draft and finished not in (self._origin or self)._painted:
            with _engine:
                options = StylizeOptions(look.seed)
                pixels = self.photo.pixels
                return paint(self.studio.stylizer, pixels, code[None], look.stroke_side(), options=options, draft=True)
        return self._layer(name, code, look, fine_faces)

    def _layer(self, style: str, code: Tensor, look: Look, fine_faces: bool) -> PaintedLayer:
        if self._origin is not None:
            layer = self._origin._layer(style, code, look, fine_faces)
            return layer.at_size(self.photo.height, self.photo.width)
        key = (style, look.stroke_side(), look.seed, look.faces, fine_faces)
        if key not in self._painted:
            self._painted[key] = self._paint(code[None], None, look, fine_faces)
            while len(self._painted) > 1 and sum(kept.bytes for kept in self._painted.values()) > _CACHE_BYTES:
                self._painted.popitem(last=False)
        self._painted.move_to_end(key)
        return self._painted[key]

    def _paint(self, codes: Tensor, masks: Tensor | None, look: Look, fine_faces: bool) -> PaintedLayer:
        """Paint the photo in codes (S, D); several in one pass, their modulations mixed by masks (S, H, W)."""
        stylizer, faces = self.studio.stylizer, self.parsing(look.faces).faces if fine_faces else ()
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


def _regions(worn: list[str], painted: Mapping[str, str], classes: Iterable[str], masks: Tensor) -> Tensor:
    """Where each style goes, (S, H, W): segments that wear the same style are one region of it."""
    regions = torch.zeros(len(worn), masks.shape[-2], masks.shape[-1])
    for mask, name in zip(masks, classes, strict=False):
        if name in painted:
            regions[worn.index(painted[name])] += mask
    return regions
