"""The conditions inside a condition: who wants which observation, who is due, and what they tell, in order."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any

from firewatch.model.alarm import ConditionState
from firewatch.model.observation import Observation
from firewatch.rules.evaluator import Change, Evaluator, Finding, Phase
from firewatch.rules.states import Standing, State

States = tuple[State, ...]
News = list[tuple[int, Change]]
"""Which part tells what. What a camera only suspects is no news."""

_NO_TIME = timedelta(0)


class Parts:
    """Drives some evaluators as one; keeps nothing, the states are whose it is."""

    def __init__(self, evaluators: Sequence[Evaluator[Any]]) -> None:
        self._evaluators = tuple(evaluators)
        self._timed = tuple((index, part) for index, part in enumerate(self._evaluators) if part.keeps_time)
        self.keeps_time = bool(self._timed)
        routes: dict[str, list[int]] = {}
        for index, part in enumerate(self._evaluators):
            for signal in part.signals:
                routes.setdefault(signal, []).append(index)
        self.routes = {signal: tuple(indexes) for signal, indexes in routes.items()}
        self.signals = tuple(routes)

    def __len__(self) -> int:
        return len(self._evaluators)

    def initial(self) -> States:
        """Nothing was heard."""
        return tuple(part.initial() for part in self._evaluators)

    def arm(self, states: States, now: datetime) -> States:
        """Arm every part."""
        for index, part in self._timed:
            before = states[index]
            state = part.arm(before, now)
            if state is not before:
                states = _put(states, index, state)
        return states

    def observe(self, states: States, observation: Observation, now: datetime) -> tuple[States, News]:
        """Let the parts that want it take the observation."""
        news: News = []
        for index in self.routes[observation.signal]:
            before = states[index]
            state, changes = self._evaluators[index].observe(before, observation, now)
            if state is not before:
                states = _put(states, index, state)
            if changes:
                news += [(index, change) for change in changes]
        return states, news

    def wake(self, states: States, now: datetime) -> tuple[States, News]:
        """Wake the parts that are due."""
        news: News = []
        for index, part in self._timed:
            due = part.next_wake(states[index])
            if due is not None and due <= now:
                state, changes = part.wake(states[index], now)
                states = _put(states, index, state)
                news += [(index, change) for change in changes]
        return states, news

    def next_wake(self, states: States) -> datetime | None:
        """The earliest of the parts' wakes."""
        dues = (part.next_wake(states[index]) for index, part in self._timed)
        return min((due for due in dues if due is not None), default=None)

    def explain(self, states: States) -> tuple[Finding, ...]:
        """Every part."""
        return tuple(part.explain(state) for part, state in zip(self._evaluators, states, strict=True))


def by_instant(news: News) -> Iterator[tuple[datetime, News]]:
    """What was told, oldest first; what happened at one instant together, so that nothing is judged in between."""
    told = [item for item in news if item[1].phase not in (Phase.SUSPECTED, Phase.REJECTED)]
    told.sort(key=_event_time)
    for instant, group in itertools.groupby(told, key=_event_time):
        yield instant, list(group)


def standing_after(standing: Standing, change: Change) -> Standing:
    """How a part stands after what it told, and since when."""
    if change.condition is ConditionState.ACTIVE:
        return Standing(change.condition, change.onset_time or change.event_time)
    return Standing(change.condition, change.event_time)


def _event_time(item: tuple[int, Change]) -> datetime:
    return item[1].event_time


def _put(states: States, index: int, state: State) -> States:
    if len(states) == 1:
        return (state,)
    return (*states[:index], state, *states[index + 1 :])
