"""What an action takes: whether parameters fit it, and what a command carries in the end."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from firewatch.model.site import Action, Parameter, ParameterType

Value = str | float | bool

MOST_PARAMETERS = 20
LONGEST_TEXT = 2_000
"""For actions of which nobody said what they take."""

_NOUNS = {
    ParameterType.TEXT: "a text",
    ParameterType.NUMBER: "a number",
    ParameterType.BOOLEAN: "true or false",
    ParameterType.CHOICE: "a word",
}


class Misfit(NamedTuple):
    """What is wrong with one parameter, or (None) with all of them together."""

    parameter: str | None
    what: str


def misfits(action: Action, given: Mapping[str, Value]) -> Iterator[Misfit]:
    """All that keeps an action from being asked for with these parameters."""
    if action.parameters is None:
        yield from _unbounded(given)
        return
    known = {parameter.name: parameter for parameter in action.parameters}
    for name, value in given.items():
        if name not in known:
            takes = f"it takes {', '.join(known)}" if known else "it takes none"
            yield Misfit(name, f'"{action.name}" has no such parameter; {takes}')
        elif what := _misfit(known[name], value):
            yield Misfit(name, what)
    for name, parameter in known.items():
        if parameter.required and name not in given:
            yield Misfit(None, f'"{action.name}" needs the parameter "{name}"')


def completed(action: Action, given: Mapping[str, Value]) -> dict[str, Value]:
    """The parameters with what holds by default."""
    defaults = {one.name: one.default for one in action.parameters or () if one.default is not None}
    return defaults | dict(given)


def _misfit(parameter: Parameter, value: Value) -> str:
    expected: type = {ParameterType.NUMBER: float, ParameterType.BOOLEAN: bool}.get(parameter.type, str)
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    if not (is_number if expected is float else isinstance(value, expected)):
        return f"expected {_NOUNS[parameter.type]}, found {_written(value)}"
    if isinstance(value, str):
        if parameter.choices and value not in parameter.choices:
            return f"expected one of {', '.join(parameter.choices)}, found {_written(value)}"
        if not parameter.choices and len(value) > parameter.longest:
            return f"the text has {len(value)} characters, at most {parameter.longest} are allowed"
        return ""
    if is_number:
        return _number_misfit(parameter, float(value))
    return ""


def _number_misfit(parameter: Parameter, value: float) -> str:
    unit = f" {parameter.unit}" if parameter.unit else ""
    if not math.isfinite(value) or (parameter.whole and not value.is_integer()):
        return f"expected a {'whole' if parameter.whole else 'finite'} number, found {value:g}"
    if parameter.range is not None and not parameter.range[0] <= value <= parameter.range[1]:
        least, most = parameter.range
        return f"expected {least:g} to {most:g}{unit}, found {value:g}"
    return ""


def _unbounded(given: Mapping[str, Value]) -> Iterator[Misfit]:
    if len(given) > MOST_PARAMETERS:
        yield Misfit(None, f"{len(given)} parameters are too many, at most {MOST_PARAMETERS} are allowed")
    for name, value in given.items():
        if isinstance(value, str) and len(value) > LONGEST_TEXT:
            yield Misfit(name, f"the text has {len(value)} characters, at most {LONGEST_TEXT} are allowed")
        elif isinstance(value, float) and not math.isfinite(value):
            yield Misfit(name, f"expected a finite number, found {value}")


def _written(value: Value) -> str:
    return str(value).lower() if isinstance(value, bool) else f'"{value}"' if isinstance(value, str) else f"{value:g}"
