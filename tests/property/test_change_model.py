"""Changes of state and chatter beside a model of their own: counting over the whole list of readings."""

from __future__ import annotations

import bisect
import itertools
from random import Random

import hypothesis.strategies as st
import pytest
from hypothesis import given, settings

from firewatch.rules.change import ChatterEvaluator, StateChangedEvaluator
from firewatch.rules.spec import ChatterSpec, StateChangedSpec
from tests.unit.rules.drive import BAD, Drive

pytestmark = pytest.mark.slow

HOLD = 5.0
Heard = list[tuple[float, str]]

readings = st.lists(
    st.tuples(st.sampled_from([0.5, 1.0, 2.0, 4.0, 6.0]), st.sampled_from(["open", "closed", "opening", BAD])),
    max_size=30,
)
pauses = st.sampled_from([0.0, 0.75, 3.0])


def condition(heard: Heard, now: float, *, least: int, wanted: set[tuple[str, str]] | None) -> str:
    """What it has to be at `now`, when so much was heard."""
    seen = [(time, value) for time, value in heard if value != BAD]
    changes = [
        time
        for (_, before), (time, after) in itertools.pairwise(seen)
        if before != after and (wanted is None or (before, after) in wanted)
    ]
    if sum(now - HOLD < time <= now for time in changes) >= least:
        return "active"
    return "inactive" if heard and heard[-1][1] != BAD else "unknown"


def follow(drive: Drive, story: Heard, pause: float, *, least: int, wanted: set[tuple[str, str]] | None) -> None:
    now = 0.0
    heard: Heard = []
    for after, value in story:
        now += after
        heard.append((now, value))
        drive.hear(now, value)
        assert drive.condition == condition(heard, now, least=least, wanted=wanted)
        if pause < after:
            drive.advance(now + pause)
            assert drive.condition == condition(heard, now + pause, least=least, wanted=wanted)
            now += pause


@settings(max_examples=150, deadline=None)
@given(story=readings, pause=pauses)
def test_a_change_of_state_is_active_for_as_long_as_it_is_held(story: Heard, pause: float) -> None:
    form = {"signal": "x", "from": ["closed", "opening"], "to": ["open", "closed"], "hold": f"{HOLD}s"}
    drive = Drive(StateChangedEvaluator("s/d/x", StateChangedSpec.model_validate(form)))
    wanted = {(before, after) for before in ("closed", "opening") for after in ("open", "closed")}
    follow(drive, story, pause, least=1, wanted=wanted)


@settings(max_examples=150, deadline=None)
@given(story=readings, pause=pauses, least=st.integers(2, 5))
def test_chatter_is_active_while_enough_changes_are_near_enough(story: Heard, pause: float, least: int) -> None:
    form = {"signal": "x", "changes": least, "within": f"{HOLD}s"}
    drive = Drive(ChatterEvaluator("s/d/x", ChatterSpec.model_validate(form)))
    follow(drive, story, pause, least=least, wanted=None)


@settings(max_examples=150, deadline=None)
@given(story=readings, order=st.randoms(use_true_random=False))
def test_readings_in_any_order_tell_only_changes_that_happened(story: Heard, order: Random) -> None:
    """What is told differs from the value before or after it, of all that was heard by then."""
    drive = Drive(StateChangedEvaluator("s/d/x", StateChangedSpec.model_validate({"signal": "x", "hold": f"{HOLD}s"})))
    times = list(itertools.accumulate(after for after, _ in story))
    shuffled = [(time, value) for time, (_, value) in zip(times, story, strict=True)]
    order.shuffle(shuffled)
    now = max(times, default=0.0)
    seen: Heard = []
    for time, value in shuffled:
        seen = sorted([*seen, (time, value)]) if value != BAD else seen
        place = bisect.bisect(seen, (time, value))
        if "active" in drive.hear(now, value, event=time):
            assert any(value != other for _, other in seen[max(0, place - 2) : place + 1])
