"""The app as a person uses it: the built page in a real browser, with the real server behind it."""

from __future__ import annotations

import base64
import json
import math
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from selfieart import Look
from selfieart.imaging import write_photo
from selfieart.look import PNG_KEY
from selfieart.segments import INDEX

sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
STATIC = Path(__file__).parents[1] / "src/selfieart/app/static/index.html"
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(CHROMIUM is None, reason="no chromium on the path"),
    pytest.mark.skipif(not STATIC.is_file(), reason="the page is not built: npm ci && npm run build in web/"),
]

FLAGS = [
    "--headless=new", "--no-sandbox", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--use-gl=angle", "--use-angle=swiftshader",
    "--enable-unsafe-swiftshader", "--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream",
]  # fmt: skip
PATIENCE = 60.0

TO_BASE64 = """function (octets) {
  let text = "";
  for (let i = 0; i < octets.length; i += 32768) text += String.fromCharCode(...octets.subarray(i, i + 32768));
  return btoa(text);
}"""


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    """The app, started as a person starts it."""
    command = [sys.executable, "-m", "selfieart", "app", "--no-open", "--port", "0"]
    environment = os.environ | {"OMP_NUM_THREADS": "1", "PYTHONUNBUFFERED": "1"}
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=environment) as app:
        assert app.stdout is not None
        said = app.stdout.readline()
        found = re.search(r"http://\S+", said)
        assert found, said + app.stdout.read()
        yield found[0]
        app.terminate()
        app.communicate(timeout=30)


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def face(tmp_path_factory: pytest.TempPathFactory, astronaut: np.ndarray) -> Path:
    """A small photo: what is shown is its full size, so an export can be compared pixel by pixel."""
    small = cv2.resize(astronaut[:320, 64:384], (240, 240), interpolation=cv2.INTER_AREA)
    return write_photo(tmp_path_factory.mktemp("e2e") / "face.png", small)


class Visitor:
    """A person in front of the page."""

    def __init__(self, page: Any, address: str) -> None:
        self.page, self.address = page, address
        self.complaints: list[str] = []
        self.requests: list[str] = []
        page.on("console", lambda m: self.complaints.append(m.text) if m.type in ("error", "warning") else None)
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on("request", lambda r: self.requests.append(f"{r.method} {r.url}") if "/api/" in r.url else None)

    def until(self, holds: Callable[[], Any], what: str = "settled") -> None:
        end = time.monotonic() + PATIENCE
        while not holds():
            assert time.monotonic() < end, f"not {what}: {self.page.inner_text('body')[-600:]}"
            self.page.wait_for_timeout(40)

    def settle(self) -> None:
        # Two frames, so that a change that was just made has reached the page's state.
        self.page.wait_for_timeout(60)
        self.until(lambda: self.page.evaluate("window.selfieart?.settled()"))

    def come(self, file: Path | None = None) -> Visitor:
        self.page.goto(self.address)
        if file is not None:
            self.drop(file)
            self.until(lambda: self.page.evaluate("!!selfieart.photo()"), "open")
            self.settle()
        return self

    def drop(self, *files: Path) -> None:
        given = [[file.name, base64.b64encode(file.read_bytes()).decode()] for file in files]
        self.until(lambda: self.page.locator(".dropzone:enabled, .primary:enabled").count(), "ready")
        self.page.evaluate(
            """files => {
              const data = new DataTransfer();
              for (const [name, text] of files) {
                data.items.add(new File([Uint8Array.from(atob(text), (c) => c.charCodeAt(0))], name));
              }
              window.dispatchEvent(new DragEvent("drop", { dataTransfer: data, cancelable: true }));
            }""",
            given,
        )

    def pixels(self) -> np.ndarray:
        """The composite on the screen, (H, W, 3)."""
        width, height, text = self.page.evaluate(
            f"() => {{ const p = selfieart.pixels(); return [p.width, p.height, ({TO_BASE64})(p.rgb)]; }}"
        )
        return np.frombuffer(base64.b64decode(text), np.uint8).reshape(height, width, 3)

    def look(self) -> dict[str, Any]:
        return self.page.evaluate("selfieart.look()")

    def server_composite(self, corrections: dict[str, str] | None = None) -> np.ndarray:
        shown = self.pixels()
        text = self.page.evaluate(
            f"""async ([look, corrections]) => {{
              const body = JSON.stringify({{ look, corrections }});
              const options = {{ method: "POST", headers: {{ "Content-Type": "application/json" }}, body }};
              const answer = await fetch(`/api/photos/${{selfieart.photo()}}/composite`, options);
              return ({TO_BASE64})(new Uint8Array(await answer.arrayBuffer()));
            }}""",
            [self.look(), corrections or {}],
        )
        return np.frombuffer(base64.b64decode(text), np.uint8).reshape(shown.shape)

    def click_pixel(self, x: float, y: float, **options: Any) -> None:
        at = self.page.evaluate("([x, y]) => selfieart.place(x, y)", [x, y])
        self.page.mouse.click(at["x"], at["y"], **options)

    def wear(self, style: str) -> None:
        self.page.locator(f"[data-style='{style}']").click()
        self.settle()

    def slide(self, name: str, value: float) -> None:
        slider = self.page.get_by_role("slider", name=name, exact=True)
        slider.fill(str(value))
        self.settle()

    def load_look(self, look: dict[str, Any], folder: Path) -> None:
        file = folder / "given.json"
        file.write_text(json.dumps(look))
        self.drop(file)
        self.settle()

    def saved(self, button: str) -> bytes:
        with self.page.expect_download() as coming:
            self.page.get_by_role("button", name=button, exact=True).click()
        return Path(coming.value.path()).read_bytes()


@pytest.fixture
def visitor(browser: Any, address: str) -> Iterator[Visitor]:
    with browser.new_context(viewport={"width": 1000, "height": 720}) as context:
        person = Visitor(context.new_page(), address)
        yield person
        # Also what the content security policy refused would be here.
        assert person.complaints == []


def furthest(a: np.ndarray, b: np.ndarray) -> int:
    return int(np.abs(a.astype(int) - b).max())


def test_a_part_a_style_and_tau_without_a_request(visitor: Visitor, face: Path):
    visitor.come(face)
    photo = visitor.pixels()
    visitor.click_pixel(120, 20)
    assert visitor.page.get_by_role("option", name="Hair").get_attribute("aria-selected") == "true"
    visitor.wear("starry-night")
    assert visitor.look()["segments"] == {
        "hair": {"style": "starry-night", "strength": 1, "keep_color": 0, "feather": 0}
    }
    painted = visitor.pixels()
    changed = np.abs(painted.astype(int) - photo).max(2) > 8
    assert changed[:60, 80:160].mean() > 0.3
    assert changed[200:].mean() < 0.01
    before = len(visitor.requests)
    seen = [painted]
    for name, value in [("Edges τ", 0.0), ("Edges τ", 1.0), ("Strength", 0.5), ("Keep colour", 0.8), ("Feather", 0.5)]:
        visitor.slide(name, value)
        seen.append(visitor.pixels())
        assert furthest(seen[-1], seen[-2]) > 4, f"{name} {value} changes nothing"
    assert visitor.requests[before:] == []
    assert visitor.look()["tau"] == "inf"


LOOKS: dict[str, dict[str, Any]] = {
    "soft": {"tau": 1, "segments": {"person": {"style": "candy", "strength": 0.7}, "background": {"style": "grey"}}},
    "sharp": {"tau": 10, "segments": {"hair": {"style": "wave"}, "face": {"style": "candy", "keep_color": 0.6}}},
    "binary": {"tau": "inf", "segments": {"hair": {"style": "wave"}, "background": {"style": "#3366cc"}}},
    "feathered": {
        "tau": 3,
        "segments": {"hair": {"style": "#ee5533", "feather": 1}, "background": {"style": "grey", "feather": 9}},
    },
    "blurred": {"tau": 3, "segments": {"background": {"style": "blur"}, "clothes": {"style": "blur", "feather": 2}}},
    "many": {
        "tau": 5,
        "segments": {
            name: {"style": style}
            for name, style in zip(
                ("background", "skin", "nose", "hair", "clothes", "neck", "eyes", "brows", "lips"),
                ("#ff0000", "#00ff00", "#0000ff", "#ffff00", "#ff00ff", "#00ffff", "#880000", "#080", "#000088"),
                strict=True,
            )
        },
    },
}


def test_the_shader_equals_the_library(visitor: Visitor, face: Path, tmp_path: Path):
    visitor.come(face)
    photo = visitor.pixels()
    for name, look in LOOKS.items():
        visitor.load_look(look, tmp_path)
        shown = visitor.pixels()
        assert furthest(shown, photo) > 20, name
        assert furthest(shown, visitor.server_composite()) <= 2, name


def test_two_faces_and_logits_smaller_than_the_photo(visitor: Visitor, astronaut: np.ndarray, tmp_path: Path):
    half = astronaut[:400, :430]
    pair = cv2.resize(np.hstack([half, half[:, ::-1]]), (640, 298), interpolation=cv2.INTER_AREA)
    visitor.come(write_photo(tmp_path / "pair.png", pair))
    visitor.load_look({"segments": {"hair": {"style": "#00ff00"}, "background": {"style": "blur"}}}, tmp_path)
    both = visitor.pixels()
    green = (both[..., 1] > 200) & (both[..., 0] < 60)
    assert green[:, :320].mean() > 0.02
    assert green[:, 320:].mean() > 0.02
    assert furthest(both, visitor.server_composite()) <= 2
    visitor.page.get_by_role("radio", name="Largest").click()
    visitor.until(lambda: not np.array_equal(visitor.pixels(), both), "parsed again")
    visitor.settle()
    one = visitor.pixels()
    green = (one[..., 1] > 200) & (one[..., 0] < 60)
    assert sorted([green[:, :320].mean() > 0.02, green[:, 320:].mean() > 0.02]) == [False, True]
    assert furthest(one, visitor.server_composite()) <= 2


def test_an_export_is_what_was_shown(visitor: Visitor, face: Path, tmp_path: Path):
    from PIL import Image

    visitor.come(face)
    visitor.load_look(LOOKS["sharp"], tmp_path)
    shown = visitor.pixels()
    visitor.page.get_by_role("button", name="Export").click()
    with Image.open(BytesIO(visitor.saved("PNG"))) as image:
        exported = np.asarray(image.convert("RGB"))
        text = image.text[PNG_KEY]
    assert furthest(exported, shown) <= 2
    wanted = Look.from_toml(text)
    assert {name: worn.style for name, worn in wanted.segments.items()} == {"hair": "wave", "face": "candy"}
    visitor.page.get_by_role("button", name="Export").click()
    with Image.open(BytesIO(visitor.saved("JPEG"))) as image:
        assert image.format == "JPEG"
        assert np.abs(np.asarray(image).astype(int) - exported).mean() < 4


def test_undo_and_redo_bring_pictures_back(visitor: Visitor, face: Path):
    visitor.come(face)
    seen = [visitor.pixels()]
    for x, y, style in [(120, 20, "candy"), (20, 20, "grey")]:
        visitor.click_pixel(x, y)
        visitor.wear(style)
        seen.append(visitor.pixels())
    visitor.page.locator("canvas").focus()
    for expected in (seen[1], seen[0]):
        visitor.page.keyboard.press("Control+z")
        visitor.settle()
        assert np.array_equal(visitor.pixels(), expected)
    for expected in (seen[1], seen[2]):
        visitor.page.keyboard.press("Control+Shift+z")
        visitor.settle()
        assert np.array_equal(visitor.pixels(), expected)


def test_the_way_of_a_slider_is_one_step(visitor: Visitor, face: Path, tmp_path: Path):
    visitor.come(face)
    visitor.load_look(LOOKS["soft"], tmp_path)
    before = visitor.look()
    slider = visitor.page.get_by_role("slider", name="Edges τ", exact=True)
    box = slider.bounding_box()
    visitor.page.mouse.move(box["x"] + box["width"] * 0.3, box["y"] + 12)
    visitor.page.mouse.down()
    for share in (0.4, 0.5, 0.6, 0.7):
        visitor.page.mouse.move(box["x"] + box["width"] * share, box["y"] + 12)
    visitor.page.mouse.up()
    assert visitor.look()["tau"] > 3
    visitor.page.get_by_role("button", name="Undo", exact=True).click()
    assert visitor.look() == before


def test_a_reload_keeps_photo_and_design(visitor: Visitor, face: Path, tmp_path: Path):
    visitor.come(face)
    visitor.load_look(LOOKS["binary"], tmp_path)
    look, shown = visitor.look(), visitor.pixels()
    visitor.page.reload()
    visitor.until(lambda: visitor.page.evaluate("!!selfieart.photo()"), "open")
    visitor.settle()
    assert visitor.look() == look
    assert np.array_equal(visitor.pixels(), shown)
    assert visitor.page.url == visitor.address


def test_looks_as_files_and_inside_pictures(visitor: Visitor, face: Path, tmp_path: Path):
    visitor.come(face)
    visitor.load_look(LOOKS["binary"], tmp_path)
    look = visitor.look()
    toml = tmp_path / "saved.toml"
    toml.write_bytes(visitor.saved("Save look"))
    assert math.isinf(Look.load(toml).tau)
    assert Look.load(toml).segments["hair"].style == "wave"
    visitor.page.get_by_role("button", name="Export").click()
    picture = tmp_path / "art.png"
    picture.write_bytes(visitor.saved("PNG"))
    for file in (toml, picture):
        visitor.page.get_by_role("button", name="Start over").first.click()
        assert visitor.look()["segments"] == {}
        visitor.drop(file)
        if file is picture:
            visitor.page.get_by_role("button", name="Use it").click()
        visitor.until(lambda: visitor.look()["segments"], "worn")
        assert visitor.look() == look
    visitor.settle()


def test_a_brush_corrects_a_part_and_can_be_undone(visitor: Visitor, face: Path):
    visitor.come(face)
    visitor.click_pixel(120, 20)
    visitor.wear("grey")
    plain = visitor.pixels()
    visitor.page.get_by_role("radio", name="Add").click()
    start, end = (visitor.page.evaluate("([x, y]) => selfieart.place(x, y)", at) for at in ([20, 200], [60, 200]))
    visitor.page.mouse.move(start["x"], start["y"])
    visitor.page.mouse.down()
    visitor.page.mouse.move(end["x"], end["y"], steps=6)
    visitor.page.mouse.up()
    visitor.settle()
    painted = visitor.pixels()
    stroke = painted[198:203, 25:55].astype(int)
    assert (stroke.max(2) - stroke.min(2)).max() <= 3, "the stroke must be grey like the hair"
    corrections = visitor.page.evaluate("JSON.parse(sessionStorage.selfieart).corrections")
    assert "hair" in corrections
    assert furthest(painted, visitor.server_composite(corrections)) <= 2
    visitor.page.keyboard.press("Control+z")
    visitor.settle()
    assert np.array_equal(visitor.pixels(), plain)


def test_everything_by_keyboard(visitor: Visitor):
    visitor.come()
    page, keys = visitor.page, visitor.page.keyboard
    page.locator(".dropzone:enabled").wait_for()

    def tab_to(name: str) -> None:
        for _ in range(40):
            keys.press("Tab")
            focused = page.evaluate(
                "document.activeElement.getAttribute('aria-label') ?? document.activeElement.innerText"
            )
            if focused.startswith(name):
                return
        raise AssertionError(f"Tab does not reach '{name}'.")

    tab_to("Try the sample")
    keys.press("Enter")
    visitor.until(lambda: page.evaluate("!!selfieart.photo()"), "open")
    visitor.settle()
    tab_to("Original")
    keys.press("ArrowRight")
    keys.press("Enter")
    visitor.settle()
    assert visitor.look()["segments"]["everything"]["style"] == "grey"
    tab_to("Everything")
    keys.press("ArrowRight")
    keys.press("ArrowRight")
    keys.press("Space")
    assert page.get_by_role("option", name="Head", exact=True).get_attribute("aria-selected") == "true"
    tab_to("Strength")
    keys.press("ArrowLeft")
    assert visitor.look()["segments"]["head"] == {"style": "grey", "strength": 0.99, "keep_color": 0, "feather": 0}
    keys.press("c")
    tab_to("Export")
    keys.press("Enter")
    page.get_by_role("dialog", name="Export").wait_for()
    keys.press("Escape")
    visitor.until(lambda: page.get_by_role("dialog").count() == 0, "closed")
    assert page.evaluate("document.activeElement.innerText").strip() == "Export"


def test_without_webgl_the_server_composites(visitor: Visitor, face: Path, tmp_path: Path):
    visitor.page.add_init_script(
        """const real = HTMLCanvasElement.prototype.getContext;
        HTMLCanvasElement.prototype.getContext = function (kind, ...rest) {
          return kind === "webgl2" ? null : real.call(this, kind, ...rest);
        };"""
    )
    visitor.come(face)
    assert "no WebGL2" in visitor.page.inner_text(".panel")
    visitor.load_look(LOOKS["binary"], tmp_path)
    visitor.until(lambda: any("/composite" in request for request in visitor.requests), "composited")
    # The look before this one was composited too, so that a request alone does not say which of them is shown.
    visitor.until(lambda: np.array_equal(visitor.pixels(), visitor.server_composite()), "shown")


def test_what_cannot_be_read_is_said_and_nothing_is_lost(visitor: Visitor, face: Path, tmp_path: Path):
    visitor.come(face)
    visitor.load_look(LOOKS["binary"], tmp_path)
    look, shown = visitor.look(), visitor.pixels()
    wrong = {"notes.jpg": b"no picture", "broken.toml": b"tau = [", "other.json": b'{"segments": {"tail": "candy"}}'}
    for name, content in wrong.items():
        (tmp_path / name).write_bytes(content)
        visitor.drop(tmp_path / name)
        alert = visitor.page.get_by_role("alert").last
        alert.wait_for()
        said = alert.inner_text().strip()
        assert said.endswith((".", "?")), said
        alert.get_by_role("button", name="Dismiss").click()
        assert visitor.look() == look
        assert np.array_equal(visitor.pixels(), shown)
    # The browser itself reports the refused upload.
    visitor.complaints = [line for line in visitor.complaints if "Failed to load resource" not in line]


def test_on_a_phone(browser: Any, address: str, face: Path, tmp_path: Path):
    size = {"width": 390, "height": 844}
    with browser.new_context(viewport=size, has_touch=True, is_mobile=True, device_scale_factor=2) as context:
        visitor = Visitor(context.new_page(), address).come(face)
        at = visitor.page.evaluate("selfieart.place(120, 20)")
        visitor.page.touchscreen.tap(at["x"], at["y"])
        visitor.wear("grey")
        assert list(visitor.look()["segments"]) == ["hair"]
        for tab in ("Parts", "Adjust", "Picture", "Styles"):
            visitor.page.get_by_role("tab", name=tab).click()
            assert visitor.page.evaluate("document.documentElement.scrollWidth") == 390
        # Phones keep the logits as half floats.
        visitor.load_look(LOOKS["many"], tmp_path)
        assert furthest(visitor.pixels(), visitor.server_composite()) <= 3
        assert visitor.complaints == []


def test_a_photo_from_the_camera(visitor: Visitor):
    visitor.come()
    visitor.page.get_by_role("button", name="Use the camera").click()
    visitor.page.get_by_role("button", name="Take the photo").click()
    visitor.until(lambda: visitor.page.evaluate("!!selfieart.photo()"), "open")
    visitor.settle()
    assert visitor.pixels().std() > 10


def test_a_live_camera_wears_the_look(visitor: Visitor, face: Path):
    visitor.come(face)
    if not offered(visitor, "video"):
        pytest.skip("this build has no live mode")
    visitor.wear("grey")
    visitor.page.get_by_role("button", name="Export").click()
    visitor.page.get_by_role("button", name="Wear it live").click()
    picture = visitor.page.locator("img[alt='Painted live']")
    visitor.until(lambda: (picture.get_attribute("src") or "").startswith("blob:"), "painted")
    # The fake camera is green and yellow; grey has no colour at all.
    spread = picture.evaluate(
        """(image) => {
          const canvas = Object.assign(document.createElement("canvas"), { width: 32, height: 24 });
          const pen = canvas.getContext("2d");
          pen.drawImage(image, 0, 0, 32, 24);
          const octets = pen.getImageData(0, 0, 32, 24).data;
          let most = 0;
          for (let i = 0; i < octets.length; i += 4) {
            const rgb = [...octets.slice(i, i + 3)];
            most = Math.max(most, Math.max(...rgb) - Math.min(...rgb));
          }
          return most;
        }"""
    )
    assert spread < 12
    visitor.page.keyboard.press("Escape")


def offered(visitor: Visitor, what: str) -> Any:
    return visitor.page.evaluate("async (what) => (await (await fetch('/api/info')).json())[what]", what)


def test_any_picture_as_a_style(visitor: Visitor, face: Path):
    visitor.come(face)
    if not offered(visitor, "any_style"):
        pytest.skip("this build has no predictor of styles")
    before = visitor.pixels()
    visitor.click_pixel(120, 20)
    with visitor.page.expect_file_chooser() as choosing:
        visitor.page.get_by_role("button", name="Your picture").click()
    choosing.value.set_files(face)
    visitor.until(lambda: "hair" in visitor.look()["segments"], "worn")
    visitor.settle()
    assert visitor.look()["segments"]["hair"]["style"].startswith("style:")
    assert furthest(visitor.pixels(), before) > 20
    assert furthest(visitor.pixels(), visitor.server_composite()) <= 2


def test_a_video_survives_a_reload_of_the_page(visitor: Visitor, astronaut: np.ndarray, tmp_path: Path):
    visitor.come()
    if not offered(visitor, "video"):
        pytest.skip("this build paints no videos")
    from video_clips import make_clip

    small = cv2.resize(astronaut[:320, 64:384], (128, 128), interpolation=cv2.INTER_AREA)
    clip = tmp_path / "clip.mp4"
    make_clip(clip, [np.roll(small, shift, 1) for shift in range(5)])
    visitor.come(clip)
    visitor.wear("grey")
    visitor.page.get_by_role("button", name="Export").click()
    visitor.page.get_by_role("button", name="Render the clip").click()
    visitor.page.locator(".job").wait_for()
    visitor.page.reload()
    visitor.until(lambda: visitor.page.evaluate("!!selfieart.photo()"), "open")
    visitor.page.get_by_role("button", name="Jobs").click()
    visitor.page.locator(".job[data-state=done]").wait_for(timeout=PATIENCE * 1000)
    with visitor.page.expect_download() as coming:
        visitor.page.get_by_role("link", name="Download").click()
    made = tmp_path / "made.mp4"
    made.write_bytes(Path(coming.value.path()).read_bytes())
    capture = cv2.VideoCapture(str(made))
    frames = []
    while (frame := capture.read())[0]:
        frames.append(frame[1])
    capture.release()
    assert len(frames) == 5
    # Grey, but for what 4:2:0 and the codec do.
    assert all((frame.max(2).astype(int) - frame.min(2)).mean() < 4 for frame in frames)


def test_the_page_knows_the_classes_in_the_order_of_the_logits(visitor: Visitor):
    visitor.come()
    assert {one["name"]: place for place, one in enumerate(offered(visitor, "segments"))} == INDEX
