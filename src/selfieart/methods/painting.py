"""The Python way to every method: a photo in styles, or arrays alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from selfieart.errors import SelfieartError
from selfieart.imaging import Photo, read_photo
from selfieart.imaging.resize import scaled
from selfieart.look import Look, SegmentLook
from selfieart.methods.method import Method
from selfieart.methods.registry import load_method
from selfieart.methods.repaint import repaint_with
from selfieart.methods.scene import Scene, parsed, tensor_of
from selfieart.methods.settings import OptimiseOptions, Watch, unwatched
from selfieart.networks.tensors import as_pixels, as_tensor
from selfieart.parsing.registry import load_parser
from selfieart.paths import StrPath
from selfieart.progress import Progress, silent
from selfieart.render.artwork import Artwork
from selfieart.render.portrait import PARSING_SIDE
from selfieart.render.studio import Studio
from selfieart.sizes import size_within

Picture = StrPath | Photo | NDArray[np.uint8]
"""A picture file, a photo, or a uint8 array (H, W, 3)."""


def paint_with(
    method: str | Method[Any],
    photo: Picture,
    style: StrPath | Mapping[str, StrPath] | Look,
    options: OptimiseOptions | Mapping[str, object] | None = None,
    progress: Progress = silent,
    watch: Watch = unwatched,
    studio: Studio | None = None,
) -> Artwork:
    """Turn a photo into art with a method that optimises, as ``selfieart photo --method`` does.

    >>> from selfieart.methods import paint_with
    >>> art = paint_with("gatys", photo, {"hair": "candy", "background": "painting.png"}, {"iterations": 3})
    >>> art.pixels.shape == photo.shape
    True

    Args:
        method: its name, or a loaded method such as ``Gatys(load_vgg19("vgg19.pth"))``.
        photo: a picture file, a photo, or a uint8 array (H, W, 3).
        style: a preset or a picture file for everything; or segment -> such a style; or a look.
        options: of the method, such as ``GatysOptions(iterations=100)``, or settings by name; the side is that of the
            look's stroke and the seed the look's where they are not set by name. What is left open, such as the
            background or soft masks, is found out from the photo.
        progress: called with a stage and the fraction done; may raise Cancelled.
        watch: told losses and given a preview after every evaluation; may raise Cancelled.
        studio: to work in; a new one when left out.

    Returns:
        The picture; it saves itself.

    Raises:
        SelfieartError: a name does not exist, or a picture or an option cannot be used; the sentence says why.
        Cancelled: a callback asked to stop.
    """
    if isinstance(style, Look):
        look = style
    else:
        worn = style if isinstance(style, Mapping) else {"everything": style}
        look = Look({segment: SegmentLook(str(name)) for segment, name in worn.items()})
    portrait = (studio or Studio()).open(photo if isinstance(photo, Photo | np.ndarray) else Path(photo))
    loaded = load_method(method) if isinstance(method, str) else method
    chosen = _options(loaded, options, {"side": look.stroke_side(), "seed": look.seed})
    return portrait.render(look, progress, repaint_with(loaded, chosen, portrait, look, watch))


def paint_pixels(
    method: str | Method[Any],
    content: Picture,
    styles: Picture | Sequence[Picture],
    masks: NDArray[np.float32] | None = None,
    options: OptimiseOptions | Mapping[str, object] | None = None,
    progress: Progress = silent,
    watch: Watch = unwatched,
) -> NDArray[np.uint8]:
    """Paint a picture in the style of others: arrays in, an array out, and no look between.

    >>> from selfieart.methods import GatysOptions, paint_pixels
    >>> painted = paint_pixels("gatys", photo, painting, options=GatysOptions(side=48, iterations=3))
    >>> painted.shape == photo.shape, str(painted.dtype)
    (True, 'uint8')

    Args:
        method: its name, or a loaded method.
        content: what is painted.
        styles: a picture whose style is imitated, or several.
        masks: (S + 1, H, W) in [0, 1], summing to 1, where each style goes and, last, what stays as it is; one style
            everywhere when left out.
        options: of the method, or settings by name. What is left open is found out from the content.
        progress, watch: see :func:`paint_with`.

    Returns:
        (H, W, 3) uint8.

    Raises:
        SelfieartError: a name does not exist, or a picture, the masks or an option cannot be used.
        Cancelled: a callback asked to stop.
    """
    loaded = load_method(method) if isinstance(method, str) else method
    chosen = _options(loaded, options, {})
    several = [styles] if isinstance(styles, str | PathLike | Photo | np.ndarray) else styles
    pixels, parser = _pixels(content), load_parser()
    size = (pixels.shape[0], pixels.shape[1])
    scene = Scene(
        content=as_tensor(pixels),
        styles={f"style {place}": as_tensor(_pixels(style)) for place, style in enumerate(several, 1)},
        masks=None if masks is None else tensor_of(np.ascontiguousarray(masks, np.float32)),
        parsing=parsed(parser, tensor_of(scaled(pixels, size_within(size, PARSING_SIDE)))).at_size(*size),
        parser=parser,
        progress=progress,
        watch=watch,
    )
    return as_pixels(loaded.paint(scene, chosen))


def _options(
    method: Method[Any], options: OptimiseOptions | Mapping[str, object] | None, usual: Mapping[str, object]
) -> OptimiseOptions:
    kind: type[OptimiseOptions] = method.options
    if isinstance(options, OptimiseOptions) and not isinstance(options, kind):
        raise SelfieartError(f"{type(options).__name__} are not options of {method.name}: give {kind.__name__}.")
    if isinstance(options, OptimiseOptions):
        return options
    read: OptimiseOptions = method.options_from({**usual, **(options or {})})
    return read


def _pixels(picture: Picture) -> NDArray[np.uint8]:
    if isinstance(picture, Photo):
        return picture.pixels
    return Photo.from_array(picture).pixels if isinstance(picture, np.ndarray) else read_photo(picture).pixels
