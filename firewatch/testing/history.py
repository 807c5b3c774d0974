"""The history in memory, for tests that are not about a database."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from datetime import datetime

from firewatch.alarms.deadline import Milestone, StageWay
from firewatch.model.alarm import Alarm, AlarmTransition, Stage, StageReached, TransitionReason
from firewatch.model.command import ActuatorAnswer, ActuatorCommand, AnswerState
from firewatch.model.control_room import Drill, DutyCheck, EntryKind, LogEntry
from firewatch.model.delivery import CALLS, Delivery, DeliveryState
from firewatch.model.reload import RulesReload
from firewatch.ports import (
    AlarmFilter,
    CommandRecord,
    EngineInput,
    Listening,
    Picture,
    Record,
    Rejection,
    StoredObservation,
)


class InMemoryHistory:
    """Implements `ports.History` and `ports.HistoryReader`.

    Records are safe as soon as they are written. With `hold` set they wait, as they would for a database that does
    not answer, until `release`: `on_safe` is called then, in order, and readers see them from then on.
    """

    def __init__(self) -> None:
        self.hold = False
        self.full = False
        self.rejections: list[Rejection] = []
        self.listening: list[Listening] = []
        self._reloads: list[RulesReload] = []
        self._waiting: list[tuple[tuple[Record, ...], Callable[[], None] | None]] = []
        self._inputs: dict[int, EngineInput] = {}
        self._transitions: dict[str, dict[int, AlarmTransition]] = {}
        self._commands: dict[str, ActuatorCommand] = {}
        self._answers: dict[str, ActuatorAnswer] = {}
        self._pictures: dict[str, Picture] = {}
        self._stages: dict[tuple[str, str, str], StageReached] = {}
        self._log: dict[str, LogEntry] = {}
        self._duty_checks: dict[str, DutyCheck] = {}
        self._deliveries: dict[str, Delivery] = {}
        self._drills: dict[str, Drill] = {}

    def write(self, records: Sequence[Record], on_safe: Callable[[], None] | None = None) -> None:
        """Keep records; writing one twice changes nothing."""
        self._waiting.append((tuple(records), on_safe))
        if not self.hold:
            self.release()

    def release(self) -> None:
        """Let everything that waits become safe."""
        while self._waiting:
            records, on_safe = self._waiting.pop(0)
            for record in records:
                self._keep(record)
            if on_safe is not None:
                on_safe()

    def forget(self) -> None:
        """What waits is lost, as it is by a kill -9 in the moment before it would have been safe."""
        self._waiting.clear()
        self.hold = False

    def outlive(self) -> None:
        """Nothing to wait for."""

    def room(self) -> bool:
        """False while the test has set `full`."""
        return not self.full

    async def flush(self) -> None:
        """Make everything safe."""
        self.release()

    async def alarms(self, wanted: AlarmFilter) -> list[Alarm]:
        """Alarms as they stand now, newest onset first."""
        newest = (changes[max(changes)].alarm for changes in self._transitions.values())
        found = [alarm for alarm in newest if _matches(alarm, wanted)]
        found.sort(key=lambda alarm: (alarm.onset_time, alarm.alarm_id), reverse=True)
        return found[: wanted.limit]

    async def transitions(self, alarm_id: str, *, newest: int | None = None) -> list[AlarmTransition]:
        """The changes of one alarm, all or the newest, first to last."""
        changes = self._transitions.get(alarm_id, {})
        return [changes[number] for number in sorted(changes)[-(newest or 0) :]]

    async def observations(self, signal: str, start: datetime, end: datetime, limit: int) -> list[StoredObservation]:
        """The newest `limit` observations with start <= source_time < end, oldest first."""
        found = sorted(
            (
                StoredObservation(each.signal, each.value, each.quality, each.source_time, each.receive_time)
                for ordinal in sorted(self._inputs)
                if (each := self._inputs[ordinal].observation) is not None
                and each.signal == signal
                and start <= each.source_time < end
            ),
            key=lambda observation: observation.source_time,
        )
        return found[-limit:] if limit else []

    async def commands(
        self, *, cause: str | None = None, drill: str | None = None, unanswered: bool = False, limit: int = 100
    ) -> list[CommandRecord]:
        """Commands, newest first."""
        records = map(self._command_record, self._commands.values())
        found = [
            record
            for record in records
            if cause in (None, record.command.cause)
            and drill in (None, record.command.drill)
            and not (unanswered and _is_final(record.answer))
        ]
        found.sort(key=_age, reverse=True)
        return found[:limit]

    async def newest_commands(self) -> list[CommandRecord]:
        """The newest command of every device but those of drills, with the last answer to it, by device."""
        records = (self._command_record(command) for command in self._commands.values() if command.drill is None)
        newest = {record.command.device: record for record in sorted(records, key=_age)}
        return [newest[device] for device in sorted(newest)]

    async def picture(self, picture_id: str) -> Picture | None:
        """A kept picture."""
        return self._pictures.get(picture_id)

    async def reloads(self, *, before: datetime | None = None, limit: int = 100) -> list[RulesReload]:
        """Attempts to go on with other rules, newest first."""
        found = [record for record in self._reloads if before is None or record.time < before]
        return sorted(found, key=lambda record: record.time, reverse=True)[:limit]

    async def stages(self, alarm_ids: Sequence[str]) -> list[StageReached]:
        """The later stages that some alarms reached, first to last."""
        found = (each for each in self._stages.values() if each.alarm_id in alarm_ids)
        return sorted(found, key=lambda each: each.stage_time)

    async def transitions_between(self, start: datetime, end: datetime) -> AsyncIterator[AlarmTransition]:
        """What happened to alarms in start <= time < end, in the order of time; of shadow rules too."""
        found = (each for changes in self._transitions.values() for each in changes.values())
        within = (each for each in found if start <= each.transition_time < end)
        for each in sorted(within, key=_order):
            yield each

    async def condition_changes(self, alarm_ids: Sequence[str], limit: int) -> list[AlarmTransition]:
        """The newest changes by which the conditions of some alarms became active or inactive, in the order of time."""
        reasons = (TransitionReason.CONDITION_ACTIVE, TransitionReason.CONDITION_INACTIVE)
        found: list[AlarmTransition] = []
        for alarm_id in alarm_ids:
            changes = [each for each in await self.transitions(alarm_id) if each.reason in reasons]
            found += changes[-limit:]
        return sorted(found, key=_order)

    async def stage_ways(self, alarm_ids: Sequence[str]) -> list[StageWay]:
        """What the later stages of some alarms wait for, or waited for; when one is journalled is not told."""

        def reached(alarm_id: str, stage: Stage, by: str) -> datetime | None:
            found = self._stages.get((alarm_id, stage, by))
            return found.stage_time if found is not None else None

        deliveries = [
            StageWay(
                each.alarm_id,
                Milestone.DELIVERED,
                each.target,
                each.due_time,
                reached(each.alarm_id, Stage.DELIVERED, each.target),
            )
            for each in self._deliveries.values()
            if each.alarm_id in alarm_ids
        ]
        proofs = [
            StageWay(
                each.cause,
                Milestone.PROVEN,
                each.command_id,
                each.issued_time,
                reached(each.cause, Stage.PROVEN, each.command_id),
                each.device,
                each.action,
            )
            for each in self._commands.values()
            if each.cause in alarm_ids
        ]
        return [*deliveries, *proofs]

    async def standing_at(self, time: datetime) -> list[AlarmTransition]:
        """The last change before a time of every alarm that stood then, in the order of time."""
        before = (
            [each for each in changes.values() if each.transition_time < time] for changes in self._transitions.values()
        )
        newest = (max(changes, key=lambda each: each.number) for changes in before if changes)
        return sorted(
            (each for each in newest if each.alarm.stands), key=lambda each: (each.transition_time, each.alarm_id)
        )

    async def log_entries(
        self,
        start: datetime,
        end: datetime,
        *,
        seat: str | None = None,
        kinds: Sequence[EntryKind] | None = None,
        limit: int = 1000,
    ) -> list[LogEntry]:
        """Entries of the log with start <= time < end, newest first: a seat's (and those of all), of some kinds."""
        found = (
            each
            for each in self._log.values()
            if start <= each.entry_time < end
            and (seat is None or each.seat in (seat, ""))
            and (kinds is None or each.kind in kinds)
        )
        return sorted(found, key=lambda each: (each.entry_time, each.entry_id), reverse=True)[:limit]

    async def log_entry(self, entry_id: str) -> LogEntry | None:
        """One entry of the log."""
        return self._log.get(entry_id)

    async def duty_checks(
        self, *, before: datetime | None = None, seat: str | None = None, unended: bool = False, limit: int = 100
    ) -> list[DutyCheck]:
        """Duty checks, newest first, of all seats or one; `unended`: those that are open."""
        found = (
            each
            for each in self._duty_checks.values()
            if (before is None or each.asked_time < before)
            and seat in (None, each.seat)
            and not (unended and not each.is_open)
        )
        return sorted(found, key=lambda each: each.asked_time, reverse=True)[:limit]

    async def deliveries(
        self,
        *,
        alarm_id: str | None = None,
        target: str | None = None,
        state: DeliveryState | None = None,
        before: tuple[datetime, str] | None = None,
        limit: int = 100,
    ) -> list[Delivery]:
        """Deliveries as they stand, newest first: of one alarm, for one target, in one state, before a (time, id)."""
        found = (
            each
            for each in self._deliveries.values()
            if alarm_id in (None, each.alarm_id)
            and target in (None, each.target)
            and state in (None, each.state)
            and (before is None or (each.created_time, each.delivery_id) < before)
        )
        return sorted(found, key=lambda each: (each.created_time, each.delivery_id), reverse=True)[:limit]

    async def delivery(self, delivery_id: str) -> Delivery | None:
        """One delivery as it stands."""
        return self._deliveries.get(delivery_id)

    async def called(self, alarm_ids: Sequence[str]) -> list[Delivery]:
        """What called for somebody about some alarms and was not withdrawn, oldest first."""
        found = (
            each
            for each in self._deliveries.values()
            if each.alarm_id in alarm_ids and each.reason in CALLS and each.state is not DeliveryState.WITHDRAWN
        )
        return sorted(found, key=lambda each: (each.created_time, each.delivery_id))

    async def drills(self, *, before: datetime | None = None, limit: int = 100) -> list[Drill]:
        """Drills, newest first."""
        found = (each for each in self._drills.values() if before is None or each.begun_time < before)
        return sorted(found, key=lambda each: each.begun_time, reverse=True)[:limit]

    async def drill(self, drill_id: str) -> Drill | None:
        """One drill."""
        return self._drills.get(drill_id)

    async def inputs_after(self, ordinal: int) -> AsyncIterator[EngineInput]:
        """What the engine took after that ordinal, in order."""
        for each in sorted(self._inputs):
            if each > ordinal:
                yield self._inputs[each]

    async def last_ordinal(self) -> int:
        """The highest ordinal stored, 0 if there is none."""
        return max(self._inputs, default=0)

    async def last_word(self) -> datetime | None:
        """When the last input was taken or the last change of an alarm recorded; None in an empty history."""
        changes = (each.transition_time for one in self._transitions.values() for each in one.values())
        return max((*(each.now for each in self._inputs.values()), *changes), default=None)

    def _command_record(self, command: ActuatorCommand) -> CommandRecord:
        proven = self._stages.get((command.cause, Stage.PROVEN, command.command_id))
        proven_time = proven.stage_time if proven is not None else None
        return CommandRecord.of(command, self._answers.get(command.command_id), proven_time)

    def _keep(self, record: Record) -> None:
        match record:
            case EngineInput():
                self._inputs.setdefault(record.ordinal, record)
            case AlarmTransition():
                self._transitions.setdefault(record.alarm_id, {}).setdefault(record.number, record)
            case ActuatorCommand():
                self._commands.setdefault(record.command_id, record)
            case ActuatorAnswer():
                kept = self._answers.get(record.command_id)
                if not _is_final(kept) or _has_failed(record) > _has_failed(kept):
                    self._answers[record.command_id] = record
            case Picture():
                self._pictures.setdefault(record.picture_id, record)
            case Rejection():
                self.rejections.append(record)
            case Listening():
                self.listening.append(record)
            case RulesReload():
                self._keep_reload(record)
            case StageReached():
                self._stages.setdefault((record.alarm_id, record.stage, record.by), record)
            case LogEntry():
                self._log.setdefault(record.entry_id, record)
            case DutyCheck():
                self._keep_duty_check(record)
            case Delivery():
                self._keep_delivery(record)
            case Drill():
                self._keep_drill(record)

    def _keep_duty_check(self, record: DutyCheck) -> None:
        kept = self._duty_checks.get(record.check_id)
        if kept is None or kept.is_open or (kept.answered_by is None and record.late_answer_time is not None):
            self._duty_checks[record.check_id] = record

    def _keep_delivery(self, record: Delivery) -> None:
        kept = self._deliveries.get(record.delivery_id)
        if kept is None or kept.revision < record.revision:
            self._deliveries[record.delivery_id] = record

    def _keep_drill(self, record: Drill) -> None:
        kept = self._drills.get(record.drill_id)
        if kept is None or kept.ended_time is None:
            self._drills[record.drill_id] = record

    def _keep_reload(self, record: RulesReload) -> None:
        if record not in self._reloads:
            self._reloads.append(record)
        if record.ordinal is not None and record.report is not None:
            taken = EngineInput(ordinal=record.ordinal, now=record.report.now, rules=record.rules)
            self._inputs.setdefault(record.ordinal, taken)


def _matches(alarm: Alarm, wanted: AlarmFilter) -> bool:
    return (
        not alarm.shadow
        and alarm.drill is None
        and wanted.incident in (None, alarm.incident)
        and wanted.site in (None, alarm.site)
        and wanted.standing in (None, alarm.stands)
        and wanted.hidden in (None, alarm.hidden)
        and wanted.rule in (None, alarm.rule)
        and wanted.subject in (None, alarm.subject)
        and (wanted.before is None or (alarm.onset_time, alarm.alarm_id) < wanted.before)
    )


def _order(change: AlarmTransition) -> tuple[datetime, str, int]:
    return change.transition_time, change.alarm_id, change.number


def _is_final(answer: ActuatorAnswer | None) -> bool:
    return answer is not None and answer.state is not AnswerState.ACCEPTED


def _has_failed(answer: ActuatorAnswer | None) -> bool:
    return answer is not None and answer.state is AnswerState.FAILED


def _age(record: CommandRecord) -> tuple[datetime, str]:
    return record.command.issued_time, record.command.command_id
