from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from firewatch.rules.schedule import ScheduleEvaluator
from firewatch.rules.spec import ScheduleSpec
from tests.unit.rules.drive import Drive

BEIJING = "Asia/Shanghai"


def schedule(*windows: dict[str, Any], zone: str = BEIJING, **fields: Any) -> ScheduleEvaluator:
    return ScheduleEvaluator(ScheduleSpec.model_validate({"windows": list(windows), **fields}), zone)


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)


def story(evaluator: ScheduleEvaluator, start: str, end: str) -> list[str]:
    """What is told from one instant to another, each with the time of day that the site's clock shows."""
    drive = Drive(evaluator, armed_at=None)
    drive.now = utc(start)
    drive.state = evaluator.arm(drive.state, drive.now)
    drive._settle(utc(end))
    zone = utc(start).astimezone(datetime.fromisoformat(start).tzinfo).tzinfo
    return [f"{change.event_time.astimezone(zone):%m-%d %H:%M} {change.condition}" for change in drive.told]


STORIES: dict[str, tuple[ScheduleEvaluator, str, str, list[str]]] = {
    "work hours, seen from the night before": (
        schedule({"days": ["mon", "tue"], "from": "09:00", "to": "18:00"}),
        "2026-03-01T20:00+08:00",  # a Sunday
        "2026-03-04T12:00+08:00",
        [
            "03-01 20:00 inactive",
            "03-02 09:00 active",
            "03-02 18:00 inactive",
            "03-03 09:00 active",
            "03-03 18:00 inactive",
        ],
    ),
    "begun in the middle": (
        schedule({"from": "09:00", "to": "18:00"}),
        "2026-03-02T10:00+08:00",
        "2026-03-02T20:00+08:00",
        ["03-02 10:00 active", "03-02 18:00 inactive"],
    ),
    "past midnight, on the days on which it begins": (
        schedule({"days": ["fri"], "from": "22:00", "to": "06:00"}),
        "2026-03-06T21:00+08:00",
        "2026-03-08T00:00+08:00",
        ["03-06 21:00 inactive", "03-06 22:00 active", "03-07 06:00 inactive"],
    ),
    "all day is one time without an end": (
        schedule({}),
        "2026-03-01T10:00+08:00",
        "2026-03-20T10:00+08:00",
        ["03-01 10:00 active"],
    ),
    "up to midnight, and from midnight on": (
        schedule({"days": ["mon"], "from": "20:00"}, {"days": ["tue"], "to": "08:00"}),
        "2026-03-02T19:00+08:00",
        "2026-03-03T19:00+08:00",
        ["03-02 19:00 inactive", "03-02 20:00 active", "03-03 08:00 inactive"],
    ),
    "windows that overlap are one": (
        schedule({"from": "09:00", "to": "12:00"}, {"from": "11:00", "to": "14:00"}),
        "2026-03-02T08:00+08:00",
        "2026-03-02T20:00+08:00",
        ["03-02 08:00 inactive", "03-02 09:00 active", "03-02 14:00 inactive"],
    ),
    "on dates": (
        schedule({"dates": ["2026-05-01", {"first": "2026-10-01", "last": "2026-10-03"}]}),
        "2026-04-30T12:00+08:00",
        "2026-11-01T00:00+08:00",
        [
            "04-30 12:00 inactive",
            "05-01 00:00 active",
            "05-02 00:00 inactive",
            "10-01 00:00 active",
            "10-04 00:00 inactive",
        ],
    ),
    "not on holidays; a night that begins before one goes on": (
        schedule({"from": "22:00", "to": "06:00"}, **{"except": ["2026-10-01"]}),
        "2026-09-30T12:00+08:00",
        "2026-10-03T00:00+08:00",
        [
            "09-30 12:00 inactive",
            "09-30 22:00 active",
            "10-01 06:00 inactive",
            "10-02 22:00 active",
        ],
    ),
}


@pytest.mark.parametrize(("evaluator", "start", "end", "expected"), STORIES.values(), ids=STORIES)
def test_when_it_is_active(evaluator: ScheduleEvaluator, start: str, end: str, expected: list[str]) -> None:
    assert story(evaluator, start, end) == expected


# Berlin put its clocks forward on 29 March 2026 at 02:00 (01:00 UTC), and back on 25 October at 03:00 (01:00 UTC).
CLOCK_CHANGES: dict[str, tuple[dict[str, str], str, list[str]]] = {
    "a night is an hour shorter in spring": (
        {"from": "22:00", "to": "06:00"},
        "2026-03-28T20:00+00:00",
        ["03-28 20:00 inactive", "03-28 21:00 active", "03-29 04:00 inactive", "03-29 20:00 active"],
    ),
    "and an hour longer in autumn": (
        {"from": "22:00", "to": "06:00"},
        "2026-10-24T19:00+00:00",
        ["10-24 19:00 inactive", "10-24 20:00 active", "10-25 05:00 inactive"],
    ),
    "an hour that is missing has no window in it": (
        {"from": "02:00", "to": "03:00"},
        "2026-03-28T20:00+00:00",
        ["03-28 20:00 inactive"],
    ),
    "what begins in the missing hour begins after it": (
        {"from": "02:30", "to": "05:00"},
        "2026-03-28T20:00+00:00",
        ["03-28 20:00 inactive", "03-29 01:00 active", "03-29 03:00 inactive"],
    ),
    "an hour that comes twice has its window twice": (
        {"from": "02:00", "to": "02:30"},
        "2026-10-24T20:00+00:00",
        [
            "10-24 20:00 inactive",
            "10-25 00:00 active",
            "10-25 00:30 inactive",
            "10-25 01:00 active",
            "10-25 01:30 inactive",
        ],
    ),
    "the clock is put back out of a window": (
        {"from": "02:30", "to": "04:00"},
        "2026-10-24T20:00+00:00",
        [
            "10-24 20:00 inactive",
            "10-25 00:30 active",
            "10-25 01:00 inactive",
            "10-25 01:30 active",
            "10-25 03:00 inactive",
        ],
    ),
}


@pytest.mark.parametrize(("window", "start", "expected"), CLOCK_CHANGES.values(), ids=CLOCK_CHANGES)
def test_the_clock_on_the_wall_counts(window: dict[str, str], start: str, expected: list[str]) -> None:
    end = (utc(start) + timedelta(hours=25)).isoformat()
    assert story(schedule(window, zone="Europe/Berlin"), start, end) == expected


def test_after_a_time_down_it_tells_what_it_missed() -> None:
    evaluator = schedule({"from": "09:00", "to": "18:00"})
    start, back = utc("2026-03-02T10:00+08:00"), utc("2026-03-04T20:00+08:00")
    state, _ = evaluator.wake(evaluator.arm(evaluator.initial(), start), start)
    state, changes = evaluator.wake(evaluator.arm(state, back), back)
    assert [change.condition for change in changes] == ["inactive", "active", "inactive", "active", "inactive"]
    following = evaluator.next_wake(state)
    assert following == utc("2026-03-05T09:00+08:00")


def test_after_a_very_long_time_down_it_looks_at_the_clock_only() -> None:
    evaluator = schedule({"from": "09:00", "to": "18:00"})
    start, back = utc("2024-03-02T10:00+08:00"), utc("2026-03-04T20:00+08:00")
    state, _ = evaluator.wake(evaluator.arm(evaluator.initial(), start), start)
    _, changes = evaluator.wake(evaluator.arm(state, back), back)
    assert [(change.condition, change.event_time) for change in changes] == [("inactive", back)]


def test_it_listens_to_nothing_and_says_when_it_changes() -> None:
    evaluator = schedule({"from": "09:00", "to": "18:00"}, calendar="work-hours")
    assert evaluator.signals == ()
    start = utc("2026-03-02T10:00+08:00")
    state, _ = evaluator.wake(evaluator.arm(evaluator.initial(), start), start)
    finding = evaluator.explain(state)
    assert (finding.condition, finding.due) == ("active", utc("2026-03-02T18:00+08:00"))
    assert finding.facts == {"calendar": "work-hours"}
