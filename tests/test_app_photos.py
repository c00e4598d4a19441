"""What the app's server says about photos, against the library asked directly."""

from __future__ import annotations

import gc
import io
import threading
from concurrent.futures import ThreadPoolExecutor
from importlib import resources
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from app_client import array_of, page_of, painted_bias, picture_file, pixels_of, refused
from selfieart import Look
from selfieart.app.messages import look_json
from selfieart.app.portraits import LOGITS_SIDE, PREVIEW_SIDE, OpenPortraits
from selfieart.imaging.arrays import as_picture
from selfieart.look import PNG_KEY
from selfieart.parsing.parsing import Parsing
from selfieart.render.compose import Part, compose, part_masks
from selfieart.render.layers import PaintedLayer
from selfieart.segments import GROUPS, INDEX, assign
from selfieart.sizes import size_within

LOOK = Look({}, tau=5.0, stroke=64).wearing("hair", "candy").wearing("background", "grey")
LOOK = LOOK.wearing("skin", "wave", strength=0.7, keep_color=0.6)


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


def post(page, photo, what, look=LOOK, **more):
    return page.post(f"/api/photos/{photo['id']}/{what}", json={"look": look_json(look), **more})


# --- a photo -------------------------------------------------------------------------------------------------------


def test_the_photo_is_described(page, photo, own):
    face = own.parsing().faces[0]
    assert (photo["width"], photo["height"], photo["preview"]) == (200, 190, [200, 190])
    assert photo["logits"] == [19, 190, 200]
    assert photo["faces"] == [{"x": face.x, "y": face.y, "side": face.side, "angle": face.angle}]
    assert (photo["notes"], photo["look"], photo["name"]) == ([], None, "me & you.png")
    assert page.get(f"/api/photos/{photo['id']}").json() == photo


def test_preview_logits_and_guide_are_those_of_the_library(page, photo, own):
    assert np.array_equal(array_of(get(page, photo, "preview")), own.photo.pixels)
    assert np.array_equal(array_of(get(page, photo, "guide")), own.photo.pixels)
    logits = own.parsing().logits
    wanted = (logits - logits.max(0)).clip(-80)
    sent = array_of(get(page, photo, "logits", faces="all"), np.float16).astype(np.float32)
    assert sent.max(0).min() == 0
    assert np.abs(sent - wanted).max() <= 2**-11 * 80
    chosen = array_of(get(page, photo, "logits", faces="1"), np.float16)
    assert np.array_equal(chosen, array_of(get(page, photo, "logits", faces="largest"), np.float16))


def test_layers_are_those_of_the_library(page, photo, own):
    look = Look(stroke=64, seed=3)
    wanted = own.layer("candy", look).rows(as_picture(own.photo.pixels), 0, 190)
    sent = array_of(get(page, photo, "layers", style="candy", stroke="64", seed="3"))
    assert np.abs(sent / 255 - wanted.transpose(1, 2, 0)).max() <= 0.5 / 255 + 1e-6
    other = array_of(get(page, photo, "layers", style="candy", stroke="64", seed="4"))
    assert (other != sent).mean() > 0.05
    everywhere = own.render(Look(stroke=64).wearing("everything", "grey"))
    assert np.array_equal(array_of(get(page, photo, "layers", style="grey")), everywhere.pixels)
    blurred = own.render(Look().wearing("everything", "blur"))
    sent = array_of(get(page, photo, "layers", style="blur", segments="person,background"))
    assert np.abs(sent.astype(int) - blurred.pixels).max() <= 1


def shaded(page, photo, look, corrections=None):
    """The picture as the page makes it, from nothing but what the page has been sent."""
    pixels = array_of(get(page, photo, "preview"))
    height, width = pixels.shape[:2]
    logits = array_of(get(page, photo, "logits"), np.float16).astype(np.float32)
    for name, bias in (corrections or {}).items():
        logits[INDEX[name]] += bias / np.float32(8)
    guide = as_picture(array_of(get(page, photo, "guide")))
    parsing = Parsing(logits, guide, (), height, width)
    parts = []
    for name, classes in sorted(assign(list(look.segments)).items()):
        worn = look.segments[name]
        query = {"style": worn.style, "stroke": look.stroke, "seed": look.seed}
        query["fine"] = int(bool(classes & GROUPS["head"]))
        octets = array_of(get(page, photo, "layers", **query))
        layer = PaintedLayer(as_picture(octets), height, width)
        feather = worn.feather / 100 * min(height, width)
        parts.append(Part(classes, layer, worn.strength, worn.keep_color, feather))
    return compose(pixels, parts, part_masks(pixels, parsing, parts, look.tau))


@pytest.mark.parametrize("tau", [1.0, 5.0, float("inf")])
def test_the_composite_follows_from_what_the_page_has(page, photo, tau):
    look = Look(LOOK.segments, tau=tau, stroke=64).wearing("clothes", "udnie", feather=2.0)
    sent = array_of(post(page, photo, "composite", look)).astype(int)
    assert np.abs(sent - shaded(page, photo, look)).max() <= 1
    assert (sent != array_of(get(page, photo, "preview"))).mean() > 0.5


def test_corrections_count_in_the_composite_and_in_the_export(page, photo):
    bias = np.zeros((190, 200), np.int8)
    bias[:, :60], bias[:20, 60:] = 127, -128
    sent = array_of(post(page, photo, "composite", corrections={"hair": painted_bias(bias)})).astype(int)
    assert np.abs(sent - shaded(page, photo, LOOK, {"hair": bias})).max() <= 1
    plain = array_of(post(page, photo, "composite")).astype(int)
    assert np.abs(sent - plain)[:, :50].max() > 30
    assert np.array_equal(sent[60:, 100:], plain[60:, 100:])
    exported = pixels_of(post(page, photo, "export", corrections={"hair": painted_bias(bias)}).content).astype(int)
    # The logits of the file are not rounded to half floats.
    assert np.abs(exported - sent).max() <= 8
    assert np.abs(exported - sent).mean() < 0.1


def test_everything_corrected_to_hair_is_hair(page, photo):
    all_hair = {"hair": painted_bias(np.full((190, 200), 127))}
    for name in ("background", "skin", "clothes"):
        all_hair[name] = painted_bias(np.full((190, 200), -128))
    look = Look(tau=float("inf"), stroke=64).wearing("hair", "candy")
    sent = array_of(post(page, photo, "composite", look, corrections=all_hair))
    layer = array_of(get(page, photo, "layers", style="candy", stroke=64))
    assert (np.abs(sent.astype(int) - layer).max(2) <= 1).mean() > 0.99


def test_the_export_is_what_the_library_makes(page, photo, own):
    answer = post(page, photo, "export", format="png")
    assert answer.headers["content-type"] == "image/png"
    assert answer.headers["content-disposition"].startswith('attachment; filename="me _ you-art.png"')
    assert np.array_equal(pixels_of(answer.content), own.render(LOOK).pixels)
    assert Look.from_toml(Image.open(io.BytesIO(answer.content)).text[PNG_KEY]) == LOOK
    smaller, larger = (post(page, photo, "export", format="jpeg", quality=q).content for q in (30, 95))
    assert len(smaller) < len(larger)
    assert np.abs(pixels_of(larger).astype(int) - pixels_of(answer.content)).mean() < 3
    refused(post(page, photo, "export", format="gif"), 422)
    refused(post(page, photo, "export", quality=0), 422)


def test_an_exported_picture_offers_its_look(page, photo):
    exported = post(page, photo, "export").content
    again = page.post("/api/photos", content=exported).json()
    assert again["look"] == look_json(LOOK)
    assert again["name"] == "photo.png"
    other = picture_file(pixels_of(exported), pnginfo=text_of(PNG_KEY, "no look at all"))
    odd = page.post("/api/photos", content=other).json()
    assert odd["look"] is None
    assert "another version" in odd["notes"][0]


def text_of(key, value):
    from PIL.PngImagePlugin import PngInfo

    chunks = PngInfo()
    chunks.add_text(key, value)
    return chunks


def test_the_sample_is_the_packaged_portrait(page, monkeypatch, file, astronaut_file):
    packaged = resources.files("selfieart").joinpath("data", "astronaut.jpg").read_bytes()
    answer = page.post("/api/photos/sample")
    assert answer.status_code == 201
    sent = array_of(get(page, answer.json(), "preview"))
    assert np.array_equal(sent, np.array(Image.open(io.BytesIO(packaged))))
    assert page.delete(f"/api/photos/{answer.json()['id']}").status_code == 204
    refused(page.get(f"/api/photos/{answer.json()['id']}"), 404)
    refused(get(page, answer.json(), "preview"), 404)
    refused(page.delete(f"/api/photos/{answer.json()['id']}"), 404)


def test_a_large_photo_is_small_on_the_wire_and_full_in_the_file(page, studio, tmp_path):
    shades = np.add.outer(np.arange(420), np.arange(1400)) // 9 % 256
    pixels = np.dstack([shades, 255 - shades, np.full_like(shades, 90)]).astype(np.uint8)
    encoded = picture_file(pixels)
    large = page.post("/api/photos", content=encoded).json()
    assert (large["width"], large["height"], large["preview"], large["logits"]) == (
        1400,
        420,
        [1280, 384],
        [19, 154, 512],
    )
    assert "No face" in large["notes"][0]
    assert array_of(get(page, large, "preview")).shape == (384, 1280, 3)
    assert array_of(get(page, large, "logits"), np.float16).shape == (19, 154, 512)
    look = Look(stroke=64).wearing("everything", "wave")
    layer = array_of(get(page, large, "layers", style="wave", stroke=64))
    assert np.abs(array_of(post(page, large, "composite", look)).astype(int) - layer).max() <= 1
    path = tmp_path / "large.png"
    path.write_bytes(encoded)
    exported = pixels_of(post(page, large, "export", look).content)
    assert np.array_equal(exported, studio.open(path).render(look).pixels)
    reduced = np.array(Image.fromarray(exported).resize((1280, 384), Image.Resampling.BOX)).astype(int)
    assert np.abs(reduced - layer).mean() < 1.5


def test_a_photo_that_is_not_open_any_more_is_opened_again(page, photo, monkeypatch):
    portraits = page.app.app.state.selfieart.portraits
    before = array_of(get(page, photo, "logits"), np.float16)
    monkeypatch.setattr(portraits, "limit", 0)
    page.post("/api/photos", content=picture_file(np.full((20, 30, 3), 7, np.uint8)))
    assert photo["id"] not in portraits._open
    assert np.array_equal(array_of(get(page, photo, "logits"), np.float16), before)
    assert list(portraits._open) == [photo["id"]]


def test_open_portraits_share_a_limit(studio, tmp_path):
    for name in "abc":
        (tmp_path / name).write_bytes(picture_file(np.full((100, 100, 3), 9, np.uint8)))
    portraits = OpenPortraits(lambda: studio, limit=70_000)
    for name in "abab":
        portraits.open(name, tmp_path / name, 10**8)
    assert list(portraits._open) == ["a", "b"]
    portraits.open("c", tmp_path / "c", 10**8)
    assert list(portraits._open) == ["b", "c"]
    portraits.close("b")
    portraits.close("b")
    assert list(portraits._open) == ["c"]


@pytest.mark.parametrize(("size", "side", "wanted"), [((3000, 4000), PREVIEW_SIDE, (960, 1280)), ((3, 9), 512, (3, 9))])
def test_size_within(size, side, wanted):
    assert size_within(size, side) == wanted
    assert size_within((1, 10_000), LOGITS_SIDE) == (1, 512)


# --- many requests -------------------------------------------------------------------------------------------------


def test_what_nobody_waits_for_is_not_made(page, photo):
    """Requests whose page has left are dropped before they start."""
    state = page.app.app.state.selfieart
    release, made = threading.Event(), []
    blocker = state.worker.submit(lambda step: release.wait(30))
    tickets = [state.worker.submit(lambda step, n=n: made.append(n)) for n in range(3)]
    tickets[1].cancel()
    release.set()
    tickets[2].future.result(30)
    assert made == [0, 2]
    assert blocker.future.result() is True


@pytest.mark.slow
def test_a_hundred_requests_leave_the_memory_as_it_was(page, photo, file):
    """Mixed requests, four at a time; the longer run is benchmarks/app_soak.py."""
    look = look_json(LOOK)

    def one(n):
        key = photo["id"]
        kind = n % 10
        if kind == 0:
            added = page.post("/api/photos", content=file).json()
            return page.delete(f"/api/photos/{added['id']}")
        if kind < 4:
            return get(page, photo, "layers", style=("candy", "wave", "udnie")[n % 3], stroke=64)
        if kind < 6:
            return page.post(f"/api/photos/{key}/composite", json={"look": look | {"tau": 1 + n % 7}})
        if kind < 8:
            return get(page, photo, ("preview", "logits")[n % 2])
        return page.post(f"/api/photos/{key}/export", json={"look": look, "format": "jpeg"})

    def resident():
        gc.collect()
        return int(Path("/proc/self/statm").read_text().split()[1]) * 4096

    state = page.app.app.state.selfieart
    for n in range(20):
        one(n)
    files, before = len(list(state.folder.path.iterdir())), resident()
    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(one, range(100)))
    assert {answer.status_code for answer in answers} <= {200, 204}
    assert resident() - before < 60_000_000
    assert len(list(state.folder.path.iterdir())) == files
