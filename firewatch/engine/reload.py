"""What a reload did to the rules and to what was running, rule by rule, for the log and the audit record."""

from __future__ import annotations

import enum
from collections import Counter, defaultdict
from datetime import datetime

import msgspec


class RuleDifference(enum.StrEnum):
    """What became of a rule. A `changed` one judges differently than before, for at least one subject; an `adjusted`
    one judges as before and tells or acts differently.
    """

    ADDED = "added"
    CHANGED = "changed"
    ADJUSTED = "adjusted"
    REMOVED = "removed"


class RuleReload(msgspec.Struct, frozen=True, omit_defaults=True):
    """What became of one rule. The numbers count subjects: `added` ones it speaks about for the first time, `changed`
    ones it judges anew, `unchanged` ones it goes on judging where it was, `removed` ones it no longer speaks about.

    `dropped_timers` counts delays, windows and silences of changed and removed subjects that were running. Alarms, by
    id: `judged_anew` stand and wait for the changed rule's word, `regraded` were given another priority or class,
    `annunciated` ones begin because their rule went live or more urgent, `closed` ones are over for good.
    `returned` counts the subjects at which the rule had failed and is in service again.
    """

    rule: str
    difference: RuleDifference
    added: int = 0
    changed: int = 0
    unchanged: int = 0
    removed: int = 0
    dropped_timers: int = 0
    returned: int = 0
    judged_anew: tuple[str, ...] = ()
    regraded: tuple[str, ...] = ()
    annunciated: tuple[str, ...] = ()
    closed: tuple[str, ...] = ()


class ReloadReport(msgspec.Struct, frozen=True):
    """`rules` lists every rule that differs, by id; `unchanged` counts the other rules, of which every timer, latch,
    acknowledgement and shelf goes on.
    """

    now: datetime
    rules: tuple[RuleReload, ...]
    unchanged: int

    def named(self, difference: RuleDifference) -> tuple[str, ...]:
        """The ids of the rules with that difference."""
        return tuple(rule.rule for rule in self.rules if rule.difference is difference)


class Tally:
    """Gathers what becomes of each rule, by the names of `RuleReload`'s fields; `adjusted` is one more name."""

    def __init__(self) -> None:
        self._counts: defaultdict[str, Counter[str]] = defaultdict(Counter)
        self._alarms: defaultdict[str, defaultdict[str, list[str]]] = defaultdict(lambda: defaultdict(list))

    def count(self, rule: str, what: str) -> None:
        """One more subject of the rule."""
        self._counts[rule][what] += 1

    def alarm(self, rule: str, what: str, alarm_id: str) -> None:
        """One more alarm of the rule."""
        self._alarms[rule][what].append(alarm_id)

    def report(self, now: datetime) -> ReloadReport:
        """What was gathered, as a value."""
        rules: list[RuleReload] = []
        for rule, counts in sorted(self._counts.items()):
            difference = _difference(counts)
            if difference is not None:
                fields = {"rule": rule, "difference": difference, **counts, **self._alarms[rule]}
                rules.append(msgspec.convert(fields, RuleReload))
        return ReloadReport(now=now, rules=tuple(rules), unchanged=len(self._counts) - len(rules))


def _difference(counts: Counter[str]) -> RuleDifference | None:
    went_on = counts["unchanged"] + counts["changed"]
    if counts["added"] and not went_on and not counts["removed"]:
        return RuleDifference.ADDED
    if counts["removed"] and not went_on and not counts["added"]:
        return RuleDifference.REMOVED
    if counts["added"] or counts["changed"] or counts["removed"]:
        return RuleDifference.CHANGED
    return RuleDifference.ADJUSTED if counts["adjusted"] or counts["returned"] else None
