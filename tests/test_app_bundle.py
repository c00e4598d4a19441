"""The built page is what a strict content security policy allows, and its sources agree with the library."""

from __future__ import annotations

import json
import re
from importlib import resources
from pathlib import Path

import pytest

from selfieart.segments import NAMES, assign

WEB = Path(__file__).parents[1] / "web"
STATIC = resources.files("selfieart.app").joinpath("static")


@pytest.fixture(scope="module")
def page() -> str:
    return STATIC.joinpath("index.html").read_text("utf-8")


def test_the_page_has_nothing_inline_and_loads_only_its_own_bundle(page: str):
    assert not re.search(r"<script(?![^>]*\ssrc=)|<style|\sstyle=|\son\w+=", page)
    places = re.findall(r"(?:src|href)=\"([^\"]+)\"", page)
    assert len(places) == 3
    for place in places:
        assert re.fullmatch(r"/assets/[\w.-]+-[\w-]{8}\.(js|css|svg)", place), f"{place} has no hash in its name"
        assert STATIC.joinpath(*place.strip("/").split("/")).is_file()


def test_the_bundle_is_small_and_names_no_other_host(page: str):
    files = [entry for entry in STATIC.joinpath("assets").iterdir() if entry.is_file()]
    assert {entry.name.rpartition(".")[2] for entry in files} == {"js", "css", "svg", "txt"}
    assert sum(len(entry.read_bytes()) for entry in files) < 250_000
    for entry in files:
        text = entry.read_text("utf-8")
        hosts = set(re.findall(r"(?:https?|wss?):\/\/([\w.-]+)", text)) if entry.name[-3:] != "txt" else set()
        assert hosts <= {"www.w3.org"}, entry.name
        assert "sourceMappingURL" not in text


def test_licences_of_what_the_bundle_contains_are_beside_it():
    text = STATIC.joinpath("assets", "licenses.txt").read_text("utf-8")
    for name in json.loads((WEB / "package.json").read_text("utf-8"))["dependencies"]:
        assert f"{name}\n" in text


def test_the_lock_file_names_no_registry():
    lock = json.loads((WEB / "package-lock.json").read_text("utf-8"))
    assert not any("resolved" in package for package in lock["packages"].values())
    wanted = json.loads((WEB / "package.json").read_text("utf-8"))
    for version in (wanted["dependencies"] | wanted["devDependencies"]).values():
        assert re.fullmatch(r"\d+\.\d+\.\d+", version), "versions are exact"


def test_the_page_tests_its_segments_against_this_library():
    for expected in json.loads((WEB / "test" / "assigned.json").read_text("utf-8"))["cases"]:
        kept = assign(list(expected))
        assert {name: sorted(NAMES[k] for k in classes) for name, classes in kept.items()} == expected
