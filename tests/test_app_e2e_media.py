"""The app in a real browser on a phone, with cameras, with any picture as a style, and with a video."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import cv2
import numpy as np

from app_visitor import (  # noqa: F401 - the fixtures are found by their names
    BROWSER_MARKS,
    LOOKS,
    PATIENCE,
    Visitor,
    address_fixture,
    browser_fixture,
    face_fixture,
    furthest,
    visitor_fixture,
)

pytestmark = BROWSER_MARKS


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


def test_any_picture_as_a_style(visitor: Visitor, face: Path):
    visitor.come(face)
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
