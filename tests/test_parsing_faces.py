"""Faces: their geometry, and the machinery that crops and fuses, with drawings and a perfect network."""

from __future__ import annotations

import math

import numpy as np
import pytest

from parsing_drawings import FEATURES, HEAD, PALETTE, PerfectNet, drawing, overlap, parse_drawing, perfect_parser
from selfieart.imaging.arrays import FloatArray, as_picture
from selfieart.parsing.cleanup import features_in_faces
from selfieart.parsing.faces import Face, find_faces
from selfieart.parsing.parser import FaceParser, InputContract
from selfieart.segments import INDEX, NAMES

# --- geometry of a face --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("angle", [0.0, 20.0, -50.0, 170.0])
def test_the_matrix_of_a_face_makes_it_upright(angle):
    face, size = Face(70.0, 55.5, 80.0, angle, 1000.0), 160
    matrix = face.matrix(size).astype(np.float64)
    linear = matrix[:, :2]
    np.testing.assert_allclose(linear.T @ linear, (size / face.side) ** 2 * np.eye(2), atol=1e-4)
    assert np.linalg.det(linear) > 0
    np.testing.assert_allclose(matrix @ [face.x - 0.5, face.y - 0.5, 1], [size / 2 - 0.5] * 2, atol=1e-3)
    up = np.array([-math.sin(math.radians(angle)), -math.cos(math.radians(angle))])
    np.testing.assert_allclose(linear @ up, [0, -size / face.side], atol=1e-4)
    # Twice the picture has the same crop; its pixel centres lie at 2 (x + 0.5) - 0.5.
    np.testing.assert_allclose(
        face.scaled(2).matrix(size) @ [2 * 10 + 0.5, 2 * 3 + 0.5, 1], matrix @ [10, 3, 1], atol=1e-2
    )


def exact(labels: np.ndarray) -> np.ndarray:
    return (labels == np.arange(len(NAMES))[:, None, None]).astype(np.float32)


@pytest.mark.parametrize("tilt", [0, 25, -25, 90, -120, 179])
def test_find_faces_measures_a_drawing(tilt):
    (face,) = find_faces(exact(drawing(160, 200, (90, 80, 40, tilt))))
    area = math.pi * 0.8 * 40**2
    assert (face.x, face.y) == pytest.approx((90, 80), abs=0.5)
    assert (face.angle - tilt + 180) % 360 - 180 == pytest.approx(0, abs=1.5)
    assert face.area == pytest.approx(area, rel=0.02)
    assert face.side == pytest.approx(2.2 * math.sqrt(area), rel=0.02)


def test_find_faces_tells_them_apart():
    apart = find_faces(exact(drawing(160, 400, (80, 80, 30, 0), (200, 80, 50, 10), (330, 80, 40, -10))))
    assert [round(face.x / 10) for face in apart] == [20, 33, 8]
    cheek_to_cheek = drawing(160, 300, (100, 80, 40, 0), (163, 80, 40, 0))
    assert sorted(round(face.x / 10) for face in find_faces(exact(cheek_to_cheek))) == [10, 16]


def test_find_faces_wants_features():
    assert not find_faces(exact(drawing(160, 200, (90, 80, 40, 0), features=False)))
    assert not find_faces(exact(np.zeros((50, 60), np.uint8)))
    assert not find_faces(exact(drawing(160, 200, (90, 80, 1.5, 0))))


# --- the machinery round the network -------------------------------------------------------------------------------


@pytest.mark.parametrize("tilt", [0, 35, -35, 100])
def test_a_drawn_portrait_is_parsed_exactly(tilt):
    drawn = drawing(300, 420, (180, 130, 60, tilt))
    labels, (face,) = parse_drawing(drawn)
    assert (labels == drawn).mean() > 0.98
    for name, *_ in FEATURES:
        assert overlap(labels == INDEX[name], drawn == INDEX[name]) > 0.75, name
    assert (face.x, face.y) == pytest.approx((180, 130), abs=2)
    assert (face.angle - tilt + 180) % 360 - 180 == pytest.approx(0, abs=3)


def test_a_small_head_in_a_large_picture_is_parsed_from_its_crop():
    drawn = drawing(500, 640, (450, 130, 22, -20))
    labels, (face,) = parse_drawing(drawn)
    assert (face.x, face.y) == pytest.approx((450, 130), abs=2)
    for name in ("hair", "skin", "left-eye", "right-eye", "nose"):
        assert overlap(labels == INDEX[name], drawn == INDEX[name]) > 0.6, name


def test_heads_that_take_no_part_become_background():
    drawn = drawing(300, 700, (150, 120, 60, 0), (360, 140, 50, 15), (560, 120, 40, -15))
    for faces, left in (("all", 3), (2, 2), ("largest", 1)):
        labels, found = parse_drawing(drawn, faces)
        assert [round(face.x / 10) for face in found] == [15, 36, 56][:left]
        for index, columns in enumerate((slice(60, 240), slice(290, 430), slice(500, 620))):
            shown = np.isin(labels[:, columns], HEAD).sum() / np.isin(drawn[:, columns], HEAD).sum()
            assert shown == pytest.approx(1, abs=0.03) if index < left else shown < 0.03


class ShortSighted(PerfectNet):
    """Sees nothing where hair is less than a 700th of what is shown."""

    def logits(self, image: FloatArray) -> FloatArray:
        logits = super().logits(image)
        if (logits.argmax(1) == INDEX["hair"]).mean() < 1 / 700:
            logits[:, INDEX["background"]] += 1000
        return logits


@pytest.mark.parametrize(("x", "y"), [(1100, 300), (250, 1250), (750, 750)])
def test_a_face_too_small_for_the_frame_is_seen_from_near(x, y):
    picture = as_picture(PALETTE[drawing(1500, 1500, (x, y, 30, 0))])
    parser = FaceParser(ShortSighted(), InputContract((0, 0, 0), (1, 1, 1), 32), "short-sighted", both_ways=False)
    (face,) = parser.parse(picture).faces
    assert math.hypot(face.x - x, face.y - y) < 10
    # In videos time is short, and a face that was seen once is followed.
    assert parser.parse_following(picture, ()).faces == ()


def test_features_are_only_in_faces():
    """A drop of lips on the clothes and an eye in the sky are no features; those of the face are."""
    labels = drawing(400, 500, (250, 130, 45, 0))
    labels[330:345, 230:260] = INDEX["upper-lip"]
    labels[40:52, 420:440] = INDEX["left-eye"]
    read, faces = parse_drawing(labels)
    assert len(faces) == 1
    assert not np.isin(read[330:345, 230:260], [INDEX["upper-lip"]]).any()
    assert not np.isin(read[40:52, 420:440], [INDEX["left-eye"]]).any()
    assert overlap(read[:240] == INDEX["upper-lip"], labels[:240] == INDEX["upper-lip"]) > 0.6


def test_crops_are_fused_without_a_seam():
    """On crops only, one class gets 5 more: the fused plane must rise by 5 in the face and fade out without a step."""
    picture = as_picture(PALETTE[drawing(400, 500, (250, 170, 45, 30))])
    plain, biased = (perfect_parser(bias).parse(picture) for bias in (0.0, 5.0))
    (face,) = plain.faces
    risen = (biased.logits - plain.logits)[INDEX["earring"]]
    assert risen[int(face.y), int(face.x)] == pytest.approx(5, abs=0.01)
    ys, xs = np.indices(risen.shape) + 0.5
    assert np.abs(risen[np.hypot(xs - face.x, ys - face.y) > face.side * 0.71]).max() == 0
    steepest = 5 * math.pi / 2 / (0.18 * face.side)
    for axis in (0, 1):
        assert np.abs(np.diff(risen, axis=axis)).max() < 1.5 * steepest


class OneEyed(PerfectNet):
    """On crops, a left eye gets 10 more in the left half."""

    def logits(self, image: FloatArray) -> FloatArray:
        logits = super().logits(image)
        if image.shape[-2:] == (448, 448):
            logits[:, INDEX["left-eye"], :, : logits.shape[-1] // 2] += 10
        return logits


def test_a_face_is_seen_in_the_mirror_too():
    """There the left half is the right half, and a left eye a right one; the mean of both is kept, not in videos."""
    picture = as_picture(PALETTE[drawing(400, 500, (250, 170, 45, 0))])
    contract = InputContract((0, 0, 0), (1, 1, 1), 32)
    plain, odd = (FaceParser(net(), contract, "drawn") for net in (PerfectNet, OneEyed))
    for parse, left, right in (("parse", 5, 5), ("parse_following", 10, 0)):
        arguments = (picture,) if parse == "parse" else (picture, ())
        first, second = (getattr(parser, parse)(*arguments) for parser in (plain, odd))
        (face,) = first.faces
        y, x, aside = round(face.y), round(face.x), round(face.side * 0.15)
        risen = second.logits - first.logits
        assert risen[INDEX["left-eye"], y, x - aside] == pytest.approx(left, abs=0.01)
        assert risen[INDEX["left-eye"], y, x + aside] == pytest.approx(0, abs=0.01)
        assert risen[INDEX["right-eye"], y, x + aside] == pytest.approx(right, abs=0.01)
        assert risen[INDEX["right-eye"], y, x - aside] == pytest.approx(0, abs=0.01)


def test_features_end_softly_round_a_face():
    """Nothing is taken from them in the face's square, everything far away, and in between there is no step."""
    face = Face(60, 50, 40, 0, 400)
    logits = features_in_faces(np.zeros((len(NAMES), 100, 160), np.float32), [face])
    assert (logits[INDEX["hair"]] == 0).all()
    lips = logits[INDEX["upper-lip"]]
    assert (lips[30:70, 40:80] == 0).all()
    assert (lips[:, 120:] == -20).all()
    steps = max(float(np.abs(np.diff(lips, axis=axis)).max()) for axis in (0, 1))
    assert steps <= 20 * math.pi / 2 / (0.4 * face.side) + 1e-3


def test_without_a_face_there_are_no_features():
    logits = np.random.default_rng(0).normal(size=(len(NAMES), 8, 9)).astype(np.float32)
    seen = features_in_faces(logits.copy(), [])
    others = np.delete(np.arange(len(NAMES)), [INDEX["nose"]])
    assert (seen[INDEX["nose"]] <= seen[others].max(0) - 19.999).all()
    assert (seen[INDEX["hair"]] == logits[INDEX["hair"]]).all()
