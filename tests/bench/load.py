"""The load: readings of 500 devices at a fixed rate, in a process of its own.

`python -m tests.bench.load` prints one JSON line when every reading is acknowledged: how many it published, how long
that took, and how far it fell behind its timetable. Packets are put together from parts made beforehand; each reading
has its own sequence number, so that the receiver's gaps can be counted.
"""

from __future__ import annotations

import contextlib
import json
import select
import time
from datetime import UTC, datetime

import click

from firewatch.model.topic import Channel, Topic
from tests.bench.compound import SITE, device_name
from tests.bench.wire import Connection, remaining_length

READING_BYTES = 156
CONNECTIONS = 4
WINDOW = 1_000
"""How many readings of a connection may be unacknowledged."""
TICK_SECONDS = 0.002
ACKNOWLEDGE_TIMEOUT_SECONDS = 60.0
PUBACK_BYTES = 4


class DevicePackets:
    """Everything of one device's PUBLISH packet that stays the same."""

    def __init__(self, number: int) -> None:
        topic = Topic(channel=Channel.TELEMETRY, site=SITE, device=device_name(number)).name().encode()
        body_length = 2 + len(topic) + 2 + READING_BYTES
        self.head = b"\x32" + remaining_length(body_length) + len(topic).to_bytes(2, "big") + topic


def reading(time_text: bytes, value: bytes, sequence: int) -> bytes:
    """One reading of `READING_BYTES` bytes; JSON's white space fills it up."""
    text = b'{"time":"%b","signal":"pressure","value":%b,"unit":"MPa","quality":"good","seq":%d' % (
        time_text,
        value,
        sequence,
    )
    return text.ljust(READING_BYTES - 1) + b"}"


def time_text(now: datetime) -> bytes:
    """The time as the contract writes it."""
    return now.isoformat(timespec="microseconds").replace("+00:00", "Z").encode()


class Publisher:
    """One connection that publishes as fast as its window allows."""

    def __init__(self, port: int, number: int) -> None:
        self._connection = Connection(port, f"bench-load-{number}")
        self.socket = self._connection.socket
        self.socket.setblocking(False)
        self._unsent = bytearray()
        self._acknowledged_bytes = 0
        self.published = 0

    @property
    def waiting(self) -> int:
        """Readings not yet acknowledged."""
        return self.published - self._acknowledged_bytes // PUBACK_BYTES

    def publish(self, device: DevicePackets, payload: bytes) -> None:
        """Take one reading for sending."""
        identifier = self._connection.next_identifier()
        self._unsent += device.head + identifier.to_bytes(2, "big") + payload
        self.published += 1

    def exchange(self) -> None:
        """Send what the socket takes and count the acknowledgements it has."""
        if self._unsent:
            with contextlib.suppress(BlockingIOError):
                del self._unsent[: self.socket.send(self._unsent)]
        try:
            received = self.socket.recv(1 << 16)
        except BlockingIOError:
            return
        if not received:
            raise ConnectionError("the broker closed the connection")
        self._acknowledged_bytes += len(received)

    def close(self) -> None:
        """Say goodbye."""
        self.socket.setblocking(True)
        self._connection.close()


def publish_load(port: int, rate: float, seconds: float, devices: int, first_sequence: int) -> dict[str, float]:
    """Publish `rate` readings a second for `seconds` and wait for every acknowledgement."""
    packets = [DevicePackets(number) for number in range(devices)]
    publishers = [Publisher(port, number) for number in range(CONNECTIONS)]
    total, sent, latest = round(rate * seconds), 0, 0.0
    start = time.monotonic()
    while sent < total:
        elapsed = time.monotonic() - start
        due = min(round(elapsed * rate), total)
        now = time_text(datetime.now(UTC))
        while sent < due:
            publisher = publishers[sent % CONNECTIONS]
            if publisher.waiting >= WINDOW:
                break
            value = b"0.3%03d" % (sent % 1000)
            publisher.publish(packets[sent % devices], reading(now, value, first_sequence + sent))
            sent += 1
        latest = max(latest, elapsed - sent / rate)
        for publisher in publishers:
            publisher.exchange()
        select.select([publisher.socket for publisher in publishers], [], [], TICK_SECONDS)
    took = time.monotonic() - start
    _wait_for_acknowledgements(publishers)
    for publisher in publishers:
        publisher.close()
    return {"published": sent, "seconds": took, "latest_seconds": latest}


def _wait_for_acknowledgements(publishers: list[Publisher]) -> None:
    deadline = time.monotonic() + ACKNOWLEDGE_TIMEOUT_SECONDS
    while any(publisher.waiting for publisher in publishers):
        if time.monotonic() > deadline:
            raise TimeoutError("the broker did not acknowledge every reading")
        for publisher in publishers:
            publisher.exchange()
        select.select([publisher.socket for publisher in publishers], [], [], TICK_SECONDS)


@click.command()
@click.option("--port", type=int, required=True)
@click.option("--rate", type=float, required=True, help="Readings a second.")
@click.option("--seconds", type=float, required=True)
@click.option("--devices", type=int, required=True)
@click.option("--first-sequence", type=int, default=1)
def main(port: int, rate: float, seconds: float, devices: int, first_sequence: int) -> None:
    """Publish readings and print what came of it as JSON."""
    click.echo(json.dumps(publish_load(port, rate, seconds, devices, first_sequence)))


if __name__ == "__main__":
    main()
