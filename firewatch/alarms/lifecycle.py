"""How an alarm moves through its life: a step from value to value, with what has to be told. The rules of moving
stand in `transitions`; here they are applied to the alarm's record.
"""

from __future__ import annotations

from datetime import datetime, timedelta

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
    Confirmation,
    Maintenance,
    Priority,
    Shelf,
    TransitionReason,
)
from firewatch.model.command import (
    Acknowledge,
    Confirm,
    OutOfService,
    Reset,
    ReturnToService,
    Shelve,
    Unshelve,
)
from firewatch.model.effect import Annunciate, Effect, RecordTransition

CONFIRMED_WITHIN = timedelta(days=1)
"""For how long after its end an alarm may still be confirmed: what came at night is settled at the next day's handover.
"""

MOST_URGENT_SHELVED_FIRE = Priority.LOW
"""The most urgent alarm of class fire that may be shelved, whatever its rule says: nobody hides from a control room
that it burns. A detector that cannot be trusted is taken out of service, with a reason and an end.
"""

MAINTENANCE_AT_MOST = timedelta(days=31)
"""How long something may be out of service before somebody has to say again that it is."""

REMINDED_BEFORE = timedelta(minutes=30)
"""How long before the end of a maintenance people are reminded of it: time to ask the workshop and to prolong it, and
more than a handover takes. Of one that is shorter than twice that they are reminded half way."""


class Policy(msgspec.Struct, frozen=True):
    """What a rule says about the life of its alarms: whether they are `latched`, for how long at the most they may be
    shelved (None: not at all), and after how long people are told again who did not acknowledge (None: never).
    """

    latched: bool = False
    shelved_at_most: timedelta | None = timedelta(hours=8)
    realarm_after: timedelta | None = None


class StandingAlarm(msgspec.Struct, frozen=True):
    """An alarm whose record is open, and the number of its last transition. `told_time` is when people were last told
    of it, None if they were not since it began or was acknowledged.
    """

    alarm: Alarm
    number: int
    told_time: datetime | None = None


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


class Suppression(msgspec.Struct, frozen=True):
    """The alarm with the id `by` explains this one and hides it; None: none does any more."""

    by: str | None


class TakenOut(msgspec.Struct, frozen=True):
    """An operator takes it out of service, or prolongs that. `alarm` is the record to open where none stands, in state
    normal; `number` is the last transition recorded under its id.
    """

    command: OutOfService
    alarm: Alarm
    number: int = 0


class Due(msgspec.Struct, frozen=True):
    """`next_due` has come."""


Command = Acknowledge | Confirm | Reset | Shelve | Unshelve | ReturnToService
"""What an operator asks of an alarm that stands, or may confirm of one that is over."""

Event = Onset | ConditionSeen | Eased | Regraded | Closed | Suppression | TakenOut | Due | Command

Stepped = tuple[StandingAlarm | None, tuple[Effect, ...]]
"""The alarm after the step, None when it is over for good, and the effects in order."""

_DEFAULT = Policy()


def step(standing: StandingAlarm | None, event: Event, now: datetime, policy: Policy = _DEFAULT) -> Stepped:
    """Move an alarm.

    Raises:
        RefusedCommandError: a command that does not fit; the alarm is unchanged.
    """
    match event:
        case Onset():
            return _onset(standing, event, now)
        case ConditionSeen():
            return _condition_seen(standing, event.condition, now, policy)
        case Eased():
            return _eased(standing, event.alarm, now)
        case Regraded():
            return _regraded(standing, event, now)
        case Closed():
            return _closed(standing, event.move, now)
        case Suppression():
            return _suppression(standing, event.by, now)
        case Due():
            return _due(standing, now, policy)
        case TakenOut():
            return _take_out(standing, event, now)
        case _:
            return _command(_to_be_commanded(standing, event), event, now, policy)


def may_be_shelved(alarm_class: AlarmClass, priority: Priority) -> bool:
    """Whether any rule could let such an alarm be shelved."""
    return alarm_class is not AlarmClass.FIRE or not priority.is_more_urgent_than(MOST_URGENT_SHELVED_FIRE)


def next_due(standing: StandingAlarm, policy: Policy) -> datetime | None:
    """When time alone moves the alarm: its shelf or its maintenance ends, people are reminded that it will, or are told
    again; None if it does not.
    """
    alarm, realarm = standing.alarm, realarm_due(standing, policy)
    dues = [_shelf_end(alarm, alarm.shelf)] if alarm.shelf is not None else []
    if alarm.out_of_service is not None and alarm.out_of_service.until_time is not None:
        dues.append(_reminder_or_end(alarm.out_of_service, alarm.out_of_service.until_time))
    if realarm is not None:
        dues.append(realarm)
    return min(dues, default=None)


def realarm_due(standing: StandingAlarm, policy: Policy) -> datetime | None:
    """When people are told again for want of an answer; None if they are not, as the alarm stands."""
    alarm, told, after = standing.alarm, standing.told_time, policy.realarm_after
    if told is None or after is None or alarm.hidden or alarm.shadow or Move.REALARM not in TRANSITIONS[alarm.state]:
        return None
    return told + after


def _shelf_end(alarm: Alarm, shelf: Shelf) -> datetime:
    """At once for an alarm that has become too urgent for its shelf."""
    return shelf.until_time if may_be_shelved(alarm.alarm_class, alarm.priority) else shelf.since_time


def _reminder_or_end(maintenance: Maintenance, until: datetime) -> datetime:
    if maintenance.reminded:
        return until
    return max(until - REMINDED_BEFORE, maintenance.since_time + (until - maintenance.since_time) / 2)


# -- what happens to the condition -------------------------------------------------------------------------------------


def _onset(standing: StandingAlarm | None, onset: Onset, now: datetime) -> Stepped:
    draft = onset.alarm
    if standing is None:
        row = TRANSITIONS[AlarmState.NORMAL][Move.ONSET]
        alarm = replace(draft, state=row.state, condition=ConditionState.ACTIVE)
        return _moved(StandingAlarm(alarm=draft, number=onset.number), alarm, AlarmState.NORMAL, row, now)
    before = standing.alarm
    row = TRANSITIONS[before.state][Move.ONSET]
    begun_anew = before.state is AlarmState.NORMAL
    alarm = replace(
        before,
        onset_time=draft.onset_time if begun_anew else before.onset_time,
        clock=draft.clock if begun_anew else before.clock,
        state=row.state,
        condition=ConditionState.ACTIVE,
        activations=before.activations + 1,
        incident=draft.incident,
        incident_number=draft.incident_number,
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
        confirmation=None,
    )
    return _moved(standing, alarm, before.state, row, now)


def _condition_seen(
    standing: StandingAlarm | None, condition: ConditionState, now: datetime, policy: Policy
) -> Stepped:
    if standing is None or standing.alarm.condition is condition:
        return standing, ()
    before = standing.alarm
    row = TRANSITIONS[before.state][_move_to(condition, standing, policy)]
    returned = row.reason is TransitionReason.CONDITION_INACTIVE
    alarm = replace(before, state=row.state, condition=condition, cleared_time=now if returned else before.cleared_time)
    after, effects = _moved(standing, alarm, before.state, row, now)
    if after is not None and returned and alarm.shelf is not None and alarm.shelf.one_shot:
        after, more = _end_shelf(after, Move.SHELF_ENDED, now)
        return after, (*effects, *more)
    return after, effects


def _move_to(condition: ConditionState, standing: StandingAlarm, policy: Policy) -> Move:
    if condition is ConditionState.UNKNOWN:
        return Move.LOST
    state = standing.alarm.state
    if condition is not ConditionState.INACTIVE or Move.RETURNED not in TRANSITIONS[state]:
        return Move.KNOWN
    if policy.latched and not standing.alarm.shadow:
        return Move.LATCHED
    return Move.UNSEEN if _is_unseen(standing) else Move.RETURNED


def _is_unseen(standing: StandingAlarm) -> bool:
    alarm = standing.alarm
    return alarm.state is AlarmState.UNACKNOWLEDGED and (standing.told_time is None or alarm.shadow)


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
    return _moved(standing, alarm, before.state, row, now)


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
    return _moved(standing, alarm, before.state, row, now)


def _closed(standing: StandingAlarm | None, move: Move, now: datetime) -> Stepped:
    if standing is None:
        return None, ()
    before = standing.alarm
    row = TRANSITIONS[before.state][move]
    alarm = replace(before, state=row.state, shelf=None, suppressed_by=None, out_of_service=None)
    return _moved(standing, alarm, before.state, row, now)


# -- what time and other alarms do -------------------------------------------------------------------------------------


def _suppression(standing: StandingAlarm | None, by: str | None, now: datetime) -> Stepped:
    if standing is None or standing.alarm.suppressed_by == by:
        return standing, ()
    before = standing.alarm
    row = TRANSITIONS[before.state][Move.UNSUPPRESS if by is None else Move.SUPPRESS]
    return _moved(standing, replace(before, state=row.state, suppressed_by=by), before.state, row, now)


def _due(standing: StandingAlarm | None, now: datetime, policy: Policy) -> Stepped:
    due = next_due(standing, policy) if standing is not None else None
    if standing is None or due is None or due > now:
        return standing, ()
    before = standing.alarm
    if before.shelf is not None and _shelf_end(before, before.shelf) <= now:
        return _end_shelf(standing, Move.SHELF_ENDED, now)
    if before.out_of_service is not None:
        return _remind_or_end(standing, before.out_of_service, now)
    row = TRANSITIONS[before.state][Move.REALARM]
    return _moved(standing, replace(before, state=row.state), before.state, row, now)


def _remind_or_end(standing: StandingAlarm, maintenance: Maintenance, now: datetime) -> Stepped:
    before = standing.alarm
    row = TRANSITIONS[before.state][Move.MAINTENANCE_ENDED if maintenance.reminded else Move.REMIND]
    after = None if maintenance.reminded else replace(maintenance, reminded=True)
    return _moved(standing, replace(before, state=row.state, out_of_service=after), before.state, row, now)


def _end_shelf(standing: StandingAlarm, move: Move, now: datetime, *, by: str = "", comment: str = "") -> Stepped:
    before = standing.alarm
    row = TRANSITIONS[before.state][move]
    return _moved(standing, replace(before, state=row.state, shelf=None), before.state, row, now, by, comment)


# -- what operators ask ------------------------------------------------------------------------------------------------


def _to_be_commanded(standing: StandingAlarm | None, command: Command) -> StandingAlarm:
    if standing is not None:
        return standing
    if isinstance(command, Confirm):
        raise RefusedCommandError(
            f"There is no alarm {command.alarm_id} to be confirmed: none stands, and none that somebody acknowledged "
            "has ended within the last day."
        )
    raise RefusedCommandError(
        f"There is no standing alarm {command.alarm_id}; it may have returned to normal. Look at the alarm list."
    )


def _command(standing: StandingAlarm, command: Command, now: datetime, policy: Policy) -> Stepped:
    match command:
        case Acknowledge():
            return _acknowledge(standing, command, now)
        case Confirm():
            return _confirm(standing, command, now)
        case Reset():
            return _reset(standing, command, now)
        case Shelve():
            return _shelve(standing, command, now, policy)
        case Unshelve():
            if standing.alarm.shelf is None:
                raise RefusedCommandError(f"Alarm {command.alarm_id} is not shelved; somebody or time was faster.")
            return _end_shelf(standing, Move.UNSHELVE, now, by=command.operator, comment=command.comment)
        case ReturnToService():
            return _return_to_service(standing, command, now)


def _acknowledge(standing: StandingAlarm, command: Acknowledge, now: datetime) -> Stepped:
    before = standing.alarm
    row = TRANSITIONS[before.state].get(Move.ACKNOWLEDGE)
    if row is None:
        reason = (
            "nothing has happened since it was last seen to"
            if before.state is AlarmState.NORMAL
            else f"{before.acknowledged_by or 'someone'} did so already"
        )
        raise RefusedCommandError(f"Alarm {before.alarm_id} is {before.state} and cannot be acknowledged: {reason}.")
    if command.seen is not None and command.seen < before.activations:
        raise RefusedCommandError(
            f"Alarm {before.alarm_id} became active anew since it was looked at: {before.activations} times by now, "
            f"not {command.seen}. Look at it again."
        )
    alarm = replace(
        before,
        state=row.state,
        acknowledged_time=now,
        acknowledged_by=command.operator,
        acknowledge_comment=command.comment,
    )
    return _moved(standing, alarm, before.state, row, now, command.operator, command.comment)


def _confirm(standing: StandingAlarm, command: Confirm, now: datetime) -> Stepped:
    before = standing.alarm
    row = TRANSITIONS[before.state].get(Move.CONFIRM)
    if row is None or before.acknowledged_time is None:
        raise RefusedCommandError(
            f"Alarm {before.alarm_id} is {before.state} and cannot be confirmed: "
            "nobody has acknowledged it. Acknowledge it first."
        )
    known = before.confirmation
    if known is not None and known.verdict is command.verdict:
        raise RefusedCommandError(
            f"Alarm {before.alarm_id} is confirmed as {known.verdict} already, by {known.by}; "
            "only another verdict changes that."
        )
    confirmation = Confirmation(
        by=command.operator, confirmed_time=now, verdict=command.verdict, comment=command.comment
    )
    alarm = replace(before, state=row.state, confirmation=confirmation)
    return _moved(standing, alarm, before.state, row, now, command.operator, command.comment)


def _reset(standing: StandingAlarm, command: Reset, now: datetime) -> Stepped:
    before = standing.alarm
    row = TRANSITIONS[before.state].get(Move.RESET)
    if row is None:
        raise RefusedCommandError(f"Alarm {before.alarm_id} is {before.state}; only a latched alarm is reset.")
    if before.condition is not ConditionState.INACTIVE:
        raise RefusedCommandError(
            f"Alarm {before.alarm_id} cannot be reset: its condition is {before.condition}. "
            "Wait until its signals say that it is over."
        )
    alarm = replace(before, state=row.state)
    return _moved(standing, alarm, before.state, row, now, command.operator, command.comment)


def _shelve(standing: StandingAlarm, command: Shelve, now: datetime, policy: Policy) -> Stepped:
    before, at_most = standing.alarm, policy.shelved_at_most
    if at_most is None:
        raise RefusedCommandError(f"Alarms of the rule {before.rule} are not to be shelved.")
    if not may_be_shelved(before.alarm_class, before.priority):
        raise RefusedCommandError(
            f"Alarm {before.alarm_id} tells of fire, with priority {before.priority}. Fire alarms more urgent than "
            f"{MOST_URGENT_SHELVED_FIRE} are not to be shelved, whatever their rule says: nobody would see the fire. "
            "Acknowledge it, or take it out of service while the detector is repaired."
        )
    if not command.reason.strip():
        raise RefusedCommandError("An alarm is not shelved without a reason; say why.")
    one_shot = command.duration is None
    if one_shot and Move.RETURNED not in TRANSITIONS[before.state]:
        raise RefusedCommandError(
            f"Alarm {before.alarm_id} is {before.state}: its condition is over already. Shelve it for a time instead."
        )
    duration = at_most if command.duration is None else command.duration
    if not timedelta(0) < duration <= at_most:
        raise RefusedCommandError(f"Alarms of the rule {before.rule} may be shelved for up to {at_most} at a time.")
    shelf = Shelf(
        by=command.operator, since_time=now, reason=command.reason, until_time=now + duration, one_shot=one_shot
    )
    row = TRANSITIONS[before.state][Move.SHELVE]
    alarm = replace(before, state=row.state, shelf=shelf)
    return _moved(standing, alarm, before.state, row, now, command.operator, command.reason)


def is_taken_out_by(standing: StandingAlarm | None, command: OutOfService) -> bool:
    """Whether the command changes anything: it is in service, or out of service with no end or an earlier one."""
    present = standing.alarm.out_of_service if standing is not None else None
    if present is None:
        return True
    return command.until_time is not None and (present.until_time is None or present.until_time < command.until_time)


def _take_out(standing: StandingAlarm | None, event: TakenOut, now: datetime) -> Stepped:
    command, until = event.command, event.command.until_time
    before = standing or StandingAlarm(alarm=event.alarm, number=event.number)
    alarm = before.alarm
    if alarm.out_of_service is not None and not is_taken_out_by(before, command):
        raise RefusedCommandError(
            f"{alarm.rule} of {command.subject} is out of service already, by {alarm.out_of_service.by}; "
            "only a later end changes that."
        )
    if not command.reason.strip():
        raise RefusedCommandError("An alarm is not taken out of service without a reason; say why.")
    if until is not None and (until.tzinfo is None or not timedelta(0) < until - now <= MAINTENANCE_AT_MOST):
        raise RefusedCommandError(
            f"A maintenance cannot end at {until.isoformat()}: its end is a time to come, "
            f"at most {MAINTENANCE_AT_MOST.days} days from now, with its time zone."
        )
    row = TRANSITIONS[alarm.state][Move.TAKE_OUT]
    maintenance = Maintenance(
        by=command.operator, since_time=now, reason=command.reason, work_order=command.work_order, until_time=until
    )
    after = replace(alarm, state=row.state, out_of_service=maintenance)
    return _moved(before, after, alarm.state, row, now, command.operator, command.reason)


def _return_to_service(standing: StandingAlarm, command: ReturnToService, now: datetime) -> Stepped:
    before = standing.alarm
    if before.out_of_service is None:
        raise RefusedCommandError(f"Alarm {before.alarm_id} is in service; somebody was faster.")
    row = TRANSITIONS[before.state][Move.RETURN_TO_SERVICE]
    alarm = replace(before, state=row.state, out_of_service=None)
    return _moved(standing, alarm, before.state, row, now, command.operator, command.reason)


# -- what is told and recorded -----------------------------------------------------------------------------------------


def _moved(
    standing: StandingAlarm,
    alarm: Alarm,
    previous: AlarmState,
    row: Row,
    now: datetime,
    by: str = "",
    comment: str = "",
) -> Stepped:
    alarm = _with_consequences(alarm, previous)
    number = standing.number + 1
    told = row.annunciate and not alarm.hidden
    record = RecordTransition(
        AlarmTransition(
            alarm_id=alarm.alarm_id,
            number=number,
            transition_time=now,
            reason=row.reason,
            previous_state=previous,
            alarm=alarm,
            by=by or "firewatch",
            comment=comment,
        )
    )
    seen = row.reason is TransitionReason.ACKNOWLEDGED
    told_time = now if told else None if seen else standing.told_time
    after = StandingAlarm(alarm=alarm, number=number, told_time=told_time) if alarm.stands else None
    return after, (Annunciate(alarm), record) if told else (record,)


def _with_consequences(alarm: Alarm, previous: AlarmState) -> Alarm:
    hidden = alarm.stands and (alarm.is_held or alarm.suppressed_by is not None)
    suppressed_by = alarm.suppressed_by if alarm.stands else None
    if (alarm.hidden, alarm.suppressed_by) != (hidden, suppressed_by):
        alarm = replace(alarm, hidden=hidden, suppressed_by=suppressed_by)
    if alarm.state is AlarmState.UNACKNOWLEDGED and previous is AlarmState.ACKNOWLEDGED:
        alarm = replace(alarm, acknowledged_time=None, acknowledged_by=None, acknowledge_comment="", confirmation=None)
    return alarm
