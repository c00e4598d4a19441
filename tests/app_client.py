"""What the tests of the app's server share: a page that talks to it, and pictures to send."""

from __future__ import annotations

import base64
import io
import threading
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
from httpx import Response
from PIL import Image

from selfieart import Studio
from selfieart.app.server import create_app
from selfieart.app.state import AppState
from selfieart.app.worker import Worker

with warnings.catch_warnings():
    # Starlette would rather have another HTTP client; it works with this one.
    warnings.simplefilter("ignore")
    from starlette.testclient import TestClient

BASE = "http://127.0.0.1:7860"
LIVE = "ws://127.0.0.1:7860/api/live"


@contextmanager
def page_of(studio: Callable[[], Studio], **options: Any) -> Iterator[tuple[TestClient, AppState]]:
    """A client with the origin of the app's own page, and what the app holds."""
    app, state = create_app(studio=studio, **options)
    try:
        with TestClient(app, base_url=BASE, headers={"Origin": BASE}) as client:
            yield client, state
    finally:
        state.close()


def picture_file(pixels: np.ndarray, file_format: str = "PNG", **options: Any) -> bytes:
    """A picture as the bytes of a file."""
    out = io.BytesIO()
    Image.fromarray(pixels).save(out, file_format, **options)
    return out.getvalue()


def pixels_of(encoded: bytes) -> np.ndarray:
    """A picture file as (H, W, 3)."""
    return np.array(Image.open(io.BytesIO(encoded)).convert("RGB"))


def array_of(answer: Response, kind: type = np.uint8) -> np.ndarray:
    """Octets with their shape in a header."""
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "application/octet-stream"
    shape = [int(side) for side in answer.headers["x-shape"].split(",")]
    return np.frombuffer(answer.content, np.dtype(kind).newbyteorder("<")).reshape(shape).copy()


def painted_bias(values: np.ndarray) -> str:
    """A correction as it travels, (h, w) in units of 1/8 logit."""
    return base64.b64encode(values.astype(np.int8).tobytes()).decode()


def refused(answer: Response, status: int) -> str:
    """The sentence of a refusal."""
    assert answer.status_code == status, (answer.status_code, answer.text)
    (key,) = answer.json()
    assert key == "error"
    sentence: str = answer.json()["error"]
    assert sentence[-1] in ".?"
    assert "\n" not in sentence
    return sentence


def blocked(worker: Worker) -> threading.Event:
    """Keep the worker busy until the event is set."""
    release, begun = threading.Event(), threading.Event()
    worker.submit(lambda step: begun.set() or release.wait(30))
    begun.wait(30)
    return release


def wait_for(condition: Callable[[], Any], seconds: float = 60.0) -> Any:
    """What a condition gives as soon as it is true."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        found = condition()
        if found:
            return found
        time.sleep(0.01)
    raise AssertionError("it never happened")
