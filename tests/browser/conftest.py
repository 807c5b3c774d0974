"""A real browser on the console, the sample compound behind it."""

from __future__ import annotations

import os
import shutil
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager

import pytest
import pytest_asyncio
from playwright.async_api import Browser, ConsoleMessage, Page, async_playwright, expect

from tests.browser.compound import everything_normal
from tests.unit.web.world import World

CHROMIUM_NAMES = ("chromium", "chromium-browser", "google-chrome")
HOW_TO_INSTALL = "no Chromium found; type: apt-get install chromium (and fonts-noto-cjk to read Chinese)"
QUIET = ("--no-sandbox", "--disable-gpu", "--disable-background-networking", "--mute-audio")

PATIENCE_MS = 20_000
expect.set_options(timeout=PATIENCE_MS)

OpenConsole = Callable[..., AbstractAsyncContextManager[Page]]


@pytest.fixture(scope="session")
def chromium_path() -> str:
    """Where the browser is; without one the test is skipped, and in CI fails."""
    found = next((path for name in CHROMIUM_NAMES if (path := shutil.which(name))), None)
    if found is None:
        if os.environ.get("CI"):
            pytest.fail(HOW_TO_INSTALL)
        pytest.skip(HOW_TO_INSTALL)
    return found


@pytest_asyncio.fixture(scope="package", loop_scope="package")
async def browser(chromium_path: str) -> AsyncIterator[Browser]:
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=chromium_path, args=list(QUIET))
        yield browser
        await browser.close()


@pytest_asyncio.fixture(loop_scope="package")
async def world() -> AsyncIterator[World]:
    """The compound with every device heard and nothing wrong, its web server running.

    Its clock stands still, and the console goes by it: however slow the machine, no device falls silent by itself.
    """
    world = World()
    everything_normal(world)
    world.address = await world.server.start()
    yield world
    await world.server.stop()


@pytest_asyncio.fixture(loop_scope="package")
async def open_console(browser: Browser, world: World) -> OpenConsole:
    """Opens the console; whatever the browser complains of while it is open fails the test at the end."""

    @asynccontextmanager
    async def open_(locale: str = "en-GB", *, may_complain: bool = False, **options: object) -> AsyncIterator[Page]:
        context = await browser.new_context(locale=locale, viewport={"width": 1280, "height": 720}, **options)
        context.set_default_timeout(PATIENCE_MS)
        page = await context.new_page()
        complaints: list[str] = []

        def listen(message: ConsoleMessage) -> None:
            if message.type in ("error", "warning"):
                complaints.append(f"{message.text} {message.location}")

        page.on("console", listen)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        await page.goto(world.address)
        await page.locator(".connection.live").wait_for()
        yield page
        await context.close()
        assert may_complain or complaints == []

    return open_
