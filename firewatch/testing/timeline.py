"""Observations as rule tests write them: `0.02x5 0.30x20 _x30`."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import timedelta

from firewatch.model.duration import parse_duration
from firewatch.model.observation import Quality, Value
from firewatch.model.site import Signal, SignalType

TICK_LIMIT = 100_000
_NUMBER = re.compile(r"[-+]?[0-9]*\.?[0-9]+(?:e[-+]?[0-9]{1,2})?")
_TOKEN = re.compile(r"(?P<value>[^?@\s]+?)(?P<uncertain>\?)?(?:@-(?P<late>[0-9a-z.]+?))?(?:x(?P<count>[0-9]{1,6}))?")


@dataclass(frozen=True)
class Tick:
    """One observation of a timeline: `number` counts the test's intervals from its start."""

    number: int
    value: Value | None
    quality: Quality
    late_by: timedelta


def read_timeline(text: str, signal: Signal) -> list[Tick]:
    """Read a timeline.

    Each word stands for `count` intervals (one if left out); `value x count` means that many readings, not one more.
    `_` is nothing heard, `bad` a reading of bad quality, a trailing `?` an uncertain one, and `@-10s` after a value
    that its source time lies 10 s before it is heard.

    Raises:
        ValueError: a word cannot be read, or does not fit the signal; the message names it.
    """
    ticks: list[Tick] = []
    number = 0
    for word in text.split():
        match = _TOKEN.fullmatch(word)
        if match is None:
            raise ValueError(f'expected a value such as 0.3, 0.3x5, _x5 or bad, found "{word}"')
        count = int(match["count"] or 1)
        if number + count > TICK_LIMIT:
            raise ValueError(f"more than {TICK_LIMIT} readings")
        if match["value"] != "_":
            tick = _tick(match, signal)
            ticks += [Tick(number + offset, *tick) for offset in range(count)]
        number += count
    return ticks


def _tick(match: re.Match[str], signal: Signal) -> tuple[Value | None, Quality, timedelta]:
    late_by = parse_duration(match["late"]) if match["late"] else timedelta(0)
    if match["value"] == "bad":
        return None, Quality.BAD, late_by
    quality = Quality.UNCERTAIN if match["uncertain"] else Quality.GOOD
    return _value(match["value"], signal), quality, late_by


def _value(text: str, signal: Signal) -> Value:
    if signal.type is SignalType.BOOLEAN:
        if text not in ("true", "false"):
            raise ValueError(f'"{signal.name}" is true or false, found "{text}"')
        return text == "true"
    if signal.type is SignalType.STATE:
        if text not in signal.states:
            raise ValueError(f'"{signal.name}" is one of {", ".join(signal.states)}, found "{text}"')
        return text
    if not _NUMBER.fullmatch(text):
        raise ValueError(f'"{signal.name}" is a number, found "{text}"')
    return float(text)
