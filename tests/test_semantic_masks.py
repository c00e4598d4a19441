"""Soft masks that guide semantic style transfer: from the parser, clusters and maps; looks, the command line."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
import torch.nn.functional as F

from conftest import DrawnParser, wrong
from optimise_pictures import halves, portrait, waves
from selfieart import Look, SegmentLook
from selfieart.cli import main
from selfieart.errors import UnknownName
from selfieart.methods.clusters import shared_clusters
from selfieart.methods.guidance import Guidance
from selfieart.methods.guidance_choice import GuidanceChoice, guidance_choice
from selfieart.methods.registry import load_method, options_from
from selfieart.methods.repaint import repaint_with
from selfieart.methods.semantic import Semantic
from selfieart.methods.semantic_masks import (
    KINDS,
    from_clusters,
    from_parsings,
    guidance_for,
)
from selfieart.methods.semantic_masks import read_map as map_from
from selfieart.methods.semantic_options import SemanticOptions
from selfieart.networks.encoder import Encoder
from selfieart.networks.packaged import load_encoder
from selfieart.parsing.faces import Face
from selfieart.parsing.parsing import Parsing
from selfieart.segments import INDEX, NAMES

QUICK = {"side": 48, "scales": 1, "iterations": 6, "rematch": 3}


@pytest.fixture(scope="module")
def encoder() -> Encoder:
    return load_encoder()


@pytest.fixture(scope="module")
def content(astronaut) -> torch.Tensor:
    """A portrait (3, 64, 80)."""
    return portrait(astronaut, 276, (64, 80))


@pytest.fixture(scope="module")
def painting() -> torch.Tensor:
    """Waves (3, 72, 56)."""
    return waves()


@pytest.fixture
def guidance() -> Guidance:
    """Left and right of the content are top and bottom of the painting."""
    below = (torch.arange(72) >= 36).float()[:, None].expand(72, 56)
    return Guidance(("a", "b"), halves(64, 80), (torch.stack([1 - below, below]),))


def test_the_strongest_masks():
    content = torch.tensor([0.1, 0.5, 0.2, 0.0, 0.2])[:, None, None].expand(5, 2, 3)
    style = torch.tensor([0.4, 0.0, 0.2, 0.1, 0.3])[:, None, None].expand(5, 7, 1)
    # Means of both: 0.25, 0.25, 0.2, 0.05, 0.25.
    given = Guidance(("a", "b", "c", "d", "e"), content, (style,))
    assert given.strongest(1).names == ("a",)
    assert given.strongest(3).names == ("a", "b", "e")
    best = given.strongest(4)
    assert best.names == ("a", "b", "e", "c")
    assert best.content[:, 0, 0].tolist() == pytest.approx([0.1, 0.5, 0.2, 0.2])
    assert best.styles[0][:, 0, 0].tolist() == pytest.approx([0.4, 0.0, 0.3, 0.2])
    assert given.strongest(9).names == ("a", "b", "e", "c", "d")


def test_the_parser_tells_what_is_like_what(drawn_labels):
    assert sorted(k for classes in KINDS.values() for k in classes) == list(range(len(NAMES)))
    picture = torch.rand(3, 60, 90).numpy()
    seen = DrawnParser(drawn_labels).parse(picture)
    faced = Parsing(seen.logits, picture, (Face(67, 27, 40, 0, 300),), 60, 90)
    guidance = from_parsings(faced, [faced, seen])
    assert guidance.names == ("background", "clothes", "skin", "hair", "eyes", "nose", "mouth")
    assert torch.equal(guidance.content, guidance.styles[0])
    assert torch.allclose(guidance.content.sum(0), torch.ones(60, 90), atol=1e-5)
    for name in ("hair", "clothes"):
        mask = guidance.content[guidance.names.index(name)]
        assert torch.equal(mask > 0.5, torch.from_numpy(drawn_labels == INDEX[name]))
    # Nobody is to be seen in the other painting: all of it is background.
    assert torch.equal(guidance.styles[1], torch.eye(7)[0][:, None, None].expand(7, 60, 90))


class Parsers:
    """Sees a face in pictures that are bright."""

    name = "parsers"

    def parse(self, picture: np.ndarray | torch.Tensor, faces: object = "all") -> Parsing:
        picture = np.asarray(picture)
        height, width = picture.shape[-2:]
        found = (Face(20, 20, 20, 0, 90),) if float(picture.mean()) > 0.5 else ()
        return Parsing(np.zeros((len(NAMES), height, width), np.float32), picture, found, height, width)


def test_guidance_is_chosen_by_what_the_pictures_show(encoder):
    bright, dark = torch.rand(3, 40, 48) * 0.2 + 0.8, torch.rand(3, 48, 40) * 0.2

    def names(content: torch.Tensor, *styles: torch.Tensor, source: str = "auto") -> tuple[str, ...] | None:
        found = guidance_for(
            guidance_choice(source, None, None), content, Parsers().parse(content),
            {f"{i}.png": style for i, style in enumerate(styles)}, Parsers(), encoder,
        )  # fmt: skip
        return None if found is None else found.names

    parts = ("part 1", "part 2")
    assert names(bright, bright) == names(bright, dark, bright) == tuple(KINDS)
    assert names(bright, dark) == names(dark, bright) == names(bright, bright, source="clusters") == parts
    assert names(dark, dark, source="parser") == tuple(KINDS)
    assert names(bright, bright, source="none") is None


def textures(flipped: bool, brightness: float) -> torch.Tensor:
    """Fine stripes beside large spots (3, 64, 96)."""
    rows, columns = torch.meshgrid(torch.arange(64.0), torch.arange(96.0), indexing="ij")
    stripes, spots = (columns * 2.1).sin(), ((rows / 4).sin() * (columns / 4).sin())
    left = columns < 48
    plane = torch.where(left ^ flipped, stripes, spots) * 0.2 + brightness
    return plane.expand(3, -1, -1).clamp(0, 1)


def test_clusters_are_textures_and_the_same_in_both_pictures(encoder):
    first, second = textures(False, 0.3), textures(True, 0.7)
    guidance = from_clusters([first, second], encoder, 2)
    assert guidance.names == ("part 1", "part 2")
    for masks in (guidance.content, guidance.styles[0]):
        assert torch.allclose(masks.sum(0), torch.ones(masks.shape[-2:]), atol=1e-5)
    width = guidance.content.shape[-1]
    left, right = guidance.content[0, :, : width // 2 - 4], guidance.content[0, :, width // 2 + 4 :]
    sign = 1 if float(left.mean()) > 0.5 else -1
    for masks, way in ((guidance.content, sign), (guidance.styles[0], -sign)):
        difference = masks[0, :, : width // 2 - 4].mean() - masks[0, :, width // 2 + 4 :].mean()
        assert float(difference) * way > 0.8
    assert abs(float(left.mean() - right.mean())) > 0.8
    again = from_clusters([first, second], encoder, 2)
    assert torch.equal(again.content, guidance.content)
    assert torch.equal(again.styles[0], guidance.styles[0])


def test_clusters_of_points_that_are_plain_to_see():
    """Three directions in unequal numbers, placed differently in two pictures."""
    labels = (torch.arange(60).view(6, 10) % 6).clamp_max(2), (torch.arange(48).view(8, 6) % 6).clamp_max(2)
    pictures = [
        F.one_hot(k, 3).float().permute(2, 0, 1) * s + m for k, s, m in zip(labels, (1, 9), (0, 5), strict=True)
    ]
    found = shared_clusters(pictures, 3, temperature=0.01)
    # In order of size: the last label is there four times as often as the others.
    for soft, k in zip(found, labels, strict=True):
        assert torch.equal(soft.argmax(0) == 0, k == 2)
        assert float(soft.amax(0).min()) > 0.99
    same = [
        {(int(k), int(s)) for k, s in zip(label.flatten(), soft.argmax(0).flatten(), strict=True)}
        for label, soft in zip(labels, found, strict=True)
    ]
    assert same[0] == same[1]
    assert len(same[0]) == 3
    wrong("too small to be divided into 9 parts", shared_clusters, [torch.rand(4, 2, 2)], 9)
    assert all(bool(s.isfinite().all()) for s in shared_clusters([torch.ones(4, 5, 5)], 3))


RED, BLUE, GREEN = (0, 0, 255), (255, 0, 0), (0, 255, 0)  # as OpenCV writes them


def drawn_map(path: Path, left: tuple[int, int, int], right: tuple[int, int, int], size=(40, 60)) -> Path:
    pixels = np.zeros((*size, 3), np.uint8)
    pixels[:, : size[1] // 3], pixels[:, size[1] // 3 :] = left, right
    cv2.imwrite(str(path), pixels)
    return path


def test_maps_painted_by_hand(tmp_path):
    photo, style = torch.rand(3, 80, 120), torch.rand(3, 20, 30)
    mine, theirs = drawn_map(tmp_path / "me.png", RED, BLUE), drawn_map(tmp_path / "art.png", BLUE, RED)
    choice = guidance_choice(None, mine, [str(theirs)])
    guidance = guidance_for(choice, photo, Parsers().parse(photo), {"a.png": style}, Parsers(), Encoder())
    assert guidance.names == ("#0000ff", "#ff0000")
    left = torch.zeros(40, 60)
    left[:, :20] = 1
    assert torch.equal(guidance.content, torch.stack([1 - left, left]))
    assert torch.equal(guidance.styles[0], torch.stack([left, 1 - left]))
    # Edges that a brush has softened belong to the nearest colour.
    pixels = cv2.imread(str(mine))
    pixels[0, 20], pixels[1, 20] = (100, 0, 155), (155, 0, 100)
    cv2.imwrite(str(mine), pixels)
    read = map_from(mine, photo)
    assert set(read) == {(0, 0, 255), (255, 0, 0)}
    assert read[(255, 0, 0)][:2, 20].tolist() == [1, 0]


def test_maps_that_cannot_be_used(tmp_path):
    photo, style = torch.rand(3, 80, 120), torch.rand(3, 20, 30)
    mine, theirs = drawn_map(tmp_path / "me.png", RED, BLUE), drawn_map(tmp_path / "art.png", BLUE, GREEN)
    tall = drawn_map(tmp_path / "tall.png", RED, BLUE, (60, 40))

    def run(content_map, *style_maps, styles=("a.png",)):
        choice = guidance_choice(None, content_map, [str(m) for m in style_maps])
        named = dict.fromkeys(styles, style)
        return guidance_for(choice, photo, Parsers().parse(photo), named, Parsers(), Encoder())

    wrong("#ff0000 is in me.png but in no map of a style, which have #0000ff, #00ff00", run, mine, theirs)
    wrong("tall.png is 40x60 pixels, another shape", run, tall, mine)
    wrong("say which one each map is of, as --style-map a.png=", run, mine, mine, styles=("a.png", "b.png"))
    wrong("'b.png' has no map", run, mine, f"a.png={mine}", styles=("a.png", "b.png"))
    wrong("did you mean 'a.png'", run, mine, f"a.pn={mine}", error=UnknownName)
    wrong("come in pairs", run, mine)
    wrong("come in pairs", guidance_choice, None, None, [str(mine)])
    wrong("second map of its picture", run, mine, mine, mine)
    wrong("leave one of the two out", guidance_choice, "parser", mine, [str(mine)])
    wrong("did you mean 'clusters'", GuidanceChoice, "cluster", error=UnknownName)
    cv2.imwrite(str(mine), np.random.default_rng(0).integers(0, 255, (40, 60, 3), np.uint8))
    wrong("me.png has 2400 colours: paint up to 16", run, mine, mine)


def test_what_cannot_guide_is_refused(encoder, content, painting, guidance):
    paint, options = Semantic(encoder).stylize_regions, SemanticOptions(**QUICK, guidance=guidance)
    wrong("soft masks of 1 style pictures, but 2 were given", paint, content, [painting, painting], None, options)
    ones = torch.ones(2, 4, 4)
    wrong(r"content must be shaped \(2, height, width\)", Guidance, ("a", "b"), ones[:1], (ones,))
    wrong("style picture must hold numbers from 0 to 1", Guidance, ("a", "b"), ones, (ones * 2,))
    wrong("from 1 to 64 soft masks, not 0", Guidance, (), ones[:0], ())
    wrong("masks must be a whole number from 1", guidance.strongest, 0)
    wrong("gamma must be a number from 0", SemanticOptions, gamma=-1.0)
    wrong("rematch must be a whole number from 2", SemanticOptions, rematch=1)
    wrong("rotations must be a tuple of up to 8 numbers from -45 to 45", SemanticOptions, rotations=(90.0,))
    wrong("sizes must be a tuple of up to 8 numbers from 0.5 to 2", SemanticOptions, sizes=(0.1,))
    wrong("did you mean 'gamma'", options_from, "semantic", {"gama": 3}, error=UnknownName)


# --- looks and command line ----------------------------------------------------------------------------------------


def test_a_look_is_guided_by_the_parser(studio, astronaut, encoder, monkeypatch, tmp_path):
    """Photo and painting are the same portrait: what is not seen in this test is that auto means the parser."""
    path = tmp_path / "portrait.png"
    cv2.imwrite(str(path), cv2.cvtColor(astronaut[:256, 90:346], cv2.COLOR_RGB2BGR))
    portrait = studio.open(astronaut[:256, 90:346])
    look = Look({"everything": SegmentLook(str(path))})
    given: list[SemanticOptions] = []

    def stop(self, content, styles, masks, options, progress, watch):
        given.append(options)
        return content

    monkeypatch.setattr(Semantic, "stylize_regions", stop)
    for settings in ({}, {"guided_by": GuidanceChoice("clusters", parts=4)}, {"guidance": "none"}):
        options = options_from("semantic", {"side": 64, **settings})
        repaint = repaint_with(load_method("semantic", encoder), options, portrait, look)
        portrait.render(look, repaint=repaint)
    assert given[0].guidance.names == tuple(KINDS)
    assert given[1].guidance.names == tuple(f"part {k}" for k in range(1, 5))
    assert given[2].guidance is None


def test_the_command_line(tmp_path, capsys, astronaut):
    me, art, out = tmp_path / "me.png", tmp_path / "art.png", tmp_path / "out.png"
    cv2.imwrite(str(me), cv2.cvtColor(astronaut[40:136, 150:246], cv2.COLOR_RGB2BGR))
    cv2.imwrite(str(art), np.random.default_rng(0).integers(0, 255, (64, 64, 3), np.uint8))
    maps = [str(drawn_map(tmp_path / name, RED, BLUE, (32, 32))) for name in ("a.png", "b.png")]
    options = ["--method", "semantic", "--iterations", "6", "--gamma", "30", "--masks", "2"]
    options += ["--content-map", maps[0], "--style-map", f"{art}={maps[1]}", "--json", "-o", str(out)]
    with pytest.raises(SystemExit) as stop:
        main(["photo", str(me), "--style", str(art), *options])
    assert stop.value.code == 0
    assert json.loads(capsys.readouterr().out)["width"] == 96
    assert np.abs(cv2.imread(str(out)).astype(int) - cv2.imread(str(me))).mean() > 3


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (("--method", "semntic"), "did you mean 'semantic'?"),
        (("--method", "semantic", "--guidance", "parsr"), "did you mean 'parser'?"),
        (("--method", "semantic", "--gamma", "-3"), "gamma must be a number from 0"),
        (("--method", "gatys", "--gamma", "3"), "--gamma is for one method only: add --method semantic"),
        (("--guidance", "parser"), "--guidance is for one method only"),
        (("--method", "semantic", "--content-map", "x.png"), "Maps come in pairs"),
    ],
)
def test_mistakes_of_the_command_line(tmp_path, capsys, options, says):
    path = tmp_path / "me.png"
    cv2.imwrite(str(path), np.full((64, 64, 3), 90, np.uint8))
    with pytest.raises(SystemExit) as stop:
        main(["photo", str(path), "--style", "hair=candy", *options])
    assert stop.value.code == 2
    assert says in capsys.readouterr().err
    assert [entry.name for entry in tmp_path.iterdir()] == ["me.png"]
