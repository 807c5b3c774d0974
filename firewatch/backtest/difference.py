"""How two logs of alarms differ, and whether what was real is still alarmed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta

from firewatch.backtest.log import Told
from firewatch.backtest.result import (
    BacktestResult,
    Difference,
    Fate,
    HourLoad,
    Reality,
    RealityCheck,
    RuleCount,
)
from firewatch.model.text import LocalText

SAME_EVENT = timedelta(minutes=10)
"""Alarms of one rule and subject told no further apart, or active at the same time, are one event seen otherwise."""


def differences(before: Sequence[Told], after: Sequence[Told]) -> list[Difference]:
    """Pair the alarms of two logs, by time: the same, moved, added or removed."""
    found: list[Difference] = []
    left, right = _by_place(before), _by_place(after)
    for place in left.keys() | right.keys():
        found += _paired(left.get(place, []), right.get(place, []))
    return sorted(found, key=lambda one: (one.time, one.fate))


def _by_place(log: Iterable[Told]) -> dict[tuple[str, str], list[Told]]:
    places: dict[tuple[str, str], list[Told]] = {}
    for told in log:
        places.setdefault((told.rule, told.subject), []).append(told)
    return places


def _paired(before: list[Told], after: list[Told]) -> list[Difference]:
    """What is the same to the microsecond first; of the rest, in order, what is the same event."""
    times = Counter(told.told_time for told in before) & Counter(told.told_time for told in after)
    same_before, before = _apart(before, times)
    same_after, after = _apart(after, times)
    found = [Difference(Fate.SAME, one, other) for one, other in zip(same_before, same_after, strict=True)]
    waiting = list(reversed(after))
    for one in before:
        while waiting and _is_earlier_event(waiting[-1], one):
            found.append(Difference(Fate.ADDED, after=waiting.pop()))
        if waiting and _is_same_event(one, waiting[-1]):
            found.append(Difference(Fate.MOVED, one, waiting.pop()))
        else:
            found.append(Difference(Fate.REMOVED, one))
    return found + [Difference(Fate.ADDED, after=told) for told in waiting]


def _apart(log: list[Told], times: Counter[datetime]) -> tuple[list[Told], list[Told]]:
    left = times.copy()
    among: list[Told] = []
    others: list[Told] = []
    for told in log:
        left[told.told_time] -= 1
        (among if left[told.told_time] >= 0 else others).append(told)
    return among, others


def _is_earlier_event(told: Told, other: Told) -> bool:
    return told.told_time < other.told_time and not _is_same_event(told, other)


def _is_same_event(one: Told, other: Told) -> bool:
    return abs(one.told_time - other.told_time) <= SAME_EVENT or _overlap(one, other)


def _overlap(one: Told, other: Told) -> bool:
    first, second = sorted((one, other), key=lambda told: told.told_time)
    return first.until_time is None or first.until_time > second.told_time


def realities_of(log: Iterable[Told]) -> list[Reality]:
    """The alarms that an operator's acknowledgement calls real."""
    return [Reality(told.told_time, told.subject, told.rule) for told in log if told.confirmed]


def check(reality: Reality, before: Iterable[Told], after: Iterable[Told]) -> RealityCheck:
    """Whether people were, and would be, told of it: of its subject, at about the time."""
    was, would = _told_of(reality, before), _told_of(reality, after)
    delay = would.told_time - was.told_time if was is not None and would is not None else None
    return RealityCheck(reality, was is not None, would is not None, delay)


def _told_of(reality: Reality, log: Iterable[Told]) -> Told | None:
    """The first alarm of the same subject, of the same rule if there is one, about that time or active then."""
    near = [told for told in log if told.subject == reality.subject and _is_near(told, reality.time)]
    return min(near, key=lambda told: (told.rule != reality.rule, told.told_time), default=None)


def _is_near(told: Told, time: datetime) -> bool:
    if abs(told.told_time - time) <= SAME_EVENT:
        return True
    return told.told_time <= time and (told.until_time is None or told.until_time > time)


def counts_of(found: Iterable[Difference], texts: Mapping[str, LocalText]) -> tuple[RuleCount, ...]:
    """The differences by rule, those that change most first."""
    tallies: dict[str, Counter[str]] = {}
    for one in found:
        told = one.after or one.before
        assert told is not None
        tally = tallies.setdefault(told.rule, Counter())
        tally[one.fate] += 1
        tally["before"] += one.before is not None
        tally["after"] += one.after is not None
    counts = [
        RuleCount(
            rule=rule,
            text=texts.get(rule),
            before=tally["before"],
            after=tally["after"],
            added=tally[Fate.ADDED],
            removed=tally[Fate.REMOVED],
            moved=tally[Fate.MOVED],
        )
        for rule, tally in tallies.items()
    ]
    return tuple(sorted(counts, key=lambda count: (-count.added - count.removed, -count.moved, count.rule)))


def loads_of(before: Iterable[Told], after: Iterable[Told]) -> tuple[HourLoad, ...]:
    """How many alarms there were in each hour, of UTC, that had any."""
    was, would = (Counter(_hour(told.told_time) for told in log) for log in (before, after))
    return tuple(HourLoad(hour, was[hour], would[hour]) for hour in sorted(was.keys() | would.keys()))


def _hour(time: datetime) -> datetime:
    return time.astimezone(UTC).replace(minute=0, second=0, microsecond=0)


def summary_of(result: BacktestResult) -> LocalText:
    """The result in one sentence."""
    return LocalText(zh=_summary_zh(result), en=_summary_en(result))


def _summary_en(result: BacktestResult) -> str:
    rates = f"operator load {result.before / result.hours:.1f}/h -> {result.after / result.hours:.1f}/h"
    real, lost = _real(result), _lost(result)
    if not real:
        kept = "nothing confirmed in this time"
    elif lost:
        kept = f"{lost} of {_plural(real, 'confirmed alarm')} LOST"
    else:
        kept = f"{_all(real)} kept"
    return f"{_length_en(result)}: +{result.added}, -{result.removed} alarms; {kept}; {rates}"


def _summary_zh(result: BacktestResult) -> str:
    rates = f"值班负荷 {result.before / result.hours:.1f} 条/小时 → {result.after / result.hours:.1f} 条/小时"
    real, lost = _real(result), _lost(result)
    if not real:
        kept = "期间没有经确认的警情"
    elif lost:
        kept = f"{real} 起经确认的警情中有 {lost} 起不再报警！"
    else:
        kept = f"{real} 起经确认的警情全部保留"
    return f"{_length_zh(result)}：新增 {result.added} 条，减少 {result.removed} 条；{kept}；{rates}"


def _real(result: BacktestResult) -> int:
    return sum(one.alarmed_before for one in result.realities)


def _lost(result: BacktestResult) -> int:
    return sum(one.is_lost for one in result.realities)


def _all(number: int) -> str:
    return {1: "the one confirmed alarm", 2: "both confirmed alarms"}.get(number, f"all {number} confirmed alarms")


def _plural(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"


def _length_en(result: BacktestResult) -> str:
    days = result.hours / 24
    if days >= 1.95:
        return _plural(round(days), "day")
    return f"{result.hours:.3g} hours" if result.hours >= 1.95 else _plural(round(result.hours * 60), "minute")


def _length_zh(result: BacktestResult) -> str:
    days = result.hours / 24
    if days >= 1.95:
        return f"{round(days)} 天"
    return f"{result.hours:.3g} 小时" if result.hours >= 1.95 else f"{round(result.hours * 60)} 分钟"
