"""What the app offers, pictures as styles among it."""

from __future__ import annotations

import io
import re

import numpy as np
import pytest
from PIL import Image

from app_client import array_of, page_of, picture_file, pixels_of, refused
from selfieart import Look
from selfieart.app.capabilities import methods
from selfieart.app.guards import SECURITY_HEADERS
from selfieart.app.messages import look_json
from selfieart.app.random_look import TOGETHER, random_look
from selfieart.look import PLAIN_STYLES, PNG_KEY, STROKES
from selfieart.parsing.parsing import Parsing
from selfieart.segments import INDEX, NAMES
from selfieart.styles.presets import presets


@pytest.fixture(scope="module")
def page(studio):
    with page_of(lambda: studio) as (client, _):
        yield client


@pytest.fixture(scope="module")
def file(astronaut_file):
    return astronaut_file.read_bytes()


@pytest.fixture(scope="module")
def photo(page, file):
    answer = page.post("/api/photos", content=file, headers={"X-Name": "me%20%26%20you.png"})
    assert answer.status_code == 201
    return answer.json()


@pytest.fixture(scope="module")
def own(studio, astronaut_file):
    """The same portrait in the library, without a server."""
    return studio.open(astronaut_file)


def get(page, photo, what, **query):
    return page.get(f"/api/photos/{photo['id']}/{what}", params=query)


def post(page, photo, what, look, **more):
    return page.post(f"/api/photos/{photo['id']}/{what}", json={"look": look_json(look), **more})


# --- what is offered -----------------------------------------------------------------------------------------------


def test_info_tells_the_truth(page):
    info = page.get("/api/info").json()
    assert [p["name"] for p in info["presets"]] == list(presets())
    assert [s["name"] for s in info["segments"]] == list(NAMES)
    assert info["groups"]["lips"] == ["upper-lip", "lower-lip"]
    assert info["strokes"] == STROKES
    assert info["methods"] == list(methods())
    assert not {"video", "any_style"} & set(info), "they are always there"
    assert info["limits"] == {
        "photo_bytes": 64_000_000, "photo_pixels": 100_000_000, "style_bytes": 32_000_000,
        "video_bytes": 2_000_000_000, "video_seconds": 600,
    }  # fmt: skip
    for preset in info["presets"][:2]:
        assert page.get(preset["thumbnail"]).content == presets()[preset["name"]].thumbnail.read_bytes()
    refused(page.get("/api/presets/candyy.jpg"), 404)


def test_any_picture_is_taken_as_a_style(page):
    answer = page.post("/api/styles", content=picture_file(np.zeros((64, 64, 3), np.uint8)))
    assert answer.status_code == 201


def test_methods_are_offered_exactly_when_what_they_need_is_installed(page, photo, monkeypatch):
    methods.cache_clear()
    monkeypatch.setattr("selfieart.app.capabilities.has", lambda extra: extra != "methods")
    try:
        assert page.get("/api/info").json()["methods"] == []
        wanted = {"kind": "method", "photo": photo["id"], "look": look_json(Look()), "method": "gatys"}
        assert "pip install 'selfieart[methods]'" in refused(page.post("/api/jobs", json=wanted), 400)
        methods.cache_clear()
        monkeypatch.setattr("selfieart.app.capabilities.has", lambda extra: True)
        assert page.get("/api/info").json()["methods"] == ["gatys", "styfie", "portrait-aware", "semantic"]
    finally:
        methods.cache_clear()


def test_the_page_is_served(page, studio, monkeypatch, tmp_path):
    assert page.get("/").headers["content-type"] == "text/html; charset=utf-8"
    static = tmp_path / "static"
    (static / "assets").mkdir(parents=True)
    (static / "index.html").write_text("<!doctype html>hello")
    (static / "assets" / "main-1a2b.js").write_text("let x = 1")
    (static / "assets" / "evil.exe").write_text("x")
    (static / "icon.svg").write_text("<svg/>")
    (static / ".hidden.js").write_text("let y = 2")
    (static / "assets" / "licenses.txt").write_text("preact\n")
    monkeypatch.setattr("selfieart.app.routes.page.STATIC", static)
    with page_of(lambda: studio) as (page, _):
        assert page.get("/").text == "<!doctype html>hello"
        bundle = page.get("/assets/main-1a2b.js")
        assert (bundle.text, bundle.headers["content-type"]) == ("let x = 1", "text/javascript; charset=utf-8")
        assert "immutable" in bundle.headers["cache-control"]
        assert page.get("/icon.svg").headers["content-type"] == "image/svg+xml"
        assert page.get("/assets/licenses.txt").headers["content-type"] == "text/plain; charset=utf-8"
        for path in ("/assets/evil.exe", "/assets/other.js", "/assets", "/assets/", "/nothing.js", "/.hidden.js"):
            assert "nothing at this address" in refused(page.get(path), 404)
        assert "does not take such a request" in refused(page.post("/icon.svg"), 405)


def test_what_the_browser_has_already_is_not_sent_again(page):
    (script,) = re.findall(r'src="(/assets/[^"]+)"', page.get("/").text)
    for path, cache in (("/", "no-cache"), (script, "immutable"), ("/api/presets/candy.jpg", "max-age=3600")):
        first = page.get(path)
        assert first.status_code == 200
        assert cache in first.headers["cache-control"]
        again = page.get(path, headers={"If-None-Match": first.headers["etag"]})
        assert (again.status_code, again.content) == (304, b"")
        assert again.headers["etag"] == first.headers["etag"]
        assert again.headers["cache-control"] == first.headers["cache-control"]
        assert {name: again.headers[name] for name in SECURITY_HEADERS} == SECURITY_HEADERS
        assert page.get(path, headers={"If-None-Match": '"other"'}).content == first.content


@pytest.mark.parametrize("folder", ["static", "."])
def test_a_page_that_is_not_built_says_so(studio, monkeypatch, tmp_path, folder):
    monkeypatch.setattr("selfieart.app.routes.page.STATIC", tmp_path / folder)
    with page_of(lambda: studio) as (page, _):
        answer = page.get("/")
        assert (answer.status_code, answer.headers["content-type"]) == (200, "text/html; charset=utf-8")
        assert "npm run build" in answer.text
        assert "nothing at this address" in refused(page.get("/assets/main.js"), 404)


# --- pictures as styles --------------------------------------------------------------------------------------------


@pytest.fixture
def any_style(studio, monkeypatch):
    """Any picture is like a preset: the mean colour decides which."""
    stylizer = studio.stylizer

    def code(picture):
        return stylizer.encode("candy" if picture[0].mean() > 0.5 else "wave")

    monkeypatch.setattr(stylizer, "encode_picture", code)


def test_any_picture_is_a_style(page, photo, any_style):
    red = picture_file(np.full((50, 90, 3), (250, 10, 10), np.uint8), "JPEG")
    answer = page.post("/api/styles", content=red, headers={"X-Name": "..%2F..%2FMy%20Red.jpeg"})
    assert answer.status_code == 201
    style = answer.json()
    assert style["id"].startswith("style:")
    assert style["name"] == "My Red.jpg"
    thumbnail = pixels_of(page.get(style["thumbnail"]).content)
    assert thumbnail.shape == (224, 224, 3)
    assert np.abs(thumbnail.mean((0, 1)) - (250, 10, 10)).max() < 4
    painted = array_of(get(page, photo, "layers", style=style["id"], stroke=64))
    assert np.array_equal(painted, array_of(get(page, photo, "layers", style="candy", stroke=64)))

    look = Look(stroke=64).wearing("hair", style["id"]).wearing("skin", "wave")
    exported = post(page, photo, "export", look)
    assert np.array_equal(
        pixels_of(exported.content), pixels_of(post(page, photo, "export", look.wearing("hair", "candy")).content)
    )
    text = Image.open(io.BytesIO(exported.content)).text[PNG_KEY]
    assert Look.from_toml(text).segments["hair"].style == "My Red.jpg"
    again = page.post("/api/photos", content=exported.content).json()
    assert again["look"]["segments"]["hair"]["style"] == style["id"]
    page.app.app.state.selfieart.styles.remove(style["id"].removeprefix("style:"))
    lost = page.post("/api/photos", content=exported.content).json()
    assert list(lost["look"]["segments"]) == ["skin"]
    assert "My Red.jpg" in lost["notes"][0]
    refused(get(page, photo, "layers", style=style["id"]), 404)


def test_a_style_that_cannot_be_read_leaves_nothing(page, any_style):
    state = page.app.app.state.selfieart
    before, kept = sorted(state.folder.path.iterdir()), len(state.styles)
    refused(page.post("/api/styles", content=b"\xff\xd8\xff" + b"0" * 99), 400)
    refused(page.post("/api/styles", content=b"no picture at all"), 415)
    assert sorted(state.folder.path.iterdir()) == before
    assert len(state.styles) == kept


# --- surprise me ---------------------------------------------------------------------------------------------------


def test_a_surprise_suits_the_photo(page, photo):
    for _ in range(8):
        look = page.get("/api/looks/random", params={"photo": photo["id"]}).json()
        styles = {worn["style"] for worn in look["segments"].values()}
        assert styles <= {*presets(), *PLAIN_STYLES}
        assert {"hair", "face", "background"} <= set(look["segments"])
    refused(page.get("/api/looks/random"), 404)


def test_a_surprise_leaves_out_what_is_not_there(drawn_labels):
    import random

    hot = (drawn_labels[None] == np.arange(19)[:, None, None]).astype(np.float32) * 9
    guide = np.zeros((3, *drawn_labels.shape), np.float32)
    looks = [random_look(Parsing(hot, guide, (), 60, 90), random.Random(n)) for n in range(30)]
    assert len({look.segments["hair"].style for look in looks}) > 3
    assert all({"hair", "face", "clothes", "background"} <= set(look.segments) for look in looks)
    empty = np.zeros((19, 60, 90), np.float32)
    empty[INDEX["background"]] = 5
    assert set(random_look(Parsing(empty, guide, (), 60, 90)).segments) == {"background"}
    assert all({*styles} <= set(presets()) for styles in TOGETHER)
