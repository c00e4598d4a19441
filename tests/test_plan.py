"""The plan of a look: which classes wear what, in one order."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conftest import is_one_sentence
from selfieart import Look, SegmentLook
from selfieart.errors import LookError, SelfieartError, UnknownName
from selfieart.render.plan import Worn, plan
from selfieart.segments import GROUPS, NAMES, assign, members
from selfieart.styles.resolve import ResolvedStyle, resolve_style

STYLES = ("candy", "wave", "original", "blur", "gray", "#336699", "Starry Night")


@st.composite
def looks(draw: st.DrawFn) -> Look:
    names = draw(st.lists(st.sampled_from([*NAMES, *GROUPS]), unique=True, max_size=12))
    part = st.floats(0, 1)
    return Look(
        {
            name: SegmentLook(draw(st.sampled_from(STYLES)), draw(part), draw(part), draw(st.floats(0, 20)))
            for name in names
        }
    )


@given(looks(), st.randoms(use_true_random=False))
def test_the_order_of_a_look_never_matters(look: Look, chance: random.Random):
    names = list(look.segments)
    chance.shuffle(names)
    assert plan(Look({name: look.segments[name] for name in names})) == plan(look)
    assert [worn.name for worn in plan(look)] == sorted(worn.name for worn in plan(look))


@given(looks())
def test_the_classes_partition_what_is_selected(look: Look):
    classes = [worn.classes for worn in plan(look)]
    assert all(classes)
    assert sum(map(len, classes)) == len(frozenset().union(*classes))
    assert frozenset().union(*classes) == frozenset().union(*map(members, look.segments))


@given(looks())
def test_every_class_goes_to_the_most_specific_name(look: Look):
    expected = {name: classes for name, classes in assign(list(look.segments)).items() if classes}
    assert {worn.name: worn.classes for worn in plan(look)} == expected
    for worn in plan(look):
        given = look.segments[worn.name]
        assert worn.style == resolve_style(given.style)
        assert (worn.strength, worn.keep_color, worn.feather) == (given.strength, given.keep_color, given.feather)


def test_nothing_selected():
    assert plan(Look()) == ()


def test_names_that_keep_no_class_are_dropped():
    left, right = SegmentLook("candy"), SegmentLook("wave")
    look = Look({"brows": SegmentLook("#ff0000"), "left-brow": left, "right-brow": right, "hair": SegmentLook("blur")})
    assert [worn.name for worn in plan(look)] == ["hair", "left-brow", "right-brow"]


def worn(style: str, strength: float = 1.0) -> Worn:
    (only,) = plan(Look({"hair": SegmentLook(style, strength)}))
    return only


@pytest.mark.parametrize(
    ("style", "strength", "painted", "changes"),
    [
        ("candy", 1.0, True, True),
        ("candy", 0.0, False, False),
        ("grey", 0.5, False, True),
        ("blur", 0.0, False, False),
        ("#102030", 1.0, False, True),
        ("original", 1.0, False, False),
    ],
)
def test_what_is_painted_and_what_changes(style, strength, painted, changes):
    assert (worn(style, strength).painted, worn(style, strength).changes) == (painted, changes)


def test_styles_are_resolved():
    assert worn("Starry Night").style == ResolvedStyle("preset", "starry-night")
    assert worn("#f80").style == ResolvedStyle("color", "#f80", (255, 136, 0))


def test_the_softening_counts_in_percent_of_the_short_side():
    (only,) = plan(Look({"hair": SegmentLook("candy", feather=2.5)}))
    assert only.feather_pixels((400, 1000)) == only.feather_pixels((1000, 400)) == 10
    assert worn("candy").feather_pixels((400, 1000)) == 0


@pytest.mark.parametrize(
    ("style", "error", "message"),
    [
        ("candi", UnknownName, "did you mean 'candy'"),
        ("missing.jpg", SelfieartError, "does not exist"),
        ("#12", LookError, "is no colour"),
    ],
)
def test_a_style_that_does_not_exist_is_refused_even_unseen(style, error, message):
    unseen = {"brows": SegmentLook(style), "left-brow": SegmentLook("wave"), "right-brow": SegmentLook("wave")}
    for segments in ({"hair": SegmentLook(style)}, unseen):
        with pytest.raises(error, match=message) as caught:
            plan(Look(segments))
        assert is_one_sentence(str(caught.value))
