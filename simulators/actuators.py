"""Actuators: lift door controllers and loudspeakers, which do what they are told once and say what they did.

A command that comes again with the same id is answered again and not done again. A door lets go by itself after the
command's `max_seconds`, whatever becomes of the one who asked: people must get out.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import datetime, timedelta

import click

from firewatch.model.command import AnswerState
from firewatch.model.contract import AnswerMessage, CommandMessage, Reading
from simulators.process import Simulation, process_options, read_options, run_process
from simulators.site import SimulatedSite

ANSWER_MEMORY = 1_000
"""How many commands are remembered, so that one sent again is not done again."""

DEFAULT_HOLD = timedelta(seconds=60)
LONGEST_HOLD = timedelta(minutes=5)
DEFAULT_TONE = timedelta(seconds=8)
"""GB 50116-2013: a sounder's burst lasts 8 to 20 s."""
LONGEST_TONE = timedelta(seconds=20)
MOST_REPEATS = 10
CHINESE_CHARACTERS_PER_SECOND = 4.5
ENGLISH_CHARACTERS_PER_SECOND = 15.0

_log = logging.getLogger(__name__)


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


class DoorController:
    """Holds a lift's door open and lets it go."""

    def __init__(self) -> None:
        self._book = AnswerBook()
        self._release_time: datetime | None = None

    @property
    def held(self) -> bool:
        """Whether the door is held."""
        return self._release_time is not None

    def measure(self, now: datetime) -> Sequence[Reading]:
        """What it reports."""
        self.advance(now)
        return [Reading(signal="held", value=self.held)]

    def command(self, message: CommandMessage, now: datetime) -> list[AnswerMessage]:
        """Hold or release, and answer."""
        earlier = self._book.earlier(message.id)
        if earlier is not None:
            return [earlier]
        match message.action:
            case "hold_door":
                hold = _seconds(message, "max_seconds", DEFAULT_HOLD, LONGEST_HOLD)
                self._release_time = now + hold
                done = "held"
            case "release_door":
                self._release_time = None
                done = "released"
            case _:
                return [self._book.write(message.id, AnswerState.FAILED, "unknown action", now)]
        return [
            self._book.write(message.id, AnswerState.ACCEPTED, "", now),
            self._book.write(message.id, AnswerState.DONE, done, now),
        ]

    def advance(self, now: datetime) -> list[AnswerMessage]:
        """Let go of a door that was held long enough."""
        if self._release_time is not None and now >= self._release_time:
            self._release_time = None
        return []

    def next_wake(self) -> datetime | None:
        """When the door lets go by itself."""
        return self._release_time


class Loudspeaker:
    """Plays a tone and then a text, as often as asked; a new announcement takes the place of the one playing."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._book = AnswerBook()
        self._playing_id = ""
        self._end_time: datetime | None = None

    @property
    def playing(self) -> bool:
        """Whether something can be heard."""
        return self._end_time is not None

    def measure(self, now: datetime) -> Sequence[Reading]:
        """What it reports."""
        return [Reading(signal="playing", value=self._end_time is not None and now < self._end_time)]

    def command(self, message: CommandMessage, now: datetime) -> list[AnswerMessage]:
        """Play or stop, and answer."""
        earlier = self._book.earlier(message.id)
        if earlier is not None:
            return [earlier]
        match message.action:
            case "play":
                answers = self._end_playing(AnswerState.FAILED, "interrupted", now)
                self._playing_id = message.id
                self._end_time = now + announcement_time(message)
                _log.info("%s says: %s / %s", self._name, _text(message, "text_zh"), _text(message, "text_en"))
                return [*answers, self._book.write(message.id, AnswerState.ACCEPTED, "playing", now)]
            case "stop":
                answers = self._end_playing(AnswerState.DONE, "stopped", now)
                return [*answers, self._book.write(message.id, AnswerState.DONE, "stopped", now)]
            case _:
                return [self._book.write(message.id, AnswerState.FAILED, "unknown action", now)]

    def advance(self, now: datetime) -> list[AnswerMessage]:
        """End an announcement that was played to its end."""
        if self._end_time is None or now < self._end_time:
            return []
        return self._end_playing(AnswerState.DONE, "played", now)

    def next_wake(self) -> datetime | None:
        """When the announcement ends."""
        return self._end_time

    def _end_playing(self, state: AnswerState, detail: str, now: datetime) -> list[AnswerMessage]:
        if self._end_time is None:
            return []
        self._end_time = None
        return [self._book.write(self._playing_id, state, detail, now)]


def announcement_time(message: CommandMessage) -> timedelta:
    """How long a `play` command sounds: tone and both texts, `repeat` times."""
    tone = _seconds(message, "tone_seconds", DEFAULT_TONE, LONGEST_TONE)
    voice = timedelta(
        seconds=len(_text(message, "text_zh")) / CHINESE_CHARACTERS_PER_SECOND
        + len(_text(message, "text_en")) / ENGLISH_CHARACTERS_PER_SECOND
    )
    repeat = message.parameters.get("repeat", 1)
    times = int(repeat) if isinstance(repeat, int | float) else 1
    return (tone + voice) * min(max(times, 1), MOST_REPEATS)


def _seconds(message: CommandMessage, name: str, default: timedelta, longest: timedelta) -> timedelta:
    value = message.parameters.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float) or value < 0:
        return default
    return min(timedelta(seconds=value), longest)


def _text(message: CommandMessage, name: str) -> str:
    value = message.parameters.get(name, "")
    return value if isinstance(value, str) else ""


class ActuatorSimulation(Simulation):
    """The actuators of a site."""

    def __init__(self, site: SimulatedSite) -> None:
        doors = {device: DoorController() for device in site.of_kind("door_controller")}
        loudspeakers = {device: Loudspeaker(device.id) for device in site.of_kind("loudspeaker")}
        super().__init__({**doors, **loudspeakers})


@click.command()
@process_options
def main(**options: str) -> None:
    """Simulate the lift doors and loudspeakers of a site."""
    prepared = read_options("actuators", **options)  # type: ignore[arg-type]
    run_process(prepared, ActuatorSimulation(prepared.site))


if __name__ == "__main__":
    main()
