"""For what share of the time just past a condition was active: a jockey pump that hardly rests any more."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any

from msgspec.structs import replace

from firewatch.model.alarm import ConditionState
from firewatch.model.observation import Observation
from firewatch.rules.evaluator import NO_CHANGES, Change, Changes, Evaluator, Evidence, Finding, change_to
from firewatch.rules.parts import News, Parts, by_instant
from firewatch.rules.spec import DutyCycleSpec
from firewatch.rules.states import DutyCycleState, Standing

_ACTIVE = ConditionState.ACTIVE
_INACTIVE = ConditionState.INACTIVE
_UNKNOWN = ConditionState.UNKNOWN

_SPANS_KEPT = 256
"""How many changes of the inner condition are remembered one by one. With more of them within the window, the two
neighbours that took the shortest time are joined, keeping for how long it was active; it bounds the state.
"""

_NO_TIME = timedelta(0)
_TICK = timedelta(microseconds=1)


class DutyCycleEvaluator:
    """Active while the condition inside was active for more than `share` of the last `within`.

    Time in which it could not be judged (and all time before firewatch first heard of it) may have been active: unknown
    while that decides. A condition stands until it is told otherwise, so the share also grows by time alone.
    """

    state_type = DutyCycleState
    keeps_time = True

    def __init__(self, inner: Evaluator[Any], spec: DutyCycleSpec) -> None:
        self._parts = Parts((inner,))
        self._share = spec.share
        self._within = spec.within
        self._limit = spec.within * spec.share
        self.signals = inner.signals

    def initial(self) -> DutyCycleState:
        """Nothing was heard."""
        return DutyCycleState(parts=self._parts.initial())

    def arm(self, state: DutyCycleState, now: datetime) -> DutyCycleState:
        """The condition inside stood as it did while firewatch was down, as far as anybody knows."""
        parts = self._parts.arm(state.parts, now)
        return state if parts is state.parts else replace(state, parts=parts)

    def observe(self, state: DutyCycleState, observation: Observation, now: datetime) -> tuple[DutyCycleState, Changes]:
        """Let the condition inside take the observation."""
        parts, news = self._parts.observe(state.parts, observation, now)
        if parts is not state.parts:
            state = DutyCycleState(parts, state.spans, state.judged_time, state.due, state.condition, state.onset_time)
        return self._told(state, news) if news else (state, NO_CHANGES)

    def wake(self, state: DutyCycleState, now: datetime) -> tuple[DutyCycleState, Changes]:
        """Wake the condition inside; is the share another one by now?"""
        parts, news = self._parts.wake(state.parts, now)
        if parts is not state.parts:
            state = replace(state, parts=parts)
        state, told = self._told(state, news)
        return self._settled(state, told, now)

    def next_wake(self, state: DutyCycleState) -> datetime | None:
        """The earlier of the inner wake and of the time at which the share passes the limit."""
        inner = self._parts.next_wake(state.parts)
        return min((due for due in (inner, state.due) if due is not None), default=None)

    def explain(self, state: DutyCycleState) -> Finding:
        """The share, when it was last judged."""
        facts: dict[str, Any] = {"share": self._share, "within": self._within}
        if state.judged_time is not None:
            active, unknown = _durations(state.spans, state.judged_time, self._within)
            facts |= {"active": active, "unknown": unknown, "judged_time": state.judged_time}
        parts = self._parts.explain(state.parts)
        return Finding("duty_cycle", state.condition, (), state.onset_time, state.due, facts, parts)

    def _told(self, state: DutyCycleState, news: News) -> tuple[DutyCycleState, Changes]:
        told = NO_CHANGES
        for instant, group in by_instant(news):
            state, told = self._settled(state, told, instant - _TICK)
            state, more = self._take(state, group[-1][1])
            told = (*told, *more)
        return state, told

    def _take(self, state: DutyCycleState, change: Change) -> tuple[DutyCycleState, Changes]:
        spans = state.spans
        if spans and spans[-1].condition is change.condition:
            return state, NO_CHANGES
        # A beginning that is heard of late counts from what is already known on.
        since = max(change.event_time, spans[-1].since_time) if spans and spans[-1].since_time else change.event_time
        instant = since if state.judged_time is None else max(since, state.judged_time)
        spans = _bounded(_within(_added(spans, Standing(change.condition, since)), instant - self._within))
        return self._judged(replace(state, spans=spans), instant, change.evidence)

    def _settled(self, state: DutyCycleState, told: Changes, until: datetime) -> tuple[DutyCycleState, Changes]:
        while state.due is not None and state.due <= until:
            evidence = Evidence(source_time=state.due, receive_time=state.due, signal=next(iter(self.signals), None))
            state, more = self._judged(state, state.due, evidence)
            told = (*told, *more)
        return state, told

    def _judged(self, state: DutyCycleState, instant: datetime, evidence: Evidence) -> tuple[DutyCycleState, Changes]:
        active, unknown = _durations(state.spans, instant, self._within)
        condition = self._condition(active, unknown)
        state = replace(state, judged_time=instant, due=self._next_turn(state.spans, instant))
        if condition is state.condition:
            return state, NO_CHANGES
        onset, change = change_to(condition, instant, state.onset_time, evidence, begun=instant)
        return replace(state, condition=condition, onset_time=onset), (change,)

    def _condition(self, active: timedelta, unknown: timedelta) -> ConditionState:
        if active > self._limit:
            return _ACTIVE
        return _INACTIVE if active + unknown <= self._limit else _UNKNOWN

    def _next_turn(self, spans: Sequence[Standing], instant: datetime) -> datetime | None:
        """When the answer will be another one if the inner condition stands as it does.

        Between two instants at which a span's beginning leaves the window, each duration grows or shrinks steadily.
        """
        entering = spans[-1].condition
        active, unknown = _durations(spans, instant, self._within)
        above, possibly = active - self._limit, active + unknown - self._limit
        for start, end, leaving in _segments(spans, instant, self._within):
            grows, may_grow = _slope(entering, leaving, _ACTIVE), -_slope(entering, leaving, _INACTIVE)
            turns = [turn for turn in (_passes(above, grows), _passes(possibly, may_grow)) if turn is not None]
            if turns and (end is None or start + min(turns) <= end):
                return start + min(turns)
            if end is not None:
                above += grows * (end - start)
                possibly += may_grow * (end - start)
        return None


def _segments(
    spans: Sequence[Standing], instant: datetime, within: timedelta
) -> Iterator[tuple[datetime, datetime | None, ConditionState]]:
    """From when to when the far end of the window lies in one span, and how the inner condition stood there."""
    start, first = instant, _UNKNOWN
    for span in spans:
        assert span.since_time is not None
        end = span.since_time + within
        if end > start:
            yield start, end, first
            start = end
        first = span.condition
    yield start, None, first


def _slope(entering: ConditionState, leaving: ConditionState, sought: ConditionState) -> int:
    """How the time that was `sought` changes while the window moves on."""
    return (entering is sought) - (leaving is sought)


def _passes(above: timedelta, slope: int) -> timedelta | None:
    """After how long something that is `above` a limit by so much (or below) is on the other side of it."""
    if slope > 0 and above <= _NO_TIME:
        return _TICK - above
    if slope < 0 and above > _NO_TIME:
        return above
    return None


def _durations(spans: Sequence[Standing], instant: datetime, within: timedelta) -> tuple[timedelta, timedelta]:
    """For how long of the time up to an instant it was active, and for how long that is unknown."""
    start = instant - within
    known = active = _NO_TIME
    end = instant
    for span in reversed(spans):
        assert span.since_time is not None
        since = max(span.since_time, start)
        if since < end:
            if span.condition is not _UNKNOWN:
                known += end - since
            if span.condition is _ACTIVE:
                active += end - since
            end = since
        if span.since_time <= start:
            break
    return active, within - known


def _added(spans: tuple[Standing, ...], span: Standing) -> tuple[Standing, ...]:
    """The spans with one more; one that took no time is no span."""
    if spans and spans[-1].since_time == span.since_time:
        spans = spans[:-1]
        if spans and spans[-1].condition is span.condition:
            return spans
    return (*spans, span)


def _within(spans: tuple[Standing, ...], start: datetime) -> tuple[Standing, ...]:
    """Without those that ended before the window began."""
    while len(spans) > 1 and spans[1].since_time is not None and spans[1].since_time <= start:
        spans = spans[1:]
    return spans


def _bounded(spans: tuple[Standing, ...]) -> tuple[Standing, ...]:
    if len(spans) <= _SPANS_KEPT:
        return spans
    joinable = [
        (end.since_time - one.since_time, index)
        for index, (one, _, other, end) in enumerate(zip(spans, spans[1:], spans[2:], spans[3:], strict=False))
        if one.condition is other.condition and end.since_time is not None and one.since_time is not None
    ]
    if not joinable:
        return spans[1:]
    _, index = min(joinable)
    one, between, other, end = spans[index : index + 4]
    assert between.since_time is not None
    assert other.since_time is not None
    assert end.since_time is not None
    later = Standing(between.condition, between.since_time + (end.since_time - other.since_time))
    rest = spans[index + 4 :] if end.condition is between.condition else spans[index + 3 :]
    return (*spans[:index], one, later, *rest)
