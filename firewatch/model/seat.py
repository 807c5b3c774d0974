"""The seats of the control room: which alarms each answers for, and who is on duty there by the clock on its wall."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import msgspec

from firewatch.model.alarm import Alarm
from firewatch.model.text import LocalText

_DAY = timedelta(days=1)


class Shift(msgspec.Struct, frozen=True):
    """A turn of duty of every day, from `start` to before `end`; `end` not after `start` is on the day after."""

    name: LocalText
    start: time
    end: time


class Turn(msgspec.Struct, frozen=True):
    """One turn of duty: the shift and its own beginning and end, in UTC."""

    shift: Shift
    start_time: datetime
    end_time: datetime


class Seat(msgspec.Struct, frozen=True):
    """A place where somebody answers for alarms: those of its `sites`, `buildings` (`site/building`) and `systems`,
    each empty for all. `desk` is the device (`site/device`) that stands for it among the others, where there is one.
    """

    id: str
    label: LocalText
    time_zone: str = "Asia/Shanghai"
    sites: tuple[str, ...] = ()
    buildings: tuple[str, ...] = ()
    systems: tuple[str, ...] = ()
    desk: str | None = None
    shifts: tuple[Shift, ...] = ()

    def answers_for(self, alarm: Alarm) -> bool:
        """Whether the alarm is this seat's to answer."""
        return self.covers(alarm.site, alarm.building, alarm.system)

    def covers(self, site: str, building: str, system: str) -> bool:
        """Whether the alarms of a system in a building are this seat's to answer."""
        return (
            (not self.sites or site in self.sites)
            and (not self.buildings or f"{site}/{building}" in self.buildings)
            and (not self.systems or system in self.systems)
        )

    def turn(self, now: datetime) -> Turn | None:
        """The turn of duty at a time; None where no shift covers it."""
        today = now.astimezone(ZoneInfo(self.time_zone)).date()
        for day in (today, today - _DAY):
            for shift in self.shifts:
                last = day if shift.start < shift.end else day + _DAY
                begin = self._instant(datetime.combine(day, shift.start))
                end = self._instant(datetime.combine(last, shift.end))
                if begin <= now < end:
                    return Turn(shift, begin, end)
        return None

    def local(self, instant: datetime) -> datetime:
        """What the clock on the seat's wall shows."""
        return instant.astimezone(ZoneInfo(self.time_zone))

    def _instant(self, wall: datetime) -> datetime:
        return wall.replace(tzinfo=ZoneInfo(self.time_zone)).astimezone(UTC)


class ControlRoom(msgspec.Struct, frozen=True):
    """All seats, at least one. What no seat claims is the first one's: no alarm is nobody's."""

    seats: tuple[Seat, ...]

    def seat(self, seat_id: str) -> Seat | None:
        """The seat of that id."""
        return next((seat for seat in self.seats if seat.id == seat_id), None)

    def answering(self, alarm: Alarm) -> tuple[Seat, ...]:
        """Every seat that answers for the alarm."""
        return tuple(seat for seat in self.seats if seat.answers_for(alarm)) or self.seats[:1]


CONTROL_ROOM = LocalText(zh="消防控制室", en="Control room")
ONE_SEAT = ControlRoom((Seat(id="control-room", label=CONTROL_ROOM),))
"""What there is where nobody wrote down any seats: one that answers for everything."""
