"""The two MQTT packets that come and go by the thousand, read and written without an object for each field.

paho-mqtt spends about 20 microseconds on a message and its acknowledgement, several times what decoding it takes.
So PUBLISH is taken out of the stream here and PUBACK is written here; every other packet is paho's. Nothing here
does input or output.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable

import msgspec

CUT_BYTES = 131_072
"""A longer packet is cut here and the rest thrown away unread, so that no sender can fill the memory. It is still well
above the payload's limit, so that the decoder names the reason."""

_PUBACK = struct.Struct(">BBH")


class IncomingMessage(msgspec.Struct, gc=False):
    """A message as it came. `epoch` is the number of the connection it came over: the broker gives what was not
    acknowledged on one connection again on the next, so acknowledgements for an older one are dropped.
    """

    topic: str
    payload: bytes
    retain: bool
    mid: int
    qos: int
    epoch: int


class MalformedPacketError(ValueError):
    """What came is not MQTT."""


class PacketSplitter:
    """Splits what a broker sends into `messages` and, for paho, the bytes of all `other` packets."""

    def __init__(self, epoch: int, *, is_v5: bool) -> None:
        self.messages: list[IncomingMessage] = []
        self.other = bytearray()
        self._epoch = epoch
        self._is_v5 = is_v5
        self._rest = b""
        self._skip = 0

    def feed(self, data: bytes) -> None:
        """Take the next bytes of the stream.

        Raises:
            MalformedPacketError: they are not MQTT.
        """
        if self._skip:
            skipped = min(self._skip, len(data))
            self._skip -= skipped
            data = data[skipped:]
        buffer = self._rest + data if self._rest else data
        position, end = 0, len(buffer)
        while end - position >= 2:
            length = buffer[position + 1]
            body = position + 2
            if length > 127:
                length, body = _variable_length(buffer, position + 1)
                if body < 0:
                    break
            packet_end = body + length
            is_message = buffer[position] & 0xF4 == 0x30
            if packet_end > end:
                if not is_message or end - body < CUT_BYTES:
                    break
                self._skip = packet_end - end
                packet_end = end
            if is_message:
                self._take(buffer, buffer[position], body, packet_end)
            else:
                self.other += buffer[position:packet_end]
            position = packet_end
        self._rest = buffer[position:]

    def _take(self, buffer: bytes, first: int, start: int, end: int) -> None:
        topic_end = start + 2 + int.from_bytes(buffer[start : start + 2])
        qos = first >> 1 & 1
        payload_start = topic_end + 2 * qos
        if self._is_v5 and payload_start < end:
            length, payload_start = _variable_length(buffer, payload_start)
            payload_start += length
        if payload_start > end or payload_start < topic_end:
            raise MalformedPacketError("a PUBLISH packet is shorter than it says")
        self.messages.append(
            IncomingMessage(
                str(buffer[start + 2 : topic_end], "utf-8", "replace"),
                buffer[payload_start:end],
                bool(first & 1),
                int.from_bytes(buffer[topic_end : topic_end + 2]) if qos else 0,
                qos,
                self._epoch,
            )
        )


def pubacks(mids: Iterable[int]) -> bytes:
    """The acknowledgements of these packet identifiers (MQTT 3.1.1 and 5, 3.4)."""
    return b"".join([_PUBACK.pack(0x40, 2, mid) for mid in mids])


def _variable_length(buffer: bytes, position: int) -> tuple[int, int]:
    """A variable byte integer (MQTT 5, 1.5.5) and where it ends; the end is -1 if more bytes have to come.

    Raises:
        MalformedPacketError: it does not end after four bytes.
    """
    value = 0
    for number, byte in enumerate(buffer[position : position + 4]):
        value += (byte & 0x7F) << 7 * number
        if byte < 0x80:
            return value, position + number + 1
    if len(buffer) - position >= 4:
        raise MalformedPacketError("a packet's length does not end")
    return 0, -1
