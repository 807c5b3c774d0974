"""What was sent to people and systems outside, and whether it arrived."""

from __future__ import annotations

import enum
from datetime import datetime

import msgspec


class DeliveryState(enum.StrEnum):
    """How far a delivery is. A `dead` one was given up and is kept for somebody to look at, and to send again."""

    WAITING = "waiting"
    DELIVERED = "delivered"
    DEAD = "dead"


class Delivery(msgspec.Struct, frozen=True):
    """One message for one target. `delivery_id` follows from the target, the alarm, its `number` (the transition that
    is told) and the escalation's `step`, so that handing it over twice is harmless. `attempts` counts the tries, and
    rises with every record of it; `next_attempt_time` is when the next is due.
    """

    delivery_id: str
    target: str
    alarm_id: str
    number: int
    step: int
    created_time: datetime
    state: DeliveryState = DeliveryState.WAITING
    attempts: int = 0
    next_attempt_time: datetime | None = None
    ended_time: datetime | None = None
    error: str = ""
