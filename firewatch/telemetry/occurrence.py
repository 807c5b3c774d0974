"""What an occurrence is: a value that knows the sentence it writes into the log and the metrics it moves.

To add one, write a subclass in `events.py`; nothing has to be registered. Its fields become the log line's fields
and, where a metric names them, labels. A class without a sentence is only counted, so it may happen thousands of
times a second.
"""

from __future__ import annotations

import enum
from typing import ClassVar

import msgspec


class LogLevel(enum.StrEnum):
    """How much a log line asks of the reader."""

    DEBUG = "debug"
    INFO = "info"
    WARNING = "warning"
    """Something went wrong and firewatch recovered; nothing was lost."""
    ERROR = "error"
    """Something was lost, or a person has to act."""


class Count(msgspec.Struct, frozen=True):
    """A counter; `amount` names the field that says by how much it rises, otherwise by one."""

    name: str
    help: str
    labels: tuple[str, ...] = ()
    amount: str | None = None


class Level(msgspec.Struct, frozen=True):
    """A gauge; `value` is the field that holds the new level, or the level itself."""

    name: str
    help: str
    value: str | float
    labels: tuple[str, ...] = ()


class Spread(msgspec.Struct, frozen=True):
    """A histogram of the field named by `value`."""

    name: str
    help: str
    value: str
    buckets: tuple[float, ...]
    labels: tuple[str, ...] = ()


Metric = Count | Level | Spread


class Occurrence(msgspec.Struct, frozen=True):
    """Something worth knowing about firewatch itself."""

    sentence: ClassVar[str] = ""
    level: ClassVar[LogLevel] = LogLevel.INFO
    metrics: ClassVar[tuple[Metric, ...]] = ()
