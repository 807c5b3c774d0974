"""Whether an alarm reached people, and actuators did their part, within the time that Chinese standards leave for it.

An alarm's way goes from stage to stage; each is measured from the one before it:

    source      the sensor saw it; where its clock is not believed, when firewatch heard of it
    received    firewatch heard of it
    decided     a rule decided
    journalled  the database has it (by the database's clock); no standard limits this, it is shown beside
    annunciated it was told to the screens
    delivered   the first receiver outside took it, where there is one
    proven      all that was asked of actuators at once, and can be proven, was

What is limited, for alarms of the class fire (domain.md 5; those marked * are unconfirmed there):

    received -> annunciated   3 s   GB 50166-2019: a floor repeater shows fire within 3 s
    source   -> annunciated  10 s   GB 25506-2010*: the control room's display shows fire within 10 s
    source   -> delivered    10 s   GB 25506-2010 and GB 26875.1-2011: fire reaches the remote centre within 10 s
    decided  -> proven       10 s   GB 25506-2010*: feedback is shown within 10 s

and for all others:

    source   -> annunciated 100 s   GB 50166-2019: a fault is shown within 100 s
    source   -> delivered   100 s   GB 25506-2010: the state of facilities reaches the remote centre within 100 s
    decided  -> proven      100 s   GB 25506-2010*: all but fire and feedback to fire is shown within 100 s

A stage that nobody has heard of is "not yet", never a pass, and late as soon as its time is over. What is asked of
actuators later, such as to undo it, and whom an escalation tells later, is no stage of the alarm's own way.
"""

from __future__ import annotations

import enum
from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

import msgspec

from firewatch.model.alarm import Alarm, AlarmClass, AlarmTransition, TransitionReason
from firewatch.model.site import Inventory

AT_ONCE = timedelta(seconds=3)
"""What is asked of an actuator, or due at a receiver, this soon after the decision belongs to the alarm's own way
(GB 50166-2019: the linkage controller sends within 3 s).
"""


class Milestone(enum.StrEnum):
    """The stages of an alarm's way, in order."""

    SOURCE = "source"
    RECEIVED = "received"
    DECIDED = "decided"
    JOURNALLED = "journalled"
    ANNUNCIATED = "annunciated"
    DELIVERED = "delivered"
    PROVEN = "proven"


class Limit(msgspec.Struct, frozen=True):
    """`stage` is to be reached `within` that time of `since`, says the `clause`."""

    stage: Milestone
    since: Milestone
    within: timedelta
    clause: str


def _limit(stage: Milestone, since: Milestone, seconds: int, clause: str) -> Limit:
    return Limit(stage, since, timedelta(seconds=seconds), clause)


FIRE_LIMITS = (
    _limit(Milestone.ANNUNCIATED, Milestone.RECEIVED, 3, "GB 50166-2019"),
    _limit(Milestone.ANNUNCIATED, Milestone.SOURCE, 10, "GB 25506-2010 (unconfirmed)"),
    _limit(Milestone.DELIVERED, Milestone.SOURCE, 10, "GB 25506-2010, GB 26875.1-2011"),
    _limit(Milestone.PROVEN, Milestone.DECIDED, 10, "GB 25506-2010 (unconfirmed)"),
)
OTHER_LIMITS = (
    _limit(Milestone.ANNUNCIATED, Milestone.SOURCE, 100, "GB 50166-2019"),
    _limit(Milestone.DELIVERED, Milestone.SOURCE, 100, "GB 25506-2010"),
    _limit(Milestone.PROVEN, Milestone.DECIDED, 100, "GB 25506-2010 (unconfirmed)"),
)

_BEFORE = {
    Milestone.RECEIVED: Milestone.SOURCE,
    Milestone.DECIDED: Milestone.RECEIVED,
    Milestone.JOURNALLED: Milestone.DECIDED,
    Milestone.ANNUNCIATED: Milestone.DECIDED,
    Milestone.DELIVERED: Milestone.ANNUNCIATED,
    Milestone.PROVEN: Milestone.DECIDED,
}
"""Which stage each is measured from."""


class StageWay(msgspec.Struct, frozen=True):
    """What an alarm's later stage (journalled, delivered, proven) waits for since `since_time`, and when it came; None:
    not yet. `by` names the receiver or the command; `device` and `action` say what a command asks for.
    """

    alarm_id: str
    stage: Milestone
    by: str
    since_time: datetime
    reached_time: datetime | None = None
    device: str = ""
    action: str = ""


class Verdict(enum.StrEnum):
    """What can be said of a limit, or of all of them."""

    PASS = "pass"
    LATE = "late"
    NOT_YET = "not_yet"


class Step(msgspec.Struct, frozen=True):
    """One stage: when it was reached, and how long after the stage before. Null where it is not known."""

    stage: Milestone
    reached_time: datetime | None
    took: timedelta | None


class Deadline(msgspec.Struct, frozen=True):
    """One limit: until when, and what came of it."""

    limit: Limit
    due_time: datetime
    reached_time: datetime | None
    verdict: Verdict


class Measured(msgspec.Struct, frozen=True):
    """An alarm's way. `slow_stage` is the stage that took longest of those that made it late; null unless it is late.
    `steps` and `deadlines` leave out what does not apply: receivers where there are none, proof where none can be had.
    """

    alarm_id: str
    rule: str
    subject: str
    alarm_class: AlarmClass
    steps: tuple[Step, ...]
    deadlines: tuple[Deadline, ...]
    verdict: Verdict
    slow_stage: Milestone | None
    acknowledged_time: datetime | None


def begins_way(transition: AlarmTransition) -> bool:
    """Whether people were told of an alarm's onset by this: what comes out of hiding later has no such way."""
    alarm = transition.alarm
    return (
        transition.reason is TransitionReason.CONDITION_ACTIVE
        and transition.annunciation is not None
        and alarm.clock.decided_time == transition.transition_time
        and not alarm.shadow
    )


def measure(
    told: AlarmTransition,
    ways: Iterable[StageWay],
    inventory: Inventory,
    now: datetime,
    *,
    acknowledged_time: datetime | None = None,
) -> Measured:
    """The way of the alarm that people were `told` of by this change (`begins_way`), with its later stages as they are
    known at `now`.
    """
    alarm = told.alarm
    reached = _reached(alarm, [way for way in ways if way.alarm_id == alarm.alarm_id], inventory)
    limits = FIRE_LIMITS if alarm.alarm_class is AlarmClass.FIRE else OTHER_LIMITS
    deadlines = tuple(_deadline(limit, reached, now) for limit in limits if limit.stage in reached)
    return Measured(
        alarm_id=alarm.alarm_id,
        rule=alarm.rule,
        subject=alarm.subject,
        alarm_class=alarm.alarm_class,
        steps=tuple(_step(stage, reached) for stage in Milestone if stage in reached),
        deadlines=deadlines,
        verdict=_overall([deadline.verdict for deadline in deadlines]),
        slow_stage=_slow_stage(deadlines, reached, now),
        acknowledged_time=acknowledged_time,
    )


class Acknowledgements:
    """When alarms were acknowledged, of changes taken in the order of time."""

    def __init__(self) -> None:
        self._of: defaultdict[str, list[tuple[int, datetime]]] = defaultdict(list)

    def take(self, change: AlarmTransition) -> None:
        """An alarm changed."""
        if change.reason is TransitionReason.ACKNOWLEDGED:
            self._of[change.alarm_id].append((change.number, change.transition_time))

    def after(self, told: AlarmTransition) -> datetime | None:
        """When somebody acknowledged what people were told by this change; None if nobody did."""
        return next((time for number, time in self._of.get(told.alarm_id, ()) if number > told.number), None)


def measure_all(
    told: Iterable[AlarmTransition],
    ways: Iterable[StageWay],
    inventory: Inventory,
    now: datetime,
    acknowledgements: Acknowledgements,
) -> list[Measured]:
    """Several alarms as `measure` does one; `ways` are those of all of them."""
    ways_of: defaultdict[str, list[StageWay]] = defaultdict(list)
    for way in ways:
        ways_of[way.alarm_id].append(way)
    return [
        measure(one, ways_of[one.alarm_id], inventory, now, acknowledged_time=acknowledgements.after(one))
        for one in told
    ]


_Reached = dict[Milestone, datetime | None]


def _reached(alarm: Alarm, ways: Sequence[StageWay], inventory: Inventory) -> _Reached:
    """When each stage that applies was reached."""
    clock = alarm.clock
    believed = alarm.onset_time <= clock.source_time <= clock.receive_time
    reached: _Reached = {
        Milestone.SOURCE: clock.source_time if believed else clock.receive_time,
        Milestone.RECEIVED: clock.receive_time,
        Milestone.DECIDED: clock.decided_time,
        Milestone.JOURNALLED: _first(way for way in ways if way.stage is Milestone.JOURNALLED),
        Milestone.ANNUNCIATED: clock.annunciated_time,
    }
    at_once = [way for way in ways if way.since_time - clock.decided_time <= AT_ONCE]
    deliveries = [way for way in at_once if way.stage is Milestone.DELIVERED]
    if deliveries:
        reached[Milestone.DELIVERED] = _first(deliveries)
    proofs = [
        way
        for way in at_once
        if way.stage is Milestone.PROVEN and (way.reached_time is not None or _can_be_proven(way, inventory))
    ]
    if proofs:
        times = [way.reached_time for way in proofs]
        reached[Milestone.PROVEN] = None if None in times else max(time for time in times if time is not None)
    return reached


def _first(ways: Iterable[StageWay]) -> datetime | None:
    return min((way.reached_time for way in ways if way.reached_time is not None), default=None)


def _can_be_proven(way: StageWay, inventory: Inventory) -> bool:
    kind = inventory.kind_of.get(way.device)
    action = kind.action(way.action) if kind is not None else None
    return action is not None and action.proof is not None


def _step(stage: Milestone, reached: _Reached) -> Step:
    time, before = reached[stage], _time_before(stage, reached)
    return Step(stage, time, max(time - before, timedelta(0)) if time is not None and before is not None else None)


def _time_before(stage: Milestone, reached: _Reached) -> datetime | None:
    return reached[_BEFORE[stage]] if stage in _BEFORE else None


def _deadline(limit: Limit, reached: _Reached, now: datetime) -> Deadline:
    since, time = reached[limit.since], reached[limit.stage]
    assert since is not None  # every limit counts from what the alarm's own clock says
    due = since + limit.within
    if (time if time is not None else now) > due:
        verdict = Verdict.LATE
    else:
        verdict = Verdict.PASS if time is not None else Verdict.NOT_YET
    return Deadline(limit, due, time, verdict)


def _overall(verdicts: Sequence[Verdict]) -> Verdict:
    for verdict in (Verdict.LATE, Verdict.NOT_YET):
        if verdict in verdicts:
            return verdict
    return Verdict.PASS


def _slow_stage(deadlines: Iterable[Deadline], reached: _Reached, now: datetime) -> Milestone | None:
    """Of the stages between `since` and `stage` of what is late, the one that took, or has been taking, longest."""
    taken: dict[Milestone, timedelta] = {}
    for deadline in deadlines:
        if deadline.verdict is not Verdict.LATE:
            continue
        stage = deadline.limit.stage
        while stage is not deadline.limit.since:
            before = _time_before(stage, reached)
            if before is not None:
                taken[stage] = (reached[stage] or now) - before
            stage = _BEFORE[stage]
    return max(taken, key=lambda stage: taken[stage], default=None)
