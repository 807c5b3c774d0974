"""How long it takes from publishing the reading that crosses the limit to receiving the alarm from the feed.

One process publishes and receives on one connection, so one clock measures both. The load runs meanwhile. Beside it
stands the bare round trip: the same reading, on the same broker under the same load, received by its sender.
"""

from __future__ import annotations

import contextlib
import itertools
import math
import select
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime

import msgspec

from firewatch.model.alarm import Alarm, ConditionState
from firewatch.model.topic import Channel, Topic, topic_filter
from tests.bench.compound import DEVICES, PROBE_RULE, REPOSITORY, SITE, device_name
from tests.bench.load import reading, time_text
from tests.bench.process import load_command
from tests.bench.wire import PUBLISH, Connection, puback, publish_packet, published

PROBES = 50
"""How many devices take turns in crossing the limit; the load comes from the others."""
PROBE_INTERVAL_SECONDS = 0.05
ANSWER_TIMEOUT_SECONDS = 5.0
WARM_UP_SECONDS = 2.0
LOAD_SEQUENCE, PROBE_SEQUENCE = 1_000_000_000, 2_000_000_000
"""Beyond every number used before, so that no reading looks like an old one."""
LOW, NORMAL = b"0.050000", b"0.300000"

Wanted = Callable[[str, bytes], bool]
"""Whether a message, topic and payload, is the one waited for."""

_decode_alarm = msgspec.json.Decoder(Alarm).decode


class LatencyResult(msgspec.Struct, frozen=True):
    """Milliseconds; `unanswered` probes waited in vain and are in no percentile."""

    what: str
    rate: float
    probes: int
    unanswered: int
    p50_ms: float | None
    p99_ms: float | None
    worst_ms: float | None


def percentile(values: list[float], share: float) -> float | None:
    """The nearest-rank percentile; None without values."""
    if not values:
        return None
    ordered = sorted(values)
    return ordered[max(math.ceil(share * len(ordered)), 1) - 1]


@contextlib.contextmanager
def background_load(port: int, rate: float, seconds: float) -> Iterator[None]:
    """The load, from the devices that do not probe."""
    command = load_command(port, rate, seconds, LOAD_SEQUENCE, devices=DEVICES - PROBES)
    process = subprocess.Popen(command, cwd=REPOSITORY, stdout=subprocess.DEVNULL)
    try:
        yield
    finally:
        process.terminate()
        process.wait()


class Probe:
    """Publishes single readings and waits for what they cause."""

    def __init__(self, port: int, topic_filters: Sequence[str]) -> None:
        self._connection = Connection(port, "bench-probe")
        for wanted in topic_filters:
            self._connection.subscribe(wanted)
        self._connection.socket.settimeout(ANSWER_TIMEOUT_SECONDS)
        self._sequence = PROBE_SEQUENCE

    def publish(self, device: str, value: bytes) -> None:
        """Publish one reading of a device."""
        self._sequence += 1
        topic = _telemetry_topic(device)
        payload = reading(time_text(datetime.now(UTC)), value, self._sequence)
        self._connection.socket.sendall(publish_packet(topic, payload, self._connection.next_identifier()))

    def wait(self, wanted: Wanted) -> float | None:
        """When the wanted message came; None if it did not."""
        deadline = time.perf_counter() + ANSWER_TIMEOUT_SECONDS
        while time.perf_counter() < deadline:
            if self._look(wanted, deadline - time.perf_counter()):
                return time.perf_counter()
        return None

    def rest(self, seconds: float) -> None:
        """Take whatever comes for a while."""
        deadline = time.perf_counter() + seconds
        while (left := deadline - time.perf_counter()) > 0:
            self._look(lambda *_: False, left)

    def _look(self, wanted: Wanted, seconds: float) -> bool:
        ready, _, _ = select.select([self._connection.socket], [], [], max(seconds, 0.0))
        if not ready:
            return False
        found = False
        acknowledgements = b""
        for kind, body in self._connection.take():
            if kind == PUBLISH:
                topic, payload, identifier = published(body)
                acknowledgements += puback(identifier)
                found = found or wanted(topic, payload)
        if acknowledgements:
            self._connection.socket.sendall(acknowledgements)
        return found

    def close(self) -> None:
        """Say goodbye."""
        self._connection.close()


def alarm_latency(port: int, rate: float, seconds: float) -> LatencyResult:
    """Publish to alarm, with the daemon running."""

    def alarm_of(device: str) -> Wanted:
        def wanted(_topic: str, payload: bytes) -> bool:
            if not payload:
                return False
            alarm = _decode_alarm(payload)
            return (alarm.rule, alarm.subject, alarm.condition) == (
                PROBE_RULE,
                f"{SITE}/{device}",
                ConditionState.ACTIVE,
            )

        return wanted

    probe = Probe(port, [topic_filter(Channel.ALARM)])
    return _measure("publish to alarm", probe, alarm_of, port, rate, seconds)


def round_trip(port: int, rate: float, seconds: float) -> LatencyResult:
    """Publish to receipt by the sender, without the daemon."""

    def reading_of(device: str) -> Wanted:
        name = _telemetry_topic(device)
        return lambda topic, payload: topic == name and LOW in payload

    probe = Probe(port, [_telemetry_topic(device) for device in _probing_devices()])
    return _measure("publish to receipt", probe, reading_of, port, rate, seconds)


def _measure(
    what: str, probe: Probe, wanted_of: Callable[[str], Wanted], port: int, rate: float, seconds: float
) -> LatencyResult:
    milliseconds: list[float] = []
    unanswered = 0
    devices = itertools.cycle(_probing_devices())
    with background_load(port, rate, WARM_UP_SECONDS + seconds * 2):
        probe.rest(WARM_UP_SECONDS)
        deadline = time.perf_counter() + seconds
        while time.perf_counter() < deadline:
            device = next(devices)
            start = time.perf_counter()
            probe.publish(device, LOW)
            came = probe.wait(wanted_of(device))
            if came is None:
                unanswered += 1
            else:
                milliseconds.append((came - start) * 1000)
            probe.publish(device, NORMAL)
            probe.rest(PROBE_INTERVAL_SECONDS)
    probe.close()
    return LatencyResult(
        what=what,
        rate=rate,
        probes=len(milliseconds) + unanswered,
        unanswered=unanswered,
        p50_ms=percentile(milliseconds, 0.50),
        p99_ms=percentile(milliseconds, 0.99),
        worst_ms=max(milliseconds, default=None),
    )


def _probing_devices() -> list[str]:
    return [device_name(number) for number in range(DEVICES - PROBES, DEVICES)]


def _telemetry_topic(device: str) -> str:
    return Topic(channel=Channel.TELEMETRY, site=SITE, device=device).name()
