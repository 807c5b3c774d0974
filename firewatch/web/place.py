"""A place in a list that comes in pages: the time and the id of the last item before it."""

from __future__ import annotations

from datetime import datetime

import msgspec

from firewatch.web.endpoint import ApiError
from firewatch.web.query import Instant, check_instant


def read_before(text: str | None) -> tuple[datetime, str] | None:
    """The place that a `before` names.

    Raises:
        ApiError: it names none.
    """
    if text is None:
        return None
    written, _, name = text.partition(",")
    try:
        time = msgspec.convert(written, Instant)
        check_instant(time)
    except (msgspec.ValidationError, ValueError):
        time = None
    if time is None or not name:
        raise ApiError(400, "`before` is not a place in the list.", "Send `next` of the page before.")
    return time, name


def write_before(time: datetime, name: str) -> str:
    """The `before` that names the place after that item; it may stand in an address as it is."""
    return f"{msgspec.to_builtins(time)},{name}"
