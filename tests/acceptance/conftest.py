from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from firewatch.app.embedded import EmbeddedBroker, EmbeddedDatabase
from tests.brokers import mosquitto_command, running


@pytest.fixture
async def dsn(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[str]:
    database = EmbeddedDatabase(tmp_path_factory.mktemp("database"))
    yield await database.start()
    await database.stop()


@pytest.fixture
async def nats_url(tmp_path: Path) -> AsyncIterator[str]:
    broker = EmbeddedBroker(tmp_path / "broker")
    yield await broker.start()
    await broker.stop()


@pytest.fixture
def mosquitto_url(tmp_path: Path) -> Iterator[str]:
    for broker in running(mosquitto_command, tmp_path / "mosquitto"):
        yield broker.url
