"""A daemon as a real process over files of a test's own: broker and database stay while it is killed and started."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlsplit

import aiomqtt
import httpx
import msgspec
import psycopg

from firewatch.app.child import Child
from firewatch.app.port import free_port
from firewatch.model.topic import Channel, Topic, parse, topic_filter
from tests.waiting import until_ready

KINDS = """\
kinds:
  - kind: pressure_transmitter
    label: {zh: 压力变送器, en: Pressure transmitter}
    system: water
    signals: [{name: pressure, type: number, unit: MPa, label: {zh: 压力, en: Pressure}}]
  - kind: door_controller
    label: {zh: 门, en: Door}
    system: lift
    signals: [{name: door_held, type: boolean, label: {zh: 门已保持, en: Door held}}]
    actions: [hold_door, release_door]
"""
SITE = """\
id: s
label: {zh: 小区, en: Compound}
district: {zh: 区, en: District}
street: {zh: 街道, en: Street}
community: {zh: 社区, en: Community}
time_zone: Asia/Shanghai
buildings: [{id: b, label: {zh: 楼, en: Building}, grid: {zh: 网格, en: Grid}}]
devices:
  - {id: door, kind: door_controller, building: b, label: {zh: 门, en: Door}}
"""
DEVICE = "  - {{id: {device}, kind: pressure_transmitter, building: b, label: {{zh: {device}, en: {device}}}}}\n"

T = TypeVar("T")


def low(rule: str, limit: float = 0.07, on_delay: str = "0s", more: str = "") -> str:
    """A rule about low pressure."""
    return f"""\
  - id: {rule}
    scope: {{device: pressure_transmitter}}
    when: {{low: {{signal: pressure, limit: {limit} MPa}}}}
    on_delay: {on_delay}
    priority: high
    class: supervisory
    text: {{zh: 压力低, en: Pressure is low}}
    advice: {{zh: 检查, en: Look}}
{more}"""


class Plant:
    """Some pressure transmitters and a door in one building, and the daemon that watches them."""

    def __init__(self, broker: str, dsn: str, folder: Path, devices: Iterable[str]) -> None:
        self.broker = urlsplit(broker)
        self.dsn = dsn
        self.folder = folder
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        for name in ("rules", "sites", "devices"):
            (folder / name).mkdir()
        (folder / "devices" / "kinds.yaml").write_text(KINDS, encoding="utf-8")
        self.site = folder / "sites" / "site.yaml"
        self.site.write_text(SITE + "".join(DEVICE.format(device=device) for device in devices), encoding="utf-8")
        self.environment = {
            **os.environ,
            "FIREWATCH_MQTT__URL": broker,
            "FIREWATCH_DATABASE__DSN": dsn,
            "FIREWATCH_HTTP__PORT": str(self.port),
            "FIREWATCH_STATE_DIRECTORY": str(folder / "state"),
            "FIREWATCH_RULES": str(folder / "rules"),
            "FIREWATCH_SITES": str(folder / "sites"),
            "FIREWATCH_DEVICES": str(folder / "devices"),
        }
        self.daemon = Child(
            "daemon", [sys.executable, "-m", "firewatch", "run"], folder / "daemon.log", environment=self.environment
        )
        self.commands: list[dict[str, Any]] = []

    def write_rules(self, *rules: str, name: str = "water.yaml") -> None:
        """As an editor does that writes a new file and puts it in the place of the old one."""
        unfinished = self.folder / "rules" / f".{name}.swp"
        unfinished.write_text("rules:\n" + "".join(rules) if rules else "rules: []\n", encoding="utf-8")
        unfinished.replace(self.folder / "rules" / name)

    async def start(self) -> None:
        await self.daemon.start()
        await until_ready(self.url, self._assert_it_runs)

    def _assert_it_runs(self) -> None:
        assert self.daemon.running, self.daemon.log_tail()

    async def kill(self) -> datetime:
        """Kill -9; the time at which it was dead."""
        assert self.daemon._process is not None
        self.daemon._process.send_signal(signal.SIGKILL)
        assert await self.daemon.wait() == -signal.SIGKILL
        return datetime.now(UTC)

    def hang_up(self) -> None:
        assert self.daemon._process is not None
        self.daemon._process.send_signal(signal.SIGHUP)

    async def get(self, path: str) -> Any:
        async with httpx.AsyncClient(base_url=self.url, timeout=20) as client:
            answer = await client.get(path)
            assert answer.status_code == 200, answer.text
            return answer.json()

    async def post(self, path: str, **body: str | int) -> Any:
        async with httpx.AsyncClient(base_url=self.url, headers={"Origin": self.url}, timeout=60) as client:
            answer = await client.post(path, json=body)
            assert answer.status_code == 200, answer.text
            return answer.json()

    async def metric(self, name: str) -> float:
        async with httpx.AsyncClient(base_url=self.url, timeout=20) as client:
            lines = (await client.get("/metrics")).text.splitlines()
        return next(float(line.rpartition(" ")[2]) for line in lines if line.rpartition(" ")[0] == name)

    async def until(self, what: str, ask: Callable[[], Awaitable[T | None]], seconds: float = 30) -> T:
        """Ask until there is an answer."""
        try:
            async with asyncio.timeout(seconds):
                while not (answer := await ask()):
                    self._assert_it_runs()
                    await asyncio.sleep(0.05)
                return answer
        except TimeoutError:
            raise AssertionError(f"not within {seconds} s: {what}\n{self.daemon.log_tail()}") from None

    async def reloads(self, count: int) -> list[Any]:
        """The audit's records, newest first, once there are so many."""

        async def enough() -> list[Any] | None:
            found: list[Any] = (await self.get("/api/v1/rules/reloads"))["reloads"]
            return found if len(found) >= count else None

        return await self.until(f"{count} reloads in the audit", enough)

    async def alarm(self, rule: str) -> Any:
        """The standing alarm of a rule, as soon as there is one."""

        async def standing() -> Any:
            alarms = (await self.get("/api/v1/alarms"))["alarms"]
            return next((alarm for alarm in alarms if alarm["rule"] == rule), None)

        return await self.until(f"an alarm of {rule}", standing)

    async def reasons(self, alarm_id: str, count: int) -> list[str]:
        """Why an alarm changed, first to last, once there are so many changes."""

        async def enough() -> list[str] | None:
            transitions = (await self.get(f"/api/v1/alarms/{alarm_id}/transitions"))["transitions"]
            found = [each["reason"] for each in transitions]
            return found if len(found) >= count else None

        return await self.until(f"{count} changes of {alarm_id}", enough)

    async def rows(self, query: str) -> list[tuple[Any, ...]]:
        async with await psycopg.AsyncConnection.connect(self.dsn, autocommit=True) as connection:
            return await (await connection.execute(query.encode())).fetchall()

    @contextlib.asynccontextmanager
    async def client(self) -> AsyncIterator[aiomqtt.Client]:
        """What stands for the devices on the broker."""
        async with aiomqtt.Client(
            self.broker.hostname or "", self.broker.port or 1883, identifier=f"devices-{free_port()}"
        ) as client:
            yield client

    async def report(self, client: aiomqtt.Client, device: str, value: float, time: datetime | None = None) -> datetime:
        """Publish a reading; the time that it bears."""
        time = time or datetime.now(UTC)
        topic = Topic(channel=Channel.TELEMETRY, site="s", device=device).name()
        payload = {"time": time.isoformat(), "signal": "pressure", "value": value}
        await client.publish(topic, msgspec.json.encode(payload), qos=1)
        return time

    async def listen(self, ready: asyncio.Event) -> None:
        """Keep the commands that the door is given."""
        async with self.client() as client:
            await client.subscribe(topic_filter(Channel.COMMAND), qos=1)
            ready.set()
            async for message in client.messages:
                if parse(str(message.topic)) is not None and message.payload:
                    self.commands.append(msgspec.json.decode(bytes(message.payload)))  # type: ignore[arg-type]


@contextlib.asynccontextmanager
async def running(plant: Plant) -> AsyncIterator[Plant]:
    """The daemon up, and down at the end."""
    ready = asyncio.Event()
    listening = asyncio.ensure_future(plant.listen(ready))
    try:
        await ready.wait()
        await plant.start()
        yield plant
    finally:
        await plant.daemon.stop()
        listening.cancel()
        await asyncio.gather(listening, return_exceptions=True)
