"""The README's first command, from its first line to the last process gone."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import signal
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import psutil
import pytest

from firewatch.app.port import free_port
from tests.waiting import until_ready

pytestmark = pytest.mark.slow

READY = "Ctrl-C stops everything"

DAEMON_LOG_CHARACTERS = 8_000
"""How much of the daemon's log a failure shows."""


class RunningDemo:
    def __init__(self, process: asyncio.subprocess.Process, url: str, state: Path, rules: Path) -> None:
        self.process = process
        self.url = url
        self.rules = rules
        self.lines: list[str] = []
        self._daemon_log = state / "log" / "daemon.log"

    async def until(self, text: str, seconds: float = 60) -> None:
        assert self.process.stdout is not None
        async with asyncio.timeout(seconds):
            while not any(text in line for line in self.lines):
                line = await self.process.stdout.readline()
                assert line, "the demo ended:\n" + "".join(self.lines)
                self.lines.append(line.decode())

    def assert_it_runs(self) -> None:
        assert self.process.returncode is None, "".join(self.lines)

    async def until_ready(self, seconds: float) -> None:
        try:
            await until_ready(self.url, self.assert_it_runs, seconds)
        except TimeoutError as error:
            assert self.process.stdout is not None
            self.process.kill()
            self.lines.append((await self.process.stdout.read()).decode(errors="replace"))
            log = self._daemon_log.read_text(errors="replace")[-DAEMON_LOG_CHARACTERS:]
            raise AssertionError(f"{error}\nthe demo:\n{''.join(self.lines)}\nits daemon:\n{log}") from None

    def daemon(self) -> psutil.Process:
        [daemon] = [process for process in self.family() if process.cmdline()[-2:] == ["firewatch", "run"]]
        return daemon

    def family(self) -> list[psutil.Process]:
        return psutil.Process(self.process.pid).children(recursive=True)


@pytest.fixture
async def demo(tmp_path: Path) -> AsyncIterator[RunningDemo]:
    port = free_port()
    state = tmp_path / "state"
    rules = Path(shutil.copytree("rules", tmp_path / "rules"))
    process = await asyncio.create_subprocess_exec(
        *[sys.executable, "-m", "firewatch", "demo", "--scenario", "quiet"],
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        env={
            **os.environ,
            "FIREWATCH_HTTP__PORT": str(port),
            "FIREWATCH_STATE_DIRECTORY": str(state),
            "FIREWATCH_RULES": str(rules),
            "PYTHONUNBUFFERED": "1",
        },
    )
    demo = RunningDemo(process, f"http://127.0.0.1:{port}", state, rules)
    await demo.until(READY)
    yield demo
    if process.returncode is None:
        process.kill()
        await process.wait()


async def firewatch(*arguments: str) -> tuple[int | None, str]:
    process = await asyncio.create_subprocess_exec(
        *[sys.executable, "-m", "firewatch", *arguments],
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    output, _ = await process.communicate()
    return process.returncode, output.decode()


async def test_the_demo_shows_every_part_and_ctrl_c_leaves_no_process_behind(demo: RunningDemo) -> None:
    for part in ("broker", "database", "daemon", "simulators"):
        assert any(line.split()[:2] == ["up", part] for line in demo.lines), part
    async with httpx.AsyncClient(base_url=demo.url) as browser:
        page = await browser.get("/")
        assert page.status_code == 200
        assert "<script" in page.text
        status = (await browser.get("/api/v1/status")).json()
        assert status["ready"], status
    code, report = await firewatch("status", "--url", demo.url)
    assert code == 0, report
    assert "ok  broker" in report
    assert "ok  database" in report
    code, report = await firewatch("status", "--json", "--url", demo.url)
    assert json.loads(report)["status"]["ready"]

    family = demo.family()
    names = " ".join(" ".join(process.cmdline()) for process in family)
    for expected in ("nats-server", "postgres", "firewatch run", "simulators.camera"):
        assert expected in names

    demo.process.send_signal(signal.SIGINT)
    assert await asyncio.wait_for(demo.process.wait(), 30) == 0
    assert [process for process in family if process.is_running()] == []


async def test_a_killed_daemon_is_started_again(demo: RunningDemo) -> None:
    demo.daemon().kill()
    await demo.until("is started again")
    await demo.until_ready(seconds=30)


async def test_a_daemon_that_cannot_start_says_why_on_the_terminal(demo: RunningDemo) -> None:
    right = (demo.rules / "gas.yaml").read_text()
    (demo.rules / "gas.yaml").write_text(right.replace("gas_detector", "gas_detecter"))
    demo.daemon().kill()
    await demo.until('there is no kind of device "gas_detecter"')
    (demo.rules / "gas.yaml").write_text(right)
    await demo.until_ready(seconds=30)


async def test_nothing_outlives_a_killed_demo(demo: RunningDemo) -> None:
    family = demo.family()
    demo.process.kill()
    _, alive = await asyncio.to_thread(psutil.wait_procs, family, 30)
    assert alive == []
