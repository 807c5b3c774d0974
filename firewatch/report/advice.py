"""What would spare people the alarms that come most often, found by playing the month to the rule and to its variants.

Advice never costs an alarm that somebody confirmed as real, nor another event that the rule tells of: it holds to what
`firewatch tune` holds to. Shelving is looked at by itself, because it changes no rule: what it would have hidden is
counted, and it is not advised if anything real is among that, nor where the rule does not allow it.
"""

from __future__ import annotations

import enum
from collections import deque
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

import msgspec

from firewatch.alarms.workload import BadActor
from firewatch.backtest.log import Told
from firewatch.backtest.result import DatabaseHistory, Reality
from firewatch.backtest.run import NoHistoryError
from firewatch.backtest.tune import FEWEST_ALARMS, Means, TuneRequest, TuneResult, Variant, Verdict, is_safe, run_tune
from firewatch.config.effective_rule import EffectiveRule
from firewatch.model.site import Inventory
from firewatch.rules.spec import RuleSpec

ADVISED_ACTORS = 5
"""Each takes a replay of the month."""

SHELVED_AFTER = 3
"""With as many in an hour somebody would reach for the shelf."""

_HOUR = timedelta(hours=1)
_ADVISED_MEANS = (Means.DEADBAND, Means.OFF_DELAY, Means.DEADBAND_AND_OFF_DELAY, Means.ON_DELAY, Means.ON_AND_OFF_DELAY)


class Finding(enum.StrEnum):
    """What can be said about a bad actor."""

    SUGGESTED = "suggested"
    NOTHING_BETTER = "nothing_better"
    TOO_FEW_ALARMS = "too_few_alarms"
    NOTHING_TO_TUNE = "nothing_to_tune"
    RULE_GONE = "rule_gone"
    NO_READINGS = "no_readings"


class Shelving(msgspec.Struct, frozen=True):
    """Shelving the alarm for `at_most` whenever it came the third time in an hour: `times` in the month, which would
    have spared people `spared` alarms.
    """

    at_most: timedelta
    times: int
    spared: int


class Advice(msgspec.Struct, frozen=True):
    """For one bad actor. `played` is how many alarms the rule gives as it is, `realities` how many confirmed ones it
    tells of. `suggestion` is the mildest change that spares about as much as any; `override` puts it into force for
    this subject alone. `alternatives` are the best of each means, all safe.
    """

    rule: str
    subject: str
    finding: Finding
    played: int = 0
    realities: int = 0
    suggestion: Variant | None = None
    override: str | None = None
    alternatives: tuple[Variant, ...] = ()
    shelving: Shelving | None = None


class Played(msgspec.Struct, frozen=True):
    """The month to be played: its history from start to before end, what was told in it, and what of it was real."""

    history: DatabaseHistory
    inventory: Inventory
    rules: Sequence[EffectiveRule]
    start: datetime
    end: datetime
    told: Sequence[Told]
    realities: Sequence[Reality]


def advise(actor: BadActor, played: Played) -> Advice:
    """What would spare people this actor's alarms.

    Raises:
        StorageError: the history cannot be read.
    """
    told = [one for one in played.told if (one.rule, one.subject) == (actor.rule, actor.subject)]
    rule = _rule_of(actor, played.rules)
    if rule is None:
        return Advice(actor.rule, actor.subject, Finding.RULE_GONE)
    found = _tuned(actor, rule, played)
    return msgspec.structs.replace(found, shelving=shelving(told, rule.shelved_at_most, played.realities))


def shelving(told: Iterable[Told], at_most: timedelta | None, realities: Iterable[Reality]) -> Shelving | None:
    """What shelving one subject's alarms of one rule would have spared, given in the order of time; None if it spares
    nothing, or hides what is real.
    """
    if at_most is None:
        return None
    real = {(one.time, one.subject) for one in realities}
    lately: deque[datetime] = deque()
    until: datetime | None = None
    times = spared = 0
    for one in told:
        if until is not None and one.told_time < until:
            if one.confirmed or (one.told_time, one.subject) in real:
                return None
            spared += 1
            continue
        lately.append(one.told_time)
        while one.told_time - lately[0] > _HOUR:
            lately.popleft()
        if len(lately) >= SHELVED_AFTER:
            until, times = one.told_time + at_most, times + 1
            lately.clear()
    return Shelving(at_most, times, spared) if spared else None


def _rule_of(actor: BadActor, rules: Iterable[EffectiveRule]) -> RuleSpec | None:
    """The rule as it is for that subject."""
    for rule in rules:
        if rule.spec.id == actor.rule and any(subject.name == actor.subject for subject in rule.subjects):
            return rule.spec
    return None


def _tuned(actor: BadActor, rule: RuleSpec, played: Played) -> Advice:
    alone = rule.model_copy(update={"scope": rule.scope.model_copy(update={"subjects": (actor.subject,)})})
    realities = tuple(one for one in played.realities if one.subject == actor.subject)
    request = TuneRequest(played.history, played.inventory, alone, played.start, played.end, realities)
    try:
        result = run_tune(request)
    except NoHistoryError:
        return Advice(actor.rule, actor.subject, Finding.NO_READINGS)
    finding = _finding(result)
    return Advice(
        rule=actor.rule,
        subject=actor.subject,
        finding=finding,
        played=result.variants[0].alarms,
        realities=result.realities,
        suggestion=result.suggestion,
        override=_override(result.suggestion, actor) if result.suggestion is not None else None,
        alternatives=_alternatives(result) if finding is not Finding.TOO_FEW_ALARMS else (),
    )


def _finding(result: TuneResult) -> Finding:
    if result.verdict is not Verdict.NOTHING_TO_TUNE and result.variants[0].alarms < FEWEST_ALARMS:
        return Finding.TOO_FEW_ALARMS
    return Finding(result.verdict.value)


def _alternatives(result: TuneResult) -> tuple[Variant, ...]:
    as_it_is, *others = result.variants
    safe = [one for one in others if is_safe(as_it_is, one) and one.alarms < as_it_is.alarms]
    alike = ([one for one in safe if one.means is means] for means in _ADVISED_MEANS)
    return tuple(min(ones, key=lambda one: one.alarms) for ones in alike if ones)


def _override(suggestion: Variant, actor: BadActor) -> str:
    lines = [
        "overrides:",
        f"  - rule: {actor.rule}",
        f"    subjects: [{actor.subject}]",
        "    set:",
        *(f"      {path}: {value}" for path, value in suggestion.set.items()),
    ]
    return "\n".join(lines) + "\n"
