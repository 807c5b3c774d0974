"""From rule files to `RuleSpec`s that fit the inventory: every name known, every quantity in its signal's own unit."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from firewatch.alarms.lifecycle import MOST_URGENT_SHELVED_FIRE, may_be_shelved
from firewatch.config.condition_check import ConditionChecker, named, window_problems
from firewatch.config.condition_logic import implies
from firewatch.config.document import Document, Path_
from firewatch.config.effective_rule import EffectiveRule
from firewatch.config.names import names_in, unknown_names
from firewatch.config.override import Overrides, Variant
from firewatch.config.problem import Problem, Severity, did_you_mean
from firewatch.config.rule_files import RuleFiles, Written, read_rule_files
from firewatch.config.rule_set_check import rules_that_tell_nothing_new, suppression_problems
from firewatch.engine.failure import PREFIX
from firewatch.model.site import Inventory
from firewatch.rules.parameter import misfits
from firewatch.rules.scope import Subject, Subjects
from firewatch.rules.spec import ActionSpec, RuleSpec, ScopeSpec, StepSpec, TextSpec
from firewatch.rules.witness import NOBODY, alone, fire_trigger

PLACEHOLDERS = ("value", "unit", "place", "device")
"""What a rule's text may hold in braces."""

PHASES = ("suspected", "rejected", "active", "inactive")

_PLACEHOLDER = re.compile(r"\{([^{}]*)\}")


def read_rules(
    documents: Sequence[Document], inventory: Inventory, *, inventory_whole: bool
) -> tuple[tuple[EffectiveRule, ...], list[Problem]]:
    """The rules that could be understood, and every problem with the others.

    `inventory_whole` is False where site or kind files have problems themselves: then nobody is told that a rule
    names what does not exist, because it may be among what could not be read.
    """
    files = read_rule_files(documents)
    problems = [*files.problems, *(problem for rule in files.rules for problem in _problems_of_itself(rule))]
    if not inventory_whole:
        return (), problems
    for calendar in files.calendars.values():
        problems += window_problems(calendar, (), calendar.spec)
    names = names_in(inventory)
    overrides = Overrides(files, names)
    known = Subjects(inventory)
    rules: list[EffectiveRule] = []
    sound: list[EffectiveRule] = []
    for rule in files.rules:
        wrong = list(unknown_names(rule, ("scope",), rule.spec.scope, names))
        if not wrong:
            checker = _RuleChecker(files, inventory, tuple(known.within(rule.spec.scope)), wrong)
            effective = checker.effective(rule, overrides)
            rules += effective
            sound += [] if any(problem.severity is Severity.WRONG for problem in wrong) else effective
        problems += wrong
    problems += overrides.problems
    problems += suppression_problems(rules, files.known_rules)
    problems += rules_that_tell_nothing_new(sound)
    return tuple(rules), problems


class _RuleChecker:
    """Holds one rule, and what overrides make of it, against the inventory; `problems` grows."""

    def __init__(
        self, files: RuleFiles, inventory: Inventory, subjects: tuple[Subject, ...], problems: list[Problem]
    ) -> None:
        self._files = files
        self._kinds = inventory.kinds
        self._subjects = subjects
        self._problems = problems

    def effective(self, rule: Written[RuleSpec], overrides: Overrides) -> list[EffectiveRule]:
        """The rule, or one for each group of its subjects; of use only if no problem was found."""
        if not self._subjects:
            what = f"nothing in the sites matches, so the rule will never act: {_scope_words(rule.spec.scope)}"
            problem = rule.problem(("scope",), what, "correct the scope, or remove the rule", severity=Severity.LINT)
            self._problems.append(problem)
        whole = self._fitted(rule, Variant(rule, self._subjects, ()))
        parts = overrides.variants(rule, self._subjects) if overrides.of(rule.spec.id) else []
        if not any(part.overrides for part in parts):
            return [whole]
        fitted = [self._fitted(rule, part) for part in parts]
        return fitted if len(fitted) == 1 else [_narrowed(part) for part in fitted]

    def _fitted(self, before: Written[RuleSpec], variant: Variant) -> EffectiveRule:
        rule, spec = variant.rule, variant.rule.spec
        found: list[Problem] = []
        checker = ConditionChecker(rule, self._kinds, self._files, self._subjects, variant.subjects, found)
        fitted: dict[str, object] = {}
        if spec.when is not None:
            fitted["when"] = checker.fitted(("when",), spec.when)
        fitted["ladder"] = tuple(
            step.model_copy(update={"when": checker.fitted(("ladder", index, "when"), step.when)})
            for index, step in enumerate(spec.ladder)
        )
        effective = spec.model_copy(update=fitted)
        if not found:
            found += _ladder_problems(rule, effective.ladder)
            deaf = [
                subject
                for subject in variant.subjects
                if not any(checker.leaves(subject, step.when) for step in effective.steps)
            ]
            if deaf:
                what = f"none of the rule's signals belongs to {named(deaf)}, so the rule will never act there"
                found.append(rule.problem(("scope",), what, "narrow the scope", severity=Severity.LINT))
        found += _shelving_problems(rule, effective)
        for phase in PHASES:
            for index, action in enumerate(getattr(spec.actions, phase)):
                at = ("actions", phase, index)
                found += self._action_problems(rule, at, action, variant.subjects)
                found += self._linkage_problems(rule, at, action, effective, variant.subjects)
        self._problems += found
        return EffectiveRule(effective, checker.rule, before, variant.subjects, variant.overrides)

    def _action_problems(
        self, rule: Written[RuleSpec], at: Path_, action: ActionSpec, subjects: Iterable[Subject]
    ) -> Iterator[Problem]:
        kind = self._kinds.get(action.device)
        if kind is None:
            what = f'there is no kind of device "{action.device}"'
            yield rule.problem((*at, "device"), what, did_you_mean(action.device, self._kinds))
            return
        known = kind.action(action.action)
        if kind.certified:
            what = f"a {kind.kind} is certified equipment: firewatch listens to it, and never commands it"
            yield rule.problem((*at, "device"), what, "what it switches is switched at its own panel")
            return
        if known is None:
            hint = did_you_mean(action.action, [each.name for each in kind.actions])
            if not kind.actions:
                hint = f"a {kind.kind} answers no commands"
            yield rule.problem((*at, "action"), f'a {kind.kind} does not answer "{action.action}"', hint)
        else:
            for misfit in misfits(known, action.parameters):
                written = (*at, "parameters") if misfit.parameter is None else (*at, "parameters", misfit.parameter)
                yield rule.problem(written if action.parameters else (*at, "action"), misfit.what)
        without = [subject for subject in subjects if not subject.reached(action)]
        if without:
            what = f"no device of kind {kind.kind} belongs to {named(without)}, so nothing will be done there"
            yield rule.problem((*at, "device"), what, severity=Severity.LINT)

    def _linkage_problems(
        self, rule: Written[RuleSpec], at: Path_, action: ActionSpec, spec: RuleSpec, subjects: Iterable[Subject]
    ) -> Iterator[Problem]:
        """Fire linkage takes two independent triggers (GB 50116-2013 4.1.6), and begins with an alarm."""
        kind = self._kinds.get(action.device)
        known = kind.action(action.action) if kind is not None else None
        if known is None or not known.linkage:
            return
        place = (*at, "action")
        what = f'"{action.action}" is fire linkage, which takes two independent triggers (GB 50116-2013 4.1.6)'
        if "active" not in at:
            yield rule.problem(place, what, "write it under `active`: only an alarm can be sure of them")
            return
        for step in spec.steps:
            for subject in subjects:
                enough = alone(step.when, subject.devices, self._kinds, fire_trigger)
                if enough:
                    by = "without any" if NOBODY in enough else f"by {subject.site.id}/{min(enough)} alone"
                    hint = "ask for two devices with a `trigger`, with `k_of_n` (k: 2) or `all`"
                    yield rule.problem(place, f"{what}; the condition can be true {by}", hint)
                    return


def _narrowed(rule: EffectiveRule) -> EffectiveRule:
    """The rule for its own subjects only, so that it shares none with the others of its id."""
    scope = rule.spec.scope.model_copy(update={"subjects": tuple(subject.name for subject in rule.subjects)})
    return replace(rule, spec=rule.spec.model_copy(update={"scope": scope}))


# -- what is wrong whatever the inventory holds ------------------------------------------------------------------------


def _problems_of_itself(rule: Written[RuleSpec]) -> Iterator[Problem]:
    spec = rule.spec
    if spec.id.startswith(PREFIX):
        what = f'ids that begin with "{PREFIX}" belong to the alarms about rules that failed'
        yield rule.problem(("id",), what, "call it something else")
    texts: list[tuple[Path_, TextSpec | None]] = [(("text",), spec.text), (("advice",), spec.advice)]
    for index, step in enumerate(spec.ladder):
        texts += [(("ladder", index, "text"), step.text), (("ladder", index, "advice"), step.advice)]
    for at, text in texts:
        for language in ("zh", "en") if text is not None else ():
            for name in _PLACEHOLDER.findall(getattr(text, language)):
                if name not in PLACEHOLDERS:
                    hint = did_you_mean(name, PLACEHOLDERS)
                    yield rule.problem((*at, language), f"unknown placeholder {{{name}}}", hint)
    kinds = [step.when.kind for step in spec.steps]
    for phase in ("suspected", "rejected"):
        if getattr(spec.actions, phase) and "camera_session" not in kinds:
            what = f'"{phase}" exists for camera sessions only, this rule watches {", ".join(kinds)}'
            yield rule.problem(("actions", phase), what, "use active and inactive")


def _shelving_problems(rule: Written[RuleSpec], spec: RuleSpec) -> Iterator[Problem]:
    if spec.shelving.allowed and not any(may_be_shelved(spec.alarm_class, step.priority) for step in spec.steps):
        what = f"alarms of class fire that are more urgent than {MOST_URGENT_SHELVED_FIRE} are never shelved"
        hint = "leave it out; what cannot be trusted is taken out of service"
        yield rule.problem(("shelving", "allowed"), what, hint, severity=Severity.LINT)


def _ladder_problems(rule: Written[RuleSpec], steps: Sequence[StepSpec]) -> Iterator[Problem]:
    """Steps that are less urgent than a milder one, and steps that a more severe one always outdoes."""
    for index, step in enumerate(steps):
        if index and steps[index - 1].priority.is_more_urgent_than(step.priority):
            what = f"the step is more severe than step {index}, and its priority is less urgent"
            yield rule.problem(("ladder", index, "priority"), what, "write the steps from mild to severe")
        for place, severer in enumerate(steps[index + 1 :], index + 2):
            if implies(step.when, severer.when) and severer.on_delay <= step.on_delay:
                what = f"whenever the step is active, step {place} is too, so it is never the one that decides"
                yield rule.problem(("ladder", index, "when"), what, "write the steps from mild to severe")
                break


def _scope_words(scope: ScopeSpec) -> str:
    words = [f"{sort} kind {', '.join(kinds)}" for sort in ("device", "asset") if (kinds := getattr(scope, sort))]
    keys = ("systems", "sites", "buildings", "tags", "subjects")
    return ", ".join([*words, *(f"{key} {', '.join(names)}" for key in keys if (names := getattr(scope, key)))])
