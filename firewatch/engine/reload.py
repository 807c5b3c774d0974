"""Gathers what a reload does to the rules and to what is running, rule by rule."""

from __future__ import annotations

from collections import Counter, defaultdict
from datetime import datetime

import msgspec

from firewatch.model.reload import ReloadReport, RuleDifference, RuleReload
from firewatch.rules.spec import RuleSpec


class Tally:
    """Gathers what becomes of each rule, by the names of `RuleReload`'s fields; `adjusted` is one more name."""

    def __init__(self) -> None:
        self._counts: defaultdict[str, Counter[str]] = defaultdict(Counter)
        self._alarms: defaultdict[str, defaultdict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
        self._compared: dict[tuple[int, int], bool] = {}

    def count(self, rule: str, what: str) -> None:
        """One more subject of the rule."""
        self._counts[rule][what] += 1

    def alarm(self, rule: str, what: str, alarm_id: str) -> None:
        """One more alarm of the rule."""
        self._alarms[rule][what].append(alarm_id)

    def differ(self, before: RuleSpec, after: RuleSpec) -> bool:
        """Whether a rule says other things than before; asked for every subject, and compared once."""
        both = id(before), id(after)
        if both not in self._compared:
            self._compared[both] = before != after
        return self._compared[both]

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
