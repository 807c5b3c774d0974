"""Commands to actuators over MQTT, followed until they are answered.

A command goes out at once. Until the actuator answers, it is sent again every `RESEND_INTERVAL`, with the same
id, so that an actuator that did hear it does it once. After `ANSWER_TIMEOUT` without any answer it is given up and
reported as unanswered; what is said first is never delayed by what is repeated.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

import msgspec

from firewatch.model.command import ActuatorAnswer, ActuatorCommand, AnswerState
from firewatch.model.contract import CommandMessage
from firewatch.model.topic import Channel, Topic
from firewatch.ports import CommandRecord, Publisher
from firewatch.telemetry.events import CommandAnswered, CommandSent, CommandUnanswered
from firewatch.telemetry.telemetry import Telemetry

RESEND_INTERVAL = timedelta(seconds=1)
ANSWER_TIMEOUT = timedelta(seconds=10)
"""GB 50166-2019: an output module acts within 3 s of the command; three such spans pass before it is given up."""
FOLLOW_LIMIT = timedelta(minutes=10)
"""How long an accepted command is waited for to be done; longer than any message that is played."""

UNANSWERED = "unanswered"
"""The detail shown for a command that was given up; no actuator says it."""

FINAL_STATES = (AnswerState.DONE, AnswerState.FAILED)

_encode = msgspec.json.Encoder().encode


@dataclass(slots=True)
class _Followed:
    command: ActuatorCommand
    first_sent_time: datetime
    resend_time: datetime
    answer: ActuatorAnswer | None = None


class Actuators:
    """Sends commands, matches answers to them, and says what came of each through `on_change`.

    Time is an argument: call `advance` at `next_wake` or later.
    """

    def __init__(
        self,
        publisher: Publisher,
        prefix: str,
        telemetry: Telemetry,
        on_change: Callable[[CommandRecord], None],
    ) -> None:
        self._publisher = publisher
        self._prefix = prefix
        self._telemetry = telemetry
        self._on_change = on_change
        self._followed: dict[str, _Followed] = {}

    def send(self, command: ActuatorCommand, now: datetime) -> None:
        """Send the command and follow it; one already followed is not sent twice."""
        if command.command_id in self._followed:
            return
        self._followed[command.command_id] = _Followed(command, now, now + RESEND_INTERVAL)
        self._publish(command)
        self._telemetry.emit(CommandSent(command_id=command.command_id, device=command.device, action=command.action))
        self._on_change(CommandRecord(command=command, answer=None))

    def answered(self, answer: ActuatorAnswer) -> bool:
        """Take an actuator's answer; False if it is not this device's to give.

        An answer to a command nobody follows any more is left to the history.
        """
        followed = self._followed.get(answer.command_id)
        if followed is None:
            return True
        if followed.command.device != answer.device:
            return False
        followed.answer = answer
        self._telemetry.emit(
            CommandAnswered(
                command_id=answer.command_id, device=answer.device, state=answer.state, detail=answer.detail
            )
        )
        self._on_change(CommandRecord(command=followed.command, answer=answer))
        if answer.state in FINAL_STATES:
            del self._followed[answer.command_id]
        return True

    def advance(self, now: datetime) -> list[ActuatorAnswer]:
        """Send again what is due, and give up what has waited too long: returns what stands in for their answers."""
        given_up: list[ActuatorAnswer] = []
        for command_id, followed in list(self._followed.items()):
            if followed.answer is not None:
                if now >= followed.first_sent_time + FOLLOW_LIMIT:
                    del self._followed[command_id]
            elif now >= followed.first_sent_time + ANSWER_TIMEOUT:
                del self._followed[command_id]
                self._publisher.withdraw(command_id)
                given_up.append(_unanswered(followed.command, now))
                self._on_change(CommandRecord(command=followed.command, answer=given_up[-1]))
                self._telemetry.emit(
                    CommandUnanswered(
                        command_id=command_id,
                        device=followed.command.device,
                        action=followed.command.action,
                        waited_seconds=(now - followed.first_sent_time).total_seconds(),
                    )
                )
            elif now >= followed.resend_time:
                followed.resend_time = now + RESEND_INTERVAL
                self._publish(followed.command)
        return given_up

    def next_wake(self) -> datetime | None:
        """When `advance` has something to do next; None while every command is answered."""
        waiting = (followed.resend_time for followed in self._followed.values() if followed.answer is None)
        return min(waiting, default=None)

    def _publish(self, command: ActuatorCommand) -> None:
        site, device = command.device.split("/")
        topic = Topic(channel=Channel.COMMAND, site=site, device=device).name(self._prefix)
        message = CommandMessage(
            id=command.command_id, action=command.action, parameters=command.parameters, time=command.issued_time
        )
        self._publisher.publish(topic, _encode(message), replaces=command.command_id)


def _unanswered(command: ActuatorCommand, now: datetime) -> ActuatorAnswer:
    """What is shown in place of the answer that did not come."""
    return ActuatorAnswer(
        command_id=command.command_id,
        device=command.device,
        state=AnswerState.FAILED,
        detail=UNANSWERED,
        source_time=now,
        receive_time=now,
    )
