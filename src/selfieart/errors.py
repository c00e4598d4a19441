"""Errors that a person can act on: one clear sentence that says what is wrong and what to do."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches


class SelfieartError(Exception):
    """Base of all errors caused by what was asked for. The CLI prints it as one sentence and exits with code 2."""


class ImageError(SelfieartError):
    """A picture cannot be read, or cannot be written where asked."""


class UnknownName(SelfieartError):  # noqa: N818 - it names what is wrong
    """A style, segment, group or option value that does not exist."""


class LookError(SelfieartError):
    """A look that cannot be read, or whose values contradict each other."""


class WeightsError(SelfieartError):
    """A weight file is missing or is not the one that the manifest describes."""


class DeviceError(SelfieartError):
    """A graphics card is there but cannot compute."""


class Cancelled(SelfieartError):  # noqa: N818 - not a fault
    """The caller's progress callback asked to stop."""


def unknown(kind: str, name: str, known: Iterable[str], listing: str = "") -> UnknownName:
    """The error for a name that does not exist, with the nearest existing name.

    Args:
        kind: what was looked up, as a noun: "style", "segment".
        name: the name as given.
        known: all names that exist.
        listing: how to see them all, as the end of a sentence: "see 'selfieart styles'".
    """
    names = list(known)
    near = get_close_matches(name.lower(), names, n=1, cutoff=0.6)
    cure = f"did you mean '{near[0]}'?" if near else listing or "choose one of " + ", ".join(names)
    return UnknownName(f"Unknown {kind} '{printable(name)}': {cure}" + ("" if cure.endswith(("?", ".")) else "."))


def printable(text: str, longest: int = 100) -> str:
    """Text that fits in a sentence: one line, nothing invisible, not too long."""
    shown = "".join(c if c.isprintable() else "?" for c in text)
    return shown if len(shown) <= longest else shown[: longest - 1] + "…"
