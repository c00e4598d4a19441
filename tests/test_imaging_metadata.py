"""Orientation, colour profiles, EXIF and text on their way from one file to the next."""

from __future__ import annotations

import struct
import zlib
from io import BytesIO
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image, ImageCms, PngImagePlugin, TiffImagePlugin

from selfieart.errors import ImageError
from selfieart.imaging import Photo, read_photo, write_photo
from selfieart.imaging.exif import exif_for_tiff

# Primaries as seen under D50, the white of colour profiles; columns are red, green and blue.
SRGB = np.array([[0.4361, 0.3851, 0.1431], [0.2225, 0.7169, 0.0606], [0.0139, 0.0971, 0.7141]])
DISPLAY_P3 = np.array([[0.5151, 0.2920, 0.1571], [0.2412, 0.6922, 0.0666], [-0.0011, 0.0419, 0.7841]])


def noise(height: int = 12, width: int = 17, channels: int = 3, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (height, width, channels), dtype=np.uint8)


def encoded(image: Image.Image, file_format: str, **options: object) -> bytes:
    buffer = BytesIO()
    image.save(buffer, file_format, **options)
    return buffer.getvalue()


def read_bytes(folder: Path, data: bytes) -> Photo:
    path = folder / "picture"
    path.write_bytes(data)
    return read_photo(path)


# --- profiles made byte by byte ------------------------------------------------------------------------------------


def fixed(*values: float) -> bytes:
    return struct.pack(f">{len(values)}i", *(round(value * 65536) for value in values))


def profile(kind: bytes, space: bytes, connection: bytes, tags: dict[bytes, bytes]) -> bytes:
    table, data = struct.pack(">I", len(tags)), b""
    for name, content in tags.items():
        table += name + struct.pack(">II", 132 + 12 * len(tags) + len(data), len(content))
        data += content + bytes(-len(content) % 4)
    header = struct.pack(">I4sI4s4s4s", 132 + 12 * len(tags) + len(data), b"test", 0x02200000, kind, space, connection)
    header += struct.pack(">6H", 2024, 1, 1, 0, 0, 0) + b"acsp" + bytes(28) + fixed(0.9642, 1, 0.8249)
    return header.ljust(128, b"\0") + table + data


def gamma_curve(gamma: float) -> bytes:
    return b"curv" + bytes(4) + struct.pack(">IH", 1, round(gamma * 256)) + bytes(2)


def xyz(values: np.ndarray) -> bytes:
    return b"XYZ " + bytes(4) + fixed(*values)


def rgb_profile(primaries: np.ndarray, gamma: float) -> bytes:
    tags = {b"wtpt": xyz(np.array([0.9642, 1, 0.8249]))}
    for name, column in zip((b"r", b"g", b"b"), primaries.T, strict=True):
        tags |= {name + b"XYZ": xyz(column), name + b"TRC": gamma_curve(gamma)}
    return profile(b"mntr", b"RGB ", b"XYZ ", tags)


def grey_profile(gamma: float) -> bytes:
    white = xyz(np.array([0.9642, 1, 0.8249]))
    return profile(b"mntr", b"GRAY", b"XYZ ", {b"wtpt": white, b"kTRC": gamma_curve(gamma)})


def cmyk_profile() -> bytes:
    """Paper is white, black ink black; magenta moves a* up and yellow b* up, cyan only darkens."""
    corners = bytearray()
    for corner in np.ndindex(2, 2, 2, 2):
        cyan, magenta, yellow, black = corner
        lightness = 100 - 30 * cyan - 20 * magenta - 10 * yellow
        lab = (0, 0, 0) if black else (lightness, 40 * magenta, 50 * yellow)
        corners += bytes([round(lab[0] * 2.55), lab[1] + 128, lab[2] + 128])
    identity = bytes(range(256))
    table = b"mft1" + bytes(4) + bytes([4, 3, 2, 0]) + fixed(1, 0, 0, 0, 1, 0, 0, 0, 1)
    table += identity * 4 + bytes(corners) + identity * 3
    return profile(b"prtr", b"CMYK", b"Lab ", {b"wtpt": xyz(np.array([0.9642, 1, 0.8249])), b"A2B0": table})


def encode_srgb(linear: np.ndarray) -> np.ndarray:
    linear = linear.clip(0, 1)
    return 255 * np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear.clip(0.001) ** (1 / 2.4) - 0.055)


# --- orientation ---------------------------------------------------------------------------------------------------

TURNED = {
    1: lambda a: a,
    2: np.fliplr,
    3: lambda a: np.rot90(a, 2),
    4: np.flipud,
    5: lambda a: np.transpose(a, (1, 0, 2)),
    6: lambda a: np.rot90(a, 3),
    7: lambda a: np.rot90(np.transpose(a, (1, 0, 2)), 2),
    8: np.rot90,
}


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("file_format", ["JPEG", "PNG", "WEBP", "TIFF"])
def test_orientation_is_applied_once_and_for_all(tmp_path, orientation, file_format):
    exif = Image.Exif()
    exif[274], exif[271] = orientation, "Maker"
    stored = noise(16, 24, 3 if file_format == "JPEG" else 4)
    options = {"lossless": True, "exact": True} if file_format == "WEBP" else {}
    data = encoded(Image.fromarray(stored), file_format, exif=exif, **options)
    if file_format == "JPEG":
        stored = np.array(Image.open(BytesIO(data)))
    photo = read_bytes(tmp_path, data)
    expected = TURNED[orientation](stored)
    assert np.array_equal(photo.pixels, expected[:, :, :3])
    assert photo.alpha is None or np.array_equal(photo.alpha, expected[:, :, 3])
    assert photo.pixels.flags.c_contiguous

    again = read_photo(write_photo(tmp_path / "again.png", photo.pixels, like=photo))
    assert np.array_equal(again.pixels, photo.pixels)
    with Image.open(tmp_path / "again.png") as image:
        assert dict(image.getexif()) == {271: "Maker"}


@pytest.mark.parametrize("orientation", [1, 3, 6])
def test_turned_16_bit_tiff_is_rounded_too(tmp_path, orientation, capfd):
    stored = np.random.default_rng(5).integers(0, 65536, (5, 7, 3), dtype=np.uint16)
    data = bytearray(cv2.imencode(".tiff", stored[:, :, ::-1], [cv2.IMWRITE_TIFF_COMPRESSION, 1])[1].tobytes())
    (start,) = struct.unpack_from("<I", data, 4)
    (count,) = struct.unpack_from("<H", data, start)
    # The tag in the place of the orientation, or one of no importance behind it, becomes the orientation.
    tags = {struct.unpack_from("<H", data, start + 2 + 12 * i)[0]: start + 2 + 12 * i for i in range(count)}
    at = tags.get(274, tags.get(284))
    struct.pack_into("<HHIHH", data, at, 274, 3, 1, orientation, 0)
    photo = read_bytes(tmp_path, bytes(data))
    assert np.array_equal(photo.pixels, TURNED[orientation](np.rint(stored / 257)))
    # The tags are out of order now, of which OpenCV would warn.
    assert capfd.readouterr() == ("", "")


# --- colour profiles -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".webp", ".tif"])
def test_colours_follow_the_matrix_of_the_profile(tmp_path, suffix):
    icc = rgb_profile(DISPLAY_P3, 2.2)
    gamma = round(2.2 * 256) / 256
    # Muted colours, as strong ones leave sRGB and are clipped.
    stored = noise(20, 20) // 2 + 64
    photo = read_bytes(tmp_path, encoded(Image.fromarray(stored), "PNG", icc_profile=icc))
    expected = encode_srgb((stored / 255) ** gamma @ (np.linalg.inv(SRGB) @ DISPLAY_P3).T)
    assert np.abs(photo.pixels - expected).max() <= 1.5
    assert np.abs(photo.pixels.astype(int) - stored).max() > 5
    assert photo.icc == icc

    smooth = np.repeat(np.repeat(photo.pixels[:4, :4], 16, axis=0), 16, axis=1)
    path = write_photo(tmp_path / f"a{suffix}", smooth, like=photo)
    again = read_photo(path)
    assert again.icc == icc
    assert np.abs(again.pixels.astype(int) - smooth)[2::4, 2::4].max() <= (4 if suffix == ".jpg" else 2)
    with Image.open(path) as image:
        # Not only tagged: the stored values are those of the profile.
        assert np.abs(np.array(image).astype(int)[8::16, 8::16] - stored[:4, :4]).max() <= 3


def test_bmp_holds_no_profile_and_stays_srgb(tmp_path):
    like = Photo.from_array(noise(), icc=rgb_profile(DISPLAY_P3, 2.2))
    photo = read_photo(write_photo(tmp_path / "a.bmp", noise(), like=like))
    assert np.array_equal(photo.pixels, noise())
    assert photo.icc is None


def test_alpha_is_not_converted(tmp_path):
    picture = noise(channels=4)
    icc = rgb_profile(SRGB[:, [1, 0, 2]], 2.2)
    photo = read_bytes(tmp_path, encoded(Image.fromarray(picture), "PNG", icc_profile=icc))
    assert np.array_equal(photo.alpha, picture[:, :, 3])
    # Red and green change places, and 2.2 is not quite the curve of sRGB.
    expected = encode_srgb((picture[:, :, [1, 0, 2]] / 255) ** (round(2.2 * 256) / 256))
    assert np.abs(photo.pixels - expected).max() <= 2


def test_an_srgb_profile_changes_not_one_bit(tmp_path):
    icc = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    photo = read_bytes(tmp_path, encoded(Image.fromarray(noise()), "PNG", icc_profile=icc))
    assert np.array_equal(photo.pixels, noise())
    path = write_photo(tmp_path / "a.png", noise(), like=photo)
    assert np.array_equal(read_photo(path).pixels, noise())
    assert read_photo(path).icc == icc


@pytest.mark.parametrize(
    "icc",
    [
        b"no profile at all",
        rgb_profile(DISPLAY_P3, 2.2)[:200],
        rgb_profile(DISPLAY_P3, 2.2)[:128] + bytes(400),
        grey_profile(1.0),
        cmyk_profile(),
    ],
    ids=["words", "cut off", "zeros", "for grey", "for inks"],
)
def test_broken_and_unfitting_profiles_are_ignored(tmp_path, icc):
    photo = read_bytes(tmp_path, encoded(Image.fromarray(noise()), "PNG", icc_profile=icc))
    assert np.array_equal(photo.pixels, noise())
    assert photo.icc is None
    like = Photo.from_array(noise(), icc=icc)
    again = read_photo(write_photo(tmp_path / "a.png", noise(), like=like))
    assert np.array_equal(again.pixels, noise())


def test_grey_profile(tmp_path):
    grey = np.arange(256, dtype=np.uint8).reshape(16, 16)
    photo = read_bytes(tmp_path, encoded(Image.fromarray(grey), "PNG", icc_profile=grey_profile(1.0)))
    assert np.abs(photo.pixels - encode_srgb(grey / 255)[:, :, None]).max() <= 1
    assert photo.icc is None
    # A grey picture with a profile for colours: grey stays grey, through the curve of the profile.
    icc = rgb_profile(SRGB, 1.0)
    photo = read_bytes(tmp_path, encoded(Image.fromarray(grey), "PNG", icc_profile=icc))
    assert np.abs(photo.pixels - encode_srgb(grey / 255)[:, :, None]).max() <= 1
    assert photo.icc == icc


def test_cmyk_profile(tmp_path):
    inks = np.array([[[0, 0, 0, 0], [0, 0, 0, 255], [255, 0, 0, 0], [0, 255, 255, 0]]], np.uint8)
    data = encoded(Image.fromarray(inks, "CMYK"), "TIFF", icc_profile=cmyk_profile())
    photo = read_bytes(tmp_path, data)
    # Lab (70, 0, 0) and (70, 40, 50) by the definition of Lab.
    fy = (70 + 16) / 116
    grey = encode_srgb(np.array([fy**3] * 3))
    red_xyz = np.array([0.9642, 1, 0.8249]) * np.array([fy + 40 / 500, fy, fy - 50 / 200]) ** 3
    red = encode_srgb(np.linalg.inv(SRGB) @ red_xyz)
    expected = np.stack([[255] * 3, [0] * 3, grey, red])
    assert np.abs(photo.pixels[0] - expected).max() <= 3
    assert photo.icc is None


# --- EXIF ----------------------------------------------------------------------------------------------------------

XMP = b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><exif:GPSLatitude>52,31.0N</exif:GPSLatitude></x:xmpmeta>'


def camera_exif() -> Image.Exif:
    exif = Image.Exif()
    exif[271], exif[272], exif[306], exif[315] = "Maker", "Model 7", "2024:05:06 07:08:09", "Zoë 絵".encode()
    exif[274], exif[700] = 1, XMP
    exif[0x8769] = {
        0x9003: "2024:05:06 07:08:09",
        0x829A: TiffImagePlugin.IFDRational(1, 250),
        0x8827: 200,
        0x9286: b"ASCII\0\0\0hello",
        0x927C: b"SECRETMAKERNOTE",
        0xA001: 65535,
        0xA002: 4000,
    }
    exif[0x8825] = {1: "N", 2: (52.0, 31.0, 12.0), 3: "E", 4: (13.0, 24.0, 18.0), 29: "SECRETDATE"}
    return exif


def with_thumbnail(exif: bytes) -> bytes:
    """Appends a directory with a thumbnail to EXIF bytes, as cameras do and Pillow does not."""
    body = bytearray(exif[6:])
    order = ">" if body[:2] == b"MM" else "<"
    (start,) = struct.unpack_from(order + "I", body, 4)
    (count,) = struct.unpack_from(order + "H", body, start)
    thumbnail = b"SECRETTHUMBNAIL"
    struct.pack_into(order + "I", body, start + 2 + 12 * count, len(body))
    entries = [(513, len(body) + 2 + 24 + 4), (514, len(thumbnail))]
    directory = struct.pack(order + "H", 2)
    directory += b"".join(struct.pack(order + "HHII", tag, 4, 1, value) for tag, value in entries)
    return exif[:6] + bytes(body) + directory + bytes(4) + thumbnail


@pytest.mark.parametrize("read_format", ["JPEG", "PNG", "WEBP", "TIFF"])
@pytest.mark.parametrize("suffix", [".jpg", ".png", ".webp", ".tif"])
def test_exif_is_kept_without_what_betrays(tmp_path, read_format, suffix):
    exif = with_thumbnail(camera_exif().tobytes())
    # Pillow alone would turn the author into question marks on the way into the TIFF file.
    data = encoded(Image.fromarray(noise()), read_format, exif=exif_for_tiff(exif) if read_format == "TIFF" else exif)
    assert b"SECRETMAKERNOTE" in data
    assert b"SECRETDATE" in data
    photo = read_bytes(tmp_path, data)
    path = write_photo(tmp_path / f"a{suffix}", photo.pixels, like=photo)
    for secret in (b"SECRET", b"GPSLatitude"):
        assert secret not in photo.exif
        assert secret not in path.read_bytes()
    with Image.open(path) as image:
        written = image.getexif()
        assert {tag: written[tag] for tag in (271, 272, 306, 315)} == {
            271: "Maker",
            272: "Model 7",
            306: "2024:05:06 07:08:09",
            315: "Zoë 絵".encode().decode("latin-1"),  # as Pillow reads it
        }
        assert not {274, 700, 0x8825} & set(written)
        assert written.get_ifd(0x8825) == {}
        details = written.get_ifd(0x8769)
        assert details[0x9003] == "2024:05:06 07:08:09"
        assert details[0x829A] == pytest.approx(1 / 250)
        assert details[0x8827] == 200
        assert details[0x9286] == b"ASCII\0\0\0hello"
        assert not {0x927C, 0xA001, 0xA002} & set(details)


def test_exif_is_copied_byte_by_byte(tmp_path):
    photo = read_bytes(tmp_path, encoded(Image.fromarray(noise()), "JPEG", exif=camera_exif()))
    first = photo.exif
    for suffix in (".webp", ".png", ".jpg"):
        photo = read_photo(write_photo(tmp_path / f"a{suffix}", photo.pixels, like=photo))
        assert photo.exif == first


def test_exif_without_anything_private_stays_as_it_is(tmp_path):
    # Types that Pillow would change: UNDEFINED, a signed rational above zero, a LONG that fits into a SHORT.
    details = [(0x9000, 7, 4, b"0232"), (0x9203, 10, 1, struct.pack("<ii", 5, 2)), (0x9209, 4, 1, b"\x10\0\0\0")]
    block = b"Exif\0\0II*\0" + struct.pack("<I", 8)
    block += struct.pack("<HHHIIHHIII", 2, 271, 2, 4, int.from_bytes(b"Abc\0", "little"), 0x8769, 4, 1, 38, 0)
    block += struct.pack("<H", 3)
    for tag, kind, count, data in details:
        block += struct.pack("<HHI", tag, kind, count) + (data if len(data) == 4 else struct.pack("<I", 80))
    block += bytes(4) + details[1][3]
    photo = read_bytes(tmp_path, encoded(Image.fromarray(noise()), "PNG", exif=block))
    assert photo.exif == block


@pytest.mark.parametrize("exif", [b"Exif\0\0", b"Exif\0\0garbage", b"Exif\0\0II*\0\xff\xff\xff\xff", bytes(20)])
def test_broken_exif_does_not_cost_the_picture(tmp_path, exif):
    photo = read_bytes(tmp_path, encoded(Image.fromarray(noise()), "PNG", exif=exif))
    assert np.array_equal(photo.pixels, noise())
    assert photo.exif is None


def test_exif_of_cut_off_length_never_fails(tmp_path):
    exif = camera_exif().tobytes()
    for length in range(6, len(exif), 23):
        photo = read_bytes(tmp_path, encoded(Image.fromarray(noise()), "PNG", exif=exif[:length]))
        assert np.array_equal(photo.pixels, noise())
        write_photo(tmp_path / "a.jpg", photo.pixels, like=photo, overwrite=True)


def test_exif_too_long_for_a_jpeg_is_left_out(tmp_path):
    exif = Image.Exif()
    exif[270] = "x" * 70_000
    photo = read_bytes(tmp_path, encoded(Image.fromarray(noise()), "PNG", exif=exif))
    assert read_photo(write_photo(tmp_path / "a.jpg", noise(), like=photo)).exif is None
    assert read_photo(write_photo(tmp_path / "a.webp", noise(), like=photo)).exif == photo.exif


# --- text ----------------------------------------------------------------------------------------------------------


def test_text_is_written_and_read_in_any_script(tmp_path):
    text = {"Title": "Plain", "Author": "Zoë Müller", "Comment": "絵 и ещё 🎨\nsecond line", "selfieart": '{"a": 1}'}
    path = write_photo(tmp_path / "a.png", noise(), text=text)
    assert read_photo(path).text == text
    assert "絵".encode() in path.read_bytes()
    # Other formats take the argument and have no place for it.
    assert read_photo(write_photo(tmp_path / "a.webp", noise(), text=text)).text == {}


def test_text_is_not_copied_by_itself(tmp_path):
    like = Photo.from_array(noise(), text={"Title": "Old"})
    assert read_photo(write_photo(tmp_path / "a.png", noise(), like=like)).text == {}


def test_metadata_disguised_as_text_is_left_out(tmp_path):
    info = PngImagePlugin.PngInfo()
    info.add_text("Title", "Kept")
    info.add_itxt("XML:com.adobe.xmp", XMP.decode())
    info.add_text("Raw profile type exif", "\nexif\n  4\n" + camera_exif().tobytes().hex(), zip=True)
    photo = read_bytes(tmp_path, encoded(Image.fromarray(noise()), "PNG", pnginfo=info))
    assert photo.text == {"Title": "Kept"}
    assert photo.exif is None


def test_a_text_bomb_is_refused(tmp_path):
    bomb = b"Title\0\0" + zlib.compress(bytes(50_000_000), 9)
    chunk = struct.pack(">I", len(bomb)) + b"zTXt" + bomb + struct.pack(">I", zlib.crc32(b"zTXt" + bomb))
    data = encoded(Image.fromarray(noise()), "PNG")
    with pytest.raises(ImageError, match="damaged"):
        read_bytes(tmp_path, data[:33] + chunk + data[33:])
