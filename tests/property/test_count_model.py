"""Counts beside a model of their own: the beginnings in the window, looked up in the whole list of what was heard."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from firewatch.rules.count import CountEvaluator
from firewatch.rules.spec import CountSpec, StateSpec
from firewatch.rules.state import StateEvaluator
from tests.unit.rules.drive import BAD, Drive

pytestmark = pytest.mark.slow

WITHIN = 20.0
SIGNAL = "s/a/on"
ON = {"signal": "on", "is": True}

values = st.sampled_from([True, False, True, False, BAD])
stories = st.lists(st.tuples(st.sampled_from([0.25, 0.5, 1.0, 2.0, 5.0, 9.0, 19.75, 20.0, 30.0]), values), max_size=30)


def inner() -> StateEvaluator:
    return StateEvaluator(SIGNAL, StateSpec.model_validate(ON))


def play(drive: Drive, story: list[tuple[float, bool | str]], pause: float) -> list[tuple[float, float, int]]:
    """Plays a story; returns the instants to look at: (now, how many readings there were, the condition's place)."""
    seen = []
    now = 0.0
    for index, (after, value) in enumerate(story, 1):
        if pause < after:
            drive.advance(now + pause)
            seen.append((now + pause, index - 1, drive.condition))
        now += after
        drive.hear(now, value)
        seen.append((now, index, drive.condition))
    return seen


def readings(story: list[tuple[float, bool | str]]) -> list[tuple[float, bool | str]]:
    times, now = [], 0.0
    for after, value in story:
        now += after
        times.append((now, value))
    return times


def starts(heard: list[tuple[float, bool | str]]) -> list[float]:
    """When it began: the first time on, or on after it was known to be off."""
    begun, is_on = [], False
    for now, value in heard:
        if value is True and not is_on:
            begun.append(now)
        is_on = value is True or (value == BAD and is_on)
    return begun


@settings(max_examples=300, deadline=None)
@given(story=stories, at_least=st.integers(1, 4), pause=st.sampled_from([0.25, 3.0, 25.0]))
def test_a_count_is_the_number_of_beginnings_in_the_window(
    story: list[tuple[float, bool | str]], at_least: int, pause: float
) -> None:
    spec = CountSpec.model_validate({"of": {"state": ON}, "at_least": at_least, "within": f"{WITHIN:g}s"})
    drive = Drive(CountEvaluator(inner(), spec))
    heard = readings(story)
    for now, index, condition in play(drive, story, pause):
        counted = sum(now - WITHIN < begun <= now for begun in starts(heard[:index]))
        last = heard[index - 1][1] if index else BAD
        if counted >= at_least:
            assert condition == "active"
        elif last == BAD:
            assert condition == "unknown"
        elif last is False:
            assert condition == "inactive"
        else:  # on again: whether it was while it could not be judged is known with the next time off
            assert condition != "active"
