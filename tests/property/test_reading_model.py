"""Limits and states beside a model of their own: looking back, in all that was heard, for the reading that decides."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import inf

import hypothesis.strategies as st
import pytest
from hypothesis import given, settings

from firewatch.rules.limit import LimitEvaluator
from firewatch.rules.spec import LimitSpec, StateSpec
from firewatch.rules.state import StateEvaluator
from tests.unit.rules.drive import BAD, Drive, seconds

pytestmark = pytest.mark.slow

LIMIT, DEADBAND = 5.0, 2.0
OTHER_TYPE = True
"""A value that a limit, and a state of words, cannot be compared with."""
Value = float | bool | str
Says = Callable[[Value], str]


@dataclass(frozen=True)
class Step:
    """`after` seconds later a reading comes that is `late_by` seconds old, or one of those heard before comes `again`;
    then `pause` seconds pass, for a restart if `restarts`.
    """

    after: float
    value: Value
    late_by: float
    again: int | None
    pause: float
    restarts: bool


def stories(values: list[Value]) -> st.SearchStrategy[list[Step]]:
    step = st.builds(
        Step,
        after=st.sampled_from([0.5, 1.0, 1.0, 3.0]),
        value=st.sampled_from([*values, BAD, OTHER_TYPE]),
        late_by=st.sampled_from([0.0, 0.0, 1.0, 3.0, 9.0]),
        again=st.sampled_from([None, None, None, 0, 1, 1, 4]),
        pause=st.sampled_from([0.0, 0.0, 0.0, 0.5, 100.0]),
        restarts=st.booleans(),
    )
    return st.lists(step, min_size=10, max_size=30)


def high(value: Value) -> str:
    if not isinstance(value, float):
        return "nothing"
    return "beyond" if value > LIMIT else "back" if value <= LIMIT - DEADBAND else "between"


def low(value: Value) -> str:
    return high(2 * LIMIT - value) if isinstance(value, float) else "nothing"


LEVELS: dict[str, Says] = {"high_high": high, "high": high, "low": low, "low_low": low}


def opened(value: Value) -> str:
    return "nothing" if value in (BAD, OTHER_TYPE) else "beyond" if value in ("open", "opening") else "back"


def carried_out(value: Value) -> str:
    """What `in: [failed, unproven], until: [proven]` reads in a value."""
    if value in (BAD, OTHER_TYPE):
        return "nothing"
    return "beyond" if value in ("failed", "unproven") else "back" if value == "proven" else "between"


Lines = list[tuple[float, str]]
"""What a watchman writes down of the readings: when each was read, and what it says; in the order he heard them."""


def active_times(lines: Lines) -> list[tuple[float, float]]:
    """From when to when it was active; infinite while it is."""
    times: list[tuple[float, float]] = []
    for time, says in lines:
        stands = bool(times) and times[-1][1] == inf
        if says == "beyond" and not stands:
            times.append((time, inf))
        if says == "back" and stands:
            times[-1] = (times[-1][0], time)
    return times


def counts(lines: Lines, time: float, says: str) -> bool:
    """Whether he writes it down: what is late only if it is beyond the limit, at a time that he did not just tell of.
    After such a one the newest may come again, and is no news.
    """
    newest = max((each for each, _ in lines), default=time)
    if time >= newest:
        return time > newest or not lines or lines[-1][0] == newest
    was_told = any(end == inf or start <= time <= end for start, end in active_times(lines)[-1:])
    return says == "beyond" and not was_told


def check(drive: Drive, lines: Lines) -> None:
    times = active_times(lines)
    if not lines or lines[-1][1] == "nothing":
        assert drive.condition == "unknown"
    else:
        assert drive.condition == ("active" if times and times[-1][1] == inf else "inactive")
    begun = [seconds(change.onset_time) for change in drive.told if change.phase == "active"]
    assert begun == [start for start, _ in times]


def follow(drive: Drive, story: list[Step], says: Says) -> None:
    heard: list[tuple[float, Value]] = []
    lines: Lines = []
    now = 0.0
    for step in story:
        now += step.after
        time, value = now - step.late_by, step.value
        if step.again is not None and heard:
            time, value = heard[-1 - step.again % len(heard)]
        heard.append((time, value))
        if counts(lines, time, says(value)):
            lines.append((time, says(value)))
        drive.hear(now, value, event=time)
        check(drive, lines)
        now += step.pause
        if step.restarts:
            drive.restart(now)
        drive.advance(now)
        check(drive, lines)


@settings(max_examples=150, deadline=None)
@given(story=stories([0.0, 2.9, 3.0, 4.0, 5.0, 5.1, 7.0, 7.1, 9.0]), kind=st.sampled_from([*LEVELS]))
def test_a_limit_is_decided_by_the_last_reading_that_was_not_in_the_deadband(story: list[Step], kind: str) -> None:
    spec = LimitSpec.model_validate({"signal": "x", "limit": LIMIT, "deadband": DEADBAND})
    follow(Drive(LimitEvaluator(kind, "s/d/x", spec)), story, LEVELS[kind])


@settings(max_examples=150, deadline=None)
@given(story=stories(["open", "opening", "closed", "closing"]))
def test_a_state_is_decided_by_the_newest_reading(story: list[Step]) -> None:
    spec = StateSpec.model_validate({"signal": "x", "in": ["open", "opening"]})
    follow(Drive(StateEvaluator("s/d/x", spec)), story, opened)


@settings(max_examples=150, deadline=None)
@given(story=stories(["failed", "unproven", "sent", "done", "proven"]))
def test_a_state_that_others_end_is_decided_by_the_last_reading_that_begins_or_ends_it(story: list[Step]) -> None:
    spec = StateSpec.model_validate({"signal": "x", "in": ["failed", "unproven"], "until": ["proven"]})
    follow(Drive(StateEvaluator("s/d/x", spec)), story, carried_out)
