"""Reading and writing picture files.

Reading accepts JPEG, PNG, WebP, TIFF and BMP, by content and not by name. Writing goes through a temporary file in the
same folder, so that a crash or a full disk never leaves half a picture or destroys an older one.
"""

from __future__ import annotations

import stat
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from difflib import get_close_matches
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

# The plugins are imported so that Pillow finds these formats registered and does not go and load all the others.
from PIL import (
    BmpImagePlugin,  # noqa: F401
    Image,
    ImageFile,
    JpegImagePlugin,  # noqa: F401
    PngImagePlugin,
    TiffImagePlugin,  # noqa: F401
    WebPImagePlugin,  # noqa: F401
)

from selfieart.errors import ImageError
from selfieart.imaging.exif import exif_for_tiff
from selfieart.imaging.photo import Photo, photo_from_pillow
from selfieart.imaging.profiles import from_srgb
from selfieart.paths import StrPath, atomic_write, check_target, nearest_file, reason_of

_READABLE = ("JPEG", "PNG", "WEBP", "TIFF", "BMP")
_SIGNATURES = (b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"II*\0", b"MM\0*", b"II+\0", b"MM\0+", b"BM")
_WRITABLE = {
    ".jpg": "JPEG",
    ".jpeg": "JPEG",
    ".png": "PNG",
    ".webp": "WEBP",
    ".tif": "TIFF",
    ".tiff": "TIFF",
    ".bmp": "BMP",
}
_LONGEST_SIDE = {"JPEG": 65_500, "WEBP": 16_383}
_LONGEST_JPEG_EXIF = 65_533

# Pillow keeps its limits, and Python its warning filters, in globals; two threads must not restore each other's.
_GLOBALS = threading.Lock()


@contextmanager
def _pillow(jpeg_buffer: int = 0) -> Iterator[None]:
    """Pillow without warnings and without its own pixel limit, one thread at a time."""
    with _GLOBALS, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        pixels, block = Image.MAX_IMAGE_PIXELS, ImageFile.MAXBLOCK
        Image.MAX_IMAGE_PIXELS = None
        ImageFile.MAXBLOCK = max(block, jpeg_buffer)
        try:
            yield
        finally:
            Image.MAX_IMAGE_PIXELS, ImageFile.MAXBLOCK = pixels, block


# --- reading -------------------------------------------------------------------------------------------------------


def read_photo(path: StrPath, *, max_pixels: int = 100_000_000) -> Photo:
    """Reads the first picture of a JPEG, PNG, WebP, TIFF or BMP file.

    Everything that a file may do to its pixels is undone: the result is 8 bits per channel, sRGB and upright, with its
    transparency apart. 16-bit samples are rounded, v / 257. A damaged or unfitting colour profile is ignored.

    Args:
        path: the file.
        max_pixels: largest width x height, checked in the header before anything is decoded.

    Raises:
        ImageError: the file is missing, unreadable, empty, of another format, damaged, cut off or too large.
    """
    path = Path(path)
    _check_source(path)
    try:
        with _pillow(), path.open("rb") as file:
            start = file.read(30)
            if not (start.startswith(_SIGNATURES) or (start[:4] == b"RIFF" and start[8:12] == b"WEBP")):
                raise ImageError(
                    f"'{path}' is not a JPEG, PNG, WebP, TIFF or BMP picture: export it as one of these and try again."
                )
            if start[12:16] == b"VP8X":
                # Pillow allocates the whole canvas of a WebP file before it tells the size.
                width, height = (1 + int.from_bytes(start[at : at + 3], "little") for at in (24, 27))
                _check_size(path, width, height, max_pixels)
            with Image.open(file, formats=_READABLE) as image:
                _check_size(path, image.width, image.height, max_pixels)
                # From here on Pillow's own check may guard what the header does not tell, such as the size of tiles.
                Image.MAX_IMAGE_PIXELS = max_pixels
                return photo_from_pillow(image, path)
    except ImageError:
        raise
    except MemoryError as error:
        raise ImageError(f"'{path}' does not fit into the memory of this computer: scale it down first.") from error
    except Exception as error:
        # Decoders answer damaged bytes with nearly every exception there is; only the system sets errno.
        if isinstance(error, OSError) and error.errno is not None:
            raise _cannot_read(path, error) from error
        raise ImageError(
            f"'{path}' is damaged, cut off or of a kind that cannot be decoded: "
            "get a complete copy, or save it again as PNG or JPEG with an image editor."
        ) from error


def _check_source(path: Path) -> None:
    try:
        status = path.stat()
    except (FileNotFoundError, NotADirectoryError):
        raise ImageError(f"'{path}' does not exist: {nearest_file(path)}") from None
    except (OSError, ValueError) as error:
        raise _cannot_read(path, error) from error
    if stat.S_ISDIR(status.st_mode):
        raise ImageError(f"'{path}' is a folder: name a picture inside it.")
    if not stat.S_ISREG(status.st_mode):
        raise ImageError(f"'{path}' is a device or a pipe: save the picture as a file and name that file.")
    if status.st_size == 0:
        raise ImageError(f"'{path}' is empty, 0 bytes: copy or download it again.")


def _cannot_read(path: Path, error: OSError | ValueError) -> ImageError:
    if isinstance(error, PermissionError):
        return ImageError(f"'{path}' cannot be read for lack of permission: change its permissions or copy it.")
    return ImageError(f"'{path}' cannot be read ({reason_of(error)}): check the path and the disk.")


def _check_size(path: Path, width: int, height: int, max_pixels: int) -> None:
    if width * height > max_pixels:
        raise ImageError(
            f"'{path}' has {width} x {height} = {width * height:,} pixels, more than the limit of {max_pixels:,}: "
            "scale it down first."
        )


# --- writing -------------------------------------------------------------------------------------------------------


def write_photo(
    path: StrPath,
    pixels: NDArray[np.uint8],
    *,
    like: Photo | None = None,
    alpha: NDArray[np.uint8] | None = None,
    text: dict[str, str] | None = None,
    overwrite: bool = False,
    quality: int = 95,
) -> Path:
    """Writes a picture, in the format that the suffix names, all at once or not at all.

    PNG, WebP, TIFF and BMP are written without loss. JPEG and BMP hold no transparency: the picture is laid over
    white. BMP holds neither profile nor EXIF, so its colours stay sRGB.

    Args:
        path: .jpg, .jpeg, .png, .webp, .tif, .tiff or .bmp.
        pixels: (H, W, 3), 0 to 255, sRGB.
        like: the photo that the picture was made from. Its profile is embedded and the colours are converted to it,
            its EXIF is copied, and its alpha is used if the size agrees. Its text is not copied: pass it as `text`.
        alpha: (H, W), 0 transparent to 255 opaque, instead of that of `like`.
        text: text chunks; only PNG holds them. Keys have 1 to 79 Latin-1 characters.
        overwrite: whether an existing file may be replaced.
        quality: 1 to 100, for JPEG only.

    Returns:
        The path written.

    Raises:
        ImageError: the suffix is unknown, the path cannot be written (see `check_target`), the arrays do not have the
            shape or type above, the format cannot hold the picture, or the disk fails.
    """
    path = Path(path)
    check_target(path, overwrite)
    file_format = picture_format(path)
    if alpha is None and like is not None and like.alpha is not None and like.alpha.shape == pixels.shape[:2]:
        alpha = like.alpha
    _check_picture(path, file_format, pixels, alpha, quality)
    try:
        encoded = _encode(file_format, pixels, alpha, like, text or {}, quality)
    except Exception as error:
        # Whatever the encoder dislikes, such as a text key that PNG cannot hold.
        raise ImageError(
            f"'{path}' cannot be encoded as {file_format} ({reason_of(error)}): try another format."
        ) from error
    with atomic_write(path, overwrite) as temporary:
        temporary.write_bytes(encoded.getbuffer())
    return path


def picture_format(path: StrPath) -> str:
    """The format that `write_photo` takes from the suffix: JPEG, PNG, WEBP, TIFF or BMP.

    Raises:
        ImageError: no picture format has this suffix.
    """
    path = Path(path)
    suffix = path.suffix.lower()
    if suffix in _WRITABLE:
        return _WRITABLE[suffix]
    near = get_close_matches(suffix, _WRITABLE, n=1)
    what = f"has the unknown suffix '{path.suffix}'" if suffix else "has no suffix"
    hint = f" (did you mean '{near[0]}'?)" if near else ""
    raise ImageError(f"'{path}' {what}{hint}: use one of {', '.join(_WRITABLE)}.")


def _check_picture(
    path: Path, file_format: str, pixels: NDArray[Any], alpha: NDArray[Any] | None, quality: int
) -> None:
    if pixels.dtype != np.uint8 or pixels.ndim != 3 or pixels.shape[2] != 3 or 0 in pixels.shape:
        raise ImageError(
            f"'{path}' needs pixels of type uint8 shaped (height, width, 3), "
            f"not {pixels.dtype} shaped {pixels.shape}: convert them first."
        )
    height, width = pixels.shape[:2]
    if alpha is not None and (alpha.dtype != np.uint8 or alpha.shape != (height, width)):
        raise ImageError(
            f"'{path}' needs an alpha of type uint8 shaped {(height, width)} like the pixels, "
            f"not {alpha.dtype} shaped {alpha.shape}: convert or scale it first."
        )
    if not 1 <= quality <= 100:
        raise ImageError(f"'{path}' cannot have the quality {quality}: give a number from 1 to 100.")
    longest = _LONGEST_SIDE.get(file_format, max(height, width))
    if max(height, width) > longest:
        raise ImageError(
            f"'{path}' cannot hold {width} x {height} pixels, as {file_format} ends at {longest} per side: write a PNG."
        )


def _encode(
    file_format: str,
    pixels: NDArray[np.uint8],
    alpha: NDArray[np.uint8] | None,
    like: Photo | None,
    text: dict[str, str],
    quality: int,
) -> BytesIO:
    options: dict[str, Any] = {}
    if alpha is not None and file_format in ("JPEG", "BMP"):
        pixels, alpha = _over_white(pixels, alpha), None
    if like is not None and file_format != "BMP":
        converted = from_srgb(pixels, like.icc) if like.icc else None
        if converted is not None:
            pixels, options["icc_profile"] = converted, like.icc
        if like.exif and not (file_format == "JPEG" and len(like.exif) > _LONGEST_JPEG_EXIF):
            options["exif"] = exif_for_tiff(like.exif) if file_format == "TIFF" else like.exif
    if file_format == "JPEG":
        options |= {"quality": quality, "subsampling": 0, "optimize": True}
    elif file_format == "WEBP":
        # "exact" keeps the colours under transparent pixels.
        options |= {"lossless": True, "exact": True}
    elif file_format == "PNG":
        options["pnginfo"] = _png_text(text)

    image = Image.fromarray(pixels if alpha is None else np.dstack([pixels, alpha]))
    encoded = BytesIO()
    # An optimised JPEG must fit into one buffer; Pillow reserves less than noise needs, about 5 bytes per pixel.
    with _pillow(jpeg_buffer=8 * image.width * image.height + (1 << 20) if file_format == "JPEG" else 0):
        image.save(encoded, file_format, **options)
    return encoded


def _over_white(pixels: NDArray[np.uint8], alpha: NDArray[np.uint8]) -> NDArray[np.uint8]:
    cover = alpha[:, :, None].astype(np.uint16)
    # At most 255 * 255 + 127, which 16 bits hold.
    return ((pixels * cover + 255 * (255 - cover) + 127) // 255).astype(np.uint8)


def _png_text(text: dict[str, str]) -> PngImagePlugin.PngInfo:
    chunks = PngImagePlugin.PngInfo()
    for key, value in text.items():
        # Pillow would write these, and no program could read them back.
        if not 1 <= len(key) <= 79 or "\0" in key + value:
            raise ValueError(f"text key {key!r} has not 1 to 79 characters, or there is a NUL in it or its value")
        chunks.add_text(key, value)
    return chunks
