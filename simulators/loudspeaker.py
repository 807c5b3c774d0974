"""A loudspeaker: tone and words by turns, once or a few times, or until it is stopped.

GB 50116-2013 4.8: a sounder's burst lasts 8 to 20 s, a spoken message 10 to 30 s, and one or two messages follow each
burst.
"""

from __future__ import annotations

import enum
import logging
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from itertools import repeat

from firewatch.model.command import AnswerState
from firewatch.model.contract import AnswerMessage, CommandMessage, Reading
from simulators.actuator import CommandedDevice, count, seconds, text

DEFAULT_TONE, SHORTEST_TONE, LONGEST_TONE = timedelta(seconds=10), timedelta(seconds=8), timedelta(seconds=20)
DEFAULT_MESSAGE, SHORTEST_MESSAGE, LONGEST_MESSAGE = timedelta(seconds=20), timedelta(seconds=10), timedelta(seconds=30)
RECORDED_MESSAGE = timedelta(seconds=15)
"""How long a recorded message takes."""
MOST_REPEATS = 10
CHINESE_CHARACTERS_PER_SECOND = 4.5
ENGLISH_CHARACTERS_PER_SECOND = 15.0

_log = logging.getLogger(__name__)


class Sound(enum.StrEnum):
    """What can be heard."""

    TONE = "tone"
    VOICE = "voice"
    SILENCE = "silence"


Programme = Iterator[tuple[Sound, timedelta]]
"""What is heard one after the other, and for how long."""


class Loudspeaker(CommandedDevice):
    """Announces; a new announcement takes the place of the one that goes on."""

    words = {"play": "played", "evacuate": "stopped", "stop": "stopped"}  # noqa: RUF012  (nobody changes it)

    def __init__(self, name: str) -> None:
        super().__init__()
        self._name = name
        self._playing_id = ""
        self._programme: Programme = iter(())
        self._part_end: datetime | None = None
        self.sound = Sound.SILENCE

    def measure(self, now: datetime) -> Sequence[Reading]:
        """Whether the zone is played to."""
        self._step(now)
        return [Reading(signal="playing", value=self._part_end is not None)]

    def act(self, message: CommandMessage, now: datetime) -> list[AnswerMessage]:
        """Announce, or stop."""
        if message.action == "stop":
            answers = self._end(AnswerState.DONE, "stopped", now)
            return [*answers, self._book.write(message.id, AnswerState.DONE, "stopped", now)]
        answers = self._end(AnswerState.FAILED, "interrupted", now)
        _log.info("%s says: %s / %s", self._name, text(message, "text_zh"), text(message, "text_en"))
        self._playing_id = message.id
        self._programme = announcement(message) if message.action == "play" else evacuation(message)
        self._part_end = now
        self._step(now)
        return [*answers, self._book.write(message.id, AnswerState.ACCEPTED, "playing", now)]

    def go_on(self, now: datetime) -> list[AnswerMessage]:
        """Go from tone to words and on, to the end."""
        self._step(now)
        return self._end(AnswerState.DONE, "played", now) if self._part_end is None else []

    def next_change(self) -> datetime | None:
        """When what is heard changes."""
        return self._part_end

    def _step(self, now: datetime) -> None:
        while self._part_end is not None and now >= self._part_end:
            self.sound, length = next(self._programme, (Sound.SILENCE, None))
            self._part_end = self._part_end + length if length is not None else None

    def _end(self, state: AnswerState, detail: str, now: datetime) -> list[AnswerMessage]:
        self._part_end, self.sound = None, Sound.SILENCE
        ended, self._playing_id = self._playing_id, ""
        return [self._book.write(ended, state, detail, now)] if ended else []


def announcement(message: CommandMessage) -> Programme:
    """What `play` is: the words, after a tone if one was asked for, as often as asked. Without words it is a tone."""
    words = _length(message)
    tone = seconds(message, "tone_seconds", timedelta(0) if words else SHORTEST_TONE, LONGEST_TONE)
    for _ in range(count(message, "repeat", 1, MOST_REPEATS)):
        yield Sound.TONE, tone
        yield Sound.VOICE, words


def evacuation(message: CommandMessage) -> Programme:
    """What `evacuate` is: a burst and one or two messages, again and again."""
    burst = max(seconds(message, "tone_seconds", DEFAULT_TONE, LONGEST_TONE), SHORTEST_TONE)
    longest = seconds(message, "message_seconds", DEFAULT_MESSAGE, LONGEST_MESSAGE)
    words = max(min(_length(message) or RECORDED_MESSAGE, longest), SHORTEST_MESSAGE)
    for messages in repeat(count(message, "messages_after_tone", 2, 2)):
        yield Sound.TONE, burst
        for _ in range(messages):
            yield Sound.VOICE, words


def announcement_time(message: CommandMessage) -> timedelta:
    """How long a `play` command sounds."""
    return sum((length for _, length in announcement(message)), timedelta(0))


def _length(message: CommandMessage) -> timedelta:
    chinese, english = text(message, "text_zh"), text(message, "text_en")
    if not chinese and not english:
        return RECORDED_MESSAGE if text(message, "message") else timedelta(0)
    return timedelta(
        seconds=len(chinese) / CHINESE_CHARACTERS_PER_SECOND + len(english) / ENGLISH_CHARACTERS_PER_SECOND
    )
