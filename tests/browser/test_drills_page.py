"""The page of drills, as a person at the desk sees it in a real browser."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import msgspec
import pytest
from msgspec.structs import replace
from playwright.async_api import Page, expect

from firewatch.alarms.deadline import Milestone, StageWay, Verdict, measure
from firewatch.alarms.drill import (
    DrillAlarm,
    DrillCommand,
    DrillMessage,
    DrillNews,
    DrillReading,
    DrillReport,
    Expected,
)
from firewatch.model.alarm import AlarmClock
from firewatch.model.command import ActuatorCommand, CommandState
from firewatch.model.control_room import Drill
from firewatch.model.delivery import DeliveryState
from firewatch.model.drill import DrillOutcome, DrillPlan, Expectation, PlannedReading, Withheld
from firewatch.model.text import LocalText
from tests.unit.alarms.workloads import OWN, change
from tests.unit.web.world import INVENTORY, World

pytestmark = [pytest.mark.chromium, pytest.mark.slow, pytest.mark.asyncio(loop_scope="package")]

LATIN = re.compile(r"[A-Za-z]{3,}")
NOT_WORDS = {"firewatch", "Wang", "Zhao", "platform", "garage", "smoke", "bike", "lift"}
DOOR, SPEAKER = "sample/a-lift-2-door", "sample/a-lift-2-loudspeaker"


def seconds(number: float) -> timedelta:
    return timedelta(seconds=number)


PLAN = DrillPlan(
    plan="e-bike",
    label=LocalText(zh="电动自行车进电梯", en="An e-bike in the lift"),
    site="sample",
    readings=(
        PlannedReading(seconds(0), "a-lift-2-controller", "floor", 1.0),
        *(PlannedReading(seconds(1 + number / 5), "a-lift-2-camera", "e_bike", 0.9) for number in range(5)),
        PlannedReading(seconds(6), "a-lift-2-camera", "e_bike", 0.0),
    ),
    may_ask=frozenset({DOOR, SPEAKER}),
    may_tell=frozenset({"platform"}),
    expect=(
        Expectation(seconds(5), rule="e-bike-in-lift", subject="sample/a-lift-2"),
        Expectation(seconds(8), device=SPEAKER, action="play", proven=True),
        Expectation(seconds(20), told="platform"),
    ),
    longest=timedelta(minutes=2),
)
QUIET = replace(
    PLAN, plan="garage", label=LocalText(zh="车库火灾", en="A garage fire"), may_ask=frozenset(), may_tell=frozenset()
)


def report(world: World, drill: Drill, *, over: bool) -> DrillReport:
    """How the drill stands: the alarm was told, and the message taken; the loudspeaker did nothing."""
    begun = drill.begun_time
    alarm = replace(
        world.alarm(),
        alarm_id="drill-1",
        drill=drill.drill_id,
        onset_time=begun + seconds(1),
        clock=AlarmClock(*(begun + seconds(at) for at in (1, 1.05, 1.2)), annunciated_time=begun + seconds(1.21)),
    )
    world.live.standing.clear()
    told = replace(change(0, told=OWN), alarm_id="drill-1", transition_time=begun + seconds(1.2), alarm=alarm)
    delivered = StageWay("drill-1", Milestone.DELIVERED, "platform", begun + seconds(1.2), begun + seconds(1.9))

    def command(name: str, device: str, action: str) -> ActuatorCommand:
        return ActuatorCommand(name, device, action, {}, "drill-1", "e-bike-in-lift", begun + seconds(1.21))

    met = (begun + seconds(1.2), None, begun + seconds(1.9))
    missing = Verdict.LATE if over else Verdict.NOT_YET
    sent = PLAN.readings if over else PLAN.readings[:4]
    return DrillReport(
        label=PLAN.label,
        site="sample",
        passed=False,
        detail="",
        readings=tuple(
            DrillReading(one, begun + one.after if number < len(sent) else None)
            for number, one in enumerate(PLAN.readings)
        ),
        alarms=(DrillAlarm(alarm, measure(told, [delivered], INVENTORY, world.clock.now())),),
        commands=(
            DrillCommand(command("c1", SPEAKER, "play"), CommandState.UNPROVEN if over else CommandState.SENT),
            DrillCommand(command("c2", DOOR, "hold_door"), withheld=Withheld.NOT_PLANNED),
        ),
        messages=(DrillMessage("platform", "drill-1", DeliveryState.DELIVERED, begun + seconds(1.9)),),
        expected=tuple(
            Expected(one, begun + one.within, time, Verdict.PASS if time else missing)
            for one, time in zip(PLAN.expect, met, strict=True)
        ),
    )


def run(world: World, name: str = "d9") -> None:
    """A drill has been going on for four seconds."""
    drill = Drill(name, "e-bike", world.clock.now() - seconds(4), "Zhao")
    world.history.write([drill])
    world.drills.report = report(world, drill, over=False)
    until = drill.begun_time + PLAN.longest
    world.drills.going = DrillNews(drill, PLAN.label, "sample", until, (world.drills.report.alarms[0].alarm,))


def past(world: World, name: str, days: int, outcome: DrillOutcome, **fields: Any) -> None:
    begun = world.clock.now() - timedelta(days=days)
    drill = Drill(name, "e-bike", begun, "Zhao", begun + seconds(31), outcome)
    shown = replace(report(world, drill, over=True), **fields)
    world.history.write([replace(drill, report=msgspec.json.encode(shown).decode())])


async def open_page(page: Page, name: str = "Drills") -> None:
    await page.get_by_role("link", name=name).click()
    await page.locator("[data-past]").wait_for()


async def test_nobody_starts_a_drill_without_having_read_what_will_really_happen(world, open_console, monkeypatch):
    world.drills.known = [PLAN, QUIET]
    asked: list[tuple[str, str]] = []

    async def start(plan: str, operator: str) -> Drill:
        asked.append((plan, operator))
        run(world)
        world.feed.push(world.drills.going)
        return world.drills.going.drill

    monkeypatch.setattr(world.drills, "start", start)
    async with open_console() as page:
        await open_page(page)
        await page.locator("[data-plan='garage']").get_by_role("button", name="Start …").click()
        dialog = page.get_by_role("dialog")
        await expect(dialog.locator(".really")).to_contain_text("Nothing: whatever the rules ask for is withheld")
        await expect(dialog.locator(".really")).to_contain_text("Nobody outside of the control room.")
        await page.keyboard.press("Escape")
        await page.locator("[data-plan='e-bike']").get_by_role("button", name="Start …").click()
        for told in ("Tower A lift 2 loudspeaker", "Tower A lift 2 door", "platform"):
            await expect(dialog.locator(".really")).to_contain_text(told)
        for told in ("E-bike score 0.90", "Alarm: Tower A lift 2", "within 5 s", "over after 2 min at the latest"):
            await expect(dialog).to_contain_text(told)
        await dialog.get_by_role("button", name="Start the drill").click()
        await page.get_by_label("Name").fill("Wang")
        await page.keyboard.press("Enter")
        await expect(page.locator("[data-shown='d9']")).to_contain_text("An e-bike in the lift")
        await expect(dialog).to_have_count(0)
        assert asked == [("e-bike", "Wang")]


async def test_why_a_drill_was_not_begun_is_told(world, open_console):
    world.drills.known = [PLAN]
    world.drills.refusal = "A real fire waits to be acknowledged."
    async with open_console(may_complain=True) as page:
        await open_page(page)
        await page.get_by_role("button", name="Start …").click()
        await page.get_by_role("button", name="Start the drill").click()
        await page.get_by_label("Name").fill("Wang")
        await page.keyboard.press("Enter")
        await expect(page.get_by_role("dialog").get_by_role("alert")).to_contain_text(world.drills.refusal)


async def test_the_drill_that_goes_on_is_marked_followed_and_stopped(world, open_console, monkeypatch):
    world.drills.known = [PLAN]
    run(world)
    stopped: list[tuple[str, str]] = []

    async def stop(drill_id: str, operator: str) -> Drill:
        stopped.append((drill_id, operator))
        drill = replace(world.drills.going.drill, ended_time=world.clock.now(), outcome=DrillOutcome.STOPPED)
        ended = replace(drill, report=msgspec.json.encode(report(world, drill, over=True)).decode())
        world.history.write([ended])
        world.drills.going = None
        world.feed.push(DrillNews(drill, PLAN.label, "sample", drill.begun_time + PLAN.longest))
        return ended

    monkeypatch.setattr(world.drills, "stop", stop)
    async with open_console() as page:
        badge = page.get_by_role("link", name="Drills").locator(".badge")
        await expect(badge).to_contain_text("A drill goes on")
        await open_page(page)
        await expect(page.get_by_role("button", name="Start …")).to_be_disabled()
        await expect(page.locator(".drill-head")).to_contain_text(
            re.compile("DRILL begun by Zhao.*1:5[0-9] left at the most", re.DOTALL)
        )
        steps = page.locator("[data-readings] li")
        await expect(steps).to_have_count(3)
        await expect(steps.nth(1)).to_have_text(re.compile(r"E-bike score 0.90\s*3/5 ×\s*\+1.0 s"))
        await expect(steps.nth(2)).to_contain_text("not yet")
        expected = page.locator("[data-expected] li")
        await expect(expected.nth(0)).to_have_attribute("data-verdict", "pass")
        await expect(expected.nth(0)).to_contain_text("+1.2 s")
        await expect(expected.nth(1)).to_have_attribute("data-verdict", "not_yet")
        await expect(page.locator("[data-lamp=security]")).to_contain_text("None")
        await page.get_by_role("button", name="Stop the drill").click()
        await page.get_by_label("Name").fill("Wang")
        await page.keyboard.press("Enter")
        await expect(page.locator(".drill-head")).to_contain_text("stopped by an operator after 4.0 s")
        await expect(badge).to_have_count(0)
        await expect(page.get_by_role("button", name="Start …")).to_be_enabled()
        assert stopped == [("d9", "Wang")]


async def test_a_past_drill_shows_each_stage_against_its_limit_and_what_was_withheld(world, open_console):
    world.drills.known = [PLAN]
    past(world, "d1", 2, DrillOutcome.COMPLETED, passed=True)
    past(world, "d2", 1, DrillOutcome.REAL_ALARM, detail="garage-smoke")
    async with open_console() as page:
        await open_page(page)
        shown = page.locator("[data-shown='d2']")
        await expect(shown).to_contain_text("Not passed")
        await expect(shown).to_contain_text("ended by a real alarm after 31.0 s")
        await expect(shown).to_contain_text("garage-smoke")
        await page.locator("[data-drill='d1'] a").click()
        shown = page.locator("[data-shown='d1']")
        await expect(shown.locator(".verdict-word")).to_have_text("Passed")
        missed = shown.locator("[data-expected] li").nth(1)
        await expect(missed).to_contain_text(re.compile("within 8 s.*late", re.DOTALL))
        for stage in ("source", "received", "decided", "annunciated", "delivered"):
            await expect(shown.locator(f"[data-stage='{stage}']")).to_be_visible()
        await expect(shown.locator("[data-limit='delivered']")).to_contain_text("in time")
        await expect(shown.locator("[data-drill-commands]")).to_contain_text("withheld: not in the plan")
        await expect(shown.locator("[data-drill-commands]")).to_contain_text("not proven")
        await expect(shown.locator("[data-drill-messages]")).to_contain_text(
            re.compile(r"platform.*Delivered\s*\+1.9 s", re.DOTALL)
        )
        await page.reload()
        await expect(page.locator("[data-shown='d1']")).to_be_visible()


async def test_where_no_drills_are_planned_it_says_so(world, open_console):
    async with open_console() as page:
        await open_page(page)
        await expect(page.locator("main")).to_contain_text("There are no plans: the settings name no drills.")
        await expect(page.locator("main")).to_contain_text("None yet.")


async def test_every_word_of_it_is_said_in_chinese(world, open_console):
    world.drills.known = [PLAN, QUIET]
    for number, outcome in enumerate(DrillOutcome):
        past(world, f"d{number}", number + 1, outcome)
    async with open_console("zh-CN") as page:
        await open_page(page, "演练")
        await expect(page.locator("[data-shown='d0']")).to_contain_text("应当出现的结果")
        assert set(LATIN.findall(await page.locator("main").inner_text())) <= NOT_WORDS
        await page.locator("[data-plan='e-bike']").get_by_role("button", name="开始…").click()
        assert set(LATIN.findall(await page.get_by_role("dialog").inner_text())) <= NOT_WORDS


@pytest.mark.parametrize("locale", ["en-GB", "zh-CN"])
@pytest.mark.parametrize(("width", "height"), [(1280, 800), (1920, 1080)])
async def test_the_page_and_the_ways_to_it_fit_without_scrolling(world, open_console, width, height, locale):
    world.drills.known = [PLAN, QUIET]
    run(world)
    async with open_console(locale) as page:
        await page.set_viewport_size({"width": width, "height": height})
        await page.locator("a[href='#drills']").click()
        await page.locator("[data-expected]").wait_for()
        scrolled = "() => [document.documentElement.scrollWidth, document.documentElement.scrollHeight]"
        assert await page.evaluate(scrolled) == [width, height]
        for fixed in (".top .site", ".views", ".views .badge", ".language", ".status", ".stop"):
            await expect(page.locator(fixed).first).to_be_in_viewport(ratio=1)
