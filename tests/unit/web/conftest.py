from __future__ import annotations

from collections.abc import AsyncIterator

import httpx
import pytest

from tests.unit.web.world import World

ORIGIN = "http://127.0.0.1:8080"


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture
async def client(world: World) -> AsyncIterator[httpx.AsyncClient]:
    """Asks the application without a network; faults come back as answers, as they would over one."""
    transport = httpx.ASGITransport(world.server.app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url=ORIGIN) as client:
        yield client
