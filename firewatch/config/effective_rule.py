"""What the files come to: a rule as it is for its subjects, and where each of its values stands."""

from __future__ import annotations

import enum
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, time, timedelta
from typing import Any

from pydantic import BaseModel

from firewatch.config.document import Document, Path_
from firewatch.config.problem import Place
from firewatch.config.rule_files import Written
from firewatch.model.duration import write_duration
from firewatch.rules.scope import Subject
from firewatch.rules.spec import OverrideSpec, Quantity, RuleSpec


@dataclass(frozen=True)
class Value:
    """One value of a rule, as text. `path` is what an override calls it; `place` is None for one that is nowhere
    written and holds unless it is. `instead_of` are those that overrides replaced, from the first on, and their places.
    """

    path: str
    text: str
    place: Place | None
    instead_of: tuple[tuple[str, Place], ...] = ()


@dataclass(frozen=True)
class EffectiveRule:
    """A rule as it is for its subjects, with its template, its calendars and its overrides taken in.

    `written` says the same in the words and units of the files, and knows where each value stands; `before` is the rule
    without the overrides, which are in the order in which they were applied.
    """

    spec: RuleSpec
    written: Written[RuleSpec]
    before: Written[RuleSpec]
    subjects: tuple[Subject, ...]
    overrides: tuple[Written[OverrideSpec], ...] = ()

    def place(self, *at: str | int) -> Place | None:
        """Where the value at `at` stands; None for one that is nowhere written."""
        return _place(self.written.document, (*self.written.path, *at))

    def values(self) -> Iterator[Value]:
        """Every value of the rule, in the units that it is judged in."""
        for path, value in _leaves(self.spec, ()):
            dotted = _dotted(path)
            yield Value(dotted, _text(value), self.place(*path), tuple(self._said_before(path, dotted))[:-1])

    def _said_before(self, path: Path_, dotted: str) -> Iterator[tuple[str, Place]]:
        """What the rule's own file says at a path, and then what each override does."""
        whole = (*self.before.path, *path)
        place = _place(self.before.document, whole)
        if place is not None:
            yield _text(self.before.document.get(*self.before.document.resolve(whole))), place
        for override in self.overrides:
            for name in override.spec.set_:
                if dotted == name or dotted.startswith(f"{name}."):
                    inside = path[name.count(".") + 1 :]
                    found = override.document.resolve((*override.path, "set", name, *inside))
                    yield _text(override.document.get(*found)), override.document.place(*found)


def values_of(spec: RuleSpec) -> Iterator[tuple[str, str]]:
    """Every value of a rule with its dotted path, as text, in the units that it is judged in."""
    for path, value in _leaves(spec, ()):
        yield _dotted(path), _text(value)


def _dotted(path: Path_) -> str:
    return ".".join(str(part + 1) if isinstance(part, int) else part for part in path)


def _place(document: Document, path: Path_) -> Place | None:
    """Where a value stands, or the one word that it was read from; None if it is nowhere written."""
    found = document.resolve(path)
    if found != path and isinstance(document.get(*found), dict | list):
        return None
    return document.place(*found)


def _leaves(value: Any, path: Path_) -> Iterator[tuple[Path_, Any]]:
    if isinstance(value, BaseModel) and not isinstance(value, Quantity):
        for name, field in type(value).model_fields.items():
            yield from _leaves(getattr(value, name), (*path, field.alias or name))
    elif isinstance(value, tuple) and any(isinstance(item, BaseModel) for item in value):
        for index, item in enumerate(value):
            yield from _leaves(item, (*path, index))
    elif isinstance(value, dict):
        for key, item in value.items():
            yield from _leaves(item, (*path, key))
    elif value is not None and value != ():
        yield path, value


def _text(value: Any) -> str:
    """A value as people write it."""
    match value:
        case bool():
            return str(value).lower()
        case float():
            return f"{value:g}"
        case Quantity():
            return f"{value.value:.12g} {value.unit}".rstrip()
        case timedelta():
            return write_duration(value)
        case enum.Enum():
            return str(value.value)
        case time():
            return "24:00" if value == time.max else f"{value:%H:%M}"
        case date():
            return value.isoformat()
        case tuple() | list():
            return ", ".join(map(_text, value))
    return str(value)
