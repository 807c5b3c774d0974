"""What the API says of the work that alarms make, and of alarms that were late."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import httpx
import pytest
from msgspec.structs import replace

from firewatch.alarms.workload import Workload
from firewatch.model.alarm import AlarmClass, AlarmClock, AlarmTransition, Stage, StageReached, TransitionReason
from firewatch.model.delivery import Delivery, NotificationReason
from tests.unit.alarms.workloads import OWN, change
from tests.unit.web.world import World


async def ask(client: httpx.AsyncClient, path: str, status: int = 200) -> Any:
    response = await client.get(path)
    assert response.status_code == status, response.text
    return response.json()


def onset(
    world: World, alarm_id: str, *, seconds_ago: float, shown_after: float = 0.1, drill: str | None = None
) -> AlarmTransition:
    """A fire alarm of some time ago, as it is written when people are told of it."""
    begun = world.clock.now() - timedelta(seconds=seconds_ago)
    clock = AlarmClock(begun, begun, begun, annunciated_time=begun + timedelta(seconds=shown_after))
    told = change(0, told=OWN, alarm_class=AlarmClass.FIRE, drill=drill)
    alarm = replace(told.alarm, alarm_id=alarm_id, onset_time=begun, clock=clock)
    return replace(told, alarm_id=alarm_id, number=1, transition_time=begun, alarm=alarm)


def moment(time: datetime) -> str:
    return time.isoformat().replace("+00:00", "Z")


async def test_the_workload_of_a_seat_comes_with_what_the_standards_want_of_it(world, client):
    workload = world.workloads.workload = Workload(world.clock.now())
    for number in range(11):
        told = change(0, f"s/{number}", told=OWN)
        workload.take(replace(told, transition_time=world.clock.now()))
    view = await ask(client, "/api/v1/workload?seat=control-room")
    assert (view["seat"], view["label"]["en"]) == ("control-room", "Control room")
    assert view["figures"]["current_alarm_rate"] == {"of_their_own": 11, "grouped": 0}
    assert view["figures"]["in_flood"] is True
    peak = next(one for one in view["judgements"] if one["aim"] == "most_in_10_minutes")
    assert (peak["value"], peak["limit"], peak["is_met"]) == (11, 10, False)
    assert "ISA-18.2" in peak["source"]


async def test_it_says_when_the_workload_is_not_counted_yet(world, client):
    view = await ask(client, "/api/v1/workload")
    assert (view["figures"], view["judgements"]) == (None, [])


async def test_a_seat_that_is_not_there_is_named(client):
    refusal = await ask(client, "/api/v1/workload?seat=nobody", 404)
    assert "nobody" in refusal["error"]["what"]
    assert "control-room" in refusal["error"]["hint"]


async def test_the_stages_of_an_alarm_are_held_against_their_limits(world, client):
    told = onset(world, "late", seconds_ago=60)
    delivery = Delivery("d1", "centre", "late", 1, NotificationReason.ONSET, told.transition_time, told.transition_time)
    arrived = StageReached("late", Stage.DELIVERED, told.transition_time + timedelta(seconds=30), "centre")
    seen = replace(told, number=2, reason=TransitionReason.ACKNOWLEDGED, transition_time=world.clock.now())
    world.history.write([told, delivery, arrived, replace(seen, annunciation=None)])
    (measured,) = (await ask(client, "/api/v1/alarms/late/deadlines"))["measured"]
    assert (measured["verdict"], measured["slow_stage"]) == ("late", "delivered")
    assert [step["stage"] for step in measured["steps"]][-1] == "delivered"
    assert measured["acknowledged_time"] == moment(world.clock.now())
    clauses = {one["limit"]["clause"] for one in measured["deadlines"] if one["verdict"] == "late"}
    assert clauses == {"GB 25506-2010, GB 26875.1-2011"}


async def test_an_alarm_that_nobody_was_told_of_has_no_way_and_one_that_is_not_there_is_not_found(world, client):
    world.alarm(alarm_id="hidden")
    assert (await ask(client, "/api/v1/alarms/hidden/deadlines"))["measured"] == []
    await ask(client, "/api/v1/alarms/unheard-of/deadlines", 404)


async def test_late_alarms_of_a_range_are_listed_newest_first(world, client):
    world.history.write(
        [
            onset(world, "older", seconds_ago=3000, shown_after=20),
            onset(world, "newer", seconds_ago=300, shown_after=5),
            onset(world, "in-time", seconds_ago=200),
            onset(world, "long-ago", seconds_ago=9000, shown_after=20),
            onset(world, "drill", seconds_ago=100, shown_after=20, drill="d1"),
        ]
    )
    found = await ask(client, "/api/v1/deadlines")
    assert (found["alarms"], found["late"], found["not_yet"]) == (3, 2, 0)
    assert [one["alarm_id"] for one in found["measured"]] == ["newer", "older"]
    assert found["measured"][0]["slow_stage"] == "annunciated"
    start, end = (moment(world.clock.now() - timedelta(hours=hours)) for hours in (3, 2))
    assert [
        one["alarm_id"] for one in (await ask(client, f"/api/v1/deadlines?start={start}&end={end}"))["measured"]
    ] == ["long-ago"]


@pytest.mark.parametrize(("hours", "status"), [(24, 200), (25, 400), (-1, 400)])
async def test_a_range_of_deadlines_is_bounded(world, client, hours: int, status: int):
    start = moment(world.clock.now() - timedelta(hours=hours))
    await ask(client, f"/api/v1/deadlines?start={start}&end={moment(world.clock.now())}", status)
