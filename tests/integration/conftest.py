from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.brokers import Broker, mosquitto_command, nats_command, running


@pytest.fixture
def nats(tmp_path: Path) -> Iterator[Broker]:
    """nats-server with MQTT and JetStream."""
    yield from running(nats_command, tmp_path / "nats")


@pytest.fixture
def mosquitto(tmp_path: Path) -> Iterator[Broker]:
    """Mosquitto with the configuration that firewatch ships."""
    yield from running(mosquitto_command, tmp_path / "mosquitto")


@pytest.fixture
def nats_url(nats: Broker) -> str:
    return nats.url


@pytest.fixture
def mosquitto_url(mosquitto: Broker) -> str:
    return mosquitto.url
