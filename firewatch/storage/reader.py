"""What screens and recovery read from the database."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta

import psycopg

from firewatch.alarms.deadline import StageWay
from firewatch.errors import StorageError
from firewatch.model.alarm import Alarm, AlarmTransition, StageReached
from firewatch.model.control_room import Drill, DutyCheck, EntryKind, LogEntry
from firewatch.model.delivery import Delivery, DeliveryState
from firewatch.model.reload import RulesReload
from firewatch.ports import AlarmFilter, CommandRecord, EngineInput, Picture, StoredObservation
from firewatch.storage.database import connect, first_line, time_limit
from firewatch.storage.rows import (
    Row,
    read_alarm,
    read_command,
    read_delivery,
    read_drill,
    read_duty_check,
    read_input,
    read_log_entry,
    read_observation,
    read_picture,
    read_reload,
    read_stage,
    read_stage_way,
    read_transition,
)
from firewatch.storage.sql import QUERIES

READ_TIMEOUT = timedelta(seconds=10)
INPUTS_PAGE = 1000
"""Small enough that turning a page into values holds the event loop for a few milliseconds only."""

TRANSITIONS_PAGE = 250
"""As above; each brings a whole alarm."""


class PostgresReader:
    """Implements `ports.HistoryReader` over one connection, made when first needed and again when lost.

    Every method raises StorageError when the database does not answer within `READ_TIMEOUT`.
    """

    def __init__(self, dsn: str) -> None:
        self._dsn = dsn
        self._connection: psycopg.AsyncConnection | None = None
        self._turn = asyncio.Lock()

    async def alarms(self, wanted: AlarmFilter) -> list[Alarm]:
        """Alarms as they stand now, newest onset first."""
        before_time, before_id = wanted.before or (None, None)
        rows = await self._rows(
            "alarms",
            {
                "site": wanted.site,
                "rule": wanted.rule,
                "subject": wanted.subject,
                "standing": wanted.standing,
                "hidden": wanted.hidden,
                "incident": wanted.incident,
                "before_time": before_time,
                "before_id": before_id,
                "limit": wanted.limit,
            },
        )
        return list(map(read_alarm, rows))

    async def transitions(self, alarm_id: str, *, newest: int | None = None) -> list[AlarmTransition]:
        """The changes of one alarm, all or the newest, first to last; empty if there is no such alarm."""
        rows = await self._rows("transitions", {"alarm_id": alarm_id, "newest": newest})
        return [read_transition(alarm_id, row) for row in rows]

    async def observations(self, signal: str, start: datetime, end: datetime, limit: int) -> list[StoredObservation]:
        """The newest `limit` observations with start <= source_time < end, oldest first; one that came twice is
        given once.
        """
        wanted = {"signal": signal, "start": start, "end": end, "limit": limit}
        return [read_observation(signal, row) for row in await self._rows("observations", wanted)]

    async def commands(
        self, *, cause: str | None = None, drill: str | None = None, unanswered: bool = False, limit: int = 100
    ) -> list[CommandRecord]:
        """Commands, newest first: those of one alarm or session, of one drill, or those without a final answer."""
        wanted = {"cause": cause, "drill": drill, "unanswered": unanswered, "limit": limit}
        rows = await self._rows("commands", wanted)
        return list(map(read_command, rows))

    async def newest_commands(self) -> list[CommandRecord]:
        """The newest command of every device but those of drills, with the last answer to it, by device."""
        return list(map(read_command, await self._rows("newest_commands", {})))

    async def picture(self, picture_id: str) -> Picture | None:
        """A kept picture."""
        rows = await self._rows("picture", {"picture_id": picture_id})
        return read_picture(picture_id, rows[0]) if rows else None

    async def reloads(self, *, before: datetime | None = None, limit: int = 100) -> list[RulesReload]:
        """Attempts to go on with other rules, newest first: the last ones, or those before a time."""
        return list(map(read_reload, await self._rows("reloads", {"before": before, "limit": limit})))

    async def stages(self, alarm_ids: Sequence[str]) -> list[StageReached]:
        """The later stages that some alarms reached, first to last."""
        return list(map(read_stage, await self._rows("stages", {"alarm_ids": list(alarm_ids)})))

    async def transitions_between(self, start: datetime, end: datetime) -> AsyncIterator[AlarmTransition]:
        """What happened to alarms in start <= time < end, in the order of time; of shadow rules too."""
        time, alarm_id, number = start, "", 0
        while rows := await self._rows(
            "transitions_page",
            {"time": time, "alarm_id": alarm_id, "number": number, "end": end, "limit": TRANSITIONS_PAGE},
        ):
            for row in rows:
                yield read_transition(row[0], row[1:])
            alarm_id, number, time = rows[-1][:3]

    async def condition_changes(self, alarm_ids: Sequence[str], limit: int) -> list[AlarmTransition]:
        """The newest changes, at most so many each, by which the conditions of some alarms became active or inactive,
        in the order of time.
        """
        rows = await self._rows("condition_changes", {"alarm_ids": list(alarm_ids), "limit": limit})
        return [read_transition(row[0], row[1:]) for row in rows]

    async def stage_ways(self, alarm_ids: Sequence[str]) -> list[StageWay]:
        """What the later stages of some alarms wait for, or waited for."""
        return list(map(read_stage_way, await self._rows("stage_ways", {"alarm_ids": list(alarm_ids)})))

    async def standing_at(self, time: datetime) -> list[AlarmTransition]:
        """The last change before a time of every alarm that stood then, in the order of time."""
        return [read_transition(row[0], row[1:]) for row in await self._rows("standing_at", {"time": time})]

    async def log_entries(
        self,
        start: datetime,
        end: datetime,
        *,
        seat: str | None = None,
        kinds: Sequence[EntryKind] | None = None,
        limit: int = 1000,
    ) -> list[LogEntry]:
        """Entries of the log with start <= time < end, newest first: a seat's (and those of all), of some kinds."""
        names = None if kinds is None else [kind.value for kind in kinds]
        wanted = {"start": start, "end": end, "seat": seat, "kinds": names, "limit": limit}
        return list(map(read_log_entry, await self._rows("log_entries", wanted)))

    async def log_entry(self, entry_id: str) -> LogEntry | None:
        """One entry of the log."""
        rows = await self._rows("log_entry", {"entry_id": entry_id})
        return read_log_entry(rows[0]) if rows else None

    async def duty_checks(
        self, *, before: datetime | None = None, seat: str | None = None, unended: bool = False, limit: int = 100
    ) -> list[DutyCheck]:
        """Duty checks, newest first, of all seats or one; `unended`: those that are open."""
        wanted = {"before": before, "seat": seat, "unended": unended, "limit": limit}
        return list(map(read_duty_check, await self._rows("duty_checks", wanted)))

    async def deliveries(
        self,
        *,
        alarm_id: str | None = None,
        target: str | None = None,
        state: DeliveryState | None = None,
        before: tuple[datetime, str] | None = None,
        limit: int = 100,
    ) -> list[Delivery]:
        """Deliveries as they stand, newest first: of one alarm, for one target, in one state, before a (time, id)."""
        before_time, before_id = before or (None, None)
        wanted = {
            "alarm_id": alarm_id,
            "target": target,
            "state": None if state is None else state.value,
            "before_time": before_time,
            "before_id": before_id,
            "limit": limit,
        }
        return list(map(read_delivery, await self._rows("deliveries", wanted)))

    async def delivery(self, delivery_id: str) -> Delivery | None:
        """One delivery as it stands."""
        rows = await self._rows("delivery", {"delivery_id": delivery_id})
        return read_delivery(rows[0]) if rows else None

    async def called(self, alarm_ids: Sequence[str]) -> list[Delivery]:
        """What called for somebody about some alarms and was not withdrawn, oldest first."""
        return list(map(read_delivery, await self._rows("called", {"alarm_ids": list(alarm_ids)})))

    async def drills(self, *, before: datetime | None = None, limit: int = 100) -> list[Drill]:
        """Drills, newest first."""
        return list(map(read_drill, await self._rows("drills", {"before": before, "limit": limit})))

    async def drill(self, drill_id: str) -> Drill | None:
        """One drill."""
        rows = await self._rows("drill", {"drill_id": drill_id})
        return read_drill(rows[0]) if rows else None

    async def inputs_after(self, ordinal: int) -> AsyncIterator[EngineInput]:
        """What the engine took after that ordinal, in order."""
        while rows := await self._rows("inputs_after", {"ordinal": ordinal, "limit": INPUTS_PAGE}):
            for row in rows:
                yield read_input(row)
            ordinal = rows[-1][0]

    async def last_ordinal(self) -> int:
        """The highest ordinal stored, 0 if there is none."""
        rows = await self._rows("last_ordinal", {})
        return int(rows[0][0])

    async def last_word(self) -> datetime | None:
        """When the last input was taken or the last change of an alarm recorded; None in an empty history."""
        rows = await self._rows("last_word", {})
        return rows[0][0].astimezone(UTC) if rows[0][0] is not None else None

    async def close(self) -> None:
        """End the connection."""
        async with self._turn:
            if self._connection is not None:
                await self._connection.close()
                self._connection = None

    async def _rows(self, query: str, parameters: Mapping[str, object]) -> list[Row]:
        async with self._turn:
            try:
                if self._connection is None or self._connection.closed:
                    self._connection = await connect(self._dsn, "firewatch reader")
                with time_limit(self._connection, READ_TIMEOUT):
                    cursor = await self._connection.execute(QUERIES[query], parameters)
                    return await cursor.fetchall()
            except psycopg.Error as error:
                raise StorageError(f"the history could not be read: {first_line(error)}") from error
