"""The page of the control room, as a person at the desk sees it in a real browser."""

from __future__ import annotations

import csv
import re
from collections.abc import AsyncIterator
from datetime import time, timedelta
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Page, expect

from firewatch.errors import StorageError
from firewatch.model.alarm import AlarmClass, AlarmState, Maintenance, Priority, Shelf
from firewatch.model.control_room import DutyCheck, DutyQuestion, DutyState, EntryKind, LogEntry
from firewatch.model.seat import ControlRoom, Seat, Shift
from firewatch.model.text import LocalText
from firewatch.testing.clock import START
from tests.browser.compound import everything_normal
from tests.unit.web.world import World

pytestmark = [pytest.mark.chromium, pytest.mark.slow, pytest.mark.asyncio(loop_scope="package")]

DESK = Seat(
    "control-room",
    LocalText(zh="消防控制室", en="Control room"),
    shifts=(
        Shift(LocalText(zh="白班", en="Day shift"), time(8), time(20)),
        Shift(LocalText(zh="夜班", en="Night shift"), time(20), time(8)),
    ),
)
GARAGE = Seat("garage", LocalText(zh="车库值班室", en="Garage office"), systems=("garage",))
LATIN = re.compile(r"[A-Za-z]{3,}")
NOT_WORDS = {"firewatch", "CSV", "Wang", "Zhao"}


@pytest.fixture
def room() -> ControlRoom:
    return ControlRoom((DESK,))


@pytest_asyncio.fixture(loop_scope="package")
async def world(room: ControlRoom) -> AsyncIterator[World]:
    """The compound at the beginning of a day shift."""
    world = World(room=room)
    everything_normal(world)
    world.address = await world.server.start()
    yield world
    await world.server.stop()


def write(world: World, name: str, hours_ago: float, text: str, **fields) -> None:
    values = {"author": "Zhao", "kind": EntryKind.NOTE, "seat": "control-room"} | fields
    moment = world.clock.now() - timedelta(hours=hours_ago)
    world.history.write([LogEntry(name, moment, text=LocalText(text, text), **values)])


def entry(page: Page, name: str):
    return page.locator(f"[data-entry='{name}']")


async def open_page(page: Page, name: str = "Control room") -> None:
    await page.get_by_role("link", name=name).click()
    await page.locator("[data-handover]").wait_for()


async def name_operator(page: Page, name: str = "Wang", label: str = "Name") -> None:
    await page.get_by_role("dialog").get_by_label(label).fill(name)
    await page.keyboard.press("Enter")


async def test_an_entry_is_written_under_the_operators_name_and_stands_in_the_log_at_once(world, open_console):
    world.alarm()
    async with open_console() as page:
        await open_page(page)
        await expect(page.get_by_role("button", name="Enter", exact=True)).to_be_disabled()
        await page.get_by_label("Write an entry").fill("Guard is on the way\nwith the key")
        await page.get_by_label("About").select_option(label="E-bike in the lift, Tower A lift 2")
        await page.keyboard.press("Tab")
        await page.get_by_role("button", name="Enter", exact=True).click()
        await name_operator(page)
        written = page.locator(".entry")
        await expect(written).to_contain_text("Guard is on the way\nwith the key")
        await expect(written).to_contain_text("Wang")
        await expect(page.get_by_label("Write an entry")).to_have_value("")
        await written.get_by_role("button", name="E-bike in the lift").click()
        await expect(page.get_by_role("dialog")).to_contain_text("Ask the resident over the intercom")
        [kept] = await world.history.log_entries(START - timedelta(days=1), START + timedelta(days=1))
        assert (kept.author, kept.seat, kept.alarm_id) == ("Wang", "control-room", "00c0ffee00c0ffee")


async def test_a_wrong_entry_is_corrected_by_a_further_one_and_stays_to_be_read(world, open_console):
    write(world, "wrong", 2, "Stair 2 is blocked")
    async with open_console() as page:
        await open_page(page)
        await entry(page, "wrong").get_by_role("button", name="Correct").click()
        await expect(page.locator(".correcting")).to_contain_text("Stair 2 is blocked")
        await expect(page.get_by_label("The correction")).to_be_focused()
        await page.keyboard.type("Stair 3 is blocked")
        await page.keyboard.press("Control+Enter")
        await name_operator(page)
        await expect(entry(page, "wrong")).to_contain_text("Corrected by Wang")
        await expect(entry(page, "wrong").get_by_role("button", name="Correct")).to_have_count(0)
        await expect(page.locator(".entry").first).to_contain_text("Corrects the entry of Zhao, 06:00:00")
        struck = "entry => getComputedStyle(entry.querySelector('.entry-text p')).textDecorationLine"
        assert await entry(page, "wrong").evaluate(struck) == "line-through"
        await expect(page.locator(".correcting")).to_have_count(0)


async def test_the_log_is_looked_through_by_time_and_kind_and_taken_along_as_a_table(
    world, open_console, tmp_path: Path
):
    write(world, "new", 1, "Handed the key out")
    write(world, "rules", 3, "Other rules were taken over", kind=EntryKind.RULES, author="firewatch")
    write(world, "old", 24 * 10, "Pump tried")
    async with open_console() as page:
        await open_page(page)
        await expect(page.locator(".entry")).to_have_count(2)
        await page.get_by_label("Time", exact=True).select_option("Last 31 days")
        await expect(entry(page, "old")).to_be_visible()
        await expect(page.locator(".day h3")).to_have_count(2)
        await page.get_by_label("Kind").select_option("Rules")
        await expect(page.locator(".entry")).to_have_count(1)
        await expect(entry(page, "rules")).to_be_visible()
        async with page.expect_download() as download:
            await page.get_by_role("link", name="CSV").click()
        await (await download.value).save_as(tmp_path / "log.csv")
        with (tmp_path / "log.csv").open(encoding="utf-8-sig", newline="") as file:
            assert [row["id"] for row in csv.DictReader(file)] == ["rules"]
        await page.get_by_label("Kind").select_option("All entries")
        await page.get_by_label("Time", exact=True).select_option("From … to …")
        await page.get_by_label("From", exact=True).fill("2024-12-20")
        await page.get_by_label("to the end of").fill("2024-12-22")
        await expect(page.locator(".entry")).to_have_count(1)
        await expect(entry(page, "old")).to_be_visible()


async def test_the_days_of_the_log_are_those_of_the_seats_wall_clock(world, open_console):
    write(world, "late", 8.5, "Before midnight in Shanghai")
    write(world, "early", 7.5, "After midnight in Shanghai")
    async with open_console() as page:
        await open_page(page)
        await page.get_by_label("Time", exact=True).select_option("From … to …")
        for box in ("From", "to the end of"):
            await page.get_by_label(box, exact=True).fill("2025-01-01")
        await expect(page.locator(".entry")).to_have_count(1)
        await expect(entry(page, "early")).to_contain_text("00:30:00")


async def test_the_turn_of_duty_is_shown_with_what_is_left_of_it(world, open_console):
    async with open_console() as page:
        await open_page(page)
        duty = page.locator("[data-on-duty]")
        await expect(duty).to_contain_text("Day shift")
        await expect(duty).to_contain_text("08:00 – 20:00")
        await expect(duty).to_contain_text(re.compile("1[12] h .* left"))


async def test_the_handover_says_what_is_left_open_and_lists_it(world, open_console):
    now = world.clock.now()
    world.alarm()
    world.alarm(alarm_id="a2", state=AlarmState.ACKNOWLEDGED, acknowledged_by="Li", acknowledge_comment="plumber comes")
    shelf = Shelf("Li", now, "being repaired", now + timedelta(hours=3))
    world.alarm(alarm_id="a3", alarm_class=AlarmClass.TROUBLE, priority=Priority.LOW, hidden=True, shelf=shelf)
    out = Maintenance("Li", now, "valve", work_order="WO-12", until_time=now + timedelta(hours=1))
    world.alarm(alarm_id="a4", state=AlarmState.NORMAL, hidden=True, out_of_service=out)
    world.part("database", ready=False, detail="does not answer")
    world.command("sample/a-lift-2-door", "hold_door")
    async with open_console() as page:
        await open_page(page)
        told = {
            "unacknowledged": 1,
            "acknowledged": 1,
            "latched": 0,
            "shelved": 1,
            "out_of_service": 1,
            "commands": 1,
            "parts": 1,
        }
        for name, count in told.items():
            await expect(page.locator(f"[data-list='{name}'] b")).to_have_text(str(count))
        await expect(page.locator("[data-list='latched']")).to_be_disabled()
        opened = page.locator(".opened-list")
        for name, words in (
            ("acknowledged", "Li · plumber comes"),
            ("shelved", "until 11:00:00 · Li · being repaired"),
            ("out_of_service", "WO-12"),
            ("commands", "sent, no answer"),
            ("parts", "does not answer"),
        ):
            await page.locator(f"[data-list='{name}']").click()
            await expect(opened).to_contain_text(words)
        await page.locator("[data-list='parts']").click()
        await expect(opened).to_have_count(0)


async def test_one_shift_hands_over_to_the_next_and_the_desk_goes_on_under_the_new_name(world, open_console):
    world.alarm()
    async with open_console() as page:
        await open_page(page)
        await page.get_by_role("button", name="Change").click()
        await name_operator(page)
        await page.get_by_role("button", name="Hand over …").click()
        dialog = page.get_by_role("dialog")
        await expect(dialog).to_contain_text("1 Not acknowledged")
        await expect(dialog.get_by_label("Hands over")).to_have_value("Wang")
        await expect(dialog.get_by_role("button", name="Hand over")).to_be_disabled()
        await dialog.get_by_label("Takes over").fill("Zhao")
        await dialog.get_by_label("What the next shift has to know").fill("Pump 2 drips")
        await dialog.get_by_role("button", name="Hand over").click()
        await expect(dialog).to_have_count(0)
        await expect(page.locator(".entry")).to_contain_text("Wang handed over to Zhao: Pump 2 drips")
        await expect(page.locator(".controls").get_by_role("button", name="Zhao")).to_be_visible()
        [kept] = await world.history.log_entries(START - timedelta(days=1), START + timedelta(days=1))
        assert kept.counts["unacknowledged"] == 1


async def test_the_page_to_be_printed_is_the_seats_in_the_readers_language(world, open_console):
    async with open_console("zh-CN") as page:
        await open_page(page, "值班室")
        async with page.context.expect_page() as printed:
            await page.get_by_role("link", name="打印页").click()
        await expect((await printed.value).locator("h1")).to_have_text("消防控制室交接班记录 · 消防控制室")


async def test_duty_checks_are_listed_with_how_long_it_took_to_answer(world, open_console):
    now = world.clock.now()

    def check(name: str, hours: int, state: DutyState, seconds: int, by: str | None = None) -> DutyCheck:
        asked = now - timedelta(hours=hours)
        ended = asked + timedelta(seconds=seconds)
        return DutyCheck(
            name, DESK.id, "centre", asked, asked + timedelta(minutes=10), state=state, ended_time=ended, answered_by=by
        )

    world.history.write([check("c1", 1, DutyState.ANSWERED, 14, "Wang"), check("c2", 5, DutyState.MISSED, 600)])
    async with open_console() as page:
        await open_page(page)
        checks = page.locator("[data-duty-checks]")
        await expect(checks.locator("dl")).to_contain_text("Median answer14 s")
        await expect(checks.locator("dl")).to_contain_text("Missed1")
        await expect(checks.locator("[data-check='c1']")).to_contain_text("Wang after 14.0 s")
        await expect(checks.locator("[data-check='c2']")).to_contain_text("Missed")


async def test_whoever_comes_back_answers_a_missed_duty_check_after_all(world, open_console):
    asked = world.clock.now()
    async with open_console() as page:
        await open_page(page)
        checks = page.locator("[data-duty-checks]")
        question = DutyQuestion("q1", "sample", DESK.id, "centre", timedelta(minutes=1))
        check = world.control_room.put(question)
        await expect(checks.locator("li")).to_contain_text("waits,")
        world.clock.advance(timedelta(minutes=2))
        world.control_room.advance()
        await expect(checks.locator("li")).to_contain_text("Missed")
        await checks.get_by_role("button", name="I am back").click()
        await name_operator(page)
        await expect(checks.locator("li")).to_contain_text("Wang was back at 08:02:00")
        await expect(checks.get_by_role("button", name="I am back")).to_have_count(0)
        [kept] = await world.history.duty_checks(limit=10)
        assert (kept.check_id, kept.state, kept.answered_by) == (check.check_id, DutyState.MISSED, "Wang")
        assert kept.late_answer_time == asked + timedelta(minutes=2)


async def test_without_the_history_the_alarms_are_there_and_it_is_said_that_the_rest_is_missing(
    world, open_console, monkeypatch
):
    async def away(*_: object, **__: object) -> None:
        raise StorageError("The history does not answer.")

    world.alarm()
    async with open_console(may_complain=True) as page:
        monkeypatch.setattr(world.history, "log_entries", away)
        await open_page(page)
        await expect(page.locator("[data-handover] [role=alert]")).to_contain_text("The history cannot be read")
        await expect(page.locator("[data-list='unacknowledged'] b")).to_have_text("1")
        await expect(page.locator(".log")).to_contain_text("The history cannot be read at present.")


class TestWithTwoSeats:
    """The reader looks at the own seat first, and at the other one on demand."""

    @pytest.fixture
    def room(self) -> ControlRoom:
        return ControlRoom((DESK, GARAGE))

    async def test_each_seat_has_a_log_of_its_own(self, world, open_console):
        write(world, "desk", 1, "At the desk")
        write(world, "garage", 1, "In the garage", seat="garage")
        write(world, "all", 2, "firewatch was started", seat="", kind=EntryKind.START, author="firewatch")
        async with open_console() as page:
            await open_page(page)
            await expect(entry(page, "desk")).to_be_visible()
            await page.get_by_label("Seat", exact=True).select_option("Garage office")
            await expect(entry(page, "garage")).to_be_visible()
            await expect(entry(page, "all")).to_be_visible()
            await expect(entry(page, "desk")).to_have_count(0)
            await expect(page.locator("[data-on-duty]")).to_contain_text("No shift now")

    async def test_the_choice_of_the_seat_leaves_the_name_of_the_compound_its_room(self, open_console):
        async with open_console() as page:
            await page.set_viewport_size({"width": 1280, "height": 800})
            await open_page(page)
            await expect(page.get_by_label("Seat of this screen")).to_be_in_viewport(ratio=1)
            cut = "site => site.scrollWidth > site.clientWidth"
            assert not await page.locator(".top .site").evaluate(cut)


async def test_every_word_of_it_is_said_in_chinese(world, open_console):
    now = world.clock.now()
    world.alarm()
    write(world, "wrong", 2, "二号楼梯堵塞")
    write(world, "right", 1, "三号楼梯堵塞", corrects="wrong")
    for number, kind in enumerate(EntryKind):
        write(world, f"e{number}", 3, "自动记录", kind=kind, author="firewatch")
    checks = [
        DutyCheck(f"c{state}", DESK.id, "监控中心", now, now, state=state, ended_time=now, answered_by="王")
        for state in DutyState
    ]
    world.history.write(checks)
    async with open_console("zh-CN") as page:
        await open_page(page, "值班室")
        await expect(entry(page, "wrong")).to_be_visible()
        await page.locator("[data-list='unacknowledged']").click()
        assert set(LATIN.findall(await page.locator("main").inner_text())) <= NOT_WORDS
        await page.get_by_role("button", name="交班…").click()
        assert set(LATIN.findall(await page.get_by_role("dialog").inner_text())) <= NOT_WORDS


@pytest.mark.parametrize(("width", "height"), [(1280, 800), (1920, 1080)])
@pytest.mark.parametrize("locale", ["en-GB", "zh-CN"])
async def test_the_page_and_the_ways_to_it_fit_without_scrolling(world, open_console, width, height, locale):
    for number in range(40):
        write(world, f"e{number}", number / 10, "Somebody wrote a line that is as long as lines are at night. " * 2)
    async with open_console(locale) as page:
        await page.set_viewport_size({"width": width, "height": height})
        await page.locator("a[href='#control-room']").click()
        await page.locator(".entry").first.wait_for()
        scrolled = "() => [document.documentElement.scrollWidth, document.documentElement.scrollHeight]"
        assert await page.evaluate(scrolled) == [width, height]
        for fixed in (".top .site", ".views", ".language", ".lamps", ".status", ".writing .main", ".log header"):
            await expect(page.locator(fixed).first).to_be_in_viewport(ratio=1)
