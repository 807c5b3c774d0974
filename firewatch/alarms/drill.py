"""The course of a drill: what it did, what came of it, whether that was expected, and the report at the end.

Nothing here knows an engine or a receiver: whoever runs the drill says what happened. A drill has run its course when
every reading has arrived, everything expected came or is late, and nothing more is on its way, or has been for
`SETTLE` already.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

import msgspec
from msgspec.structs import replace

from firewatch.alarms.deadline import Measured, Milestone, StageWay, Verdict, begins_way, measure
from firewatch.model.alarm import Alarm, AlarmClass, AlarmTransition, Priority
from firewatch.model.command import ActuatorCommand, CommandState
from firewatch.model.control_room import Drill
from firewatch.model.delivery import CALLS, Delivery, DeliveryState
from firewatch.model.drill import DrillPlan, Expectation, PlannedReading, Withheld
from firewatch.model.site import Inventory
from firewatch.model.text import LocalText

SETTLE = timedelta(seconds=10)
"""How long a drill waits for what is on its way after the last thing that happened (GB 25506-2010, unconfirmed:
feedback is shown within 10 s).
"""

_ON_ITS_WAY = (CommandState.SENT, CommandState.ACCEPTED)
_DONE = (CommandState.DONE, CommandState.PROVEN)


class DrillReading(msgspec.Struct, frozen=True):
    """A reading of the plan, and when it was sent and taken; null while it was not."""

    planned: PlannedReading
    sent_time: datetime | None = None
    received_time: datetime | None = None


class DrillAlarm(msgspec.Struct, frozen=True):
    """An alarm of the drill as it stood last, and the way of its onset; null where people were not told of it."""

    alarm: Alarm
    way: Measured | None


class DrillCommand(msgspec.Struct, frozen=True):
    """What the rules asked of an actuator: how far it came, or why it was `withheld`."""

    command: ActuatorCommand
    state: CommandState | None = None
    proven_time: datetime | None = None
    withheld: Withheld | None = None


class DrillMessage(msgspec.Struct, frozen=True):
    """What a target was told, or would have been and why it was not."""

    target: str
    alarm_id: str
    state: DeliveryState | None = None
    ended_time: datetime | None = None
    withheld: Withheld | None = None


class Expected(msgspec.Struct, frozen=True):
    """An expectation, until when it had to come, when it did, and what to say of it."""

    expectation: Expectation
    due_time: datetime
    met_time: datetime | None
    verdict: Verdict


class DrillReport(msgspec.Struct, frozen=True):
    """What a drill showed. It is `passed` when everything expected came in time. `detail` says more about how it ended,
    such as which real alarm broke through.
    """

    label: LocalText
    site: str
    passed: bool
    detail: str
    readings: tuple[DrillReading, ...] = ()
    alarms: tuple[DrillAlarm, ...] = ()
    commands: tuple[DrillCommand, ...] = ()
    messages: tuple[DrillMessage, ...] = ()
    expected: tuple[Expected, ...] = ()


class DrillNews(msgspec.Struct, frozen=True):
    """A drill as it stands, without its report, with those of its alarms that changed; in a snapshot all that stand.
    It is over by `until_time` at the latest.
    """

    drill: Drill
    label: LocalText
    site: str
    until_time: datetime
    alarms: tuple[Alarm, ...] = ()


class Course:
    """What has happened in a drill so far. Times are told by whoever runs it."""

    def __init__(self, plan: DrillPlan, drill: Drill, inventory: Inventory) -> None:
        self.plan = plan
        self.drill = drill
        self._inventory = inventory
        self._readings = [DrillReading(planned) for planned in plan.readings]
        self._alarms: dict[str, Alarm] = {}
        self._told: dict[str, AlarmTransition] = {}
        self._journalled: dict[str, datetime] = {}
        self._commands: dict[str, DrillCommand] = {}
        self._done: dict[str, datetime] = {}
        self._deliveries: dict[str, Delivery] = {}
        self._withheld_messages: dict[tuple[str, str], DrillMessage] = {}
        self._met: dict[int, datetime] = {}
        self._sent = 0
        self._last_time = drill.begun_time

    # -- what happens ----------------------------------------------------------------------------------------------

    def due_readings(self, now: datetime) -> Iterator[tuple[int, PlannedReading]]:
        """The readings to be sent now, each once."""
        while self._sent < len(self._readings):
            index, reading = self._sent, self._readings[self._sent]
            if self.drill.begun_time + reading.planned.after > now:
                return
            self._sent += 1
            self._readings[index] = replace(reading, sent_time=now)
            yield index, reading.planned

    def received(self, index: int, now: datetime) -> bool:
        """A reading has come back; False if it had before, or was never sent."""
        if not 0 <= index < self._sent or self._readings[index].received_time is not None:
            return False
        self._readings[index] = replace(self._readings[index], received_time=now)
        self._last_time = now
        return True

    def changed(self, change: AlarmTransition) -> None:
        """An alarm of the drill changed."""
        self._alarms[change.alarm_id] = change.alarm
        self._last_time = max(self._last_time, change.transition_time)
        if begins_way(change):
            self._told.setdefault(change.alarm_id, change)
        if change.annunciation is not None:
            told_time = change.alarm.clock.annunciated_time or change.transition_time
            for index, expectation in enumerate(self.plan.expect):
                if (expectation.rule, expectation.subject) == (change.alarm.rule, change.alarm.subject):
                    self._met.setdefault(index, told_time)

    def journalled(self, change: AlarmTransition, now: datetime) -> None:
        """A change of an alarm is safe."""
        self._journalled.setdefault(change.alarm_id, now)

    def asked(self, command: ActuatorCommand) -> None:
        """An actuator was really asked."""
        self._commands[command.command_id] = DrillCommand(command, CommandState.SENT)
        self._last_time = max(self._last_time, command.issued_time)

    def withheld(self, command: ActuatorCommand, why: Withheld) -> None:
        """An actuator was not asked."""
        self._commands[command.command_id] = DrillCommand(command, withheld=why)

    def went_on(self, command_id: str, state: CommandState, proven_time: datetime | None, now: datetime) -> None:
        """A command is further than before."""
        asked = self._commands.get(command_id)
        if asked is None:
            return
        self._commands[command_id] = replace(asked, state=state, proven_time=proven_time)
        self._last_time = now
        for index, expectation in enumerate(self.plan.expect):
            if (expectation.device, expectation.action) != (asked.command.device, asked.command.action):
                continue
            if proven_time is not None:
                self._met.setdefault(index, proven_time)
            elif not expectation.proven and state in _DONE:
                self._met.setdefault(index, now)

    def delivery(self, delivery: Delivery, now: datetime) -> None:
        """A message about an alarm of the drill is planned, taken, given up or withdrawn."""
        before = self._deliveries.get(delivery.delivery_id)
        if before is not None and before.revision >= delivery.revision:
            return
        self._deliveries[delivery.delivery_id] = delivery
        self._last_time = now
        if delivery.state is DeliveryState.DELIVERED and delivery.reason in CALLS:
            for index, expectation in enumerate(self.plan.expect):
                if expectation.told == delivery.target:
                    self._met.setdefault(index, delivery.ended_time or now)

    def not_told(self, target: str, alarm_id: str, why: Withheld) -> None:
        """A target was not told of an alarm."""
        message = DrillMessage(target, alarm_id, withheld=why)
        self._withheld_messages.setdefault((target, alarm_id), message)

    # -- how it stands ---------------------------------------------------------------------------------------------

    @property
    def until_time(self) -> datetime:
        """When it is over at the latest."""
        return self.drill.begun_time + self.plan.longest

    def owns(self, alarm_id: str) -> bool:
        """Whether it is an alarm of this drill."""
        return alarm_id in self._alarms

    def standing(self) -> tuple[Alarm, ...]:
        """Its alarms that are not over, oldest first."""
        return tuple(alarm for alarm in self._alarms.values() if alarm.stands)

    def is_complete(self, now: datetime) -> bool:
        """Whether it has run its course."""
        if any(reading.received_time is None for reading in self._readings):
            return False
        if any(expected.verdict is Verdict.NOT_YET for expected in self._expected(now)):
            return False
        return not self._is_waiting(now) or now >= self._last_time + SETTLE

    def next_reading(self) -> datetime | None:
        """When a reading is to be sent next; None once all are."""
        if self._sent == len(self._readings):
            return None
        return self.drill.begun_time + self._readings[self._sent].planned.after

    def news(self, *changed: Alarm) -> DrillNews:
        """How it stands, for the screens."""
        return DrillNews(self.drill, self.plan.label, self.plan.site, self.until_time, changed)

    def report(self, now: datetime, detail: str = "") -> DrillReport:
        """All of it, as it stands at `now`."""
        expected = tuple(self._expected(now))
        ways = list(self._ways())
        return DrillReport(
            label=self.plan.label,
            site=self.plan.site,
            passed=all(each.verdict is Verdict.PASS for each in expected),
            detail=detail,
            readings=tuple(self._readings),
            alarms=tuple(DrillAlarm(alarm, self._way(alarm, ways, now)) for alarm in self._alarms.values()),
            commands=tuple(self._commands.values()),
            messages=(*map(_message, self._deliveries.values()), *self._withheld_messages.values()),
            expected=expected,
        )

    def _is_waiting(self, now: datetime) -> bool:
        newest = {each.command.device: each for each in self._commands.values() if each.withheld is None}
        return any(each.state in _ON_ITS_WAY for each in newest.values()) or any(
            each.state is DeliveryState.WAITING and each.due_time <= now for each in self._deliveries.values()
        )

    def _expected(self, now: datetime) -> Iterator[Expected]:
        for index, expectation in enumerate(self.plan.expect):
            due, met = self.drill.begun_time + expectation.within, self._met.get(index)
            if (met if met is not None else now) > due:
                verdict = Verdict.LATE
            else:
                verdict = Verdict.PASS if met is not None else Verdict.NOT_YET
            yield Expected(expectation, due, met, verdict)

    def _way(self, alarm: Alarm, ways: list[StageWay], now: datetime) -> Measured | None:
        told = self._told.get(alarm.alarm_id)
        if told is None:
            return None
        return measure(told, ways, self._inventory, now, acknowledged_time=alarm.acknowledged_time)

    def _ways(self) -> Iterator[StageWay]:
        """What the later stages of its alarms wait for, or waited for."""
        for alarm_id, told in self._told.items():
            journalled = self._journalled.get(alarm_id)
            yield StageWay(alarm_id, Milestone.JOURNALLED, "", told.transition_time, journalled)
        for delivery in self._deliveries.values():
            taken = delivery.ended_time if delivery.state is DeliveryState.DELIVERED else None
            yield StageWay(delivery.alarm_id, Milestone.DELIVERED, delivery.target, delivery.due_time, taken)
        sent = [asked for asked in self._commands.values() if asked.withheld is None]
        newest = {(asked.command.device, asked.command.action): asked for asked in sent}
        for asked in sent:
            command = asked.command
            was_asked_again = newest[command.device, command.action] is not asked
            if asked.proven_time is not None or not was_asked_again:
                yield StageWay(
                    alarm_id=command.cause,
                    stage=Milestone.PROVEN,
                    by=command.command_id,
                    since_time=command.issued_time,
                    reached_time=asked.proven_time,
                    device=command.device,
                    action=command.action,
                )


def breaks_through(alarm: Alarm) -> bool:
    """Whether a real alarm ends a drill: every fire, and whatever else is of priority high or more."""
    return alarm.alarm_class is AlarmClass.FIRE or not Priority.HIGH.is_more_urgent_than(alarm.priority)


def _message(delivery: Delivery) -> DrillMessage:
    return DrillMessage(delivery.target, delivery.alarm_id, delivery.state, delivery.ended_time)
