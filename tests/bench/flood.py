"""Devices that no probe has tripped before trip at once: how soon the first alarm calls, and who gets an answer
meanwhile.

The first call and the way to the screen are measured by the alarms' own clocks; screen and asker are threads of their
own.
"""

from __future__ import annotations

import json
import threading
import time
import urllib.request
from datetime import UTC, datetime
from typing import Any

from websockets.sync.client import connect

from firewatch.model.topic import Channel, Topic
from tests.bench.compound import DEVICES, PROBE_RULE, SITE, device_name
from tests.bench.latency import LOW, NORMAL, PROBES, LatencyResult, percentile
from tests.bench.load import reading, time_text
from tests.bench.wire import PUBACK, Connection, publish_packet

FLOODED = DEVICES - PROBES
FLOOD_SEQUENCE = 3_000_000_000
ASK_INTERVAL_SECONDS = 0.05
LIMIT_SECONDS = 60.0


class _Screen(threading.Thread):
    """Notes of each alarm of the flood when it came."""

    def __init__(self, address: str) -> None:
        super().__init__(daemon=True)
        self._socket = connect(f"{address.replace('http', 'ws')}/api/v1/stream", max_size=None)
        self.since = datetime.now(UTC)
        self.seconds: dict[str, float] = {}
        self.first: dict[str, Any] = {}

    def run(self) -> None:
        for text in self._socket:
            now = datetime.now(UTC)
            message = json.loads(text)
            for alarm in message.get("alarms", []) if message["type"] == "alarms" else [message.get("alarm")]:
                if alarm and alarm["rule"] == PROBE_RULE and alarm["condition"] == "active":
                    self._note(alarm, now)

    def _note(self, alarm: dict[str, Any], now: datetime) -> None:
        told = datetime.fromisoformat(alarm["clock"]["annunciated_time"])
        if told > self.since and alarm["subject"] not in self.seconds:
            self.first = self.first or alarm
            self.seconds[alarm["subject"]] = (now - told).total_seconds()

    def close(self) -> None:
        self._socket.close()


class _Asker(threading.Thread):
    """Asks for the alarms that stand, again and again."""

    def __init__(self, address: str) -> None:
        super().__init__(daemon=True)
        self._address = address
        self.over = threading.Event()
        self.seconds: list[float] = []

    def run(self) -> None:
        while not self.over.wait(ASK_INTERVAL_SECONDS):
            begun = time.perf_counter()
            with urllib.request.urlopen(f"{self._address}/api/v1/alarms", timeout=20) as answer:
                answer.read()
            self.seconds.append(time.perf_counter() - begun)


def flood(port: int, address: str) -> list[LatencyResult]:
    """Let the devices trip at once, with the daemon running."""
    sensors = Connection(port, "bench-flood")
    _report(sensors, NORMAL, 0)
    time.sleep(2.0)
    screen, asker = _Screen(address), _Asker(address)
    screen.start()
    asker.start()
    _report(sensors, LOW, FLOODED)
    deadline = time.monotonic() + LIMIT_SECONDS
    while len(screen.seconds) < FLOODED and time.monotonic() < deadline:
        time.sleep(0.05)
    asker.over.set()
    asker.join()
    screen.close()
    sensors.close()
    clock = screen.first["clock"] if screen.first else None
    first = [] if clock is None else [_seconds_between(clock["source_time"], clock["annunciated_time"])]
    lost = FLOODED - len(screen.seconds)
    return [
        _result(f"{FLOODED} at once: the first call", first, 1 - len(first)),
        _result(f"{FLOODED} at once: told to screen", list(screen.seconds.values()), lost),
        _result(f"{FLOODED} at once: GET alarms", asker.seconds, 0),
    ]


def _report(sensors: Connection, value: bytes, sequence: int) -> None:
    packets = [
        publish_packet(
            Topic(channel=Channel.TELEMETRY, site=SITE, device=device_name(number)).name(),
            reading(time_text(datetime.now(UTC)), value, FLOOD_SEQUENCE + sequence + number),
            sensors.next_identifier(),
        )
        for number in range(FLOODED)
    ]
    sensors.socket.sendall(b"".join(packets))
    taken = 0
    while taken < FLOODED:
        taken += sum(kind == PUBACK for kind, _ in sensors.take())


def _seconds_between(start: str, end: str) -> float:
    return (datetime.fromisoformat(end) - datetime.fromisoformat(start)).total_seconds()


def _result(what: str, seconds: list[float], unanswered: int) -> LatencyResult:
    milliseconds = [each * 1000 for each in seconds]
    return LatencyResult(
        what=what,
        rate=float(FLOODED),
        probes=len(milliseconds) + unanswered,
        unanswered=unanswered,
        p50_ms=percentile(milliseconds, 0.50),
        p99_ms=percentile(milliseconds, 0.99),
        worst_ms=max(milliseconds, default=None),
    )
