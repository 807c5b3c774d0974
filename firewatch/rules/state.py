"""A signal has one of some values: a door that is open, a detector that has tripped."""

from __future__ import annotations

from datetime import datetime, timedelta

from firewatch.model.observation import Value
from firewatch.rules.reading import ReadingEvaluator
from firewatch.rules.spec import StateSpec


class StateEvaluator(ReadingEvaluator):
    """Active while the value is among those named. True is not 1: values match within their own type only."""

    def __init__(self, signal: str, spec: StateSpec) -> None:
        super().__init__("state", signal)
        self._spec = spec
        self._values = frozenset((_type_of(value), value) for value in spec.values)
        self._types = frozenset(type_name for type_name, _ in self._values)

    @property
    def facts(self) -> dict[str, Value | datetime | timedelta]:
        """The values that make it active."""
        return {"is": ", ".join(str(value).lower() for value in self._spec.values)}

    def judge(self, value: Value | None, *, was_active: bool) -> bool | None:
        """Look the value up; one of another type cannot be judged."""
        del was_active
        if value is None:
            return None
        type_name = _type_of(value)
        return (type_name, value) in self._values if type_name in self._types else None


def _type_of(value: Value) -> str:
    return "boolean" if isinstance(value, bool) else "state" if isinstance(value, str) else "number"
