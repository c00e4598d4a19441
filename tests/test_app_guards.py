"""The app's server lets nobody in who should not be, and keeps nothing that should go."""

from __future__ import annotations

import errno
import hmac
import logging

import pytest
from starlette.websockets import WebSocketDisconnect

from app_client import BASE, LIVE, TestClient, page_of, refused
from selfieart.app.errors import without_paths
from selfieart.app.guards import SECURITY_HEADERS, Guard, host_of
from selfieart.app.server import create_app


@pytest.fixture(scope="module")
def state_and_page(studio):
    with page_of(lambda: studio) as (client, state):
        yield state, client


@pytest.fixture
def client(state_and_page):
    return state_and_page[1]


@pytest.fixture
def state(state_and_page):
    return state_and_page[0]


@pytest.fixture(scope="module")
def photo_id(state_and_page, astronaut_file):
    return state_and_page[1].post("/api/photos", content=astronaut_file.read_bytes()).json()["id"]


# --- who may ask ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "host",
    ["evil.example:7860", "127.0.0.1", "127.0.0.1:80", "localhost:7861", "127.0.0.1.evil.example:7860", "0.0.0.0:7860"],
)
def test_a_name_that_points_here_is_not_enough(client, host):
    for path in ("/", "/api/info", "/assets/x.js", "/api/presets/candy.jpg"):
        assert "its own address" in refused(client.get(path, headers={"Host": host}), 403)
    origin = {"Host": host, "Origin": f"http://{host}"}
    assert "its own address" in refused(client.post("/api/photos/sample", headers=origin), 403)


@pytest.mark.parametrize("host", ["127.0.0.1:7860", "localhost:7860", "LOCALHOST:7860", "[::1]:7860"])
def test_the_own_addresses_are_served(client, host):
    assert client.get("/api/info", headers={"Host": host}).status_code == 200


def test_two_hosts_or_none_are_refused():
    guard = Guard(None, "127.0.0.1", 7860)
    for hosts in ([], [(b"host", b"127.0.0.1:7860")] * 2):
        assert guard._refusal({"type": "http", "method": "GET", "path": "/", "headers": hosts}).status_code == 403


def test_on_all_addresses_only_the_one_that_was_reached_is_right():
    guard = Guard(None, "0.0.0.0", 7860)
    scope = {"type": "http", "method": "GET", "path": "/", "server": ("192.168.1.7", 7860)}

    def asked(host):
        return guard._refusal(scope | {"headers": [(b"host", host)]})

    assert asked(b"192.168.1.7:7860") is None
    assert asked(b"192.168.1.8:7860").status_code == 403
    assert asked(b"my.laptop:7860").status_code == 403
    assert host_of("fe80::1", 80) == "[fe80::1]"


ORIGINS = [
    None, "null", "http://evil.example", "https://127.0.0.1:7860", "http://127.0.0.1", "http://127.0.0.1:7861",
    "http://127.0.0.1:7860.evil.example", "http://localhost:7860", "http://127.0.0.1:7860/",
]  # fmt: skip


@pytest.mark.parametrize("origin", ORIGINS)
def test_only_the_page_itself_may_change_anything(client, state, photo_id, origin):
    before = len(state.photos)
    client.headers.pop("origin")
    try:
        headers = {} if origin is None else {"Origin": origin}
        for method, path in (
            ("POST", "/api/photos/sample"),
            ("POST", "/api/photos"),
            ("DELETE", f"/api/photos/{photo_id}"),
            ("OPTIONS", "/api/photos"),
            ("POST", "/api/jobs"),
        ):
            assert "another site" in refused(client.request(method, path, headers=headers), 403)
        with pytest.raises(WebSocketDisconnect), client.websocket_connect(LIVE, headers=headers):
            pass
    finally:
        client.headers["origin"] = BASE
    assert len(state.photos) == before


def test_other_sites_cannot_embed_what_is_served(client, photo_id):
    for site in ("cross-site", "same-site"):
        for path in ("/api/info", f"/api/photos/{photo_id}/preview", "/api/presets/candy.jpg"):
            assert "another site" in refused(client.get(path, headers={"Sec-Fetch-Site": site}), 403)
        assert client.get("/", headers={"Sec-Fetch-Site": site}).status_code == 200
    for site in ("same-origin", "none"):
        assert client.get("/api/info", headers={"Sec-Fetch-Site": site}).status_code == 200


def test_every_answer_tells_the_browser_to_be_strict(client, photo_id):
    answers = [
        client.get("/"),
        client.get("/api/info"),
        client.get("/nothing"),
        client.get(f"/api/photos/{photo_id}/preview"),
        client.get("/api/info", headers={"Host": "evil.example"}),
        client.post("/api/photos", content=b"no picture"),
        client.put("/api/info"),
    ]
    assert [answer.status_code for answer in answers] == [200, 200, 404, 200, 403, 415, 405]
    for answer in answers:
        for name, value in SECURITY_HEADERS.items():
            assert answer.headers[name] == value
        assert not [name for name in answer.headers if name.startswith("access-control")]
    policy = dict(rule.split(" ", 1) for rule in SECURITY_HEADERS["Content-Security-Policy"].split("; "))
    assert policy["default-src"] == policy["frame-ancestors"] == "'none'"
    assert policy["script-src"] == policy["style-src"] == policy["connect-src"] == "'self'"
    assert "unsafe" not in str(policy)
    assert "http" not in str(policy)


def test_the_camera_is_let_in_with_the_right_origin_and_host(client):
    """So that the refusals above are not refusals of everything."""
    with client.websocket_connect(LIVE) as camera:
        camera.close()
    with pytest.raises(WebSocketDisconnect), client.websocket_connect(LIVE.replace("127.0.0.1", "evil.example")):
        pass


# --- other computers -----------------------------------------------------------------------------------------------


@pytest.fixture
def remote(studio):
    app, state = create_app("192.168.1.7", 7860, "right-token", lambda: studio)
    base = "http://192.168.1.7:7860"
    with TestClient(app, base_url=base, headers={"Origin": base}, follow_redirects=False) as client:
        yield client
    state.close()


def test_without_the_token_nothing_is_served(remote):
    paths = ("/", "/?token=wrong", "/?token=", "/api/info", "/api/info?token=right-token", "/assets/a.js")
    for path in paths:
        assert "token" in refused(remote.get(path), 403)
    assert "token" in refused(remote.post("/api/photos/sample"), 403)
    remote.cookies.set("selfieart", "right-token")
    assert "token" in refused(remote.get("/api/info"), 403)
    with pytest.raises(WebSocketDisconnect), remote.websocket_connect(LIVE.replace("127.0.0.1", "192.168.1.7")):
        pass


def test_the_token_becomes_a_cookie(remote, monkeypatch):
    compared = []
    real = hmac.compare_digest
    monkeypatch.setattr(hmac, "compare_digest", lambda a, b: compared.append(a) or real(a, b))
    answer = remote.get("/?token=right-token")
    assert (answer.status_code, answer.headers["location"]) == (303, "/")
    cookie = answer.headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=strict" in cookie
    assert "right-token" not in cookie
    assert remote.get("/api/info").status_code == 200
    assert b"right-token" in compared
    # A cookie does not replace the other checks.
    assert refused(remote.get("/api/info", headers={"Host": "evil.example:7860"}), 403)
    assert refused(remote.post("/api/photos/sample", headers={"Origin": "http://evil.example"}), 403)


# --- what goes wrong -----------------------------------------------------------------------------------------------


def test_the_unexpected_is_a_plain_sentence_and_the_server_goes_on(client, photo_id, monkeypatch, caplog):
    def broken(*given):
        raise ZeroDivisionError("secret detail")

    monkeypatch.setattr("selfieart.app.portraits.OpenPortrait.guide", broken)
    with caplog.at_level(logging.ERROR):
        sentence = refused(client.get(f"/api/photos/{photo_id}/guide"), 500)
    assert "secret" not in sentence
    assert "secret detail" in caplog.text
    monkeypatch.undo()
    assert client.get(f"/api/photos/{photo_id}/guide").status_code == 200


@pytest.mark.parametrize(
    ("error", "status"), [(OSError(errno.ENOSPC, "full"), 507), (MemoryError(), 507), (OSError(errno.EIO, "io"), 500)]
)
def test_a_full_computer_is_said_to_be_full(client, photo_id, monkeypatch, error, status):
    def broken(*given):
        raise error

    monkeypatch.setattr("selfieart.app.portraits.OpenPortrait.guide", broken)
    refused(client.get(f"/api/photos/{photo_id}/guide"), status)


def test_sentences_hold_no_private_path(tmp_path):
    said = f"'{tmp_path}/a1b2.png' is damaged: see {tmp_path}/c3.jpg."
    assert without_paths(said, tmp_path) == "The file is damaged: see the file"


def test_too_much_at_once_is_refused(client, state, photo_id, monkeypatch):
    monkeypatch.setitem(state.worker._limits, False, 0)
    assert "too much to do" in refused(client.get(f"/api/photos/{photo_id}/preview"), 429)
    monkeypatch.setitem(state.worker._limits, True, 0)
    video = {"kind": "method", "photo": photo_id, "look": {"segments": {"hair": {"style": "candy"}}}, "method": "gatys"}
    monkeypatch.setattr("selfieart.app.routes.jobs.methods", lambda: ("gatys",))
    assert "too much to do" in refused(client.post("/api/jobs", json=video), 429)
