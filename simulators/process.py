"""What every simulator process does around its pure part: options, connections, the scenario, a clean end."""

from __future__ import annotations

import asyncio
import logging
import signal
import sys
from collections.abc import Callable, Mapping
from contextlib import AbstractAsyncContextManager, nullcontext
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import aiomqtt
import click
import msgspec

from firewatch.model.command import AnswerState
from firewatch.model.contract import AnswerMessage, CommandMessage
from firewatch.model.duration import parse_duration
from firewatch.model.text import LocalText
from firewatch.model.topic import DEFAULT_PREFIX, Channel, Topic, parse
from simulators.device import RECONNECT_INTERVAL, Broker, DeviceLink, Encode, Model, contract_payload
from simulators.fault import FAULT_VERBS
from simulators.scenario import Player, Scenario, ScenarioError, Step, read_scenario
from simulators.site import SimulatedSite, SiteDevice, SiteError, read_site

STEP_INTERVAL = timedelta(milliseconds=20)
"""How exactly a scenario keeps its times."""

STOP_TIMEOUT = timedelta(seconds=3)
"""How long the devices may take to say goodbye."""
CANCEL_INTERVAL = timedelta(seconds=0.5)

ACTION_MEMORY = 1_000
"""How many commands are remembered by their id, to know what an answer answers."""

NOTHING_HAPPENS = Scenario(name=LocalText(zh="平静", en="Quiet"), steps=())

_decode_command = msgspec.json.Decoder(CommandMessage).decode
_decode_answer = msgspec.json.Decoder(AnswerMessage).decode
_log = logging.getLogger(__name__)


class Simulation:
    """The pure part of one process: its devices, their models, and the verbs its devices and assets understand.

    `models` holds one model a device; `assets` are those whose steps this process plays; `verbs` are understood
    beside those that every device understands.
    """

    def __init__(
        self,
        models: Mapping[SiteDevice, Model],
        assets: tuple[str, ...] = (),
        verbs: frozenset[str] = frozenset(),
        encode: Encode = contract_payload,
    ) -> None:
        self.models = models
        self.assets = assets
        self.verbs = verbs
        self.vendor_encode = encode

    def do(self, step: Step, now: datetime) -> None:
        """Play a step that changes more than one device's report."""

    def hears(self) -> tuple[str, ...]:
        """The devices whose telemetry this process follows, as a wire between real devices would."""
        return ()

    def heard(self, device: str, payload: bytes) -> None:
        """Take telemetry of a device named by `hears`."""


class ProcessOptions(msgspec.Struct, frozen=True):
    """What a simulator process is started with."""

    name: str
    broker: Broker
    site: SimulatedSite
    scenario: Scenario
    start_time: datetime
    interval: timedelta


class Wiring:
    """What this process overhears: the answers that its scenario waits for, and telemetry its models follow."""

    def __init__(self, options: ProcessOptions, simulation: Simulation, player: Player) -> None:
        self._options = options
        self._simulation = simulation
        self._player = player
        self._actions: dict[str, str] = {}
        self._early: dict[str, list[AnswerState]] = {}
        """Answers heard before their commands: a broker keeps the order of one topic, not of two."""

    def topics(self) -> list[str]:
        """The topics to subscribe to; commands are among them because an answer does not say its action."""
        site, prefix = self._options.site.id, self._options.broker.prefix
        channels = [(device, Channel.TELEMETRY) for device in self._simulation.hears()]
        for device in sorted(self._player.listens_to()):
            channels += [(device, Channel.COMMAND), (device, Channel.ANSWER)]
        return [Topic(channel=channel, site=site, device=device).name(prefix) for device, channel in channels]

    def take(self, name: str, payload: bytes, now: datetime) -> None:
        """Take one message."""
        topic = parse(name, self._options.broker.prefix)
        if topic is None:
            return
        try:
            if topic.channel is Channel.TELEMETRY:
                self._simulation.heard(topic.device, payload)
            elif topic.channel is Channel.COMMAND:
                command = _decode_command(payload)
                self._actions[command.id] = command.action
                while len(self._actions) > ACTION_MEMORY:
                    del self._actions[next(iter(self._actions))]
                for state in self._early.pop(command.id, ()):
                    self._player.answered(topic.device, command.action, state, now)
            elif topic.channel is Channel.ANSWER:
                answer = _decode_answer(payload)
                if answer.id in self._actions:
                    self._player.answered(topic.device, self._actions[answer.id], answer.state, now)
                else:
                    self._early.setdefault(answer.id, []).append(answer.state)
                while len(self._early) > ACTION_MEMORY:
                    del self._early[next(iter(self._early))]
        except msgspec.MsgspecError as error:
            _log.warning("%s: not readable: %s", name, error)


def process_options(function: Callable[..., None]) -> Callable[..., None]:
    """Add the options that every simulator process has."""
    options = (
        click.option(
            "--broker",
            required=True,
            metavar="URL",
            envvar="FIREWATCH_SIMULATORS_BROKER",
            help="The MQTT broker: mqtt://127.0.0.1:1883. In the variable it may hold user:password@ unseen.",
        ),
        click.option(
            "--ca-file",
            type=click.Path(exists=True, dir_okay=False),
            envvar="FIREWATCH_SIMULATORS_CA_FILE",
            help="What an mqtts:// broker's certificate is checked against.",
        ),
        click.option(
            "--site",
            required=True,
            type=click.Path(exists=True, dir_okay=False, path_type=Path),
            help="The site's YAML file.",
        ),
        click.option(
            "--prefix", default=DEFAULT_PREFIX, show_default=True, help="What the contract's topics begin with."
        ),
        click.option("--scenario", type=click.Path(dir_okay=False, path_type=Path), help="The story to play."),
        click.option(
            "--start-time", metavar="TIME", help="When the story starts, ISO 8601 with offset; now if not given."
        ),
        click.option("--interval", default="1s", show_default=True, help="How often every device reports."),
    )
    for option in reversed(options):
        function = option(function)
    return function


def read_options(
    name: str,
    broker: str,
    ca_file: str | None,
    site: Path,
    prefix: str,
    scenario: Path | None,
    start_time: str | None,
    interval: str,
) -> ProcessOptions:
    """Turn what was typed into what a process needs.

    Raises:
        click.ClickException: something cannot be used; the message says what.
    """
    try:
        known = read_site(site)
        story = NOTHING_HAPPENS if scenario is None else read_scenario(scenario)
        story.check(known.ids())
        started = datetime.now(UTC) if start_time is None else datetime.fromisoformat(start_time)
        if started.tzinfo is None:
            raise ValueError("--start-time needs an offset, for example 2025-06-01T08:00:00+08:00")
        return ProcessOptions(
            name=name,
            broker=msgspec.structs.replace(Broker.from_url(broker, prefix), ca_file=ca_file),
            site=known,
            scenario=story,
            start_time=started,
            interval=parse_duration(interval),
        )
    except (SiteError, ScenarioError, ValueError) as error:
        raise click.ClickException(str(error)) from error


def run_process(
    options: ProcessOptions,
    simulation: Simulation,
    beside: AbstractAsyncContextManager[Any] | None = None,
) -> None:
    """Run until SIGINT or SIGTERM; `beside` is open meanwhile.

    Raises:
        click.ClickException: the scenario asks something of these devices that they cannot do.
    """
    logging.basicConfig(level=logging.INFO, format=f"%(asctime)s {options.name}: %(message)s", stream=sys.stderr)
    _check_verbs(options, simulation)
    asyncio.run(_run(options, simulation, beside or nullcontext()))


def _check_verbs(options: ProcessOptions, simulation: Simulation) -> None:
    devices = {device.id for device in simulation.models}
    for step in options.scenario.steps:
        understood = simulation.verbs | (FAULT_VERBS if step.who in devices else {"normal"})
        if step.who in devices.union(simulation.assets) and step.do not in understood:
            raise click.ClickException(f'step {step.number}: "{step.who}" does not understand "{step.do}"')


async def _run(options: ProcessOptions, simulation: Simulation, beside: AbstractAsyncContextManager[Any]) -> None:
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    links = {
        device.id: DeviceLink(
            options.broker,
            options.site.id,
            device,
            model,
            options.interval,
            contract_payload if device.topic is None else simulation.vendor_encode,
        )
        for device, model in simulation.models.items()
    }
    player = Player(options.scenario, options.start_time, links.keys() | set(simulation.assets))
    wiring = Wiring(options, simulation, player)
    async with beside, asyncio.TaskGroup() as group:
        tasks = {group.create_task(link.run()) for link in links.values()}
        others = {group.create_task(_play(player, links, simulation))}
        if wiring.topics():
            others.add(group.create_task(_overhear(options, wiring)))
        _log.info("%d devices of %s", len(links), options.site.id)
        await stop.wait()
        for link in links.values():
            link.stop()
        _, unfinished = await asyncio.wait(tasks, timeout=STOP_TIMEOUT.total_seconds())
        await _cancel(unfinished | others)


async def _cancel(tasks: set[asyncio.Task[None]]) -> None:
    """Cancel until it has worked: before Python 3.12 `asyncio.wait_for`, which aiomqtt uses, may swallow it."""
    while tasks:
        for task in tasks:
            task.cancel()
        _, tasks = await asyncio.wait(tasks, timeout=CANCEL_INTERVAL.total_seconds())


async def _play(player: Player, links: Mapping[str, DeviceLink], simulation: Simulation) -> None:
    while True:
        now = datetime.now(UTC)
        for step in player.due(now):
            _log.info("%s: %s", step.who, step.do)
            simulation.do(step, now)
            if step.who in links:
                links[step.who].play(step, now)
            else:
                for link in links.values():
                    link.report_now()
        await asyncio.sleep(STEP_INTERVAL.total_seconds())


async def _overhear(options: ProcessOptions, wiring: Wiring) -> None:
    while True:
        try:
            async with options.broker.client(f"{options.site.id}-{options.name}-wiring") as client:
                for topic in wiring.topics():
                    await client.subscribe(topic, qos=1)
                async for message in client.messages:
                    wiring.take(message.topic.value, bytes(message.payload), datetime.now(UTC))
        except aiomqtt.MqttError as error:
            _log.warning("broker lost: %s", error)
        await asyncio.sleep(RECONNECT_INTERVAL.total_seconds())
