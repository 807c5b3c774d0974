"""A daemon with broker and database tells its seat's workload and its alarms' deadlines, before and after a start."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import aiomqtt
import httpx
import pytest

from firewatch.app.app import App
from firewatch.config.project import load_project
from firewatch.config.settings import DatabaseSettings, HttpSettings, MqttSettings, Settings, VisionSettings
from tests.brokers import mosquitto_command, running

pytestmark = [pytest.mark.slow, pytest.mark.mosquitto]

RULES = """
version: 1
rules:
  - id: pressure-low
    scope: {device: pressure_transmitter, subjects: [hydrant-a-roof]}
    when: {low: {signal: pressure, limit: 0.07 MPa}}
    priority: high
    class: fire
    text: {zh: "{device}", en: "{device}"}
    advice: {zh: 看, en: Look}
"""


@pytest.fixture
def settings(tmp_path: Path) -> Iterator[Settings]:
    rules = tmp_path / "rules"
    rules.mkdir()
    (rules / "water.yaml").write_text(RULES)
    for broker in running(mosquitto_command, tmp_path / "mosquitto"):
        yield Settings(
            mqtt=MqttSettings(url=broker.url),
            database=DatabaseSettings(),
            http=HttpSettings(port=0),
            vision=VisionSettings(enabled=False),
            state_directory=tmp_path / "state",
            rules=rules,
        )


@asynccontextmanager
async def daemon(settings: Settings) -> AsyncIterator[httpx.AsyncClient]:
    app = App(settings, load_project(settings))
    address = await app.start()
    try:
        async with httpx.AsyncClient(base_url=address, headers={"Origin": address}) as client:
            yield client
    finally:
        await app.stop()


async def publish(settings: Settings, value: float) -> None:
    assert settings.mqtt.url is not None
    address = urlsplit(settings.mqtt.url)
    async with aiomqtt.Client(address.hostname or "", address.port or 1883, identifier="hydrant") as client:
        reading = {"time": datetime.now(UTC).isoformat(), "signal": "pressure", "value": value}
        await client.publish("firewatch/v1/telemetry/sample/hydrant-a-roof", json.dumps(reading), qos=1)


async def until(client: httpx.AsyncClient, path: str, holds: Callable[[Any], bool]) -> Any:
    """Ask until the answer is as it is to be."""
    async with asyncio.timeout(60):
        while not holds(answer := (await client.get(path)).raise_for_status().json()):
            await asyncio.sleep(0.05)
    return answer


async def test_a_daemon_tells_its_workload_and_its_deadlines_and_goes_on_after_a_start(settings: Settings) -> None:
    async with daemon(settings) as client:
        await until(client, "/api/v1/workload", lambda view: view["figures"] is not None)
        await publish(settings, 0.05)
        counted = {"of_their_own": 1, "grouped": 0}
        view = await until(client, "/api/v1/workload", lambda view: view["figures"]["alarm_count"] == counted)
        assert view["figures"]["unacknowledged"] == {"now": 1, "most": 1}
        (alarm,) = (await client.get("/api/v1/alarms")).json()["alarms"]
        path = f"/api/v1/alarms/{alarm['alarm_id']}/deadlines"
        (measured,) = (await until(client, path, lambda found: found["measured"]))["measured"]
        assert (measured["verdict"], measured["slow_stage"]) == ("pass", None)
        steps = {step["stage"]: step["reached_time"] for step in measured["steps"]}
        assert list(steps) == ["source", "received", "decided", "journalled", "annunciated"]
        assert None not in steps.values()
        metrics = (await client.get("/metrics")).text
        assert 'firewatch_seat_alarms_total{grouped="false",priority="high",seat="control-room"} 1.0' in metrics
        assert 'firewatch_alarm_stage_seconds_count{alarm_class="fire",stage="annunciated"} 1.0' in metrics

    async with daemon(settings) as client:
        view = await until(client, "/api/v1/workload", lambda view: view["figures"] is not None)
        assert view["figures"]["alarm_count"] == counted
        assert view["figures"]["unacknowledged"] == {"now": 1, "most": 1}
        acknowledgement = {"operator": "li"}
        await client.post(f"/api/v1/alarms/{alarm['alarm_id']}/acknowledge", json=acknowledgement)
        view = (await client.get("/api/v1/workload")).json()
        assert view["figures"]["unacknowledged"] == {"now": 0, "most": 1}
        assert view["figures"]["answers"]["count"] == 1
        late = (await client.get("/api/v1/deadlines")).json()
        assert (late["alarms"], late["late"]) == (1, 0)
