"""A person in front of the app's page: the built page in a real browser, with the real server behind it."""

from __future__ import annotations

import base64
import json
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from selfieart.imaging import write_photo

sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
STATIC = Path(__file__).parents[1] / "src/selfieart/app/static/index.html"
BROWSER_MARKS = [
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


@pytest.fixture(scope="module", name="address")
def address_fixture() -> Iterator[str]:
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


@pytest.fixture(scope="module", name="browser")
def browser_fixture() -> Iterator[Any]:
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture(scope="module", name="face")
def face_fixture(tmp_path_factory: pytest.TempPathFactory, astronaut: np.ndarray) -> Path:
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


@pytest.fixture(name="visitor")
def visitor_fixture(browser: Any, address: str) -> Iterator[Visitor]:
    with browser.new_context(viewport={"width": 1000, "height": 720}) as context:
        person = Visitor(context.new_page(), address)
        yield person
        # Also what the content security policy refused would be here.
        assert person.complaints == [], person.complaints


def furthest(a: np.ndarray, b: np.ndarray) -> int:
    return int(np.abs(a.astype(int) - b).max())


def offered(visitor: Visitor, what: str) -> Any:
    return visitor.page.evaluate("async (what) => (await (await fetch('/api/info')).json())[what]", what)
