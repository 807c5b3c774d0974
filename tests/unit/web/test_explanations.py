"""Why a rule alarms, or why it does not, as people are told it over the API."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import httpx
import pytest

from firewatch.model.command import Acknowledge, OutOfService, Shelve
from firewatch.model.observation import Quality
from firewatch.rules.spec import Mode
from tests.unit.engine.world import rule
from tests.unit.web.conftest import ORIGIN
from tests.unit.web.world import World

CHINESE = re.compile(r"[\u4e00-\u9fff]")
LATIN_WORDS = re.compile(r"[A-Za-z]{4,}")

PRESSURE, LEVEL, SMOKE_1 = "sample/hydrant-a-roof/pressure", "sample/tank-1/level", "sample/garage-smoke-1/alarm"
SMOKE_2, HEAT = "sample/garage-smoke-2/alarm", "sample/garage-heat-1/temperature"
DOOR, LIFT_PERSON, MOVING = (
    "sample/a-stair-door/position",
    "sample/a-lift-1-camera/person",
    "sample/a-lift-1-controller/moving",
)
E_BIKE = "sample/a-lift-1-camera/e_bike"

ROOF = {"device": "pressure_transmitter", "subjects": ["hydrant-a-roof"]}
ZONE = {"asset": "fire_zone", "subjects": ["garage-zone-1"]}
TANK = {"device": "water_tank"}
LIFT = {"asset": "lift", "subjects": ["a-lift-1"]}


def low(name: str = "low", **fields: Any) -> Any:
    when = {"low": {"signal": "pressure", "limit": "0.07 MPa", "deadband": 0.005}}
    return rule(name, ROOF, when, **{"class": "supervisory", **fields})


def smoke(*signals: str) -> list[dict[str, Any]]:
    return [{"state": {"signal": signal, "is": True}} for signal in signals]


DELAYED = low(on_delay="10s", off_delay="20s")
LATCHED = low(latched=True)
SHADOW = low(mode="shadow")
STATE = rule(
    "door", {"device": "fire_door", "subjects": ["a-stair-door"]}, {"state": {"signal": "position", "is": "open"}}
)
SILENT = rule("silent", TANK, {"absence": {"after": "15s"}}, **{"class": "trouble"})
CONFIRMED = rule("confirmed", ZONE, {"k_of_n": {"k": 2, "within": "60s", "of": smoke("smoke_detector/alarm")}})
ALL = rule(
    "trapped",
    LIFT,
    {
        "all": [
            {"state": {"signal": "lift_controller/moving", "is": False}},
            {"high": {"signal": "lift_camera/person", "limit": 0.5}},
        ]
    },
)
NOT = rule("not", LIFT, {"not": {"state": {"signal": "lift_controller/moving", "is": True}}})
FIRST_THEN = {"first": smoke("smoke_detector/alarm")[0], "within": "1min"}
OMISSION = rule(
    "shutter-stays-up",
    ZONE,
    {"sequence": {**FIRST_THEN, "without": {"state": {"signal": "fire_shutter/position", "is": "down"}}}},
)
SEQUENCE = rule(
    "smoke-then-heat",
    ZONE,
    {"sequence": {**FIRST_THEN, "then": {"high": {"signal": "heat_detector/temperature", "limit": 60}}}},
)
STUCK = rule("stuck", TANK, {"stuck": {"signal": "level", "after": "1h", "band": 0.0}})
COUNT = rule(
    "count", TANK, {"count": {"of": {"low": {"signal": "level", "limit": 1.0}}, "at_least": 3, "within": "1h"}}
)
SESSION = rule("e-bike", LIFT, {"camera_session": {"signal": "lift_camera/e_bike"}})
LADDER = rule(
    "ladder",
    TANK,
    None,
    ladder=[
        {"when": {"low": {"signal": "level", "limit": 2.0}}, "priority": "low"},
        {"when": {"low": {"signal": "level", "limit": 1.0}}, "priority": "high", "on_delay": "30s"},
    ],
)
SCHEDULE = rule("night", TANK, {"schedule": {"windows": [{"from": "22:00", "to": "23:00"}]}})

# The clock stands at 08:00:00 in Shanghai when the story begins; each step is (seconds, signal, value).
VERDICTS: dict[str, tuple[Any, list[tuple[float, str, Any]], float, str]] = {
    "nothing was heard": (
        low(),
        [],
        0,
        "No alarm, but it cannot be judged at present: Pressure has not been heard yet.",
    ),
    "a limit is kept": (low(), [(0, PRESSURE, 0.35)], 1, "No alarm: Pressure is 0.35 MPa, not below 0.07 MPa."),
    "a limit is passed": (
        low(),
        [(1, PRESSURE, 0.05)],
        2,
        "Alarm since 08:00:01: Pressure is 0.05 MPa, below 0.07 MPa.",
    ),
    "within the deadband": (
        low(),
        [(1, PRESSURE, 0.05), (2, PRESSURE, 0.072)],
        3,
        "Alarm since 08:00:01: Pressure is 0.072 MPa and was beyond the limit, and is not back at 0.075 MPa.",
    ),
    "a delay runs": (
        DELAYED,
        [(1, PRESSURE, 0.05)],
        4,
        "No alarm yet: Pressure is 0.05 MPa, below 0.07 MPa, since 08:00:01. It alarms in 7 s unless that ends.",
    ),
    "an off-delay runs": (
        DELAYED,
        [(1, PRESSURE, 0.05), (15, PRESSURE, 0.35)],
        20,
        "Alarm since 08:00:01. Now Pressure is 0.35 MPa, not below 0.07 MPa. It is over in 15 s unless it comes back.",
    ),
    "cleared, and nobody has seen it": (
        low(),
        [(1, PRESSURE, 0.05), (2, PRESSURE, 0.35)],
        3,
        "Alarm since 08:00:01. Now Pressure is 0.35 MPa, not below 0.07 MPa. It stays until somebody acknowledges it.",
    ),
    "latched": (
        LATCHED,
        [(1, PRESSURE, 0.05), (2, PRESSURE, 0.35)],
        3,
        "Alarm since 08:00:01. Now Pressure is 0.35 MPa, not below 0.07 MPa. "
        "It is latched and stays until somebody resets it.",
    ),
    "a bad reading": (
        low(),
        [(1, PRESSURE, 0.05), (2, PRESSURE, None)],
        3,
        "Alarm since 08:00:01. It stays, because nobody can tell whether it is over: "
        "the last reading of Pressure is bad.",
    ),
    "a shadow": (
        SHADOW,
        [(1, PRESSURE, 0.05)],
        2,
        "Alarm since 08:00:01: Pressure is 0.05 MPa, below 0.07 MPa. "
        "The rule is a shadow: nobody is told, and nothing is done.",
    ),
    "a state is another": (STATE, [(0, DOOR, "closed")], 1, "No alarm: Position: closed, not open."),
    "heard in time": (
        SILENT,
        [(1, LEVEL, 3.0)],
        4,
        "No alarm: Level was heard 3 s ago. It alarms in 12 s unless something is heard.",
    ),
    "silent": (SILENT, [(1, LEVEL, 3.0)], 30, "Alarm since 08:00:16: nothing was heard from Level since 08:00:01."),
    "too few detectors": (
        CONFIRMED,
        [(0, SMOKE_1, True), (0, SMOKE_2, False)],
        1,
        "No alarm: only 1 of the needed 2 hold; not: Garage smoke detector 2 · Alarm: no.",
    ),
    "one of all is not so": (
        ALL,
        [(0, MOVING, False), (0, LIFT_PERSON, 0.1)],
        1,
        "No alarm: Tower A lift 1 cabin camera · Person score is 0.1, not above 0.5.",
    ),
    "a not": (NOT, [(0, MOVING, True)], 1, "No alarm: Moving: yes."),
    "a sequence has begun": (
        SEQUENCE,
        [(0, SMOKE_1, True), (0, HEAT, 20.0)],
        1,
        "No alarm: Garage heat detector 1 · Temperature is 20 °C, not above 60 °C.",
    ),
    "an omission is awaited": (
        OMISSION,
        [(0, "sample/garage-shutter-1/position", "up"), (1, SMOKE_1, True)],
        11,
        "No alarm yet: Garage smoke detector 1 · Alarm: yes, since 08:00:01. It alarms in 50 s unless that ends.",
    ),
    "it moves": (
        STUCK,
        [(0, LEVEL, 3.0)],
        1,
        "No alarm: not the case: Level does not move for 1 h (3 m since 08:00:00).",
    ),
    "too few times": (
        COUNT,
        [(0, LEVEL, 3.0), (1, LEVEL, 0.5), (2, LEVEL, 3.0)],
        3,
        "No alarm: not the case: Level below 1 m, 3 times within 1 h (1 so far).",
    ),
    "no e-bike": (SESSION, [(0, E_BIKE, 0.02)], 1, "No alarm: E-bike score is 0.02, not 0.55 or more."),
    "a ladder climbs": (
        LADDER,
        [(0, LEVEL, 0.5)],
        10,
        "Alarm since 08:00:00: Level is 0.5 m, below 2 m. It becomes high in 20 s unless that ends.",
    ),
    "another hour": (SCHEDULE, [], 1, "No alarm: not the case: within its hours."),
}


async def explain(world: World, client: httpx.AsyncClient, name: str, subject: str) -> dict[str, Any]:
    response = await client.get("/api/v1/explanations", params={"rule": name, "subject": subject})
    assert response.status_code == 200, response.text
    document: dict[str, Any] = response.json()
    return document


async def ask(client: httpx.AsyncClient, path: str, status: int = 200) -> Any:
    response = await client.get(path)
    assert response.status_code == status, response.text
    return response.json()


def client_of(world: World) -> httpx.AsyncClient:
    return httpx.AsyncClient(transport=httpx.ASGITransport(world.server.app), base_url=ORIGIN)


def play(world: World, story: list[tuple[float, str, Any]], until: float) -> None:
    began = world.clock.now()
    for seconds, signal, value in story:
        world.clock.advance(began + timedelta(seconds=seconds) - world.clock.now())
        world.observe(signal, value, Quality.GOOD if value is not None else Quality.BAD)
    world.clock.advance(began + timedelta(seconds=until) - world.clock.now())


@pytest.mark.parametrize(("spec", "story", "until", "verdict"), VERDICTS.values(), ids=VERDICTS)
async def test_the_answer_is_a_plain_sentence_in_both_languages(spec, story, until, verdict):
    world = World(rules=[spec])
    play(world, story, until)
    [subject] = {one.instance.subject for one in world.engine._running}
    async with client_of(world) as client:
        told = (await explain(world, client, spec.id, subject))["verdict"]
    assert told["en"] == verdict
    assert CHINESE.search(told["zh"])
    assert not LATIN_WORDS.search(told["zh"])
    assert not CHINESE.search(told["en"])


async def test_every_reading_comes_with_its_value_unit_quality_and_times():
    world = World(rules=[DELAYED])
    play(world, [(1, PRESSURE, 0.05)], 4)
    async with client_of(world) as client:
        told = await explain(world, client, "low", "sample/hydrant-a-roof")
    [pressure] = told["inputs"]
    assert (pressure["signal"], pressure["unit"], pressure["device"]["en"]) == (PRESSURE, "MPa", "Tower A roof hydrant")
    assert pressure["last"] == {
        "value": 0.05,
        "quality": "good",
        "source_time": "2025-01-01T00:00:01Z",
        "receive_time": "2025-01-01T00:00:01Z",
    }
    assert told["now"] == "2025-01-01T00:00:04Z"
    [step] = told["steps"]
    delay, [limit] = step["finding"], step["finding"]["parts"]
    assert (delay["text"]["en"], delay["note"]["en"]) == (
        "for 10 s; over when gone for 20 s",
        "since 08:00:01, counts in 7 s",
    )
    assert (delay["condition"], delay["due"]) == (
        "inactive" if delay["condition"] == "inactive" else "unknown",
        "2025-01-01T00:00:11Z",
    )
    assert (limit["condition"], limit["text"]["en"], limit["note"]["en"], limit["signals"]) == (
        "active",
        "Pressure below 0.07 MPa",
        "back at 0.075 MPa",
        [PRESSURE],
    )
    assert limit["facts"] == {"limit": 0.07, "returns_at": 0.075}
    assert delay["facts"]["on_delay"] == 10.0


async def test_it_says_who_hides_the_alarm_and_until_when():
    world = World(rules=[low()])
    play(world, [(1, PRESSURE, 0.05)], 2)
    [alarm] = world.engine.alarms()
    now = world.clock.now()
    world.engine.command(Shelve(alarm.alarm_id, "Wang", "pump test", timedelta(hours=1)), now)
    until = now + timedelta(hours=2)
    world.engine.command(OutOfService("low", "sample/hydrant-a-roof", "Li", "new pipe", "WO-7", until), now)
    async with client_of(world) as client:
        told = await explain(world, client, "low", "sample/hydrant-a-roof")
    assert told["verdict"]["en"] == (
        "Alarm since 08:00:01: Pressure is 0.05 MPa, below 0.07 MPa. "
        "Nobody is told: Wang shelved it until 09:00:02 (pump test). "
        "Nobody is told: Li took it out of service at 08:00:02, until 10:00:02 (WO-7: new pipe)."
    )


async def test_it_names_the_alarm_that_explains_another():
    fire = rule("fire", ZONE, smoke("smoke_detector/alarm")[0])
    heat = rule(
        "heat",
        {"device": "heat_detector", "subjects": ["garage-heat-1"]},
        {"high": {"signal": "temperature", "limit": 60}},
        suppressed_by=[{"rule": "fire", "same": "building"}],
    )
    world = World(rules=[fire, heat])
    play(world, [(1, SMOKE_1, True), (2, HEAT, 75.0)], 3)
    async with client_of(world) as client:
        told = await explain(world, client, "heat", "sample/garage-heat-1")
    assert "another alarm explains it (Underground garage, Garage fire zone 1" in told["verdict"]["en"]
    assert told["suppressor"]["rule"] == "fire"


async def test_a_rule_that_failed_says_so_and_when(monkeypatch):
    world = World(rules=[low()])
    monkeypatch.setattr(world.engine._running[0], "observe", lambda *_: 1 / 0)
    play(world, [(2, PRESSURE, 0.05)], 3)
    async with client_of(world) as client:
        told = await explain(world, client, "low", "sample/hydrant-a-roof")
        failed = await ask(client, "/api/v1/rules/failures")
    assert told["verdict"]["en"] == (
        "The rule failed here at 08:00:02 and judges nothing until the rules are reloaded: "
        "ZeroDivisionError: division by zero."
    )
    assert [(one["rule"], one["subject"]) for one in failed["failures"]] == [("low", "sample/hydrant-a-roof")]


async def test_a_standing_alarm_is_explained_by_its_id():
    world = World(rules=[low()])
    play(world, [(1, PRESSURE, 0.05)], 2)
    [alarm] = world.engine.alarms()
    async with client_of(world) as client:
        told = await ask(client, f"/api/v1/alarms/{alarm.alarm_id}/explanation")
    assert told["alarm"]["alarm_id"] == alarm.alarm_id
    assert told["verdict"] == told["explanation"]["verdict"]


async def test_an_alarm_that_is_over_is_explained_by_what_became_of_it_and_how_its_rule_stands_now():
    world = World(rules=[low()])
    play(world, [(1, PRESSURE, 0.05)], 2)
    [alarm] = world.engine.alarms()
    play(world, [(1, PRESSURE, 0.35)], 2)
    for effect in world.engine.command(Acknowledge(alarm.alarm_id, "Wang", ""), world.clock.now()):
        if hasattr(effect, "transition"):
            world._keep_transition(effect.transition)
    async with client_of(world) as client:
        told = await ask(client, f"/api/v1/alarms/{alarm.alarm_id}/explanation")
    assert told["verdict"]["en"] == (
        "It alarmed from 08:00:01 to 08:00:03 and is over. No alarm: Pressure is 0.35 MPa, not below 0.07 MPa."
    )


async def test_an_alarm_whose_rule_is_gone_is_still_explained():
    world = World()
    alarm = world.alarm()
    async with client_of(world) as client:
        told = await ask(client, f"/api/v1/alarms/{alarm.alarm_id}/explanation")
    assert told["explanation"] is None
    assert "does not judge this any more" in told["verdict"]["en"]


async def test_a_device_is_explained_by_every_rule_that_listens_to_it_or_to_its_asset():
    world = World(rules=[CONFIRMED, SILENT, low()])
    async with client_of(world) as client:
        rules = {
            device: [
                one["rule"] for one in (await ask(client, f"/api/v1/devices/{device}/explanations"))["explanations"]
            ]
            for device in ("sample/garage-smoke-1", "sample/garage-zone-1", "sample/tank-1", "sample/valve-a-riser")
        }
    assert rules == {
        "sample/garage-smoke-1": ["confirmed"],
        "sample/garage-zone-1": ["confirmed"],
        "sample/tank-1": ["silent"],
        "sample/valve-a-riser": [],
    }


UNKNOWN = {
    "a rule misspelt": ("/api/v1/explanations?rule=lov&subject=sample/hydrant-a-roof", 'did you mean "low"'),
    "a subject of no such rule": (
        "/api/v1/explanations?rule=low&subject=sample/tank-1",
        'does not judge "sample/tank-1"',
    ),
    "no such device": ("/api/v1/devices/sample/nothing/explanations", "no device or asset sample/nothing"),
    "no such alarm": ("/api/v1/alarms/nothing/explanation", "no alarm nothing"),
}


@pytest.mark.parametrize(("path", "message"), UNKNOWN.values(), ids=UNKNOWN)
async def test_what_there_is_not_is_refused_with_the_way_out(path, message):
    async with client_of(World(rules=[low()])) as client:
        error = (await ask(client, path, 404))["error"]
    assert message in error["what"]
    assert error["hint"]


async def test_shadow_rules_are_listed_with_what_they_would_have_said():
    world = World(rules=[SHADOW, low("other"), STUCK.model_copy(update={"mode": Mode.SHADOW})])
    play(world, [(1, PRESSURE, 0.05)], 2)
    async with client_of(world) as client:
        told = await ask(client, "/api/v1/rules/shadow")
        [alarm] = told["alarms"]
        why = await ask(client, f"/api/v1/alarms/{alarm['alarm_id']}/explanation")
    assert told["rules"] == [{"rule": "low", "count": 1}, {"rule": "stuck", "count": 0}]
    assert (alarm["rule"], alarm["shadow"]) == ("low", True)
    assert "shadow: nobody is told" in why["verdict"]["en"]
    assert [one.rule for one in world.live.alarms()] == ["other"]


@pytest.mark.parametrize(
    "path",
    [
        "/api/v1/explanations?rule=ladder&subject=sample/tank-1",
        "/api/v1/devices/sample/tank-1/explanations",
        "/api/v1/rules/shadow",
        "/api/v1/rules/failures",
        "/api/v1/backtests",
    ],
)
async def test_answers_are_what_the_document_says(path):
    jsonschema = pytest.importorskip("jsonschema")
    world = World(rules=[LADDER, STUCK.model_copy(update={"mode": Mode.SHADOW}), SILENT])
    play(world, [(1, LEVEL, 0.5)], 40)
    async with client_of(world) as client:
        document = await ask(client, "/api/v1/openapi.json")
        answer = await ask(client, path)
    template = path.split("?")[0].replace("sample/tank-1", "{site}/{device}")
    [content] = document["paths"][template]["get"]["responses"]["200"]["content"].values()
    jsonschema.validate(answer, {**content["schema"], "components": document["components"]})
