"""What the operator must see: alarms, their states, and the record of every change.

The state words are those of ISA-18.2, those for hiding an alarm are OPC UA's too (Part 9: shelved, suppressed, out of
service); the classes are those of fire practice (NFPA 72).
"""

from __future__ import annotations

import enum
import hashlib
from datetime import datetime

import msgspec

from firewatch.model.text import LocalText


class ConditionState(enum.StrEnum):
    """What a rule's condition says; `unknown` is an answer of its own and never clears an alarm."""

    ACTIVE = "active"
    INACTIVE = "inactive"
    UNKNOWN = "unknown"


class AlarmState(enum.StrEnum):
    """Where an alarm stands in its life (ISA-18.2). A latched alarm's condition is over and waits for a reset."""

    NORMAL = "normal"
    UNACKNOWLEDGED = "unacknowledged"
    ACKNOWLEDGED = "acknowledged"
    RTN_UNACKNOWLEDGED = "rtn_unacknowledged"
    LATCHED_UNACKNOWLEDGED = "latched_unacknowledged"
    LATCHED_ACKNOWLEDGED = "latched_acknowledged"


class Priority(enum.StrEnum):
    """How urgently the operator has to respond (ISA-18.2), most urgent first."""

    HIGHEST = "highest"
    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"

    def is_more_urgent_than(self, other: Priority) -> bool:
        """Whether it is named before the other."""
        return list(Priority).index(self) < list(Priority).index(other)


class AlarmClass(enum.StrEnum):
    """What sort of alarm it is, in the order fire practice shows them."""

    FIRE = "fire"
    SUPERVISORY = "supervisory"
    SECURITY = "security"
    TROUBLE = "trouble"


class AlarmClock(msgspec.Struct, frozen=True):
    """When each stage of an alarm's way was reached; None while it has not been (domain.md: 3 s, 10 s, 100 s).

    `source_time`: the sensor saw it. `receive_time`: firewatch heard of it. `decided_time`: the rule decided.
    `annunciated_time`: it was handed to the feed. `journalled_time`: it is safe in the history.
    """

    source_time: datetime
    receive_time: datetime
    decided_time: datetime
    annunciated_time: datetime | None = None
    journalled_time: datetime | None = None


class Shelf(msgspec.Struct, frozen=True):
    """An operator has hidden the alarm: who, since when, why, and until when at the latest. A one-shot shelf ends
    before that, when the condition is over.
    """

    by: str
    since_time: datetime
    reason: str
    until_time: datetime
    one_shot: bool = False


class Maintenance(msgspec.Struct, frozen=True):
    """The alarm is out of service: who took it out, since when, and why; the work order, and until when (None, of
    before there was an end: until somebody returns it). `reminded` once people were told that the end is near.
    """

    by: str
    since_time: datetime
    reason: str
    work_order: str = ""
    until_time: datetime | None = None
    reminded: bool = False


class Verdict(enum.StrEnum):
    """What an alarm turned out to be (OPC UA Part 9, confirm: action was taken)."""

    REAL = "real"
    FALSE = "false"
    TEST = "test"


class Confirmation(msgspec.Struct, frozen=True):
    """Somebody has seen to the alarm: who, when, what it turned out to be, and what was done."""

    by: str
    confirmed_time: datetime
    verdict: Verdict
    comment: str = ""


class Alarm(msgspec.Struct, frozen=True):
    """One alarm as it stands. Everything a screen or a receiver needs is in it.

    `subject` is `site/asset` or `site/device`. `onset_time` is the event time at which the condition became
    active, before any delay. `activations` counts how often it became active before the operator was done with
    it. `condition` is what the signals say now. `clock` is the clock of the first annunciation. `step` is the place of
    the ladder's step that gives priority and texts, 0 the mildest. A `shadow` alarm is recorded and counted only.

    A `hidden` alarm is recorded and listed like any other, and nobody is told of it: it is shelved, or suppressed by
    design (`suppressed_by` is the id of the alarm that suppresses it), or out of service, or several of these. While
    it is shelved or out of service its record stays open, through `normal` and any number of onsets; out of service
    it may begin without an onset (`activations` 0, `onset_time` is then when it was taken out).

    `incident` is the id of the first alarm of the event that it belongs to, and `incident_number` its place in it: 1 is
    the first-out. `drill` is the id of the drill that it is part of; it is then no alarm at all.
    """

    alarm_id: str
    rule: str
    site: str
    subject: str
    building: str
    system: str
    priority: Priority
    alarm_class: AlarmClass
    state: AlarmState
    condition: ConditionState
    text: LocalText
    advice: LocalText
    place: LocalText
    onset_time: datetime
    clock: AlarmClock
    activations: int = 1
    value: float | bool | str | None = None
    unit: str = ""
    picture: str | None = None
    cleared_time: datetime | None = None
    acknowledged_time: datetime | None = None
    acknowledged_by: str | None = None
    acknowledge_comment: str = ""
    step: int = 0
    shadow: bool = False
    hidden: bool = False
    shelf: Shelf | None = None
    suppressed_by: str | None = None
    out_of_service: Maintenance | None = None
    confirmation: Confirmation | None = None
    incident: str = ""
    incident_number: int = 0
    drill: str | None = None

    @property
    def stands(self) -> bool:
        """Whether it is on the list of alarms; False when it is over for good."""
        return self.state is not AlarmState.NORMAL or self.is_held

    @property
    def is_held(self) -> bool:
        """Whether an operator's word keeps its record open: shelved, or out of service."""
        return self.shelf is not None or self.out_of_service is not None


class TransitionReason(enum.StrEnum):
    """Why an alarm changed."""

    CONDITION_ACTIVE = "condition_active"
    CONDITION_INACTIVE = "condition_inactive"
    CONDITION_UNKNOWN = "condition_unknown"
    CONDITION_KNOWN = "condition_known"
    ACKNOWLEDGED = "acknowledged"
    CONFIRMED = "confirmed"
    RESET = "reset"
    SHELVED = "shelved"
    UNSHELVED = "unshelved"
    SHELF_ENDED = "shelf_ended"
    SUPPRESSED = "suppressed"
    UNSUPPRESSED = "unsuppressed"
    TAKEN_OUT_OF_SERVICE = "taken_out_of_service"
    MAINTENANCE_REMINDED = "maintenance_reminded"
    MAINTENANCE_ENDED = "maintenance_ended"
    RETURNED_TO_SERVICE = "returned_to_service"
    REALARMED = "realarmed"
    STEPPED_DOWN = "stepped_down"
    RULE_CHANGED = "rule_changed"
    RULE_REMOVED = "rule_removed"
    PROMOTED = "promoted"
    DEMOTED = "demoted"


class Annunciation(enum.StrEnum):
    """How people were told of a change: with a sound `of_its_own`, or `grouped`, shown in an incident that called for
    them already.
    """

    OF_ITS_OWN = "of_its_own"
    GROUPED = "grouped"


class AlarmTransition(msgspec.Struct, frozen=True):
    """The record of one change. `number` counts the changes of one alarm from 1: (`alarm_id`, `number`) is unique,
    so that recording one twice is harmless. `alarm` is the alarm after the change. `annunciation` is None where nobody
    was told.
    """

    alarm_id: str
    number: int
    transition_time: datetime
    reason: TransitionReason
    previous_state: AlarmState
    alarm: Alarm
    by: str = "firewatch"
    comment: str = ""
    annunciation: Annunciation | None = None


class Stage(enum.StrEnum):
    """The stages of an alarm's way that come after it was told to the screens."""

    DELIVERED = "delivered"
    PROVEN = "proven"


class StageReached(msgspec.Struct, frozen=True):
    """An alarm came a stage further: `by` names the receiver that took it, or the command that was proven."""

    alarm_id: str
    stage: Stage
    stage_time: datetime
    by: str


def alarm_id(rule: str, subject: str, onset_time: datetime) -> str:
    """The identity of an alarm, the same wherever and however often it is worked out.

    Raises:
        ValueError: `onset_time` is naive.
    """
    if onset_time.tzinfo is None:
        raise ValueError("onset_time has no time zone; alarms live in UTC")
    text = f"{rule}|{subject}|{onset_time.timestamp():.6f}"
    return hashlib.blake2s(text.encode(), digest_size=8).hexdigest()
