"""A calendar month at a seat's own time."""

from __future__ import annotations

import re
from datetime import UTC, datetime, tzinfo

import msgspec

from firewatch.errors import FirewatchError

_WRITTEN = re.compile(r"(20\d\d)-(0[1-9]|1[0-2])")


class MonthError(FirewatchError):
    """What was written is no month."""


class Month(msgspec.Struct, frozen=True):
    """From `start` to before `end`, in UTC; `name` is as people write it: 2026-10."""

    name: str
    start: datetime
    end: datetime


def read_month(text: str, zone: tzinfo) -> Month:
    """`2026-10`.

    Raises:
        MonthError: it is not a month of this century.
    """
    match = _WRITTEN.fullmatch(text)
    if match is None:
        raise MonthError(f'expected a month such as "2026-10", found "{text}"')
    return _month(int(match[1]), int(match[2]), zone)


def last_month(now: datetime, zone: tzinfo) -> Month:
    """The last one that is over."""
    today = now.astimezone(zone)
    return _month(*((today.year, today.month - 1) if today.month > 1 else (today.year - 1, 12)), zone)


def _month(year: int, month: int, zone: tzinfo) -> Month:
    following = (year, month + 1) if month < 12 else (year + 1, 1)
    start, end = (datetime(*first, 1, tzinfo=zone).astimezone(UTC) for first in ((year, month), following))
    return Month(f"{year}-{month:02}", start, end)
