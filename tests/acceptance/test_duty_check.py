"""A remote centre asks a real daemon over a real broker whether anybody is there; it is killed meanwhile."""

from __future__ import annotations

import asyncio
import contextlib
import re
from collections.abc import AsyncIterator
from datetime import datetime
from pathlib import Path
from typing import Any

import aiomqtt
import msgspec
import pytest
from websockets.asyncio.client import connect

from tests.acceptance.plant import Plant, running

pytestmark = pytest.mark.slow

KIND = """\
kinds:
  - kind: duty_desk
    label: {zh: 值班席, en: Duty desk}
    system: control_room
    duty_checks: true
    signals: [{name: people, type: number, label: {zh: 人数, en: People}}]
"""
DEVICE = "  - {id: desk, kind: duty_desk, building: b, label: {zh: 值班席, en: Desk}}\n"
RULE = """\
  - id: duty-check-missed
    scope: {device: duty_desk}
    when: {state: {signal: duty_check, is: missed}}
    priority: medium
    class: trouble
    text: {zh: 查岗无人应答, en: Nobody answered the duty check}
    advice: {zh: 联系值班人员, en: Call the people on duty}
"""


class Centre:
    """The remote centre's client: it asks, and hears what is said to that."""

    def __init__(self, client: aiomqtt.Client, plant: Plant) -> None:
        self._client = client
        self._plant = plant
        self.heard: list[dict[str, Any]] = []

    async def listen(self) -> None:
        async for message in self._client.messages:
            assert str(message.topic) == "firewatch/v1/duty-answer/s/control-room"
            self.heard.append(msgspec.json.decode(bytes(message.payload)))  # type: ignore[arg-type]

    async def ask(self, name: str, minutes: float) -> None:
        question = msgspec.json.encode({"id": name, "asked_by": "区监控中心", "minutes": minutes})
        await self._client.publish("firewatch/v1/duty-check/s/control-room", question, qos=1)

    async def hears(self, name: str, state: str) -> dict[str, Any]:
        async def said() -> dict[str, Any] | None:
            return next((each for each in self.heard if (each["id"], each["state"]) == (name, state)), None)

        return await self._plant.until(f"{name} is {state}", said, seconds=60)


@pytest.fixture
async def plant(nats_url: str, dsn: str, tmp_path: Path) -> AsyncIterator[Plant]:
    plant = Plant(nats_url, dsn, tmp_path, ["p1"])
    (tmp_path / "devices" / "desk.yaml").write_text(KIND, encoding="utf-8")
    with plant.site.open("a", encoding="utf-8") as site:
        site.write(DEVICE)
    plant.write_rules(RULE)
    async with running(plant) as plant:
        yield plant


@pytest.fixture
async def centre(plant: Plant) -> AsyncIterator[Centre]:
    async with plant.client() as client:
        await client.subscribe("firewatch/v1/duty-answer/+/+", qos=1)
        centre = Centre(client, plant)
        listening = asyncio.ensure_future(centre.listen())
        yield centre
        listening.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await listening


async def checks(plant: Plant) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = (await plant.get("/api/v1/duty-checks"))["duty_checks"]
    return found


async def shown(plant: Plant) -> list[dict[str, Any]]:
    """What a screen that connects now is told of open checks."""
    async with connect(f"ws://127.0.0.1:{plant.port}/api/v1/stream", max_size=None) as stream:
        found: list[dict[str, Any]] = msgspec.json.decode(await stream.recv())["duty_checks"]
        return found


async def test_duty_checks_end_once_whether_firewatch_lives_or_not(plant: Plant, centre: Centre) -> None:
    # Asked, killed, and answered after the restart.
    await centre.ask("first", 10)
    asked = await centre.hears("first", "asked")
    (check,) = await shown(plant)
    assert (check["seat"], check["asked_by"], check["state"]) == ("control-room", "区监控中心", "asked")
    await plant.kill()
    await plant.start()
    assert await shown(plant) == [check], "it sounds on, until the same time"
    await plant.post(f"/api/v1/duty-checks/{check['check_id']}/answer", operator="Li")
    answered = await centre.hears("first", "answered")
    assert (answered["answered_by"], answered["asked_time"]) == ("Li", asked["asked_time"])
    assert await shown(plant) == []

    # Asked, killed, and over before the restart.
    await centre.ask("second", 0.05)
    due = datetime.fromisoformat((await centre.hears("second", "asked"))["until_time"])
    killed = await plant.kill()
    await asyncio.sleep(max((due - killed).total_seconds(), 0))
    await plant.start()
    missed = await centre.hears("second", "missed")
    assert datetime.fromisoformat(missed["ended_time"]) == due
    alarm = await plant.alarm("duty-check-missed")
    assert (alarm["subject"], alarm["priority"], alarm["alarm_class"]) == ("s/desk", "medium", "trouble")

    # Asked while firewatch is down: the broker keeps the question.
    await plant.kill()
    await centre.ask("third", 10)
    await plant.start()
    await centre.hears("third", "asked")
    assert await plant.reasons(alarm["alarm_id"], 2) == ["condition_active", "condition_inactive"]

    # Another question takes its place, and nobody is there while firewatch is up.
    await asyncio.sleep(1)
    await centre.ask("fourth", 0.02)
    await centre.hears("third", "replaced")
    await centre.hears("fourth", "missed")

    ended = {check["question_id"]: check["state"] for check in await checks(plant)}
    assert ended == {"first": "answered", "second": "missed", "third": "replaced", "fourth": "missed"}
    (changes,) = await plant.rows("SELECT count(*) FROM duty_check WHERE NOT ended")
    assert changes == (0,)
    figures = (await plant.get("/api/v1/duty-checks"))["figures"]
    assert (figures["answered"], figures["missed"], figures["replaced"]) == (1, 2, 1)


async def test_the_log_tells_of_the_day_and_is_handed_over(plant: Plant, centre: Centre) -> None:
    async def log() -> list[str]:
        entries = (await plant.get("/api/v1/log"))["entries"]
        return [re.split("[:;]", entry["text"]["en"])[0] for entry in entries][::-1]

    await plant.post("/api/v1/log", operator="Li", seat="control-room", text="Round done, all well")
    await plant.kill()
    await plant.start()
    plant.write_rules(RULE, name="more.yaml")
    await plant.reloads(1)
    plant.write_rules(name="more.yaml")
    await plant.post("/api/v1/handover", **{"from": "Li", "to": "Wang"}, seat="control-room", remarks="All well")
    await plant.daemon.stop()
    await plant.start()

    told = await log()
    assert told[0] == "firewatch was started for the first time"
    assert told[1] == "Round done, all well"
    assert told[2] == "firewatch was started again after it broke off"
    assert any(text.startswith("The rules on disk were refused (changed files)") for text in told)
    assert "Li handed over to Wang" in told
    assert told[-2] == "firewatch was stopped"
    assert told[-1] == "firewatch was started"
    rows = await plant.rows("SELECT count(*), count(DISTINCT entry_id) FROM log_entry")
    assert rows == [(len(told), len(told))]
