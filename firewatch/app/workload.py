"""The workload of every seat as it is now, and alarms that are late, for the screens and Prometheus.

What is written into the history is what people were told, so it is looked at there. After a start the last day is read
back, while what happens meanwhile waits to be counted.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Protocol

import structlog

from firewatch.alarms.deadline import (
    FIRE_LIMITS,
    OTHER_LIMITS,
    Acknowledgements,
    Milestone,
    Verdict,
    begins_way,
    measure_all,
)
from firewatch.alarms.workload import DAY, INTERVAL, Figures, IntervalLoad, Workload
from firewatch.app.history_over import HistoryOver
from firewatch.errors import StorageError
from firewatch.model.alarm import AlarmTransition, Annunciation, Stage, StageReached
from firewatch.model.seat import ControlRoom
from firewatch.model.site import Inventory
from firewatch.ports import Clock, History, HistoryReader, Record
from firewatch.telemetry.events import AlarmLate, AlarmStageReached, SeatTold, SeatWorkload
from firewatch.telemetry.occurrence import Occurrence

REPORT_INTERVAL = timedelta(seconds=10)
"""How often gauges are set, and late alarms looked for."""

FOLLOWED_ALARMS = 10_000
"""Of more alarms at a time the oldest are not followed any more; the history has their stages all the same."""

LOOKED_AT_ONCE = 500
"""Looking at more in one go would hold everything else up."""

SETTLED_AFTER = max(limit.within for limit in (*FIRE_LIMITS, *OTHER_LIMITS)) + REPORT_INTERVAL
"""After this every limit has passed, and whom it waits for is recorded."""

_SECOND = timedelta(seconds=1)
_MICROSECOND = timedelta(microseconds=1)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

log = structlog.get_logger("firewatch.workload")


class Telemetry(Protocol):
    """Where occurrences go."""

    def emit(self, occurrence: Occurrence) -> None:
        """Count it, and log it where it has a sentence."""
        ...


class _Followed:
    """An alarm on its way, and what was found out about it."""

    __slots__ = ("is_delivered", "is_late", "told")

    def __init__(self, told: AlarmTransition) -> None:
        self.told = told
        self.is_delivered = self.is_late = False


class WorkloadKeeper:
    """Implements `ports.Workloads`. `look` at everything that is written, and keep `run` running."""

    def __init__(
        self, room: ControlRoom, inventory: Inventory, reader: HistoryReader, clock: Clock, telemetry: Telemetry
    ) -> None:
        self.room = room
        self._inventory = inventory
        self._reader = reader
        self._clock = clock
        self._telemetry = telemetry
        self._workloads: dict[str, Workload] | None = None
        self._waiting: list[AlarmTransition] = []
        self._followed: OrderedDict[str, _Followed] = OrderedDict()

    def figures(self, seat: str) -> Figures | None:
        """The workload of a seat in the last day; None while it is still read back from the history."""
        return self._workloads[seat].figures(self._clock.now()) if self._workloads is not None else None

    def intervals(self, seat: str) -> tuple[IntervalLoad, ...]:
        """What a seat was told in each 10 min of the last day, quiet ones left out."""
        return self._workloads[seat].intervals(self._clock.now()) if self._workloads is not None else ()

    def look(self, records: Sequence[Record]) -> list[AlarmTransition]:
        """Count what is being written; returns the alarms that people are told of by it."""
        told = []
        for record in records:
            if isinstance(record, AlarmTransition):
                self._count(record)
                if begins_way(record) and record.alarm.drill is None:
                    self._follow(record)
                    told.append(record)
            elif isinstance(record, StageReached) and record.stage is Stage.DELIVERED:
                self._deliver(record)
        return told

    def journalled(self, told: Sequence[AlarmTransition]) -> None:
        """The alarms that people were told of are safe in the history."""
        now = self._clock.now()
        for one in told:
            self._measure(one, Milestone.JOURNALLED, now - one.alarm.clock.decided_time)

    async def run(self) -> None:
        """Read the last day back, then set the gauges and look for late alarms for ever.

        Raises:
            StorageError: the history cannot be read yet.
        """
        if self._workloads is None:
            await self._read_back()
        while True:
            self._report()
            await self._look_for_late_ones()
            await asyncio.sleep(REPORT_INTERVAL / _SECOND)

    # -- workload ------------------------------------------------------------------------------------------------------

    def _count(self, transition: AlarmTransition) -> None:
        if self._workloads is None:
            self._waiting.append(transition)
        else:
            self._add(self._workloads, transition)
        alarm = transition.alarm
        if transition.annunciation is None or alarm.shadow or alarm.drill is not None:
            return
        for seat in self.room.answering(alarm):
            grouped = str(transition.annunciation is Annunciation.GROUPED).lower()
            self._telemetry.emit(SeatTold(seat=seat.id, priority=alarm.priority, grouped=grouped))

    def _add(self, workloads: dict[str, Workload], transition: AlarmTransition) -> None:
        for seat in self.room.answering(transition.alarm):
            workloads[seat.id].take(transition)

    async def _read_back(self) -> None:
        """Everything that was to be counted and has been written by now is read; the rest of what waits comes after."""
        now = self._clock.now()
        start = _EPOCH + (now - DAY - _EPOCH) // INTERVAL * INTERVAL + INTERVAL
        workloads = {seat.id: Workload(start) for seat in self.room.seats}
        standing = await self._reader.standing_at(start)
        for seat in self.room.seats:
            workloads[seat.id].begin([one for one in standing if seat in self.room.answering(one.alarm)])
        read = set()
        async for transition in self._reader.transitions_between(start, now + _MICROSECOND):
            self._add(workloads, transition)
            read.add((transition.alarm_id, transition.number))
        waiting = [
            one for one in self._waiting if (one.alarm_id, one.number) not in read and one.transition_time >= start
        ]
        for transition in waiting:
            self._add(workloads, transition)
        self._workloads, self._waiting = workloads, []
        log.info("The workload of the last day is counted.", changes=len(read) + len(waiting))

    def _report(self) -> None:
        for seat in self.room.seats:
            figures = self.figures(seat.id)
            if figures is not None:
                self._telemetry.emit(seat_workload(seat.id, figures))

    # -- deadlines -----------------------------------------------------------------------------------------------------

    def _follow(self, told: AlarmTransition) -> None:
        clock = told.alarm.clock
        self._measure(told, Milestone.RECEIVED, clock.receive_time - clock.source_time)
        self._measure(told, Milestone.DECIDED, clock.decided_time - clock.receive_time)
        if clock.annunciated_time is not None:
            self._measure(told, Milestone.ANNUNCIATED, clock.annunciated_time - clock.decided_time)
        self._followed[told.alarm_id] = _Followed(told)
        self._followed.move_to_end(told.alarm_id)
        if len(self._followed) > FOLLOWED_ALARMS:
            self._followed.popitem(last=False)

    def _deliver(self, reached: StageReached) -> None:
        followed = self._followed.get(reached.alarm_id)
        if followed is None or followed.is_delivered:
            return
        followed.is_delivered = True
        annunciated_time = followed.told.alarm.clock.annunciated_time
        if annunciated_time is not None:
            self._measure(followed.told, Milestone.DELIVERED, reached.stage_time - annunciated_time)

    def _measure(self, told: AlarmTransition, stage: Milestone, took: timedelta) -> None:
        seconds = max(took / _SECOND, 0.0)
        self._telemetry.emit(AlarmStageReached(stage=stage, alarm_class=told.alarm.alarm_class, seconds=seconds))

    async def _look_for_late_ones(self) -> None:
        now = self._clock.now()
        lately = [
            one
            for one in self._followed.values()
            if not one.is_late and now - one.told.transition_time < SETTLED_AFTER + REPORT_INTERVAL
        ]
        try:
            for first in range(0, len(lately), LOOKED_AT_ONCE):
                await self._look_at(lately[first : first + LOOKED_AT_ONCE], now)
        except StorageError as error:
            log.warning("Late alarms cannot be looked for: the history cannot be read.", reason=str(error))

    async def _look_at(self, followed: Sequence[_Followed], now: datetime) -> None:
        ways = await self._reader.stage_ways([one.told.alarm_id for one in followed])
        told = [one.told for one in followed]
        for one, measured in zip(
            followed, measure_all(told, ways, self._inventory, now, Acknowledgements()), strict=True
        ):
            if measured.verdict is Verdict.LATE and measured.slow_stage is not None:
                one.is_late = True
                self._telemetry.emit(
                    AlarmLate(
                        alarm_id=measured.alarm_id,
                        rule=measured.rule,
                        subject=measured.subject,
                        alarm_class=measured.alarm_class,
                        stage=measured.slow_stage,
                    )
                )


class CountedHistory(HistoryOver):
    """Implements `ports.History` over another one, and shows a keeper what is written."""

    def __init__(self, history: History, keeper: WorkloadKeeper) -> None:
        super().__init__(history)
        self._keeper = keeper

    def write(self, records: Sequence[Record], on_safe: Callable[[], None] | None = None) -> None:
        """Take records for writing."""
        told = self._keeper.look(records)
        super().write(records, partial(self._safe, told, on_safe) if told else on_safe)

    def _safe(self, told: Sequence[AlarmTransition], on_safe: Callable[[], None] | None) -> None:
        self._keeper.journalled(told)
        if on_safe is not None:
            on_safe()


def seat_workload(seat: str, figures: Figures) -> SeatWorkload:
    """The figures as gauges."""
    return SeatWorkload(
        seat=seat,
        in_10_minutes=figures.current_alarm_rate.of_their_own,
        grouped_in_10_minutes=figures.current_alarm_rate.grouped,
        in_1_hour=figures.last_hour.of_their_own,
        most_in_10_minutes=figures.maximum_alarm_rate,
        in_flood=float(figures.in_flood),
        flood_seconds=figures.flood_time / _SECOND,
        active=figures.active.now,
        unacknowledged=figures.unacknowledged.now,
        shelved=figures.shelved.now,
        suppressed=figures.suppressed.now,
        out_of_service=figures.out_of_service.now,
        stale=len(figures.stale),
        chattering=figures.chattering,
        longest_unacknowledged_seconds=figures.maximum_un_ack / _SECOND,
        median_answer_seconds=figures.answers.median / _SECOND if figures.answers is not None else 0.0,
    )
