"""Why a rule alarms for a subject, or why it does not: what the engine knows of it, for people who ask.

The latest values of signals are not the engine's; whoever shows an explanation joins them.
"""

from __future__ import annotations

import difflib
from collections.abc import Collection, Iterable
from datetime import datetime
from typing import Any

import msgspec

from firewatch.engine.failure import RuleFailure
from firewatch.errors import FirewatchError
from firewatch.model.alarm import Alarm, AlarmClass, ConditionState, Priority
from firewatch.model.text import LocalText
from firewatch.rules.evaluator import Evaluator, Finding, Phase
from firewatch.rules.ladder import LadderEvaluator
from firewatch.rules.spec import Mode, RuleSpec


class UnknownSubjectError(FirewatchError):
    """There is no such rule, or it does not speak about that subject."""

    @classmethod
    def of_rule(cls, rule: str, rules: Iterable[str]) -> UnknownSubjectError:
        """The rule is unknown, or judges nothing here."""
        hint = _closest(rule, rules) or "`firewatch rules show` lists the rules"
        return cls(f'There is no rule "{rule}" that judges anything here; {hint}')

    @classmethod
    def of_subject(cls, rule: str, subject: str, subjects: Collection[str]) -> UnknownSubjectError:
        """The rule judges other subjects."""
        hint = _closest(subject, subjects) or f"it does for {len(subjects)} others, such as {min(subjects)}"
        return cls(f'The rule {rule} does not judge "{subject}"; {hint}')


class StepExplanation(msgspec.Struct, frozen=True):
    """One step of the ladder, mild to severe; `finding` is None where the subject has none of the step's signals."""

    priority: Priority
    finding: Finding | None


class Explanation(msgspec.Struct, frozen=True):
    """How it stands with a rule for one subject (`site/asset` or `site/device`) at `now`. `alarm` says what hides it.

    `text` is the rule's as it is written, with its placeholders.
    `decides` is the place of the step that gives the alarm its priority, None while none stands. `signals` are all that
    the rule listens to here, by identity with their device's label. `failure` is set while the rule is out of service.
    `is_carried` says that the alarm stands from before the rule was changed and waits for its word. `engaged` is the
    phase for which actuators were asked for something that is not yet undone, `next_repetition` when they are asked
    again. `next_wake` is when time alone may change something.
    """

    now: datetime
    rule: str
    subject: str
    place: LocalText
    text: LocalText
    alarm_class: AlarmClass
    mode: Mode
    steps: tuple[StepExplanation, ...]
    decides: int | None
    signals: dict[str, LocalText]
    alarm: Alarm | None = None
    failure: RuleFailure | None = None
    is_carried: bool = False
    engaged: Phase | None = None
    next_repetition: datetime | None = None
    next_wake: datetime | None = None


def explained_steps(rule: RuleSpec, evaluator: Evaluator[Any], finding: Finding) -> tuple[StepExplanation, ...]:
    """The rule's steps with what was found at each."""
    found = (
        dict(zip(evaluator.places, finding.parts, strict=True))
        if isinstance(evaluator, LadderEvaluator)
        else {0: finding}
    )
    return tuple(StepExplanation(step.priority, found.get(place)) for place, step in enumerate(rule.steps))


def explained_decision(rule: RuleSpec, finding: Finding) -> int | None:
    """The place of the step that decides."""
    if rule.ladder:
        decides = finding.facts.get("step")
        return int(decides) if isinstance(decides, float) else None
    return 0 if finding.condition is ConditionState.ACTIVE else None


def _closest(wrong: str, names: Iterable[str]) -> str:
    close = difflib.get_close_matches(wrong, names, n=1, cutoff=0.6)
    return f'did you mean "{close[0]}"?' if close else ""
