"""What a person at the desk sees, in a real browser."""

from __future__ import annotations

import re
from datetime import timedelta

import msgspec
import pytest
from playwright.async_api import Page, expect

from firewatch.model.alarm import AlarmClass, AlarmState, ConditionState, Priority, TransitionReason
from firewatch.model.command import AnswerState, Reset, Shelve
from firewatch.model.observation import Quality
from firewatch.model.text import LocalText
from tests.browser.compound import e_bike_picture
from tests.unit.web.world import ALARM_ID, INVENTORY, World

pytestmark = [pytest.mark.chromium, pytest.mark.slow, pytest.mark.asyncio(loop_scope="package")]

CHINESE = re.compile(r"[\u4e00-\u9fff]+")
LATIN = re.compile(r"[A-Za-z]{3,}")
NOT_WORDS = {"firewatch", "sample", "camera", "lift", "MPa", "degC"}
"""What reads the same in Chinese: our name, ids and units."""
FLOOD = 500
PICTURE = "sample-a-lift-2-camera-20250101t000000000z"


def card(page: Page, alarm_id: str = ALARM_ID):
    return page.locator(f"[data-alarm='{alarm_id}']")


def raise_e_bike(world: World, **fields):
    world.picture(PICTURE, e_bike_picture())
    return world.alarm(picture=PICTURE, **fields)


def raise_smoke(world: World):
    return world.alarm(
        alarm_id="5a0ce",
        rule="garage-smoke",
        subject="sample/garage-smoke-2",
        alarm_class=AlarmClass.FIRE,
        priority=Priority.MEDIUM,
        text=LocalText(zh="感烟探测器报警", en="Smoke detector in alarm"),
        place=LocalText(zh="车库1号防火分区", en="Garage fire zone 1"),
        advice=LocalText(zh="立即派人核实", en="Send someone to look at once"),
    )


async def test_a_calm_compound_says_so_and_shows_every_device(open_console):
    async with open_console() as page:
        await expect(page.locator(".calm")).to_contain_text("No standing alarms")
        await expect(page.locator(".calm")).to_contain_text("All 66 devices are being heard")
        await expect(page.locator("[data-device]")).to_have_count(66)
        await expect(page.locator("[data-device='sample/tank-1']")).to_contain_text("Level 3.20 m")
        await expect(page.locator("[data-camera] img")).to_have_count(5)
        await expect(page.locator(".site")).to_have_text("Sample Compound")


async def test_an_alarm_appears_by_itself_with_its_picture_and_what_the_actuators_did(world, open_console):
    async with open_console() as page:
        await page.evaluate("window.notReloaded = true")
        world.command("sample/a-lift-2-door", "hold_door")
        raise_e_bike(world)
        await expect(card(page)).to_contain_text("E-bike in the lift")
        await expect(card(page)).to_contain_text("Tower A lift 2")
        await expect(card(page)).to_contain_text("Ask the resident over the intercom to leave")
        await expect(card(page)).to_contain_text("Sensor to feed 1.2 s")
        await expect(card(page).locator(".command")).to_contain_text("Hold the door no answer yet")
        world.command("sample/a-lift-2-door", "hold_door", (AnswerState.DONE, "held"))
        world.command("sample/a-lift-2-loudspeaker", "play", (AnswerState.FAILED, "no amplifier"))
        await expect(card(page).locator(".command.done")).to_contain_text("Hold the door held")
        await expect(card(page).locator(".command.failed")).to_contain_text("Announce failed: no amplifier")
        assert await card(page).locator("img").evaluate("image => image.decode().then(() => image.naturalWidth)") == 640
        await expect(page.locator("[role=alert].unseen")).to_contain_text("New alarm: Security, High. E-bike")
        # The lift's camera moves to the front, marked with the alarm's class.
        await expect(page.locator("[data-camera]").first).to_have_attribute("data-camera", "sample/a-lift-2-camera")
        assert await page.evaluate("window.notReloaded")


async def test_the_button_asks_for_the_operator_once_and_acknowledges(world, open_console):
    raise_e_bike(world)
    raise_smoke(world)
    async with open_console() as page:
        await expect(page.locator("[data-lamp=security]")).to_contain_text("1 unacknowledged")
        await card(page).get_by_role("button", name="Acknowledge").click()
        await page.get_by_label("Name").fill(" Wang ")
        await page.keyboard.press("Enter")
        await expect(card(page)).to_contain_text("Acknowledged")
        await expect(card(page)).to_contain_text("Wang")
        await expect(page.locator("[data-lamp=security]")).to_contain_text("All acknowledged")
        await card(page, "5a0ce").get_by_role("button", name="Acknowledge").click()
        await expect(page.locator("[data-lamp=fire]")).to_contain_text("All acknowledged")
        assert [(command.operator, command.seen) for command in world.submitted] == [("Wang", 1), ("Wang", 1)]
        await page.reload()
        await expect(page.get_by_role("button", name="Wang")).to_be_visible()


async def test_a_refused_acknowledgement_is_told_in_the_readers_language_with_the_present_state(world, open_console):
    alarm = raise_e_bike(world)
    async with open_console("zh-CN", may_complain=True) as page:
        await expect(card(page)).to_be_visible()
        # Somebody else was quicker, and the news has not arrived.
        world.live.standing[ALARM_ID] = msgspec.structs.replace(alarm, state=AlarmState.ACKNOWLEDGED)
        await card(page).get_by_role("button", name="确认").click()
        await page.get_by_label("姓名").fill("Wang")
        await page.keyboard.press("Enter")
        await expect(card(page)).to_contain_text("当前状态：已确认")
        assert LATIN.findall(await card(page).locator("[role=alert]").inner_text()) == []


async def test_an_alarm_is_shelved_with_a_reason_and_stays_to_be_seen_until_it_is_unshelved(world, open_console):
    raise_e_bike(world)
    async with open_console() as page:
        await card(page).get_by_title("Show details").first.click()
        details = page.get_by_role("dialog")
        await expect(details.get_by_role("button", name="Shelve", exact=True)).to_be_disabled()
        await details.get_by_label("Reason").fill("Tenant moves house")
        await details.get_by_label("For how long").select_option("1 hour")
        await details.get_by_role("button", name="Shelve", exact=True).click()
        await page.get_by_label("Name").fill("Wang")
        await page.keyboard.press("Enter")
        await expect(details).to_contain_text("by Wang: Tenant moves house")
        await page.keyboard.press("Escape")
        await expect(card(page)).to_have_count(0)
        await expect(page.locator("[data-lamp=security]")).to_contain_text("None")
        [command] = world.submitted
        assert command == Shelve(ALARM_ID, "Wang", "Tenant moves house", timedelta(hours=1))
        await page.get_by_text("1 hidden").click()
        await page.locator(f"[data-hidden='{ALARM_ID}']").get_by_role("button").click()
        await details.get_by_role("button", name="Unshelve").click()
        await page.keyboard.press("Escape")
        await expect(card(page)).to_contain_text("Unacknowledged")
        await expect(page.get_by_text("1 hidden")).to_have_count(0)


async def test_a_latched_alarm_is_reset_from_its_card(world, open_console):
    raise_e_bike(world, state=AlarmState.LATCHED_ACKNOWLEDGED, condition=ConditionState.INACTIVE)
    async with open_console() as page:
        await expect(card(page)).to_contain_text("Cleared, waits for a reset")
        await card(page).get_by_role("button", name="Reset").click()
        await page.get_by_label("Name").fill("Wang")
        await page.keyboard.press("Enter")
        await expect(card(page)).to_have_count(0)
        assert world.submitted == [Reset(ALARM_ID, "Wang")]


async def test_an_alarm_that_returned_to_normal_moves_to_those_lately_returned(world, open_console):
    alarm = raise_e_bike(world)
    async with open_console() as page:
        await expect(card(page)).to_be_visible()
        cleared = world.change(alarm, TransitionReason.CONDITION_INACTIVE, state=AlarmState.RTN_UNACKNOWLEDGED)
        await expect(card(page)).to_contain_text("Cleared, unacknowledged")
        world.change(
            cleared, TransitionReason.ACKNOWLEDGED, state=AlarmState.NORMAL, cleared_time=world.clock.now(), by="Wang"
        )
        await expect(card(page)).to_have_count(0)
        returned = page.locator(f"[data-returned='{ALARM_ID}']")
        await expect(returned).to_contain_text("E-bike in the lift")
        await returned.get_by_role("button").click()
        await expect(page.get_by_role("dialog")).to_contain_text("Condition gone")
        await page.keyboard.press("Escape")
        await expect(page.get_by_role("dialog")).to_have_count(0)
        await page.reload()
        await expect(returned).to_be_visible()


async def test_fire_comes_first_however_low_its_priority_and_late_its_onset(world, open_console):
    raise_e_bike(world)
    async with open_console() as page:
        await expect(card(page)).to_be_visible()
        raise_smoke(world)
        await expect(page.locator("[data-alarm]").first).to_have_attribute("data-alarm", "5a0ce")
        lamps = await page.locator("[data-lamp]").evaluate_all("all => all.map(lamp => lamp.dataset.lamp)")
        assert lamps == ["fire", "supervisory", "security", "trouble", "silent"]


async def test_what_is_not_known_is_shown_as_unknown_and_never_as_normal(world, open_console):
    for signal in [signal for signal in world.live.newest if signal.startswith("sample/garage-co-1/")]:
        del world.live.newest[signal]
    async with open_console() as page:
        never = page.locator("[data-device='sample/garage-co-1']")
        await expect(never).to_have_attribute("data-standing", "unknown")
        await expect(never).to_contain_text("Unknown")
        await expect(page.locator("[data-lamp=silent]")).to_contain_text("1 of 66 devices")
        await expect(page.locator(".calm")).to_contain_text("this is not an all-clear")
        world.observe("sample/flow-a/online", False)
        await expect(page.locator("[data-device='sample/flow-a']")).to_contain_text("Offline")
        world.observe("sample/hydrant-a-roof/pressure", None, Quality.BAD)
        await expect(page.locator("[data-device='sample/hydrant-a-roof']")).to_contain_text("Pressure unknown bad")
        world.observe("sample/hydrant-b-roof/pressure", 0.31, Quality.UNCERTAIN)
        await expect(page.locator("[data-device='sample/hydrant-b-roof']")).to_contain_text(
            "Pressure 0.31 MPa uncertain"
        )
        world.alarm(condition=ConditionState.UNKNOWN)
        await expect(card(page)).to_contain_text("Signal lost: condition unknown")


async def test_a_device_that_falls_silent_is_no_longer_shown_with_its_last_value(world, open_console):
    async with open_console() as page:
        await expect(page.locator("[data-device='sample/tank-1']")).to_contain_text("3.20 m")
        world.clock.advance(timedelta(seconds=15))
        await expect(page.locator("[data-device='sample/tank-1']")).to_contain_text("Silent for")
        await expect(page.locator("[data-device='sample/tank-1']")).not_to_contain_text("3.20 m")


async def test_a_device_with_an_alarm_for_its_absence_is_silent_at_once(world, open_console):
    async with open_console() as page:
        tile = page.locator("[data-device='sample/tank-1']")
        await expect(tile).to_have_attribute("data-standing", "normal")
        alarm = world.alarm(rule="device-silent", subject="sample/tank-1", alarm_class=AlarmClass.TROUBLE)
        await expect(tile).to_have_attribute("data-standing", "silent")
        await expect(tile).not_to_contain_text("3.20 m")
        world.change(alarm, TransitionReason.CONDITION_INACTIVE, condition=ConditionState.INACTIVE)
        await expect(tile).to_have_attribute("data-standing", "normal")


async def test_the_details_of_an_alarm_just_raised_follow_the_history(world, open_console):
    async with open_console() as page:
        world.history.hold = True
        alarm = world.alarm()
        await card(page).locator(".headline").click()
        dialog = page.get_by_role("dialog")
        await expect(dialog).to_contain_text("Not in the history yet")
        world.history.hold = False
        world.history.release()
        await expect(dialog).to_contain_text("Condition became active")
        world.change(alarm, TransitionReason.CONDITION_UNKNOWN, condition=ConditionState.UNKNOWN)
        await expect(dialog.get_by_role("cell", name="Signal lost")).to_be_visible()


async def test_an_actuator_that_gave_no_answer_is_shown_in_red(world, open_console):
    raise_e_bike(world)
    world.command("sample/a-lift-2-door", "hold_door", (AnswerState.FAILED, "unanswered"))
    async with open_console() as page:
        await expect(card(page).locator(".command.failed b")).to_have_text("no answer")
        await page.get_by_role("button", name="中文").click()
        await expect(card(page).locator(".command.failed b")).to_have_text("无应答")


async def test_a_flood_of_alarms_leaves_the_page_able_to_answer(world, open_console):
    async with open_console() as page:
        language = page.locator(".language")
        for number in range(FLOOD):
            world.alarm(alarm_id=f"flood-{number}", onset_time=world.clock.now() - timedelta(seconds=number))
            if number == FLOOD // 2:
                await expect(page.locator("[data-alarm]").first).to_be_visible()
                await language.click()
                await expect(page.locator("html")).to_have_attribute("lang", "zh-CN")
        await language.click()
        await expect(page.locator("html")).to_have_attribute("lang", "en")
        await expect(page.locator("[data-alarm]")).to_have_count(FLOOD)
        await card(page, f"flood-{FLOOD - 1}").locator(".headline").click()
        await expect(page.get_by_role("dialog")).to_contain_text(f"flood-{FLOOD - 1}")
        await expect(page.locator("[role=alert].unseen")).to_contain_text("new alarms")


async def test_an_alarm_that_comes_again_is_announced_again(world, open_console):
    async with open_console() as page:
        alarm = raise_e_bike(world)
        told = page.locator("[role=alert].unseen")
        await expect(told).to_contain_text("New alarm: Security, High. E-bike")
        seen = world.change(alarm, TransitionReason.ACKNOWLEDGED, state=AlarmState.ACKNOWLEDGED)
        raise_smoke(world)
        await expect(told).to_contain_text("Smoke detector in alarm")
        await expect(told).not_to_contain_text("E-bike")
        world.change(seen, TransitionReason.CONDITION_ACTIVE, state=AlarmState.UNACKNOWLEDGED, activations=2)
        await expect(told).to_contain_text("E-bike in the lift, Tower A lift 2 (2 times)")


async def test_two_sites_with_devices_of_one_name_are_told_apart_each_in_its_own_time(open_console, world):
    [site] = INVENTORY.sites
    away = msgspec.structs.replace(site, id="away", time_zone="Europe/Berlin", label=LocalText(zh="外地", en="Away"))
    both = World(inventory=msgspec.structs.replace(INVENTORY, sites=(site, away)))
    both.observe("sample/tank-1/level", 3.2)
    both.observe("away/tank-1/level", 1.5)
    both.alarm(site="away", subject="away/a-lift-2")
    address, world.address = world.address, await both.server.start()
    try:
        async with open_console(may_complain=True) as page:
            await expect(page.locator("[data-device='sample/tank-1']")).to_contain_text("3.20 m")
            await expect(page.locator("[data-device='away/tank-1']")).to_contain_text("1.50 m")
            # Midnight in UTC.
            await expect(card(page)).to_contain_text("Since 00:59:58")
            await expect(page.locator(".clock")).to_contain_text("08:00:")
            await expect(page.locator(".clock")).to_contain_text("Away 01:00:")
            await expect(page.locator("[data-camera].security")).to_have_attribute(
                "data-camera", "away/a-lift-2-camera"
            )
            await page.locator("[data-device='away/tank-1'] button").click()
            await expect(page.get_by_role("dialog")).to_contain_text("01:00:00")
    finally:
        world.address = address
        await both.server.stop()


async def test_the_language_switch_changes_every_word_and_is_remembered(world, open_console):
    raise_e_bike(world)
    world.command("sample/a-lift-2-door", "hold_door", (AnswerState.DONE, "held"))
    world.reject("not_finite")
    async with open_console("zh-CN") as page:
        await expect(card(page)).to_contain_text("电动自行车进入电梯")
        for view in (None, *DIALOGS):
            await _open(page, view)
            assert set(LATIN.findall(await every_word(page))) <= NOT_WORDS, view
            await page.keyboard.press("Escape")
        await page.get_by_role("button", name="EN", exact=True).click()
        await expect(card(page)).to_contain_text("E-bike in the lift")
        await expect(page.locator("html")).to_have_attribute("lang", "en")
        for view in (None, *DIALOGS):
            await _open(page, view)
            assert CHINESE.findall((await every_word(page)).replace("中文", "")) == [], view
            await page.keyboard.press("Escape")
        await page.reload()
        await expect(card(page)).to_contain_text("E-bike in the lift")


DIALOGS = (
    f"[data-alarm='{ALARM_ID}'] .headline",
    ".status > button",
    "[data-device='sample/tank-1'] button",
    ".card .main",
)


async def _open(page: Page, view: str | None) -> None:
    if view is not None:
        await page.locator(view).click()
        await expect(page.get_by_role("dialog")).to_be_visible()


async def every_word(page: Page) -> str:
    """Every text on the screen, and every one a mouse or a screen reader would find; not what devices sent."""
    return await page.evaluate(
        """() => {
          const told = [...document.querySelectorAll("[title], [aria-label], [alt]")];
          const hints = told.flatMap((one) => [one.title, one.ariaLabel, one.alt]);
          const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
          const texts = [];
          while (walker.nextNode()) {
            const foreign = walker.currentNode.parentElement.closest(".technical, code, .language");
            if (!foreign) texts.push(walker.currentNode.data);
          }
          const language = document.querySelector(".language").title;
          return [...texts, ...hints.filter((hint) => hint && hint !== language)].join("\\n");
        }"""
    )


async def test_a_lost_connection_is_said_loudly_and_nothing_old_is_shown_as_present(world, open_console):
    raise_e_bike(world)
    async with open_console(may_complain=True) as page:
        await expect(page.locator("[data-device='sample/tank-1']")).to_contain_text("3.20 m")
        port = int(world.address.rsplit(":", 1)[1])
        await world.server.stop()
        await expect(page.locator(".lost-banner")).to_contain_text("CONNECTION LOST")
        await expect(page.locator(".lost-banner")).to_contain_text("nothing here is the present state")
        await expect(page.locator("[data-device='sample/tank-1']")).to_contain_text("Unknown")
        await expect(page.locator("[data-device='sample/tank-1']")).not_to_contain_text("3.20 m")
        for lamp in ("fire", "supervisory", "security", "trouble", "silent"):
            await expect(page.locator(f"[data-lamp={lamp}]")).to_contain_text("State unknown")
        await expect(page.locator("[data-camera] .veil").first).to_have_text("Not live")
        await expect(card(page).get_by_role("button", name="Acknowledge")).to_be_disabled()

        again = World(clock=world.clock, settings=world.settings.model_copy(update={"port": port}))
        again.observe("sample/tank-1/level", 1.9)
        await again.server.start()
        try:
            await expect(page.locator(".lost-banner")).to_have_count(0)
            await expect(page.locator("[data-device='sample/tank-1']")).to_contain_text("1.90 m")
            # It was over when we came back, and must not linger.
            await expect(card(page)).to_have_count(0)
        finally:
            await again.server.stop()


async def test_the_daemons_parts_and_rejected_inputs_are_shown(world, open_console):
    async with open_console() as page:
        world.part("database", ready=False, detail="connecting to 127.0.0.1:5432")
        await expect(page.locator("[data-part=database]")).to_contain_text("Database not ready")
        world.reject("not_finite")
        await expect(page.locator(".status")).to_contain_text("Rejected inputs: 1")
        await page.locator(".status > button").click()
        dialog = page.get_by_role("dialog")
        await expect(dialog).to_contain_text("connecting to 127.0.0.1:5432")
        await expect(dialog).to_contain_text("Not a finite number 1")
        await expect(dialog).to_contain_text('{"value": NaN}')


async def test_a_camera_that_shows_nothing_or_stands_still_says_so(world, open_console):
    del world.live.frames["sample/b-lift-2-camera"]
    async with open_console(may_complain=True) as page:
        await expect(page.locator("[data-camera='sample/b-lift-2-camera']")).to_contain_text("No picture")
        # The compound's other cameras have sent the same picture ever since.
        await expect(page.locator("[data-camera='sample/b-lift-1-camera']")).to_contain_text("No new picture for")


COUNT_TONES = """
const start = OscillatorNode.prototype.start;
window.tones = 0;
window.lastTone = 0;
OscillatorNode.prototype.start = function (...at) {
  window.tones++;
  window.lastTone = this.frequency.value;
  return start.apply(this, at);
};
"""


async def test_the_alarm_tone_sounds_only_after_a_click_and_the_wish_for_it_is_remembered(world, open_console):
    async with open_console() as page:
        await page.add_init_script(COUNT_TONES)
        await page.reload()
        raise_e_bike(world)
        await expect(card(page)).to_be_visible()
        assert await page.evaluate("window.tones") == 0
        await page.get_by_role("button", name="Sound is off").click()
        await expect(page.get_by_role("button", name="Sound on")).to_be_visible()
        await page.wait_for_function("() => window.tones > 0")
        await page.reload()
        await expect(page.get_by_role("button", name="Sound is off until you click")).to_be_visible()
        await expect(card(page)).to_be_visible()
        assert await page.evaluate("window.tones") == 0
        await page.locator(".clock").click()
        await expect(page.get_by_role("button", name="Sound on")).to_be_visible()
        await page.wait_for_function("() => window.tones > 0")
        await page.get_by_role("button", name="Sound on").click()
        await expect(page.get_by_role("button", name="Sound is off", exact=True)).to_be_visible()


async def test_a_lost_connection_has_a_tone_of_its_own(world, open_console):
    async with open_console(may_complain=True) as page:
        await page.add_init_script(COUNT_TONES)
        await page.reload()
        await page.get_by_role("button", name="Sound is off").click()
        await expect(page.locator(".connection.live")).to_be_visible()
        assert await page.evaluate("window.tones") == 0
        await world.server.stop()
        await expect(page.locator(".lost-banner")).to_be_visible()
        await page.wait_for_function("() => window.lastTone === 330")


async def test_the_keyboard_alone_acknowledges(world, open_console):
    raise_e_bike(world)
    async with open_console() as page:
        await expect(card(page)).to_be_visible()
        button = card(page).get_by_role("button", name="Acknowledge")
        for _ in range(30):
            if await button.evaluate("button => button === document.activeElement"):
                break
            await page.keyboard.press("Tab")
        await expect(button).to_be_focused()
        await page.keyboard.press("Enter")
        await expect(page.get_by_role("dialog").get_by_role("textbox")).to_be_focused()
        await page.keyboard.type("Wang")
        await page.keyboard.press("Enter")
        await expect(card(page)).to_contain_text("Acknowledged")


@pytest.mark.parametrize(("motion", "animation"), [("no-preference", "calling"), ("reduce", "none")])
async def test_unacknowledged_alarms_blink_unless_the_reader_asked_for_stillness(
    world, open_console, motion, animation
):
    raise_e_bike(world)
    async with open_console(reduced_motion=motion) as page:
        blinking = "card => getComputedStyle(card, '::before').animationName"
        await expect(card(page)).to_be_visible()
        assert await card(page).evaluate(blinking) == animation


@pytest.mark.parametrize(("width", "height"), [(1280, 720), (1920, 1080)])
async def test_the_screen_fits_without_scrolling_the_page(world, open_console, width, height):
    raise_e_bike(world)
    raise_smoke(world)
    async with open_console() as page:
        await page.set_viewport_size({"width": width, "height": height})
        await expect(card(page)).to_be_visible()
        scrolled = "() => [document.documentElement.scrollWidth, document.documentElement.scrollHeight]"
        assert await page.evaluate(scrolled) == [width, height]
        for fixed in (".top", ".lamps", ".status", "[data-alarm] .main", ".cameras"):
            await expect(page.locator(fixed).first).to_be_in_viewport(ratio=1)
