"""500 mixed requests against the app in a process of its own: no error, and memory that does not grow.

    python benchmarks/app_soak.py [--requests 500] [--at-once 4]

Prints the resident memory of the server over time, and ends with 1 if a request failed or memory grew by more than 5 %
(or 80 MB) between the first and the last third. Also prints how long a 12-megapixel photo takes from dropping it to its
first stylised picture, by stage.
"""

from __future__ import annotations

import argparse
import io
import itertools
import os
import re
import signal
import statistics
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import numpy as np
from PIL import Image

LOOK = {
    "tau": 3,
    "stroke": 128,
    "segments": {
        "hair": {"style": "candy"},
        "face": {"style": "wave", "keep_color": 0.5},
        "background": {"style": "blur"},
    },
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--requests", type=int, default=500)
    parser.add_argument("--at-once", type=int, default=4)
    options = parser.parse_args()
    process = subprocess.Popen(
        [sys.executable, "-m", "selfieart", "app", "--no-open", "--port", "0"],
        stdout=subprocess.PIPE,
        text=True,
        env=os.environ | {"PYTHONUNBUFFERED": "1"},
    )
    assert process.stdout is not None
    found = re.search(r"http://[\d.:]+", process.stdout.readline())
    assert found
    try:
        with httpx.Client(base_url=found.group(), headers={"Origin": found.group()}, timeout=600) as page:
            sample = page.post("/api/photos/sample").raise_for_status().json()
            good = soak(page, sample["id"], process.pid, options.requests, options.at_once)
            first_picture(page)
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(30)
    sys.exit(0 if good else 1)


def soak(page: httpx.Client, photo: str, pid: int, requests: int, at_once: int) -> bool:
    uploads = [encoded(side) for side in (200, 420, 700)]

    def one(n: int) -> int:
        kind, path = n % 12, f"/api/photos/{photo}"
        if kind == 0:
            added = page.post("/api/photos", content=uploads[n % 3]).json()
            page.get(f"/api/photos/{added['id']}/layers", params={"style": "wave", "stroke": 96})
            return page.delete(f"/api/photos/{added['id']}").status_code
        if kind < 5:
            style = ("candy", "wave", "udnie", "mosaic", "feathers")[n % 5]
            return page.get(f"{path}/layers", params={"style": style, "stroke": 128, "seed": n % 3}).status_code
        if kind < 7:
            return page.post(f"{path}/composite", json={"look": LOOK | {"tau": 1 + n % 9}}).status_code
        if kind < 9:
            return page.get(f"{path}/{('preview', 'logits', 'guide')[n % 3]}").status_code
        if kind == 9:
            return page.post(f"{path}/export", json={"look": LOOK, "format": ("png", "jpeg")[n % 2]}).status_code
        if kind == 10:
            return 200 if page.post(f"{path}/export", json={"look": LOOK, "x": 1}).status_code == 422 else 500
        return page.get("/api/looks/random", params={"photo": photo}).status_code

    memory, bad = [], []
    begin = time.perf_counter()
    with ThreadPoolExecutor(at_once) as pool:
        for done, status in enumerate(pool.map(one, range(requests)), 1):
            memory.append(resident(pid))
            if status not in (200, 204):
                bad.append(status)
            if done % 50 == 0:
                print(
                    f"{done:5d} requests, {memory[-1]:6.0f} MB, {done / (time.perf_counter() - begin):.1f} per second"
                )
    third = len(memory) // 3
    early, late = statistics.median(memory[third : 2 * third]), statistics.median(memory[2 * third :])
    print(f"{len(bad)} failed; {early:.0f} MB in the middle third, {late:.0f} in the last, at most {max(memory):.0f}")
    return not bad and late - early < max(80, 0.05 * early)


def first_picture(page: httpx.Client) -> None:
    """From a 12-megapixel photo to its first stylised picture."""
    body = encoded(3000, wide=True)
    for _ in range(2):
        marks = [time.perf_counter()]
        photo = page.post("/api/photos", content=body).json()
        marks.append(time.perf_counter())
        for what in ("preview", "logits", "guide"):
            page.get(f"/api/photos/{photo['id']}/{what}").raise_for_status()
        marks.append(time.perf_counter())
        for draft in (1, 0):
            page.get(f"/api/photos/{photo['id']}/layers", params={"style": "candy", "draft": draft}).raise_for_status()
            marks.append(time.perf_counter())
        upload, octets, coarse, layer = (after - before for before, after in itertools.pairwise(marks))
        print(
            f"12 megapixels: upload and parse {upload:.2f} s, octets {octets:.2f} s, draft {coarse:.2f} s, "
            f"layer {layer:.2f} s; first picture after {upload + octets + coarse:.2f} s"
        )


def encoded(side: int, wide: bool = False) -> bytes:
    """The packaged portrait, enlarged, as a JPEG file."""
    from importlib import resources

    data = resources.files("selfieart").joinpath("data", "astronaut.jpg").read_bytes()
    picture = Image.open(io.BytesIO(data)).resize((side * 4 // 3 if wide else side, side), Image.Resampling.BICUBIC)
    grain = np.random.default_rng(0).integers(-6, 7, (picture.height, picture.width, 3))
    out = io.BytesIO()
    Image.fromarray((np.array(picture) + grain).clip(0, 255).astype(np.uint8)).save(out, "JPEG", quality=90)
    return out.getvalue()


def resident(pid: int) -> float:
    """Resident memory of a process in MB."""
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6


if __name__ == "__main__":
    main()
