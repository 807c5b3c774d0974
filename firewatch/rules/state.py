"""A signal has one of some values: a door that is open, a detector that has tripped."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from firewatch.model.observation import Value
from firewatch.rules.reading import ReadingEvaluator
from firewatch.rules.spec import StateSpec


class StateEvaluator(ReadingEvaluator):
    """Active while the value is among those named, or from then until it is among those that end it. True is not 1:
    values match within their own type only.
    """

    def __init__(self, signal: str, spec: StateSpec) -> None:
        super().__init__("state", signal)
        self._spec = spec
        self._values = frozenset((_type_of(value), value) for value in spec.values)
        self._until = frozenset((_type_of(value), value) for value in spec.until)
        self._types = frozenset(type_name for type_name, _ in self._values | self._until)

    @property
    def facts(self) -> dict[str, Value | datetime | timedelta]:
        """The values that make it active, and those that end it if not all others do."""
        ends: dict[str, Value | datetime | timedelta] = {"until": _named(self._spec.until)} if self._until else {}
        return {"is": _named(self._spec.values), **ends}

    def judge(self, value: Value | None, *, was_active: bool) -> bool | None:
        """Look the value up; one of another type cannot be judged."""
        if value is None:
            return None
        typed = _type_of(value), value
        if typed[0] not in self._types:
            return None
        if self._until and was_active:
            return typed not in self._until
        return typed in self._values


def _named(values: Sequence[Value]) -> str:
    return ", ".join(str(value).lower() for value in values)


def _type_of(value: Value) -> str:
    return "boolean" if isinstance(value, bool) else "state" if isinstance(value, str) else "number"
