"""The one task that owns the engine.

Edges hand in messages, observations and commands; this task takes them one after the other, lets the engine decide,
tells people at once, and gives everything to the history. A message is acknowledged to the broker by the history's
`on_safe`, never before. Nothing here waits for the database.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Any, Protocol, TypeVar

import msgspec
import structlog

from firewatch.alarms.incident import Incident
from firewatch.alarms.nuisance import Mark, Nuisances
from firewatch.broadcast.actuators import Actuators, CommandChange
from firewatch.engine.engine import OVER_LIMIT, Engine, Prepared
from firewatch.errors import RefusedCommandError
from firewatch.model.alarm import Alarm, AlarmTransition, Annunciation
from firewatch.model.command import (
    AcknowledgeIncident,
    Actuate,
    ActuatorAnswer,
    ActuatorCommand,
    CommandState,
    OperatorCommand,
    OutOfService,
    ReturnSubjectToService,
)
from firewatch.model.effect import Annunciate, Effect, RecordTransition, SendCommand
from firewatch.model.observation import Observation, Quality
from firewatch.model.reload import ReloadOutcome, RulesReload
from firewatch.model.site import COMMAND
from firewatch.model.topic import Channel, Topic
from firewatch.mqtt.packet import IncomingMessage
from firewatch.mqtt.rejection import RejectionReason
from firewatch.ports import Clock, EngineInput, Feed, History, PartStatus, Picture, Publisher, Record, Rejection
from firewatch.rules.compile import RuleInstance
from firewatch.telemetry.events import (
    AlarmAnnunciated,
    AlarmChanged,
    AlarmGrouped,
    EngineInputs,
    InputFailed,
    ObservationDecided,
    RuleFailed,
)
from firewatch.telemetry.rejections import RejectionLog
from firewatch.telemetry.telemetry import Telemetry

SLICE_SECONDS = 0.002
"""How long the task may keep the event loop before the sockets get their turn; an alarm's latency includes it."""

GROUPED_SECONDS = 0.05
"""How long alarms that call for nobody by themselves may wait to be shown together, while more inputs wait."""

BACK_PRESSURE_INTERVAL = timedelta(milliseconds=50)
"""How often a full history is asked whether it has room again."""

STORED_REJECTIONS_A_SECOND = 20
"""Rejections beyond these are counted, but neither stored nor shown one by one: bad input must not fill the disk."""

_T = TypeVar("_T")

log = structlog.get_logger("firewatch.loop")
_encode = msgspec.json.Encoder().encode


class Source(Publisher, Protocol):
    """The MQTT session, as far as this task needs it."""

    def acknowledge(self, messages: Iterable[IncomingMessage]) -> None:
        """Tell the broker that these are safe."""
        ...

    def pause(self) -> None:
        """Leave further messages with the broker."""
        ...

    def resume(self) -> None:
        """Take messages again."""
        ...


class Decoder(Protocol):
    """What makes sense of a message."""

    def decode(
        self, message_topic: str, payload: bytes, retain: bool, receive_time: datetime
    ) -> list[Observation] | ActuatorAnswer | Rejection:
        """Read one message; never raises."""
        ...

    def connected(self, now: datetime) -> None:
        """Expect messages that have waited with the broker."""
        ...


class Rehearsal(Protocol):
    """A drill beside the engine, in the same task; it never raises."""

    def next_wake(self) -> datetime | None:
        """When `advance` has something to do next."""
        ...

    def advance(self, now: datetime) -> None:
        """Do what is due."""
        ...

    def really_happened(self, effects: Sequence[Effect]) -> None:
        """What the engine wanted in earnest was carried out; a drill gives way to it."""
        ...

    def follow(self, change: CommandChange) -> None:
        """A command of a drill is further than before."""
        ...


@dataclass(slots=True)
class _Messages:
    messages: list[IncomingMessage]
    receive_time: datetime


@dataclass(slots=True)
class _Command:
    command: OperatorCommand
    done: asyncio.Future[tuple[Alarm, ...]]


@dataclass(slots=True)
class _Takeover:
    prepared: Prepared
    attempt: RulesReload
    done: asyncio.Future[RulesReload]


@dataclass(slots=True)
class _Question:
    put: Callable[[Engine], object]
    done: asyncio.Future[Any]


@dataclass(slots=True)
class _Answer:
    answer: ActuatorAnswer


_Item = _Messages | Sequence[Observation] | _Answer | _Command | _Takeover | _Question


class _Allowance:
    """How many of something may still happen in the present second."""

    def __init__(self, a_second: int) -> None:
        self._a_second = a_second
        self._second = 0
        self._left = a_second

    def take(self, now: datetime) -> bool:
        second = int(now.timestamp())
        if second != self._second:
            self._second, self._left = second, self._a_second
        self._left -= 1
        return self._left >= 0


class EngineLoop:
    """Owns the engine. `last` holds the newest observation of every signal, for the screens. `on_change` is told of
    every recorded change, after people were.
    """

    def __init__(
        self,
        engine: Engine,
        clock: Clock,
        history: History,
        source: Source,
        decoder: Decoder,
        actuators: Actuators,
        feed: Feed,
        *,
        prefix: str,
        rules: str,
        last_ordinal: int,
        take_picture: Callable[[str], Picture | None],
        telemetry: Telemetry,
        rejections: RejectionLog,
        on_change: Callable[[AlarmTransition], None] = lambda change: None,
        rehearsal: Rehearsal | None = None,
    ) -> None:
        self._engine = engine
        self._clock = clock
        self._history = history
        self._source = source
        self._decoder = decoder
        self._actuators = actuators
        self._feed = feed
        self._prefix = prefix
        self._rules = rules
        self._ordinal = last_ordinal
        self._take_picture = take_picture
        self._telemetry = telemetry
        self._rejections = rejections
        self._on_change = on_change
        self._rehearsal = rehearsal
        self._stored_rejections = _Allowance(STORED_REJECTIONS_A_SECOND)
        self._inbox: deque[_Item] = deque()
        self._wake = asyncio.Event()
        self._slice_end = self._show_by = 0.0
        self._reported_ordinal = last_ordinal
        self._reported_failures = 0
        self._annunciated: dict[str, datetime] = {}
        self._annunciated_and_over: dict[str, datetime] = {}
        self._kept_pictures: dict[str, str] = {}
        self._grouped: dict[str, Alarm] = {}
        self._nuisances = Nuisances()
        self._paused = False
        self.last: dict[str, Observation] = {}

    # What edges call.

    def offer_messages(self, messages: list[IncomingMessage]) -> None:
        """Take messages just read from the broker; they are stamped with the time of now."""
        self._inbox.append(_Messages(messages, self._clock.now()))
        self._wake.set()

    def offer_observations(self, observations: Sequence[Observation]) -> None:
        """Take observations that need no acknowledgement, such as a camera's."""
        self._inbox.append(observations)
        self._wake.set()

    def offer_answer(self, answer: ActuatorAnswer) -> None:
        """Take an actuator's answer that came another way than over MQTT."""
        self._inbox.append(_Answer(answer))
        self._wake.set()

    def look_again(self) -> None:
        """Something may be due sooner than it was."""
        self._wake.set()

    def notice(self, rejection: Rejection) -> None:
        """Count and keep what is worth knowing about input that was used all the same."""
        records: list[Record] = []
        self._reject(rejection, records)
        if records:
            self._history.write(records)

    async def submit(self, command: OperatorCommand) -> tuple[Alarm, ...]:
        """Carry out an operator's command; returns the alarms that it is about, after it, once that is safe.

        Raises:
            RefusedCommandError: it does not fit the alarm's state; nothing was changed.
        """
        done: asyncio.Future[tuple[Alarm, ...]] = asyncio.get_running_loop().create_future()
        self._inbox.append(_Command(command, done))
        self._wake.set()
        return await done

    async def take_over(self, prepared: Prepared, attempt: RulesReload) -> RulesReload:
        """Go on with other rules; returns the record of it, with its place in the order, once it is safe.

        What the engine raises is raised; the rules before go on then.
        """
        done: asyncio.Future[RulesReload] = asyncio.get_running_loop().create_future()
        self._inbox.append(_Takeover(prepared, attempt, done))
        self._wake.set()
        return await done

    async def ask(self, question: Callable[[Engine], _T]) -> _T:
        """Let a question look at the engine, which it must not change, after everything that was handed in before.

        What the question raises is raised.
        """
        done: asyncio.Future[_T] = asyncio.get_running_loop().create_future()
        self._inbox.append(_Question(question, done))
        self._wake.set()
        return await done

    # What the app calls.

    def alarms(self) -> list[Alarm]:
        """Every alarm that stands, newest onset first."""
        return sorted(map(self._stamped, self._engine.alarms()), key=lambda alarm: alarm.onset_time, reverse=True)

    def incidents(self) -> list[Incident]:
        """Every incident of which an alarm stands, the one with the newest onset last."""
        return [
            msgspec.structs.replace(incident, first_out=self._stamped(incident.first_out))
            for incident in self._engine.incidents()
        ]

    def marks(self, alarms: Sequence[Alarm]) -> dict[str, tuple[Mark, ...]]:
        """Which of some alarms wear people out, by id."""
        return self._nuisances.marked(alarms, self._clock.now())

    def instance(self, alarm: Alarm) -> RuleInstance | None:
        """The rule that an alarm is of, for its subject; None where it does not run any more."""
        return self._engine.instance(alarm)

    def is_claimed(self, device: str) -> bool:
        """Whether an actuator (`site/device`) is wanted, or was asked in earnest and is not done with it."""
        return self._engine.is_claimed(device) or self._actuators.is_busy(device)

    def snapshot(self) -> tuple[int, bytes, str]:
        """The ordinal of the last input taken, the engine's state after it, and the name of its rule set."""
        return self._ordinal, self._engine.snapshot(), self._rules

    def failed_rules(self) -> bool:
        """Whether a rule is out of service that a reload would try again."""
        return bool(self._engine.failures())

    def already_annunciated(self, alarms: Iterable[Alarm]) -> None:
        """After a restart: these were annunciated before it."""
        for alarm in alarms:
            if alarm.clock.annunciated_time is not None:
                known = self._annunciated if alarm.stands else self._annunciated_and_over
                known[alarm.alarm_id] = alarm.clock.annunciated_time

    def remember(self, changes: Iterable[AlarmTransition]) -> None:
        """After a restart: how alarms changed before it, in the order of time."""
        for change in changes:
            self._nuisances.take(change)

    def settle(self, effects: Sequence[Effect], taken: RulesReload | None = None) -> None:
        """Carry out what a restart's replay left to do, and show every standing alarm on the feed again. `taken` is the
        reload that was a part of it.
        """
        transitions = [effect for effect in effects if isinstance(effect, RecordTransition)]
        records: list[Record] = [] if taken is None else [taken]
        told = _told(effects)
        changes = [self._transition(effect, told, []) for effect in transitions]
        self._history.write([*records, *changes])
        for alarm in {effect.transition.alarm_id: effect.transition.alarm for effect in transitions}.values():
            if not alarm.stands:
                self._show(alarm)
        for change in changes:
            self._guarded(partial(self._on_change, change))
        self._carry_out([effect for effect in effects if not isinstance(effect, RecordTransition)], [])
        for alarm in self.alarms():
            self._show(alarm)

    def status(self) -> PartStatus:
        """How the rules are: one that failed is out of service for its subject until a reload or the next start."""
        failures = self._engine.failures()
        detail = "; ".join(
            f"{failure.rule} on {failure.subject} is out of service: {failure.error}" for failure in failures
        )
        return PartStatus(name="rules", ready=not failures, detail=detail[:500] or "all in service", vital=False)

    def clear_unless_standing(self, topic: Topic) -> None:
        """Take an alarm off the broker that it still holds from before, if it does not stand any more."""
        if all(alarm.alarm_id != topic.device for alarm in self._engine.alarms()):
            name = topic.name(self._prefix)
            self._source.publish(name, b"", retain=True, replaces=name)

    async def run(self) -> None:
        """Take inputs for ever."""
        while True:
            await self._wait()
            self._begin_slice()
            while self._inbox:
                self._take(self._inbox.popleft())
                if self._slice_is_over():
                    if self._slice_end > self._show_by:
                        self._guarded(self._show_grouped)
                    await asyncio.sleep(0)
                    self._begin_slice()
            self._guarded(self._show_grouped)

    # One step each.

    async def _wait(self) -> None:
        self._wake.clear()
        if self._inbox:
            return
        now = self._clock.now()
        parts = (self._engine, self._actuators, self._rehearsal)
        wakes = [wake for part in parts if part is not None and (wake := part.next_wake()) is not None]
        if self._paused:
            wakes.append(now + BACK_PRESSURE_INTERVAL)
        timer = None
        if wakes:
            pause = max((min(wakes) - now).total_seconds(), 0.0)
            timer = asyncio.get_running_loop().call_later(pause, self._wake.set)
        await self._wake.wait()
        if timer is not None:
            timer.cancel()

    def _begin_slice(self) -> None:
        self._housekeeping()
        self._slice_end = asyncio.get_running_loop().time() + SLICE_SECONDS

    def _slice_is_over(self) -> bool:
        return asyncio.get_running_loop().time() > self._slice_end

    def _housekeeping(self) -> None:
        now = self._clock.now()
        self._guarded(lambda: self._carry_out(self._engine.advance(now), []))
        self._guarded(lambda: self._note_changes(self._actuators.advance(now)))
        if self._rehearsal is not None:
            self._rehearsal.advance(now)
        self._apply_back_pressure()
        self._report()

    def _guarded(self, step: Callable[[], None]) -> None:
        """Take one step; whatever goes wrong in it costs that step alone."""
        try:
            step()
        except Exception as error:
            self._telemetry.emit(InputFailed(error=f"{type(error).__name__}: {error}"))
            log.exception("An input failed in a way nobody foresaw; the others go on.")

    def _take(self, item: _Item) -> None:
        if isinstance(item, _Messages):
            self._take_messages(item)
        elif isinstance(item, _Answer):
            self._guarded(partial(self._take_answer_alone, item.answer))
        elif isinstance(item, _Command):
            self._guarded(partial(self._take_command, item))
        elif isinstance(item, _Takeover):
            self._guarded(partial(self._take_rules, item))
        elif isinstance(item, _Question):
            self._take_question(item)
        else:
            records: list[Record] = []
            for observation in item:
                self._guarded(partial(self._observe, observation, records))
            self._history.write(records)

    def _take_messages(self, batch: _Messages) -> None:
        """Take as many as fit into this slice, and leave the others for the next."""
        records: list[Record] = []
        taken = 0
        for message in batch.messages:
            self._guarded(partial(self._take_message, message, batch.receive_time, records))
            taken += 1
            if self._slice_is_over():
                break
        messages, rest = batch.messages[:taken], batch.messages[taken:]
        self._history.write(records, on_safe=lambda: self._source.acknowledge(messages))
        if rest:
            self._inbox.appendleft(_Messages(rest, batch.receive_time))

    def _take_message(self, message: IncomingMessage, receive_time: datetime, records: list[Record]) -> None:
        heard = self._decoder.decode(message.topic, message.payload, message.retain, receive_time)
        if isinstance(heard, ActuatorAnswer):
            self._take_answer(heard, message, records)
        elif isinstance(heard, Rejection):
            self._reject(heard, records)
        else:
            for observation in heard:
                self._observe(observation, records)

    def _take_answer_alone(self, answer: ActuatorAnswer) -> None:
        changes = self._actuators.answered(answer)
        if changes is not None:
            self._note_changes(changes, answer)

    def _note_changes(self, changes: Sequence[CommandChange], *answers: ActuatorAnswer) -> None:
        """Keep what became of commands, and let the rules hear of it."""
        records: list[Record] = []
        self._follow(changes, records)
        records += answers
        if records:
            self._history.write(records)

    def _follow(self, changes: Sequence[CommandChange], records: list[Record]) -> None:
        """Show how far commands are and observe it. The observation is recorded before what ends a command: after a
        kill in between the command is followed again, and its end is not lost to the rules.
        """
        for change in changes:
            self._feed.push(change.record)
            if change.record.command.drill is not None:
                if self._rehearsal is not None:
                    self._rehearsal.follow(change)
            elif change.state is not None:
                self._observe(self._command_observation(change.record.command, change.state), records)
            records += change.stored

    def _command_observation(self, command: ActuatorCommand, state: CommandState) -> Observation:
        now = self._clock.now()
        return Observation(f"{command.device}/{COMMAND.name}", state.value, Quality.GOOD, now, now, now)

    def _take_answer(self, answer: ActuatorAnswer, message: IncomingMessage, records: list[Record]) -> None:
        changes = self._actuators.answered(answer)
        if changes is not None:
            self._follow(changes, records)
            records.append(answer)
            return
        detail = f"{answer.device} answers a command that another device was given"
        self._reject(
            Rejection(
                receive_time=answer.receive_time,
                source=message.topic,
                reason=RejectionReason.UNEXPECTED_ANSWER,
                detail=detail,
                payload=message.payload[:200].decode(errors="replace"),
            ),
            records,
        )

    def _take_command(self, item: _Command) -> None:
        if item.done.done():  # nobody waits for it any more, so nobody would know that it was carried out
            return
        now = self._clock.now()
        try:
            effects = self._engine.command(item.command, now)
        except RefusedCommandError as refused:
            item.done.set_exception(refused)
            return
        self._ordinal += 1
        changes = (effect.transition.alarm for effect in effects if isinstance(effect, RecordTransition))
        after = {alarm.alarm_id: alarm for alarm in changes if _is_about(item.command, alarm)}
        records: list[Record] = [EngineInput(ordinal=self._ordinal, now=now, command=item.command)]
        try:
            self._carry_out(effects, records)
        finally:  # it was carried out, whatever went wrong in telling people: its sender must not wait for ever
            self._history.write(records, on_safe=lambda: _answer(item.done, tuple(map(self._stamped, after.values()))))

    def _take_rules(self, item: _Takeover) -> None:
        if item.done.done():
            return
        try:
            effects, report = self._engine.take_over(item.prepared, self._clock.now())
        except Exception as error:  # whatever it is, whoever asked is to know, and nothing was changed
            item.done.set_exception(error)
            return
        self._ordinal += 1
        self._rules = item.attempt.rules
        self._reported_failures = 0
        taken = msgspec.structs.replace(
            item.attempt, time=report.now, outcome=ReloadOutcome.TAKEN, ordinal=self._ordinal, report=report
        )
        records: list[Record] = [taken]
        try:
            self._carry_out(effects, records)
        finally:
            self._history.write(records, on_safe=lambda: _answer(item.done, taken))

    def _take_question(self, item: _Question) -> None:
        if item.done.done():
            return
        try:
            item.done.set_result(item.put(self._engine))
        except Exception as error:  # whatever it is, whoever asked is to know
            item.done.set_exception(error)

    def _observe(self, observation: Observation, records: list[Record]) -> None:
        now = self._clock.now()
        self._ordinal += 1
        records.append(EngineInput(ordinal=self._ordinal, now=now, observation=observation))
        self.last[observation.signal] = observation
        effects = self._engine.observe(observation, now)
        if effects:
            self._carry_out(effects, records)
            if any(isinstance(effect, Annunciate) for effect in effects):
                waited = self._clock.now() - observation.receive_time
                self._telemetry.emit(ObservationDecided(seconds=waited.total_seconds()))
        self._feed.push(observation)
        proven = self._actuators.observed(observation)
        if proven:
            self._follow(proven, records)

    def _reject(self, rejection: Rejection, records: list[Record]) -> None:
        self._rejections.add(rejection)
        if self._stored_rejections.take(rejection.receive_time):
            records.append(rejection)
            self._feed.push(rejection)

    def _carry_out(self, effects: Sequence[Effect], records: list[Record]) -> None:
        """Hand what led here and what follows to the history, which does not wait for the database, and tell people.

        In this order, because after a kill -9 an alarm that people have seen must not be unknown. `records` are the
        inputs taken since the last hand-over; the list is empty afterwards.
        """
        if not effects:
            return
        now, told = self._clock.now(), _told(effects)
        changes: list[AlarmTransition] = []
        for effect in effects:
            if isinstance(effect, Annunciate):
                self._annunciated.setdefault(effect.alarm.alarm_id, now)
            elif isinstance(effect, SendCommand):
                records.append(effect.command)
            elif isinstance(effect, RecordTransition):
                changes.append(self._transition(effect, told, records))
                records.append(changes[-1])
        self._history.write(records.copy())
        records.clear()
        if any(isinstance(effect, Annunciate) and not effect.grouped for effect in effects):
            self._history.outlive()
        shown: dict[str, Alarm] = {}
        for effect in effects:
            if isinstance(effect, SendCommand):
                self._ask(effect.command, now)
                continue
            alarm = effect.alarm if isinstance(effect, Annunciate) else effect.transition.alarm
            if isinstance(effect, Annunciate):
                self._annunciate(effect)
            elif shown.get(alarm.alarm_id) is not alarm:
                self._show(self._stamped(alarm))
            shown[alarm.alarm_id] = alarm
        for change in changes:
            self._guarded(partial(self._on_change, change))
        if self._rehearsal is not None:
            self._rehearsal.really_happened(effects)

    def _ask(self, command: ActuatorCommand, now: datetime) -> None:
        """Send a command. That it was sent is observed after what is being taken now."""
        for change in self._actuators.send(command, now):
            self._feed.push(change.record)
            self._inbox.append([self._command_observation(command, CommandState.SENT)])

    def _transition(
        self, effect: RecordTransition, told: Mapping[int, Annunciation], records: list[Record]
    ) -> AlarmTransition:
        alarm = self._stamped(effect.transition.alarm)
        self._keep_picture(alarm, records)
        self._nuisances.take(effect.transition)
        self._telemetry.emit(AlarmChanged(reason=effect.transition.reason))
        annunciation = told.get(id(effect.transition.alarm))
        return msgspec.structs.replace(effect.transition, alarm=alarm, annunciation=annunciation)

    def _annunciate(self, effect: Annunciate) -> None:
        """Tell people. What is grouped waits a little for others like it, because each time it takes the history a
        moment until people may be told.
        """
        alarm = effect.alarm
        if effect.grouped:
            if not self._grouped:
                self._show_by = self._slice_end + GROUPED_SECONDS
            self._grouped[alarm.alarm_id] = alarm
            self._telemetry.emit(AlarmGrouped(rule=alarm.rule, priority=alarm.priority))
            return
        self._show(self._stamped(alarm), calls=True)
        self._telemetry.emit(
            AlarmAnnunciated(alarm_id=alarm.alarm_id, rule=alarm.rule, subject=alarm.subject, priority=alarm.priority)
        )

    def _show_grouped(self) -> None:
        if self._grouped:
            self._history.outlive()
            for alarm in list(self._grouped.values()):
                self._show(self._stamped(alarm))

    def _show(self, alarm: Alarm, *, calls: bool = False) -> None:
        self._grouped.pop(alarm.alarm_id, None)
        standing = alarm.stands
        if not standing:
            self._remember_over(alarm.alarm_id)
            self._kept_pictures.pop(alarm.alarm_id, None)
        if alarm.shadow:
            return
        topic = Topic(channel=Channel.ALARM, site=alarm.site, device=alarm.alarm_id).name(self._prefix)
        # Where the broker is away only the newest word on an alarm needs to travel.
        self._source.publish(topic, _encode(alarm), retain=standing, replaces=topic)
        if not standing:
            self._source.publish(topic, b"", retain=True, replaces=topic)
        self._feed.push(Annunciate(alarm) if calls else alarm)

    def _remember_over(self, alarm_id: str) -> None:
        """When people were told of an alarm is known for as long as it may still be confirmed."""
        time = self._annunciated.pop(alarm_id, None)
        if time is not None:
            self._annunciated_and_over[alarm_id] = time
        if len(self._annunciated_and_over) > OVER_LIMIT:
            del self._annunciated_and_over[next(iter(self._annunciated_and_over))]

    def _stamped(self, alarm: Alarm) -> Alarm:
        identity = alarm.alarm_id
        annunciated_time = self._annunciated.get(identity) or self._annunciated_and_over.get(identity)
        return msgspec.structs.replace(
            alarm, clock=msgspec.structs.replace(alarm.clock, annunciated_time=annunciated_time)
        )

    def _keep_picture(self, alarm: Alarm, records: list[Record]) -> None:
        if alarm.picture is None or self._kept_pictures.get(alarm.alarm_id) == alarm.picture:
            return
        picture = self._take_picture(alarm.picture)
        if picture is not None:
            records.append(picture)
            self._kept_pictures[alarm.alarm_id] = alarm.picture

    def _report(self) -> None:
        if self._ordinal != self._reported_ordinal:
            self._telemetry.emit(EngineInputs(count=self._ordinal - self._reported_ordinal))
            self._reported_ordinal = self._ordinal
        failures = self._engine.failures()
        for failure in failures[self._reported_failures :]:
            self._telemetry.emit(RuleFailed(rule=failure.rule, error=f"{failure.subject}: {failure.error}"))
        self._reported_failures = len(failures)

    def _apply_back_pressure(self) -> None:
        room = self._history.room()
        if room and self._paused:
            self._decoder.connected(self._clock.now())  # what comes now has waited with the broker
            self._source.resume()
            self._paused = False
        elif not room and not self._paused:
            self._source.pause()
            self._paused = True


def _told(effects: Iterable[Effect]) -> dict[int, Annunciation]:
    """How people are told, by the identity of the alarm that the change's record has too."""
    return {
        id(effect.alarm): Annunciation.GROUPED if effect.grouped else Annunciation.OF_ITS_OWN
        for effect in effects
        if isinstance(effect, Annunciate)
    }


def _is_about(command: OperatorCommand, alarm: Alarm) -> bool:
    match command:
        case OutOfService():
            is_named = alarm.subject == command.subject and command.rule in (None, alarm.rule)
            return is_named and alarm.out_of_service is not None
        case ReturnSubjectToService():
            return alarm.subject == command.subject and alarm.out_of_service is None
        case AcknowledgeIncident():
            return alarm.incident == command.incident
        case Actuate():
            return False
        case _:
            return alarm.alarm_id == command.alarm_id


def _answer(done: asyncio.Future[_T], answer: _T) -> None:
    if not done.cancelled():
        done.set_result(answer)
