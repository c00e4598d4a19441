"""Segments, groups and names."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conftest import is_one_sentence
from selfieart.errors import SelfieartError, UnknownName, unknown
from selfieart.segments import ALIASES, GROUPS, INDEX, MIRRORED, NAMES, PAIRS, SEGMENTS, assign, canonical, members

# The label order that CelebAMask-HQ publishes (g_mask.py) and our word for each.
CELEBAMASK_HQ = {
    "background": "background", "skin": "skin", "nose": "nose", "eye_g": "glasses", "l_eye": "left-eye",
    "r_eye": "right-eye", "l_brow": "left-brow", "r_brow": "right-brow", "l_ear": "left-ear", "r_ear": "right-ear",
    "mouth": "mouth", "u_lip": "upper-lip", "l_lip": "lower-lip", "hair": "hair", "hat": "hat", "ear_r": "earring",
    "neck_l": "necklace", "neck": "neck", "cloth": "clothes",
}  # fmt: skip

some_names = st.lists(st.sampled_from([*NAMES, *GROUPS]), unique=True)


def test_classes_are_those_of_celebamask_hq_in_its_order():
    assert tuple(CELEBAMASK_HQ.values()) == NAMES
    assert [INDEX[name] for name in NAMES] == list(range(19))


def test_colors_can_be_told_apart():
    colors = [segment.color for segment in SEGMENTS]
    assert len(set(colors)) == len(colors)
    assert all(0 <= value <= 255 for color in colors for value in color)


def test_pairs_are_left_and_right():
    assert {(NAMES[a], NAMES[b]) for a, b in PAIRS} == {
        (name, name.replace("left", "right")) for name in NAMES if name.startswith("left")
    }


def test_in_a_mirror_left_is_right():
    swapped = {"left": "right", "right": "left"}
    names = ["-".join(swapped.get(word, word) for word in name.split("-")) for name in NAMES]
    assert [NAMES[index] for index in MIRRORED] == names


def test_groups():
    named = {group: {NAMES[index] for index in indices} for group, indices in GROUPS.items()}
    assert named["everything"] == set(NAMES)
    assert named["person"] == set(NAMES) - {"background"}
    assert named["body"] == {"neck", "necklace", "clothes"}
    assert named["head"] | named["body"] == named["person"]
    assert not named["head"] & named["body"]
    assert named["head"] - named["face"] == {"hair", "hat", "earring"}
    assert named["lips"] == {"upper-lip", "lower-lip"}
    assert named["accessories"] == {"glasses", "hat", "earring", "necklace"}
    for group in ("eyes", "brows", "ears"):
        assert named[group] == {f"{side}-{group[:-1]}" for side in ("left", "right")}
        assert named[group] < named["face"]


def test_groups_and_segments_share_no_name():
    assert not set(GROUPS) & set(NAMES)
    assert not set(ALIASES) & {*GROUPS, *NAMES}


@pytest.mark.parametrize(
    ("written", "name"),
    [
        ("hair", "hair"),
        ("  Hair ", "hair"),
        ("LEFT_EYE", "left-eye"),
        ("upper lip", "upper-lip"),
        ("cloth", "clothes"),
        ("Eyebrows", "brows"),
        ("ALL", "everything"),
        ("people", "person"),
        ("bg", "background"),
    ],
)
def test_one_spelling(written, name):
    assert canonical(written) == name
    assert members(written) == members(name)


def test_canonical_names_stay():
    assert all(canonical(name) == name for name in (*NAMES, *GROUPS))
    assert all(members(name) == {INDEX[name]} for name in NAMES)


@pytest.mark.parametrize(
    ("written", "near"),
    [("hiar", "hair"), ("lipps", "lips"), ("left-eyes", "left-eye"), ("Bakground", "background"), ("ear", "ears")],
)
def test_did_you_mean(written, near):
    with pytest.raises(UnknownName) as error:
        canonical(written)
    assert str(error.value) == f"Unknown segment '{written}': did you mean '{near}'?"


@pytest.mark.parametrize("written", ["", "   ", "spaceship", "#", "é", "hair,skin" * 9])
def test_a_name_without_a_near_one_is_refused_in_one_sentence(written):
    with pytest.raises(SelfieartError) as error:
        members(written)
    assert is_one_sentence(str(error.value))
    assert written in str(error.value)


@pytest.mark.parametrize("listing", ["", "see 'selfieart styles'"])
def test_the_sentence_about_an_unknown_name_ends_once(listing):
    assert is_one_sentence(str(unknown("style", "qqqq", ["candy", "wave"], listing)))


# --- the most specific name wins -----------------------------------------------------------------------------------


def test_lips_in_a_face():
    kept = assign(["face", "lips", "person"])
    assert kept["lips"] == GROUPS["lips"]
    assert kept["face"] == GROUPS["face"] - GROUPS["lips"]
    assert kept["person"] == GROUPS["person"] - GROUPS["face"]


def test_a_name_whose_classes_all_went_to_others_keeps_none():
    assert assign(["eyes", "left-eye", "right-eye"])["eyes"] == frozenset()


@given(some_names, st.randoms())
def test_the_order_of_names_does_not_matter(names, random):
    shuffled = list(names)
    random.shuffle(shuffled)
    assert assign(shuffled) == assign(names)


@given(some_names)
def test_every_class_goes_to_one_of_the_smallest_names_that_hold_it(names):
    kept = assign(names)
    assert set(kept) == set(names)
    assert sum(map(len, kept.values())) == len(frozenset().union(*kept.values()))
    assert frozenset().union(*kept.values()) == frozenset().union(*(members(name) for name in names))
    for name, classes in kept.items():
        assert classes <= members(name)
        for index in classes:
            assert len(members(name)) == min(len(members(other)) for other in names if index in members(other))


@pytest.mark.parametrize("names", [["cloth", "clothes"], ["all", "everything"], ["bg", "background"]])
def test_between_equal_sizes_the_first_in_the_alphabet_wins(names):
    for order in (names, names[::-1]):
        assert assign(order) == {min(names): members(names[0]), max(names): frozenset()}
