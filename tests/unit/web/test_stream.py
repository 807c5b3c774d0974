"""The live feed over a real socket."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator

import httpx
import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from firewatch.config.settings import HttpSettings
from firewatch.errors import StartError
from firewatch.web import server as server_module
from firewatch.web.feed import QUEUE_LIMIT
from tests.unit.web.world import ALARM_ID, World, until


@pytest.fixture
async def world() -> AsyncIterator[World]:
    world = World()
    world.address = await world.server.start()
    yield world
    await world.server.stop()


@contextlib.asynccontextmanager
async def listen(world: World, **options: object) -> AsyncIterator[ClientConnection]:
    async with connect(f"{world.address.replace('http', 'ws')}/api/v1/stream", **options) as connection:
        yield connection


async def heard(connection: ClientConnection, kind: str) -> dict:
    """The next message of a kind."""
    async with asyncio.timeout(5):
        while True:
            message = json.loads(await connection.recv())
            if message["type"] == kind:
                return message


@pytest.mark.slow
async def test_a_screen_hears_everything_first_and_then_what_happens(world):
    world.observe("sample/tank-1/level", 2.5)
    async with listen(world) as connection:
        first = json.loads(await connection.recv())
        assert first["type"] == "snapshot"
        [tank] = [device for device in first["devices"] if device["device"] == "tank-1"]
        assert tank["signals"][0]["last"]["value"] == 2.5
        world.alarm()
        assert (await heard(connection, "alarm"))["alarm"]["alarm_id"] == ALARM_ID
        world.command("sample/a-lift-2-door", "hold_door")
        assert (await heard(connection, "command"))["command"]["command"]["action"] == "hold_door"
        world.observe("sample/tank-1/level", 2.6)
        assert (await heard(connection, "observation"))["observations"][0]["value"] == 2.6
        world.reject("not_finite")
        assert (await heard(connection, "rejection"))["rejection"]["reason"] == "not_finite"


async def test_a_heartbeat_tells_the_time_and_the_parts(world, monkeypatch):
    monkeypatch.setattr(server_module, "HEARTBEAT_SECONDS", 0.01)
    async with listen(world) as connection:
        beat = await heard(connection, "heartbeat")
    assert beat["now"] == "2025-01-01T00:00:00Z"
    assert beat["parts"][0]["name"] == "broker"


async def test_a_heartbeat_comes_however_much_else_happens(world, monkeypatch):
    monkeypatch.setattr(server_module, "HEARTBEAT_SECONDS", 0.02)

    async def keep_talking() -> None:
        while True:
            world.command("sample/a-lift-2-door", "hold_door")
            await asyncio.sleep(0.001)

    async with listen(world) as connection, asyncio.TaskGroup() as group:
        talking = group.create_task(keep_talking())
        await heard(connection, "heartbeat")
        talking.cancel()


async def test_a_screen_too_slow_to_follow_is_given_a_new_snapshot(world):
    async with listen(world) as connection:
        await heard(connection, "snapshot")
        await until(lambda: world.feed.screens == 1, "the screen is connected")
        for _ in range(QUEUE_LIMIT + 1):
            world.command("sample/a-lift-2-door", "hold_door")
        world.alarm()
        assert (await heard(connection, "resynchronise"))["missed"] == QUEUE_LIMIT + 2
        assert [alarm["alarm_id"] for alarm in (await heard(connection, "snapshot"))["alarms"]] == [ALARM_ID]


async def test_a_history_that_never_answers_does_not_keep_the_snapshot_back(world, monkeypatch):
    async def never(**_: object) -> None:
        await asyncio.Event().wait()

    monkeypatch.setattr(server_module, "HISTORY_SECONDS", 0.01)
    monkeypatch.setattr(world.history, "commands", never)
    world.alarm()
    async with listen(world) as connection:
        assert len((await heard(connection, "snapshot"))["alarms"]) == 1


async def test_a_page_of_somebody_else_is_not_connected(world):
    with pytest.raises(InvalidStatus, match="403"):
        async with listen(world, origin="http://evil.example"):
            pass


async def test_our_own_page_is_connected(world):
    async with listen(world, origin=world.address) as connection:
        await heard(connection, "snapshot")


async def test_a_screen_that_leaves_is_forgotten(world):
    async with listen(world):
        await until(lambda: world.feed.screens == 1, "the screen is connected")
    await until(lambda: world.feed.screens == 0, "the screen is forgotten")


async def test_more_screens_than_the_limit_are_turned_away(world, monkeypatch):
    monkeypatch.setattr(server_module, "SCREEN_LIMIT", 1)
    async with listen(world) as first:
        await heard(first, "snapshot")
        with pytest.raises(InvalidStatus, match="403"):
            async with listen(world):
                pass


async def test_a_screen_that_sends_a_long_message_is_disconnected(world):
    async with listen(world) as connection:
        await connection.send("x" * 100_000)
        with pytest.raises(ConnectionClosed):
            await heard(connection, "never")
    await until(lambda: world.feed.screens == 0, "the screen is forgotten")


@pytest.mark.slow
async def test_stopping_closes_the_screens_and_frees_the_port(world):
    async with listen(world) as connection:
        await heard(connection, "snapshot")
        await world.server.stop()
        with pytest.raises(ConnectionClosed):
            await heard(connection, "never")
    async with httpx.AsyncClient() as client:
        with pytest.raises(httpx.ConnectError):
            await client.get(world.address)


async def test_stopping_twice_is_harmless(world):
    await world.server.stop()
    await world.server.stop()


async def test_a_port_in_use_is_an_error_that_says_what_to_do(world):
    port = int(world.address.rsplit(":", 1)[1])
    with pytest.raises(StartError, match=rf"{port}.*another http.port"):
        await World(settings=HttpSettings(port=port)).server.start()


async def test_an_overlong_address_is_refused_without_harm(world):
    async with httpx.AsyncClient(base_url=world.address) as client:
        response = await client.get("/api/v1/alarms?site=" + "x" * 60_000)
        assert response.status_code == 400
        assert (await client.get("/healthz")).status_code == 200
