"""What every simulated actuator has in common: it does a command once, answers it every time, and may be at fault.

A command that comes again with the same id is answered again and not done again. With a higher `attempt` it is done if
it never was: nothing is done twice, and what was only said is made true. A command that a newer one took the place of
is not done any more.
"""

from __future__ import annotations

import enum
from abc import ABC, abstractmethod
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta

import msgspec

from firewatch.model.command import AnswerState
from firewatch.model.contract import AnswerMessage, CommandMessage, Reading
from simulators.scenario import Step

ANSWER_MEMORY = 1_000
"""How many commands are remembered, so that one sent again is not done again."""

UNKNOWN_ACTION = "unknown action"
OUT_OF_ORDER = "out of order"


class Fault(enum.StrEnum):
    """What can be wrong with an actuator, as the verb that a scenario begins it with; `normal` ends it."""

    DEAF = "turn_deaf"
    ANSWERS_ONLY = "only_answer"
    LATE = "act_late"
    FAILS = "fail_commands"


ACTUATOR_VERBS = frozenset(fault.value for fault in Fault)


class AnswerBook:
    """What was answered to which command, newest last."""

    def __init__(self) -> None:
        self._answers: dict[str, AnswerMessage] = {}

    def earlier(self, command_id: str) -> AnswerMessage | None:
        """The last answer to a command; None if it was never heard of."""
        return self._answers.get(command_id)

    def write(self, command_id: str, state: AnswerState, detail: str, now: datetime) -> AnswerMessage:
        """Answer, and remember it."""
        answer = AnswerMessage(id=command_id, state=state, time=now, detail=detail)
        self._answers.pop(command_id, None)
        self._answers[command_id] = answer
        while len(self._answers) > ANSWER_MEMORY:
            del self._answers[next(iter(self._answers))]
        return answer


class CommandedDevice(ABC):
    """Takes commands. `words` are the actions that it knows, each with its own word for having done it."""

    words: Mapping[str, str]

    def __init__(self) -> None:
        self._book = AnswerBook()
        self._newest_id = ""
        self._undone: set[str] = set()
        """Commands that were answered and never done, for want of `only_answer` ending."""
        self._fault: Fault | None = None
        self._lateness = timedelta(0)
        self._waiting: tuple[datetime, CommandMessage] | None = None

    def play(self, step: Step) -> None:
        """Play a step of a scenario that begins or ends a fault."""
        if step.do in ACTUATOR_VERBS:
            self._fault, self._lateness = Fault(step.do), step.by or timedelta(0)
        elif step.do == "normal":
            self._fault = None

    def command(self, message: CommandMessage, now: datetime) -> list[AnswerMessage]:
        """Do it, as far as that is possible, and answer."""
        if self._fault is Fault.DEAF:
            return []
        earlier = self._book.earlier(message.id)
        if earlier is not None and (message.attempt == 1 or message.id not in self._undone):
            return [earlier]
        if message.action not in self.words:
            return [self._book.write(message.id, AnswerState.FAILED, UNKNOWN_ACTION, now)]
        if earlier is None:
            self._newest_id = message.id
        self._undone.clear()
        return self._take(message, now)

    def advance(self, now: datetime) -> list[AnswerMessage]:
        """Do what has fallen due."""
        answers: list[AnswerMessage] = []
        if self._waiting is not None and now >= self._waiting[0]:
            _, message = self._waiting
            self._waiting = None
            answers += self.act(message, now)
        return answers + self.go_on(now)

    def next_wake(self) -> datetime | None:
        """When something falls due."""
        times = [time for time in (self.next_change(), self._waiting and self._waiting[0]) if time is not None]
        return min(times, default=None)

    @abstractmethod
    def measure(self, now: datetime) -> Sequence[Reading]:
        """What it reports."""

    @abstractmethod
    def act(self, message: CommandMessage, now: datetime) -> list[AnswerMessage]:
        """Do a command that it knows."""

    @abstractmethod
    def go_on(self, now: datetime) -> list[AnswerMessage]:
        """Move on to `now` with what it is doing."""

    @abstractmethod
    def next_change(self) -> datetime | None:
        """When `go_on` has something to do next."""

    def _take(self, message: CommandMessage, now: datetime) -> list[AnswerMessage]:
        self._waiting = None
        match self._fault:
            case Fault.FAILS:
                return [self._book.write(message.id, AnswerState.FAILED, OUT_OF_ORDER, now)]
            case Fault.ANSWERS_ONLY:
                self._undone.add(message.id)
                return [
                    self._book.write(message.id, AnswerState.ACCEPTED, "", now),
                    self._book.write(message.id, AnswerState.DONE, self.words[message.action], now),
                ]
            case Fault.LATE:
                self._waiting = now + self._lateness, message
                return [self._book.write(message.id, AnswerState.ACCEPTED, "", now)]
            case _:
                return self.act(message, now)


class Lasting(msgspec.Struct, frozen=True):
    """How long an output stays at most before it goes back by itself, and the parameter that says so."""

    parameter: str
    default: timedelta
    longest: timedelta


class Position(msgspec.Struct, frozen=True):
    """What an action brings an output to, after how long."""

    value: bool | str
    after: timedelta = timedelta(0)
    lasting: Lasting | None = None


class Switch(CommandedDevice):
    """An output with a few positions, the one it has now reported as `signal`, `beside` what never changes."""

    def __init__(
        self,
        signal: str,
        rest: bool | str,
        positions: Mapping[str, tuple[str, Position]],
        beside: Collection[Reading] = (),
    ) -> None:
        super().__init__()
        self.words = {action: word for action, (word, _) in positions.items()}
        self._signal = signal
        self._rest = rest
        self._positions = {action: position for action, (_, position) in positions.items()}
        self._beside = tuple(beside)
        self._going: tuple[datetime, CommandMessage] | None = None
        self._back_time: datetime | None = None
        self.value = rest

    def measure(self, now: datetime) -> Sequence[Reading]:
        """Where its output is."""
        self._go_back(now)
        return [Reading(signal=self._signal, value=self.value), *self._beside]

    def act(self, message: CommandMessage, now: datetime) -> list[AnswerMessage]:
        """Begin to move."""
        accepted = self._book.write(message.id, AnswerState.ACCEPTED, "", now)
        self._going = now + self._positions[message.action].after, message
        return [accepted, *self.go_on(now)]

    def go_on(self, now: datetime) -> list[AnswerMessage]:
        """Arrive, and go back by itself after what an action lasts."""
        self._go_back(now)
        if self._going is None or now < self._going[0]:
            return []
        _, message = self._going
        self._going = None
        position = self._positions[message.action]
        self.value, self._back_time = position.value, None
        if position.lasting is not None:
            self._back_time = now + seconds(
                message, position.lasting.parameter, position.lasting.default, position.lasting.longest
            )
        return [self._book.write(message.id, AnswerState.DONE, self.words[message.action], now)]

    def _go_back(self, now: datetime) -> None:
        if self._back_time is not None and now >= self._back_time:
            self.value, self._back_time = self._rest, None

    def next_change(self) -> datetime | None:
        """When it arrives or goes back."""
        going = self._going[0] if self._going is not None else None
        return min((time for time in (going, self._back_time) if time is not None), default=None)


def seconds(message: CommandMessage, name: str, default: timedelta, longest: timedelta) -> timedelta:
    """A parameter that is a time; the default where it makes no sense."""
    value = message.parameters.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float) or value < 0:
        return default
    return min(timedelta(seconds=value), longest)


def count(message: CommandMessage, name: str, default: int, most: int) -> int:
    """A parameter that is a number of times."""
    value = message.parameters.get(name, default)
    return min(max(int(value), 1), most) if isinstance(value, int | float) and not isinstance(value, bool) else default


def text(message: CommandMessage, name: str) -> str:
    """A parameter that is a text."""
    value = message.parameters.get(name, "")
    return value if isinstance(value, str) else ""
