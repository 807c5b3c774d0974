"""One condition after another: `first`, then within a time another one, or that other one missing.

Unknown in between changes nothing about what was seen to begin. If the second condition is seen active after it could
not be judged, nobody can say when it began: the sequence is unknown until it ends.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, TypeVar

from msgspec.structs import replace

from firewatch.model.alarm import ConditionState
from firewatch.model.observation import Observation
from firewatch.rules.evaluator import NO_CHANGES, Change, Changes, Evaluator, Evidence, Finding, change_to
from firewatch.rules.logic import Formula, LogicEvaluator
from firewatch.rules.parts import News, Parts, by_instant, standing_after
from firewatch.rules.states import LogicState, OmissionState, SequenceState, Standing, State

_ACTIVE = ConditionState.ACTIVE
_INACTIVE = ConditionState.INACTIVE
_UNKNOWN = ConditionState.UNKNOWN

_FIRST_TIMES_KEPT = 16
"""How many beginnings of `first` are remembered, for a `then` that is heard of late; it bounds the state."""

_FIRST, _SECOND = 0, 1
_NOT = Formula("not", (Formula(leaf=0),))


class SequenceEvaluator:
    """Active while `then` is, if that began no earlier than `first` and no more than `within` later."""

    state_type = SequenceState

    def __init__(self, first: Evaluator[Any], then: Evaluator[Any], within: timedelta) -> None:
        self._parts = Parts((first, then))
        self._within = within
        self.signals = self._parts.signals
        self.keeps_time = self._parts.keeps_time

    def initial(self) -> SequenceState:
        """Nothing was heard."""
        return SequenceState(parts=self._parts.initial(), seen=(Standing(), Standing()))

    def arm(self, state: SequenceState, now: datetime) -> SequenceState:
        """Arm both."""
        return _with_parts(state, self._parts.arm(state.parts, now))

    def observe(self, state: SequenceState, observation: Observation, now: datetime) -> tuple[SequenceState, Changes]:
        """Let both take the observation."""
        parts, news = self._parts.observe(state.parts, observation, now)
        state = _with_parts(state, parts)
        return self._told(state, news) if news else (state, NO_CHANGES)

    def wake(self, state: SequenceState, now: datetime) -> tuple[SequenceState, Changes]:
        """Wake what is due."""
        parts, news = self._parts.wake(state.parts, now)
        return self._told(_with_parts(state, parts), news)

    def next_wake(self, state: SequenceState) -> datetime | None:
        """The earlier wake of both."""
        return self._parts.next_wake(state.parts)

    def explain(self, state: SequenceState) -> Finding:
        """Both, and when `first` last began."""
        facts: dict[str, Any] = {"ending": "then", "within": self._within}
        if state.first_times:
            facts["first_time"] = state.first_times[-1]
        parts = self._parts.explain(state.parts)
        return Finding("sequence", state.condition, onset_time=state.onset_time, facts=facts, parts=parts)

    def _told(self, state: SequenceState, news: News) -> tuple[SequenceState, Changes]:
        told = NO_CHANGES
        for instant, group in by_instant(news):
            seen, first_times = list(state.seen), state.first_times
            for index, change in group:
                before, seen[index] = seen[index], standing_after(seen[index], change)
                begun = seen[index].since_time
                if index == _FIRST and change.condition is _ACTIVE and begun != before.since_time and begun is not None:
                    first_times = _with_time(first_times, begun)
            then = seen[_SECOND]
            followed = then.condition is not _INACTIVE and (
                state.followed or (then.condition is _ACTIVE and self._follows(first_times, then.since_time))
            )
            state = replace(state, seen=tuple(seen), first_times=first_times, followed=followed)
            may_clear = any(change.condition is _INACTIVE for _, change in group)
            state, more = self._judged(state, instant, group[-1][1], may_clear=may_clear)
            told = (*told, *more)
        return state, told

    def _follows(self, first_times: Sequence[datetime], then_time: datetime | None) -> bool:
        return then_time is not None and any(first <= then_time <= first + self._within for first in first_times)

    def _judged(
        self, state: SequenceState, instant: datetime, cause: Change, *, may_clear: bool
    ) -> tuple[SequenceState, Changes]:
        first, then = state.seen
        condition = then.condition
        if condition is _ACTIVE and not state.followed:
            condition = _UNKNOWN if first.condition is _UNKNOWN else _INACTIVE
        if condition is state.condition or (condition is _INACTIVE and not may_clear):
            return state, NO_CHANGES
        onset, change = change_to(condition, instant, state.onset_time, cause.evidence, begun=then.since_time)
        return replace(state, condition=condition, onset_time=onset), (change,)


class OmissionEvaluator:
    """Active from `within` after `first` began, if `second` was not active in that time, until it is, or `first` is
    over. A `second` that is active already has happened.

    The time is over when `now` reaches it, as for an on-delay: it began, and if nobody sees it any more it is still
    told, and then unknown.
    """

    state_type = OmissionState
    keeps_time = True

    def __init__(self, first: Evaluator[Any], second: Evaluator[Any], within: timedelta) -> None:
        self._parts = Parts((first, LogicEvaluator(_NOT, [second])))
        self._within = within
        self._awaited = next(iter(second.signals), None)
        self.signals = self._parts.signals

    def initial(self) -> OmissionState:
        """Nothing was heard."""
        return OmissionState(parts=self._parts.initial(), seen=(Standing(), Standing()))

    def arm(self, state: OmissionState, now: datetime) -> OmissionState:
        """Arm both; what has to follow keeps its time."""
        return _with_parts(state, self._parts.arm(state.parts, now))

    def observe(self, state: OmissionState, observation: Observation, now: datetime) -> tuple[OmissionState, Changes]:
        """Let both take the observation."""
        parts, news = self._parts.observe(state.parts, observation, now)
        state = _with_parts(state, parts)
        return self._told(state, news) if news else (state, NO_CHANGES)

    def wake(self, state: OmissionState, now: datetime) -> tuple[OmissionState, Changes]:
        """Wake what is due; did it follow in time?"""
        parts, news = self._parts.wake(state.parts, now)
        state, told = self._told(_with_parts(state, parts), news)
        if state.due is not None and state.due <= now:
            state, more = self._fall_due(state, state.due)
            told = (*told, *more)
        return state, told

    def next_wake(self, state: OmissionState) -> datetime | None:
        """The earliest of both wakes and the end of the time."""
        inner = self._parts.next_wake(state.parts)
        return min((due for due in (inner, state.due) if due is not None), default=None)

    def explain(self, state: OmissionState) -> Finding:
        """Both, and until when the second has to follow."""
        facts: dict[str, Any] = {"ending": "without", "within": self._within}
        parts = self._parts.explain(state.parts)
        return Finding("sequence", state.condition, (), state.onset_time, state.due, facts, parts)

    def _told(self, state: OmissionState, news: News) -> tuple[OmissionState, Changes]:
        told = NO_CHANGES
        for instant, group in by_instant(news):
            if state.due is not None and state.due < instant:
                state, more = self._fall_due(state, state.due)
                told = (*told, *more)
            seen = list(state.seen)
            for index, change in group:
                seen[index] = standing_after(seen[index], change)
            state = _timed(replace(state, seen=tuple(seen)), self._within)
            may_clear = any(change.condition is _INACTIVE for _, change in group)
            state, more = self._judged(state, instant, group[-1][1].evidence, may_clear=may_clear)
            told = (*told, *more)
        return state, told

    def _fall_due(self, state: OmissionState, due: datetime) -> tuple[OmissionState, Changes]:
        awaited = state.parts[_SECOND]
        assert isinstance(awaited, LogicState)
        if awaited.leaves[0].condition is _ACTIVE:  # it did follow, and that was heard late
            return replace(state, due=None), NO_CHANGES
        state = replace(state, due=None, overdue=True)
        silence = Evidence(source_time=due, receive_time=due, signal=self._awaited)
        told = NO_CHANGES
        if state.seen[_FIRST].condition is _UNKNOWN and state.seen[_SECOND].condition is _ACTIVE:
            onset, change = change_to(_ACTIVE, due, state.onset_time, silence, begun=due)
            state, told = replace(state, condition=_ACTIVE, onset_time=onset), (change,)
        state, more = self._judged(state, due, silence, may_clear=True)
        return state, (*told, *more)

    def _judged(
        self, state: OmissionState, instant: datetime, evidence: Evidence, *, may_clear: bool
    ) -> tuple[OmissionState, Changes]:
        condition = self._condition(state)
        if condition is state.condition or (condition is _INACTIVE and not may_clear):
            return state, NO_CHANGES
        onset, change = change_to(condition, instant, state.onset_time, evidence, begun=instant)
        return replace(state, condition=condition, onset_time=onset), (change,)

    def _condition(self, state: OmissionState) -> ConditionState:
        first, absent = state.seen
        if first.condition is _INACTIVE or absent.condition is _INACTIVE:
            return _INACTIVE
        if state.overdue:
            return _UNKNOWN if first.condition is _UNKNOWN else absent.condition
        return _INACTIVE if first.condition is _ACTIVE or state.due is not None else _UNKNOWN


def _timed(state: OmissionState, within: timedelta) -> OmissionState:
    """The timer begins with `first`, and ends with it or when it was followed."""
    first, absent = state.seen
    if first.condition is _INACTIVE or absent.condition is _INACTIVE:
        state = replace(state, due=None, overdue=False)
    if first.condition is not _ACTIVE or first.since_time is None or first.since_time == state.first_time:
        return state
    state = replace(state, first_time=first.since_time)
    if absent.condition is _INACTIVE or state.overdue or state.due is not None:
        return state
    return replace(state, due=first.since_time + within)


def _with_time(times: tuple[datetime, ...], time: datetime) -> tuple[datetime, ...]:
    return tuple(sorted({*times, time}))[-_FIRST_TIMES_KEPT:]


S = TypeVar("S", SequenceState, OmissionState)


def _with_parts(state: S, parts: tuple[State, ...]) -> S:
    return state if parts is state.parts else replace(state, parts=parts)
