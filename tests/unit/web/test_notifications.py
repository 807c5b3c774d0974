from __future__ import annotations

from typing import Any

import httpx
import pytest
from msgspec.structs import replace

from firewatch.model.delivery import Delivery, DeliveryState, NotificationReason
from firewatch.ports import NotificationTarget
from tests.unit.broadcast.alarms import at
from tests.unit.web.conftest import ORIGIN

TARGET = NotificationTarget(
    target="chat",
    kind="webhook",
    ready=False,
    waiting=3,
    delivered=10,
    dead=1,
    failures=2,
    error="503",
    last_delivered_time=at(1),
    next_attempt_time=at(9),
)


def delivery(number: int, **fields: Any) -> Delivery:
    one = Delivery(
        f"d{number}", "chat", "a1", 1, NotificationReason.ONSET, created_time=at(number), due_time=at(number)
    )
    return replace(one, **fields)


async def post(client: httpx.AsyncClient, path: str, status: int = 200) -> Any:
    response = await client.post(path, json={"operator": "li"}, headers={"Origin": ORIGIN})
    assert response.status_code == status, response.text
    return response.json() if status == 200 else response.json()["error"]["what"]


async def listed(client: httpx.AsyncClient, query: str = "") -> tuple[list[str], str | None]:
    response = await client.get(f"/api/v1/deliveries{query}")
    assert response.status_code == 200, response.text
    page = response.json()
    return [each["delivery_id"] for each in page["deliveries"]], page["next"]


async def test_deliveries_are_listed_newest_first_by_state_alarm_and_target(world, client):
    world.history.write(
        [delivery(1), delivery(2, state=DeliveryState.DEAD), delivery(3, alarm_id="a2"), delivery(4, target="phone")]
    )
    assert await listed(client) == (["d4", "d3", "d2", "d1"], None)
    assert await listed(client, "?state=dead") == (["d2"], None)
    assert await listed(client, "?alarm_id=a1&target=chat") == (["d2", "d1"], None)


async def test_deliveries_come_in_pages(world, client):
    world.history.write([delivery(number) for number in range(5)])
    first, place = await listed(client, "?limit=3")
    assert first == ["d4", "d3", "d2"]
    assert await listed(client, f"?limit=3&before={place}") == (["d1", "d0"], None)


@pytest.mark.parametrize("query", ["?before=yesterday", "?before=2026-11-25T08:00:00,d1", "?state=lost", "?limit=0"])
async def test_what_cannot_be_asked_of_deliveries_is_refused(world, client, query):
    assert (await client.get(f"/api/v1/deliveries{query}")).status_code == 400


async def test_each_target_says_how_it_is(world, client):
    world.notifications.known = [TARGET]
    (target,) = (await client.get("/api/v1/notification-targets")).json()["targets"]
    assert (target["target"], target["ready"], target["waiting"], target["error"]) == ("chat", False, 3, "503")


async def test_an_operator_has_a_dead_delivery_sent_again(world, client):
    world.notifications.dead = {
        "d1": delivery(1, state=DeliveryState.DEAD),
        "d2": delivery(2, state=DeliveryState.DELIVERED),
    }
    assert (await post(client, "/api/v1/deliveries/d1/send-again"))["delivery_id"] == "d1"
    assert "not dead" in await post(client, "/api/v1/deliveries/d2/send-again", 409)
    assert await post(client, "/api/v1/deliveries/d3/send-again", 404) == "There is no such delivery."
    assert world.notifications.asked == [("d1", "li"), ("d2", "li"), ("d3", "li")]


async def test_an_operator_has_a_test_sent_and_the_answer_says_what_came_of_it(world, client):
    world.notifications.dead = {"t": delivery(1, reason=NotificationReason.TEST, error="no answer")}
    answer = await post(client, "/api/v1/notification-targets/chat/test")
    assert (answer["reason"], answer["error"]) == ("test", "no answer")
    assert await post(client, "/api/v1/notification-targets/mail/test", 404) == "There is no such target."


async def test_a_test_is_sent_for_nobody_without_a_name(world, client):
    response = await client.post("/api/v1/notification-targets/chat/test", json={}, headers={"Origin": ORIGIN})
    assert response.status_code == 400
    assert world.notifications.asked == []
