"""Durations as people write them: `2.4s`, `5min`, `1h30min`."""

from __future__ import annotations

import re
from datetime import timedelta

_UNITS = {"ms": 0.001, "s": 1.0, "min": 60.0, "h": 3600.0, "d": 86400.0}
_PART = re.compile(r"(\d+(?:\.\d+)?)(ms|s|min|h|d)")
_WHOLE = re.compile(rf"(?:{_PART.pattern})+")


def parse_duration(text: str) -> timedelta:
    """Read a duration.

    Raises:
        ValueError: the text is not a duration; the message shows the form.
    """
    compact = text.replace(" ", "")
    if not _WHOLE.fullmatch(compact):
        raise ValueError(f'expected a duration such as "30s", "5min" or "1h30min", found "{text}"')
    return timedelta(seconds=sum(float(number) * _UNITS[unit] for number, unit in _PART.findall(compact)))
