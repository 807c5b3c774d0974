"""The sample compound behind the web server, with the daemon's part played by the test."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from datetime import timedelta
from pathlib import Path
from typing import TypeVar

import msgspec

from firewatch.alarms.drill import DrillNews, DrillReport
from firewatch.alarms.incident import Incident
from firewatch.alarms.lifecycle import Command, Event, StandingAlarm, TakenOut, step
from firewatch.alarms.nuisance import Mark
from firewatch.alarms.workload import Figures, IntervalLoad, Workload
from firewatch.app.control_room import ControlRoomKeeper
from firewatch.app.log_keeper import LogKeeper
from firewatch.config.control_room import one_seat
from firewatch.config.project import load_inventory
from firewatch.config.settings import HttpSettings, Settings
from firewatch.engine.actuation import command_of
from firewatch.engine.engine import Engine
from firewatch.errors import BusyError, RefusedCommandError
from firewatch.model.alarm import (
    Alarm,
    AlarmClass,
    AlarmClock,
    AlarmState,
    AlarmTransition,
    ConditionState,
    Priority,
    TransitionReason,
)
from firewatch.model.command import (
    Acknowledge,
    AcknowledgeIncident,
    Actuate,
    ActuatorAnswer,
    ActuatorCommand,
    AnswerState,
    OperatorCommand,
    OutOfService,
    ReturnSubjectToService,
    ReturnToService,
)
from firewatch.model.control_room import Drill
from firewatch.model.delivery import Delivery, DeliveryState
from firewatch.model.drill import DrillPlan
from firewatch.model.effect import RecordTransition
from firewatch.model.observation import Observation, Quality
from firewatch.model.reload import ReloadOutcome, ReloadTrigger, RulesProblem, RulesReload, RulesState
from firewatch.model.seat import ONE_SEAT, ControlRoom
from firewatch.model.site import Inventory
from firewatch.model.text import LocalText
from firewatch.model.topic import DEFAULT_PREFIX
from firewatch.ports import (
    BacktestPhase,
    BacktestState,
    BacktestWish,
    Clock,
    CommandRecord,
    NotificationTarget,
    PartStatus,
    Picture,
    Rejection,
)
from firewatch.rules.spec import RuleSpec
from firewatch.telemetry.telemetry import Telemetry
from firewatch.testing.clock import FakeClock
from firewatch.testing.history import InMemoryHistory
from firewatch.testing.publisher import RecordingPublisher
from firewatch.web.feed import LiveFeed
from firewatch.web.server import WebServer

CONFIG = Path(__file__).parents[3] / "config"
INVENTORY = load_inventory(Settings(sites=CONFIG / "sites", devices=CONFIG / "devices"))
ALARM_ID = "00c0ffee00c0ffee"

T = TypeVar("T")


class FakeLive:
    """Implements `ports.LiveView` with whatever the test puts into it."""

    def __init__(self) -> None:
        self.standing: dict[str, Alarm] = {}
        self.going_on: list[Incident] = []
        self.marked: dict[str, tuple[Mark, ...]] = {}
        self.newest: dict[str, Observation] = {}
        self.refused: list[Rejection] = []
        self.part: dict[str, PartStatus] = {}
        self.frames: dict[str, bytes] = {}
        self.pictures: dict[str, Picture] = {}

    def alarms(self) -> list[Alarm]:
        return list(self.standing.values())

    def incidents(self) -> list[Incident]:
        return self.going_on

    def marks(self, alarms: Sequence[Alarm]) -> dict[str, tuple[Mark, ...]]:
        return {alarm.alarm_id: self.marked[alarm.alarm_id] for alarm in alarms if alarm.alarm_id in self.marked}

    def last(self, signal: str) -> Observation | None:
        return self.newest.get(signal)

    def rejections(self) -> list[Rejection]:
        return self.refused[::-1]

    def rejection_counts(self) -> dict[str, int]:
        reasons = [rejection.reason for rejection in self.refused]
        return {reason: reasons.count(reason) for reason in reasons}

    def parts(self) -> list[PartStatus]:
        return list(self.part.values())

    def picture(self, picture_id: str) -> Picture | None:
        return self.pictures.get(picture_id)

    def frame(self, device: str) -> bytes | None:
        return self.frames.get(device)


class FakeRules:
    """Implements `ports.RuleReloader`: each reload ends as the test has said."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.outcome = ReloadOutcome.UNCHANGED
        self.problems: tuple[RulesProblem, ...] = ()
        self.asked_by: list[str] = []

    async def reload(self, operator: str) -> RulesReload:
        self.asked_by.append(operator)
        now = self.clock.now()
        return RulesReload(now, ReloadTrigger.OPERATOR, self.outcome, by=operator, problems=self.problems)

    def state(self) -> RulesState:
        return RulesState("digest", 3, self.clock.now(), self.problems)


class FakeAlerts:
    """Implements `ports.AlertFeed` with the messages that the test puts into it."""

    def __init__(self) -> None:
        self.messages: dict[str, bytes] = {}
        self.asked: list[Alarm] = []

    async def index(self, standing: Sequence[Alarm]) -> bytes:
        self.asked = list(standing)
        return b"<feed/>"

    async def alert(self, identifier: str) -> bytes | None:
        return self.messages.get(identifier)


class FakeBacktests:
    """Implements `ports.Backtests`: the test says how each goes on."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.kept: list[BacktestState] = []

    def start(self, wish: BacktestWish) -> BacktestState:
        if self.kept and self.kept[0].phase is BacktestPhase.RUNNING:
            raise BusyError("Another backtest goes on.")
        self.kept.insert(0, BacktestState(f"b{len(self.kept)}", self.clock.now(), wish))
        return self.kept[0]

    def cancel(self, backtest_id: str) -> None:
        assert self.kept[0].backtest_id == backtest_id
        self.note(phase=BacktestPhase.CANCELLED)

    def all(self) -> list[BacktestState]:
        return list(self.kept)

    def note(self, **fields: object) -> None:
        self.kept[0] = msgspec.structs.replace(self.kept[0], **fields)


class FakeNotifications:
    """Implements `ports.Notifications`: the deliveries that can be sent again are those the test puts into `dead`."""

    def __init__(self) -> None:
        self.known: list[NotificationTarget] = []
        self.dead: dict[str, Delivery] = {}
        self.asked: list[tuple[str, str]] = []

    def targets(self) -> list[NotificationTarget]:
        return self.known

    async def test(self, target: str, operator: str) -> Delivery | None:
        self.asked.append((target, operator))
        return next((each for each in self.dead.values() if each.target == target), None)

    async def send_again(self, delivery_id: str, operator: str) -> Delivery | None:
        self.asked.append((delivery_id, operator))
        delivery = self.dead.get(delivery_id)
        if delivery is not None and delivery.state is not DeliveryState.DEAD:
            raise RefusedCommandError("The delivery is delivered, not dead.")
        return delivery


class FakeDrills:
    """Implements `ports.Drills`: `going` goes on, and what the test has it refuse is refused."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.known: list[DrillPlan] = []
        self.going: DrillNews | None = None
        self.report: DrillReport | None = None
        self.refusal = ""

    def plans(self) -> list[DrillPlan]:
        return self.known

    def present(self) -> DrillNews | None:
        return self.going

    def present_report(self, drill_id: str) -> DrillReport | None:
        return self.report

    async def start(self, plan: str, operator: str) -> Drill:
        if self.refusal:
            raise RefusedCommandError(self.refusal)
        return Drill("d1", plan, self._clock.now(), operator)

    async def stop(self, drill_id: str, operator: str) -> Drill:
        if self.refusal:
            raise RefusedCommandError(self.refusal)
        return Drill(drill_id, "a", self._clock.now(), operator, self._clock.now(), "stopped", "{}")


class FakeWorkloads:
    """Implements `ports.Workloads` over what the test lets a seat take; None while it is not counted yet."""

    def __init__(self, clock: Clock) -> None:
        self.room = ONE_SEAT
        self.workload: Workload | None = None
        self._clock = clock

    def figures(self, seat: str) -> Figures | None:
        assert self.room.seat(seat) is not None
        return None if self.workload is None else self.workload.figures(self._clock.now())

    def intervals(self, seat: str) -> tuple[IntervalLoad, ...]:
        return () if self.workload is None else self.workload.intervals(self._clock.now())


class World:
    """The web server, and methods that do what the daemon would. Implements `ports.CommandSink`
    and, with a real engine, `EngineQuestions`.
    """

    address = ""

    def __init__(
        self,
        clock: Clock | None = None,
        settings: HttpSettings | None = None,
        inventory: Inventory = INVENTORY,
        rules: Sequence[RuleSpec] = (),
        room: ControlRoom | None = None,
    ) -> None:
        self.clock = clock or FakeClock()
        self.live = FakeLive()
        self.history = InMemoryHistory()
        self.submitted: list[OperatorCommand] = []
        self._changes: list[str] = []
        self.feed = LiveFeed()
        self.settings = settings or HttpSettings(port=0)
        self.rules = FakeRules(self.clock)
        self.backtests = FakeBacktests(self.clock)
        self.engine = Engine(rules, inventory)
        self.engine.start(self.clock.now())
        self.alerts = FakeAlerts()
        self.control_room = ControlRoomKeeper(
            room or one_seat(inventory),
            self.clock,
            LogKeeper(self.history, room or one_seat(inventory), self.clock),
            RecordingPublisher(),
            DEFAULT_PREFIX,
            self.feed,
            lambda _: None,
            Telemetry(),
        )
        self.workloads = FakeWorkloads(self.clock)
        self.notifications = FakeNotifications()
        self.drills = FakeDrills(self.clock)
        self.server = WebServer(
            self.settings,
            inventory,
            self.live,
            self.history,
            self,
            self.rules,
            self,
            self.backtests,
            self.clock,
            lambda: b"firewatch_observations_total 7\n",
            self.feed,
            self.alerts,
            self.control_room,
            self.workloads,
            self.notifications,
            self.drills,
        )
        self.part("broker", ready=True, detail="connected to 127.0.0.1:1883")

    async def ask(self, question: Callable[[Engine], T]) -> T:
        self.engine.advance(self.clock.now())
        return question(self.engine)

    async def submit(self, command: OperatorCommand) -> tuple[Alarm, ...]:
        self.submitted.append(command)
        if isinstance(command, ReturnSubjectToService):
            out = [alarm for alarm in self.live.standing.values() if alarm.subject == command.subject]
            returned = (ReturnToService(alarm.alarm_id, command.operator, command.reason) for alarm in out)
            return tuple(map(self._carry_out, returned))
        if isinstance(command, AcknowledgeIncident):
            waiting = [
                alarm
                for alarm in self.live.standing.values()
                if alarm.incident == command.incident and alarm.incident_number <= command.seen
                if alarm.state is AlarmState.UNACKNOWLEDGED
            ]
            return tuple(self._submit(Acknowledge(alarm.alarm_id, command.operator)) for alarm in waiting)
        if isinstance(command, Actuate):
            [site] = INVENTORY.sites
            kinds = {f"{site.id}/{device.id}": INVENTORY.kinds[device.kind] for device in site.devices}
            self.feed.push(CommandRecord.of(command_of(command, kinds, self.clock.now())))
            return ()
        return (self._submit(command),)

    def _submit(self, command: OperatorCommand) -> Alarm:
        if not isinstance(command, Acknowledge):
            return self._carry_out(command)
        alarm = self.live.standing.get(command.alarm_id)
        if alarm is None or alarm.state is AlarmState.ACKNOWLEDGED:
            raise RefusedCommandError("The alarm is acknowledged already.")
        cleared = alarm.state is AlarmState.RTN_UNACKNOWLEDGED
        return self.change(
            alarm,
            TransitionReason.ACKNOWLEDGED,
            by=command.operator,
            state=AlarmState.NORMAL if cleared else AlarmState.ACKNOWLEDGED,
            acknowledged_by=command.operator,
            acknowledged_time=self.clock.now(),
        )

    def _carry_out(self, command: Command | OutOfService) -> Alarm:
        if isinstance(command, OutOfService):
            alarm = next(alarm for alarm in self.live.standing.values() if alarm.subject == command.subject)
            event: Event = TakenOut(command, alarm)
        else:
            alarm, event = self.live.standing[command.alarm_id], command
        _, effects = step(StandingAlarm(alarm, 0), event, self.clock.now())
        change = next(effect.transition for effect in effects if isinstance(effect, RecordTransition))
        self._keep(change.alarm, change.previous_state, change.reason, change.by, change.comment)
        return change.alarm

    def alarm(self, **fields: object) -> Alarm:
        """Raise the e-bike alarm, or one that differs from it in these fields."""
        now = self.clock.now()
        values: dict[str, object] = {
            "alarm_id": ALARM_ID,
            "rule": "e-bike-in-lift",
            "site": "sample",
            "subject": "sample/a-lift-2",
            "building": "tower-a",
            "system": "lift",
            "priority": Priority.HIGH,
            "alarm_class": AlarmClass.SECURITY,
            "state": AlarmState.UNACKNOWLEDGED,
            "condition": ConditionState.ACTIVE,
            "text": LocalText(zh="电动自行车进入电梯", en="E-bike in the lift"),
            "advice": LocalText(
                zh="通过对讲劝离;必要时派人到场。", en="Ask the resident over the intercom to leave; send someone."
            ),
            "place": LocalText(zh="A栋2号电梯", en="Tower A lift 2"),
            "onset_time": now - timedelta(seconds=1.2),
            "clock": AlarmClock(
                source_time=now - timedelta(seconds=1.2),
                receive_time=now - timedelta(seconds=1.19),
                decided_time=now - timedelta(seconds=0.01),
                annunciated_time=now,
            ),
        }
        alarm = Alarm(**(values | fields))  # type: ignore[arg-type]
        self._keep(alarm, AlarmState.NORMAL, TransitionReason.CONDITION_ACTIVE, "firewatch")
        return alarm

    def change(self, alarm: Alarm, reason: TransitionReason, *, by: str = "firewatch", **fields: object) -> Alarm:
        """Change a standing alarm."""
        changed = msgspec.structs.replace(alarm, **fields)
        self._keep(changed, alarm.state, reason, by)
        return changed

    def observe(self, signal: str, value: float | bool | str | None, quality: Quality = Quality.GOOD) -> None:
        now = self.clock.now()
        observation = Observation(signal, value, quality, now, now, now)
        self.live.newest[signal] = observation
        self.feed.push(observation)
        for effect in self.engine.observe(observation, now):
            if isinstance(effect, RecordTransition) and not effect.transition.alarm.shadow:
                self._keep_transition(effect.transition)

    def command(self, device: str, action: str, answer: tuple[AnswerState, str] | None = None) -> None:
        """Send a command for the e-bike alarm, or follow it with an answer."""
        now = self.clock.now()
        name = f"{ALARM_ID}-{action}"
        command = ActuatorCommand(name, device, action, {}, ALARM_ID, "e-bike-in-lift", now)
        said = None if answer is None else ActuatorAnswer(name, device, *answer, now, now)
        self.history.write([command] if said is None else [command, said])
        self.feed.push(CommandRecord.of(command, said))

    def reject(self, reason: str) -> None:
        source = "firewatch/v1/telemetry/sample/tank-1"
        rejection = Rejection(self.clock.now(), source, reason, "value: expected a number, found NaN", '{"value": NaN}')
        self.live.refused.append(rejection)
        self.feed.push(rejection)

    def part(self, name: str, *, ready: bool, detail: str) -> None:
        self.live.part[name] = PartStatus(name, ready, detail)

    def picture(self, picture_id: str, jpeg: bytes) -> None:
        self.history.write([Picture(picture_id, "sample/a-lift-2-camera", self.clock.now(), jpeg)])

    def _keep(self, alarm: Alarm, previous: AlarmState, reason: TransitionReason, by: str, comment: str = "") -> None:
        now = self.clock.now()
        number = sum(1 for change in self._changes if change == alarm.alarm_id) + 1
        self._changes.append(alarm.alarm_id)
        self._keep_transition(AlarmTransition(alarm.alarm_id, number, now, reason, previous, alarm, by, comment))

    def _keep_transition(self, transition: AlarmTransition) -> None:
        alarm = transition.alarm
        if alarm.stands:
            self.live.standing[alarm.alarm_id] = alarm
        else:
            self.live.standing.pop(alarm.alarm_id, None)
        self.history.write([transition])
        self.feed.push(alarm)


async def until(condition: Callable[[], bool], what: str, seconds: float = 5) -> None:
    """Wait for a condition, or fail saying what did not happen."""
    try:
        async with asyncio.timeout(seconds):
            while not condition():
                await asyncio.sleep(0.005)
    except TimeoutError:
        raise AssertionError(what) from None
