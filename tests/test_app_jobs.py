"""Videos, methods and the camera of the app's server."""

from __future__ import annotations

import io
import threading
import time
from fractions import Fraction
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image

from app_client import LIVE, array_of, blocked, page_of, picture_file, pixels_of, refused, wait_for
from selfieart import Look
from selfieart.app import videos
from selfieart.app.messages import look_json
from selfieart.errors import SelfieartError
from selfieart.look import PNG_KEY
from selfieart.render.compose import Part, part_masks
from selfieart.segments import INDEX
from selfieart.video.frame import Frame
from video_clips import Keeper, make_clip

LOOK = Look(stroke=64).wearing("person", "candy").wearing("background", "grey")


@pytest.fixture(scope="module")
def page(studio):
    with page_of(lambda: studio) as (client, _):
        yield client


@pytest.fixture
def state(page):
    return page.app.app.state.selfieart


@pytest.fixture(scope="module")
def photo(page, astronaut_file):
    return page.post("/api/photos", content=astronaut_file.read_bytes(), headers={"X-Name": "me.png"}).json()


# --- videos --------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def clip(tmp_path_factory):
    return make_clip(tmp_path_factory.mktemp("clips") / "me.mp4", 10, sound="aac").read_bytes()


def test_a_video_comes_with_its_first_frame(page, clip):
    answer = page.post("/api/videos", content=clip, headers={"X-Name": "my%20clip.mp4"})
    assert answer.status_code == 201
    video = answer.json()
    assert (video["width"], video["height"], video["rate"], video["frames"]) == (96, 64, "25/1", 10)
    assert (video["seconds"], video["has_sound"], video["name"]) == (0.4, True, "my clip.mp4")
    photo = video["photo"]
    assert (photo["width"], photo["height"], photo["name"]) == (96, 64, "my clip.png")
    first = array_of(page.get(f"/api/photos/{photo['id']}/preview")).astype(int)
    # The square of the first drawn picture is yellow, at the left.
    assert np.abs(first[26, 6] - (200, 180, 40)).max() < 25


def test_videos_that_cannot_be_painted_leave_nothing(page, state, clip, monkeypatch):
    before = sorted(state.folder.path.iterdir())
    assert "damaged" in refused(page.post("/api/videos", content=clip[:200]), 400)
    monkeypatch.setattr(videos, "VIDEO_SECONDS", 0.2)
    assert "longer than" in refused(page.post("/api/videos", content=clip), 400)
    assert sorted(state.folder.path.iterdir()) == before


def test_a_clip_that_lies_about_its_length_is_stopped(monkeypatch):
    monkeypatch.setattr(videos, "VIDEO_SECONDS", 1)
    painter = videos.PreviewingPainter(Keeper(), lambda jpeg: None, time.monotonic)
    pixels = np.zeros((8, 8, 3), np.uint8)
    _, state = painter.paint(Frame(pixels, Fraction(1), 0), painter.start())
    with pytest.raises(SelfieartError, match="longer than"):
        painter.paint(Frame(pixels, Fraction(3, 2), 1), state)


def test_a_video_is_painted_as_a_job(page, state, clip, monkeypatch):
    monkeypatch.setattr(videos, "painter_for", lambda studio, look, steadiness: Keeper())
    video = page.post("/api/videos", content=clip, headers={"X-Name": "me.mp4"}).json()
    wanted = {"kind": "video", "video": video["id"], "look": look_json(LOOK), "steadiness": 0.5, "size": 32}
    answer = page.post("/api/jobs", json=wanted)
    assert answer.status_code == 202
    job = answer.json()
    assert (job["kind"], job["title"], job["result"]) == ("video", "me.mp4", None)
    done = wait_for(lambda: (found := find(page, job))["state"] not in ("queued", "running") and found)
    assert (done["state"], done["error"], done["result"]["name"]) == ("done", None, "me-art.mp4")
    result = page.get(done["result"]["url"])
    assert result.headers["content-disposition"] == 'attachment; filename="me-art.mp4"'
    assert len(result.content) == done["result"]["bytes"]
    again = page.post("/api/videos", content=result.content).json()
    assert (again["width"], again["height"], again["frames"], again["has_sound"]) == (48, 32, 10, True)
    preview = pixels_of(page.get(done["preview"]).content)
    assert preview.shape == (32, 48, 3)
    part = page.get(done["result"]["url"], headers={"Range": "bytes=4-7"})
    assert (part.status_code, part.content) == (206, b"ftyp")
    assert page.delete(f"/api/jobs/{job['id']}").status_code == 204
    refused(page.get(done["result"]["url"]), 404)
    assert find(page, job) is None


def find(page, job):
    return next((other for other in page.get("/api/jobs").json() if other["id"] == job["id"]), None)


def test_a_cancelled_video_leaves_nothing_and_a_waiting_one_keeps_its_file(page, state, clip, monkeypatch):
    video = page.post("/api/videos", content=clip).json()
    before = sorted(state.folder.path.iterdir())
    begun, go = threading.Event(), threading.Event()

    class Slow(Keeper):
        def paint(self, frame, state):
            begun.set()
            go.wait(30)
            return super().paint(frame, state)

    monkeypatch.setattr(videos, "painter_for", lambda studio, look, steadiness: Slow())
    wanted = {"kind": "video", "video": video["id"], "look": look_json(LOOK)}
    jobs = [page.post("/api/jobs", json=wanted).json() for _ in range(2)]
    begun.wait(30)
    assert state.videos._pins[video["id"]] == 2
    page.delete(f"/api/jobs/{jobs[1]['id']}")
    page.delete(f"/api/jobs/{jobs[0]['id']}")
    go.set()
    wait_for(lambda: all(find(page, job)["state"] == "cancelled" for job in jobs))
    wait_for(lambda: not state.videos._pins)
    assert sorted(state.folder.path.iterdir()) == before


def test_frames_wear_the_look_itself(studio, astronaut, monkeypatch):
    small = astronaut[:320:4, 64:384:4]
    grey = Look().wearing("everything", "grey")
    frame = Frame(small, Fraction(0), 0)
    painter = videos.painter_for(studio, grey, 0.7)
    wanted = studio.open(small).render(grey).pixels
    assert np.abs(painter.paint(frame, painter.start())[0].astype(int) - wanted).max() <= 1


BAD_JOBS = [
    ({"kind": "video"}, 422),
    ({"kind": "song"}, 422),
    ([], 422),
    ({"kind": "video", "video": "x", "look": {}, "path": "/etc"}, 422),
    ({"kind": "video", "video": "x", "look": {}, "steadiness": "high"}, 422),
    ({"kind": "video", "video": "x", "look": {}, "steadiness": 2}, 400),
    ({"kind": "video", "video": "x", "look": {}, "size": 2}, 400),
    ({"kind": "video", "video": "x", "look": look_json(LOOK)}, 404),
    ({"kind": "method", "photo": "x", "look": look_json(LOOK), "method": "gatys"}, 404),
    ({"kind": "method", "photo": "x", "look": {}, "method": "gattys"}, 400),
    ({"kind": "method", "photo": "x", "look": {}, "method": "gatys", "iterations": 0}, 422),
    ({"kind": "method", "photo": "x", "look": {}, "method": "gatys", "iterations": 1.5}, 422),
]


@pytest.mark.parametrize(("body", "status"), BAD_JOBS)
def test_bad_jobs_are_refused(page, state, body, status, monkeypatch):
    monkeypatch.setattr("selfieart.app.routes.jobs.methods", lambda: ("gatys",))
    before = len(state.jobs.all())
    refused(page.post("/api/jobs", json=body), status)
    assert len(state.jobs.all()) == before


def test_an_empty_look_is_no_job(page, photo, monkeypatch):
    monkeypatch.setattr("selfieart.app.routes.jobs.methods", lambda: ("gatys",))
    empty = {"kind": "method", "photo": photo["id"], "look": {}, "method": "gatys"}
    assert "look is empty" in refused(page.post("/api/jobs", json=empty), 400)


# --- methods -------------------------------------------------------------------------------------------------------


class Inverter:
    """Paints the negative in place of a method that prepares itself as ever."""

    def stylize_regions(self, content, styles, masks, options, progress, watch):
        self.styles, self.masks, self.options = styles, masks, options
        time.sleep(0.02)
        painted = 1 - content
        watch(SimpleNamespace(preview=lambda: painted))
        for done in (0.25, 0.5, 1.0):
            progress("style", done)
        return painted


@pytest.fixture
def inverter(monkeypatch):
    pytest.importorskip("torch")
    method = Inverter()
    monkeypatch.setattr("selfieart.app.routes.jobs.methods", lambda: ("gatys",))
    monkeypatch.setattr("selfieart.methods.method.Method.stylize_regions", method.stylize_regions)
    monkeypatch.setattr("selfieart.app.method_jobs._SECONDS_BETWEEN_PREVIEWS", 0.0)
    return method


def test_a_method_paints_what_the_look_paints(page, photo, studio, astronaut_file, inverter):
    look = Look(seed=5, stroke=64).wearing("background", "grey").wearing("hair", "candy").wearing("skin", "wave")
    look = look.wearing("clothes", "candy", strength=0.5)
    wanted = {"kind": "method", "photo": photo["id"], "look": look_json(look), "method": "gatys", "iterations": 7}
    job = page.post("/api/jobs", json=wanted).json()
    assert job["title"] == "me.png by gatys"
    done = wait_for(lambda: (found := find(page, job))["state"] not in ("queued", "running") and found)
    assert (done["state"], done["error"]) == ("done", None)
    assert (inverter.options.iterations, inverter.options.seed) == (7, 5)
    assert (len(inverter.styles), len(inverter.masks)) == (2, 3)
    assert (inverter.masks.sum(0) - 1).abs().max() < 1e-5

    answer = page.get(done["result"]["url"])
    assert done["result"]["name"] == "me-gatys.png"
    assert Look.from_toml(Image.open(io.BytesIO(answer.content)).text[PNG_KEY]) == look
    sent = pixels_of(answer.content).astype(int)
    # Where a mask is 1 the pixels must be negative, half negative, or as they were.
    portrait = studio.open(astronaut_file)
    pixels = portrait.photo.pixels.astype(int)
    formulas = {"hair": 255 - pixels, "skin": 255 - pixels, "clothes": (pixels + 255 - pixels) / 2, "nose": pixels}
    parts = [Part(frozenset({INDEX[name]}), None) for name in formulas]
    masks = part_masks(portrait.photo.pixels, portrait.parsing(), parts, look.tau)
    for mask, (name, formula) in zip(masks, formulas.items(), strict=False):
        here = mask > 0.999
        assert here.sum() > 30, name
        assert np.abs(sent - formula)[here].max() <= 3, name
    preview = pixels_of(page.get(done["preview"]).content).astype(int)
    assert np.abs(preview - (255 - pixels)).mean() < 6


def test_the_method_that_needs_the_background_gets_it(page, photo, inverter, monkeypatch):
    monkeypatch.setattr("selfieart.app.routes.jobs.methods", lambda: ("portrait-aware",))
    wanted = {"kind": "method", "photo": photo["id"], "look": look_json(LOOK), "method": "portrait-aware"}
    job = page.post("/api/jobs", json=wanted).json()
    assert wait_for(lambda: (found := find(page, job))["state"] not in ("queued", "running") and found)["error"] is None
    logits = array_of(page.get(f"/api/photos/{photo['id']}/logits"), np.float16)
    behind = logits.argmax(0) == INDEX["background"]
    assert inverter.options.background.shape == behind.shape
    assert ((inverter.options.background.numpy() > 0.5) == behind).mean() > 0.99


def test_a_look_without_paint_needs_no_method(page, photo, inverter):
    look = look_json(Look().wearing("hair", "grey"))
    job = page.post("/api/jobs", json={"kind": "method", "photo": photo["id"], "look": look, "method": "gatys"}).json()
    done = wait_for(lambda: (found := find(page, job))["state"] not in ("queued", "running") and found)
    assert done["state"] == "failed"
    assert "paints nothing" in done["error"]


# --- the camera ----------------------------------------------------------------------------------------------------


def frame_of(color, size=(48, 64), file_format="JPEG"):
    return picture_file(np.full((*size, 3), color, np.uint8), file_format, quality=95)


@pytest.mark.parametrize("file_format", ["JPEG", "WEBP"])
def test_the_camera_is_painted(page, file_format):
    with page.websocket_connect(LIVE) as camera:
        camera.send_json({"look": {"segments": {"everything": {"style": "#ff0000", "strength": 0.5}}}, "width": 64})
        for size in ((48, 64), (96, 128)):
            camera.send_bytes(frame_of((0, 0, 200), size, file_format))
            painted = pixels_of(camera.receive_bytes()).astype(int)
            assert painted.shape == (48, 64, 3)
            assert np.abs(painted - (128, 0, 100)).mean() < 6
        camera.send_json({"look": {"segments": {}}})
        camera.send_bytes(frame_of((0, 0, 200), file_format=file_format))
        assert np.abs(pixels_of(camera.receive_bytes()).astype(int) - (0, 0, 200)).mean() < 6


def test_the_latest_frame_wins(page, state):
    with page.websocket_connect(LIVE) as camera:
        camera.send_json({"look": {"segments": {}}, "width": 64})
        camera.send_bytes(frame_of((9, 9, 9)))
        camera.receive_bytes()
        release = blocked(state.worker)
        for level in range(10, 250, 20):
            camera.send_bytes(frame_of((level, level, level)))
        # No more than one waits in the worker, whatever comes.
        time.sleep(0.2)
        assert len(state.worker._queues[False]) <= 1
        release.set()
        levels = [pixels_of(camera.receive_bytes()).mean()]
        while levels[-1] < 225:
            levels.append(pixels_of(camera.receive_bytes()).mean())
    assert len(levels) <= 2
    assert abs(levels[-1] - 230) < 4


def test_trouble_with_the_camera_is_one_sentence(page):
    with page.websocket_connect(LIVE) as camera:
        camera.send_bytes(frame_of((0, 0, 0)))
        assert "look first" in camera.receive_json()["error"]
        for text in ("{", '{"look": {"x": 1}}', '{"look": {"segments": {"hair": {"style": "/etc/passwd"}}}}', "[]"):
            camera.send_text(text)
            assert camera.receive_json()["error"][-1] in ".?"
        camera.send_json({"look": {"segments": {}}})
        for frame in (b"no picture", picture_file(np.zeros((9, 9, 3), np.uint8), "PNG"), frame_of(0, (1500, 1500))):
            camera.send_bytes(frame)
            assert "frame from the camera" in camera.receive_json()["error"]
        camera.send_bytes(b"\xff\xd8\xff" + b"0" * 2_000_000)
        assert "too large" in camera.receive_json()["error"]
        camera.send_bytes(frame_of((0, 0, 0)))
        assert pixels_of(camera.receive_bytes()).shape == (48, 64, 3)


def test_the_newest_camera_is_the_one(page, state):
    with page.websocket_connect(LIVE) as first, page.websocket_connect(LIVE) as second:
        assert "another page" in first.receive_json()["error"]
        second.send_json({"look": {"segments": {}}})
        second.send_bytes(frame_of((0, 0, 0)))
        assert second.receive_bytes()
    wait_for(lambda: state.camera is None)
