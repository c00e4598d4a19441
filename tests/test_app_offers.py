"""What the app offers, pictures as styles among it."""

from __future__ import annotations

import io

import numpy as np
import pytest
import torch
from PIL import Image

from app_client import array_of, page_of, picture_file, pixels_of, refused
from selfieart import Look
from selfieart.app.capabilities import has_any_style, has_video, methods
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
    assert (info["video"], info["any_style"], info["methods"]) == (has_video(), has_any_style(), list(methods()))
    assert info["limits"] == {
        "photo_bytes": 64_000_000, "photo_pixels": 100_000_000, "style_bytes": 32_000_000,
        "video_bytes": 2_000_000_000, "video_seconds": 600,
    }  # fmt: skip
    for preset in info["presets"][:2]:
        assert page.get(preset["thumbnail"]).content == presets()[preset["name"]].thumbnail.read_bytes()
    refused(page.get("/api/presets/candyy.jpg"), 404)


def test_any_style_is_offered_exactly_when_it_works(page):
    answer = page.post("/api/styles", content=picture_file(np.zeros((64, 64, 3), np.uint8)))
    assert answer.status_code == (201 if has_any_style() else 400)


def test_the_page_is_served(page, monkeypatch, tmp_path):
    assert page.get("/").headers["content-type"] == "text/html; charset=utf-8"
    static = tmp_path / "static"
    (static / "assets").mkdir(parents=True)
    (static / "index.html").write_text("<!doctype html>hello")
    (static / "assets" / "main-1a2b.js").write_text("let x = 1")
    (static / "assets" / "evil.exe").write_text("x")
    (static / "icon.svg").write_text("<svg/>")
    monkeypatch.setattr("selfieart.app.routes.page.resources.files", lambda _: tmp_path)
    assert page.get("/").text == "<!doctype html>hello"
    bundle = page.get("/assets/main-1a2b.js")
    assert (bundle.text, bundle.headers["content-type"]) == ("let x = 1", "text/javascript; charset=utf-8")
    assert "immutable" in bundle.headers["cache-control"]
    assert page.get("/icon.svg").headers["content-type"] == "image/svg+xml"
    for path in ("/assets/evil.exe", "/assets/other.js", "/assets", "/nothing.js"):
        assert page.get(path).status_code == 404


# --- pictures as styles --------------------------------------------------------------------------------------------


@pytest.fixture
def any_style(studio, monkeypatch):
    """A build that takes any picture as a style: the mean colour decides which preset it is like."""
    stylizer = studio.stylizer

    def code(picture):
        return stylizer.encode("candy" if picture[0].mean() > 0.5 else "wave")

    monkeypatch.setattr(stylizer, "any_style", code)
    monkeypatch.setattr("selfieart.app.routes.photos.has_any_style", lambda: True)


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
    page.app.app.state.workshop.styles.remove(style["id"].removeprefix("style:"))
    lost = page.post("/api/photos", content=exported.content).json()
    assert list(lost["look"]["segments"]) == ["skin"]
    assert "My Red.jpg" in lost["notes"][0]
    refused(get(page, photo, "layers", style=style["id"]), 404)


def test_a_style_that_cannot_be_read_leaves_nothing(page, any_style):
    shop = page.app.app.state.workshop
    before, kept = sorted(shop.folder.path.iterdir()), len(shop.styles)
    refused(page.post("/api/styles", content=b"\xff\xd8\xff" + b"0" * 99), 400)
    refused(page.post("/api/styles", content=b"no picture at all"), 415)
    assert sorted(shop.folder.path.iterdir()) == before
    assert len(shop.styles) == kept


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

    hot = torch.from_numpy(drawn_labels[None] == np.arange(19)[:, None, None]).float() * 9
    guide = torch.zeros(3, *drawn_labels.shape)
    looks = [random_look(Parsing(hot, guide, (), 60, 90), random.Random(n)) for n in range(30)]
    assert len({look.segments["hair"].style for look in looks}) > 3
    assert all({"hair", "face", "clothes", "background"} <= set(look.segments) for look in looks)
    empty = torch.zeros(19, 60, 90)
    empty[INDEX["background"]] = 5
    assert set(random_look(Parsing(empty, guide, (), 60, 90)).segments) == {"background"}
    assert all({*styles} <= set(presets()) for styles in TOGETHER)
