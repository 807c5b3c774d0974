"""Which deadband, delays or limit would have spared people a rule's chatter, shown by the history itself.

Every variant is a rule of its own and all of them are played at once, by the same engine. What is compared are
*events*: alarms of one subject with less than `SAME_EVENT` between them tell of one. A variant is worth a look if it
tells of every event, and of everything confirmed, with fewer alarms.

What it suggests stays within bounds that a rule's safety sets: a deadband and an off-delay never delay an alarm; an
on-delay does, by as much as it is longer; a limit may come from a standard. So the milder means win: the first whose
variants come close to the fewest alarms that any suggested variant has.
"""

from __future__ import annotations

import enum
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from statistics import median
from typing import Any

import msgspec
from msgspec.structs import replace

from firewatch.backtest.difference import SAME_EVENT, check, realities_of
from firewatch.backtest.log import AlarmLog, Told
from firewatch.backtest.replay import replay
from firewatch.backtest.result import DatabaseHistory, Reality, StoredFiles
from firewatch.backtest.run import opened, played_extent
from firewatch.model.duration import write_duration
from firewatch.model.site import Inventory
from firewatch.rules.spec import LimitSpec, Mode, Quantity, RuleSpec

SHORTEST_DELAYS = tuple(timedelta(seconds=seconds) for seconds in (5, 10, 30, 60, 120, 300, 600))
"""Delays that are tried, where they are longer than the rule's own."""

LONGEST_ON_DELAY = timedelta(minutes=1)
"""An on-delay that makes people wait longer is shown and not suggested."""

DEADBANDS = (0.02, 0.05, 0.1, 0.2)
"""Deadbands that are tried, as shares of the limit."""

SHIFTS = (0.02, 0.05, 0.1, 0.2)
"""How far the limit is moved away from the normal, as shares of it."""

CLOSE_ENOUGH = 0.1
"""A milder means is suggested if it removes no less than the best does, but for this share."""

FEWEST_ALARMS = 3
"""With fewer nobody can tell chatter from chance."""


@dataclass(frozen=True)
class TuneRequest:
    """A rule, in the form that it has for most subjects, and the history to judge it by, from start to before end."""

    history: DatabaseHistory | StoredFiles
    inventory: Inventory
    rule: RuleSpec
    start: datetime
    end: datetime
    realities: tuple[Reality, ...] = ()


class Means(enum.StrEnum):
    """What a variant changes, the mildest first."""

    AS_IT_IS = "as_it_is"
    DEADBAND = "deadband"
    OFF_DELAY = "off_delay"
    DEADBAND_AND_OFF_DELAY = "deadband_and_off_delay"
    ON_DELAY = "on_delay"
    ON_AND_OFF_DELAY = "on_and_off_delay"
    LIMIT = "limit"


class Variant(msgspec.Struct, frozen=True):
    """What the rule would have done with other numbers; `set` has them by their dotted path, as an override does.

    `chatter` are the alarms that tell of no new event. `delay_median` and `delay_longest` are by how much later (or
    earlier) people would have been told of the events that it tells of.
    """

    means: Means
    set: dict[str, str]
    alarms: int
    chatter: int
    events_kept: int
    realities_kept: int
    delay_median: timedelta
    delay_longest: timedelta


class Verdict(enum.StrEnum):
    """What can be said."""

    SUGGESTED = "suggested"
    NOTHING_BETTER = "nothing_better"
    TOO_FEW_ALARMS = "too_few_alarms"
    NOTHING_TO_TUNE = "nothing_to_tune"


class TuneResult(msgspec.Struct, frozen=True):
    """The trade-offs. The first variant is the rule as it is; `events` and `realities` are what it told of.

    `suggestion` is one of the variants, and `override` the YAML that puts it into force; None without a suggestion.
    """

    rule: str
    start: datetime
    end: datetime
    events: int
    realities: int
    variants: tuple[Variant, ...]
    verdict: Verdict
    suggestion: Variant | None = None
    override: str | None = None


def run_tune(request: TuneRequest, progress: Callable[[float], None] = lambda _: None) -> TuneResult:
    """Play the history to the rule and to its variants, and say what they would have changed.

    Raises:
        NoHistoryError: nothing was taken in that time.
        StorageError, HistoryFileError: the history cannot be read.
    """
    start, end = played_extent(request.history, request.start, request.end)
    candidates = [(Means.AS_IT_IS, {}, request.rule), *_candidates(request.rule)]
    rules = [_named(rule, number) for number, (_, _, rule) in enumerate(candidates)]
    with opened(request.history) as source:
        log = AlarmLog(start, end)
        for transition in source.transitions(start, end):
            if transition.alarm.rule == request.rule.id and transition.alarm.drill is None:
                log.add(transition)
        (played,) = replay(source, [rules], request.inventory, start, end, progress)
    logs: list[list[Told]] = [[] for _ in candidates]
    for told in played.told:
        logs[int(told.rule.rpartition("~")[2])].append(told)
    events = _events(logs[0])
    told_of = _alarmed({*realities_of(log.told()), *request.realities}, logs[0])
    variants = tuple(
        _variant(means, numbers, log, events, told_of)
        for (means, numbers, _), log in zip(candidates, logs, strict=True)
    )
    result = TuneResult(
        rule=request.rule.id,
        start=start,
        end=end,
        events=len(events),
        realities=len(told_of),
        variants=variants,
        verdict=Verdict.NOTHING_BETTER,
    )
    return _judged(result)


# -- the variants ------------------------------------------------------------------------------------------------------

_Candidate = tuple[Means, dict[str, str], RuleSpec]


def _candidates(rule: RuleSpec) -> list[_Candidate]:
    """Other numbers for a rule; a ladder has steps of its own, which are not tried."""
    if rule.when is None:
        return []
    off_delays = [_delayed(rule, "off_delay", delay) for delay in SHORTEST_DELAYS if delay > rule.off_delay]
    on_delays = [_delayed(rule, "on_delay", delay) for delay in SHORTEST_DELAYS if delay > rule.on_delay]
    deadbands: list[_Candidate] = []
    limits: list[_Candidate] = []
    form = rule.when.form
    if isinstance(form, LimitSpec) and form.limit.value:
        deadbands = [_limited(rule, form, "deadband", value) for value in _wider_deadbands(form)]
        limits = [_limited(rule, form, "limit", value) for value in _shifted_limits(rule.when.kind, form)]
    both = [_joined(Means.DEADBAND_AND_OFF_DELAY, one, other) for one in deadbands for other in off_delays]
    delays = [_joined(Means.ON_AND_OFF_DELAY, one, other) for one in on_delays for other in off_delays]
    return [*deadbands, *off_delays, *both, *on_delays, *delays, *limits]


def _wider_deadbands(form: LimitSpec) -> list[float]:
    wider = (_rounded(abs(form.limit.value) * share) for share in DEADBANDS)
    return [value for value in wider if value > form.deadband.value]


def _shifted_limits(kind: str, form: LimitSpec) -> list[float]:
    away = 1.0 if kind in ("high", "high_high") else -1.0
    return [_rounded(form.limit.value + away * abs(form.limit.value) * share) for share in SHIFTS]


def _rounded(value: float) -> float:
    return float(f"{value:.3g}")


def _delayed(rule: RuleSpec, name: str, delay: timedelta) -> _Candidate:
    return Means(name), {name: write_duration(delay)}, rule.model_copy(update={name: delay})


def _limited(rule: RuleSpec, form: LimitSpec, name: str, value: float) -> _Candidate:
    assert rule.when is not None
    quantity = Quantity(value=value, unit=form.limit.unit)
    when = rule.when.with_form(form.model_copy(update={name: quantity}))
    written = {f"when.{rule.when.kind}.{name}": f"{value:g} {quantity.unit}".strip()}
    return Means(name), written, rule.model_copy(update={"when": when})


def _joined(means: Means, one: _Candidate, other: _Candidate) -> _Candidate:
    """What the first changes, with the delay that the second changes."""
    (name,) = other[1]
    return means, one[1] | other[1], one[2].model_copy(update={name: getattr(other[2], name)})


def _named(rule: RuleSpec, number: int) -> RuleSpec:
    alone: dict[str, Any] = {"id": f"{rule.id}~{number}", "mode": Mode.LIVE, "suppressed_by": ()}
    return rule.model_copy(update=alone)


# -- what they would have done -----------------------------------------------------------------------------------------

_Event = list[Told]


def _events(log: Iterable[Told]) -> list[_Event]:
    """The alarms of each subject that tell of one thing, by time."""
    newest: dict[str, _Event] = {}
    events: list[_Event] = []
    for told in log:
        event = newest.get(told.subject)
        if event is not None and _belongs(told, event[-1]):
            event.append(told)
        else:
            event = newest[told.subject] = [told]
            events.append(event)
    return events


def _belongs(told: Told, before: Told) -> bool:
    return before.until_time is None or told.told_time - before.until_time < SAME_EVENT


def _alarmed(realities: Iterable[Reality], log: Sequence[Told]) -> list[Reality]:
    return [reality for reality in realities if check(reality, log, ()).alarmed_before]


def _variant(
    means: Means, numbers: dict[str, str], log: Sequence[Told], events: Sequence[_Event], realities: Sequence[Reality]
) -> Variant:
    by_subject: dict[str, list[Told]] = {}
    for told in log:
        by_subject.setdefault(told.subject, []).append(told)
    delays = [
        first.told_time - event[0].told_time
        for event in events
        if (first := _first_of(event, by_subject.get(event[0].subject, ()))) is not None
    ]
    return Variant(
        means=means,
        set=numbers,
        alarms=len(log),
        chatter=len(log) - len(_events(log)),
        events_kept=len(delays),
        realities_kept=len(_alarmed(realities, log)),
        delay_median=timedelta(seconds=median(delay.total_seconds() for delay in delays) if delays else 0),
        delay_longest=max(delays, default=timedelta(0)),
    )


def _first_of(event: _Event, log: Iterable[Told]) -> Told | None:
    """The first alarm that tells of an event: told in its time, or standing when it begins."""
    begin, end = event[0].told_time, event[-1].until_time
    for told in log:
        is_in_time = end is None or told.told_time < end + SAME_EVENT
        if is_in_time and (told.told_time >= begin or told.until_time is None or told.until_time > begin):
            return told
    return None


def _judged(result: TuneResult) -> TuneResult:
    as_it_is, *others = result.variants
    if not others:
        verdict, chosen = Verdict.NOTHING_TO_TUNE, None
    elif as_it_is.alarms < FEWEST_ALARMS:
        verdict, chosen = Verdict.TOO_FEW_ALARMS, None
    else:
        chosen = _mildest(as_it_is, others)
        verdict = Verdict.SUGGESTED if chosen is not None else Verdict.NOTHING_BETTER
    override = _override(result.rule, chosen) if chosen is not None else None
    return replace(result, verdict=verdict, suggestion=chosen, override=override)


def _mildest(as_it_is: Variant, others: Sequence[Variant]) -> Variant | None:
    """Of the mildest means that removes about as many alarms as any, the variant that changes least."""
    safe = [one for one in others if is_safe(as_it_is, one) and one.alarms < as_it_is.alarms]
    if not safe:
        return None
    most = as_it_is.alarms - min(one.alarms for one in safe)
    good = [one for one in safe if as_it_is.alarms - one.alarms >= (1 - CLOSE_ENOUGH) * most]
    order = list(Means)
    return min(good, key=lambda one: (order.index(one.means), others.index(one)))


def is_safe(as_it_is: Variant, other: Variant) -> bool:
    """Whether it tells of all that the rule tells of as it is, without people waiting much longer for it."""
    return (
        other.means is not Means.LIMIT
        and other.events_kept == as_it_is.events_kept
        and other.realities_kept == as_it_is.realities_kept
        and other.delay_longest <= LONGEST_ON_DELAY
    )


def _override(rule: str, variant: Variant) -> str:
    lines = ["overrides:", f"  - rule: {rule}", "    set:"]
    return "\n".join([*lines, *(f"      {path}: {value}" for path, value in variant.set.items())]) + "\n"
