from __future__ import annotations

from typing import Any

import httpx
import pytest

from firewatch.model.alarm import Alarm
from firewatch.model.command import Actuate, OperatorCommand
from tests.unit.web.conftest import ORIGIN
from tests.unit.web.world import World

DOOR = "/api/v1/actuators/sample/a-lift-1-door/commands"
SPEAKER = "/api/v1/actuators/sample/a-lift-1-loudspeaker/commands"
IN_TOWER_A = ["sample/a-lift-1-loudspeaker", "sample/a-lift-2-loudspeaker", "sample/a-loudspeaker"]


class Compound(World):
    """The engine takes what is asked of actuators."""

    async def submit(self, command: OperatorCommand) -> tuple[Alarm, ...]:
        assert isinstance(command, Actuate)
        self.engine.command(command, self.clock.now())
        self.submitted.append(command)
        return ()


@pytest.fixture
def world() -> Compound:
    return Compound()


async def post(client: httpx.AsyncClient, path: str, status: int = 200, **body: Any) -> Any:
    response = await client.post(path, json={"operator": "li", **body}, headers={"Origin": ORIGIN})
    assert response.status_code == status, response.text
    return response.json() if status == 200 else response.json()["error"]["what"]


async def test_an_actuator_is_asked_and_the_answer_says_what_was_asked(world, client):
    answer = await post(client, DOOR, action="hold_door")
    assert answer == {
        "cause": "operator:li",
        "asked": [{"device": "sample/a-lift-1-door", "action": "hold_door", "parameters": {"max_seconds": 60.0}}],
    }
    assert world.submitted == [Actuate("sample/a-lift-1-door", "hold_door", {}, "li")]


async def test_a_text_is_spoken_over_all_loudspeakers_of_a_building_at_once(world, client):
    words = {"text_zh": "请从楼梯撤离", "tone_seconds": 8, "repeat": 2}
    answer = await post(client, "/api/v1/broadcasts", site="sample", buildings=["tower-a"], **words)
    assert [asked["device"] for asked in answer["asked"]] == IN_TOWER_A
    assert world.submitted == [Actuate(device, "play", words, "li") for device in IN_TOWER_A]


async def test_some_loudspeakers_are_stopped(world, client):
    await post(client, "/api/v1/broadcasts", site="sample", devices=["a-lift-2-loudspeaker"], action="stop")
    assert world.submitted == [Actuate("sample/a-lift-2-loudspeaker", "stop", {}, "li")]


@pytest.mark.parametrize(
    ("path", "body", "status", "what"),
    [
        (DOOR, {"action": "open_wide"}, 409, "does not answer"),
        (DOOR, {"action": "hold_door", "parameters": {"max_seconds": 301}}, 409, "expected 1 to 300 s, found 301"),
        (DOOR, {"action": "hold_door", "parameters": {"max_seconds": []}}, 400, "got `array`"),
        (DOOR, {"action": "Hold"}, 400, "action"),
        (DOOR.replace("-door/", "-gate/"), {"action": "hold_door"}, 404, "There is no device sample/a-lift-1-gate."),
        (SPEAKER, {"action": "evacuate"}, 409, "people a reason"),
        ("/api/v1/actuators/sample/garage-smoke-1/commands", {"action": "reset"}, 409, "certified equipment"),
        ("/api/v1/broadcasts", {"site": "sample", "message": "e_bike"}, 400, "`buildings` or `devices`"),
        ("/api/v1/broadcasts", {"site": "nowhere", "buildings": ["tower-a"]}, 404, "There is no site nowhere."),
        ("/api/v1/broadcasts", {"site": "sample", "buildings": ["tower-z"]}, 404, "There is no building tower-z."),
        ("/api/v1/broadcasts", {"site": "sample", "buildings": ["pump-house"]}, 404, "no loudspeaker in pump-house"),
        ("/api/v1/broadcasts", {"site": "sample", "devices": ["nothing"]}, 404, "There is no device sample/nothing."),
        (
            "/api/v1/broadcasts",
            {"site": "sample", "devices": ["a-lift-1-loudspeaker", "tank-1"], "message": "e_bike"},
            409,
            "sample/tank-1 does not answer",
        ),
        ("/api/v1/broadcasts", {"site": "sample", "buildings": ["tower-a"], "tone_seconds": 5}, 409, "8 to 20 s"),
    ],
)
async def test_what_cannot_be_asked_for_is_refused_and_nothing_is_asked(world, client, path, body, status, what):
    assert what in await post(client, path, status, **body)
    assert world.submitted == []


async def test_what_a_kind_can_be_asked_for_is_told(client):
    kinds = {kind["kind"]: kind for kind in (await client.get("/api/v1/actions")).json()["kinds"]}
    assert [action["name"] for action in kinds["loudspeaker"]["actions"]] == ["play", "evacuate", "stop"]
    (most,) = kinds["door_controller"]["actions"][0]["parameters"]
    assert (most["range"], most["default"], most["unit"]) == ([1.0, 300.0], 60.0, "s")
    assert "smoke_detector" not in kinds
