"""Plays stored history to the engine: the very same one, with the engine's time of then as `now`."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import NamedTuple, Protocol

import numpy as np
from pydantic import BaseModel

from firewatch.backtest.log import AlarmLog, Told
from firewatch.backtest.thinning import Thinning
from firewatch.engine.engine import Engine
from firewatch.engine.failure import RuleFailure
from firewatch.errors import RefusedCommandError
from firewatch.model.alarm import AlarmTransition
from firewatch.model.effect import Effect, RecordTransition
from firewatch.model.observation import Observation, Quality, Value
from firewatch.model.site import Inventory
from firewatch.ports import EngineInput
from firewatch.rules.compile import compile_rules
from firewatch.rules.spec import RuleSpec
from firewatch.storage.columns import FLAG, NUMBER, STATE, Array, Columns, Extent, Start

SHORTEST_RUN_UP = timedelta(hours=1)
"""How long before the time asked for a replay begins at the latest, so that the engine knows how things stand."""

_QUALITIES = (Quality.GOOD, Quality.UNCERTAIN, Quality.BAD)


class HistorySource(Protocol):
    """Where a replay reads from."""

    def extent(self) -> Extent | None:
        """The time for which there are observations; None if there are none."""
        ...

    def pages(
        self, signals: Sequence[str], states: list[str], start: datetime, end: datetime
    ) -> Iterator[tuple[float, Columns]]:
        """The observations of some signals taken in start <= time < end, with the share of the work that is then done.

        A state that is not among `states` is appended to them.
        """
        ...

    def transitions(self, start: datetime, end: datetime) -> Iterable[AlarmTransition]:
        """What happened to alarms in start <= time < end, in the order of time."""
        ...

    def commands(self, start: datetime, end: datetime) -> Sequence[EngineInput]:
        """What operators asked for in start <= time < end, in order."""
        ...

    def starts(self, start: datetime, end: datetime) -> Sequence[Start]:
        """The starts of firewatch in start <= time < end."""
        ...


class Played(NamedTuple):
    """What people were told by a set of rules, the rules that failed, how many observations there were, and how many
    of them could change anything.
    """

    told: list[Told]
    failures: tuple[RuleFailure, ...]
    observations: int
    taken: int


def replay(
    source: HistorySource,
    rule_sets: Sequence[Sequence[RuleSpec]],
    inventory: Inventory,
    start: datetime,
    end: datetime,
    progress: Callable[[float], None] = lambda _: None,
) -> list[Played]:
    """Play what was taken in start <= time < end, and before it what the rules remember, to an engine for each set of
    rules.

    Raises:
        StorageError: the history cannot be read.
    """
    begin = start - max((memory_of(rule) for rules in rule_sets for rule in rules), default=SHORTEST_RUN_UP)
    starts = source.starts(begin, end)
    extent = source.extent()
    if extent is not None:
        begin = max(begin, starts[0].time if starts and starts[0].time <= extent.first else extent.first)
    signals = sorted(
        {
            signal
            for rules in rule_sets
            for instance in compile_rules(rules, inventory)
            for signal in instance.evaluator.signals
        }
    )
    states = sorted({state for kind in inventory.kinds.values() for signal in kind.signals for state in signal.states})
    commands = source.commands(begin, end)
    logs = [AlarmLog(start, end) for _ in rule_sets]
    players = [Player(rules, inventory, signals, states, log.add) for rules, log in zip(rule_sets, logs, strict=True)]
    for player in players:
        player.start(begin, [each for each in starts if each.time > begin], commands)
    observations = 0
    for share, page in source.pages(signals, states, begin, end):
        observations += len(page)
        for player in players:
            player.play(page)
        progress(share)
    for player in players:
        player.finish(end)
    progress(1.0)
    return [
        Played(log.told(), tuple(player.failures), observations, player.taken)
        for player, log in zip(players, logs, strict=True)
    ]


def memory_of(rule: RuleSpec) -> timedelta:
    """For how long the past can matter to a rule: all the times in its conditions, one after the other."""
    return max(SHORTEST_RUN_UP, sum((_times_in(step) for step in rule.steps), timedelta(0)))


def _times_in(written: object) -> timedelta:
    if isinstance(written, timedelta):
        return written
    if isinstance(written, BaseModel):
        weeks = timedelta(weeks=getattr(written, "weeks", 0))
        return sum((_times_in(value) for _, value in written), weeks)
    if isinstance(written, tuple):
        return sum(map(_times_in, written), timedelta(0))
    return timedelta(0)


_Interruption = tuple[int, bool, Start | EngineInput]
"""When (microseconds), whether it is a command, and what."""


class Player:
    """One set of rules; `note` is given every transition. With `thinned` False the engine is asked about everything,
    which comes to the same and takes longer.
    """

    def __init__(
        self,
        rules: Sequence[RuleSpec],
        inventory: Inventory,
        signals: Sequence[str],
        states: Sequence[str],
        note: Callable[[AlarmTransition], None],
        *,
        thinned: bool = True,
    ) -> None:
        self._signals = signals
        self._states = states
        self._engine = Engine(rules, inventory)
        self._thinning = Thinning(compile_rules(rules, inventory), signals) if thinned else None
        self._note_transition = note
        self._newest_taken = np.iinfo(np.int64).min
        self._interruptions: list[_Interruption] = []
        self.taken = 0

    @property
    def failures(self) -> list[RuleFailure]:
        """The rules that raised, and were out of service from then on."""
        return self._engine.failures()

    def start(self, now: datetime, starts: Sequence[Start], commands: Sequence[EngineInput]) -> None:
        """Begin to listen; `starts` are when firewatch was started again, `commands` what operators said."""
        self._note(self._engine.start(now))
        self._interruptions = sorted(
            [
                *((_microseconds(each.time), False, each) for each in starts),
                *((_microseconds(command.now), True, command) for command in commands),
            ],
            key=lambda one: one[:2],
            reverse=True,
        )

    def play(self, page: Columns) -> None:
        """Take a page of observations, those left out that cannot change anything."""
        taken = np.maximum.accumulate(np.maximum(page.taken, self._newest_taken))
        self._newest_taken = int(taken[-1])
        columns = page.with_taken(taken)
        if self._thinning is not None:
            columns = columns.where(self._thinning.keep(columns))
        self.taken += len(columns)
        engine, note = self._engine, self._note
        interruptions = self._interruptions
        until = interruptions[-1][0] if interruptions else None
        times = columns.taken.tolist()
        ordinals = columns.ordinal.tolist()
        for place, (observation, now) in enumerate(self._observations(columns)):
            while until is not None and self._comes_before(interruptions[-1], times[place], ordinals[place]):
                self._interrupt(interruptions.pop()[2])
                until = interruptions[-1][0] if interruptions else None
            effects = engine.observe(observation, now)
            if effects:
                note(effects)

    def finish(self, end: datetime) -> None:
        """Let time pass until the end."""
        while self._interruptions:
            self._interrupt(self._interruptions.pop()[2])
        self._note(self._engine.advance(end))

    @staticmethod
    def _comes_before(interruption: _Interruption, taken: int, ordinal: int) -> bool:
        what = interruption[2]
        return what.ordinal < ordinal if isinstance(what, EngineInput) else interruption[0] <= taken

    def _interrupt(self, what: Start | EngineInput) -> None:
        if isinstance(what, Start):
            if what.heard_until is not None:
                self._note(self._engine.advance(what.heard_until))
            self._note(self._engine.resume(what.time))
        elif what.command is not None:
            with contextlib.suppress(RefusedCommandError):  # by these rules there is no such alarm, or it is otherwise
                self._note(self._engine.command(what.command, what.now))

    def _note(self, effects: Iterable[Effect]) -> None:
        for effect in effects:
            if isinstance(effect, RecordTransition):
                self._note_transition(effect.transition)

    def _observations(self, columns: Columns) -> Iterator[tuple[Observation, datetime]]:
        source_times = _instants(columns.source)
        event_times = source_times if np.array_equal(columns.event, columns.source) else _instants(columns.event)
        receive_times, taken_times = _instants(columns.receive), _instants(columns.taken)
        for signal, kind, number, state, quality, source, receive, event, taken in zip(
            map(self._signals.__getitem__, columns.signal.tolist()),
            columns.kind.tolist(),
            columns.number.tolist(),
            columns.state.tolist(),
            map(_QUALITIES.__getitem__, columns.quality.tolist()),
            source_times,
            receive_times,
            event_times,
            taken_times,
            strict=True,
        ):
            value: Value | None = None
            if kind == NUMBER:
                value = number
            elif kind == FLAG:
                value = number != 0
            elif kind == STATE:
                value = self._states[state]
            yield Observation(signal, value, quality, source, receive, event), taken


_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def _microseconds(time: datetime) -> int:
    return (time - _EPOCH) // timedelta(microseconds=1)


def _instants(microseconds: Array) -> list[datetime]:
    return [time.replace(tzinfo=UTC) for time in microseconds.astype("M8[us]").tolist()]
