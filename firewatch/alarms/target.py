"""What ISA-18.2 and EEMUA 191 want of a seat's workload, and whether it is so.

The numbers are those of domain.md 1 and 2 and come from digests and tools' documents: the standards were not read, and
no conformity is claimed. EEMUA's are unconfirmed but for the one alarm in 10 min. ISA-18.2 measures over at least 30
days for each operator's console, so that what a day shows is a sign and not a verdict.
"""

from __future__ import annotations

import enum
from collections.abc import Callable
from datetime import timedelta
from typing import NamedTuple

import msgspec

from firewatch.alarms.workload import Figures
from firewatch.model.alarm import Priority

ISA = "ISA-18.2-2016, 16.4 (digest)"
EEMUA = "EEMUA 191 (unconfirmed)"

MEASURED_OVER = timedelta(days=30)
"""The shortest time that ISA-18.2 measures over."""


class Aim(enum.StrEnum):
    """What is wanted of a workload."""

    AVERAGE = "alarms_an_hour"
    MANAGEABLE = "alarms_an_hour_at_most"
    PEAK = "most_in_10_minutes"
    CROWDED = "crowded_intervals_percent"
    FLOODED = "flooded_percent"
    BAD_ACTORS = "bad_actors_percent"
    CHATTERING = "chattering"
    STALE = "stale_on_worst_day"
    HIGHEST = "highest_priority_percent"
    HIGH = "high_priority_percent"
    MEDIUM = "medium_priority_percent"
    STANDING = "standing_at_most"
    SHELVED = "shelved_at_most"


class Judgement(msgspec.Struct, frozen=True):
    """One aim: the value that there is, the most that is wanted (`is_below`: less than that), and who wants it."""

    aim: Aim
    value: float
    limit: float
    is_below: bool
    is_met: bool
    source: str


class _Target(NamedTuple):
    value: Callable[[Figures], float]
    limit: float
    source: str
    is_below: bool = False


def _percent(part: float, whole: float) -> float:
    return 100 * part / whole if whole else 0.0


def _of_priorities(*priorities: Priority) -> Callable[[Figures], float]:
    return lambda figures: _percent(
        sum(figures.priorities[priority] for priority in priorities), sum(figures.priorities.values())
    )


_TARGETS = {
    Aim.AVERAGE: _Target(lambda figures: 6 * figures.average_alarm_rate, 6, f"{ISA}; EEMUA 191"),
    Aim.MANAGEABLE: _Target(lambda figures: 6 * figures.average_alarm_rate, 12, ISA),
    Aim.PEAK: _Target(lambda figures: figures.maximum_alarm_rate, 10, ISA),
    Aim.CROWDED: _Target(lambda figures: _percent(figures.crowded_intervals, figures.intervals), 1, ISA),
    Aim.FLOODED: _Target(
        lambda figures: _percent(figures.flood_time / timedelta(seconds=1), _seconds(figures)), 1, ISA
    ),
    Aim.BAD_ACTORS: _Target(lambda figures: 100 * figures.bad_actors_share, 5, ISA),
    Aim.CHATTERING: _Target(lambda figures: figures.chattering, 0, ISA),
    Aim.STALE: _Target(lambda figures: figures.stale_on_worst_day, 5, ISA, is_below=True),
    Aim.HIGHEST: _Target(_of_priorities(Priority.HIGHEST), 1, ISA, is_below=True),
    Aim.HIGH: _Target(_of_priorities(Priority.HIGHEST, Priority.HIGH), 5, ISA),
    Aim.MEDIUM: _Target(_of_priorities(Priority.MEDIUM), 15, ISA),
    Aim.STANDING: _Target(lambda figures: figures.active.most, 10, EEMUA, is_below=True),
    Aim.SHELVED: _Target(lambda figures: figures.shelved.most, 30, EEMUA, is_below=True),
}


def judge(figures: Figures) -> tuple[Judgement, ...]:
    """Each aim, and whether it is met."""
    return tuple(_judged(aim, target, target.value(figures)) for aim, target in _TARGETS.items())


def _judged(aim: Aim, target: _Target, value: float) -> Judgement:
    is_met = value < target.limit if target.is_below else value <= target.limit
    return Judgement(aim, value, target.limit, target.is_below, is_met, target.source)


def _seconds(figures: Figures) -> float:
    return (figures.end_time - figures.start_time) / timedelta(seconds=1)
