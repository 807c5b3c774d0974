"""A publisher that remembers instead of sending."""

from __future__ import annotations

from typing import NamedTuple


class Published(NamedTuple):
    """One message as it was handed over."""

    topic: str
    payload: bytes
    retain: bool


class RecordingPublisher:
    """Implements `ports.Publisher`."""

    def __init__(self) -> None:
        self.messages: list[Published] = []
        self.keys: list[str | None] = []
        """What each message said it replaces."""
        self.withdrawn: list[str] = []

    def publish(self, topic: str, payload: bytes, *, retain: bool = False, replaces: str | None = None) -> None:
        """Remember the message."""
        self.messages.append(Published(topic, payload, retain))
        self.keys.append(replaces)

    def withdraw(self, key: str) -> None:
        """Remember the key; the messages stay as they were handed over."""
        self.withdrawn.append(key)

    def retained(self) -> dict[str, bytes]:
        """What a broker would hold now: the last retained payload of each topic, empty ones removed."""
        held = {message.topic: message.payload for message in self.messages if message.retain}
        return {topic: payload for topic, payload in held.items() if payload}
