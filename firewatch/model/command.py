"""What people ask of firewatch, and what firewatch asks of actuators."""

from __future__ import annotations

import enum
from datetime import datetime

import msgspec


class Acknowledge(msgspec.Struct, frozen=True):
    """An operator has seen the alarm."""

    alarm_id: str
    operator: str
    comment: str = ""


OperatorCommand = Acknowledge


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
