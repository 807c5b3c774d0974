"""Many operators at once at a real daemon, while readings come and it is killed: one of them was the first, each of the
others hears who, and the history tells it like that.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.acceptance.plant import Plant, low, running

pytestmark = pytest.mark.slow

ALARMS = 10
SEATS = 20
ON, OFF = 0.05, 0.3


@pytest.fixture
async def plant(nats_url: str, dsn: str, tmp_path: Path) -> AsyncIterator[Plant]:
    plant = Plant(nats_url, dsn, tmp_path, [f"p{n}" for n in range(ALARMS)])
    plant.write_rules(low("low"))
    async with running(plant) as plant:
        yield plant


async def ask(client: httpx.AsyncClient, path: str, **body: str | int) -> tuple[int, Any]:
    answer = await client.post(path, json=body)
    return answer.status_code, answer.json()


async def standing(plant: Plant, number: int, state: str = "") -> list[Any]:
    async def all_of_them() -> list[Any] | None:
        alarms = [a for a in (await plant.get("/api/v1/alarms?limit=500"))["alarms"] if a["state"].startswith(state)]
        return alarms if len(alarms) == number else None

    return await plant.until(f"{number} alarms {state}", all_of_them) if number else []


async def stories(plant: Plant) -> dict[str, list[tuple[int, str, str]]]:
    """The history's transitions: number, reason and who, by alarm."""
    rows = await plant.rows(
        "SELECT alarm_id, number, reason, changed_by FROM alarm_transition ORDER BY alarm_id, number"
    )
    found: dict[str, list[tuple[int, str, str]]] = {}
    for alarm_id, number, reason, by in rows:
        found.setdefault(str(alarm_id), []).append((int(number), str(reason), str(by)))
    return found


async def test_of_many_who_acknowledge_at_once_one_is_the_first_and_the_others_hear_who(plant: Plant) -> None:
    async with plant.client() as mqtt:
        for device in range(ALARMS):
            await plant.report(mqtt, f"p{device}", ON)
    alarms = await standing(plant, ALARMS, "unacknowledged")
    async with httpx.AsyncClient(base_url=plant.url, headers={"Origin": plant.url}, timeout=60) as client:
        wishes = [(alarm["alarm_id"], f"seat {seat}") for seat in range(SEATS) for alarm in alarms]
        answers = await asyncio.gather(
            *(ask(client, f"/api/v1/alarms/{alarm}/acknowledge", operator=seat, seen=1) for alarm, seat in wishes)
        )
    assert Counter(status for status, _ in answers) == {200: ALARMS, 409: ALARMS * (SEATS - 1)}
    first = {alarm: seat for (alarm, seat), (status, _) in zip(wishes, answers, strict=True) if status == 200}
    assert set(first) == {alarm["alarm_id"] for alarm in alarms}
    for (alarm, _), (status, answer) in zip(wishes, answers, strict=True):
        said = answer["acknowledged_by"] if status == 200 else answer["error"]["what"]
        assert first[alarm] in said
    await plant.kill()
    await plant.start()
    after = await standing(plant, ALARMS, "acknowledged")
    assert {alarm["alarm_id"]: alarm["acknowledged_by"] for alarm in after} == first
    assert await stories(plant) == {
        alarm: [(1, "condition_active", "firewatch"), (2, "acknowledged", seat)] for alarm, seat in first.items()
    }


async def test_whatever_races_with_readings_that_clear_and_come_again_is_one_story(plant: Plant) -> None:
    """Every answer that something was done is a record, and no record is of anything else."""
    async with (
        plant.client() as mqtt,
        httpx.AsyncClient(base_url=plant.url, headers={"Origin": plant.url}, timeout=60) as client,
    ):
        for device in range(ALARMS):
            await plant.report(mqtt, f"p{device}", ON)
        alarms = await standing(plant, ALARMS, "unacknowledged")
        done: Counter[tuple[str, str, str]] = Counter()

        async def flutter() -> None:
            for value in (OFF, ON, OFF, ON, ON, OFF, ON):
                for device in range(ALARMS):
                    await plant.report(mqtt, f"p{device}", value)

        async def seat(name: str) -> None:
            for alarm in alarms:
                alarm_id = alarm["alarm_id"]
                for verb, reason, body in (
                    ("acknowledge", "acknowledged", {}),
                    ("confirm", "confirmed", {"verdict": "false"}),
                    ("shelve", "shelved", {"reason": "welding", "seconds": 600}),
                    ("unshelve", "unshelved", {}),
                ):
                    status, answer = await ask(client, f"/api/v1/alarms/{alarm_id}/{verb}", operator=name, **body)
                    assert status in (200, 409), answer
                    done[alarm_id, reason, name] += status == 200

        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(flutter())
            for number in range(5):
                tasks.create_task(seat(f"seat {number}"))
    await plant.kill()
    await plant.start()

    told = await stories(plant)
    for alarm, changes in told.items():
        assert [number for number, _, _ in changes] == [*range(1, len(changes) + 1)], alarm
    recorded = Counter((alarm, reason, by) for alarm, changes in told.items() for _, reason, by in changes)
    of_people = Counter({key: count for key, count in recorded.items() if key[2] != "firewatch"})
    assert of_people == +done
    await plant.until("the history says what stands", lambda: says_what_stands(plant))


async def says_what_stands(plant: Plant) -> bool:
    last = await plant.rows(
        "SELECT DISTINCT ON (alarm_id) alarm_id, alarm->>'state' FROM alarm_transition ORDER BY alarm_id, number DESC"
    )
    now = (await plant.get("/api/v1/alarms?limit=500"))["alarms"]
    return {(alarm, state) for alarm, state in last if state != "normal"} == {
        (alarm["alarm_id"], alarm["state"]) for alarm in now if alarm["state"] != "normal"
    }
