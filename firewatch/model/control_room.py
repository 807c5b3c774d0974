"""What happens in the control room: its seats, its log, and whether anybody is there."""

from __future__ import annotations

import enum
from datetime import datetime

import msgspec

from firewatch.model.text import LocalText


class EntryKind(enum.StrEnum):
    """What sort of entry in the log it is. Operators write notes and hand over; the others are firewatch's own."""

    NOTE = "note"
    HANDOVER = "handover"
    DUTY_CHECK = "duty_check"
    DRILL = "drill"
    OUT_OF_SERVICE = "out_of_service"
    RULES = "rules"
    NOTIFICATION = "notification"
    START = "start"


class LogEntry(msgspec.Struct, frozen=True):
    """One entry of the log of a `seat`; `author` is an operator, or "firewatch". `alarm_id` and `incident` where it is
    about one.
    """

    entry_id: str
    entry_time: datetime
    seat: str
    author: str
    kind: EntryKind
    text: LocalText
    alarm_id: str | None = None
    incident: str | None = None


class DutyCheck(msgspec.Struct, frozen=True):
    """Somebody (`asked_by`, such as the remote centre) asked a seat whether anybody is there. The seat's console sounds
    until it is answered, or until `until_time` (GB 26875.1-2011: 10 min).
    """

    check_id: str
    seat: str
    asked_by: str
    asked_time: datetime
    until_time: datetime
    answered_time: datetime | None = None
    answered_by: str | None = None


class Drill(msgspec.Struct, frozen=True):
    """A drill: the `plan` that was run, by whom, and what came of it; `report` (JSON) is empty while it goes on."""

    drill_id: str
    plan: str
    begun_time: datetime
    by: str
    ended_time: datetime | None = None
    outcome: str = ""
    report: str = ""
