"""On-delay and off-delay around any condition (ISA-18.2): how long before it counts, how long before it is over.

A deadline is the event time of the beginning plus the delay. It falls due when `now` reaches it, so a fire that
burns the sensor's cable still alarms; or earlier, when the same signal's later reading proves that the time passed,
so readings that come in a batch judge the same as they would have judged one by one.

Unknown during an on-delay changes nothing about it: it began, and nobody saw it end. Unknown during an off-delay
ends it: what cannot be seen is not proven to be gone, and the delay begins anew when the condition is known again.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from msgspec.structs import replace

from firewatch.model.alarm import ConditionState
from firewatch.model.observation import Observation, Quality, Value
from firewatch.rules.evaluator import NO_CHANGES, Change, Changes, Evaluator, Evidence, Finding, Phase
from firewatch.rules.states import DelayState, State

_ACTIVE = ConditionState.ACTIVE
_INACTIVE = ConditionState.INACTIVE
_UNKNOWN = ConditionState.UNKNOWN
_NO_DELAY = timedelta(0)


class DelayEvaluator:
    """Wraps an evaluator; its changes come through when they have lasted."""

    state_type = DelayState
    keeps_time = True

    def __init__(self, inner: Evaluator[Any], on_delay: timedelta, off_delay: timedelta) -> None:
        self._inner = inner
        self._on_delay = on_delay
        self._off_delay = off_delay
        self._inner_keeps_time = inner.keeps_time
        self.signals = inner.signals

    def initial(self) -> DelayState:
        """Nothing was heard, nothing is pending."""
        return DelayState(inner=self._inner.initial())

    def arm(self, state: DelayState, now: datetime) -> DelayState:
        """Delays keep their original start."""
        return _with_inner(state, self._inner.arm(state.inner, now))

    def observe(self, state: DelayState, observation: Observation, now: datetime) -> tuple[DelayState, Changes]:
        """Settle what the observation proves, then let the inner condition take it."""
        told = NO_CHANGES
        if state.deadline is not None and self._proves(state, observation):
            state, told = self._fall_due(state)
        inner, changes = self._inner.observe(state.inner, observation, now)
        if inner is not state.inner:
            state = _with_inner(state, inner)
        for change in changes:
            state, told = self._take(state, told, change)
        return state, told

    def wake(self, state: DelayState, now: datetime) -> tuple[DelayState, Changes]:
        """Settle what is due by now, earliest first."""
        told = NO_CHANGES
        while True:
            due, inner_due = state.deadline, self._inner.next_wake(state.inner)
            if inner_due is not None and inner_due <= now and (due is None or inner_due <= due):
                inner, changes = self._inner.wake(state.inner, now)
                state = _with_inner(state, inner)
                for change in changes:
                    state, told = self._take(state, told, change)
            elif due is not None and due <= now:
                state, fallen = self._fall_due(state)
                told = (*told, *fallen)
            else:
                return state, told

    def next_wake(self, state: DelayState) -> datetime | None:
        """The earlier of the deadline and the inner condition's wake."""
        due = state.deadline
        if not self._inner_keeps_time:
            return due
        inner_due = self._inner.next_wake(state.inner)
        if due is None or inner_due is None:
            return due or inner_due
        return min(due, inner_due)

    def explain(self, state: DelayState) -> Finding:
        """What is inside, and what is pending."""
        facts: dict[str, Value | datetime | timedelta] = {
            "on_delay": self._on_delay,
            "off_delay": self._off_delay,
            "standing": state.standing,
        }
        inside = (self._inner.explain(state.inner),)
        return Finding("delay", state.condition, (), state.onset_time, state.deadline, facts, inside)

    def _proves(self, state: DelayState, observation: Observation) -> bool:
        if observation.signal != state.pending_signal or state.deadline is None:
            return False
        return observation.event_time >= state.deadline and not (state.standing and observation.quality is Quality.BAD)

    def _fall_due(self, state: DelayState) -> tuple[DelayState, Changes]:
        assert state.deadline is not None
        assert state.evidence is not None
        deadline, evidence, onset = state.deadline, state.evidence, state.onset_time
        if state.standing:
            ended = DelayState(state.inner, condition=_INACTIVE)
            return ended, (Change(_INACTIVE, deadline, onset, evidence, Phase.INACTIVE),)
        changes: Changes = (Change(_ACTIVE, deadline, onset, evidence, Phase.ACTIVE),)
        condition = _ACTIVE
        if state.inner.condition is _UNKNOWN:
            condition = _UNKNOWN
            changes = (*changes, Change(_UNKNOWN, deadline, onset, evidence))
        return DelayState(state.inner, condition, standing=True, onset_time=onset), changes

    def _take(self, state: DelayState, told: Changes, change: Change) -> tuple[DelayState, Changes]:
        if change.phase is Phase.SUSPECTED or change.phase is Phase.REJECTED:
            return state, (*told, change)
        if change.condition is _ACTIVE:
            state, changes = self._take_active(state, change)
        elif change.condition is _INACTIVE:
            state, changes = self._take_inactive(state, change)
        else:
            state, changes = self._take_unknown(state, change)
        return state, (*told, *changes)

    def _take_active(self, state: DelayState, change: Change) -> tuple[DelayState, Changes]:
        if state.standing:
            known = DelayState(state.inner, _ACTIVE, standing=True, onset_time=state.onset_time)
            if state.condition is _ACTIVE:
                return known, NO_CHANGES
            return known, (Change(_ACTIVE, change.event_time, state.onset_time, change.evidence),)
        if state.deadline is not None:
            return state, NO_CHANGES
        onset = change.onset_time or change.event_time
        if self._on_delay == _NO_DELAY:
            return DelayState(state.inner, _ACTIVE, standing=True, onset_time=onset), (change,)
        return self._pending(replace(state, onset_time=onset), onset + self._on_delay, change.evidence), NO_CHANGES

    def _take_inactive(self, state: DelayState, change: Change) -> tuple[DelayState, Changes]:
        if state.standing and self._off_delay > _NO_DELAY:
            if state.deadline is not None:
                return state, NO_CHANGES
            return self._pending(state, change.event_time + self._off_delay, change.evidence), NO_CHANGES
        ended = DelayState(state.inner, condition=_INACTIVE)
        if state.standing:
            return ended, (replace(change, onset_time=state.onset_time),)
        inactive = NO_CHANGES if state.condition is _INACTIVE else (change,)
        if state.deadline is None:
            return ended, inactive
        # It did not last; whatever was begun on suspicion has to be undone.
        return ended, (replace(change, onset_time=state.onset_time, phase=Phase.REJECTED), *inactive)

    def _take_unknown(self, state: DelayState, change: Change) -> tuple[DelayState, Changes]:
        if not state.standing and state.deadline is not None:
            return state, NO_CHANGES
        unknown = replace(state, condition=_UNKNOWN, deadline=None, evidence=None, pending_signal=None)
        if state.condition is _UNKNOWN:
            return unknown, NO_CHANGES
        return unknown, (replace(change, onset_time=state.onset_time),)

    def _pending(self, state: DelayState, deadline: datetime, evidence: Evidence) -> DelayState:
        # Silence is counted by the engine's time, which no reading's event time can prove.
        proving = evidence.signal if evidence.value is not None else None
        return replace(state, deadline=deadline, evidence=evidence, pending_signal=proving)


def _with_inner(state: DelayState, inner: State) -> DelayState:
    if inner is state.inner:
        return state
    return DelayState(
        inner,
        state.condition,
        state.standing,
        state.onset_time,
        state.evidence,
        state.deadline,
        state.pending_signal,
    )
