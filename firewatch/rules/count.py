"""How often a condition became active in the time just past: a pump that starts too often is a leak."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from msgspec.structs import replace

from firewatch.model.alarm import ConditionState
from firewatch.model.observation import Observation
from firewatch.rules.evaluator import NO_CHANGES, Change, Changes, Evaluator, Evidence, Finding, change_to
from firewatch.rules.parts import News, Parts, by_instant, standing_after
from firewatch.rules.spec import CountSpec
from firewatch.rules.states import CountState

_ACTIVE = ConditionState.ACTIVE
_INACTIVE = ConditionState.INACTIVE
_UNKNOWN = ConditionState.UNKNOWN


class CountEvaluator:
    """Active while the last `at_least` beginnings lie less than `within` back.

    Every beginning is one, also those of several devices that are active together. While the condition inside cannot
    be judged, nobody knows whether there are enough, unless there are. It remembers `at_least` beginnings, a thousand
    at the most.
    """

    state_type = CountState
    keeps_time = True

    def __init__(self, inner: Evaluator[Any], spec: CountSpec) -> None:
        self._parts = Parts((inner,))
        self._at_least = spec.at_least
        self._within = spec.within
        self.signals = inner.signals

    def initial(self) -> CountState:
        """Nothing was heard."""
        return CountState(parts=self._parts.initial())

    def arm(self, state: CountState, now: datetime) -> CountState:
        """What began before still counts."""
        parts = self._parts.arm(state.parts, now)
        return state if parts is state.parts else replace(state, parts=parts)

    def observe(self, state: CountState, observation: Observation, now: datetime) -> tuple[CountState, Changes]:
        """Let the condition inside take the observation, and count."""
        parts, news = self._parts.observe(state.parts, observation, now)
        if parts is not state.parts:
            state = CountState(parts, state.seen, state.times, state.lapse_due, state.condition, state.onset_time)
        return self._told(state, news) if news else (state, NO_CHANGES)

    def wake(self, state: CountState, now: datetime) -> tuple[CountState, Changes]:
        """Wake the condition inside; are there still enough?"""
        parts, news = self._parts.wake(state.parts, now)
        if parts is not state.parts:
            state = replace(state, parts=parts)
        state, told = self._told(state, news)
        if state.lapse_due is not None and state.lapse_due <= now:
            state, more = self._lapsed(state, state.lapse_due)
            told = (*told, *more)
        return state, told

    def next_wake(self, state: CountState) -> datetime | None:
        """The earlier of the inner wake and of the time from which there are too few."""
        inner = self._parts.next_wake(state.parts)
        return min((due for due in (inner, state.lapse_due) if due is not None), default=None)

    def explain(self, state: CountState) -> Finding:
        """How many there are, of how many."""
        facts: dict[str, Any] = {"at_least": float(self._at_least), "within": self._within}
        if state.times:
            oldest = state.times[-1] - self._within
            facts["counted"] = float(sum(time > oldest for time in state.times))
            facts["last_time"] = state.times[-1]
        parts = self._parts.explain(state.parts)
        return Finding("count", state.condition, (), state.onset_time, state.lapse_due, facts, parts)

    def _told(self, state: CountState, news: News) -> tuple[CountState, Changes]:
        told = NO_CHANGES
        for _, group in by_instant(news):
            for _, change in group:
                state, more = self._take(state, change)
                told = (*told, *more)
        return state, told

    def _take(self, state: CountState, change: Change) -> tuple[CountState, Changes]:
        told = NO_CHANGES
        seen = standing_after(state.seen, change)
        if change.condition is not _ACTIVE:
            state = replace(state, seen=seen)
            if state.lapse_due is None and change.condition is not state.condition:
                return self._turned(state, change.condition, change.event_time, change.evidence)
            return state, told
        if state.lapse_due is not None and state.lapse_due <= change.event_time:
            state, told = self._lapsed(state, state.lapse_due)
        assert seen.since_time is not None
        times = tuple(sorted({*state.times, seen.since_time}))[-self._at_least :]
        state = replace(state, seen=seen, times=times)
        lapse_due = times[0] + self._within
        if len(times) < self._at_least or lapse_due <= times[-1]:
            return state, told
        state = replace(state, lapse_due=lapse_due)
        if state.condition is _ACTIVE:
            return state, told
        state, more = self._turned(state, _ACTIVE, change.event_time, change.evidence)
        return state, (*told, *more)

    def _lapsed(self, state: CountState, due: datetime) -> tuple[CountState, Changes]:
        condition = _UNKNOWN if state.seen.condition is _UNKNOWN else _INACTIVE
        evidence = Evidence(source_time=due, receive_time=due, signal=next(iter(self.signals), None))
        return self._turned(replace(state, lapse_due=None), condition, due, evidence)

    def _turned(
        self, state: CountState, condition: ConditionState, instant: datetime, evidence: Evidence
    ) -> tuple[CountState, Changes]:
        begun = state.times[-1] if state.times else None
        onset, change = change_to(condition, instant, state.onset_time, evidence, begun=begun)
        return replace(state, condition=condition, onset_time=onset), (change,)
