"""The app as a person uses it: the built page in a real browser, with the real server behind it."""

from __future__ import annotations

import math
from io import BytesIO
from pathlib import Path

import cv2
import numpy as np

from app_visitor import (  # noqa: F401 - the fixtures are found by their names
    BROWSER_MARKS,
    LOOKS,
    Visitor,
    address_fixture,
    browser_fixture,
    face_fixture,
    furthest,
    offered,
    visitor_fixture,
)
from selfieart import Look
from selfieart.imaging import write_photo
from selfieart.look import PNG_KEY
from selfieart.segments import INDEX

pytestmark = BROWSER_MARKS


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


def test_a_mix_is_shown_by_its_name_and_kept(visitor: Visitor, face: Path, tmp_path: Path):
    visitor.come(face)
    visitor.load_look({"segments": {"bg": "wave:2+Candy:3"}, "tau": "binary"}, tmp_path)
    assert visitor.look()["segments"]["background"]["style"] == "candy:0.6+wave:0.4"
    assert visitor.look()["tau"] == "inf"
    shown = visitor.pixels()
    assert furthest(shown, visitor.server_composite()) <= 2
    page = visitor.page
    assert page.locator(".wearing small").inner_text() == "60 % June Tree + 40 % The Great Wave off Kanagawa"
    visitor.click_pixel(20, 20)
    tile = page.locator("[data-style='candy:0.6+wave:0.4']")
    assert tile.get_attribute("aria-checked") == "true"
    widths = [part.bounding_box()["width"] for part in tile.locator(".mix-picture > i").all()]
    assert abs(widths[0] / sum(widths) - 0.6) < 0.02
    visitor.until(lambda: "url(" in tile.locator(".mix-picture > i").first.evaluate("i => i.style.backgroundImage"))
    toml = tmp_path / "saved.toml"
    toml.write_bytes(visitor.saved("Save look"))
    assert Look.load(toml).segments["background"].style == "candy:0.6+wave:0.4"
    page.get_by_role("button", name="Export").click()
    picture = tmp_path / "art.png"
    picture.write_bytes(visitor.saved("PNG"))
    assert Look.load(picture).segments["background"].style == "candy:0.6+wave:0.4"
    visitor.drop(picture)
    page.get_by_role("button", name="Use it").click()
    visitor.settle()
    assert visitor.look()["segments"]["background"]["style"] == "candy:0.6+wave:0.4"


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


def test_the_page_knows_the_classes_in_the_order_of_the_logits(visitor: Visitor):
    visitor.come()
    assert {one["name"]: place for place, one in enumerate(offered(visitor, "segments"))} == INDEX
