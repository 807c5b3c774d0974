"""A compound with a drill beside its engine, among fakes: what is published comes back, and actuators obey."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Sequence
from datetime import datetime, timedelta

import msgspec

from firewatch.app.drill import DrillKeeper
from firewatch.app.loop import EngineLoop
from firewatch.broadcast.actuators import Actuators
from firewatch.broadcast.carrier import MqttCarrier
from firewatch.broadcast.proof import Proofs
from firewatch.engine.engine import Engine
from firewatch.model.alarm import AlarmTransition
from firewatch.model.command import ActuatorAnswer, ActuatorCommand, AnswerState
from firewatch.model.contract import CommandMessage, DrillReadingMessage
from firewatch.model.drill import DrillPlan, Expectation, PlannedReading
from firewatch.model.observation import Observation, Quality
from firewatch.model.site import (
    Action,
    Asset,
    Building,
    Device,
    DeviceKind,
    Parameter,
    ParameterType,
    Signal,
    SignalType,
)
from firewatch.model.text import LocalText
from firewatch.model.topic import Channel, parse
from firewatch.mqtt.packet import IncomingMessage
from firewatch.ports import FeedEvent, Rejection
from firewatch.rules.spec import RuleSpec
from firewatch.storage.rule_set import RuleSet
from firewatch.telemetry.rejections import RejectionLog
from firewatch.telemetry.telemetry import Telemetry
from firewatch.testing.clock import FakeClock
from firewatch.testing.history import InMemoryHistory
from firewatch.testing.publisher import RecordingPublisher
from tests.inventory import LABEL, one_site

TEXT = {"zh": "测试", "en": "test"}


def detector(kind: str) -> DeviceKind:
    return DeviceKind(
        kind=kind,
        label=LABEL,
        system="lift",
        signals=(Signal(name="alarm", type=SignalType.BOOLEAN, label=LABEL),),
    )


INVENTORY = one_site(
    Device(id="leak", kind="leak_detector", label=LABEL, building="b", asset="lift"),
    Device(id="smoke", kind="smoke_detector", label=LABEL, building="b", asset="lift"),
    Device(id="door", kind="door", label=LABEL, building="b", asset="lift"),
    Device(id="board", kind="board", label=LABEL, building="b", asset="lift"),
    site="s",
    buildings=(Building(id="b", label=LABEL, grid=LABEL),),
    assets=(Asset(id="lift", kind="lift", label=LABEL, building="b", system="lift"),),
    kinds=(
        detector("leak_detector"),
        detector("smoke_detector"),
        DeviceKind(
            kind="door",
            label=LABEL,
            system="lift",
            signals=(),
            actions=(Action("hold", LABEL, undo="release"), Action("release", LABEL)),
        ),
        DeviceKind(
            kind="board",
            label=LABEL,
            system="broadcast",
            signals=(),
            actions=(
                Action(
                    "show",
                    LABEL,
                    parameters=(Parameter("text_zh", ParameterType.TEXT, LABEL, longest=8),),
                    undo="clear",
                ),
                Action("clear", LABEL),
            ),
        ),
    ),
)


def rule(name: str, kind: str, priority: str, alarm_class: str) -> RuleSpec:
    actions = {
        "active": [
            {"device": "door", "action": "hold"},
            {"device": "board", "action": "show", "parameters": {"text_zh": "请勿进入"}},
        ],
        "inactive": [{"device": "door", "action": "release"}, {"device": "board", "action": "clear"}],
    }
    return RuleSpec.model_validate(
        {
            "id": name,
            "scope": {"device": kind},
            "when": {"state": {"signal": "alarm", "is": True}},
            "priority": priority,
            "class": alarm_class,
            "text": TEXT,
            "advice": TEXT,
            "actions": actions,
        }
    )


SILENT = RuleSpec.model_validate(
    {
        "id": "silent",
        "scope": {"device": ["leak_detector", "smoke_detector"]},
        "when": {"absence": {"after": "15s"}},
        "priority": "medium",
        "class": "trouble",
        "text": TEXT,
        "advice": TEXT,
    }
)
RULES = (
    rule("leak", "leak_detector", "medium", "supervisory"),
    rule("smoke", "smoke_detector", "high", "fire"),
    SILENT,
)


def plan(
    *readings: tuple[float, str, bool],
    may_ask: Sequence[str] = ("s/door", "s/board"),
    expect: Sequence[Expectation] = (),
    longest: float = 60,
) -> DrillPlan:
    """A plan named `plan`: (seconds, device, value) for each reading."""
    return DrillPlan(
        plan="plan",
        label=LocalText("演练", "drill"),
        site="s",
        readings=tuple(PlannedReading(timedelta(seconds=after), device, "alarm", on) for after, device, on in readings),
        may_ask=frozenset(may_ask),
        may_tell=frozenset(),
        expect=tuple(expect),
        longest=timedelta(seconds=longest),
    )


class Source(RecordingPublisher):
    def acknowledge(self, messages: object) -> None:
        """Nobody asks."""

    def pause(self) -> None:
        """Never full."""

    def resume(self) -> None:
        """Never full."""


class Feed:
    def __init__(self) -> None:
        self.events: list[FeedEvent] = []

    def push(self, event: FeedEvent) -> None:
        self.events.append(event)


class World:
    """`obeys`: actuators answer every command with `done` at once."""

    def __init__(self, *plans: DrillPlan, obeys: bool = True, history: InMemoryHistory | None = None) -> None:
        self.clock = FakeClock()
        self.history = history or InMemoryHistory()
        self.source = Source()
        self.feed = Feed()
        self.obeys = obeys
        self._delivered = 0
        telemetry = Telemetry()
        rules = RuleSet(RULES, INVENTORY)
        engine = Engine(rules.rules, INVENTORY)
        engine.start(self.clock.now())
        actuators = Actuators(MqttCarrier(self.source, "firewatch/v1/"), Proofs(INVENTORY).of, telemetry)
        self.drills = DrillKeeper(
            plans,
            lambda: plans,
            lambda: rules,
            self.clock,
            self.history,
            self.source,
            "firewatch/v1/",
            self.feed,
            actuators,
            telemetry,
            standing=lambda: self.loop.alarms(),
            is_claimed=lambda device: self.loop.is_claimed(device),
            look_again=lambda: self.loop.look_again(),
        )
        self.loop = EngineLoop(
            engine,
            self.clock,
            self.history,
            self.source,
            self,
            actuators,
            self.feed,
            prefix="firewatch/v1/",
            rules=rules.digest,
            last_ordinal=0,
            take_picture=lambda _: None,
            telemetry=telemetry,
            rejections=RejectionLog(telemetry),
            rehearsal=self.drills,
        )

    def decode(
        self, message_topic: str, payload: bytes, retain: bool, receive_time: datetime
    ) -> list[Observation] | ActuatorAnswer | Rejection:
        """What comes back: readings of a drill, and answers."""
        topic = parse(message_topic)
        assert topic is not None
        now = self.clock.now()
        if topic.channel is Channel.DRILL:
            message = msgspec.json.decode(payload, type=DrillReadingMessage)
            signal = f"s/{topic.device}/{message.signal}"
            observation = Observation(signal, message.value, Quality.GOOD, message.time, now, message.time)
            if not self.drills.rehearse(message.drill, message.index, observation):
                return Rejection(now, message_topic, "no_drill", "", "")
            return []
        if topic.channel is Channel.COMMAND:
            command = msgspec.json.decode(payload, type=CommandMessage)
            return ActuatorAnswer(command.id, f"s/{topic.device}", AnswerState.DONE, "", now, now)
        return [Observation(f"s/{topic.device}/alarm", payload == b"true", Quality.GOOD, now, now, now)]

    def connected(self, now: object) -> None:
        """Nothing of this decoder depends on it."""

    async def hear(self, device: str, value: bool) -> None:
        """A device reports in earnest."""
        payload = b"true" if value else b"false"
        self.loop.offer_messages([IncomingMessage(f"firewatch/v1/telemetry/s/{device}", payload, False, 1, 1, 1)])
        await self.settle()

    async def let_pass(self, seconds: float, step: float = 0.5) -> None:
        """Time passes, step by step."""
        for _ in range(round(seconds / step)):
            self.clock.advance(timedelta(seconds=step))
            self.loop.look_again()
            await self.settle()

    async def settle(self) -> None:
        """Let the loop take everything, and what it published come back."""
        async with asyncio.timeout(10):
            idle = 0
            while idle < 5:
                back = [each for each in self.source.messages[self._delivered :] if self._comes_back(each.topic)]
                self._delivered = len(self.source.messages)
                if back:
                    self.loop.offer_messages(
                        [IncomingMessage(each.topic, each.payload, False, 1, 1, 1) for each in back]
                    )
                idle = 0 if back or self.loop._inbox else idle + 1
                await asyncio.sleep(0)

    def _comes_back(self, topic: str) -> bool:
        return "/drill/" in topic or (self.obeys and "/command/" in topic)

    def sent(self, *, drill: bool) -> list[str]:
        """The commands on the broker, as `device action`."""
        commands = []
        for message in self.source.messages:
            topic = parse(message.topic)
            if topic is not None and topic.channel is Channel.COMMAND:
                command = msgspec.json.decode(message.payload, type=CommandMessage)
                if command.drill is drill:
                    commands.append(f"{topic.device} {command.action}")
        return commands

    def real(self) -> tuple[list[AlarmTransition], list[ActuatorCommand], list[object]]:
        """All that was recorded of what is real."""
        changes = [
            change
            for one in self.history._transitions.values()
            for change in one.values()
            if change.alarm.drill is None
        ]
        commands = [command for command in self.history._commands.values() if command.drill is None]
        return changes, commands, list(self.history._inputs.values())

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[World]:
        async with asyncio.TaskGroup() as tasks:
            running = tasks.create_task(self.loop.run())
            await asyncio.sleep(0)
            yield self
            running.cancel()
