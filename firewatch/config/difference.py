"""What differs between two sets of rules, as text for people: only the rules and values that are not the same."""

from __future__ import annotations

import difflib
from collections import defaultdict
from collections.abc import Iterable, Iterator

from firewatch.config.effective_rule import values_of
from firewatch.rules.spec import RuleSpec

LONGEST_DIFFERENCE = 20_000
"""Characters; a page of a reviewer's work, and little beside what a reload is about."""
_LONGEST_LINE = 500


def difference(before: Iterable[RuleSpec], after: Iterable[RuleSpec]) -> str:
    """The values that went (`-`) and came (`+`), under the ids of their rules; cut after `LONGEST_DIFFERENCE`."""
    old, new = _by_id(before), _by_id(after)
    lines: list[str] = []
    left = LONGEST_DIFFERENCE
    for rule in sorted(old.keys() | new.keys()):
        if old[rule] == new[rule]:
            continue
        for line in _rule_difference(rule, old[rule], new[rule]):
            left -= len(line) + 1
            if left < 0:
                return "\n".join([*lines, "... and more"])
            lines.append(line)
    return "\n".join(lines)


def _by_id(rules: Iterable[RuleSpec]) -> defaultdict[str, list[RuleSpec]]:
    """Overrides make several rules of one id."""
    found: defaultdict[str, list[RuleSpec]] = defaultdict(list)
    for rule in rules:
        found[rule.id].append(rule)
    return found


def _rule_difference(rule: str, before: list[RuleSpec], after: list[RuleSpec]) -> Iterator[str]:
    """Where overrides split the rule on one side, each form by the form that held for the same subjects."""
    by_form = list(_form_differences(rule, before, after)) if before and after and len(before) + len(after) > 2 else []
    if by_form:
        yield from by_form
        return
    yield f"{rule}:"
    yield from _changes(_lines(before), _lines(after))


def _form_differences(rule: str, before: list[RuleSpec], after: list[RuleSpec]) -> Iterator[str]:
    for new in after:
        for old in before:
            subjects = _common(old.scope.subjects, new.scope.subjects)
            if subjects is None:
                continue
            changes = list(_changes(_lines([old], of_form=True), _lines([new], of_form=True)))
            if changes:
                yield f"{rule} ({', '.join(subjects)}):" if subjects else f"{rule}:"
                yield from changes


def _common(one: tuple[str, ...], other: tuple[str, ...]) -> tuple[str, ...] | None:
    """The subjects that two forms share, none written for all of them; None if they share none."""
    if not one or not other:
        return one or other
    return tuple(subject for subject in one if subject in other) or None


def _changes(before: list[str], after: list[str]) -> Iterator[str]:
    for line in difflib.unified_diff(before, after, lineterm="", n=0):
        if not line.startswith(("---", "+++", "@@")):
            yield f"  {line[0]} {line[1:]}"


def _lines(rules: list[RuleSpec], *, of_form: bool = False) -> list[str]:
    """The rules' values; for a form among others without its subjects, which are named above it."""
    left_out = ("id", "extends", *(("scope.subjects",) if of_form else ()))
    return [
        f"{path}: {text}"[:_LONGEST_LINE] for rule in rules for path, text in values_of(rule) if path not in left_out
    ]
