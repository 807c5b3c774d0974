"""The page of messages to people and systems outside, as a person at the desk sees it in a real browser."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from msgspec.structs import replace
from playwright.async_api import Page, expect

from firewatch.model.alarm import AlarmClass
from firewatch.model.delivery import Delivery, DeliveryState, NotificationReason
from firewatch.ports import NotificationTarget
from tests.unit.web.world import ALARM_ID, World

pytestmark = [pytest.mark.chromium, pytest.mark.slow, pytest.mark.asyncio(loop_scope="package")]

LATIN = re.compile(r"[A-Za-z]{3,}")
NOT_WORDS = {"group", "platform", "phone", "CAP", "Apprise", "everything"}
REFUSED = "oapi.example answered 310000"


def target(world: World, name: str, **fields) -> NotificationTarget:
    values = {
        "target": name,
        "kind": "webhook",
        "ready": True,
        "waiting": 0,
        "delivered": 12,
        "dead": 0,
        "failures": 0,
        "error": "",
        "last_delivered_time": world.clock.now() - timedelta(minutes=3),
        "next_attempt_time": None,
    }
    found = NotificationTarget(**(values | fields))
    world.notifications.known.append(found)
    return found


def delivery(world: World, name: str, minutes_ago: float, **fields) -> Delivery:
    time = world.clock.now() - timedelta(minutes=minutes_ago)
    one = Delivery(name, "group", ALARM_ID, 1, NotificationReason.ONSET, time, time, plan="everything", step=1)
    one = replace(one, alarm_class=AlarmClass.SECURITY, **fields)
    world.history.write([one])
    if one.state is DeliveryState.DEAD:
        world.notifications.dead[name] = one
    return one


def dead(world: World, name: str, hours_ago: float = 1, **fields) -> Delivery:
    ended = world.clock.now() - timedelta(hours=hours_ago)
    values = {"state": DeliveryState.DEAD, "attempts": 21, "ended_time": ended, "error": REFUSED} | fields
    return delivery(world, name, 60 * hours_ago + 1, **values)


def row(page: Page, name: str):
    return page.locator(f"[data-delivery='{name}']")


async def open_page(page: Page, name: str = "Messages") -> None:
    await page.get_by_role("link", name=name).click()
    await page.locator(".deliveries").wait_for()


async def test_each_target_says_how_it_is(world, open_console):
    target(world, "group", kind="robot", ready=False, waiting=5, dead=3, failures=7, error=REFUSED)
    target(world, "phone", kind="apprise", last_delivered_time=None, delivered=0)
    target(world, "platform", waiting=2)
    async with open_console() as page:
        badge = page.get_by_role("link", name="Messages").locator(".badge")
        await expect(badge).to_contain_text("Some receivers take nothing at present")
        await open_page(page)
        group = page.locator("[data-target='group']")
        for told in ("chat robot", "takes nothing", "waiting 5", "given up 3", "7 failures in a row", REFUSED):
            await expect(group).to_contain_text(told)
        await expect(page.locator("[data-target='phone']")).to_contain_text("nothing delivered yet")
        await expect(page.locator("[data-target='platform']")).to_contain_text("sending")
        await expect(page.locator("[data-target='platform']")).to_contain_text("last one 3 min ago")


async def test_a_test_says_whether_the_receiver_took_it(world, open_console, monkeypatch):
    target(world, "group")
    answers = [
        Delivery("t1", "group", "", 0, NotificationReason.TEST, world.clock.now(), world.clock.now(), error=REFUSED),
        Delivery(
            "t2",
            "group",
            "",
            0,
            NotificationReason.TEST,
            world.clock.now(),
            world.clock.now(),
            state=DeliveryState.DELIVERED,
        ),
    ]
    asked: list[tuple[str, str]] = []

    async def test(name: str, operator: str) -> Delivery:
        asked.append((name, operator))
        return answers.pop(0)

    monkeypatch.setattr(world.notifications, "test", test)
    async with open_console() as page:
        await open_page(page)
        await page.get_by_role("button", name="Send a test").click()
        await page.get_by_label("Name").fill("Wang")
        await page.keyboard.press("Enter")
        status = page.locator("[data-target='group'] [role=status]")
        await expect(status).to_contain_text("The receiver has not taken the test.")
        await expect(status).to_contain_text(REFUSED)
        await page.get_by_role("button", name="Send a test").click()
        await expect(status).to_contain_text("The receiver has taken the test.")
        assert asked == [("group", "Wang"), ("group", "Wang")]


async def test_what_was_given_up_comes_first_and_is_sent_again(world, open_console):
    world.alarm()
    target(world, "group")
    given_up = dead(world, "d1", person="li")
    delivery(world, "d2", 5, state=DeliveryState.DELIVERED, attempts=1)
    async with open_console() as page:
        badge = page.get_by_role("link", name="Messages").locator(".badge")
        await expect(badge).to_contain_text("1 messages were given up")
        await open_page(page)
        await expect(row(page, "d1")).to_contain_text("E-bike in the lift, Tower A lift 2")
        await expect(row(page, "d1")).to_contain_text("Alarm to group (li) · plan everything, step 1")
        await expect(row(page, "d1")).to_contain_text(REFUSED)
        await expect(row(page, "d1")).to_contain_text("attempts: 21")
        await expect(row(page, "d2")).to_have_count(0)
        await row(page, "d1").get_by_role("button", name="Send again").click()
        await page.get_by_label("Name").fill("Wang")
        world.history.write([replace(given_up, state=DeliveryState.WAITING, revision=1)])
        await page.keyboard.press("Enter")
        await expect(page.get_by_text("Nothing was given up")).to_be_visible()
        assert world.notifications.asked == [("d1", "Wang")]
        await expect(badge).to_have_count(0)


async def test_a_dead_letter_of_the_day_before_yesterday_is_listed_and_not_marked(world, open_console):
    world.alarm()
    dead(world, "d1", hours_ago=40)
    async with open_console() as page:
        await open_page(page)
        await expect(row(page, "d1")).to_be_visible()
        await expect(page.locator(".views .badge")).to_have_count(0)


async def test_what_cannot_be_sent_again_says_why(world, open_console):
    world.alarm()
    dead(world, "d1")
    world.notifications.dead["d1"] = replace(world.notifications.dead["d1"], state=DeliveryState.DELIVERED)
    async with open_console(may_complain=True) as page:
        await open_page(page)
        await row(page, "d1").get_by_role("button", name="Send again").click()
        await page.get_by_label("Name").fill("Wang")
        await page.keyboard.press("Enter")
        await expect(row(page, "d1").get_by_role("alert")).to_contain_text("The delivery is delivered, not dead.")


async def test_every_message_of_an_alarm_is_followed_from_one_of_them(world, open_console):
    world.alarm()
    other = world.alarm(alarm_id="other")
    dead(world, "d1")
    delivery(
        world,
        "d2",
        5,
        target="platform",
        state=DeliveryState.DELIVERED,
        ended_time=world.clock.now() - timedelta(minutes=5) + timedelta(seconds=0.4),
    )
    delivery(world, "d3", 4, alarm_id=other.alarm_id, state=DeliveryState.DELIVERED)
    async with open_console() as page:
        await open_page(page)
        await row(page, "d1").get_by_role("link", name="all of this alarm").click()
        await expect(row(page, "d1")).to_be_visible()
        await expect(row(page, "d2")).to_contain_text("after 400 ms")
        await expect(row(page, "d3")).to_have_count(0)
        await page.reload()
        await expect(row(page, "d2")).to_be_visible()
        await page.get_by_role("link", name="Show all").click()
        await page.get_by_role("button", name="All", exact=True).click()
        await expect(row(page, "d3")).to_be_visible()


async def test_one_target_and_one_state_can_be_looked_at(world, open_console):
    world.alarm()
    target(world, "group")
    target(world, "platform")
    dead(world, "d1")
    due = world.clock.now() + timedelta(minutes=3)
    delivery(world, "d2", 5, target="platform", due_time=due, next_attempt_time=due, step=2)
    async with open_console() as page:
        await open_page(page)
        await page.get_by_role("button", name="Waiting").click()
        await expect(row(page, "d2")).to_contain_text("again in")
        await expect(row(page, "d1")).to_have_count(0)
        await page.locator("[data-target='group'] .target-name").click()
        await expect(page.locator("[data-delivery]")).to_have_count(0)
        await page.get_by_role("button", name="All", exact=True).click()
        await expect(row(page, "d1")).to_be_visible()
        await page.get_by_role("button", name="Show all").click()
        await expect(row(page, "d2")).to_be_visible()


async def test_where_nobody_is_notified_it_says_so(world, open_console):
    async with open_console() as page:
        await open_page(page)
        await expect(page.locator("main")).to_contain_text("Nobody is told outside of the control room")


async def test_every_word_of_it_is_said_in_chinese(world, open_console):
    world.alarm()
    target(world, "group", kind="robot", ready=False, failures=7, error="310000", waiting=1)
    for kind in ("webhook", "cap", "apprise"):
        target(world, "platform" if kind == "webhook" else f"phone-{kind[:1]}", kind=kind)
    for number, (state, reason) in enumerate(
        (state, reason)
        for state in DeliveryState
        for reason in NotificationReason
        if reason is not NotificationReason.TEST
    ):
        delivery(world, f"d{number}", number, state=state, reason=reason, attempts=1, ended_time=world.clock.now())
    async with open_console("zh-CN") as page:
        await open_page(page, "通知")
        await page.get_by_role("button", name="全部").click()
        await expect(page.locator("[data-delivery]")).to_have_count(28)
        assert set(LATIN.findall(await page.locator("main").inner_text())) <= NOT_WORDS


@pytest.mark.parametrize(("width", "height"), [(1280, 800), (1920, 1080)])
async def test_the_page_fits_without_scrolling(world, open_console, width, height):
    world.alarm()
    for number in range(12):
        target(world, f"receiver-{number}", ready=number % 2 == 0, error="" if number % 2 == 0 else REFUSED * 2)
        dead(world, f"d{number}", hours_ago=1 + number / 10)
    async with open_console() as page:
        await page.set_viewport_size({"width": width, "height": height})
        await open_page(page)
        await page.locator("[data-delivery]").first.wait_for()
        scrolled = "() => [document.documentElement.scrollWidth, document.documentElement.scrollHeight]"
        assert await page.evaluate(scrolled) == [width, height]
        for fixed in (".top .site", ".views", ".language", ".status", ".choices"):
            await expect(page.locator(fixed).first).to_be_in_viewport(ratio=1)
