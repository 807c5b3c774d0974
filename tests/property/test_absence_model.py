"""Absence beside a model of its own: how long ago the last sign of life was, in the whole list of them."""

from __future__ import annotations

from dataclasses import dataclass

import hypothesis.strategies as st
import pytest
from hypothesis import given, settings

from firewatch.model.observation import Observation
from firewatch.rules.absence import AbsenceEvaluator
from firewatch.rules.spec import AbsenceSpec
from tests.unit.rules.drive import BAD, START, Drive, reading, seconds

pytestmark = pytest.mark.slow

AFTER = 10.0
SIGNALS = ("s/d/x", "s/d/y")


@dataclass(frozen=True)
class Step:
    """After `pause` seconds a reading comes. It waited inside firewatch for `waited`, and is `late_by` old by the
    device's clock. Or the one before is taken `again`. Before that firewatch is `down` for some time, if not None.
    """

    pause: float
    down: float | None
    signal: str
    value: float | str
    waited: float
    late_by: float
    again: bool


stories = st.lists(
    st.builds(
        Step,
        pause=st.sampled_from([0.0, 0.5, 4.0, 9.5, 10.0, 25.0]),
        down=st.sampled_from([None, None, None, 0.0, 4.0, 100.0]),
        signal=st.sampled_from(SIGNALS),
        value=st.sampled_from([1.0, BAD]),
        waited=st.sampled_from([0.0, 0.0, 0.0, 0.5, 4.0, 10.0, 12.0]),
        late_by=st.sampled_from([0.0, -60.0, 3600.0]),
        again=st.sampled_from([False, False, True]),
    ),
    max_size=25,
)


@settings(max_examples=250, deadline=None)
@given(story=stories)
def test_it_is_silent_some_time_after_the_last_sign_of_life(story: list[Step]) -> None:
    drive = Drive(AbsenceEvaluator(SIGNALS, AbsenceSpec.model_validate({"after": f"{AFTER:g}s"})))
    heard: list[float] = []  # leaving out what proves nothing, since it waited for too long
    listened = [0.0]  # since when, each time, unless a silence was known already
    now = 0.0
    last: Observation | None = None
    for step in story:
        now += step.pause
        drive.advance(now)
        check(drive, now, heard, listened)
        if step.down is not None:
            stands = is_silent(now, heard, listened)
            now += step.down
            drive.restart(now)
            listened += [] if stands else [now]
            check(drive, now, heard, listened)
        if not step.again or last is None:
            last = reading(step.signal, step.value, now - step.waited, event=now - step.late_by)
        drive.take(last, now)
        received = (last.receive_time - START).total_seconds()
        heard += [received] if now - received < AFTER else []
        check(drive, now, heard, listened)


def is_silent(now: float, heard: list[float], listened: list[float]) -> bool:
    return now - max([*heard, *listened]) >= AFTER


def check(drive: Drive, now: float, heard: list[float], listened: list[float]) -> None:
    if is_silent(now, heard, listened):
        assert drive.condition == "active"
        assert seconds(drive.told[-1].onset_time) == max([*heard, *listened]) + AFTER
    else:
        assert drive.condition == ("inactive" if heard else "unknown")
