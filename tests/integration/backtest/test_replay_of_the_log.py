"""Recorded traffic, replayed through the rules that were live, gives the live log again, alarm for alarm."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit

import aiomqtt
import httpx
import pytest
from click.testing import CliRunner

from firewatch.app.app import App
from firewatch.app.embedded import EmbeddedDatabase
from firewatch.backtest.difference import differences
from firewatch.backtest.log import told_of
from firewatch.backtest.replay import replay
from firewatch.backtest.result import Fate
from firewatch.cli.main import main
from firewatch.config.project import Project, load_project, load_settings
from firewatch.config.settings import Settings
from firewatch.storage.columns import ColumnReader
from tests.brokers import mosquitto_command, running

pytestmark = pytest.mark.slow

RULES = """
version: 1
rules:
  - id: pressure-low
    scope: {device: pressure_transmitter}
    when: {low: {signal: pressure, limit: 0.07 MPa, deadband: 0.005 MPa}}
    on_delay: 300ms
    off_delay: 200ms
    priority: high
    class: supervisory
    text: &text {zh: "{device}：{value}", en: "{device}: {value}"}
    advice: &advice {zh: 看, en: Look}
  - id: valve-closed
    scope: {device: signal_valve}
    when: {state: {signal: position, is: closed}}
    priority: high
    class: supervisory
    text: *text
    advice: *advice
  - id: silent
    scope: {device: signal_valve}
    when: {absence: {after: 700ms}}
    priority: medium
    class: trouble
    text: *text
    advice: *advice
  - id: pressure-very-low
    scope: {device: pressure_transmitter}
    when: {low_low: {signal: pressure, limit: 0.03 MPa}}
    mode: shadow
    priority: high
    class: supervisory
    text: *text
    advice: *advice
"""
PRESSURES = [0.30, 0.06, 0.05, 0.074, 0.06, 0.02, 0.2, 0.3, 0.06, 0.3, 0.3, 0.05, 0.05, 0.05, 0.05, 0.3]
VALVE = ["open", "open", "closed", "open", "closed", "closed", "open", "open"]


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[str]:
    for each in running(mosquitto_command, tmp_path / "mosquitto"):
        yield each.url


@pytest.fixture
async def dsn(tmp_path: Path) -> AsyncIterator[str]:
    database = EmbeddedDatabase(tmp_path / "database")
    yield await database.start()
    await database.stop()


@pytest.fixture
def configuration(tmp_path: Path, broker: str, dsn: str) -> Path:
    (tmp_path / "rules.yaml").write_text(RULES)
    written = {
        "mqtt": {"url": broker},
        "database": {"dsn": dsn},
        "http": {"port": 0},
        "vision": {"enabled": False},
        "state_directory": str(tmp_path / "state"),
        "sites": "config/sites",
        "devices": "config/devices",
        "rules": str(tmp_path / "rules.yaml"),
    }
    (tmp_path / "firewatch.yaml").write_text(json.dumps(written))
    return tmp_path / "firewatch.yaml"


@asynccontextmanager
async def daemon(settings: Settings, project: Project) -> AsyncIterator[httpx.AsyncClient]:
    app = App(settings, project)
    address = await app.start()
    async with httpx.AsyncClient(base_url=address) as client:
        yield client
    await app.stop()


async def publish(broker: str, device: str, signal: str, values: list[object], pause: float) -> None:
    address = urlsplit(broker)
    async with aiomqtt.Client(address.hostname or "", address.port or 1883, identifier=device) as client:
        for value in values:
            reading = {"time": datetime.now(UTC).isoformat(), "signal": signal, "value": value}
            await client.publish(f"firewatch/v1/telemetry/sample/{device}", json.dumps(reading), qos=1)
            await asyncio.sleep(pause)


async def traffic(broker: str) -> None:
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(publish(broker, "hydrant-a-roof", "pressure", PRESSURES, 0.1))
        tasks.create_task(publish(broker, "pump-room-pressure", "pressure", PRESSURES[::-1], 0.13))
        tasks.create_task(publish(broker, "valve-a-riser", "position", VALVE, 0.2))


async def acknowledge_all(client: httpx.AsyncClient) -> None:
    for alarm in (await client.get("/api/v1/alarms?standing=true")).json()["alarms"]:
        words = {"operator": "li", "comment": "#confirmed"}
        await client.post(f"/api/v1/alarms/{alarm['alarm_id']}/acknowledge", json=words)


async def test_recorded_traffic_through_live_rules_gives_the_live_log(
    configuration: Path, broker: str, dsn: str, tmp_path: Path
) -> None:
    settings = load_settings(configuration)
    project = load_project(settings)
    async with daemon(settings, project) as client:
        await traffic(broker)
        await acknowledge_all(client)
        await traffic(broker)
    await asyncio.sleep(1.0)  # firewatch is down, longer than a valve may be silent
    async with daemon(settings, project) as client:
        await traffic(broker)
        await acknowledge_all(client)
    start, end = datetime.now(UTC) - timedelta(hours=1), datetime.now(UTC)

    def compare() -> list[str]:
        with ColumnReader(dsn) as reader:
            recorded = told_of(reader.transitions(start, end), start, end)
            (played,) = replay(reader, [project.rules], project.inventory, start, end)
        assert len(recorded) > 20
        assert {told.rule for told in recorded} == {rule.id for rule in project.rules}
        assert played.taken < played.observations
        return [str(one) for one in differences(recorded, played.told) if one.fate is not Fate.SAME]

    assert await asyncio.to_thread(compare) == []

    def by_command(*arguments: str) -> str:
        done = CliRunner().invoke(main, [*arguments, "--config", str(configuration)])
        assert done.exit_code == 0, done.output
        return done.output

    live = json.loads(await asyncio.to_thread(by_command, "backtest", "--against", "live", "--format", "json"))
    assert {one["fate"] for one in live["differences"]} == {"added"}
    assert {one["after"]["rule"] for one in live["differences"]} == {"pressure-very-low"}
    assert all(one["alarmed_after"] for one in live["realities"])

    for form in ("parquet", "csv"):
        folder = str(tmp_path / form)
        await asyncio.to_thread(by_command, "history", "export", folder, "--format", form)
        copy = json.loads(
            await asyncio.to_thread(
                by_command, "backtest", "--against", "live", "--format", "json", "--history", folder
            )
        )
        assert copy == live
