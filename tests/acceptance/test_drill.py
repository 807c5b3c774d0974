"""Drills over the real daemon: the shipped plan, a real fire in the middle, a power cut in the middle."""

from __future__ import annotations

import asyncio
import contextlib
import json
import re
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import aiomqtt
import httpx
import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed

from firewatch.app.port import free_port
from firewatch.model.topic import Channel, Topic
from simulators.commands import scenario_path
from tests.acceptance.compound import Compound, running

pytestmark = pytest.mark.slow

DOOR = "a-lift-2-door"


class Drills:
    """A compound on a quiet day, what a screen is told of its drills, and somebody who asks for them."""

    def __init__(self, compound: Compound) -> None:
        self.compound = compound
        self.told: list[Any] = []

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

    async def ended(self, drill_id: str, seconds: float = 90) -> Any:
        """The drill and its report, once it has ended."""
        try:
            async with asyncio.timeout(seconds):
                while True:
                    found = await self.get(f"/api/v1/drills/{drill_id}")
                    if found["drill"]["ended_time"] is not None:
                        return found
                    await asyncio.sleep(0.1)
        except TimeoutError:
            raise AssertionError(f"the drill goes on: {found}\n{self.compound.daemon.log_tail()}") from None

    async def follow(self) -> None:
        """What a screen is told, over restarts."""
        while True:
            with contextlib.suppress(OSError, ConnectionClosed):
                async with connect(f"{self.compound.url.replace('http', 'ws')}/api/v1/stream") as stream:
                    async for text in stream:
                        message = json.loads(text)
                        if message["type"] == "drill":
                            self.told.append(message["drill"])
            await asyncio.sleep(0.1)

    async def report_fire(self, device: str) -> None:
        """A detector reports a fire in earnest."""
        broker = urlsplit(self.compound.broker)
        async with aiomqtt.Client(
            broker.hostname or "", broker.port or 1883, identifier=f"fire-{free_port()}"
        ) as client:
            payload = {"time": datetime.now(UTC).isoformat(), "signal": "alarm", "value": True}
            await client.publish(Topic(Channel.TELEMETRY, "sample", device).name(), json.dumps(payload), qos=1)

    async def held(self) -> None:
        await self.compound.until("the door says held", lambda: self._answer("held"))

    def _answer(self, detail: str) -> Any:
        return next((each for each in self.compound.heard if each.answer and each.answer.detail == detail), None)

    async def until_online(self, *devices: str) -> None:
        async with asyncio.timeout(60):
            while True:
                found = (await self.get("/api/v1/devices"))["devices"]
                if {each["device"] for each in found if each["online"]} >= set(devices):
                    return
                await asyncio.sleep(0.1)

    async def assert_nothing_of_it_is_real(self) -> None:
        """Nor in what other systems and the control room are told of alarms."""
        incidents = (await self.get("/api/v1/incidents"))["incidents"]
        alarms = (await self.get("/api/v1/alarms", standing="all"))["alarms"]
        assert {alarm["rule"] for alarm in alarms}.isdisjoint({"e-bike-in-lift", "garage-smoke-confirmed"})
        assert [each["first_out"]["drill"] for each in incidents] == [None] * len(incidents)
        assert [item.alarm.drill for item in self.compound.heard if item.alarm is not None and item.alarm.drill] == []
        async with httpx.AsyncClient(base_url=self.compound.url) as client:
            index = (await client.get("/api/v1/cap")).text
        assert [line for line in index.split("<entry>") if "Actual" in line and "e-bike" in line] == []
        assert "Exercise" in index


@pytest.fixture
async def drills(nats_url: str, dsn: str, tmp_path: Path) -> AsyncIterator[Drills]:
    """The shipped plans, with more time for what they expect: it is not this machine that is rehearsed."""
    plans = tmp_path / "drills.yaml"
    shipped = Path("config/drills/sample.yaml").read_text(encoding="utf-8")
    plans.write_text(re.sub(r"within: \w+", "within: 90s", shipped), encoding="utf-8")
    environment = {"FIREWATCH_DRILLS": str(plans), "FIREWATCH_VISION__ENABLED": "false"}
    compound = Compound(nats_url, dsn, tmp_path, scenario_path("quiet"), environment=environment)
    async with running(compound):
        drills = Drills(compound)
        await drills.until_online(DOOR, "a-lift-2-loudspeaker", "garage-smoke-3")
        following = asyncio.ensure_future(drills.follow())
        yield drills
        following.cancel()


async def test_the_shipped_drill_holds_the_door_and_reports_each_stage(drills: Drills) -> None:
    assert [plan["plan"] for plan in (await drills.get("/api/v1/drill-plans"))["plans"]] == ["e-bike", "garage-fire"]
    drill_id = await drills.start("e-bike")
    refused = await drills.post("/api/v1/drills", 409, plan="garage-fire", operator="Li")
    assert "goes on" in refused["error"]["what"]

    found = await drills.ended(drill_id)

    report = found["report"]
    assert found["drill"]["outcome"] == "completed", found
    assert [each["verdict"] for each in report["expected"]] == ["pass"] * 4, report["expected"]
    assert report["passed"]
    alarm = next(each for each in report["alarms"] if each["alarm"]["rule"] == "e-bike-in-lift")
    assert alarm["alarm"]["drill"] == drill_id
    stages = {step["stage"]: step["reached_time"] for step in alarm["way"]["steps"]}
    assert set(stages) == {"source", "received", "decided", "journalled", "annunciated", "proven"}
    assert None not in stages.values()

    withheld = {each["command"]["device"] for each in report["commands"] if each["withheld"] == "not_planned"}
    assert withheld == {"sample/a-lift-2-recorder", "sample/a-board"}
    commands = [(item.topic.device, item.command) for item in drills.compound.heard if item.command is not None]
    assert {device for device, _ in commands} == {DOOR, "a-lift-2-loudspeaker"}
    assert all(command.drill for _, command in commands)
    play = next(command for _, command in commands if command.action == "play")
    assert str(play.parameters["text_zh"]).startswith("演练")
    assert str(play.parameters["text_en"]).startswith("This is a drill")

    await drills.assert_nothing_of_it_is_real()
    assert [told["drill"]["ended_time"] is None for told in (drills.told[0], drills.told[-1])] == [True, False]
    assert drill_id in {alarm["drill"] for told in drills.told for alarm in told["alarms"]}
    log = [entry for entry in (await drills.get("/api/v1/log"))["entries"] if entry["kind"] == "drill"]
    assert len(log) == 2


async def test_a_real_fire_breaks_through_at_once_and_ends_the_drill(drills: Drills) -> None:
    drill_id = await drills.start("e-bike")
    await drills.held()

    await drills.report_fire("garage-smoke-3")

    _, fire = await drills.compound.until("the fire", lambda: drills.compound.alarm("garage-smoke"))
    assert fire.drill is None
    found = await drills.ended(drill_id)
    assert found["drill"]["outcome"] == "real_alarm"
    assert fire.alarm_id in found["report"]["detail"]
    assert not found["report"]["passed"]
    release = await drills.compound.until("the door is let go", lambda: drills.compound.command(DOOR, "release_door"))
    assert release.command is not None
    assert release.command.drill
    standing = {alarm["rule"]: alarm["drill"] for alarm in (await drills.get("/api/v1/alarms"))["alarms"]}
    assert standing["garage-smoke"] is None
    assert "e-bike-in-lift" not in standing
    refused = await drills.post("/api/v1/drills", 409, plan="e-bike", operator="Wang")
    assert "real alarm" in refused["error"]["what"]
    assert drills.told[-1]["drill"]["outcome"] == "real_alarm"


async def test_a_drill_broken_off_by_a_power_cut_is_ended_at_the_start_and_lets_go_of_the_door(
    drills: Drills,
) -> None:
    drill_id = await drills.start("e-bike")
    await drills.held()

    await drills.compound.kill_daemon()
    await drills.compound.start_daemon()

    found = await drills.ended(drill_id)
    assert found["drill"]["outcome"] == "interrupted"
    release = await drills.compound.until("the door is let go", lambda: drills.compound.command(DOOR, "release_door"))
    await drills.compound.until("the door says released", lambda: drills.compound.answer(release, "released"))
    assert (await drills.get("/api/v1/drills"))["drills"][0]["outcome"] == "interrupted"
    alarms = (await drills.get("/api/v1/alarms", standing="all"))["alarms"]
    assert "e-bike-in-lift" not in {alarm["rule"] for alarm in alarms}
    await drills.start("e-bike")
