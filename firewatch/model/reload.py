"""What a change of the rules did, and the record of every attempt at one."""

from __future__ import annotations

import enum
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


class ReloadTrigger(enum.StrEnum):
    """What asked for a reload: an operator over the API, the signal SIGHUP, a file that changed, or a start that found
    other rules than those it had stopped with.
    """

    OPERATOR = "operator"
    SIGNAL = "signal"
    FILES = "files"
    START = "start"


class ReloadOutcome(enum.StrEnum):
    """`taken`: the engine goes on with what the files say. `unchanged`: it did so already. `refused`: it goes on as
    before.
    """

    TAKEN = "taken"
    UNCHANGED = "unchanged"
    REFUSED = "refused"


class RulesProblem(msgspec.Struct, frozen=True):
    """A mistake that keeps what is on disk from being taken: where, what, and the way out. Lines and columns count from
    1; 0 means the file as a whole. `text` is all of it in one line, as `firewatch check` writes it.
    """

    file: str
    line: int
    column: int
    where: str
    what: str
    hint: str
    text: str


class RulesReload(msgspec.Struct, frozen=True):
    """One attempt to go on with other rules, for the audit: when, who, and what came of it.

    `by` is the operator, where one asked. `rules` names the rule set that was tried, empty where the files did not come
    to one. One that was `taken` is an input of the engine, with its `ordinal` and a `report`, whose `now` is the
    engine's time then. `difference` is what changed in the effective rules, as text, cut where it is long.
    """

    time: datetime
    trigger: ReloadTrigger
    outcome: ReloadOutcome
    by: str = ""
    rules: str = ""
    ordinal: int | None = None
    report: ReloadReport | None = None
    difference: str = ""
    problems: tuple[RulesProblem, ...] = ()


class RulesState(msgspec.Struct, frozen=True):
    """Which rules run, and whether they are those on disk: what keeps the latter from being taken is in `problems`."""

    rules: str
    count: int
    since: datetime
    problems: tuple[RulesProblem, ...] = ()
