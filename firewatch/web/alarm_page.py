"""Pages of alarms: those that stand come from memory, so they are right even while the history is behind."""

from __future__ import annotations

from datetime import datetime

from firewatch.model.alarm import Alarm
from firewatch.ports import AlarmFilter, HistoryReader, LiveView
from firewatch.web.document import AlarmPage
from firewatch.web.place import write_before


async def read_page(live: LiveView, reader: HistoryReader, wanted: AlarmFilter) -> AlarmPage:
    """Alarms as they stand; memory wins over the history, which is not asked where memory has them all."""
    known = {alarm.alarm_id: alarm for alarm in live.alarms()}
    if not wanted.standing:
        known = {alarm.alarm_id: alarm for alarm in await reader.alarms(wanted)} | known
    matching = [alarm for alarm in known.values() if _matches(alarm, wanted)]
    page = sorted(matching, key=_place, reverse=True)[: wanted.limit]
    full = len(page) == wanted.limit
    return AlarmPage(alarms=page, next=write_before(*_place(page[-1])) if full else None, marks=live.marks(page))


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
