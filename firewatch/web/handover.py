"""What the next shift needs to know at a seat, put together from memory, and from the history as far as it answers."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

import msgspec

from firewatch.alarms.workload import Figures, Workload
from firewatch.errors import StorageError
from firewatch.model.alarm import Alarm, AlarmState
from firewatch.model.command import CommandState
from firewatch.model.control_room import DutyCheck, LogEntry
from firewatch.model.seat import ControlRoom, Seat, Turn
from firewatch.ports import Clock, CommandRecord, HistoryReader, LiveView, PartStatus
from firewatch.web.document import DeviceView
from firewatch.web.overview import Overview

WITHOUT_SHIFTS = timedelta(hours=12)
"""How far back a handover looks where nobody wrote down any shifts, or nobody is on duty."""

LISTED = 500
"""Entries, checks and commands beyond these are not listed; the log has them all."""

_UNSEEN = (AlarmState.UNACKNOWLEDGED, AlarmState.RTN_UNACKNOWLEDGED)
_LATCHED = (AlarmState.LATCHED_UNACKNOWLEDGED, AlarmState.LATCHED_ACKNOWLEDGED)
_NOT_CARRIED_OUT = (CommandState.SENT, CommandState.ACCEPTED, CommandState.FAILED, CommandState.UNPROVEN)


class Handover(msgspec.Struct, frozen=True):
    """How things stand at a seat. `turn` is the turn of duty, null between shifts; the log, the duty checks and the
    workload are those `since` it began.

    Alarms are in one list each: those `shelved` and `out_of_service` by somebody, those `suppressed` by others; of the
    shown ones those nobody has seen yet, those seen and still active, and those that wait for a reset. `commands` are
    the newest of devices that have not carried it out, `parts` those of firewatch that are not ready, `cameras` those
    that are lost.

    Where the history does not answer, `complete` is false, and what comes from it is missing.
    """

    now: datetime
    seat: Seat
    turn: Turn | None
    since: datetime
    unacknowledged: list[Alarm]
    acknowledged: list[Alarm]
    latched: list[Alarm]
    shelved: list[Alarm]
    out_of_service: list[Alarm]
    suppressed: list[Alarm]
    parts: list[PartStatus]
    cameras: list[DeviceView]
    open_checks: list[DutyCheck]
    commands: list[CommandRecord]
    log: list[LogEntry]
    duty_checks: list[DutyCheck]
    workload: Figures | None
    complete: bool

    @property
    def counts(self) -> dict[str, int]:
        """Its figures, as the entry of a handover keeps them."""
        names = (*_LISTS, "parts", "cameras", "commands", "log")
        counts = {name: len(getattr(self, name)) for name in names}
        counts["open_duty_checks"] = len(self.open_checks)
        if self.workload is not None:
            counts["told"] = self.workload.alarm_count.of_their_own
        return counts


_LISTS = ("unacknowledged", "acknowledged", "latched", "shelved", "out_of_service", "suppressed")


class HandoverDesk:
    """Puts handovers together."""

    def __init__(
        self, room: ControlRoom, live: LiveView, reader: HistoryReader, overview: Overview, clock: Clock
    ) -> None:
        self._room = room
        self._live = live
        self._reader = reader
        self._overview = overview
        self._clock = clock

    async def handover(self, seat: Seat, open_checks: Sequence[DutyCheck]) -> Handover:
        """How things stand at a seat."""
        now = self._clock.now()
        turn = seat.turn(now)
        since = now - WITHOUT_SHIFTS if turn is None else turn.start_time
        lists: dict[str, list[Alarm]] = {name: [] for name in _LISTS}
        for alarm in self._live.alarms():
            if seat in self._room.answering(alarm):
                lists[_list_of(alarm)].append(alarm)
        devices = {
            f"{device.site}/{device.device}": device
            for device in self._overview.devices()
            if seat.covers(device.site, device.building, device.system)
        }
        commands, log, checks, workload, complete = await self._stored(seat, since, now, devices)
        return Handover(
            now=now,
            seat=seat,
            turn=turn,
            since=since,
            **lists,
            parts=[part for part in self._live.parts() if not part.ready],
            cameras=[device for device in devices.values() if device.camera and device.online is False],
            open_checks=[check for check in open_checks if check.seat == seat.id],
            commands=commands,
            log=log,
            duty_checks=checks,
            workload=workload,
            complete=complete,
        )

    async def _stored(
        self, seat: Seat, since: datetime, now: datetime, devices: dict[str, DeviceView]
    ) -> tuple[list[CommandRecord], list[LogEntry], list[DutyCheck], Figures | None, bool]:
        try:
            newest = await self._reader.newest_commands()
            log = await self._reader.log_entries(since, now + timedelta(seconds=1), seat=seat.id, limit=LISTED)
            checks = await self._reader.duty_checks(seat=seat.id, limit=LISTED)
            workload = await self._workload(seat, since, now)
        except StorageError:
            return [], [], [], None, False
        commands = [
            record for record in newest if record.command.device in devices and record.state in _NOT_CARRIED_OUT
        ]
        lately = [check for check in checks if check.asked_time >= since]
        return commands[:LISTED], log, lately, workload, True

    async def _workload(self, seat: Seat, since: datetime, now: datetime) -> Figures:
        workload = Workload(since, window=None)
        standing = await self._reader.standing_at(since)
        workload.begin(change for change in standing if seat in self._room.answering(change.alarm))
        async for change in self._reader.transitions_between(since, now):
            if seat in self._room.answering(change.alarm):
                workload.take(change)
        return workload.figures(now)


def _list_of(alarm: Alarm) -> str:
    if alarm.out_of_service is not None:
        return "out_of_service"
    if alarm.shelf is not None:
        return "shelved"
    if alarm.hidden:
        return "suppressed"
    if alarm.state in _UNSEEN:
        return "unacknowledged"
    return "latched" if alarm.state in _LATCHED else "acknowledged"
