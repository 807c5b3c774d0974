"""Rules changed under a running daemon: by a file, a signal, a request; right ones and wrong ones."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.acceptance.plant import DEVICE, Plant, low, running

pytestmark = pytest.mark.slow

HOLDS = """\
    actions:
      active: [{device: door_controller, action: hold_door}]
      inactive: [{device: door_controller, action: release_door}]
"""


@pytest.fixture
async def plant(nats_url: str, dsn: str, tmp_path: Path) -> AsyncIterator[Plant]:
    plant = Plant(nats_url, dsn, tmp_path, ["p1", "p2"])
    plant.write_rules(low("low"), low("slow", on_delay="8s"), low("holding", more=HOLDS))
    async with running(plant) as plant:
        yield plant


def difference(reload: Any) -> dict[str, str]:
    return {rule["rule"]: rule["difference"] for rule in reload["report"]["rules"]}


async def test_a_file_that_an_editor_replaces_is_taken_over_and_what_did_not_change_goes_on(plant: Plant) -> None:
    async with plant.client() as client:
        onset = await plant.report(client, "p1", 0.05)
    held = await plant.alarm("holding")
    stays = await plant.alarm("low")
    assert [command["action"] for command in plant.commands] == ["hold_door"]

    plant.write_rules(low("low", limit=0.06), low("slow", on_delay="8s"), low("new"))
    [reload] = await plant.reloads(1)
    assert (reload["trigger"], reload["outcome"]) == ("files", "taken")
    assert difference(reload) == {"holding": "removed", "low": "changed", "new": "added"}
    assert reload["report"]["unchanged"] == 1
    assert "low:\n  - when.low.limit: 0.07 MPa\n  + when.low.limit: 0.06 MPa" in reload["difference"]

    assert await plant.reasons(held["alarm_id"], 2) == ["condition_active", "rule_removed"]
    await plant.until("the door is released", lambda: said(plant, "release_door"))
    assert (await plant.reasons(stays["alarm_id"], 2))[-1] == "condition_unknown"

    slow = await plant.alarm("slow")
    [begun] = (await plant.get(f"/api/v1/alarms/{slow['alarm_id']}/transitions"))["transitions"]
    assert datetime.fromisoformat(slow["onset_time"]) == onset
    assert abs(datetime.fromisoformat(begun["transition_time"]) - onset - timedelta(seconds=8)) < timedelta(seconds=1)

    await plant.kill()
    await plant.start()
    assert [each["trigger"] for each in await plant.reloads(1)] == ["files"], "a restart has nothing to reload"
    assert {each["rule"] for each in (await plant.get("/api/v1/alarms"))["alarms"]} == {"low", "slow"}


async def test_kill_9_between_a_reload_and_its_snapshot_neither_loses_nor_doubles_it(plant: Plant) -> None:
    """The inputs before it were judged by other rules than those on disk, and are replayed by them."""
    (plant.folder / "state" / "engine.unfinished").mkdir()  # no snapshot can be written any more
    async with plant.client() as client:
        await plant.report(client, "p1", 0.05)
        low_before, held = await plant.alarm("low"), await plant.alarm("holding")
        plant.write_rules(low("low", limit=0.04))
        taken = await plant.post("/api/v1/rules/reload", operator="Wang")
        if taken["outcome"] == "unchanged":  # the watch was quicker
            [taken] = await plant.reloads(1)
        await plant.kill()
        (plant.folder / "state" / "engine.unfinished").rmdir()
        await plant.start()

        assert await plant.get("/api/v1/rules/reloads") == {"reloads": [taken]}
        assert await plant.reasons(held["alarm_id"], 2) == ["condition_active", "rule_removed"]
        [standing] = (await plant.get("/api/v1/alarms"))["alarms"]
        assert (standing["alarm_id"], standing["condition"]) == (low_before["alarm_id"], "unknown")
        await plant.report(client, "p1", 0.05)
        reasons = await plant.reasons(low_before["alarm_id"], 3)
    assert reasons == ["condition_active", "condition_unknown", "condition_inactive"]
    await plant.until("the door is released", lambda: said(plant, "release_door"))
    assert len({command["id"] for command in plant.commands}) == 2, "held once, released once"


async def test_a_bad_file_changes_nothing_and_is_shown_until_it_is_mended(plant: Plant) -> None:
    async with plant.client() as client:
        await plant.report(client, "p1", 0.05)
    before = await plant.alarm("low")
    rules = (await plant.get("/api/v1/rules/state"))["rules"]
    assert await plant.metric("firewatch_refused_rules") == 0

    plant.write_rules(low("low").replace("priority: high", "priority: urgent"))
    [refused] = await plant.reloads(1)
    assert (refused["outcome"], refused["ordinal"], refused["report"]) == ("refused", None, None)
    state = await plant.get("/api/v1/rules/state")
    assert state["rules"] == rules, "the rules that ran still run"
    [problem] = state["problems"]
    assert (problem["file"].rpartition("/")[2], problem["line"]) == ("water.yaml", 6)
    assert "urgent" in problem["text"]
    assert (await plant.get("/readyz"))["ready"], "it watches as before"
    part = await part_named(plant, "rule files")
    assert not part["ready"]
    assert "are not the ones running" in part["detail"]
    assert "water.yaml:6:" in part["detail"]
    assert await plant.metric("firewatch_refused_rules") == 1
    assert (await plant.alarm("low"))["alarm_id"] == before["alarm_id"]

    plant.write_rules(low("low"), low("slow", on_delay="8s"), low("holding", more=HOLDS))

    async def mended() -> bool:
        return not (await plant.get("/api/v1/rules/state"))["problems"]

    await plant.until("the file is mended", mended)
    assert await plant.metric("firewatch_refused_rules") == 0
    assert (await part_named(plant, "rule files"))["ready"]
    assert len(await plant.reloads(1)) == 1, "what runs already needs no reload"
    assert await plant.reasons(before["alarm_id"], 1) == ["condition_active"]


async def test_a_signal_a_request_and_the_command_reload_and_say_who_asked(plant: Plant) -> None:
    asked = await plant.post("/api/v1/rules/reload", operator="Wang")
    assert (asked["outcome"], asked["by"]) == ("unchanged", "Wang")

    plant.hang_up()
    await plant.until("the log tells of the signal", lambda: logged(plant, "trigger=signal"))

    plant.write_rules(low("low"))
    await plant.post("/api/v1/rules/reload", operator="Wang")  # if the watch has not been quicker
    again = await plant.post("/api/v1/rules/reload", operator="Wang")
    assert again["outcome"] == "unchanged", "asking twice does nothing twice"
    [taken] = await plant.reloads(1)
    assert difference(taken) == {"holding": "removed", "slow": "removed"}
    assert taken["by"] == ("Wang" if taken["trigger"] == "operator" else "")

    result = await asyncio.to_thread(command, plant)
    assert (result.returncode, "run already" in result.stdout) == (0, True), result.stderr

    plant.site.write_text(plant.site.read_text() + DEVICE.format(device="p3"))
    result = await asyncio.to_thread(command, plant, "--json")
    assert result.returncode == 1
    answer = json.loads(result.stdout)
    assert (answer["outcome"], answer["by"]) == ("refused", "night shift")
    assert "restart" in answer["problems"][0]["text"]

    await plant.daemon.stop()
    await plant.start()
    newest = (await plant.reloads(2))[0]
    assert (newest["trigger"], newest["outcome"]) == ("start", "taken"), "the restart took it in"
    async with plant.client() as client:
        await plant.report(client, "p3", 0.05)
    assert (await plant.alarm("low"))["subject"] == "s/p3"


def command(plant: Plant, *options: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "firewatch", "reload", "--url", plant.url, "--operator", "night shift", *options],
        capture_output=True,
        text=True,
        timeout=60,
        env=plant.environment,
        check=False,
    )


async def said(plant: Plant, action: str) -> bool:
    return any(command["action"] == action for command in plant.commands)


async def logged(plant: Plant, text: str) -> bool:
    return text in plant.daemon.log.read_text()


async def part_named(plant: Plant, name: str) -> Any:
    parts = (await plant.get("/api/v1/status"))["parts"]
    return next(part for part in parts if part["name"] == name)
