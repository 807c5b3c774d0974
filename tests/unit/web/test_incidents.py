"""Incidents over the API: which go on, what is in them, and a word on all of them."""

from __future__ import annotations

from datetime import timedelta

import httpx
import pytest

from firewatch.alarms.incident import Incident, kin_of
from firewatch.alarms.nuisance import Mark
from firewatch.errors import RefusedCommandError
from firewatch.model.alarm import Alarm, AlarmClass, AlarmState, Priority, TransitionReason
from firewatch.model.command import AcknowledgeIncident, OperatorCommand
from tests.unit.web.conftest import ORIGIN
from tests.unit.web.test_api import ask
from tests.unit.web.world import World

OWN_PAGE = {"Origin": ORIGIN}


def alarm(world: World, number: int, incident: str = "a1", **fields: object) -> Alarm:
    onset = world.clock.now() + timedelta(seconds=number)
    return world.alarm(alarm_id=f"a{number}", incident=incident, incident_number=number, onset_time=onset, **fields)


def goes_on(world: World, first: Alarm, count: int) -> Incident:
    now = world.clock.now()
    incident = Incident(first.incident, kin_of(first), first, now, now + timedelta(minutes=1), count=count)
    world.live.going_on.append(incident)
    return incident


async def test_an_incident_is_told_in_numbers_with_its_first_out(world: World, client: httpx.AsyncClient) -> None:
    first = alarm(world, 1)
    alarm(world, 2, building="tower-b", priority=Priority.LOW, alarm_class=AlarmClass.FIRE)
    alarm(world, 3, state=AlarmState.ACKNOWLEDGED, system="water")
    alarm(world, 4, hidden=True, suppressed_by="a1", priority=Priority.HIGHEST)
    over = world.change(alarm(world, 5), TransitionReason.CONDITION_INACTIVE, state=AlarmState.NORMAL)
    goes_on(world, first, 5)
    goes_on(world, alarm(world, 9, incident="a9"), 1)
    [newest, incident] = (await ask(client, "/api/v1/incidents"))["incidents"]
    assert newest["incident"] == "a9"
    assert (incident["incident"], incident["first_out"]["alarm_id"]) == ("a1", "a1")
    counts = [incident[name] for name in ("count", "standing", "unacknowledged", "hidden")]
    assert counts == [5, 4, 2, 1], "the hidden one calls for nobody"
    assert (incident["priority"], incident["alarm_class"]) == ("highest", "fire")
    assert incident["buildings"] == ["tower-a", "tower-b"]
    assert incident["systems"] == ["lift", "water"]
    assert over.alarm_id == "a5"


async def test_the_alarms_of_an_incident_are_paged_those_that_are_over_as_well(
    world: World, client: httpx.AsyncClient
) -> None:
    first = alarm(world, 1)
    world.change(alarm(world, 2), TransitionReason.CONDITION_INACTIVE, state=AlarmState.NORMAL)
    alarm(world, 3)
    alarm(world, 4, incident="another")
    goes_on(world, first, 3)
    page = await ask(client, "/api/v1/incidents/a1?limit=2")
    rest = await ask(client, f"/api/v1/incidents/a1?limit=2&before={page['next']}")
    assert [each["alarm_id"] for each in page["alarms"] + rest["alarms"]] == ["a3", "a2", "a1"]
    assert page["incident"]["count"] == 3
    assert rest["next"] is None
    by_filter = await ask(client, "/api/v1/alarms?incident=a1")
    assert [each["alarm_id"] for each in by_filter["alarms"]] == ["a3", "a1"]


async def test_an_incident_that_is_over_is_found_by_its_alarms(world: World, client: httpx.AsyncClient) -> None:
    for number in (1, 2):
        world.change(alarm(world, number), TransitionReason.CONDITION_INACTIVE, state=AlarmState.NORMAL)
    page = await ask(client, "/api/v1/incidents/a1")
    assert (page["incident"], [each["incident_number"] for each in page["alarms"]]) == (None, [2, 1])
    assert "no incident nothing" in (await ask(client, "/api/v1/incidents/nothing", 404))["error"]["what"]
    assert (await ask(client, "/api/v1/incidents/a1?before=now", 400))["error"]["hint"].startswith("Send `next`")


async def test_what_wears_people_out_is_marked_on_every_page(world: World, client: httpx.AsyncClient) -> None:
    alarm(world, 1)
    alarm(world, 2)
    world.live.marked = {"a1": (Mark.CHATTERING, Mark.STALE), "elsewhere": (Mark.FLEETING,)}
    for path in ("/api/v1/alarms", "/api/v1/incidents/a1"):
        assert (await ask(client, path))["marks"] == {"a1": ["chattering", "stale"]}


async def test_an_operator_acknowledges_what_they_have_seen_of_an_incident(
    world: World, client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[OperatorCommand] = []

    async def submit(command: OperatorCommand) -> tuple[Alarm, ...]:
        if seen:
            raise RefusedCommandError("none waits to be acknowledged")
        seen.append(command)
        return (alarm(world, 1), alarm(world, 2))

    monkeypatch.setattr(world, "submit", submit)
    path, body = "/api/v1/incidents/a1/acknowledge", {"operator": "Wang", "seen": 2, "comment": "on my way"}
    answer = await client.post(path, json=body, headers=OWN_PAGE)
    assert [each["alarm_id"] for each in answer.json()["alarms"]] == ["a1", "a2"]
    assert seen == [AcknowledgeIncident("a1", "Wang", 2, "on my way")]
    assert (await client.post(path, json=body, headers=OWN_PAGE)).status_code == 409
    assert (await client.post(path, json=body | {"seen": 0}, headers=OWN_PAGE)).status_code == 400
    assert (await client.post(path, json=body, headers={"Origin": "https://elsewhere.example"})).status_code == 403
