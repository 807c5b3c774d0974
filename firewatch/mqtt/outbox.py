"""What waits for the broker, bounded, the alarms' latest word kept longest."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence

import msgspec


class OutgoingMessage(msgspec.Struct, frozen=True):
    """A message to be published at QoS 1. `replaces` is the key of what it takes the place of."""

    topic: str
    payload: bytes
    retain: bool
    replaces: str | None = None

    @property
    def key(self) -> str | None:
        """Of the messages with the same key only the newest is worth sending; None: this one is always."""
        return self.replaces or (self.topic if self.retain else None)


class Outbox:
    """Messages in the order they were put, at most `limit` beside those that were given back.

    A message with a key takes the place of the one with the same key. A retained message (the alarm feed) that names
    none replaces an older one of its topic, because only the last says what is true, and takes its turn anew. When
    the limit is reached the oldest message that is not retained goes, and the oldest retained one only where nothing
    else is left.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._waiting: OrderedDict[int, OutgoingMessage] = OrderedDict()
        self._numbers: dict[str, int] = {}
        self._passing = 0
        self._number = 0

    def __len__(self) -> int:
        return len(self._waiting)

    def put(self, message: OutgoingMessage) -> OutgoingMessage | None:
        """Take a message; returns the one that was given up for it, None if there was room."""
        number = None if message.key is None else self._numbers.get(message.key)
        if number is not None and message.replaces is not None:
            self._passing += self._waiting[number].retain - message.retain
            self._waiting[number] = message
            return None
        if number is not None:
            self._remove(number)
        self._add(message)
        if len(self) <= self._limit:
            return None
        return self._remove(self._least())

    def pop(self) -> OutgoingMessage | None:
        """Take the message that has waited longest; None if there is none."""
        oldest = next(iter(self._waiting), None)
        return None if oldest is None else self._remove(oldest)

    def withdraw(self, key: str) -> None:
        """Forget the message with this key, if one waits."""
        number = self._numbers.get(key)
        if number is not None:
            self._remove(number)

    def give_back(self, messages: Sequence[OutgoingMessage]) -> None:
        """Put what was popped, oldest first, back before all others, except where something newer has its key."""
        for message in reversed(messages):
            if message.key not in self._numbers:
                self._waiting.move_to_end(self._add(message), last=False)

    def _add(self, message: OutgoingMessage) -> int:
        self._number += 1
        self._waiting[self._number] = message
        self._passing += not message.retain
        if message.key is not None:
            self._numbers[message.key] = self._number
        return self._number

    def _remove(self, number: int) -> OutgoingMessage:
        message = self._waiting.pop(number)
        self._passing -= not message.retain
        if message.key is not None:
            del self._numbers[message.key]
        return message

    def _least(self) -> int:
        """The message to be given up first."""
        if not self._passing:
            return next(iter(self._waiting))
        return next(number for number, message in self._waiting.items() if not message.retain)
