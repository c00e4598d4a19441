"""The one thread in which everything heavy happens, so that one inference at a time owns all cores.

What a person waits for overtakes the jobs: a job that reports its progress lets waiting requests run before it goes on.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress
from contextvars import Context
from typing import Any, Generic, TypeVar

from selfieart.app.errors import busy
from selfieart.errors import Cancelled
from selfieart.progress import Progress

Result = TypeVar("Result")


class Task(Generic[Result]):
    """Work that was submitted.

    Args:
        work: gets a progress callback, which raises Cancelled when nobody wants the result any more.
        is_job: whether requests may overtake it.

    Attributes:
        future: the result.
    """

    def __init__(self, work: Callable[[Progress], Result], is_job: bool) -> None:
        self.work, self.is_job = work, is_job
        self.future: Future[Result] = Future()
        self.cancelled = threading.Event()

    def cancel(self) -> None:
        """Nobody wants the result: drop it before it starts, or stop it at its next step."""
        self.cancelled.set()
        self.future.cancel()


class Worker:
    """A thread with two bounded queues: requests, which overtake, and jobs.

    Args:
        requests, jobs: how many may wait.
    """

    def __init__(self, requests: int = 32, jobs: int = 8) -> None:
        self._limits = {False: requests, True: jobs}
        self._queues: dict[bool, deque[Task[Any]]] = {False: deque(), True: deque()}
        self._wake = threading.Condition()
        self._closing = False
        self._thread = threading.Thread(target=self._run, name="selfieart-worker", daemon=True)
        self._thread.start()

    def submit(self, work: Callable[[Progress], Result], is_job: bool = False) -> Task[Result]:
        """Queue a task.

        Raises:
            RequestError: too much is waiting (429).
        """
        task = Task(work, is_job)
        with self._wake:
            queue = self._queues[is_job]
            # Those that were cancelled while they waited take no room.
            for dropped in [waiting for waiting in queue if waiting.cancelled.is_set()]:
                queue.remove(dropped)
            if self._closing or len(queue) >= self._limits[is_job]:
                raise busy()
            queue.append(task)
            self._wake.notify()
        return task

    def close(self, seconds: float = 5.0) -> None:
        """Stop: what runs is cancelled at its next step, what waits never starts.

        Args:
            seconds: how long to wait for the step that runs.
        """
        with self._wake:
            self._closing = True
            waiting = [task for queue in self._queues.values() for task in queue]
            for queue in self._queues.values():
                queue.clear()
            self._wake.notify()
        for task in waiting:
            task.cancel()
        self._thread.join(seconds)

    def _run(self) -> None:
        while True:
            with self._wake:
                while not (self._closing or self._queues[False] or self._queues[True]):
                    self._wake.wait()
                if self._closing:
                    return
                task = (self._queues[False] or self._queues[True]).popleft()
            self._do(task)
            # What the last task held must not live until the next one comes.
            del task

    def _do(self, task: Task[Any]) -> None:
        if not task.future.set_running_or_notify_cancel():
            return
        try:
            # A job may report from within a state of its own, as numpy.errstate is: what overtakes it is not in it.
            result = Context().run(task.work, lambda stage, done: self._step(task))
        except BaseException as error:
            task.future.set_exception(error)
        else:
            task.future.set_result(result)

    def _step(self, task: Task[Any]) -> None:
        """What happens between two steps of a piece of work."""
        if task.is_job:
            self._let_requests_pass()
        if self._closing or task.cancelled.is_set():
            raise Cancelled("Nobody waits for this any more.")

    def _let_requests_pass(self) -> None:
        while self._queues[False]:
            with suppress(IndexError):
                self._do(self._queues[False].popleft())
