"""`firewatch explain` against a daemon's real API."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import timedelta

import pytest
from click.testing import CliRunner, Result

from firewatch.cli.main import main
from tests.unit.engine.world import rule
from tests.unit.web.world import World

PRESSURE = "sample/hydrant-a-roof/pressure"
LOW = rule(
    "hydrant-pressure-low",
    {"device": "pressure_transmitter", "tags": ["hydrant"]},
    {"low": {"signal": "pressure", "limit": "0.07 MPa", "deadband": 0.005}},
    on_delay="10s",
    text={"zh": "{device}压力过低（{value} {unit}）", "en": "Low pressure at {device} ({value} {unit})"},
)
TRAPPED = rule("trapped", {"asset": "lift"}, {"high": {"signal": "lift_camera/person", "limit": 0.5}})

Explain = Callable[..., Awaitable[Result]]


@pytest.fixture
async def world() -> AsyncIterator[World]:
    world = World(rules=[LOW, TRAPPED])
    world.observe(PRESSURE, 0.05)
    world.clock.advance(timedelta(seconds=3))
    world.address = await world.server.start()
    yield world
    await world.server.stop()


@pytest.fixture
def explain(world: World, monkeypatch: pytest.MonkeyPatch) -> Explain:
    monkeypatch.setenv("LC_ALL", "en_GB.UTF-8")

    async def run(*arguments: str) -> Result:
        return await asyncio.to_thread(CliRunner().invoke, main, ["explain", *arguments, "--url", world.address])

    return run


async def test_a_rule_that_does_not_alarm_yet_is_told_with_every_reading_and_the_time_left(explain):
    result = await explain("hydrant-pressure-low", "hydrant-a-roof")
    assert result.exit_code == 0
    assert result.output.splitlines() == [
        "Low pressure at Tower A roof hydrant  (hydrant-pressure-low, sample/hydrant-a-roof)",
        "No alarm yet: Pressure is 0.05 MPa, below 0.07 MPa, since 08:00:00. It alarms in 7 s unless that ends.",
        "",
        "  ? for 10 s  (since 08:00:00, counts in 7 s)",
        "    ✓ Pressure below 0.07 MPa  (back at 0.075 MPa)",
        "        Tower A roof hydrant · Pressure: 0.05 MPa, good, 3 s ago",
    ]


async def test_a_rule_that_was_never_heard_from_says_so(explain):
    result = await explain("hydrant-pressure-low", "sample/hydrant-b-roof")
    assert "Pressure has not been heard yet" in result.output
    assert "Tower B roof hydrant · Pressure: never heard" in result.output


async def test_an_alarm_is_told_by_its_id(world, explain):
    world.clock.advance(timedelta(seconds=8))
    world.observe(PRESSURE, 0.05)
    [alarm] = world.live.alarms()
    result = await explain(alarm.alarm_id)
    assert "Alarm since 08:00:00: Pressure is 0.05 MPa, below 0.07 MPa." in result.output


async def test_it_speaks_chinese_to_those_who_read_it(explain, monkeypatch):
    monkeypatch.setenv("LC_ALL", "zh_CN.UTF-8")
    result = await explain("hydrant-pressure-low", "hydrant-a-roof")
    assert "尚未报警：压力为0.05 MPa，低于0.07 MPa，自08:00:00起。若持续不变，7秒后报警。" in result.output


async def test_a_device_of_an_asset_is_explained_by_the_rule_about_the_asset(explain):
    result = await explain("trapped", "a-lift-1-camera")
    assert "(trapped, sample/a-lift-1)" in result.output


async def test_the_whole_answer_can_be_had_as_json(explain):
    told = json.loads((await explain("hydrant-pressure-low", "hydrant-a-roof", "--json")).output)
    assert (told["rule"], told["subject"]) == ("hydrant-pressure-low", "sample/hydrant-a-roof")


MISTAKES = {
    "a rule misspelt": (("hydrant-presure-low", "hydrant-a-roof"), 'did you mean "hydrant-pressure-low"?', 1),
    "a rule about other things": (("trapped", "hydrant-a-roof"), "known: hydrant-pressure-low", 1),
    "a device no rule is about": (("trapped", "garage-co-1"), "no rule does", 1),
    "a device misspelt": (("trapped", "hydrant-a-rof"), 'did you mean "hydrant-a-roof"?', 1),
    "a site misspelt": (("trapped", "sampel/hydrant-a-roof"), 'did you mean "sample/hydrant-a-roof"?', 1),
    "no such alarm": (("00c0ffee",), "no alarm 00c0ffee", 1),
    "no id at all": (("../status",), "name its device too", 1),
    "too much": (("a", "b", "c"), "name an alarm, or a rule and a device", 2),
}


@pytest.mark.parametrize(("arguments", "message", "code"), MISTAKES.values(), ids=MISTAKES)
async def test_a_mistake_is_told_with_the_way_out(explain, arguments, message, code):
    result = await explain(*arguments)
    assert message in result.output
    assert result.exit_code == code


def test_without_a_daemon_it_says_how_to_start_one():
    result = CliRunner().invoke(main, ["explain", "a", "b", "--url", "http://127.0.0.1:9"])
    assert "start one with `firewatch run`" in result.output
    assert result.exit_code == 2
