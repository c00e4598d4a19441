"""Where uploads and results are kept: files in a private folder, forgotten oldest first when they grow too many."""

from __future__ import annotations

import secrets
import shutil
import tempfile
import threading
from collections import Counter, OrderedDict
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Generic, Protocol, TypeVar

from selfieart.app.errors import not_found


def new_id() -> str:
    """An opaque id that cannot be guessed."""
    return secrets.token_urlsafe(12)


class PrivateFolder:
    """A temporary folder that only this user may enter, gone when it is closed.

    Attributes:
        uploads: how many files are being received.
    """

    def __init__(self) -> None:
        self.uploads = 0
        self.path = Path(tempfile.mkdtemp(prefix="selfieart-"))
        self.path.chmod(0o700)

    def new_file(self, suffix: str = "") -> Path:
        """A path in it that does not exist yet."""
        return self.path / f"{secrets.token_hex(12)}{suffix}"

    def close(self) -> None:
        """Delete it with all that is in it."""
        shutil.rmtree(self.path, ignore_errors=True)


class Kept(Protocol):
    """Something with files."""

    @property
    def files(self) -> Iterable[Path]:
        """The files that go when it goes."""
        ...


Thing = TypeVar("Thing", bound=Kept)


class Shelf(Generic[Thing]):
    """Things by id. The one used longest ago goes first when their files together hold too many bytes.

    Args:
        what: how a sentence calls one of them: "photo".
        limit: bytes of all files.
        most: how many things.
        forgotten: called with the id of what is gone.
    """

    def __init__(
        self, what: str, limit: int, most: int = 200, forgotten: Callable[[str], None] = lambda key: None
    ) -> None:
        self.what, self.limit, self.most, self._forgotten = what, limit, most, forgotten
        self._things: OrderedDict[str, tuple[Thing, int]] = OrderedDict()
        self._pins: Counter[str] = Counter()
        self._lock = threading.RLock()

    def __len__(self) -> int:
        return len(self._things)

    @property
    def bytes(self) -> int:
        """Size of all files."""
        with self._lock:
            return sum(size for _, size in self._things.values())

    def put(self, key: str, thing: Thing) -> None:
        """Keep a thing, and forget others if there is no room for it."""
        size = sum(path.stat().st_size for path in thing.files)
        with self._lock:
            self._things[key] = (thing, size)
            for other in list(self._things):
                if self.bytes <= self.limit and len(self) <= self.most:
                    break
                if other != key and not self._pins[other]:
                    self.remove(other)

    def get(self, key: str) -> Thing:
        """A thing that is used now.

        Raises:
            Refused: there is none with this id (404).
        """
        with self._lock:
            if key not in self._things:
                raise not_found(self.what)
            self._things.move_to_end(key)
            return self._things[key][0]

    def items(self) -> list[tuple[str, Thing]]:
        """All things with their ids, oldest first."""
        with self._lock:
            return [(key, thing) for key, (thing, _) in self._things.items()]

    def remove(self, key: str) -> None:
        """Forget a thing and delete its files; nothing happens if it is gone already."""
        with self._lock:
            thing, _ = self._things.pop(key, (None, 0))
        if thing is not None:
            for path in thing.files:
                path.unlink(missing_ok=True)
            self._forgotten(key)

    @contextmanager
    def pinned(self, keys: Iterable[str]) -> Iterator[None]:
        """Keep things for as long as a block runs, whatever else comes."""
        held = list(keys)
        with self._lock:
            self._pins.update(held)
        try:
            yield
        finally:
            with self._lock:
                self._pins.subtract(held)
                self._pins += Counter()
