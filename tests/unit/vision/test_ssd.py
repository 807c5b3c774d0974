"""A network's results become boxes: each thing once, the surest first, no more than asked for."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from firewatch.vision.caffe import read_description
from firewatch.vision.ssd import Candidate, SsdDecoder
from tests.unit.vision import tiny_network as tiny

PLACES = 16
"""The tiny network has a prior box of half the picture's side at each of 4 x 4 places."""


def decode(scores: dict[int, float], moved: dict[int, tuple[float, ...]] | None = None) -> list[Candidate]:
    confidences = np.zeros((1, PLACES, 2), np.float32)
    locations = np.zeros((1, PLACES, 4), np.float32)
    for place, score in scores.items():
        confidences[0, place] = (1 - score, score)
    for place, difference in (moved or {}).items():
        locations[0, place] = difference
    return SsdDecoder(read_description(tiny.DESCRIPTION), lowest_score=0.1).decode(locations, confidences)


def box(candidate: Candidate) -> tuple[float, float, float, float]:
    return candidate.left, candidate.top, candidate.right, candidate.bottom


def test_nothing_sure_is_nothing_found() -> None:
    assert decode({}) == []
    assert decode({3: 0.05}) == []


def test_a_box_that_does_not_differ_is_its_prior() -> None:
    [found] = decode({5: 0.9})
    assert (found.number, found.score) == (1, pytest.approx(0.9))
    assert box(found) == pytest.approx((0.375 - 0.25, 0.375 - 0.25, 0.375 + 0.25, 0.375 + 0.25))


def test_a_difference_moves_the_centre_and_stretches_the_sides() -> None:
    """Variances 0.1 for the centre and 0.2 for the sides: 1.0 is a tenth of the prior's side, and e to the 0.2."""
    [found] = decode({5: 0.9}, {5: (1.0, -2.0, 1.0, 0.0)})
    half = 0.25 * math.exp(0.2)
    assert box(found) == pytest.approx((0.425 - half, 0.275 - 0.25, 0.425 + half, 0.275 + 0.25))


def test_of_two_boxes_on_the_same_thing_the_surer_stays() -> None:
    """Neighbours share a third of their joint area; moved halfway together, 0.6."""
    assert len(decode({5: 0.6, 6: 0.9})) == 2
    [found] = decode({5: 0.6, 6: 0.9}, {5: (2.5, 0, 0, 0)})
    assert found.score == pytest.approx(0.9)


def test_no_more_than_the_surest_are_kept() -> None:
    scores = {place: 0.2 + place / 100 for place in range(PLACES)}
    small = dict.fromkeys(range(PLACES), (0.0, 0.0, -10.0, -10.0))
    assert [found.score for found in decode(scores, small)] == pytest.approx([0.35, 0.34, 0.33, 0.32, 0.31])


def test_the_priors_are_those_of_the_paper() -> None:
    """Sizes and ratios give min, sqrt(min x max), and for each ratio the box and its like on end."""
    described = tiny.DESCRIPTION.replace(b"min_size: 4.0", b"min_size: 4.0 max_size: 9.0 aspect_ratio: 4.0")
    decoder = SsdDecoder(read_description(described), lowest_score=0.1)
    confidences = np.zeros((1, 4 * PLACES, 2), np.float32)
    shapes = []
    for index in range(4):
        confidences[:] = 0
        confidences[0, index, 1] = 1
        [found] = decoder.decode(np.zeros((1, 4 * PLACES, 4), np.float32), confidences)
        shapes.append((8 * (found.right - found.left), 8 * (found.bottom - found.top)))
    assert np.array(shapes) == pytest.approx(np.array([(4, 4), (6, 6), (8, 2), (2, 8)]))


def test_a_description_without_prior_boxes_is_refused() -> None:
    described = tiny.DESCRIPTION.replace(b'"PriorBox"', b'"Flatten"')
    with pytest.raises(ValueError, match="does not join its prior boxes"):
        SsdDecoder(read_description(described), lowest_score=0.1)


@pytest.mark.slow
@given(
    st.lists(st.floats(0, 1, width=32), min_size=PLACES, max_size=PLACES),
    st.lists(st.tuples(*[st.floats(-5, 5, width=32)] * 4), min_size=PLACES, max_size=PLACES),
)
def test_what_is_found_is_sure_enough_sorted_and_far_enough_apart(
    scores: list[float], moved: list[tuple[float, ...]]
) -> None:
    found = decode(dict(enumerate(scores)), dict(enumerate(moved)))
    found_scores = [candidate.score for candidate in found]
    assert found_scores == sorted(found_scores, reverse=True)
    assert len(found) <= 5
    assert all(score > 0.1 for score in found_scores)
    assert bool(found) == (np.float32(max(scores)) > np.float32(0.1))
    for index, one in enumerate(found):
        assert all(overlap(box(one), box(other)) <= 0.4501 for other in found[:index])


def overlap(one: tuple[float, ...], other: tuple[float, ...]) -> float:
    width = min(one[2], other[2]) - max(one[0], other[0])
    height = min(one[3], other[3]) - max(one[1], other[1])
    shared = max(0.0, width) * max(0.0, height)
    areas = sum((right - left) * (bottom - top) for left, top, right, bottom in (one, other))
    return shared / (areas - shared)
