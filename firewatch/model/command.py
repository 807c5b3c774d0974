"""What people ask of firewatch, and what firewatch asks of actuators."""

from __future__ import annotations

import enum
from datetime import datetime, timedelta

import msgspec

from firewatch.model.alarm import Verdict


class Acknowledge(msgspec.Struct, frozen=True, tag="acknowledge"):
    """An operator has seen the alarm, as it was when it had become active `seen` times (its `activations`; None: as it
    is). An onset that came since is not hidden by it.
    """

    alarm_id: str
    operator: str
    comment: str = ""
    seen: int | None = None


class AcknowledgeIncident(msgspec.Struct, frozen=True, tag="acknowledge_incident"):
    """An operator has seen the first `seen` alarms of an incident; those that came after are not hidden by it."""

    incident: str
    operator: str
    seen: int
    comment: str = ""


class Confirm(msgspec.Struct, frozen=True, tag="confirm"):
    """An operator says what an acknowledged alarm turned out to be, and what was done."""

    alarm_id: str
    operator: str
    verdict: Verdict
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
    """An operator takes what a rule (None: every rule) says of a subject (`site/asset` or `site/device`) out of
    service, whether an alarm stands or not, until `until_time` or until somebody returns it. Nobody is told and no
    actuator is newly asked for anything meanwhile. `until_time` is None only in what was asked for before there was an
    end. What is out of service already is prolonged by it.
    """

    rule: str | None
    subject: str
    operator: str
    reason: str
    work_order: str = ""
    until_time: datetime | None = None


class ReturnToService(msgspec.Struct, frozen=True, tag="return_to_service"):
    """An operator puts an alarm that was out of service back into it."""

    alarm_id: str
    operator: str
    reason: str


class ReturnSubjectToService(msgspec.Struct, frozen=True, tag="return_subject_to_service"):
    """An operator puts all that is out of service about a subject (`site/asset` or `site/device`) back into it."""

    subject: str
    operator: str
    reason: str


class Actuate(msgspec.Struct, frozen=True, tag="actuate"):
    """An operator asks an actuator (`site/device`) for something, such as a text to be spoken, without any rule."""

    device: str
    action: str
    parameters: dict[str, str | float | bool]
    operator: str
    reason: str = ""


OperatorCommand = (
    Acknowledge
    | AcknowledgeIncident
    | Confirm
    | Reset
    | Shelve
    | Unshelve
    | OutOfService
    | ReturnToService
    | ReturnSubjectToService
    | Actuate
)
"""What an operator may ask for; told apart by `type` where it is written down."""


class ActuatorCommand(msgspec.Struct, frozen=True):
    """One thing an actuator shall do. `command_id` follows from what caused it, so that sending it twice is
    harmless; `device` is `site/device`; `cause` names the alarm or the camera session behind it, and `drill` the drill
    that it is part of.
    """

    command_id: str
    device: str
    action: str
    parameters: dict[str, str | float | bool]
    cause: str
    rule: str
    issued_time: datetime
    drill: str | None = None


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


class CommandState(enum.StrEnum):
    """How far a command is, for people and for rules (the signal `command` of a device with actions).

    `done` is the actuator's own word. `proven`: a second signal shows it, too. `unproven`: the actuator said yes, was
    asked again, and no second signal has shown it.
    """

    SENT = "sent"
    ACCEPTED = "accepted"
    DONE = "done"
    PROVEN = "proven"
    FAILED = "failed"
    UNPROVEN = "unproven"


UNANSWERED = "unanswered"
"""The detail of the answer that stands in for one that did not come; no actuator says it."""

NOT_SHOWN = "unproven"
"""The detail of the answer that stands in for a proof that did not come; no actuator says it."""


def command_state(answer: ActuatorAnswer | None, proven_time: datetime | None) -> CommandState:
    """How far a command is by its last answer and by when it was proven. What fails after its proof has failed; what is
    proven late is proven.
    """
    if answer is not None and answer.state is AnswerState.FAILED and answer.detail != NOT_SHOWN:
        return CommandState.FAILED
    if proven_time is not None:
        return CommandState.PROVEN
    if answer is None:
        return CommandState.SENT
    return CommandState.UNPROVEN if answer.state is AnswerState.FAILED else CommandState(answer.state)
