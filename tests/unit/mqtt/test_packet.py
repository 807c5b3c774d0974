from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from firewatch.mqtt.packet import CUT_BYTES, IncomingMessage, MalformedPacketError, PacketSplitter, pubacks


def length_of(number: int) -> bytes:
    written = bytearray()
    while True:
        number, digit = divmod(number, 128)
        written.append(digit | (0x80 if number else 0))
        if not number:
            return bytes(written)


def publish(message: IncomingMessage, *, is_v5: bool = False, properties: bytes = b"", dup: bool = False) -> bytes:
    topic = message.topic.encode()
    body = len(topic).to_bytes(2, "big") + topic
    if message.qos:
        body += message.mid.to_bytes(2, "big")
    if is_v5:
        body += length_of(len(properties)) + properties
    body += message.payload
    first = 0x30 | dup << 3 | message.qos << 1 | message.retain
    return bytes([first]) + length_of(len(body)) + body


def message(topic: str, payload: bytes, retain: bool, mid: int) -> IncomingMessage:
    return IncomingMessage(topic, payload, retain, mid, 1 if mid else 0, 7)


messages = st.builds(
    message,
    st.text(st.characters(exclude_categories=["Cs"]), max_size=30),
    st.binary(max_size=300),
    st.booleans(),
    st.integers(0, 65535),
)
others = st.tuples(st.sampled_from([0x20, 0x40, 0x90, 0xD0, 0x34]), st.binary(max_size=200)).map(
    lambda packet: bytes([packet[0]]) + length_of(len(packet[1])) + packet[1]
)


@pytest.mark.slow
@settings(max_examples=100, deadline=None)
@given(
    packets=st.lists(messages | others, max_size=12),
    is_v5=st.booleans(),
    properties=st.binary(max_size=200),
    cuts=st.lists(st.integers(1, 400), min_size=1, max_size=30),
)
def test_messages_and_other_packets_come_out_whole_however_the_stream_is_cut(
    packets: list[IncomingMessage | bytes], is_v5: bool, properties: bytes, cuts: list[int]
) -> None:
    stream = b"".join(
        packet if isinstance(packet, bytes) else publish(packet, is_v5=is_v5, properties=properties)
        for packet in packets
    )
    splitter = PacketSplitter(7, is_v5=is_v5)
    position = 0
    while position < len(stream):
        cut = cuts[position % len(cuts)]
        splitter.feed(stream[position : position + cut])
        position += cut

    assert splitter.messages == [packet for packet in packets if isinstance(packet, IncomingMessage)]
    assert bytes(splitter.other) == b"".join(packet for packet in packets if isinstance(packet, bytes))


@pytest.mark.slow
@settings(max_examples=200, deadline=None)
@given(chunks=st.lists(st.binary(max_size=100), max_size=5), is_v5=st.booleans())
def test_arbitrary_bytes_are_split_or_called_malformed(chunks: list[bytes], is_v5: bool) -> None:
    splitter = PacketSplitter(1, is_v5=is_v5)
    try:
        for chunk in chunks:
            splitter.feed(chunk)
    except MalformedPacketError:
        pass
    assert sum(len(m.payload) for m in splitter.messages) + len(splitter.other) <= sum(map(len, chunks))


def test_a_message_far_beyond_the_limit_is_cut_and_the_stream_goes_on() -> None:
    huge = message("t", b"x" * 5_000_000, False, 9)
    small = message("t", b"next", False, 10)
    stream = publish(huge) + publish(small)
    splitter = PacketSplitter(7, is_v5=False)
    for position in range(0, len(stream), 65_536):
        splitter.feed(stream[position : position + 65_536])

    first, second = splitter.messages
    assert (first.topic, first.mid) == ("t", 9)
    assert CUT_BYTES - 100 <= len(first.payload) <= CUT_BYTES + 65_536
    assert second == small


@pytest.mark.parametrize(
    "stream",
    [
        b"\x30\xff\xff\xff\xff\x01",  # a length that does not end
        b"\x30\x01\x00",  # no room for the topic's length
        b"\x30\x04\x00\x09ab",  # a topic longer than the packet
        b"\x32\x05\x00\x03abc",  # no room for the packet identifier
    ],
)
def test_a_malformed_packet_is_refused(stream: bytes) -> None:
    with pytest.raises(MalformedPacketError):
        PacketSplitter(1, is_v5=False).feed(stream)


def test_a_topic_that_is_not_utf_8_is_shown_with_replacements() -> None:
    splitter = PacketSplitter(1, is_v5=False)
    splitter.feed(b"\x30\x05\x00\x02\xff\xfex")
    assert splitter.messages[0].topic == "\ufffd\ufffd"


def test_acknowledgements_are_written_as_the_standard_has_them() -> None:
    assert pubacks([1, 0x1234]) == b"\x40\x02\x00\x01\x40\x02\x12\x34"
    assert pubacks([]) == b""
