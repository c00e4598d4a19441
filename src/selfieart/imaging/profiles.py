"""Colour profiles: from the colours of a file to sRGB and back.

Conversions are relative colorimetric with black point compensation. A profile that cannot be used, or that does not
fit the picture that carries it, is ignored: a picture with slightly wrong colours is worth more than an error.
"""

from __future__ import annotations

from functools import cache
from io import BytesIO
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageCms

# What colour space a profile must describe to fit the mode of a Pillow image.
_SPACES = {"L": "GRAY", "RGB": "RGB", "CMYK": "CMYK", "LAB": "Lab"}


def to_srgb(image: Image.Image, icc: bytes | None) -> tuple[Image.Image, bytes | None]:
    """Converts a picture to sRGB.

    Args:
        image: a Pillow image of mode L, RGB, CMYK or LAB.
        icc: the profile that the file carries, if any; it may be damaged or meant for another kind of picture.

    Returns:
        The picture in mode RGB with sRGB colours, and `icc` if it is an RGB profile that was used and that can also
        take sRGB colours back, otherwise None.
    """
    profile = _open_profile(icc)
    space = profile.profile.xcolor_space.strip() if profile else None
    if image.mode == "L" and space == "RGB":
        image = image.convert("RGB")
    if image.mode == "LAB" and space != "Lab":
        profile, space = ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB")), "Lab"
    if profile is None or space != _SPACES[image.mode]:
        return image.convert("RGB"), None

    forward = _transform(profile, _srgb(), image.mode)
    if forward is None:
        return image.convert("RGB"), None
    if image.mode == "L":
        return _grey_to_srgb(image, forward), None
    reversible = image.mode == "RGB" and _transform(_srgb(), profile, "RGB") is not None
    if image.mode != "RGB" or not _changes_nothing(forward):
        converted = ImageCms.applyTransform(image, forward)
        assert converted is not None  # None only with inPlace=True
        image = converted
    return image, icc if reversible else None


def _grey_to_srgb(image: Image.Image, forward: ImageCms.ImageCmsTransform) -> Image.Image:
    ramp = Image.fromarray(np.arange(256, dtype=np.uint8)[None])
    table = np.asarray(ImageCms.applyTransform(ramp, forward))[0]
    return Image.fromarray(table[np.asarray(image)])


def from_srgb(pixels: NDArray[np.uint8], icc: bytes) -> NDArray[np.uint8] | None:
    """Converts sRGB pixels to the colours of an RGB profile.

    Args:
        pixels: (H, W, 3), 0 to 255, sRGB.
        icc: the profile that the result will be tagged with.

    Returns:
        (H, W, 3), or None if the profile cannot be used, so that the picture has to stay sRGB without a profile.
    """
    profile = _open_profile(icc)
    if profile is None or profile.profile.xcolor_space.strip() != "RGB":
        return None
    forward = _transform(profile, _srgb(), "RGB")
    backward = _transform(_srgb(), profile, "RGB")
    if forward is None or backward is None:
        return None
    # The same test as in to_srgb, so that reading and writing always undo each other.
    if _changes_nothing(forward):
        return pixels
    converted = ImageCms.applyTransform(Image.fromarray(pixels), backward)
    return np.array(converted)


def _open_profile(icc: bytes | None) -> ImageCms.ImageCmsProfile | None:
    if not icc:
        return None
    try:
        return ImageCms.ImageCmsProfile(BytesIO(icc))
    except (OSError, TypeError, ValueError):
        return None


@cache
def _srgb() -> ImageCms.ImageCmsProfile:
    return ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB"))


def _transform(source: Any, target: Any, mode: str) -> ImageCms.ImageCmsTransform | None:
    flags = ImageCms.Flags.BLACKPOINTCOMPENSATION
    if mode == "L":
        # The shortcut for grey is wrong by up to 10 levels in the shadows, and 256 greys do not need one.
        flags |= ImageCms.Flags.NOOPTIMIZE
    try:
        return ImageCms.buildTransform(
            source,
            target,
            mode,
            "RGB",
            renderingIntent=ImageCms.Intent.RELATIVE_COLORIMETRIC,
            flags=flags,
        )
    except (ImageCms.PyCMSError, OSError, TypeError, ValueError):
        return None


@cache
def _probe() -> NDArray[np.uint8]:
    """All greys and a 9 x 9 x 9 grid of colours, (985, 1, 3)."""
    steps = np.linspace(0, 255, 9).round()
    grid = np.stack(np.meshgrid(steps, steps, steps), axis=-1).reshape(-1, 3)
    greys = np.repeat(np.arange(256)[:, None], 3, axis=1)
    return np.concatenate([greys, grid]).astype(np.uint8)[:, None]


def _changes_nothing(transform: ImageCms.ImageCmsTransform) -> bool:
    """Whether the profile is sRGB under another name: most cameras embed one, and rounding should not blur it."""
    probe = _probe()
    converted = np.asarray(ImageCms.applyTransform(Image.fromarray(probe), transform))
    return int(np.abs(converted.astype(int) - probe).max()) <= 1
