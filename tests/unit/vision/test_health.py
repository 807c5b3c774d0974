"""When a camera's picture is good, missing or frozen."""

from __future__ import annotations

from datetime import timedelta

import pytest

from firewatch.testing.clock import START
from firewatch.vision.health import FROZEN_AFTER, MISSING_AFTER, PictureHealth, PictureState

AWAITED, GOOD, MISSING, FROZEN = PictureState.AWAITED, PictureState.GOOD, PictureState.MISSING, PictureState.FROZEN
MISSING_SECONDS, FROZEN_SECONDS = MISSING_AFTER.total_seconds(), FROZEN_AFTER.total_seconds()

CHANGED, SAME = True, False


@pytest.mark.parametrize(
    ("story", "expected"),
    [
        ([], {0: AWAITED, 4.9: AWAITED, MISSING_SECONDS: MISSING}),
        ([(1, CHANGED)], {1: GOOD, 5.9: GOOD, 1 + MISSING_SECONDS: MISSING}),
        ([(0, CHANGED), *((s, SAME) for s in range(1, 12))], {9: GOOD, FROZEN_SECONDS: FROZEN, 11: FROZEN}),
        ([(0, CHANGED), *((s, SAME) for s in range(1, 12)), (12, CHANGED)], {11: FROZEN, 12: GOOD}),
        ([(0, CHANGED), (20, SAME)], {19: MISSING, 20: GOOD}),
        ([(8, CHANGED)], {7: MISSING, 8: GOOD}),
    ],
    ids=[
        "nothing ever comes",
        "one frame, then nothing",
        "always the same frame",
        "frozen, then alive again",
        "back after an outage with the same still scene",
        "comes up late",
    ],
)
def test_the_state_of_the_picture(story: list[tuple[float, bool]], expected: dict[float, PictureState]) -> None:
    found = {}
    for second in expected:
        health = PictureHealth(START)
        for at, changed in story:
            if at <= second:
                health.saw(changed, START + timedelta(seconds=at))
        found[second] = health.state(START + timedelta(seconds=second))
    assert found == expected


def test_only_missing_and_frozen_are_faults() -> None:
    assert {state for state in PictureState if state.fault} == {MISSING, FROZEN}
