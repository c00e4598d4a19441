"""Two threads beside the one that computes: one reads ahead, one writes behind, with short queues between.

Whatever ends one stage, an error in it or in the block of the ``with`` statement, Ctrl-C included, ends the others: no
thread outlives its ``with`` statement.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from queue import Empty, Full, Queue
from threading import Event, Thread
from typing import Any, TypeVar

T = TypeVar("T")

_PATIENCE = 0.1
"""Seconds after which a stage that waits looks whether it should end. Windows needs this for Ctrl-C."""


class _End:
    """Follows the last item."""


@dataclass
class Busy:
    """How long a stage worked, in seconds, not counting that it waited."""

    seconds: float = 0.0


@dataclass
class _Lane:
    """A queue that both ends can leave."""

    queue: Queue[Any]
    stop: Event = field(default_factory=Event)
    error: BaseException | None = None

    def put(self, item: object) -> bool:
        """Whether the item was taken before the other end left."""
        while not self.stop.is_set():
            try:
                self.queue.put(item, timeout=_PATIENCE)
            except Full:
                continue
            return True
        return False

    def get(self) -> Any:
        """The next item; the end when the other end left."""
        while not self.stop.is_set():
            try:
                return self.queue.get(timeout=_PATIENCE)
            except Empty:
                continue
        return _End


@contextmanager
def read_ahead(items: Generator[T], depth: int, busy: Busy) -> Iterator[Iterator[T]]:
    """Run a generator in a thread of its own.

    Args:
        items: what is read; closed at the end, in that thread.
        depth: how many items may wait.
        busy: counts the time that the generator took.

    Yields:
        The same items. An error of the generator is raised where they are used.
    """
    lane = _Lane(Queue(depth))

    def work() -> None:
        try:
            while True:
                start = time.perf_counter()
                item = next(items, _End)
                busy.seconds += time.perf_counter() - start
                if not lane.put(item) or item is _End:
                    return
        except BaseException as error:
            lane.error = error
            lane.put(_End)
        finally:
            items.close()

    def arriving() -> Iterator[T]:
        while (item := lane.get()) is not _End:
            yield item
        if lane.error:
            raise lane.error

    thread = Thread(target=work, name="selfieart-read", daemon=True)
    thread.start()
    try:
        yield arriving()
    finally:
        lane.stop.set()
        thread.join()


@contextmanager
def write_behind(consume: Callable[[T], None], depth: int, busy: Busy) -> Iterator[Callable[[T], None]]:
    """Call a function in a thread of its own.

    Args:
        consume: called with one item after the other.
        depth: how many items may wait.
        busy: counts the time that the function took.

    Yields:
        What takes the items. When the block ends without error, all of them are consumed first. An error of
        ``consume`` is raised at the next item or at the end.
    """
    lane = _Lane(Queue(depth))

    def work() -> None:
        try:
            while (item := lane.get()) is not _End:
                start = time.perf_counter()
                consume(item)
                busy.seconds += time.perf_counter() - start
        except BaseException as error:
            lane.error = error
            lane.stop.set()

    def put(item: T) -> None:
        if not lane.put(item) and lane.error:
            raise lane.error

    thread = Thread(target=work, name="selfieart-write", daemon=True)
    thread.start()
    try:
        yield put
        if lane.put(_End):
            while thread.is_alive():
                thread.join(_PATIENCE)
        if lane.error:
            raise lane.error
    finally:
        lane.stop.set()
        thread.join()
