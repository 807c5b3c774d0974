"""Series: what a rule test lets a signal say, part by part.

A part is a value and how long it lasts, `0.05 MPa for 20s`; a list of parts is a series, each part beginning where the
one before it ended. `read_part` knows the notation, `Series` what it means for a signal: the readings, and where
silence or bad quality was meant.
"""

from __future__ import annotations

import enum
import math
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import timedelta

from firewatch.config.units import converter
from firewatch.model.duration import parse_duration, write_duration
from firewatch.model.observation import Quality, Value
from firewatch.model.site import Signal, SignalType

READINGS_LIMIT = 100_000
"""Readings in one test."""

TIME_LIMIT = timedelta(days=31)
"""How long a series may last."""

SILENCE = "silence"
BAD = "bad"

_NO_TIME = timedelta(0)
_COUNT = re.compile(r"x([0-9]{1,6})")
_NUMBER = re.compile(r"([-+]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:e[-+]?[0-9]{1,3})?)\s*(.*)", re.IGNORECASE)
_FORM = (
    "expected a part such as `0.05 MPa for 20s`, `true x3`, `0.3 to 0.05 over 10s`, `bad for 5s` or `silence for 1min`"
)


@dataclass(frozen=True)
class Part:
    """One part as it is written: `said`, until `to` if it is a ramp, for `lasts` or `count` readings.

    `late_by` is how far the readings' source time lies before they are heard; each is heard a second time if `twice`.
    """

    said: str
    to: str | None = None
    uncertain: bool = False
    late_by: timedelta = _NO_TIME
    twice: bool = False
    count: int = 1
    lasts: timedelta | None = None

    def __str__(self) -> str:
        words = ["uncertain"] if self.uncertain else []
        words.append(self.said)
        if self.to is not None:
            words += ["to", self.to]
        if self.late_by:
            words += ["late", write_duration(self.late_by)]
        if self.twice:
            words.append("twice")
        if self.lasts is not None:
            words += ["for" if self.to is None else "over", write_duration(self.lasts)]
        elif self.count != 1:
            words.append(f"x{self.count}")
        return " ".join(words)


def read_part(text: str) -> Part:
    """Read a part: `[uncertain] VALUE [to VALUE] [late DURATION] [twice] [for DURATION | over DURATION | xCOUNT]`.

    VALUE is a number with or without its unit, `true`, `false`, a state's name, `bad` or `silence`.

    Raises:
        ValueError: it cannot be read; the message shows the form.
    """
    if "," in text:
        raise ValueError(f'expected one part, found "{text}"; write several as a list: [{text}]')
    words = text.split()
    uncertain = words[:1] == ["uncertain"]
    said, words = _value_words(words[uncertain:])
    if not said:
        raise ValueError(f'{_FORM}, found "{text}"')
    part = Part(said, uncertain=uncertain)
    written: set[str] = set()
    while words:
        word, words = words[0], words[1:]
        key = "length" if word in ("for", "over") or _COUNT.fullmatch(word) else word
        if key in written:
            raise ValueError(f'"{text}" says more than once {"how long it lasts" if key == "length" else key}')
        written.add(key)
        if word == "twice":
            part = replace(part, twice=True)
        elif (count := _COUNT.fullmatch(word)) is not None:
            part = replace(part, count=int(count[1]))
        else:
            argument, words = _value_words(words)
            part = _with(part, word, argument, text)
    if part.count == 0 or part.lasts == _NO_TIME:
        raise ValueError(f'"{text}" lasts no time at all')
    if said in (SILENCE, BAD) and (uncertain or part.to is not None or (said == SILENCE and written - {"length"})):
        raise ValueError(f'{said} has only a length, such as `{said} for 30s`, found "{text}"')
    return part


def _value_words(words: list[str]) -> tuple[str, list[str]]:
    """The words up to the next word of the notation, and those after them."""
    end = next((place for place, word in enumerate(words) if _is_key(word)), len(words))
    return " ".join(words[:end]), words[end:]


def _is_key(word: str) -> bool:
    return word in ("to", "late", "twice", "for", "over") or _COUNT.fullmatch(word) is not None


def _with(part: Part, key: str, argument: str, text: str) -> Part:
    if not argument:
        raise ValueError(f'"{text}" ends after "{key}"')
    if key == "to":
        return replace(part, to=argument)
    duration = parse_duration(argument)
    return replace(part, late_by=duration) if key == "late" else replace(part, lasts=duration)


@dataclass(frozen=True)
class Reading:
    """One thing heard, `at` so long after the test's start."""

    at: timedelta
    value: Value | None
    quality: Quality
    late_by: timedelta


class Trouble(enum.StrEnum):
    """What a test lets be missing from a signal."""

    BAD = BAD
    SILENCE = SILENCE


@dataclass(frozen=True)
class Series:
    """What one signal says in a test. The last stretch goes on to the test's end."""

    readings: tuple[Reading, ...]
    stretches: tuple[tuple[timedelta, Trouble | None], ...]
    """When each part began, and what it lets be missing."""

    def trouble(self, at: timedelta) -> Trouble | None:
        """What is missing from the signal at that time; None if the test says nothing of the sort."""
        return next((trouble for begin, trouble in reversed(self.stretches) if begin <= at), None)


class SeriesReader:
    """Turns parts into the series of a signal.

    A reading comes as a part begins and then every `every` as long as it lasts. A number's unit holds for the numbers
    after it; without one a number is in the signal's own unit.
    """

    def __init__(self, signal: Signal, every: timedelta) -> None:
        self._signal = signal
        self._every = every
        self._unit = ""
        self._now = _NO_TIME
        self._readings: list[Reading] = []
        self._stretches: list[tuple[timedelta, Trouble | None]] = []

    def take(self, part: Part) -> None:
        """Go on with a part.

        Raises:
            ValueError: it does not fit the signal; the message says why.
        """
        if part.to is not None and self._signal.type is not SignalType.NUMBER:
            raise ValueError(f'only a number goes from one value to another; "{self._signal.name}" is none')
        lasts = self._every * part.count if part.lasts is None else part.lasts
        if self._now + lasts > TIME_LIMIT:
            raise ValueError(f"a series lasts at most {write_duration(TIME_LIMIT)}")
        trouble = Trouble(part.said) if part.said in (SILENCE, BAD) else None
        self._stretches.append((self._now, trouble))
        if trouble is not Trouble.SILENCE:
            number = math.ceil(lasts / self._every) * (2 if part.twice else 1)
            if len(self._readings) + number > READINGS_LIMIT:
                raise ValueError(f"more than {READINGS_LIMIT} readings")
            self._readings += self._said(part, lasts)
        self._now += lasts

    def series(self) -> Series:
        """What was taken."""
        return Series(tuple(self._readings), tuple(self._stretches))

    def _said(self, part: Part, lasts: timedelta) -> Iterator[Reading]:
        value, quality = None, Quality.BAD
        if part.said != BAD:
            value, quality = self._value(part.said), Quality.UNCERTAIN if part.uncertain else Quality.GOOD
        slope = self._number(part.to) - value if part.to is not None and isinstance(value, float) else 0.0
        offset = _NO_TIME
        while offset < lasts:
            said = _rounded(value + slope * (offset / lasts)) if slope and isinstance(value, float) else value
            yield from [Reading(self._now + offset, said, quality, part.late_by)] * (2 if part.twice else 1)
            offset += self._every

    def _value(self, text: str) -> Value:
        signal = self._signal
        if signal.type is SignalType.BOOLEAN:
            if text not in ("true", "false"):
                raise ValueError(f'"{signal.name}" is true or false, found "{text}"')
            return text == "true"
        if signal.type is SignalType.STATE:
            if text not in signal.states:
                raise ValueError(f'"{signal.name}" is one of {", ".join(signal.states)}, found "{text}"')
            return text
        return self._number(text)

    def _number(self, text: str) -> float:
        match = _NUMBER.fullmatch(text)
        if match is None or not math.isfinite(number := float(match[1])):
            raise ValueError(f'"{self._signal.name}" is a number, found "{text}"')
        if _COUNT.fullmatch(match[2]):
            raise ValueError(f'expected a space before the count, "{match[1]} {match[2]}", found "{text}"')
        if match[2]:
            self._unit = match[2]
        if not self._unit:
            return number
        scale, offset = converter(self._unit, self._signal.unit)
        return _rounded(number * scale + offset)


def _rounded(number: float) -> float:
    """Without the last digits, which are the arithmetic's and not the writer's."""
    return float(f"{number:.12g}")
