"""Soft masks for semantic style transfer: by the face parser, by what pictures have in common, or painted by hand."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from selfieart.errors import SelfieartError, printable, unknown
from selfieart.imaging import read_photo
from selfieart.methods.clusters import CLUSTER_LAYER, shared_clusters
from selfieart.methods.guidance import Guidance
from selfieart.methods.guidance_choice import GuidanceChoice
from selfieart.methods.scene import parsed, tensor_of
from selfieart.networks.encoder import PerceptualEncoder
from selfieart.networks.tensors import resize
from selfieart.parsing.parser import Parser
from selfieart.parsing.parsing import Parsing
from selfieart.segments import GROUPS, INDEX

KINDS: dict[str, frozenset[int]] = {
    "background": frozenset({INDEX["background"]}),
    "clothes": frozenset(INDEX[name] for name in ("clothes", "necklace", "hat", "earring")),
    "skin": frozenset(INDEX[name] for name in ("skin", "neck")) | GROUPS["ears"],
    "hair": frozenset({INDEX["hair"]}),
    "eyes": GROUPS["eyes"] | GROUPS["brows"] | frozenset({INDEX["glasses"]}),
    "nose": frozenset({INDEX["nose"]}),
    "mouth": GROUPS["lips"] | frozenset({INDEX["mouth"]}),
}
"""What is painted like what in a portrait; together all 19 segments, each once."""

TAU = 1.0
"""Softness of the parser's masks: the probabilities themselves (eq. 8 of SelfieArt)."""

CLUSTER_SIDE = 256
"""Short side in pixels at which pictures are divided into what they have in common."""

MOST_COLORS = 16
SMALLEST_SHARE = 0.002
"""Of a map's area: colours of less are edges that a brush has softened."""

MOST_EDGES = 0.05
"""Of a map's area: more of such colours means that it was saved as JPEG, or is no map."""


def guidance_for(
    choice: GuidanceChoice,
    content: Tensor,
    parsing: Parsing,
    styles: Mapping[str, Tensor],
    parser: Parser,
    encoder: PerceptualEncoder,
    seed: int = 0,
) -> Guidance | None:
    """The soft masks of a photo and of the style pictures that it is painted after.

    Args:
        choice: where they come from.
        content: (3, H, W) in [0, 1].
        parsing: of the photo.
        styles: name -> (3, h, w) in [0, 1], in the order of the guidance's styles.
        parser: for the style pictures.
        encoder: for clusters.
        seed: of the clusters.

    Returns:
        The guidance; None if nothing shall guide.

    Raises:
        SelfieartError: the maps cannot be used; the sentence says why.
    """
    if choice.content_map is not None:
        return _from_maps(choice.content_map, choice.style_maps, content, styles)
    if choice.source == "none":
        return None
    pictures = list(styles.values())
    if choice.source == "parser" or (choice.source == "auto" and parsing.faces):
        parsings = [parsed(parser, picture) for picture in pictures]
        if choice.source == "parser" or any(found.faces for found in parsings):
            return from_parsings(parsing, parsings)
    return from_clusters([content, *pictures], encoder, choice.parts, seed)


def from_parsings(content: Parsing, styles: Sequence[Parsing]) -> Guidance:
    """Soft masks of :data:`KINDS`, at the resolutions of parsing.

    Where a style picture shows no face, whatever the parser thinks to see of a person is not there: all of it is
    background.
    """
    return Guidance(tuple(KINDS), _kinds(content), tuple(_kinds(style, needs_face=True) for style in styles))


def _kinds(parsing: Parsing, needs_face: bool = False) -> Tensor:
    soft = tensor_of(parsing.masks(TAU))
    if needs_face and not parsing.faces:
        soft = torch.zeros_like(soft)
        soft[INDEX["background"]] = 1
    return torch.stack([soft[sorted(classes)].sum(0) for classes in KINDS.values()]).clamp(0, 1)


def from_clusters(pictures: Sequence[Tensor], encoder: PerceptualEncoder, count: int, seed: int = 0) -> Guidance:
    """Soft masks of what pictures of any kind have in common, by their deep features.

    Args:
        pictures: (3, H, W) in [0, 1], the content first.
        encoder: whose features are clustered.
        count: how many parts.
        seed: see :func:`selfieart.methods.clusters.shared_clusters`.
    """
    features = []
    with torch.no_grad():
        for picture in pictures:
            height, width = picture.shape[-2:]
            scale = CLUSTER_SIDE / min(height, width)
            small = resize(picture, (round(height * scale), round(width * scale))).clamp(0, 1)
            features.append(encoder(small[None], [CLUSTER_LAYER])[CLUSTER_LAYER][0])
    content, *styles = shared_clusters(features, count, seed)
    return Guidance(tuple(f"part {k + 1}" for k in range(count)), content, tuple(styles))


def _from_maps(path: Path, paths: Mapping[str, Path], content: Tensor, styles: Mapping[str, Tensor]) -> Guidance:
    for name in paths:
        if name and name not in styles:
            raise unknown("picture of a style map", name, styles)
    if "" in paths and (len(paths) > 1 or len(styles) > 1):
        raise SelfieartError(
            f"The look has {len(styles)} pictures as styles: say which one each map is of, as "
            f"--style-map {next(iter(styles))}={paths['']}."
        )
    missing = [name for name in styles if name not in paths and "" not in paths]
    if missing:
        raise SelfieartError(f"The style '{printable(missing[0])}' has no map: give every style picture one.")
    drawn = read_map(path, content)
    others = [(paths.get(name, paths.get("")), picture) for name, picture in styles.items()]
    maps = [read_map(other, picture) for other, picture in others if other is not None]
    lonely = [color for color in drawn if not any(color in other for other in maps)]
    if lonely:
        raise SelfieartError(
            f"The maps do not agree: {', '.join(map(_hex, lonely))} is in {path.name} but in no map of a style, which "
            f"have {', '.join(sorted({_hex(color) for other in maps for color in other}))}, so paint both in the same "
            "colours."
        )
    return Guidance(tuple(map(_hex, drawn)), _stacked(drawn, drawn), tuple(_stacked(other, drawn) for other in maps))


Color = tuple[int, int, int]


def read_map(path: Path, picture: Tensor) -> dict[Color, Tensor]:
    """A picture painted by hand in which each colour is a region.

    Colours that cover almost nothing, as at edges that a brush has softened, count as the nearest of the others.

    Args:
        path: a PNG, or another file without loss.
        picture: (3, H, W), what it is a map of; it may have another size but must have about its shape.

    Returns:
        Colour -> (h, w) of 0 and 1, by colour.

    Raises:
        ImageError: it cannot be read.
        SelfieartError: it has another shape than the picture, or too many colours.
    """
    pixels = read_photo(path).pixels
    shapes = (pixels.shape[1] / pixels.shape[0], picture.shape[-1] / picture.shape[-2])
    if abs(math.log(shapes[0] / shapes[1])) > 0.05:
        raise SelfieartError(
            f"The map {path.name} is {pixels.shape[1]}x{pixels.shape[0]} pixels, another shape than its picture: paint "
            "it over a copy of the picture."
        )
    colors, places, counts = np.unique(pixels.reshape(-1, 3), axis=0, return_inverse=True, return_counts=True)
    main = np.flatnonzero(counts >= SMALLEST_SHARE * counts.sum())
    if len(main) > MOST_COLORS or counts[main].sum() < (1 - MOST_EDGES) * counts.sum():
        raise SelfieartError(
            f"The map {path.name} has {len(colors)} colours: paint up to {MOST_COLORS} regions in one flat colour each "
            "and save it as PNG."
        )
    kept = colors[main].astype(np.int64)
    distance = np.stack([((colors.astype(np.int64) - color) ** 2).sum(1) for color in kept])
    labels: NDArray[np.intp] = distance.argmin(0)[places.reshape(-1)].reshape(pixels.shape[:2])
    return {
        (int(color[0]), int(color[1]), int(color[2])): torch.from_numpy((labels == k).astype(np.float32))
        for k, color in enumerate(kept)
    }


def _stacked(regions: Mapping[Color, Tensor], colors: Mapping[Color, Tensor]) -> Tensor:
    empty = torch.zeros_like(next(iter(regions.values())))
    return torch.stack([regions.get(color, empty) for color in colors])


def _hex(color: Color) -> str:
    return "#{:02x}{:02x}{:02x}".format(*color)
