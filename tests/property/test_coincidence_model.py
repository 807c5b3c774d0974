"""k of n beside a model of its own: who was tripped when, and how many of them that makes."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from firewatch.rules.coincidence import CoincidenceEvaluator
from firewatch.rules.spec import StateSpec
from firewatch.rules.state import StateEvaluator
from tests.unit.rules.drive import BAD, Drive

pytestmark = pytest.mark.slow

SIGNALS = [f"s/{name}/alarm" for name in "abcd"]
TRIPPED = StateSpec.model_validate({"signal": "alarm", "is": True})
WITHIN = 10.0

stories = st.lists(
    st.tuples(
        st.sampled_from([0.0, 0.5, 1.0, 4.0, 9.5, 10.0, 15.0]),
        st.sampled_from(SIGNALS),
        st.sampled_from([True, False, True, False, BAD]),
    ),
    max_size=30,
)


class Detector:
    """What a person with a watch notes down about one detector."""

    def __init__(self) -> None:
        self.value: bool | str = BAD
        self.ended = float("-inf")

    def hear(self, now: float, value: bool | str) -> None:
        if self.value is True and value is not True:
            self.ended = now
        self.value = value

    def counts(self, now: float) -> bool:
        return self.value is True or now < self.ended + WITHIN


@settings(max_examples=300, deadline=None)
@given(story=stories, k=st.integers(1, 4), pause=st.sampled_from([0.25, 3.0, 25.0]))
def test_k_of_n_is_how_many_were_tripped_within_the_time(
    story: list[tuple[float, str, bool | str]], k: int, pause: float
) -> None:
    leaves = [StateEvaluator(signal, TRIPPED) for signal in SIGNALS]
    drive = Drive(CoincidenceEvaluator(leaves, k, timedelta(seconds=WITHIN)))
    detectors = {signal: Detector() for signal in SIGNALS}
    now = 0.0
    for after, signal, value in story:
        if pause < after:
            drive.advance(now + pause)
            check(drive, detectors, k, now + pause)
        now += after
        drive.hear(now, value, signal=signal)
        detectors[signal].hear(now, value)
        check(drive, detectors, k, now)


def check(drive: Drive, detectors: dict[str, Detector], k: int, now: float) -> None:
    counted = sum(detector.counts(now) for detector in detectors.values())
    possible = sum(detector.value == BAD and not detector.counts(now) for detector in detectors.values())
    assert drive.condition == ("active" if counted >= k else "unknown" if counted + possible >= k else "inactive")
