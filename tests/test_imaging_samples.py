"""Every way in which a file may hold its samples ends as 8-bit sRGB: depths, palettes, keys, inks, Lab, pages."""

from __future__ import annotations

import struct
import zlib
from io import BytesIO
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image
from skimage import color

from selfieart.imaging import Photo, read_photo


def noise(height: int = 12, width: int = 17, channels: int = 3, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (height, width, channels), dtype=np.uint8)


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


def read_bytes(folder: Path, data: bytes, name: str = "picture", **options: int) -> Photo:
    path = folder / name
    path.write_bytes(data)
    return read_photo(path, **options)


EVERY_16_BIT_VALUE = np.arange(65536, dtype=np.uint16).reshape(256, 256)


@pytest.mark.parametrize("suffix", [".png", ".tiff"])
@pytest.mark.parametrize("channels", [1, 3, 4])
def test_16_bit_samples_are_rounded(tmp_path, suffix, channels):
    samples = [EVERY_16_BIT_VALUE, EVERY_16_BIT_VALUE[::-1], EVERY_16_BIT_VALUE.T, EVERY_16_BIT_VALUE[:, ::-1]]
    stored = np.dstack(samples[:channels])
    ok, data = cv2.imencode(suffix, stored[:, :, [2, 1, 0, 3][:channels]] if channels > 1 else stored)
    assert ok
    photo = read_bytes(tmp_path, data.tobytes())
    expected = np.rint(stored / 257)
    assert np.array_equal(photo.pixels, expected[:, :, :3] if channels > 1 else expected.repeat(3, axis=2))
    assert photo.alpha is None if channels < 4 else np.array_equal(photo.alpha, expected[:, :, 3])


def test_16_bit_grey_with_alpha(tmp_path):
    photo = read_bytes(tmp_path, png(2, 1, 16, 4, [struct.pack(">4H", 1000, 300, 65535, 200)]))
    assert photo.pixels.tolist() == [[[4] * 3, [255] * 3]]
    assert photo.alpha.tolist() == [[1, 1]]


def test_12_bit_and_inverted_grey_tiff(tmp_path):
    # Two 12-bit samples share three bytes: 0xFFF and 0x801.
    photo = read_bytes(tmp_path, tiff(2, 1, {258: 12, 262: 1}, bytes([0xFF, 0xF8, 0x01])))
    assert photo.pixels[0, :, 0].tolist() == [255, round(0x801 / 0xFFF * 255)]
    photo = read_bytes(tmp_path, tiff(3, 1, {258: 16, 262: 0}, struct.pack("<3H", 0, 1000, 65535)))
    assert photo.pixels[0, :, 0].tolist() == [255, 255 - round(1000 / 257), 0]
    photo = read_bytes(tmp_path, tiff(3, 1, {258: 8, 262: 0}, bytes([0, 100, 255])))
    assert photo.pixels[0, :, 0].tolist() == [255, 155, 0]


def test_premultiplied_tiff(tmp_path):
    data = bytes([100, 50, 0, 128])
    photo = read_bytes(tmp_path, tiff(1, 1, {258: (8,) * 4, 262: 2, 277: 4, 338: 1}, data))
    assert np.abs(photo.pixels[0, 0] - np.array([199, 100, 0])).max() <= 1
    assert photo.alpha.tolist() == [[128]]


PALETTE = chunk(b"PLTE", bytes([10, 20, 30, 40, 50, 60, 70, 80, 90, 200, 210, 220]))
COLOURS = [[10, 20, 30], [40, 50, 60], [70, 80, 90], [200, 210, 220]]
FOUR_PIXELS = [bytes([0b00_01_10_11])]


@pytest.mark.parametrize(
    ("data", "pixels", "alpha"),
    [
        pytest.param(png(4, 1, 2, 3, FOUR_PIXELS, PALETTE), COLOURS, None, id="palette"),
        pytest.param(
            png(4, 1, 2, 3, FOUR_PIXELS, PALETTE, chunk(b"tRNS", bytes([0, 99]))), COLOURS, [0, 99, 255, 255], id="tRNS"
        ),
        pytest.param(
            png(4, 1, 2, 3, FOUR_PIXELS, PALETTE, chunk(b"tRNS", bytes([255, 0]))),
            COLOURS,
            [255, 0, 255, 255],
            id="one",
        ),
        pytest.param(png(4, 1, 2, 0, FOUR_PIXELS), [0, 85, 170, 255], None, id="2-bit grey"),
        pytest.param(
            png(4, 1, 2, 0, FOUR_PIXELS, chunk(b"tRNS", b"\0\2")), [0, 85, 170, 255], [255, 255, 0, 255], id="2-bit key"
        ),
        pytest.param(png(2, 1, 4, 0, [b"\x3a"], chunk(b"tRNS", b"\0\3")), [51, 170], [0, 255], id="4-bit key"),
        pytest.param(png(3, 1, 1, 0, [b"\xa0"]), [255, 0, 255], None, id="1-bit"),
        pytest.param(png(3, 1, 1, 0, [b"\xa0"], chunk(b"tRNS", b"\0\1")), [255, 0, 255], [0, 255, 0], id="1-bit key"),
        pytest.param(png(3, 1, 8, 0, [b"\1\2\3"], chunk(b"tRNS", b"\0\2")), [1, 2, 3], [255, 0, 255], id="grey key"),
        pytest.param(png(2, 1, 8, 4, [bytes([9, 8, 7, 6])]), [9, 7], [8, 6], id="grey and alpha"),
        pytest.param(
            png(2, 1, 8, 2, [bytes([1, 2, 3, 1, 2, 4])], chunk(b"tRNS", b"\0\1\0\2\0\3")),
            [[1, 2, 3], [1, 2, 4]],
            [0, 255],
            id="colour key",
        ),
        pytest.param(
            png(3, 1, 16, 0, [struct.pack(">3H", 1, 300, 65535)], chunk(b"tRNS", struct.pack(">H", 300))),
            [0, 1, 255],
            [255, 0, 255],
            id="16-bit grey key",
        ),
        pytest.param(
            # The second pixel differs from the key in the low byte only.
            png(2, 1, 16, 2, [struct.pack(">6H", 1, 300, 65535, 1, 301, 65535)], chunk(b"tRNS", b"\0\1\1\x2c\xff\xff")),
            [[0, 1, 255], [0, 1, 255]],
            [0, 255],
            id="16-bit colour key",
        ),
    ],
)
def test_png_of_all_kinds(tmp_path, data, pixels, alpha):
    photo = read_bytes(tmp_path, data)
    expected = [value if isinstance(value, list) else [value] * 3 for value in pixels]
    assert photo.pixels.tolist() == [expected]
    assert (photo.alpha if alpha is None else photo.alpha.tolist()) == (None if alpha is None else [alpha])


def test_cmyk_without_profile(tmp_path):
    inks = noise(8, 9, 4)
    expected = (255 - inks[:, :, :3].astype(float)) * (255 - inks[:, :, 3:].astype(float)) / 255
    photo = read_bytes(tmp_path, encoded(Image.fromarray(inks, "CMYK"), "TIFF"))
    assert np.abs(photo.pixels - expected).max() <= 1
    assert photo.alpha is None


def test_cmyk_jpeg_is_inverted_as_adobe_does(tmp_path):
    inks = np.zeros((16, 16, 4), np.uint8)
    inks[:] = (10, 200, 90, 30)
    data = encoded(Image.fromarray(inks, "CMYK"), "JPEG", quality=100)
    assert b"Adobe" in data
    photo = read_bytes(tmp_path, data)
    assert np.abs(photo.pixels[0, 0] - (255 - inks[0, 0, :3].astype(float)) * 225 / 255).max() <= 3


def test_ycck_jpeg(tmp_path):
    inks = np.zeros((16, 16, 4), np.uint8)
    inks[:] = (10, 200, 90, 30)
    # YCCK stores C, M, Y as if they were R, G, B turned into YCbCr, all inverted; Pillow writes CMYK only, so it gets
    # these values under the name of CMYK and the marker is changed to say what they are.
    ycc = np.array(Image.fromarray(inks[:, :, :3], "RGB").convert("YCbCr"))
    stored = np.dstack([255 - ycc, inks[:, :, 3]])
    data = bytearray(encoded(Image.fromarray(stored, "CMYK"), "JPEG", quality=100))
    at = data.index(b"Adobe") + 11
    assert data[at] == 0
    data[at] = 2
    photo = read_bytes(tmp_path, bytes(data))
    assert np.abs(photo.pixels[0, 0] - (255 - inks[0, 0, :3].astype(float)) * 225 / 255).max() <= 4


def test_lab_tiff(tmp_path):
    lab = np.array([[[50, 20, -30], [80, -20, 10], [10, 0, 0], [95, 0, 0]]], np.float64)
    stored = np.dstack([lab[..., 0] * 255 / 100, lab[..., 1], lab[..., 2]]).round().astype(np.int16).astype(np.uint8)
    photo = read_bytes(tmp_path, tiff(4, 1, {258: (8, 8, 8), 262: 8, 277: 3}, stored.tobytes()))
    # White is white in a colour profile, so sRGB stands here as seen under D50, the white of the profiles.
    srgb_d50 = np.array([[0.4361, 0.3851, 0.1431], [0.2225, 0.7169, 0.0606], [0.0139, 0.0971, 0.7141]])
    linear = color.lab2xyz(lab, illuminant="D50") @ np.linalg.inv(srgb_d50).T
    expected = 255 * np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear.clip(0.001) ** (1 / 2.4) - 0.055)
    assert np.abs(photo.pixels - expected).max() <= 4


def test_first_of_several_pictures(tmp_path):
    first, second = Image.fromarray(noise(seed=1)), Image.fromarray(noise(seed=2))
    for file_format, options in (("TIFF", {}), ("PNG", {}), ("WEBP", {"lossless": True})):
        data = encoded(first, file_format, save_all=True, append_images=[second], **options)
        assert np.array_equal(read_bytes(tmp_path, data).pixels, np.array(first))


def test_first_of_a_jpeg_with_several_pictures(tmp_path):
    grey = Image.fromarray(np.full((16, 16, 3), 77, np.uint8))
    data = encoded(grey, "MPO", save_all=True, append_images=[Image.new("RGB", (16, 16))])
    assert np.abs(read_bytes(tmp_path, data).pixels.astype(int) - 77).max() <= 1


def test_content_decides_and_not_the_name(tmp_path):
    photo = read_bytes(tmp_path, encoded(Image.fromarray(noise()), "PNG"), "a.jpg")
    assert np.array_equal(photo.pixels, noise())
