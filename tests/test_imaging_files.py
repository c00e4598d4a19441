"""Reading and writing picture files: samples, transparency, refusals, atomicity."""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays
from PIL import Image, JpegImagePlugin

from selfieart.errors import ImageError
from selfieart.imaging import Photo, picture_format, read_photo, write_photo
from selfieart.paths import atomic_write, check_target

LOSSLESS = [".png", ".webp", ".tif", ".tiff", ".bmp"]


def noise(height: int = 12, width: int = 17, channels: int = 3, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (height, width, channels), dtype=np.uint8)


def smooth(height: int = 48, width: int = 40) -> np.ndarray:
    rows, columns = np.mgrid[0:height, 0:width]
    return np.stack([rows * 5, columns * 6, 255 - rows * 2 - columns * 2], axis=-1).astype(np.uint8)


def one_sentence(error: ImageError, path: Path) -> str:
    message = str(error)
    assert str(path) in message
    assert "\n" not in message
    assert message.endswith((".", "?"))
    assert ". " not in message.replace(str(path.parent), "")
    return message


# --- round trips ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("suffix", LOSSLESS)
@pytest.mark.parametrize("size", [(12, 17), (1, 1), (1, 300)])
def test_lossless_formats_keep_every_bit(tmp_path, suffix, size):
    pixels = noise(*size)
    path = write_photo(tmp_path / f"a{suffix}", pixels)
    photo = read_photo(path)
    assert np.array_equal(photo.pixels, pixels)
    assert photo.alpha is None
    assert photo.source == path
    assert (photo.height, photo.width, photo.size) == (*size, size[::-1])


@pytest.mark.parametrize("suffix", [".png", ".webp", ".tif"])
def test_alpha_and_the_colours_under_it_are_kept(tmp_path, suffix):
    pixels, alpha = noise(), noise(seed=1)[:, :, 0]
    alpha[:4] = 0
    photo = read_photo(write_photo(tmp_path / f"a{suffix}", pixels, alpha=alpha))
    assert np.array_equal(photo.pixels, pixels)
    assert np.array_equal(photo.alpha, alpha)


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    suffix=st.sampled_from([".png", ".webp", ".tif"]),
    array=arrays(np.uint8, array_shapes(min_dims=2, max_dims=2, max_side=9).map(lambda s: (*s, 4))),
)
def test_any_small_picture_survives_writing_and_reading(tmp_path, suffix, array):
    photo = Photo.from_array(array)
    path = write_photo(tmp_path / f"h{suffix}", photo.pixels, like=photo, overwrite=True)
    again = read_photo(path)
    assert np.array_equal(again.pixels, array[:, :, :3])
    # WebP drops an alpha that is opaque everywhere.
    assert np.array_equal(np.full(again.pixels.shape[:2], 255) if again.alpha is None else again.alpha, array[:, :, 3])


def test_pixels_can_be_changed_in_place(tmp_path):
    path = write_photo(tmp_path / "a.png", noise(), alpha=noise()[:, :, 0])
    photo = read_photo(path)
    for array in (photo.pixels, photo.alpha):
        assert array.flags.writeable
        assert array.flags.c_contiguous


def test_jpeg_is_close_and_has_full_colour_resolution(tmp_path):
    path = write_photo(tmp_path / "a.JPG", smooth())
    assert np.abs(read_photo(path).pixels.astype(int) - smooth()).max() <= 6
    with Image.open(path) as image:
        assert image.format == "JPEG"
        assert JpegImagePlugin.get_sampling(image) == 0


@pytest.mark.parametrize("quality", [95, 100])
def test_jpeg_of_noise_fits_into_the_buffer_of_the_encoder(tmp_path, quality):
    # Pillow alone fails here: "broken data stream when writing image file".
    pixels = noise(200, 200)
    photo = read_photo(write_photo(tmp_path / "a.jpg", pixels, quality=quality))
    assert np.abs(photo.pixels.astype(int) - pixels).mean() < 6


@pytest.mark.parametrize("suffix", [".jpg", ".bmp"])
def test_formats_without_alpha_lay_the_picture_over_white(tmp_path, suffix):
    pixels = np.zeros((16, 32, 3), np.uint8)
    pixels[:] = (200, 100, 0)
    alpha = np.repeat(np.array([255, 128, 0, 51], np.uint8), 8)[None].repeat(16, axis=0)
    photo = read_photo(write_photo(tmp_path / f"a{suffix}", pixels, alpha=alpha))
    share = alpha[:, :, None] / 255
    expected = np.rint(pixels * share + 255 * (1 - share))
    # 8 x 8 blocks of one colour are nearly exact in a JPEG too.
    assert np.abs(photo.pixels - expected).max() <= (0 if suffix == ".bmp" else 3)
    assert photo.alpha is None


def test_alpha_of_the_original_is_used_only_if_it_fits(tmp_path):
    like = Photo.from_array(noise(channels=4))
    assert np.array_equal(read_photo(write_photo(tmp_path / "a.png", noise(), like=like)).alpha, like.alpha)
    assert read_photo(write_photo(tmp_path / "b.png", noise(5, 6), like=like)).alpha is None
    other = noise(seed=3)[:, :, 0]
    assert np.array_equal(read_photo(write_photo(tmp_path / "c.png", noise(), like=like, alpha=other)).alpha, other)


# --- arrays --------------------------------------------------------------------------------------------------------


def test_from_array(tmp_path):
    grey = noise()[:, :, 0]
    assert np.array_equal(Photo.from_array(grey).pixels, np.dstack([grey] * 3))
    colour = noise(channels=4)
    photo = Photo.from_array(colour, text={"a": "b"}, source=tmp_path)
    assert np.array_equal(np.dstack([photo.pixels, photo.alpha]), colour)
    assert (photo.text, photo.source) == ({"a": "b"}, tmp_path)
    colour[:] = 0
    assert photo.pixels.any()


@pytest.mark.parametrize(
    "array",
    [
        np.zeros((4, 4, 3), np.float32),
        np.zeros((4, 4, 2), np.uint8),
        np.zeros((4,), np.uint8),
        np.zeros((0, 4, 3), np.uint8),
        np.zeros((2, 4, 4, 3), np.uint8),
    ],
)
def test_from_array_refuses_other_arrays(array):
    with pytest.raises(ImageError, match=r"must be an array of uint8"):
        Photo.from_array(array)


# --- refusals of writing -------------------------------------------------------------------------------------------


def write_refusal(path: Path, *args: object, **options: object) -> str:
    with pytest.raises(ImageError) as caught:
        write_photo(path, *(args or (noise(),)), **options)
    return one_sentence(caught.value, path)


def test_paths_that_cannot_be_written(tmp_path):
    existing = tmp_path / "old.png"
    existing.write_bytes(b"old")
    (tmp_path / "folder.png").mkdir()
    os.mkfifo(tmp_path / "pipe.png")
    for path, words in (
        (existing, "--overwrite"),
        (tmp_path / "folder.png", "is a folder"),
        (tmp_path / "missing" / "a.png", "does not exist"),
        (existing / "a.png", "is not a folder"),
        (tmp_path / "pipe.png", "pipe"),
        (tmp_path / ("x" * 300 + ".png"), "name too long"),
    ):
        assert words in write_refusal(path)
        with pytest.raises(ImageError, match=words):
            check_target(path)
    assert existing.read_bytes() == b"old"
    check_target(existing, overwrite=True)
    assert "pipe" in write_refusal(tmp_path / "pipe.png", overwrite=True)


def test_suffixes(tmp_path):
    assert picture_format("a.JPEG") == "JPEG"
    message = write_refusal(tmp_path / "a.jpgg")
    assert "did you mean '.jpg'" in message
    assert ".tiff" in message
    assert "no suffix" in write_refusal(tmp_path / "a")
    assert list(tmp_path.iterdir()) == []


def test_arrays_and_values_that_cannot_be_written(tmp_path):
    path = tmp_path / "a.png"
    assert "float64" in write_refusal(path, noise() / 255)
    assert "(12, 17, 4)" in write_refusal(path, noise(channels=4))
    assert "(3, 3)" in write_refusal(path, noise(), alpha=np.zeros((3, 3), np.uint8))
    assert "quality 0" in write_refusal(tmp_path / "a.jpg", noise(), quality=0)
    assert "16383" in write_refusal(tmp_path / "a.webp", np.zeros((1, 16_384, 3), np.uint8))
    for key in ("", "x" * 80, "a\0b"):
        assert "text key" in write_refusal(path, noise(), text={key: "value"})
    assert list(tmp_path.iterdir()) == []


def test_read_only_folder(tmp_path, monkeypatch):
    # The tests may run as root, who may write everywhere.
    monkeypatch.setattr(os, "access", lambda *args, **kwargs: False)
    assert "read-only" in write_refusal(tmp_path / "a.png")


# --- atomicity -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("broken", ["fsync", "replace"])
def test_a_failing_disk_leaves_the_old_file(tmp_path, monkeypatch, broken):
    path = tmp_path / "a.png"
    path.write_bytes(b"old")

    def fail(*args, **kwargs):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, broken, fail)
    assert "no space left" in write_refusal(path, noise(), overwrite=True)
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("error", [KeyboardInterrupt, ValueError, ImageError])
def test_an_interruption_leaves_the_old_file(tmp_path, error):
    path = tmp_path / "look.toml"
    path.write_bytes(b"old")
    with pytest.raises(error), atomic_write(path, overwrite=True) as temporary:
        temporary.write_text("half")
        raise error("stop")
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_an_encoder_that_fails_leaves_nothing(tmp_path, monkeypatch):
    def fail(*args, **kwargs):
        raise OSError("encoder error -2")

    monkeypatch.setattr(Image.Image, "save", fail)
    assert "cannot be encoded" in write_refusal(tmp_path / "a.png")
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_appears_meanwhile_is_kept(tmp_path):
    path = tmp_path / "a.json"
    with pytest.raises(ImageError, match="already exists"), atomic_write(path) as temporary:
        temporary.write_text("new")
        path.write_text("of another program")
    assert path.read_text() == "of another program"
    assert list(tmp_path.iterdir()) == [path]


def test_the_temporary_file_is_a_neighbour(tmp_path):
    with atomic_write(tmp_path / "a.toml") as temporary:
        assert temporary.parent == tmp_path
        assert temporary.suffix == ".toml"
        temporary.write_text("new")
        assert not (tmp_path / "a.toml").exists()
    assert (tmp_path / "a.toml").read_text() == "new"
    assert list(tmp_path.iterdir()) == [tmp_path / "a.toml"]


def test_permissions(tmp_path):
    path = tmp_path / "a.png"
    old = os.umask(0o027)
    try:
        write_photo(path, noise())
    finally:
        os.umask(old)
    assert stat.S_IMODE(path.stat().st_mode) == 0o640
    path.chmod(0o604)
    write_photo(path, noise(), overwrite=True)
    assert stat.S_IMODE(path.stat().st_mode) == 0o604


def test_links_are_followed(tmp_path):
    (tmp_path / "real").mkdir()
    link = tmp_path / "a.png"
    link.symlink_to(tmp_path / "real" / "b.png")
    assert write_photo(link, noise()) == link
    assert link.is_symlink()
    assert np.array_equal(read_photo(tmp_path / "real" / "b.png").pixels, noise())
