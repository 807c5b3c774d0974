"""What may be asked of the API: one struct a route, every field bounded.

Field order follows the path, then the query or the body. `openapi.py` reads bounds and descriptions from here.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Annotated, Literal

import msgspec

from firewatch.alarms.lifecycle import MAINTENANCE_AT_MOST
from firewatch.model.alarm import Verdict
from firewatch.model.control_room import EntryKind
from firewatch.model.topic import ID_PATTERN

Id = Annotated[str, msgspec.Meta(pattern=ID_PATTERN)]
Subject = Annotated[
    str, msgspec.Meta(pattern=r"^[a-z0-9-]{1,64}/[a-z0-9-]{1,64}$", description="`site/asset` or `site/device`")
]
SignalId = Annotated[
    str, msgspec.Meta(pattern=r"^[a-z0-9-]{1,64}/[a-z0-9-]{1,64}/[a-z0-9_]{1,64}$", description="`site/device/name`")
]
Key = Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$")]
Operator = Annotated[
    str, msgspec.Meta(min_length=1, max_length=64, pattern=r"^[^\s\x00-\x1f](?:[^\x00-\x1f]*[^\s\x00-\x1f])?$")
]
Reason = Annotated[str, msgspec.Meta(min_length=1, max_length=500, pattern=r"\S")]
Instant = Annotated[
    datetime, msgspec.Meta(tz=True, description="RFC 3339, with its time zone, from 1970 to the end of 2099")
]
AlarmPlace = Annotated[
    str, msgspec.Meta(max_length=200, description="`next` of the page before: `onset_time,alarm_id`")
]
EARLIEST = datetime(1970, 1, 1, tzinfo=UTC)
LATEST = datetime(2100, 1, 1, tzinfo=UTC)


def check_instant(instant: datetime) -> None:
    """Refuse what no history holds; near the ends of the calendar, arithmetic with it would overflow.

    Raises:
        ValueError: it is not from 1970 to the end of 2099.
    """
    if not EARLIEST <= instant < LATEST:
        raise ValueError(f"{instant.isoformat()} is not between 1970 and 2100")


class AlarmsQuery(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which alarms. `standing` alarms are those not back to normal, shelved, or out of service; `hidden` ones those
    that nobody is told of.
    """

    standing: Literal["true", "false", "all"] = "true"
    hidden: Literal["true", "false", "all"] = "all"
    site: Id | None = None
    rule: Id | None = None
    subject: Subject | None = None
    incident: Key | None = None
    before: AlarmPlace | None = None
    limit: Annotated[int, msgspec.Meta(ge=1, le=500)] = 100


class IncidentQuery(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One incident, and which of its alarms."""

    incident: Key
    before: AlarmPlace | None = None
    limit: Annotated[int, msgspec.Meta(ge=1, le=500)] = 100


class AcknowledgeIncidentBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Who has seen the first `seen` alarms of an incident: the `count` of what they were shown. What came after that
    stays unacknowledged.
    """

    incident: Key
    operator: Operator
    seen: Annotated[int, msgspec.Meta(ge=1, le=1_000_000)]
    comment: Annotated[str, msgspec.Meta(max_length=500)] = ""


class AlarmQuery(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One alarm."""

    alarm_id: Key


class OperatorBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Who asks, and what they have to say about it."""

    alarm_id: Key
    operator: Operator
    comment: Annotated[str, msgspec.Meta(max_length=500)] = ""


class AcknowledgeBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Who has seen the alarm, and with how many `activations`. One that became active anew since is not acknowledged;
    without `seen` it is, however it stands by now.
    """

    alarm_id: Key
    operator: Operator
    comment: Annotated[str, msgspec.Meta(max_length=500)] = ""
    seen: Annotated[int, msgspec.Meta(ge=0, le=1_000_000)] | None = None


class ConfirmBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Who says what the alarm turned out to be, and what was done."""

    alarm_id: Key
    operator: Operator
    verdict: Verdict
    comment: Annotated[str, msgspec.Meta(max_length=500)] = ""


class ShelveBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Who hides the alarm, why, and for how long: `seconds`, or `one_shot`, until its condition is over."""

    alarm_id: Key
    operator: Operator
    reason: Reason
    seconds: Annotated[int, msgspec.Meta(ge=1, le=31 * 86_400)] | None = None
    one_shot: bool = False

    def __post_init__(self) -> None:
        if (self.seconds is None) is not self.one_shot:
            raise ValueError("write either `seconds` or `one_shot: true`")


class OutOfServiceBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Who takes what a rule (unless given: every rule) says of a subject out of service, why, and for how long: for so
    many `seconds`, or `until` a time, at most 31 days from now.
    """

    subject: Subject
    operator: Operator
    reason: Reason
    rule: Id | None = None
    work_order: Annotated[str, msgspec.Meta(max_length=64)] = ""
    seconds: Annotated[int, msgspec.Meta(ge=1, le=int(MAINTENANCE_AT_MOST.total_seconds()))] | None = None
    until: Instant | None = None

    def __post_init__(self) -> None:
        if (self.seconds is None) is (self.until is None):
            raise ValueError("write either `seconds` or `until`: nothing stays out of service without an end")
        if self.until is not None:
            check_instant(self.until)

    def end(self, now: datetime) -> datetime:
        """When it ends."""
        return self.until if self.until is not None else now + timedelta(seconds=self.seconds or 0)


class ReturnBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Who puts the alarm back into service, and why."""

    alarm_id: Key
    operator: Operator
    reason: Reason


class SubjectReturnBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Who puts all that is out of service about a subject back into it, and why."""

    subject: Subject
    operator: Operator
    reason: Reason


class ReloadBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Who has the rules reloaded."""

    operator: Operator


class ReloadsQuery(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which reloads: the last ones, or those `before` a time: the `time` of the last one of the page before."""

    before: Instant | None = None
    limit: Annotated[int, msgspec.Meta(ge=1, le=500)] = 100

    def __post_init__(self) -> None:
        if self.before is not None:
            check_instant(self.before)


class ExplanationQuery(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One rule and one thing that it judges."""

    rule: Id
    subject: Subject


class DeviceQuery(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One device, or one asset."""

    site: Id
    device: Id


class BacktestBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Who asks what the rules on disk would have said: from `start` on, until `end` or the present, and with what it is
    to be compared: what people were really told (`recorded`), or what the running rules would have told them (`live`).
    """

    operator: Operator
    start: Instant
    end: Instant | None = None
    against: Literal["recorded", "live"] = "recorded"

    def __post_init__(self) -> None:
        for instant in (self.start, self.end):
            if instant is not None:
                check_instant(instant)


class BacktestQuery(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One backtest."""

    backtest_id: Key


class CancelBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Who gives the backtest up."""

    backtest_id: Key
    operator: Operator


class LogQuery(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Entries from `start` to before `end`: the last 31 days unless given; of one seat, with those of all seats; of one
    kind. The newest `limit` of them: for those before, ask again with the time of the last one as `end`.
    """

    start: Instant | None = None
    end: Instant | None = None
    seat: Id | None = None
    kind: EntryKind | None = None
    limit: Annotated[int, msgspec.Meta(ge=1, le=1_000)] = 100

    def __post_init__(self) -> None:
        for instant in (self.start, self.end):
            if instant is not None:
                check_instant(instant)


class LogFileQuery(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """As for the log itself, with more at a time."""

    start: Instant | None = None
    end: Instant | None = None
    seat: Id | None = None
    kind: EntryKind | None = None
    limit: Annotated[int, msgspec.Meta(ge=1, le=20_000)] = 10_000

    def __post_init__(self) -> None:
        for instant in (self.start, self.end):
            if instant is not None:
                check_instant(instant)


class NoteBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Who writes what at which seat; what alarm or incident it is about, and which entry it corrects."""

    operator: Operator
    seat: Id
    text: Annotated[str, msgspec.Meta(min_length=1, max_length=2_000, pattern=r"^[^\x00]*[^\s\x00][^\x00]*$")]
    alarm_id: Key | None = None
    incident: Key | None = None
    corrects: Key | None = None


class HandoverQuery(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which seat."""

    seat: Id


class HandoverPageQuery(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which seat, the first unless given, and in which language."""

    seat: Id | None = None
    lang: Literal["zh", "en"] = "zh"


class HandoverBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Who hands over to whom at which seat, and what they have to say about it."""

    from_: Operator = msgspec.field(name="from")
    to: Operator
    seat: Id
    remarks: Annotated[str, msgspec.Meta(max_length=2_000, pattern=r"^[^\x00]*$")] = ""


class DutyChecksQuery(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which duty checks: the last ones, or those asked `before` a time; of one seat."""

    before: Instant | None = None
    seat: Id | None = None
    limit: Annotated[int, msgspec.Meta(ge=1, le=1_000)] = 100

    def __post_init__(self) -> None:
        if self.before is not None:
            check_instant(self.before)


class DutyCheckBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Who asks which seat, and how many minutes there are to answer (GB 26875.1-2011: 10 at most)."""

    seat: Id
    asked_by: Operator
    minutes: Annotated[float, msgspec.Meta(gt=0, le=10)] = 10.0


class DutyAnswerBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Who is there."""

    check_id: Key
    operator: Operator


class DrillsQuery(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which drills: the last ones, or those begun `before` a time."""

    before: Instant | None = None
    limit: Annotated[int, msgspec.Meta(ge=1, le=500)] = 100

    def __post_init__(self) -> None:
        if self.before is not None:
            check_instant(self.before)


class DrillQuery(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One drill."""

    drill_id: Key


class DrillBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Who has which plan run."""

    plan: Id
    operator: Operator


class DrillStopBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Who ends the drill."""

    drill_id: Key
    operator: Operator


class DevicesQuery(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which devices."""

    site: Id | None = None
    system: Annotated[str, msgspec.Meta(min_length=1, max_length=64)] | None = None


class ObservationsQuery(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One signal and a range of source times: `end` is the present unless given, `start` one hour before it."""

    signal: SignalId
    start: Instant | None = None
    end: Instant | None = None
    limit: Annotated[int, msgspec.Meta(ge=1, le=10_000)] = 1_000

    def __post_init__(self) -> None:
        for instant in (self.start, self.end):
            if instant is not None:
                check_instant(instant)


class CapQuery(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One CAP message."""

    identifier: Key


class WorkloadQuery(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Whose workload: a seat's, the first one's unless told."""

    seat: Id | None = None


class DeadlinesQuery(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A range of at most 24 h: `end` is the present unless given, `start` one hour before it."""

    start: Instant | None = None
    end: Instant | None = None

    def __post_init__(self) -> None:
        for instant in (self.start, self.end):
            if instant is not None:
                check_instant(instant)


class PictureQuery(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One kept picture."""

    picture_id: Key


class FrameQuery(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One camera."""

    site: Id
    device: Id


class CommandsQuery(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which commands: those of one `cause` (an alarm or a camera session), or those without a final answer."""

    cause: Annotated[str, msgspec.Meta(min_length=1, max_length=200)] | None = None
    unanswered: bool = False
    limit: Annotated[int, msgspec.Meta(ge=1, le=500)] = 100
