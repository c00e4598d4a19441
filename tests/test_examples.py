"""The examples run as they stand, each as a program of its own."""

from __future__ import annotations

import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

from selfieart.imaging import read_photo

EXAMPLES = Path(__file__).parents[1] / "examples"
WRITTEN = {
    "array_in_and_out": {"array.png"},
    "many_looks": {"tau-1.jpg", "tau-3.jpg", "tau-10.jpg", "lips.jpg"},
    "masks_as_arrays": {"labels.png", "grey-hair.png"},
    "folder_of_photos": {"astronaut.png", "left.png", "astronaut.jpg", "left.jpg", "notes.jpg"},
    "video_frames": {f"frame-{index:04}.jpg" for index in range(6)},
    "slower_method": {"method.png", "style.png"},
}
NO_PICTURES = {"notes.jpg"}


def test_every_example_is_run():
    assert {path.stem for path in EXAMPLES.glob("*.py")} == set(WRITTEN)


@pytest.mark.slow
@pytest.mark.parametrize("name", WRITTEN)
def test_an_example(name, tmp_path):
    if name == "slower_method" and find_spec("torch") is None:
        pytest.skip("needs selfieart[methods]")
    # Warnings are errors: an example must not show a way that goes away.
    command = [sys.executable, "-W", "error::DeprecationWarning:__main__", EXAMPLES / f"{name}.py", tmp_path / "new"]
    run = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (run.returncode, run.stderr) == (0, "")
    files = {path.name: path for path in tmp_path.rglob("*") if path.is_file()}
    assert set(files) == WRITTEN[name]
    assert "Written:" in run.stdout
    for kept, path in files.items():
        if kept not in NO_PICTURES:
            assert min(read_photo(path).size) >= 96
