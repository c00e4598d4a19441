"""A picture in memory: upright sRGB pixels, and what travels with them from file to file."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path
from typing import Any, Self, TypeVar

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import ExifTags, Image, ImageFile, PngImagePlugin, TiffImagePlugin

from selfieart.errors import ImageError
from selfieart.imaging.exif import clean_exif
from selfieart.imaging.profiles import to_srgb


@dataclass(frozen=True, eq=False)
class Photo:
    """A picture with its transparency and its metadata.

    The arrays are not copied by the constructor; `from_array` copies and checks.
    """

    pixels: NDArray[np.uint8]
    """(H, W, 3), 0 to 255, sRGB, upright: the EXIF orientation is already applied."""
    alpha: NDArray[np.uint8] | None = None
    """(H, W), 0 transparent to 255 opaque, not premultiplied; None if the picture has no transparency."""
    icc: bytes | None = None
    """The colour profile of the original file, if it is a usable RGB profile. The pixels are sRGB all the same."""
    exif: bytes | None = None
    """EXIF ready for writing: no orientation, location, thumbnail or maker notes."""
    text: Mapping[str, str] = field(default_factory=dict)
    """The text chunks of a PNG file."""
    source: Path | None = None
    """The file that the picture was read from."""

    @property
    def height(self) -> int:
        """Rows of the picture."""
        return int(self.pixels.shape[0])

    @property
    def width(self) -> int:
        """Columns of the picture."""
        return int(self.pixels.shape[1])

    @property
    def size(self) -> tuple[int, int]:
        """(width, height), in the order that people and Pillow use."""
        return self.width, self.height

    @classmethod
    def from_array(
        cls,
        array: NDArray[Any],
        *,
        icc: bytes | None = None,
        exif: bytes | None = None,
        text: dict[str, str] | None = None,
        source: Path | None = None,
    ) -> Self:
        """A photo from a copy of an array.

        Args:
            array: uint8, sRGB: (H, W) grey, (H, W, 3) colour or (H, W, 4) colour with alpha, at least one pixel.
            icc: a colour profile to embed when the photo is written; the array is sRGB all the same.
            exif: cleaned EXIF bytes.
            text: PNG text chunks.
            source: where the array came from.

        Raises:
            ImageError: the array has another type or shape.
        """
        shape, dtype = np.shape(array), getattr(array, "dtype", type(array).__name__)
        good_shape = len(shape) == 2 or (len(shape) == 3 and shape[2] in (3, 4))
        if dtype != np.uint8 or not good_shape or 0 in shape:
            raise ImageError(
                "A picture must be an array of uint8 values from 0 to 255 shaped (height, width), (height, width, 3) "
                f"or (height, width, 4), not one of {dtype} shaped {shape}: convert it first."
            )
        if len(shape) == 2:
            array = np.repeat(array[:, :, None], 3, axis=2)
        return cls(
            pixels=np.array(array[:, :, :3], order="C"),
            alpha=np.array(array[:, :, 3], order="C") if array.shape[2] == 4 else None,
            icc=icc,
            exif=exif,
            text=dict(text or {}),
            source=source,
        )


def photo_from_pillow(image: ImageFile.ImageFile, path: Path) -> Photo:
    """Decodes an opened Pillow image into a photo.

    Args:
        image: just opened, not loaded yet; its size has been checked.
        path: the file behind `image`, read a second time where Pillow drops the low byte of 16-bit samples.

    Raises:
        ImageError: the picture holds numbers without a known range (floating point, 32 bit).
        Exception: whatever Pillow raises on damaged files; the caller words it.
    """
    raw_mode = str(image.tile[0].args) if image.tile else ""
    tiff_tags = dict(getattr(image, "tag_v2", {}))
    image.load()
    # Pillow turns TIFF pictures itself while loading and then forgets the tag; other formats keep it.
    orientation = _orientation(image)

    if image.mode in ("F", "I"):
        raise ImageError(
            f"'{path}' holds {'floating-point' if image.mode == 'F' else '32-bit'} samples, whose white is not "
            "defined: save it with 8 or 16 bits per channel and try again."
        )
    if image.mode.startswith("I;16"):
        colour, alpha = _split_grey16(image, tiff_tags)
    elif ";16" in raw_mode and image.mode in ("RGB", "RGBA"):
        samples = _samples16(image, path, int(tiff_tags.get(ExifTags.Base.Orientation, 1)))
        colour, alpha = _split_colour16(image, samples)
    else:
        colour, alpha = _split(image, raw_mode)

    rgb, icc = to_srgb(colour, image.info.get("icc_profile"))
    return Photo(
        pixels=upright(np.array(rgb), orientation),
        alpha=None if alpha is None else upright(alpha, orientation),
        icc=icc,
        exif=_exif(image, path),
        text=_text(image),
        source=path,
    )


# --- orientation ---------------------------------------------------------------------------------------------------

Sample = TypeVar("Sample", bound=np.generic)

_TURNS: dict[int, Callable[[NDArray[Any]], NDArray[Any]]] = {
    2: lambda a: a[:, ::-1],
    3: lambda a: a[::-1, ::-1],
    4: lambda a: a[::-1],
    5: lambda a: a.swapaxes(0, 1),
    6: lambda a: np.rot90(a, -1),
    7: lambda a: a[::-1, ::-1].swapaxes(0, 1),
    8: lambda a: np.rot90(a, 1),
}


def upright(array: NDArray[Sample], orientation: int) -> NDArray[Sample]:
    """Turns stored rows (H, W) or (H, W, C) the way an EXIF orientation of 1 to 8 asks; others change nothing."""
    turn = _TURNS.get(orientation)
    return array if turn is None else np.ascontiguousarray(turn(array))


def _orientation(image: Image.Image) -> int:
    try:
        return int(image.getexif().get(ExifTags.Base.Orientation, 1))
    except Exception:
        # Damaged EXIF fails in every way there is, and must not cost the picture.
        return 1


# --- samples -------------------------------------------------------------------------------------------------------


def _split(image: Image.Image, raw_mode: str) -> tuple[Image.Image, NDArray[np.uint8] | None]:
    """An 8-bit picture of any mode as an L, RGB, CMYK or LAB image and its alpha (H, W)."""
    key = image.info.get("transparency")
    if image.mode in ("P", "PA"):
        image, key = image.convert("RGBA" if image.has_transparency_data else "RGB"), None
    elif image.mode == "1":
        # Pillow before 12.1 leaves the key of these, too, as it stands in the file.
        image, key = image.convert("L"), None if key is None else 255 * bool(key)
    elif image.mode == "La":
        image = image.convert("LA")
    elif image.mode == "RGBa":
        image = image.convert("RGBA")
    elif image.mode not in ("L", "LA", "RGB", "RGBA", "CMYK", "LAB"):
        image = image.convert("RGB")

    if image.mode in ("LA", "RGBA"):
        alpha = np.array(image.getchannel("A"))
        return image.convert(image.mode[:-1]), alpha
    if key is None or image.mode not in ("L", "RGB"):
        return image, None
    # Pillow widens 2-bit and 4-bit greys to 0..255 but leaves the key as it stands in the file.
    widened = {"L;2": 85, "L;4": 17}.get(raw_mode, 1)
    return image, _colour_key(np.asarray(image), np.asarray(key) * widened)


def _split_grey16(image: Image.Image, tiff_tags: dict[int, Any]) -> tuple[Image.Image, NDArray[np.uint8] | None]:
    samples = np.array(image).astype(np.uint16)
    key = image.info.get("transparency")
    alpha = None if key is None else _colour_key(samples, np.asarray(key))
    bits = tiff_tags.get(ExifTags.Base.BitsPerSample, (16,))[0]
    grey = _to_bytes(samples, bits)
    if tiff_tags.get(ExifTags.Base.PhotometricInterpretation) == 0:
        # White is zero: Pillow inverts such pictures with 8 bits, but not with 16.
        grey = 255 - grey
    return Image.fromarray(grey), alpha


def _samples16(image: Image.Image, path: Path, tiff_orientation: int) -> NDArray[np.uint16]:
    """The 16-bit samples (H, W, C) behind a picture that Pillow cut down to the high byte of each."""
    high = np.asarray(image)
    channels = high.shape[2]
    # Pillow has read the file, so what OpenCV has to say about it on stderr helps nobody.
    # OpenCV before 4.13 has the levels of its log elsewhere.
    set_level = cv2.utils.logging.setLogLevel if hasattr(cv2.utils, "logging") else cv2.setLogLevel
    level = set_level(0)
    try:
        deep: Any = cv2.imdecode(np.fromfile(path, np.uint8), cv2.IMREAD_UNCHANGED)
    except cv2.error:
        deep = None
    finally:
        set_level(level)
    if deep is not None and deep.dtype == np.uint16 and deep.ndim == 3 and deep.shape[2] >= channels:
        swapped: NDArray[np.uint16] = deep[:, :, [2, 1, 0, 3][:channels]]
        for turn in (1, tiff_orientation):
            samples = upright(swapped, turn)
            # OpenCV has its own opinions on layouts and premultiplied alpha: it may only refine what Pillow read.
            if samples.shape == high.shape and np.array_equal(samples >> 8, high):
                return samples
    return high.astype(np.uint16) * 257


def _split_colour16(image: Image.Image, samples: NDArray[np.uint16]) -> tuple[Image.Image, NDArray[np.uint8] | None]:
    key = image.info.get("transparency")
    alpha = None
    if samples.shape[2] == 4:
        alpha = _to_bytes(samples[:, :, 3])
    elif key is not None:
        alpha = _colour_key(samples, np.asarray(key))
    return Image.fromarray(_to_bytes(samples[:, :, :3])), alpha


def _to_bytes(samples: NDArray[np.uint16], bits: int = 16) -> NDArray[np.uint8]:
    """Samples of 0 to 2**bits - 1, rounded to 0 to 255."""
    peak = 2**bits - 1
    # A table needs no wide intermediate the size of the picture.
    table = (np.arange(peak + 1, dtype=np.uint32) * 255 + peak // 2) // peak
    return np.take(table.astype(np.uint8), samples, mode="clip")


def _colour_key(samples: NDArray[Any], key: NDArray[Any]) -> NDArray[np.uint8]:
    """Alpha (H, W) of a picture (H, W) or (H, W, C) in which one colour stands for transparent."""
    same = samples == key
    if same.ndim == 3:
        same = same.all(axis=2)
    return np.where(same, 0, 255).astype(np.uint8)


# --- metadata ------------------------------------------------------------------------------------------------------


def _exif(image: ImageFile.ImageFile, path: Path) -> bytes | None:
    if isinstance(image, TiffImagePlugin.TiffImageFile):
        with path.open("rb") as file:
            return clean_exif(file)
    block = image.info.get("exif")
    if not isinstance(block, bytes):
        return None
    while block.startswith(b"Exif\0\0"):  # some programs write it twice
        block = block[6:]
    return clean_exif(BytesIO(block))


def _text(image: Image.Image) -> dict[str, str]:
    if not isinstance(image, PngImagePlugin.PngImageFile):
        return {}
    # XMP and raw profiles are EXIF and its kin in disguise, with the location that clean_exif takes out.
    return {
        str(key): str(value)
        for key, value in image.text.items()
        if key != "XML:com.adobe.xmp" and not key.startswith("Raw profile type")
    }
