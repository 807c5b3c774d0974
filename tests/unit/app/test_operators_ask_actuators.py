from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from firewatch.errors import RefusedCommandError
from firewatch.model.command import Actuate
from tests.unit.app.test_loop_and_recovery import Daemon

HOLD = Actuate("s/door", "hold_door", {}, "seat 1", "a wheelchair")


async def test_it_is_asked_at_once_and_both_are_in_the_history_with_who_asked(tmp_path: Path) -> None:
    daemon = Daemon(tmp_path)
    await daemon.boot()
    async with daemon.running():
        assert await daemon.loop.submit(HOLD) == ()
        assert daemon.commands_sent == ["hold_door"]
    (record,) = await daemon.history.commands(cause="operator:seat 1")
    assert (record.command.device, record.command.rule) == ("s/door", "")
    assert HOLD in [taken.command async for taken in daemon.history.inputs_after(0)]


async def test_what_is_refused_is_not_sent(tmp_path: Path) -> None:
    daemon = Daemon(tmp_path)
    await daemon.boot()
    async with daemon.running():
        with pytest.raises(RefusedCommandError):
            await daemon.loop.submit(Actuate("s/door", "sing", {}, "seat 1"))
        assert daemon.commands_sent == []


async def test_a_restart_asks_again_for_no_more_than_the_last_of_what_an_operator_asked(tmp_path: Path) -> None:
    daemon = Daemon(tmp_path)
    await daemon.boot()
    async with daemon.running():
        for _ in range(120):
            daemon.clock.advance(timedelta(milliseconds=1))
            await daemon.loop.submit(HOLD)
        assert len(daemon.commands_sent) == 120
    await daemon.boot()
    assert daemon.commands_sent == ["hold_door"]
