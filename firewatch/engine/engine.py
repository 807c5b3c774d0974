"""The engine: observations, commands and time in, effects out.

It joins rules and alarms and owns nothing else: no clock, no task, no file. The app's one task calls it; live,
replay, `firewatch test` and recovery are this same code, and the same inputs with the same `now`s give the same
effects. What it promises:

* Before anything else a call settles what is due up to its `now`, in the order of the deadlines and with transition
  times equal to them. So it makes no difference whether `advance` was called in between, or late.
* After a call with `now`, `next_wake()` is later than `now`.
* `now` never goes backwards inside: an earlier one is taken as the latest.
* Effects come in the order annunciate, command, record: telling people waits for nothing.
* A rule that fails at run time is taken out of service for that subject, reported by `failures()`, and disturbs no
  other; its standing alarm becomes unknown and stays.
"""

from __future__ import annotations

import hashlib
import heapq
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import msgspec
from msgspec.structs import replace

from firewatch.alarms.lifecycle import ConditionSeen, Event, Onset, StandingAlarm, step
from firewatch.engine.snapshot import (
    FORMAT_VERSION,
    ClosedAlarm,
    Engagement,
    HeldBack,
    InstanceRecord,
    Judged,
    RestoreReport,
    Snapshot,
    decode,
    encode,
)
from firewatch.errors import FirewatchError
from firewatch.model.alarm import Alarm, AlarmClock, AlarmState, ConditionState, alarm_id
from firewatch.model.command import Acknowledge, ActuatorCommand, OperatorCommand
from firewatch.model.effect import Annunciate, Effect, RecordTransition, SendCommand
from firewatch.model.observation import Observation
from firewatch.model.site import Inventory
from firewatch.rules.compile import RuleInstance, Target, compile_rules
from firewatch.rules.evaluator import Change, Phase
from firewatch.rules.index import index_by_signal
from firewatch.rules.spec import RuleSpec
from firewatch.rules.text import render

_BEGINNING = datetime.min.replace(tzinfo=UTC)
_ORDER: dict[type, int] = {Annunciate: 0, SendCommand: 1, RecordTransition: 2}
_HEAP_SLACK = 64


class NoProgressError(FirewatchError):
    """An evaluator wants to be woken again at once; that would never end."""


class RuleFailure(msgspec.Struct, frozen=True):
    """A rule that raised at run time and is out of service for that subject until the next start."""

    rule: str
    subject: str
    failed_time: datetime
    error: str


class _Running:
    """An instance with what changes: its state, its alarm, its commands and its timer."""

    __slots__ = (
        "carried",
        "closed",
        "engagement",
        "evaluator",
        "in_service",
        "instance",
        "keeps_time",
        "next_wake",
        "observe",
        "position",
        "scheduled",
        "standing",
        "state",
    )

    def __init__(self, position: int, instance: RuleInstance) -> None:
        self.position = position
        self.instance = instance
        self.evaluator = instance.evaluator
        self.observe = instance.evaluator.observe
        self.next_wake = instance.evaluator.next_wake
        self.keeps_time = instance.evaluator.keeps_time
        self.state: Any = instance.evaluator.initial()
        self.scheduled: datetime | None = None
        self.standing: StandingAlarm | None = None
        self.closed: ClosedAlarm | None = None
        self.engagement: Engagement | None = None
        self.carried = False
        self.in_service = True


class Engine:
    """Judges a set of rules over an inventory. A fresh one is either `start`ed, or `restore`d, fed what followed
    the snapshot, and `resume`d.
    """

    def __init__(self, rules: Sequence[RuleSpec], inventory: Inventory) -> None:
        self._now = _BEGINNING
        self._running = [
            _Running(position, instance) for position, instance in enumerate(compile_rules(rules, inventory))
        ]
        index = index_by_signal(running.evaluator.signals for running in self._running)
        self._interested = {
            signal: tuple(self._running[position] for position in positions) for signal, positions in index.items()
        }
        self._heap: list[tuple[datetime, int]] = []
        self._unjudged: dict[str, InstanceRecord] = {}
        self._held_back: list[Effect] = []
        self._failures: list[RuleFailure] = []

    # -- inputs ----------------------------------------------------------------------------------------------------

    def start(self, now: datetime) -> list[Effect]:
        """Begin to listen: from here on silence counts. Once, for an engine without a snapshot."""
        effects = self._begin(now)
        self._arm(self._now)
        return self._settled(effects)

    def observe(self, observation: Observation, now: datetime) -> list[Effect]:
        """Take one observation."""
        heap = self._heap
        if self._held_back or now < self._now or (heap and heap[0][0] <= now):
            effects = self._begin(now)
            now = self._now
        else:
            effects = []
            self._now = now
        for running in self._interested.get(observation.signal, ()):
            try:
                state, changes = running.observe(running.state, observation, now)
                if state is not running.state:
                    running.state = state
                    if running.keeps_time:
                        due = running.next_wake(state)
                        if due is not None and (running.scheduled is None or due < running.scheduled):
                            self._schedule(running, due)
                if changes:
                    self._apply(running, changes, effects)
            except Exception as error:  # whatever it is, it must not block another rule
                self._take_out_of_service(running, error, effects)
        if heap and heap[0][0] <= now:
            self._settle(now, effects)
        if len(effects) > 1:
            effects.sort(key=_rank)
        return effects

    def command(self, command: OperatorCommand, now: datetime) -> list[Effect]:
        """Carry out what an operator asks.

        Raises:
            RefusedCommandError: it does not fit the alarm's state; nothing was changed. What fell due by `now` is
                settled nevertheless, and its effects are returned by the next call, which `next_wake` asks for.
        """
        effects = self._begin(now)
        try:
            self._acknowledge(command, effects)
        except FirewatchError:
            self._held_back = effects
            raise
        return self._settled(effects)

    def advance(self, now: datetime) -> list[Effect]:
        """Let time pass: settle what is due by `now`."""
        return self._settled(self._begin(now))

    def resume(self, now: datetime) -> list[Effect]:
        """Go on after `restore` and the replay of what followed: settle what fell due while firewatch was down.

        Delays keep their original start. Silence that was no condition yet counts anew from `now`: firewatch was
        deaf, the device was not silent. Take a snapshot right after this; inputs replayed across it would not know
        of it.
        """
        self._arm(max(now, self._now))
        effects = self._begin(now)
        self._lose_unjudged(effects)
        return self._settled(effects)

    # -- what it knows ---------------------------------------------------------------------------------------------

    def next_wake(self) -> datetime | None:
        """When to call `advance`; sooner than needed now and then, never later. None: nothing is pending."""
        if self._held_back:
            return self._now
        return self._heap[0][0] if self._heap else None

    def alarms(self) -> list[Alarm]:
        """Every alarm that is not back to normal, oldest onset first."""
        standing = [running.standing.alarm for running in self._running if running.standing is not None]
        standing += [record.standing.alarm for record in self._unjudged.values() if record.standing is not None]
        return sorted(standing, key=lambda alarm: (alarm.onset_time, alarm.alarm_id))

    def failures(self) -> list[RuleFailure]:
        """The rules taken out of service since the start, oldest first."""
        return list(self._failures)

    # -- snapshot --------------------------------------------------------------------------------------------------

    def snapshot(self) -> bytes:
        """Everything needed to go on from here."""
        return encode(
            Snapshot(
                version=FORMAT_VERSION,
                now=self._now,
                instances=(*map(_record_of, self._running), *self._unjudged.values()),
                held_back=HeldBack(
                    annunciate=tuple(e.alarm for e in self._held_back if isinstance(e, Annunciate)),
                    send=tuple(e.command for e in self._held_back if isinstance(e, SendCommand)),
                    record=tuple(e.transition for e in self._held_back if isinstance(e, RecordTransition)),
                ),
            )
        )

    def restore(self, snapshot: bytes) -> RestoreReport:
        """Put a fresh engine where another one was. Rules that did not change go on; for the others see the report.

        Raises:
            SnapshotError: it cannot be read; nothing was changed.
        """
        kept = decode(snapshot)
        records = {Judged(record.rule, record.subject): record for record in kept.instances}
        added: list[Judged] = []
        changed: list[Judged] = []
        self._now = kept.now
        for running in self._running:
            name = Judged(running.instance.rule.id, running.instance.subject)
            record = records.pop(name, None)
            if record is None:
                added.append(name)
            elif not _take_over(running, record):
                changed.append(name)
        fresh = {*added, *changed}
        for running in self._running:
            if (running.instance.rule.id, running.instance.subject) in fresh:
                running.state = running.evaluator.arm(running.state, kept.now)
            self._reschedule(running)
        self._unjudged = {
            record.standing.alarm.alarm_id: _without_state(record)
            for record in records.values()
            if record.standing is not None
        }
        held = kept.held_back
        self._held_back = [
            *map(Annunciate, held.annunciate),
            *map(SendCommand, held.send),
            *map(RecordTransition, held.record),
        ]
        return RestoreReport(
            now=kept.now,
            restored=len(self._running) - len(fresh),
            added=tuple(added),
            changed=tuple(changed),
            removed=tuple(records),
            kept_alarms=tuple(self._unjudged),
        )

    # -- time ------------------------------------------------------------------------------------------------------

    def _begin(self, now: datetime) -> list[Effect]:
        """Every input starts here: what was held back, then what is due, then `now`."""
        now = max(now, self._now)
        effects, self._held_back = self._held_back, []
        self._settle(now, effects)
        self._now = now
        return effects

    def _settled(self, effects: list[Effect]) -> list[Effect]:
        """Every input ends here: what it made due at once, and the effects in order."""
        self._settle(self._now, effects)
        effects.sort(key=_rank)
        return effects

    def _settle(self, now: datetime, effects: list[Effect]) -> None:
        heap = self._heap
        while heap and heap[0][0] <= now:
            due, position = heapq.heappop(heap)
            running = self._running[position]
            if running.scheduled != due:
                continue
            running.scheduled = None
            if not running.in_service:
                continue
            try:
                actual = running.next_wake(running.state)
                if actual is not None and actual <= due:
                    self._now = max(self._now, due)
                    self._wake(running, effects)
                self._reschedule(running)
            except Exception as error:  # whatever it is, it must not block another rule
                self._take_out_of_service(running, error, effects)

    def _wake(self, running: _Running, effects: list[Effect]) -> None:
        running.state, changes = running.evaluator.wake(running.state, self._now)
        following = running.next_wake(running.state)
        if changes:
            self._apply(running, changes, effects)
        if following is not None and following <= self._now:
            raise NoProgressError

    def _reschedule(self, running: _Running) -> None:
        due = running.next_wake(running.state)
        if due is not None and (running.scheduled is None or due < running.scheduled):
            self._schedule(running, due)

    def _schedule(self, running: _Running, due: datetime) -> None:
        """Timers are lazy: one that moved later stays where it is and looks again when it is popped."""
        running.scheduled = due
        heapq.heappush(self._heap, (due, running.position))
        if len(self._heap) > 4 * len(self._running) + _HEAP_SLACK:
            self._heap[:] = [
                (running.scheduled, running.position) for running in self._running if running.scheduled is not None
            ]
            heapq.heapify(self._heap)

    def _arm(self, now: datetime) -> None:
        for running in self._running:
            running.state = running.evaluator.arm(running.state, now)
            self._reschedule(running)

    # -- from conditions to alarms and commands --------------------------------------------------------------------

    def _apply(self, running: _Running, changes: Sequence[Change], effects: list[Effect]) -> None:
        for change in changes:
            if change.phase is Phase.SUSPECTED:
                self._engage(running, change, Phase.SUSPECTED, effects)
            elif change.phase is Phase.REJECTED:
                engagement = running.engagement
                if engagement and engagement.phase is Phase.SUSPECTED and engagement.onset_time == change.onset_time:
                    self._disengage(running, effects)
            elif change.condition is ConditionState.ACTIVE:
                self._became_active(running, change, effects)
            else:
                running.carried = running.carried and change.condition is ConditionState.UNKNOWN
                self._move(running, ConditionSeen(change.condition), effects)
                if change.condition is ConditionState.INACTIVE:
                    self._disengage(running, effects)

    def _became_active(self, running: _Running, change: Change, effects: list[Effect]) -> None:
        standing = running.standing
        lost = (
            standing is not None
            and standing.alarm.condition is ConditionState.UNKNOWN
            and standing.alarm.state is not AlarmState.RTN_UNACKNOWLEDGED
        )
        if lost and (change.phase is None or running.carried):
            running.carried = False
            self._move(running, ConditionSeen(ConditionState.ACTIVE), effects)
            return
        running.carried = False
        draft = _draft(running.instance, change, self._now)
        closed = running.closed
        number = closed.number if closed is not None and closed.alarm_id == draft.alarm_id else 0
        self._move(running, Onset(draft, number), effects)
        self._engage(running, change, Phase.ACTIVE, effects)

    def _move(self, running: _Running, event: Event, effects: list[Effect]) -> None:
        before = running.standing
        running.standing, told = step(before, event, self._now)
        effects.extend(told)
        if running.standing is None and before is not None:
            running.closed = ClosedAlarm(before.alarm.alarm_id, before.number + len(told))

    def _engage(self, running: _Running, change: Change, phase: Phase, effects: list[Effect]) -> None:
        onset = change.onset_time or change.event_time
        instance = running.instance
        cause = (
            running.standing.alarm.alarm_id
            if running.standing is not None
            else alarm_id(instance.rule.id, instance.subject, onset)
        )
        before = running.engagement
        sent = before.sent if before is not None and before.onset_time == onset else ()
        self._act(running, Engagement(onset_time=onset, cause=cause, phase=phase, sent=sent), effects)

    def _disengage(self, running: _Running, effects: list[Effect]) -> None:
        engagement = running.engagement
        if engagement is not None and engagement.is_open:
            over = Phase.INACTIVE if engagement.phase is Phase.ACTIVE else Phase.REJECTED
            self._act(running, replace(engagement, phase=over), effects)

    def _act(self, running: _Running, engagement: Engagement, effects: list[Effect]) -> None:
        sent = engagement.sent
        for target in running.instance.targets[engagement.phase]:
            identity = _command_id(running.instance, engagement, target)
            if identity in sent:
                continue
            sent = (*sent, identity)
            command = ActuatorCommand(
                command_id=identity,
                device=target.device,
                action=target.action,
                parameters=target.parameters,
                cause=engagement.cause,
                rule=running.instance.rule.id,
                issued_time=self._now,
            )
            effects.append(SendCommand(command))
        running.engagement = replace(engagement, sent=sent)

    def _acknowledge(self, command: Acknowledge, effects: list[Effect]) -> None:
        for running in self._running:
            if running.standing is not None and running.standing.alarm.alarm_id == command.alarm_id:
                self._move(running, command, effects)
                return
        record = self._unjudged.get(command.alarm_id)
        standing, told = step(record.standing if record else None, command, self._now, judged=False)
        assert standing is None
        del self._unjudged[command.alarm_id]
        effects.extend(told)

    # -- what cannot be judged -------------------------------------------------------------------------------------

    def _lose_unjudged(self, effects: list[Effect]) -> None:
        """Nobody can tell how it stands with an alarm whose rule changed or is gone."""
        lost = ConditionSeen(ConditionState.UNKNOWN)
        for running in self._running:
            if running.carried:
                self._move(running, lost, effects)
        for identity, record in self._unjudged.items():
            standing, told = step(record.standing, lost, self._now)
            self._unjudged[identity] = replace(record, standing=standing)
            effects.extend(told)

    def _take_out_of_service(self, running: _Running, error: Exception, effects: list[Effect]) -> None:
        running.in_service = False
        instance = running.instance
        self._failures.append(
            RuleFailure(
                rule=instance.rule.id,
                subject=instance.subject,
                failed_time=self._now,
                error=f"{type(error).__name__}: {error}",
            )
        )
        for signal in running.evaluator.signals:
            self._interested[signal] = tuple(other for other in self._interested[signal] if other is not running)
        self._move(running, ConditionSeen(ConditionState.UNKNOWN), effects)


def _rank(effect: Effect) -> int:
    return _ORDER[type(effect)]


def _draft(instance: RuleInstance, change: Change, now: datetime) -> Alarm:
    rule, evidence = instance.rule, change.evidence
    onset = change.onset_time or change.event_time
    signal = evidence.signal or ""
    unit = instance.units.get(signal, "") if evidence.value is not None else ""
    device = instance.labels.get(signal, instance.place)
    return Alarm(
        alarm_id=alarm_id(rule.id, instance.subject, onset),
        rule=rule.id,
        site=instance.site,
        subject=instance.subject,
        building=instance.building,
        system=instance.system,
        priority=rule.steps[0].priority,
        alarm_class=rule.alarm_class,
        state=AlarmState.UNACKNOWLEDGED,
        condition=ConditionState.ACTIVE,
        text=render(rule.text, value=evidence.value, unit=unit, place=instance.place, device=device),
        advice=render(rule.advice, value=evidence.value, unit=unit, place=instance.place, device=device),
        place=instance.place,
        onset_time=onset,
        clock=AlarmClock(source_time=evidence.source_time, receive_time=evidence.receive_time, decided_time=now),
        value=evidence.value,
        unit=unit,
        picture=evidence.picture,
    )


def _command_id(instance: RuleInstance, engagement: Engagement, target: Target) -> str:
    what = (
        instance.rule.id,
        instance.subject,
        f"{engagement.onset_time.timestamp():.6f}",
        engagement.phase,
        target.device,
        target.action,
        msgspec.json.encode(target.parameters, order="deterministic").decode(),
    )
    return hashlib.blake2s("|".join(what).encode(), digest_size=8).hexdigest()


def _record_of(running: _Running) -> InstanceRecord:
    return InstanceRecord(
        rule=running.instance.rule.id,
        subject=running.instance.subject,
        fingerprint=running.instance.fingerprint,
        state=msgspec.Raw(msgspec.json.encode(running.state)),
        standing=running.standing,
        closed=running.closed,
        engagement=running.engagement,
        carried=running.carried,
    )


def _take_over(running: _Running, record: InstanceRecord) -> bool:
    """Give the instance what was kept of it; False if it has to judge anew."""
    running.standing = record.standing
    running.closed = record.closed
    running.engagement = record.engagement
    running.carried = record.carried
    if record.fingerprint == running.instance.fingerprint:
        try:
            running.state = msgspec.json.decode(record.state, type=running.evaluator.state_type)
        except msgspec.DecodeError:
            pass
        else:
            return True
    running.carried = record.standing is not None
    return False


def _without_state(record: InstanceRecord) -> InstanceRecord:
    """What stays of a rule that is gone; should it come back, it judges the alarm anew."""
    return replace(record, fingerprint="", state=msgspec.Raw(b"null"))
