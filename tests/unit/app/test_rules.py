"""The keeper of the rules: what of the files is taken over, what is refused, and what it costs nobody."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest

from firewatch.app import rules as rules_module
from firewatch.app.rules import RulesKeeper
from firewatch.app.snapshots import SnapshotKeeper
from firewatch.config.project import load_project
from firewatch.config.settings import Settings
from firewatch.engine.reload import Tally
from firewatch.model.reload import ReloadOutcome, ReloadTrigger
from firewatch.storage import rule_set as rule_set_module
from firewatch.storage.rule_set import RuleSet
from firewatch.telemetry.events import RuleFilesUnwatched
from tests.acceptance.plant import DEVICE, KINDS, SITE, low
from tests.unit.app.test_loop_and_recovery import Daemon


class Kept(Daemon):
    """A loop among fakes whose rules come from files."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder / "state")
        self.settings = Settings(rules=folder / "rules", sites=folder / "sites", devices=folder / "devices")
        for path, content in (
            (self.settings.rules, f"rules:\n{low('low')}"),
            (self.settings.sites, SITE + DEVICE.format(device="p1")),
            (self.settings.devices, KINDS),
        ):
            path.mkdir()
            (path / "all.yaml").write_text(content)

    def write(self, rules: str) -> None:
        (self.settings.rules / "all.yaml").write_text(rules)

    async def keep(self) -> None:
        project = load_project(self.settings)
        running = RuleSet(project.rules, project.inventory)
        await self.boot(*project.rules)
        self.rules = RulesKeeper(
            self.settings,
            running,
            project.stamp,
            self.loop,
            self.clock,
            self.history,
            SnapshotKeeper(self.loop, self.history, self.snapshots, self.telemetry),
            self.kept_rules,
            self.telemetry,
        )

    def refused(self) -> float | None:
        return self.telemetry.registry.get_sample_value("firewatch_refused_rules")


@pytest.fixture
async def kept(tmp_path: Path) -> AsyncIterator[Kept]:
    kept = Kept(tmp_path)
    await kept.keep()
    async with kept.running():
        yield kept


async def test_right_rules_are_taken_over_kept_for_a_restart_and_recorded(kept: Kept) -> None:
    kept.write(f"rules:\n{low('low', limit=0.05)}{low('new')}")
    taken = await kept.rules.reload("Wang")
    assert (taken.outcome, taken.by, taken.ordinal) == (ReloadOutcome.TAKEN, "Wang", 1)
    assert await kept.history.reloads() == [taken]
    snapshot = kept.snapshots.read()
    assert snapshot is not None
    assert (snapshot.ordinal, snapshot.rules) == (1, taken.rules)
    assert kept.kept_rules.read(taken.rules) is not None
    assert kept.rules.state().count == 2


@pytest.mark.parametrize(
    ("rules", "says"),
    [
        (low("low").replace("low:", "lower:"), "all.yaml:4"),
        ("  - [", "all.yaml:"),
        ("  []", "there are no rules any more"),
        (low("low").replace("pressure_transmitter", "nothing"), "nothing"),
    ],
    ids=["grammar", "syntax", "none left", "unknown kind"],
)
async def test_wrong_rules_change_nothing_and_are_shown_until_they_are_mended(
    kept: Kept, rules: str, says: str
) -> None:
    right = (kept.settings.rules / "all.yaml").read_text()
    before = kept.loop.snapshot()
    kept.write(f"rules:\n{rules}")
    refused = await kept.rules.reload("Wang")
    assert refused.outcome is ReloadOutcome.REFUSED
    assert says in refused.problems[0].text
    assert await kept.history.reloads() == [refused]
    assert kept.loop.snapshot() == before
    assert says in kept.rules.status().detail
    assert not kept.rules.status().vital
    assert kept.rules.state().problems == refused.problems
    assert kept.refused() == 1

    kept.write(right)
    assert (await kept.rules.reload("Wang")).outcome is ReloadOutcome.UNCHANGED
    assert kept.rules.status().ready
    assert kept.rules.state().problems == ()
    assert kept.refused() == 0
    assert await kept.history.reloads() == [refused], "what changes nothing is no reload"


async def test_another_inventory_is_refused_with_the_way_out(kept: Kept) -> None:
    (kept.settings.sites / "all.yaml").write_text(SITE + DEVICE.format(device="p2"))
    refused = await kept.rules.reload("Wang")
    assert refused.outcome is ReloadOutcome.REFUSED
    assert "restart firewatch" in refused.problems[0].text


async def test_what_nobody_foresaw_is_refused_like_a_mistake(kept: Kept, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise RecursionError("too deep")

    monkeypatch.setattr(rules_module, "prepare", fail)
    kept.write(f"rules:\n{low('new')}")
    refused = await kept.rules.reload("Wang")
    assert refused.outcome is ReloadOutcome.REFUSED
    assert "RecursionError: too deep" in refused.problems[0].text


async def test_a_takeover_that_fails_is_refused_and_the_rules_before_go_on(
    kept: Kept, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise ZeroDivisionError("half way")

    before = kept.loop.snapshot()
    kept.write(f"rules:\n{low('new')}")
    with monkeypatch.context() as broken:
        broken.setattr(Tally, "report", fail)
        refused = await kept.rules.reload("Wang")
    assert refused.outcome is ReloadOutcome.REFUSED
    assert "ZeroDivisionError: half way" in kept.rules.status().detail
    assert kept.loop.snapshot() == before
    assert (await kept.rules.reload("Wang")).ordinal == 1


async def test_alarms_go_on_while_files_are_read(kept: Kept, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever reading costs, the loop takes the next input meanwhile."""
    loop = asyncio.get_running_loop()
    reading, heard = asyncio.Event(), asyncio.Event()
    read = rules_module.read_project

    def slow(settings: Settings) -> object:
        loop.call_soon_threadsafe(reading.set)
        asyncio.run_coroutine_threadsafe(heard.wait(), loop).result(timeout=10)
        return read(settings)

    monkeypatch.setattr(rules_module, "read_project", slow)
    kept.write(f"rules:\n{low('new')}")
    reload = asyncio.ensure_future(kept.rules.reload("Wang"))
    await reading.wait()
    messages = await kept.hear(b"true")
    assert kept.source.acknowledged == messages
    heard.set()
    assert (await reload).ordinal == 2, "the reload is an input after it"


async def test_nothing_of_a_reload_but_the_takeover_is_done_by_the_thread_that_takes_inputs(
    kept: Kept, monkeypatch: pytest.MonkeyPatch
) -> None:
    threads: dict[str, threading.Thread] = {}

    def noted(name: str, function: Callable[..., Any]) -> Callable[..., Any]:
        def note(*arguments: Any) -> Any:
            threads[name] = threading.current_thread()
            return function(*arguments)

        return note

    for name in ("read_project", "prepare", "difference"):
        monkeypatch.setattr(rules_module, name, noted(name, getattr(rules_module, name)))
    monkeypatch.setattr(rule_set_module, "_encode", noted("_encode", rule_set_module._encode))
    kept.write(f"rules:\n{low('new')}")
    assert (await kept.rules.reload("Wang")).outcome is ReloadOutcome.TAKEN
    assert len(threads) == 4
    assert threading.current_thread() not in threads.values()


async def test_two_who_ask_at_once_reload_once(kept: Kept) -> None:
    kept.write(f"rules:\n{low('new')}")
    outcomes = await asyncio.gather(kept.rules.reload("Wang"), kept.rules.reload("Li"))
    assert [each.outcome for each in outcomes] == [ReloadOutcome.TAKEN, ReloadOutcome.UNCHANGED]


async def test_a_disk_that_takes_no_snapshot_does_not_undo_the_reload(
    kept: Kept, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "no space")

    monkeypatch.setattr(kept.snapshots, "write", full)
    kept.write(f"rules:\n{low('new')}")
    assert (await kept.rules.reload("Wang")).outcome is ReloadOutcome.TAKEN


async def test_files_that_changed_while_firewatch_started_are_seen(kept: Kept) -> None:
    kept.write(f"rules:\n{low('new')}")
    watching = asyncio.ensure_future(kept.rules.run())
    async with asyncio.timeout(20):
        while not (reloads := await kept.history.reloads()):
            await asyncio.sleep(0.01)
    watching.cancel()
    await asyncio.gather(watching, return_exceptions=True)
    [taken] = reloads
    assert (taken.trigger, taken.by) == (ReloadTrigger.FILES, "")


async def test_a_folder_that_cannot_be_watched_is_looked_at_instead_and_told_of_once(
    kept: Kept, monkeypatch: pytest.MonkeyPatch
) -> None:
    looked = 0
    told: list[object] = []

    def unwatched(*_: object, **__: object) -> None:
        nonlocal looked
        looked += 1
        raise OSError("inotify limit reached")

    monkeypatch.setattr(kept.telemetry, "emit", told.append)
    monkeypatch.setattr(rules_module, "awatch", unwatched)
    monkeypatch.setattr(rules_module, "LOOK_AGAIN", rules_module.QUIET / 40)
    watching = asyncio.ensure_future(kept.rules.run())
    await asyncio.sleep(0)
    kept.write(f"rules:\n{low('new')}")
    async with asyncio.timeout(20):
        while not await kept.history.reloads() or looked < 3:
            await asyncio.sleep(0.01)
    watching.cancel()
    await asyncio.gather(watching, return_exceptions=True)
    assert [each for each in told if isinstance(each, RuleFilesUnwatched)] == [
        RuleFilesUnwatched(reason="inotify limit reached")
    ]
