from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.integration.simulators.world import REPOSITORY, SAMPLE_SITE, NatsBroker


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[NatsBroker]:
    broker = NatsBroker(tmp_path)
    broker.start()
    yield broker
    broker.stop()


@pytest.fixture
def simulator(broker: NatsBroker) -> Iterator[Callable[..., subprocess.Popen[bytes]]]:
    """Starts simulator processes on the broker; what still runs at the end is killed."""
    started: list[subprocess.Popen[bytes]] = []

    def start(name: str, *options: str) -> subprocess.Popen[bytes]:
        shared = ["--broker", broker.url, "--site", str(SAMPLE_SITE), "--interval", "100ms"]
        process = subprocess.Popen([sys.executable, "-m", f"simulators.{name}", *shared, *options], cwd=REPOSITORY)
        started.append(process)
        return process

    yield start
    for process in started:
        process.kill()
        process.wait()
