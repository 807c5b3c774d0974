"""Deviations beside a model of their own: means of the weeks before, taken from the whole list of readings."""

from __future__ import annotations

from datetime import datetime
from statistics import fmean
from zoneinfo import ZoneInfo

import hypothesis.strategies as st
import pytest
from hypothesis import given, settings

from firewatch.rules.deviation import DeviationEvaluator
from firewatch.rules.spec import DeviationSpec
from tests.unit.rules.drive import BAD, Drive, at

pytestmark = pytest.mark.slow

HOUR = 3600.0
APART, DEADBAND = 2.0437, 0.5
Heard = list[tuple[float, float | str]]
Hours = dict[tuple[int, int], tuple[datetime, list[float]]]

readings = st.lists(
    st.tuples(
        st.sampled_from([20.0, HOUR / 3, HOUR, 24 * HOUR, 167 * HOUR, 168 * HOUR, 168 * HOUR, 336 * HOUR]),
        st.sampled_from([0.0, 1.0, 2.0, 4.0, 7.0, BAD]),
    ),
    max_size=40,
)


def usual(hours: Hours, week: int, hour: int, weeks: int, learn_weeks: int) -> float | None:
    means = [fmean(hours[then, hour][1]) for then in range(week - weeks, week) if (then, hour) in hours]
    return fmean(means) if len(means) >= learn_weeks else None


@settings(max_examples=200, deadline=None)
@given(
    story=readings,
    zone=st.sampled_from(["Asia/Shanghai", "Asia/Kolkata", "America/New_York"]),
    weeks=st.sampled_from([(1, 1), (2, 1), (4, 2)]),
)
def test_it_is_active_where_a_value_is_far_from_the_mean_of_the_weeks_before(
    story: Heard, zone: str, weeks: tuple[int, int]
) -> None:
    form = {"signal": "x", "apart": APART, "deadband": DEADBAND, "weeks": weeks[0], "learn_weeks": weeks[1]}
    drive = Drive(DeviationEvaluator("s/d/x", DeviationSpec.model_validate(form), ZoneInfo(zone)))
    now, stands = 0.0, False
    hours: Hours = {}
    for after, value in story:
        now += after
        drive.hear(now, value)
        if value == BAD:
            assert drive.condition == "unknown"
            continue
        local = at(now).astimezone(ZoneInfo(zone))
        week, hour = (local.toordinal() - local.weekday()) // 7, local.weekday() * 24 + local.hour
        expected = usual(hours, week, hour, *weeks)
        if expected is None:
            assert drive.condition == "unknown"
        else:
            stands = abs(float(value) - expected) > APART - (DEADBAND if stands else 0.0)
            assert drive.condition == ("active" if stands else "inactive")
        # An hour that the clocks go through twice is learnt the second time.
        began = local.replace(minute=0, second=0, microsecond=0, fold=local.fold).astimezone(ZoneInfo("UTC"))
        kept = hours.get((week, hour))
        hours[week, hour] = (began, [*(kept[1] if kept is not None and kept[0] == began else []), float(value)])
