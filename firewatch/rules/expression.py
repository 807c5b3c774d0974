"""A CEL expression over the values of signals, for what the forms of conditions do not cover."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from firewatch.model.alarm import ConditionState
from firewatch.model.observation import Observation, Value
from firewatch.model.site import SignalType
from firewatch.rules.cel_language import compile_expression
from firewatch.rules.evaluator import NO_CHANGES, Changes, Finding, change_to, evidence_of
from firewatch.rules.spec import ExpressionSpec
from firewatch.rules.states import ExpressionState, Heard
from firewatch.rules.value import value_of

_ACTIVE = ConditionState.ACTIVE
_INACTIVE = ConditionState.INACTIVE
_UNKNOWN = ConditionState.UNKNOWN

_PYTHON_TYPES = {SignalType.NUMBER: float, SignalType.BOOLEAN: bool, SignalType.STATE: str}


class ExpressionEvaluator:
    """Active while the expression is true of the newest values of its signals.

    Unknown while one of them was not heard, is of bad quality or of another type, or is older than the newest by more
    than `max_age`. A late reading is passed over: with which values of the others would it be judged?
    """

    state_type = ExpressionState
    keeps_time = False

    def __init__(self, spec: ExpressionSpec, signals: Mapping[str, str], types: Mapping[str, SignalType]) -> None:
        """`signals` are the identities that the expression's names stand for here, `types` their types by name.

        Raises ValueError if the expression has problems (see `cel_language.check_expression`).
        """
        self._spec = spec
        self._max_age = spec.max_age
        self._names = tuple(signals)
        self._types = tuple(_PYTHON_TYPES[types[name]] for name in self._names)
        self._evaluate = compile_expression(spec.cel, types)
        places: dict[str, list[int]] = {}
        for place, signal in enumerate(signals.values()):
            places.setdefault(signal, []).append(place)
        self._places = {signal: tuple(own) for signal, own in places.items()}
        self.signals = tuple(places)

    def initial(self) -> ExpressionState:
        """Nothing was heard."""
        return ExpressionState(readings=(None,) * len(self._names))

    def arm(self, state: ExpressionState, now: datetime) -> ExpressionState:
        """A reading holds until the next one, however long firewatch was down."""
        del now
        return state

    def observe(
        self, state: ExpressionState, observation: Observation, now: datetime
    ) -> tuple[ExpressionState, Changes]:
        """Judge the newest values by the time of the newest of them."""
        del now
        readings = list(state.readings)
        read, event_time = value_of(observation), observation.event_time
        is_changed = False
        for place in self._places[observation.signal]:
            before = readings[place]
            value = read if type(read) is self._types[place] else None
            is_other = before is None or value != before.value
            if before is not None and (
                event_time < before.event_time or (event_time == before.event_time and not is_other)
            ):
                return state, NO_CHANGES
            readings[place] = Heard(event_time, value)
            is_changed = is_changed or is_other
        newest = event_time
        for reading in readings:
            if reading is not None and reading.event_time > newest:
                newest = reading.event_time
        condition = self._judge(readings, newest, None if is_changed else state.condition)
        if condition is state.condition:
            return ExpressionState(tuple(readings), condition, state.onset_time), NO_CHANGES
        onset, change = change_to(condition, newest, state.onset_time, evidence_of(observation), begun=newest)
        return ExpressionState(tuple(readings), condition, onset), (change,)

    def wake(self, state: ExpressionState, now: datetime) -> tuple[ExpressionState, Changes]:
        """Time alone changes nothing."""
        del now
        return state, NO_CHANGES

    def next_wake(self, state: ExpressionState) -> None:
        """Time alone changes nothing."""
        del state

    def explain(self, state: ExpressionState) -> Finding:
        """The expression with the values that it was judged by."""
        facts: dict[str, Any] = {"cel": self._spec.cel, "max_age": self._spec.max_age}
        for name, reading in zip(self._names, state.readings, strict=True):
            if reading is not None and reading.value is not None:
                facts[name] = reading.value
        return Finding("expression", state.condition, self.signals, state.onset_time, facts=facts)

    def _judge(
        self, readings: Sequence[Heard | None], newest: datetime, before: ConditionState | None
    ) -> ConditionState:
        """`before` is what the same values said, None if they are others."""
        values: dict[str, Value] = {}
        oldest = newest - self._max_age
        for name, reading in zip(self._names, readings, strict=True):
            if reading is None or reading.value is None or reading.event_time < oldest:
                return _UNKNOWN
            values[name] = reading.value
        if before is _ACTIVE or before is _INACTIVE:
            return before
        answer = self._evaluate(values)
        return _UNKNOWN if answer is None else _ACTIVE if answer else _INACTIVE
