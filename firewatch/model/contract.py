"""The JSON payloads of the MQTT contract, exactly as they travel.

Devices, simulators and receivers are written against these; docs/mqtt-contract/ publishes them as an
AsyncAPI document with JSON Schemas generated from here. Every size is bounded.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

import msgspec

from firewatch.model.alarm import Alarm
from firewatch.model.command import AnswerState
from firewatch.model.control_room import DutyState
from firewatch.model.observation import Quality

PAYLOAD_LIMIT_BYTES = 65_536
"""A longer payload is refused unread."""

READINGS_LIMIT = 500
"""How many readings one message may carry."""

Name = Annotated[str, msgspec.Meta(min_length=1, max_length=64)]
Unit = Annotated[str, msgspec.Meta(max_length=16)]
ShortText = Annotated[str, msgspec.Meta(max_length=256)]
StateValue = Annotated[str, msgspec.Meta(max_length=64)]
Sequence = Annotated[int, msgspec.Meta(ge=0, le=2**63 - 1)]
Instant = Annotated[datetime, msgspec.Meta(tz=True)]
"""RFC 3339 with an offset or Z; a time without one is refused."""


class Reading(msgspec.Struct, frozen=True, gc=False, omit_defaults=True, forbid_unknown_fields=True):
    """One reading inside a telemetry message. `time` defaults to the message's, `unit` to the signal's own.
    `value` may be null only with quality "bad".
    """

    signal: Name
    value: float | bool | StateValue | None = None
    unit: Unit | None = None
    quality: Quality = Quality.GOOD
    time: Instant | None = None


class OneReading(msgspec.Struct, frozen=True, gc=False, omit_defaults=True, forbid_unknown_fields=True):
    """Telemetry with one reading."""

    time: Instant
    signal: Name
    value: float | bool | StateValue | None = None
    unit: Unit | None = None
    quality: Quality = Quality.GOOD
    seq: Sequence | None = None


class ManyReadings(msgspec.Struct, frozen=True, gc=False, omit_defaults=True, forbid_unknown_fields=True):
    """Telemetry with up to 500 readings taken together or collected while a device was offline."""

    time: Instant
    readings: Annotated[list[Reading], msgspec.Meta(min_length=1, max_length=READINGS_LIMIT)]
    seq: Sequence | None = None


class DeviceState(msgspec.Struct, frozen=True, omit_defaults=True):
    """Birth (`online` true, sent after connecting) and will (`online` false, sent by the broker); retained.
    The will carries no time: the broker sends it long after it was written.
    """

    online: bool
    time: Instant | None = None
    software: ShortText = ""


class CommandMessage(msgspec.Struct, frozen=True, omit_defaults=True):
    """firewatch asks an actuator for something. The same `id` may come twice and must be done once.

    In a `drill` nothing has happened: what people hear, see or read must say so.

    With a higher `attempt` no second signal has shown that it was done: the actuator sees to it that its output is as
    it was asked, and answers again. That changes nothing where it is so already, and never repeats what was played.
    """

    id: Name
    action: Name
    parameters: dict[str, str | float | bool]
    time: Instant
    attempt: Annotated[int, msgspec.Meta(ge=1, le=100)] = 1
    drill: bool = False


class AnswerMessage(msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """An actuator's answer: `accepted` at once, then `done` or `failed` with its own word in `detail`."""

    id: Name
    state: AnswerState
    time: Instant
    detail: ShortText = ""


class DrillReadingMessage(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A reading of a drill: what a device would have sent. firewatch publishes it and takes it back, and takes it only
    while the `drill` of that id goes on. `index` is its place among the plan's readings.
    """

    drill: Name
    index: Annotated[int, msgspec.Meta(ge=0, le=100_000)]
    time: Instant
    signal: Name
    value: float | bool | StateValue


class DutyCheckMessage(msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """The remote centre asks whether anybody is at a seat, and gives them so many minutes to answer. The same `id` may
    come twice and is one question.
    """

    id: Name
    asked_by: Name
    minutes: Annotated[float, msgspec.Meta(gt=0, le=10)] = 10.0


class DutyAnswerMessage(msgspec.Struct, frozen=True, omit_defaults=True):
    """How a duty check stands: `asked` at once, then `answered`, `missed`, or `replaced` by another question. Times are
    those of firewatch's clock; the same message may come twice.
    """

    id: Name
    state: DutyState
    asked_time: Instant
    until_time: Instant
    ended_time: Instant | None = None
    answered_by: ShortText = ""


AlarmMessage = Alarm
"""The alarm feed carries the alarm as it stands, retained until it is back to normal (then an empty payload). Alarms of
drills travel on a channel of their own, never retained.
"""
