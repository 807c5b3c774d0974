"""The process that plays backtests for the console, and the desk that keeps one going at a time."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace

import pytest

from firewatch.app.backtests import KEPT, BacktestDesk
from firewatch.config.settings import Settings
from firewatch.errors import BusyError
from firewatch.ports import BacktestPhase, BacktestState, BacktestWish
from firewatch.storage.rule_set import RuleSet
from firewatch.testing.clock import START, FakeClock
from tests.unit.web.world import CONFIG, INVENTORY, until

NOBODY = "postgresql://127.0.0.1:9/none"
WISH = BacktestWish(START - timedelta(days=1), START, "live", "Wang")


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[BacktestDesk]:
    settings = Settings(sites=CONFIG / "sites", devices=CONFIG / "devices", rules=tmp_path)
    keeper = SimpleNamespace(running=RuleSet((), INVENTORY))
    desk = BacktestDesk(settings, keeper, NOBODY, FakeClock())  # type: ignore[arg-type]
    running = asyncio.ensure_future(desk.run())
    yield desk
    running.cancel()
    with suppress(asyncio.CancelledError):
        await running


def newest(desk: BacktestDesk) -> BacktestState:
    return desk.all()[0]


@pytest.mark.slow
async def test_what_cannot_be_done_is_told_with_its_reason_and_the_next_may_begin(desk, tmp_path):
    desk.start(WISH)
    await until(lambda: newest(desk).phase is BacktestPhase.FAILED, "it never ended", 60)
    assert "127.0.0.1" in newest(desk).error
    (tmp_path / "wrong.yaml").write_text("version: 1\nrules:\n  - id: low\n")
    desk.start(WISH)
    await until(lambda: newest(desk).phase is BacktestPhase.FAILED, "it never ended", 60)
    assert "wrong.yaml" in newest(desk).error


@pytest.mark.slow
async def test_one_goes_on_at_a_time_and_one_given_up_makes_room(desk):
    asked = desk.start(WISH)
    with pytest.raises(BusyError):
        desk.start(WISH)
    desk.cancel("another")
    assert newest(desk).phase is BacktestPhase.RUNNING
    desk.cancel(asked.backtest_id)
    assert newest(desk).phase is BacktestPhase.CANCELLED
    again = desk.start(WISH)
    await until(lambda: newest(desk).phase is BacktestPhase.FAILED, "it never ended", 60)
    assert newest(desk).backtest_id == again.backtest_id


async def test_only_the_last_few_are_kept(desk):
    names = []
    for _ in range(KEPT + 2):
        names.append(desk.start(WISH).backtest_id)
        desk.cancel(names[-1])
    assert [one.backtest_id for one in desk.all()] == names[: -KEPT - 1 : -1]
