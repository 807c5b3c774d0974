"""Durations as people write them: `2.4s`, `5min`, `1h30min`."""

from __future__ import annotations

import re
from datetime import timedelta

_UNITS = {"ms": 0.001, "s": 1.0, "min": 60.0, "h": 3600.0, "d": 86400.0}
_PART = re.compile(r"(\d+(?:\.\d+)?)(ms|s|min|h|d)")
WRITTEN = re.compile(r"^(?: *\d+(?:\.\d+)? *(?:ms|s|min|h|d))+ *$")
"""The form of a written duration."""


def parse_duration(text: str) -> timedelta:
    """Read a duration.

    Raises:
        ValueError: the text is not a duration; the message shows the form.
    """
    compact = text.replace(" ", "")
    if not WRITTEN.fullmatch(compact):
        raise ValueError(f'expected a duration such as "30s", "5min" or "1h30min", found "{text}"')
    try:
        return timedelta(seconds=sum(float(number) * _UNITS[unit] for number, unit in _PART.findall(compact)))
    except OverflowError:
        raise ValueError(f'"{text}" is too long for a duration') from None


def write_duration(duration: timedelta) -> str:
    """The duration as people write it, `0s` and longer; `parse_duration` reads it back."""
    seconds, micros = divmod(round(duration / timedelta(microseconds=1)), 1_000_000)
    minutes, seconds = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    days, hours = divmod(hours, 24)
    fraction = f".{micros:06}".rstrip("0").rstrip(".")
    parts = [f"{number}{unit}" for number, unit in ((days, "d"), (hours, "h"), (minutes, "min")) if number]
    if seconds or micros or not parts:
        parts.append(f"{seconds}{fraction}s")
    return "".join(parts)
