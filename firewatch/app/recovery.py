"""What a start owes to the time before it: the engine's snapshot, what followed it, and what is still to be done.

The engine is put back to its snapshot; every input stored after it is replayed through the same engine with the
engine's time of then, by the rules of then; what fell due while firewatch was down is settled. Replaying gives the same
transitions and commands with the same ids, so recording them again is harmless; what was already told is not told
again. Where the rules on disk are other ones than those it ended with, they are taken over like in a reload.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import structlog

from firewatch.alarms.nuisance import LOOK_BACK
from firewatch.broadcast.actuators import FOLLOW_LIMIT
from firewatch.broadcast.proof import Proofs
from firewatch.config.difference import difference
from firewatch.engine.engine import OVER_LIMIT, Engine
from firewatch.engine.snapshot import SnapshotError
from firewatch.errors import RefusedCommandError
from firewatch.model.alarm import Alarm, AlarmTransition
from firewatch.model.command import CommandState
from firewatch.model.effect import Annunciate, Effect, RecordTransition, SendCommand
from firewatch.model.reload import ReloadOutcome, ReloadTrigger, RulesReload
from firewatch.ports import AlarmFilter, CommandRecord, EngineInput, HistoryReader
from firewatch.storage.rule_set import RuleSet, RuleSetFolder
from firewatch.storage.snapshot import Snapshot, SnapshotFile

REPLAYED_WITHOUT_SNAPSHOT = 200_000
"""How many of the last inputs are replayed where no snapshot can be used: some seconds' work, and some hours of a
compound's readings. Alarms that began before them are not known any more.
"""

_PAGE = 1000
_LATELY = 100
"""More changes of one alarm say no more of it than these; one that chatters for months makes a hundred thousand."""
_MOST_COMMANDS = 10_000
"""For one alarm, or of one operator, that are asked of the history: an evacuation speaks to a whole compound."""
_BEGINNING = datetime.min.replace(tzinfo=UTC)

log = structlog.get_logger("firewatch.recovery")


@dataclass(slots=True)
class Recovered:
    """Where the engine goes on: the last ordinal taken, until when firewatch had heard before (None: never), the alarms
    told before, the changes that tell which of them wear people out, the effects still to carry out, and the reload
    that led to them, if the rules were changed meanwhile.
    """

    engine: Engine
    last_ordinal: int
    heard_until: datetime | None = None
    annunciated: list[Alarm] = field(default_factory=list)
    changes: list[AlarmTransition] = field(default_factory=list)
    effects: list[Effect] = field(default_factory=list)
    taken: RulesReload | None = None


async def recover(
    current: RuleSet, kept: RuleSetFolder, snapshots: SnapshotFile, reader: HistoryReader, now: datetime
) -> Recovered:
    """Bring a fresh engine to where the last one was, and then to the `current` rules; say what is left to do.

    Raises:
        StorageError: the history cannot be read.
    """
    stored_ordinal, last_word = await reader.last_ordinal(), await reader.last_word()
    replay = _restored(current, kept, snapshots)
    with_snapshot = replay is not None
    if replay is None:
        replay = _Replay(current, kept)
        replay.ordinal = max(stored_ordinal - REPLAYED_WITHOUT_SNAPSHOT, 0)
    begin = replay.ordinal
    effects: list[Effect] = []
    has_begun = with_snapshot
    async for item in reader.inputs_after(begin):
        if not has_begun:
            effects += replay.engine.start(item.now)
            has_begun = True
        effects += replay.take(item)
    last_ordinal = max(replay.ordinal, stored_ordinal)
    heard_until = max((time for time in (replay.now, last_word) if time is not None), default=None)
    if has_begun and heard_until is not None:
        effects += replay.advance(heard_until)
    taken = replay.go_over_to(current, last_ordinal + 1, now, effects)
    effects += replay.engine.resume(now) if has_begun else replay.engine.start(now)
    log.info(
        "The engine goes on where it was.",
        from_ordinal=begin,
        to_ordinal=replay.ordinal,
        with_snapshot=with_snapshot,
        with_other_rules=taken is not None,
        standing_alarms=len(replay.engine.alarms()),
    )
    left = await _left_to_do(effects, reader)
    standing = await _standing(reader)
    return Recovered(
        replay.engine,
        last_ordinal=last_ordinal if taken is None else last_ordinal + 1,
        heard_until=heard_until,
        annunciated=[*standing, *await reader.alarms(AlarmFilter(standing=False, limit=OVER_LIMIT))],
        changes=await _changes(standing, reader, now),
        effects=[*await _to_send_again(left, reader, Proofs(current.inventory), now), *left],
        taken=taken,
    )


class _Replay:
    """An engine on its way to the present: the rules it goes by at the moment, the last input it took, and when."""

    def __init__(self, rules: RuleSet, kept: RuleSetFolder) -> None:
        self.engine = Engine(rules.rules, rules.inventory)
        self.ordinal = 0
        self.now: datetime | None = None
        self._rules = rules
        self._kept = kept

    def restore(self, snapshot: Snapshot) -> None:
        """Put the engine back; raises SnapshotError if that cannot be."""
        report = self.engine.restore(snapshot.state)
        if report.changed or report.removed:
            log.warning(
                "The rules that the snapshot was made with are not known any more.",
                changed=len(report.changed),
                removed=len(report.removed),
            )
        self.ordinal, self.now = snapshot.ordinal, report.now

    def take(self, item: EngineInput) -> list[Effect]:
        """Replay one input."""
        self.ordinal, self.now = item.ordinal, item.now
        if item.observation is not None:
            return self.engine.observe(item.observation, item.now)
        if item.rules is not None:
            return self._take_rules(item.rules, item.now)
        if item.command is not None:
            try:
                return self.engine.command(item.command, item.now)
            except RefusedCommandError as refused:  # rules that are not known any more were replaced by others
                log.warning("A stored command no longer fits.", command=item.command, reason=str(refused))
        return []

    def advance(self, heard_until: datetime) -> list[Effect]:
        """Let time pass as it did while firewatch was still up."""
        self.now = heard_until
        return self.engine.advance(heard_until)

    def _take_rules(self, digest: str, now: datetime) -> list[Effect]:
        rules = self._kept.read(digest)
        if rules is None:
            log.error("The rules of a reload are not known any more; those before it go on.", rules=digest)
            return []
        self._rules = rules
        effects, _ = self.engine.reload(rules.rules, rules.inventory, now)
        return effects

    def go_over_to(self, current: RuleSet, ordinal: int, now: datetime, effects: list[Effect]) -> RulesReload | None:
        """Take over the rules of now unless it has them; at the engine's own time, so that nothing falls due by it."""
        if self._rules.digest == current.digest:
            return None
        caused, report = self.engine.reload(current.rules, current.inventory, self.now or _BEGINNING)
        effects += caused
        return RulesReload(
            time=now,
            trigger=ReloadTrigger.START,
            outcome=ReloadOutcome.TAKEN,
            rules=current.digest,
            ordinal=ordinal,
            report=report,
            difference=difference(self._rules.rules, current.rules),
        )


def _restored(current: RuleSet, kept: RuleSetFolder, snapshots: SnapshotFile) -> _Replay | None:
    """An engine put back to its snapshot, by the rules of then if they are known; None if no snapshot can be used."""
    snapshot = snapshots.read()
    if snapshot is None:
        return None
    rules = current if snapshot.rules in ("", current.digest) else kept.read(snapshot.rules) or current
    replay = _Replay(rules, kept)
    try:
        replay.restore(snapshot)
    except SnapshotError as error:
        log.error("The engine's snapshot cannot be used; the last inputs are replayed instead.", reason=str(error))
        return None
    return replay


async def _standing(reader: HistoryReader) -> list[Alarm]:
    standing: list[Alarm] = []
    page = await reader.alarms(AlarmFilter(standing=True, limit=_PAGE))
    while page:
        standing += page
        before = (page[-1].onset_time, page[-1].alarm_id)
        page = await reader.alarms(AlarmFilter(standing=True, before=before, limit=_PAGE)) if len(page) == _PAGE else []
    return standing


async def _changes(standing: list[Alarm], reader: HistoryReader, now: datetime) -> list[AlarmTransition]:
    """What happened lately, and since when the condition of what stands is as it is, in the order of time."""
    changes = [change async for change in reader.transitions_between(now - LOOK_BACK, now)]
    for first in range(0, len(standing), _PAGE):
        page = [alarm.alarm_id for alarm in standing[first : first + _PAGE]]
        changes += await reader.condition_changes(page, _LATELY)
    return sorted(changes, key=lambda change: (change.transition_time, change.alarm_id, change.number))


async def _left_to_do(effects: list[Effect], reader: HistoryReader) -> list[Effect]:
    left: list[Effect] = []
    numbers = {id(e.transition.alarm): e.transition.number for e in effects if isinstance(e, RecordTransition)}
    recorded = await _recorded(effects, reader)
    for effect in effects:
        if isinstance(effect, Annunciate) and await _was_told(effect.alarm, numbers.get(id(effect.alarm), 0), reader):
            continue
        if isinstance(effect, SendCommand) and effect.command.command_id in recorded:
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


async def _recorded(effects: list[Effect], reader: HistoryReader) -> set[str]:
    """The ids of the commands that were recorded for what these commands were for."""
    causes = {effect.command.cause for effect in effects if isinstance(effect, SendCommand)}
    records = [await reader.commands(cause=cause, limit=_MOST_COMMANDS) for cause in causes]
    return {record.command.command_id for each in records for record in each}


async def _to_send_again(left: list[Effect], reader: HistoryReader, proofs: Proofs, now: datetime) -> list[Effect]:
    commanded_anew = {effect.command.device for effect in left if isinstance(effect, SendCommand)}
    return [
        SendCommand(record.command)
        for record in await reader.newest_commands()
        if record.command.device not in commanded_anew
        and is_worth_sending_again(record, now, awaits_proof=proofs.of(record.command) is not None)
    ]


def is_worth_sending_again(
    newest: CommandRecord, now: datetime, *, awaits_proof: bool, limit: timedelta = FOLLOW_LIMIT
) -> bool:
    """Whether a device's newest command was given not long ago and never came to an end: it is not done, or nothing has
    shown yet that it is.
    """
    is_open = newest.state in (CommandState.SENT, CommandState.ACCEPTED) or (
        newest.state is CommandState.DONE and awaits_proof
    )
    return is_open and now - newest.command.issued_time < limit
