"""Why, and the page of rules, as a person at the desk sees them in a real browser."""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import msgspec
import pytest
import pytest_asyncio
from playwright.async_api import Page, expect

from firewatch.model.reload import ReloadOutcome, RulesProblem
from firewatch.ports import BacktestPhase, BacktestWish
from tests.browser.compound import everything_normal
from tests.unit.engine.world import rule
from tests.unit.web.world import World

pytestmark = [pytest.mark.chromium, pytest.mark.slow, pytest.mark.asyncio(loop_scope="package")]

PRESSURE = "sample/hydrant-a-roof/pressure"
HYDRANT = {"device": "pressure_transmitter", "subjects": ["hydrant-a-roof"]}
LOW = rule(
    "hydrant-pressure-low",
    HYDRANT,
    {"low": {"signal": "pressure", "limit": "0.07 MPa", "deadband": 0.005}},
    on_delay="10s",
    text={"zh": "{device}压力过低（{value} {unit}）", "en": "Low pressure at {device} ({value} {unit})"},
)
SHADOW = rule(
    "hydrant-pressure-lower",
    HYDRANT,
    {"low": {"signal": "pressure", "limit": "0.06 MPa"}},
    mode="shadow",
    text={"zh": "{device}压力偏低", "en": "Pressure somewhat low at {device}"},
)
LATIN = re.compile(r"[A-Za-z]{3,}")
NOT_WORDS = {"firewatch", "sample", "hydrant", "roof", "pressure", "low", "lower", "MPa", "mode", "shadow", "rules"}


@pytest_asyncio.fixture(loop_scope="package")
async def world() -> AsyncIterator[World]:
    """The compound with two rules over one hydrant, whose pressure has just fallen."""
    world = World(rules=[LOW, SHADOW])
    everything_normal(world)
    world.observe(PRESSURE, 0.05)
    world.clock.advance(timedelta(seconds=3))
    world.address = await world.server.start()
    yield world
    await world.server.stop()


def device(page: Page):
    return page.locator("[data-device='sample/hydrant-a-roof'] button")


async def test_one_click_on_a_device_says_why_it_does_not_alarm_and_counts_down(world, open_console):
    async with open_console() as page:
        await device(page).click()
        told = page.get_by_role("dialog").locator("[data-rule='hydrant-pressure-low']")
        await expect(told).to_contain_text("Low pressure at Tower A roof hydrant")
        await expect(told).to_contain_text("It alarms in 7 s unless that ends.")
        await told.locator("summary").click()
        await expect(told.locator(f"[data-input='{PRESSURE}']")).to_have_text(
            re.compile(r"Tower A roof hydrant · Pressure\s*0.05 MPa\s*good\s*3 s ago")
        )
        world.clock.advance(timedelta(seconds=4))
        await expect(told).to_contain_text("It alarms in 3 s unless that ends.")
        world.observe(PRESSURE, 0.35)
        await expect(told).to_contain_text("No alarm: Pressure is 0.35 MPa, not below 0.07 MPa.")


async def test_one_click_on_an_alarm_says_why_it_stands(world, open_console):
    world.clock.advance(timedelta(seconds=8))
    world.observe(PRESSURE, 0.05)
    async with open_console() as page:
        await page.locator("[data-alarm] .headline").click()
        dialog = page.get_by_role("dialog")
        await expect(dialog).to_contain_text("Alarm since 08:00:00: Pressure is 0.05 MPa, below 0.07 MPa.")
        await expect(dialog.locator(".finding.active").first).to_contain_text("for 10 s")
        world.observe(PRESSURE, 0.35)
        await expect(dialog).to_contain_text("It stays until somebody acknowledges it.")


async def test_a_device_whose_rules_are_not_known_says_so_and_never_that_all_is_well(world, open_console, monkeypatch):
    async def broken(question: object) -> None:
        raise RuntimeError("no engine")

    monkeypatch.setattr(world, "ask", broken)
    async with open_console(may_complain=True) as page:
        await device(page).click()
        await expect(page.get_by_role("dialog")).to_contain_text("There is no explanation at present.")


async def test_what_shadow_rules_would_have_said_is_counted_listed_and_explained(world, open_console):
    async with open_console() as page:
        await page.get_by_role("link", name="Rules").click()
        shadow = page.locator("[data-shadow='hydrant-pressure-lower']")
        await expect(shadow).to_contain_text("since the start: 1")
        await expect(page.locator("[data-lamp=fire]")).to_contain_text("None")
        await shadow.get_by_role("button").click()
        await expect(page.get_by_role("dialog")).to_contain_text("The rule is a shadow: nobody is told")
        await page.keyboard.press("Escape")
        world.observe(PRESSURE, 0.35)
        await expect(shadow).to_contain_text("now: 1")  # nobody acknowledges what nobody was told of


async def test_what_keeps_the_rules_on_disk_from_running_is_shown_until_it_is_corrected(world, open_console):
    what, hint = 'the unit of "0.07 bananas" is unknown', 'write a pressure such as "0.07 MPa"'
    text = f"rules/water.yaml:17:31: hydrant-pressure-low: {what}; {hint}"
    world.rules.problems = (RulesProblem("rules/water.yaml", 17, 31, "hydrant-pressure-low", what, hint, text),)
    world.rules.outcome = ReloadOutcome.REFUSED
    world.part("rule files", ready=False, detail="the rules on disk are not the ones running")
    async with open_console() as page:
        await expect(page.locator(".badge")).to_be_visible()
        await page.get_by_role("link", name="Rules").click()
        problems = page.locator(".problems")
        for told in ("rules/water.yaml:17", what, hint):
            await expect(problems).to_contain_text(told)
        await page.get_by_role("button", name="Reload from disk").click()
        await page.get_by_label("Name").fill("Wang")
        await page.keyboard.press("Enter")
        await expect(page.get_by_role("status").filter(has_text="refused")).to_be_visible()
        assert world.rules.asked_by == ["Wang"]
        world.rules.problems, world.rules.outcome = (), ReloadOutcome.TAKEN
        await page.get_by_role("button", name="Reload from disk").click()
        await expect(problems).to_have_count(0)
        await expect(page.locator(".block").first).to_contain_text("They are those on disk.")


async def test_a_rule_that_failed_is_shown_and_explained(world, open_console, monkeypatch):
    monkeypatch.setattr(world.engine._running[0], "observe", lambda *_: 1 / 0)
    world.observe(PRESSURE, 0.05)
    async with open_console() as page:
        await page.get_by_role("link", name="Rules").click()
        failed = page.locator("[data-failures]")
        await expect(failed).to_contain_text("hydrant-pressure-low")
        await failed.get_by_role("button").click()
        await expect(page.get_by_role("dialog")).to_contain_text("ZeroDivisionError: division by zero")


def backtest_of(world: World) -> msgspec.Raw:
    now = world.clock.now()
    hours = [(3, 4, 1), (50, 2, 2), (51, 0, 1)]
    result: dict[str, Any] = {
        "start": (now - timedelta(days=7)).isoformat(),
        "end": now.isoformat(),
        "observations": 1_234_567,
        "before": 6,
        "after": 4,
        "counts": [
            {
                "rule": "hydrant-pressure-low",
                "text": None,
                "before": 6,
                "after": 4,
                "added": 1,
                "removed": 3,
                "moved": 0,
            }
        ],
        "differences": [],
        "realities": [
            {
                "reality": {"time": now.isoformat(), "subject": "sample/hydrant-a-roof"},
                "alarmed_before": True,
                "alarmed_after": False,
            }
        ],
        "loads": [
            {"time": (now - timedelta(days=7) + timedelta(hours=at)).isoformat(), "before": before, "after": after}
            for at, before, after in hours
        ],
        "failures": [],
        "summary": {"zh": "7 天：新增 1 条，减少 3 条", "en": "7 days: +1, -3 alarms"},
    }
    return msgspec.Raw(json.dumps(result).encode())


async def test_a_backtest_is_run_followed_and_plotted_with_the_same_numbers_beside_it(world, open_console):
    async with open_console() as page:
        await page.get_by_role("link", name="Rules").click()
        await page.get_by_label("Compare with").select_option("The rules that run")
        await page.get_by_role("button", name="Try", exact=True).click()
        await page.get_by_label("Name").fill("Wang")
        await page.keyboard.press("Enter")
        await expect(page.get_by_role("progressbar")).to_be_visible()
        [asked] = world.backtests.kept
        assert (asked.wish.operator, asked.wish.against) == ("Wang", "live")
        assert world.clock.now() - asked.wish.start < timedelta(days=7, minutes=1)
        world.backtests.note(progress=0.37)
        await expect(page.locator(".progress")).to_contain_text("37 %")
        world.backtests.note(phase=BacktestPhase.DONE, progress=1.0, result=backtest_of(world))
        found = page.locator("[data-backtest]")
        await expect(found).to_contain_text("7 days: +1, -3 alarms")
        await expect(found).to_contain_text("A confirmed alarm would be lost: sample/hydrant-a-roof")
        await expect(found.locator("tr[data-rule='hydrant-pressure-low']")).to_have_text(
            re.compile(r"hydrant-pressure-low\s*6\s*4\s*\+1\s*−3\s*0")
        )
        plot = found.get_by_role("img")
        await expect(plot).to_have_attribute("aria-label", re.compile("7 days"))
        heights = await plot.locator("rect.after").evaluate_all("all => all.map(bar => +bar.getAttribute('height'))")
        shown = [height for height in heights if height > 0]
        assert len(shown) == 2
        assert shown[1] == pytest.approx(3 * shown[0])  # 1, then 2 and 1 within six hours
        await found.get_by_text("The same as a table").click()
        await expect(found.locator("figure tbody tr")).to_have_count(2)


async def test_a_backtest_that_failed_or_was_given_up_says_so(world, open_console):
    async with open_console() as page:
        await page.get_by_role("link", name="Rules").click()
        await page.get_by_role("button", name="Try", exact=True).click()
        await page.get_by_label("Name").fill("Wang")
        await page.keyboard.press("Enter")
        await page.get_by_role("button", name="Cancel").click()
        await expect(page.get_by_text("Cancelled.")).to_be_visible()
        await page.get_by_role("button", name="Try", exact=True).click()
        await expect(page.get_by_role("progressbar")).to_be_visible()
        world.backtests.note(phase=BacktestPhase.FAILED, error="there is no history in that time")
        await expect(page.get_by_role("alert").filter(has_text="there is no history in that time")).to_be_visible()


async def test_the_page_is_kept_when_it_is_loaded_again_and_alarms_are_seen_from_it(world, open_console):
    async with open_console() as page:
        await page.get_by_role("link", name="Rules").click()
        await page.reload()
        await expect(page.locator("main.rules")).to_be_visible()
        world.alarm()
        await expect(page.locator("[data-lamp=security]")).to_contain_text("1 unacknowledged")
        await page.get_by_role("link", name="Watch").click()
        await expect(page.locator("[data-alarm]")).to_be_visible()


async def test_every_word_of_it_is_said_in_chinese(world, open_console):
    now = world.clock.now()
    world.backtests.start(BacktestWish(now - timedelta(days=7), now, "recorded", "王"))
    world.backtests.note(phase=BacktestPhase.DONE, progress=1.0, result=backtest_of(world))
    async with open_console("zh-CN") as page:
        await page.get_by_role("link", name="规则").click()
        await expect(page.locator("[data-backtest]")).to_contain_text("减少 3 条")
        words = await page.locator("main").inner_text()
        assert set(LATIN.findall(words)) <= NOT_WORDS
        await page.get_by_role("link", name="监视").click()
        await device(page).click()
        await page.locator("[data-rule='hydrant-pressure-low'] summary").click()
        dialog = page.get_by_role("dialog")
        await expect(dialog).to_contain_text("若持续不变，7秒后报警")
        assert set(LATIN.findall(await dialog.inner_text())) <= NOT_WORDS


@pytest.mark.parametrize(("width", "height"), [(1280, 800), (1920, 1080)])
async def test_the_page_fits_without_scrolling(world, open_console, width, height):
    async with open_console() as page:
        await page.set_viewport_size({"width": width, "height": height})
        await page.get_by_role("link", name="Rules").click()
        await expect(page.locator("[data-shadow='hydrant-pressure-lower']")).to_be_visible()
        scrolled = "() => [document.documentElement.scrollWidth, document.documentElement.scrollHeight]"
        assert await page.evaluate(scrolled) == [width, height]
        for fixed in (".top .site", ".views", ".language", ".lamps", ".status", ".ask .main"):
            await expect(page.locator(fixed).first).to_be_in_viewport(ratio=1)
