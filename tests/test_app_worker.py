"""The worker of the app's server, and its jobs."""

from __future__ import annotations

import asyncio
import json
import threading
import time
from contextlib import aclosing
from contextvars import ContextVar

import pytest

from app_client import blocked, wait_for
from selfieart.app.errors import RequestError
from selfieart.app.jobs import MOST_JOBS, JobList, ResultFile
from selfieart.app.store import PrivateFolder
from selfieart.app.worker import Worker
from selfieart.errors import Cancelled, SelfieartError

# --- the worker ----------------------------------------------------------------------------------------------------


@pytest.fixture
def worker():
    worker = Worker(requests=3, jobs=2)
    yield worker
    worker.close()


def test_everything_runs_in_one_thread_in_turn(worker):
    release, order = blocked(worker), []
    tickets = [worker.submit(lambda step, n=n: order.append((n, threading.get_ident()))) for n in range(3)]
    release.set()
    for ticket in tickets:
        ticket.future.result(30)
    assert [n for n, _ in order] == [0, 1, 2]
    assert len({thread for _, thread in order}) == 1


def test_requests_overtake_jobs_between_their_steps(worker):
    release, order = blocked(worker), []
    state = ContextVar("state", default="nobody's")

    def job(step):
        for n in range(3):
            order.append(f"step {n}")
            if n == 1:
                # Submitted while the job runs, and done before its next step, outside of the job's own state.
                state.set("the job's")
                worker.submit(lambda step: order.append(state.get()))
                step("style", n / 3)
            step("style", n / 3)

    last = worker.submit(job, is_job=True)
    worker.submit(lambda step: order.append("request"))
    release.set()
    last.future.result(30)
    assert order == ["request", "step 0", "step 1", "nobody's", "step 2"]


def test_queues_are_bounded_and_what_was_cancelled_takes_no_room(worker):
    release = blocked(worker)
    waiting = [worker.submit(lambda step: 1) for _ in range(3)]
    jobs = [worker.submit(lambda step: 2, is_job=True) for _ in range(2)]
    for is_job in (False, True):
        with pytest.raises(RequestError, match="too much to do") as error:
            worker.submit(lambda step: 3, is_job)
        assert error.value.status == 429
    waiting[1].cancel()
    extra = worker.submit(lambda step: 3)
    release.set()
    assert [ticket.future.result(30) for ticket in (waiting[0], waiting[2], extra, *jobs)] == [1, 1, 3, 2, 2]
    assert waiting[1].future.cancelled()


def test_work_that_fails_harms_nobody(worker):
    failing = worker.submit(lambda step: 1 / 0)
    stopped = worker.submit(lambda step: stop_work(step))
    assert isinstance(failing.future.exception(30), ZeroDivisionError)
    assert isinstance(stopped.future.exception(30), Cancelled)
    assert worker.submit(lambda step: "fine").future.result(30) == "fine"


def stop_work(step):
    raise Cancelled("enough")


def test_running_work_stops_at_its_next_step(worker):
    begun, go = threading.Event(), threading.Event()

    def work(step):
        begun.set()
        go.wait(30)
        step("style", 0.5)

    ticket = worker.submit(work)
    begun.wait(30)
    ticket.cancel()
    go.set()
    assert isinstance(ticket.future.exception(30), Cancelled)


def test_closing_stops_what_runs_and_drops_what_waits():
    worker = Worker()
    begun = threading.Event()

    def endless(step):
        begun.set()
        while True:
            step("style", 0)
            time.sleep(0.001)

    running, waiting = worker.submit(endless, is_job=True), worker.submit(lambda step: 1, is_job=True)
    begun.wait(30)
    worker.close()
    assert isinstance(running.future.exception(1), Cancelled)
    assert waiting.future.cancelled()
    with pytest.raises(RequestError):
        worker.submit(lambda step: 1)


# --- the jobs -----------------------------------------------------------------------------------------------------


@pytest.fixture
def jobs():
    folder, worker = PrivateFolder(), Worker()
    yield JobList(worker, folder)
    worker.close()
    folder.close()


def made(jobs, name="x.png"):
    path = jobs.folder.new_file(".png")
    path.write_bytes(b"result")
    return ResultFile(path, name)


def over(jobs, job):
    return wait_for(lambda: jobs.get(job.id).is_over and jobs.get(job.id))


def test_a_job_tells_how_far_it_is(jobs):
    told, etas = [], []

    def work(report):
        for n in range(1, 5):
            report.preview(b"jpeg %d" % n)
            report.progress("painting", n / 5)
            told.append(jobs.all()[0].json())
            etas.append(jobs.all()[0].eta())
            time.sleep(0.05)
        return made(jobs, "me-art.png")

    job = jobs.add("method", "me", work)
    assert job.json()["state"] in ("queued", "running")
    done = over(jobs, job).json()
    assert [state["progress"] for state in told] == [0.2, 0.4, 0.6, 0.8]
    assert {state["state"] for state in told} == {"running"}
    assert told[-1]["preview"] == f"/api/jobs/{job.id}/preview?v=4"
    # At least 0.15 seconds for 0.8 leave a quarter of that for the rest.
    assert etas[-1] >= 0.0375
    assert told[-1]["eta_s"] == round(told[-1]["eta_s"], 1)
    assert (done["state"], done["progress"], done["error"], done["eta_s"]) == ("done", 1.0, None, None)
    assert done["result"] == {"url": f"/api/jobs/{job.id}/result", "name": "me-art.png", "bytes": 6}
    path = jobs.results.get(job.id).path
    jobs.forget(job.id)
    assert not path.exists()
    assert jobs.all() == []


def test_what_overtakes_a_job_does_not_count_in_its_time(jobs):
    def work(report):
        time.sleep(0.02)
        jobs.worker.submit(lambda step: time.sleep(0.5))
        report.progress("painting", 0.5)
        etas.append(jobs.all()[0].eta())
        return made(jobs)

    etas = []
    over(jobs, jobs.add("method", "me", work))
    assert etas[0] < 0.4


def test_a_job_that_fails_says_why(jobs, caplog):
    def refused_work(report):
        raise SelfieartError(f"'{jobs.folder.path}/a.png' is too small.")

    def broken(report):
        raise ZeroDivisionError("detail")

    job = over(jobs, jobs.add("video", "me", refused_work))
    assert (job.state, job.error) == ("failed", "The file is too small.")
    job = over(jobs, jobs.add("video", "me", broken))
    assert (job.state, job.error) == ("failed", "Something went wrong: try it again.")
    assert "detail" in caplog.text


def test_jobs_can_be_cancelled_whether_they_wait_or_run(jobs):
    begun, go = threading.Event(), threading.Event()

    def work(report):
        begun.set()
        go.wait(30)
        report.progress("painting", 0.5)
        return made(jobs)

    running, waiting = jobs.add("video", "one", work), jobs.add("video", "two", work)
    begun.wait(30)
    assert jobs.cancel(waiting.id).state == "cancelled"
    assert jobs.cancel(running.id).state == "running"
    go.set()
    assert over(jobs, running).state == "cancelled"
    assert list(jobs.folder.path.iterdir()) == []
    with pytest.raises(RequestError, match="not here any more"):
        jobs.cancel("nobody")


def test_only_so_many_jobs_are_remembered(jobs):
    for _ in range(MOST_JOBS // 2):
        over(jobs, jobs.add("video", "me", lambda report: made(jobs)))
    assert len(jobs.all()) == MOST_JOBS // 2
    for _ in range(MOST_JOBS):
        last = over(jobs, jobs.add("video", "me", lambda report: made(jobs)))
    assert len(jobs.all()) == MOST_JOBS
    assert jobs.all()[-1] is last
    assert len(list(jobs.folder.path.iterdir())) == MOST_JOBS


def test_pages_hear_of_every_job(jobs):
    """First each job as it is, then what changes, however many pages there are; it ends when the server does."""
    before = over(jobs, jobs.add("video", "first", lambda report: made(jobs)))

    async def listen(seen):
        async with aclosing(jobs.events()) as events:
            async for event in events:
                kind, _, data = event.partition("\n")
                if kind.startswith("event"):
                    seen.append((kind[7:], json.loads(data.removeprefix("data: "))))

    async def both():
        seen = [[], []]
        pages = [asyncio.create_task(listen(page)) for page in seen]
        await asyncio.sleep(0.05)
        job = jobs.add("method", "second", lambda report: made(jobs))
        while not all(page and page[-1][1].get("state") == "done" and page[-1][1]["id"] == job.id for page in seen):
            await asyncio.sleep(0.01)
        jobs.forget(job.id)
        while not all(page[-1][0] == "gone" for page in seen):
            await asyncio.sleep(0.01)
        jobs.close()
        await asyncio.wait_for(asyncio.gather(*pages), 10)
        return seen, job

    seen, job = asyncio.run(both())
    for page in seen:
        assert page[0] == ("job", before.json())
        assert [data["id"] for kind, data in page[1:] if kind == "job"][-1] == job.id
        assert page[-1] == ("gone", {"id": job.id})
    assert jobs._listeners == set()
