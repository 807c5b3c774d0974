"""Drills: a plan's readings through the whole chain, beside the engine and in the loop's own task.

A drill has an engine of its own with the rules that run, so that nothing of it can touch what is judged in earnest. Its
readings are published and come back over the broker like those of devices; its alarms and commands have ids of their
own, are marked as a drill wherever they go, and end with it. What is real comes first: a real command takes the
actuator, and a real alarm that breaks through ends the drill at once.

What rests on silence is left out of a drill: no device but those of the plan is heard in it, and none of them for long.
"""

from __future__ import annotations

import asyncio
import hashlib
import secrets
from collections import deque
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import Any

import msgspec
import structlog
from msgspec.structs import replace
from pydantic import BaseModel

from firewatch.alarms.drill import Course, DrillNews, DrillReport, breaks_through
from firewatch.app.history_over import HistoryOver
from firewatch.broadcast.actuators import Actuators, CommandChange
from firewatch.broadcast.escalation import is_unanswered
from firewatch.config.problem import ProblemsError
from firewatch.engine.engine import Engine
from firewatch.errors import RefusedCommandError
from firewatch.model.alarm import Alarm, AlarmTransition, Annunciation
from firewatch.model.command import ActuatorCommand, CommandState
from firewatch.model.contract import DrillReadingMessage
from firewatch.model.control_room import Drill
from firewatch.model.delivery import Delivery
from firewatch.model.drill import DrillOutcome, DrillPlan, Withheld
from firewatch.model.effect import Annunciate, Effect, RecordTransition, SendCommand
from firewatch.model.observation import Observation, Quality
from firewatch.model.site import COMMAND, DeviceKind, Inventory
from firewatch.model.text import LocalText
from firewatch.model.topic import Channel, Topic
from firewatch.ports import Clock, Feed, History, HistoryReader, Publisher, Record
from firewatch.rules.spec import AbsenceSpec, Mode, RuleSpec
from firewatch.storage.rule_set import RuleSet
from firewatch.telemetry.events import DrillBegan, DrillEnded
from firewatch.telemetry.telemetry import Telemetry

LOOK = timedelta(milliseconds=100)
"""How often a drill is looked at to see whether it has run its course."""

_COMMANDS_READ = 1_000
"""Of how many of its last commands a drill that was broken off is let go of."""

_MARK = LocalText("演练。", "This is a drill. ")
_TEXTS = {"text_zh": _MARK.zh, "text_en": _MARK.en}
_RECORDED = ("message", "drill")
"""The parameter that chooses a recorded message, and what it is called where there is one for drills."""

log = structlog.get_logger("firewatch.drill")
_encode = msgspec.json.Encoder().encode


class _Going:
    """The drill that goes on."""

    def __init__(self, course: Course, engine: Engine) -> None:
        self.course = course
        self.engine = engine
        self.held: dict[str, ActuatorCommand] = {}
        self.heard: deque[Observation] = deque()
        self.annunciated: dict[str, datetime] = {}
        self.looked_time = course.drill.begun_time
        self.published: list[int] = []

    def name(self, identity: str) -> str:
        """What something of the drill's engine is called outside of it: never like anything real."""
        text = f"{self.course.drill.drill_id}|{identity}"
        return hashlib.blake2s(text.encode(), digest_size=8).hexdigest()


class DrillKeeper:
    """Implements `ports.Drills` for edges and `loop.Rehearsal` for the loop.

    `read` gives the plans on disk as they are now, `rules` the rule set that runs. `standing`, `is_claimed` and
    `look_again` are the loop's. `on_change` is told of every recorded change of a drill's alarm.
    """

    def __init__(
        self,
        plans: Sequence[DrillPlan],
        read: Callable[[], Sequence[DrillPlan]],
        rules: Callable[[], RuleSet],
        clock: Clock,
        history: History,
        publisher: Publisher,
        prefix: str,
        feed: Feed,
        actuators: Actuators,
        telemetry: Telemetry,
        *,
        standing: Callable[[], Sequence[Alarm]],
        is_claimed: Callable[[str], bool],
        look_again: Callable[[], None],
        on_change: Callable[[AlarmTransition], None] = lambda change: None,
    ) -> None:
        self._plans = {plan.plan: plan for plan in plans}
        self._read = read
        self._rules = rules
        self._clock = clock
        self._history = history
        self._publisher = publisher
        self._prefix = prefix
        self._feed = feed
        self._actuators = actuators
        self._telemetry = telemetry
        self._standing = standing
        self._is_claimed = is_claimed
        self._look_again = look_again
        self._on_change = on_change
        self._turn = asyncio.Lock()
        self._going: _Going | None = None

    # -- what edges call -------------------------------------------------------------------------------------------

    def plans(self) -> list[DrillPlan]:
        """What can be run, by id."""
        return [self._plans[name] for name in sorted(self._plans)]

    def present(self) -> DrillNews | None:
        """The drill that goes on, with its alarms that stand."""
        going = self._going
        return None if going is None else going.course.news(*going.course.standing())

    def present_report(self, drill_id: str) -> DrillReport | None:
        """What the drill that goes on has shown so far; None if it is another one, or none."""
        going = self._going
        if going is None or going.course.drill.drill_id != drill_id:
            return None
        return going.course.report(self._clock.now())

    async def start(self, plan: str, operator: str) -> Drill:
        """Begin one; it is safe when this returns.

        Raises:
            RefusedCommandError: another one goes on, a real alarm calls for somebody, or the plan is gone or wrong.
        """
        async with self._turn:
            self._refuse_if_not_now()
            try:
                self._plans = {each.plan: each for each in await asyncio.to_thread(self._read)}
            except ProblemsError as error:
                raise RefusedCommandError(f"The drill plans on disk are wrong: {error.problems[0]}") from None
            if plan not in self._plans:
                raise RefusedCommandError(f"There is no drill plan {plan} any more.")
            rules = self._rules()
            engine = await asyncio.to_thread(Engine, list(filter(_is_rehearsed, rules.rules)), rules.inventory)
            self._refuse_if_not_now()
            drill = self._begin(self._plans[plan], engine, rules.inventory, operator)
        await self._history.flush()
        return drill

    async def stop(self, drill_id: str, operator: str) -> Drill:
        """End one; what came of it is safe when this returns.

        Raises:
            RefusedCommandError: it does not go on.
        """
        going = self._going
        if going is None or going.course.drill.drill_id != drill_id:
            raise RefusedCommandError(f"The drill {drill_id} does not go on; it may have ended by itself.")
        ended = self._end(going, DrillOutcome.STOPPED, operator)
        await self._history.flush()
        return ended

    # -- what the app calls ----------------------------------------------------------------------------------------

    async def resume(self, reader: HistoryReader) -> None:
        """After a start: end what the last run left open, and let go of what it held.

        Raises:
            StorageError: the history cannot be read.
        """
        for drill in await reader.drills():
            if drill.ended_time is None:
                await self._end_interrupted(drill, reader)

    async def interrupt(self) -> None:
        """Everything is being stopped: so is the drill."""
        if self._going is not None:
            self._end(self._going, DrillOutcome.INTERRUPTED)

    def may_tell(self, delivery: Delivery) -> bool:
        """Whether a target may really be told of a drill's alarm."""
        going = self._going
        if going is None or not going.course.owns(delivery.alarm_id):
            return False
        if delivery.target in going.course.plan.may_tell:
            return True
        going.course.not_told(delivery.target, delivery.alarm_id, Withheld.NOT_PLANNED)
        return False

    def look(self, records: Sequence[Record]) -> None:
        """See what is written of messages about the drill's alarms."""
        going = self._going
        if going is None:
            return
        for record in records:
            if isinstance(record, Delivery) and going.course.owns(record.alarm_id):
                going.course.delivery(record, self._clock.now())

    def rehearse(self, drill_id: str, index: int, observation: Observation) -> bool:
        """Take a reading that has come back from the broker; False if it is not of the drill that goes on."""
        going = self._going
        if going is None or going.course.drill.drill_id != drill_id:
            return False
        if going.course.received(index, observation.receive_time):
            going.heard.append(observation)
            self._guarded(going, self._hear)
        return True

    # -- what the loop calls ---------------------------------------------------------------------------------------

    def next_wake(self) -> datetime | None:
        """When `advance` has something to do next; None without a drill."""
        going = self._going
        if going is None:
            return None
        times = (going.engine.next_wake(), going.course.next_reading(), going.looked_time + LOOK)
        return min(time for time in times if time is not None)

    def advance(self, now: datetime) -> None:
        """Send what is due, let time pass for the drill's engine, and end it when it has run its course."""
        if self._going is not None:
            self._guarded(self._going, partial(self._advance, now=now))

    def really_happened(self, effects: Sequence[Effect]) -> None:
        """Give way to what the engine wanted in earnest."""
        going = self._going
        if going is None:
            return
        for effect in effects:
            if isinstance(effect, SendCommand):
                going.held.pop(effect.command.device, None)
        for effect in effects:
            if isinstance(effect, Annunciate) and breaks_through(effect.alarm):
                alarm = effect.alarm
                self._end(going, DrillOutcome.REAL_ALARM, f"{alarm.text.zh} / {alarm.text.en} ({alarm.alarm_id})")
                return

    def follow(self, change: CommandChange) -> None:
        """A command of a drill is further than before."""
        going, record = self._going, change.record
        if going is None or change.is_repeat or record.command.drill != going.course.drill.drill_id:
            return
        now = self._clock.now()
        going.course.went_on(record.command.command_id, change.state or record.state, record.proven_time, now)
        if change.state is not None:
            going.heard.append(_command_observation(record.command, change.state, now))
            self._guarded(going, self._hear)

    # -- a drill's way ---------------------------------------------------------------------------------------------

    def _refuse_if_not_now(self) -> None:
        if self._going is not None:
            drill = self._going.course.drill
            raise RefusedCommandError(
                f"The drill {drill.plan} goes on ({drill.drill_id}); stop it, or wait for its end."
            )
        calling = next((alarm for alarm in self._standing() if breaks_through(alarm) and is_unanswered(alarm)), None)
        if calling is not None:
            raise RefusedCommandError(
                f"A real alarm calls for somebody: {calling.text.en} ({calling.alarm_id}). Acknowledge it first."
            )

    def _begin(self, plan: DrillPlan, engine: Engine, inventory: Inventory, operator: str) -> Drill:
        now = self._clock.now()
        drill = Drill(drill_id=secrets.token_hex(8), plan=plan.plan, begun_time=now, by=operator)
        going = self._going = _Going(Course(plan, drill, inventory), engine)
        self._history.write([drill])
        self._history.outlive()
        self._feed.push(going.course.news())
        self._telemetry.emit(DrillBegan(plan=plan.plan, drill=drill.drill_id, by=operator))
        self._guarded(going, lambda going: self._carry_out(going, engine.start(now)))
        self._look_again()
        return drill

    def _advance(self, going: _Going, now: datetime) -> None:
        going.looked_time = now
        for index, reading in going.course.due_readings(now):
            topic = Topic(Channel.DRILL, going.course.plan.site, reading.device).name(self._prefix)
            message = DrillReadingMessage(going.course.drill.drill_id, index, now, reading.signal, reading.value)
            going.published.append(index)
            self._publisher.publish(topic, _encode(message), replaces=going.name(str(index)))
        self._carry_out(going, going.engine.advance(now))
        self._hear(going)
        if self._going is not going:
            return
        if going.course.is_complete(now):
            self._end(going, DrillOutcome.COMPLETED)
        elif now >= going.course.until_time:
            self._end(going, DrillOutcome.TIME_OVER)

    def _hear(self, going: _Going) -> None:
        while going.heard and self._going is going:
            self._carry_out(going, going.engine.observe(going.heard.popleft(), self._clock.now()))

    def _carry_out(self, going: _Going, effects: Sequence[Effect]) -> None:
        """As the loop does in earnest: what follows is safe from a crash before people are told, and then actuators are
        asked.
        """
        if not effects:
            return
        now = self._clock.now()
        told: dict[int, Annunciation] = {}
        for effect in effects:
            if isinstance(effect, Annunciate):
                told[id(effect.alarm)] = Annunciation.GROUPED if effect.grouped else Annunciation.OF_ITS_OWN
                going.annunciated.setdefault(effect.alarm.alarm_id, now)
        changes = [
            self._marked(going, effect.transition, told.get(id(effect.transition.alarm)))
            for effect in effects
            if isinstance(effect, RecordTransition)
        ]
        commands = [self._as_drill(going, effect.command) for effect in effects if isinstance(effect, SendCommand)]
        allowed = [command for command in commands if self._may_ask(going, command)]
        for change in changes:
            going.course.changed(change)
        self._history.write([*allowed, *changes], on_safe=partial(self._journalled, going, changes))
        if told or allowed:  # after a crash nothing but the record says what has to be let go
            self._history.outlive()
        self._show(going, [change.alarm for change in changes])
        for command in allowed:
            self._ask(going, command, now)
        for change in changes:
            self._on_change(change)

    def _journalled(self, going: _Going, changes: Sequence[AlarmTransition]) -> None:
        now = self._clock.now()
        for change in changes:
            going.course.journalled(change, now)

    def _show(self, going: _Going, alarms: Sequence[Alarm]) -> None:
        newest = {alarm.alarm_id: alarm for alarm in alarms}
        for alarm in newest.values():
            topic = Topic(Channel.DRILL_ALARM, alarm.site, alarm.alarm_id).name(self._prefix)
            self._publisher.publish(topic, _encode(alarm))
        if newest:
            self._feed.push(going.course.news(*newest.values()))

    # -- actuators -------------------------------------------------------------------------------------------------

    def _may_ask(self, going: _Going, command: ActuatorCommand) -> bool:
        why = None
        if command.device not in going.course.plan.may_ask:
            why = Withheld.NOT_PLANNED
        elif self._is_claimed(command.device):
            why = Withheld.REAL_COMMAND
        if why is not None:
            going.course.withheld(command, why)
        return why is None

    def _ask(self, going: _Going, command: ActuatorCommand, now: datetime) -> None:
        going.course.asked(command)
        going.held[command.device] = command
        for change in self._actuators.send(command, now):
            self._feed.push(change.record)
            going.heard.append(_command_observation(command, CommandState.SENT, now))

    def _as_drill(self, going: _Going, command: ActuatorCommand) -> ActuatorCommand:
        return replace(
            command,
            command_id=going.name(command.command_id),
            cause=going.name(command.cause),
            parameters=self._said_as_drill(command),
            drill=going.course.drill.drill_id,
        )

    def _said_as_drill(self, command: ActuatorCommand) -> dict[str, str | float | bool]:
        """What people would hear or read says first that it is a drill."""
        action = _kind_of(self._rules().inventory, command.device).action(command.action)
        known = {each.name: each for each in action.parameters or ()} if action is not None else {}
        said = dict(command.parameters)
        for name, mark in _TEXTS.items():
            if isinstance(text := said.get(name), str):
                longest = known[name].longest if name in known else len(text) + len(mark)
                said[name] = f"{mark}{text}"[:longest]
        name, drill = _RECORDED
        if name in said and name in known and drill in known[name].choices:
            said[name] = drill
        return said

    # -- the end ---------------------------------------------------------------------------------------------------

    def _end(self, going: _Going, outcome: DrillOutcome, detail: str = "") -> Drill:
        """Let go of actuators, close its alarms, and say how it was. Whatever goes wrong in it, the drill is over."""
        now = self._clock.now()
        try:
            self._close(going, now)
        except Exception:
            log.exception("What a drill had begun could not be ended as it should.", drill=going.course.drill.drill_id)
        self._going = None
        for index in going.published:
            self._publisher.withdraw(going.name(str(index)))
        report = going.course.report(now, detail)
        written = msgspec.json.encode(report).decode()
        ended = replace(going.course.drill, ended_time=now, outcome=outcome.value, report=written)
        going.course.drill = replace(ended, report="")
        self._history.write([ended])
        self._feed.push(going.course.news())
        self._tell_ended(ended, report)
        return ended

    def _close(self, going: _Going, now: datetime) -> None:
        """Take the rules from the drill's engine: what they said is closed, and what they asked for is undone."""
        effects, _ = going.engine.reload((), self._rules().inventory, now)
        self._carry_out(
            going,
            [each for each in effects if not isinstance(each, SendCommand) or each.command.device in going.held],
        )
        for command in list(going.held.values()):
            undo = self._undo_of(command, now)
            if undo is not None and self._may_ask(going, undo):
                self._history.write([undo])
                self._ask(going, undo, now)

    def _undo_of(self, command: ActuatorCommand, now: datetime) -> ActuatorCommand | None:
        """What lets go of an actuator after a command; None where there is nothing to let go of."""
        action = _kind_of(self._rules().inventory, command.device).action(command.action)
        if action is None or action.undo is None:
            return None
        identity = hashlib.blake2s(f"{command.command_id}|undo".encode(), digest_size=8).hexdigest()
        return replace(command, command_id=identity, action=action.undo, parameters={}, issued_time=now)

    async def _end_interrupted(self, drill: Drill, reader: HistoryReader) -> None:
        now = self._clock.now()
        newest: dict[str, ActuatorCommand] = {}
        for record in reversed(await reader.commands(drill=drill.drill_id, limit=_COMMANDS_READ)):
            newest[record.command.device] = record.command
        real = {each.command.device: each.command.issued_time for each in await reader.newest_commands()}
        records: list[Record] = []
        for device, command in newest.items():
            undo = self._undo_of(command, now)
            is_taken = device in real and real[device] > command.issued_time
            if undo is not None and not is_taken and not self._is_claimed(device):
                records.append(undo)
                self._actuators.send(undo, now)
        plan = self._plans.get(drill.plan)
        label = plan.label if plan is not None else LocalText(drill.plan, drill.plan)
        report = DrillReport(label, plan.site if plan is not None else "", passed=False, detail="")
        written = msgspec.json.encode(report).decode()
        ended = replace(drill, ended_time=now, outcome=DrillOutcome.INTERRUPTED.value, report=written)
        self._history.write([*records, ended])
        self._tell_ended(ended, report)

    def _tell_ended(self, ended: Drill, report: DrillReport) -> None:
        assert ended.ended_time is not None
        self._telemetry.emit(
            DrillEnded(
                plan=ended.plan,
                drill=ended.drill_id,
                outcome=ended.outcome,
                passed=str(report.passed).lower(),
                seconds=(ended.ended_time - ended.begun_time).total_seconds(),
            )
        )

    def _guarded(self, going: _Going, step: Callable[[_Going], None]) -> None:
        """Take one step; whatever goes wrong in it ends the drill, and nothing else."""
        try:
            step(going)
        except Exception as error:
            log.exception("A drill failed in a way nobody foresaw.", drill=going.course.drill.drill_id)
            if self._going is going:
                self._end(going, DrillOutcome.FAILED, f"{type(error).__name__}: {error}")

    def _marked(self, going: _Going, change: AlarmTransition, annunciation: Annunciation | None) -> AlarmTransition:
        """A change of an alarm under the names that it has outside of the drill's engine."""
        alarm = change.alarm
        clock = replace(alarm.clock, annunciated_time=going.annunciated.get(alarm.alarm_id))
        marked = replace(
            alarm,
            alarm_id=going.name(alarm.alarm_id),
            incident=going.name(alarm.incident) if alarm.incident else "",
            suppressed_by=going.name(alarm.suppressed_by) if alarm.suppressed_by is not None else None,
            clock=clock,
            drill=going.course.drill.drill_id,
        )
        return replace(change, alarm_id=marked.alarm_id, alarm=marked, annunciation=annunciation)


class RehearsedHistory(HistoryOver):
    """Implements `ports.History` over another one, and shows what is written to whoever runs drills."""

    def __init__(self, history: History) -> None:
        super().__init__(history)
        self._look: Callable[[Sequence[Record]], None] = lambda records: None

    def show(self, look: Callable[[Sequence[Record]], None]) -> None:
        """Show it what is written from now on."""
        self._look = look

    def write(self, records: Sequence[Record], on_safe: Callable[[], None] | None = None) -> None:
        """Take records for writing."""
        self._look(records)
        super().write(records, on_safe)


def _is_rehearsed(rule: RuleSpec) -> bool:
    return rule.mode is not Mode.SHADOW and not _rests_on_silence(rule)


def _rests_on_silence(part: Any) -> bool:
    if isinstance(part, AbsenceSpec):
        return True
    if isinstance(part, BaseModel):
        return any(_rests_on_silence(getattr(part, name)) for name in type(part).model_fields)
    return isinstance(part, tuple) and any(map(_rests_on_silence, part))


def _kind_of(inventory: Inventory, device: str) -> DeviceKind:
    site_id, _, device_id = device.partition("/")
    devices = (device for site in inventory.sites if site.id == site_id for device in site.devices)
    return inventory.kinds[next(device.kind for device in devices if device.id == device_id)]


def _command_observation(command: ActuatorCommand, state: CommandState, now: datetime) -> Observation:
    return Observation(f"{command.device}/{COMMAND.name}", state.value, Quality.GOOD, now, now, now)
