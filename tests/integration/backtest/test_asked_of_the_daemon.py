"""A daemon with a broker and a database is asked why, and what its rules would have said, over its API."""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime, timedelta
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

TEXTS = """
    priority: high
    class: supervisory
    text: {zh: "{device}：{value}", en: "{device}: {value}"}
    advice: {zh: 看, en: Look}
"""
LIVE = f"""
version: 1
rules:
  - id: pressure-low
    scope: {{device: pressure_transmitter, subjects: [hydrant-a-roof]}}
    when: {{low: {{signal: pressure, limit: 0.07 MPa}}}}{TEXTS}
  - id: pressure-slightly-low
    scope: {{device: pressure_transmitter, subjects: [hydrant-a-roof]}}
    mode: shadow
    when: {{low: {{signal: pressure, limit: 0.2 MPa}}}}{TEXTS}
"""
WHY = "/api/v1/explanations?rule=pressure-low&subject=sample/hydrant-a-roof"


async def get(client: httpx.AsyncClient, path: str) -> Any:
    return (await client.get(path)).raise_for_status().json()


async def eventually(client: httpx.AsyncClient, path: str, sought: str) -> Any:
    """Ask until the answer has these words."""
    async with asyncio.timeout(60):
        while sought not in (answer := (await client.get(path)).text):
            assert '"phase":"failed"' not in answer, answer
            await asyncio.sleep(0.05)
    return json.loads(answer)


async def publish(broker: str, *values: float) -> None:
    address = urlsplit(broker)
    async with aiomqtt.Client(address.hostname or "", address.port or 1883, identifier="hydrant") as client:
        for value in values:
            reading = {"time": datetime.now(UTC).isoformat(), "signal": "pressure", "value": value}
            await client.publish("firewatch/v1/telemetry/sample/hydrant-a-roof", json.dumps(reading), qos=1)


async def test_it_explains_what_it_does_and_what_its_rules_would_have_done(tmp_path: Path) -> None:
    rules = tmp_path / "rules"
    rules.mkdir()
    (rules / "water.yaml").write_text(LIVE)
    for broker in running(mosquitto_command, tmp_path / "mosquitto"):
        settings = Settings(
            mqtt=MqttSettings(url=broker.url),
            database=DatabaseSettings(),
            http=HttpSettings(port=0),
            vision=VisionSettings(enabled=False),
            state_directory=tmp_path / "state",
            rules=rules,
        )
        app = App(settings, load_project(settings))
        address = await app.start()
        try:
            async with httpx.AsyncClient(base_url=address, headers={"Origin": address}) as client:
                await eventually(client, "/readyz", "true")
                assert "has not been heard yet" in (await get(client, WHY))["verdict"]["en"]
                await publish(broker.url, 0.35, 0.15)
                told = await eventually(client, WHY, "Pressure is 0.15 MPa, not below 0.07 MPa")
                assert told["inputs"][0]["last"]["quality"] == "good"
                await publish(broker.url, 0.05)
                await eventually(client, WHY, "Pressure is 0.05 MPa, below 0.07 MPa")
                shadow = await get(client, "/api/v1/rules/shadow")
                assert shadow["rules"] == [{"rule": "pressure-slightly-low", "count": 1}]
                [alarm] = (await get(client, "/api/v1/alarms"))["alarms"]
                await eventually(client, f"/api/v1/alarms/{alarm['alarm_id']}/transitions", "condition_active")

                start = (datetime.now(UTC) - timedelta(hours=1)).isoformat()
                for against in ("recorded", "live"):
                    wish = {"operator": "Wang", "start": start, "against": against}
                    asked = (await client.post("/api/v1/backtests", json=wish)).raise_for_status().json()
                    done = await eventually(client, f"/api/v1/backtests/{asked['backtest_id']}", '"phase":"done"')
                    counts = {one["rule"]: (one["before"], one["after"]) for one in done["result"]["counts"]}
                    assert counts == {"pressure-low": (1, 1), "pressure-slightly-low": (0, 1)}
        finally:
            await app.stop()
