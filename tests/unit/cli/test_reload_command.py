"""`firewatch reload` against a daemon's real API."""

from __future__ import annotations

import asyncio
import getpass
import os
from collections.abc import AsyncIterator

import pytest
from click.testing import CliRunner, Result

from firewatch.cli.main import main
from tests.unit.web.world import World


@pytest.fixture
async def world() -> AsyncIterator[World]:
    world = World()
    world.address = await world.server.start()
    yield world
    await world.server.stop()


async def reload(*arguments: str) -> Result:
    return await asyncio.to_thread(CliRunner().invoke, main, ["reload", *arguments])


async def test_an_address_may_be_pasted_as_the_demo_prints_it(world: World) -> None:
    result = await reload("--url", f"{world.address}/", "--operator", "Wang")
    assert result.exit_code == 0, result.output
    assert world.rules.asked_by == ["Wang"]


async def test_a_user_without_a_name_reloads_too(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    def nameless() -> str:
        raise KeyError("getpwuid(): uid not found: 10001")

    monkeypatch.setattr(getpass, "getuser", nameless)
    result = await reload("--url", world.address)
    assert result.exit_code == 0, result.output
    assert world.rules.asked_by == [f"user {os.getuid()}"]
