"""Drills over the API, and by the command that asks it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import httpx
import msgspec
import pytest
from click.testing import CliRunner, Result

from firewatch.alarms.deadline import Verdict
from firewatch.alarms.drill import DrillNews, DrillReport, Expected
from firewatch.cli.main import main
from firewatch.model.control_room import Drill
from firewatch.model.drill import DrillOutcome, DrillPlan, Expectation
from firewatch.model.text import LocalText
from tests.unit.broadcast.alarms import at
from tests.unit.web.conftest import ORIGIN
from tests.unit.web.world import World

LABEL = LocalText("车库火灾", "A garage fire")
PLAN = DrillPlan("fire", LABEL, "sample", (), frozenset(), frozenset(), (), timedelta(minutes=1))
MET = Expected(Expectation(timedelta(seconds=5), rule="smoke", subject="sample/a"), at(5), at(2), Verdict.PASS)
REPORT = DrillReport(LABEL, "sample", passed=True, detail="", expected=(MET,))
OVER = Drill("d1", "fire", at(0), "Wang", at(9), DrillOutcome.COMPLETED, msgspec.json.encode(REPORT).decode())


async def post(client: httpx.AsyncClient, path: str, status: int = 200, **body: str) -> Any:
    response = await client.post(f"/api/v1/{path}", json=body, headers={"Origin": ORIGIN})
    assert response.status_code == status, response.text
    return response.json()


async def get(client: httpx.AsyncClient, path: str, status: int = 200) -> Any:
    response = await client.get(f"/api/v1/{path}")
    assert response.status_code == status, response.text
    return response.json()


async def test_plans_are_listed_and_run(world, client):
    world.drills.known = [PLAN]
    assert [plan["plan"] for plan in (await get(client, "drill-plans"))["plans"]] == ["fire"]
    assert (await post(client, "drills", plan="fire", operator="Wang"))["by"] == "Wang"


async def test_what_cannot_be_run_is_refused_with_a_reason(world, client):
    world.drills.known = [PLAN]
    world.drills.refusal = "A real alarm calls for somebody."
    assert (await post(client, "drills", 409, plan="fire", operator="Wang"))["error"]["what"] == world.drills.refusal
    await post(client, "drills", 404, plan="water", operator="Wang")
    await post(client, "drills/d1/stop", 409, operator="Wang")


async def test_a_drill_that_is_over_is_read_with_its_report(world, client):
    world.history.write([OVER])
    [listed] = (await get(client, "drills"))["drills"]
    assert (listed["drill_id"], listed["report"]) == ("d1", "")
    found = await get(client, "drills/d1")
    assert found["drill"]["outcome"] == "completed"
    assert found["report"]["expected"][0]["verdict"] == "pass"
    await get(client, "drills/d2", 404)


async def test_a_drill_that_goes_on_is_read_as_it_stands(world, client):
    drill = Drill("d3", "fire", at(0), "Wang")
    world.drills.going, world.drills.report = DrillNews(drill, LABEL, "sample", at(60)), REPORT
    found = await get(client, "drills/d3")
    assert (found["drill"]["ended_time"], found["report"]["passed"]) == (None, True)


@pytest.fixture
async def served() -> AsyncIterator[World]:
    world = World()
    world.address = await world.server.start()
    yield world
    await world.server.stop()


async def drill(world: World, *arguments: str) -> Result:
    command = ["drill", arguments[0], "--url", world.address, *arguments[1:]]
    return await asyncio.to_thread(CliRunner().invoke, main, command, env={"LANG": "en_GB.UTF-8", "LC_ALL": ""})


async def test_the_command_runs_ends_and_tells_of_drills(served: World) -> None:
    served.drills.known = [PLAN]
    served.history.write([OVER])
    assert "A garage fire" in (await drill(served, "plans")).output
    assert (await drill(served, "start", "fire", "--operator", "Wang")).output == "The drill fire goes on: d1\n"
    assert (await drill(served, "stop")).exit_code == 0
    told = await drill(served, "report")
    assert told.exit_code == 0, told.output
    assert "completed by its plan" in told.output
    assert "pass       2.00 s  smoke about sample/a" in told.output
    assert json.loads((await drill(served, "report", "d1", "--json")).output)["report"]["passed"]


async def test_the_command_says_what_was_refused(served: World) -> None:
    served.drills.refusal = "Another one goes on."
    refused = await drill(served, "start", "fire")
    assert refused.exit_code == 1
    assert "Another one goes on." in refused.output
    assert "no drill yet" in (await drill(served, "report")).output
