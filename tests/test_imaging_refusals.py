"""Files that cannot be read are refused in one sentence, early, and never as half a picture."""

from __future__ import annotations

import errno
import os
import struct
import threading
import time
import tracemalloc
import zlib
from io import BytesIO
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image, ImageCms

from selfieart.errors import ImageError
from selfieart.imaging import read_photo, write_photo


def noise(height: int = 12, width: int = 17, channels: int = 3, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (height, width, channels), dtype=np.uint8)


def smooth(height: int = 48, width: int = 40) -> np.ndarray:
    rows, columns = np.mgrid[0:height, 0:width]
    return np.stack([rows * 5, columns * 6, 255 - rows * 2 - columns * 2], axis=-1).astype(np.uint8)


def encoded(image: Image.Image, file_format: str, **options: object) -> bytes:
    buffer = BytesIO()
    image.save(buffer, file_format, **options)
    return buffer.getvalue()


def chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png(width: int, height: int, depth: int, colour: int, rows: list[bytes], *chunks: bytes) -> bytes:
    header = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0)
    data = zlib.compress(b"".join(b"\0" + row for row in rows))
    parts = [chunk(b"IHDR", header), *chunks, chunk(b"IDAT", data), chunk(b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


def tiff(width: int, height: int, tags: dict[int, int | tuple[int, ...]], data: bytes) -> bytes:
    """A little-endian uncompressed TIFF of one strip, byte by byte."""
    entries = {256: width, 257: height, 259: 1, 277: 1, 278: height, 279: len(data), **tags}
    start = 8 + 2 + 12 * (len(entries) + 1) + 4
    spill = b""
    offsets = {}
    for tag, value in entries.items():
        if isinstance(value, tuple):
            offsets[tag] = start + len(spill)
            spill += struct.pack(f"<{len(value)}H", *value)
    entries[273] = start + len(spill)
    directory = struct.pack("<H", len(entries))
    for tag, value in sorted(entries.items()):
        if isinstance(value, tuple):
            directory += struct.pack("<HHII", tag, 3, len(value), offsets[tag])
        else:
            directory += struct.pack("<HHII", tag, 4, 1, value)
    return b"II*\0" + struct.pack("<I", 8) + directory + bytes(4) + spill + data


def refusal(path: Path, **options: int) -> str:
    """The one sentence with which a file is refused; it names the file and has neither a line break nor a second."""
    with pytest.raises(ImageError) as caught:
        read_photo(path, **options)
    return one_sentence(caught.value, path)


def one_sentence(error: ImageError, path: Path) -> str:
    message = str(error)
    assert str(path) in message
    assert "\n" not in message
    assert message.endswith((".", "?"))
    assert ". " not in message.replace(str(path.parent), "")
    return message


def test_missing_file_and_its_neighbour(tmp_path):
    (tmp_path / "Selfie.JPG").touch()
    assert "did you mean" in refusal(tmp_path / "selfi.jpg")
    assert "Selfie.JPG" in refusal(tmp_path / "selfi.jpg")
    assert "did you mean" not in refusal(tmp_path / "other.jpg")
    assert "no folder" in refusal(tmp_path / "nowhere" / "a.png")
    assert "does not exist" in refusal(tmp_path / "Selfie.JPG" / "a.png")


def test_not_a_picture(tmp_path):
    for name, data, words in (
        ("empty.png", b"", "0 bytes"),
        ("text.jpg", b"These are words and no picture.\n", "is not a JPEG"),
        ("anim.gif", encoded(Image.fromarray(noise()), "GIF"), "is not a JPEG"),
        ("start.png", b"\x89PNG\r\n\x1a\n", "damaged"),
        ("start.tif", b"II*\0\x08\0\0\0", "damaged"),
    ):
        (tmp_path / name).write_bytes(data)
        assert words in refusal(tmp_path / name)
    assert "is a folder" in refusal(tmp_path)
    assert "cannot be read" in refusal(tmp_path / ("x" * 300))
    os.mkfifo(tmp_path / "pipe.png")
    assert "pipe" in refusal(tmp_path / "pipe.png")


def test_a_name_no_system_allows():
    with pytest.raises(ImageError, match="cannot be read"):
        read_photo("a\0b.png")


def test_no_permission(tmp_path, monkeypatch):
    path = write_photo(tmp_path / "a.png", noise())

    def denied(*args, **kwargs):
        raise PermissionError(errno.EACCES, "Permission denied", str(path))

    monkeypatch.setattr(Path, "open", denied)
    assert "permission" in refusal(path)


@pytest.mark.parametrize("mode", ["F", "I"])
def test_samples_without_a_range_are_refused(tmp_path, mode):
    path = tmp_path / "a.tif"
    path.write_bytes(encoded(Image.new(mode, (3, 2)), "TIFF"))
    assert "8 or 16 bits" in refusal(path)


def test_float_colour_tiff_is_refused(tmp_path):
    path = tmp_path / "a.tif"
    path.write_bytes(cv2.imencode(".tiff", np.zeros((4, 4, 3), np.float32))[1].tobytes())
    assert "save it again" in refusal(path)


@pytest.mark.parametrize(
    ("file_format", "options"),
    [
        ("JPEG", {}),
        ("JPEG", {"progressive": True}),
        ("PNG", {}),
        ("WEBP", {"lossless": True}),
        ("WEBP", {"quality": 80}),
        ("BMP", {}),
        ("TIFF", {}),
    ],
)
def test_a_cut_off_file_never_gives_half_a_picture(tmp_path, file_format, options):
    data = encoded(Image.fromarray(smooth()), file_format, **options)
    path = tmp_path / "cut"
    path.write_bytes(data)
    whole = read_photo(path).pixels
    refused = 0
    for length in range(1, len(data), 1 + len(data) // 150):
        path.write_bytes(data[:length])
        try:
            photo = read_photo(path)
        except ImageError as error:
            one_sentence(error, path)
            refused += 1
        else:
            # Only what follows the pixels was missing.
            assert length > len(data) - 40
            assert np.array_equal(photo.pixels, whole)
    assert refused > 20


@pytest.mark.parametrize("file_format", ["JPEG", "PNG", "WEBP", "BMP", "TIFF"])
def test_damaged_bytes_give_a_picture_or_a_sentence(tmp_path, file_format):
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    exif = Image.Exif()
    exif[271], exif[274] = "Maker", 6
    options = {} if file_format == "BMP" else {"icc_profile": profile, "exif": exif}
    data = encoded(Image.fromarray(smooth(9, 8)), file_format, **options)
    rng = np.random.default_rng(7)
    path = tmp_path / "damaged"
    for _ in range(60):
        damaged = bytearray(data)
        for at in rng.integers(0, len(data), rng.integers(1, 6)):
            damaged[at] = rng.integers(0, 256)
        path.write_bytes(damaged)
        try:
            photo = read_photo(path, max_pixels=10_000)
        except ImageError as error:
            one_sentence(error, path)
        else:
            assert photo.pixels.dtype == np.uint8
            assert photo.pixels.shape == (photo.height, photo.width, 3)


def huge_files() -> dict[str, bytes]:
    """Headers of 30000 x 30000 pixels (24-bit sizes in WebP too) with next to nothing behind them."""
    side = 30_000
    row = png(side, side, 8, 2, [bytes(10)])
    jpeg = bytearray(encoded(Image.fromarray(noise()), "JPEG"))
    frame = jpeg.index(b"\xff\xc0")
    jpeg[frame + 5 : frame + 9] = struct.pack(">HH", side, side)
    canvas = bytes([16, 0, 0, 0]) + (side - 1).to_bytes(3, "little") * 2
    webp = b"WEBPVP8X" + struct.pack("<I", 10) + canvas + encoded(Image.fromarray(noise()), "WEBP", lossless=True)[12:]
    bmp = bytearray(encoded(Image.fromarray(noise()), "BMP"))
    bmp[18:26] = struct.pack("<ii", side, side)
    return {
        "png": row,
        "jpeg": bytes(jpeg),
        "webp": b"RIFF" + struct.pack("<I", len(webp)) + webp,
        "bmp": bytes(bmp),
        "tiff": tiff(side, side, {258: (8, 8, 8), 262: 2, 277: 3}, bytes(30)),
    }


@pytest.mark.parametrize("kind", ["png", "jpeg", "webp", "bmp", "tiff"])
def test_too_many_pixels_are_refused_from_the_header(tmp_path, kind):
    path = tmp_path / "huge"
    path.write_bytes(huge_files()[kind])
    tracemalloc.start()
    start = time.perf_counter()
    message = refusal(path)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert time.perf_counter() - start < 1
    assert peak < 5_000_000
    assert "30000 x 30000 = 900,000,000 pixels" in message
    assert "100,000,000" in message


def test_the_limit_itself_is_allowed(tmp_path):
    path = write_photo(tmp_path / "a.png", noise(10, 10))
    assert read_photo(path, max_pixels=100).size == (10, 10)
    assert "limit of 99" in refusal(path, max_pixels=99)


def test_pillows_own_limit_never_shows(tmp_path, monkeypatch):
    path = write_photo(tmp_path / "a.png", noise())
    for limit in (5, 150):  # an error and a warning in Pillow
        monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", limit)
        assert np.array_equal(read_photo(path).pixels, noise())
        assert limit == Image.MAX_IMAGE_PIXELS


def test_threads_leave_pillow_as_it_was(tmp_path):
    path = write_photo(tmp_path / "a.png", noise())
    before = Image.MAX_IMAGE_PIXELS
    threads = [threading.Thread(target=lambda: [read_photo(path) for _ in range(20)]) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert before == Image.MAX_IMAGE_PIXELS
