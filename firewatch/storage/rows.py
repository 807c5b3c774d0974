"""Records as rows and back: one function a table each way, nothing else knows the columns' order."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any, NamedTuple

import msgspec

from firewatch.alarms.deadline import Milestone, StageWay
from firewatch.model.alarm import (
    Alarm,
    AlarmState,
    AlarmTransition,
    Annunciation,
    Stage,
    StageReached,
    TransitionReason,
)
from firewatch.model.command import ActuatorAnswer, ActuatorCommand, AnswerState, OperatorCommand
from firewatch.model.control_room import Drill, DutyCheck, LogEntry
from firewatch.model.delivery import Delivery
from firewatch.model.observation import Observation, Quality, Value
from firewatch.model.reload import RulesReload
from firewatch.ports import CommandRecord, EngineInput, Listening, Picture, Record, Rejection, StoredObservation

Row = tuple[Any, ...]

OBSERVATION_TYPES = (
    *("int8", "timestamptz", "text", "float8", "bool", "text", "text"),
    *("timestamptz", "timestamptz", "timestamptz", "int8", "text"),
)
"""The types of an observation's columns, for COPY."""

_decode_alarm = msgspec.json.Decoder(Alarm).decode
_decode_command = msgspec.json.Decoder(OperatorCommand).decode
_decode_reload = msgspec.json.Decoder(RulesReload).decode
_decode_log_entry = msgspec.json.Decoder(LogEntry).decode
_decode_duty_check = msgspec.json.Decoder(DutyCheck).decode
_decode_delivery = msgspec.json.Decoder(Delivery).decode
_decode_drill = msgspec.json.Decoder(Drill).decode
_decode_parameters = msgspec.json.Decoder(dict[str, str | float | bool]).decode


class Insertion(NamedTuple):
    """One row of a table other than the observations': the named query and its values."""

    query: str
    values: Row


def observation_row(record: EngineInput, observation: Observation) -> Row:
    """An observation as `copy_observations` takes it."""
    value = observation.value
    is_flag = isinstance(value, bool)
    is_state = isinstance(value, str)
    return (
        record.ordinal,
        record.now,
        observation.signal,
        None if is_flag or is_state else value,
        value if is_flag else None,
        value if is_state else None,
        observation.quality.value,
        observation.source_time,
        observation.receive_time,
        observation.event_time,
        observation.sequence,
        observation.picture,
    )


def insertions(record: Record) -> list[Insertion]:
    """The rows of any record but an observation."""
    return _INSERTIONS[type(record)](record)


def table_of(record: Record) -> str:
    """What to call the record's table where people read it."""
    if isinstance(record, EngineInput):
        return "observation" if record.observation is not None else "operator_command"
    return _TABLES[type(record)]


def refused_record(record: Record, error: str) -> Rejection:
    """How a record that cannot be stored as it is, is kept where someone can look at it."""
    return Rejection(
        receive_time=_time_of(record),
        source="history",
        reason="refused_by_history",
        detail=_storable(f"{table_of(record)}: {error}"),
        payload=_storable(repr(_without_picture(record))),
    )


def _operator_command(record: EngineInput) -> list[Insertion]:
    command = record.command
    if command is None:
        return []
    return [
        Insertion(
            "insert_operator_command",
            (record.ordinal, record.now, command.operator, msgspec.json.encode(command).decode()),
        )
    ]


def _transition(record: AlarmTransition) -> list[Insertion]:
    alarm = record.alarm
    content = msgspec.json.encode(alarm).decode()
    return [
        Insertion(
            "insert_transition",
            (
                record.alarm_id,
                record.number,
                record.transition_time,
                record.reason.value,
                record.previous_state.value,
                content,
                record.by,
                record.comment,
                record.annunciation.value if record.annunciation is not None else None,
            ),
        ),
        Insertion(
            "upsert_alarm",
            (
                alarm.alarm_id,
                record.number,
                alarm.site,
                alarm.rule,
                alarm.subject,
                alarm.state.value,
                alarm.onset_time,
                content,
                alarm.hidden,
                alarm.shadow,
                alarm.incident,
                alarm.drill is not None,
            ),
        ),
    ]


def _actuator_command(record: ActuatorCommand) -> list[Insertion]:
    parameters = msgspec.json.encode(record.parameters).decode()
    values = (
        record.command_id,
        record.device,
        record.action,
        parameters,
        record.cause,
        record.rule,
        record.issued_time,
        record.drill,
    )
    return [Insertion("insert_actuator_command", values)]


def _actuator_answer(record: ActuatorAnswer) -> list[Insertion]:
    values = (
        record.command_id,
        record.state.value,
        record.source_time,
        record.device,
        record.detail,
        record.receive_time,
    )
    return [Insertion("insert_actuator_answer", values)]


def _picture(record: Picture) -> list[Insertion]:
    return [Insertion("insert_picture", (record.picture_id, record.device, record.taken_time, record.jpeg))]


def _listening(record: Listening) -> list[Insertion]:
    return [Insertion("insert_listening", (record.now, record.heard_until))]


def _stage_reached(record: StageReached) -> list[Insertion]:
    values = (record.alarm_id, record.stage.value, record.by, record.stage_time)
    return [Insertion("insert_stage_reached", values)]


def _log_entry(record: LogEntry) -> list[Insertion]:
    values = (record.entry_id, record.entry_time, record.seat, record.kind.value, _json(record))
    return [Insertion("insert_log_entry", values)]


def _duty_check(record: DutyCheck) -> list[Insertion]:
    values = (record.check_id, record.asked_time, not record.is_open, _json(record))
    return [Insertion("upsert_duty_check", values)]


def _delivery(record: Delivery) -> list[Insertion]:
    values = (
        record.delivery_id,
        record.target,
        record.alarm_id,
        record.created_time,
        record.state.value,
        record.revision,
        _json(record),
    )
    return [Insertion("upsert_delivery", values)]


def _drill(record: Drill) -> list[Insertion]:
    values = (record.drill_id, record.begun_time, record.ended_time is not None, _json(record))
    return [Insertion("upsert_drill", values)]


def _rules_reload(record: RulesReload) -> list[Insertion]:
    content = _json(record)
    taken_time = record.report.now if record.report is not None else None
    values = (
        record.time,
        record.trigger.value,
        record.outcome.value,
        record.ordinal,
        taken_time,
        record.rules,
        content,
    )
    return [Insertion("insert_rules_reload", values)]


def _rejection(record: Rejection) -> list[Insertion]:
    # What could not be read may hold what PostgreSQL's text cannot: it is shown, not lost.
    texts = tuple(map(_storable, (record.source, record.reason, record.detail, record.payload)))
    identity = hashlib.blake2s(repr((record.receive_time.timestamp(), texts)).encode(), digest_size=16).hexdigest()
    return [Insertion("insert_rejection", (identity, record.receive_time, *texts))]


def _json(record: msgspec.Struct) -> str:
    return _storable(msgspec.json.encode(record).decode())


def _storable(text: str) -> str:
    return text.replace("\x00", "\\x00").encode(errors="backslashreplace").decode()


def _time_of(record: Record) -> datetime:
    match record:
        case EngineInput() | Listening():
            return record.now
        case AlarmTransition():
            return record.transition_time
        case ActuatorCommand():
            return record.issued_time
        case Picture():
            return record.taken_time
        case ActuatorAnswer() | Rejection():
            return record.receive_time
        case RulesReload():
            return record.time
        case StageReached():
            return record.stage_time
        case LogEntry():
            return record.entry_time
        case DutyCheck():
            return record.asked_time
        case Delivery():
            return record.created_time
        case Drill():
            return record.begun_time


def _without_picture(record: Record) -> Record:
    return msgspec.structs.replace(record, jpeg=b"") if isinstance(record, Picture) else record


_INSERTIONS: dict[type[Any], Callable[[Any], list[Insertion]]] = {
    EngineInput: _operator_command,
    AlarmTransition: _transition,
    ActuatorCommand: _actuator_command,
    ActuatorAnswer: _actuator_answer,
    Picture: _picture,
    Rejection: _rejection,
    Listening: _listening,
    RulesReload: _rules_reload,
    StageReached: _stage_reached,
    LogEntry: _log_entry,
    DutyCheck: _duty_check,
    Delivery: _delivery,
    Drill: _drill,
}

_TABLES: dict[type[Any], str] = {
    AlarmTransition: "alarm_transition",
    ActuatorCommand: "actuator_command",
    ActuatorAnswer: "actuator_answer",
    Picture: "picture",
    Rejection: "rejection",
    Listening: "listening",
    RulesReload: "rules_reload",
    StageReached: "stage_reached",
    LogEntry: "log_entry",
    DutyCheck: "duty_check",
    Delivery: "delivery",
    Drill: "drill",
}


def read_alarm(row: Row) -> Alarm:
    """An alarm of the query `alarms`, with the time at which its first transition reached the history."""
    alarm = _decode_alarm(row[0])
    clock = msgspec.structs.replace(alarm.clock, journalled_time=alarm.clock.journalled_time or row[1].astimezone(UTC))
    return msgspec.structs.replace(alarm, clock=clock)


def read_transition(alarm_id: str, row: Row) -> AlarmTransition:
    """A row of the query `transitions`."""
    number, transition_time, reason, previous_state, alarm, by, comment, annunciation = row
    return AlarmTransition(
        alarm_id=alarm_id,
        number=number,
        transition_time=transition_time.astimezone(UTC),
        reason=TransitionReason(reason),
        previous_state=AlarmState(previous_state),
        alarm=_decode_alarm(alarm),
        by=by,
        comment=comment,
        annunciation=Annunciation(annunciation) if annunciation is not None else None,
    )


def read_observation(signal: str, row: Row) -> StoredObservation:
    """A row of the query `observations`."""
    number, flag, state, quality, source_time, receive_time = row
    return StoredObservation(
        signal=signal,
        value=_value(number, flag, state),
        quality=quality,
        source_time=source_time.astimezone(UTC),
        receive_time=receive_time.astimezone(UTC),
    )


def read_command(row: Row) -> CommandRecord:
    """A row of the queries `commands` and `newest_commands`."""
    command_id, device, action, parameters, cause, rule, issued_time, drill, proven_time = row[:9]
    command = ActuatorCommand(
        command_id=command_id,
        device=device,
        action=action,
        parameters=_decode_parameters(parameters),
        cause=cause,
        rule=rule,
        issued_time=issued_time.astimezone(UTC),
        drill=drill,
    )
    return CommandRecord.of(command, _answer(command_id, row[9:]), proven_time and proven_time.astimezone(UTC))


def _answer(command_id: str, row: Sequence[Any]) -> ActuatorAnswer | None:
    state, detail, device, source_time, receive_time = row
    if state is None:
        return None
    return ActuatorAnswer(
        command_id=command_id,
        device=device,
        state=AnswerState(state),
        detail=detail,
        source_time=source_time.astimezone(UTC),
        receive_time=receive_time.astimezone(UTC),
    )


def read_picture(picture_id: str, row: Row) -> Picture:
    """A row of the query `picture`."""
    device, taken_time, jpeg = row
    return Picture(picture_id=picture_id, device=device, taken_time=taken_time.astimezone(UTC), jpeg=bytes(jpeg))


def read_reload(row: Row) -> RulesReload:
    """A row of the query `reloads`."""
    return _decode_reload(row[0])


def read_stage(row: Row) -> StageReached:
    """A row of the query `stages`."""
    alarm_id, stage, stage_time, by = row
    return StageReached(alarm_id=alarm_id, stage=Stage(stage), stage_time=stage_time.astimezone(UTC), by=by)


def read_stage_way(row: Row) -> StageWay:
    """A row of the query `stage_ways`."""
    alarm_id, stage, by, since_time, reached_time, device, action = row
    return StageWay(
        alarm_id=alarm_id,
        stage=Milestone(stage),
        by=by,
        since_time=since_time.astimezone(UTC),
        reached_time=reached_time.astimezone(UTC) if reached_time is not None else None,
        device=device,
        action=action,
    )


def read_log_entry(row: Row) -> LogEntry:
    """A row of the query `log_entries`."""
    return _decode_log_entry(row[0])


def read_duty_check(row: Row) -> DutyCheck:
    """A row of the query `duty_checks`."""
    return _decode_duty_check(row[0])


def read_delivery(row: Row) -> Delivery:
    """A row of the query `deliveries`."""
    return _decode_delivery(row[0])


def read_drill(row: Row) -> Drill:
    """A row of the query `drills`."""
    return _decode_drill(row[0])


def read_input(row: Row) -> EngineInput:
    """A row of the query `inputs_after`."""
    ordinal, taken_time = row[0], row[1].astimezone(UTC)
    signal, number, flag, state, quality, source_time, receive_time, event_time, sequence, picture = row[2:12]
    if row[13] is not None:
        return EngineInput(ordinal=ordinal, now=taken_time, rules=row[13])
    if signal is None:
        return EngineInput(ordinal=ordinal, now=taken_time, command=_decode_command(row[12]))
    observation = Observation(
        signal=signal,
        value=_value(number, flag, state),
        quality=Quality(quality),
        source_time=source_time.astimezone(UTC),
        receive_time=receive_time.astimezone(UTC),
        event_time=event_time.astimezone(UTC),
        sequence=sequence,
        picture=picture,
    )
    return EngineInput(ordinal=ordinal, now=taken_time, observation=observation)


def _value(number: float | None, flag: bool | None, state: str | None) -> Value | None:
    if number is not None:
        return number
    return flag if flag is not None else state
