"""What waits for the broker, bounded, the alarms' latest word kept longest."""

from __future__ import annotations

from collections import OrderedDict

import msgspec


class OutgoingMessage(msgspec.Struct, frozen=True):
    """A message to be published at QoS 1."""

    topic: str
    payload: bytes
    retain: bool


class Outbox:
    """Messages in the order they were put, at most `limit`.

    A retained message (the alarm feed) replaces an older one of its topic, because only the last says what is true.
    When the limit is reached the oldest message that is not retained goes, and the oldest retained one only where
    nothing else is left.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._retained: OrderedDict[str, tuple[int, OutgoingMessage]] = OrderedDict()
        self._passing: OrderedDict[int, OutgoingMessage] = OrderedDict()
        self._number = 0

    def __len__(self) -> int:
        return len(self._retained) + len(self._passing)

    def put(self, message: OutgoingMessage) -> OutgoingMessage | None:
        """Take a message; returns the one that was given up for it, None if there was room."""
        self._number += 1
        if message.retain:
            self._retained.pop(message.topic, None)
            self._retained[message.topic] = (self._number, message)
        else:
            self._passing[self._number] = message
        if len(self) <= self._limit:
            return None
        if self._passing:
            return self._passing.popitem(last=False)[1]
        return self._retained.popitem(last=False)[1][1]

    def pop(self) -> OutgoingMessage | None:
        """Take the message that has waited longest; None if there is none."""
        passing = next(iter(self._passing), None)
        retained = next(iter(self._retained.values()), None)
        if passing is None and retained is None:
            return None
        if retained is None or (passing is not None and passing < retained[0]):
            return self._passing.popitem(last=False)[1]
        return self._retained.popitem(last=False)[1][1]
