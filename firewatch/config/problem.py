"""What is wrong with a file: one `Problem` each, in the form that editors and terminals make clickable.

`file:line:col: where: what; hint`. Nothing here raises at the first mistake: problems are collected, sorted and
shown together, so that a writer corrects a file in one round.
"""

from __future__ import annotations

import difflib
import enum
from collections.abc import Iterable
from dataclasses import dataclass

from firewatch.errors import ConfigError


class Severity(enum.StrEnum):
    """`wrong` keeps firewatch from starting; `lint` is worth a look and stops nothing."""

    WRONG = "wrong"
    LINT = "lint"


@dataclass(frozen=True, order=True)
class Place:
    """A position in a file; lines and columns count from 1, a line of 0 means the file as a whole."""

    file: str
    line: int = 0
    column: int = 0

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}" if self.line else self.file


@dataclass(frozen=True)
class Problem:
    """One mistake. `where` names the thing that is wrong, `what` the mistake, `hint` the way out.

    `other` is the second place where two places contradict each other.
    """

    place: Place
    where: str
    what: str
    hint: str = ""
    other: Place | None = None
    severity: Severity = Severity.WRONG

    @property
    def file(self) -> str:
        """The file's path as it was given."""
        return self.place.file

    @property
    def line(self) -> int:
        """From 1; 0 for the file as a whole."""
        return self.place.line

    @property
    def column(self) -> int:
        """From 1; 0 for the file as a whole."""
        return self.place.column

    def __str__(self) -> str:
        where = f"{self.where}: " if self.where else ""
        hint = f"; {self.hint}" if self.hint else ""
        other = f" ({self.other})" if self.other else ""
        return f"{self.place}: {where}{self.what}{hint}{other}"


class ProblemsError(ConfigError):
    """The configuration is wrong; every problem is listed."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = in_order(problems)
        super().__init__("\n".join([*map(str, self.problems), summary(self.problems)]))


def in_order(problems: Iterable[Problem]) -> tuple[Problem, ...]:
    """Sort problems by place and drop repetitions: what is wrong with a template is wrong for every rule it is in."""
    ordered = sorted(problems, key=lambda problem: (problem.place, problem.where, problem.what))
    first = {(problem.place, problem.what, problem.hint, problem.other): problem for problem in reversed(ordered)}
    return tuple(reversed(first.values()))


def summary(problems: Iterable[Problem]) -> str:
    """The closing line: `3 problems in 2 files`."""
    listed = list(problems)
    files = len({problem.file for problem in listed})
    return f"{_count(len(listed), 'problem')} in {_count(files, 'file')}"


def did_you_mean(wrong: str, known: Iterable[str]) -> str:
    """A hint that names the closest known word, or else all of them while they are few; empty if there are none."""
    names = sorted(set(known))
    close = difflib.get_close_matches(wrong, names, n=1, cutoff=0.6)
    if close:
        return f'did you mean "{close[0]}"?'
    if names and len(names) <= 12:
        return f"known: {', '.join(names)}"
    return ""


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
