from __future__ import annotations

from datetime import UTC, datetime, tzinfo
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
import pytest

from firewatch.rules.deviation import DeviationEvaluator
from firewatch.rules.spec import DeviationSpec
from firewatch.rules.states import DeviationState
from tests.unit.rules.drive import BAD, SILENCE, Drive, at, seconds

HOUR = 3600.0
WEEK = 7 * 24 * HOUR
SHANGHAI = ZoneInfo("Asia/Shanghai")


def deviation(zone: tzinfo = SHANGHAI, **spec: Any) -> Drive:
    form = {"signal": "flow", "apart": 2.0, "weeks": 3, "learn_weeks": 2, **spec}
    return Drive(DeviationEvaluator("s/d/flow", DeviationSpec.model_validate(form), zone))


def learnt(*means: float, **spec: Any) -> Drive:
    """In the weeks before, the hour in which stories begin had these values, newest last; the hour after it 10 more."""
    drive = deviation(**spec)
    for ago, mean in zip(range(len(means), 0, -1), means, strict=True):
        for hour, value in ((0, mean), (1, mean + 10.0), (2, 0.0)):
            drive.hear(hour * HOUR - ago * WEEK, value)
    drive.hear(-1, BAD)
    drive.told.clear()
    return drive


STORIES = {
    "a value far from what is usual at that hour": (
        [4.0, 6.0],
        {},
        [(0, 5.0, "inactive"), (60, 7.1, "active"), (120, 6.9, "inactive"), (180, 2.9, "active")],
    ),
    "what is usual at one hour is not so at the next": (
        [4.0, 6.0],
        {},
        [(0, 5.0, "inactive"), (HOUR - 1, 5.0, ""), (HOUR, 5.0, "active"), (HOUR + 60, 15.0, "inactive")],
    ),
    "what has not been learnt in enough weeks is unknown": ([5.0], {}, [(0, 50.0, ""), (60, 5.0, "")]),
    "one week is enough where that is so written": ([5.0], {"learn_weeks": 1}, [(0, 50.0, "active")]),
    "weeks too long ago do not count": ([90.0, 4.0, 5.0, 6.0], {}, [(0, 5.0, "inactive"), (60, 7.1, "active")]),
    "a distance that equals the limit is not beyond it": ([5.0, 5.0], {}, [(0, 7.0, "inactive"), (1, 7.01, "active")]),
    "it is over when the value has come back by the deadband": (
        [5.0, 5.0],
        {"deadband": 1.0},
        [(0, 7.5, "active"), (1, 6.5, ""), (2, 6.0, "inactive")],
    ),
    "an hour that is not known does not clear": (
        [5.0, 5.0],
        {},
        [(0, 9.0, "active"), (3 * HOUR, 9.0, "unknown")],
    ),
    "bad quality is unknown": ([5.0, 5.0], {}, [(0, 9.0, "active"), (1, BAD, "unknown"), (2, 5.0, "inactive")]),
    "silence changes nothing": ([5.0, 5.0], {}, [(0, 9.0, "active"), (WEEK, SILENCE, "")]),
    "what is no number is unknown": (
        [5.0, 5.0],
        {},
        [(0, 5.0, "inactive"), (1, True, "unknown"), (2, "high", ""), (3, 5.0, "inactive")],
    ),
}


@pytest.mark.parametrize(("means", "spec", "steps"), STORIES.values(), ids=STORIES)
def test_deviations(means: list[float], spec: dict[str, Any], steps: list[tuple[float, object, str]]) -> None:
    learnt(*means, **spec).play(steps)


def test_a_late_value_is_held_against_what_is_usual_at_its_own_hour() -> None:
    drive = learnt(5.0, 5.0)
    drive.play([(0, 5.0, "inactive"), (HOUR, 15.0, ""), (HOUR + 60, 15.0, "")])
    assert drive.hear(HOUR + 61, 9.0, event=60) == ["active"]
    assert seconds(drive.told[-1].onset_time) == 60
    assert drive.hear(HOUR + 62, 15.0) == ["inactive"]


def test_a_late_value_does_not_clear_and_is_not_learnt() -> None:
    drive = learnt(5.0, 5.0)
    drive.play([(0, 5.0, "inactive"), (60, 9.0, "active")])
    before = drive.state
    assert drive.hear(61, 5.0, event=30) == []
    assert drive.state is before


def test_a_value_that_comes_twice_is_learnt_once() -> None:
    once, twice = deviation(), deviation()
    for drive, repeats in ((once, 1), (twice, 3)):
        drive.hear(0, 3.0)
        for _ in range(repeats):
            drive.hear(60, 5.0)
    assert once.state == twice.state


def test_a_week_with_many_values_counts_as_much_as_one_with_few() -> None:
    drive = deviation()
    for minute in range(60):
        drive.hear(minute * 60 - 2 * WEEK, 4.0)
    drive.hear(-WEEK, 8.0)
    drive.hear(0, 6.0)
    assert drive.evaluator.explain(drive.state).facts["usual"] == 6.0


def test_a_missing_week_is_not_counted() -> None:
    drive = deviation(weeks=4)
    for ago, value in ((3, 4.0), (1, 8.0)):
        drive.hear(-ago * WEEK, value)
    drive.hear(0, 6.0)
    facts = drive.evaluator.explain(drive.state).facts
    assert (facts["usual"], facts["learnt_weeks"]) == (6.0, 2.0)


def test_the_hour_of_the_week_is_that_of_the_site() -> None:
    """In New York clocks went forward on 2026-03-08: 09:00 there was 14:00 UTC the week before, and 13:00 after."""
    zone = ZoneInfo("America/New_York")
    instants = [datetime(2026, 2, 23, 14, 30, tzinfo=UTC), datetime(2026, 3, 2, 14, 30, tzinfo=UTC)]
    after = datetime(2026, 3, 9, 13, 30, tzinfo=UTC)
    here, elsewhere = deviation(zone), deviation(SHANGHAI)
    for drive in (here, elsewhere):
        for instant in (*instants, after):
            start = (instant - at(0)).total_seconds()
            drive.hear(start, 5.0)
    assert here.evaluator.explain(here.state).facts["usual"] == 5.0
    assert "usual" not in elsewhere.evaluator.explain(elsewhere.state).facts


@pytest.mark.parametrize("zone", ["Asia/Kolkata", "Asia/Kathmandu", "Australia/Lord_Howe"])
def test_an_hour_begins_when_the_clocks_of_the_site_say_so(zone: str) -> None:
    drive = deviation(ZoneInfo(zone))
    drive.hear(0, 5.0)
    begins = drive.state.hour_time.astimezone(ZoneInfo(zone))
    assert (begins.minute, begins.second) == (0, 0)


def test_a_state_keeps_so_much_and_not_more() -> None:
    drive = deviation(weeks=52, learn_weeks=1)
    for week in range(60):
        for hour in range(3):
            drive.hear(week * WEEK + hour * HOUR, 5.0)
    assert len(drive.state.history) == 168 * 52 * 12


def test_what_was_learnt_outlives_a_restart() -> None:
    drive = learnt(5.0, 5.0)
    drive.state = msgspec.json.decode(msgspec.json.encode(drive.state), type=DeviationState)
    drive.play([(0, 9.0, "active")])


def test_it_explains_what_is_usual_and_from_how_many_weeks() -> None:
    drive = learnt(4.0, 6.0, deadband=0.5)
    drive.play([(600, 9.0, "active")])
    finding = drive.evaluator.explain(drive.state)
    assert (finding.kind, finding.signals, finding.onset_time) == ("deviation", ("s/d/flow",), at(600))
    assert finding.facts == {
        "apart": 2.0,
        "deadband": 0.5,
        "weeks": 3.0,
        "learn_weeks": 2.0,
        "hour_time": at(0),
        "learnt_weeks": 2.0,
        "usual": 5.0,
    }
