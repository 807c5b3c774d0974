"""The page of the work that alarms make, as a person at the desk sees it in a real browser."""

from __future__ import annotations

import re
from datetime import datetime, timedelta

import pytest
from msgspec.structs import replace
from playwright.async_api import Page, expect

from firewatch.alarms.workload import DAY, Workload
from firewatch.model.alarm import (
    AlarmClass,
    AlarmClock,
    AlarmState,
    AlarmTransition,
    Annunciation,
    Priority,
    TransitionReason,
)
from tests.unit.alarms.workloads import GROUPED, OWN, change
from tests.unit.web.world import World

pytestmark = [pytest.mark.chromium, pytest.mark.slow, pytest.mark.asyncio(loop_scope="package")]

LATIN = re.compile(r"[A-Za-z]{3,}")
NOT_WORDS = {"firewatch", "report", "workload", "month", "html", "format", "csv", "ISA", "EEMUA"}
RULE, TANK = "tank-low", "sample/tank-1"


def told(
    world: World,
    ago: timedelta,
    number: int = 0,
    *,
    subject: str = TANK,
    annunciation: Annunciation | None = OWN,
    rule: str = RULE,
    **fields,
) -> AlarmTransition:
    """People were told of an alarm that long ago."""
    time = world.clock.now() - ago
    one = change(0, subject, told=annunciation, rule=rule, **fields)
    alarm = replace(one.alarm, alarm_id=f"{rule}-{number}", site="sample", onset_time=time)
    return replace(one, alarm_id=alarm.alarm_id, number=number, transition_time=time, alarm=alarm)


def count(world: World, *changes: AlarmTransition) -> None:
    """The day's workload, of these changes."""
    workload = world.workloads.workload = Workload(world.clock.now() - timedelta(hours=23, minutes=50), DAY)
    for one in sorted(changes, key=lambda one: one.transition_time):
        workload.take(one)


def minutes(number: float) -> timedelta:
    return timedelta(minutes=number)


def figure(page: Page, name: str):
    return page.locator(f"[data-figure='{name}']")


async def open_page(page: Page, name: str = "Workload") -> None:
    await page.get_by_role("link", name=name).click()
    await page.locator("[data-rates]").wait_for()


async def test_a_calm_day_is_told_with_what_is_wanted_and_who_wants_it(world, open_console):
    count(world, told(world, minutes(2)), told(world, timedelta(hours=3), 1))
    async with open_console() as page:
        await open_page(page)
        await expect(figure(page, "10min")).to_contain_text(re.compile("1.*acceptable"))
        await expect(figure(page, "hour")).to_contain_text(re.compile("1.*acceptable"))
        await expect(figure(page, "peak")).to_contain_text("at most 10")
        await expect(figure(page, "peak").locator(".target")).to_have_attribute("title", re.compile("ISA-18.2-2016"))
        await expect(figure(page, "peak")).not_to_have_class(re.compile("missed"))
        await expect(page.locator(".footnotes")).to_contain_text("at least 30 days for each seat")
        await expect(page.locator("tr[data-aim='alarms_an_hour']")).to_have_text(
            re.compile(r"Alarms an hour\s*0.1\s*≤ 6")
        )
        await expect(page.locator("[data-monthly]")).to_contain_text("firewatch report workload --month 2025-01 >")
        await expect(page.locator(".views .badge")).to_have_count(0)


async def test_a_flood_is_seen_in_the_figures_the_plot_and_from_every_other_page(world, open_console):
    count(world, *(told(world, minutes(5), number) for number in range(12)), told(world, timedelta(hours=4), 99))
    async with open_console() as page:
        badge = page.get_by_role("link", name="Workload").locator(".badge")
        await expect(badge).to_contain_text("Alarms come faster than a person can deal with")
        await open_page(page)
        await expect(figure(page, "10min")).to_contain_text(re.compile("12.*flood"))
        await expect(figure(page, "peak")).to_have_class(re.compile("missed"))
        plots = page.locator(".rate svg")
        await expect(plots.nth(0).locator("rect.bar.flood")).to_have_count(1)
        await expect(plots.nth(0).locator("rect.bar.acceptable")).to_have_count(1)
        await expect(plots.nth(0).locator("g > title").filter(has_text="12 with a sound")).to_have_count(1)
        await expect(plots.nth(1).locator("rect.bar.manageable")).to_have_count(1)
        await expect(plots.nth(0)).to_have_attribute("aria-label", "Alarms every 10 minutes: 13 in all")
        heights = (
            await plots.nth(0).locator("rect.bar").evaluate_all("all => all.map(bar => +bar.getAttribute('height'))")
        )
        assert max(heights) ** 2 / min(heights) ** 2 == pytest.approx(12)  # by square roots
        for band in ("acceptable", "manageable", "demanding", "flood"):
            await expect(plots.nth(0).locator(f".band.{band} text")).to_be_visible()


async def test_the_priorities_are_held_against_the_split_that_is_wanted(world, open_console):
    changes = [
        told(world, timedelta(hours=hour), hour, priority=priority)
        for hour, priority in enumerate([Priority.LOW] * 6 + [Priority.MEDIUM] * 3 + [Priority.HIGH], start=1)
    ]
    count(world, *changes)
    async with open_console() as page:
        await open_page(page)
        for priority, text in (
            ("low", "60 % 6 alarms"),
            ("medium", "30 % 3"),
            ("high", "10 % 1"),
            ("highest", "0 % 0"),
        ):
            await expect(page.locator(f"[data-priority='{priority}']")).to_contain_text(text)
        await expect(page.locator("[data-priorities]")).to_contain_text("80 % low, 15 % medium, 5 % high")
        await expect(page.locator("tr[data-aim='medium_priority_percent']")).to_have_class("missed")
        widths = (
            await page.locator(".split .bar")
            .first.locator("i")
            .evaluate_all("all => all.map(part => part.getBoundingClientRect().width)")
        )
        assert [round(width / sum(widths), 1) for width in widths] == [0.1, 0.3, 0.6]


async def test_what_alarms_most_leads_to_what_its_rule_says(world, open_console):
    changes = [told(world, timedelta(hours=1, minutes=7 * number), number) for number in range(3)]
    grouped = told(world, timedelta(hours=2), 7, subject="sample/a-lift-2", annunciation=GROUPED, rule="e-bike-in-lift")
    count(world, *changes, grouped)
    async with open_console(may_complain=True) as page:  # the rule is not among those of the test's engine
        await open_page(page)
        actors = page.locator("[data-actor]")
        await expect(actors).to_have_count(2)
        await expect(actors.nth(0)).to_contain_text(re.compile(r"Roof water tank\s*tank-low\s*3\s*75 %"))
        await expect(actors.nth(1)).to_contain_text("Tower A lift 2")
        await expect(actors.nth(1).locator(".count")).to_have_attribute("title", "0 with a sound, 1 within an incident")
        async with page.expect_request(lambda request: "/api/v1/explanations" in request.url) as asked:
            await actors.nth(0).get_by_role("button").click()
        assert "rule=tank-low" in (await asked.value).url
        await expect(page.get_by_role("dialog")).to_be_visible()


async def test_what_wears_people_out_and_how_long_they_take_is_counted(world, open_console):
    stale = told(world, timedelta(hours=20), 1)
    begun = world.clock.now() - timedelta(hours=30)
    alarm = replace(stale.alarm, onset_time=begun, alarm_id="stale-1", state=AlarmState.ACKNOWLEDGED)
    answered = told(world, minutes(30), 2)
    seen = replace(
        answered,
        number=3,
        transition_time=answered.transition_time + timedelta(seconds=42),
        reason=TransitionReason.ACKNOWLEDGED,
        annunciation=None,
        alarm=replace(answered.alarm, state=AlarmState.ACKNOWLEDGED),
    )
    workload = world.workloads.workload = Workload(world.clock.now() - timedelta(hours=23, minutes=50), DAY)
    workload.begin([replace(stale, alarm_id="stale-1", annunciation=None, alarm=alarm)])
    workload.take(answered)
    workload.take(seen)
    async with open_console(may_complain=True) as page:  # nobody knows the stale alarm but the workload
        await open_page(page)
        await expect(page.locator("[data-nuisance]")).to_contain_text(re.compile(r"Stale\s*1"))
        await expect(page.locator("[data-nuisance] li")).to_contain_text("for 30 h 0 min")
        await expect(page.locator("[data-answers]")).to_contain_text(re.compile(r"Half within\s*42 s"))
        await expect(page.locator("[data-answers]")).to_contain_text(re.compile(r"Acknowledged\s*1"))


def late_fire(world: World) -> None:
    """A fire that was seen a minute ago and shown five seconds after it arrived."""
    seen: datetime = world.clock.now() - minutes(1)
    clock = AlarmClock(seen, seen, seen, annunciated_time=seen + timedelta(seconds=5))
    one = told(world, minutes(1), alarm_class=AlarmClass.FIRE)
    world.history.write([replace(one, alarm=replace(one.alarm, clock=clock))])


async def test_a_late_alarm_is_named_with_its_slow_stage_and_marked_from_every_other_page(world, open_console):
    late_fire(world)
    count(world)
    async with open_console() as page:
        await expect(page.get_by_role("link", name="Workload").locator(".badge")).to_contain_text("1 alarms")
        await open_page(page)
        await expect(figure(page, "late")).to_contain_text("1")
        row = page.locator("[data-late-alarm='tank-low-0']")
        await expect(row).to_contain_text("Slowest: Annunciated.")
        await expect(row).to_contain_text("Annunciated 2 s late")
        await expect(row.locator("[title='GB 50166-2019']")).to_be_visible()
        await expect(page.locator("[data-late]")).to_contain_text("1 of 1 in 24 h")


async def test_it_is_said_while_the_day_is_not_counted_yet(world, open_console):
    async with open_console() as page:
        await page.get_by_role("link", name="Workload").click()
        await expect(page.get_by_text("The last day is being counted from the history")).to_be_visible()
        count(world)
        await expect(figure(page, "10min")).to_contain_text("0")
        await expect(page.locator("[data-bad-actors]")).to_contain_text("No alarm in this time.")


async def test_every_word_of_it_is_said_in_chinese(world, open_console):
    late_fire(world)
    count(world, *(told(world, minutes(5), number) for number in range(12)))
    async with open_console("zh-CN") as page:
        await open_page(page, "工作量")
        await expect(page.locator("[data-late-alarm]")).to_contain_text("最慢环节")
        words = await page.locator("main").inner_text()
        assert set(LATIN.findall(words)) <= NOT_WORDS | {"tank", "low"}


@pytest.mark.parametrize(("width", "height"), [(1280, 800), (1920, 1080)])
async def test_the_page_fits_without_scrolling(world, open_console, width, height):
    count(world, *(told(world, timedelta(hours=hour), hour) for hour in range(23)))
    async with open_console() as page:
        await page.set_viewport_size({"width": width, "height": height})
        await open_page(page)
        scrolled = "() => [document.documentElement.scrollWidth, document.documentElement.scrollHeight]"
        assert await page.evaluate(scrolled) == [width, height]
        for fixed in (".top .site", ".views", ".language", ".status", "[data-figure='late']", ".rate svg >> nth=1"):
            await expect(page.locator(fixed).first).to_be_in_viewport(ratio=1)
