"""Parts that fail are started again, and are ready again as soon as they run."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from firewatch.app import supervisor as supervisor_module
from firewatch.app.supervisor import Supervisor


@pytest.fixture
async def supervisor(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Supervisor]:
    monkeypatch.setattr(supervisor_module, "_FIRST_RETRY_SECONDS", 0.001)
    supervisor = Supervisor()
    yield supervisor
    await supervisor.stop("part")


class Part:
    """Fails (or ends, without an `error`) so many times at once, and then runs; notes whether it counted as ready."""

    def __init__(self, supervisor: Supervisor, fails: int, error: Exception | None) -> None:
        self.supervisor = supervisor
        self.fails = fails
        self.error = error
        self.was_ready: list[bool] = []
        self.runs = asyncio.Event()

    async def run(self) -> None:
        self.was_ready.append(self.supervisor.status()[0].ready)
        if len(self.was_ready) <= self.fails:
            if self.error is not None:
                raise self.error
            return
        self.runs.set()
        await asyncio.Event().wait()


@pytest.mark.parametrize("error", [OSError("no disk"), None], ids=["fails", "ends by itself"])
async def test_a_part_is_not_ready_while_it_fails_and_is_soon_after_it_runs_again(
    supervisor: Supervisor, error: Exception | None
) -> None:
    part = Part(supervisor, fails=4, error=error)
    supervisor.keep_running("part", part.run)
    async with asyncio.timeout(20):
        await part.runs.wait()
        assert part.was_ready == [True, False, False, False, False]
        assert "started again" in supervisor.status()[0].detail
        while not supervisor.status()[0].ready:
            await asyncio.sleep(0.001)
    assert supervisor.status()[0].detail == "running"


@pytest.mark.parametrize("vital", [True, False])
async def test_a_part_says_whether_firewatch_can_do_without_it(supervisor: Supervisor, vital: bool) -> None:
    part = Part(supervisor, fails=0, error=None)
    supervisor.keep_running("part", part.run, vital=vital)
    await part.runs.wait()
    assert supervisor.status()[0].vital is vital
