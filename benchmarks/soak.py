"""Networks run again and again on pictures of other sizes: memory must not grow.

    python benchmarks/soak.py [--inferences 200] [--largest 1024] [--json FILE]

Every runtime that is installed has a fresh process, in which the parser and the style network take turns on sizes drawn
anew each time. The first tenth warms up, largest size included. After that the resident memory is told at a quarter, at
half and at the end: as it is, and when what is free was given back to the system, which is what is really held. It
ends with 1 if what is held grew by more than 5 % or 20 MB between a quarter and the end.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any

RUNTIMES = {"onnxruntime": "ONNX Runtime", "openvino": "OpenVINO"}
MARKS = (0.1, 0.25, 0.5, 1.0)
SMALLEST = 128
MEGABYTES, SHARE = 20.0, 0.05
"""What may be more at the end than at a quarter."""


def main() -> None:
    """Soak every runtime, tell, and end with 1 if one grew."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--inferences", type=int, default=200, help="of the parser and the style network together")
    arguments.add_argument("--largest", type=int, default=1024, help="longest side in pixels (default 1024)")
    arguments.add_argument("--seed", type=int, default=0, help="of the sizes")
    arguments.add_argument("--json", type=Path, metavar="FILE", help="also write the numbers to a file")
    arguments.add_argument("--only", choices=RUNTIMES, help=argparse.SUPPRESS)
    given = arguments.parse_args()
    if given.only:
        print(json.dumps(soaked(given.only, given.inferences, given.largest, given.seed)))
        return
    found, good = {}, True
    for runtime, name in RUNTIMES.items():
        if find_spec(runtime) is None:
            print(f"{name} is not installed: skipped.")
            continue
        options = ("--inferences", given.inferences, "--largest", given.largest, "--seed", given.seed)
        command = [sys.executable, __file__, "--only", runtime, *map(str, options)]
        found[runtime] = json.loads(subprocess.run(command, check=True, text=True, stdout=subprocess.PIPE).stdout)
        good = tell(name, found[runtime]) and good
    if given.json:
        given.json.write_text(json.dumps(found, indent=2) + "\n", "utf-8")
    sys.exit(0 if good else 1)


def tell(name: str, marks: list[dict[str, float]]) -> bool:
    """Print what was found of one runtime; whether it did not grow."""
    for mark in marks:
        print(
            f"{name}: after {mark['inferences']:4.0f} inferences {mark['resident']:6.0f} MB resident, "
            f"{mark['held']:6.0f} MB held"
        )
    quarter, end = marks[1]["held"], marks[-1]["held"]
    good = end - quarter <= max(MEGABYTES, SHARE * quarter)
    print(f"{name}: {end - quarter:+.0f} MB from a quarter to the end: {'stays' if good else 'GROWS'}.")
    return good


def soaked(runtime: str, inferences: int, largest: int, seed: int) -> list[dict[str, Any]]:
    """Run the networks on one runtime in this process; the memory in MB at every mark."""
    if runtime != "openvino":
        sys.modules["openvino"] = None  # type: ignore[assignment]
    import numpy as np

    from selfieart.engine import release_memory, runtimes
    from selfieart.parsing.registry import load_parser
    from selfieart.render.loading import load_presets

    assert runtimes()[0].name == runtime, f"networks run on {runtimes()[0].label}"
    parser, stylizer = load_parser(), load_presets()
    code = stylizer.encode("wave")[None]
    rng = np.random.default_rng(seed)
    marks, at = [], [max(1, round(share * inferences)) for share in MARKS]
    for number in range(1, inferences + 1):
        height, width = rng.integers(SMALLEST, largest, 2, endpoint=True) if number > 2 else (largest, largest)
        picture = rng.random((3, height, width), np.float32)
        if number % 2:
            # The network itself: how often the parser runs it depends on the faces it believes to see.
            m = parser.contract.multiple
            padded = picture[:, : height // m * m, : width // m * m]
            parser.network(image=parser.contract.normalised(padded))
        else:
            stylizer.render(picture, code)
        if number in at:
            resident = resident_megabytes()
            release_memory()
            marks.append({"inferences": number, "resident": resident, "held": resident_megabytes()})
    return marks


def resident_megabytes() -> float:
    """Resident memory of this process."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6


if __name__ == "__main__":
    main()
