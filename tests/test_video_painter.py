"""Clips painted frame by frame: what is kept between frames, and what a frame looks like."""

from __future__ import annotations

import math
from fractions import Fraction

import cv2
import numpy as np
import pytest
from safetensors.numpy import load, save

from conftest import is_one_sentence
from selfieart import SegmentLook
from selfieart.errors import SelfieartError
from selfieart.segments import INDEX
from selfieart.video.frame import Frame
from selfieart.video.painter import VideoPainter
from video_frames import TWO, clip, look, played


def test_frame_by_frame_knows_nothing_of_the_frames_before(studio, moving):
    painter = VideoPainter(studio, look(TWO), steadiness=0, parse_every=1)
    alone = [painter.paint(frame, painter.start())[0] for frame in moving[:3]]
    for together, one in zip(played(painter, moving[:3]), alone, strict=True):
        assert np.array_equal(together, one)


def test_painting_is_deterministic_and_leaves_the_state_alone(studio, moving):
    first = VideoPainter(studio, look(TWO))
    second = VideoPainter(studio, look(dict(reversed(TWO.items()))))
    once, again = played(first, moving), played(second, moving)
    assert all(np.array_equal(a, b) for a, b in zip(once, again, strict=True))
    _, state = first.paint(moving[0], first.start())
    before = {name: array.copy() for name, array in state.tensors().items()}
    for _ in range(2):
        assert np.array_equal(first.paint(moving[1], state)[0], once[1])
    assert all(np.array_equal(array, before[name]) for name, array in state.tensors().items())


def test_a_state_survives_a_file_bit_for_bit(studio, moving):
    painter = VideoPainter(studio, look({"head": "candy", "body": "#336699", "background": "wave"}))
    whole = played(painter, moving)
    state = painter.start()
    for frame in moving[:3]:
        _, state = painter.paint(frame, state)
    tensors = load(save(state.tensors()))
    other = VideoPainter(studio, look({"head": "candy", "body": "#336699", "background": "wave"}))
    rest = played(other, moving[3:], other.restore(tensors))
    assert all(np.array_equal(a, b) for a, b in zip(rest, whole[3:], strict=True))
    assert other.restore({}).tensors() == {}
    with pytest.raises(SelfieartError, match="does not know") as error:
        other.restore({"nonsense": np.zeros(1)})
    assert is_one_sentence(str(error.value))


@pytest.mark.parametrize("steadiness", [0.0, 0.7, 1.0])
def test_a_still_clip_stays_still(studio, person, steadiness):
    painter = VideoPainter(studio, look(TWO), steadiness)
    frames = played(painter, clip(*[person] * 9))
    assert all(np.array_equal(frame, frames[1]) for frame in frames[2:])
    assert np.abs(frames[0].astype(int) - frames[1]).mean() < 0.5


def test_a_cut_starts_anew(studio, moving):
    painter = VideoPainter(studio, look(TWO))
    state = painter.start()
    for frame in moving[:2]:
        _, state = painter.paint(frame, state)
    other = Frame(np.ascontiguousarray(255 - moving[0].pixels[::-1]), Fraction(2, 30), 2)
    after, state = painter.paint(other, state)
    fresh, expected = painter.paint(other, painter.start())
    assert np.array_equal(after, fresh)
    assert all(np.array_equal(array, expected.tensors()[name]) for name, array in state.tensors().items())


def test_another_size_starts_anew(studio, moving, astronaut):
    painter = VideoPainter(studio, look(TWO))
    _, state = painter.paint(moving[0], painter.start())
    larger = clip(astronaut[:100, :130])[0]
    assert np.array_equal(painter.paint(larger, state)[0], painter.paint(larger, painter.start())[0])


def test_parsing_only_now_and_then(drawn, drawn_labels):
    rng = np.random.default_rng(0)
    pixels = cv2.GaussianBlur(rng.integers(0, 255, (60, 90, 3), np.uint8), (0, 0), 2)
    frames = clip(*[np.roll(pixels, i // 4, 1) for i in range(9)])
    painter = VideoPainter(drawn, look({"hair": "#ff0000"}), parse_every=4)
    played(painter, frames)
    assert drawn.parser.calls == 3
    drawn.parser.calls = 0
    played(VideoPainter(drawn, look({"hair": "#ff0000"})), frames)
    assert drawn.parser.calls == 2
    drawn.parser.calls = 0
    played(VideoPainter(drawn, look({"hair": "#ff0000"})), clip(*[pixels] * 20))
    assert drawn.parser.calls == 1
    drawn.parser.calls = 0
    played(VideoPainter(drawn, look({"hair": "#ff0000"}), parse_every=1), frames)
    assert drawn.parser.calls == 9


def test_segments_move_with_the_picture_between_parsings(drawn, drawn_labels):
    rng = np.random.default_rng(1)
    pixels = cv2.GaussianBlur(rng.integers(0, 255, (60, 90, 3), np.uint8), (0, 0), 2)
    frames = clip(*[np.ascontiguousarray(np.roll(pixels, -2 * i, 1)) for i in range(4)])
    painter = VideoPainter(drawn, look({"skin": "#ff0000"}, tau=10), parse_every=100)
    red = (played(painter, frames)[-1] == (255, 0, 0)).all(-1)
    expected = np.roll(drawn_labels == INDEX["skin"], -6, 1)
    assert drawn.parser.calls == 1
    assert (red & expected).sum() / (red | expected).sum() > 0.8


# Near the border between two styles the one pass mixes them, and in a picture of 90 x 60 all is near it.
LOOKS = [
    (8, look({"person": SegmentLook("candy", 0.7, keep_color=0.8), "background": SegmentLook("wave", feather=3)})),
    (2, look({"hair": "#ff0000", "skin": SegmentLook("grey", strength=0.6), "background": "blur"})),
    (2, look({"head": SegmentLook("grey", keep_color=0.5), "clothes": "blur"}, tau=1)),
    (2, look({"hair": SegmentLook("#00ff00", feather=4), "background": SegmentLook("#0000ff", 0.5)}, tau=math.inf)),
    (2, look({"person": "original", "background": "#123456"})),
    (2, look({"person": "candy"})),
    (2, look({"hair": "candy", "clothes": "wave", "skin": "candy"}, blend="features")),
]


@pytest.mark.parametrize(("most", "worn"), LOOKS)
def test_a_frame_looks_like_the_photo(drawn, astronaut, most, worn):
    pixels = cv2.resize(astronaut[:320, :480], (90, 60), interpolation=cv2.INTER_AREA)
    photo = drawn.open(pixels).render(worn).pixels.astype(int)
    frames = played(VideoPainter(drawn, worn), clip(*[pixels] * 3))
    assert np.abs(frames[0] - photo).mean() < most
    assert np.abs(frames[2] - photo).mean() < most
    assert np.abs(photo - pixels).mean() > 2.5


def test_what_wears_nothing_is_the_video_bit_for_bit(drawn, drawn_labels, moving):
    pixels = cv2.resize(moving[0].pixels, (90, 60), interpolation=cv2.INTER_AREA)
    painter = VideoPainter(drawn, look({"hair": "candy", "background": "original"}))
    out = played(painter, clip(pixels, pixels))
    far = cv2.dilate(np.isin(drawn_labels, [INDEX["hair"]]).astype(np.uint8), np.ones((15, 15))) == 0
    for frame in out:
        assert np.array_equal(frame[far], pixels[far])
        assert not np.array_equal(frame, pixels)
    nothing = VideoPainter(drawn, look({"everything": "original"}))
    assert np.array_equal(played(nothing, clip(pixels))[0], pixels)


def test_a_segment_that_leaves_and_comes_back(drawn, drawn_labels, moving):
    pixels = cv2.resize(moving[0].pixels, (90, 60), interpolation=cv2.INTER_AREA)
    painter = VideoPainter(drawn, look({"person": "candy"}), steadiness=0.5, parse_every=1)
    present, state = painter.paint(clip(pixels)[0], painter.start())
    drawn.parser.labels = np.zeros_like(drawn_labels)
    for _ in range(12):
        gone, state = painter.paint(clip(pixels)[0], state)
    assert np.array_equal(gone, pixels)
    drawn.parser.labels = drawn_labels
    for _ in range(12):
        back, state = painter.paint(clip(pixels)[0], state)
    assert np.abs(back.astype(int) - present).mean() < 1


def test_only_the_largest_face(studio, astronaut):
    two = np.zeros((128, 256, 3), np.uint8) + 200
    two[:, :128] = cv2.resize(astronaut[:256, 96:352], (128, 128), interpolation=cv2.INTER_AREA)
    two[32:96, 160:224] = cv2.resize(astronaut[:256, 96:352], (64, 64), interpolation=cv2.INTER_AREA)
    painter = VideoPainter(studio, look({"face": "#ff0000"}, faces="largest"))
    (frame,) = played(painter, clip(two))
    changed = (frame != two).any(-1)
    assert changed[:, :128].sum() > 300
    assert changed[:, 160:].sum() < 20


@pytest.mark.parametrize("size", [(16, 16), (17, 31), (90, 16)])
def test_small_frames(studio, astronaut, size):
    small = cv2.resize(astronaut, size[::-1], interpolation=cv2.INTER_AREA)
    out = played(VideoPainter(studio, look({"everything": "candy"})), clip(small, np.roll(small, 1, 1), small))
    assert all(frame.shape == small.shape and frame.dtype == np.uint8 for frame in out)
    assert not np.array_equal(out[0], small)


def test_too_small_frames(studio):
    painter = VideoPainter(studio, look(TWO))
    with pytest.raises(SelfieartError, match="15x40 pixels, too small to paint") as error:
        painter.paint(clip(np.zeros((40, 15, 3), np.uint8))[0], painter.start())
    assert is_one_sentence(str(error.value))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"steadiness": 1.1}, "steadiness must be a number from 0 to 1, not 1.1"),
        ({"steadiness": math.nan}, "steadiness"),
        ({"parse_every": 0}, "parse_every must be 'auto' or a number from 1, not 0"),
        ({"parse_every": "often"}, "parse_every"),
        ({"parse_every": True}, "parse_every"),
    ],
)
def test_refusals(studio, options, message):
    with pytest.raises(SelfieartError, match=message) as error:
        VideoPainter(studio, look(TWO), **options)
    assert is_one_sentence(str(error.value))
