"""Drills over the real daemon: the shipped plan, a real fire in the middle, a power cut in the middle."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from websockets.asyncio.client import connect

from simulators.commands import scenario_path
from tests.acceptance.compound import Compound, running

pytestmark = pytest.mark.slow


class Drills:
    """A compound on a quiet day, and its drills."""

    def __init__(self, compound: Compound) -> None:
        self.compound = compound
        self.screen: list[Any] = []

    async def get(self, path: str, **query: str) -> Any:
        async with httpx.AsyncClient(base_url=self.compound.url, timeout=20) as client:
            answer = await client.get(path, params=query)
            assert answer.status_code == 200, answer.text
            return answer.json()

    async def post(self, path: str, status: int = 200, **body: str) -> Any:
        url = self.compound.url
        async with httpx.AsyncClient(base_url=url, headers={"Origin": url}, timeout=20) as client:
            answer = await client.post(path, json=body)
            assert answer.status_code == status, answer.text
            return answer.json()

    async def start(self, plan: str) -> str:
        drill_id: str = (await self.post("/api/v1/drills", plan=plan, operator="Wang"))["drill_id"]
        return drill_id

    async def report(self, drill_id: str, seconds: float = 90) -> Any:
        """What came of it, once it has ended."""
        try:
            async with asyncio.timeout(seconds):
                while True:
                    found = await self.get(f"/api/v1/drills/{drill_id}")
                    if found["drill"]["ended_time"] is not None:
                        return found
                    await asyncio.sleep(0.1)
        except TimeoutError:
            raise AssertionError(f"the drill goes on: {found}\n{self.compound.daemon.log_tail()}") from None

    async def until_seen(self, what: str, accept: Any) -> Any:
        """Wait until the live feed says something."""
        async with asyncio.timeout(60), connect(f"{self.compound.url.replace('http', 'ws')}/api/v1/stream") as stream:
            async for text in stream:
                message = json.loads(text)
                if (found := accept(message)) is not None:
                    return found
        raise AssertionError(what)

    async def nothing_of_it_is_real(self) -> None:
        assert (await self.get("/api/v1/incidents"))["incidents"] == [
            each for each in (await self.get("/api/v1/incidents"))["incidents"] if each["first_out"]["drill"] is None
        ]
        alarms = (await self.get("/api/v1/alarms", standing="all"))["alarms"]
        assert [alarm for alarm in alarms if alarm["drill"] is not None] == []
        assert [item.alarm for item in self.compound.heard if item.alarm is not None and item.alarm.drill] == []


@pytest.fixture
async def drills(nats_url: str, dsn: str, tmp_path: Path) -> AsyncIterator[Drills]:
    environment = {"FIREWATCH_DRILLS": "config/drills", "FIREWATCH_VISION__ENABLED": "false"}
    compound = Compound(nats_url, dsn, tmp_path, scenario_path("quiet"), environment=environment)
    async with running(compound):
        yield Drills(compound)


async def test_the_shipped_drill_holds_the_door_and_reports_each_stage(drills: Drills) -> None:
    assert [plan["plan"] for plan in (await drills.get("/api/v1/drill-plans"))["plans"]] == ["e-bike", "garage-fire"]
    drill_id = await drills.start("e-bike")
    told = await drills.post("/api/v1/drills", 409, plan="garage-fire", operator="Li")
    assert "goes on" in told["error"]["what"]

    found = await drills.report(drill_id)

    report = found["report"]
    assert found["drill"]["outcome"] == "completed", found
    assert report["passed"], report["expected"]
    assert {each["verdict"] for each in report["expected"]} == {"pass"}
    alarm = next(each for each in report["alarms"] if each["alarm"]["rule"] == "e-bike-in-lift")
    assert alarm["alarm"]["drill"] == drill_id
    stages = {step["stage"]: step["reached_time"] for step in alarm["way"]["steps"]}
    assert set(stages) == {"source", "received", "decided", "journalled", "annunciated", "proven"}
    assert None not in stages.values()
    assert alarm["way"]["verdict"] == "pass"
    withheld = {each["command"]["device"] for each in report["commands"] if each["withheld"] == "not_planned"}
    assert withheld == {"sample/a-lift-2-recorder", "sample/a-board"}
    asked = {item.topic.device for item in drills.compound.heard if item.command is not None}
    assert asked == {"a-lift-2-door", "a-lift-2-loudspeaker"}
    commands = [item.command for item in drills.compound.heard if item.command is not None]
    assert all(command.drill for command in commands)
    play = next(command for command in commands if command.action == "play")
    assert str(play.parameters["text_zh"]).startswith("演练")
    await drills.nothing_of_it_is_real()
    log = (await drills.get("/api/v1/log"))["entries"]
    assert [entry["kind"] for entry in log if entry["kind"] == "drill"] == ["drill", "drill"]
