"""Rates of change beside a model of their own: the lowest and the highest of a window, looked up in the whole list."""

from __future__ import annotations

from random import Random

import hypothesis.strategies as st
import pytest
from hypothesis import given, settings

from firewatch.rules.rate_of_change import RateOfChangeEvaluator
from firewatch.rules.spec import RateOfChangeSpec
from tests.unit.rules.drive import BAD, Drive

pytestmark = pytest.mark.slow

WITHIN, RISE, FALL, DEADBAND = 10.0, 3.0, 4.0, 1.5
Heard = list[tuple[float, float | str]]

readings = st.lists(
    st.tuples(
        st.sampled_from([0.0, 1.0, 2.0, 5.0, 10.0, 11.0]), st.sampled_from([0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 9.0, BAD])
    ),
    max_size=40,
)


def rate() -> Drive:
    form = {"signal": "x", "within": f"{WITHIN}s", "rises_by": RISE, "falls_by": FALL, "deadband": DEADBAND}
    return Drive(RateOfChangeEvaluator("s/d/x", RateOfChangeSpec.model_validate(form)))


def timed(story: Heard) -> Heard:
    now = 0.0
    heard: Heard = []
    for after, value in story:
        now += after
        heard.append((now, value))
    return heard


def conditions(heard: Heard) -> list[str]:
    """What it has to be after each reading."""
    found: list[str] = []
    stands = False
    for index, (now, value) in enumerate(heard):
        window = [(time, each) for time, each in heard[: index + 1] if each != BAD and time >= now - WITHIN]
        if value == BAD or all(time == now for time, _ in window):
            found.append("unknown")
            continue
        values = [float(each) for _, each in window]
        less = DEADBAND if stands else 0.0
        stands = float(value) - min(values) > RISE - less or max(values) - float(value) > FALL - less
        found.append("active" if stands else "inactive")
    return found


@settings(max_examples=200, deadline=None)
@given(story=readings)
def test_it_is_active_where_the_window_rose_or_fell_too_much(story: Heard) -> None:
    drive = rate()
    heard = timed(story)
    found = []
    for now, value in heard:
        drive.hear(now, value)
        found.append(str(drive.condition))
    assert found == conditions(heard)


@settings(max_examples=200, deadline=None)
@given(story=readings, order=st.randoms(use_true_random=False))
def test_readings_in_any_order_raise_only_for_a_change_that_happened(story: Heard, order: Random) -> None:
    drive = rate()
    shuffled = timed(story)
    order.shuffle(shuffled)
    now = max((time for time, _ in shuffled), default=0.0)
    heard: list[tuple[float, float]] = []
    for time, value in shuffled:
        if value != BAD:
            heard.append((time, float(value)))
        if "active" in drive.hear(now, value, event=time) and drive.told[-1].phase == "active":
            assert any(
                (later - earlier > RISE or earlier - later > FALL) and 0 <= end - start <= WITHIN
                for start, earlier in heard
                for end, later in heard
            )


@settings(max_examples=100, deadline=None)
@given(
    steps=st.lists(st.tuples(st.floats(0.01, 0.5), st.floats(-5.0, 5.0)), min_size=1, max_size=200),
)
def test_of_close_readings_the_window_is_short_by_one_slice_at_the_most(steps: list[tuple[float, float]]) -> None:
    drive = rate()
    heard = timed(list(steps))
    for now, value in heard:
        drive.hear(now, value)
    end, last = heard[-1]
    rose = drive.evaluator.explain(drive.state).facts["rose_by"]
    whole, short = (
        float(last) - min(float(value) for time, value in heard if time >= end - within)
        for within in (WITHIN + 1e-4, WITHIN * 31 / 32 - 1e-4)
    )
    assert isinstance(rose, float)
    assert short - 1e-9 <= rose <= whole + 1e-9
