"""The demo put together: broker, database, daemon and simulators as processes of their own, stopped in reverse.

The broker and the database belong to the demo and not to the daemon, so that the daemon can be killed in the
middle of the story and goes on where it was when the demo starts it again.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import sys
from collections.abc import Callable, Mapping
from contextlib import AsyncExitStack
from datetime import datetime, timedelta
from pathlib import Path
from urllib.error import HTTPError, URLError
from urllib.request import urlopen

import aiomqtt
import msgspec
from ruamel.yaml import YAML

from firewatch.app.address import console_address, forget_address
from firewatch.app.child import Child
from firewatch.app.clock import SystemClock
from firewatch.app.embedded import EmbeddedBroker, EmbeddedDatabase
from firewatch.app.port import free_port
from firewatch.config.settings import MqttSettings, Settings
from firewatch.errors import StartError
from firewatch.model.alarm import Alarm
from firewatch.model.contract import AnswerMessage, CommandMessage
from firewatch.model.topic import Channel, Topic, parse, topic_filter
from firewatch.mqtt.broker import broker_address
from firewatch.mqtt.broker import password as broker_password
from simulators.commands import SCENARIOS, simulator_commands
from simulators.device import Broker

DAEMON_START_TIMEOUT = timedelta(seconds=60)
RETRY_INTERVAL = timedelta(seconds=0.5)
SHOWN_LINES = 5
"""How much of its log a daemon that ended by itself is quoted with."""
_POLL_SECONDS = 0.1


def scenario_names() -> dict[str, str]:
    """Every story that can be played, with its title in both languages."""
    yaml = YAML(typ="safe", pure=True)
    titles = {file.stem: yaml.load(file)["name"] for file in sorted(SCENARIOS.glob("*.yaml"))}
    return {name: f"{title['en']} / {title['zh']}" for name, title in titles.items()}


class Demo:
    """One run of the demo. `say` prints a line for the person who watches."""

    def __init__(
        self, settings: Settings, config: Path | None, scenario: str, *, say: Callable[[str], None], chinese: bool
    ) -> None:
        self._settings = settings
        self._config = config
        self._scenario = scenario
        self._say = say
        self._chinese = chinese
        self._clock = SystemClock()
        self._undo = AsyncExitStack()
        self._state = settings.state_directory
        self._logs = self._state / "log"

    async def run(self) -> None:
        """Start everything and tell the story until cancelled.

        Raises:
            StartError: a part cannot start.
        """
        try:
            await self._start_and_tell()
        finally:
            self._say("\nStopping ...")
            await self._undo.aclose()

    async def _start_and_tell(self) -> None:
        self._say(f"firewatch demo: {scenario_names()[self._scenario]}\n")
        await asyncio.to_thread(self._logs.mkdir, mode=0o700, parents=True, exist_ok=True)
        self._broker_url = await self._start_broker()
        self._broker = simulators_broker(self._settings.mqtt.model_copy(update={"url": self._broker_url}))
        environment = {
            "FIREWATCH_MQTT__URL": self._broker_url,
            "FIREWATCH_DATABASE__DSN": await self._database(),
            "FIREWATCH_VISION__STREAM_BASE_URL": f"http://127.0.0.1:{(camera_port := free_port())}/",
        }
        daemon = await self._daemon(environment)
        start_time = self._clock.now()
        await self._simulators(start_time, camera_port)
        self._say(
            f"\n  Console  {console_address(self._settings)}/\n  Logs     {self._logs}\n  Ctrl-C stops everything.\n"
        )
        async with asyncio.TaskGroup() as group:
            group.create_task(self._keep_daemon(daemon))
            group.create_task(self._tell(start_time))

    async def _start_broker(self) -> str:
        if self._settings.mqtt.url is not None:
            self._up("broker", f"yours, at {self._settings.mqtt.url}")
            return self._settings.mqtt.url
        broker = EmbeddedBroker(self._state / "broker")
        url = await broker.start()
        self._undo.push_async_callback(broker.stop)
        self._up("broker", f"nats-server at {url}")
        return url

    async def _database(self) -> str:
        if self._settings.database.dsn is not None:
            self._up("database", "yours, as the settings name it")
            return self._settings.database.dsn.get_secret_value()
        database = EmbeddedDatabase(self._state / "database")
        dsn = await database.start()
        self._undo.push_async_callback(database.stop)
        self._up("database", "PostgreSQL on a private socket")
        return dsn

    async def _daemon(self, environment: Mapping[str, str]) -> Child:
        config = ["--config", str(self._config)] if self._config is not None else []
        daemon = Child(
            "daemon",
            [sys.executable, "-m", "firewatch", "run", *config],
            self._logs / "daemon.log",
            environment={**os.environ, **environment},
        )
        forget_address(self._settings)
        await daemon.start()
        self._undo.push_async_callback(daemon.stop)
        await self._until_alive(daemon)
        self._up("daemon", "rules, history, cameras, console")
        return daemon

    async def _until_alive(self, daemon: Child) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(DAEMON_START_TIMEOUT.total_seconds()):
                while daemon.running:
                    if await asyncio.to_thread(_answers, f"{console_address(self._settings)}/healthz"):
                        return
                    await asyncio.sleep(_POLL_SECONDS)
        raise StartError(f"the daemon did not come up; the end of {daemon.log}:\n{daemon.log_tail()}")

    async def _simulators(self, start_time: datetime, camera_port: int) -> None:
        sites = self._settings.sites
        commands = simulator_commands(
            None,  # in the environment, because it may hold a password
            sites if sites.is_file() else sites / "sample.yaml",
            SCENARIOS / f"{self._scenario}.yaml",
            start_time,
            camera_port,
            prefix=self._settings.mqtt.prefix,
        )
        for name, command in commands.items():
            simulator = Child(
                name,
                command,
                self._logs / f"simulator-{name}.log",
                environment={**os.environ, **self._broker.environment()},
            )
            await simulator.start()
            self._undo.push_async_callback(simulator.stop)
        self._up("simulators", ", ".join(commands))

    async def _keep_daemon(self, daemon: Child) -> None:
        while True:
            code = await daemon.wait()
            self._say(f"  The daemon ended ({code}); it is started again and goes on where it was.")
            if code > 0:  # by itself, so it has said why
                for line in daemon.log_tail().splitlines()[-SHOWN_LINES:]:
                    self._say(f"      {line}")
            await asyncio.sleep(RETRY_INTERVAL.total_seconds())
            await daemon.start()

    async def _tell(self, start_time: datetime) -> None:
        story = Story(self._chinese, self._settings.mqtt.prefix)
        while True:
            try:
                await self._tell_while_connected(story, start_time)
            except aiomqtt.MqttError as error:
                self._say(f"  The broker was lost ({error}); connecting again.")
                await asyncio.sleep(RETRY_INTERVAL.total_seconds())

    async def _tell_while_connected(self, story: Story, start_time: datetime) -> None:
        async with self._broker.client(f"firewatch-demo-{os.getpid()}") as client:
            for channel in (Channel.ALARM, Channel.COMMAND, Channel.ANSWER):
                await client.subscribe(topic_filter(channel, self._settings.mqtt.prefix), qos=1)
            async for message in client.messages:
                line = story.line(str(message.topic), bytes(message.payload or b""))
                if line is not None:
                    elapsed = (self._clock.now() - start_time).total_seconds()
                    self._say(f"  {elapsed:6.1f} s  {line}")

    def _up(self, part: str, detail: str) -> None:
        self._say(f"  up  {part:<11}{detail}")


def simulators_broker(settings: MqttSettings) -> Broker:
    """The broker of the settings, as the simulators know it.

    Raises:
        ConfigError: it cannot be used.
    """
    address = broker_address(settings)
    return Broker(
        host=address.host,
        port=address.port,
        prefix=settings.prefix,
        username=settings.username,
        password=broker_password(settings),
        tls=address.tls,
        ca_file=str(settings.ca_file) if settings.ca_file is not None else None,
    )


class Story:
    """Puts what travels on the broker into words, each change once."""

    def __init__(self, chinese: bool, prefix: str) -> None:
        self._chinese = chinese
        self._prefix = prefix
        self._shown: dict[str, tuple[str, str, int, int]] = {}
        self._actions: dict[str, str] = {}

    def line(self, topic_name: str, payload: bytes) -> str | None:
        """What a message says; None if nobody is to be told."""
        topic = parse(topic_name, self._prefix)
        if topic is None or not payload:
            return None
        try:
            return self._words(topic, payload)
        except msgspec.MsgspecError:  # somebody else's message on a real broker
            return None

    def _words(self, topic: Topic, payload: bytes) -> str | None:
        if topic.channel is Channel.ALARM:
            return self._alarm(msgspec.json.decode(payload, type=Alarm))
        if topic.channel is Channel.COMMAND:
            command = msgspec.json.decode(payload, type=CommandMessage)
            if command.id in self._actions:
                return None
            self._actions[command.id] = command.action
            return f"command  {topic.device}: {command.action}"
        answer = msgspec.json.decode(payload, type=AnswerMessage)
        return f"answer   {topic.device}: {self._actions.get(answer.id, answer.id)} {answer.state} {answer.detail}"

    def _alarm(self, alarm: Alarm) -> str | None:
        if alarm.hidden:  # recorded, and nobody is told
            return None
        seen = (alarm.state.value, alarm.condition.value, alarm.activations, alarm.step)
        if self._shown.get(alarm.alarm_id) == seen:
            return None
        self._shown[alarm.alarm_id] = seen
        text = alarm.text.zh if self._chinese else alarm.text.en
        return f"ALARM    {text} [{alarm.state}]"


def _answers(url: str) -> bool:
    try:
        with urlopen(url, timeout=1):
            return True
    except HTTPError:
        return True
    except (URLError, TimeoutError, OSError):
        return False
