"""What happens in the control room: its seats, its log, and whether anybody is there."""

from __future__ import annotations

import enum
from datetime import datetime, timedelta

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
    STOP = "stop"


class LogEntry(msgspec.Struct, frozen=True):
    """One entry of the log of a `seat`, or (empty) of all of them; `author` is an operator, or "firewatch". `alarm_id`
    and `incident` where it is about one. An entry is never changed: one that `corrects` another says which. `counts`
    are the figures of a handover as they were then.
    """

    entry_id: str
    entry_time: datetime
    seat: str
    author: str
    kind: EntryKind
    text: LocalText
    alarm_id: str | None = None
    incident: str | None = None
    corrects: str | None = None
    counts: dict[str, int] = {}


class DutyState(enum.StrEnum):
    """How a duty check stands: it waits for an answer, or has ended in one of the three ways."""

    ASKED = "asked"
    ANSWERED = "answered"
    MISSED = "missed"
    REPLACED = "replaced"


class DutyQuestion(msgspec.Struct, frozen=True):
    """Somebody wants to know whether anybody is at a seat; it may take so long to answer. The same `question_id` asked
    twice is one question.
    """

    question_id: str
    site: str
    seat: str
    asked_by: str
    limit: timedelta


class DutyCheck(msgspec.Struct, frozen=True):
    """Somebody (`asked_by`, such as the remote centre) asked a seat whether anybody is there. The seat's console sounds
    until it is answered, or until `until_time` (GB 26875.1-2011: 10 min), or until another question takes its place.

    `site` and `question_id` say which question it is to whoever asked. One that was missed stays so; who answers it all
    the same, before another question comes, says at `late_answer_time` that somebody is there again.
    """

    check_id: str
    seat: str
    asked_by: str
    asked_time: datetime
    until_time: datetime
    site: str = ""
    question_id: str = ""
    state: DutyState = DutyState.ASKED
    ended_time: datetime | None = None
    answered_by: str | None = None
    late_answer_time: datetime | None = None

    @property
    def changed_time(self) -> datetime:
        """When it came to be as it is."""
        return self.late_answer_time or self.ended_time or self.asked_time

    @property
    def is_open(self) -> bool:
        """Whether it waits for an answer."""
        return self.state is DutyState.ASKED


class Drill(msgspec.Struct, frozen=True):
    """A drill: the `plan` that was run, by whom, and what came of it; `report` (JSON) is empty while it goes on."""

    drill_id: str
    plan: str
    begun_time: datetime
    by: str
    ended_time: datetime | None = None
    outcome: str = ""
    report: str = ""
