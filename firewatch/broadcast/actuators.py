"""Commands to actuators, followed until they are answered, and until a second signal proves them.

A command goes out at once. Until the actuator answers, it is sent again every `RESEND_INTERVAL`, with the same id, so
that an actuator that did hear it does it once; after `ANSWER_TIMEOUT` without any answer it is given up. An actuator
that answers is not believed where its kind declares a proof: until the second signal shows what was asked, the command
is repeated, as another `attempt` of the same id, and after `ATTEMPTS` it is unproven. What is shown later still proves
it. What is said first is never delayed by what is repeated.

A newer command to the same device ends the repeating of those before it, and their proof: a door that was released must
not be held again by what was asked before.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Protocol

import msgspec

from firewatch.broadcast.proof import Expected
from firewatch.model.alarm import Stage, StageReached
from firewatch.model.command import (
    NOT_SHOWN,
    UNANSWERED,
    ActuatorAnswer,
    ActuatorCommand,
    AnswerState,
    CommandState,
)
from firewatch.model.contract import CommandMessage
from firewatch.model.observation import Observation
from firewatch.ports import CommandRecord
from firewatch.telemetry.events import (
    CommandAnswered,
    CommandProven,
    CommandRepeated,
    CommandSent,
    CommandUnanswered,
    CommandUnproven,
)
from firewatch.telemetry.telemetry import Telemetry

RESEND_INTERVAL = timedelta(seconds=1)
ANSWER_TIMEOUT = timedelta(seconds=10)
"""GB 50166-2019: an output module acts within 3 s of the command; three such spans pass before it is given up."""
ATTEMPTS = 3
"""How often an actuator that answers is asked in all; each attempt has the time that its kind's proof declares."""
FOLLOW_LIMIT = timedelta(minutes=10)
"""How long an accepted command is waited for to be done, and an unproven one for a late proof; longer than any message
that is played.
"""


class Carrier(Protocol):
    """How commands travel to devices. Nothing here blocks, and a message may be lost: it is sent again."""

    def send(self, device: str, message: CommandMessage) -> None:
        """Hand over a command. While an earlier message of the same id waits, this one takes its place."""
        ...

    def withdraw(self, device: str, command_id: str) -> None:
        """Do not send what still waits of this command."""
        ...


class CommandChange(msgspec.Struct, frozen=True):
    """A command is further than before. `stored` is what the history has to know of it beside the answers themselves.

    `state` is what rules are to know of the device: None for a command that a newer one took the place of, and where it
    `is_repeat`, another attempt that people see and that is no news for anybody else. While a
    proof is awaited, an actuator that says that it is done is only believed to have accepted: `done` is good news where
    nothing else can show it.
    """

    record: CommandRecord
    state: CommandState | None
    stored: tuple[ActuatorAnswer | StageReached, ...] = ()
    is_repeat: bool = False


@dataclass(slots=True)
class _Followed:
    command: ActuatorCommand
    expected: Expected | None
    first_sent_time: datetime
    sent_time: datetime
    attempt: int = 1
    answer: ActuatorAnswer | None = None
    shown: dict[str, datetime] = field(default_factory=dict)
    proven_time: datetime | None = None
    superseded: bool = False

    @property
    def is_final(self) -> bool:
        """Whether the actuator has nothing more to say."""
        return self.answer is not None and self.answer.state is not AnswerState.ACCEPTED

    @property
    def is_unproven(self) -> bool:
        return self.answer is not None and self.answer.detail == NOT_SHOWN and self.proven_time is None

    @property
    def awaits_proof(self) -> bool:
        """Whether it matters what the second signal says."""
        return self.expected is not None and self.proven_time is None and not self.superseded

    @property
    def record(self) -> CommandRecord:
        return CommandRecord.of(self.command, self.answer, self.proven_time, self.attempt)

    @property
    def repeat_time(self) -> datetime | None:
        """When it is sent again or given up next."""
        if self.answer is None:
            given_up_time = self.first_sent_time + ANSWER_TIMEOUT
            return given_up_time if self.superseded else min(self.sent_time + RESEND_INTERVAL, given_up_time)
        if self.awaits_proof and not self.is_unproven and self.expected is not None:
            return self.sent_time + self.expected.within
        return None


class Actuators:
    """Sends commands, matches answers and second signals to them, and returns what changed.

    Time is an argument: call `advance` at `next_wake` or later. `expected` says what proves a command.
    """

    def __init__(
        self, carrier: Carrier, expected: Callable[[ActuatorCommand], Expected | None], telemetry: Telemetry
    ) -> None:
        self._carrier = carrier
        self._expected = expected
        self._telemetry = telemetry
        self._followed: dict[str, _Followed] = {}
        self._watched: dict[str, set[str]] = {}

    def send(self, command: ActuatorCommand, now: datetime) -> list[CommandChange]:
        """Send the command and follow it; one already followed is not sent twice."""
        if command.command_id in self._followed:
            return []
        self._supersede(command.device)
        followed = _Followed(command, self._expected(command), first_sent_time=now, sent_time=now)
        self._followed[command.command_id] = followed
        for signal in followed.expected.signals if followed.expected is not None else ():
            self._watched.setdefault(signal, set()).add(command.command_id)
        self._carry(followed)
        self._telemetry.emit(CommandSent(command_id=command.command_id, device=command.device, action=command.action))
        return [_change(followed)]

    def is_busy(self, device: str) -> bool:
        """Whether a device still has to do, or to show, what it was really asked for: no drill may come between."""
        return any(
            followed.command.device == device and followed.command.drill is None and not followed.superseded
            for followed in self._followed.values()
        )

    def answered(self, answer: ActuatorAnswer) -> list[CommandChange] | None:
        """Take an actuator's answer; None if it is not this device's to give.

        An answer to a command nobody follows any more is left to the history.
        """
        followed = self._followed.get(answer.command_id)
        if followed is None:
            return []
        if followed.command.device != answer.device:
            return None
        self._telemetry.emit(
            CommandAnswered(
                command_id=answer.command_id, device=answer.device, state=answer.state, detail=answer.detail
            )
        )
        if followed.is_final and answer.state is not AnswerState.FAILED:  # an attempt that is answered like the first
            return []
        followed.answer = answer
        changes = self._judge(followed) or [_change(followed)]
        if answer.state is AnswerState.FAILED or (followed.is_final and not followed.awaits_proof):
            self._forget(followed)
        return changes

    def observed(self, observation: Observation) -> list[CommandChange]:
        """Take a reading: it may be the second signal that a command waits for."""
        watching = self._watched.get(observation.signal)
        if watching is None:
            return []
        changes: list[CommandChange] = []
        for command_id in tuple(watching):
            followed = self._followed[command_id]
            if observation.event_time < followed.command.issued_time:
                continue
            if followed.expected is not None and followed.expected.is_met_by(observation):
                followed.shown.setdefault(observation.signal, observation.event_time)
                changes += self._judge(followed)
            elif followed.shown.get(observation.signal, observation.event_time) <= observation.event_time:
                followed.shown.pop(observation.signal, None)
        return changes

    def advance(self, now: datetime) -> list[CommandChange]:
        """Send again what is due, and give up what has waited too long."""
        changes: list[CommandChange] = []
        for followed in tuple(self._followed.values()):
            repeat_time = followed.repeat_time
            if repeat_time is not None and now >= repeat_time:
                changes += self._repeat(followed, now)
            elif repeat_time is None and now >= followed.first_sent_time + FOLLOW_LIMIT:
                self._forget(followed)
        return changes

    def next_wake(self) -> datetime | None:
        """When `advance` has something to do next; None while every command is answered and proven."""
        times = (followed.repeat_time for followed in self._followed.values())
        return min((time for time in times if time is not None), default=None)

    def _supersede(self, device: str) -> None:
        for followed in tuple(self._followed.values()):
            if followed.command.device == device:
                followed.superseded = True
                if followed.is_final:
                    self._forget(followed)

    def _judge(self, followed: _Followed) -> list[CommandChange]:
        """Whether it is proven by now: the actuator has said yes, and every second signal shows it."""
        if followed.answer is None or not followed.awaits_proof or followed.expected is None:
            return []
        if followed.answer.state is AnswerState.FAILED and not followed.is_unproven:
            return []
        if not followed.shown.keys() >= set(followed.expected.signals):
            return []
        followed.proven_time = max(followed.shown.values())
        command = followed.command
        self._telemetry.emit(
            CommandProven(
                command_id=command.command_id,
                device=command.device,
                action=command.action,
                seconds=(followed.proven_time - command.issued_time).total_seconds(),
                attempts=followed.attempt,
            )
        )
        if followed.is_final:
            self._forget(followed)
        stage = StageReached(command.cause, Stage.PROVEN, followed.proven_time, by=command.command_id)
        return [_change(followed, stage)]

    def _repeat(self, followed: _Followed, now: datetime) -> list[CommandChange]:
        command = followed.command
        if followed.answer is None:
            if now >= followed.first_sent_time + ANSWER_TIMEOUT:
                return self._give_up_unanswered(followed, now)
            followed.sent_time = now
            self._carry(followed)
            return []
        if followed.attempt >= ATTEMPTS:
            return self._give_up_unproven(followed, now)
        followed.attempt += 1
        followed.sent_time = now
        self._carry(followed)
        self._telemetry.emit(
            CommandRepeated(
                command_id=command.command_id, device=command.device, action=command.action, attempt=followed.attempt
            )
        )
        return [CommandChange(followed.record, None, is_repeat=True)]

    def _give_up_unanswered(self, followed: _Followed, now: datetime) -> list[CommandChange]:
        command = followed.command
        self._carrier.withdraw(command.device, command.command_id)
        followed.answer = _stand_in(command, UNANSWERED, now)
        self._forget(followed)
        self._telemetry.emit(
            CommandUnanswered(
                command_id=command.command_id,
                device=command.device,
                action=command.action,
                waited_seconds=(now - followed.first_sent_time).total_seconds(),
            )
        )
        return [_change(followed, followed.answer)]

    def _give_up_unproven(self, followed: _Followed, now: datetime) -> list[CommandChange]:
        command = followed.command
        self._carrier.withdraw(command.device, command.command_id)
        followed.answer = _stand_in(command, NOT_SHOWN, now)
        self._telemetry.emit(
            CommandUnproven(
                command_id=command.command_id,
                device=command.device,
                action=command.action,
                waited_seconds=(now - followed.first_sent_time).total_seconds(),
                attempts=followed.attempt,
            )
        )
        return [_change(followed, followed.answer)]

    def _carry(self, followed: _Followed) -> None:
        command = followed.command
        message = CommandMessage(
            id=command.command_id,
            action=command.action,
            parameters=command.parameters,
            time=command.issued_time,
            attempt=followed.attempt,
            drill=command.drill is not None,
        )
        self._carrier.send(command.device, message)

    def _forget(self, followed: _Followed) -> None:
        command_id = followed.command.command_id
        self._followed.pop(command_id, None)
        for signal in followed.expected.signals if followed.expected is not None else ():
            watching = self._watched.get(signal, set())
            watching.discard(command_id)
            if not watching:
                self._watched.pop(signal, None)


def _change(followed: _Followed, *stored: ActuatorAnswer | StageReached) -> CommandChange:
    record = followed.record
    state = record.state
    if state is CommandState.DONE and followed.awaits_proof:
        state = CommandState.ACCEPTED
    return CommandChange(record, None if followed.superseded else state, stored)


def _stand_in(command: ActuatorCommand, detail: str, now: datetime) -> ActuatorAnswer:
    """What is shown in place of what did not come."""
    return ActuatorAnswer(
        command_id=command.command_id,
        device=command.device,
        state=AnswerState.FAILED,
        detail=detail,
        source_time=now,
        receive_time=now,
    )
