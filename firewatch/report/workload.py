"""A month's workload of a seat, counted from the history: what was told, whether in time, and what would spare alarms.

The figures are those of `alarms.workload`, counted by the same code that counts them live. What the history does not
cover is left out of the time that rates are taken over. Drills and shadow alarms are no alarms; how many drills' alarms
were left out is said.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import msgspec

from firewatch.alarms.deadline import (
    FIRE_LIMITS,
    OTHER_LIMITS,
    Acknowledgements,
    Limit,
    Measured,
    Milestone,
    begins_way,
    measure_all,
)
from firewatch.alarms.deadline import Verdict as InTime
from firewatch.alarms.target import Judgement, judge
from firewatch.alarms.workload import INTERVAL, DayLoad, Figures, Workload, percentile
from firewatch.backtest.difference import realities_of
from firewatch.backtest.log import AlarmLog
from firewatch.backtest.result import DatabaseHistory
from firewatch.backtest.run import AFTERMATH, NoHistoryError
from firewatch.config.effective_rule import EffectiveRule
from firewatch.model.alarm import AlarmClass, AlarmTransition, TransitionReason, Verdict
from firewatch.model.seat import ControlRoom, Seat
from firewatch.model.site import Inventory
from firewatch.model.text import LocalText
from firewatch.report.advice import ADVISED_ACTORS, Advice, Played, advise
from firewatch.report.month import Month
from firewatch.storage.columns import ColumnReader

LISTED_LATE = 100
"""Late alarms beyond these are counted and not listed."""

_PAGE = 1000
_MILLISECOND = timedelta(milliseconds=1)


@dataclass(frozen=True)
class WorkloadRequest:
    """Whose workload, in which month, from which history. What is overdue is so at `now`."""

    history: DatabaseHistory
    inventory: Inventory
    rules: Sequence[EffectiveRule]
    room: ControlRoom
    seat: Seat
    month: Month
    now: datetime


class LimitTimes(msgspec.Struct, frozen=True):
    """How a limit was kept. `count` alarms reached the stage, of those to which it applied; `late` includes those that
    never did. Half, 95 and 99 in a hundred of those that did took no longer than this; null where none did.
    """

    alarm_class: str
    limit: Limit
    applied: int
    count: int
    late: int
    median: timedelta | None
    ninety_five: timedelta | None
    ninety_nine: timedelta | None
    longest: timedelta | None


class WorkloadReport(msgspec.Struct, frozen=True):
    """A month of a seat. `start` to `end` is what of it there is history for.

    `verdicts` counts what operators said alarms turned out to be. `late` lists the first late alarms, `slow_stages`
    counts all of them by what made them late. `drill_alarms` were left out.
    """

    seat: str
    label: LocalText
    month: str
    time_zone: str
    start: datetime
    end: datetime
    figures: Figures
    judgements: tuple[Judgement, ...]
    days: tuple[DayLoad, ...]
    verdicts: dict[Verdict, int]
    drill_alarms: int
    deadlines: tuple[LimitTimes, ...]
    late: tuple[Measured, ...]
    late_count: int
    slow_stages: dict[Milestone, int]
    advice: tuple[Advice, ...]


def report_workload(request: WorkloadRequest, progress: Callable[[float], None] = lambda _: None) -> WorkloadReport:
    """Count the month. `progress` is told the share that is done.

    Raises:
        NoHistoryError: there is nothing of that month.
        StorageError: the history cannot be read.
    """
    month = request.month
    with ColumnReader(request.history.dsn) as reader:
        start, end = _covered(reader, request)
        told = _Told(request, start, end)
        told.workload.begin([one for one in reader.standing_at(start) if told.is_ours(one)])
        for transition in reader.transitions(start, end + AFTERMATH):
            told.take(transition)
        measured = told.measured(reader)
    figures = told.workload.figures(end)
    played = Played(
        request.history,
        request.inventory,
        request.rules,
        start,
        end,
        told.log.told(),
        realities_of(told.log.told()),
    )
    advice = []
    for number, actor in enumerate(figures.bad_actors[:ADVISED_ACTORS], start=1):
        advice.append(advise(actor, played))
        progress(number / ADVISED_ACTORS)
    late = [one for one in measured if one.verdict is InTime.LATE]
    return WorkloadReport(
        seat=request.seat.id,
        label=request.seat.label,
        month=month.name,
        time_zone=request.seat.time_zone,
        start=start,
        end=end,
        figures=figures,
        judgements=judge(figures),
        days=told.workload.days(end),
        verdicts={verdict: told.verdicts[verdict] for verdict in Verdict},
        drill_alarms=told.drill_alarms,
        deadlines=tuple(_limit_times(measured)),
        late=tuple(late[:LISTED_LATE]),
        late_count=len(late),
        slow_stages=dict(Counter(one.slow_stage for one in late if one.slow_stage is not None)),
        advice=tuple(advice),
    )


class _Told:
    """What people at the seat were told, counted as it is read."""

    def __init__(self, request: WorkloadRequest, start: datetime, end: datetime) -> None:
        self._request = request
        self._end = end
        self.workload = Workload(start, None, midnight=request.month.start)
        self.log = AlarmLog(start, end)
        self.verdicts: Counter[Verdict] = Counter()
        self.drill_alarms = 0
        self._begun: list[AlarmTransition] = []
        self._acknowledgements = Acknowledgements()

    def is_ours(self, transition: AlarmTransition) -> bool:
        """Whether the seat answers for the alarm."""
        return self._request.seat in self._request.room.answering(transition.alarm)

    def take(self, transition: AlarmTransition) -> None:
        """One change, of the month or of its aftermath: what became of its alarms."""
        alarm = transition.alarm
        if alarm.shadow or not self.is_ours(transition):
            return
        is_within = transition.transition_time < self._end
        if alarm.drill is not None:
            self.drill_alarms += is_within and transition.annunciation is not None
            return
        self.log.add(transition)
        self._acknowledgements.take(transition)
        if not is_within:
            return
        self.workload.take(transition)
        if begins_way(transition):
            self._begun.append(transition)
        if transition.reason is TransitionReason.CONFIRMED and alarm.confirmation is not None:
            self.verdicts[alarm.confirmation.verdict] += 1

    def measured(self, reader: ColumnReader) -> list[Measured]:
        """The ways of the month's alarms."""
        inventory, now = self._request.inventory, self._request.now
        found = []
        for first in range(0, len(self._begun), _PAGE):
            page = self._begun[first : first + _PAGE]
            ways = reader.stage_ways([one.alarm_id for one in page])
            found += measure_all(page, ways, inventory, now, self._acknowledgements)
        return found


def _covered(reader: ColumnReader, request: WorkloadRequest) -> tuple[datetime, datetime]:
    """What of the month there is history for."""
    month = request.month
    extent, first_transition = reader.extent(), reader.first_transition()
    firsts = [first for first in (extent and extent.first, first_transition) if first is not None]
    begun = max(month.start, min(firsts, default=month.end))
    start, end = month.start + (begun - month.start) // INTERVAL * INTERVAL, min(month.end, request.now)
    if start >= end:
        raise NoHistoryError(f"there is no history of {month.name}")
    return start, end


def _limit_times(measured: Sequence[Measured]) -> Iterable[LimitTimes]:
    for name, limits in (("fire", FIRE_LIMITS), ("other", OTHER_LIMITS)):
        of_class = [one for one in measured if (one.alarm_class is AlarmClass.FIRE) == (name == "fire")]
        for limit in limits:
            deadlines = [deadline for one in of_class for deadline in one.deadlines if deadline.limit == limit]
            took = Counter(
                (one.reached_time - one.due_time + limit.within) // _MILLISECOND
                for one in deadlines
                if one.reached_time is not None
            )
            yield LimitTimes(
                alarm_class=name,
                limit=limit,
                applied=len(deadlines),
                count=took.total(),
                late=sum(one.verdict is InTime.LATE for one in deadlines),
                median=percentile(took, 50) * _MILLISECOND if took else None,
                ninety_five=percentile(took, 95) * _MILLISECOND if took else None,
                ninety_nine=percentile(took, 99) * _MILLISECOND if took else None,
                longest=max(took) * _MILLISECOND if took else None,
            )
