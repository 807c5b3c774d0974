"""Chattering, fleeting and stale: one line for each story, with the marks at times after it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from msgspec.structs import replace

from firewatch.alarms.nuisance import Mark, Nuisances
from firewatch.model.alarm import (
    Alarm,
    AlarmClass,
    AlarmClock,
    AlarmState,
    AlarmTransition,
    ConditionState,
    Priority,
    TransitionReason,
)
from firewatch.model.text import LocalText

START = datetime(2026, 3, 1, 8, tzinfo=UTC)
WORDS = LocalText(zh="压力低", en="Pressure low")
MINUTE, HOUR = 60, 3600
CHATTERING, FLEETING, STALE = Mark.CHATTERING, Mark.FLEETING, Mark.STALE
CONDITIONS = {"A": ConditionState.ACTIVE, "i": ConditionState.INACTIVE, "?": ConditionState.UNKNOWN}
ALARM = Alarm(
    alarm_id="a",
    rule="low",
    site="s",
    subject="s/h",
    building="b",
    system="water",
    priority=Priority.HIGH,
    alarm_class=AlarmClass.SUPERVISORY,
    state=AlarmState.UNACKNOWLEDGED,
    condition=ConditionState.ACTIVE,
    text=WORDS,
    advice=WORDS,
    place=WORDS,
    onset_time=START,
    clock=AlarmClock(START, START, START),
)


def at(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


def change(number: int, seconds: float, **fields: object) -> AlarmTransition:
    alarm = replace(ALARM, **fields)
    return AlarmTransition(
        alarm.alarm_id, number, at(seconds), TransitionReason.CONDITION_ACTIVE, AlarmState.NORMAL, alarm
    )


def story(text: str) -> list[AlarmTransition]:
    """`0A 5i`: active at second 0, inactive at second 5; `0i#` is in state normal by it, so another alarm follows."""
    changes, alarm_id = [], 0
    for number, word in enumerate(text.split(), 1):
        over = word.endswith("#")
        seconds, sign = float(word.rstrip("#")[:-1]), word.rstrip("#")[-1]
        changes.append(
            change(
                number,
                seconds,
                alarm_id=f"a{alarm_id}",
                condition=CONDITIONS[sign],
                state=AlarmState.NORMAL if over else AlarmState.UNACKNOWLEDGED,
            )
        )
        alarm_id += over
    return changes


def marks(text: str, seconds: float) -> tuple[Mark, ...]:
    nuisances = Nuisances()
    for each in story(text):
        nuisances.take(each)
    return nuisances.marks("low", "s/h", at(seconds))


@pytest.mark.parametrize(
    ("text", "seconds", "expected"),
    [
        ("", 0, ()),
        ("0A", 1, ()),
        # Chattering: more than 5 changes in 5 minutes, be they of one alarm or of several.
        ("0A 60i 120A 180i 240A", 240, ()),
        ("0A 60i 120A 180i 240A 299i", 299, (CHATTERING,)),
        ("0A 60i 120A 180i 240A 301i", 301, ()),
        ("0A 60i# 120A 180i# 240A 299i#", 299, (CHATTERING,)),
        ("0A 60i 120A 180i 240A 299i", 301, ()),
        ("0A 50? 60i 110? 120A 180i 240A", 240, ()),
        # Fleeting: active for less than 10 s, and not again within 60 s after it.
        ("0A 9i", 9 + 59, ()),
        ("0A 9i", 9 + 60, (FLEETING,)),
        ("0A 9i", 9 + 10 * HOUR, (FLEETING,)),
        ("0A 10i", 10 + 60, ()),
        ("0A 9i 30A", 200, ()),
        ("0A 9i 30A 50i", 200, ()),
        ("0A 9i 100A 200i", 300, ()),
        ("0A 5? 9i", 100, (FLEETING,)),
        # Stale: active for more than 24 hours; what cannot be told goes on.
        ("0A", 24 * HOUR, ()),
        ("0A", 24 * HOUR + 1, (STALE,)),
        ("0A 60?", 24 * HOUR + 1, (STALE,)),
        ("0A 60i", 24 * HOUR + 1, ()),
        ("0A 60i 120A", 24 * HOUR + 61, ()),
        ("0?", 25 * HOUR, ()),
    ],
)
def test_marks(text: str, seconds: float, expected: tuple[Mark, ...]) -> None:
    assert marks(text, seconds) == expected


def test_an_alarm_that_a_change_of_the_rules_closed_is_not_stale() -> None:
    nuisances = Nuisances()
    nuisances.take(change(1, 0))
    nuisances.take(change(2, 60, state=AlarmState.NORMAL))
    assert nuisances.marks("low", "s/h", at(25 * HOUR)) == ()


def test_what_is_given_again_counts_once() -> None:
    nuisances = Nuisances()
    for each in story("0A 60i# 120A 180i# 240A"):
        nuisances.take(each)
    for each in story("0A 60i# 120A 180i# 240A")[1:]:
        nuisances.take(each)
    assert nuisances.marks("low", "s/h", at(240)) == ()
    nuisances.take(story("0A 60i# 120A 180i# 240A 250i")[-1])
    assert nuisances.marks("low", "s/h", at(250)) == (CHATTERING,)


def test_each_rule_and_subject_is_marked_by_itself_and_shadows_and_drills_not_at_all() -> None:
    nuisances = Nuisances()
    nuisances.take(change(1, 0))
    nuisances.take(change(1, 0, rule="shadow", shadow=True))
    nuisances.take(change(1, 0, rule="drilled", drill="d"))
    nuisances.take(change(1, 10, alarm_id="b", subject="s/other"))
    alarms = [replace(ALARM, rule=rule) for rule in ("low", "shadow", "drilled", "unknown")]
    late = at(24 * HOUR + 5)
    assert [nuisances.marks(alarm.rule, alarm.subject, late) for alarm in alarms] == [(STALE,), (), (), ()]
    assert nuisances.marked([ALARM, replace(ALARM, alarm_id="b", subject="s/other")], late) == {"a": (STALE,)}
