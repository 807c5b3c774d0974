"""What rules say about one another: suppression that leads nowhere or in circles, and rules that tell nothing new."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence, Set
from dataclasses import dataclass

from firewatch.config.condition_logic import implies, signals_of
from firewatch.config.effective_rule import EffectiveRule
from firewatch.config.problem import Problem, Severity, did_you_mean
from firewatch.rules.spec import Mode, Reach, StepSpec


def suppression_problems(rules: Sequence[EffectiveRule], known_rules: Set[str]) -> Iterator[Problem]:
    """Suppression by what does not exist, by what is never near, and in a circle; `known_rules` are the ids of rules
    that could not be understood, too.
    """
    yield from _suppressed_by_nothing(rules, known_rules)
    yield from _circles(rules)


def _suppressed_by_nothing(rules: Sequence[EffectiveRule], known_rules: Set[str]) -> Iterator[Problem]:
    by_id: defaultdict[str, list[EffectiveRule]] = defaultdict(list)
    for rule in rules:
        by_id[rule.spec.id].append(rule)
    places: dict[tuple[str, Reach], set[tuple[str, ...]]] = {}
    for rule in rules:
        for index, suppression in enumerate(rule.spec.suppressed_by):
            at = ("suppressed_by", index)
            suppressing = by_id[suppression.rule]
            if suppression.rule not in known_rules:
                hint = did_you_mean(suppression.rule, known_rules)
                yield rule.written.problem((*at, "rule"), f'there is no rule "{suppression.rule}"', hint)
            elif not suppressing or not rule.subjects:
                continue
            elif all(other.spec.mode is Mode.SHADOW for other in suppressing):
                what = f'"{suppression.rule}" is a shadow rule, and a shadow suppresses nothing'
                yield rule.written.problem((*at, "rule"), what, severity=Severity.LINT)
            else:
                key = (suppression.rule, suppression.same)
                if key not in places:
                    places[key] = {s.place(suppression.same) for other in suppressing for s in other.subjects}
                if places[key].isdisjoint(subject.place(suppression.same) for subject in rule.subjects):
                    what = f'"{suppression.rule}" never speaks of the same {suppression.same}, so it suppresses nothing'
                    yield rule.written.problem(at, what, "write a wider `same`", severity=Severity.LINT)


def _circles(rules: Iterable[EffectiveRule]) -> Iterator[Problem]:
    """One problem for each circle of rules that suppress one another, at the rule that is read last."""
    last: dict[str, EffectiveRule] = {}
    behind: defaultdict[str, list[str]] = defaultdict(list)
    for rule in rules:
        last[rule.spec.id] = rule
        behind[rule.spec.id] += [each.rule for each in rule.spec.suppressed_by]
    told: set[str] = set()
    for name in reversed(last):
        circle = _way_back(name, behind)
        if circle is not None and not told & set(circle):
            told |= set(circle)
            what = f"rules suppress one another in a circle: {', '.join(circle)} and {name} again"
            if len(circle) == 1:
                what = "the rule suppresses itself"
            yield last[name].written.problem(("suppressed_by",), what, "let one of them go")


def _way_back(name: str, behind: dict[str, list[str]]) -> list[str] | None:
    """The shortest way from a rule over those that suppress it back to it, without the end; None if there is none."""
    ways = [[name]]
    seen: set[str] = set()
    for way in ways:
        for other in behind.get(way[-1], ()):
            if other == name:
                return way
            if other not in seen:
                seen.add(other)
                ways.append([*way, other])
    return None


def rules_that_tell_nothing_new(rules: Iterable[EffectiveRule]) -> Iterator[Problem]:
    """Rules that are active only when another one of their class and at least their priority is, for the same subjects.

    Of two that say the same the one read later is told of. Only rules that share a signal are compared, and one that
    tells nothing new is told of once.
    """
    like_it: defaultdict[tuple[str, ...], list[_Judged]] = defaultdict(list)
    told: set[_Judged] = set()
    for later in map(_Judged.of, rules):
        keys = later.keys()
        earlier = dict.fromkeys(rule for key in keys for rule in like_it[key])
        wider = next((rule for rule in earlier if _tells_nothing_new(later, rule)), None)
        if wider is not None:
            yield _shadow_problem(later, wider)
            continue
        for rule in earlier:
            if rule not in told and _tells_nothing_new(rule, later):
                told.add(rule)
                yield _shadow_problem(rule, later)
        for key in keys:
            like_it[key].append(later)


@dataclass(frozen=True, eq=False)
class _Judged:
    """A rule with what it is compared by."""

    rule: EffectiveRule
    steps: tuple[StepSpec, ...]
    subjects: frozenset[str]

    @classmethod
    def of(cls, rule: EffectiveRule) -> _Judged:
        return cls(rule, rule.spec.steps, frozenset(subject.name for subject in rule.subjects))

    def keys(self) -> list[tuple[str, ...]]:
        """What it shares at least one of with every rule that it could be compared with."""
        spec = self.rule.spec
        signals = {signal for step in self.steps for signal in signals_of(step.when)}
        kinds = (*spec.scope.device, *spec.scope.asset)
        return [(spec.mode, spec.alarm_class, kind, signal) for kind in kinds for signal in signals]


def _tells_nothing_new(one: _Judged, other: _Judged) -> bool:
    if one.subjects.isdisjoint(other.subjects):
        return False
    mine, others = one.rule.spec, other.rule.spec
    if mine.id == others.id or any(each.rule == others.id for each in mine.suppressed_by):
        return False
    return all(any(_covers(wider, step) for wider in other.steps) for step in one.steps)


def _covers(wider: StepSpec, step: StepSpec) -> bool:
    urgent_enough = not step.priority.is_more_urgent_than(wider.priority)
    return urgent_enough and wider.on_delay <= step.on_delay and implies(step.when, wider.when)


def _shadow_problem(one: _Judged, other: _Judged) -> Problem:
    shared = len(one.subjects & other.subjects)
    where = "" if shared == len(one.subjects) else f" ({shared} of {len(one.subjects)} subjects)"
    what = f'it tells nothing new: "{other.rule.spec.id}" is active whenever it is, and as urgent{where}'
    at = "when" if one.rule.spec.when is not None else "ladder"
    hint = "remove it, or give it another priority"
    place = other.rule.place("id")
    return one.rule.written.problem((at,), what, hint, other=place, severity=Severity.LINT)
