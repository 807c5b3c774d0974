"""The routes of the control room: its log, its handovers, and whether anybody is there."""

from __future__ import annotations

import csv
import io
import secrets
from collections.abc import Sequence
from datetime import timedelta
from statistics import median
from typing import Any

from starlette.responses import Response

from firewatch.errors import RefusedCommandError
from firewatch.model.control_room import DutyCheck, DutyQuestion, DutyState, EntryKind, LogEntry
from firewatch.model.seat import Seat
from firewatch.model.text import LocalText
from firewatch.ports import AlarmFilter, Clock, ControlRoomDesk, HistoryReader, LiveView
from firewatch.web.api import NOT_REFUSED_BY_STATE, UNREADABLE_HISTORY
from firewatch.web.document import DutyCheckList, DutyFigures, LogEntryList, SeatList, SeatView
from firewatch.web.endpoint import ApiError, Endpoint, NoParameters
from firewatch.web.handover import Handover, HandoverDesk
from firewatch.web.handover_page import page
from firewatch.web.overview import Overview
from firewatch.web.query import (
    DutyAnswerBody,
    DutyCheckBody,
    DutyChecksQuery,
    HandoverBody,
    HandoverPageQuery,
    HandoverQuery,
    LogFileQuery,
    LogQuery,
    NoteBody,
)

DEFAULT_RANGE = timedelta(days=31)
_CSV = "text/csv; charset=utf-8"
_HTML = "text/html; charset=utf-8"
_NO_SEAT = "There is no such seat."


class ControlRoomApi:
    """The handlers. An entry of the log, once written, is never changed: there is no route for it."""

    def __init__(
        self, desk: ControlRoomDesk, live: LiveView, reader: HistoryReader, overview: Overview, clock: Clock
    ) -> None:
        self._desk = desk
        self._live = live
        self._reader = reader
        self._overview = overview
        self._clock = clock
        self._handovers = HandoverDesk(desk.room, live, reader, overview, clock)

    def endpoints(self) -> tuple[Endpoint, ...]:
        """Every route, with what it takes and gives."""
        return (
            Endpoint(
                path="/api/v1/seats", handler=self.seats, answer=SeatList, summary="The seats, and who is on duty there"
            ),
            Endpoint(
                path="/api/v1/log",
                handler=self.log,
                parameters=LogQuery,
                answer=LogEntryList,
                summary="Entries of the log, newest first",
                refusals={404: _NO_SEAT, 503: UNREADABLE_HISTORY},
            ),
            Endpoint(
                path="/api/v1/log",
                handler=self.note,
                parameters=NoteBody,
                method="POST",
                body=True,
                answer=LogEntry,
                summary="An operator writes into the log, or corrects what stands there by a further entry",
                refusals=NOT_REFUSED_BY_STATE | {404: "What it names does not exist.", 503: UNREADABLE_HISTORY},
            ),
            Endpoint(
                path="/api/v1/log.csv",
                handler=self.log_file,
                parameters=LogFileQuery,
                answer=_CSV,
                summary="Entries of the log as a table, newest first",
                refusals={404: _NO_SEAT, 503: UNREADABLE_HISTORY},
            ),
            Endpoint(
                path="/api/v1/handover",
                handler=self.handover,
                parameters=HandoverQuery,
                answer=Handover,
                summary="What the next shift at a seat needs to know",
                refusals={404: _NO_SEAT},
            ),
            Endpoint(
                path="/api/v1/handover",
                handler=self.hand_over,
                parameters=HandoverBody,
                method="POST",
                body=True,
                answer=LogEntry,
                summary="One shift hands over to the next; the entry keeps how many of what there was",
                refusals=NOT_REFUSED_BY_STATE | {404: _NO_SEAT},
            ),
            Endpoint(
                path="/api/v1/duty-checks",
                handler=self.duty_checks,
                parameters=DutyChecksQuery,
                answer=DutyCheckList,
                summary="Duty checks, newest first, with how long it took to answer",
                refusals={503: UNREADABLE_HISTORY},
            ),
            Endpoint(
                path="/api/v1/duty-checks",
                handler=self.ask,
                parameters=DutyCheckBody,
                method="POST",
                body=True,
                answer=DutyCheck,
                summary="Somebody asks whether anybody is at a seat; its console sounds until that is answered",
                refusals=NOT_REFUSED_BY_STATE | {404: _NO_SEAT, 409: "The seat was asked less than a second ago."},
            ),
            Endpoint(
                path="/api/v1/duty-checks/{check_id}/answer",
                handler=self.answer,
                parameters=DutyAnswerBody,
                method="POST",
                body=True,
                answer=DutyCheck,
                summary="An operator is there; also late, as long as the seat was not asked again",
                refusals=NOT_REFUSED_BY_STATE | {409: "The duty check was answered or replaced, or nobody asked it."},
            ),
        )

    def pages(self) -> tuple[Endpoint, ...]:
        """What a browser shows by itself, beside the console."""
        return (
            Endpoint(
                path="/handover",
                handler=self.handover_page,
                parameters=HandoverPageQuery,
                answer=_HTML,
                summary="The handover of a seat, to be printed",
            ),
        )

    async def seats(self, _: NoParameters) -> SeatList:
        """Every seat, with its turn of duty."""
        now = self._clock.now()
        return SeatList([SeatView(seat, seat.turn(now)) for seat in self._desk.room.seats])

    async def log(self, query: LogQuery) -> LogEntryList:
        """What was written."""
        return LogEntryList(await self._entries(query))

    async def log_file(self, query: LogFileQuery) -> Response:
        """The same for a spreadsheet."""
        entries = await self._entries(query)
        headers = {"Content-Disposition": 'attachment; filename="firewatch-log.csv"'}
        return Response(_table(entries), media_type=_CSV, headers=headers)

    async def note(self, body: NoteBody) -> LogEntry:
        """Write down what an operator says."""
        self._seat(body.seat)
        await self._check_named(body)
        return await self._desk.note(
            self._entry(
                EntryKind.NOTE,
                body.seat,
                body.operator,
                LocalText(body.text, body.text),
                alarm_id=body.alarm_id,
                incident=body.incident,
                corrects=body.corrects,
            )
        )

    async def handover(self, query: HandoverQuery) -> Handover:
        """How things stand."""
        return await self._handover(query.seat)

    async def hand_over(self, body: HandoverBody) -> LogEntry:
        """Write down that one shift went and another came."""
        state = await self._handover(body.seat)
        zh, en = f"{body.from_}向{body.to}交班", f"{body.from_} handed over to {body.to}"
        text = LocalText(f"{zh}：{body.remarks}", f"{en}: {body.remarks}") if body.remarks else LocalText(zh, en)
        return await self._desk.note(self._entry(EntryKind.HANDOVER, body.seat, body.from_, text, counts=state.counts))

    async def handover_page(self, query: HandoverPageQuery) -> Response:
        """The page to be printed."""
        state = await self._handover(query.seat or self._desk.room.seats[0].id)
        return page(state, query.lang)

    async def duty_checks(self, query: DutyChecksQuery) -> DutyCheckList:
        """Those asked, and how they ended."""
        checks = await self._reader.duty_checks(before=query.before, seat=query.seat, limit=query.limit)
        return DutyCheckList(checks, _figures(checks))

    async def ask(self, body: DutyCheckBody) -> DutyCheck:
        """Ask a seat."""
        seat = self._seat(body.seat)
        site = next(iter((*seat.sites, *(each.id for each in self._overview.sites()))), "")
        question = DutyQuestion(secrets.token_hex(8), site, seat.id, body.asked_by, timedelta(minutes=body.minutes))
        try:
            return await self._desk.ask(question)
        except RefusedCommandError as error:
            raise ApiError(409, f"{error}.", "Wait a second, and look at /api/v1/duty-checks.") from None

    async def answer(self, body: DutyAnswerBody) -> DutyCheck:
        """Say that somebody is there."""
        try:
            return await self._desk.answer(body.check_id, body.operator)
        except RefusedCommandError as error:
            raise ApiError(409, f"{error}.", "/api/v1/duty-checks lists the duty checks.") from None

    async def _handover(self, seat: str) -> Handover:
        return await self._handovers.handover(self._seat(seat), self._desk.open_checks())

    async def _entries(self, query: LogQuery | LogFileQuery) -> list[LogEntry]:
        if query.seat is not None:
            self._seat(query.seat)
        end = query.end or self._clock.now() + timedelta(seconds=1)
        return await self._reader.log_entries(
            query.start or end - DEFAULT_RANGE,
            end,
            seat=query.seat,
            kinds=[query.kind] if query.kind is not None else None,
            limit=query.limit,
        )

    def _seat(self, name: str) -> Seat:
        seat = self._desk.room.seat(name)
        if seat is None:
            raise ApiError(404, f"There is no seat {name}.", "/api/v1/seats lists the seats.")
        return seat

    async def _check_named(self, body: NoteBody) -> None:
        """An entry that is about nothing would mislead whoever reads it later."""
        if body.alarm_id is not None and not await self._knows_alarm(body.alarm_id):
            raise ApiError(404, f"There is no alarm {body.alarm_id}.", "/api/v1/alarms lists the alarms.")
        if body.incident is not None and not await self._knows_incident(body.incident):
            raise ApiError(404, f"There is no incident {body.incident}.", "An alarm names its incident.")
        if body.corrects is not None and await self._reader.log_entry(body.corrects) is None:
            raise ApiError(404, f"There is no entry {body.corrects}.", "/api/v1/log lists the entries.")

    async def _knows_alarm(self, alarm_id: str) -> bool:
        if any(alarm.alarm_id == alarm_id for alarm in self._live.alarms()):
            return True
        return bool(await self._reader.transitions(alarm_id, newest=1))

    async def _knows_incident(self, incident: str) -> bool:
        if any(alarm.incident == incident for alarm in self._live.alarms()):
            return True
        return bool(await self._reader.alarms(AlarmFilter(incident=incident, limit=1)))

    def _entry(self, kind: EntryKind, seat: str, author: str, text: LocalText, **more: Any) -> LogEntry:
        return LogEntry(secrets.token_hex(8), self._clock.now(), seat, author, kind, text, **more)


def _figures(checks: Sequence[DutyCheck]) -> DutyFigures:
    seconds = [
        (check.ended_time - check.asked_time).total_seconds()
        for check in checks
        if check.state is DutyState.ANSWERED and check.ended_time is not None
    ]
    states = [check.state for check in checks]
    return DutyFigures(
        answered=states.count(DutyState.ANSWERED),
        missed=states.count(DutyState.MISSED),
        replaced=states.count(DutyState.REPLACED),
        median_answer_seconds=median(seconds) if seconds else None,
        longest_answer_seconds=max(seconds, default=None),
    )


def _table(entries: Sequence[LogEntry]) -> bytes:
    """CSV as a spreadsheet takes it: with a mark that says UTF-8, and no cell that it would take for a formula."""
    file = io.StringIO()
    writer = csv.writer(file)
    writer.writerow(["time", "seat", "author", "kind", "zh", "en", "alarm", "incident", "corrects", "id"])
    for entry in entries:
        cells = (
            entry.entry_time.isoformat(timespec="seconds"),
            entry.seat,
            entry.author,
            entry.kind.value,
            entry.text.zh,
            entry.text.en,
            entry.alarm_id or "",
            entry.incident or "",
            entry.corrects or "",
            entry.entry_id,
        )
        writer.writerow([f"'{cell}" if cell.startswith(_FORMULA) else cell for cell in cells])
    return file.getvalue().encode("utf-8-sig")


_FORMULA = ("=", "+", "-", "@", "\t", "\r")
