"""What limits and states have in common, and what follows once a reading is `judged`, by its event time.

Late readings: one older than the newest seen may begin a new active time, but says nothing about an active time
that was already told (it is then a message delivered again), and never ends one. Nor does the newest, delivered again.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from datetime import datetime, timedelta
from typing import Generic, TypeVar

from firewatch.model.alarm import ConditionState
from firewatch.model.observation import Observation, Quality, Value
from firewatch.rules.evaluator import NO_CHANGES, Change, Changes, Finding, Phase, evidence_of
from firewatch.rules.states import ReadingState

_BAD = Quality.BAD
_ACTIVE = ConditionState.ACTIVE
_INACTIVE = ConditionState.INACTIVE
_UNKNOWN = ConditionState.UNKNOWN

S = TypeVar("S")


class Untimed(Generic[S]):
    """What evaluators have in common that judge by readings alone: one holds until the next one comes."""

    keeps_time = False

    def arm(self, state: S, now: datetime) -> S:
        """A reading holds until the next one, however long firewatch was down."""
        del now
        return state

    def wake(self, state: S, now: datetime) -> tuple[S, Changes]:
        """Time alone changes nothing."""
        del now
        return state, NO_CHANGES

    def next_wake(self, state: S) -> None:
        """Time alone changes nothing."""
        del state


class ReadingEvaluator(Untimed[ReadingState], ABC):
    """An evaluator of one signal whose readings are judged one by one."""

    state_type = ReadingState

    def __init__(self, kind: str, signal: str) -> None:
        self.kind = kind
        self.signals: tuple[str, ...] = (signal,)

    @abstractmethod
    def judge(self, value: Value | None, *, was_active: bool) -> bool | None:
        """Whether a reading makes the condition active; None if that cannot be said of such a value."""

    @property
    @abstractmethod
    def facts(self) -> dict[str, Value | datetime | timedelta]:
        """What a reading is compared with."""

    def initial(self) -> ReadingState:
        """Nothing was heard."""
        return ReadingState()

    def explain(self, state: ReadingState) -> Finding:
        """The last reading decides."""
        return Finding(self.kind, state.condition, self.signals, state.standing_since, facts=self.facts)

    def observe(self, state: ReadingState, observation: Observation, now: datetime) -> tuple[ReadingState, Changes]:
        """Judge one reading."""
        del now
        was_active = state.onset_time is not None and state.cleared_time is None
        active = None if observation.quality is _BAD else self.judge(observation.value, was_active=was_active)
        return judged(state, active, observation.event_time, observation)


def judged(
    state: ReadingState, active: bool | None, event_time: datetime, observation: Observation
) -> tuple[ReadingState, Changes]:
    """What follows from an observation that makes the condition `active`, or unknown, as of `event_time`."""
    newest = state.event_time
    onset = state.onset_time
    was_active = onset is not None and state.cleared_time is None
    if newest is not None and event_time < newest:
        if active and not _already_told(state, event_time):
            return _begin(event_time, newest, observation)
        return state, NO_CHANGES
    if event_time == newest and state.overruled:
        return state, NO_CHANGES
    condition = _UNKNOWN if active is None else _ACTIVE if active else _INACTIVE
    if condition is state.condition:
        if event_time == newest:
            return state, NO_CHANGES
        return ReadingState(condition, event_time, onset, state.cleared_time), NO_CHANGES
    if condition is _ACTIVE and not was_active:
        return _begin(event_time, event_time, observation)
    cleared = condition is _INACTIVE and was_active
    change = Change(
        condition, event_time, onset, evidence_of(observation), Phase.INACTIVE if condition is _INACTIVE else None
    )
    return ReadingState(condition, event_time, onset, event_time if cleared else state.cleared_time), (change,)


def _begin(onset: datetime, newest: datetime, observation: Observation) -> tuple[ReadingState, Changes]:
    change = Change(_ACTIVE, onset, onset, evidence_of(observation), Phase.ACTIVE)
    return ReadingState(_ACTIVE, newest, onset, overruled=onset < newest), (change,)


def _already_told(state: ReadingState, event_time: datetime) -> bool:
    if state.onset_time is None:
        return False
    return state.cleared_time is None or state.onset_time <= event_time <= state.cleared_time
