"""`firewatch notify test` against a daemon's real API."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator

import pytest
from click.testing import CliRunner, Result
from msgspec.structs import replace

from firewatch.cli.main import main
from firewatch.model.delivery import Delivery, DeliveryState, NotificationReason
from tests.unit.broadcast.alarms import at
from tests.unit.web.world import World

TAKEN = Delivery(
    "test-1", "chat", "", 0, NotificationReason.TEST, at(0), at(0), state=DeliveryState.DELIVERED, attempts=1
)


@pytest.fixture
async def world() -> AsyncIterator[World]:
    world = World()
    world.address = await world.server.start()
    yield world
    await world.server.stop()


async def notify(world: World, *arguments: str) -> Result:
    command = ["notify", "test", "--url", world.address, "--operator", "Wang", *arguments]
    return await asyncio.to_thread(CliRunner().invoke, main, command)


async def test_a_test_that_arrived_is_told_so(world: World) -> None:
    world.notifications.dead = {"one": TAKEN}
    result = await notify(world, "chat")
    assert (result.exit_code, result.output) == (0, "chat took the test.\n")
    assert world.notifications.asked == [("chat", "Wang")]


async def test_a_test_that_did_not_arrive_says_why(world: World) -> None:
    world.notifications.dead = {"one": replace(TAKEN, state=DeliveryState.DEAD, error="no answer within 10 s")}
    result = await notify(world, "chat")
    assert (result.exit_code, result.output) == (1, "chat did not take the test: no answer within 10 s\n")
    assert json.loads((await notify(world, "chat", "--json")).output)["state"] == "dead"


async def test_a_target_that_there_is_not_is_refused_with_the_way_out(world: World) -> None:
    result = await notify(world, "chatt")
    assert result.exit_code == 1
    assert "There is no such target." in result.output
