"""Parsers: one contract for all of them, and the packaged ones on photos."""

from __future__ import annotations

import itertools
import math

import cv2
import numpy as np
import pytest
from scipy.special import softmax
from skimage import data

from conftest import is_one_sentence
from parsing_drawings import HEAD, PALETTE, drawing, overlap, perfect_parser
from selfieart.errors import SelfieartError, UnknownName
from selfieart.imaging.arrays import as_picture
from selfieart.imaging.resize import resize
from selfieart.masks import binary_masks
from selfieart.parsing.faces import Face
from selfieart.parsing.parser import Parser
from selfieart.parsing.parsing import Parsing, strips_of
from selfieart.parsing.registry import FACE_NETWORKS, load_parser, parsers
from selfieart.segments import GROUPS, INDEX, NAMES, PAIRS

# --- what every parser keeps to ------------------------------------------------------------------------------------


class Case:
    """Inherit, and set ``case``: a parser, a photo (H, W, 3) uint8 with one upright head, and its parsing."""

    case: tuple[Parser, np.ndarray, Parsing]

    @pytest.fixture
    def parser(self) -> Parser:
        return self.case[0]

    @pytest.fixture
    def photo(self) -> np.ndarray:
        return self.case[1]

    @pytest.fixture
    def parsed(self) -> Parsing:
        return self.case[2]


class ParserContract(Case):
    """What every parser keeps to."""

    def test_the_same_picture_gives_the_same_parsing(self, parser, photo, parsed):
        picture = as_picture(photo)
        again = parser.parse(picture)
        assert np.array_equal(again.logits, parsed.logits)
        assert again.faces == parsed.faces
        assert np.array_equal(picture, as_picture(photo))

    @pytest.mark.parametrize("size", [(8, 8), (8, 120), (37, 53), (211, 9)])
    def test_any_picture_of_any_size(self, parser, size):
        noise = np.random.default_rng(0).integers(0, 256, (*size, 3), dtype=np.uint8)
        for pixels in (noise, np.zeros_like(noise), np.full_like(noise, 255)):
            parsing = parser.parse(as_picture(pixels))
            assert np.isfinite(parsing.logits).all()
            assert (parsing.height, parsing.width) == size
            labels = parsing.labels(pixels)
            assert labels.shape == size
            assert labels.max() < len(NAMES)

    @pytest.mark.parametrize("size", [(7, 100), (100, 7), (1, 1)])
    def test_a_picture_too_small_is_refused(self, parser, size):
        with pytest.raises(SelfieartError, match=f"{size[1]}x{size[0]} pixels, too small to parse") as error:
            parser.parse(np.zeros((3, *size), np.float32))
        assert is_one_sentence(str(error.value))

    @pytest.mark.parametrize("faces", [0, -1, True, "some", "", None, 1.0])
    def test_a_number_of_faces_that_makes_no_sense_is_refused(self, parser, photo, faces):
        with pytest.raises(SelfieartError, match="faces must be 'all', 'largest' or a number from 1") as error:
            parser.parse(as_picture(photo), faces)
        assert is_one_sentence(str(error.value))

    @pytest.mark.parametrize("tau", [0.2, 3.0, math.inf])
    def test_masks_sum_to_one_at_any_size(self, parsed, tau):
        for size in (None, (50, 70), (110, 101)):
            masks = parsed.masks(tau, size)
            assert masks.shape[1:] == (size or parsed.logits.shape[1:])
            assert np.allclose(masks.sum(0), 1, rtol=0, atol=1e-5)
        own = softmax(tau * parsed.logits, 0) if tau < math.inf else binary_masks(parsed.logits)
        assert np.allclose(parsed.masks(tau), own, rtol=0, atol=1e-5)

    def test_labels_are_the_most_likely_classes_strip_by_strip(self, parsed, photo):
        height = photo.shape[0]
        whole = parsed.logits_rows(as_picture(photo), 0, height)
        edges = [*range(0, height, 61), height]
        strips = [parsed.logits_rows(as_picture(photo[a:b]), a, b) for a, b in itertools.pairwise(edges)]
        assert np.allclose(np.concatenate(strips, 1), whole, rtol=0, atol=1e-3)
        assert (parsed.labels(photo) == whole.argmax(0)).mean() > 0.9999

    @pytest.mark.parametrize("size", [(0, 5), (5, -1)])
    def test_masks_of_no_size_are_refused(self, parsed, size):
        with pytest.raises(SelfieartError, match="at least one pixel a side") as error:
            parsed.masks(3.0, size)
        assert is_one_sentence(str(error.value))

    def test_labels_of_another_picture_are_refused(self, parsed, photo):
        with pytest.raises(SelfieartError, match="give the picture that was parsed"):
            parsed.labels(photo[1:])


class FaceContract(Case):
    """What parsers that know faces keep to as well."""

    def test_the_face_is_found_and_counted(self, parser, photo, parsed):
        assert len(parsed.faces) == 1
        face = parsed.faces[0]
        assert NAMES[parsed.labels(photo)[int(face.y), int(face.x)]] in ("nose", "skin")
        for faces in ("largest", 1, 2):
            same = parser.parse(as_picture(photo), faces)
            assert same.faces == parsed.faces
            assert np.array_equal(same.logits, parsed.logits)

    def test_faces_are_measured_in_pixels_of_the_whole_picture(self, parser, photo, parsed):
        tripled = parser.parse(resize(as_picture(photo), (3 * photo.shape[0], 3 * photo.shape[1]), "cubic").clip(0, 1))
        for face in (tripled.faces[0], parsed.at_size(tripled.height, tripled.width).faces[0]):
            expected = parsed.faces[0].scaled(3)
            assert math.hypot(face.x - expected.x, face.y - expected.y) < 0.06 * expected.side
            assert face.side == pytest.approx(expected.side, rel=0.15)
            assert face.angle == pytest.approx(expected.angle, abs=12)


@pytest.fixture(scope="module")
def perfect_case() -> tuple[Parser, np.ndarray, Parsing]:
    parser, photo = perfect_parser(), PALETTE[drawing(200, 230, (110, 90, 45, 8))]
    return parser, photo, parser.parse(as_picture(photo))


@pytest.fixture(scope="module", params=parsers())
def packaged_case(request: pytest.FixtureRequest, astronaut: np.ndarray) -> tuple[Parser, np.ndarray, Parsing]:
    parser, photo = load_parser(request.param), np.ascontiguousarray(astronaut[:240, 96:352])
    return parser, photo, parser.parse(as_picture(photo))


class TestPerfectParser(ParserContract, FaceContract):
    @pytest.fixture(autouse=True)
    def _case(self, perfect_case):
        self.case = perfect_case


class TestPackagedParsers(ParserContract):
    @pytest.fixture(autouse=True)
    def _case(self, packaged_case):
        self.case = packaged_case

    def test_it_is_loaded_once(self, parser):
        assert load_parser(parser.name) is parser

    @pytest.mark.parametrize("gain", [0.6, 1.25])
    def test_brightness_hardly_matters(self, parser, photo, parsed, gain):
        other = (photo * gain).clip(0, 255).astype(np.uint8)
        assert (parser.parse(as_picture(other)).labels(other) == parsed.labels(photo)).mean() > 0.95


@pytest.fixture(scope="module", params=FACE_NETWORKS)
def packaged_face_case(request, astronaut: np.ndarray) -> tuple[Parser, np.ndarray, Parsing]:
    parser, photo = load_parser(request.param), np.ascontiguousarray(astronaut[:240, 96:352])
    return parser, photo, parser.parse(as_picture(photo))


class TestPackagedFaceParser(FaceContract):
    @pytest.fixture(autouse=True)
    def _case(self, packaged_face_case):
        self.case = packaged_face_case

    def test_left_and_right_change_places_in_a_mirror(self, parser, photo, parsed):
        mirrored = np.ascontiguousarray(photo[:, ::-1])
        seen = parser.parse(as_picture(mirrored))
        swap = np.arange(len(NAMES))
        for a, b in PAIRS:
            swap[a], swap[b] = b, a
        labels, back = parsed.labels(photo), swap[seen.labels(mirrored)[:, ::-1]]
        assert (back == labels).mean() > 0.93
        for name in ("hair", "skin", "nose", "left-eye", "right-eye"):
            assert overlap(labels == INDEX[name], back == INDEX[name]) > 0.5, name
        assert seen.faces[0].angle == pytest.approx(-parsed.faces[0].angle, abs=12)
        assert seen.faces[0].x == pytest.approx(photo.shape[1] - parsed.faces[0].x, abs=6)


def test_segnet_sees_the_person_that_the_face_parser_sees(astronaut):
    photo = np.ascontiguousarray(astronaut[:, 60:440])
    seen = {name: load_parser(name).parse(as_picture(photo)).labels(photo) != INDEX["background"] for name in parsers()}
    segnet = seen.pop("segnet")
    for name, person in seen.items():
        assert overlap(person, segnet) > 0.75, name


def test_an_unknown_parser_is_refused():
    with pytest.raises(UnknownName, match="did you mean 'bisenet'"):
        load_parser("bisnet")


def test_strips_cover_every_row_once():
    for height, width, planes in ((1, 1, 1), (100, 7, 19), (4000, 6000, 19), (5, 10**7, 19)):
        strips = list(strips_of(height, width, planes))
        assert [row for a, b in strips for row in range(a, b)] == list(range(height))


# --- the packaged parser on photos ---------------------------------------------------------------------------------


def near(face: Face, x: float, y: float, distance: float) -> bool:
    return math.hypot(face.x - x, face.y - y) < distance


def test_the_astronauts_face(parsing, labels):
    (face,) = parsing.faces
    assert near(face, 224, 126, 12)
    assert abs(face.angle) < 15
    assert 150 < face.side < 240
    for name, (x, y) in {"nose": (222, 125), "hair": (220, 35), "clothes": (150, 330), "background": (320, 60)}.items():
        assert NAMES[labels[y, x]] == name
    # Left is the person's own: on the right of the picture.
    eyes = [np.nonzero(labels == INDEX[name])[1].mean() for name in ("right-eye", "left-eye")]
    assert eyes[0] < face.x < eyes[1]


@pytest.mark.parametrize("tilt", [35, -35])
def test_a_tilted_head(studio, astronaut, parsing, labels, tilt):
    upright = parsing.faces[0]
    turn = cv2.getRotationMatrix2D((upright.x - 0.5, upright.y - 0.5), tilt, 1)
    turned = cv2.warpAffine(astronaut, turn, (512, 512), borderMode=cv2.BORDER_REPLICATE)
    portrait = studio.open(turned)
    face = next(face for face in portrait.parsing().faces if near(face, upright.x, upright.y, 15))
    assert face.angle == pytest.approx(upright.angle + tilt, abs=12)
    flags = cv2.INTER_NEAREST | cv2.WARP_INVERSE_MAP
    back = cv2.warpAffine(portrait.parsing().labels(turned), turn, (512, 512), flags=flags)
    ys, xs = np.indices(labels.shape)
    round_the_head = np.hypot(xs - upright.x, ys - upright.y) < 0.6 * upright.side
    for name in ("hair", "skin"):
        assert overlap((labels == INDEX[name]) & round_the_head, (back == INDEX[name]) & round_the_head) > 0.6, name


def test_two_astronauts(studio, astronaut, labels):
    part = np.s_[:290, 64:384]
    twins = np.hstack([astronaut[part], astronaut[part]])
    portrait = studio.open(twins)
    faces = portrait.parsing().faces
    assert len(faces) == 2
    assert all(any(near(face, x, 126, 12) for face in faces) for x in (160, 480))
    (kept,) = portrait.parsing(1).faces
    assert kept == faces[0]
    shown = np.isin(portrait.parsing(1).labels(twins)[:230], HEAD)
    heads = [shown[:, :320].sum(), shown[:, 320:].sum()][:: 1 if kept.x < 320 else -1]
    one = np.isin(labels[part][:230], HEAD).sum()
    assert heads[0] == pytest.approx(one, rel=0.1)
    assert heads[1] < 0.05 * one


def test_a_small_astronaut(studio, astronaut):
    canvas = np.full((900, 900, 3), 128, np.uint8)
    canvas[350:590, 350:590] = cv2.resize(astronaut, (240, 240), interpolation=cv2.INTER_AREA)
    faces = studio.open(canvas).parsing().faces
    assert any(near(face, 350 + 224 * 240 / 512, 350 + 126 * 240 / 512, 12) for face in faces)


@pytest.mark.parametrize("name", ["rocket", "brick", "grass"])
def test_a_picture_without_a_face(studio, name):
    portrait = studio.open(getattr(data, name)())
    assert portrait.parsing().faces == ()
    labels = portrait.parsing().labels(portrait.photo.pixels)
    assert not np.isin(labels, sorted(GROUPS["eyes"] | GROUPS["lips"])).any()
    assert (labels == INDEX["background"]).any()
