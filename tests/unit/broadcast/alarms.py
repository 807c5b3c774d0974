"""Alarms to tell, and what becomes of them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from msgspec.structs import replace

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

START = datetime(2026, 11, 25, 8, 0, 0, 250_000, tzinfo=UTC)
ID = "0123456789abcdef"


def at(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


def smoke(
    alarm_id: str = ID, *, priority: Priority = Priority.HIGHEST, alarm_class: AlarmClass = AlarmClass.FIRE
) -> Alarm:
    """A fire alarm of a smoke detector, as it stands at its onset."""
    return Alarm(
        alarm_id=alarm_id,
        rule="smoke",
        site="sample",
        subject="sample/smoke-1",
        building="tower-a",
        system="smoke",
        priority=priority,
        alarm_class=alarm_class,
        state=AlarmState.UNACKNOWLEDGED,
        condition=ConditionState.ACTIVE,
        text=LocalText(zh="地下车库 1 区烟感报警", en="Smoke in garage zone 1"),
        advice=LocalText(zh="立即派人到现场核实", en="Send somebody to look at once"),
        place=LocalText(zh="A座·地下车库", en="Tower A, garage"),
        onset_time=START,
        clock=AlarmClock(source_time=START, receive_time=START, decided_time=START),
        value=True,
        incident=alarm_id,
        incident_number=1,
    )


class Story:
    """The changes of one alarm, a minute apart."""

    def __init__(self, alarm: Alarm | None = None) -> None:
        self.alarm = alarm or smoke()
        self.transitions: list[AlarmTransition] = []
        self._add(AlarmState.NORMAL, TransitionReason.CONDITION_ACTIVE)

    def then(self, reason: TransitionReason = TransitionReason.CONDITION_KNOWN, **changes: object) -> Story:
        before = self.alarm.state
        self.alarm = replace(self.alarm, **changes)
        self._add(before, reason)
        return self

    def over(self) -> Story:
        return self.then(
            TransitionReason.CONDITION_INACTIVE, state=AlarmState.NORMAL, condition=ConditionState.INACTIVE
        )

    def _add(self, before: AlarmState, reason: TransitionReason) -> None:
        number = len(self.transitions) + 1
        self.transitions.append(
            AlarmTransition(
                alarm_id=self.alarm.alarm_id,
                number=number,
                transition_time=at(60 * (number - 1)),
                reason=reason,
                previous_state=before,
                alarm=self.alarm,
            )
        )
