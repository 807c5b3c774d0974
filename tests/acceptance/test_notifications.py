"""Notifications of a real daemon through kill -9: nothing is lost, and what a receiver took is not told again."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from tests.acceptance.plant import Plant, low, running
from tests.integration.broadcast.receivers import Receiver, receiver, says

pytestmark = pytest.mark.slow

DEVICES = [f"p{number}" for number in range(12)]
FILE = """\
targets:
  - {id: platform, webhook: {url: "URL"}, language: en, acknowledged: true}
  - {id: head, webhook: {url: "URL/head"}, language: en}
  - {id: chief, webhook: {url: "URL/chief"}, language: en}
plans:
  - id: all
    steps:
      - {targets: [platform]}
      - {after: 3s, targets: [head]}
      - {after: 1h, targets: [chief]}
"""


@pytest.fixture
async def outside() -> AsyncIterator[Receiver]:
    async with receiver() as found:
        yield found


@pytest.fixture
async def plant(nats_url: str, dsn: str, tmp_path: Path, outside: Receiver) -> AsyncIterator[Plant]:
    plant = Plant(nats_url, dsn, tmp_path, DEVICES)
    file = tmp_path / "notification.yaml"
    file.write_text(FILE.replace("URL", outside.url), encoding="utf-8")
    plant.environment["FIREWATCH_NOTIFICATIONS"] = str(file)
    plant.site.write_text(apart(plant.site.read_text(encoding="utf-8")), encoding="utf-8")
    plant.write_rules(low("low"))
    async with running(plant) as plant:
        yield plant


def apart(site: str) -> str:
    """Each device in a building of its own, so that no two alarms are one incident."""
    for device in DEVICES:
        site = site.replace(
            f"id: {device}, kind: pressure_transmitter, building: b,",
            f"id: {device}, kind: pressure_transmitter, building: {device},",
        )
        site = site.replace(
            "buildings: [", f"buildings: [{{id: {device}, label: {{zh: 楼, en: B}}, grid: {{zh: 格, en: G}}}}, "
        )
    return site


def told(outside: Receiver, path: str = "/") -> list[str]:
    """The deliveries that came, by id."""
    return [msgspec.json.decode(each.body)["id"] for each in outside.taken if each.path == path]


async def deliveries(plant: Plant, query: str = "") -> list[Any]:
    found: list[Any] = (await plant.get(f"/api/v1/deliveries?limit=500{query}"))["deliveries"]
    return found


async def until_delivered(plant: Plant, count: int, target: str = "platform") -> list[Any]:
    async def enough() -> list[Any] | None:
        found = await deliveries(plant, f"&state=delivered&target={target}")
        return found if len(found) >= count else None

    return await plant.until(f"{count} deliveries to {target}", enough, 60)


async def test_what_a_receiver_did_not_take_is_sent_after_a_kill_and_what_it_took_is_not(
    plant: Plant, outside: Receiver
) -> None:
    async with plant.client() as client:
        await plant.report(client, "p0", 0.05)
        (first,) = await until_delivered(plant, 1)
        outside.answer = says(503)
        await plant.report(client, "p1", 0.05)

        async def was_tried() -> bool:
            return any(each["attempts"] for each in await deliveries(plant, "&state=waiting&target=platform"))

        await plant.until("an attempt that was not taken", was_tried)
        await plant.kill()
        outside.answer = says(200)
        before = len(outside.taken)
        await plant.start()
        await until_delivered(plant, 2)
        await plant.kill()
        await plant.start()
        await plant.report(client, "p2", 0.05)
        await until_delivered(plant, 3)
        since = [msgspec.json.decode(each.body)["id"] for each in outside.taken[before:] if each.path == "/"]
        assert first["delivery_id"] not in since
        assert max(Counter(since).values()) == 1


async def test_every_alarm_is_told_and_escalated_however_often_firewatch_dies(plant: Plant, outside: Receiver) -> None:
    kills = 0
    async with plant.client() as client:
        for number, device in enumerate(DEVICES):
            await plant.report(client, device, 0.05)
            if number % 3 == 1:
                await plant.kill()
                kills += 1
                await plant.start()

    async def all_are_told() -> bool:
        found = await deliveries(plant)
        by_target = Counter(each["target"] for each in found if each["state"] == "delivered")
        return by_target == {"platform": len(DEVICES), "head": len(DEVICES)}

    await plant.until("every alarm told and escalated", all_are_told, 90)
    for path in ("/", "/head"):
        times = Counter(told(outside, path))
        assert len(times) == len(DEVICES)
        assert sum(times.values()) <= len(DEVICES) + kills, "each kill may repeat one message"


async def test_an_acknowledgement_ends_the_escalation_and_is_told(plant: Plant, outside: Receiver) -> None:
    async with plant.client() as client:
        await plant.report(client, "p0", 0.05)
        alarm = await plant.alarm("low")
        await plant.post(f"/api/v1/alarms/{alarm['alarm_id']}/acknowledge", operator="Wang")
        (acknowledged, onset) = await until_delivered(plant, 2)
        assert (onset["reason"], acknowledged["reason"]) == ("onset", "acknowledged")
        (chief,) = await deliveries(plant, "&target=chief")
        assert chief["state"] == "withdrawn"
        stages = await plant.rows("SELECT stage FROM stage_reached WHERE reached_by = 'platform'")
        assert stages == [("delivered",)]


async def test_a_roster_is_changed_without_a_restart(plant: Plant, outside: Receiver) -> None:
    file = plant.folder / "notification.yaml"
    file.write_text(file.read_text().replace("targets: [platform]", "targets: [platform, chief]"), encoding="utf-8")
    plant.hang_up()

    async def is_gone_by() -> bool:
        log = plant.daemon.log_tail()
        return "firewatch goes by other notifications" in log

    await plant.until("the other file gone by", is_gone_by)
    async with plant.client() as client:
        await plant.report(client, "p0", 0.05)
    (first,) = await until_delivered(plant, 1, "chief")
    assert first["reason"] == "onset"


async def test_a_test_is_sent_and_answered(plant: Plant, outside: Receiver) -> None:
    answer = await plant.post("/api/v1/notification-targets/platform/test", operator="Wang")
    assert (answer["state"], answer["reason"]) == ("delivered", "test")
    assert len(told(outside)) == 1
    parts = {part["name"]: part for part in (await plant.get("/api/v1/status"))["parts"]}
    assert parts["target platform"]["ready"]
    assert parts["notification file"]["detail"] == "3 targets, 1 plans"
