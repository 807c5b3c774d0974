"""A ladder of steps, mild to severe: the most severe step that stands decides how urgent it is.

A step stands from the moment it became active until it is known to be inactive again, so what cannot be seen never
steps down. Stepping up begins anew, for whoever has answered the milder step; stepping down is only told. While a step
stands, what a milder one does changes nothing.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from msgspec.structs import replace

from firewatch.model.alarm import ConditionState
from firewatch.model.observation import Observation, Value
from firewatch.rules.evaluator import NO_CHANGES, Change, Changes, Evaluator, Finding, Phase
from firewatch.rules.states import LadderState, State, StepSeen

_ACTIVE = ConditionState.ACTIVE
_INACTIVE = ConditionState.INACTIVE
_UNKNOWN = ConditionState.UNKNOWN
_NO_STEP = -1


class LadderEvaluator:
    """Its condition is that of the step that decides; while none stands, unknown if one of them cannot be judged.

    `steps` are keyed by their places in the rule's ladder, 0 the mildest.
    """

    state_type = LadderState

    def __init__(self, steps: Mapping[int, Evaluator[Any]]) -> None:
        self._places = tuple(sorted(steps))
        self._steps = tuple(steps[place] for place in self._places)
        self._timed = tuple((index, step) for index, step in enumerate(self._steps) if step.keeps_time)
        self.keeps_time = bool(self._timed)
        routes: dict[str, list[int]] = {}
        for index, step in enumerate(self._steps):
            for signal in step.signals:
                routes.setdefault(signal, []).append(index)
        self._routes = {signal: tuple(indexes) for signal, indexes in routes.items()}
        self.signals = tuple(routes)

    def initial(self) -> LadderState:
        """Nothing was heard."""
        return LadderState(steps=tuple(step.initial() for step in self._steps), seen=(StepSeen(),) * len(self._steps))

    def arm(self, state: LadderState, now: datetime) -> LadderState:
        """Arm every step."""
        for index, step in self._timed:
            state = _with_step(state, index, step.arm(state.steps[index], now))
        return state

    def observe(self, state: LadderState, observation: Observation, now: datetime) -> tuple[LadderState, Changes]:
        """Let the steps that want it take the observation."""
        news: list[tuple[int, Changes]] = []
        for index in self._routes[observation.signal]:
            before = state.steps[index]
            inner, changes = self._steps[index].observe(before, observation, now)
            if inner is not before:
                state = _with_step(state, index, inner)
            if changes:
                news.append((index, changes))
        return self._told(state, news) if news else (state, NO_CHANGES)

    def wake(self, state: LadderState, now: datetime) -> tuple[LadderState, Changes]:
        """Wake the steps that are due."""
        news: list[tuple[int, Changes]] = []
        for index, step in self._timed:
            due = step.next_wake(state.steps[index])
            if due is not None and due <= now:
                inner, changes = step.wake(state.steps[index], now)
                state = _with_step(state, index, inner)
                news.append((index, changes))
        return self._told(state, news)

    def next_wake(self, state: LadderState) -> datetime | None:
        """The earliest of the steps' wakes."""
        dues = (step.next_wake(state.steps[index]) for index, step in self._timed)
        return min((due for due in dues if due is not None), default=None)

    @property
    def places(self) -> tuple[int, ...]:
        """The places in the rule's ladder of the steps judged here, in the order of an explanation's parts."""
        return self._places

    def explain(self, state: LadderState) -> Finding:
        """Every step, mild to severe, and which one decides."""
        parts = tuple(step.explain(kept) for step, kept in zip(self._steps, state.steps, strict=True))
        decides = _decisive(state.seen)
        if decides == _NO_STEP:
            return Finding("ladder", state.condition, parts=parts)
        facts: dict[str, Value | datetime | timedelta] = {"step": float(self._places[decides])}
        return Finding("ladder", state.condition, onset_time=state.seen[decides].onset_time, facts=facts, parts=parts)

    def _told(self, state: LadderState, news: Iterable[tuple[int, Changes]]) -> tuple[LadderState, Changes]:
        """Take what the steps say in the order it happened.

        At the same instant the most severe rise comes first and the most severe fall last, so that a jump over several
        steps is told once.
        """
        told = NO_CHANGES
        for index, change in heapq.merge(*([(index, one) for one in changes] for index, changes in news), key=_order):
            state, more = self._take(state, index, change)
            told = (*told, *more)
        return state, told

    def _take(self, state: LadderState, index: int, change: Change) -> tuple[LadderState, Changes]:
        if change.phase is Phase.SUSPECTED or change.phase is Phase.REJECTED:
            return state, (replace(change, step=self._places[index]),)
        seen = (*state.seen[:index], _seen_after(state.seen[index], change), *state.seen[index + 1 :])
        decided, decides = _decisive(state.seen), _decisive(seen)
        condition = _any_of([one.condition for one in seen]) if decides == _NO_STEP else seen[decides].condition
        after = LadderState(state.steps, seen, condition)
        if change.phase is Phase.ACTIVE and index >= decided:
            return after, (replace(change, step=self._places[index]),)
        if condition is state.condition and decides in (decided, _NO_STEP):
            return after, NO_CHANGES
        standing = state.seen[decided] if decides == _NO_STEP else seen[decides]
        phase = Phase.INACTIVE if condition is _INACTIVE else None
        step = self._places[max(decides, 0)]
        return after, (Change(condition, change.event_time, standing.onset_time, change.evidence, phase, step),)


def _order(item: tuple[int, Change]) -> tuple[datetime, bool, int]:
    index, change = item
    rises = change.condition is _ACTIVE
    return change.event_time, not rises, -index if rises else index


def _seen_after(before: StepSeen, change: Change) -> StepSeen:
    if change.condition is _ACTIVE:
        return StepSeen(_ACTIVE, change.onset_time or change.event_time)
    return StepSeen(change.condition, None if change.condition is _INACTIVE else before.onset_time)


def _decisive(seen: Sequence[StepSeen]) -> int:
    return max((index for index, one in enumerate(seen) if one.onset_time is not None), default=_NO_STEP)


def _any_of(conditions: Sequence[ConditionState]) -> ConditionState:
    return _ACTIVE if _ACTIVE in conditions else _UNKNOWN if _UNKNOWN in conditions else _INACTIVE


def _with_step(state: LadderState, index: int, inner: State) -> LadderState:
    return LadderState((*state.steps[:index], inner, *state.steps[index + 1 :]), state.seen, state.condition)
