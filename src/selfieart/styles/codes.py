"""The codes of styles: vectors that the network paints in. Presets have theirs, pictures get one, mixes are sums."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path

import numpy as np

from selfieart.errors import SelfieartError, printable
from selfieart.imaging.arrays import FloatArray
from selfieart.style_names import mix_text, shares
from selfieart.styles.resolve import ResolvedStyle, resolve_style


class StyleCodes:
    """Gives the code of any style that is painted. A file is read and encoded once, until it changes.

    Args:
        preset: name of a preset -> its code (D,).
        picture: path of a picture -> the code (D,) that the encoder gives it.
        fitted: path of a file of ``selfieart train style`` -> the code (D,) in it.
    """

    def __init__(
        self,
        preset: Callable[[str], FloatArray],
        picture: Callable[[Path], FloatArray],
        fitted: Callable[[Path], FloatArray],
    ) -> None:
        self._preset, self._picture, self._fitted = preset, picture, fitted
        self._digests: dict[tuple[str, int, int], str] = {}
        self._files: dict[tuple[str, str], FloatArray] = {}

    def code(self, style: str | ResolvedStyle) -> tuple[str, FloatArray]:
        """The code of a style.

        Args:
            style: a preset, a picture file, a file that ``selfieart train style`` wrote, or a mix of these.

        Returns:
            A key that names the style by its content, so that equal styles have equal keys, and the code (D,) float32.

        Raises:
            UnknownName: there is no such preset.
            SelfieartError: the file cannot be used, or the style is a plain effect.
        """
        resolved = resolve_style(style) if isinstance(style, str) else style
        if resolved.kind == "preset":
            return resolved.name, self._preset(resolved.name)
        if resolved.kind in ("picture", "code"):
            return self._of_file(resolved)
        if resolved.kind == "mix":
            return self._mixed(resolved)
        raise SelfieartError(f"'{resolved.name}' is not painted: give a preset or a picture.")

    def _of_file(self, style: ResolvedStyle) -> tuple[str, FloatArray]:
        path = Path(style.name)
        try:
            state = path.stat()
            known = (str(path.resolve()), state.st_mtime_ns, state.st_size)
            if known not in self._digests:
                self._digests[known] = hashlib.sha256(path.read_bytes()).hexdigest()
        except OSError as error:
            raise SelfieartError(
                f"The style file {printable(style.name, 200)} cannot be read: {error.strerror or 'it is no file'}."
            ) from error
        digest = self._digests[known]
        if (style.kind, digest) not in self._files:
            self._files[style.kind, digest] = (self._fitted if style.kind == "code" else self._picture)(path)
        return f"sha256:{digest}", self._files[style.kind, digest]

    def _mixed(self, style: ResolvedStyle) -> tuple[str, FloatArray]:
        weights: dict[str, float] = {}
        codes: dict[str, FloatArray] = {}
        for part, weight in style.parts:
            key, codes[key] = self.code(part)
            weights[key] = weights.get(key, 0.0) + weight
        # In one order whatever the names of the files, because sums of floats depend on theirs.
        kept = shares(weights)
        if len(kept) == 1:
            return next((key, codes[key]) for key in kept)
        code = np.zeros_like(next(iter(codes.values())), np.float32)
        for key, weight in kept.items():
            code += codes[key] * np.float32(weight)
        return mix_text(kept.items()), code
