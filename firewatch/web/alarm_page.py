"""Pages of alarms: those that stand come from memory, so they are right even while the history is behind."""

from __future__ import annotations

from datetime import datetime

import msgspec

from firewatch.model.alarm import Alarm
from firewatch.ports import AlarmFilter, HistoryReader, LiveView
from firewatch.web.document import AlarmPage
from firewatch.web.endpoint import ApiError
from firewatch.web.query import Instant, check_instant


async def read_page(live: LiveView, reader: HistoryReader, wanted: AlarmFilter) -> AlarmPage:
    """Alarms as they stand; memory wins over the history, which is not asked where memory has them all."""
    known = {alarm.alarm_id: alarm for alarm in live.alarms()}
    if not wanted.standing:
        known = {alarm.alarm_id: alarm for alarm in await reader.alarms(wanted)} | known
    matching = [alarm for alarm in known.values() if _matches(alarm, wanted)]
    page = sorted(matching, key=_place, reverse=True)[: wanted.limit]
    full = len(page) == wanted.limit
    return AlarmPage(alarms=page, next=_write_before(page[-1]) if full else None, marks=live.marks(page))


def read_before(text: str | None) -> tuple[datetime, str] | None:
    """The place in the list of alarms that a `before` names.

    Raises:
        ApiError: it names none.
    """
    if text is None:
        return None
    onset, _, alarm_id = text.partition(",")
    try:
        onset_time = msgspec.convert(onset, Instant)
        check_instant(onset_time)
    except (msgspec.ValidationError, ValueError):
        onset_time = None
    if onset_time is None or not alarm_id:
        raise ApiError(400, "`before` is not a place in the list of alarms.", "Send `next` of the page before.")
    return onset_time, alarm_id


def _place(alarm: Alarm) -> tuple[datetime, str]:
    return alarm.onset_time, alarm.alarm_id


def _matches(alarm: Alarm, wanted: AlarmFilter) -> bool:
    return (
        wanted.site in (None, alarm.site)
        and wanted.incident in (None, alarm.incident)
        and wanted.rule in (None, alarm.rule)
        and wanted.subject in (None, alarm.subject)
        and wanted.standing in (None, alarm.stands)
        and wanted.hidden in (None, alarm.hidden)
        and (wanted.before is None or _place(alarm) < wanted.before)
    )


def _write_before(alarm: Alarm) -> str:
    return f"{msgspec.to_builtins(alarm.onset_time)},{alarm.alarm_id}"
