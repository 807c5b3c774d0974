"""The time is in a schedule: windows of the day on weekdays or dates, by the clock on the site's wall.

What counts is what that clock reads. When it is put back, an hour comes twice, and a window in it too; when it is put
forward, the hour that is missing is in no window.
"""

from __future__ import annotations

import bisect
from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

from firewatch.model.alarm import ConditionState
from firewatch.model.observation import Observation
from firewatch.rules.evaluator import NO_CHANGES, Changes, Evidence, Finding, change_to
from firewatch.rules.spec import DaysSpec, ScheduleSpec, WindowSpec
from firewatch.rules.states import ScheduleState

_ACTIVE = ConditionState.ACTIVE
_INACTIVE = ConditionState.INACTIVE

_WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_DAY = timedelta(days=1)
_LOOKS_AHEAD = 8
"""Days. A schedule that does not change within them is looked at again after them."""

_TELLS_BACK = timedelta(days=31)
"""After a longer time down, the windows that passed before are not told one by one; it bounds the work."""


class ScheduleEvaluator:
    """Active while the clock on the wall is in one of the windows; it listens to nothing."""

    state_type = ScheduleState
    keeps_time = True
    signals: tuple[str, ...] = ()

    def __init__(self, spec: ScheduleSpec, time_zone: str) -> None:
        self._spec = spec
        self._timetable = timetable(spec, time_zone)

    def initial(self) -> ScheduleState:
        """Nobody looked at the clock yet."""
        return ScheduleState()

    def arm(self, state: ScheduleState, now: datetime) -> ScheduleState:
        """Look at the clock at once; if firewatch was only down, at what it missed."""
        if state.due is None or state.due < now - _TELLS_BACK:
            return ScheduleState(state.condition, now, state.onset_time)
        return state

    def observe(self, state: ScheduleState, observation: Observation, now: datetime) -> tuple[ScheduleState, Changes]:
        """It listens to nothing."""
        del observation, now
        return state, NO_CHANGES

    def wake(self, state: ScheduleState, now: datetime) -> tuple[ScheduleState, Changes]:
        """Tell every window's beginning and end up to now."""
        told = NO_CHANGES
        while state.due is not None and state.due <= now:
            due, onset = state.due, state.onset_time
            condition = _ACTIVE if self._timetable.is_open(due) else _INACTIVE
            if condition is not state.condition:
                onset, change = change_to(condition, due, onset, Evidence(due, due), begun=due)
                told = (*told, change)
            state = ScheduleState(condition, self._timetable.next_look(due), onset)
        return state, told

    def next_wake(self, state: ScheduleState) -> datetime | None:
        """The next beginning or end of a window."""
        return state.due

    def explain(self, state: ScheduleState) -> Finding:
        """Which calendar it is, and when it changes."""
        facts: dict[str, Any] = {"calendar": self._spec.calendar} if self._spec.calendar is not None else {}
        return Finding("schedule", state.condition, (), state.onset_time, state.due, facts)


class Timetable:
    """When a schedule is open at a place; everybody with the same schedule shares one."""

    def __init__(self, spec: ScheduleSpec, zone: ZoneInfo) -> None:
        self._spec = spec
        self._zone = zone
        self._changes_on = lru_cache(maxsize=32)(self._changes)

    def is_open(self, instant: datetime) -> bool:
        """Whether the clock on the wall is in a window then."""
        wall = instant.astimezone(self._zone)
        today, yesterday, clock = wall.date(), wall.date() - _DAY, wall.time()
        return any(
            (self._begins(window, today) and _after_from(window, clock))
            or (_passes_midnight(window) and clock < window.to and self._begins(window, yesterday))
            for window in self._spec.windows
        )

    def next_look(self, instant: datetime) -> datetime:
        """The next beginning or end of a window; if none is near, when to look again."""
        is_open = self.is_open(instant)
        today = instant.astimezone(self._zone).date()
        for ahead in range(_LOOKS_AHEAD):
            instants, opens = self._changes_on(today + ahead * _DAY)
            for place in range(bisect.bisect_right(instants, instant), len(instants)):
                if opens[place] is not is_open:
                    return instants[place]
        return instant + (_LOOKS_AHEAD - 1) * _DAY

    def _begins(self, window: WindowSpec, day: date) -> bool:
        return (
            _WEEKDAYS[day.weekday()] in window.days
            and (not window.dates or _is_in(day, window.dates))
            and not _is_in(day, self._spec.except_)
        )

    def _changes(self, day: date) -> tuple[list[datetime], list[bool]]:
        """The instants of a day at which it may open or close, and whether it is open from then on."""
        clocks = {clock for window in self._spec.windows for clock in (window.from_, window.to)} - {time.max}
        walls = [datetime.combine(day, clock) for clock in {time.min, *clocks}]
        instants = {self._instant(wall, fold) for wall in walls for fold in (0, 1)}
        instants |= set(self._clock_changes(day))
        ordered = sorted(instants)
        return ordered, [self.is_open(instant) for instant in ordered]

    def _instant(self, wall: datetime, fold: int) -> datetime:
        return wall.replace(tzinfo=self._zone, fold=fold).astimezone(UTC)

    def _clock_changes(self, day: date) -> Iterator[datetime]:
        """When the clock on the wall is put back or forward on a day, to the second."""
        start = self._instant(datetime.combine(day, time.min), 0)
        end = self._instant(datetime.combine(day + _DAY, time.min), 1)
        before, after = self._offset(start), self._offset(end)
        if before == after:
            return
        low, high = 0, int((end - start).total_seconds())
        while high - low > 1:
            middle = (low + high) // 2
            if self._offset(start + timedelta(seconds=middle)) == before:
                low = middle
            else:
                high = middle
        yield start + timedelta(seconds=high)

    def _offset(self, instant: datetime) -> timedelta | None:
        return instant.astimezone(self._zone).utcoffset()


@lru_cache(maxsize=1024)
def timetable(spec: ScheduleSpec, time_zone: str) -> Timetable:
    """The timetable of a schedule in a time zone, by its IANA name."""
    return Timetable(spec, ZoneInfo(time_zone))


def _passes_midnight(window: WindowSpec) -> bool:
    return window.to < window.from_


def _after_from(window: WindowSpec, clock: time) -> bool:
    return window.from_ <= clock and (_passes_midnight(window) or clock < window.to or window.to == time.max)


def _is_in(day: date, runs: tuple[DaysSpec, ...]) -> bool:
    return any(run.first <= day <= run.last for run in runs)
