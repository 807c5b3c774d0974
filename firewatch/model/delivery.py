"""What was sent to people and systems outside, and whether it arrived."""

from __future__ import annotations

import enum
from datetime import datetime

import msgspec

from firewatch.model.alarm import AlarmClass


class DeliveryState(enum.StrEnum):
    """How far a delivery is. A `dead` one was given up and is kept for somebody to look at, and to send again. A
    `withdrawn` one was planned for later and is not needed any more: somebody answered before.
    """

    WAITING = "waiting"
    DELIVERED = "delivered"
    DEAD = "dead"
    WITHDRAWN = "withdrawn"


class NotificationReason(enum.StrEnum):
    """Why a target is told. `onset`, `realarmed` and `escalated` call for somebody; the others only tell. `changed` is
    any other change of what a target was told of, for those that follow alarms. A `summary` sums up what a rate limit
    held back.
    """

    ONSET = "onset"
    REALARMED = "realarmed"
    ESCALATED = "escalated"
    ACKNOWLEDGED = "acknowledged"
    RETURNED = "returned"
    CHANGED = "changed"
    SUMMARY = "summary"
    TEST = "test"


CALLS = (NotificationReason.ONSET, NotificationReason.REALARMED, NotificationReason.ESCALATED)
"""What calls for somebody."""


class Delivery(msgspec.Struct, frozen=True):
    """One message for one target. `delivery_id` follows from the target, the alarm, its `number` (the transition that
    is told) and `after` how many seconds unanswered, so that handing it over twice is harmless.

    `plan` and `step` (from 1; 0 for what is told without a plan) say which step of which escalation plan asked for it,
    and `person` whom it is for, if for somebody. It is wanted from `due_time` on, tried at `next_attempt_time`, and
    `attempts` counts the tries. `revision` rises with every record of it. A test has no alarm: its `alarm_id` is empty.
    """

    delivery_id: str
    target: str
    alarm_id: str
    number: int
    reason: NotificationReason
    created_time: datetime
    due_time: datetime
    alarm_class: AlarmClass = AlarmClass.TROUBLE
    plan: str = ""
    step: int = 0
    person: str | None = None
    state: DeliveryState = DeliveryState.WAITING
    revision: int = 0
    attempts: int = 0
    next_attempt_time: datetime | None = None
    ended_time: datetime | None = None
    error: str = ""
    by: str = "firewatch"
