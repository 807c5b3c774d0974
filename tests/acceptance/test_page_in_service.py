"""docs/first-changes.md against a running daemon: taken over, shadowed, promoted, refused, undone."""

from __future__ import annotations

import asyncio
import json
import shutil
from datetime import UTC, datetime
from pathlib import Path

import pytest

from firewatch.model.topic import Channel, Topic
from tests.acceptance.plant import Plant, running
from tests.walkthrough import Walkthrough

pytestmark = pytest.mark.slow


async def test_the_page_is_true_of_a_running_daemon(
    nats_url: str, dsn: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plant = Plant(nats_url, dsn, tmp_path, [])
    for setting, folder in (("SITES", "config/sites"), ("DEVICES", "config/devices"), ("RULES", "rules")):
        shutil.copytree(folder, tmp_path / folder, dirs_exist_ok=True)
        plant.environment[f"FIREWATCH_{setting}"] = folder
    plant.environment["FIREWATCH_VISION__ENABLED"] = "false"
    monkeypatch.chdir(tmp_path)
    for name, value in plant.environment.items():
        if name.startswith("FIREWATCH_"):
            monkeypatch.setenv(name, value)
    page = Walkthrough(left_out=("check", "test", "backtest", "rules"), added={})
    own = tmp_path / "rules" / "compound.yaml"

    async with running(plant):
        await asyncio.to_thread(page.walk, 3, 4)
        shutil.copy("new-rules/compound.yaml", own)
        await plant.reloads(1)
        await tell_a_pressure(plant)
        await asyncio.to_thread(page.walk, 6)

        own.write_text(own.read_text(encoding="utf-8").replace("    mode: shadow\n", ""), encoding="utf-8")
        promoted, taken = await plant.reloads(2)
        assert promoted["difference"] == "main-pump-unplanned:\n  - mode: shadow\n  + mode: live"
        assert "hydrant-pressure-low (sample/hydrant-a-roof):\n  - when.low.limit: 0.07 MPa" in taken["difference"]

        own.write_text(own.read_text(encoding="utf-8").replace("0.06 MPa}", "0.06 MPaa}"), encoding="utf-8")
        assert (await plant.reloads(3))[0]["outcome"] == "refused"
        await asyncio.to_thread(page.walk, 8)
    assert page.ran == ["reload", "explain", "explain", "reload", "status"]


async def tell_a_pressure(plant: Plant) -> None:
    async with plant.client() as client:
        topic = Topic(channel=Channel.TELEMETRY, site="sample", device="hydrant-a-roof").name()
        reading = {"time": datetime.now(UTC).isoformat(), "signal": "pressure", "value": 0.3}
        await client.publish(topic, json.dumps(reading), qos=1)

    async def heard() -> bool:
        told = await plant.get("/api/v1/explanations?rule=hydrant-pressure-low&subject=sample/hydrant-a-roof")
        return "Pressure is 0.3 MPa" in told["verdict"]["en"]

    await plant.until("the pressure is heard", heard)
