"""Jobs: work that takes longer than a person waits for. They survive a reload of the page and tell how far they are."""

from __future__ import annotations

import asyncio
import json
import logging
import time
from collections.abc import AsyncIterator, Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from selfieart.app.errors import not_found, status_of, without_paths
from selfieart.app.responses import GoneJson, JobJson, ResultJson
from selfieart.app.store import PrivateFolder, Store, new_id
from selfieart.app.worker import Task, Worker
from selfieart.errors import Cancelled

log = logging.getLogger(__name__)

Kind = Literal["method", "video"]
State = Literal["queued", "running", "done", "failed", "cancelled"]
MOST_JOBS = 50
RESULT_BYTES = 2_000_000_000

_SECONDS_BETWEEN_NEWS = 0.2
_SURE_OF_ETA = 0.02


@dataclass(frozen=True)
class ResultFile:
    """What a job made.

    Attributes:
        path: of the private file.
        name: for the download.
    """

    path: Path
    name: str

    @property
    def files(self) -> Iterable[Path]:
        """The file itself."""
        return (self.path,)


@dataclass
class Job:
    """A piece of work in the background.

    Attributes:
        id: opaque.
        kind: "method" or "video".
        title: for the person.
        state: where it stands.
        stage: what it is doing, for the person.
        progress: in [0, 1].
        error: why it failed, one sentence.
        preview: a JPEG of how it looks so far.
        created: seconds since 1970.
        result: the file that it made.
        previews: how many there were.
        begun: when it started, moved on by what overtook it.
        told_at: when pages last heard of it.
        task: in the worker.
    """

    id: str
    kind: Kind
    title: str
    state: State = "queued"
    stage: str = "waiting"
    progress: float = 0.0
    error: str | None = None
    preview: bytes | None = None
    created: float = field(default_factory=time.time)
    result: ResultJson | None = None
    previews: int = 0
    begun: float | None = None
    told_at: float = 0.0
    task: Task[None] | None = None

    @property
    def is_over(self) -> bool:
        """Whether nothing will change any more."""
        return self.state in ("done", "failed", "cancelled")

    def eta(self) -> float | None:
        """Seconds left, from the time taken so far; None while nobody can know."""
        if self.state != "running" or self.begun is None or self.progress < _SURE_OF_ETA:
            return None
        return (time.monotonic() - self.begun) * (1 - self.progress) / self.progress

    def json(self) -> JobJson:
        """What the page gets."""
        eta = self.eta()
        return {
            "id": self.id,
            "kind": self.kind,
            "title": self.title,
            "state": self.state,
            "stage": self.stage,
            "progress": round(self.progress, 4),
            "eta_s": None if eta is None else round(eta, 1),
            "error": self.error,
            "result": self.result,
            # The number makes the address of each preview a new one.
            "preview": f"/api/jobs/{self.id}/preview?v={self.previews}" if self.preview else None,
            "created": self.created,
        }


@dataclass(frozen=True)
class Reporter:
    """What a job's work tells while it runs, in the worker's thread.

    Attributes:
        progress: called with the stage and the fraction done of the whole job; raises Cancelled when the job is
            cancelled, and lets waiting requests pass.
        preview: called with a JPEG.
    """

    progress: Callable[[str, float], None]
    preview: Callable[[bytes], None]


Work = Callable[[Reporter], ResultFile]


class JobList:
    """All jobs of this run.

    Args:
        worker: where they run.
        folder: where results are kept.
    """

    def __init__(self, worker: Worker, folder: PrivateFolder) -> None:
        self.worker, self.folder = worker, folder
        self._jobs: dict[str, Job] = {}
        self._listeners: set[_Listener] = set()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._closed = False
        self.results: Store[ResultFile] = Store("result", RESULT_BYTES, MOST_JOBS, self._result_gone)

    def add(self, kind: Kind, title: str, work: Work) -> Job:
        """Queue a job.

        Raises:
            RequestError: too many are waiting (429).
        """
        job = Job(new_id(), kind, title)
        job.task = self.worker.submit(lambda step: self._run(job, work, step), is_job=True)
        self._jobs[job.id] = job
        over = [other for other in self._jobs.values() if other.is_over]
        for old in over[: max(0, len(self._jobs) - MOST_JOBS)]:
            self.forget(old.id)
        self._tell(job)
        return job

    def all(self) -> list[Job]:
        """All jobs, oldest first."""
        return list(self._jobs.values())

    def get(self, key: str) -> Job:
        """One job.

        Raises:
            RequestError: there is none with this id (404).
        """
        if key not in self._jobs:
            raise not_found("job")
        return self._jobs[key]

    def cancel(self, key: str) -> Job:
        """Stop a job at its next step.

        Raises:
            RequestError: there is none with this id (404).
        """
        job = self.get(key)
        assert job.task is not None
        job.task.cancel()
        if job.state == "queued":
            self._end(job, "cancelled")
        return job

    def forget(self, key: str) -> None:
        """Take a finished job off the list, with its result."""
        job = self._jobs.pop(key, None)
        self.results.remove(key)
        if job is not None:
            self._spread(lambda listener: listener.gone(key))

    def _run(self, job: Job, work: Work, step: Callable[[str, float], None]) -> None:
        if job.is_over:
            return
        job.state, job.stage, job.begun = "running", "starting", time.monotonic()
        self._tell(job)

        def progress(stage: str, done: float) -> None:
            job.stage, job.progress = stage, min(1.0, max(job.progress, done))
            self._tell(job, at_once=False)
            waited = time.monotonic()
            step(stage, done)
            # What overtook the job does not count as its own time.
            job.begun = (job.begun or waited) + time.monotonic() - waited

        def preview(jpeg: bytes) -> None:
            job.preview = jpeg
            job.previews += 1
            self._tell(job, at_once=False)

        try:
            result = work(Reporter(progress, preview))
            self.results.put(job.id, result)
            size = result.path.stat().st_size
            job.result = {"url": f"/api/jobs/{job.id}/result", "name": result.name, "bytes": size}
            job.progress = 1.0
            self._end(job, "done")
        except Cancelled:
            self._end(job, "cancelled")
        except Exception as error:
            known = status_of(error)
            if known is None:
                log.exception("A job failed unexpectedly")
            job.error = without_paths(known[1], self.folder.path) if known else "Something went wrong: try it again."
            self._end(job, "failed")

    def _end(self, job: Job, state: State) -> None:
        job.state, job.stage = state, state
        # The last preview has served when there is a result.
        if state != "running" and job.result is None:
            job.preview = None
        self._tell(job)

    def _result_gone(self, key: str) -> None:
        job = self._jobs.get(key)
        if job is not None:
            job.result = None
            self._tell(job)

    # --- telling -----------------------------------------------------------------------------------------------------

    def _tell(self, job: Job, at_once: bool = True) -> None:
        now = time.monotonic()
        if not at_once and now - job.told_at < _SECONDS_BETWEEN_NEWS:
            return
        job.told_at = now
        self._spread(lambda listener: listener.changed(job.id))

    def _spread(self, news: Callable[[_Listener], None]) -> None:
        def tell_all() -> None:
            for listener in self._listeners:
                news(listener)

        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(tell_all)

    async def events(self) -> AsyncIterator[str]:
        """Server-sent events: each job as it is, then every change, until the server stops."""
        self._loop = asyncio.get_running_loop()
        listener = _Listener(self._jobs)
        self._listeners.add(listener)
        try:
            while not self._closed:
                for event, data in listener.news():
                    yield f"event: {event}\ndata: {json.dumps(data)}\n\n"
                if not await listener.woken(15.0):
                    # So that a connection that nobody reads is noticed.
                    yield ": still here\n\n"
        finally:
            self._listeners.discard(listener)

    def close(self) -> None:
        """End all streams of events. To be called in the event loop."""
        self._closed = True
        for listener in self._listeners:
            listener.wake.set()


class _Listener:
    """A page that listens. It remembers which jobs changed, not how often, so a slow page costs nothing."""

    def __init__(self, jobs: dict[str, Job]) -> None:
        self._jobs = jobs
        self._changed: dict[str, None] = dict.fromkeys(jobs)
        self._gone: list[str] = []
        self.wake = asyncio.Event()

    def changed(self, key: str) -> None:
        self._changed[key] = None
        self.wake.set()

    def gone(self, key: str) -> None:
        self._gone.append(key)
        self.wake.set()

    def news(self) -> list[tuple[str, JobJson | GoneJson]]:
        changed, self._changed = self._changed, {}
        gone, self._gone = self._gone, []
        self.wake.clear()
        news: list[tuple[str, JobJson | GoneJson]] = []
        news += [("job", self._jobs[key].json()) for key in changed if key in self._jobs]
        news += [("gone", {"id": key}) for key in gone]
        return news

    async def woken(self, seconds: float) -> bool:
        try:
            await asyncio.wait_for(self.wake.wait(), seconds)
        except TimeoutError:
            return False
        return True
