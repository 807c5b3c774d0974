"""The routes about the work that alarms make, and about alarms that were late."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from firewatch.alarms.deadline import Measured, StageWay, Verdict, begins_way, measure
from firewatch.alarms.target import judge
from firewatch.model.alarm import AlarmTransition, TransitionReason
from firewatch.model.seat import Seat
from firewatch.model.site import Inventory
from firewatch.ports import Clock, HistoryReader, LiveView, Workloads
from firewatch.web.api import UNREADABLE_HISTORY
from firewatch.web.document import AlarmDeadlines, DeadlineList, WorkloadView
from firewatch.web.endpoint import ApiError, Endpoint
from firewatch.web.query import AlarmQuery, DeadlinesQuery, WorkloadQuery

DEFAULT_RANGE = timedelta(hours=1)
LONGEST_RANGE = timedelta(days=1)
LISTED = 500
"""Alarms beyond these are counted and not listed."""

_PAGE = timedelta(minutes=10)


class WorkloadApi:
    """The handlers."""

    def __init__(
        self, workloads: Workloads, live: LiveView, reader: HistoryReader, inventory: Inventory, clock: Clock
    ) -> None:
        self._workloads = workloads
        self._live = live
        self._reader = reader
        self._inventory = inventory
        self._clock = clock

    def endpoints(self) -> tuple[Endpoint, ...]:
        """Every route, with what it takes and gives."""
        return (
            Endpoint(
                path="/api/v1/workload",
                handler=self.workload,
                parameters=WorkloadQuery,
                answer=WorkloadView,
                summary="The work that alarms made a seat in the last 24 h, and what ISA-18.2 and EEMUA 191 want of it",
                refusals={404: "There is no such seat."},
            ),
            Endpoint(
                path="/api/v1/alarms/{alarm_id}/deadlines",
                handler=self.alarm_deadlines,
                parameters=AlarmQuery,
                answer=AlarmDeadlines,
                summary="The stages of an alarm's way against the times that standards leave for them",
                refusals={404: "There is no such alarm.", 503: UNREADABLE_HISTORY},
            ),
            Endpoint(
                path="/api/v1/deadlines",
                handler=self.deadlines,
                parameters=DeadlinesQuery,
                answer=DeadlineList,
                summary="The alarms of a range of at most 24 h that were, or are already, late",
                refusals={503: UNREADABLE_HISTORY},
            ),
        )

    async def workload(self, query: WorkloadQuery) -> WorkloadView:
        """A seat's figures; the first seat's unless one is named."""
        room = self._workloads.room
        seat = room.seats[0] if query.seat is None else room.seat(query.seat)
        if seat is None:
            raise ApiError(404, f"There is no seat {query.seat}.", f"There are: {_named(room.seats)}.")
        figures = self._workloads.figures(seat.id)
        return WorkloadView(
            seat=seat.id,
            label=seat.label,
            figures=figures,
            intervals=self._workloads.intervals(seat.id),
            judgements=judge(figures) if figures is not None else (),
        )

    async def alarm_deadlines(self, query: AlarmQuery) -> AlarmDeadlines:
        """Every time that people were told of an onset of the alarm."""
        transitions = await self._reader.transitions(query.alarm_id)
        if not transitions and all(alarm.alarm_id != query.alarm_id for alarm in self._live.alarms()):
            raise ApiError(404, f"There is no alarm {query.alarm_id}.", "/api/v1/alarms lists the alarms.")
        ways = await self._reader.stage_ways([query.alarm_id])
        return AlarmDeadlines(query.alarm_id, self._measured(transitions, ways, self._clock.now()))

    async def deadlines(self, query: DeadlinesQuery) -> DeadlineList:
        """What was late, newest first."""
        now = self._clock.now()
        end = query.end or now
        start = query.start or end - DEFAULT_RANGE
        if not start < end or end - start > LONGEST_RANGE:
            raise ApiError(
                400,
                "The range from `start` to `end` is empty or longer than 24 h.",
                "Ask for shorter ranges one after another; `firewatch report workload` has whole months.",
            )
        measured = await self._between(start, min(end, now), now)
        late = [one for one in reversed(measured) if one.verdict is Verdict.LATE]
        not_yet = sum(one.verdict is Verdict.NOT_YET for one in measured)
        return DeadlineList(start, end, alarms=len(measured), late=len(late), not_yet=not_yet, measured=late[:LISTED])

    async def _between(self, start: datetime, end: datetime, now: datetime) -> list[Measured]:
        """The alarms that people were told of in start <= time < end, a page after the other."""
        transitions: list[AlarmTransition] = []
        ways: list[StageWay] = []
        while start < end:
            page = await self._reader.transitions_between(start, min(start + _PAGE, end))
            told = [one.alarm_id for one in page if begins_way(one)]
            ways += await self._reader.stage_ways(told) if told else []
            transitions += page
            start += _PAGE
            await asyncio.sleep(0)
        return self._measured(transitions, ways, now)

    def _measured(
        self, transitions: Sequence[AlarmTransition], ways: Iterable[StageWay], now: datetime
    ) -> list[Measured]:
        ways_of: defaultdict[str, list[StageWay]] = defaultdict(list)
        for way in ways:
            ways_of[way.alarm_id].append(way)
        seen_of: defaultdict[str, list[AlarmTransition]] = defaultdict(list)
        for one in transitions:
            if one.reason is TransitionReason.ACKNOWLEDGED:
                seen_of[one.alarm_id].append(one)
        return [
            measure(
                told,
                ways_of[told.alarm_id],
                self._inventory,
                now,
                acknowledged_time=next(
                    (seen.transition_time for seen in seen_of[told.alarm_id] if seen.number > told.number), None
                ),
            )
            for told in transitions
            if begins_way(told) and told.alarm.drill is None
        ]


def _named(seats: Iterable[Seat]) -> str:
    return ", ".join(seat.id for seat in seats)
