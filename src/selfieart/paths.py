"""Files on disk: written all at once or not at all, refused before any work is done, and found by the nearest name."""

from __future__ import annotations

import os
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from difflib import get_close_matches
from pathlib import Path

from selfieart.errors import ImageError

StrPath = str | os.PathLike[str]


@contextmanager
def atomic_write(path: StrPath, overwrite: bool = False) -> Iterator[Path]:
    """Gives the path of an empty temporary file, which takes the place of `path` when the block ends without error.

    The temporary file lies in the same folder and has the same suffix. On any error or interruption it is removed and
    `path` stays as it was. Inside the block there should be nothing but the writing of that file, since every OSError
    in there is reported as a failure to write `path`. Links are followed.

    Args:
        path: the file to write in the end.
        overwrite: whether an existing file may be replaced; the new one gets its permissions.

    Raises:
        ImageError: `path` cannot be written (see `check_target`), or the disk fails.
    """
    path = Path(path)
    check_target(path, overwrite)
    target = path.resolve()
    temporary = target.with_name(f".selfieart-{secrets.token_hex(6)}{target.suffix}")
    try:
        # Not mkstemp: its files are private, and these should be what the umask of the user says.
        temporary.open("xb").close()
        yield temporary
        with temporary.open("rb+") as file:
            os.fsync(file.fileno())
        # Another program may have been faster while this one was writing.
        check_target(path, overwrite)
        if target.exists():
            shutil.copymode(target, temporary)
        temporary.replace(target)
    except OSError as error:
        raise _cannot_write(path, error) from error
    finally:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)


def is_file(path: StrPath) -> bool:
    """Whether there is a file of this name; False also for names that no file can have."""
    try:
        return Path(path).is_file()
    except (OSError, ValueError):
        return False


def check_target(path: StrPath, overwrite: bool = False) -> None:
    """Refuses a path that cannot be written, before any work is put into what should be written there.

    Args:
        path: the file to write, of any format; `picture_format` checks the suffix.
        overwrite: whether an existing file may be replaced.

    Raises:
        ImageError: the path is a folder or a device, its folder is missing or read-only, or the file exists and
            `overwrite` is false.
    """
    path = Path(path)
    try:
        if path.is_dir():
            raise ImageError(f"'{path}' is a folder: give the name of a file inside it.")
        folder = path.resolve().parent
        if not folder.is_dir():
            problem = "is not a folder" if folder.exists() else "does not exist"
            raise ImageError(f"'{path}' cannot be written because '{folder}' {problem}: create that folder first.")
        if path.exists():
            if not path.is_file():
                raise ImageError(f"'{path}' is a device or a pipe: give the name of a file.")
            if not overwrite:
                raise ImageError(f"'{path}' already exists: choose another name, or give `--overwrite` to replace it.")
        if not os.access(folder, os.W_OK | os.X_OK):
            raise ImageError(f"'{path}' cannot be written because '{folder}' is read-only: choose another folder.")
    except (OSError, RuntimeError, ValueError) as error:
        raise _cannot_write(path, error) from error


def _cannot_write(path: Path, error: Exception) -> ImageError:
    return ImageError(f"'{path}' cannot be written ({reason_of(error)}): check the disk or choose another folder.")


def reason_of(error: Exception) -> str:
    """What went wrong, in lower case and without a full stop, so that it fits into a sentence."""
    reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error) or type(error).__name__
    return reason.rstrip(".").lower() if isinstance(error, OSError) else reason.rstrip(".")


def nearest_file(path: Path) -> str:
    """What to do about a file that does not exist, naming the file in its folder whose name is nearest."""
    names: dict[str, str] = {}
    with suppress(OSError):
        if not path.parent.is_dir():
            return f"there is no folder '{path.parent}' either, so check the path."
        # Without the suffixes, which would make all pictures with short names look alike.
        names = {entry.stem.lower(): entry.name for entry in path.parent.iterdir()}
    near = get_close_matches(path.stem.lower(), names, n=1)
    return f"did you mean '{path.with_name(names[near[0]])}'?" if near else "check the name and the folder."
