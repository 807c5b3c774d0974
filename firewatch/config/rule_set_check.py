"""What rules say about one another: suppression that leads nowhere or in circles, and rules that tell nothing new."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence, Set

from firewatch.config.condition_logic import implies, signals_of
from firewatch.config.effective_rule import EffectiveRule
from firewatch.config.problem import Problem, Severity, did_you_mean
from firewatch.rules.spec import Mode, Reach, StepSpec


def rule_set_problems(rules: Sequence[EffectiveRule], known_rules: Set[str]) -> Iterator[Problem]:
    """Every problem between rules; `known_rules` are the ids of those that could not be understood, too."""
    yield from _suppression_problems(rules, known_rules)
    yield from _circles(rules)
    yield from _shadowed(rules)


# -- suppression -------------------------------------------------------------------------------------------------------


def _suppression_problems(rules: Sequence[EffectiveRule], known_rules: Set[str]) -> Iterator[Problem]:
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
            elif suppressing and all(other.spec.mode is Mode.SHADOW for other in suppressing):
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


# -- rules that tell nothing new ---------------------------------------------------------------------------------------


def _shadowed(rules: Iterable[EffectiveRule]) -> Iterator[Problem]:
    """Rules that are active only when another one of their class and at least their priority is, for the same subjects.

    Of two that say the same the one read later is told of. Only rules that share a signal are compared.
    """
    like_it: defaultdict[tuple[str, ...], list[EffectiveRule]] = defaultdict(list)
    for later in rules:
        scope = later.spec.scope
        signals = {signal for step in later.spec.steps for signal in signals_of(step.when)}
        sort = (later.spec.mode, later.spec.alarm_class)
        keys = [(*sort, kind, signal) for kind in (*scope.device, *scope.asset) for signal in signals]
        for earlier in {id(rule): rule for key in keys for rule in like_it[key]}.values():
            if _tells_nothing_new(later, earlier):
                yield _shadow_problem(later, earlier)
            elif _tells_nothing_new(earlier, later):
                yield _shadow_problem(earlier, later)
        for key in keys:
            like_it[key].append(later)


def _tells_nothing_new(rule: EffectiveRule, other: EffectiveRule) -> bool:
    mine, others = rule.spec, other.spec
    if mine.id == others.id or any(each.rule == others.id for each in mine.suppressed_by):
        return False
    if not all(any(_covers(wider, step) for wider in others.steps) for step in mine.steps):
        return False
    return not {s.name for s in rule.subjects}.isdisjoint(s.name for s in other.subjects)


def _covers(wider: StepSpec, step: StepSpec) -> bool:
    urgent_enough = not step.priority.is_more_urgent_than(wider.priority)
    return urgent_enough and wider.on_delay <= step.on_delay and implies(step.when, wider.when)


def _shadow_problem(rule: EffectiveRule, other: EffectiveRule) -> Problem:
    there = {subject.name for subject in other.subjects}
    shared = sum(1 for subject in rule.subjects if subject.name in there)
    where = "" if shared == len(rule.subjects) else f" ({shared} of {len(rule.subjects)} subjects)"
    what = f'it tells nothing new: "{other.spec.id}" is active whenever it is, and as urgent{where}'
    place = other.place("id")
    hint = "remove it, or give it another priority"
    return rule.written.problem(
        ("when",) if rule.spec.when else ("ladder",), what, hint, other=place, severity=Severity.LINT
    )
