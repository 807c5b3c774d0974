"""What was heard from a signal, and when."""

from __future__ import annotations

import enum
from datetime import datetime

import msgspec

Value = float | bool | str
"""A reading: a number in the signal's own unit, a state that is true or false, or a named state."""


class Quality(enum.StrEnum):
    """How far a reading can be trusted (the words of OPC UA Part 8)."""

    GOOD = "good"
    UNCERTAIN = "uncertain"
    BAD = "bad"


class Observation(msgspec.Struct, frozen=True, gc=False):
    """One reading of one signal. All times are aware and in UTC.

    `signal` is the identity `site/device/name`. `value` is None exactly when `quality` is bad and the
    device gave no number. `source_time` is what the device's clock said; `receive_time` is when firewatch
    heard it; `event_time` is what rules judge by: `source_time`, or `receive_time` where the device's clock
    cannot be believed or is ahead. It is never after `receive_time`.
    """

    signal: str
    value: Value | None
    quality: Quality
    source_time: datetime
    receive_time: datetime
    event_time: datetime
    sequence: int | None = None
    picture: str | None = None


def signal_id(site: str, device: str, name: str) -> str:
    """The identity of a signal, as observations and history carry it."""
    return f"{site}/{device}/{name}"
