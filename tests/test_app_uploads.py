"""What may come into the app's server, and how it goes again."""

from __future__ import annotations

import json
import os
import stat
import struct
import zlib

import anyio
import numpy as np
import pytest

from app_client import page_of, picture_file, refused
from conftest import is_one_sentence
from selfieart.app.store import PrivateFolder, Shelf
from selfieart.app.uploads import PHOTO_BYTES, VIDEO_BYTES
from selfieart.look import Look


@pytest.fixture(scope="module")
def shop_and_page(studio):
    with page_of(lambda: studio) as (client, workshop):
        yield workshop, client


@pytest.fixture
def client(shop_and_page):
    return shop_and_page[1]


@pytest.fixture
def shop(shop_and_page):
    return shop_and_page[0]


@pytest.fixture(scope="module")
def photo_id(shop_and_page, astronaut_file):
    return shop_and_page[1].post("/api/photos", content=astronaut_file.read_bytes()).json()["id"]


# --- what may come in ----------------------------------------------------------------------------------------------


def files_of(shop):
    return sorted(shop.folder.path.iterdir())


def test_a_body_is_cut_off_where_it_grows_too_large(client, shop):
    before = files_of(shop)

    def long():
        yield picture_file(np.zeros((8, 8, 3), np.uint8), "BMP")
        for _ in range(65):
            yield b"\0" * 1_000_000

    assert "larger than 64 MB" in refused(client.post("/api/photos", content=long()), 413)
    assert files_of(shop) == before


def test_too_many_uploads_at_once_are_refused(client, shop, monkeypatch):
    monkeypatch.setattr(shop.folder, "uploads", 6)
    assert "too much to do" in refused(client.post("/api/photos", content=b"\xff\xd8\xff" + b"0" * 20), 429)
    monkeypatch.setattr(shop.folder, "uploads", 5)
    refused(client.post("/api/photos", content=b"\xff\xd8\xff" + b"0" * 20), 400)
    assert shop.folder.uploads == 5


@pytest.mark.parametrize(("path", "limit"), [("/api/photos", PHOTO_BYTES), ("/api/videos", VIDEO_BYTES)])
def test_a_body_that_says_that_it_is_too_large_is_not_read(client, path, limit):
    for length in (str(limit + 1), "1e9", "-5"):
        assert "larger" in refused(client.post(path, content=b"x", headers={"Content-Length": length}), 413)


def test_json_is_cut_off_too(client, photo_id):
    body = b'{"look": {"segments": {}}, "corrections": {"hair": "' + b"A" * 16_000_000 + b'"}}'
    assert "larger than 16 MB" in refused(client.post(f"/api/photos/{photo_id}/composite", content=body), 413)


@pytest.mark.parametrize(
    ("body", "status", "says"),
    [
        (b"", 400, "empty, 0 bytes"),
        (b"GIF89a" + b"\0" * 50, 415, "no JPEG, PNG, WebP, TIFF or BMP"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", 415, "no JPEG"),
        (b"%!PS-Adobe-3.0 EPSF", 415, "no JPEG"),
        (b"\xff\xd8\xff" + b"\0" * 200, 400, "damaged"),
        (b"\x89PNG\r\n\x1a\n", 400, "damaged"),
        (picture_file(np.zeros((4, 300, 3), np.uint8)), 400, "too small to parse"),
    ],
)
def test_what_is_no_photo_is_refused_and_forgotten(client, shop, body, status, says):
    before, kept = files_of(shop), len(shop.photos)
    sentence = refused(client.post("/api/photos", content=body), status)
    assert says in sentence
    assert is_one_sentence(sentence)
    assert str(shop.folder.path) not in sentence
    assert (files_of(shop), len(shop.photos)) == (before, kept)


def test_a_picture_bomb_is_refused_from_its_header(client, shop):
    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", 50_000, 50_000, 8, 2, 0, 0, 0)
    bomb = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", b"") + chunk(b"IEND", b"")
    before = files_of(shop)
    assert "more than the limit of 100,000,000" in refused(client.post("/api/photos", content=bomb), 400)
    assert files_of(shop) == before


@pytest.mark.parametrize(
    "body",
    [
        b"#EXTM3U\n#EXTINF:1,\nfile:///etc/passwd\n",
        b"ffconcat version 1.0\nfile /etc/passwd\n",
        b"RIFF\0\0\0\0WAVEfmt ",
        b"ID3\0" * 8,
    ],
)
def test_what_may_name_other_files_is_no_video(client, shop, body):
    before = files_of(shop)
    assert "no MP4, MOV, MKV, WebM, AVI or GIF" in refused(client.post("/api/videos", content=body), 415)
    assert files_of(shop) == before


MIXES = ["candy+/etc/passwd", "candy:0.5+../x.png:0.5", "C:\\x.jpg:0.5+candy:0.5", "/etc/passwd:1", "candy+"]
STYLES = ["/etc/passwd", "../x.png", "C:\\x.jpg", "http://127.0.0.1/x.png", "file:///etc/passwd", "candyy", "", "x.png"]


@pytest.mark.parametrize("style", [*STYLES, *MIXES])
def test_neither_paths_nor_addresses_are_styles(client, photo_id, style, astronaut_file):
    for name in (style, str(astronaut_file)):
        look = {"segments": {"hair": {"style": name}}}
        for action in ("composite", "export"):
            refused(client.post(f"/api/photos/{photo_id}/{action}", json={"look": look}), 400)
        refused(client.get(f"/api/photos/{photo_id}/layers", params={"style": name}), 400)


def test_ids_are_no_paths(client, shop, photo_id):
    inside = shop.photos.get(photo_id).path.name
    for path in (
        "/assets/../workshop.py", "/assets/..%2fworkshop.py", "/assets/%2e%2e/workshop.py", "/..%2f..%2fetc/passwd",
        f"/api/photos/{inside}", f"/api/photos/..%2f{inside}", "/api/presets/..%2fstrip.jpg", "/api/styles/..%2fx.jpg",
        "/api/jobs/x/result", "/static/index.html", "/assets/", "/.hidden.js", "/index.html/x",
    ):  # fmt: skip
        assert client.get(path).status_code == 404, path
    refused(client.get(f"/api/photos/{photo_id}/layers", params={"style": "style:../../etc/passwd"}), 404)


LOOK = {"tau": 3.0, "segments": {"hair": {"style": "candy"}}}
BAD_LOOKS = [
    ({"look": LOOK | {"extra": 1}}, 422),
    ({"look": LOOK, "path": "/etc/passwd"}, 422),
    ({"look": {"segments": {"hair": {"style": "candy", "url": "x"}}}}, 422),
    ({"look": {"segments": {"hair": {"strength": 1}}}}, 422),
    ({"look": {"segments": {"hair": ["candy"]}}}, 422),
    ({"look": {"segments": {"hair": None}}}, 422),
    ({"look": {"segments": {"hair": {"style": None}}}}, 422),
    ({"look": {"segments": {"hair": {"style": "candy", "strength": None}}}}, 422),
    ({"look": {"segments": None}}, 422),
    ({"look": LOOK | {"tau": None}}, 422),
    ({"look": {"segments": []}}, 422),
    ({"look": []}, 422),
    ({}, 422),
    ([], 422),
    ({"look": LOOK | {"tau": "3"}}, 422),
    ({"look": LOOK | {"tau": True}}, 422),
    ({"look": LOOK | {"tau": 10**400}}, 422),
    ({"look": LOOK | {"seed": 10**30}}, 422),
    ({"look": LOOK | {"seed": 0.5}}, 422),
    ({"look": LOOK | {"stroke": None}}, 422),
    ({"look": LOOK | {"faces": [1]}}, 422),
    ({"look": LOOK | {"blend": 1}}, 422),
    ({"look": LOOK, "corrections": {"hare": ""}}, 422),
    ({"look": LOOK, "corrections": {"face": ""}}, 422),
    ({"look": LOOK, "corrections": {"hair": "AAAA"}}, 422),
    ({"look": LOOK, "corrections": {"hair": "no base64"}}, 422),
    ({"look": LOOK, "corrections": {"hair": 5}}, 422),
    ({"look": LOOK | {"tau": 0}}, 400),
    ({"look": LOOK | {"stroke": 5}}, 400),
    ({"look": LOOK | {"stroke": "tiny"}}, 400),
    ({"look": LOOK | {"faces": 0}}, 400),
    ({"look": LOOK | {"blend": "magic"}}, 400),
    ({"look": {"segments": {"hare": {"style": "candy"}}}}, 400),
    ({"look": {"segments": {"hair": {"style": "candy", "strength": 2}}}}, 400),
    ({"look": {"segments": {"hair": {"style": "#12"}}}}, 400),
    ({"look": {"segments": {"bg": "candy", "background": "wave"}}}, 400),
    ({"look": {"segments": {"hair": "candy:0.6+wvae:0.4"}}}, 400),
    ({"look": {"segments": {"hair": "candy:0.6+grey:0.4"}}}, 400),
    ({"look": {"segments": {"hair": "candy:much"}}}, 400),
]


@pytest.mark.parametrize(("body", "status"), BAD_LOOKS)
def test_the_schema_is_strict(client, photo_id, body, status):
    for action in ("composite", "export"):
        sentence = refused(client.post(f"/api/photos/{photo_id}/{action}", content=json.dumps(body)), status)
        assert is_one_sentence(sentence)


@pytest.mark.parametrize("body", [b"", b"{", b'{"look": NaN}', b'{"look": {}, "look": {}}', b"[" * 90_000, b"\xff\xfe"])
def test_what_is_no_json_is_refused(client, photo_id, body):
    assert "no valid JSON" in refused(client.post(f"/api/photos/{photo_id}/composite", content=body), 422)


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("style=candy&path=x", 422), ("", 422), ("style=candy&style=wave", 422), ("style=candy&seed=x", 422),
        ("style=candy&seed=99999999999", 422), ("style=candy&fine=2", 422), ("style=candy&tau=x", 422),
        ("style=candy&tau=nan", 400), ("style=candy&faces=none", 400), ("style=candy&stroke=5", 400),
        ("style=blur", 422), ("style=blur&segments=hare", 400), ("style=original", 400), ("style=%23ff0000", 400),
    ],
)  # fmt: skip
def test_addresses_are_strict_too(client, photo_id, query, status):
    assert is_one_sentence(refused(client.get(f"/api/photos/{photo_id}/layers?{query}"), status))


# --- what is kept --------------------------------------------------------------------------------------------------


class Thing:
    def __init__(self, folder, size):
        self.files = (folder.new_file(),)
        self.files[0].write_bytes(b"x" * size)


def test_the_folder_is_private_and_goes():
    folder = PrivateFolder()
    assert stat.S_IMODE(folder.path.stat().st_mode) == 0o700
    assert folder.path.stat().st_uid == os.getuid()
    Thing(folder, 5)
    folder.close()
    assert not folder.path.exists()
    folder.close()


def test_the_shelf_forgets_what_was_used_longest_ago():
    folder, gone = PrivateFolder(), []
    shelf = Shelf("thing", 100, forgotten=gone.append)
    things = {key: Thing(folder, 40) for key in "abcd"}
    shelf.put("a", things["a"])
    shelf.put("b", things["b"])
    assert shelf.get("a") is things["a"]
    shelf.put("c", things["c"])
    assert (gone, shelf.bytes, len(shelf)) == (["b"], 80, 2)
    with shelf.pinned(["a"]):
        shelf.put("d", things["d"])
        assert gone == ["b", "c"]
        shelf.put("big", Thing(folder, 500))
    assert gone == ["b", "c", "d"]
    assert [key for key, _ in shelf.items()] == ["a", "big"]
    shelf.put("e", Thing(folder, 1))
    assert [key for key, _ in shelf.items()] == ["e"]
    assert len(list(folder.path.iterdir())) == 1
    with pytest.raises(Exception, match="not here any more"):
        shelf.get("a")
    folder.close()


def test_closing_deletes_everything(studio, astronaut_file):
    with page_of(lambda: studio) as (client, workshop):
        client.post("/api/photos", content=astronaut_file.read_bytes())
        path = workshop.folder.path
        assert len(list(path.iterdir())) == 1
    assert not path.exists()


def test_a_page_that_leaves_in_the_middle_of_an_upload_leaves_nothing(shop):
    from starlette.requests import ClientDisconnect, Request

    from selfieart.app.uploads import PHOTO, receive_file

    messages = [
        {"type": "http.request", "body": b"\xff\xd8\xff" + b"0" * 2_000_000, "more_body": True},
        {"type": "http.disconnect"},
    ]

    async def receive():
        return messages.pop(0)

    before = files_of(shop)
    request = Request({"type": "http", "headers": [], "method": "POST", "path": "/"}, receive)
    with pytest.raises(ClientDisconnect):
        anyio.run(receive_file, request, PHOTO, shop.folder)
    assert files_of(shop) == before


def test_a_look_is_read_as_it_is_written():
    from selfieart.app.messages import look_from_json, look_json

    look = Look(seed=4, tau=float("inf"), stroke=400, faces=2, blend="features").wearing("hair", "wave", feather=3)
    assert look_from_json(json.loads(json.dumps(look_json(look))), str) == look
