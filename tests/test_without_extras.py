"""What users run needs neither torch nor SciPy nor Matplotlib: every command where importing them raises."""

from __future__ import annotations

import subprocess
import sys
import textwrap
from pathlib import Path

import av
import cv2
import numpy as np
import pytest

from blocked_imports import run_without

HEAVY = ("torch", "scipy", "matplotlib", "openvino", "onnx", "skimage")

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory, astronaut: np.ndarray) -> Path:
    """A folder with a photo, a clip and a style picture."""
    made = tmp_path_factory.mktemp("light")
    small = cv2.resize(astronaut[:320, 64:384], (160, 160), interpolation=cv2.INTER_AREA)
    cv2.imwrite(str(made / "me.png"), small[..., ::-1])
    cv2.imwrite(str(made / "style.png"), astronaut[400:500, :200])
    with av.open(str(made / "clip.mp4"), "w") as container:
        stream = container.add_stream("libx264", rate=10)
        stream.width, stream.height, stream.pix_fmt = 96, 96, "yuv420p"
        for shift in range(3):
            frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(small[shift : 96 + shift, 32:128]), format="rgb24")
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return made


@pytest.mark.parametrize(
    "arguments",
    [
        ["photo", "me.png", "-s", "hair=candy", "-s", "background=style.png", "-s", "face=wave", "-o", "a.png"],
        ["photo", "me.png", "-s", "hair=candy", "-s", "face=wave", "--blend", "features", "-o", "b.jpg"],
        ["photo", "me.png", "-s", "background=blur", "-s", "hair=#ff0000", "--keep-color", "hair=0.5", "-o", "c.webp"],
        ["parse", "me.png", "-o", "d.png", "--labels", "e.png"],
        ["parse", "me.png", "--parser", "segnet"],
        ["video", "clip.mp4", "-s", "person=candy", "-s", "background=wave", "-o", "f.mp4"],
        ["gallery", "me.png", "--rows", "candy", "--columns", "wave", "-o", "g.jpg"],
        ["styles", "--sheet", "h.png"],
        ["demo", "-o", "i.png"],
        ["evaluate", "similarity", "me.png", "me.png"],
        ["doctor"],
        ["models"],
    ],
    ids=lambda arguments: " ".join(arguments[:2]),
)
def test_a_command_needs_no_extra(folder, arguments):
    done = run_without(HEAVY, arguments, folder)
    assert done.returncode == 0, done.stderr
    if "-o" in arguments:
        assert (folder / arguments[arguments.index("-o") + 1]).stat().st_size > 1000


def test_an_app_request_needs_no_extra(folder):
    program = textwrap.dedent("""
        import sys
        from importlib.abc import MetaPathFinder

        class Blocker(MetaPathFinder):
            def find_spec(self, name, path=None, target=None):
                if name.partition(".")[0] in HEAVY:
                    raise ModuleNotFoundError(name)

        sys.meta_path.insert(0, Blocker())
        import warnings
        warnings.simplefilter("ignore")
        from pathlib import Path
        from starlette.testclient import TestClient
        from selfieart import Studio
        from selfieart.app.server import create_app

        app, state = create_app(studio=Studio)
        with TestClient(app, base_url="http://127.0.0.1:7860", headers={"Origin": "http://127.0.0.1:7860"}) as page:
            assert page.get("/api/info").json()["methods"] == []
            photo = page.post("/api/photos", content=Path("me.png").read_bytes(), headers={"X-Name": "me.png"})
            assert photo.status_code in (200, 201), photo.text
            layer = page.get(f"/api/photos/{photo.json()['id']}/layers?style=candy")
            assert layer.status_code == 200, layer.text
        state.close()
        assert not {"torch", "scipy", "matplotlib"} & set(sys.modules)
        print("done")
    """).replace("HEAVY", repr(HEAVY))
    done = subprocess.run([sys.executable, "-c", program], cwd=folder, capture_output=True, text=True, check=False)
    assert done.stdout.strip() == "done", done.stderr


@pytest.mark.parametrize("arguments", [["photo", "me.png", "-s", "candy", "--method", "gatys"],
                                       ["train", "style", "style.png", "-o", "s.safetensors"]])  # fmt: skip
def test_what_needs_an_extra_says_so_in_one_sentence(folder, arguments):
    done = run_without(HEAVY, arguments, folder)
    assert done.returncode == 2
    assert "pip install 'selfieart[" in done.stderr
    assert "Traceback" not in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1
