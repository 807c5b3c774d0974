"""Just enough MQTT 3.1.1 to publish and receive faster than any client library, on a socket that never waits.

A benchmark must not measure its own client. Only what the benchmark needs is here: QoS 1, clean sessions, no
reconnecting.
"""

from __future__ import annotations

import socket
import struct
from collections.abc import Iterator

CONNACK, PUBLISH, PUBACK, SUBACK = 2, 3, 4, 9
RECEIVE_BYTES = 1 << 18


def remaining_length(length: int) -> bytes:
    """The length field of a packet's fixed header."""
    encoded = bytearray()
    while True:
        length, digit = divmod(length, 128)
        encoded.append(digit | (0x80 if length else 0))
        if not length:
            return bytes(encoded)


def _packet(first: int, body: bytes) -> bytes:
    return bytes([first]) + remaining_length(len(body)) + body


def _text(text: str) -> bytes:
    encoded = text.encode()
    return struct.pack(">H", len(encoded)) + encoded


def publish_packet(topic: str, payload: bytes, packet_identifier: int) -> bytes:
    """A PUBLISH at QoS 1."""
    return _packet(0x32, _text(topic) + struct.pack(">H", packet_identifier) + payload)


class Connection:
    """One MQTT connection with Nagle's algorithm off. Nothing is kept alive: a benchmark is never idle."""

    def __init__(self, port: int, identifier: str) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=10)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._received = bytearray()
        self._identifier = 0
        body = _text("MQTT") + bytes([4, 2, 0, 0]) + _text(identifier)
        self.socket.sendall(_packet(0x10, body))
        kind, answer = next(self.packets())
        if kind != CONNACK or answer[1] != 0:
            raise ConnectionError(f"the broker refused {identifier}: return code {answer[1]}")

    def next_identifier(self) -> int:
        """The next packet identifier, 1 to 65535 and round again."""
        self._identifier = self._identifier % 65_535 + 1
        return self._identifier

    def subscribe(self, topic_filter: str) -> None:
        """Subscribe at QoS 1 and wait for the broker's word; call before anything is published."""
        body = struct.pack(">H", self.next_identifier()) + _text(topic_filter) + b"\x01"
        self.socket.sendall(_packet(0x82, body))
        for kind, answer in self.packets():
            if kind == SUBACK:
                if answer[2] > 2:
                    raise ConnectionError(f"the broker refused the subscription to {topic_filter}")
                return

    def packets(self) -> Iterator[tuple[int, bytes]]:
        """Packets as they arrive, waiting for them; ends when the broker closes the connection."""
        while True:
            yield from self.complete_packets()
            received = self.socket.recv(RECEIVE_BYTES)
            if not received:
                return
            self._received += received

    def take(self) -> list[tuple[int, bytes]]:
        """What has arrived by now, after waiting for at least something.

        Raises:
            ConnectionError: the broker closed the connection.
        """
        received = self.socket.recv(RECEIVE_BYTES)
        if not received:
            raise ConnectionError("the broker closed the connection")
        self._received += received
        return list(self.complete_packets())

    def complete_packets(self) -> Iterator[tuple[int, bytes]]:
        """The packets that have arrived whole."""
        while (length := self._length()) is not None:
            start, body = length
            if len(self._received) < start + body:
                return
            kind, packet = self._received[0] >> 4, bytes(self._received[start : start + body])
            del self._received[: start + body]
            yield kind, packet

    def _length(self) -> tuple[int, int] | None:
        """Where the first packet's body starts and how long it is."""
        value = 0
        for position, digit in enumerate(self._received[1:5]):
            value |= (digit & 0x7F) << (7 * position)
            if digit < 0x80:
                return position + 2, value
        return None

    def close(self) -> None:
        """Say goodbye."""
        self.socket.sendall(b"\xe0\x00")
        self.socket.close()


def published(body: bytes) -> tuple[str, bytes, int]:
    """Topic, payload and packet identifier of a received PUBLISH at QoS 1."""
    length = struct.unpack_from(">H", body)[0]
    topic = body[2 : 2 + length].decode()
    identifier = struct.unpack_from(">H", body, 2 + length)[0]
    return topic, body[4 + length :], identifier


def puback(identifier: int) -> bytes:
    """The acknowledgement of a received PUBLISH."""
    return b"\x40\x02" + struct.pack(">H", identifier)
