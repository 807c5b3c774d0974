"""A ladder of limits beside a model of its own: which step a person with the numbers in hand would say decides."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from firewatch.model.alarm import ConditionState
from firewatch.rules.evaluator import Phase
from firewatch.rules.ladder import LadderEvaluator
from firewatch.rules.limit import LimitEvaluator
from firewatch.rules.spec import LimitSpec
from tests.unit.rules.drive import BAD, Drive

pytestmark = pytest.mark.slow

LIMITS = (20.0, 50.0, 80.0)
DEADBAND = 10.0
values = st.one_of(st.sampled_from([BAD]), st.integers(0, 100).map(float))


def ladder() -> LadderEvaluator:
    def above(limit: float) -> LimitEvaluator:
        written = {"signal": "x", "limit": limit, "deadband": DEADBAND}
        return LimitEvaluator("high", "s/d/x", LimitSpec.model_validate(written))

    return LadderEvaluator({place: above(limit) for place, limit in enumerate(LIMITS)})


@settings(max_examples=200, deadline=None)
@given(readings=st.lists(values, max_size=40))
def test_the_step_is_the_highest_limit_passed_and_not_come_back_from(readings: list[float | str]) -> None:
    drive = Drive(ladder())
    level, is_known, told_level = -1, False, -1
    for second, value in enumerate(readings):
        before = level
        if isinstance(value, float):
            passed = [place for place, limit in enumerate(LIMITS) if value > limit]
            held = [place for place, limit in enumerate(LIMITS) if place <= level and value > limit - DEADBAND]
            level = max([-1, *passed, *held])
        heard_before = len(drive.told)
        drive.hear(second, value)
        told = drive.told[heard_before:]
        is_known = isinstance(value, float)
        expected = ConditionState.UNKNOWN if not is_known else ConditionState(("inactive", "active")[level >= 0])
        assert drive.condition is expected
        assert [change.step for change in told if change.phase is Phase.ACTIVE] == ([level] if level > before else [])
        assert len(told) <= 1
        if told and told[0].condition is not ConditionState.INACTIVE:
            told_level = told[0].step
        assert level == -1 or told_level == level
