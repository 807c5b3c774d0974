"""A whole firewatch on trial: daemon and simulators as real processes, and everything that travels on the broker."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeVar
from urllib.parse import urlsplit

import aiomqtt
import msgspec
import psycopg

from firewatch.app.child import Child
from firewatch.app.port import free_port
from firewatch.model.alarm import Alarm
from firewatch.model.contract import AnswerMessage, CommandMessage
from firewatch.model.topic import Channel, Topic, parse, topic_filter
from simulators.commands import simulator_commands
from tests.waiting import until_ready

T = TypeVar("T")


@dataclass
class Heard:
    """One message of the contract, with the time it arrived here."""

    time: datetime
    topic: Topic
    alarm: Alarm | None = None
    command: CommandMessage | None = None
    answer: AnswerMessage | None = None


@dataclass
class Compound:
    broker: str
    dsn: str
    folder: Path
    scenario: Path
    rules: Path = Path("rules")
    environment: dict[str, str] = field(default_factory=dict)
    heard: list[Heard] = field(default_factory=list)
    http_port: int = field(default_factory=free_port)
    camera_port: int = field(default_factory=free_port)
    start_time: datetime = field(default_factory=lambda: datetime.now(UTC))

    def __post_init__(self) -> None:
        self._news = asyncio.Event()
        self.daemon = Child(
            "daemon",
            [sys.executable, "-m", "firewatch", "run"],
            self.folder / "daemon.log",
            environment={
                **os.environ,
                "FIREWATCH_MQTT__URL": self.broker,
                "FIREWATCH_DATABASE__DSN": self.dsn,
                "FIREWATCH_HTTP__PORT": str(self.http_port),
                "FIREWATCH_STATE_DIRECTORY": str(self.folder / "state"),
                "FIREWATCH_RULES": str(self.rules),
                "FIREWATCH_VISION__STREAM_BASE_URL": f"http://127.0.0.1:{self.camera_port}/",
                **self.environment,
            },
        )

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.http_port}"

    async def start_daemon(self) -> None:
        await self.daemon.start()
        await until_ready(self.url, self._assert_it_runs)

    def _assert_it_runs(self) -> None:
        assert self.daemon.running, self.daemon.log_tail()

    async def kill_daemon(self) -> None:
        """As a power cut would: no chance to say goodbye."""
        assert self.daemon._process is not None
        self.daemon._process.send_signal(signal.SIGKILL)
        assert await self.daemon.wait() == -signal.SIGKILL

    async def until(self, what: str, found: Callable[[], T | None], seconds: float = 60) -> T:
        """Wait until something was heard; the failure says what was missing and shows the daemon's log."""
        try:
            async with asyncio.timeout(seconds):
                while (result := found()) is None:
                    self._news.clear()
                    await self._news.wait()
                return result
        except TimeoutError:
            lines = "\n".join(str(item) for item in self.heard[-20:])
            raise AssertionError(f"not within {seconds} s: {what}\nheard:\n{lines}\n{self.daemon.log_tail()}") from None

    def alarms(self, rule: str) -> list[tuple[datetime, Alarm]]:
        return [(item.time, item.alarm) for item in self.heard if item.alarm is not None and item.alarm.rule == rule]

    def alarm(self, rule: str, accept: Callable[[Alarm], bool] = lambda _: True) -> tuple[datetime, Alarm] | None:
        return next(((time, alarm) for time, alarm in self.alarms(rule) if accept(alarm)), None)

    def command(self, device: str, action: str) -> Heard | None:
        return next(
            (
                item
                for item in self.heard
                if item.topic.device == device and item.command is not None and item.command.action == action
            ),
            None,
        )

    def answer(self, command: Heard, detail: str) -> Heard | None:
        assert command.command is not None
        return next(
            (
                item
                for item in self.heard
                if item.answer is not None and item.answer.id == command.command.id and item.answer.detail == detail
            ),
            None,
        )

    async def rows(self, query: str, *parameters: object, count: int) -> list[tuple[object, ...]]:
        """The query's rows, once there are `count` of them: history is written a moment after people are told."""
        async with await psycopg.AsyncConnection.connect(self.dsn, autocommit=True) as connection:
            found: list[tuple[object, ...]] = []
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(10):
                    while len(found) < count:
                        found = await (await connection.execute(query.encode(), parameters)).fetchall()
                        await asyncio.sleep(0.02)
            return found

    async def listen(self, ready: asyncio.Event) -> None:
        address = urlsplit(self.broker)
        async with aiomqtt.Client(
            address.hostname or "", address.port or 1883, identifier=f"listener-{free_port()}"
        ) as client:
            for channel in (Channel.ALARM, Channel.COMMAND, Channel.ANSWER):
                await client.subscribe(topic_filter(channel), qos=1)
            ready.set()
            async for message in client.messages:
                self._hear(str(message.topic), bytes(message.payload))  # type: ignore[arg-type]

    def _hear(self, name: str, payload: bytes) -> None:
        topic = parse(name)
        if topic is None or not payload:
            return
        item = Heard(datetime.now(UTC), topic)
        if topic.channel is Channel.ALARM:
            item.alarm = msgspec.json.decode(payload, type=Alarm)
        elif topic.channel is Channel.COMMAND:
            item.command = msgspec.json.decode(payload, type=CommandMessage)
        else:
            item.answer = msgspec.json.decode(payload, type=AnswerMessage)
        self.heard.append(item)
        self._news.set()


@contextlib.asynccontextmanager
async def running(compound: Compound) -> AsyncIterator[Compound]:
    """Daemon first, then the simulators, whose story starts when they do; everything is stopped at the end."""
    ready = asyncio.Event()
    listening = asyncio.create_task(compound.listen(ready))
    simulators: list[Child] = []
    try:
        await ready.wait()
        await compound.start_daemon()
        compound.start_time = datetime.now(UTC)
        commands = simulator_commands(
            compound.broker,
            Path("config/sites/sample.yaml"),
            compound.scenario,
            compound.start_time,
            compound.camera_port,
        )
        for name, command in commands.items():
            simulator = Child(name, command, compound.folder / f"{name}.log")
            await simulator.start()
            simulators.append(simulator)
        yield compound
    finally:
        for child in (*reversed(simulators), compound.daemon):
            await child.stop()
        listening.cancel()
        await asyncio.gather(listening, return_exceptions=True)
