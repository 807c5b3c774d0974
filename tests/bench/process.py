"""The processes of a benchmark: broker, load, do-nothing subscriber, daemon. Each is ended when its block ends."""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

from firewatch.app.port import free_port
from tests.bench.compound import DEVICES, REPOSITORY

START_TIMEOUT_SECONDS = 60.0
STOP_TIMEOUT_SECONDS = 20.0
_LISTENER = re.compile(r"^listener .*$", re.MULTILINE)


class BenchError(Exception):
    """The benchmark cannot go on; the message says which part failed."""


def wait_until(condition: Callable[[], bool], timeout_seconds: float, what: str) -> None:
    """Wait for a condition.

    Raises:
        BenchError: it did not come true in time.
    """
    deadline = time.monotonic() + timeout_seconds
    while not condition():
        if time.monotonic() > deadline:
            raise BenchError(f"{what}: nothing after {timeout_seconds:.0f} s")
        time.sleep(0.05)


@contextlib.contextmanager
def running(command: list[str], log: Path, **options: object) -> Iterator[subprocess.Popen[bytes]]:
    """Run a process whose output goes to a log."""
    with log.open("ab") as output:
        process = subprocess.Popen(command, stdout=output, stderr=output, **options)  # type: ignore[call-overload]
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(STOP_TIMEOUT_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


@contextlib.contextmanager
def mosquitto(directory: Path) -> Iterator[int]:
    """Mosquitto with the shipped configuration on a free loopback port; yields the port.

    Raises:
        BenchError: there is none on this machine, or it does not start.
    """
    binary = shutil.which("mosquitto", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin")
    if binary is None:
        raise BenchError("the benchmark needs Mosquitto: apt-get install mosquitto")
    directory.mkdir(parents=True)
    port = free_port()
    shipped = (REPOSITORY / "config/broker/mosquitto-loopback.conf").read_text(encoding="utf-8")
    config = directory / "mosquitto.conf"
    config.write_text(_LISTENER.sub(f"listener {port} 127.0.0.1", shipped), encoding="utf-8")
    with running([binary, "-c", str(config)], directory / "mosquitto.log", cwd=directory):
        wait_until(lambda: _connects(port), START_TIMEOUT_SECONDS, "mosquitto")
        yield port


def _connects(port: int) -> bool:
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
        return True
    return False


def load_command(port: int, rate: float, seconds: float, first_sequence: int, devices: int = DEVICES) -> list[str]:
    """The command line of the load generator."""
    return [
        *(sys.executable, "-m", "tests.bench.load", "--port", str(port), "--rate", str(rate)),
        *("--seconds", str(seconds), "--devices", str(devices), "--first-sequence", str(first_sequence)),
    ]


def run_load(port: int, rate: float, seconds: float, first_sequence: int) -> dict[str, float]:
    """Publish a load and return what its generator says of it.

    Raises:
        BenchError: it failed.
    """
    command = load_command(port, rate, seconds, first_sequence)
    ended = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, timeout=seconds * 3 + 120)
    if ended.returncode != 0:
        raise BenchError(f"the load generator failed: {ended.stderr.strip().splitlines()[-1]}")
    return dict(json.loads(ended.stdout))


@contextlib.contextmanager
def firewatch(directory: Path, broker_port: int, dsn: str) -> Iterator[str]:
    """The daemon over a directory written by `write_compound`; yields its address.

    Raises:
        BenchError: it does not become ready.
    """
    port = free_port()
    environment = {name: value for name, value in os.environ.items() if not name.startswith("FIREWATCH_")} | {
        "FIREWATCH_MQTT__URL": f"mqtt://127.0.0.1:{broker_port}",
        "FIREWATCH_DATABASE__DSN": dsn,
        "FIREWATCH_SITES": "sites",
        "FIREWATCH_DEVICES": "devices",
        "FIREWATCH_RULES": "rules",
        "FIREWATCH_HTTP__PORT": str(port),
        "FIREWATCH_VISION__ENABLED": "false",
        "FIREWATCH_LOG__FORMAT": "json",
    }
    log = directory / "firewatch.log"
    address = f"http://127.0.0.1:{port}"
    with running([sys.executable, "-m", "firewatch", "run"], log, cwd=directory, env=environment) as process:

        def ready() -> bool:
            if process.poll() is not None:
                raise BenchError(f"the daemon ended at its start: {log.read_text(errors='replace')[-2000:]}")
            try:
                with urlopen(f"{address}/readyz", timeout=2) as answer:
                    return bool(answer.status == 200)
            except (URLError, TimeoutError, ConnectionError):
                return False

        wait_until(ready, START_TIMEOUT_SECONDS, "the daemon")
        yield address
