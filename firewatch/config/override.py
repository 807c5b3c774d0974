"""Overrides: other values for some of a rule's subjects, taken apart so that the engine sees plain rules only.

A rule that some of its subjects have other values for becomes several rules of the same id, each for subjects of its
own. The narrowest override wins (subjects, then buildings, then sites, then everywhere), among equals the one read
last.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from firewatch.config.document import Document, Path_
from firewatch.config.names import Names, unknown_names
from firewatch.config.problem import Problem, Severity, did_you_mean
from firewatch.config.rule_files import RuleFiles, Written
from firewatch.config.shape import keys_at, model_at, validate
from firewatch.rules.scope import Subject
from firewatch.rules.spec import ConditionSpec, OverrideSpec, RuleSpec

_FIXED = ("id", "extends", "scope")
"""What makes a rule the rule that it is."""

_NARROW_TO_WIDE = ("subjects", "buildings", "sites")


@dataclass(frozen=True)
class Variant:
    """A rule as it is written for some of its subjects, and the overrides that made it so, the winning one last."""

    rule: Written[RuleSpec]
    subjects: tuple[Subject, ...]
    overrides: tuple[Written[OverrideSpec], ...]


class Overrides:
    """All overrides, by the rule they change."""

    def __init__(self, files: RuleFiles, names: Names) -> None:
        self._by_rule: defaultdict[str, list[Written[OverrideSpec]]] = defaultdict(list)
        self.problems: list[Problem] = []
        for override in files.overrides:
            name = override.spec.rule
            wrong = list(unknown_names(override, (), override.spec, names))
            if name not in files.known_rules:
                hint = did_you_mean(name, files.known_rules) or "name the file with the rule, too, or the whole folder"
                wrong.append(override.problem(("rule",), f'there is no rule "{name}"', hint))
            self.problems += wrong
            if not wrong:
                self._by_rule[name].append(override)
        for overrides in self._by_rule.values():
            overrides.sort(key=lambda override: _narrowness(override.spec))

    def of(self, rule: str) -> Sequence[Written[OverrideSpec]]:
        """The overrides of a rule, the narrowest last."""
        return self._by_rule.get(rule, ())

    def variants(self, rule: Written[RuleSpec], subjects: Iterable[Subject]) -> list[Variant]:
        """The rule for the subjects that nothing is overridden for, if any, and for each group of the others."""
        overrides = self.of(rule.spec.id)
        groups: defaultdict[tuple[int, ...], list[Subject]] = defaultdict(list)
        for subject in subjects:
            matching = tuple(place for place, override in enumerate(overrides) if _matches(override.spec, subject))
            groups[matching].append(subject)
        matched = {place for matching in groups for place in matching}
        for place, override in enumerate(overrides):
            if place not in matched:
                what = f'it changes nothing: the rule "{rule.spec.id}" speaks of nothing there'
                self.problems.append(override.problem((), what, "correct it, or remove it", severity=Severity.LINT))
                self._changed(rule, [override])
        variants: list[Variant] = []
        for matching, group in groups.items():
            applied = tuple(overrides[place] for place in matching)
            changed = self._changed(rule, applied) if applied else rule
            if changed is not None:
                variants.append(Variant(changed, tuple(group), applied))
        return variants

    def _changed(self, rule: Written[RuleSpec], overrides: Sequence[Written[OverrideSpec]]) -> Written[RuleSpec] | None:
        document = rule.document
        for override in overrides:
            for dotted in override.spec.set_:
                path = self._path(document, rule, override, dotted)
                if path is not None:
                    document = document.with_value(path, override.document, (*override.path, "set", dotted))
        spec, wrong = validate(document, RuleSpec, rule.path)
        self.problems += wrong
        return None if spec is None else Written(document, rule.path, spec)

    def _path(
        self, document: Document, rule: Written[RuleSpec], override: Written[OverrideSpec], dotted: str
    ) -> Path_ | None:
        """Where the override's path leads in the rule as it is by now; None (and a problem) if nowhere."""
        at = ("set", dotted)
        first = dotted.split(".")[0]
        if first in _FIXED:
            what = f"an override changes values, and `{first}` says which rule it is and for whom"
            self.problems.append(override.problem(at, what, "write another rule"))
            return None
        path = _path_of(document, rule.path, dotted)
        if path is None:
            hint = did_you_mean(dotted, _dotted_paths(document, rule.path))
            self.problems.append(override.problem(at, f'the rule "{rule.spec.id}" has no `{dotted}`', hint))
        return path


def _narrowness(spec: OverrideSpec) -> int:
    """0 for everywhere, more the narrower."""
    for place, key in enumerate(_NARROW_TO_WIDE):
        if getattr(spec, key):
            return len(_NARROW_TO_WIDE) - place
    return 0


def _matches(spec: OverrideSpec, subject: Subject) -> bool:
    return (
        (not spec.sites or subject.site.id in spec.sites)
        and (not spec.buildings or subject.item.building in spec.buildings)
        and (not spec.subjects or subject.item.id in spec.subjects or subject.name in spec.subjects)
    )


def _path_of(document: Document, base: Path_, dotted: str) -> Path_ | None:
    """Where a dotted path leads in a rule, items of lists counted from 1; None if a rule has no such place."""
    path = base
    for name in dotted.split("."):
        here = document.get(*path)
        if isinstance(here, list):
            if not name.isdigit() or not 0 < int(name) <= len(here):
                return None
            path = (*path, int(name) - 1)
        elif isinstance(here, dict | None) and (name in (here or ()) or name in _addable(path[len(base) :])):
            path = (*path, name)
        else:
            return None
    return path


def _addable(path: Path_) -> list[str]:
    """The keys that may be added at a place of a rule: all but another kind of condition."""
    return [] if model_at(RuleSpec, path) is ConditionSpec else keys_at(RuleSpec, path)


def _dotted_paths(document: Document, base: Path_) -> Iterator[str]:
    """The paths that an override of the rule may name: what is written, and what could be written beside it."""

    def below(value: Any, path: Path_) -> Iterator[Path_]:
        if isinstance(value, dict):
            for key in dict.fromkeys((*value, *_addable(path))):
                yield (*path, key)
                yield from below(value.get(key), (*path, key))
        elif isinstance(value, list):
            for index, item in enumerate(value):
                yield from below(item, (*path, index))

    for path in below(document.get(*base), ()):
        if path[0] not in _FIXED:
            yield ".".join(str(part + 1) if isinstance(part, int) else part for part in path)
