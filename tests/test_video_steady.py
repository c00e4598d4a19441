"""What is carried from frame to frame: flow, filters over time, faces, strokes, masks."""

from __future__ import annotations

import copy
import math

import cv2
import numpy as np
import pytest

from selfieart.imaging.arrays import as_picture
from selfieart.masks import composite, select, soft_masks
from selfieart.parsing.faces import Face
from selfieart.parsing.parser import followed
from selfieart.render.compose import Part, part_masks
from selfieart.segments import GROUPS, INDEX
from selfieart.video.composition import blended, frame_masks, region_of
from selfieart.video.flow import Motion, at_size, flow_between, motion_between, occluded, reduced, warp
from selfieart.video.steady import (
    crispened,
    group_logits,
    steadied_logits,
    steadied_painting,
    warped_planes,
    without_faint_islands,
    without_holes,
)
from selfieart.video.strokes import FrameStylizer
from video_frames import bilinear, constant, still

# --- flow ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("thorough", [False, True])
@pytest.mark.parametrize("shift", [(3, -2), (-5, 4), (0, 1)])
def test_the_flow_of_a_known_translation(astronaut, shift, thorough):
    x, y = shift
    first, second = astronaut[100:260, 200:420], astronaut[100 - y : 260 - y, 200 - x : 420 - x]
    flow = flow_between(first, second, thorough)[16:-16, 16:-16]
    assert np.abs(np.median(flow, (0, 1)) - shift).max() < 0.05
    assert (np.abs(flow - shift).max(-1) < 0.5).mean() > 0.93


def test_equal_frames_have_no_flow_and_full_trust(texture):
    assert not flow_between(texture, texture.copy()).any()
    motion = motion_between(texture, texture.copy())
    assert (motion.trust == 1).all()
    assert (motion.unseen, motion.speed, motion.is_cut) == (0, 0, False)


@pytest.mark.parametrize("size", [(16, 16), (5, 40), (1, 1)])
def test_tiny_frames_have_a_flow(size):
    rng = np.random.default_rng(0)
    first, second = rng.integers(0, 255, (2, *size, 3), np.uint8)
    motion = motion_between(first, second)
    assert motion.back.shape == (*size, 2)
    assert np.isfinite(motion.back).all()


def test_occlusion_by_the_formula_pixel_by_pixel():
    rng = np.random.default_rng(3)
    # Quarters, because OpenCV rounds positions to 1/32 pixel.
    forward, backward = (rng.integers(-8, 9, (2, 9, 11, 2)) / 4).astype(np.float32)
    backward[3:7, 2:8] = -forward[3:7, 2:8]
    expected = np.empty((9, 11), bool)
    for y in range(9):
        for x in range(11):
            f = forward[y, x]
            b = bilinear(backward, x + f[0], y + f[1])
            differ = ((f + b) ** 2).sum() > 0.01 * ((f**2).sum() + (b**2).sum()) + 0.5
            outside = not (-0.5 <= x + f[0] <= 10.5 and -0.5 <= y + f[1] <= 8.5)
            expected[y, x] = differ or outside
    assert 0.1 < expected.mean() < 0.95
    assert np.array_equal(occluded(forward, backward), expected)


def test_warping_along_no_flow_is_the_identity_and_along_whole_pixels_a_shift(texture):
    planes = texture.astype(np.float32) / 255
    height, width = texture.shape[:2]
    for how in (cv2.INTER_NEAREST, cv2.INTER_LINEAR, cv2.INTER_CUBIC):
        assert np.array_equal(warp(planes, constant((0, 0), height, width), how), planes)
        moved = warp(planes, constant((3, -2), height, width), how)
        assert np.array_equal(moved[5:-5, 5:-5], np.roll(planes, (2, -3), (0, 1))[5:-5, 5:-5])


def test_a_flow_at_another_size_counts_in_its_pixels():
    flow = constant((2, -1), 10, 20)
    assert np.allclose(at_size(flow, 30, 40), (4, -3))
    assert at_size(flow, 10, 20) is flow


def test_what_the_frame_before_did_not_show_is_not_trusted(texture):
    covered = texture.copy()
    covered[60:100, 80:130] = (255, 0, 255)
    trust = motion_between(covered, texture).trust
    assert trust[65:95, 85:125].max() < 0.05
    assert trust[:40].mean() > 0.95


def test_another_scene_is_a_cut_and_a_shake_is_none(astronaut):
    frame = reduced(astronaut[:256])
    assert motion_between(frame, np.ascontiguousarray(frame[::-1])).is_cut
    assert motion_between(frame, reduced(255 - astronaut[:256])).is_cut
    assert not motion_between(frame, np.ascontiguousarray(np.roll(frame, (4, -9), (0, 1)))).is_cut


# --- filters over time ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("tau", [0.5, 3.0])
def test_masks_of_groups_are_sums_of_the_masks_of_their_classes(logits, tau):
    groups = [GROUPS["face"], frozenset({INDEX["hair"]}), GROUPS["everything"] - GROUPS["face"] - {INDEX["hair"]}]
    masks = soft_masks(group_logits(logits, groups, tau), tau)
    expected = np.stack([select(soft_masks(logits, tau), sorted(group)) for group in groups])
    assert np.allclose(masks, expected, atol=1e-5)
    assert masks.dtype == np.float32


def test_binary_masks_of_groups(logits):
    groups = [GROUPS["face"], GROUPS["everything"] - GROUPS["face"]]
    masks = soft_masks(group_logits(logits, groups, math.inf), math.inf)
    expected = np.isin(logits.argmax(0), sorted(GROUPS["face"]))
    assert np.array_equal(masks[0].astype(bool), expected)


def test_small_holes_in_a_person_are_closed_and_nothing_else():
    labels = np.zeros((60, 60), np.int64)
    labels[10:60, 10:50] = INDEX["clothes"]
    labels[20:23, 20:24] = 0  # a hole
    labels[30:45, 25:40] = 0  # an arm on the hip
    labels[58:60, 30:32] = 0  # at the border of the picture
    logits = np.where(labels[None] == np.arange(19)[:, None, None], 5.0, -5.0).astype(np.float32)
    closed = without_holes(logits).argmax(0)
    expected = labels.copy()
    expected[20:23, 20:24] = closed[21, 21]
    assert closed[21, 21] != 0
    assert np.array_equal(closed, expected)
    assert np.array_equal(without_holes(logits[:, :10]), logits[:, :10])


def test_faint_islands_are_gone_and_soft_borders_stay():
    masks = np.full((2, 30, 40), 1e-6, np.float32)
    masks[0, 5:15, 5:15] = 0.97
    masks[0, 5:15, 15:18] = 0.04  # the soft border of it
    masks[0, 20:24, 30:34] = 0.3  # nowhere likely
    masks[1] = 1 - masks[0]
    cleaned = soft_masks(without_faint_islands(np.log(masks) / 3, 3.0), 3.0)
    expected = masks.copy()
    expected[0, 20:24, 30:34], expected[1, 20:24, 30:34] = 0, 1
    assert np.allclose(cleaned, expected, atol=1e-5)


def test_filtered_logits_are_the_weighted_mean_along_the_motion():
    previous, fresh = np.random.default_rng(0).standard_normal((2, 3, 20, 24), np.float32)
    motion = Motion(constant((2, 1), 20, 24), np.full((20, 24), 0.5, np.float32))
    out = steadied_logits(fresh, previous, motion, 1.0)
    share = 0.5 * 0.7
    expected = (1 - share) * fresh[:, :19, :22] + share * previous[:, 1:, 2:]
    assert np.allclose(out[:, :19, :22], expected, atol=1e-5)
    assert np.array_equal(steadied_logits(fresh, previous, motion, 0.0), fresh)
    assert np.array_equal(warped_planes(previous, motion)[:, :19, :22], previous[:, 1:, 2:])
    assert out.dtype == np.float32


def test_the_feedback_of_a_painting():
    rng = np.random.default_rng(5)
    fresh, previous = (
        np.concatenate([c, np.ones_like(c[..., :1])], -1) for c in rng.random((2, 12, 16, 3), np.float32)
    )
    previous[:, :4, 3] = 0  # was not painted
    out = steadied_painting(fresh, previous, still(12, 16, 0.8), 0.5)
    expected = 0.4 * previous[..., :3] + 0.6 * fresh[..., :3]
    assert np.allclose(out[:, 4:, :3], expected[:, 4:], atol=1e-6)
    assert np.array_equal(out[:, :4], fresh[:, :4])
    # Feedback never takes all, or a picture would stay for ever.
    most = steadied_painting(fresh, previous, still(12, 16), 1.0)
    assert np.allclose(most[:, 4:, :3], 0.9 * previous[:, 4:, :3] + 0.1 * fresh[:, 4:, :3], atol=1e-6)
    assert np.array_equal(steadied_painting(fresh, previous, still(12, 16, 0.0), 1.0), fresh)


def test_mixing_does_not_cost_detail():
    rng = np.random.default_rng(6)
    one, other = 0.5 + 0.1 * rng.standard_normal((2, 64, 64, 3)).astype(np.float32)
    mixed = 0.5 * (one + other)

    def energy(x: np.ndarray) -> float:
        return float(np.square(x - cv2.GaussianBlur(x, (0, 0), 1.0)).mean())

    assert energy(mixed) == pytest.approx(0.5 * energy(one), rel=0.1)
    assert energy(crispened(mixed, one)) == pytest.approx(energy(one), rel=0.1)
    assert crispened(one, one) is one
    assert energy(crispened(cv2.GaussianBlur(one, (0, 0), 3), one)) < energy(one)  # what is gone is not made up


# --- faces ---------------------------------------------------------------------------------------------------------


def test_faces_follow_their_tracks():
    seen = Face(100, 50, 40, 178, 300)
    track = Face(104, 54, 44, -178, 340)
    (out,) = followed([seen], [track])
    assert (out.x, out.y, out.side, out.area) == (102, 52, 42, 320)
    assert abs(out.angle) == pytest.approx(180)
    assert followed([seen], []) == [seen]


def test_a_new_face_is_taken_as_it_is_and_a_lost_track_is_looked_for():
    small, large = Face(30, 30, 20, 0, 80), Face(100, 50, 40, 0, 300)
    assert followed([small], [large]) == [large, small]
    near = Face(33, 30, 20, 0, 80)
    assert [f.x for f in followed([large, small], [near])] == [100, 31.5]


def test_the_packaged_parser_follows_faces(studio, astronaut):
    picture = as_picture(astronaut[:288, 64:400])
    one_way = copy.copy(studio.parser)
    one_way.both_ways = False
    plain = one_way.parse(picture)
    assert np.array_equal(studio.parser.parse_following(picture, ()).logits, plain.logits)
    (face,) = studio.parser.parse_following(picture, plain.faces).faces
    assert math.dist((face.x, face.y), (plain.faces[0].x, plain.faces[0].y)) < 3
    # What was taken for a face where there is none is looked at, and dropped.
    ghost = Face(290, 60, 80, 0, 1200)
    assert len(studio.parser.parse_following(picture, [*plain.faces, ghost]).faces) == 1


def test_half_precision_parses_alike(studio, astronaut):
    picture = as_picture(astronaut[:288, 64:400])
    half = studio.parser.in_precision("fast")
    assert studio.parser.in_precision("exact") is studio.parser
    plain, fast = studio.parser.parse(picture), half.parse(picture)
    assert (plain.logits.argmax(0) == fast.logits.argmax(0)).mean() > 0.995
    assert len(fast.faces) == 1


# --- the network ---------------------------------------------------------------------------------------------------


def test_alone_each_style_is_painted_as_if_it_had_the_frame_for_itself(stylizer, astronaut):
    """Far from the border between two styles the one pass gives what one pass per style gives."""
    frame = cv2.resize(astronaut, (480, 96), interpolation=cv2.INTER_AREA)
    shares = np.zeros((2, 96, 480), np.float32)
    shares[0, :, :240], shares[1, :, 240:] = 1, 1
    codes = np.stack([stylizer.encode("candy"), stylizer.encode("wave")])
    both = FrameStylizer(stylizer.network, codes, 0, alone=True)
    box = (0, 0, 96, 480)
    together = both.paint(frame, shares, both.record(frame, None), box)
    for place, code in enumerate(codes):
        one = FrameStylizer(stylizer.network, code[None], 0, alone=True)
        alone = one.paint(frame, None, one.record(frame, None), box)
        side = np.s_[:, :110] if place == 0 else np.s_[:, -110:]
        assert np.abs(together[side] - alone[side]).mean() < 1.5 / 255


@pytest.mark.parametrize("region", [(150, 200, 190, 260), (0, 0, 30, 40), (100, 390, 300, 480)])
def test_a_region_is_painted_as_in_the_whole_frame(stylizer, astronaut, region):
    frame = cv2.resize(astronaut, (480, 320), interpolation=cv2.INTER_AREA)
    brush = FrameStylizer(stylizer.network, stylizer.encode("candy")[None], 0, alone=True)
    moments = brush.record(frame, None)
    whole = brush.paint(frame, None, moments, (0, 0, 320, 480))
    part = brush.paint(frame, None, moments, region)
    top, left, bottom, right = region
    here = np.s_[top:bottom, left:right]
    assert np.abs(part[here] - whole[here]).mean() < 1 / 255
    assert (part[here][..., 3] == 1).all()
    assert part.sum() == pytest.approx(part[here].sum())


# --- masks and layers ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("tau", [1.0, 3.0, math.inf])
def test_masks_of_a_frame_are_those_of_a_photo(portrait, parsing, astronaut, tau):
    kept = [GROUPS["head"], GROUPS["body"]]
    bare = GROUPS["everything"] - GROUPS["person"]
    expected = part_masks(astronaut, parsing, [Part(classes, None, feather=2.0) for classes in kept], tau)
    box = (40, 60, 400, 420)
    logits = group_logits(parsing.logits, [*kept, bare], tau)
    masks = frame_masks(astronaut, parsing.guide, logits, tau, box, [2.0, 2.0, 0.0])
    assert np.allclose(masks.sum(0), np.ones((360, 360)), atol=1e-4)
    assert np.abs(masks - expected[:, 40:400, 60:420]).mean() < 0.012
    assert masks.dtype == np.float32


def test_the_region_of_masks():
    masks = np.zeros((2, 10, 20), np.float32)
    assert region_of(masks, 100, 200, 3) is None
    masks[1, 4, 7] = 0.5
    top, left, bottom, right = region_of(masks, 100, 200, 3)
    assert top <= 37 and left <= 67 and bottom >= 53 and right >= 83
    assert (bottom - top) * (right - left) < 500
    assert region_of(np.ones((1, 10, 20), np.float32), 100, 200, 3) == (0, 0, 100, 200)


def test_blending_in_bytes_is_equation_6():
    rng = np.random.default_rng(0)
    content, first, second, third = rng.integers(0, 256, (4, 40, 50, 3), np.uint8)
    weights = rng.dirichlet((1, 1, 1, 1), (40, 50)).astype(np.float32).transpose(2, 0, 1)
    weights[:, :10], weights[0, :10] = 0, 1
    weights[:, 10:20], weights[2, 10:20] = 0, 1
    out = blended(content, list(zip((first, second, third), weights[1:], strict=True)))
    pictures = [as_picture(p) for p in (first, second, third)]
    expected = composite(as_picture(content), pictures, list(weights[1:])) * 255
    assert np.abs(as_picture(out) * 255 - expected).max() < 2
    assert np.array_equal(out[:10], content[:10])
    assert np.array_equal(out[10:20], second[10:20])
