"""Which time is meant, and what people know to have been real in it, as they write it: at the site's own time."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, tzinfo
from pathlib import Path
from zoneinfo import ZoneInfo

from firewatch.backtest.result import Reality
from firewatch.errors import FirewatchError
from firewatch.model.site import Inventory
from firewatch.storage.columns import Extent

USUAL_PERIOD = timedelta(days=30)
REALITIES_LIMIT = 10_000

_REALITY = re.compile(r"(?P<time>\d{4}-\d\d-\d\d[T ]\S+)\s+(?P<subject>[a-z0-9-]+/[a-z0-9-]+)")


class PeriodError(FirewatchError):
    """A time, or a list of what was real, cannot be understood."""


def zone_of(inventory: Inventory) -> tzinfo:
    """The time zone that times are written and read in: that of the first site."""
    return ZoneInfo(inventory.sites[0].time_zone) if inventory.sites else UTC


def read_time(text: str, zone: tzinfo) -> datetime:
    """`2026-05-03`, `2026-05-03 14:05` or any ISO 8601 time; without an offset it is the site's own.

    Raises:
        PeriodError: it is not a time.
    """
    try:
        time = datetime.fromisoformat(text)
    except ValueError:
        raise PeriodError(f'expected a time such as "2026-05-03" or "2026-05-03 14:05", found "{text}"') from None
    return (time if time.tzinfo is not None else time.replace(tzinfo=zone)).astimezone(UTC)


def period_in(extent: Extent, start: datetime | None, end: datetime | None, last: timedelta | None) -> Extent:
    """The time from `start` to `end`, or the `last` of what there is; 30 days unless told otherwise.

    Raises:
        PeriodError: it is empty.
    """
    until = end or extent.last + timedelta(microseconds=1)
    begin = start or until - (last or USUAL_PERIOD)
    if begin >= until:
        raise PeriodError(f"the time from {begin} to {until} is empty")
    return Extent(begin, until)


def read_realities(path: Path, zone: tzinfo) -> tuple[Reality, ...]:
    """A list of what is known to have been real: a line each, with its time and its subject.

    `2026-05-03 14:05 sample/garage-smoke-1`; what follows a `#` is a remark.

    Raises:
        PeriodError: a line cannot be understood; the message names it.
    """
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise PeriodError(f"{path} cannot be read: {error}") from None
    found = []
    for number, line in enumerate(lines[:REALITIES_LIMIT], start=1):
        written = line.partition("#")[0].strip()
        match = _REALITY.fullmatch(written)
        if match:
            found.append(Reality(read_time(match["time"], zone), match["subject"]))
        elif written:
            hint = 'expected a time and a subject such as "2026-05-03 14:05 sample/garage-smoke-1"'
            raise PeriodError(f'{path}:{number}: {hint}, found "{written}"')
    return tuple(found)
