"""Several conditions at once: `k_of_n`, and the "any of them" of a rule that matches several devices of an asset.

What fire practice calls linkage needs two independent triggers (GB 50116-2013, 4.1.6); this is where they meet.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from msgspec.structs import replace

from firewatch.model.alarm import ConditionState
from firewatch.model.observation import Observation, Value
from firewatch.rules.evaluator import NO_CHANGES, Change, Changes, Evaluator, Evidence, Finding, Phase
from firewatch.rules.states import CoincidenceState, Span, State

_ACTIVE = ConditionState.ACTIVE
_INACTIVE = ConditionState.INACTIVE
_UNKNOWN = ConditionState.UNKNOWN
_RANK = {_INACTIVE: 0, _UNKNOWN: 1, _ACTIVE: 2}


class CoincidenceEvaluator:
    """Active while at least `k` leaves are active, or were less than `within` ago.

    Unknown while leaves that cannot be judged could make up the missing ones: with two detectors needed, one
    tripped and one whose cable is cut, nobody can say that there is no coincidence.
    With `tell_each` every further leaf that becomes active is told again, so that the acknowledgement of one
    device's alarm does not hide the next device's.
    """

    state_type = CoincidenceState

    def __init__(self, leaves: Sequence[Evaluator[Any]], k: int, within: timedelta, *, tell_each: bool = False) -> None:
        self._leaves = tuple(leaves)
        self._k = k
        self._within = within
        self._tell_each = tell_each
        self._timed = tuple((index, leaf) for index, leaf in enumerate(self._leaves) if leaf.keeps_time)
        self.keeps_time = within > timedelta(0) or bool(self._timed)
        routes: dict[str, list[int]] = {}
        for index, leaf in enumerate(self._leaves):
            for signal in leaf.signals:
                routes.setdefault(signal, []).append(index)
        self._routes = {signal: tuple(indexes) for signal, indexes in routes.items()}
        self.signals = tuple(routes)

    def initial(self) -> CoincidenceState:
        """Nothing was heard."""
        return CoincidenceState(
            leaves=tuple(leaf.initial() for leaf in self._leaves), spans=(None,) * len(self._leaves)
        )

    def arm(self, state: CoincidenceState, now: datetime) -> CoincidenceState:
        """Arm every leaf."""
        for index, leaf in self._timed:
            state = _with_leaf(state, index, leaf.arm(state.leaves[index], now))
        return state

    def observe(
        self, state: CoincidenceState, observation: Observation, now: datetime
    ) -> tuple[CoincidenceState, Changes]:
        """Let the leaves that want it take the observation."""
        told = NO_CHANGES
        for index in self._routes[observation.signal]:
            before = state.leaves[index]
            inner, changes = self._leaves[index].observe(before, observation, now)
            if inner is not before:
                state = _with_leaf(state, index, inner)
            if changes:
                state, told = self._take(state, told, index, changes)
        return state, told

    def wake(self, state: CoincidenceState, now: datetime) -> tuple[CoincidenceState, Changes]:
        """Wake the leaves that are due, then let spans lapse."""
        told = NO_CHANGES
        for index, leaf in self._timed:
            due = leaf.next_wake(state.leaves[index])
            if due is not None and due <= now:
                inner, changes = leaf.wake(state.leaves[index], now)
                state, told = self._take(_with_leaf(state, index, inner), told, index, changes)
        if state.lapse_due is not None and state.lapse_due <= now:
            silence = Evidence(source_time=state.lapse_due, receive_time=now)
            state, told = self._judge(state, told, Change(_INACTIVE, now, None, silence, Phase.INACTIVE))
        return state, told

    def next_wake(self, state: CoincidenceState) -> datetime | None:
        """The earliest of the leaves' wakes and the next lapse of a span."""
        earliest = state.lapse_due
        for index, leaf in self._timed:
            due = leaf.next_wake(state.leaves[index])
            if due is not None and (earliest is None or due < earliest):
                earliest = due
        return earliest

    def explain(self, state: CoincidenceState) -> Finding:
        """Every leaf, and how many have to be active."""
        parts = tuple(leaf.explain(kept) for leaf, kept in zip(self._leaves, state.leaves, strict=True))
        facts: dict[str, Value | datetime | timedelta] = {"k": float(self._k), "within": self._within}
        kind = "any" if self._tell_each else "k_of_n"
        return Finding(
            kind, state.condition, onset_time=state.onset_time, due=state.lapse_due, facts=facts, parts=parts
        )

    def _take(
        self, state: CoincidenceState, told: Changes, index: int, changes: Changes
    ) -> tuple[CoincidenceState, Changes]:
        for change in changes:
            if change.phase is Phase.SUSPECTED or change.phase is Phase.REJECTED:
                told = (*told, change)
                continue
            before = state.spans[index]
            state = replace(state, spans=_put(state.spans, index, _span_after(before, change)))
            anew = change.condition is _ACTIVE and (before is None or before.onset_time != change.onset_time)
            state, told = self._judge(state, told, change, anew=anew)
        return state, told

    def _judge(
        self, state: CoincidenceState, told: Changes, change: Change, *, anew: bool = False
    ) -> tuple[CoincidenceState, Changes]:
        raising = change.condition is _ACTIVE
        newest = change.event_time if state.judged_time is None else max(change.event_time, state.judged_time)
        # A leaf that rises is judged by its own time, which may be late; what sinks, by the newest time known.
        at = change.event_time if raising else newest
        condition, lapse_due = self._count(state, at)
        if raising and _RANK[condition] < _RANK[state.condition]:
            condition, lapse_due = state.condition, state.lapse_due
        state = replace(state, judged_time=newest, lapse_due=None if condition is _INACTIVE else lapse_due)
        again = anew and self._tell_each
        if condition is state.condition and not (again and condition is _ACTIVE):
            return state, told
        if condition is _ACTIVE:
            begins = again or state.onset_time is None
            onset = state.onset_time if not begins else change.onset_time if self._tell_each else at
            told = (*told, Change(_ACTIVE, at, onset, change.evidence, Phase.ACTIVE if begins else None))
            return replace(state, condition=_ACTIVE, onset_time=onset), told
        phase = Phase.INACTIVE if condition is _INACTIVE else None
        told = (*told, Change(condition, at, state.onset_time, change.evidence, phase))
        return replace(
            state, condition=condition, onset_time=None if condition is _INACTIVE else state.onset_time
        ), told

    def _count(self, state: CoincidenceState, at: datetime) -> tuple[ConditionState, datetime | None]:
        active = possible = 0
        lapse_due: datetime | None = None
        for leaf, span in zip(state.leaves, state.spans, strict=True):
            if leaf.condition is _ACTIVE:
                active += 1
            elif span is not None and span.until_time is not None and self._counts(span, span.until_time, at):
                active += 1
                lapses = span.until_time + self._within
                lapse_due = lapses if lapse_due is None else min(lapse_due, lapses)
            elif leaf.condition is _UNKNOWN:
                possible += 1
        if active >= self._k:
            return _ACTIVE, lapse_due
        return (_UNKNOWN if active + possible >= self._k else _INACTIVE), lapse_due

    def _counts(self, span: Span, until: datetime, at: datetime) -> bool:
        return span.onset_time - self._within < at < until + self._within


def _span_after(span: Span | None, change: Change) -> Span | None:
    if change.condition is _ACTIVE:
        return Span(change.onset_time or change.event_time)
    if span is not None and span.until_time is None:
        return Span(span.onset_time, change.event_time)
    return span


def _put(items: tuple[Any, ...], index: int, item: Any) -> tuple[Any, ...]:
    return (*items[:index], item, *items[index + 1 :])


def _with_leaf(state: CoincidenceState, index: int, inner: State) -> CoincidenceState:
    return CoincidenceState(
        _put(state.leaves, index, inner),
        state.spans,
        state.condition,
        state.onset_time,
        state.judged_time,
        state.lapse_due,
    )
