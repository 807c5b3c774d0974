"""Changes of alarms as a seat is told of them, written briefly."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from firewatch.model.alarm import (
    Alarm,
    AlarmClass,
    AlarmClock,
    AlarmState,
    AlarmTransition,
    Annunciation,
    ConditionState,
    Maintenance,
    Priority,
    Shelf,
    TransitionReason,
)
from firewatch.model.text import LocalText

START = datetime(2026, 10, 1, tzinfo=UTC)
NOTHING = LocalText(zh="", en="")
OWN, GROUPED = Annunciation.OF_ITS_OWN, Annunciation.GROUPED
ACTIVE, ACKNOWLEDGED, RTN, NORMAL = (
    AlarmState.UNACKNOWLEDGED,
    AlarmState.ACKNOWLEDGED,
    AlarmState.RTN_UNACKNOWLEDGED,
    AlarmState.NORMAL,
)
REASONS = {
    ACTIVE: TransitionReason.CONDITION_ACTIVE,
    ACKNOWLEDGED: TransitionReason.ACKNOWLEDGED,
    RTN: TransitionReason.CONDITION_INACTIVE,
    NORMAL: TransitionReason.CONDITION_INACTIVE,
    AlarmState.LATCHED_ACKNOWLEDGED: TransitionReason.CONDITION_INACTIVE,
}
SHELF = Shelf("li", START, "检修", START + timedelta(hours=8))
OUT = Maintenance("li", START, "WO-7")


def at(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


def change(
    seconds: float,
    subject: str = "s/pump",
    state: AlarmState = ACTIVE,
    told: Annunciation | None = None,
    *,
    reason: TransitionReason | None = None,
    rule: str = "low",
    onset: float | None = None,
    **fields: Any,
) -> AlarmTransition:
    """A change at so many seconds after START."""
    time = at(seconds)
    alarm = Alarm(
        alarm_id=f"{rule}@{subject}",
        rule=rule,
        site="s",
        subject=subject,
        building="a",
        **{"system": "water", "priority": Priority.LOW, "alarm_class": AlarmClass.TROUBLE} | fields,
        state=state,
        condition=ConditionState.ACTIVE if state in (ACTIVE, ACKNOWLEDGED) else ConditionState.INACTIVE,
        text=NOTHING,
        advice=NOTHING,
        place=NOTHING,
        onset_time=at(seconds if onset is None else onset),
        clock=AlarmClock(time, time, time, annunciated_time=time if onset is None else at(onset)),
    )
    return AlarmTransition(
        alarm_id=alarm.alarm_id,
        number=round(10 * seconds) + 1_000_000,
        transition_time=time,
        reason=reason or REASONS[state],
        previous_state=NORMAL,
        alarm=alarm,
        annunciation=told,
    )
