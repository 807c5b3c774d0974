"""Rule coverage: has every rule a test in which it alarms, one in which it does not, and one in which data is missing?

What a test is for a rule is seen from what happened in it, not from what it says it is. Every expectation that names
the rule is looked at, in tests that passed:

* **missing data**: a signal that the rule judges was in a written `silence`, or its newest reading was `bad`. For
  `absence`, which judges silence, only `bad` counts.
* **positive**: nothing was missing, and the rule's alarm stood.
* **negative**: nothing was missing, the rule had judged what it heard and its condition was inactive, and in the whole
  test the rule never alarmed for that subject.

Each step of a ladder is looked at by itself (it was this step at which the alarm stood; the alarm never reached it),
and so is what an override makes of a rule, where it judges differently.
"""

from __future__ import annotations

import enum
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from firewatch.config.condition_logic import parts_of
from firewatch.config.effective_rule import EffectiveRule
from firewatch.config.problem import Place, Problem
from firewatch.model.alarm import ConditionState
from firewatch.rules.evaluator import Finding
from firewatch.rules.spec import CameraSessionSpec, ConditionSpec, RuleSpec, ScheduleSpec
from firewatch.testing.play import Outcome, Sighting
from firewatch.testing.series import Trouble
from firewatch.testing.story import Judged


class Case(enum.StrEnum):
    """What a test can be for a rule."""

    POSITIVE = "positive"
    NEGATIVE = "negative"
    MISSING_DATA = "missing data"


ADVICE = {
    Case.POSITIVE: "let it alarm, and expect its alarm",
    Case.NEGATIVE: "expect `normal` in a test with known readings that never makes it alarm",
    Case.MISSING_DATA: "expect what its alarm does while a signal is `bad`, or silent if that is not what it judges",
}
"""How to write the test that a rule lacks."""

_Key = tuple[str, int, str]


@dataclass(frozen=True)
class Covered:
    """A rule, a step of its ladder or what an override makes of it, and the names of the tests it has."""

    rule: str
    step: int | None
    """The ladder's step, 1 the mildest; None for a rule without a ladder."""
    place: Place
    needs: frozenset[Case]
    tests: dict[Case, list[str]] = field(default_factory=dict)
    override: Place | None = None

    @property
    def name(self) -> str:
        """What a reader would call it."""
        step = f" step {self.step}" if self.step is not None else ""
        override = f" ({self.override})" if self.override is not None else ""
        return f"{self.rule}{step}{override}"

    @property
    def gaps(self) -> tuple[Case, ...]:
        """What it needs and has no test for."""
        return tuple(case for case in Case if case in self.needs and not self.tests.get(case))

    @property
    def problem(self) -> Problem | None:
        """What it lacks, and the way out; None if it lacks nothing."""
        if not self.gaps:
            return None
        hint = "; ".join(ADVICE[case] for case in self.gaps)
        return Problem(self.place, f"rule {self.name}", f"no {' and no '.join(self.gaps)} test", hint)


def coverage(rules: Iterable[EffectiveRule], outcomes: Iterable[Outcome]) -> tuple[Covered, ...]:
    """What the tests cover of each rule that speaks about anything here, in the order of the rules."""
    covered: dict[_Key, Covered] = {}
    for rule in rules:
        if rule.subjects:
            for key, one in _wanted(rule):
                if key not in covered or one.override is None:
                    covered[key] = one
    for outcome in outcomes:
        if not outcome.failures:
            for key, case in _cases(outcome):
                if key in covered and outcome.name not in (tests := covered[key].tests.setdefault(case, [])):
                    tests.append(outcome.name)
    return tuple(covered.values())


def _wanted(rule: EffectiveRule) -> Iterator[tuple[_Key, Covered]]:
    spec = rule.spec
    place = rule.place() or Place(rule.written.document.file)
    override = rule.overrides[-1] if rule.overrides else None
    for index, step in enumerate(spec.steps):
        needs = frozenset(Case) if _hears(step.when) else frozenset({Case.POSITIVE, Case.NEGATIVE})
        yield (
            _key(spec, index),
            Covered(
                rule=spec.id,
                step=index + 1 if spec.ladder else None,
                place=place,
                needs=needs,
                override=override.document.place(*override.path) if override is not None else None,
            ),
        )


def _key(spec: RuleSpec, step: int) -> _Key:
    """The same wherever the step judges in the same way."""
    return spec.id, step, spec.steps[step].model_dump_json(include={"when", "on_delay", "off_delay"}, by_alias=True)


def _hears(condition: ConditionSpec) -> bool:
    """Whether it judges anything but the time."""
    parts = parts_of(condition)
    if parts and not isinstance(condition.form, CameraSessionSpec):
        return any(_hears(part) for part in parts)
    return not isinstance(condition.form, ScheduleSpec)


def _cases(outcome: Outcome) -> Iterator[tuple[_Key, Case]]:
    for sighting in outcome.sightings:
        reached = outcome.steps_reached.get(Judged(sighting.spec.id, sighting.subject), frozenset())
        for index, step in enumerate(sighting.explanation.steps):
            if step.finding is not None and (case := _case(sighting, index, step.finding, reached)) is not None:
                yield _key(sighting.spec, index), case


def _case(sighting: Sighting, step: int, finding: Finding, reached: frozenset[int]) -> Case | None:
    if any(_is_missing(sighting, part) for part in _parts(finding)):
        return Case.MISSING_DATA
    if sighting.step == step:
        return Case.POSITIVE
    if finding.condition is ConditionState.INACTIVE and all(other < step for other in reached):
        return Case.NEGATIVE
    return None


def _is_missing(sighting: Sighting, part: Finding) -> bool:
    troubles = {sighting.troubles.get(signal) for signal in part.signals}
    return Trouble.BAD in troubles or (Trouble.SILENCE in troubles and part.kind != "absence")


def _parts(finding: Finding) -> Iterator[Finding]:
    yield finding
    for part in finding.parts:
        yield from _parts(part)
