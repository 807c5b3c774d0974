"""What people ask of firewatch, and what firewatch asks of actuators."""

from __future__ import annotations

import enum
from datetime import datetime, timedelta

import msgspec


class Acknowledge(msgspec.Struct, frozen=True, tag="acknowledge"):
    """An operator has seen the alarm."""

    alarm_id: str
    operator: str
    comment: str = ""


class Reset(msgspec.Struct, frozen=True, tag="reset"):
    """An operator lets a latched alarm go, its condition being over."""

    alarm_id: str
    operator: str
    comment: str = ""


class Shelve(msgspec.Struct, frozen=True, tag="shelve"):
    """An operator hides the alarm for `duration`, or (None: one-shot) until its condition is over the next time."""

    alarm_id: str
    operator: str
    reason: str
    duration: timedelta | None = None


class Unshelve(msgspec.Struct, frozen=True, tag="unshelve"):
    """An operator brings a shelved alarm back."""

    alarm_id: str
    operator: str
    comment: str = ""


class OutOfService(msgspec.Struct, frozen=True, tag="out_of_service"):
    """An operator takes what a rule says of a subject (`site/asset` or `site/device`) out of service, whether an alarm
    stands or not, until somebody returns it. Nobody is told and no actuator is newly asked for anything meanwhile.
    `reason` is where a work order is named.
    """

    rule: str
    subject: str
    operator: str
    reason: str


class ReturnToService(msgspec.Struct, frozen=True, tag="return_to_service"):
    """An operator puts an alarm that was out of service back into it."""

    alarm_id: str
    operator: str
    reason: str


OperatorCommand = Acknowledge | Reset | Shelve | Unshelve | OutOfService | ReturnToService
"""What an operator may ask for; told apart by `type` where it is written down."""


class ActuatorCommand(msgspec.Struct, frozen=True):
    """One thing an actuator shall do. `command_id` follows from what caused it, so that sending it twice is
    harmless; `device` is `site/device`; `cause` names the alarm or the camera session behind it.
    """

    command_id: str
    device: str
    action: str
    parameters: dict[str, str | float | bool]
    cause: str
    rule: str
    issued_time: datetime


class AnswerState(enum.StrEnum):
    """How far an actuator is with a command. `done` and `failed` are final."""

    ACCEPTED = "accepted"
    DONE = "done"
    FAILED = "failed"


class ActuatorAnswer(msgspec.Struct, frozen=True):
    """What an actuator said to a command; `detail` is its own word for it ("held", "played", "released")."""

    command_id: str
    device: str
    state: AnswerState
    detail: str
    source_time: datetime
    receive_time: datetime
