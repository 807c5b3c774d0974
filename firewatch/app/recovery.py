"""What a start owes to the time before it: the engine's snapshot, what followed it, and what is still to be done.

The engine is put back to its snapshot; every input stored after it is replayed through the same engine with the
engine's time of then; what fell due while firewatch was down is settled. Replaying gives the same transitions and
commands with the same ids, so recording them again is harmless; what was already told is not told again.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta

import structlog

from firewatch.broadcast.actuators import FINAL_STATES, FOLLOW_LIMIT
from firewatch.engine.engine import Engine
from firewatch.engine.snapshot import SnapshotError
from firewatch.errors import RefusedCommandError
from firewatch.model.alarm import Alarm
from firewatch.model.command import ActuatorCommand
from firewatch.model.effect import Annunciate, Effect, RecordTransition, SendCommand
from firewatch.ports import AlarmFilter, CommandRecord, EngineInput, HistoryReader
from firewatch.storage.snapshot import SnapshotFile

REPLAYED_WITHOUT_SNAPSHOT = 200_000
"""How many of the last inputs are replayed where no snapshot can be used: some seconds' work, and some hours of a
compound's readings. Alarms that began before them are not known any more.
"""

_PAGE = 1000

log = structlog.get_logger("firewatch.recovery")


@dataclass(slots=True)
class Recovered:
    """Where the engine goes on: the last ordinal taken, alarms told before, and the effects still to carry out."""

    last_ordinal: int
    annunciated: list[Alarm] = field(default_factory=list)
    effects: list[Effect] = field(default_factory=list)


async def recover(engine: Engine, snapshots: SnapshotFile, reader: HistoryReader, now: datetime) -> Recovered:
    """Bring a fresh engine to where the last one was, and say what is left to do.

    Raises:
        StorageError: the history cannot be read.
    """
    stored_ordinal = await reader.last_ordinal()
    restored = _restore(engine, snapshots)
    if restored is None and stored_ordinal == 0:
        return Recovered(last_ordinal=0, effects=engine.start(now))
    begin = restored if restored is not None else max(stored_ordinal - REPLAYED_WITHOUT_SNAPSHOT, 0)
    effects: list[Effect] = []
    last = begin
    async for item in reader.inputs_after(begin):
        if restored is None and last == begin:
            effects += engine.start(item.now)
        effects += _replay(engine, item)
        last = item.ordinal
    effects += engine.start(now) if restored is None and last == begin else engine.resume(now)
    log.info(
        "The engine goes on where it was.",
        from_ordinal=begin,
        to_ordinal=last,
        with_snapshot=restored is not None,
        standing_alarms=len(engine.alarms()),
    )
    left = await _left_to_do(effects, reader)
    return Recovered(
        last_ordinal=max(last, stored_ordinal),
        annunciated=await _standing(reader),
        effects=[*await _to_send_again(left, reader, now), *left],
    )


def _restore(engine: Engine, snapshots: SnapshotFile) -> int | None:
    """Put the engine back to its snapshot; the ordinal it belongs to, None if there is none that can be used."""
    snapshot = snapshots.read()
    if snapshot is None:
        return None
    try:
        report = engine.restore(snapshot.state)
    except SnapshotError as error:
        log.error("The engine's snapshot cannot be used; the last inputs are replayed instead.", reason=str(error))
        return None
    if report.changed or report.removed or report.closing_alarms:
        log.warning("Rules were changed while firewatch was down.", report=str(report))
    return snapshot.ordinal


def _replay(engine: Engine, item: EngineInput) -> list[Effect]:
    if item.observation is not None:
        return engine.observe(item.observation, item.now)
    if item.command is not None:
        try:
            return engine.command(item.command, item.now)
        except RefusedCommandError as refused:  # the rules were changed while firewatch was down
            log.warning("A stored command no longer fits.", command=item.command, reason=str(refused))
    return []


async def _standing(reader: HistoryReader) -> list[Alarm]:
    standing: list[Alarm] = []
    page = await reader.alarms(AlarmFilter(standing=True, limit=_PAGE))
    while page:
        standing += page
        before = (page[-1].onset_time, page[-1].alarm_id)
        page = await reader.alarms(AlarmFilter(standing=True, before=before, limit=_PAGE)) if len(page) == _PAGE else []
    return standing


async def _left_to_do(effects: list[Effect], reader: HistoryReader) -> list[Effect]:
    left: list[Effect] = []
    numbers = {id(e.transition.alarm): e.transition.number for e in effects if isinstance(e, RecordTransition)}
    for effect in effects:
        if isinstance(effect, Annunciate) and await _was_told(effect.alarm, numbers.get(id(effect.alarm), 0), reader):
            continue
        if isinstance(effect, SendCommand) and await _was_recorded(effect.command, reader):
            continue
        left.append(effect)
    return left


async def _was_told(alarm: Alarm, number: int, reader: HistoryReader) -> bool:
    """Whether the transition that told of the alarm, or one after it, was recorded as told."""
    return any(
        transition.number >= number
        and transition.alarm.activations >= alarm.activations
        and transition.alarm.clock.annunciated_time is not None
        for transition in await reader.transitions(alarm.alarm_id)
    )


async def _was_recorded(command: ActuatorCommand, reader: HistoryReader) -> bool:
    records = await reader.commands(cause=command.cause)
    return any(record.command.command_id == command.command_id for record in records)


async def _to_send_again(left: list[Effect], reader: HistoryReader, now: datetime) -> list[Effect]:
    commanded_anew = {effect.command.device for effect in left if isinstance(effect, SendCommand)}
    return [
        SendCommand(record.command)
        for record in await reader.newest_commands()
        if record.command.device not in commanded_anew and is_worth_sending_again(record, now)
    ]


def is_worth_sending_again(newest: CommandRecord, now: datetime, limit: timedelta = FOLLOW_LIMIT) -> bool:
    """Whether a device's newest command was given not long ago and never came to an end."""
    is_final = newest.answer is not None and newest.answer.state in FINAL_STATES
    return not is_final and now - newest.command.issued_time < limit
