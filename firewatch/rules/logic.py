"""`all`, `any` and `not`, nested as they are written: Kleene's three-valued logic over the conditions in them.

`all` is inactive as soon as one part is, `any` active as soon as one part is, `not` turns active and inactive around;
where that does not decide, what is unknown makes the whole unknown. An `all` began when the last of its parts did, an
`any` when the first did.

A part under a `not` makes the whole inactive by being active, so what may raise an alarm anywhere else would clear one
here. By a late reading such a part comes no nearer to being active, and by one of bad quality no nearer than unknown:
it counts as what it is from the next reading on that is neither.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple

from firewatch.model.alarm import ConditionState
from firewatch.model.observation import Observation, Quality
from firewatch.rules.evaluator import NO_CHANGES, Change, Changes, Evaluator, Finding, change_to, evidence_of
from firewatch.rules.parts import News, Parts, by_instant, standing_after
from firewatch.rules.states import LogicState, Standing

_ACTIVE = ConditionState.ACTIVE
_INACTIVE = ConditionState.INACTIVE
_UNKNOWN = ConditionState.UNKNOWN
_RANK = {_INACTIVE: 0, _UNKNOWN: 1, _ACTIVE: 2}
_NEGATED = {_ACTIVE: _INACTIVE, _INACTIVE: _ACTIVE, _UNKNOWN: _UNKNOWN}


class Formula(NamedTuple):
    """How conditions are combined: `all`, `any` or `not` of other formulas, or (an empty `kind`) one of the leaves."""

    kind: str = ""
    parts: tuple[Formula, ...] = ()
    leaf: int = 0


class LogicEvaluator:
    """Judges a formula over leaves, each of which stands in it once."""

    state_type = LogicState

    def __init__(self, formula: Formula, leaves: Sequence[Evaluator[Any]]) -> None:
        self._formula = formula
        self._parts = Parts(leaves)
        self.signals = self._parts.signals
        self.keeps_time = self._parts.keeps_time
        self._negative = frozenset(_negative(formula, negated=False))
        negative = {
            signal: tuple(index for index in leaves if index in self._negative)
            for signal, leaves in self._parts.routes.items()
        }
        self._watched = {signal: leaves for signal, leaves in negative.items() if leaves}
        self._places = {signal: place for place, signal in enumerate(self._watched)}

    def initial(self) -> LogicState:
        """Nothing was heard."""
        return LogicState(
            leaves=self._parts.initial(), seen=(Standing(),) * len(self._parts), heard=(None,) * len(self._watched)
        )

    def arm(self, state: LogicState, now: datetime) -> LogicState:
        """Arm every leaf."""
        leaves = self._parts.arm(state.leaves, now)
        if leaves is state.leaves:
            return state
        return LogicState(leaves, state.seen, state.heard, state.condition, state.onset_time)

    def observe(self, state: LogicState, observation: Observation, now: datetime) -> tuple[LogicState, Changes]:
        """Let the leaves that want it take the observation, then judge once."""
        leaves, news = self._parts.observe(state.leaves, observation, now)
        heard, proven = state.heard, _ACTIVE
        watched = self._watched.get(observation.signal)
        if watched:
            heard, late = self._heard_after(heard, observation)
            proven = _INACTIVE if late else _UNKNOWN if observation.quality is Quality.BAD else _ACTIVE
            for index in watched if proven is _ACTIVE else ():
                if leaves[index].condition is not state.seen[index].condition:
                    news += _held_back(index, leaves[index].condition, news, observation)
        if leaves is not state.leaves or heard is not state.heard:
            state = LogicState(leaves, state.seen, heard, state.condition, state.onset_time)
        return self._told(state, news, proven) if news else (state, NO_CHANGES)

    def wake(self, state: LogicState, now: datetime) -> tuple[LogicState, Changes]:
        """Wake the leaves that are due."""
        leaves, news = self._parts.wake(state.leaves, now)
        if leaves is not state.leaves:
            state = LogicState(leaves, state.seen, state.heard, state.condition, state.onset_time)
        return self._told(state, news, _ACTIVE)

    def next_wake(self, state: LogicState) -> datetime | None:
        """The earliest of the leaves' wakes."""
        return self._parts.next_wake(state.leaves)

    def explain(self, state: LogicState) -> Finding:
        """The formula as it is written, with how each part of it stands."""
        return self._finding(self._formula, state.seen, self._parts.explain(state.leaves), state.onset_time)

    def _finding(
        self, formula: Formula, seen: Sequence[Standing], leaves: Sequence[Finding], onset: datetime | None = None
    ) -> Finding:
        if not formula.kind:
            return leaves[formula.leaf]
        parts = tuple(self._finding(part, seen, leaves) for part in formula.parts)
        return Finding(formula.kind, _judge(formula, seen), onset_time=onset, parts=parts)

    def _heard_after(
        self, heard: tuple[datetime | None, ...], observation: Observation
    ) -> tuple[tuple[datetime | None, ...], bool]:
        """The newest event times, and whether this one is older than what was already heard of its signal."""
        place = self._places[observation.signal]
        newest = heard[place]
        if newest is None or newest < observation.event_time:
            return (*heard[:place], observation.event_time, *heard[place + 1 :]), False
        return heard, observation.event_time < newest

    def _told(self, state: LogicState, news: News, proven: ConditionState) -> tuple[LogicState, Changes]:
        """`proven` is how near to being active what was heard may bring a part under a `not`."""
        told = NO_CHANGES
        for instant, group in by_instant(news):
            seen = list(state.seen)
            for index, change in group:
                most = max(_RANK[proven], _RANK[seen[index].condition])
                if index not in self._negative or _RANK[change.condition] <= most:
                    seen[index] = standing_after(seen[index], change)
            state, more = self._judged(state, tuple(seen), instant, group[-1][1])
            told = (*told, *more)
        return state, told

    def _judged(
        self, state: LogicState, seen: tuple[Standing, ...], instant: datetime, cause: Change
    ) -> tuple[LogicState, Changes]:
        condition, onset = _judge(self._formula, seen), state.onset_time
        if condition is state.condition:
            return LogicState(state.leaves, seen, state.heard, condition, onset), NO_CHANGES
        begun = _since(self._formula, seen, negated=False) if condition is _ACTIVE else None
        onset, change = change_to(condition, instant, onset, cause.evidence, begun=begun)
        return LogicState(state.leaves, seen, state.heard, condition, onset), (change,)


def _held_back(index: int, condition: ConditionState, news: News, observation: Observation) -> News:
    """What a leaf under a `not` has been since something came late, now that a reading in time leaves it so."""
    if any(index == told for told, _ in news):
        return []
    time = observation.event_time
    return [(index, Change(condition, time, time, evidence_of(observation)))]


def _negative(formula: Formula, *, negated: bool) -> set[int]:
    """The leaves that stand under an odd number of `not`s."""
    if not formula.kind:
        return {formula.leaf} if negated else set()
    return set().union(*(_negative(part, negated=negated ^ (formula.kind == "not")) for part in formula.parts))


def _judge(formula: Formula, seen: Sequence[Standing]) -> ConditionState:
    if not formula.kind:
        return seen[formula.leaf].condition
    if formula.kind == "not":
        return _NEGATED[_judge(formula.parts[0], seen)]
    decisive = _INACTIVE if formula.kind == "all" else _ACTIVE
    answer = _NEGATED[decisive]
    for part in formula.parts:
        condition = _judge(part, seen)
        if condition is decisive:
            return decisive
        if condition is _UNKNOWN:
            answer = _UNKNOWN
    return answer


def _since(formula: Formula, seen: Sequence[Standing], *, negated: bool) -> datetime:
    """Since when a formula that is active (inactive, if negated) is so."""
    if not formula.kind:
        since = seen[formula.leaf].since_time
        assert since is not None
        return since
    if formula.kind == "not":
        return _since(formula.parts[0], seen, negated=not negated)
    sought = _INACTIVE if negated else _ACTIVE
    times = [_since(part, seen, negated=negated) for part in formula.parts if _judge(part, seen) is sought]
    return max(times) if (formula.kind == "all") is not negated else min(times)
