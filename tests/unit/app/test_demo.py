"""What `firewatch demo` prints of what travels on the broker."""

from __future__ import annotations

from datetime import UTC, datetime

import msgspec

from firewatch.app.demo import Story
from firewatch.model.alarm import Alarm, AlarmClass, AlarmClock, AlarmState, ConditionState, Priority
from firewatch.model.text import LocalText

TIME = datetime(2026, 3, 1, 8, tzinfo=UTC)
TOPIC = "firewatch/v1/alarm/sample/a1"
WORDS = LocalText(zh="一氧化碳偏高", en="Raised carbon monoxide")
ALARM = Alarm(
    alarm_id="a1",
    rule="garage-co",
    site="sample",
    subject="sample/garage-co-1",
    building="garage",
    system="garage",
    priority=Priority.LOW,
    alarm_class=AlarmClass.SUPERVISORY,
    state=AlarmState.UNACKNOWLEDGED,
    condition=ConditionState.ACTIVE,
    text=WORDS,
    advice=WORDS,
    place=WORDS,
    onset_time=TIME,
    clock=AlarmClock(source_time=TIME, receive_time=TIME, decided_time=TIME),
)


def lines(*alarms: Alarm) -> list[str | None]:
    story = Story(chinese=False, prefix="firewatch/v1/")
    return [story.line(TOPIC, msgspec.json.encode(alarm)) for alarm in alarms]


def test_an_alarm_is_told_once_for_each_change() -> None:
    returned = msgspec.structs.replace(ALARM, state=AlarmState.RTN_UNACKNOWLEDGED, condition=ConditionState.INACTIVE)
    assert lines(ALARM, ALARM, returned) == [
        "ALARM    Raised carbon monoxide [unacknowledged]",
        None,
        "ALARM    Raised carbon monoxide [rtn_unacknowledged]",
    ]


def test_an_alarm_that_becomes_more_urgent_is_told_again() -> None:
    worse = LocalText(zh="一氧化碳超标", en="Too much carbon monoxide")
    stepped_up = msgspec.structs.replace(ALARM, priority=Priority.HIGH, text=worse, step=1)
    assert lines(ALARM, stepped_up)[1] == "ALARM    Too much carbon monoxide [unacknowledged]"


def test_nobody_is_told_of_a_hidden_alarm_until_it_is_hidden_no_more() -> None:
    hidden = msgspec.structs.replace(ALARM, hidden=True, suppressed_by="another")
    assert lines(hidden, ALARM) == [None, "ALARM    Raised carbon monoxide [unacknowledged]"]
