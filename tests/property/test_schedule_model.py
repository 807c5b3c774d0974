"""Schedules beside a model of their own: a watchman who looks at the clock on the wall and at the list of windows."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from firewatch.rules.schedule import ScheduleEvaluator
from firewatch.rules.spec import ScheduleSpec
from tests.unit.rules.drive import Drive

pytestmark = pytest.mark.slow

DAYS = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
ZONES = ["Asia/Shanghai", "Europe/Berlin", "America/St_Johns", "Australia/Lord_Howe", "America/Havana", "UTC"]
STARTS = ["2026-03-07", "2026-03-28", "2026-04-04", "2026-10-03", "2026-10-24", "2026-10-31", "2026-12-30"]
"""Shortly before the clocks of one of the zones change, and before a year ends."""

clocks = st.integers(0, 95).map(lambda quarter: f"{quarter // 4:02}:{quarter % 4 * 15:02}")
dates = st.integers(0, 6).flatmap(lambda after: st.sampled_from(STARTS).map(lambda day: later(day, after)))
windows = st.fixed_dictionaries(
    {},
    optional={
        "from": clocks,
        "to": st.one_of(clocks, st.just("24:00")),
        "days": st.lists(st.sampled_from(DAYS), min_size=1, unique=True),
        "dates": st.lists(dates, min_size=1, max_size=5),
    },
)


def later(day: str, days: int) -> str:
    return (datetime.fromisoformat(day) + timedelta(days=days)).date().isoformat()


def minutes(clock: str) -> int:
    hours, _, rest = clock.partition(":")
    return int(hours) * 60 + int(rest)


def is_open(written: list[dict[str, Any]], without: list[str], wall: datetime) -> bool:
    """What the watchman says: a window begins on a day, and what goes past midnight is read on as hour 24 and more."""
    for window in written:
        start, end = minutes(window.get("from", "00:00")), minutes(window.get("to", "24:00"))
        end += 24 * 60 if end < start else 0
        for days_ago in (0, 1):
            begins = wall - timedelta(days=days_ago)
            clock = wall.hour * 60 + wall.minute + days_ago * 24 * 60
            day = begins.date().isoformat()
            if (
                start <= clock < end
                and DAYS[begins.weekday()] in window.get("days", DAYS)
                and day in window.get("dates", [day])
                and day not in without
            ):
                return True
    return False


@settings(max_examples=150, deadline=None)
@given(
    written=st.lists(windows, min_size=1, max_size=4),
    without=st.lists(dates, max_size=3),
    zone=st.sampled_from(ZONES),
    start=st.sampled_from(STARTS),
    looks=st.lists(st.integers(1, 9 * 24 * 4), min_size=1, max_size=30, unique=True).map(sorted),
)
def test_a_schedule_is_what_the_clock_on_the_wall_says(
    written: list[dict[str, Any]], without: list[str], zone: str, start: str, looks: list[int]
) -> None:
    spec = ScheduleSpec.model_validate({"windows": written, "except": without})
    evaluator = ScheduleEvaluator(spec, zone)
    first = datetime.fromisoformat(start).replace(tzinfo=UTC)
    drive = Drive(evaluator, armed_at=None)
    drive.now, drive.state = first, evaluator.arm(drive.state, first)
    for quarters in looks:
        now = first + timedelta(minutes=15 * quarters)
        drive._settle(now)
        assert (drive.condition == "active") is is_open(written, without, now.astimezone(ZoneInfo(zone)))
    for change in drive.told[1:]:  # nothing is told but what changes, and at its instant
        wall = change.event_time.astimezone(ZoneInfo(zone))
        before = (change.event_time - timedelta(minutes=1)).astimezone(ZoneInfo(zone))
        assert is_open(written, without, wall) is not is_open(written, without, before)
