"""The Studio: opens photos, and holds what all of them share: the parser, the stylizer and the codes of styles."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from selfieart.engine import Device, engine_lock, set_threads
from selfieart.imaging import Photo, read_photo
from selfieart.imaging.arrays import FloatArray, as_picture
from selfieart.parsing.choice import DEFAULT_PARSER
from selfieart.parsing.parser import Parser
from selfieart.parsing.registry import load_parser
from selfieart.render.feed_forward import PresetStylizer
from selfieart.render.loading import load_presets
from selfieart.render.portrait import Portrait
from selfieart.styles.any_style import read_code
from selfieart.styles.codes import StyleCodes
from selfieart.styles.resolve import ResolvedStyle
from selfieart.weights import manifest


class Studio:
    """Makes art from photos.

    Args:
        parser: name of the face parser.
        threads: how many threads compute, in this process; all that it may use when left out.
        device: where networks run: "auto" for the fastest that is installed, "cpu", or "gpu".

    Raises:
        UnknownName: there is no such parser or device.
        SelfieartError: the device is not there, or the number of threads is not from 1 to 256.
    """

    def __init__(self, parser: str = DEFAULT_PARSER, threads: int | None = None, device: Device = "auto") -> None:
        if threads is not None:
            set_threads(threads)
        self.parser: Parser = load_parser(parser, device)
        self.stylizer: PresetStylizer = load_presets(device)
        self._codes = StyleCodes(
            lambda name: self.stylizer.encode(name),
            self._encoded,
            lambda path: read_code(path, self.stylizer.network.code_size, manifest()["presets"].sha256),
        )

    def code(self, style: str | ResolvedStyle) -> tuple[str, FloatArray]:
        """The code of a style that is painted.

        Args:
            style: a preset, a picture file, a file that ``selfieart train style`` wrote, or a mix of these.

        Returns:
            A key that names the style by its content, and the code (D,).

        Raises:
            UnknownName: there is no such preset.
            SelfieartError: the file cannot be used, or the style is a plain effect.
        """
        return self._codes.code(style)

    def _encoded(self, path: Path) -> FloatArray:
        with engine_lock:
            return self.stylizer.encode_picture(as_picture(read_photo(path).pixels))

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
