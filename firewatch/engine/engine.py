"""The engine: observations, commands and time in, effects out.

It joins rules and alarms and owns nothing else: no clock, no task, no file. The app's one task calls it; live,
replay, `firewatch test` and recovery are this same code, and the same inputs with the same `now`s give the same
effects. What it promises:

* Before anything else a call settles what is due up to its `now`, in the order of the deadlines and with transition
  times equal to them. So it makes no difference whether `advance` was called in between, or late.
* After a call with `now`, `next_wake()` is later than `now`.
* `now` never goes backwards inside: an earlier one is taken as the latest.
* Effects come in the order annunciate, command, record: telling people waits for nothing. What calls for them comes
  before what is only shown in an incident that calls already (`alarms.incident`).
* A rule that fails at run time is taken out of service for that subject, told by a trouble alarm of its own, and
  disturbs no other; its standing alarm becomes unknown and stays.
* An alarm that is shelved, suppressed by design or out of service is listed and recorded like any other, and told of as
  soon as nothing hides it, if it still stands. Actuators are asked all the same while it is shelved or suppressed; out
  of service nothing new is asked of them, and what was begun before ends with its phase.
* Of several rules that want something of one actuator the most urgent is heeded; it is let go when the last one ends
  (`firewatch.engine.linkage`).
* The alarms of a shadow rule are recorded and counted like any other; nobody is told of them and nothing is done.
* A change of the rules, by `reload` or while firewatch was down, leaves what is judged as before exactly where it was.
"""

from __future__ import annotations

import copy
import heapq
from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Any

import msgspec
from msgspec.structs import replace

from firewatch.alarms.incident import GAP, Incident, Incidents
from firewatch.alarms.lifecycle import (
    CONFIRMED_WITHIN,
    Closed,
    ConditionSeen,
    Due,
    Eased,
    Event,
    Onset,
    Policy,
    Regraded,
    StandingAlarm,
    Suppression,
    TakenOut,
    is_taken_out_by,
    next_due,
    realarm_due,
    step,
)
from firewatch.alarms.transitions import TRANSITIONS, Move
from firewatch.engine.actuation import command_of
from firewatch.engine.engagement import Engagement, begin, command_id
from firewatch.engine.explanation import Explanation, UnknownSubjectError, explained_decision, explained_steps
from firewatch.engine.failure import PREFIX, RuleFailure, trouble_kept, trouble_of
from firewatch.engine.linkage import Claim, Linkage, Urgency, claims_of
from firewatch.engine.reload import Tally
from firewatch.engine.snapshot import (
    FORMAT_VERSION,
    ClosedAlarm,
    HeldBack,
    InstanceRecord,
    Judged,
    OverAlarm,
    RestoreReport,
    Snapshot,
    decode,
    encode,
)
from firewatch.engine.suppression import Suppressions
from firewatch.errors import FirewatchError, RefusedCommandError
from firewatch.model.alarm import Alarm, AlarmClock, AlarmState, AlarmTransition, ConditionState, TransitionReason
from firewatch.model.command import (
    Acknowledge,
    AcknowledgeIncident,
    Actuate,
    ActuatorCommand,
    Confirm,
    OperatorCommand,
    OutOfService,
    ReturnSubjectToService,
    ReturnToService,
)
from firewatch.model.effect import Annunciate, Effect, RecordTransition, SendCommand
from firewatch.model.observation import Observation
from firewatch.model.reload import ReloadReport
from firewatch.model.site import Inventory
from firewatch.model.text import LocalText
from firewatch.rules.compile import RuleInstance, Target, compile_rules
from firewatch.rules.evaluator import Change, Evidence, Phase
from firewatch.rules.index import index_by_signal
from firewatch.rules.spec import RuleSpec, TextSpec
from firewatch.rules.text import render

_BEGINNING = datetime.min.replace(tzinfo=UTC)
_ORDER: dict[type, int] = {Annunciate: 0, SendCommand: 2, RecordTransition: 3}
_HEAP_SLACK = 64
GONE_LIMIT = 10_000
"""Of how many removed instances it is remembered how their last alarms were numbered, should they come back."""
OVER_LIMIT = 1_000
"""How many alarms that are over, and may still be confirmed, are remembered at the most."""


class NoProgressError(FirewatchError):
    """An evaluator wants to be woken again at once; that would never end."""


class _Running:
    """An instance with what changes: its state, its alarm, its commands and its timer."""

    __slots__ = (
        "carried",
        "closed",
        "engagement",
        "evaluator",
        "evaluator_wake",
        "in_service",
        "instance",
        "keeps_time",
        "observe",
        "policy",
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
        self.evaluator_wake = instance.evaluator.next_wake
        self.keeps_time = instance.evaluator.keeps_time
        rule = instance.rule
        self.policy = Policy(rule.latched, rule.shelved_at_most, None if instance.is_shadow else rule.realarm_after)
        self.state: Any = instance.evaluator.initial()
        self.scheduled: datetime | None = None
        self.standing: StandingAlarm | None = None
        self.closed: tuple[ClosedAlarm, ...] = ()
        self.engagement: Engagement | None = None
        self.carried = False
        self.in_service = True

    @property
    def name(self) -> Judged:
        """The rule and the subject it is judged for."""
        return Judged(self.instance.rule.id, self.instance.subject)

    @property
    def may_act(self) -> bool:
        """Whether it may begin to ask actuators for something."""
        is_out = self.standing is not None and self.standing.alarm.out_of_service is not None
        return not self.instance.is_shadow and not is_out

    def next_wake(self) -> datetime | None:
        """When time alone may change something about it."""
        dues = [
            self.evaluator_wake(self.state) if self.keeps_time and self.in_service else None,
            self.next_repetition(),
            next_due(self.standing, self.policy) if self.standing is not None else None,
        ]
        return min((due for due in dues if due is not None), default=None)

    @property
    def is_latched(self) -> bool:
        """Whether only a reset ends its alarm, and what was asked because of it."""
        return self.standing is not None and Move.RESET in TRANSITIONS[self.standing.alarm.state]

    def claims(self) -> list[Claim]:
        """What it wants of actuators, and how urgently."""
        if self.engagement is None or not self.engagement.wish:
            return []
        alarm = self.standing.alarm if self.standing is not None else None
        return claims_of(self.name, self.engagement, Urgency.of(self.engagement, alarm, self.instance.rule))

    def next_repetition(self) -> datetime | None:
        """When actuators are asked again; None if they are not."""
        engagement = self.engagement
        return engagement.next_repetition(self.instance.targets[engagement.phase]) if engagement is not None else None


class Prepared:
    """Rules compiled and indexed for an inventory, for one engine to take over, once. Made by `prepare`."""

    __slots__ = ("interested", "kinds", "named", "running", "suppressions")

    def __init__(self, instances: Iterable[RuleInstance], inventory: Inventory) -> None:
        self.running = [_Running(position, instance) for position, instance in enumerate(instances)]
        index = index_by_signal(one.evaluator.signals for one in self.running)
        self.interested = {
            signal: tuple(self.running[position] for position in positions) for signal, positions in index.items()
        }
        self.suppressions = Suppressions((one, one.instance) for one in self.running)
        self.named = {one.name: one for one in self.running}
        self.kinds = {
            f"{site.id}/{device.id}": inventory.kinds[device.kind]
            for site in inventory.sites
            for device in site.devices
            if device.kind in inventory.kinds
        }


def prepare(rules: Sequence[RuleSpec], inventory: Inventory) -> Prepared:
    """Make rules ready to be taken over. This is the long part of a reload, and touches no engine: any thread may do
    it while one goes on.
    """
    return Prepared(compile_rules(rules, inventory), inventory)


class Engine:
    """Judges a set of rules over an inventory. A fresh one is either `start`ed, or `restore`d, fed what followed
    the snapshot, and `resume`d.
    """

    def __init__(self, rules: Sequence[RuleSpec], inventory: Inventory) -> None:
        self._now = self._away_until = _BEGINNING
        self._heap: list[tuple[datetime, int]] = []
        self._standing: dict[str, _Running] = {}
        self._unjudged: dict[str, InstanceRecord] = {}
        self._gone: dict[Judged, tuple[ClosedAlarm, ...]] = {}
        self._over: dict[str, OverAlarm] = {}
        self._incidents = Incidents()
        self._held_back: list[Effect] = []
        self._failures: list[RuleFailure] = []
        self._troubles: dict[str, _Running] = {}
        self._shadow_counts: Counter[str] = Counter()
        self._linkage = Linkage()
        self._install(prepare(rules, inventory))

    def _install(self, prepared: Prepared) -> None:
        self._running = prepared.running
        self._interested = prepared.interested
        self._suppressions = prepared.suppressions
        self._named = prepared.named
        self._kinds = prepared.kinds

    def _append(self, running: _Running) -> None:
        """Take in what listens to no signal, be it new or from before a reload."""
        running.position = len(self._running)
        running.scheduled = None
        self._running.append(running)
        self._reschedule(running)

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
                        due = running.evaluator_wake(state)
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
            self._carry_out(command, effects)
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
        deaf, the device was not silent. What began meanwhile is told and asked for now, so that telling and asking
        again count from `now`, too. Take a snapshot right after this; inputs replayed across it would not know of it.
        """
        now = self._away_until = max(now, self._now)
        self._put_off_realarms(now)
        self._arm(now)
        missed = self._put_off_repetitions(now)
        effects = self._begin(now)
        for running, engagement in missed:
            if running.engagement == replace(engagement, repeated_time=now):
                running.engagement = engagement
                self._repeat(running, effects)
        for record in self._unjudged.values():
            self._withdraw(record, effects)
        self._unjudged = {}
        self._reconcile(effects, Tally())
        return self._settled(effects)

    def _put_off_repetitions(self, now: datetime) -> list[tuple[_Running, Engagement]]:
        """What was to be asked for again while firewatch was down is asked for once, if it is still needed then."""
        missed: list[tuple[_Running, Engagement]] = []
        for running in self._running:
            engagement = running.engagement
            if engagement is not None and engagement.next_repetition(running.instance.targets[engagement.phase]):
                missed.append((running, engagement))
                running.engagement = replace(engagement, repeated_time=now)
        return missed

    # -- change of rules -------------------------------------------------------------------------------------------

    def reload(
        self, rules: Sequence[RuleSpec], inventory: Inventory, now: datetime
    ) -> tuple[list[Effect], ReloadReport]:
        """Go on with other rules, or another inventory: `prepare` and `take_over` in one."""
        return self.take_over(prepare(rules, inventory), now)

    def take_over(self, prepared: Prepared, now: datetime) -> tuple[list[Effect], ReloadReport]:
        """Go on with rules that were made ready for it.

        What is judged as before keeps its timers, alarms and commands. What is judged differently judges its standing
        alarm anew; the alarms of what is gone are closed and what it had begun is undone. All that failed is in
        service again. Take a snapshot soon after this; inputs replayed across it need the rules before.

        Whatever it raises, the rules before go on as if nobody had asked. What fell due by `now` is settled
        nevertheless, and its effects are returned by the next call.
        """
        due = self._begin(now)
        before = _Before(self, prepared)
        try:
            return self._go_over_to(prepared, due.copy())
        except Exception:
            before.put_back(self)
            self._held_back = due
            raise

    def _go_over_to(self, prepared: Prepared, effects: list[Effect]) -> tuple[list[Effect], ReloadReport]:
        tally = Tally()
        before = {running.name: running for running in self._running if running.instance.rule.id not in self._troubles}
        self._install(prepared)
        self._heap.clear()
        for running in prepared.running:
            self._succeed(running, before.pop(running.name, None), tally)
            self._reschedule(running)
        for trouble in self._troubles.values():
            self._append(trouble)
        self._note_suppressors()
        self._note_claims(before.values())
        for gone in before.values():
            self._remove(gone, tally, effects)
        self._failures.clear()
        self._reconcile(effects, tally)
        return self._settled(effects), tally.report(self._now)

    def _succeed(self, running: _Running, before: _Running | None, tally: Tally) -> None:
        """Let the instance go on where its predecessor was, or begin."""
        rule = running.instance.rule.id
        if before is None:
            tally.count(rule, "added")
            running.closed = self._gone.pop(running.name, ())
            running.state = running.evaluator.arm(running.state, self._now)
            return
        self._inherit(running, before.standing, before.closed, before.engagement, carried=before.carried)
        is_same = running.instance.fingerprint == before.instance.fingerprint
        tally.count(rule, "unchanged" if is_same else "changed")
        if is_same and before.in_service:
            if tally.differ(before.instance.rule, running.instance.rule):
                tally.count(rule, "adjusted")
            running.state = before.state
            return
        if not before.in_service:
            tally.count(rule, "returned")
        if before.scheduled is not None:
            tally.count(rule, "dropped_timers")
        running.carried = True
        running.state = running.evaluator.arm(running.state, self._now)

    def _inherit(
        self,
        running: _Running,
        standing: StandingAlarm | None,
        closed: tuple[ClosedAlarm, ...],
        engagement: Engagement | None,
        *,
        carried: bool,
    ) -> None:
        running.standing = standing
        running.closed = closed
        running.engagement = engagement.under(running.instance.targets) if engagement is not None else None
        running.carried = carried
        if standing is not None:
            self._standing[standing.alarm.alarm_id] = running

    def _remove(self, gone: _Running, tally: Tally, effects: list[Effect]) -> None:
        rule = gone.instance.rule.id
        tally.count(rule, "removed")
        if gone.scheduled is not None:
            tally.count(rule, "dropped_timers")
        if gone.standing is not None:
            tally.alarm(rule, "closed", gone.standing.alarm.alarm_id)
        self._move(gone, Closed(Move.REMOVED), effects)
        self._disengage(gone, effects)
        self._remember(gone.name, gone.closed)

    def _remember(self, gone: Judged, closed: tuple[ClosedAlarm, ...]) -> None:
        """If it comes back and hears the same reading again, its alarm has the same id, and goes on being numbered."""
        if closed:
            self._gone[gone] = closed
        if len(self._gone) > GONE_LIMIT:
            del self._gone[next(iter(self._gone))]

    def _withdraw(self, record: InstanceRecord, effects: list[Effect]) -> None:
        """Close what a removed rule left in a snapshot, and undo what it had begun."""
        _, told = step(record.standing, Closed(Move.REMOVED), self._now)
        effects.extend(told)
        closed = record.closed
        if record.standing is not None:
            identity = record.standing.alarm.alarm_id
            closed = (ClosedAlarm(identity, record.standing.number + len(told)), *closed)[:2]
            self._remember_over(told)
            self._incidents.note(_last(told).alarm, is_told=False)
        self._remember(Judged(record.rule, record.subject), closed)
        engagement = record.engagement
        if engagement is not None and engagement.is_open:
            over = replace(engagement, phase=engagement.over)
            undo = self._end_claims(Judged(record.rule, record.subject), engagement, effects)
            commands = (_command(record.rule, record.subject, over, target, self._now) for target in undo)
            effects += map(SendCommand, commands)

    def _reconcile(self, effects: list[Effect], tally: Tally) -> None:
        """Bring what stands into line with the rules that judge it now."""
        for trouble in self._troubles.values():
            self._move(trouble, ConditionSeen(ConditionState.INACTIVE), effects)
        for running in self._running:
            if running.carried:
                self._carry(running, effects, tally)
            if running.standing is not None and running.standing.alarm.shadow is not running.instance.is_shadow:
                self._change_mode(running, effects, tally)
            if running.instance.is_shadow:
                self._disengage(running, effects)
            if running.standing is not None and not running.carried:
                self._regrade(running, running.standing.alarm, effects, tally)
        for running in self._running:
            self._suppress(running, effects)

    def _carry(self, running: _Running, effects: list[Effect], tally: Tally) -> None:
        """Nobody can tell how it stands with what was begun before the rule was changed."""
        if running.engagement is not None and running.engagement.phase is Phase.SUSPECTED:
            self._disengage(running, effects)
        running.carried = running.standing is not None
        if running.standing is not None:
            tally.alarm(running.instance.rule.id, "judged_anew", running.standing.alarm.alarm_id)
            self._move(running, ConditionSeen(ConditionState.UNKNOWN), effects)

    def _change_mode(self, running: _Running, effects: list[Effect], tally: Tally) -> None:
        """Close the alarm and, if its condition stands, begin the other mode's in its place."""
        assert running.standing is not None
        alarm, instance = running.standing.alarm, running.instance
        stands = not running.carried and Move.EASED in TRANSITIONS[alarm.state]
        tally.alarm(instance.rule.id, "closed", alarm.alarm_id)
        self._move(running, Closed(Move.DEMOTED if instance.is_shadow else Move.PROMOTED), effects)
        running.carried = False
        if not stands:
            return
        draft = replace(
            alarm,
            alarm_id=instance.alarm_id(alarm.onset_time),
            shadow=instance.is_shadow,
            clock=replace(alarm.clock, decided_time=self._now, annunciated_time=None),
            activations=1,
            acknowledged_time=None,
            acknowledged_by=None,
            acknowledge_comment="",
            confirmation=None,
            hidden=False,
            shelf=None,
            suppressed_by=None,
            out_of_service=None,
        )
        self._begin_alarm(running, draft, effects)
        if not instance.is_shadow:
            tally.alarm(instance.rule.id, "annunciated", draft.alarm_id)
        if alarm.condition is ConditionState.UNKNOWN:
            self._move(running, ConditionSeen(ConditionState.UNKNOWN), effects)
        self._catch_up(running, effects)

    def _regrade(self, running: _Running, alarm: Alarm, effects: list[Effect], tally: Tally) -> None:
        rule, steps = running.instance.rule, running.instance.steps
        # What is over by now may have begun at a step that the rule does not have any more.
        priority = steps[min(alarm.step, len(steps) - 1)].priority
        if (priority, rule.alarm_class) != (alarm.priority, alarm.alarm_class):
            tally.alarm(rule.id, "regraded", alarm.alarm_id)
            self._move(running, Regraded(priority, rule.alarm_class), effects)
            self._reweigh(running, effects)

    # -- what it knows ---------------------------------------------------------------------------------------------

    def next_wake(self) -> datetime | None:
        """When to call `advance`; sooner than needed now and then, never later. None: nothing is pending."""
        if self._held_back:
            return self._now
        return self._heap[0][0] if self._heap else None

    def alarms(self) -> list[Alarm]:
        """Every alarm that is not back to normal, and every one shelved or out of service, oldest onset first; none of
        shadow rules.
        """
        return [alarm for alarm in self._all_alarms() if not alarm.shadow]

    def incidents(self) -> list[Incident]:
        """Every incident of which an alarm stands, the one with the newest onset last."""
        return list(self._incidents.records())

    def shadow_alarms(self) -> list[Alarm]:
        """What would stand if the shadow rules were live, oldest onset first."""
        return [alarm for alarm in self._all_alarms() if alarm.shadow]

    def shadow_counts(self) -> dict[str, int]:
        """How often each shadow rule would have told people, since this engine began."""
        return {
            rule: self._shadow_counts[rule]
            for rule in dict.fromkeys(one.instance.rule.id for one in self._running if one.instance.is_shadow)
        }

    def is_claimed(self, device: str) -> bool:
        """Whether a rule wants something of an actuator (`site/device`) at present."""
        return self._linkage.heeded(device) is not None

    def failures(self) -> list[RuleFailure]:
        """The rules out of service, in the order they failed."""
        return list(self._failures)

    def instance(self, alarm: Alarm) -> RuleInstance | None:
        """The rule that an alarm is of, for its subject; None where it does not run any more."""
        running = self._named.get(Judged(alarm.rule, alarm.subject))
        return running.instance if running is not None else None

    def explain(self, rule: str, subject: str) -> Explanation:
        """Why a rule alarms for a subject (`site/asset` or `site/device`), or why it does not.

        Raises:
            UnknownSubjectError: there is no such rule, or it does not speak about that subject.
        """
        for running in self._running:
            if running.instance.subject == subject and running.instance.rule.id == rule:
                return self._explained(running)
        subjects = [running.instance.subject for running in self._running if running.instance.rule.id == rule]
        if subjects:
            raise UnknownSubjectError.of_subject(rule, subject, subjects)
        raise UnknownSubjectError.of_rule(rule, {running.instance.rule.id for running in self._running})

    def explanations_for(self, device: str) -> list[Explanation]:
        """Why or why not, for every rule that listens to the device or speaks about it (`site/device`)."""
        return [
            self._explained(running)
            for running in self._running
            if running.instance.subject == device
            or any(signal.startswith(f"{device}/") for signal in running.evaluator.signals)
        ]

    def _explained(self, running: _Running) -> Explanation:
        instance, engagement = running.instance, running.engagement
        engaged = engagement if engagement is not None and engagement.is_open else None
        finding = running.evaluator.explain(running.state)
        failures = (one for one in self._failures if (one.rule, one.subject) == running.name)
        return Explanation(
            now=self._now,
            rule=instance.rule.id,
            subject=instance.subject,
            place=instance.place,
            text=LocalText(zh=instance.rule.text.zh, en=instance.rule.text.en),
            alarm_class=instance.rule.alarm_class,
            mode=instance.rule.mode,
            steps=explained_steps(instance.rule, running.evaluator, finding),
            decides=explained_decision(instance.rule, finding),
            signals={signal: instance.label(signal) for signal in running.evaluator.signals},
            alarm=running.standing.alarm if running.standing is not None else None,
            failure=next(failures, None),
            is_carried=running.carried,
            engaged=engaged.phase if engaged is not None else None,
            next_repetition=running.next_repetition(),
            next_wake=running.next_wake(),
        )

    def _all_alarms(self) -> list[Alarm]:
        standing = [running.standing.alarm for running in self._standing.values() if running.standing is not None]
        standing += [record.standing.alarm for record in self._unjudged.values() if record.standing is not None]
        return sorted(standing, key=lambda alarm: (alarm.onset_time, alarm.alarm_id))

    # -- snapshot --------------------------------------------------------------------------------------------------

    def snapshot(self) -> bytes:
        """Everything needed to go on from here."""
        return encode(
            Snapshot(
                version=FORMAT_VERSION,
                now=self._now,
                instances=(
                    *map(_record_of, self._running),
                    *self._unjudged.values(),
                    *(InstanceRecord(*name, closed=closed) for name, closed in self._gone.items()),
                ),
                over=tuple(self._over.values()),
                incidents=self._incidents.records(),
                held_back=HeldBack(
                    annunciate=tuple(e.alarm for e in self._held_back if isinstance(e, Annunciate) and not e.grouped),
                    grouped=tuple(e.alarm for e in self._held_back if isinstance(e, Annunciate) and e.grouped),
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
            record = records.pop(running.name, None)
            if record is None:
                added.append(running.name)
            else:
                self._inherit(running, record.standing, record.closed, record.engagement, carried=record.carried)
                if not _take_state(running, record, kept.now):
                    running.carried = True
                    changed.append(running.name)
        for name in [name for name in records if name.rule.startswith(PREFIX)]:
            self._take_trouble(records.pop(name))
        fresh = {*added, *changed}
        for running in self._running:
            if running.name in fresh:
                running.state = running.evaluator.arm(running.state, kept.now)
            self._reschedule(running)
        self._note_suppressors()
        self._unjudged = {
            f"{record.rule} {record.subject}": _without_state(record)
            for record in records.values()
            if record.standing is not None or record.engagement is not None
        }
        self._note_claims()
        self._gone = {name: record.closed for name, record in records.items() if _is_gone(record)}
        self._over = {one.alarm.alarm_id: one for one in kept.over}
        standing = [record.standing for record in kept.instances if record.standing is not None]
        self._incidents = Incidents(kept.incidents, standing)
        held = kept.held_back
        self._held_back = [
            *map(Annunciate, held.annunciate),
            *(Annunciate(alarm, grouped=True) for alarm in held.grouped),
            *map(SendCommand, held.send),
            *map(RecordTransition, held.record),
        ]
        return RestoreReport(
            now=kept.now,
            restored=len(self._running) - len(fresh),
            added=tuple(added),
            changed=tuple(changed),
            removed=tuple(name for name in records if name not in self._gone),
            closing_alarms=tuple(
                record.standing.alarm.alarm_id for record in self._unjudged.values() if record.standing is not None
            ),
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
            self._now = max(self._now, due)
            try:
                if running.in_service:
                    self._wake(running, effects)
            except Exception as error:  # whatever it is, it must not block another rule
                self._take_out_of_service(running, error, effects)
            self._repeat(running, effects)
            was_held_off = not running.may_act
            self._move(running, Due(), effects)
            if was_held_off:
                self._catch_up(running, effects)
            self._reschedule(running)

    def _wake(self, running: _Running, effects: list[Effect]) -> None:
        due = running.evaluator_wake(running.state)
        if due is None or due > self._now:
            return
        running.state, changes = running.evaluator.wake(running.state, self._now)
        following = running.evaluator_wake(running.state)
        if changes:
            self._apply(running, changes, effects)
        if following is not None and following <= self._now:
            raise NoProgressError

    def _reschedule(self, running: _Running) -> None:
        due = running.next_wake()
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
                running.carried = running.carried and running.standing is not None
                self._engage(running, change.onset_time or change.event_time, Phase.SUSPECTED, effects)
            elif change.phase is Phase.REJECTED:
                engagement = running.engagement
                if engagement and engagement.phase is Phase.SUSPECTED and engagement.onset_time == change.onset_time:
                    self._disengage(running, effects)
            elif change.condition is ConditionState.ACTIVE:
                self._became_active(running, change, effects)
            else:
                running.carried = running.carried and change.condition is ConditionState.UNKNOWN
                self._move(running, ConditionSeen(change.condition), effects)
                if change.condition is ConditionState.INACTIVE and not running.is_latched:
                    self._disengage(running, effects)
                elif change.onset_time is not None:
                    self._ease(running, change, effects)

    def _became_active(self, running: _Running, change: Change, effects: list[Effect]) -> None:
        alarm = running.standing.alarm if running.standing is not None else None
        stands = alarm is not None and Move.EASED in TRANSITIONS[alarm.state]
        draft = _draft(running.instance, change, self._now)
        if stands and alarm is not None and not draft.priority.is_more_urgent_than(alarm.priority):
            was_lost = alarm.condition is ConditionState.UNKNOWN
            if change.phase is None or (running.carried and was_lost):
                running.carried = False
                self._move(running, ConditionSeen(ConditionState.ACTIVE), effects)
                self._ease(running, change, effects)
                self._catch_up(running, effects)
                return
        running.carried = False
        self._begin_alarm(running, draft, effects)
        self._engage(running, draft.onset_time, Phase.ACTIVE, effects)

    def _ease(self, running: _Running, change: Change, effects: list[Effect]) -> None:
        """Follow the ladder down."""
        if running.standing is None or running.standing.alarm.step == change.step:
            return
        self._move(running, Eased(_draft(running.instance, change, self._now)), effects)
        self._reweigh(running, effects)

    def _begin_alarm(self, running: _Running, draft: Alarm, effects: list[Effect]) -> None:
        number = self._number_of(running, draft.alarm_id)
        draft = replace(draft, suppressed_by=self._suppressions.suppressor(running))
        present = running.standing.alarm if running.standing is not None else None
        self._move(running, Onset(self._incidents.join(draft, present, self._now), number), effects)

    def _number_of(self, running: _Running, alarm_id: str) -> int:
        """The last transition recorded under the id, should the very same alarm have been there before."""
        over = self._over.get(alarm_id)
        if over is not None:
            return over.number
        return next((closed.number for closed in running.closed if closed.alarm_id == alarm_id), 0)

    def _move(self, running: _Running, event: Event, effects: list[Effect]) -> None:
        for other in self._step(running, event, effects):
            self._suppress(other, effects)

    def _step(self, running: _Running, event: Event, effects: list[Effect]) -> list[_Running]:
        """Move its alarm; returns those of which another alarm may be the suppressor since."""
        before = running.standing
        after, told = step(before, event, self._now, running.policy)
        if after is before:
            return []
        if after is not None and after.told_time == self._now < self._away_until:
            after = replace(after, told_time=self._away_until)
        running.standing = after
        one = after or before
        if one is None:
            return []
        identity = one.alarm.alarm_id
        if after is not None:
            self._standing[identity] = running
        elif before is not None:
            del self._standing[identity]
            others = (closed for closed in running.closed if closed.alarm_id != identity)
            running.closed = (ClosedAlarm(identity, before.number + len(told)), *others)[:2]
            self._remember_over(told)
        if one.alarm.shadow:
            recorded = tuple(effect for effect in told if not isinstance(effect, Annunciate))
            self._shadow_counts[one.alarm.rule] += len(told) - len(recorded)
            effects.extend(recorded)
        else:
            self._tell(told, running.policy, effects)
            self._incidents.note(_last(told).alarm, is_told=after is not None and after.told_time is not None)
        if after is not None and next_due(after, running.policy) is not None:
            self._reschedule(running)
        return self._suppressions.note(running, after.alarm if after is not None else None)

    def _tell(self, told: Sequence[Effect], policy: Policy, effects: list[Effect]) -> None:
        """Let the alarm call for people, unless its incident does so already."""
        for effect in told:
            if isinstance(effect, Annunciate):
                is_realarm = _last(told).reason is TransitionReason.REALARMED
                within = policy.realarm_after if is_realarm and policy.realarm_after is not None else GAP
                effect = Annunciate(effect.alarm, grouped=self._incidents.annunciate(effect.alarm, self._now, within))
            effects.append(effect)

    def _remember_over(self, told: Sequence[Effect]) -> None:
        """Keep an acknowledged alarm that is over for as long as it may be confirmed."""
        last, over = _last(told), self._over
        alarm = last.alarm
        over.pop(alarm.alarm_id, None)
        if alarm.acknowledged_time is None or alarm.shadow:
            return
        over[alarm.alarm_id] = OverAlarm(alarm, last.number, self._now)
        while len(over) > OVER_LIMIT or self._now - next(iter(over.values())).over_time > CONFIRMED_WITHIN:
            del over[next(iter(over))]

    # -- suppression by design -------------------------------------------------------------------------------------

    def _suppress(self, running: _Running, effects: list[Effect]) -> None:
        """Hide its alarm while another explains it, and show it as soon as none does."""
        if running.standing is not None:
            by = self._suppressions.suppressor(running, running.standing.alarm.suppressed_by)
            self._move(running, Suppression(by), effects)

    def _note_suppressors(self) -> None:
        """Learn what suppresses from the alarms that stand."""
        for running in self._running:
            self._suppressions.note(running, running.standing.alarm if running.standing is not None else None)

    # -- commands to actuators -------------------------------------------------------------------------------------

    def _engage(self, running: _Running, onset: datetime, phase: Phase, effects: list[Effect]) -> None:
        if not running.may_act:
            return
        instance = running.instance
        cause = running.standing.alarm.alarm_id if running.standing is not None else instance.alarm_id(onset)
        before = running.engagement
        begun = begin(before, onset, cause, phase, self._now, instance.targets)
        if begun.repeated_time < self._away_until:
            begun = replace(begun, repeated_time=self._away_until)
        running.engagement = begun
        if not running.engagement.wish:
            return
        risen = self._claim(running)
        heeded = [target for target in instance.targets[phase] if self._is_heeded(running, target)]
        self._ask(running, heeded, effects, again=before is None or not before.is_open)
        asked = {target.device for target in heeded}
        for claim in risen:
            if claim.device not in asked:
                self._ask_again(claim, effects)
        self._reschedule(running)

    def _catch_up(self, running: _Running, effects: list[Effect]) -> None:
        """Ask now for what could not be asked for when its condition began, if that stands."""
        engagement, alarm = running.engagement, running.standing.alarm if running.standing is not None else None
        is_engaged = engagement is not None and engagement.phase is Phase.ACTIVE
        if alarm is not None and alarm.condition is ConditionState.ACTIVE and not is_engaged:
            self._engage(running, self._now, Phase.ACTIVE, effects)

    def _disengage(self, running: _Running, effects: list[Effect]) -> None:
        engagement = running.engagement
        if engagement is not None and engagement.is_open:
            running.engagement = replace(engagement, phase=engagement.over)
            if engagement.wish or engagement.undo:
                self._ask(running, self._end_claims(running.name, engagement, effects), effects, again=True)

    def _ask(self, running: _Running, targets: Iterable[Target], effects: list[Effect], *, again: bool) -> None:
        """Ask actuators for something; what they were asked before only if it is asked `again`, by another id."""
        engagement = running.engagement
        assert engagement is not None
        sent, turns = dict.fromkeys(engagement.sent), engagement.turns
        asked: set[str] = set()
        for target in targets:
            command = self._command_of(running, target)
            identity = command.command_id
            if identity in asked or (identity in sent and not again):
                continue
            if identity in sent:
                turns += 1
                command = self._command_of(running, target, f"*{turns}")
            asked.add(identity)
            sent[identity] = None
            effects.append(SendCommand(command))
        running.engagement = replace(engagement, sent=tuple(sent), turns=turns)

    def _command_of(self, running: _Running, target: Target, turn: str = "") -> ActuatorCommand:
        assert running.engagement is not None
        return _command(*running.name, running.engagement, target, self._now, turn)

    # -- several that want something of one actuator ---------------------------------------------------------------

    def _claim(self, running: _Running) -> list[Claim]:
        """Say what it wants of actuators and how urgently. Returns the claims that are heeded by that."""
        return [risen for claim in running.claims() if (risen := self._linkage.claim(claim)) is not None]

    def _reweigh(self, running: _Running, effects: list[Effect]) -> None:
        """Its alarm became more urgent, or less."""
        for claim in self._claim(running):
            self._ask_again(claim, effects)

    def _end_claims(self, judged: Judged, engagement: Engagement, effects: list[Effect]) -> list[Target]:
        """Let others have what it held. Returns how to let go of what nobody else wants."""
        devices = engagement.devices
        untouched = (target for target in engagement.undo if target.device not in devices)
        undo = [target for target in untouched if self._linkage.heeded(target.device) is None]
        for device in devices:
            ending = self._linkage.end(device, judged)
            undo += ending.release
            if ending.heir is not None:
                self._bequeath(ending.heir)
            if ending.next is not None:
                self._ask_again(ending.next, effects)
        return undo

    def _bequeath(self, heir: Claim) -> None:
        running = self._named.get(heir.claimant)
        if running is not None and running.engagement is not None:
            undo = (*running.engagement.undo, *heir.release)
            running.engagement = replace(running.engagement, undo=undo)

    def _ask_again(self, claim: Claim, effects: list[Effect]) -> None:
        """Ask for what waited, or was asked before something more urgent; not for a rule that is gone."""
        running = self._named.get(claim.claimant)
        if running is not None and running.engagement is not None:
            self._ask(running, claim.wish, effects, again=True)

    def _is_heeded(self, running: _Running, target: Target) -> bool:
        claim = self._linkage.heeded(target.device)
        return claim is not None and claim.claimant == running.name

    def _note_claims(self, gone: Iterable[_Running] = ()) -> None:
        """Learn who wants what of actuators from what was begun."""
        claims = [claim for running in (*self._running, *gone) for claim in running.claims()]
        for record in self._unjudged.values():
            claims += _claims_of_gone(record)
        self._linkage = Linkage(claims)

    # -- again and again -------------------------------------------------------------------------------------------

    def _repeat(self, running: _Running, effects: list[Effect]) -> None:
        """Ask again for what is to be asked for again and again.

        Not while nobody can tell whether the condition still holds: the actuator's own limit then ends it.
        """
        engagement, instance = running.engagement, running.instance
        if engagement is None or not engagement.is_open:
            return
        again = engagement.repetitions(instance.targets[engagement.phase], self._now)
        if not again:
            return
        running.engagement = replace(engagement, repeated_time=self._now)
        alarm = running.standing.alarm if running.standing is not None else None
        is_seen = not running.carried and (alarm is None or alarm.condition is ConditionState.ACTIVE)
        if is_seen and running.in_service and not instance.is_shadow:
            for target, turn in again:
                if self._is_heeded(running, target):
                    effects.append(SendCommand(self._command_of(running, target, f"+{turn}")))

    # -- commands of operators -------------------------------------------------------------------------------------

    def _carry_out(self, command: OperatorCommand, effects: list[Effect]) -> None:
        if isinstance(command, OutOfService):
            self._take_out(command, effects)
            return
        if isinstance(command, ReturnSubjectToService):
            self._return_subject(command, effects)
            return
        if isinstance(command, AcknowledgeIncident):
            self._acknowledge_incident(command, effects)
            return
        if isinstance(command, Actuate):
            effects.append(SendCommand(command_of(command, self._kinds, self._now)))
            return
        running = self._standing.get(command.alarm_id)
        if running is not None and running.standing is not None and not running.standing.alarm.shadow:
            was_latched = running.is_latched
            self._move(running, command, effects)
            if isinstance(command, ReturnToService):
                self._catch_up(running, effects)
            elif was_latched and not running.is_latched:
                self._disengage(running, effects)
            return
        for name, record in self._unjudged.items():  # a replayed word on an alarm whose rule is gone since
            if record.standing is not None and record.standing.alarm.alarm_id == command.alarm_id:
                standing, told = step(record.standing, command, self._now)
                self._unjudged[name] = replace(record, standing=standing)
                self._tell(told, Policy(), effects)
                is_told = standing is not None and standing.told_time is not None
                self._incidents.note(_last(told).alarm, is_told=is_told)
                return
        over = self._over.get(command.alarm_id)
        if over is not None and isinstance(command, Confirm) and self._now - over.over_time <= CONFIRMED_WITHIN:
            _, told = step(StandingAlarm(over.alarm, over.number), command, self._now)
            effects.extend(told)
            last = _last(told)
            self._over[command.alarm_id] = replace(over, alarm=last.alarm, number=last.number)
            return
        if over is not None and isinstance(command, Acknowledge):
            raise RefusedCommandError(
                f"Alarm {command.alarm_id} is over: {over.alarm.acknowledged_by} acknowledged it."
            )
        step(None, command, self._now)

    def _acknowledge_incident(self, command: AcknowledgeIncident, effects: list[Effect]) -> None:
        alarms = [alarm for alarm in self._all_alarms() if alarm.incident == command.incident]
        if not alarms:
            raise RefusedCommandError(
                f"No alarm of the incident {command.incident} stands; all may have returned to normal. "
                "Look at the alarm list."
            )
        waiting = [
            alarm
            for alarm in sorted(alarms, key=lambda alarm: alarm.incident_number)
            if alarm.incident_number <= command.seen and Move.ACKNOWLEDGE in TRANSITIONS[alarm.state]
        ]
        if not waiting:
            raise RefusedCommandError(
                f"Of the first {command.seen} alarms of the incident {command.incident} none waits to be acknowledged; "
                "somebody was faster, or only later ones wait."
            )
        for alarm in waiting:
            self._carry_out(Acknowledge(alarm.alarm_id, command.operator, command.comment), effects)

    def _take_out(self, command: OutOfService, effects: list[Effect]) -> None:
        """What a rule, or every rule, says of the subject. What is firewatch's own word about a rule that failed stays
        in service, unless it is named.
        """
        live = [running for running in self._running if not running.instance.is_shadow and _is_meant(command, running)]
        if command.rule is None:
            live = [running for running in live if running.instance.rule.id not in self._troubles]
        if not live:
            rule = "live rule" if command.rule is None else f"live rule {command.rule}"
            raise RefusedCommandError(f"No {rule} judges {command.subject}; there is nothing to take out.")
        touched: dict[_Running, None] = {}
        for running in [one for one in live if is_taken_out_by(one.standing, command)] or live[:1]:
            blank = replace(_blank(running, self._now), suppressed_by=self._suppressions.suppressor(running))
            taken_out = TakenOut(command, blank, self._number_of(running, blank.alarm_id))
            touched.update(dict.fromkeys(self._step(running, taken_out, effects)))
        for other in touched:  # not before all of them are out: nobody is told of one that is next
            self._suppress(other, effects)

    def _return_subject(self, command: ReturnSubjectToService, effects: list[Effect]) -> None:
        """What explains others goes first, so that these stay hidden."""
        out = [
            running.standing.alarm
            for running in sorted(self._running, key=lambda one: bool(one.instance.rule.suppressed_by))
            if running.standing is not None
        ]
        out += [record.standing.alarm for record in self._unjudged.values() if record.standing is not None]
        out = [alarm for alarm in out if alarm.subject == command.subject and alarm.out_of_service is not None]
        if not out:
            raise RefusedCommandError(f"Nothing about {command.subject} is out of service; somebody was faster.")
        for alarm in out:
            self._carry_out(ReturnToService(alarm.alarm_id, command.operator, command.reason), effects)

    def _put_off_realarms(self, now: datetime) -> None:
        """What people should have been told again while firewatch was down is due now, once."""
        for running in self._standing.values():
            standing, after = running.standing, running.policy.realarm_after
            due = realarm_due(standing, running.policy) if standing is not None else None
            if standing is not None and after is not None and due is not None and due < now:
                running.standing = replace(standing, told_time=now - after)

    # -- what cannot be judged -------------------------------------------------------------------------------------

    def _take_out_of_service(self, running: _Running, error: Exception, effects: list[Effect]) -> None:
        running.in_service = False
        instance = running.instance
        failure = RuleFailure(instance.rule.id, instance.subject, self._now, f"{type(error).__name__}: {error}")
        self._failures.append(failure)
        for signal in running.evaluator.signals:
            self._interested[signal] = tuple(other for other in self._interested[signal] if other is not running)
        self._move(running, ConditionSeen(ConditionState.UNKNOWN), effects)
        told_by = trouble_of(instance)
        trouble = self._troubles.get(told_by.rule.id)
        if trouble is None:
            trouble = self._troubles[told_by.rule.id] = _Running(0, told_by)
            self._append(trouble)
        elif trouble.instance.is_shadow is not told_by.is_shadow:
            self._move(trouble, Closed(Move.DEMOTED if told_by.is_shadow else Move.PROMOTED), effects)
        trouble.instance = told_by
        self._begin_alarm(trouble, _draft(told_by, failure.change(), self._now), effects)

    def _take_trouble(self, record: InstanceRecord) -> None:
        """A rule had failed; it is tried again."""
        if record.standing is not None:
            trouble = self._troubles[record.rule] = _Running(0, trouble_kept(record.standing.alarm))
            self._append(trouble)
            self._inherit(trouble, record.standing, record.closed, record.engagement, carried=False)


class _Before:
    """An engine as it is before it takes over other rules, with those of its instances that stay behind."""

    def __init__(self, engine: Engine, prepared: Prepared) -> None:
        self._fields = {name: copy.copy(value) for name, value in vars(engine).items()}
        successors = {running.name for running in prepared.running}
        self._without_successor = [
            (running, copy.copy(running)) for running in self._fields["_running"] if running.name not in successors
        ]

    def put_back(self, engine: Engine) -> None:
        """Make the engine what it was."""
        vars(engine).update(self._fields)
        for running, before in self._without_successor:
            for name in _Running.__slots__:
                setattr(running, name, getattr(before, name))


def _rank(effect: Effect) -> int:
    return 1 if isinstance(effect, Annunciate) and effect.grouped else _ORDER[type(effect)]


def _last(told: Sequence[Effect]) -> AlarmTransition:
    record = told[-1]
    assert isinstance(record, RecordTransition)
    return record.transition


def _is_meant(command: OutOfService, running: _Running) -> bool:
    instance = running.instance
    return instance.subject == command.subject and command.rule in (None, instance.rule.id)


def _draft(instance: RuleInstance, change: Change, now: datetime) -> Alarm:
    rule, evidence = instance.rule, change.evidence
    onset = change.onset_time or change.event_time
    judged = instance.steps[change.step]
    signal = evidence.signal or ""
    unit = instance.unit(signal) if evidence.value is not None else ""
    device = instance.label(signal)

    def written(text: TextSpec) -> LocalText:
        return render(text, value=evidence.value, unit=unit, place=instance.place, device=device)

    return Alarm(
        alarm_id=instance.alarm_id(onset),
        rule=rule.id,
        site=instance.site,
        subject=instance.subject,
        building=instance.building,
        system=instance.system,
        priority=judged.priority,
        alarm_class=rule.alarm_class,
        state=AlarmState.UNACKNOWLEDGED,
        condition=ConditionState.ACTIVE,
        text=written(judged.text or rule.text),
        advice=written(judged.advice or rule.advice),
        place=instance.place,
        onset_time=onset,
        clock=AlarmClock(source_time=evidence.source_time, receive_time=evidence.receive_time, decided_time=now),
        value=evidence.value,
        unit=unit,
        picture=evidence.picture,
        step=change.step,
        shadow=instance.is_shadow,
    )


def _blank(running: _Running, now: datetime) -> Alarm:
    """An alarm that has not begun."""
    condition: ConditionState = running.state.condition if running.in_service else ConditionState.UNKNOWN
    alarm = _draft(running.instance, Change(condition, now, now, Evidence(now, now)), now)
    return replace(alarm, state=AlarmState.NORMAL, condition=condition, activations=0)


def _command(
    rule: str, subject: str, engagement: Engagement, target: Target, now: datetime, turn: str = ""
) -> ActuatorCommand:
    return ActuatorCommand(
        command_id=command_id(rule, subject, engagement, target, turn),
        device=target.device,
        action=target.action,
        parameters=target.parameters,
        cause=engagement.cause,
        rule=rule,
        issued_time=now,
    )


def _record_of(running: _Running) -> InstanceRecord:
    return InstanceRecord(
        rule=running.instance.rule.id,
        subject=running.instance.subject,
        fingerprint=running.instance.fingerprint if running.in_service else "",
        state=msgspec.Raw(msgspec.json.encode(running.state)),
        standing=running.standing,
        closed=running.closed,
        engagement=running.engagement,
        carried=running.carried,
    )


def _take_state(running: _Running, record: InstanceRecord, now: datetime) -> bool:
    """Give the instance the state that was kept of it; False if it has to judge anew."""
    if record.fingerprint != running.instance.fingerprint:
        return False
    try:
        state = msgspec.json.decode(record.state, type=running.evaluator.state_type)
        running.evaluator_wake(running.evaluator.arm(state, now))
    except Exception:  # a state of another shape may raise anything
        return False
    running.state = state
    return True


def _claims_of_gone(record: InstanceRecord) -> list[Claim]:
    """What a rule that is gone still has of actuators, until it is withdrawn."""
    if record.engagement is None:
        return []
    alarm = record.standing.alarm if record.standing is not None else None
    urgency = Urgency.of(record.engagement, alarm, None)
    return claims_of(Judged(record.rule, record.subject), record.engagement, urgency)


def _is_gone(record: InstanceRecord) -> bool:
    """Whether nothing is left of it but how its last alarms were numbered."""
    return record.standing is None and record.engagement is None and bool(record.closed)


def _without_state(record: InstanceRecord) -> InstanceRecord:
    """What stays of a rule that is gone; should it come back, it judges the alarm anew."""
    return replace(record, fingerprint="", state=msgspec.Raw(b"null"))
