"""Sequences beside models of their own: arithmetic over all times at which either condition was on, with no timers."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from firewatch.rules.sequence import OmissionEvaluator, SequenceEvaluator
from firewatch.rules.spec import StateSpec
from firewatch.rules.state import StateEvaluator
from tests.unit.rules.drive import Drive

pytestmark = pytest.mark.slow

FIRST, SECOND = "s/a/on", "s/b/on"
WITHIN = 10.0
ON = StateSpec.model_validate({"signal": "on", "is": True})

stories = st.lists(
    st.tuples(st.sampled_from([0.5, 1.0, 3.0, 5.0, 10.0, 12.0]), st.sampled_from([FIRST, SECOND]), st.booleans()),
    max_size=30,
)
Times = list[tuple[float, float]]
"""From when to when a condition was on; infinite while it is."""


def on_times(heard: list[tuple[float, str, bool]], signal: str) -> Times:
    times: Times = []
    is_on = False
    for now, name, value in heard:
        if name != signal or value is is_on:
            continue
        is_on = value
        if is_on:
            times.append((now, float("inf")))
        else:
            times[-1] = (times[-1][0], now)
    return times


def standing(times: Times, now: float) -> float | None:
    return next((start for start, end in times if start <= now < end), None)


def followed(first: Times, second: Times, now: float) -> bool:
    began = standing(second, now)
    return began is not None and any(start <= began <= start + WITHIN for start, _ in first)


def omitted(first: Times, second: Times, now: float) -> bool:
    began = standing(first, now)
    if began is None or now < began + WITHIN:
        return False
    return not any(start <= now and end > began for start, end in second)


@settings(max_examples=300, deadline=None)
@given(story=stories, pause=st.sampled_from([0.0, 0.25, 4.0, 100.0]))
def test_a_sequence_is_what_the_times_say(story: list[tuple[float, str, bool]], pause: float) -> None:
    first, second = StateEvaluator(FIRST, ON), StateEvaluator(SECOND, ON)
    within = timedelta(seconds=WITHIN)
    then, without = Drive(SequenceEvaluator(first, second, within)), Drive(OmissionEvaluator(first, second, within))
    heard = [(0.0, FIRST, False), (0.0, SECOND, False)]
    for now, signal, value in heard:
        for drive in (then, without):
            drive.hear(now, value, signal=signal)
    now = 0.0
    for after, signal, value in story:
        now += after
        heard.append((now, signal, value))
        for drive in (then, without):
            drive.hear(now, value, signal=signal)
        check(then, without, heard, now)
        if pause < after:  # time passes with nothing heard
            now += pause
            for drive in (then, without):
                drive.advance(now)
            check(then, without, heard, now)


def check(then: Drive, without: Drive, heard: list[tuple[float, str, bool]], now: float) -> None:
    first, second = on_times(heard, FIRST), on_times(heard, SECOND)
    assert (then.condition == "active") is followed(first, second, now)
    assert (without.condition == "active") is omitted(first, second, now)
    assert "unknown" not in (then.condition, without.condition)
