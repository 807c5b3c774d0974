"""What the engine keeps on disk: every instance's state and alarm, as versioned JSON.

Bounded by the rules and the inventory: one record an instance, at most one alarm a record, and a thousand alarms that
are over. States are kept raw, so
that one that no longer fits costs that one instance its state and no other.
"""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

import msgspec
from msgspec.structs import replace

from firewatch.alarms.incident import Incident, kin_of
from firewatch.alarms.lifecycle import StandingAlarm
from firewatch.engine.engagement import Engagement
from firewatch.errors import StorageError
from firewatch.model.alarm import Alarm, AlarmState, AlarmTransition
from firewatch.model.command import ActuatorCommand
from firewatch.rules.evaluator import Phase

FORMAT_VERSION = 3
"""Format 1 knew neither repeated commands nor when people were last told, format 2 no incidents; both are read too."""


class SnapshotError(StorageError):
    """The engine's snapshot cannot be read by this version of firewatch; move it aside to start without it."""


class ClosedAlarm(msgspec.Struct, frozen=True):
    """An alarm that returned to normal, and its last transition's number."""

    alarm_id: str
    number: int


class OverAlarm(msgspec.Struct, frozen=True):
    """An alarm that somebody acknowledged and that is over, as it may still be confirmed; its last transition's number,
    and since when it is over.
    """

    alarm: Alarm
    number: int
    over_time: datetime


class InstanceRecord(msgspec.Struct, frozen=True, omit_defaults=True):
    """One instance as it stood. `closed` are its last alarm and its last shadow alarm, where they are over; `carried`
    marks an alarm from before the rule was changed, not yet judged anew.
    """

    rule: str
    subject: str
    fingerprint: str = ""
    state: msgspec.Raw = msgspec.Raw(b"null")
    standing: StandingAlarm | None = None
    closed: tuple[ClosedAlarm, ...] = ()
    engagement: Engagement | None = None
    carried: bool = False


class HeldBack(msgspec.Struct, frozen=True, omit_defaults=True):
    """Effects that were due but could not be returned, because the call that settled them refused a command. `grouped`
    are the annunciations that are.
    """

    annunciate: tuple[Alarm, ...] = ()
    grouped: tuple[Alarm, ...] = ()
    send: tuple[ActuatorCommand, ...] = ()
    record: tuple[AlarmTransition, ...] = ()


class Snapshot(msgspec.Struct, frozen=True, omit_defaults=True):
    """The engine as it stood at `now`."""

    version: int
    now: datetime
    instances: tuple[InstanceRecord, ...]
    held_back: HeldBack = HeldBack()
    over: tuple[OverAlarm, ...] = ()
    incidents: tuple[Incident, ...] = ()


class Judged(NamedTuple):
    """A rule and one of its subjects."""

    rule: str
    subject: str


class RestoreReport(msgspec.Struct, frozen=True):
    """What became of a snapshot. `now` is the engine's time in it; `restored` counts what goes on where it was.

    `added` was not in the snapshot; `changed` could not take its state, because the rule or its devices changed;
    `removed` is in the snapshot only. Standing alarms of changed rules are judged anew, those of removed ones are
    closed by `resume` (`closing_alarms`, their ids).
    """

    now: datetime
    restored: int
    added: tuple[Judged, ...]
    changed: tuple[Judged, ...]
    removed: tuple[Judged, ...]
    closing_alarms: tuple[str, ...]


class _Versioned(msgspec.Struct):
    version: int


def encode(snapshot: Snapshot) -> bytes:
    """The snapshot as JSON."""
    return msgspec.json.encode(snapshot)


def decode(data: bytes) -> Snapshot:
    """Read a snapshot.

    Raises:
        SnapshotError: it is no snapshot, or of another version.
    """
    try:
        version = msgspec.json.decode(data, type=_Versioned).version
        if version == 1:
            return _with_incidents(_from_format_1(data))
        if version == 2:
            return _with_incidents(msgspec.json.decode(data, type=Snapshot))
        if version != FORMAT_VERSION:
            raise SnapshotError(
                f"The engine's snapshot has format {version}, this firewatch reads up to {FORMAT_VERSION}: "
                "run the version that wrote it, or move the snapshot aside to start without it."
            )
        return msgspec.json.decode(data, type=Snapshot)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise SnapshotError(
            f"The engine's snapshot is damaged ({error}); move it aside to start without it."
        ) from error


class _Engagement1(msgspec.Struct, frozen=True):
    onset_time: datetime
    cause: str
    phase: Phase
    sent: tuple[str, ...] = ()


class _Record1(msgspec.Struct, frozen=True):
    rule: str
    subject: str
    fingerprint: str = ""
    state: msgspec.Raw = msgspec.Raw(b"null")
    standing: StandingAlarm | None = None
    closed: ClosedAlarm | None = None
    engagement: _Engagement1 | None = None
    carried: bool = False


class _Snapshot1(msgspec.Struct, frozen=True):
    now: datetime
    instances: tuple[_Record1, ...]
    held_back: HeldBack = HeldBack()


def _from_format_1(data: bytes) -> Snapshot:
    old = msgspec.json.decode(data, type=_Snapshot1)
    return Snapshot(FORMAT_VERSION, old.now, tuple(map(_record_from_format_1, old.instances)), old.held_back)


def _record_from_format_1(old: _Record1) -> InstanceRecord:
    standing, engagement = old.standing, old.engagement
    if standing is not None and standing.alarm.state is not AlarmState.ACKNOWLEDGED:
        standing = StandingAlarm(standing.alarm, standing.number, told_time=standing.alarm.clock.decided_time)
    return InstanceRecord(
        rule=old.rule,
        subject=old.subject,
        fingerprint=old.fingerprint,
        state=old.state,
        standing=standing,
        closed=(old.closed,) if old.closed is not None else (),
        engagement=Engagement(
            onset_time=engagement.onset_time,
            cause=engagement.cause,
            phase=engagement.phase,
            begun_time=engagement.onset_time,
            repeated_time=engagement.onset_time,
            sent=engagement.sent,
        )
        if engagement is not None
        else None,
        carried=old.carried,
    )


def _with_incidents(old: Snapshot) -> Snapshot:
    """Every alarm from before there were incidents is one of its own."""
    instances = tuple(map(_with_incident, old.instances))
    alarms = (record.standing.alarm for record in instances if record.standing is not None)
    return replace(
        old,
        version=FORMAT_VERSION,
        instances=instances,
        incidents=tuple(
            Incident(alarm.incident, kin_of(alarm), alarm, alarm.onset_time, alarm.onset_time, count=1)
            for alarm in sorted(alarms, key=lambda alarm: alarm.onset_time)
            if alarm.incident
        ),
    )


def _with_incident(record: InstanceRecord) -> InstanceRecord:
    standing = record.standing
    if standing is None or standing.alarm.shadow or not standing.alarm.activations:
        return record
    alarm = replace(standing.alarm, incident=standing.alarm.alarm_id, incident_number=1)
    return replace(record, standing=replace(standing, alarm=alarm))
