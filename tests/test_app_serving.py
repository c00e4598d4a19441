"""The app as a process: real sockets, real signals."""

from __future__ import annotations

import os
import re
import select
import signal
import socket
import stat
import subprocess
import sys
import threading
import time
from contextlib import closing, suppress
from dataclasses import replace
from pathlib import Path

import httpx
import numpy as np
import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import connect

from app_client import blocked, picture_file, pixels_of, refused, wait_for
from conftest import is_one_sentence
from selfieart.app import serving
from selfieart.app.jobs import ResultFile
from selfieart.app.server import create_app
from selfieart.app.serving import PORT, Server, is_local, listen, reachable, serve
from selfieart.app.uploads import PHOTO
from selfieart.cli import main
from selfieart.errors import SelfieartError


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """Where the app makes its private folder."""
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    return tmp_path


def started(folder, *options):
    """The app in a process of its own, and its address."""
    process = subprocess.Popen(
        [sys.executable, "-m", "selfieart", "app", "--no-open", "--port", "0", *options],
        env=os.environ | {"TMPDIR": str(folder), "OMP_NUM_THREADS": "1", "PYTHONUNBUFFERED": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    line = process.stdout.readline()
    address = re.search(r"http://\S+", line)
    assert address, process.communicate(timeout=20)
    return process, address.group()


def test_a_told_end_deletes_what_was_uploaded_and_ends_the_streams(folder, astronaut_file):
    process, address = started(folder)
    try:
        with httpx.Client(base_url=address, headers={"Origin": address.rstrip("/")}, timeout=60) as page:
            wait_for(lambda: answers(page))
            info = page.get("/api/info")
            assert info.headers["content-security-policy"].startswith("default-src 'none'")
            assert "server" not in info.headers
            photo = page.post("/api/photos", content=astronaut_file.read_bytes())
            assert photo.status_code == 201
            (private,) = folder.glob("selfieart-*")
            assert stat.S_IMODE(private.stat().st_mode) == 0o700
            assert len(list(private.iterdir())) == 1
            with page.stream("GET", "/api/jobs/events") as events:
                assert events.headers["content-type"].startswith("text/event-stream")
                process.send_signal(signal.SIGTERM)
                assert "".join(events.iter_text()) == ""
        out, err = process.communicate(timeout=30)
    finally:
        process.kill()
    assert list(folder.glob("selfieart-*")) == []
    assert err == ""
    assert "GET" not in out
    assert process.returncode == 128 + signal.SIGTERM


def answers(page):
    try:
        return page.get("/").status_code == 200
    except httpx.TransportError:
        return False


def test_an_interrupt_while_a_page_uploads_is_a_normal_end(folder):
    process, address = started(folder)
    port = int(address.rsplit(":", 1)[1].strip("/"))
    try:
        with closing(socket.create_connection(("127.0.0.1", port), 30)) as half:
            head = f"POST /api/photos HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nOrigin: {address.rstrip('/')}\r\n"
            half.sendall(f"{head}Content-Length: 9000000\r\n\r\n".encode() + b"\xff\xd8\xff" + b"0" * 3_000_000)
            wait_for(lambda: list(folder.glob("selfieart-*/*")))
            process.send_signal(signal.SIGINT)
            _, err = process.communicate(timeout=30)
    finally:
        process.kill()
    assert list(folder.glob("selfieart-*")) == []
    assert (process.returncode, err) == (0, "")


def test_the_next_free_port_is_taken():
    with closing(listen("127.0.0.1", 0, is_exact=False)) as first:
        port = first.getsockname()[1]
        with closing(listen("127.0.0.1", port, is_exact=False)) as second:
            assert port < second.getsockname()[1] < port + 50
        with pytest.raises(SelfieartError, match=f"Port {port} is taken") as error:
            listen("127.0.0.1", port, is_exact=True)
        assert is_one_sentence(str(error.value))
        # Small answers are sent at once.
        assert first.proto == socket.IPPROTO_TCP


@pytest.mark.parametrize("address", ["203.0.113.77", "no such host", "::ffff:1:2:3:4:5"])
def test_an_address_of_another_computer_is_refused(address):
    with pytest.raises(SelfieartError, match="choose another --host or --port") as error:
        listen(address, 0, is_exact=False)
    assert is_one_sentence(str(error.value))


def test_the_address_that_is_shown_is_one_that_can_be_opened(monkeypatch):
    assert reachable("192.168.1.7") == "192.168.1.7"
    assert reachable("my.laptop") == "my.laptop"
    assert reachable("0.0.0.0") not in ("0.0.0.0", "192.0.2.1")

    def unplugged(*given):
        raise OSError("no route")

    monkeypatch.setattr(serving.socket, "socket", unplugged)
    assert (reachable("0.0.0.0"), reachable("::")) == ("127.0.0.1", "::1")


def test_local_addresses():
    assert all(map(is_local, ("127.0.0.1", "127.3.2.1", "localhost", "::1")))
    assert not any(map(is_local, ("0.0.0.0", "192.168.1.7", "::", "my.laptop")))


class Stopped:
    """Stands in for uvicorn's server: does what it is told, and stops."""

    does = staticmethod(lambda: None)

    def __init__(self, app, state):
        Stopped.state = state

    def run(self, sockets):
        Stopped.does()


@pytest.fixture
def stopped(monkeypatch, folder):
    import tempfile

    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    monkeypatch.setattr(serving, "Server", Stopped)
    before = signal.getsignal(signal.SIGTERM)
    yield Stopped
    signal.signal(signal.SIGTERM, before)
    Stopped.does = staticmethod(lambda: None)


@pytest.mark.parametrize("error", [ZeroDivisionError(), SystemExit(143), KeyboardInterrupt()])
def test_whatever_happens_the_uploads_are_deleted(stopped, folder, error):
    def happens():
        (stopped.state.folder.path / "upload.jpg").write_bytes(b"x")
        raise error

    stopped.does = staticmethod(happens)
    if isinstance(error, KeyboardInterrupt):
        serve("127.0.0.1", 0, False, lambda url: None)
    else:
        with pytest.raises(type(error)):
            serve("127.0.0.1", 0, False, lambda url: None)
    assert list(folder.iterdir()) == []


def test_the_browser_opens_at_the_printed_address(stopped, monkeypatch):
    opened, told = threading.Event(), []
    monkeypatch.setattr(serving.webbrowser, "open", lambda url: (told.append(url), opened.set()))
    stopped.does = staticmethod(lambda: opened.wait(20))
    serve("127.0.0.1", 0, True, told.append)
    assert told[0] == told[1]
    assert re.fullmatch(r"http://127\.0\.0\.1:\d+/", told[0])


def test_other_computers_need_a_new_token_each_time(stopped):
    told = []
    for _ in range(2):
        serve("0.0.0.0", 0, False, told.append)
    # Nobody can open 0.0.0.0.
    tokens = [re.fullmatch(r"http://[1-9][\d.]+:\d+/\?token=([\w-]{32})", url).group(1) for url in told]
    assert tokens[0] != tokens[1]


def test_the_command_says_where_the_app_is(stopped, capsys):
    with pytest.raises(SystemExit) as end:
        main(["app", "--no-open", "--port", "0"])
    assert end.value.code in (0, None)
    out = capsys.readouterr().out
    assert re.match(r"selfieart is at http://127\.0\.0\.1:\d+/\n", out)
    with pytest.raises(SystemExit) as end:
        main(["app", "--no-open", "--port", "70000"])
    assert end.value.code == 2
    assert "--port must be a number" in capsys.readouterr().err
    main_help = subprocess.run([sys.executable, "-m", "selfieart", "app", "--help"], capture_output=True, text=True)
    assert str(PORT) in main_help.stdout


def test_starting_does_not_wait_for_the_models():
    """The page is there before the networks are."""
    code = "import sys, selfieart.app.serving; print('torch' in sys.modules)"
    start = time.perf_counter()
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n", time.perf_counter() - start
    assert Path(serving.__file__).is_file()


@pytest.fixture(scope="module")
def served(studio):
    """The app on a real socket in this process: its address and its state."""
    with closing(listen("127.0.0.1", 0, is_exact=False)) as sock:
        port = sock.getsockname()[1]
        app, state = create_app("127.0.0.1", port, studio=lambda: studio)
        server = Server(app, state)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [sock]})
        thread.start()
        yield f"127.0.0.1:{port}", state
        server.should_exit = True
        thread.join(30)
        assert not thread.is_alive()
        assert not state.folder.path.exists()


def page_at(address):
    return httpx.Client(base_url=f"http://{address}", headers={"Origin": f"http://{address}"}, timeout=60)


def test_what_a_page_does_not_wait_for_is_not_made(served, astronaut_file):
    address, state = served
    with page_at(address) as page:
        photo = page.post("/api/photos", content=astronaut_file.read_bytes()).json()
        release = blocked(state.worker)
        with closing(socket.create_connection(address.split(":"), 30)) as leaving:
            path = f"/api/photos/{photo['id']}/layers?style=mosaic&stroke=64"
            leaving.sendall(f"GET {path} HTTP/1.1\r\nHost: {address}\r\n\r\n".encode())
            ticket = wait_for(lambda: list(state.worker._queues[False]))[0]
        wait_for(ticket.future.cancelled)
        release.set()
        assert page.get(f"/api/photos/{photo['id']}/preview").status_code == 200
    (portrait,) = state.portraits._open.values()
    assert not portrait.portrait._paintings.bytes


def test_the_camera_over_a_real_socket(served):
    address, _ = served
    frame = picture_file(np.full((48, 64, 3), 200, np.uint8), "JPEG")
    with connect(f"ws://{address}/api/live", origin=f"http://{address}") as camera:
        camera.send('{"look": {"segments": {"everything": {"style": "#000000", "strength": 0.5}}}}')
        camera.send(frame)
        assert abs(pixels_of(camera.recv(60)).mean() - 100) < 3
        camera.send(b"0" * 4_100_000)
        with pytest.raises(ConnectionClosed):
            camera.recv(60)
    for headers in ({}, {"Origin": "http://evil.example"}):
        with pytest.raises(InvalidStatus, match="403"):
            connect(f"ws://{address}/api/live", additional_headers=headers)


def test_a_page_hears_of_jobs_while_they_run(served):
    address, state = served
    with page_at(address) as page, page.stream("GET", "/api/jobs/events") as events:
        path = state.folder.new_file(".png")
        path.write_bytes(b"x")
        state.jobs.add("method", "me", lambda report: ResultFile(path, "me.png"))
        said = ""
        for text in events.iter_text():
            said += text
            if '"done"' in said:
                break
    assert said.startswith("event: job\ndata: {")
    # The page has left: nobody is told any more.
    state.jobs.add("method", "again", lambda report: ResultFile(path, "me.png"))
    wait_for(lambda: all(job.is_over for job in state.jobs.all()))


def test_many_small_answers_come_at_once(served):
    """Without TCP_NODELAY each of them would wait for 40 milliseconds."""
    address, _ = served
    with page_at(address) as page:
        page.get("/api/jobs")
        spent = []
        for _ in range(15):
            start = time.perf_counter()
            page.get("/api/photos/nobody")
            spent.append(time.perf_counter() - start)
    assert min(spent) < 0.03


def test_an_endless_body_is_cut_off_while_it_comes(served, monkeypatch):
    address, state = served
    monkeypatch.setattr("selfieart.app.routes.photos.PHOTO", replace(PHOTO, limit=300_000))
    before, sent = sorted(state.folder.path.iterdir()), 0
    with closing(socket.create_connection(address.split(":"), 30)) as sock:
        head = f"POST /api/photos HTTP/1.1\r\nHost: {address}\r\nOrigin: http://{address}\r\n"
        sock.sendall(f"{head}Transfer-Encoding: chunked\r\n\r\n5\r\n\xff\xd8\xff00\r\n".encode("latin-1"))
        with suppress(ConnectionError):
            while not select.select([sock], [], [], 0)[0]:
                sock.sendall(b"10000\r\n" + b"0" * 65536 + b"\r\n")
                sent += 65536
        assert sock.recv(12) == b"HTTP/1.1 413"
    # What lies in the buffers of the two sockets comes on top of the limit.
    assert sent < 30_000_000
    assert sorted(state.folder.path.iterdir()) == before


def test_a_wrong_file_is_refused_only_when_all_of_it_has_come(served):
    """A browser that is still sending would hear of a broken connection instead of the sentence."""
    address, _ = served
    with page_at(address) as page:
        answer = page.post("/api/photos", content=b"\0\0\0\x18ftypheic" + b"0" * 8_000_000)
    assert "no JPEG, PNG, WebP, TIFF or BMP" in refused(answer, 415)
