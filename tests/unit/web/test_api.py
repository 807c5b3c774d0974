from __future__ import annotations

from datetime import timedelta

import httpx
import msgspec
import pytest

from firewatch.errors import StorageError
from firewatch.model.alarm import AlarmState, ConditionState, Maintenance, TransitionReason
from firewatch.model.command import (
    Acknowledge,
    AnswerState,
    Confirm,
    OutOfService,
    ReturnSubjectToService,
    ReturnToService,
    Shelve,
    Unshelve,
)
from firewatch.model.observation import Observation, Quality
from firewatch.model.reload import ReloadOutcome, ReloadTrigger, RulesProblem, RulesReload
from firewatch.ports import EngineInput, PartStatus, Picture
from firewatch.testing.clock import START
from firewatch.web.query import ObservationsQuery
from tests.unit.web.conftest import ORIGIN
from tests.unit.web.world import ALARM_ID, INVENTORY

ACKNOWLEDGE = f"/api/v1/alarms/{ALARM_ID}/acknowledge"
OWN_PAGE = {"Origin": ORIGIN}


async def ask(client: httpx.AsyncClient, path: str, status: int = 200) -> dict:
    response = await client.get(path)
    assert response.status_code == status, response.text
    return response.json()


def hour(number: int) -> str:
    return f"2025-01-01T{number:02}:00:00Z"


async def test_standing_alarms_come_from_memory_even_while_the_history_is_away(world, client, monkeypatch):
    world.alarm()
    monkeypatch.setattr(world.history, "alarms", _away)
    page = await ask(client, "/api/v1/alarms")
    assert [alarm["alarm_id"] for alarm in page["alarms"]] == [ALARM_ID]
    assert page["alarms"][0]["text"] == {"zh": "电动自行车进入电梯", "en": "E-bike in the lift"}


async def test_an_alarm_that_returned_to_normal_is_found_among_those_not_standing(world, client):
    world.change(world.alarm(), TransitionReason.CONDITION_INACTIVE, state=AlarmState.NORMAL)
    assert (await ask(client, "/api/v1/alarms"))["alarms"] == []
    assert len((await ask(client, "/api/v1/alarms?standing=false"))["alarms"]) == 1
    assert len((await ask(client, "/api/v1/alarms?standing=all"))["alarms"]) == 1


async def test_memory_wins_where_the_history_is_a_moment_behind(world, client):
    alarm = world.alarm()
    world.history.hold = True
    world.change(alarm, TransitionReason.ACKNOWLEDGED, state=AlarmState.ACKNOWLEDGED)
    [shown] = (await ask(client, "/api/v1/alarms?standing=all"))["alarms"]
    assert shown["state"] == "acknowledged"


@pytest.mark.parametrize("standing", ["true", "all"])
async def test_pages_follow_one_another_without_gap_or_repetition(world, client, standing):
    for number in range(7):
        # Two with the same onset: the id decides, and neither is skipped.
        onset = START - timedelta(minutes=number // 2)
        world.alarm(alarm_id=f"alarm-{number}", onset_time=onset)
    seen: list[str] = []
    path = f"/api/v1/alarms?standing={standing}&limit=3"
    before = ""
    while before is not None:
        page = await ask(client, path + (f"&before={before}" if before else ""))
        seen += [alarm["alarm_id"] for alarm in page["alarms"]]
        before = page["next"]
    assert seen == ["alarm-1", "alarm-0", "alarm-3", "alarm-2", "alarm-5", "alarm-4", "alarm-6"]


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        ("site=sample", 1),
        ("site=elsewhere", 0),
        ("rule=e-bike-in-lift", 1),
        ("rule=garage-smoke", 0),
        ("subject=sample/a-lift-2", 1),
        ("subject=sample/a-lift-1", 0),
    ],
)
async def test_alarms_are_filtered(world, client, wanted, found):
    world.alarm()
    assert len((await ask(client, f"/api/v1/alarms?{wanted}"))["alarms"]) == found


async def test_one_alarm_is_given_while_it_stands_and_after(world, client):
    alarm = world.alarm()
    assert (await ask(client, f"/api/v1/alarms/{ALARM_ID}"))["state"] == "unacknowledged"
    world.change(alarm, TransitionReason.CONDITION_INACTIVE, state=AlarmState.NORMAL)
    assert (await ask(client, f"/api/v1/alarms/{ALARM_ID}"))["state"] == "normal"


async def test_the_changes_of_an_alarm_are_told_first_to_last(world, client):
    world.change(world.alarm(), TransitionReason.ACKNOWLEDGED, by="Wang", state=AlarmState.ACKNOWLEDGED)
    told = (await ask(client, f"/api/v1/alarms/{ALARM_ID}/transitions"))["transitions"]
    assert [(change["number"], change["reason"], change["by"]) for change in told] == [
        (1, "condition_active", "firewatch"),
        (2, "acknowledged", "Wang"),
    ]


async def test_an_alarm_just_raised_has_no_changes_until_the_history_has_them(world, client):
    world.history.hold = True
    world.alarm()
    assert await ask(client, f"/api/v1/alarms/{ALARM_ID}/transitions") == {"transitions": []}
    assert (await ask(client, f"/api/v1/alarms/{ALARM_ID}"))["state"] == "unacknowledged"
    world.history.release()
    assert len((await ask(client, f"/api/v1/alarms/{ALARM_ID}/transitions"))["transitions"]) == 1


async def test_an_acknowledgement_answers_with_the_alarm_after_it(world, client):
    world.alarm()
    response = await client.post(ACKNOWLEDGE, json={"operator": "王师傅", "comment": "seen"}, headers=OWN_PAGE)
    assert response.status_code == 200
    assert (response.json()["state"], response.json()["acknowledged_by"]) == ("acknowledged", "王师傅")
    [command] = world.submitted
    assert (command.alarm_id, command.operator, command.comment) == (ALARM_ID, "王师傅", "seen")


async def test_a_refused_acknowledgement_says_why_with_409(world, client):
    response = await client.post(ACKNOWLEDGE, json={"operator": "Wang"}, headers=OWN_PAGE)
    assert response.status_code == 409
    assert response.json()["error"]["what"] == "The alarm is acknowledged already."


@pytest.mark.parametrize(
    ("status", "body", "headers"),
    [
        (400, b"{", {}),
        (400, b"[]", {}),
        (400, b'"operator"', {}),
        (400, b"{}", {}),
        (400, b'{"operator": ""}', {}),
        (400, b'{"operator": " "}', {}),
        (400, b'{"operator": 7}', {}),
        (400, b'{"operator": "a", "comment": "' + b"x" * 501 + b'"}', {}),
        (400, b'{"operator": "' + b"x" * 65 + b'"}', {}),
        (400, b'{"operator": "a", "seen": -1}', {}),
        (400, b'{"operator": "a", "seen": "1"}', {}),
        (400, b'{"operator": "a", "priority": "low"}', {}),
        (400, b'{"operator": "a", "alarm_id": "another"}', {}),
        (400, b'{"operator": "\xff"}', {}),
        (413, b'{"operator": "a", "comment": "' + b"x" * 9_000 + b'"}', {}),
        (415, b'{"operator": "a"}', {"Content-Type": "text/plain"}),
        (415, b"operator=a", {"Content-Type": "application/x-www-form-urlencoded"}),
        (415, b'{"operator": "a"}', {"Content-Type": ""}),
    ],
)
async def test_a_body_that_is_not_an_acknowledgement_is_refused_and_changes_nothing(
    world, client, status, body, headers
):
    world.alarm()
    response = await client.post(
        ACKNOWLEDGE, content=body, headers=OWN_PAGE | {"Content-Type": "application/json"} | headers
    )
    assert response.status_code == status, response.text
    assert set(response.json()["error"]) == {"what", "hint"}
    assert world.submitted == []


@pytest.mark.parametrize("seen", [None, 2])
async def test_an_acknowledgement_says_how_often_it_was_active_when_it_was_seen(world, client, seen):
    world.alarm(activations=2)
    await post(client, ACKNOWLEDGE, {"operator": "王", "seen": seen} if seen else {"operator": "王"})
    assert world.submitted == [Acknowledge(ALARM_ID, "王", seen=seen)]


LIFE = f"/api/v1/alarms/{ALARM_ID}"
SUBJECT = {"rule": "e-bike-in-lift", "subject": "sample/a-lift-2"}


async def post(client: httpx.AsyncClient, path: str, body: dict) -> dict:
    response = await client.post(path, json=body, headers=OWN_PAGE)
    assert response.status_code == 200, response.text
    return response.json()


async def test_operators_may_ask_for_more_than_an_acknowledgement(world, client):
    alarm = world.alarm()
    asked = [
        ("shelve", {"reason": "误报", "seconds": 600}, Shelve, "shelf"),
        ("unshelve", {"comment": "修好了"}, Unshelve, None),
        ("shelve", {"reason": "误报", "one_shot": True}, Shelve, "shelf"),
        ("acknowledge", {}, Acknowledge, None),
        ("confirm", {"verdict": "false", "comment": "灰尘"}, Confirm, None),
    ]
    for verb, body, command, shown in asked:
        answer = await post(client, f"{LIFE}/{verb}", {"operator": "王", **body})
        assert answer["alarm_id"] == alarm.alarm_id
        assert shown is None or answer[shown]["reason"] == body["reason"]
        assert isinstance(world.submitted[-1], command)
    assert [world.submitted[index].duration for index in (0, 2)] == [timedelta(minutes=10), None]
    assert (answer["confirmation"]["verdict"], answer["confirmation"]["comment"]) == ("false", "灰尘")


@pytest.mark.parametrize("rule", [{}, {"rule": "e-bike-in-lift"}])
@pytest.mark.parametrize("end", [{"seconds": 7200}, {"until": hour(2)}])
async def test_a_subject_is_out_of_service_for_a_time(world, client, rule, end):
    alarm = world.alarm()
    asked = {"operator": "王", "reason": "换电池", "work_order": "WO-7", "subject": alarm.subject, **rule, **end}
    [out] = (await post(client, "/api/v1/out-of-service", asked))["alarms"]
    assert (out["out_of_service"]["work_order"], out["hidden"]) == ("WO-7", True)
    until = world.clock.now() + timedelta(hours=2)
    assert world.submitted == [OutOfService(rule.get("rule"), alarm.subject, "王", "换电池", "WO-7", until)]


async def test_a_subject_or_one_of_its_alarms_is_returned_to_service(world, client):
    maintenance = Maintenance("li", world.clock.now(), "work order 7")
    body = {"operator": "王", "reason": "完工"}
    alarm = world.alarm(hidden=True, out_of_service=maintenance)
    assert (await post(client, f"{LIFE}/return-to-service", body))["out_of_service"] is None
    alarm = world.alarm(hidden=True, out_of_service=maintenance)
    [back] = (await post(client, "/api/v1/return-to-service", {**body, "subject": alarm.subject}))["alarms"]
    assert back["out_of_service"] is None
    assert world.submitted == [
        ReturnToService(ALARM_ID, "王", "完工"),
        ReturnSubjectToService(alarm.subject, "王", "完工"),
    ]


async def test_a_latched_alarm_is_reset(world, client):
    world.alarm(state=AlarmState.LATCHED_ACKNOWLEDGED, condition=ConditionState.INACTIVE)
    response = await client.post(f"{LIFE}/reset", json={"operator": "王"}, headers=OWN_PAGE)
    assert (response.status_code, response.json()["state"]) == (200, "normal")


async def test_what_the_state_does_not_allow_is_refused_with_its_reason(world, client):
    world.alarm()
    response = await client.post(f"{LIFE}/reset", json={"operator": "王"}, headers=OWN_PAGE)
    assert response.status_code == 409
    assert "only a latched alarm is reset" in response.json()["error"]["what"]


@pytest.mark.parametrize(
    ("path", "body"),
    [
        (f"{LIFE}/shelve", {"operator": "王", "seconds": 60}),
        (f"{LIFE}/shelve", {"operator": "王", "reason": " ", "seconds": 60}),
        (f"{LIFE}/shelve", {"operator": "王", "reason": "x"}),
        (f"{LIFE}/shelve", {"operator": "王", "reason": "x", "seconds": 60, "one_shot": True}),
        (f"{LIFE}/shelve", {"operator": "王", "reason": "x", "seconds": 0}),
        (f"{LIFE}/shelve", {"operator": "王", "reason": "x", "seconds": 60.5}),
        (f"{LIFE}/shelve", {"operator": "王", "reason": "x", "seconds": 10**12}),
        (f"{LIFE}/return-to-service", {"operator": "王"}),
        ("/api/v1/out-of-service", {"operator": "王", "reason": "x", "seconds": 60, "rule": "e-bike-in-lift"}),
        (
            "/api/v1/out-of-service",
            {"operator": "王", "reason": "x", "seconds": 60, "rule": "e-bike-in-lift", "subject": "lift"},
        ),
        ("/api/v1/out-of-service", {"operator": "王", "seconds": 60, **SUBJECT}),
        ("/api/v1/out-of-service", {"operator": "王", "reason": "x", **SUBJECT}),
        ("/api/v1/out-of-service", {"operator": "王", "reason": "x", "seconds": 60, "until": hour(2), **SUBJECT}),
        ("/api/v1/out-of-service", {"operator": "王", "reason": "x", "seconds": 31 * 86_400 + 1, **SUBJECT}),
        ("/api/v1/out-of-service", {"operator": "王", "reason": "x", "seconds": 0, **SUBJECT}),
        ("/api/v1/out-of-service", {"operator": "王", "reason": "x", "until": "2025-01-01T02:00:00", **SUBJECT}),
        ("/api/v1/out-of-service", {"operator": "王", "reason": "x", "until": "9999-01-01T02:00:00Z", **SUBJECT}),
        ("/api/v1/return-to-service", {"operator": "王", "reason": "x"}),
        ("/api/v1/return-to-service", {"operator": "王", "subject": "sample/a-lift-2"}),
        (f"{LIFE}/confirm", {"operator": "王"}),
        (f"{LIFE}/confirm", {"operator": "王", "verdict": "maybe"}),
    ],
)
async def test_what_is_asked_without_a_reason_a_measure_or_a_verdict_is_refused(world, client, path, body):
    world.alarm()
    response = await client.post(path, json=body, headers=OWN_PAGE)
    assert response.status_code == 400, response.text
    assert world.submitted == []


async def test_hidden_alarms_are_listed_and_counted_apart(world, client):
    world.alarm()
    world.alarm(alarm_id="b", hidden=True, suppressed_by=ALARM_ID)
    maintenance = Maintenance("li", world.clock.now(), "work order 7")
    world.alarm(alarm_id="c", hidden=True, state=AlarmState.NORMAL, out_of_service=maintenance)

    async def listed(query: str) -> list[str]:
        return sorted(alarm["alarm_id"] for alarm in (await ask(client, f"/api/v1/alarms{query}"))["alarms"])

    assert await listed("") == [ALARM_ID, "b", "c"]
    assert await listed("?hidden=true") == ["b", "c"]
    assert await listed("?hidden=false") == [ALARM_ID]
    assert await listed("?standing=all&hidden=true") == ["b", "c"]
    status = await ask(client, "/api/v1/status")
    assert status["alarms"]["security"] == {"standing": 1, "unacknowledged": 1, "hidden": 2}


async def test_a_device_never_heard_of_is_unknown_and_not_normal(client):
    devices = {device["device"]: device for device in (await ask(client, "/api/v1/devices"))["devices"]}
    tank = devices["tank-1"]
    assert tank["online"] is None
    assert [signal["last"] for signal in tank["signals"]] == [None] * 3


async def test_devices_carry_their_last_values_with_quality_and_times(world, client):
    world.observe("sample/tank-1/level", 2.5, Quality.UNCERTAIN)
    world.observe("sample/tank-1/online", False)
    devices = {device["device"]: device for device in (await ask(client, "/api/v1/devices?system=water"))["devices"]}
    assert "a-lift-2-door" not in devices
    tank = devices["tank-1"]
    assert tank["online"] is False
    assert tank["signals"][0]["last"] == {
        "value": 2.5,
        "quality": "uncertain",
        "source_time": hour(0),
        "receive_time": hour(0),
    }


async def test_a_cameras_address_is_not_given_away(world, client):
    # It may hold the camera's password.
    for path in ("/api/v1/devices", "/api/v1/site", "/api/v1/status"):
        assert "mjpg" not in (await client.get(path)).text


async def test_a_signals_past_is_given_oldest_first(world, client):
    readings = [START - timedelta(minutes=minutes) for minutes in (90, 30, 20, 10)]
    world.history.write(
        [
            EngineInput(
                ordinal=number + 1,
                now=time,
                observation=Observation("sample/tank-1/level", float(number), Quality.GOOD, time, time, time),
            )
            for number, time in enumerate(readings)
        ]
    )
    path = "/api/v1/observations?signal=sample/tank-1/level"
    values = [one["value"] for one in (await ask(client, path))["observations"]]
    assert values == [1.0, 2.0, 3.0]
    values = [one["value"] for one in (await ask(client, f"{path}&limit=1"))["observations"]]
    assert values == [3.0]
    earlier = f"{path}&start=2024-12-31T22:00:00Z&end=2024-12-31T23:00:00%2B00:00"
    assert [one["value"] for one in (await ask(client, earlier))["observations"]] == [0.0]


async def test_the_first_hour_that_may_be_asked_for_is_answered(client):
    path = "/api/v1/observations?signal=sample/tank-1/level&end=1970-01-01T00:00:00Z"
    assert (await ask(client, path))["observations"] == []


async def test_a_kept_picture_may_stay_in_the_browser_and_a_live_one_may_not(world, client):
    world.picture("sample-a-lift-2-camera-20250101t000000000z", b"\xff\xd8 kept")
    world.live.frames["sample/a-lift-2-camera"] = b"\xff\xd8 live"
    kept = await client.get("/api/v1/pictures/sample-a-lift-2-camera-20250101t000000000z")
    live = await client.get("/api/v1/cameras/sample/a-lift-2-camera/frame.jpg")
    assert (kept.content, kept.headers["content-type"]) == (b"\xff\xd8 kept", "image/jpeg")
    assert (live.content, live.headers["content-type"]) == (b"\xff\xd8 live", "image/jpeg")
    assert "immutable" in kept.headers["cache-control"]
    assert live.headers["cache-control"] == "no-store"


async def test_an_alarms_picture_is_there_before_the_history_has_it(world, client):
    world.live.pictures["new"] = Picture("new", "sample/a-lift-2-camera", world.clock.now(), b"\xff\xd8 new")
    assert (await client.get("/api/v1/pictures/new")).content == b"\xff\xd8 new"


async def test_the_etag_of_a_live_picture_changes_with_the_picture_alone(world, client):
    etags = []
    for jpeg in (b"one", b"one", b"two"):
        world.live.frames["sample/a-lift-2-camera"] = jpeg
        etags.append((await client.get("/api/v1/cameras/sample/a-lift-2-camera/frame.jpg")).headers["etag"])
    assert etags[0] == etags[1] != etags[2]


async def test_commands_are_shown_with_their_answers(world, client):
    world.command("sample/a-lift-2-door", "hold_door", (AnswerState.DONE, "held"))
    world.command("sample/a-lift-2-loudspeaker", "play")
    told = (await ask(client, f"/api/v1/commands?cause={ALARM_ID}"))["commands"]
    assert {record["command"]["action"]: record["answer"] and record["answer"]["detail"] for record in told} == {
        "hold_door": "held",
        "play": None,
    }
    [waiting] = (await ask(client, "/api/v1/commands?unanswered=true"))["commands"]
    assert waiting["command"]["action"] == "play"


async def test_the_status_counts_alarms_devices_and_rejected_inputs(world, client):
    world.alarm()
    world.observe("sample/tank-1/online", True)
    world.observe("sample/flow-a/online", False)
    world.reject("not_finite")
    world.reject("not_finite")
    status = await ask(client, "/api/v1/status")
    assert status["alarms"]["security"] == {"standing": 1, "unacknowledged": 1, "hidden": 0}
    assert status["alarms"]["fire"] == {"standing": 0, "unacknowledged": 0, "hidden": 0}
    assert (status["devices"]["online"], status["devices"]["offline"]) == (1, 1)
    assert status["rejection_counts"] == {"not_finite": 2}
    assert status["rejections"][0]["detail"] == "value: expected a number, found NaN"
    assert status["ready"] is True


async def test_the_site_is_told_in_its_administrative_ladder(client):
    [site] = (await ask(client, "/api/v1/site"))["sites"]
    assert site["district"]["zh"] == "上城区"
    assert site["time_zone"] == "Asia/Shanghai"
    assert "devices" not in site


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/api/v1/alarms?limit=0", 400),
        ("/api/v1/alarms?limit=501", 400),
        ("/api/v1/alarms?limit=many", 400),
        ("/api/v1/alarms?limit=", 400),
        ("/api/v1/alarms?standing=yes", 400),
        ("/api/v1/alarms?colour=red", 400),
        ("/api/v1/alarms?site=sample&site=sample", 400),
        ("/api/v1/alarms?site=..%2F..%2Fetc", 400),
        ("/api/v1/alarms?before=yesterday", 400),
        ("/api/v1/alarms?before=2025-01-01T00:00:00,id", 400),
        ("/api/v1/alarms?before=2025-01-01T00:00:00Z,", 400),
        ("/api/v1/alarms?standing=all&before=0001-01-01T00:00:00%2B14:00,id", 400),
        ("/api/v1/alarms?standing=all&before=9999-12-31T23:59:59-14:00,id", 400),
        ("/api/v1/alarms/unknown", 404),
        ("/api/v1/alarms/unknown?alarm_id=other", 400),
        ("/api/v1/alarms/unknown/transitions", 404),
        (f"/api/v1/alarms/{'x' * 129}", 400),
        ("/api/v1/alarms/%00", 400),
        ("/api/v1/devices?site=" + "x" * 65, 400),
        ("/api/v1/observations", 400),
        ("/api/v1/observations?signal=tank", 400),
        ("/api/v1/observations?signal=sample/tank-1/colour", 404),
        ("/api/v1/observations?signal=sample/tank-1/level&limit=10001", 400),
        ("/api/v1/observations?signal=sample/tank-1/level&start=2025-01-01T00:00:00", 400),
        ("/api/v1/observations?signal=sample/tank-1/level&start=2024-11-01T00:00:00Z", 400),
        ("/api/v1/observations?signal=sample/tank-1/level&start=2025-01-02T00:00:00Z", 400),
        ("/api/v1/observations?signal=sample/tank-1/level&end=tomorrow", 400),
        ("/api/v1/observations?signal=sample/tank-1/level&end=0001-01-01T00:00:00Z", 400),
        ("/api/v1/observations?signal=sample/tank-1/level&end=0001-01-01T00:00:00%2B14:00", 400),
        ("/api/v1/observations?signal=sample/tank-1/level&end=1969-12-31T23:59:59Z", 400),
        ("/api/v1/observations?signal=sample/tank-1/level&end=2100-01-01T00:00:00Z", 400),
        ("/api/v1/observations?signal=sample/tank-1/level&start=0001-01-01T00:00:00Z", 400),
        ("/api/v1/observations?signal=sample/tank-1/level&start=9999-12-31T23:59:59-14:00", 400),
        ("/api/v1/pictures/unknown", 404),
        ("/api/v1/pictures/..", 404),
        ("/api/v1/pictures/%2e%2e%2fsecret", 404),
        ("/api/v1/cameras/sample/tank-1/frame.jpg", 404),
        ("/api/v1/cameras/sample/b-lift-1-camera/frame.jpg", 404),
        ("/api/v1/cameras/SAMPLE/b-lift-1-camera/frame.jpg", 400),
        ("/api/v1/commands?limit=501", 400),
        ("/api/v1/commands?unanswered=perhaps", 400),
        ("/api/v1/status?verbose=true", 400),
        ("/api/v1/nothing", 404),
        ("/nothing/at/all", 404),
    ],
)
async def test_what_cannot_be_answered_is_refused_with_what_and_hint(client, path, status):
    error = (await ask(client, path, status))["error"]
    assert error["what"]
    assert error["hint"]


@pytest.mark.parametrize(
    "path",
    [
        "/api/v1/alarms?standing=false",
        "/api/v1/alarms/unknown",
        "/api/v1/observations?signal=sample/tank-1/level",
        "/api/v1/pictures/unknown",
        "/api/v1/commands",
    ],
)
async def test_a_history_that_is_away_is_said_so_with_503(world, client, monkeypatch, path):
    for name in ("alarms", "transitions", "observations", "commands", "picture"):
        monkeypatch.setattr(world.history, name, _away)
    error = (await ask(client, path, 503))["error"]
    assert error["what"] == "the database does not answer"


@pytest.mark.slow
async def test_a_fault_of_our_own_does_not_show_its_inside(world, client, monkeypatch):
    async def broken(*_: object, **__: object) -> None:
        raise KeyError("secret")

    monkeypatch.setattr(world.history, "commands", broken)
    response = await client.get("/api/v1/commands")
    assert response.status_code == 500
    assert "secret" not in response.text


async def test_another_method_is_refused(client):
    response = await client.put("/api/v1/alarms", headers=OWN_PAGE)
    assert response.status_code == 405
    assert "PUT /api/v1/alarms" in response.json()["error"]["what"]


async def test_alive_is_always_answered_and_ready_only_when_every_part_is(world, client):
    assert (await client.get("/healthz")).status_code == 200
    assert (await client.get("/readyz")).json() == {"ready": True, "waiting_for": []}
    world.part("database", ready=False, detail="connecting")
    response = await client.get("/readyz")
    assert response.status_code == 503
    assert response.json()["waiting_for"] == [
        {"name": "database", "ready": False, "detail": "connecting", "vital": True}
    ]
    assert (await client.get("/healthz")).status_code == 200


async def test_one_camera_out_of_order_does_not_make_the_daemon_unready(world, client):
    world.live.part["camera"] = PartStatus("camera s/c", ready=False, detail="missing", vital=False)
    assert (await client.get("/readyz")).status_code == 200
    assert (await ask(client, "/api/v1/status"))["ready"] is True


async def test_nothing_is_ready_before_any_part_has_reported(world, client):
    world.live.part.clear()
    assert (await client.get("/readyz")).status_code == 503


async def test_metrics_are_passed_on_as_they_are(client):
    response = await client.get("/metrics")
    assert response.text == "firewatch_observations_total 7\n"
    assert response.headers["content-type"].startswith("text/plain; version=0.0.4")


async def _away(*_: object, **__: object) -> None:
    raise StorageError("the database does not answer")


def test_every_signal_of_the_sample_compound_can_be_asked_for():
    for site in INVENTORY.sites:
        for device in site.devices:
            for signal in INVENTORY.kinds[device.kind].signals:
                msgspec.convert({"signal": f"{site.id}/{device.id}/{signal.name}"}, ObservationsQuery)


async def test_an_operator_has_the_rules_reloaded_and_reads_who_did_so_before(world, client):
    world.rules.outcome = ReloadOutcome.REFUSED
    world.rules.problems = (RulesProblem("water.yaml", 3, 5, "low", "wrong", "mend it", "water.yaml:3:5: wrong"),)
    response = await client.post("/api/v1/rules/reload", json={"operator": "Wang"}, headers=OWN_PAGE)
    assert response.status_code == 200
    assert response.json()["outcome"] == "refused"
    assert response.json()["problems"][0]["line"] == 3
    assert world.rules.asked_by == ["Wang"]
    assert (await ask(client, "/api/v1/rules/state"))["problems"][0]["text"] == "water.yaml:3:5: wrong"

    for second in (1, 2, 3):
        time = world.clock.now() + timedelta(seconds=second)
        world.history.write([RulesReload(time, ReloadTrigger.FILES, ReloadOutcome.REFUSED, by=str(second))])
    page = (await ask(client, "/api/v1/rules/reloads?limit=2"))["reloads"]
    assert [each["by"] for each in page] == ["3", "2"]
    before = page[-1]["time"].replace("+", "%2B")
    assert [each["by"] for each in (await ask(client, f"/api/v1/rules/reloads?before={before}"))["reloads"]] == ["1"]


@pytest.mark.parametrize(
    ("body", "headers", "status"),
    [
        ({}, OWN_PAGE, 400),
        ({"operator": ""}, OWN_PAGE, 400),
        ({"operator": "Wang", "force": True}, OWN_PAGE, 400),
        ({"operator": "Wang"}, {}, 403),
    ],
)
async def test_a_reload_that_is_asked_for_wrongly_is_refused(world, client, body, headers, status):
    response = await client.post("/api/v1/rules/reload", json=body, headers=headers)
    assert response.status_code == status
    assert world.rules.asked_by == []
