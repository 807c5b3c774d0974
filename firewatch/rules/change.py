"""A signal changes its value (`state_changed`), or does so all the time (`chatter`).

Both count changes within a time: one of the wanted kind, or many of any kind. What was unseen in between counts as
nothing: the value before it is compared with the value after.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

from msgspec.structs import replace

from firewatch.model.alarm import ConditionState
from firewatch.model.observation import Observation, Value
from firewatch.rules.evaluator import NO_CHANGES, Change, Changes, Evidence, Finding, Phase, evidence_of
from firewatch.rules.spec import ChatterSpec, StateChangedSpec
from firewatch.rules.states import ChangesState
from firewatch.rules.value import are_same, value_of

_ACTIVE = ConditionState.ACTIVE
_INACTIVE = ConditionState.INACTIVE
_UNKNOWN = ConditionState.UNKNOWN


class ChangesEvaluator:
    """Active from the change that makes it `least` within `within`, until `within` after the first of these.

    Then it is inactive, or unknown if the newest reading is of bad quality. A late reading that differs from the value
    read before and after it tells of two changes, to it and back; what lies before the newest known change is taken
    for a message delivered again. A state keeps the times of the newest `least` changes.
    """

    state_type = ChangesState
    keeps_time = True

    def __init__(
        self,
        kind: str,
        signal: str,
        least: int,
        within: timedelta,
        is_wanted: Callable[[Value, Value], bool],
        facts: dict[str, Value | datetime | timedelta],
    ) -> None:
        self.signals = (signal,)
        self._kind = kind
        self._least = least
        self._within = within
        self._is_wanted = is_wanted
        self._facts = facts

    def initial(self) -> ChangesState:
        """Nothing was heard."""
        return ChangesState()

    def arm(self, state: ChangesState, now: datetime) -> ChangesState:
        """What happened while firewatch was down is seen by the next reading."""
        del now
        return state

    def observe(self, state: ChangesState, observation: Observation, now: datetime) -> tuple[ChangesState, Changes]:
        """Has the value changed?"""
        del now
        value, event_time, newest = value_of(observation), observation.event_time, state.event_time
        if value is None:
            return self._unseen(state, observation)
        is_newest = newest is None or event_time >= newest
        times = self._times(state, value, event_time)
        condition, onset, told = state.condition, state.onset_time, NO_CHANGES
        if condition is not _ACTIVE and times is not state.times and self._counts(times, event_time):
            condition, onset = _ACTIVE, event_time
            told = (Change(_ACTIVE, event_time, onset, evidence_of(observation), Phase.ACTIVE),)
        elif condition is _UNKNOWN and is_newest:
            told = (Change(_INACTIVE, event_time, onset, evidence_of(observation), Phase.INACTIVE),)
            condition, onset = _INACTIVE, None
        since_time, read_time = state.since_time, state.read_time
        if read_time is None or event_time >= read_time:
            if state.value is None or not are_same(value, state.value):
                since_time = event_time
            read_time = event_time
        else:
            value = state.value
        after = ChangesState(
            condition,
            event_time if is_newest else newest,
            is_newest or state.is_known,
            value,
            since_time,
            read_time,
            times,
            onset,
        )
        return (state if newest is not None and event_time <= newest and after == state else after), told

    def wake(self, state: ChangesState, now: datetime) -> tuple[ChangesState, Changes]:
        """The changes are too long ago."""
        due = self.next_wake(state)
        if due is None or due > now:
            return state, NO_CHANGES
        evidence = Evidence(source_time=due, receive_time=due, signal=self.signals[0])
        if not state.is_known:
            return replace(state, condition=_UNKNOWN), (Change(_UNKNOWN, due, state.onset_time, evidence),)
        change = Change(_INACTIVE, due, state.onset_time, evidence, Phase.INACTIVE)
        return replace(state, condition=_INACTIVE, onset_time=None), (change,)

    def next_wake(self, state: ChangesState) -> datetime | None:
        """When the first of the changes that make it active is too long ago."""
        return state.times[0] + self._within if state.condition is _ACTIVE else None

    def explain(self, state: ChangesState) -> Finding:
        """The value, since when, and how many changes count."""
        facts = dict(self._facts)
        if state.value is not None and state.since_time is not None and state.event_time is not None:
            recent = [time for time in state.times if state.event_time < time + self._within]
            facts |= {"value": state.value, "since_time": state.since_time, "counted": float(len(recent))}
        if state.times:
            facts["changed_time"] = state.times[-1]
        return Finding(self._kind, state.condition, self.signals, state.onset_time, self.next_wake(state), facts)

    def _unseen(self, state: ChangesState, observation: Observation) -> tuple[ChangesState, Changes]:
        event_time, newest = observation.event_time, state.event_time
        if newest is not None and (event_time < newest or (event_time == newest and not state.is_known)):
            return state, NO_CHANGES
        if state.condition is not _INACTIVE:
            return replace(state, event_time=event_time, is_known=False), NO_CHANGES
        change = Change(_UNKNOWN, event_time, None, evidence_of(observation))
        return replace(state, condition=_UNKNOWN, event_time=event_time, is_known=False), (change,)

    def _times(self, state: ChangesState, value: Value, event_time: datetime) -> tuple[datetime, ...]:
        """The times of the newest changes, with what this reading adds to them."""
        times, since_time, read_time = state.times, state.since_time, state.read_time
        if state.value is None or since_time is None or read_time is None or are_same(value, state.value):
            return times
        shifts = [(state.value, value)]
        if event_time < read_time:
            if event_time <= since_time or (times and event_time <= times[-1]):
                return times
            shifts.append((value, state.value))
        wanted = sum(self._is_wanted(*shift) for shift in shifts)
        return (*times, *[event_time] * wanted)[-self._least :] if wanted else times

    def _counts(self, times: tuple[datetime, ...], event_time: datetime) -> bool:
        return len(times) == self._least and event_time < times[0] + self._within


class StateChangedEvaluator(ChangesEvaluator):
    """Active for `hold` after a change from one of the named values to another; another such change prolongs it."""

    def __init__(self, signal: str, spec: StateChangedSpec) -> None:
        froms, tos = (frozenset((type(value), value) for value in values) for values in (spec.from_, spec.to))

        def is_wanted(before: Value, after: Value) -> bool:
            return (not froms or (type(before), before) in froms) and (not tos or (type(after), after) in tos)

        facts: dict[str, Value | datetime | timedelta] = {"hold": spec.hold}
        facts |= {name: _listed(values) for name, values in (("from", spec.from_), ("to", spec.to)) if values}
        super().__init__("state_changed", signal, 1, spec.hold, is_wanted, facts)


class ChatterEvaluator(ChangesEvaluator):
    """Active while the signal changes its value again and again."""

    def __init__(self, signal: str, spec: ChatterSpec) -> None:
        facts: dict[str, Value | datetime | timedelta] = {"changes": float(spec.changes), "within": spec.within}
        super().__init__("chatter", signal, spec.changes, spec.within, lambda before, after: True, facts)


def _listed(values: Sequence[Value]) -> str:
    return ", ".join(str(value).lower() for value in values)
