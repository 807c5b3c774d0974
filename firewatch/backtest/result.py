"""What a backtest is asked, and what it answers: values that travel as JSON and between processes."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import msgspec

from firewatch.backtest.log import Told
from firewatch.model.site import Inventory
from firewatch.model.text import LocalText
from firewatch.rules.spec import RuleSpec

LISTED_ALARMS = 5_000
"""Differences beyond these are counted and not listed, so that a noisy rule cannot make the answer endless."""


class DatabaseHistory(msgspec.Struct, frozen=True, tag="database"):
    """The history in the daemon's database."""

    dsn: str


class StoredFiles(msgspec.Struct, frozen=True, tag="files"):
    """A history in files: a folder written by `firewatch history export`, or one Parquet or CSV file."""

    path: Path


class Reality(msgspec.Struct, frozen=True):
    """A confirmed alarm, or an event that an operator knows of: something real at a subject at a time."""

    time: datetime
    subject: str
    rule: str = ""


@dataclass(frozen=True)
class BacktestRequest:
    """Rules to try, on everything taken in start <= time < end.

    `against` are the rules to compare with, None for what really happened. Shadow rules among `rules` are tried as
    if they were live; those among `against` tell nobody, as in service. `name` and `against_name` say which they are.
    """

    history: DatabaseHistory | StoredFiles
    inventory: Inventory
    rules: tuple[RuleSpec, ...]
    start: datetime
    end: datetime
    against: tuple[RuleSpec, ...] | None = None
    name: str = "rules"
    against_name: str = "recorded"
    realities: tuple[Reality, ...] = ()


class Fate(enum.StrEnum):
    """What the rules tried make of an alarm."""

    SAME = "same"
    MOVED = "moved"
    ADDED = "added"
    REMOVED = "removed"


class Difference(msgspec.Struct, frozen=True, omit_defaults=True):
    """One alarm by the rules compared with (`before`) and by those tried (`after`); None where it does not alarm."""

    fate: Fate
    before: Told | None = None
    after: Told | None = None

    @property
    def time(self) -> datetime:
        """When people were, or would have been, told first."""
        return min(told.told_time for told in (self.before, self.after) if told is not None)


class RuleCount(msgspec.Struct, frozen=True):
    """What becomes of one rule's alarms."""

    rule: str
    text: LocalText | None
    before: int
    after: int
    added: int
    removed: int
    moved: int


class RealityCheck(msgspec.Struct, frozen=True):
    """Whether something real is alarmed. `delay` is how much later (negative: earlier) people would be told."""

    reality: Reality
    alarmed_before: bool
    alarmed_after: bool
    delay: timedelta | None = None

    @property
    def is_lost(self) -> bool:
        """Whether it was alarmed, and would not be any more."""
        return self.alarmed_before and not self.alarmed_after


class HourLoad(msgspec.Struct, frozen=True):
    """How many alarms people were, and would have been, told of in the hour that begins then."""

    time: datetime
    before: int
    after: int


class FailedRule(msgspec.Struct, frozen=True):
    """A rule that raised while it was tried, and judged nothing for that subject from then on."""

    rule: str
    subject: str
    failed_time: datetime
    error: str


class BacktestResult(msgspec.Struct, frozen=True):
    """What the rules would have said, and how that differs.

    `start` and `end` bound what was played: no more than there is. `before` and `after` count alarms. `differences`
    are those that are added, removed or moved, by time, the first `LISTED_ALARMS`; `counts` count all. `loads` has one
    entry for every hour with an alarm. `observations` were read, and `judged` of them could change anything.
    """

    name: str
    against_name: str
    start: datetime
    end: datetime
    sites: tuple[str, ...]
    observations: int
    judged: int
    before: int
    after: int
    counts: tuple[RuleCount, ...]
    differences: tuple[Difference, ...]
    realities: tuple[RealityCheck, ...]
    loads: tuple[HourLoad, ...]
    failures: tuple[FailedRule, ...]
    summary: LocalText

    @property
    def added(self) -> int:
        """Alarms that there would be, and were not."""
        return sum(count.added for count in self.counts)

    @property
    def removed(self) -> int:
        """Alarms that there were, and would not be."""
        return sum(count.removed for count in self.counts)

    @property
    def hours(self) -> float:
        """How long the time played was."""
        return max((self.end - self.start) / timedelta(hours=1), 1 / 3600)
