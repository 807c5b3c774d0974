"""Squares over a picture, and each thing seen once."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from firewatch.vision.detector import Box, Detection, Pixels
from firewatch.vision.tile import look_closer, merge, overlap, squares

SIZES = st.integers(min_value=1, max_value=4000)


@pytest.mark.parametrize(
    ("width", "height", "expected"),
    [
        (640, 480, [(0, 0, 480, 480), (80, 0, 560, 480), (160, 0, 640, 480)]),
        (480, 640, [(0, 0, 480, 480), (0, 80, 480, 560), (0, 160, 480, 640)]),
        (480, 480, []),
    ],
)
def test_a_picture_is_covered_by_three_squares_of_its_shorter_side(
    width: int, height: int, expected: list[tuple[int, int, int, int]]
) -> None:
    assert list(squares(width, height)) == [Box(*edges) for edges in expected]


@given(width=SIZES, height=SIZES)
def test_squares_lie_within_the_picture_and_reach_both_ends(width: int, height: int) -> None:
    tiles = squares(width, height)
    for tile in tiles:
        assert 0 <= tile.left < tile.right <= width
        assert 0 <= tile.top < tile.bottom <= height
        assert tile.right - tile.left == tile.bottom - tile.top == min(width, height)
    if tiles:
        assert (tiles[0].left, tiles[0].top) == (0, 0)
        assert (tiles[-1].right, tiles[-1].bottom) == (width, height)


def boxes() -> st.SearchStrategy[Box]:
    edge = st.integers(min_value=0, max_value=60)
    size = st.integers(min_value=1, max_value=40)
    return st.builds(lambda x, y, w, h: Box(x, y, x + w, y + h), edge, edge, size, size)


DETECTIONS = st.lists(
    st.builds(Detection, st.sampled_from(["bicycle", "person"]), st.floats(min_value=0.1, max_value=1), boxes()),
    max_size=8,
)


@pytest.mark.slow
@given(DETECTIONS)
def test_merging_keeps_the_best_score_of_every_label_and_never_invents(detections: list[Detection]) -> None:
    merged = merge(detections)
    assert all(kept in detections for kept in merged)
    for label in ("bicycle", "person"):
        assert max((d.score for d in merged if d.label == label), default=0) == max(
            (d.score for d in detections if d.label == label), default=0
        )


@pytest.mark.slow
@given(DETECTIONS)
def test_merging_leaves_no_two_boxes_on_one_thing(detections: list[Detection]) -> None:
    merged = merge(detections)
    for place, one in enumerate(merged):
        assert all(other.label != one.label or overlap(one.box, other.box) < 0.5 for other in merged[place + 1 :])


class CornerDetector:
    """Sees a bicycle in the upper left corner of whatever it is shown, and counts its looks."""

    def __init__(self) -> None:
        self.looks = 0

    def detect(self, frame: Pixels) -> list[Detection]:
        self.looks += 1
        return [Detection("bicycle", 0.3, Box(0, 0, 10, 10))]


def test_what_a_square_shows_is_placed_where_it_is_in_the_picture() -> None:
    frame = np.zeros((480, 640, 3), np.uint8)
    found = look_closer(CornerDetector(), frame, [], lambda _: False)
    assert {detection.box for detection in found} == {
        Box(0, 0, 10, 10),
        Box(80, 0, 90, 10),
        Box(160, 0, 170, 10),
    }


def test_the_closer_look_ends_as_soon_as_enough_is_seen() -> None:
    detector = CornerDetector()
    look_closer(detector, np.zeros((480, 640, 3), np.uint8), [], lambda found: len(found) >= 1)
    assert detector.looks == 1
