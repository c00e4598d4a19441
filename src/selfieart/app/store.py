"""Where uploads and results are kept: files in a private folder, the oldest deleted when they grow too many."""

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


class HasFiles(Protocol):
    """Something that lies in files."""

    @property
    def files(self) -> Iterable[Path]:
        """The files that are deleted with it."""
        ...


Item = TypeVar("Item", bound=HasFiles)


class Store(Generic[Item]):
    """Items by id. The one used longest ago is deleted first when the files of all hold too many bytes.

    Args:
        what: how a sentence calls one of them: "photo".
        limit: bytes of all files.
        most: how many items.
        on_removed: called with the id of what is gone.
    """

    def __init__(
        self, what: str, limit: int, most: int = 200, on_removed: Callable[[str], None] = lambda key: None
    ) -> None:
        self.what, self.limit, self.most, self._on_removed = what, limit, most, on_removed
        self._items: OrderedDict[str, tuple[Item, int]] = OrderedDict()
        self._pins: Counter[str] = Counter()
        self._lock = threading.RLock()

    def __len__(self) -> int:
        return len(self._items)

    @property
    def bytes(self) -> int:
        """Size of all files."""
        with self._lock:
            return sum(size for _, size in self._items.values())

    def put(self, key: str, item: Item) -> None:
        """Keep an item, and delete others if there is no room for it."""
        size = sum(path.stat().st_size for path in item.files)
        with self._lock:
            self._items[key] = (item, size)
            for other in list(self._items):
                if self.bytes <= self.limit and len(self) <= self.most:
                    break
                if other != key and not self._pins[other]:
                    self.remove(other)

    def get(self, key: str) -> Item:
        """An item that is used now.

        Raises:
            RequestError: there is none with this id (404).
        """
        with self._lock:
            if key not in self._items:
                raise not_found(self.what)
            self._items.move_to_end(key)
            return self._items[key][0]

    def items(self) -> list[tuple[str, Item]]:
        """All items with their ids, oldest first."""
        with self._lock:
            return [(key, item) for key, (item, _) in self._items.items()]

    def remove(self, key: str) -> None:
        """Delete an item with its files; nothing happens if it is gone already."""
        with self._lock:
            item, _ = self._items.pop(key, (None, 0))
        if item is not None:
            for path in item.files:
                path.unlink(missing_ok=True)
            self._on_removed(key)

    @contextmanager
    def pinned(self, keys: Iterable[str]) -> Iterator[None]:
        """Keep items for as long as a block runs, whatever else comes."""
        held = list(keys)
        with self._lock:
            self._pins.update(held)
        try:
            yield
        finally:
            with self._lock:
                self._pins.subtract(held)
                self._pins += Counter()
