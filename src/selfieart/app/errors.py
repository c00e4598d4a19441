"""Errors that the server answers a request with, each with the status of its answer."""

from __future__ import annotations

import errno
import re
from pathlib import Path

from selfieart.errors import SelfieartError


class RequestError(SelfieartError):
    """A request that is not served.

    Args:
        status: of the HTTP answer.
        sentence: what is wrong and what to do.
    """

    def __init__(self, status: int, sentence: str) -> None:
        super().__init__(sentence)
        self.status = status


def not_found(what: str) -> RequestError:
    """404 for an id that does not exist, or no longer."""
    return RequestError(404, f"This {what} is not here any more: add it again.")


def too_large(what: str, limit: int) -> RequestError:
    """413 for a body of more bytes than are taken."""
    shown = f"{limit / 1e6:.0f} MB" if limit < 1e9 else f"{limit / 1e9:g} GB"
    return RequestError(413, f"The {what} is larger than {shown}: give a smaller one.")


def invalid(sentence: str) -> RequestError:
    """422 for JSON that does not have the agreed form."""
    return RequestError(422, sentence)


def busy() -> RequestError:
    """429 for work that would have to wait behind too much other work."""
    return RequestError(429, "The studio has too much to do: wait until something is finished, or cancel it.")


def status_of(error: BaseException) -> tuple[int, str] | None:
    """Status and sentence of an error that a person can act on; None for any other."""
    if isinstance(error, RequestError):
        return error.status, str(error)
    if isinstance(error, SelfieartError):
        return 400, str(error)
    if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
        return 507, "The disk of this computer is full: make room and try again."
    if isinstance(error, MemoryError):
        return 507, "The memory of this computer is full: close other programs or give a smaller picture."
    return None


def without_paths(sentence: str, folder: Path) -> str:
    """A sentence in which files of the private folder are called what they are to the person at the page."""
    shown = re.sub(rf"'?{re.escape(str(folder))}[^\s':,]*'?", "the file", sentence)
    return shown[:1].upper() + shown[1:]
