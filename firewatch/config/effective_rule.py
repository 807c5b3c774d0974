"""What the files come to: a rule as it is for its subjects, and where each of its values stands."""

from __future__ import annotations

from dataclasses import dataclass

from firewatch.config.problem import Place
from firewatch.config.rule_files import Written
from firewatch.rules.scope import Subject
from firewatch.rules.spec import OverrideSpec, RuleSpec


@dataclass(frozen=True)
class EffectiveRule:
    """A rule as it is for its subjects, with its template, its calendars and its overrides taken in.

    `written` says the same in the words and units of the files, and knows where each value stands; the overrides that
    made it so are in the order in which they were applied.
    """

    spec: RuleSpec
    written: Written[RuleSpec]
    subjects: tuple[Subject, ...]
    overrides: tuple[Written[OverrideSpec], ...] = ()

    def place(self, *at: str | int) -> Place | None:
        """Where the value at `at` stands; None for one that is nowhere written."""
        document, path = self.written.document, (*self.written.path, *at)
        return document.place(*path) if document.resolve(path) == path else None
