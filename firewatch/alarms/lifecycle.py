"""How an alarm moves through its life: a step from value to value, with what has to be told. The rules of moving
stand in `transitions`; here they are applied to the alarm's record.
"""

from __future__ import annotations

from datetime import datetime

import msgspec
from msgspec.structs import replace

from firewatch.alarms.transitions import TRANSITIONS, Move, Row
from firewatch.errors import RefusedCommandError
from firewatch.model.alarm import (
    Alarm,
    AlarmClass,
    AlarmState,
    AlarmTransition,
    ConditionState,
    Priority,
    TransitionReason,
)
from firewatch.model.command import Acknowledge
from firewatch.model.effect import Annunciate, Effect, RecordTransition


class StandingAlarm(msgspec.Struct, frozen=True):
    """An alarm that is not back to normal, and the number of its last transition."""

    alarm: Alarm
    number: int


class Onset(msgspec.Struct, frozen=True):
    """The condition became active anew. `alarm` is the alarm as it would be if it were the first onset; `number` is
    the last transition recorded under its id, should late data have brought the very same onset before.
    """

    alarm: Alarm
    number: int = 0


class ConditionSeen(msgspec.Struct, frozen=True):
    """The condition changed without a new onset."""

    condition: ConditionState


class Eased(msgspec.Struct, frozen=True):
    """The ladder stepped down. `alarm` is the alarm as it would be if it had begun at the milder step."""

    alarm: Alarm


class Regraded(msgspec.Struct, frozen=True):
    """The rule behind the alarm was given another priority or class, and judges as before."""

    priority: Priority
    alarm_class: AlarmClass


class Closed(msgspec.Struct, frozen=True):
    """A change of the rules ended the alarm. `move` is removed, promoted or demoted."""

    move: Move


Event = Onset | ConditionSeen | Eased | Regraded | Closed | Acknowledge

Stepped = tuple[StandingAlarm | None, tuple[Effect, ...]]
"""The alarm after the step, None when it is back to normal, and the effects in order."""


def step(standing: StandingAlarm | None, event: Event, now: datetime) -> Stepped:
    """Move an alarm.

    Raises:
        RefusedCommandError: an acknowledgement that does not fit; the alarm is unchanged.
    """
    if isinstance(event, Onset):
        return _onset(standing, event, now)
    if isinstance(event, ConditionSeen):
        return _condition_seen(standing, event.condition, now)
    if isinstance(event, Eased):
        return _eased(standing, event.alarm, now)
    if isinstance(event, Regraded):
        return _regraded(standing, event, now)
    if isinstance(event, Closed):
        return _closed(standing, event.move, now)
    return _acknowledge(standing, event, now)


def _onset(standing: StandingAlarm | None, onset: Onset, now: datetime) -> Stepped:
    draft = onset.alarm
    if standing is None:
        row = TRANSITIONS[AlarmState.NORMAL][Move.ONSET]
        alarm = replace(draft, state=row.state, condition=ConditionState.ACTIVE)
        return _told(StandingAlarm(alarm=draft, number=onset.number), alarm, AlarmState.NORMAL, row, now)
    before = standing.alarm
    row = TRANSITIONS[before.state][Move.ONSET]
    alarm = replace(
        before,
        state=row.state,
        condition=ConditionState.ACTIVE,
        activations=before.activations + 1,
        priority=draft.priority,
        alarm_class=draft.alarm_class,
        text=draft.text,
        advice=draft.advice,
        value=draft.value,
        unit=draft.unit,
        picture=draft.picture or before.picture,
        step=draft.step,
        cleared_time=None,
        acknowledged_time=None,
        acknowledged_by=None,
        acknowledge_comment="",
    )
    return _told(standing, alarm, before.state, row, now)


def _condition_seen(standing: StandingAlarm | None, condition: ConditionState, now: datetime) -> Stepped:
    if standing is None or standing.alarm.condition is condition:
        return standing, ()
    before = standing.alarm
    row = TRANSITIONS[before.state][_move_to(condition, before)]
    returned = row.reason is TransitionReason.CONDITION_INACTIVE
    alarm = replace(before, state=row.state, condition=condition, cleared_time=now if returned else before.cleared_time)
    return _told(standing, alarm, before.state, row, now)


def _move_to(condition: ConditionState, alarm: Alarm) -> Move:
    if condition is ConditionState.UNKNOWN:
        return Move.LOST
    if condition is ConditionState.INACTIVE and alarm.state is not AlarmState.RTN_UNACKNOWLEDGED:
        return Move.RETURNED
    return Move.KNOWN


def _eased(standing: StandingAlarm | None, draft: Alarm, now: datetime) -> Stepped:
    if standing is None or (row := TRANSITIONS[standing.alarm.state].get(Move.EASED)) is None:
        return standing, ()
    before = standing.alarm
    alarm = replace(
        before,
        state=row.state,
        priority=draft.priority,
        text=draft.text,
        advice=draft.advice,
        value=draft.value,
        unit=draft.unit,
        step=draft.step,
    )
    return _told(standing, alarm, before.state, row, now)


def _regraded(standing: StandingAlarm | None, change: Regraded, now: datetime) -> Stepped:
    if standing is None:
        return None, ()
    before = standing.alarm
    if (before.priority, before.alarm_class) == (change.priority, change.alarm_class):
        return standing, ()
    row = TRANSITIONS[before.state][
        Move.RAISED if change.priority.is_more_urgent_than(before.priority) else Move.REGRADED
    ]
    alarm = replace(before, state=row.state, priority=change.priority, alarm_class=change.alarm_class)
    if row.annunciate:
        alarm = replace(alarm, acknowledged_time=None, acknowledged_by=None, acknowledge_comment="")
    return _told(standing, alarm, before.state, row, now)


def _closed(standing: StandingAlarm | None, move: Move, now: datetime) -> Stepped:
    if standing is None:
        return None, ()
    row = TRANSITIONS[standing.alarm.state][move]
    return _told(standing, replace(standing.alarm, state=row.state), standing.alarm.state, row, now)


def _acknowledge(standing: StandingAlarm | None, command: Acknowledge, now: datetime) -> Stepped:
    if standing is None:
        raise RefusedCommandError(
            f"There is no standing alarm {command.alarm_id}; it may have returned to normal. Look at the alarm list."
        )
    before = standing.alarm
    row = TRANSITIONS[before.state].get(Move.ACKNOWLEDGE)
    if row is None:
        raise RefusedCommandError(
            f"Alarm {before.alarm_id} is {before.state} and cannot be acknowledged: "
            f"{before.acknowledged_by or 'someone'} did so already."
        )
    alarm = replace(
        before,
        state=row.state,
        acknowledged_time=now,
        acknowledged_by=command.operator,
        acknowledge_comment=command.comment,
    )
    return _told(standing, alarm, before.state, row, now, by=command.operator, comment=command.comment)


def _told(
    standing: StandingAlarm,
    alarm: Alarm,
    previous: AlarmState,
    row: Row,
    now: datetime,
    *,
    by: str = "firewatch",
    comment: str = "",
) -> Stepped:
    number = standing.number + 1
    record = RecordTransition(
        AlarmTransition(
            alarm_id=alarm.alarm_id,
            number=number,
            transition_time=now,
            reason=row.reason,
            previous_state=previous,
            alarm=alarm,
            by=by,
            comment=comment,
        )
    )
    after = None if alarm.state is AlarmState.NORMAL else StandingAlarm(alarm=alarm, number=number)
    return after, (Annunciate(alarm), record) if row.annunciate else (record,)
