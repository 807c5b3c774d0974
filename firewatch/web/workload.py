"""The routes about the work that alarms make, and about alarms that were late."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

import msgspec

from firewatch.alarms.deadline import Acknowledgements, Measured, Verdict, begins_way, measure_all
from firewatch.alarms.target import judge
from firewatch.model.alarm import AlarmTransition
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

_PAGE = 250
"""Measuring more in one go would hold everything else up."""


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
        acknowledgements = Acknowledgements()
        for change in transitions:
            acknowledgements.take(change)
        told = [change for change in transitions if _is_measured(change)]
        return AlarmDeadlines(query.alarm_id, await self._measured(told, acknowledgements, self._clock.now()))

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
        found = _Found()
        told: list[AlarmTransition] = []
        async for change in self._reader.transitions_between(start, min(end, now)):
            found.acknowledgements.take(change)
            if _is_measured(change):
                told.append(change)
            if len(told) == _PAGE:
                found.take(told, await self._measured(told, Acknowledgements(), now))
                told = []
        found.take(told, await self._measured(told, Acknowledgements(), now))
        return DeadlineList(
            start,
            end,
            alarms=found.verdicts.total(),
            late=found.verdicts[Verdict.LATE],
            not_yet=found.verdicts[Verdict.NOT_YET],
            measured=found.newest_late(),
        )

    async def _measured(
        self, told: Sequence[AlarmTransition], acknowledgements: Acknowledgements, now: datetime
    ) -> list[Measured]:
        ways = await self._reader.stage_ways([one.alarm_id for one in told]) if told else []
        return measure_all(told, ways, self._inventory, now, acknowledgements)


class _Found:
    """What came of the alarms of a range, however many there were; of the late ones the newest are kept."""

    def __init__(self) -> None:
        self.verdicts: Counter[Verdict] = Counter()
        self.acknowledgements = Acknowledgements()
        self._late: deque[tuple[AlarmTransition, Measured]] = deque(maxlen=LISTED)

    def take(self, told: Sequence[AlarmTransition], measured: Sequence[Measured]) -> None:
        self.verdicts.update(one.verdict for one in measured)
        self._late += (pair for pair in zip(told, measured, strict=True) if pair[1].verdict is Verdict.LATE)

    def newest_late(self) -> list[Measured]:
        """Newest first; each may have been acknowledged long after it was told."""
        return [
            msgspec.structs.replace(measured, acknowledged_time=self.acknowledgements.after(told))
            for told, measured in reversed(self._late)
        ]


def _is_measured(change: AlarmTransition) -> bool:
    return begins_way(change) and change.alarm.drill is None


def _named(seats: Iterable[Seat]) -> str:
    return ", ".join(seat.id for seat in seats)
