"""The control room over HTTP: its log, its handovers, duty checks, and the page that is printed."""

from __future__ import annotations

import base64
import csv
import hashlib
import io
import re
from datetime import datetime, time, timedelta
from html.parser import HTMLParser

import httpx
import msgspec
import pytest

from firewatch.errors import StorageError
from firewatch.model.alarm import AlarmClass, AlarmState, Maintenance, Priority, Shelf
from firewatch.model.control_room import DutyQuestion, DutyState, EntryKind, LogEntry
from firewatch.model.seat import ControlRoom, Seat, Shift
from firewatch.model.text import LocalText
from firewatch.testing.clock import START
from firewatch.web.handover import _LISTS
from tests.unit.web.conftest import ORIGIN
from tests.unit.web.world import World

OWN_PAGE = {"Origin": ORIGIN}
EVIL = '<script>alert("1")</script>&\'{0}'


def seat(name: str, **fields: object) -> Seat:
    return msgspec.structs.replace(Seat(name, LocalText("席位", "Seat")), **fields)


DAY = Shift(LocalText("白班", "Day"), time(8), time(20))
LIFTS = seat("lifts", systems=("lift",), shifts=(DAY,))


@pytest.fixture
def world() -> World:
    return World(room=ControlRoom((seat("control-room", systems=("water", "lift", "camera")), LIFTS)))


async def get(client: httpx.AsyncClient, path: str, status: int = 200) -> dict:
    response = await client.get(f"/api/v1/{path}")
    assert response.status_code == status, response.text
    return response.json()


async def post(client: httpx.AsyncClient, path: str, body: dict, status: int = 200) -> dict:
    response = await client.post(f"/api/v1/{path}", json=body, headers=OWN_PAGE)
    assert response.status_code == status, response.text
    return response.json()


NOTE = {"operator": "Li", "seat": "lifts", "text": "巡检正常"}


class TestLog:
    async def test_a_note_is_kept_and_read_back_with_its_time(self, world, client) -> None:
        alarm = world.alarm()
        entry = await post(client, "log", NOTE | {"alarm_id": alarm.alarm_id})
        assert (entry["author"], entry["kind"], entry["seat"]) == ("Li", "note", "lifts")
        assert entry["text"] == {"zh": "巡检正常", "en": "巡检正常"}
        assert (await get(client, "log?seat=lifts"))["entries"] == [entry]
        assert (await get(client, "log?seat=control-room"))["entries"] == []
        assert datetime.fromisoformat(entry["entry_time"]) == START

    async def test_a_correction_is_a_further_entry_that_names_the_one_it_corrects(self, client) -> None:
        first = await post(client, "log", NOTE)
        second = await post(client, "log", NOTE | {"text": "2号泵渗水", "corrects": first["entry_id"]})
        entries = (await get(client, "log"))["entries"]
        assert {entry["entry_id"]: entry["corrects"] for entry in entries} == {
            first["entry_id"]: None,
            second["entry_id"]: first["entry_id"],
        }

    @pytest.mark.parametrize(
        ("changes", "status"),
        [
            ({"seat": "nowhere"}, 404),
            ({"alarm_id": "unknown"}, 404),
            ({"incident": "unknown"}, 404),
            ({"corrects": "unknown"}, 404),
            ({"text": " "}, 400),
            ({"text": "a\0b"}, 400),
            ({"text": "x" * 2_001}, 400),
            ({"operator": ""}, 400),
            ({"operator": "a\0b"}, 400),
            ({"kind": "start"}, 400),
        ],
    )
    async def test_what_is_about_nothing_or_too_long_is_not_written(self, world, client, changes, status) -> None:
        await post(client, "log", NOTE | changes, status)
        assert (await get(client, "log"))["entries"] == []

    async def test_an_alarm_that_is_over_can_still_be_written_about(self, world, client) -> None:
        alarm = world.alarm(incident="i1")
        world.change(alarm, "condition_inactive", state=AlarmState.NORMAL)
        entry = await post(client, "log", NOTE | {"alarm_id": alarm.alarm_id, "incident": "i1"})
        assert (entry["alarm_id"], entry["incident"]) == (alarm.alarm_id, "i1")

    async def test_a_seats_log_has_what_concerns_all_and_times_bound_it(self, world, client) -> None:
        for hours, name in ((1, "lifts"), (2, ""), (3, "control-room")):
            time_ = START - timedelta(hours=hours)
            text = LocalText(str(hours), str(hours))
            world.history.write([LogEntry(f"e{hours}", time_, name, "firewatch", EntryKind.START, text)])
        listed = await get(client, "log?seat=lifts")
        assert [entry["entry_id"] for entry in listed["entries"]] == ["e1", "e2"]
        end = (START - timedelta(hours=1)).strftime("%Y-%m-%dT%H:%M:%SZ")
        assert [entry["entry_id"] for entry in (await get(client, f"log?end={end}"))["entries"]] == ["e2", "e3"]
        assert [entry["entry_id"] for entry in (await get(client, "log?limit=1"))["entries"]] == ["e1"]
        await get(client, "log?seat=nowhere", 404)

    async def test_one_kind_of_entry_can_be_asked_for_as_a_list_and_as_a_table(self, world, client) -> None:
        for kind in (EntryKind.START, EntryKind.RULES):
            text = LocalText(kind, kind)
            world.history.write([LogEntry(f"e-{kind}", START - timedelta(hours=1), "", "firewatch", kind, text)])
        assert [entry["entry_id"] for entry in (await get(client, "log?kind=rules"))["entries"]] == ["e-rules"]
        _, *rows = csv.reader(io.StringIO((await client.get("/api/v1/log.csv?kind=start")).text))
        assert [row[-1] for row in rows] == ["e-start"]
        await get(client, "log?kind=rumour", 400)

    async def test_the_table_opens_in_a_spreadsheet_and_no_cell_of_it_is_a_formula(self, client) -> None:
        await post(client, "log", NOTE | {"text": '=1+1, "两行"\n第二行', "operator": "-Li"})
        response = await client.get("/api/v1/log.csv")
        assert response.headers["content-type"] == "text/csv; charset=utf-8"
        assert response.content.startswith(b"\xef\xbb\xbf")
        head, row = csv.reader(io.StringIO(response.content.decode("utf-8-sig")))
        assert dict(zip(head, row, strict=True)) | {"id": ""} == {
            "time": START.isoformat(),
            "seat": "lifts",
            "author": "'-Li",
            "kind": "note",
            "zh": '\'=1+1, "两行"\n第二行',
            "en": '\'=1+1, "两行"\n第二行',
            "alarm": "",
            "incident": "",
            "corrects": "",
            "id": "",
        }

    async def test_there_is_no_way_to_change_or_delete_an_entry(self, client) -> None:
        entry = await post(client, "log", NOTE)
        for method in ("PUT", "PATCH", "DELETE"):
            for path in ("/api/v1/log", f"/api/v1/log/{entry['entry_id']}"):
                response = await client.request(method, path, json=NOTE, headers=OWN_PAGE)
                assert response.status_code in (404, 405)


class TestDutyChecks:
    ASK = {"seat": "lifts", "asked_by": "区监控中心", "minutes": 5}  # noqa: RUF012

    async def test_a_seat_is_asked_and_answers_and_the_answer_time_is_reported(self, world, client) -> None:
        asked = await post(client, "duty-checks", self.ASK)
        assert (asked["state"], asked["asked_by"], asked["site"]) == ("asked", "区监控中心", "sample")
        assert datetime.fromisoformat(asked["until_time"]) == START + timedelta(minutes=5)
        world.clock.advance(timedelta(seconds=42))
        path = f"duty-checks/{asked['check_id']}/answer"
        answered = await post(client, path, {"operator": "Li"})
        assert (answered["state"], answered["answered_by"]) == ("answered", "Li")
        listed = await get(client, "duty-checks")
        assert listed["duty_checks"] == [answered]
        assert listed["figures"] == {
            "answered": 1,
            "missed": 0,
            "replaced": 0,
            "median_answer_seconds": 42.0,
            "longest_answer_seconds": 42.0,
        }
        again = await post(client, path, {"operator": "Li"}, 409)
        assert again["error"]["what"] == "The duty check was answered by Li."

    @pytest.mark.parametrize(
        ("changes", "status"),
        [
            ({"seat": "nowhere"}, 404),
            ({"minutes": 11}, 400),
            ({"minutes": 0}, 400),
            ({"minutes": "5"}, 400),
            ({"asked_by": " "}, 400),
        ],
    )
    async def test_a_question_out_of_bounds_is_not_asked(self, world, client, changes, status) -> None:
        await post(client, "duty-checks", self.ASK | changes, status)
        assert world.control_room.open_checks() == []

    async def test_asking_again_at_once_is_refused(self, world, client) -> None:
        await post(client, "duty-checks", self.ASK)
        await post(client, "duty-checks", self.ASK, 409)
        world.clock.advance(timedelta(seconds=2))
        await post(client, "duty-checks", self.ASK)
        listed = (await get(client, "duty-checks?seat=lifts"))["duty_checks"]
        assert [check["state"] for check in listed] == ["asked", "replaced"]
        assert (await get(client, "duty-checks?seat=control-room"))["duty_checks"] == []

    async def test_nobody_can_answer_what_nobody_asked(self, client) -> None:
        await post(client, "duty-checks/unknown/answer", {"operator": "Li"}, 409)

    async def test_a_strangers_page_cannot_answer(self, client) -> None:
        asked = await post(client, "duty-checks", self.ASK)
        response = await client.post(
            f"/api/v1/duty-checks/{asked['check_id']}/answer",
            json={"operator": "Li"},
            headers={"Origin": "https://elsewhere.example"},
        )
        assert response.status_code == 403


class TestHandover:
    @pytest.fixture
    def busy(self, world: World) -> World:
        """One alarm for each list of the seat `lifts`, and one that is another seat's."""
        now = world.clock.now()
        shelf = Shelf("Li", now, "误报", now + timedelta(hours=1))
        held = Maintenance("Wang", now, "换门机", "WO-7", now + timedelta(hours=8))
        for name, fields in {
            "seen": {"state": AlarmState.ACKNOWLEDGED, "acknowledged_by": "Li", "acknowledged_time": now},
            "new": {},
            "latched": {"state": AlarmState.LATCHED_ACKNOWLEDGED},
            "shelved": {"shelf": shelf, "hidden": True},
            "away": {"out_of_service": held, "hidden": True, "state": AlarmState.NORMAL},
            "follows": {"suppressed_by": "new", "hidden": True},
            "water": {"system": "water"},
        }.items():
            world.alarm(alarm_id=name, **fields)
        return world

    async def test_every_alarm_of_the_seat_is_in_one_list(self, busy, client) -> None:
        state = await get(client, "handover?seat=lifts")
        assert {name: [alarm["alarm_id"] for alarm in state[name]] for name in _LISTS} == {
            "unacknowledged": ["new"],
            "acknowledged": ["seen"],
            "latched": ["latched"],
            "shelved": ["shelved"],
            "out_of_service": ["away"],
            "suppressed": ["follows"],
        }
        assert state["complete"] is True

    async def test_the_turn_of_duty_bounds_log_and_checks(self, world, client) -> None:
        turn = LIFTS.turn(world.clock.now())
        long_ago = START - timedelta(days=2)
        world.history.write([LogEntry("old", long_ago, "lifts", "Li", EntryKind.NOTE, LocalText("旧", "old"))])
        entry = await post(client, "log", NOTE)
        check = await post(client, "duty-checks", TestDutyChecks.ASK)
        state = await get(client, "handover?seat=lifts")
        since = turn.start_time if turn else START - timedelta(hours=12)
        assert datetime.fromisoformat(state["since"]) == since
        assert entry in state["log"]
        assert "old" not in [each["entry_id"] for each in state["log"]]
        assert state["open_checks"] == state["duty_checks"] == [check]

    async def test_commands_cameras_and_parts_that_need_somebody_are_listed(self, world, client) -> None:
        world.part("history", ready=False, detail="away")
        world.command("sample/a-lift-2-door", "hold_door")
        world.observe("sample/a-lift-1-camera/online", False)
        world.observe("sample/a-lift-2-camera/online", True)
        state = await get(client, "handover?seat=control-room")
        assert [part["name"] for part in state["parts"]] == ["history"]
        assert [record["command"]["device"] for record in state["commands"]] == ["sample/a-lift-2-door"]
        assert [camera["device"] for camera in state["cameras"]] == ["a-lift-1-camera"]

    async def test_the_workload_of_the_turn_is_counted_from_what_was_recorded(self, world, client) -> None:
        world.clock.advance(timedelta(minutes=5))
        world.alarm()
        world.clock.advance(timedelta(minutes=1))
        state = await get(client, "handover?seat=lifts")
        assert state["workload"]["unacknowledged"]["now"] == 1

    async def test_handing_over_writes_who_and_how_many_of_what_there_was(self, busy, client) -> None:
        entry = await post(
            client, "handover", {"from": "Li", "to": "Wang", "seat": "lifts", "remarks": "2号梯门机待修"}
        )
        assert (entry["kind"], entry["author"], entry["seat"]) == ("handover", "Li", "lifts")
        assert entry["text"] == {"zh": "Li向Wang交班：2号梯门机待修", "en": "Li handed over to Wang: 2号梯门机待修"}
        assert {name: entry["counts"][name] for name in _LISTS} == dict.fromkeys(_LISTS, 1)
        assert (await get(client, "log?seat=lifts"))["entries"] == [entry]
        busy.change(busy.live.standing["new"], "condition_inactive", state=AlarmState.NORMAL)
        [kept] = (await get(client, "log?seat=lifts"))["entries"]
        assert kept["counts"]["unacknowledged"] == 1, "the figures are those of then"

    @pytest.mark.parametrize("changes", [{"from": ""}, {"to": " "}, {"seat": "A"}, {"remarks": "x" * 2_001}])
    async def test_a_handover_that_says_too_little_or_too_much_is_not_written(self, client, changes) -> None:
        await post(client, "handover", {"from": "Li", "to": "Wang", "seat": "lifts"} | changes, 400)

    async def test_without_a_history_the_alarms_are_handed_over_all_the_same(self, busy, client, monkeypatch) -> None:
        async def away(*_: object, **__: object) -> None:
            raise StorageError("the history could not be read")

        monkeypatch.setattr(busy.history, "log_entries", away)
        state = await get(client, "handover?seat=lifts")
        assert (state["complete"], state["log"], state["workload"]) == (False, [], None)
        assert [alarm["alarm_id"] for alarm in state["unacknowledged"]] == ["new"]
        page = await client.get("/handover?seat=lifts&lang=en")
        assert "The history cannot be read at present" in page.text

    async def test_a_seat_that_does_not_exist_is_not_handed_over(self, client) -> None:
        await get(client, "handover?seat=nowhere", 404)
        assert (await client.get("/handover?seat=nowhere")).status_code == 404


class Outline(HTMLParser):
    """Counts what is open, so that a page whose tags do not close is found out."""

    VOID = ("meta", "br")

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen: list[str] = []
        self.headings: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append(tag)
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] in ("h1", "h2"):
            self.headings.append(data)


class TestPage:
    async def outline(self, client: httpx.AsyncClient, query: str) -> tuple[Outline, httpx.Response]:
        response = await client.get(f"/handover?{query}")
        assert response.status_code == 200, response.text
        outline = Outline()
        outline.feed(response.text)
        assert outline.open == []
        return outline, response

    @pytest.mark.parametrize(("lang", "title"), [("zh", "消防控制室交接班记录"), ("en", "Control room handover")])
    async def test_it_is_in_the_readers_language(self, client, lang, title) -> None:
        outline, response = await self.outline(client, f"seat=lifts&lang={lang}")
        assert outline.headings[0].startswith(title)
        has_chinese = bool(re.search(r"[\u4e00-\u9fff]", response.text))
        assert has_chinese is (lang == "zh")

    async def test_without_a_seat_it_is_the_first_ones_and_chinese(self, client) -> None:
        outline, _ = await self.outline(client, "")
        assert outline.headings[0] == "消防控制室交接班记录 · 席位"

    async def test_nothing_that_people_or_devices_say_becomes_markup(self, world, client) -> None:
        text = LocalText(EVIL, EVIL)
        now = world.clock.now()
        world.alarm(
            alarm_id="a1",
            text=text,
            place=text,
            acknowledged_by=EVIL,
            acknowledged_time=now,
            acknowledge_comment=EVIL,
            state=AlarmState.ACKNOWLEDGED,
        )
        world.alarm(
            alarm_id="a2", text=text, place=text, hidden=True, shelf=Shelf(EVIL, now, EVIL, now + timedelta(hours=1))
        )
        world.alarm(
            alarm_id="a3", text=text, place=text, hidden=True, out_of_service=Maintenance(EVIL, now, EVIL, EVIL, now)
        )
        world.part(EVIL, ready=False, detail=EVIL)
        world.command("sample/a-lift-2-door", EVIL)
        check = world.control_room.put(DutyQuestion("q", "sample", "lifts", EVIL, timedelta(minutes=1)))
        await world.control_room.answer(check.check_id, EVIL)
        await post(client, "log", NOTE | {"text": EVIL, "operator": EVIL})
        for lang in ("zh", "en"):
            outline, response = await self.outline(client, f"seat=lifts&lang={lang}")
            assert "script" not in outline.seen
            assert response.text.count("&lt;script&gt;") >= 15

    async def test_a_browser_runs_nothing_of_it_and_shows_its_own_style_alone(self, client) -> None:
        _, response = await self.outline(client, "seat=lifts")
        [style] = re.findall(r"<style>(.*?)</style>", response.text, re.DOTALL)
        digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
        policy = response.headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert f"style-src 'sha256-{digest}'" in policy
        assert "style=" not in response.text
        assert "src=" not in response.text
        assert "href=" not in response.text

    async def test_fire_comes_first_and_what_hides_an_alarm_is_said(self, world, client) -> None:
        now = world.clock.now()
        world.alarm(alarm_id="a", priority=Priority.LOW, text=LocalText("低", "the mild one"))
        fire = LocalText("火", "the fire")
        world.alarm(alarm_id="b", priority=Priority.HIGHEST, alarm_class=AlarmClass.FIRE, text=fire)
        held = Maintenance("Wang", now, "换门机", "WO-7", datetime.fromisoformat("2030-01-02T03:04:05+08:00"))
        world.alarm(alarm_id="c", hidden=True, out_of_service=held)
        _, response = await self.outline(client, "seat=lifts&lang=en")
        assert response.text.index("the fire") < response.text.index("the mild one")
        assert "Wang · work order WO-7 · until 2030-01-02 03:04:05 · 换门机" in response.text

    @pytest.mark.parametrize("alarm_class", AlarmClass)
    @pytest.mark.parametrize("state", AlarmState)
    async def test_every_alarm_can_be_shown(self, world, client, alarm_class, state) -> None:
        world.alarm(alarm_class=alarm_class, state=state, priority=list(Priority)[len(state) % 4])
        await self.outline(client, "seat=lifts&lang=en")

    @pytest.mark.parametrize("state", DutyState)
    async def test_every_duty_check_can_be_shown(self, world, client, state) -> None:
        check = world.control_room.put(DutyQuestion("q", "sample", "lifts", "centre", timedelta(minutes=1)))
        ended = None if state is DutyState.ASKED else world.clock.now()
        world.history.write([msgspec.structs.replace(check, state=state, ended_time=ended, answered_by="Li")])
        await self.outline(client, "seat=lifts&lang=zh")

    @pytest.mark.parametrize("query", ["lang=de", "seat=A", "seat=lifts&style=x", "seat=lifts&seat=lifts"])
    async def test_what_is_no_page_is_refused(self, client, query) -> None:
        assert (await client.get(f"/handover?{query}")).status_code == 400


async def test_the_seats_are_listed_with_who_is_on_duty(world, client) -> None:
    listed = (await get(client, "seats"))["seats"]
    assert [each["seat"]["id"] for each in listed] == ["control-room", "lifts"]
    assert listed[0]["turn"] is None
    turn = LIFTS.turn(START)
    assert (listed[1]["turn"] is None) is (turn is None)


async def test_a_screen_is_told_of_an_open_check_when_it_connects_and_when_it_is_asked(world) -> None:
    with world.feed.reader() as reader:
        check = world.control_room.put(DutyQuestion("q", "sample", "lifts", "centre", timedelta(minutes=1)))
        [message], _ = await reader.take(1)
    assert msgspec.json.decode(message)["type"] == "duty_check"
    snapshot = world.server._overview.snapshot([], world.control_room.open_checks(), None)
    assert snapshot.duty_checks == [check]
