"""What a start owes to the time before it: the engine's snapshot, what followed it, and what is still to be done.

The engine is put back to its snapshot; every input stored after it is replayed through the same engine with the
engine's time of then; what fell due while firewatch was down is settled. Replaying gives the same transitions and
commands with the same ids, so recording them again is harmless; what was already told is not told again.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

import structlog

from firewatch.engine.engine import Engine
from firewatch.engine.snapshot import SnapshotError
from firewatch.errors import RefusedCommandError
from firewatch.model.alarm import Alarm
from firewatch.model.command import ActuatorCommand
from firewatch.model.effect import Annunciate, Effect, SendCommand
from firewatch.ports import AlarmFilter, CommandRecord, EngineInput, HistoryReader
from firewatch.storage.snapshot import SnapshotFile

STANDING_LIMIT = 1000
UNANSWERED_LIMIT = 1000

log = structlog.get_logger("firewatch.recovery")


@dataclass(slots=True)
class Recovered:
    """Where the engine goes on: the last ordinal taken, alarms told before, and the effects still to carry out."""

    last_ordinal: int
    annunciated: list[Alarm] = field(default_factory=list)
    effects: list[Effect] = field(default_factory=list)


async def recover(engine: Engine, snapshots: SnapshotFile, reader: HistoryReader, now: datetime) -> Recovered:
    """Bring a fresh engine to where the last one was, and say what is left to do."""
    snapshot = snapshots.read()
    stored_ordinal = await reader.last_ordinal()
    if snapshot is None:
        return Recovered(last_ordinal=stored_ordinal, effects=engine.start(now))
    try:
        report = engine.restore(snapshot.state)
    except SnapshotError as error:
        log.error("The engine's snapshot cannot be used; timers and standing alarms begin anew.", reason=str(error))
        return Recovered(last_ordinal=max(snapshot.ordinal, stored_ordinal), effects=engine.start(now))
    effects: list[Effect] = []
    ordinal = snapshot.ordinal
    async for item in reader.inputs_after(snapshot.ordinal):
        effects += _replay(engine, item)
        ordinal = item.ordinal
    replayed = ordinal - snapshot.ordinal
    effects += engine.resume(now)
    annunciated = await reader.alarms(AlarmFilter(standing=True, limit=STANDING_LIMIT))
    unanswered = await reader.commands(unanswered=True, limit=UNANSWERED_LIMIT)
    log.info(
        "The engine goes on where it was.",
        snapshot_ordinal=snapshot.ordinal,
        replayed_inputs=replayed,
        standing_alarms=len(engine.alarms()),
        report=str(report),
    )
    return Recovered(
        last_ordinal=max(ordinal, stored_ordinal),
        annunciated=annunciated,
        effects=[
            *await _left_to_do(effects, annunciated, reader),
            *(SendCommand(command) for command in newest_per_device(unanswered)),
        ],
    )


def _replay(engine: Engine, item: EngineInput) -> list[Effect]:
    if item.observation is not None:
        return engine.observe(item.observation, item.now)
    if item.command is not None:
        try:
            return engine.command(item.command, item.now)
        except RefusedCommandError as refused:  # the rules were changed while firewatch was down
            log.warning("A stored command no longer fits.", command=item.command, reason=str(refused))
    return []


async def _left_to_do(effects: list[Effect], annunciated: list[Alarm], reader: HistoryReader) -> list[Effect]:
    told = {alarm.alarm_id: alarm.activations for alarm in annunciated if alarm.clock.annunciated_time is not None}
    left: list[Effect] = []
    for effect in effects:
        if isinstance(effect, Annunciate) and told.get(effect.alarm.alarm_id, 0) >= effect.alarm.activations:
            continue
        if isinstance(effect, SendCommand) and await _is_recorded(effect.command, reader):
            continue
        left.append(effect)
    return left


async def _is_recorded(command: ActuatorCommand, reader: HistoryReader) -> bool:
    records = await reader.commands(cause=command.cause)
    return any(record.command.command_id == command.command_id for record in records)


def newest_per_device(unanswered: list[CommandRecord]) -> list[ActuatorCommand]:
    """Of the commands without a final answer, those still worth sending: the newest one of each device."""
    newest: dict[str, ActuatorCommand] = {}
    for record in unanswered:
        known = newest.get(record.command.device)
        if known is None or record.command.issued_time > known.issued_time:
            newest[record.command.device] = record.command
    return list(newest.values())
