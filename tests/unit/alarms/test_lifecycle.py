"""Stories of an alarm, asserting its state and what was told after every step.

The stories follow what alarm servers learned in control rooms since 2010 (Phoebus, ISA-18.2): each line is what
happens, then the state, the condition, and the effects: `!` people are told, a reason is recorded.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from firewatch.alarms.lifecycle import ConditionSeen, Onset, StandingAlarm, step
from firewatch.errors import RefusedCommandError
from firewatch.model.alarm import Alarm, AlarmClass, AlarmClock, AlarmState, ConditionState, Priority, alarm_id
from firewatch.model.command import Acknowledge
from firewatch.model.effect import Annunciate, Effect, RecordTransition
from firewatch.model.text import LocalText

START = datetime(2026, 3, 1, 8, tzinfo=UTC)
WORDS = LocalText(zh="压力低", en="Pressure low")


def at(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


def draft(onset: float, value: float = 0.05, picture: str | None = None) -> Alarm:
    return Alarm(
        alarm_id=alarm_id("low", "s/h", at(onset)),
        rule="low",
        site="s",
        subject="s/h",
        building="b",
        system="water",
        priority=Priority.HIGH,
        alarm_class=AlarmClass.SUPERVISORY,
        state=AlarmState.UNACKNOWLEDGED,
        condition=ConditionState.ACTIVE,
        text=LocalText(zh=f"压力 {value}", en=f"Pressure {value}"),
        advice=WORDS,
        place=WORDS,
        onset_time=at(onset),
        clock=AlarmClock(source_time=at(onset), receive_time=at(onset), decided_time=at(onset)),
        value=value,
        picture=picture,
    )


class Life:
    def __init__(self) -> None:
        self.standing: StandingAlarm | None = None
        self.effects: tuple[Effect, ...] = ()

    def do(self, now: float, what: str) -> str:
        events = {
            "onset": Onset(draft(now)),
            "active": ConditionSeen(ConditionState.ACTIVE),
            "inactive": ConditionSeen(ConditionState.INACTIVE),
            "unknown": ConditionSeen(ConditionState.UNKNOWN),
            "ack": Acknowledge(
                self.standing.alarm.alarm_id if self.standing else "none", operator="li", comment="seen"
            ),
        }
        try:
            self.standing, self.effects = step(self.standing, events[what], at(now))
        except RefusedCommandError:
            return f"{self.shown()} refused"
        return " ".join([self.shown(), *map(_word, self.effects)])

    def shown(self) -> str:
        if self.standing is None:
            return "normal"
        return f"{self.standing.alarm.state} {self.standing.alarm.condition}"


def _word(effect: Effect) -> str:
    if isinstance(effect, Annunciate):
        return "!"
    assert isinstance(effect, RecordTransition)
    return str(effect.transition.reason)


STORIES = {
    "active, acknowledged, returned": [
        ("onset", "unacknowledged active ! condition_active"),
        ("ack", "acknowledged active acknowledged"),
        ("inactive", "normal condition_inactive"),
    ],
    "active, returned, acknowledged": [
        ("onset", "unacknowledged active ! condition_active"),
        ("inactive", "rtn_unacknowledged inactive condition_inactive"),
        ("ack", "normal acknowledged"),
    ],
    "no news is told once": [
        ("onset", "unacknowledged active ! condition_active"),
        ("active", "unacknowledged active"),
        ("inactive", "rtn_unacknowledged inactive condition_inactive"),
        ("inactive", "rtn_unacknowledged inactive"),
    ],
    "back again before anyone saw it: the same alarm, told again": [
        ("onset", "unacknowledged active ! condition_active"),
        ("inactive", "rtn_unacknowledged inactive condition_inactive"),
        ("onset", "unacknowledged active ! condition_active"),
        ("ack", "acknowledged active acknowledged"),
    ],
    "a new onset while acknowledged is told again": [
        ("onset", "unacknowledged active ! condition_active"),
        ("ack", "acknowledged active acknowledged"),
        ("onset", "unacknowledged active ! condition_active"),
    ],
    "unknown keeps an unacknowledged alarm where it is": [
        ("onset", "unacknowledged active ! condition_active"),
        ("unknown", "unacknowledged unknown condition_unknown"),
        ("unknown", "unacknowledged unknown"),
        ("ack", "acknowledged unknown acknowledged"),
        ("active", "acknowledged active condition_known"),
    ],
    "unknown keeps an acknowledged alarm, and good news after it counts": [
        ("onset", "unacknowledged active ! condition_active"),
        ("ack", "acknowledged active acknowledged"),
        ("unknown", "acknowledged unknown condition_unknown"),
        ("inactive", "normal condition_inactive"),
    ],
    "unknown after the return waits for the operator all the same": [
        ("onset", "unacknowledged active ! condition_active"),
        ("inactive", "rtn_unacknowledged inactive condition_inactive"),
        ("unknown", "rtn_unacknowledged unknown condition_unknown"),
        ("inactive", "rtn_unacknowledged inactive condition_known"),
        ("unknown", "rtn_unacknowledged unknown condition_unknown"),
        ("onset", "unacknowledged active ! condition_active"),
    ],
    "acknowledging twice is refused": [
        ("onset", "unacknowledged active ! condition_active"),
        ("ack", "acknowledged active acknowledged"),
        ("ack", "acknowledged active refused"),
    ],
    "acknowledging nothing is refused": [("ack", "normal refused")],
    "conditions without an alarm tell nothing": [("inactive", "normal"), ("unknown", "normal")],
}


@pytest.mark.parametrize("story", STORIES.values(), ids=STORIES)
def test_stories(story: list[tuple[str, str]]) -> None:
    life = Life()
    for now, (what, expected) in enumerate(story):
        assert life.do(now, what) == expected, f"step {now}: {what}"


def test_a_refused_command_changes_nothing() -> None:
    life = Life()
    life.do(0, "onset")
    life.do(1, "ack")
    before = life.standing
    with pytest.raises(RefusedCommandError, match="acknowledged and cannot be acknowledged: li did so already"):
        step(before, Acknowledge(before.alarm.alarm_id, "wang"), at(2))  # type: ignore[union-attr]
    assert life.standing is before


def test_an_alarm_resumed_keeps_its_identity_and_shows_what_is_new() -> None:
    life = Life()
    life.do(0, "onset")
    life.do(1, "inactive")
    assert life.standing is not None
    first = life.standing.alarm
    standing, _ = step(life.standing, Onset(draft(9, value=0.01, picture="new")), at(9))
    assert standing is not None
    alarm = standing.alarm
    assert (alarm.alarm_id, alarm.onset_time, alarm.clock) == (first.alarm_id, first.onset_time, first.clock)
    assert (alarm.activations, alarm.value, alarm.text.en, alarm.picture) == (2, 0.01, "Pressure 0.01", "new")
    assert alarm.cleared_time is None


def test_an_acknowledgement_names_who_and_when_and_a_new_onset_forgets_it() -> None:
    life = Life()
    life.do(0, "onset")
    life.do(3, "ack")
    assert life.standing is not None
    alarm = life.standing.alarm
    assert (alarm.acknowledged_by, alarm.acknowledged_time, alarm.acknowledge_comment) == ("li", at(3), "seen")
    life.do(5, "onset")
    assert (life.standing.alarm.acknowledged_by, life.standing.alarm.acknowledged_time) == (None, None)


def test_transitions_are_numbered_and_carry_the_alarm_after_them() -> None:
    life = Life()
    records = []
    for now, what in enumerate(["onset", "unknown", "active", "inactive", "ack"]):
        life.do(now, what)
        records += [effect.transition for effect in life.effects if isinstance(effect, RecordTransition)]
    assert [record.number for record in records] == [1, 2, 3, 4, 5]
    assert [record.previous_state for record in records[1:]] == [record.alarm.state for record in records[:-1]]
    assert (records[-1].by, records[-1].comment, records[0].by) == ("li", "seen", "firewatch")
