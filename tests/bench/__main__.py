"""`python -m tests.bench`: how much firewatch takes and how soon it says so, beside what does nothing.

See docs/benchmarks.md. Nothing here passes or fails by a time: a figure is for comparing, on one machine.
"""

from __future__ import annotations

import asyncio
import shutil
import signal
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import click
import msgspec
import psycopg

from firewatch.app.embedded import EmbeddedDatabase
from firewatch.config.project import load_settings
from tests.bench.compound import DEVICES, write_compound
from tests.bench.flood import flood
from tests.bench.history import StoredReadings
from tests.bench.ingest import IngestBench, IngestResult
from tests.bench.latency import LatencyResult, alarm_latency, round_trip
from tests.bench.load import READING_BYTES
from tests.bench.process import BenchError, firewatch, mosquitto
from tests.bench.report import Report, environment, table
from tests.bench.subscriber import do_nothing_subscriber

LATENCY_RATE = 1_000.0


@click.command()
@click.option(
    "--json",
    "json_path",
    type=click.Path(path_type=Path),
    help="Where the figures go; the state directory's bench/ unless given.",
)
@click.option("--seconds", default=30.0, show_default=True, help="How long the rate found must hold.")
@click.option("--trial-seconds", default=5.0, show_default=True, help="How long a trial on the way there lasts.")
@click.option("--latency-seconds", default=30.0, show_default=True, help="How long alarms are timed.")
@click.option(
    "--only", type=click.Choice(["nothing", "firewatch"]), help="Measure only the yardstick, or only firewatch."
)
def main(
    json_path: Path | None, seconds: float, trial_seconds: float, latency_seconds: float, only: str | None
) -> None:
    """Measure ingest and alarm latency, print a table and write a JSON file."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("stopped"))  # so that every process started here is ended
    started = datetime.now(UTC)
    directory = Path(tempfile.mkdtemp(prefix="firewatch-bench-"))
    try:
        ingest, latency, database = _measure(directory, seconds, trial_seconds, latency_seconds, only)
    except BenchError as error:
        raise click.ClickException(f"{error}\nLogs: {directory}") from error
    report = Report(
        measured_time=started,
        environment=environment(database),
        devices=DEVICES,
        reading_bytes=READING_BYTES,
        ingest=ingest,
        latency=latency,
    )
    path = json_path or load_settings().state_directory / "bench" / f"{started:%Y%m%dT%H%M%SZ}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(msgspec.json.format(msgspec.json.encode(report)) + b"\n")
    shutil.rmtree(directory)
    click.echo(table(report))
    click.echo(f"\n{path}")


def _measure(
    directory: Path, seconds: float, trial_seconds: float, latency_seconds: float, only: str | None
) -> tuple[list[IngestResult], list[LatencyResult], str]:
    ingest: list[IngestResult] = []
    latency: list[LatencyResult] = []
    database = "no database"
    if only != "firewatch":
        click.echo("Do-nothing subscriber")
        with mosquitto(directory / "nothing") as port:
            with do_nothing_subscriber(port) as receiver:
                ingest.append(IngestBench(port, receiver, click.echo).search(seconds, trial_seconds))
            latency.append(round_trip(port, LATENCY_RATE, latency_seconds))
    if only != "nothing":
        click.echo("firewatch: rules and history on")
        with mosquitto(directory / "broker") as port, _database(directory / "database") as dsn:
            database = _database_version(dsn)
            write_compound(directory / "firewatch")
            with firewatch(directory / "firewatch", port, dsn) as address:
                stored = StoredReadings(dsn)
                ingest.append(IngestBench(port, stored, click.echo).search(seconds, trial_seconds))
                stored.close()
                latency.append(alarm_latency(port, LATENCY_RATE, latency_seconds))
                latency += flood(port, address)
    return ingest, latency, database


@contextmanager
def _database(directory: Path) -> Iterator[str]:
    with asyncio.Runner() as runner:
        database = EmbeddedDatabase(directory)
        dsn = runner.run(database.start())
        try:
            yield dsn
        finally:
            runner.run(database.stop())


def _database_version(dsn: str) -> str:
    with psycopg.connect(dsn) as connection:
        return f"PostgreSQL {connection.info.server_version // 10000}.{connection.info.server_version % 10000}"


if __name__ == "__main__":
    main()
