"""The alarm page of a control room with much to do, in a real browser: incidents, verdicts, what is out of service,
deadlines, what operators ask of actuators, duty checks and drills.
"""

from __future__ import annotations

import re
from datetime import timedelta

import msgspec
import pytest
from playwright.async_api import Page, expect

from firewatch.alarms.drill import DrillNews
from firewatch.alarms.incident import Incident, kin_of
from firewatch.alarms.nuisance import Mark
from firewatch.model.alarm import (
    AlarmClass,
    AlarmState,
    Maintenance,
    Priority,
    Stage,
    StageReached,
    TransitionReason,
    Verdict,
)
from firewatch.model.command import (
    AcknowledgeIncident,
    Actuate,
    ActuatorAnswer,
    ActuatorCommand,
    AnswerState,
    Confirm,
    OutOfService,
    ReturnSubjectToService,
    ReturnToService,
)
from firewatch.model.control_room import Drill, DutyQuestion
from firewatch.model.seat import ControlRoom, Seat
from firewatch.model.text import LocalText
from firewatch.ports import CommandRecord
from tests.browser.compound import everything_normal
from tests.browser.test_console import CHINESE, COUNT_TONES, LATIN, NOT_WORDS, card, every_word
from tests.unit.web.test_workload import onset
from tests.unit.web.world import ALARM_ID, World

pytestmark = [pytest.mark.chromium, pytest.mark.slow, pytest.mark.asyncio(loop_scope="package")]

INCIDENT = "5a0ce-1"
MANY = 500
DOOR = "sample/a-lift-2-door"
LOUDSPEAKER = "sample/a-lift-2-loudspeaker"


def smoke(world: World, number: int, **fields: object):
    """The alarm of that number in a garage that fills with smoke."""
    return world.alarm(
        **{
            "alarm_id": f"5a0ce-{number}",
            "rule": "garage-smoke",
            "subject": f"sample/garage-smoke-{number}",
            "building": "garage",
            "system": "garage",
            "alarm_class": AlarmClass.FIRE,
            "priority": Priority.MEDIUM,
            "text": LocalText(zh="感烟探测器报警", en="Smoke detector in alarm"),
            "place": LocalText(zh=f"车库探测器{number}", en=f"Garage detector {number}"),
            "advice": LocalText(zh="立即派人核实", en="Send someone to look at once"),
            "incident": INCIDENT,
            "incident_number": number,
            **fields,
        }
    )


def incident(page: Page):
    return page.locator(f"[data-incident='{INCIDENT}']")


async def name_oneself(page: Page, name: str = "Wang", label: str = "Name") -> None:
    await page.get_by_label(label, exact=True).fill(name)
    await page.keyboard.press("Enter")


async def test_an_incident_is_one_card_with_its_first_out_whole_and_a_growing_count(world, open_console):
    async with open_console() as page:
        smoke(world, 1)
        await expect(card(page, INCIDENT)).to_contain_text("Smoke detector in alarm")
        await expect(page.locator("[data-incident]")).to_have_count(0)
        smoke(world, 2)
        await expect(incident(page).locator(".first-out")).to_contain_text("First-out")
        await expect(incident(page).locator(".first-out")).to_contain_text("Garage detector 1")
        await expect(incident(page)).to_contain_text("2 alarms, one incident")
        await expect(incident(page).locator(".unfold")).to_have_text("1 more")
        for number in range(3, 14):
            smoke(world, number, building="tower-a" if number == 13 else "garage")
        await expect(incident(page).locator(".unfold")).to_have_text("12 more")
        await expect(incident(page)).to_contain_text("13 unacknowledged")
        await expect(incident(page).locator(".building")).to_have_count(2)
        await expect(page.locator(".card")).to_have_count(1)


async def test_the_most_urgent_alarm_gives_an_incident_its_colour_and_is_named_beside_the_first_out(
    world, open_console
):
    smoke(world, 1, alarm_class=AlarmClass.SECURITY)
    smoke(world, 2, priority=Priority.HIGHEST)
    async with open_console() as page:
        await expect(incident(page)).to_have_class(re.compile(r"\bfire\b"))
        await expect(incident(page).locator(".foremost")).to_contain_text("Garage detector 2")
        await expect(incident(page).locator(".first-out")).to_contain_text("Garage detector 1")


async def test_what_is_seen_is_acknowledged_and_what_came_since_is_not(world, open_console):
    for number in (1, 2, 3):
        smoke(world, number)
    async with open_console() as page:
        await incident(page).get_by_role("button", name="Acknowledge the 3 you see").click()
        # While the operator types a name, another one comes: nobody has seen it when the button was pressed.
        smoke(world, 4)
        await expect(incident(page)).to_contain_text("4 alarms, one incident")
        await name_oneself(page)
        await expect(incident(page)).to_contain_text("1 unacknowledged")
        assert world.submitted == [AcknowledgeIncident(INCIDENT, "Wang", seen=3)]
        await incident(page).get_by_role("button", name="Acknowledge the 1 you see").click()
        await expect(incident(page)).to_contain_text("All acknowledged")
        assert world.submitted[-1] == AcknowledgeIncident(INCIDENT, "Wang", seen=4)


async def test_five_hundred_alarms_of_an_incident_are_drawn_a_window_at_a_time_and_all_can_be_reached(
    world, open_console
):
    for number in range(1, MANY + 1):
        smoke(world, number)
    async with open_console() as page:
        await incident(page).locator(".unfold").click()
        members = incident(page).locator("[data-member]")
        await expect(members).to_have_count(50)
        for shown in range(100, MANY, 50):
            await incident(page).locator(".paging button").click()
            await expect(members).to_have_count(min(shown, MANY - 1))
        await incident(page).locator(".paging button").click()
        await expect(members).to_have_count(MANY - 1)
        await expect(incident(page).locator(".paging")).to_have_count(0)
        await members.last.get_by_role("button").click()
        await expect(page.get_by_role("dialog")).to_contain_text(f"5a0ce-{MANY}")


async def test_a_message_redraws_the_rows_it_is_about_and_no_others(world, open_console):
    alarms = [smoke(world, number) for number in range(1, 40)]
    async with open_console() as page:
        await incident(page).locator(".unfold").click()
        await expect(incident(page).locator("[data-member]")).to_have_count(38)
        await page.evaluate(
            """() => {
              window.redrawn = new Set();
              new MutationObserver((changes) => changes.forEach(({ target }) => {
                const row = (target.nodeType === 1 ? target : target.parentElement)?.closest("[data-member]");
                if (row) window.redrawn.add(row.dataset.member);
              })).observe(document.body, { subtree: true, childList: true, characterData: true, attributes: true });
            }"""
        )
        world.change(alarms[6], TransitionReason.ACKNOWLEDGED, state=AlarmState.ACKNOWLEDGED)
        await expect(page.locator("[data-member='5a0ce-7']")).to_contain_text("Acknowledged")
        assert await page.evaluate("[...window.redrawn]") == ["5a0ce-7"]


async def test_the_first_out_is_known_after_it_is_over_and_on_a_screen_that_is_opened_later(world, open_console):
    first = smoke(world, 1)
    smoke(world, 2)
    smoke(world, 3)
    over = world.change(
        first, TransitionReason.CONDITION_INACTIVE, state=AlarmState.NORMAL, cleared_time=world.clock.now()
    )
    async with open_console() as page:
        await expect(incident(page).locator(".first-out-mark")).to_have_text("Earliest that stands")
    world.live.going_on = [Incident(INCIDENT, kin_of(over), over, world.clock.now(), world.clock.now(), count=3)]
    async with open_console() as page:
        await expect(incident(page).locator(".first-out-mark")).to_have_text("First-out")
        await expect(incident(page).locator(".first-out")).to_contain_text("Garage detector 1")
        await expect(incident(page).locator(".first-out")).to_contain_text("Returned to normal")
        await incident(page).locator(".unfold").click()
        await incident(page).get_by_text("1 are over or hidden").click()
        await expect(incident(page).locator(".member.over")).to_contain_text("Garage detector 1")


WATCH_CALLS = """
window.begun = 0;
window.calling = new Set();
const { setInterval: begin, clearInterval: end } = window;
window.setInterval = (then, every) => {
  const timer = begin(then, every);
  if (every === 3000) { window.begun++; window.calling.add(timer); }
  return timer;
};
window.clearInterval = (timer) => { window.calling.delete(timer); end(timer); };
"""
"""A tone is repeated every three seconds: how often that began, and what goes on."""


async def test_alarms_that_join_an_incident_add_no_sound_and_are_not_read_out(world, open_console):
    async with open_console() as page:
        await page.add_init_script(WATCH_CALLS)
        await page.reload()
        await page.get_by_role("button", name="Sound is off").click()
        told = page.locator("[role=alert].unseen")
        smoke(world, 1)
        await expect(told).to_contain_text("Garage detector 1")
        await page.wait_for_function("() => window.calling.size === 1")
        for number in range(2, 9):
            smoke(world, number)
        await expect(incident(page)).to_contain_text("8 alarms, one incident")
        assert await page.evaluate("window.begun") == 1
        await expect(told.locator("p")).to_have_count(1)
        smoke(world, 9, priority=Priority.HIGHEST)
        await expect(told).to_contain_text("Garage detector 9 (9 alarms in this incident)")


async def test_the_keyboard_alone_unfolds_an_incident_and_opens_an_alarm_of_it(world, open_console):
    for number in (1, 2, 3):
        smoke(world, number)
    async with open_console() as page:
        await incident(page).locator(".unfold").focus()
        await page.keyboard.press("Enter")
        await expect(incident(page).locator(".unfold")).to_have_attribute("aria-expanded", "true")
        await page.keyboard.press("Tab")
        await page.keyboard.press("Enter")
        await expect(page.get_by_role("dialog")).to_contain_text("5a0ce-2")


async def test_what_wears_people_out_is_marked(world, open_console):
    world.alarm()
    world.live.marked[ALARM_ID] = (Mark.CHATTERING, Mark.STALE)
    async with open_console() as page:
        await expect(card(page).locator(".mark-tag")).to_have_text(["Chattering", "Stale"])
        await expect(card(page).locator(".mark-tag").first).to_have_attribute("title", re.compile("5 times in 5 min"))


async def test_a_verdict_is_asked_for_after_the_acknowledgement_and_shown(world, open_console):
    world.alarm()
    async with open_console() as page:
        await expect(card(page).get_by_role("button", name="Acknowledge")).to_be_visible()
        await expect(card(page).get_by_role("button", name="What was it?")).to_have_count(0)
        await card(page).get_by_role("button", name="Acknowledge").click()
        await name_oneself(page)
        await card(page).get_by_role("button", name="What was it?").click()
        dialog = page.get_by_role("dialog")
        await expect(dialog.get_by_role("button", name="Record it")).to_be_disabled()
        await dialog.get_by_label("False").check()
        await dialog.get_by_label("What was found and done").fill("A pram")
        await dialog.get_by_role("button", name="Record it").click()
        await expect(dialog).to_have_count(0)
        await expect(card(page).locator(".verdict-tag")).to_have_text("False Wang")
        assert world.submitted[-1] == Confirm(ALARM_ID, "Wang", Verdict.FALSE, "A pram")


async def test_an_alarm_that_is_over_lately_can_be_judged_too(world, open_console):
    alarm = world.alarm()
    world.change(
        alarm,
        TransitionReason.ACKNOWLEDGED,
        state=AlarmState.NORMAL,
        cleared_time=world.clock.now(),
        acknowledged_time=world.clock.now(),
        acknowledged_by="Wang",
    )
    async with open_console() as page:
        await page.locator(f"[data-returned='{ALARM_ID}'] button").click()
        await expect(page.get_by_role("dialog").get_by_role("button", name="What was it?")).to_be_enabled()


async def test_a_rule_is_taken_out_of_service_with_an_end_prolonged_and_returned(world, open_console):
    alarm = world.alarm()
    async with open_console("zh-CN") as page:
        await card(page).get_by_title("查看详情").first.click()
        details = page.get_by_role("dialog").first
        await details.get_by_role("button", name="停用").click()
        outage = page.get_by_role("dialog").last
        await outage.get_by_label("原因").fill("更换摄像机")
        await outage.get_by_label("工单号").fill("7")
        await expect(outage.locator("[type=submit]")).to_be_disabled()
        await outage.get_by_role("button", name="4 小时").click()
        await expect(outage).to_contain_text("12:00:00 自动恢复使用")
        await outage.locator("[type=submit]").click()
        await name_oneself(page, "王", "姓名")
        await expect(page.get_by_role("dialog")).to_have_count(1)
        await expect(details).to_contain_text("停用至 12:00:00：更换摄像机 · 工单 7")
        await details.get_by_role("button", name="恢复使用").click()
        await page.get_by_role("dialog").last.get_by_label("原因").fill("已更换")
        await page.get_by_role("dialog").last.locator("[type=submit]").click()
        await expect(details.get_by_role("button", name="停用")).to_be_visible()
        until = world.clock.now() + timedelta(hours=4)
        assert world.submitted == [
            OutOfService(alarm.rule, alarm.subject, "王", "更换摄像机", "7", until),
            ReturnToService(ALARM_ID, "王", "已更换"),
        ]


async def test_what_is_out_of_service_is_listed_by_subject_with_its_end_and_comes_back_as_a_whole(world, open_console):
    now = world.clock.now()
    out = Maintenance("Wang", now, "Repair", "WO 12", now + timedelta(days=2), reminded=True)
    for number in (1, 2):
        world.alarm(alarm_id=f"out-{number}", rule=f"lift-{number}", hidden=True, out_of_service=out)
    async with open_console() as page:
        await page.get_by_text("2 hidden").click()
        outage = page.locator("[data-outage='sample/a-lift-2']")
        await expect(outage).to_contain_text("Tower A lift 2")
        await expect(outage).to_contain_text(re.compile(r"until 3 Jan \d\d:\d\d"))
        await expect(outage).to_contain_text("about to end")
        await expect(outage).to_contain_text("work order WO 12")
        await expect(outage.locator("[data-hidden]")).to_have_count(2)
        await outage.get_by_role("button", name="Prolong").click()
        dialog = page.get_by_role("dialog")
        await expect(dialog.get_by_label("Reason")).to_have_value("Repair")
        await dialog.get_by_role("button", name="7 days").click()
        await dialog.locator("[type=submit]").click()
        await name_oneself(page)
        await expect(dialog).to_have_count(0)
        await outage.get_by_role("button", name="Return").click()
        await dialog.get_by_label("Reason").fill("Done")
        await dialog.locator("[type=submit]").click()
        await expect(outage).to_have_count(0)
        assert world.submitted == [
            OutOfService(None, "sample/a-lift-2", "Wang", "Repair", "WO 12", now + timedelta(days=7)),
            ReturnSubjectToService("sample/a-lift-2", "Wang", "Done"),
        ]


async def test_the_details_say_which_stage_made_an_alarm_late(world, open_console):
    told = onset(world, "late", seconds_ago=20)
    alarm = msgspec.structs.replace(told.alarm, text=LocalText(zh="感烟探测器报警", en="Smoke detector in alarm"))
    told = msgspec.structs.replace(told, alarm=alarm)
    world.live.standing[alarm.alarm_id] = alarm
    decided = alarm.clock.decided_time
    command = ActuatorCommand("c1", DOOR, "hold_door", {}, "late", alarm.rule, decided)
    world.history.write([told, command, StageReached("late", Stage.PROVEN, decided + timedelta(seconds=12), "c1")])
    async with open_console(may_complain=True) as page:
        await card(page, "late").locator(".headline").click()
        way = page.get_by_role("dialog").locator("[data-way]")
        await expect(way).to_have_attribute("data-way", "late")
        await expect(way.locator(".slow")).to_contain_text("Actuators proven")
        first = way.locator("[data-limit=annunciated]").first
        await expect(first).to_contain_text("within 3 s")
        await expect(first).to_contain_text("in time")
        await expect(way.locator("[data-limit=proven]")).to_contain_text("late")


@pytest.mark.parametrize(
    ("answer", "proven", "state", "said"),
    [
        (None, False, "sent", "no answer yet"),
        ((AnswerState.ACCEPTED, ""), False, "accepted", "accepted"),
        ((AnswerState.DONE, "held"), False, "done", "held proof awaited"),
        ((AnswerState.DONE, "held"), True, "proven", "held, proven"),
        ((AnswerState.FAILED, "unproven"), False, "unproven", "not proven"),
        ((AnswerState.FAILED, "blocked"), False, "failed", "failed: blocked"),
        ((AnswerState.FAILED, "unanswered"), False, "failed", "no answer"),
    ],
)
async def test_a_command_shows_how_far_it_is(world, open_console, answer, proven, state, said):
    world.alarm()
    now = world.clock.now()
    command = ActuatorCommand("c1", DOOR, "hold_door", {}, ALARM_ID, "e-bike-in-lift", now)
    last = None if answer is None else ActuatorAnswer("c1", DOOR, *answer, now, now)
    world.feed.push(CommandRecord.of(command, last, now if proven else None))
    async with open_console() as page:
        await expect(card(page).locator(f".command.{state}")).to_contain_text(f"Hold the door {said}")


async def test_a_command_that_is_asked_again_says_how_often(world, open_console):
    world.alarm()
    now = world.clock.now()
    command = ActuatorCommand("c1", DOOR, "hold_door", {}, ALARM_ID, "e-bike-in-lift", now)
    async with open_console() as page:
        world.feed.push(CommandRecord.of(command, ActuatorAnswer("c1", DOOR, AnswerState.DONE, "held", now, now)))
        await expect(card(page).locator(".command")).to_contain_text("proof awaited")
        await expect(card(page).locator(".attempts")).to_have_count(0)
        world.feed.push(CommandRecord.of(command, attempts=2))
        await expect(card(page).locator(".attempts")).to_have_text("asked 2 times")


async def test_a_false_hold_is_released_by_one_press(world, open_console):
    world.alarm()
    async with open_console() as page:
        await card(page).locator(".headline").click()
        door = page.locator(f"[data-actuator='{DOOR}']")
        await door.locator("[data-action=release_door]").click()
        await name_oneself(page)
        await expect(door.locator(".command")).to_contain_text("Release the door no answer yet")
        assert world.submitted == [Actuate(DOOR, "release_door", {}, "Wang")]


async def test_a_form_is_made_from_what_an_action_takes(world, open_console):
    async with open_console() as page:
        await page.locator(f"[data-device='{LOUDSPEAKER}'] button").click()
        await page.locator("[data-form=play]").click()
        form = page.get_by_role("dialog").last
        await form.get_by_label("English text").fill("Please leave the lift")
        await form.get_by_label("Tone before it").fill("7")
        await form.locator("[type=submit]").click()
        assert await form.locator("[name=tone_seconds]").evaluate("input => input.validity.rangeUnderflow")
        await form.get_by_label("Tone before it").fill("8")
        await form.locator("[type=submit]").click()
        await name_oneself(page)
        await expect(page.get_by_role("dialog")).to_have_count(1)
        assert world.submitted == [
            Actuate(LOUDSPEAKER, "play", {"repeat": 1, "text_en": "Please leave the lift", "tone_seconds": 8}, "Wang")
        ]


async def test_fire_linkage_asks_for_a_reason_and_says_what_it_is(world, open_console):
    world.alarm()
    async with open_console() as page:
        await card(page).locator(".headline").click()
        await page.locator("[data-actuator] [data-form=go_to_floor]").click()
        form = page.get_by_role("dialog").last
        await expect(form).to_contain_text("is fire linkage")
        await form.get_by_label("Floor").fill("1")
        await expect(form.locator("[type=submit]")).to_be_disabled()
        await form.get_by_label("Reason").fill("Smoke on floor 3")
        await form.locator("[type=submit]").click()
        await name_oneself(page)
        await expect(page.get_by_role("dialog")).to_have_count(1)
        [asked] = world.submitted
        assert (asked.action, asked.parameters, asked.reason) == ("go_to_floor", {"floor": 1}, "Smoke on floor 3")


async def test_what_the_server_refuses_is_told_with_its_words(world, open_console):
    async with open_console(may_complain=True) as page:
        await page.locator(f"[data-device='{LOUDSPEAKER}'] button").click()
        await page.locator("[data-form=play]").click()
        form = page.get_by_role("dialog").last
        await form.get_by_label("English text").fill("Hello")
        await page.route(
            "**/commands", lambda route: route.fulfill(status=409, json={"error": {"what": "It is mute."}})
        )
        await form.locator("[type=submit]").click()
        await name_oneself(page)
        await expect(form.get_by_role("alert")).to_have_text("Not done: It is mute.")


async def test_a_live_text_is_spoken_in_whole_buildings(world, open_console):
    world.alarm()
    async with open_console() as page:
        await card(page).locator(".headline").click()
        await page.locator("[data-broadcast=play]").click()
        form = page.get_by_role("dialog").last
        await expect(form.get_by_label("Tower A")).to_be_checked()
        await form.get_by_label("English text").fill("All is well")
        await form.locator("[type=submit]").click()
        await name_oneself(page)
        await expect(page.get_by_role("dialog")).to_have_count(1)
        assert {one.parameters["text_en"] for one in world.submitted} == {"All is well"}
        assert len(world.submitted) > 1


def question(seat: str) -> DutyQuestion:
    return DutyQuestion("q1", "sample", seat, "Centre", timedelta(minutes=5))


TWO_SEATS = ControlRoom(
    (
        Seat("front", LocalText(zh="前台", en="Front desk")),
        Seat("back", LocalText(zh="后台", en="Back desk")),
    )
)


async def test_a_duty_check_is_shown_over_any_page_and_dialog_and_answered_by_name(world, open_console):
    world.alarm()
    async with open_console() as page:
        await page.get_by_role("link", name="Rules").click()
        check = await world.control_room.ask(
            DutyQuestion("q1", "sample", "control-room", "Centre", timedelta(minutes=5))
        )
        band = page.locator(f"[data-duty='{check.check_id}']")
        await expect(band).to_contain_text("DUTY CHECK")
        await expect(band).to_contain_text("Centre asks whether anybody is at")
        await expect(band).to_contain_text("5:00")
        box = await band.bounding_box()
        assert box is not None
        assert (box["x"], box["width"]) == (0, 1280)
        for fixed in (".lamps", ".status"):
            await expect(page.locator(fixed)).to_be_in_viewport(ratio=1)
        lamps = await page.locator(".lamps").bounding_box()
        assert lamps is not None
        assert lamps["y"] >= box["y"] + box["height"]
        await page.locator(".status > button").click()
        await page.get_by_role("dialog").locator(".duty-band .main").click()
        await name_oneself(page)
        await expect(band).to_have_count(0)
        [ended] = (await world.history.duty_checks())[:1]
        assert ended.answered_by == "Wang"


async def test_a_duty_check_sounds_until_it_is_answered(world, open_console):
    async with open_console() as page:
        await page.add_init_script(COUNT_TONES + WATCH_CALLS)
        await page.reload()
        await page.get_by_role("button", name="Sound is off").click()
        check = await world.control_room.ask(question("control-room"))
        await page.wait_for_function("() => window.lastTone === 988")
        await world.control_room.answer(check.check_id, "Wang")
        await expect(page.locator(".duty-band")).to_have_count(0)
        await page.wait_for_function("() => window.calling.size === 0")


async def test_only_the_seat_that_is_asked_is_disturbed_and_a_screen_remembers_its_seat(open_console, world):
    room = World(clock=world.clock, room=TWO_SEATS)
    room.workloads.room = TWO_SEATS
    everything_normal(room)
    address, world.address = world.address, await room.server.start()
    try:
        async with open_console() as page:
            check = await room.control_room.ask(question("back"))
            band = page.locator(f"[data-duty='{check.check_id}']")
            # A screen of which nobody has said where it stands answers for everyone.
            await expect(band).to_contain_text("Back desk")
            seat = page.get_by_label("Seat of this screen")
            await seat.select_option("Front desk", force=True)
            await expect(band).to_have_count(0)
            await page.reload()
            await expect(seat).to_have_value("front")
            await expect(band).to_have_count(0)
            await seat.select_option("Back desk")
            await expect(band).to_be_visible()
    finally:
        world.address = address
        await room.server.stop()


async def test_a_drill_has_a_place_of_its_own_and_lights_no_lamp_and_makes_no_sound(world, open_console):
    now = world.clock.now()
    async with open_console() as page:
        await page.add_init_script(WATCH_CALLS)
        await page.reload()
        await page.get_by_role("button", name="Sound is off").click()
        real = world.alarm()
        played = msgspec.structs.replace(real, alarm_id="played", alarm_class=AlarmClass.FIRE, drill="d1")
        world.change(
            real,
            TransitionReason.ACKNOWLEDGED,
            state=AlarmState.ACKNOWLEDGED,
            acknowledged_time=now,
            acknowledged_by="W",
        )
        await expect(page.locator("[data-lamp=security]")).to_contain_text("All acknowledged")
        await page.wait_for_function("() => window.calling.size === 0")
        drill = Drill("d1", "garage", now, "Wang")
        label = LocalText(zh="车库火灾演练", en="Garage fire")
        news = DrillNews(drill, label, "sample", now + timedelta(minutes=30), (played,))
        world.feed.push(news)
        row = page.locator("[data-drill-alarm=played]")
        await expect(row).to_contain_text("E-bike in the lift")
        await expect(page.locator(".drill")).to_contain_text("演练 DRILL Garage fire")
        await expect(page.locator("[data-lamp=fire]")).to_contain_text("None")
        await expect(card(page, "played")).to_have_count(0)
        assert await page.evaluate("window.calling.size") == 0
        real_box, drill_box = await card(page).bounding_box(), await page.locator(".drill").bounding_box()
        assert real_box is not None
        assert drill_box is not None
        assert real_box["y"] < drill_box["y"]
        await row.get_by_role("button").click()
        await expect(page.get_by_role("dialog")).to_contain_text("演练 DRILL")
        await expect(page.get_by_role("dialog").get_by_role("button", name="Acknowledge")).to_have_count(0)
        await page.keyboard.press("Escape")
        ended = msgspec.structs.replace(drill, ended_time=now, outcome="passed")
        world.feed.push(msgspec.structs.replace(news, drill=ended, alarms=()))
        await expect(page.locator(".drill")).to_have_count(0)


@pytest.mark.parametrize(("locale", "foreign"), [("zh-CN", LATIN), ("en-GB", CHINESE)])
async def test_every_word_of_it_is_said_in_the_readers_language(world, open_console, locale, foreign):
    for number in (1, 2, 3):
        smoke(world, number)
    world.alarm(
        alarm_id="seen", state=AlarmState.ACKNOWLEDGED, acknowledged_time=world.clock.now(), acknowledged_by="W"
    )
    now = world.clock.now()
    out = Maintenance("W", now, "7", "12", now + timedelta(hours=1), reminded=True)
    world.alarm(alarm_id="out", hidden=True, out_of_service=out)
    async with open_console(locale) as page:
        await incident(page).locator(".unfold").click()
        await page.locator(".hidden-alarms summary").click()
        said = await every_word(page)
        for opened in (
            "[data-alarm=seen] .headline",
            "[data-alarm=seen] .card-side .plain",
            "[data-outage] button >> nth=0",
            "[data-outage] button >> nth=1",
        ):
            await page.locator(opened).click()
            await expect(page.get_by_role("dialog")).to_be_visible()
            said += await every_word(page)
            await page.keyboard.press("Escape")
        assert set(foreign.findall(said.replace("演练 DRILL", "").replace("中文", ""))) <= NOT_WORDS
