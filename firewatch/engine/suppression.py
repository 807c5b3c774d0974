"""Suppression by design (ISA-18.2): which standing alarms explain, and so hide, which others.

A rule names the rules whose alarms explain its own, and how near those have to be. Whether an alarm explains others
follows from that alarm alone, never from whether it is suppressed in turn, so the order of events does not matter.
Rules that explain each other in a circle would hide everything and show nothing: what closes a circle is not followed.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Iterable
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from firewatch.model.alarm import Alarm, ConditionState
from firewatch.rules.compile import RuleInstance
from firewatch.rules.spec import Reach, RuleSpec

T = TypeVar("T", bound=Hashable)


def explains(alarm: Alarm) -> bool:
    """Whether it explains others: it is known to be active, and neither hidden by an operator nor a shadow. Otherwise
    nobody would be told of any of them.
    """
    return alarm.condition is ConditionState.ACTIVE and not alarm.is_held and not alarm.shadow


@dataclass(eq=False)
class _Group(Generic[T]):
    """The alarms of one rule at one place, by id, as far as they explain others; and whose alarms they suppress."""

    explaining: set[str] = field(default_factory=set)
    suppressed: list[T] = field(default_factory=list)


class Suppressions(Generic[T]):
    """What suppresses what among a number of instances."""

    def __init__(self, instances: Iterable[tuple[T, RuleInstance]]) -> None:
        self._explains: dict[T, list[_Group[T]]] = {}
        self._explained: dict[T, list[_Group[T]]] = {}
        self._noted: dict[T, str] = {}
        known = list(instances)
        wanted = without_circles({id(each.rule): each.rule for _, each in known}.values())
        reaches: defaultdict[str, set[Reach]] = defaultdict(set)
        groups: defaultdict[tuple[str, Reach, tuple[str, ...]], _Group[T]] = defaultdict(_Group)
        for one, instance in known:
            for each in instance.rule.suppressed_by:
                if (instance.rule.id, each.rule) in wanted:
                    reaches[each.rule].add(each.same)
                    group = groups[each.rule, each.same, instance.places[each.same]]
                    group.suppressed.append(one)
                    self._explained.setdefault(one, []).append(group)
        for one, instance in known:
            if instance.rule.id in reaches:
                self._explains[one] = [
                    groups[instance.rule.id, reach, instance.places[reach]] for reach in reaches[instance.rule.id]
                ]

    def suppressor(self, one: T, present: str | None = None) -> str | None:
        """The id of the alarm that suppresses its alarms, the `present` one as long as it does; None if none does."""
        explaining = [group.explaining for group in self._explained.get(one, ())]
        if any(present in alarms for alarms in explaining):
            return present
        return next((min(alarms) for alarms in explaining if alarms), None)

    def note(self, one: T, alarm: Alarm | None) -> list[T]:
        """Its alarm stands like this now, None: not at all. Returns those whose suppressor may be another since."""
        groups = self._explains.get(one)
        if groups is None:
            return []
        before = self._noted.get(one)
        now = alarm.alarm_id if alarm is not None and explains(alarm) else None
        if now == before:
            return []
        touched: dict[T, None] = {}
        for group in groups:
            began_or_ended = before is not None or not group.explaining
            if before is not None:
                group.explaining.discard(before)
            if now is not None:
                group.explaining.add(now)
            if began_or_ended:
                touched.update(dict.fromkeys(group.suppressed))
        if now is None:
            del self._noted[one]
        else:
            self._noted[one] = now
        return list(touched)


def without_circles(rules: Iterable[RuleSpec]) -> set[tuple[str, str]]:
    """Every pair of a rule and one that suppresses it, but for those that are part of a circle."""
    by_rule: defaultdict[str, set[str]] = defaultdict(set)
    for rule in rules:
        by_rule[rule.id].update(each.rule for each in rule.suppressed_by)

    def behind(rule: str) -> set[str]:
        seen: set[str] = set()
        waiting = [rule]
        while waiting:
            further: set[str] = by_rule.get(waiting.pop(), set()) - seen
            seen |= further
            waiting += further
        return seen

    return {
        (rule, other)
        for rule, others in list(by_rule.items())
        for other in others
        if rule not in behind(other) | {other}
    }
